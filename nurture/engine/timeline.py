"""What has happened to this candidate, in the order in which it did, and in whose words?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from nurture.core.model import Event
from nurture.core.reasons import moment
from nurture.engine.outlook import Entry, told
from nurture.engine.project import Project
from nurture.store import facts, timeline
from nurture.store.database import Connection
from nurture.store.timeline import CONTACT, EVENT, VERDICT, Place

PAGE = 30  #: how much of somebody's past stands on one page


#: What people call the letter of a step, by enrollment and step, as far as the page shows it.
_Titles = Mapping[tuple[int | None, str], str]


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One line of somebody's past: a verdict, or what a person did, theirs or ours."""

    at: datetime
    place: Place
    entry: Entry | None = None  #: of a verdict; it says all
    tone: str = "calm"
    word: str = ""
    sentence: str = ""
    by: str = ""  #: who did it, by hand
    why: str = ""


def past(
    project: Project,
    connection: Connection,
    candidate_id: int,
    zone: ZoneInfo,
    before: Place | None = None,
) -> tuple[Sequence[Happening], Place | None]:
    """A page of it, newest first, and where the next page begins; None: that was all."""
    limit = PAGE + 1
    rows = timeline.verdict_rows(connection, candidate_id, before, limit)
    entries = told(connection, rows, zone, project.library.titles)
    found = [_verdict(entry, row) for entry, row in zip(entries, rows, strict=True)]
    found += [
        _contact(row) for row in timeline.contact_rows(connection, candidate_id, before, limit)
    ]
    titles = {
        (each.enrollment, each.step): project.letters.title(each.template)
        for each in entries
        if each.template is not None
    }
    types = list(_EVENTS)
    found += [
        each
        for row in timeline.event_rows(connection, candidate_id, types, before, limit)
        if (each := _event(facts.event_from_row(row), zone, titles)) is not None
    ]
    found.sort(key=lambda each: each.place, reverse=True)
    more = found[PAGE - 1].place if len(found) > PAGE else None
    return found[:PAGE], more


def as_text(place: Place) -> str:
    """For an address."""
    return f"{place.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f},{place.kind},{place.id}"


def as_place(text: str) -> Place | None:
    """What `as_text` wrote; None for anything else."""
    at, _, rest = text.partition(",")
    kind, _, id_ = rest.partition(",")
    try:
        return Place(datetime.fromisoformat(at).replace(tzinfo=UTC), int(kind), int(id_))
    except (ValueError, OverflowError):
        return None


# --- in words ------------------------------------------------------------------------------------


def _verdict(entry: Entry, row: Mapping[Any, Any]) -> Happening:
    at = entry.at or row["recorded_at"]
    return Happening(at=at, place=Place(at, VERDICT, row["id"]), entry=entry)


_OUTCOMES = {
    None: "",
    "spoke": ": spoke with them",
    "voicemail": ": left a message",
    "no_answer": ": nobody answered",
    "wrong_number": ": the number is wrong",
}


def _contact(row: Mapping[Any, Any]) -> Happening:
    kind = "Call" if row["kind"] == "call" else "Mail"
    return Happening(
        at=row["at"],
        place=Place(row["at"], CONTACT, row["id"]),
        tone="calm" if row["outcome"] in ("no_answer", "wrong_number") else "go",
        word=kind,
        sentence=f"{kind} by hand{_OUTCOMES.get(row['outcome'], '')}",
        by=row["person"] or "",
    )


def _event(event: Event, zone: ZoneInfo, titles: _Titles) -> Happening | None:
    tone, word, says = _EVENTS.get(event.type, ("calm", "Event", lambda _told: event.type))
    if event.type == "application.closed" and event.source == "nurture":
        return None  # what closed it stands there already
    data = event.data
    return Happening(
        at=event.received_at,
        place=Place(event.received_at, EVENT, event.id),
        tone=tone,
        word=word,
        sentence=says(_Told(event, zone, titles)),
        by=str(data.get("by") or ""),
        why=str(data.get("reason") or ""),
    )


@dataclass(frozen=True)
class _Told:
    """An event, as sentences are made of it."""

    event: Event
    zone: ZoneInfo
    titles: _Titles

    def get(self, part: str, key: str = "") -> Any:
        found = self.event.data.get(part)
        if not key:
            return found
        return found.get(key) if isinstance(found, Mapping) else None

    def at(self, part: str, key: str = "") -> str:
        """The instant or day under this name, as people say it."""
        value = str(self.get(part, key) or "")
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return moment(at, self.zone) if at.tzinfo else f"{at:%a} {at.day} {at:%b}"


def _until(words: str, part: str = "until") -> Callable[[_Told], str]:
    return lambda told: f"{words} until {told.at(part)}" if told.get(part) else words


