"""What a mail about an interview tells the candidate's calendar: read by icalendar where it is
about meaning, and as raw bytes where it is about the wire."""

import base64
import quopri
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from zoneinfo import ZoneInfo

import icalendar
import pytest
from letters import NOW, facts, row

from nurture.core.model import Contact, MessageClass
from nurture.core.moving import moved_from, moved_to
from nurture.rendering.invitation import Told, invitation
from nurture.rendering.mime import message

TEAM = Address("Ida Berg (Example Ltd)", "talent", "example.com")
ANA = Address("Ana", "ana", "example.com")
WORDS = {"company": {"name": "Example Ltd"}, "job": {"title": "Data Engineer"}}
HOLD = timedelta(minutes=10)


def told_of(asks, known, config, *, interview="i-3", words=WORDS, attendee=ANA, organizer=TEAM):
    return invitation(
        asks,
        known.interviews.get(interview),
        known,
        organizer=organizer,
        attendee=attendee,
        context=words,
        config=config,
        locale="en",
        at=NOW,
    )


def with_interview(known, ref="i-3", **changes):
    interview = replace(known.interviews["i-3"], ref=ref, **changes)
    return replace(known, interviews={**known.interviews, ref: interview})


def after(known, sent):
    """The same person, once that mail has gone."""
    mail = Contact(at=NOW, klass=MessageClass.SERVICE, invite=sent.told, message_id=1)
    return replace(known, contacts=(*known.contacts, mail))


def entry(sent):
    [event] = icalendar.Calendar.from_ical(sent.body).walk("VEVENT")
    return event


def test_a_request_says_when_where_who_and_what(project):
    known = with_interview(facts(), ends_at=datetime(2026, 12, 3, 10, 45, tzinfo=UTC))
    sent = told_of("request", known, project.config)
    event = entry(sent)
    assert sent.method == "REQUEST"
    assert event["dtstart"].dt == datetime(2026, 12, 3, 10, tzinfo=UTC)
    assert event["dtend"].dt == datetime(2026, 12, 3, 10, 45, tzinfo=UTC)
    assert event["dtstamp"].dt == NOW
    assert event["summary"] == "Interview: Data Engineer, Example Ltd"
    assert event["location"] == "https://meet.example.com/a_b_c?x=1&y=2"
    assert event["organizer"] == "mailto:talent@example.com"
    assert event["organizer"].params["CN"] == "Ida Berg (Example Ltd)"
    assert event["attendee"] == "mailto:ana@example.com"
    assert event["attendee"].params["RSVP"] == "FALSE"
    assert event["sequence"] == 0
    assert event["status"] == "CONFIRMED"
    assert re.fullmatch(r"[0-9a-f]{32}@example\.com", event["uid"])


def test_without_an_end_it_lasts_as_long_as_configured(project):
    event = entry(told_of("request", facts(), project.config))
    assert event["dtend"].dt - event["dtstart"].dt == timedelta(minutes=60)


@pytest.mark.parametrize("at", ["2027-03-28T00:59", "2027-03-28T01:00", "2026-10-25T00:30"])
def test_the_hour_is_right_on_the_nights_when_clocks_change(project, at):
    lisbon = ZoneInfo("Europe/Lisbon")
    starts_at = datetime.fromisoformat(at).replace(tzinfo=UTC)
    sent = told_of(
        "request", with_interview(facts(), starts_at=starts_at.astimezone(lisbon)), project.config
    )
    assert starts_at.strftime("DTSTART:%Y%m%dT%H%M%SZ\r\n").encode() in sent.body
    assert entry(sent)["dtstart"].dt == starts_at


def test_a_discreet_candidate_has_an_appointment(project):
    words = {**WORDS, "candidate": {"discreet": True}}
    assert entry(told_of("request", facts(), project.config, words=words))["summary"] == (
        "Appointment"
    )


