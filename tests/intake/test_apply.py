"""Events become facts: in any order, exactly once, and never against somebody's wish."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, insert, make_url, select, text

from nurture.core.model import Application, Candidate, Interview, Offer
from nurture.errors import Problems
from nurture.intake.apply import apply, apply_all
from nurture.intake.events import IncomingEvent, parse_event, read_events
from nurture.store import facts, tables
from nurture.store.database import Database
from nurture.store.schema import upgrade

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANA = {"id": "c-17", "email": "ana@example.com", "first_name": "Ana"}
WORK = {"id": "a-9", "job": {"id": "j-1", "title": "Data Engineer"}}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database for all tests here, because a new one for each would take most of the time."""
    url = f"sqlite:///{tmp_path_factory.mktemp('facts')}/facts.db"
    if request.param == "postgresql":
        address = make_url(request.getfixturevalue("postgres"))
        admin = create_engine(address, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE intake_facts"))
        admin.dispose()
        url = address.set(database="intake_facts").render_as_string(hide_password=False)
    database = Database(url)
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def database(shared: Database) -> Database:
    empty(shared)
    return shared


def empty(database: Database) -> None:
    with database.write() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(delete(table))


def event(type_: str, at: datetime | None = NOW, **told: Any) -> IncomingEvent:
    occurred = {} if at is None else {"occurred_at": at.isoformat()}
    return parse_event({"type": type_, **occurred, **told})


def tell(database: Database, *events: IncomingEvent) -> None:
    for each in events:
        apply(database, each, NOW)


def candidate(database: Database, who: str = "c-17") -> Candidate:
    with database.read() as connection:
        found = facts.find_candidate(connection, who)
    assert found is not None
    return found


def application(database: Database, ref: str = "a-9") -> Application:
    with database.read() as connection:
        found = facts.find_application(connection, ref)
    assert found is not None
    return found


def rows(database: Database, table: Any) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def interview(database: Database) -> Interview:
    return facts.interview_from_row(rows(database, tables.interviews)[0])


def types(database: Database) -> list[str]:
    return [row["type"] for row in rows(database, tables.events)]


def hours(count: float) -> datetime:
    return NOW - timedelta(hours=100 - count)


def test_only_what_an_event_tells_is_changed_and_null_clears(database: Database) -> None:
    tell(
        database,
        event("candidate.upserted", hours(1), candidate={**ANA, "pronouns": "she/her"}),
        event("candidate.upserted", hours(2), candidate={"id": "c-17", "last_name": "Silva"}),
        event("candidate.upserted", hours(3), candidate={"id": "c-17", "pronouns": None}),
    )
    ana = candidate(database)
    assert (ana.first_name, ana.last_name, ana.email) == ("Ana", "Silva", "ana@example.com")
    assert ana.fields == {}


def test_a_stage_that_is_only_concluded_gives_way_to_what_was_told_before_in_any_order(
    database: Database,
) -> None:
    told = (
        event("interview.scheduled", hours(1), candidate=ANA, interview={"id": "i-3"},
              application={"id": "a-9", "stage": None}),
        event("application.created", hours(2), candidate=ANA, application={"id": "a-9"}),
    )  # fmt: skip
    seen = []
    for order in (told, told[::-1]):
        empty(database)
        tell(database, *order)
        own = application(database)
        seen.append((own.stage, own.stage_since))
    assert seen == [(None, hours(1))] * 2


def test_an_event_told_twice_changes_nothing(database: Database) -> None:
    first = event("candidate.upserted", id="e1", candidate=ANA)
    assert not apply(database, first, NOW).duplicate
    again = event("candidate.upserted", id="e1", candidate={**ANA, "first_name": "Other"})
    result = apply(database, again, NOW)
    assert result.duplicate
    assert result.candidate_id == candidate(database).id
    assert candidate(database).first_name == "Ana"
    assert len(rows(database, tables.events)) == 1


def test_a_person_is_recognised_by_address_in_any_case(database: Database) -> None:
    tell(database, event("candidate.upserted", candidate=ANA))
    other = event("candidate.upserted", candidate={"id": "lever-1", "email": "ANA@Example.com"})
    tell(database, other)
    assert candidate(database, "lever-1").id == candidate(database, "c-17").id
    assert len(rows(database, tables.candidates)) == 1


def test_an_address_of_somebody_else_is_not_taken_over(database: Database) -> None:
    bo = {"id": "c-2", "email": "bo@example.com"}
    counts = apply_all(
        database,
        [
            event("candidate.upserted", candidate=ANA),
            event("candidate.upserted", candidate=bo),
            event("candidate.upserted", candidate={"id": "c-2", "email": ANA["email"]}),
        ],
        NOW,
    )
    assert [problem.code for problem in counts.problems] == ["address-taken"]
    assert candidate(database, "c-2").email == "bo@example.com"


def test_an_older_event_is_kept_but_does_not_undo_a_newer_one(database: Database) -> None:
    moved = {"id": "i-3", "starts_at": "2026-12-02T10:00:00Z"}
    booked = {"id": "i-3", "kind": "video", "starts_at": "2026-12-01T10:00:00Z"}
    tell(
        database,
        event("interview.rescheduled", hours(5), candidate=ANA, interview=moved),
        event("interview.scheduled", hours(1), candidate=ANA, interview=booked),
    )
    known = interview(database)
    assert known.starts_at == datetime(2026, 12, 2, 10, tzinfo=UTC)
    assert known.booked_at == hours(1)
    assert known.kind == "video"
    assert types(database) == ["interview.rescheduled", "interview.scheduled"]


def test_a_reschedule_keeps_when_it_was_booked_and_revives_a_cancelled_interview(
    database: Database,
) -> None:
    booked = {"id": "i-3", "starts_at": "2026-12-01T10:00:00Z", "ends_at": "2026-12-01T11:00:00Z"}
    tell(
        database,
        event("interview.scheduled", hours(1), candidate=ANA, interview=booked),
        event("interview.cancelled", hours(2), interview={"id": "i-3"}),
    )
    assert interview(database).status == "cancelled"
    moved = {"id": "i-3", "starts_at": "2026-12-02T10:00:00Z"}
    tell(database, event("interview.rescheduled", hours(3), interview=moved))
    known = interview(database)
    assert (known.status, known.booked_at) == ("scheduled", hours(1))
    assert known.ends_at is None  # the old end is not the new meeting's


def test_what_a_calendar_has_to_hear_of_an_interview_is_counted(database: Database) -> None:
    told = {"id": "i-3", "starts_at": "2026-12-01T10:00:00Z", "url": "https://meet.example.com/a"}
    tell(database, event("interview.scheduled", hours(1), candidate=ANA, interview=told))
    assert (interview(database).sequence, interview(database).cancelled_at) == (0, None)
    for at, changed, sequence in (
        (2, {}, 0),  # told again
        (3, {"notes": "bring a pen", "kind": "video"}, 0),  # stands in no calendar
        (4, {"url": "https://meet.example.com/b"}, 1),
        (5, {"starts_at": "2026-12-01T12:00:00Z", "location": "Room 2"}, 2),  # one change
        (6, {"ends_at": "2026-12-01T12:45:00Z"}, 3),
        (4.5, {"starts_at": "2026-11-30T12:00:00Z"}, 3),  # older than what is known
    ):
        now = {**told, "id": "i-3", **changed} if at == 2 else {"id": "i-3", **changed}
        tell(database, event("interview.rescheduled", hours(at), interview=now))
        if "starts_at" in changed and at == 5:
            assert interview(database).starts_at == datetime(2026, 12, 1, 12, tzinfo=UTC)
        assert interview(database).sequence == sequence, changed
    tell(database, event("interview.cancelled", hours(7), interview={"id": "i-3"}))
    tell(database, event("interview.cancelled", hours(8), interview={"id": "i-3"}))
    assert (interview(database).sequence, interview(database).cancelled_at) == (4, hours(7))
    tell(database, event("interview.rescheduled", hours(9), interview={"id": "i-3"}))
    assert (interview(database).sequence, interview(database).cancelled_at) == (5, None)


@pytest.mark.parametrize("name", ["sequence", "cancelled_at"])
def test_no_source_sets_what_is_counted_here(name: str, database: Database) -> None:
    told = {"id": "i-3", "starts_at": "2026-12-01T10:00:00Z", name: 7}
    tell(database, event("interview.scheduled", hours(1), candidate=ANA, interview=told))
    assert (interview(database).sequence, interview(database).cancelled_at) == (0, None)
    assert name not in interview(database).fields


def test_a_created_application_is_applied_since_then(database: Database) -> None:
    tell(
        database,
        event("application.created", hours(1), candidate=ANA, application=WORK),
    )
    known = application(database)
    assert (known.stage, known.status, known.job) == ("applied", "active", "j-1")
    assert known.applied_at == known.stage_since == hours(1)


def test_a_stage_told_again_does_not_begin_anew(database: Database) -> None:
    at_interview = {"id": "a-9", "stage": "Technical Interview"}
    tell(
        database,
        event("application.created", hours(1), candidate=ANA, application=WORK),
        event("application.stage_changed", hours(2), application=at_interview),
        event("candidate.replied", hours(3), candidate=ANA, application=at_interview),
    )
    known = application(database)
    assert (known.stage, known.stage_since) == ("interviewing", hours(2))
    assert known.fields["stage_raw"] == "Technical Interview"


def test_an_unknown_stage_name_is_no_stage(database: Database) -> None:
    odd = {"id": "a-9", "stage": "Vibe check"}
    tell(database, event("application.created", candidate=ANA, application=odd))
    known = application(database)
    assert known.stage is None
    assert known.fields["stage_raw"] == "Vibe check"


@pytest.mark.parametrize("how", ["rejected", "withdrawn", "hired"])
def test_an_ended_application_raises_its_closing_once(how: str, database: Database) -> None:
    tell(
        database,
        event("application.created", hours(1), candidate=ANA, application=WORK),
        event(f"application.{how}", hours(2), id="e2", source="gh", application={"id": "a-9"}),
        event(f"application.{how}", hours(2), id="e2", source="gh", application={"id": "a-9"}),
        event(f"application.{how}", hours(3), id="e3", source="gh", application={"id": "a-9"}),
    )
    assert application(database).status == how
    assert types(database).count("application.closed") == 1
    closing = rows(database, tables.events)[2]
    assert (closing["source"], closing["application"]) == ("nurture", "a-9")
    assert closing["planned_at"] is None


def test_reopened_clears_the_rejection(database: Database) -> None:
    tell(
        database,
        event("application.rejected", hours(1), candidate=ANA, application=WORK),
        event("application.reopened", hours(2), application={"id": "a-9"}),
    )
    known = application(database)
    assert (known.status, known.rejected_at) == ("active", None)


def test_a_closed_job_reaches_each_active_application_once(database: Database) -> None:
    for number in range(3):
        person = {"id": f"c-{number}", "email": f"c{number}@example.com"}
        own = {"id": f"a-{number}", "job": WORK["job"]}
        tell(
            database,
            event("application.created", hours(1), candidate=person, application=own),
        )
    tell(database, event("application.withdrawn", hours(2), application={"id": "a-1"}))
    closed = event("job.closed", hours(3), id="e9", job={"id": "j-1"})
    tell(database, closed, closed)
    told = [row for row in rows(database, tables.events) if row["type"] == "job.closed"]
    assert sorted(row["application"] for row in told) == ["a-0", "a-2"]
    assert application(database, "a-0").status == "closed"
    assert application(database, "a-1").status == "withdrawn"
    assert types(database).count("application.closed") == 3
    assert rows(database, tables.jobs)[0]["status"] == "closed"


def test_a_paused_job_is_told_to_its_applicants_and_closes_nothing(
    database: Database,
) -> None:
    tell(
        database,
        event("application.created", hours(1), candidate=ANA, application=WORK),
        event("job.paused", None, id="p", job={"id": "j-1"}),
        event("job.paused", None, id="p", job={"id": "j-1"}),
    )
    assert types(database) == ["application.created", "job.paused"]
    assert application(database).status == "active"


def test_an_import_never_lifts_a_do_not_contact(database: Database) -> None:
    free = {**ANA, "do_not_contact": False}
    tell(
        database,
        event("candidate.do_not_contact", hours(1), candidate=ANA),
        event("candidate.upserted", hours(2), candidate=free),
    )
    assert candidate(database).do_not_contact
    tell(database, event("candidate.do_not_contact", hours(3), candidate=free))
    assert not candidate(database).do_not_contact


def test_wishes_are_kept(database: Database) -> None:
    wishes = {
        "language": "pt",
        "pause_until": "2027-01-10T00:00:00Z",
        "channel": "phone",
        "topics": {"culture": False, "digest": True},
    }
    tell(
        database,
        event("candidate.unsubscribed", hours(1), candidate=ANA, topics=["digest"]),
        event("candidate.preferences", hours(2), candidate=ANA, preferences=wishes),
    )
    ana = candidate(database)
    assert ana.locale == "pt"
    assert ana.paused_until == datetime(2027, 1, 10, tzinfo=UTC)
    assert ana.fields["channel"] == "phone"
    assert ana.unsubscribed == {"culture"}
    tell(
        database,
        event("candidate.resumed", hours(3), candidate=ANA),
        event("candidate.unsubscribed", hours(4), candidate=ANA),
    )
    ana = candidate(database)
    assert ana.paused_until is None
    assert ana.unsubscribed == {"all", "culture"}


def test_answers_replies_calls_and_bounces_reach_their_places(database: Database) -> None:
    said = {"question": "coming", "value": "yes"}
    tell(
        database,
        event("answer.given", hours(1), candidate=ANA, answer=said),
        event("candidate.replied", hours(3), candidate=ANA),
        event("candidate.replied", hours(2), candidate=ANA),
        event(
            "contact.logged",
            hours(4),
            candidate=ANA,
            contact={"kind": "call", "person": "Ida@example.com"},
        ),
        event("message.bounced", hours(5), candidate=ANA, message={"reason": "550 no such user"}),
    )
    ana = candidate(database)
    assert ana.fields["answers"] == {"coming": "yes"}
    assert ana.suppressed == "550 no such user"
    assert rows(database, tables.candidates)[0]["replied_at"] == hours(3)
    call = rows(database, tables.contacts)[0]
    assert (call["kind"], call["at"], call["person"]) == ("call", hours(4), "ida@example.com")
    new = {"id": "c-17", "email": "ana@example.net"}
    tell(database, event("candidate.upserted", hours(6), candidate=new))
    assert candidate(database).suppressed is None


def test_an_erased_person_stays_erased(database: Database) -> None:
    tell(
        database,
        event("application.created", hours(1), candidate=ANA, application={**WORK, "notes": "Ana"}),
        event("candidate.erased", hours(2), candidate={"id": "c-17"}),
        event("application.created", hours(3), candidate=ANA, application={"id": "a-10"}),
    )
    gone = candidate(database)
    assert gone.do_not_contact
    assert (gone.email, gone.first_name) == (None, None)
    everything = [rows(database, table) for table in (tables.candidates, tables.events)]
    everything.append(rows(database, tables.applications))
    assert "Ana" not in str(everything)
    assert "ana@" not in str(everything)
    assert rows(database, tables.events)[2]["planned_at"] == NOW  # triggers nothing


def test_a_merge_moves_everything_to_the_survivor(database: Database) -> None:
    bo = {"id": "c-2", "email": "bo@example.com", "phone": "+1 555 0100"}
    tell(
        database,
        event("application.created", hours(1), candidate=ANA, application=WORK),
        event("candidate.do_not_contact", hours(2), candidate=bo),
        event("application.created", hours(2), candidate=bo, application={"id": "a-10"}),
    )
    ana, other = candidate(database), candidate(database, "c-2")
    enrolled = [
        {"campaign": "x", "subject": f"candidate:{ana.id}", "candidate_id": ana.id},
        {"campaign": "x", "subject": f"candidate:{other.id}", "candidate_id": other.id},
        {"campaign": "y", "subject": f"candidate:{other.id}", "candidate_id": other.id},
    ]
    with database.write() as connection:
        connection.execute(
            insert(tables.enrollments), [{**one, "entered_at": NOW} for one in enrolled]
        )
    merge = event("candidate.merged", id="m", candidate={"id": "c-2"}, into={"id": "c-17"})
    tell(database, merge, merge)
    survivor = candidate(database, "c-2")
    assert survivor.id == ana.id
    assert survivor.do_not_contact
    assert survivor.email == "ana@example.com"
    assert survivor.fields["phone"] == "+1 555 0100"
    assert application(database, "a-10").candidate_id == ana.id
    moved = {
        (row["campaign"], row["subject"], row["number"], row["end_reason"])
        for row in rows(database, tables.enrollments)
    }
    assert moved == {
        ("x", f"candidate:{ana.id}", 1, None),
        ("x", f"candidate:{ana.id}", 2, "merged"),
        ("y", f"candidate:{ana.id}", 1, None),
    }
    assert len(rows(database, tables.candidates)) == 1


def test_what_is_historical_is_planned_already_and_rings_nobody(database: Database) -> None:
    counts = apply_all(
        database,
        [event("application.rejected", hours(1), candidate=ANA, application=WORK)],
        NOW,
        historical=True,
    )
    assert counts.created == 1
    assert all(row["historical"] for row in rows(database, tables.events))
    assert [row["planned_at"] for row in rows(database, tables.events)] == [NOW, NOW]
    assert rows(database, tables.candidates)[0]["wake_at"] is None


def test_an_event_rings_its_candidate(database: Database) -> None:
    tell(database, event("candidate.upserted", candidate=ANA))
    assert rows(database, tables.candidates)[0]["wake_at"] == NOW


def test_what_contradicts_is_refused_with_what_to_do(database: Database) -> None:
    tell(database, event("application.created", candidate=ANA, application=WORK))
    with pytest.raises(Problems, match=r"belongs to another candidate .*candidate\.merged"):
        tell(
            database,
            event("application.hired", candidate={"id": "c-5"}, application={"id": "a-9"}),
        )
    with pytest.raises(Problems, match="nobody who is known"):
        tell(database, event("interview.cancelled", interview={"id": "i-99"}))
    assert len(rows(database, tables.candidates)) == 1
    assert application(database).status == "active"


def test_what_is_refused_is_found_again_in_its_file(database: Database) -> None:
    line = '{"type": "interview.cancelled", "interview": {"id": "i-99"}}'
    counts = apply_all(database, read_events(["", line], "facts.jsonl"), NOW)
    assert [(one.file, one.line) for one in counts.problems] == [("facts.jsonl", 2)]


def test_one_refused_event_does_not_cost_the_others(database: Database) -> None:
    counts = apply_all(
        database,
        [
            event("interview.cancelled", interview={"id": "i-99"}),
            event("candidate.upserted", candidate=ANA),
        ],
        NOW,
    )
    assert (counts.applied, len(counts.problems)) == (1, 1)


def test_a_fact_from_the_future_counts_as_of_now(database: Database) -> None:
    tell(
        database,
        event("candidate.upserted", NOW + timedelta(days=900), candidate=ANA),
        event("candidate.upserted", candidate={"id": "c-17", "first_name": "Anna"}),
    )
    assert candidate(database).first_name == "Anna"


APPLICATION = st.fixed_dictionaries(
    {"id": st.just("a-9")},
    optional={
        "stage": st.sampled_from(["applied", "Interview", "screening", "odd", None]),
        "start_date": st.sampled_from(["2027-01-01", "2027-02-01", None]),
        "applied_at": st.just("2026-11-01T00:00:00Z"),
        "recruiter": st.sampled_from(["ida@example.com", {"email": "bo@example.com", "name": "B"}]),
        "score": st.integers(0, 3),
    },
)
INTERVIEW = st.fixed_dictionaries(
    {"id": st.just("i-3")},
    optional={
        "kind": st.sampled_from(["video", "panel", None]),
        "starts_at": st.sampled_from(["2026-12-01T10:00:00Z", "2026-12-02T10:00:00Z"]),
        "url": st.sampled_from(["https://example.com/1", "https://example.com/2"]),
    },
)
PERSON = st.fixed_dictionaries(
    {"id": st.just("c-17"), "email": st.just("ana@example.com")},
    optional={
        "first_name": st.sampled_from(["Ana", "Anna", None]),
        "timezone": st.sampled_from(["Europe/Lisbon", "Asia/Kolkata"]),
        "do_not_contact": st.booleans(),
        "skills": st.lists(st.sampled_from(["sql", "go"]), max_size=2),
    },
)


def _told(kinds: list[str], **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.sampled_from(kinds), "candidate": PERSON, **parts})


