"""What candidates wish for comes in as they say it, and why somebody needs care never does."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nurture.core.model import Facts, Pace, WeekHours
from nurture.errors import Problems
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.store import tables
from nurture.store.database import Database
from nurture.store.facts import find_candidate
from nurture.store.reading import load

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANA = {"id": "c-17", "email": "ana@example.com"}


@pytest.fixture
def memory() -> Database:
    database = Database("sqlite://")
    with database.write() as connection:
        tables.metadata.create_all(connection)
    return database


def tell(database: Database, type_: str, at: datetime = NOW, **told: Any) -> None:
    told.setdefault("candidate", ANA)
    event = parse_event({"type": type_, "occurred_at": at.isoformat(), **told})
    apply(database, event, NOW + timedelta(days=1))


def known(database: Database, who: str = "c-17") -> Facts:
    with database.read() as connection:
        candidate = find_candidate(connection, who)
        assert candidate is not None
        return load(connection, [candidate.id])[candidate.id]


def test_preferences_become_wishes(memory: Database) -> None:
    wished = {
        "channel": "phone",
        "phone": "+351 910",
        "pace": {"every": "Weekly", "on": "Thursdays"},
        "hours": ["not  08:00-09:15", "Tuesdays after 18:00"],
        "quiet_days": ["2026-12-24..2026-12-27", "Fridays"],
    }
    tell(memory, "candidate.preferences", preferences=wished)
    wishes = known(memory).candidate.wishes
    assert (wishes.pace, wishes.pace_day, wishes.phone_first) == (Pace.WEEKLY, 3, True)
    assert wishes.only == (
        WeekHours(days=frozenset({1}), from_=time(18), to=None, text="Tuesdays after 18:00"),
    )
    assert [each.text for each in wishes.not_in] == ["not 08:00-09:15", "Fridays"]
    assert wishes.quiet_days == ((date(2026, 12, 24), date(2026, 12, 27)),)
    assert known(memory).candidate.fields == {"channel": "phone", "phone": "+351 910"}
    tell(memory, "candidate.preferences", NOW + timedelta(hours=1), preferences={"hours": None})
    assert known(memory).candidate.wishes.only == ()
    assert known(memory).candidate.wishes.pace_day == 3, "what is not mentioned stays"


def test_who_prefers_the_phone_and_has_no_number_is_written_to(memory: Database) -> None:
    tell(memory, "candidate.preferences", preferences={"channel": "phone"})
    assert not known(memory).candidate.wishes.phone_first


@pytest.mark.parametrize(
    ("preferences", "said"),
    [
        ({"hours": ["whenever"]}, "Tuesdays after 18:00"),
        ({"hours": 9}, "list"),
        ({"hours": ["after 17:00"] * 51}, "50"),
        ({"pace": "hourly"}, "twice_a_week"),
        ({"pace": {"on": "monday"}}, '"every"'),
        ({"pace": {"every": "weekly", "at": "monday"}}, '"at"'),
        ({"pace_day": "someday"}, "thursday"),
        ({"quiet_days": ["Xmas"]}, "2026-12-24"),
        ({"sensitive_until": "2027-01-01"}, "keeps for itself"),
    ],
)
def test_wishes_that_are_not_understood_are_refused_and_say_what_would_be(
    preferences: Any, said: str
) -> None:
    with pytest.raises(Problems, match=said):
        parse_event({"type": "candidate.preferences", "candidate": ANA, "preferences": preferences})


@pytest.mark.acceptance("A5.3")
def test_why_somebody_needs_care_is_kept_nowhere(memory: Database) -> None:
    why = "canary-bereavement"
    told: Any = {
        "reason": why,
        "data": {"note": why},
        "why": why,
        "preferences": {"note": why},
        "candidate": {**ANA, "note": why},
        "until": "2026-12-31T00:00:00+00:00",
    }
    tell(memory, "candidate.sensitive", **told)
    until = known(memory).candidate.wishes.sensitive_until
    assert until == datetime(2026, 12, 31, tzinfo=UTC)
    with memory.read() as connection:
        for table in tables.metadata.sorted_tables:
            rows = [dict(row) for row in connection.execute(select(table)).mappings()]
            assert why not in json.dumps(rows, default=str)
            assert rows or table.name not in ("candidates", "events")
    without = parse_event({"type": "candidate.sensitive", "candidate": ANA, "until": told["until"]})
    with_it = parse_event({**told, "type": "candidate.sensitive"})
    assert with_it.id == without.id, "an id made of the content would let one guess"
    with pytest.raises(Problems) as refused:
        parse_event({**told, "type": "candidate.sensitive", "until": "soon"})
    assert why not in str(refused.value)


def test_care_ends_by_null(memory: Database) -> None:
    tell(memory, "candidate.sensitive", until="2026-12-31T00:00:00+00:00")
    tell(memory, "candidate.sensitive", NOW + timedelta(hours=1), until=None)
    assert known(memory).candidate.wishes.sensitive_until is None
    with pytest.raises(Problems, match='needs "until"'):
        parse_event({"type": "candidate.sensitive", "candidate": ANA})


def test_since_when_bad_news_is_bad_news_is_known(memory: Database) -> None:
    job = {"id": "j-1", "title": "Data Engineer"}
    tell(memory, "application.created", application={"id": "a-1", "job": job})
    tell(memory, "offer.sent", application={"id": "a-2"}, offer={"id": "o-1"})
    later = NOW + timedelta(hours=2)
    tell(memory, "offer.withdrawn", later, offer={"id": "o-1"})
    apply(
        memory,
        parse_event({"type": "job.closed", "occurred_at": later.isoformat(), "job": job}),
        later,
    )
    facts = known(memory)
    assert facts.applications["a-1"].closed_at == later
    assert facts.applications["a-2"].closed_at is None
    assert facts.offers["o-1"].withdrawn_at == later
    tell(memory, "offer.sent", later + timedelta(hours=1), offer={"id": "o-1"})
    reopened = later + timedelta(hours=1)
    tell(memory, "application.reopened", reopened, application={"id": "a-1"})
    facts = known(memory)
    assert facts.offers["o-1"].withdrawn_at is None
    assert facts.applications["a-1"].closed_at is None
    tell(memory, "application.closed", reopened + timedelta(hours=1), application={"id": "a-1"})
    assert known(memory).applications["a-1"].closed_at == reopened + timedelta(hours=1)


def test_the_last_answer_is_when_they_were_last_heard(memory: Database) -> None:
    tell(memory, "candidate.upserted")
    assert known(memory).answered_at is None
    answer = {"question": "coming", "value": "yes"}
    tell(memory, "answer.given", answer=answer)
    tell(memory, "answer.given", NOW - timedelta(days=2), answer={**answer, "question": "other"})
    assert known(memory).answered_at == NOW


def test_a_settled_promise_says_since_when(memory: Database) -> None:
    made = {"id": "p-1", "what": "a decision", "due": "2026-12-04", "owner": "ida@example.com"}
    tell(memory, "promise.made", application={"id": "a-1"}, promise=made)
    assert known(memory).promises["p-1"].settled_at is None
    tell(memory, "promise.kept", NOW + timedelta(hours=3), promise={"id": "p-1"})
    assert known(memory).promises["p-1"].settled_at == NOW + timedelta(hours=3)


def test_a_call_that_reached_nobody_is_no_contact(memory: Database) -> None:
    for number, outcome in enumerate(("spoke", "voicemail", "no_answer", "wrong_number", None)):
        at = NOW + timedelta(minutes=number)
        tell(memory, "contact.logged", at, contact={"kind": "call", "outcome": outcome})
    tell(memory, "contact.logged", contact={"kind": "mail", "promise": "p-1"})
    contacts = known(memory).contacts
    assert [each.outcome for each in contacts if each.label == "call"] == [
        *("spoke", "voicemail", None)
    ]
    assert [each.keeps for each in contacts if each.label == "mail"] == ["p-1"]
    mail = {"kind": "mail", "outcome": "spoke"}
    with pytest.raises(Problems, match="calls"):
        parse_event({"type": "contact.logged", "candidate": ANA, "contact": mail})


def test_of_two_who_are_one_person_the_stricter_wish_stands(memory: Database) -> None:
    twin = {"id": "c-40"}
    mine = {"pace": "twice_a_week", "hours": ["mon-fri 09:00-12:00"], "quiet_days": ["2026-12-24"]}
    theirs = {"pace": "weekly", "pace_day": "thursday", "hours": ["not fri", "after 10:00"]}
    tell(memory, "candidate.preferences", preferences=mine)
    tell(memory, "candidate.preferences", candidate=twin, preferences=theirs)
    tell(memory, "candidate.sensitive", candidate=twin, until="2026-12-31T00:00:00+00:00")
    tell(memory, "answer.given", candidate=twin, answer={"question": "q", "value": 1})
    tell(memory, "candidate.merged", NOW + timedelta(hours=1), candidate=twin, into=ANA)
    facts = known(memory)
    wishes = facts.candidate.wishes
    assert (wishes.pace, wishes.pace_day) == (Pace.WEEKLY, 3)
    assert [(each.days, each.from_, each.to) for each in wishes.only] == [
        (frozenset(range(5)), time(10), time(12)),
        (frozenset({5, 6}), time(10), None),
    ]
    assert [each.days for each in wishes.not_in] == [frozenset({4})]
    assert wishes.quiet_days == ((date(2026, 12, 24), date(2026, 12, 24)),)
    assert wishes.sensitive_until == datetime(2026, 12, 31, tzinfo=UTC)
    assert facts.answered_at == NOW