def test_a_changed_interview_is_the_same_entry_with_a_higher_number(project):
    known = facts()
    first = told_of("request", known, project.config)
    moved = with_interview(after(known, first), sequence=2, starts_at=NOW + timedelta(days=20))
    second = told_of("request", moved, project.config)
    assert entry(second)["uid"] == entry(first)["uid"]
    assert (entry(first)["sequence"], entry(second)["sequence"]) == (0, 2)
    again = told_of("request", after(moved, second), project.config)
    assert entry(again)["sequence"] == 2, "nothing has changed since"


def test_a_cancellation_keeps_the_entry_and_raises_the_number(project):
    known = facts()
    first = told_of("request", known, project.config)
    off = with_interview(after(known, first), sequence=1, status="cancelled")
    sent = told_of("cancel", off, project.config)
    event = entry(sent)
    assert sent.method == "CANCEL"
    assert (event["uid"], event["sequence"], event["status"]) == (
        entry(first)["uid"],
        1,
        "CANCELLED",
    )
    assert told_of("cancel", after(off, sent), project.config) is None, "it is off already"
    on_again = with_interview(after(off, sent), sequence=2, status="scheduled")
    third = told_of("request", on_again, project.config)
    assert entry(third)["uid"] == event["uid"]
    assert entry(third)["sequence"] > event["sequence"]


@pytest.mark.parametrize(
    ("asks", "changes"),
    [
        ("cancel", {"status": "cancelled"}),  # nobody was told of it
        ("cancel", {}),
        ("request", {"status": "cancelled"}),
        ("request", {"starts_at": None}),
    ],
)
def test_where_there_is_nothing_to_tell_there_is_no_part(project, asks, changes):
    assert told_of(asks, with_interview(facts(), **changes), project.config) is None
    assert told_of(asks, replace(facts(), interviews={}), project.config) is None


def test_what_was_booked_anew_takes_over_the_entry(project):
    first = told_of("request", facts(), project.config)
    known = with_interview(after(facts(), first), status="cancelled", cancelled_at=NOW, sequence=1)
    known = with_interview(
        known,
        "i-4",
        status="scheduled",
        cancelled_at=None,
        sequence=0,
        booked_at=NOW + timedelta(minutes=4),
        starts_at=NOW + timedelta(days=9),
    )
    assert moved_to(known, known.interviews["i-3"], HOLD) == known.interviews["i-4"]
    assert moved_from(known, known.interviews["i-4"], HOLD) == known.interviews["i-3"]
    sent = told_of("request", known, project.config, interview="i-4")
    assert entry(sent)["uid"] == entry(first)["uid"]
    assert entry(sent)["sequence"] == 1
    assert entry(sent)["dtstart"].dt == NOW + timedelta(days=9)
    known = after(known, sent)
    assert told_of("cancel", known, project.config) is None, "the entry is another interview's now"
    known = with_interview(known, status="scheduled", cancelled_at=None, sequence=2)
    own = told_of("request", known, project.config)
    assert entry(own)["uid"] != entry(first)["uid"]
    known = with_interview(
        after(known, own), "i-4", status="cancelled", sequence=1, cancelled_at=NOW
    )
    off = told_of("cancel", known, project.config, interview="i-4")
    assert (entry(off)["uid"], entry(off)["sequence"]) == (entry(first)["uid"], 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"booked_at": NOW - timedelta(minutes=1)},  # a round that was planned anyway
        {"booked_at": NOW + HOLD},
        {"application": "a-10"},
        {"kind": "panel"},
        {"booked_at": None},
    ],
)
def test_another_interview_is_no_re_booking(changes):
    booked = {"booked_at": NOW + timedelta(minutes=4), "status": "scheduled", "cancelled_at": None}
    known = with_interview(facts(), status="cancelled", cancelled_at=NOW)
    known = with_interview(known, "i-4", **{**booked, **changes})
    assert moved_to(known, known.interviews["i-3"], HOLD) is None
    assert moved_from(known, known.interviews["i-4"], HOLD) is None


