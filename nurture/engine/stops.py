"""What must not leave? Kill switches, as a planning sees them and as whoever hands mail over does.

In a planning, mail of what is stopped waits, with who said so; in the middle of a window the list
of stops is asked before each message. Nothing is lost by a stop: lifting it plans anew whom it kept
back, behind the release guard.
"""

import logging
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nurture.clock import Clock
from nurture.core.model import Enrollment, Facts, Message, Section
from nurture.core.reasons import moment
from nurture.core.verdicts import Recipient
from nurture.errors import NurtureError, OutsideError
from nurture.store import releases, stops
from nurture.store.database import Connection, Database
from nurture.store.releases import COUNTING, Release, resumed
from nurture.store.stops import CAMPAIGN, CANDIDATE, EVERYTHING, JOB, Halt

log = logging.getLogger("nurture.stops")

#: How old what the sender knows of stops may be: they are obeyed within a second.
LOOK = timedelta(seconds=0.5)
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, kw_only=True)
class Stops:
    """All that is stopped, as one planning or one look of the sender sees it."""

    everything: Halt | None = None
    campaigns: Mapping[str, Halt] = field(default_factory=dict)
    jobs: Mapping[str, Halt] = field(default_factory=dict)
    candidates: Mapping[int, Halt] = field(default_factory=dict)

    @classmethod
    def of(cls, halts: Iterable[Halt]) -> "Stops":
        found = list(halts)

        def named(scope: str) -> dict[str, Halt]:
            return {each.ref: each for each in found if each.scope == scope and each.ref}

        return cls(
            everything=next((each for each in found if each.scope == EVERYTHING), None),
            campaigns=named(CAMPAIGN),
            jobs=named(JOB),
            candidates={each.candidate_id: each for each in found if each.candidate_id is not None},
        )

    def __bool__(self) -> bool:
        return bool(self.everything or self.campaigns or self.jobs or self.candidates)

    def halt(self, candidate_id: int, campaign: str, job: str | None) -> Halt | None:
        """What keeps this back, the widest first."""
        return (
            self.everything
            or self.campaigns.get(campaign)
            or self.jobs.get(job or "")
            or self.candidates.get(candidate_id)
        )

    def told(
        self, recipient: Recipient, facts: Facts, enrollments: Iterable[Enrollment]
    ) -> Recipient:
        """The same recipient, with what of theirs is stopped."""
        if not self:
            return recipient
        found = {}
        for each in enrollments:
            job = job_of(facts, each.subject.application)
            halt = self.halt(facts.candidate.id, each.campaign, job)
            if halt is not None:
                found[each.id] = detail(halt)
        return replace(recipient, stopped=found) if found else recipient


NOTHING = Stops()  #: everything may leave


def job_of(facts: Facts, application: str | None) -> str | None:
    known = facts.applications.get(application or "")
    return known.job if known is not None else None


def detail(halt: Halt) -> dict[str, Any]:
    """What a verdict keeps of it."""
    told = {
        "scope": halt.scope,
        "ref": halt.ref,
        "cause": halt.cause,
        "by": halt.by,
        "since": halt.since.isoformat(),
        "why": halt.why,
    }
    return {name: value for name, value in told.items() if value}


# --- while a window is handed over ---------------------------------------------------------------


class StopList:
    """What of a window must not leave any more, whoever stopped it, in whatever process.

    Made when the window was marked: until then its planning has seen to all. It is asked before the
    first byte of each message, by any thread, and looks at the rows at most every half second, with
    two small queries: what is stopped, and about whom something came in since they were planned (an
    unsubscribe, a moved interview, a bounce: whoever's alarm has rung is decided anew). Where the
    database cannot be asked nothing leaves, for nobody could say that it may.
    """

    def __init__(
        self, database: Database, clock: Clock, window: Iterable[tuple[Message, Facts]]
    ) -> None:
        self._database = database
        self._clock = clock
        self._about: dict[int, tuple[int, frozenset[tuple[str, str | None]]]] = {
            message.id: (message.candidate_id, frozenset(_matters(message, facts)))
            for message, facts in window
        }
        self._ids = sorted({candidate for candidate, _ in self._about.values()})
        self._lock = threading.Lock()
        self._looked_at = clock.now()
        self._stops = Stops()
        self._disturbed: Collection[int] = ()

    def forbids(self, message: Message) -> bool:
        """Whether it has to go back to the queue. `message` is one of the window."""
        with self._lock:
            now = self._clock.now()
            # A clock that was put back must not keep the list from looking.
            if not timedelta() <= now - self._looked_at < LOOK:
                try:
                    self._look(now)
                except OutsideError:
                    return True
                self._looked_at = now
        candidate, matters = self._about[message.id]
        if candidate in self._disturbed:
            return True
        return any(self._stops.halt(candidate, *each) is not None for each in matters)

    def _look(self, now: datetime) -> None:
        with self._database.read() as connection:
            self._stops = Stops.of(stops.active(connection))
            quiet = stops.undisturbed(connection, self._ids, now)
        self._disturbed = set(self._ids) - quiet