def _fixed(words: str) -> Callable[[_Told], str]:
    return lambda _told: words


def _unsubscribed(told: _Told) -> str:
    topics = told.get("topics")
    return f"They unsubscribed from {', '.join(topics or ['everything that is not about them'])}"


def _preferences(told: _Told) -> str:
    named = told.get("preferences") or {}
    words = ", ".join(sorted(str(key).replace("_", " ") for key in named))
    return f"They said what they want: {words}" if words else "They said what they want"


def _do_not_contact(told: _Told) -> str:
    lifted = told.get("candidate", "do_not_contact") is False
    return "They may be contacted again" if lifted else "They must not be contacted"


def _stage(told: _Told) -> str:
    return f"Stage: {told.get('application', 'stage') or 'none'}"


def _interview(words: str) -> Callable[[_Told], str]:
    def says(told: _Told) -> str:
        kind = str(told.get("interview", "kind") or "").capitalize()
        starts = told.at("interview", "starts_at")
        return (
            f"{kind} interview".strip().capitalize()
            + f" {words}"
            + (f": {starts}" if starts else "")
        )

    return says


def _promise(words: str) -> Callable[[_Told], str]:
    def says(told: _Told) -> str:
        what, due = told.get("promise", "what"), told.at("promise", "due")
        return words + (f": {what}" if what else "") + (f", by {due}" if due else "")

    return says


def _answer(told: _Told) -> str:
    return f"They answered {told.get('answer', 'question')}: {told.get('answer', 'value')}"


def _bounced(told: _Told) -> str:
    said = told.get("message", "reason")
    return "A mail came back" + (f": {said}" if said else "")


def _step(words: str) -> Callable[[_Told], str]:
    def says(told: _Told) -> str:
        step = told.get("step", "id")
        title = told.titles.get((told.get("step", "enrollment"), step))
        return f"{f'“{title}”' if title else step} {words}"

    return says


#: By type: tone, word and sentence. Contacts and what a verdict says already are not among them.
_EVENTS: Mapping[str, tuple[str, str, Callable[[_Told], str]]] = {
    "candidate.replied": ("go", "Reply", _fixed("They replied")),
    "candidate.unsubscribed": ("stop", "Wish", _unsubscribed),
    "candidate.paused": ("calm", "Pause", _until("Paused")),
    "candidate.resumed": ("calm", "Pause", _fixed("The pause ended")),
    "candidate.sensitive": ("task", "Care", _until("Special care")),
    "candidate.confided": ("task", "Care", _fixed("They told one of us in confidence")),
    "candidate.preferences": ("go", "Wish", _preferences),
    "candidate.do_not_contact": ("stop", "Stop", _do_not_contact),
    "candidate.merged": ("calm", "Merged", _fixed("Two records became this one")),
    "application.created": ("calm", "Applied", _fixed("An application began")),
    "application.stage_changed": ("calm", "Stage", _stage),
    "application.rejected": ("calm", "Decided", _fixed("The application was rejected")),
    "application.reopened": ("calm", "Decided", _fixed("The application was opened again")),
    "application.withdrawn": ("stop", "Withdrew", _fixed("The application was withdrawn")),
    "application.hired": ("go", "Hired", _fixed("They were hired")),
    "application.closed": ("calm", "Closed", _fixed("The application was closed")),
    "interview.scheduled": ("calm", "Interview", _interview("booked")),
    "interview.rescheduled": ("calm", "Interview", _interview("moved")),
    "interview.cancelled": ("stop", "Interview", _interview("cancelled")),
    "interview.completed": ("calm", "Interview", _interview("took place")),
    "offer.sent": ("go", "Offer", _fixed("An offer was sent")),
    "offer.accepted": ("go", "Offer", _fixed("They accepted the offer")),
    "offer.declined": ("stop", "Offer", _fixed("They declined the offer")),
    "offer.withdrawn": ("stop", "Offer", _fixed("The offer was withdrawn")),
    "job.closed": ("calm", "Job", _fixed("The job was closed")),
    "job.paused": ("calm", "Job", _fixed("The job was paused")),
    "promise.made": ("task", "Promise", _promise("Promised")),
    "promise.kept": ("go", "Promise", _promise("Promise kept")),
    "promise.broken": ("stop", "Promise", _promise("Promise broken")),
    "answer.given": ("go", "Answer", _answer),
    "message.bounced": ("stop", "Bounce", _bounced),
    "message.complained": ("stop", "Complaint", _fixed("They called a mail spam")),
    "step.hurried": ("task", "By hand", _step("was wanted at once")),
    "step.snoozed": ("task", "By hand", lambda told: _until(_step("was put off")(told))(told)),
}
