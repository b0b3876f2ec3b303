"""When do our own people get mail, and how does it leave? The morning's list; what is near.

It is mail like candidates' mail: written in a project's own words, handed over by the same
transport, held by the kill switch for everything. It counts against nobody's caps.

1. At `morning.at` of each zone where somebody reads, everybody there gets a row in `notices` for
   that day; news of an interview that is near gets its rows where it is planned: see soon.py. A row
   is for one person, kind and occasion, so nothing is told twice.
2. What is due is written. What has nothing to say is ended, and no mail goes.
3. The rest is marked as being sent, durably, under a lease; handed over; recorded.
4. What a process left behind that died is judged by its journal, as all mail is: what may have left
   stays in doubt and is not sent again.
"""

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from nurture.core.hours import Calendar
from nurture.core.model import Accepted, Candidate, Deferred, MessageState, Outcome, Unknown
from nurture.core.outcome import consequence
from nurture.engine import house, soon
from nurture.engine.journal import Fate, Journal
from nurture.engine.notices import Writer, zone_named
from nurture.engine.project import Project
from nurture.errors import NurtureError, OutsideError
from nurture.rendering.mime import envelope_sender
from nurture.store import notices, planning, stops
from nurture.store.database import Connection
from nurture.store.notices import MORNING

log = logging.getLogger("nurture.morning")

LATEST = timedelta(hours=4)  #: after so long a notice says nothing any more
WINDOW = 10  #: so many are written at a time: candidates' mail waits meanwhile
LEASE = timedelta(minutes=5)
KEPT = timedelta(days=90)  #: of rows
_LOOK = timedelta(hours=1)
_STOPPED = timedelta(minutes=1)  # how often it is looked whether the kill switch was lifted
_MEND = timedelta(minutes=15)  # after which one is tried again that could not be written
_MARK = "morning"  # until when mornings were dealt with


@dataclass(frozen=True, kw_only=True)
class Note:
    """A notice ready to leave."""

    id: int
    sender: str
    to: str
    raw: bytes
    message_id: str
    row: Any


class Carrier(Protocol):
    """A transport, as delivery/transport.py describes it."""

    def deliver(
        self,
        letters: Iterable[Note],
        offer: Callable[[Note], bool],
        heard: Callable[[Note, Outcome], None],
    ) -> Iterator[tuple[Note, Outcome | None]]: ...