def _matters(message: Message, facts: Facts) -> Iterable[tuple[str, str | None]]:
    """Campaign and job of all that a mail says."""
    parts: Iterable[Message | Section] = (message, *message.sections)
    return ((part.campaign, job_of(facts, part.application)) for part in parts)


# --- a person's word -----------------------------------------------------------------------------


def pause(
    connection: Connection,
    scope: str,
    ref: str | None,
    *,
    cause: str = stops.PERSON,
    why: str,
    by: str | None,
    now: datetime,
) -> bool:
    """Stop it. False where it is stopped already."""
    done = stops.put(connection, scope, ref, cause=cause, why=why, by=by, now=now)
    if done:
        log.warning(
            "stopped", extra={"action": "stopped", "scope": scope, "ref": ref, "cause": cause}
        )
    return done


def resume(
    connection: Connection,
    scope: str,
    ref: str | None,
    *,
    candidate_id: int | None = None,
    by: str | None,
    now: datetime,
) -> Halt:
    """Lift it. What it kept back goes as caps, hours and `until` allow; where much would go at
    once, the release guard holds it for a further word. Raises NurtureError: it is not stopped."""
    found = next(
        (
            each
            for each in stops.active(connection)
            if each.scope == scope
            and (
                each.ref == ref or (candidate_id is not None and each.candidate_id == candidate_id)
            )
        ),
        None,
    )
    if found is None:
        raise NurtureError(f"{called(scope, ref)} is not stopped (see `nurture pause`)")
    stops.end(connection, found, by=by, now=now)
    if scope != CANDIDATE:  # one person is no flood
        releases.put(connection, _held_for(connection, found, now))
    log.warning("lifted", extra={"action": "lifted", "scope": scope, "ref": found.ref})
    return found


def _held_for(connection: Connection, halt: Halt, now: datetime) -> Release:
    """A release that is counted as that of an edit is: nothing was due while it was stopped."""
    name = halt.ref if halt.scope == CAMPAIGN and halt.ref else resumed(halt.scope, halt.ref)
    return Release(
        campaign=name,
        before=None,
        cause="resume",
        since=now,
        state=COUNTING,
        total=releases.enrolled(connection, name),
        detail={"since": now.isoformat(), "kinds": {}, "from": halt.since.isoformat()},
    )


def finish(database: Database, now: datetime) -> int:
    """Have everybody planned anew whom a lifted stop kept back. By who plans, after the stop's end
    is written: every planning that saw it hold is written too by then. How many were lifted."""
    with database.read() as connection:
        done = stops.lifted(connection)
    if done:
        with database.write() as connection:
            stops.release(connection, done, now)
    return len(done)


def called(scope: str, ref: str | None) -> str:
    """`campaign welcome`"""
    return scope if ref is None else f"{scope} {ref}"


def listed(database: Database) -> list[dict[str, Any]]:
    """Everything that is stopped, oldest first: what `pause --json` prints."""
    with database.read() as connection:
        found = stops.active(connection)
    return [
        {
            "scope": each.scope,
            "ref": each.ref,
            "cause": each.cause,
            "why": each.why,
            "by": each.by,
            "since": each.since,
        }
        for each in found
    ]


def stop_line(row: Mapping[str, Any], zone: ZoneInfo = _UTC, *, how: bool = True) -> str:
    """`stopped: campaign welcome (by ida@example.com, since Mon 23 Nov 10:00 (UTC)): wrong date`,
    and `how` to lift it by a command."""
    who = f"by {row['by']}" if row["by"] else "by itself"
    start = (
        f"stopped: {called(row['scope'], row['ref'])} ({who}, since {moment(row['since'], zone)})"
    )
    words = ["nurture", "resume", row["scope"], *([row["ref"]] if row["ref"] else [])]
    why = f": {row['why']}" if row["why"] else ""
    return f"{start}{why}" + (f"; `{' '.join(words)}` lifts it" if how else "")