TOLD = st.one_of(
    _told(["candidate.upserted", "candidate.do_not_contact", "candidate.replied"]),
    _told(["candidate.resumed"]),
    _told(
        ["candidate.unsubscribed"],
        topics=st.lists(st.sampled_from(["culture", "digest"]), min_size=1),
    ),
    _told(["candidate.paused"], until=st.sampled_from(["2027-01-01T00:00Z", "2027-03-01T00:00Z"])),
    _told(
        ["candidate.preferences"],
        preferences=st.fixed_dictionaries(
            {"topics": st.dictionaries(st.sampled_from(["culture", "all"]), st.booleans())}
        ),
    ),
    _told(
        ["answer.given"],
        answer=st.fixed_dictionaries(
            {"question": st.sampled_from(["a", "b"]), "value": st.booleans()}
        ),
    ),
    _told(["contact.logged"], contact=st.just({"kind": "call"})),
    _told(
        [
            f"application.{what}"
            for what in ("created", "stage_changed", "rejected", "reopened", "withdrawn", "hired")
        ],
        application=APPLICATION,
    ),
    _told(
        [f"interview.{what}" for what in ("scheduled", "rescheduled", "cancelled", "completed")],
        application=APPLICATION,
        interview=INTERVIEW,
    ),
    _told(
        [f"offer.{what}" for what in ("sent", "accepted", "declined", "withdrawn")],
        offer=st.just({"id": "o-1"}),
    ),
)


