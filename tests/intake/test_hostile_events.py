"""Events that say more than they may: refused in a line, and the rest of the file is taken."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from nurture.errors import Problem, Problems
from nurture.intake.apply import apply, apply_all
from nurture.intake.events import parse_event, read_events
from nurture.store import changes, schema, tables
from nurture.store.database import Database
from nurture.store.facts import find_candidate
from nurture.store.tables import (
    candidates,
    enrollments,
    interviews,
    messages,
    tasks,
    verdicts,
)
from tests.conftest import MONDAY

ANA = '{"id": "c1", "email": "ana@example.com"}'
FIRST = (
    '{"type": "candidate.do_not_contact", "id": "e1", "candidate": ' + ANA + "}\n"
    '{"type": "application.created", "id": "e2", "candidate": ' + ANA + ', "application": '
    '{"id": "a1"}}'
)
LAST = '{"type": "candidate.upserted", "id": "e9", "candidate": {"id": "c9"}}'


def taken(database: Database, line: str) -> list[Problem]:
    lines = [*FIRST.splitlines(), line, LAST]
    counts = apply_all(database, read_events(lines, "events.jsonl"), MONDAY)
    with database.read() as connection:
        assert find_candidate(connection, "c9") is not None, "the rest of the file is taken"
    return [problem for problem in counts.problems if problem.line == 3]


def event(type_: str, **objects: str) -> str:
    told = "".join(f', "{name}": {value}' for name, value in objects.items())
    return f'{{"type": "{type_}", "id": "e3", "candidate": {ANA}{told}}}'


@pytest.mark.parametrize(
    "line",
    [
        event("application.created", application='{"id": "a1", "candidate_id": "c-17"}'),
        event("interview.scheduled", interview='{"id": "i1", "candidate_id": 99}'),
        event("interview.scheduled", interview='{"id": "i1", "application": {"id": "a1"}}'),
        event("interview.scheduled", interview='{"id": "i1", "booked_at": "soon"}'),
        event("candidate.upserted").replace('"id": "c1"', '"id": "c1", "paused_until": "soon"'),
        event("candidate.upserted").replace('"id": "c1"', '"id": "c1", "unsubscribed": null'),
        event("candidate.preferences", preferences='{"do_not_contact": false}'),
        event("candidate.preferences", preferences='{"consent_until": "never"}'),
        event("candidate.preferences", preferences='{"email": "x"}'),
        event("candidate.upserted").replace('"id": "e3"', f'"id": "e3", "source": "{"s" * 101}"'),
    ],
)
def test_what_the_engine_keeps_for_itself_cannot_be_told(database: Database, line: str) -> None:
    assert taken(database, line), "refused, with its line"
    with database.read() as connection:
        ana: Any = find_candidate(connection, "c1")
    assert ana.do_not_contact
    assert ana.email == "ana@example.com"


def test_an_interview_may_name_its_application(database: Database) -> None:
    line = event("interview.scheduled", interview='{"id": "i1", "application": "a1"}')
    assert not taken(database, line)


def test_an_interview_may_say_when_it_was_booked(database: Database) -> None:
    booked = '{"id": "i1", "booked_at": "2026-11-20T09:00:00Z"}'
    assert not taken(database, event("interview.scheduled", interview=booked))
    with database.read() as connection:
        row = connection.execute(select(interviews.c.booked_at)).scalar_one()
    assert row == datetime(2026, 11, 20, 9, tzinfo=UTC)


def erased_and_merged(database: Database, loser: str, survivor: str) -> Any:
    told = [
        f'{{"type": "candidate.upserted", "id": "u", "candidate": {ANA}}}',
        (
            '{"type": "candidate.upserted", "id": "v",'
            ' "candidate": {"id": "c2", "email": "ana2@example.com", "first_name": "Ana"}}'
        ),
        '{"type": "candidate.erased", "id": "w", "candidate": {"id": "c1"}}',
        (
            f'{{"type": "candidate.merged", "id": "x", "candidate": {{"id": "{loser}"}},'
            f' "into": {{"id": "{survivor}"}}}}'
        ),
        '{"type": "candidate.upserted", "id": "y", "candidate": {"id": "c2", "phone": "123"}}',
    ]
    counts = apply_all(database, read_events(told, "events.jsonl"), MONDAY)
    assert not counts.problems
    with database.read() as connection:
        return find_candidate(connection, "c2")


def test_who_was_erased_gets_nothing_back_by_a_merge(database: Database) -> None:
    left = erased_and_merged(database, "c2", "c1")
    assert (left.email, left.first_name, left.fields) == (None, None, {})
    assert left.do_not_contact


def test_an_erased_double_takes_nothing_from_the_person_who_is_left(database: Database) -> None:
    left = erased_and_merged(database, "c1", "c2")
    assert left.do_not_contact, "the stricter wish stands"
    assert left.fields["phone"] == "123", "and what is told of them is still heard"


def test_who_is_erased_leaves_no_words_behind(database: Database) -> None:
    taken(database, LAST.replace("e9", "e8"))
    with database.write() as connection:
        ana = find_candidate(connection, "c1")
        assert ana is not None
        enrolled = {"candidate_id": ana.id, "campaign": "x", "subject": "candidate:1", "number": 1}
        number = connection.execute(
            insert(enrollments).returning(enrollments.c.id), {**enrolled, "entered_at": MONDAY}
        ).scalar_one()
        key = {"enrollment_id": number, "step": "s", "occurrence": "1", "campaign": "x"}
        said = {"said": "550 5.1.1 <ana@example.com> unknown"}
        common = {"candidate_id": ana.id, "campaign": "x"}
        connection.execute(
            insert(tasks),
            {**key, **common, "text": "Call Ana", "role": "recruiter", "created_at": MONDAY}
            | {"due_at": MONDAY},
        )
        connection.execute(
            insert(messages),
            {**common, "message_id": "<m>", "state": "failed", "template": "t", "category": "c"}
            | {"klass": "service", "created_at": MONDAY, "detail": said},
        )
        connection.execute(
            insert(verdicts),
            {**key, **common, "recorded_at": MONDAY, "verdict": "skip", "reason": "refused"}
            | {"final": True, "detail": said},
        )
    told = '{"type": "candidate.erased", "id": "w", "candidate": {"id": "c1"}}'
    apply_all(database, read_events([told], "events.jsonl"), MONDAY)
    with database.read() as connection:
        kept = [
            str(connection.execute(select(table)).mappings().all())
            for table in (tasks, messages, verdicts, candidates)
        ]
    assert not [rows for rows in kept if "Ana" in rows or "ana@" in rows]


def test_a_deadlock_with_another_process_costs_nothing(
    new_postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(new_postgres())
    schema.upgrade(database)
    sound, deadlocks = changes.save, ["once"]

    def save(connection: Connection, *rest: Any) -> dict[int, int]:
        numbers = sound(connection, *rest)
        if deadlocks:
            raised = f"RAISE EXCEPTION 'deadlock {deadlocks.pop()}' USING ERRCODE = '40P01'"
            connection.execute(text(f"DO $$ BEGIN {raised}; END $$"))
        return numbers

    monkeypatch.setattr(changes, "save", save)
    assert not taken(database, event("candidate.upserted"))
    assert not deadlocks
    database.close()


#: What the store keeps of an object, by the type of event that tells of it.
TABLES = {
    "candidate.upserted": ("candidate", tables.candidates),
    "application.created": ("application", tables.applications),
    "interview.scheduled": ("interview", tables.interviews),
    "offer.sent": ("offer", tables.offers),
    "promise.made": ("promise", tables.promises),
    "job.closed": ("job", tables.jobs),
}
#: Without these it would be no promise.
OWED = {"promise.made": {"owner": "ida@example.com", "due": "2026-12-04"}}


@pytest.mark.parametrize("type_", TABLES)
def test_no_event_can_break_a_row_by_naming_a_column_of_the_store(
    type_: str, database: Database
) -> None:
    part, table = TABLES[type_]
    for column in table.c.keys():  # noqa: SIM118 - of a collection of columns, not a dict
        told = {"id": "x-1", column: "nonsense"} if column != "id" else {"id": "x-1"}
        event = {"type": type_, "candidate": {"id": "c-1"}, part: OWED.get(type_, {}) | told}
        with suppress(Problems):  # refused in a line, or taken: never a failure of the store
            apply(database, parse_event(event), MONDAY)
    with database.read() as connection:
        assert connection.execute(select(table)).all(), "what was taken can be read"
