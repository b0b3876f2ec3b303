"""How many were rejected for what, of a family of jobs: counted alike on each database."""

from datetime import timedelta
from typing import Any

from nurture.intake.apply import apply_all
from nurture.intake.events import parse_event
from nurture.rendering.broad_reasons import Phrases, Reasons
from nurture.store.database import Database
from nurture.store.rejections import told, told_since
from tests.conftest import MONDAY

REASONS = Reasons(
    phrases={
        "skills_depth": Phrases(
            candidate={"en": "We needed more."},
            coaching={"en": "Show one skill."},
            stages=["interviewing"],
        )
    },
    map={"skill*": "skills_depth"},
)


def rejected(number: int, reason: Any, days_ago: int = 1, **job: str) -> Any:
    at = (MONDAY - timedelta(days=days_ago)).isoformat()
    application = {"id": f"a{number}", "job": job, "reason": reason}
    person = {"id": f"c{number}", "email": f"c{number}@example.com"}
    told = {"type": "application.rejected", "occurred_at": at, "historical": True}
    return parse_event({**told, "candidate": person, "application": application})


def coaching(database: Database, job: str, family: str | None) -> list[str]:
    with database.read() as connection:
        found = told_since(connection, job, family, MONDAY - timedelta(days=365))
    return REASONS.coaching(found, "en")


def test_a9_2_four_rejections_of_a_family_are_kept_quiet_and_five_are_not(
    database: Database,
) -> None:
    data = {"id": "j1", "title": "Analyst", "family": "Data"}
    other = {"id": "j2", "title": "Engineer", "department": "DATA"}
    events = [rejected(1, "Skills", **data), rejected(2, "skill", **data)]
    events += [rejected(number, {"id": 3, "text": "Skill gap"}, **other) for number in (3, 4)]
    events += [rejected(5, "Skills", days_ago=366, **data), rejected(6, "Location", **data)]
    events += [rejected(7, "Skills", id="j3", title="Chef", family="Kitchen")]
    assert apply_all(database, events, MONDAY).problems == []
    assert coaching(database, "j1", "data") == []
    apply_all(database, [rejected(8, "Skills", **other)], MONDAY)
    assert coaching(database, "j1", "data") == ["Show one skill."]
    assert coaching(database, "j1", None) == []  # of that job alone


def test_who_is_reopened_or_forgotten_counts_no_more(database: Database) -> None:
    job = {"id": "j1", "title": "Analyst"}
    apply_all(database, [rejected(number, "Skills", **job) for number in range(3)], MONDAY)
    opened = {"type": "application.reopened", "application": {"id": "a0"}}
    erased = {"type": "candidate.erased", "candidate": {"id": "c1"}}
    apply_all(database, [parse_event(opened), parse_event(erased)], MONDAY)
    with database.read() as connection:
        assert told(connection) == {"Skills": 1}
        assert told_since(connection, "j1", None, MONDAY - timedelta(days=365)) == {"Skills": 1}
