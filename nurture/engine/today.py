"""What needs a person now, what came overnight? Of one person's candidates, or of everybody's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nurture.core import reasons
from nurture.core.model import Candidate
from nurture.engine.project import Project
from nurture.rendering.context import zone_of
from nurture.store import confidences, morning, requests
from nurture.store.database import Connection
from nurture.store.morning import After, Whose
from nurture.store.ownership import owned
from nurture.store.tables import CALL

AHEAD = timedelta(days=3)  #: what is due within so long is somebody's concern today
EVENING = time(18)  #: news since then, of the day before, are of this morning
LISTED = 20  #: of each kind; pages of their own have the rest
_HOUR = timedelta(hours=1)
_SATURDAY = 5


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something about one candidate, with an instant by which it is due or at which it came."""

    candidate: str  #: ref
    named: str
    zone: ZoneInfo  #: theirs
    at: datetime
    hours: float  #: until then; below zero: since
    key: str | int  #: tells it from others of that instant
    what: str = ""
    job: str = ""
    owner: str = ""  #: whose it is, by e-mail
    phone: str | None = None
    points: tuple[str, ...] = ()  #: what to say in a call
    best_at: datetime | None = None  #: when to ring
    fallback_at: datetime | None = None  #: when the mail goes instead
    tries: int = 0
    outcome: str | None = None  #: of the last call

    @property
    def late(self) -> bool:
        return self.hours < 0


@dataclass(frozen=True, kw_only=True)
class Today:
    """All that is asked in the morning. Of each list the first few; the counts know no more than
    `store.morning.COUNTED`."""

    promises: Sequence[Item] = ()
    silences: Sequence[Item] = ()
    calls: Sequence[Item] = ()
    tasks: Sequence[Item] = ()
    news: Sequence[Item] = ()
    requests: Sequence[Item] = ()
    approvals: int = 0
    confidences: int = 0
    astray: Mapping[str, int] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Whether nobody need do or know anything."""
        return not any(vars(self).values())


def today(
    connection: Connection,
    project: Project,
    now: datetime,
    *,
    email: str,
    mine: bool,
    zone: ZoneInfo,
    until: datetime | None = None,
) -> Today:
    """What stands open for `email`: of the candidates they own where `mine`, else of all. Due until
    then, by default within AHEAD; news are since yesterday evening in `zone`."""
    whose = owned(email) if mine else None
    until = until or now + AHEAD
    since = yesterday_evening(now, zone)
    read = Reading(connection, project, now, whose)
    return Today(
        promises=read.promises(LISTED, until=until),
        silences=read.silences(LISTED, until=until),
        calls=read.tasks(LISTED, kind=CALL),
        tasks=read.tasks(LISTED, kind="task"),
        news=read.news(LISTED, since),
        requests=read.requests(LISTED),
        approvals=morning.held(connection, whose),
        confidences=len(confidences.unread(connection, email, now)) if email else 0,
        astray=morning.astray(connection, whose, since),
    )


def yesterday_evening(now: datetime, zone: ZoneInfo) -> datetime:
    """Of the last working day before today's."""
    day = now.astimezone(zone).date() - timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day -= timedelta(days=1)
    return datetime.combine(day, EVENING, zone)


@dataclass(frozen=True)
class Reading:
    """Rows as people read them."""

    connection: Connection
    project: Project
    now: datetime
    whose: Whose

    def promises(
        self, limit: int, *, until: datetime | None = None, after: After = None
    ) -> list[Item]:
        rows = morning.promises_open(
            self.connection, self.whose, until=until, after=after, limit=limit
        )
        return [
            self._item(row, row["due_at"], row["ref"], what=row["what"], owner=row["owner"] or "")
            for row in rows
        ]

    def silences(
        self, limit: int, *, until: datetime | None = None, after: After = None
    ) -> list[Item]:
        rows = morning.silences(self.connection, self.whose, until=until, after=after, limit=limit)
        return [
            self._item(
                row,
                row["silence_due_at"],
                row["ref"],
                what=row["data"].get("stage") or "" if row["status"] == "active" else "not told",
                owner=row["data"].get("recruiter") or "",
            )
            for row in rows
        ]

    def tasks(self, limit: int, *, kind: str | None = None, after: After = None) -> list[Item]:
        rows = morning.tasks_open(self.connection, self.whose, kind=kind, after=after, limit=limit)
        return [self.task(row) for row in rows]

    def task(self, row: Any) -> Item:
        first, _, points = row["text"].partition("\n")
        call = row["kind"] == CALL
        return self._item(
            row,
            row["due_at"],
            row["id"],
            what=first,
            owner=row["assignee"] or row["role"],
            phone=row["person"].get("phone") if call else None,
            points=tuple(points.strip("\n").split("\n")) if call else (),
            best_at=row["best_at"],
            fallback_at=row["fallback_at"],
            tries=row["tries"],
            outcome=row["outcome"],
        )

    def news(self, limit: int, since: datetime) -> list[Item]:
        rows = morning.news(self.connection, self.whose, since, limit)
        return [
            self._item(row, row["received_at"], row["id"], what=self._told(row)) for row in rows
        ]

    def requests(self, limit: int) -> list[Item]:
        rows = requests.open_requests(self.connection, self.whose, limit=limit)
        return [
            self._item(
                row | {"candidate": row["ref"], "person": row["data"]},
                requests.due_at(row["asked_at"]),
                row["id"],
                what=_ASKED[row["kind"]],
            )
            for row in map(dict, rows)
        ]

    def _item(self, row: Any, at: datetime, key: str | int, **more: Any) -> Item:
        person = row["person"]
        job = (row.get("job_data") or {}).get("title") or row.get("job") or ""
        return Item(
            candidate=row["candidate"],
            named=named(person, row["candidate"]),
            zone=self._zone(row),
            at=at,
            hours=round((at - self.now) / _HOUR, 1),
            key=key,
            job=job,
            **more,
        )

    def _zone(self, row: Any) -> ZoneInfo:
        told = row["person"].get("timezone")
        return zone_of(Candidate(id=0, ref=row["candidate"], timezone=told), self.project.config)

    def _told(self, row: Any) -> str:
        """What happened, never in a candidate's own words."""
        said = _HAPPENED[row["type"]]
        starts_at = (row["data"].get("interview") or {}).get("starts_at")
        if row["type"] != "interview.rescheduled" or not isinstance(starts_at, str):
            return said
        return f"{said} to {reasons.moment(datetime.fromisoformat(starts_at), self._zone(row))}"


_ASKED = {
    requests.COPY: "asked for a copy of their data",
    requests.DELETION: "asked to be forgotten",
}
#: As a sentence about the candidate goes on.
_HAPPENED = {
    "interview.rescheduled": "interview moved",
    "interview.cancelled": "interview cancelled",
    "candidate.replied": "replied",
    "answer.given": "answered a question",
    "application.withdrawn": "withdrew",
    "message.bounced": "a mail came back",
    "message.complained": "reported a mail as unwanted",
    "offer.accepted": "accepted the offer",
    "offer.declined": "declined the offer",
}


def named(person: Mapping[str, Any], ref: str) -> str:
    """What to call the candidate of a row."""
    parts = (person.get("first_name"), person.get("last_name"))
    return " ".join(str(part) for part in parts if part) or ref


def left(hours: float) -> str:
    """`3 h left`, `2 days late`."""
    far = abs(hours)
    if far < 1:
        shown = f"{max(round(far * 60), 1)} min"
    elif far < 48:
        shown = f"{round(far)} h"
    else:
        shown = f"{round(far / 24)} days"
    return f"{shown} {'late' if hours < 0 else 'left'}"
