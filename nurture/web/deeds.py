"""What does a recruiter do about one candidate? Each deed is an event with who and why, and a row
of the audit log.

No deed decides anything by itself: the agenda is asked again, and says what changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nurture.core import timing
from nurture.core.by_hand import HURRIED, SKIPPED, SNOOZED
from nurture.core.calling import OUTCOMES
from nurture.core.model import Duration, Facts
from nurture.engine import stops
from nurture.engine.project import Project
from nurture.errors import NurtureError, Problems
from nurture.intake.apply import apply_within
from nurture.intake.events import IncomingEvent, parse_event
from nurture.rendering.context import zone_of
from nurture.store import confidences
from nurture.store.database import Connection
from nurture.store.stops import CANDIDATE
from nurture.web.rights import Acts

#: What a form may say instead of a day.
LENGTHS: Mapping[str, tuple[Duration, str]] = {
    "1d": (Duration(amount=1, unit="days"), "1 day"),
    "3d": (Duration(amount=3, unit="days"), "3 days"),
    "1w": (Duration(amount=1, unit="weeks"), "1 week"),
    "2w": (Duration(amount=2, unit="weeks"), "2 weeks"),
    "1m": (Duration(amount=1, unit="months"), "1 month"),
    "3m": (Duration(amount=3, unit="months"), "3 months"),
    "6m": (Duration(amount=6, unit="months"), "6 months"),
}
_MORNING = time(8)  #: when a day begins that somebody names
_LONGEST = 1000  # characters of a reason
_FURTHEST = timedelta(days=5 * 366)


class WrongError(NurtureError):
    """What somebody filled in cannot be done; the message is for them."""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One person's doing, about one candidate."""

    project: Project
    acting: Acts
    facts: Facts
    now: datetime

    @property
    def form(self) -> Mapping[str, str]:
        return self.acting.form

    @property
    def zone(self) -> ZoneInfo:
        """The candidate's."""
        return zone_of(self.facts.candidate, self.project.config)

    def why(self, *, needed: bool = True) -> str:
        said = " ".join(self.form.get("why", "").split())[:_LONGEST]
        if needed and not said:
            raise WrongError("Please say why: it stands beside what you did.")
        return said

    def until(self) -> datetime:
        """Until when, of a length or of a day as the candidate's calendar has it."""
        named = self.form.get("until", "").strip()
        length = LENGTHS.get(self.form.get("for", ""))
        if named:
            try:
                day = date.fromisoformat(named)
            except ValueError:
                raise WrongError("That is no day: write it as 2027-01-31.") from None
            at = datetime.combine(day, _MORNING, self.zone)
        elif length is not None:
            calendar = self.project.planner.calendars.of(self.facts.candidate)
            at = timing.shift(self._from(), length[0], calendar)
        else:
            raise WrongError("Please say until when.")
        if not self.now < at < self.now + _FURTHEST:
            raise WrongError("Please name a day to come.")
        return at

    def _from(self) -> datetime:
        """A length counts from now; of what is put off, from when it would go."""
        try:
            at = datetime.fromisoformat(self.form.get("from", ""))
        except ValueError:
            return self.now
        return max(self.now, at) if at.tzinfo else self.now

    def event(self, type_: str, **told: Any) -> IncomingEvent:
        """Raises WrongError for what is no event."""
        ref = self.facts.candidate.ref
        whole = {
            "type": type_,
            "source": "web",
            "occurred_at": self.now.isoformat(),
            "candidate": {"id": ref},
            "by": self.acting.who,
            **{name: value for name, value in told.items() if value not in (None, "", {})},
        }
        try:
            return parse_event(whole)
        except Problems as problems:
            raise WrongError(_said(problems)) from None

    def tell(self, connection: Connection, type_: str, **told: Any) -> None:
        """Through the one door for facts."""
        try:
            apply_within(connection, self.event(type_, **told), self.now)
        except Problems as problems:
            raise WrongError(_said(problems)) from None


def do(deed: Deed) -> str:
    """Do what the form says; what was done, in a word. Raises WrongError, and Refused where their
    role may not."""
    name = deed.form.get("do", "")
    found = _DEEDS.get(name)
    if found is None:
        raise WrongError("There is nothing of that name to be done.")
    right, work = found
    deed.acting.demand(right)
    with deed.project.database.write() as connection:
        kept = work(deed, connection)
        deed.acting.audit(connection, name, deed.facts.candidate.id, **kept)
    return name


def word(deed: Deed) -> IncomingEvent:
    """What the form says about one step, as the event that it would be."""
    types = {"send-now": HURRIED, "skip": SKIPPED, "snooze": SNOOZED}
    type_ = types.get(deed.form.get("do", ""))
    number = deed.form.get("enrollment", "")
    own = {str(each.id) for each in deed.facts.enrollments if each.ended_at is None}
    if type_ is None or number not in own:
        raise WrongError("That step is not theirs any more.")
    return deed.event(
        type_,
        reason=deed.why(),
        step={
            "enrollment": int(number),
            "id": deed.form.get("step", ""),
            "occurrence": deed.form.get("occurrence", ""),
        },
        until=deed.until().isoformat() if type_ == SNOOZED else None,
    )


def _by_hand(deed: Deed, connection: Connection) -> dict[str, Any]:
    event = word(deed)
    apply_within(connection, event, deed.now)
    step = event.step
    of = {each.id: each.campaign for each in deed.facts.enrollments}
    name = f"{of[step.enrollment]}/{step.id}" if step else ""
    return {"about": f"step:{name}", "why": deed.why()}