def facts_of(database: Database) -> list[Any]:
    """All that is known, without the rows' own order and numbers."""
    with database.read() as connection:
        found = facts.find_candidate(connection, "c-17")
    assert found is not None
    kept = [(row["source_id"], row["type"]) for row in rows(database, tables.events)]
    return [
        {**vars(found), "id": 0},
        [row["replied_at"] for row in rows(database, tables.candidates)],
        *[
            # How often an interview moved counts what we were told, which is what calendars heard.
            {**vars(read(row)), "candidate_id": 0, "sequence": 0}
            for read, table in (
                (facts.application_from_row, tables.applications),
                (facts.interview_from_row, tables.interviews),
                (facts.offer_from_row, tables.offers),
            )
            for row in rows(database, table)
        ],
        sorted((row["email"], row["data"].get("name")) for row in rows(database, tables.people)),
        sorted(row["at"] for row in rows(database, tables.contacts)),
        sorted(one for one in kept if one[1] != "application.closed"),
    ]


@given(told=st.lists(TOLD, min_size=1, max_size=12), data=st.data())
@settings(max_examples=25, deadline=None)
def test_in_whichever_order_and_however_often_facts_arrive_they_are_the_same(
    told: list[dict[str, Any]], data: st.DataObject
) -> None:
    the_same_in_any_order(in_memory(), told, data)