HOSTILE = [
    'Ana" <b@evil.test>;X="', "Ana\r\nATTENDEE:mailto:b@evil.test", "Ana\nBEGIN:VEVENT",
    "a;b,c:d\\",
    "é" * 300, "日本語" * 60, "👩🏽‍💻" * 30, "\u202egnp.exe", "Ana\x00\x07",
    "END:VCALENDAR", "^n^'^^",
    "a\u2028b", "\ud800half", "=0D=0A", " ", "",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_whatever_a_value_holds_it_stays_one_value(project, value):
    fields = {"location": value, "url": f"https://meet.example.com/{value}"}
    words = {"company": {"name": value or "x"}, "job": {"title": value}}
    name = re.sub(r"[\x00-\x1f\u2028]", " ", value).encode("utf-8", "ignore").decode()
    sent = told_of(
        "request",
        with_interview(facts(), fields=fields),
        project.config,
        words=words,
        attendee=Address(name, "ana", "example.com"),
        organizer=Address(name, "talent", "example.com"),
    )
    assert b"\n" not in sent.body.replace(b"\r\n", b"")
    assert b"\r" not in sent.body.replace(b"\r\n", b"")
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", sent.body)
    assert max(map(len, sent.body.split(b"\r\n"))) <= 75
    unfolded = sent.body.replace(b"\r\n ", b"")
    properties = [line.partition(b":")[0].partition(b";")[0] for line in unfolded.split(b"\r\n")]
    for one in (b"ATTENDEE", b"ORGANIZER", b"SUMMARY", b"DTSTART", b"UID", b"METHOD"):
        assert properties.count(one) == 1
    assert properties.count(b"BEGIN") == properties.count(b"END") == 2
    assert entry(sent)["attendee"] == "mailto:ana@example.com"


def test_a_place_of_megabytes_is_cut(project):
    known = with_interview(facts(), fields={"location": "x" * 10_000_000})
    assert len(told_of("request", known, project.config).body) < 4_000


def wire(project, sent, known):
    return message(
        project.render("Hello"),
        message=row(category="prep"),
        facts=known,
        category=project.config.categories["prep"],
        config=project.config,
        at=NOW,
        invitation=sent,
    )


def test_the_mail_offers_the_entry_as_an_alternative_and_as_a_file(project):
    known = with_interview(facts(), fields={"location": "Rua da Conceição 1, " + "é" * 100})
    sent = told_of("request", known, project.config)
    raw = wire(project, sent, known)
    assert all(len(line) <= 76 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    outer, inner = re.findall(rb'multipart/(?:mixed|alternative); boundary="([^"]+)"', raw)
    assert not outer.startswith(inner)
    assert not inner.startswith(outer)
    _, first, attached, end = raw.split(b"--" + outer)
    assert end == b"--\r\n"
    _, plain, html, calendar, rest = first.split(b"--" + inner)
    assert rest.startswith(b"--\r\n")
    assert b"Content-Type: text/plain" in plain
    assert b"Content-Type: text/html" in html
    head, _, body = calendar.partition(b"\r\n\r\n")
    assert b"Content-Type: text/calendar; method=REQUEST; charset=utf-8" in head
    assert quopri.decodestring(body.removesuffix(b"\r\n")) == sent.body
    head, _, body = attached.partition(b"\r\n\r\n")
    assert b'Content-Disposition: attachment; filename="invite.ics"' in head
    assert base64.b64decode(body) == sent.body


def test_what_is_kept_reads_back(project):
    sent = told_of("request", with_interview(facts(), sequence=3), project.config)
    told = Told.read(sent.told)
    assert str(told) == sent.told
    assert (told.method, told.sequence, told.own, told.interview) == ("REQUEST", 3, 3, "i-3")
    assert Told.read("CANCEL a@b 1 0 an id with spaces").interview == "an id with spaces"
