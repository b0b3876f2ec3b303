"""The shipped campaigns and what they do to a candidate's calendar: booked, moved, cancelled, and
cancelled because it was booked anew."""

import quopri
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import icalendar
import pytest

from nurture.core.model import Outcome
from tests.world import World

HOLD = timedelta(minutes=10)
STARTS = datetime(2026, 12, 10, 10, tzinfo=UTC)
LATER = STARTS + timedelta(days=4)


class Mail(NamedTuple):
    subject: str
    method: str | None
    uid: str | None
    sequence: int | None
    starts_at: datetime | None
    text: str
    follows: str | None
    id: str


@pytest.fixture
def calendar(starter: World, monkeypatch: pytest.MonkeyPatch) -> "Calendar":
    return Calendar(starter, monkeypatch)


class Calendar:
    """Ana, who gets the shipped mails, and reads each as her mail program does."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.mails: list[Mail] = []
        take = world.postman.hand_over

        def hand_over(sender: str, to: str, raw: bytes, message_id: str) -> Outcome:
            self.mails.append(read(raw))
            return take(sender, to, raw, message_id)

        monkeypatch.setattr(world.postman, "hand_over", hand_over)
        world.clock.set(datetime(2026, 12, 1, 10, tzinfo=UTC))
        self.tell("application.created", application={"id": "a-9", "stage": "applied"})
        world.run_for(minutes=1)
        self.mails.clear()

    def tell(self, type_: str, **objects: Any) -> None:
        candidate = {"id": "c1", "email": "ana@example.com", "first_name": "Ana"}
        objects.setdefault("application", {"id": "a-9"})
        self.world.tell(type_, candidate=candidate | {"timezone": "Europe/Lisbon"}, **objects)

    def interview(self, type_: str, id_: str = "i-3", at: datetime = STARTS, **more: Any) -> None:
        told = {"id": id_, "kind": "video", "starts_at": at.isoformat(), **more}
        self.tell(f"interview.{type_}", interview=told)

    def after(self, length: timedelta = timedelta(0)) -> list[Mail]:
        """What comes within so long."""
        known = len(self.mails)
        self.world.run_until(self.world.clock.now() + length)
        return self.mails[known:]


def read(raw: bytes) -> Mail:
    head = raw.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b" ").decode()
    found = dict(line.split(": ", 1) for line in head.split("\r\n"))
    text = quopri.decodestring(raw.partition(b"text/plain")[2].partition(b"\r\n--")[0]).decode()
    method = uid = sequence = starts_at = None
    if found["Content-Type"].startswith("multipart/mixed"):
        import email

        [part] = [
            each
            for each in email.message_from_bytes(raw).walk()
            if each.get_content_type() == "text/calendar"
        ]
        entry = icalendar.Calendar.from_ical(part.get_payload(decode=True))
        [event] = entry.walk("VEVENT")
        method, uid, sequence = str(entry["method"]), str(event["uid"]), int(event["sequence"])
        starts_at = event["dtstart"].dt
        assert part.get_param("method") == method
    return Mail(
        found["Subject"],
        method,
        uid,
        sequence,
        starts_at,
        text,
        found.get("In-Reply-To"),
        found["Message-ID"],
    )


def test_an_interview_is_one_entry_from_its_booking_to_its_cancellation(calendar):
    calendar.interview("scheduled")
    [booked] = calendar.after()
    assert (booked.method, booked.sequence, booked.starts_at) == ("REQUEST", 0, STARTS)
    assert booked.follows is not None, "the mail that thanked for the application came first"
    [asked] = calendar.after(timedelta(hours=1))
    calendar.interview("rescheduled", at=LATER)
    [moved] = calendar.after()
    assert (moved.method, moved.sequence, moved.starts_at) == ("REQUEST", 1, LATER)
    assert moved.follows == asked.id
    calendar.after(timedelta(hours=1))
    calendar.interview("cancelled", at=LATER)
    assert calendar.after(HOLD - timedelta(minutes=1)) == []
    [off] = calendar.after(timedelta(minutes=2))
    assert (off.method, off.sequence) == ("CANCEL", 2)
    assert {booked.uid, moved.uid, off.uid} == {booked.uid}


@pytest.mark.parametrize("minutes", [0, 4, 9])
def test_what_is_cancelled_and_booked_anew_within_the_hold_has_moved(calendar, minutes):
    calendar.interview("scheduled")
    [booked] = calendar.after()
    calendar.after(timedelta(hours=1))
    calendar.interview("cancelled")
    calendar.after(timedelta(minutes=minutes))
    calendar.interview("scheduled", id_="i-4", at=LATER)
    [moved] = calendar.after(timedelta(hours=2))
    assert (moved.method, moved.uid, moved.sequence) == ("REQUEST", booked.uid, 1)
    assert moved.starts_at == LATER
    assert "It takes the place of the one on Thursday, 10 December 2026" in moved.text
    tasks = [entry.step for entry in calendar.world.agenda() if entry.verdict == "task"]
    assert "say-what-is-next" not in tasks
    calendar.interview("cancelled", id_="i-4", at=LATER)
    [off] = calendar.after(timedelta(minutes=11))
    assert (off.method, off.uid, off.sequence) == ("CANCEL", booked.uid, 2)


def test_what_is_booked_after_the_hold_is_another_interview(calendar):
    calendar.interview("scheduled")
    [booked] = calendar.after()
    calendar.interview("cancelled")
    [off] = calendar.after(HOLD)
    assert (off.method, off.uid) == ("CANCEL", booked.uid)
    calendar.after(timedelta(minutes=5))
    calendar.interview("scheduled", id_="i-4", at=LATER)
    [anew] = calendar.after()
    assert anew.method == "REQUEST"
    assert anew.uid != booked.uid
    assert "takes the place" not in anew.text


def test_the_same_booking_put_back_is_not_mailed_as_cancelled(calendar):
    calendar.interview("scheduled")
    [booked] = calendar.after()
    calendar.interview("cancelled")
    calendar.after(timedelta(minutes=3))
    calendar.interview("rescheduled", at=LATER)
    [back] = calendar.after(timedelta(hours=2))
    assert (back.method, back.uid, back.starts_at) == ("REQUEST", booked.uid, LATER)
    assert back.sequence > booked.sequence


def test_of_an_interview_that_no_mail_told_of_no_calendar_hears_the_end(calendar):
    calendar.tell(
        "interview.scheduled",
        historical=True,
        interview={"id": "i-3", "starts_at": STARTS.isoformat()},
    )
    calendar.interview("cancelled")
    [off] = calendar.after(HOLD)
    assert off.subject.startswith("Cancelled: ")
    assert off.method is None


def test_the_hold_is_that_of_the_configuration(calendar):
    config = calendar.world.folder / "config.yaml"
    config.write_text(config.read_text().replace("cancel_hold: 10 minutes", "cancel_hold: 1 hour"))
    calendar.world.restart()
    calendar.interview("scheduled")
    calendar.after()
    calendar.interview("cancelled")
    assert calendar.after(timedelta(minutes=59)) == []
    assert [mail.method for mail in calendar.after(timedelta(minutes=1))] == ["CANCEL"]