@given(told=st.lists(TOLD, min_size=6, max_size=12), data=st.data())
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_so_they_are_on_either_database(
    shared: Database, told: list[dict[str, Any]], data: st.DataObject
) -> None:
    the_same_in_any_order(shared, told, data)


@lru_cache
def in_memory() -> Database:
    database = Database("sqlite://")
    with database.write() as connection:
        tables.metadata.create_all(connection)
    return database


def the_same_in_any_order(
    database: Database, told: list[dict[str, Any]], data: st.DataObject
) -> None:
    events = [
        event(at=hours(number), id=f"e{number}", type_=one["type"], **_without_type(one))
        for number, one in enumerate(told)
    ]
    again = data.draw(st.lists(st.sampled_from(events), max_size=4))
    shuffled = data.draw(st.permutations([*events, *again]))
    empty(database)
    apply_all(database, events, NOW)
    in_order = facts_of(database)
    empty(database)
    tell(database, *shuffled)
    assert facts_of(database) == in_order


def _without_type(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "type"}


def test_the_offer_is_read_back(database: Database) -> None:
    sent = {"id": "o-1", "expires_at": "2026-12-01T00:00:00Z"}
    tell(database, event("offer.sent", hours(1), candidate=ANA, offer=sent))
    known: Offer = facts.offer_from_row(rows(database, tables.offers)[0])
    assert (known.sent_at, known.status) == (hours(1), "sent")
    assert known.expires_at == datetime(2026, 12, 1, tzinfo=UTC)
