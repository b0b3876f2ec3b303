"""What does a mail tell the candidate's calendar? An entry, its update, or that it is off.

An interview is one entry for life: its UID never changes, and SEQUENCE grows with each change
(RFC 5546 section 2.1.4). Which UID and which number is next follows from what earlier mails told,
which is kept with each. An interview that was booked in the place of a cancelled one takes over its
entry, so that it moves in the calendar and none is left behind.

Times are in UTC: one entry that does not repeat needs no VTIMEZONE, and no clock change can shift
it. No answer is asked for (RSVP): they agreed to the time already, and what a calendar program
answers would look like a reply of theirs.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from typing import Any, Literal, NamedTuple

from nurture.config import Config
from nurture.core.model import Facts, Interview
from nurture.core.moving import moved_from
from nurture.rendering.calendar_lines import component, instant, line, quoted, text
from nurture.rendering.words import words_for

Asks = Literal["request", "cancel"]  #: the front matter's `calendar:`

_ABOUT_US = (line("VERSION", "2.0"), line("PRODID", "-//Nurture//Interviews//EN"))
_TEXT_MAX = 1000  # characters of one value: a place or a link is shorter
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, kw_only=True)
class Invitation:
    method: str  #: REQUEST | CANCEL
    body: bytes  #: an iCalendar object in UTF-8, lines of at most 75 octets that end in CRLF
    told: str  #: what to keep with the message: the next entry follows from it


class Told(NamedTuple):
    """What one mail said, as it is kept: `REQUEST 4f0c...@example.com 1 1 i-3`."""

    method: str
    uid: str
    sequence: int
    own: int  #: the interview's own number then: what came since is added to `sequence`
    interview: str

    def __str__(self) -> str:
        return " ".join(map(str, self))

    @classmethod
    def read(cls, text: str) -> "Told":
        method, uid, sequence, own, interview = text.split(" ", 4)
        return cls(method, uid, int(sequence), int(own), interview)


def invitation(
    asks: Asks,
    interview: Interview | None,
    facts: Facts,
    *,
    organizer: Address,
    attendee: Address,
    context: Mapping[str, Any],
    config: Config,
    locale: str,
    at: datetime,
) -> Invitation | None:
    """The entry of this interview as of `at`; None where there is nothing to tell: no time yet, a
    request for what is off, a cancellation of what no calendar was told of or of what moved.

    `context` is the mail's own: job, company, links.
    """
    if interview is None or interview.starts_at is None:
        return None
    history = [Told.read(each.invite) for each in facts.contacts if each.invite]
    if asks == "request":
        told = _requested(interview, facts, history, config)
    else:
        told = _cancelled(interview, history)
    if told is None:
        return None
    body = _written(told, interview, organizer, attendee, context, config, locale, at)
    return Invitation(method=told.method, body=body, told=str(told))


def _requested(
    interview: Interview, facts: Facts, history: list[Told], config: Config
) -> Told | None:
    if interview.status == "cancelled":
        return None
    known = _entry_of(interview, history)
    if known is not None:
        again = 1 if known.method == "CANCEL" else 0
        sequence = known.sequence + max(again, interview.sequence - known.own)
        return known._replace(method="REQUEST", sequence=sequence, own=interview.sequence)
    before = moved_from(facts, interview, config.cancel_hold)
    left = _entry_of(before, history) if before is not None else None
    if left is not None and left.method == "REQUEST":
        uid, sequence = left.uid, left.sequence + 1
    else:
        uid, sequence = _uid(interview, history, config), interview.sequence
    return Told("REQUEST", uid, sequence, interview.sequence, interview.ref)


def _cancelled(interview: Interview, history: list[Told]) -> Told | None:
    known = _entry_of(interview, history)
    if known is None or known.method != "REQUEST" or interview.status != "cancelled":
        return None
    sequence = known.sequence + max(1, interview.sequence - known.own)
    return known._replace(method="CANCEL", sequence=sequence, own=interview.sequence)


def _entry_of(interview: Interview, history: list[Told]) -> Told | None:
    """The last word on this interview's entry, unless another interview has taken that over."""
    own = next((each for each in reversed(history) if each.interview == interview.ref), None)
    if own is None:
        return None
    last = next(each for each in reversed(history) if each.uid == own.uid)
    return own if last == own else None


def _uid(interview: Interview, history: list[Told], config: Config) -> str:
    """The same for the same interview, for ever; another only where its entry was taken over."""
    taken = sum(each.interview == interview.ref for each in history)
    name = f"{interview.ref}\0{taken}" if taken else interview.ref
    domain = config.sender.email.partition("@")[2]
    return f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@{domain}"


def _written(
    told: Told,
    interview: Interview,
    organizer: Address,
    attendee: Address,
    context: Mapping[str, Any],
    config: Config,
    locale: str,
    at: datetime,
) -> bytes:
    starts_at = interview.starts_at
    assert starts_at is not None  # noqa: S101 - asked for above
    ends_at = interview.ends_at or starts_at + timedelta(minutes=config.interview_minutes)
    fields, off = interview.fields, told.method == "CANCEL"
    lines = [line("SUMMARY", text(_summary(context, locale))), line("DTSTART", instant(starts_at))]
    if ends_at > starts_at:
        lines.append(line("DTEND", instant(ends_at)))
    lines += [
        line("DTSTAMP", instant(at)),
        line("UID", text(told.uid)),
        line("SEQUENCE", str(told.sequence)),
        _person("ATTENDEE", attendee, ROLE="REQ-PARTICIPANT", RSVP="FALSE"),
    ]
    if not off and (description := _description(fields)):
        lines.append(line("DESCRIPTION", text(description)))
    where = _clean(fields.get("location") or fields.get("url") or fields.get("phone"))
    if where:
        lines.append(line("LOCATION", text(where)))
    lines += [
        _person("ORGANIZER", organizer),
        line("STATUS", "CANCELLED" if off else "CONFIRMED"),
    ]
    method = line("METHOD", told.method)
    return component("VCALENDAR", (*_ABOUT_US, method, component("VEVENT", lines)))


def _person(role: str, who: Address, **parameters: str) -> bytes:
    name = {"CN": quoted(_clean(who.display_name))} if who.display_name else {}
    return line(role, f"mailto:{who.addr_spec}", **name, **parameters)


def _summary(context: Mapping[str, Any], locale: str) -> str:
    """What it is called; for a discreet candidate a word that tells a colleague nothing."""
    words = words_for(locale)
    if context.get("candidate", {}).get("discreet"):
        return words["appointment"]
    named = [context.get("job", {}).get("title"), context["company"]["name"]]
    return _clean(f"{words['interview']}: {', '.join(filter(None, named))}")


def _description(fields: Mapping[str, Any]) -> str:
    """How to get there, as far as it is known, one a line."""
    known = (fields.get(name) for name in ("url", "phone", "location"))
    return "\n".join(dict.fromkeys(filter(None, map(_clean, known))))


def _clean(value: Any) -> str:
    """A value as one text that cannot break a line: its own line ends are escaped."""
    text = str(value or "")[:_TEXT_MAX].replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", text).encode("utf-8", "ignore").decode().strip()
