"""What came of a campaign's mail, counted on both databases, and through indexes."""

import re
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert

from nurture.store import approvals, funnel, morning, releases, stops
from nurture.store.census import under_way
from nurture.store.database import Database
from nurture.store.ownership import owned
from nurture.store.tables import (
    candidates,
    enrollments,
    events,
    messages,
    returns,
    steps,
)
from tests.conftest import MONDAY

DAY = timedelta(days=1)
SINCE = MONDAY - 30 * DAY


@pytest.fixture
def people(database: Database) -> Callable[..., None]:
    """Writes rows of a table, numbered, with what every such row has."""
    always: dict[str, dict[str, Any]] = {
        "candidates": {"unsubscribed": [], "data": {}, "created_at": SINCE},
        "enrollments": {"campaign": "welcome", "entered_at": MONDAY - DAY},
        "messages": {
            "state": "sent",
            "campaign": "welcome",
            "template": "t",
            "category": "culture",
            "klass": "nurture",
            "created_at": SINCE,
        },
        "events": {"source": "test", "received_at": MONDAY, "historical": False, "data": {}},
        "returns": {"campaign": "welcome", "weighed": True},
        "steps": {"occurrence": "1", "known_at": SINCE, "state": "open", "detail": {}},
    }

    def add(table: Any, *rows: dict[str, Any]) -> None:
        with database.write() as connection:
            for row in rows:
                connection.execute(insert(table), always[table.name] | row)

    add(candidates, *({"id": n, "ref": f"c{n}"} for n in range(1, 10)))
    return add


def mail(number: int, who: int, at: datetime, campaign: str = "welcome") -> dict[str, Any]:
    return {
        "id": number,
        "candidate_id": who,
        "message_id": f"<{number}@example.com>",
        "sent_at": at,
        "campaign": campaign,
    }


def did(number: int, who: int, type_: str, at: datetime, **more: Any) -> dict[str, Any]:
    about = {"source_id": str(number), "candidate_id": who, "type": type_, "occurred_at": at}
    return {**about, **more}


def found(database: Database, since: datetime = SINCE) -> funnel.Outcomes:
    with database.read() as connection:
        return funnel.outcomes(connection, "welcome", since)


def test_what_a_person_did_counts_for_the_last_mail_they_had_got(
    database: Database, people: Callable[..., None]
) -> None:
    people(
        messages,
        mail(1, 1, MONDAY - 10 * DAY),
        mail(2, 1, MONDAY - 9 * DAY, "other"),
        mail(3, 2, MONDAY - 9 * DAY),
        mail(4, 3, MONDAY - 20 * DAY),
        mail(5, 4, MONDAY - 9 * DAY),
    )
    people(
        events,
        did(1, 1, "candidate.replied", MONDAY - 8 * DAY),  # to the other campaign
        did(2, 2, "candidate.replied", MONDAY - 8 * DAY),
        did(3, 2, "candidate.replied", MONDAY - 7 * DAY),  # one person is one
        did(4, 3, "application.withdrawn", MONDAY - 5 * DAY),  # fifteen days later
        did(5, 4, "application.withdrawn", MONDAY - 8 * DAY, historical=True),
        did(6, 4, "contact.logged", MONDAY - 8 * DAY),
    )
    came = found(database)
    assert (came.mails, came.reached) == (4, 4)
    assert (came.replied, came.withdrew, came.answered, came.opted_out) == (1, 0, 0, 0)
    assert (came.median, came.median_of) == (DAY, 1)


def test_who_opts_out_answers_bounces_or_complains_is_counted_once_each(
    database: Database, people: Callable[..., None]
) -> None:
    people(messages, *(mail(n, n, MONDAY - 5 * DAY) for n in range(1, 7)))
    later = MONDAY - 4 * DAY
    topics = {"preferences": {"topics": {"culture": False}}}
    people(
        events,
        did(1, 1, "candidate.unsubscribed", later),
        did(2, 1, "candidate.do_not_contact", later),
        did(3, 2, "candidate.preferences", later, data=topics),
        did(4, 3, "candidate.preferences", later, data={"preferences": {"pace": "weekly"}}),
        did(5, 4, "answer.given", later),
        did(6, 4, "answer.given", later + DAY),
    )
    people(
        returns,
        {"message_id": 5, "kind": "complaints", "candidate_id": 5, "at": later},
        {"message_id": 6, "kind": "bounces", "candidate_id": 6, "at": later},
        {"message_id": 1, "kind": "bounces", "candidate_id": 1, "at": SINCE - DAY},
    )
    came = found(database)
    assert (came.opted_out, came.answered, came.bounced) == (3, 1, 1)


def test_what_was_refused_at_the_door_was_offered_and_bounced(
    database: Database, people: Callable[..., None]
) -> None:
    refused: dict[str, Any] = {**mail(3, 3, MONDAY), "sent_at": None, "state": "failed"}
    people(messages, mail(1, 1, MONDAY), mail(2, 2, MONDAY), refused, mail(4, 4, MONDAY, "other"))
    back = {"kind": "bounces", "at": MONDAY}
    people(
        returns,
        back | {"message_id": 2, "candidate_id": 2},
        back | {"message_id": 3, "candidate_id": 3},
        back | {"message_id": 1, "candidate_id": 1, "kind": "complaints"},
    )
    with database.read() as connection:
        names = ["welcome", "other", "third"]
        found = funnel.sent_and_bounced(connection, names, SINCE)
    assert found == {"welcome": (3, 2), "other": (1, 0)}


