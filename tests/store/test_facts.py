"""What a row says is what was told, on both databases."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from nurture.core.model import Application, Candidate, Event, Interview, Job, Offer, Person
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.store import facts, tables
from nurture.store.changes import Known, Wanted, change
from nurture.store.database import Database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOLD = {
    "type": "offer.sent",
    "source": "ats",
    "id": "e1",
    "occurred_at": "2026-11-22T10:00:00+01:00",
    "candidate": {
        "id": "c-17",
        "email": "Ana@example.com",
        "first_name": "Ana",
        "timezone": "Europe/Lisbon",
        "country": "pt",
        "locale": "pt_BR",
        "consent_until": "2027-11-22",
        "notice_period": "4 weeks",
    },
    "application": {
        "id": "a-9",
        "job": {"id": "j-4", "title": "Data Engineer", "team": "Platform"},
        "stage": "offer",
        "applied_at": "2026-10-01T08:00:00Z",
        "start_date": "2027-02-01",
        "recruiter": {"email": "Ida@example.com", "name": "Ida Berg", "phone": "+46 8 555 0110"},
        "source": "referral",
    },
    "interview": {
        "id": "i-3",
        "kind": "onsite",
        "starts_at": "2026-11-10T10:00:00+00:00",
        "ends_at": "2026-11-10T11:00:00+00:00",
        "location": "Lisbon",
    },
    "offer": {"id": "o-1", "expires_at": "2026-12-18T17:00:00+00:00", "band": "C"},
}


def row(database: Database, table: Any) -> Any:
    with database.read() as connection:
        return connection.execute(select(table)).mappings().one()


def test_rows_become_the_values_that_were_told(database: Database) -> None:
    apply(database, parse_event(TOLD), NOW)
    assert facts.candidate_from_row(row(database, tables.candidates)) == Candidate(
        id=1,
        ref="c-17",
        email="Ana@example.com",
        first_name="Ana",
        timezone="Europe/Lisbon",
        country="PT",
        locale="pt-BR",
        consent_until=date(2027, 11, 22),
        fields={"notice_period": "4 weeks"},
    )
    assert facts.application_from_row(row(database, tables.applications)) == Application(
        ref="a-9",
        candidate_id=1,
        stage="offer",
        reached="offer",
        job="j-4",
        recruiter="ida@example.com",
        applied_at=datetime(2026, 10, 1, 8, tzinfo=UTC),
        stage_since=datetime(2026, 11, 22, 9, tzinfo=UTC),
        start_date=date(2027, 2, 1),
        fields={"source": "referral"},
    )
    assert facts.interview_from_row(row(database, tables.interviews)) == Interview(
        ref="i-3",
        candidate_id=1,
        application="a-9",
        kind="onsite",
        starts_at=datetime(2026, 11, 10, 10, tzinfo=UTC),
        ends_at=datetime(2026, 11, 10, 11, tzinfo=UTC),
        fields={"location": "Lisbon"},
    )
    assert facts.offer_from_row(row(database, tables.offers)) == Offer(
        ref="o-1",
        candidate_id=1,
        application="a-9",
        sent_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
        expires_at=datetime(2026, 12, 18, 17, tzinfo=UTC),
        fields={"band": "C"},
    )
    assert facts.job_from_row(row(database, tables.jobs)) == Job(
        ref="j-4", title="Data Engineer", fields={"team": "Platform"}
    )
    assert facts.person_from_row(row(database, tables.people)) == Person(
        email="ida@example.com", name="Ida Berg", phone="+46 8 555 0110"
    )
    kept = facts.event_from_row(row(database, tables.events))
    assert kept == Event(
        id=1,
        type="offer.sent",
        candidate_id=1,
        occurred_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
        received_at=NOW,
        source="ats",
        application="a-9",
        interview="i-3",
        offer="o-1",
        job="j-4",
        data=kept.data,
    )
    assert kept.data["candidate"]["notice_period"] == "4 weeks"


@pytest.mark.parametrize("who", ["c-17", "ANA@EXAMPLE.COM", " ana@example.com ", "1"])
def test_a_candidate_is_found_by_id_address_or_number(who: str, database: Database) -> None:
    apply(database, parse_event(TOLD), NOW)
    with database.read() as connection:
        found = facts.find_candidate(connection, who)
        assert found is not None
        assert found.ref == "c-17"


def test_nobody_is_found_by_what_nobody_is_called(database: Database) -> None:
    with database.read() as connection:
        for who in ("", "c-17", "1", "²", "9" * 40):
            assert facts.find_candidate(connection, who) is None
        assert facts.find_application(connection, "a-9") is None


def test_a_person_added_by_somebody_else_meanwhile_is_not_added_twice(database: Database) -> None:
    """Two processes hear of the same new person: the later one begins again and finds them."""
    event = parse_event(TOLD)
    wanted = Wanted(refs={"c-17"})
    tries: list[bool] = []

    def late(known: Known) -> bool:
        tries.append("c-17" in known.refs)
        if "c-17" in known.refs:
            return False
        if database.dialect == "postgresql":  # SQLite lets one write at a time
            apply(database, event, NOW)
        known.new_candidate("c-17")
        return True

    added, _ = change(database, wanted, late, NOW)
    assert tries == ([False, True] if database.dialect == "postgresql" else [False])
    assert added == (database.dialect == "sqlite")
    assert row(database, tables.candidate_refs)["ref"] == "c-17"