def _pause(deed: Deed, connection: Connection) -> dict[str, Any]:
    until, why = deed.until(), deed.why()
    deed.tell(connection, "candidate.paused", until=until.isoformat(), reason=why)
    return {"until": until.isoformat(), "why": why}


def _resume(deed: Deed, connection: Connection) -> dict[str, Any]:
    why = deed.why(needed=False)
    deed.tell(connection, "candidate.resumed", reason=why)
    return {"why": why}


def _care(deed: Deed, connection: Connection) -> dict[str, Any]:
    """Why is kept in confidence, for whoever wrote it: no event, no audit row has it."""
    until, why = deed.until(), deed.why(needed=False)
    deed.tell(connection, "candidate.sensitive", until=until.isoformat())
    if why:
        confidences.tell(
            connection,
            deed.facts.candidate.id,
            why,
            person=deed.acting.who,
            now=deed.now,
            kind=confidences.SENSITIVE,
        )
    return {"until": until.isoformat()}


def _no_care(deed: Deed, connection: Connection) -> dict[str, Any]:
    apply_within(
        connection,
        parse_event(
            {
                "type": "candidate.sensitive",
                "source": "web",
                "occurred_at": deed.now.isoformat(),
                "candidate": {"id": deed.facts.candidate.ref},
                "by": deed.acting.who,
                "until": None,
            }
        ),
        deed.now,
    )
    return {}


def _log(deed: Deed, connection: Connection) -> dict[str, Any]:
    kind = "mail" if deed.form.get("kind") == "mail" else "call"
    outcome = deed.form.get("outcome", "") if kind == "call" else ""
    if kind == "call" and outcome not in OUTCOMES:
        raise WrongError("Please say what came of the call.")
    application = _application(deed)
    owed = deed.form.get("promise", "")
    if owed and owed not in deed.facts.promises:
        raise WrongError("That promise is not theirs.")
    who = deed.acting.who
    contact = {"kind": kind, "outcome": outcome, "promise": owed}
    contact["person"] = who if "@" in who else ""
    deed.tell(
        connection,
        "contact.logged",
        contact={name: value for name, value in contact.items() if value},
        application={"id": application} if application else None,
    )
    return {"kind": kind, "outcome": outcome or None}


def _promise(deed: Deed, connection: Connection) -> dict[str, Any]:
    what = " ".join(deed.form.get("what", "").split())[:200]
    if not what:
        raise WrongError("Please say what is promised, such as: a decision.")
    application = _application(deed)
    owner = deed.acting.who if "@" in deed.acting.who else None
    told = {
        "id": f"web-{deed.facts.candidate.id}-{deed.now:%Y%m%d%H%M%S%f}",
        "what": what,
        "due": deed.form.get("due", ""),
        "owner": owner,
    }
    deed.tell(
        connection,
        "promise.made",
        promise={name: value for name, value in told.items() if value},
        application={"id": application} if application else None,
    )
    return {"about": f"promise:{told['id']}"}


def _stop(deed: Deed, connection: Connection) -> dict[str, Any]:
    why, ref = deed.why(), deed.facts.candidate.ref
    who = deed.acting.who
    stops.pause(connection, CANDIDATE, ref, why=why, by=who, now=deed.now)
    return {"why": why}


def _lift(deed: Deed, connection: Connection) -> dict[str, Any]:
    about = deed.facts.candidate
    try:
        who = deed.acting.who
        stops.resume(connection, CANDIDATE, about.ref, candidate_id=about.id, by=who, now=deed.now)
    except NurtureError:
        raise WrongError("Their mail is not stopped.") from None
    return {}


def _application(deed: Deed) -> str:
    named = deed.form.get("application", "")
    if named and named not in deed.facts.applications:
        raise WrongError("That application is not theirs.")
    return named


def _said(problems: Problems) -> str:
    """The first of them, for a person who filled in a form."""
    problem = problems.problems[0]
    said = problem.message.rpartition(": ")[2] or problem.message
    return f"{said[:1].upper()}{said[1:]}{f' ({problem.hint})' if problem.hint else ''}."


#: By what a form says: the right it takes, and the work.
_DEEDS: Mapping[str, tuple[str, Callable[[Deed, Connection], dict[str, Any]]]] = {
    "pause": ("pause", _pause),
    "resume": ("pause", _resume),
    "stop": ("pause", _stop),
    "lift": ("pause", _lift),
    "care": ("act", _care),
    "no-care": ("act", _no_care),
    "log": ("act", _log),
    "promise": ("act", _promise),
    "send-now": ("act", _by_hand),
    "snooze": ("act", _by_hand),
    "skip": ("act", _by_hand),
}

#: What a page says afterwards. What changed in the agenda stands below it.
DONE: Mapping[str, str] = {
    "pause": "Paused. Mail about their own process goes on.",
    "resume": "The pause is over.",
    "stop": "All their mail is stopped, within a second.",
    "lift": "The stop is lifted.",
    "care": "Special care is asked for.",
    "no-care": "Special care has ended.",
    "log": "Written down.",
    "promise": "Promised.",
    "send-now": "It goes at once, as far as the agenda lets it.",
    "snooze": "Put off.",
    "skip": "Skipped.",
}