class Morning:
    """Of one process. `due` says cheaply whether there is something to do, `work` does it."""

    def __init__(self, project: Project, carrier: Carrier, journal: Journal | None) -> None:
        self.project = project
        self.database = project.database
        self.clock = project.clock
        self.config = project.config
        self.carrier = carrier
        self.journal = journal
        self.calendars = house.Calendars(project.config)
        self._writer = Writer(project)
        self._unrecorded: list[tuple[str, list[dict[str, Any]]]] = []
        self._next_at: datetime | None = None  # when a morning begins somewhere; None: not known
        self._again_at: datetime | None = None  # when one that was put off is due

    def due(self) -> bool:
        """Whether a morning begins, or what was put off is due. Asks nobody."""
        now = self.clock.now()
        instants = (self._next_at, self._again_at)
        return self._on and any(at is not None and at <= now for at in instants)

    @property
    def _on(self) -> bool:
        return self.config.morning.to != "off"

    def work(self) -> int:
        """Begin the mornings that are due, and send a few of what is to be sent. How many were
        dealt with; 0: nothing is left for now."""
        if not self._on:
            return 0
        self._record()
        now = self.clock.now()
        if self._next_at is None or self._next_at <= now:
            self._begin(now)
        with self.database.read() as connection:
            rows = notices.due(connection, now, WINDOW)
            stopped = bool(rows) and self._is_stopped(connection)
            self._again_at = notices.next_at(connection) if not rows else None
        if stopped:
            self._again_at = now + _STOPPED
            return 0
        if rows:
            self._send(rows, now)
        return len(rows)

    def recover(self, *, everything: bool) -> None:
        """Deal with what was in the hand of a process that is gone: of this machine's journal it
        is known what never left, and what was accepted. Before the journal forgets."""
        now = self.clock.now()
        with self.database.read() as connection:
            if not notices.lost(connection, now, everything=everything):
                return
        with self.database.write() as connection:
            for row in notices.lost(connection, now, everything=everything):
                known = self.journal.fates(row["lease"]) if self.journal and row["lease"] else None
                fate = Fate.OFFERED if known is None else known.get(row["id"], Fate.NEVER_OFFERED)
                became: dict[str, Any] = {"state": MessageState.PLANNED, "next_attempt_at": now}
                if fate is Fate.ACCEPTED:
                    became = {"state": MessageState.SENT, "sent_at": now}
                elif fate is Fate.OFFERED:
                    became = {"state": MessageState.UNKNOWN, "reason": "unknown_outcome"}
                notices.record(connection, row["lease"], [{"id": row["id"], **became}])

    # --- mornings --------------------------------------------------------------------------------

    def _begin(self, now: datetime) -> None:
        """Rows for everybody whose morning has come since mornings were last dealt with. The first
        time of all none has: whoever starts in the afternoon gets no mail of the morning."""
        with self.database.read() as connection:
            zones = {self._zone(name) for name in notices.zones(connection)}
            told = planning.mark(connection, _MARK)
        since = datetime.fromisoformat(told["until"]) if told else now
        come = {zone: day for zone in zones if (day := self._come(zone, since, now))}
        if come or not told or now - since > timedelta(days=1):
            with self.database.write() as connection:
                readers = notices.readers(connection) if come else []
                notices.add(
                    connection,
                    (
                        self._occasion(each.email, MORNING, come[zone].isoformat())
                        for each in readers
                        if (zone := self._zone(each.timezone)) in come
                    ),
                    now,
                )
                notices.forget(connection, now - KEPT)
                planning.set_mark(connection, _MARK, {"until": now.isoformat()})
        soonest = min(self._following(zone, now) for zone in zones)
        self._next_at = min(soonest, now + _LOOK)  # somebody may have come from another zone

    def _come(self, zone: ZoneInfo, since: datetime, now: datetime) -> date | None:
        """The day whose morning began in between, and not too long ago."""
        day = now.astimezone(zone).date()
        at = self._at(zone, day)
        on_time = since < at <= now and now - at < LATEST
        return day if on_time and self._is_working_day(zone, day) else None

    def _following(self, zone: ZoneInfo, now: datetime) -> datetime:
        day = now.astimezone(zone).date()
        for _ in range(3):  # a day that a zone left out has no morning
            if (at := self._at(zone, day)) > now:
                return at
            day += timedelta(days=1)
        return now + timedelta(days=1)

    def _next_working_morning(self, row: Any, now: datetime) -> datetime:
        """What is due before then is told this morning: the next list comes only there."""
        with self.database.read() as connection:
            reader = notices.reader(connection, row["person"])
        zone = self._zone(reader.timezone if reader else None)
        day = now.astimezone(zone).date() + timedelta(days=1)
        for _ in range(30):  # bounded: a house could have no working days at all
            if self._is_working_day(zone, day):
                break
            day += timedelta(days=1)
        return self._at(zone, day)

    def _at(self, zone: ZoneInfo, day: date) -> datetime:
        return self._calendar(zone).instant(day, self.config.morning.at)

    def _is_working_day(self, zone: ZoneInfo, day: date) -> bool:
        return self._calendar(zone).is_business_day(day)

    def _calendar(self, zone: ZoneInfo) -> Calendar:
        """The house's: its holidays, there where somebody reads."""
        country, _, part = (self.config.morning.holidays or "").partition("-")
        house_ = Candidate(id=0, ref="", timezone=zone.key, country=country, subdivision=part)
        return self.calendars.of(house_)

    def _zone(self, name: str | None) -> ZoneInfo:
        return zone_named(name, self.config)

    def _occasion(self, person: str, kind: str, about: str) -> tuple[str, str, str, str]:
        return soon.occasion(self.config.sender.email, person, kind, about)

    # --- sending ---------------------------------------------------------------------------------

    def _send(self, rows: Sequence[Any], now: datetime) -> None:
        written: list[Note] = []
        over: dict[int, str] = {}
        unfit: dict[int, str] = {}
        for row in rows:
            if now - row["created_at"] >= LATEST:
                over[row["id"]] = "too_late"
                continue
            try:
                letter = self._writer.write(row, now, self._next_working_morning(row, now))
            except NurtureError as error:
                unfit[row["id"]] = str(error)
            else:
                if letter is None:
                    over[row["id"]] = "nothing_open"
                else:
                    written.append(self._note(row, letter))
        lease = self._lease()
        with self.database.write() as connection:
            for reason in set(over.values()):
                notices.end(connection, [id_ for id_ in over if over[id_] == reason], reason)
            for id_, said in unfit.items():
                notices.put_off(connection, id_, said, now + _MEND)
            ids = [each.id for each in written]
            mine = notices.take(connection, ids, lease, now + LEASE) if ids else frozenset()
        for said in set(unfit.values()):
            log.error("a notice cannot be written: %s", said, extra={"action": "notice-unfit"})
        if mine:
            self._hand_over([each for each in written if each.id in mine], lease)
            self._record()

    def _note(self, row: Any, letter: bytes) -> Note:
        return Note(
            id=row["id"],
            sender=envelope_sender(self.config),
            to=row["person"],
            raw=letter,
            message_id=row["message_id"],
            row=row,
        )

    def _lease(self) -> str:
        try:
            return self.journal.lease() if self.journal else secrets.token_hex(8)
        except OSError as error:
            raise OutsideError(f"var/lanes cannot be written: {error.strerror}") from error

    def _hand_over(self, notes: Sequence[Note], lease: str) -> None:
        """What came of each is kept until the database has it. Never raises for one of them."""
        offered: set[int] = set()
        results: list[dict[str, Any]] = []
        self._unrecorded.append((lease, results))

        def offer(note: Note) -> bool:
            with suppress(OutsideError, OSError), self.database.read() as connection:
                if self._is_stopped(connection):
                    return False
                if self.journal is not None:
                    self.journal.offer(lease, note.id)
                offered.add(note.id)
                return True
            return False

        def heard(note: Note, outcome: Outcome) -> None:
            if self.journal is not None and not isinstance(outcome, Unknown):
                with suppress(OSError):
                    accepted = isinstance(outcome, Accepted)
                    self.journal.answered(lease, note.id, accepted=accepted)

        left = {note.id: note for note in notes}
        try:
            for note, outcome in self.carrier.deliver(notes, offer, heard):
                results.append(self._became(note, outcome))
                del left[note.id]
        except Exception as error:
            log.exception("the transport failed", extra={"action": "lane-failed"})
            text = type(error).__name__
            for note in left.values():
                lost = Unknown(text=text) if note.id in offered else Deferred(text=text)
                results.append(self._became(note, lost))
        log.info("notices", extra={"action": "notices-sent", "notices": len(offered)})

    def _became(self, note: Note, outcome: Outcome | None) -> dict[str, Any]:
        """Its row's new values; None: it was not offered to anybody."""
        now = self.clock.now()
        if outcome is None:
            again = now + _STOPPED
            return {"id": note.id, "state": MessageState.PLANNED, "next_attempt_at": again}
        result = consequence(
            outcome,
            message_id=note.message_id,
            attempts=note.row["attempts"] + 1,
            created_at=note.row["created_at"],
            now=now,
        )
        return {
            "id": note.id,
            "state": result.state,
            "reason": result.text or None,
            "attempts": note.row["attempts"] + 1,
            "next_attempt_at": result.next_attempt_at,
            "sent_at": now if result.state is MessageState.SENT else None,
        }

    def _record(self) -> None:
        while self._unrecorded:
            lease, rows = self._unrecorded[0]
            with self.database.write() as connection:
                notices.record(connection, lease, rows)
            del self._unrecorded[0]

    def _is_stopped(self, connection: Connection) -> bool:
        return any(each.scope == stops.EVERYTHING for each in stops.active(connection))
