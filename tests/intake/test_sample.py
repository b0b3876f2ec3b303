"""The sample is something to try everything with, on whichever day one tries it."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from nurture.errors import Problems
from nurture.intake.apply import apply_all
from nurture.intake.sample import sample_events
from nurture.store import tables
from nurture.store.database import Database
from nurture.store.schema import upgrade

FILE = Path(__file__).parents[2] / "sample" / "events.jsonl"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


DAYS = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - made aware by `timezones`
    datetime(2029, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@settings(max_examples=25, deadline=None)
@given(DAYS)
def test_on_any_day_interviews_are_ahead_on_weekdays_and_the_past_is_past(now: datetime) -> None:
    events = sample_events(FILE, now)
    zones = {
        event.candidate.id: ZoneInfo(event.candidate.timezone)
        for event in events
        if event.candidate and event.candidate.timezone
    }
    for event in events:
        assert event.occurred_at is None or event.occurred_at <= now
        if event.interview and event.interview.starts_at and event.candidate:
            local = event.interview.starts_at.astimezone(zones[event.candidate.id])
            assert local > now
            assert local.weekday() < 5
            assert 8 <= local.hour < 20


def test_ids_stay_the_same_from_day_to_day() -> None:
    later = datetime(2027, 3, 1, tzinfo=UTC)
    ids = {event.id for event in sample_events(FILE, NOW)}
    assert ids == {event.id for event in sample_events(FILE, later)}


def test_there_is_somebody_for_every_case(tmp_path: Path) -> None:
    database = Database("sqlite:///sample.db", tmp_path)
    upgrade(database)
    counts = apply_all(database, sample_events(FILE, NOW), NOW)
    assert counts.problems == []
    with database.read() as connection:
        people = connection.execute(select(tables.candidates)).mappings().all()
        events = connection.execute(select(tables.events)).mappings().all()
        applications = connection.execute(select(tables.applications)).mappings().all()
        interviews = connection.execute(select(tables.interviews)).mappings().all()
    database.close()
    assert len(people) == 24
    zones = {ZoneInfo(row["data"]["timezone"]) for row in people}
    assert len(zones) >= 8
    offsets = {NOW.astimezone(zone).utcoffset() for zone in zones}
    assert any(offset is not None and offset.seconds % 3600 for offset in offsets)
    assert {row["email"].rpartition("@")[2] for row in people} == {
        "example.com",
        "example.org",
        "example.net",
    }
    new = [row for row in events if row["type"] == "application.created" and not row["historical"]]
    assert len(new) >= 12
    assert {row["occurred_at"] for row in new} == {NOW}
    assert sum(row["do_not_contact"] for row in people) == 1
    assert sum(row["paused_until"] is not None for row in people) == 1
    assert sum(bool(row["unsubscribed"]) for row in people) == 1
    assert Counter(row["status"] for row in applications) == {
        "active": 22,
        "rejected": 1,
        "withdrawn": 1,
    }
    assert all(row["data"].get("stage") for row in applications)
    kinds = {row["data"]["kind"] for row in interviews}
    assert kinds >= {"phone", "video", "technical", "panel", "onsite", "final"}
    assert Counter(row["status"] for row in interviews)["cancelled"] == 1
    assert "interview.rescheduled" in {row["type"] for row in events}


def test_a_mistake_in_the_sample_names_its_line(tmp_path: Path) -> None:
    wrong = tmp_path / "events.jsonl"
    wrong.write_text('\n{"type": "candidate.upserted", "candidate": {"emial": "x"}}\n[]\nnope\n')
    with pytest.raises(Problems) as raised:
        sample_events(wrong, NOW)
    assert [problem.line for problem in raised.value.problems] == [2, 3, 4]