def test_only_who_entered_in_that_time_is_counted_as_such(
    database: Database, people: Callable[..., None]
) -> None:
    people(
        enrollments,
        {"candidate_id": 1, "subject": "a"},
        {"candidate_id": 1, "subject": "b"},
        {"candidate_id": 2, "subject": "c", "entered_at": SINCE - DAY},
        {"candidate_id": 3, "subject": "d", "campaign": "other", "ended_at": MONDAY},
    )
    assert found(database).entered == 1
    assert found(database, SINCE - 2 * DAY).entered == 2
    with database.read() as connection:
        assert under_way(connection) == {"welcome": 3}


def test_mails_fall_into_the_days_they_were_sent_on_or_are_planned_for(
    database: Database, people: Callable[..., None]
) -> None:
    edges = [MONDAY + n * DAY for n in (-2, -1, 0, 1, 2)]
    people(messages, mail(1, 1, edges[0]), mail(2, 1, edges[1]), mail(3, 1, edges[4]))
    people(enrollments, {"id": 1, "candidate_id": 1, "subject": "a"})
    people(enrollments, {"id": 2, "candidate_id": 2, "subject": "b", "ended_at": MONDAY})
    waits = {"candidate_id": 1, "enrollment_id": 1, "verdict": "wait", "reason": "scheduled"}
    people(
        steps,
        waits | {"step": "mail", "at": MONDAY},
        waits | {"step": "later", "at": MONDAY + DAY},
        waits | {"step": "capped", "at": MONDAY + DAY, "reason": "cap"},
        waits | {"step": "not-true", "at": MONDAY + DAY, "reason": "condition"},
        waits | {"step": "a-task", "at": MONDAY + DAY},
        waits | {"step": "gone", "at": MONDAY, "state": "sent"},
        waits | {"step": "mail", "at": MONDAY, "enrollment_id": 2},
    )
    mails = ["mail", "later", "capped", "not-true", "gone"]
    with database.read() as connection:
        assert funnel.sent_by(connection, "welcome", edges) == [1, 1, 0, 0]
        assert funnel.ahead_by(connection, "welcome", mails, edges) == [0, 0, 1, 2]


def test_many_is_known_without_counting_further(
    database: Database, people: Callable[..., None]
) -> None:
    people(messages, *(mail(n, n, MONDAY) for n in range(1, 5)))
    people(enrollments, *({"candidate_id": n, "subject": str(n)} for n in range(1, 3)))
    with database.read() as connection:
        assert funnel.many(connection, "welcome", SINCE, 3)
        assert not funnel.many(connection, "welcome", SINCE, 4)
        assert not funnel.many(connection, "welcome", MONDAY + DAY, 2)
        assert funnel.many(connection, "welcome", MONDAY + DAY, 1)
        assert funnel.many_in_all(connection, ["welcome", "other"], SINCE, 3)
        assert not funnel.many_in_all(connection, ["welcome", "other"], SINCE, 4)
        assert not funnel.many_in_all(connection, ["other"], SINCE, 2)
        assert funnel.many_in_all(connection, ["other"], SINCE, 1), "so many are in one now"


def test_nothing_that_a_page_asks_walks_through_a_whole_table(
    tmp_path: Path, with_tables: Path
) -> None:
    shutil.copy(with_tables, tmp_path / "nurture.db")
    database = Database(f"sqlite:///{tmp_path}/nurture.db")
    asked: list[tuple[str, Any]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, parameters, *_: asked.append((statement, parameters)),
    )
    edges = [MONDAY + n * DAY for n in range(3)]
    with database.read() as connection:
        funnel.outcomes(connection, "welcome", SINCE)
        funnel.sent_and_bounced(connection, ["welcome", "other"], SINCE)
        funnel.sent_by(connection, "welcome", edges)
        funnel.ahead_by(connection, "welcome", ["mail"], edges)
        funnel.many(connection, "welcome", SINCE, 10)
        funnel.many_in_all(connection, ["welcome", "other"], SINCE, 10)
        under_way(connection)
        for whose in (None, owned("ida@example.com")):
            approvals.waiting(connection, whose, limit=10)
            approvals.approved(connection, SINCE, whose, 10)
            for kind in ("call", "task", None):
                morning.tasks_open(connection, whose, kind=kind, limit=10)
        stops.kept_back(connection, "campaign", "welcome", 10)
        stops.kept_back(connection, "everything", None, 10)
        releases.who_waits(connection, "welcome", 10)
        releases.waiting(connection)
        releases.enrolled(connection, "welcome")
        plans = {
            statement: [
                row[3]
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", told)
            ]
            for statement, told in list(asked)
        }
    assert len(plans) >= 10
    few = re.compile(
        "ix_(steps_held|steps_stopped|enrollments_under_way|messages_held|tasks_open)"
        "|held|anon_|subquery"
    )
    calls = [plan for told, plan in plans.items() if "kind = 'call'" in told]
    assert calls
    assert all("ix_tasks_open_calls" in " ".join(plan) for plan in calls)
    for statement, plan in plans.items():
        for line in plan:
            assert not line.startswith("SCAN") or few.search(line), f"{line}\n{statement}"
    database.close()
