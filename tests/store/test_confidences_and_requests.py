"""Confidences and requests on each database."""

from datetime import timedelta

from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.store import confidences, requests
from nurture.store.dossier import dossier
from nurture.store.facts import find_candidate
from tests.conftest import MONDAY

IDA = "ida@example.com"


def tell(database, type_: str, who: str = "c1", **objects) -> int:
    candidate = {"id": who, "email": f"{who}@example.com"}
    event = {"type": type_, "occurred_at": MONDAY.isoformat(), "candidate": candidate, **objects}
    found = apply(database, parse_event(event), MONDAY).candidate_id
    assert found is not None
    return found


def test_what_was_told_lasts_as_long_as_the_process_and_thirty_days(database) -> None:
    ana = tell(database, "application.created", application={"id": "a1"})
    with database.write() as connection:
        for said in ("A ramp", "A ramp", "More time"):
            confidences.tell(connection, ana, said, person="Ida@example.com", now=MONDAY)
        for said in ("Yes", "No"):
            answer = {"kind": confidences.ANSWER, "question": "needs"}
            confidences.tell(connection, ana, said, person=IDA, now=MONDAY, **answer)
        rows = confidences.page(connection, IDA, MONDAY)
        assert [row["said"] for row in rows] == ["A ramp", "More time", "No"]
        after = confidences.page(connection, None, MONDAY, after=rows[0]["id"], limit=1)
        assert [row["said"] for row in after] == ["More time"]
        assert [row["ref"] for row in confidences.unread(connection, IDA, MONDAY)] == ["c1"]
        assert confidences.read(connection, rows[0]["id"], MONDAY) == ana
        assert confidences.sweep(connection, MONDAY) == 0
    tell(database, "application.withdrawn", application={"id": "a1"})
    with database.write() as connection:
        assert confidences.sweep(connection, MONDAY) == 0
        last = MONDAY + confidences.KEPT
        assert confidences.told(connection, ana, last - timedelta(seconds=1))
        assert confidences.told(connection, ana, last) == []
        assert confidences.sweep(connection, last) == 3


def test_a_merged_person_has_what_either_told_and_asked(database) -> None:
    ana, twin = (tell(database, "candidate.upserted", who) for who in ("c1", "c2"))
    with database.write() as connection:
        confidences.tell(connection, twin, "A ramp", person=IDA, now=MONDAY)
        assert requests.ask(connection, twin, requests.COPY, MONDAY)
        assert not requests.ask(connection, twin, requests.COPY, MONDAY)
    tell(database, "candidate.merged", "c2", into={"id": "c1"})
    with database.read() as connection:
        assert [row["ref"] for row in confidences.unread(connection, IDA, MONDAY)] == ["c1"]
        (asked,) = requests.open_requests(connection)
        assert (asked["candidate_id"], asked["kind"]) == (ana, "copy")
        held = dossier(connection, ana, (), MONDAY)
    assert "c2" in held["candidate"]["ids"]
    assert [each["kind"] for each in held["requests"]] == ["copy"]


def test_nothing_is_left_of_what_somebody_told_who_was_erased(database) -> None:
    ana = tell(database, "candidate.upserted")
    with database.write() as connection:
        confidences.tell(connection, ana, "A ramp", person=IDA, now=MONDAY)
        requests.ask(connection, ana, requests.DELETION, MONDAY)
    tell(database, "candidate.erased")
    with database.read() as connection:
        assert confidences.page(connection, None, MONDAY) == []
        assert requests.open_requests(connection) == []
        (done,) = requests.of_candidate(connection, ana)
        assert (done["done_by"], done["done_at"]) == ("erased", MONDAY)
        assert find_candidate(connection, "c1") is not None
