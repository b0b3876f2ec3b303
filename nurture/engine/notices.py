"""What does a notice say to one of our people, as things stand when it is written?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nurture.config import Config
from nurture.core import reasons
from nurture.engine import soon
from nurture.engine.project import Project
from nurture.engine.today import Item, Today, left, named, today
from nurture.rendering import times
from nurture.rendering.notices import MORNING, SOON, Notices
from nurture.store import notices
from nurture.store.database import Connection
from nurture.store.facts import interview_owner
from nurture.store.notices import Reader
from nurture.store.reading import load


def zone_named(name: str | None, config: Config) -> ZoneInfo:
    """The zone of somebody of ours; the house's where theirs is unknown or none."""
    try:
        return ZoneInfo(name or config.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(config.timezone)


class Writer:
    """Writes rows of the table `notices`, in the words in force."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.config = project.config
        self._of: Any = None
        self._words: Notices | None = None

    def write(self, row: Any, now: datetime, until: datetime) -> bytes | None:
        """The mail; None where there is nothing to say. Of a morning: what is due `until` then.
        Raises RenderError where the words cannot be filled in."""
        with self.project.database.read() as connection:
            reader = notices.reader(connection, row["person"])
            if reader is None:
                return None
            zone = zone_named(reader.timezone, self.config)
            if row["kind"] == notices.MORNING:
                name, words = MORNING, self._morning(connection, reader, zone, now, until)
            else:
                name, words = SOON, self._soon(connection, row["about"], zone)
        if words is None:
            return None
        about = {"name": reader.name, "email": reader.email}
        return self._notices().write(
            name,
            {**words, "person": about, "pages": self._pages()},
            to=(reader.name, reader.email),
            message_id=row["message_id"],
            at=now,
        )

    def _notices(self) -> Notices:
        """Made anew when the files have changed."""
        library = self.project.library
        if self._words is None or self._of is not library.notices:
            self._of = library.notices
            signer = self.project.signer
            self._words = Notices(self.config, signer, library.notices, library.layouts)
        return self._words

    def _morning(
        self,
        connection: Connection,
        reader: Reader,
        zone: ZoneInfo,
        now: datetime,
        until: datetime,
    ) -> dict[str, Any] | None:
        found = today(
            connection, self.project, now, email=reader.email, mine=True, zone=zone, until=until
        )
        summary = summary_of(found)
        if not summary:
            return None
        lists = ("promises", "silences", "calls", "tasks", "news", "requests")
        return {
            "day": times.day(now, zone, self.config.locale),
            "summary": summary,
            "today": {
                **{name: self._items(getattr(found, name), zone) for name in lists},
                "approvals": _mails(found.approvals) if found.approvals else "",
                "confidences": _candidates(found.confidences) if found.confidences else "",
            },
        }

    def _items(self, items: Sequence[Item], zone: ZoneInfo) -> list[dict[str, str]]:
        return [
            {
                "name": each.named,
                "link": self._candidate(each.candidate),
                "what": each.what,
                "job": each.job,
                "owner": each.owner,
                "when": _clock(each.at, zone),
                "left": left(each.hours),
                "phone": each.phone or "",
                "best": _clock(each.best_at, zone) if each.best_at else "",
            }
            for each in items
        ]

    def _soon(self, connection: Connection, about: str, zone: ZoneInfo) -> dict[str, Any] | None:
        kind, ref = soon.read(about)
        owner = interview_owner(connection, ref)
        facts = load(connection, [owner]).get(owner) if owner is not None else None
        interview = facts.interviews.get(ref) if facts else None
        if facts is None or interview is None or interview.starts_at is None:
            return None
        person = facts.candidate
        application = facts.applications.get(interview.application or "")
        job = facts.jobs.get((application.job if application else None) or "")
        who = {"first_name": person.first_name, "last_name": person.last_name}
        return {
            "news": soon.NEWS[kind],
            "candidate": {
                "name": named(who, person.ref),
                "link": self._candidate(person.ref),
            },
            "interview": {
                "when": reasons.moment(interview.starts_at, zone),
                "kind": interview.kind or "",
                "job": (job.title if job else None) or "",
                "off": "off" if interview.status == "cancelled" else "",
            },
        }

    def _candidate(self, ref: str) -> str:
        return f"{self.config.web.address}/candidates/{quote(ref, safe='')}"

    def _pages(self) -> Mapping[str, str]:
        base = self.config.web.address
        return {
            "today": f"{base}/",
            **{
                name: f"{base}/{name}"
                for name in ("promises", "silence", "tasks", "approvals", "confidences")
            },
        }


def summary_of(found: Today) -> str:
    """`1 promise due, 2 calls`: the first three kinds of what there is; empty where nothing is."""
    counted = (
        (len(found.promises), "promise due", "promises due"),
        (len(found.calls), "call", "calls"),
        (len(found.tasks), "task", "tasks"),
        (found.approvals, "mail to approve", "mails to approve"),
        (len(found.silences), "candidate waits", "candidates wait"),
        (len(found.requests), "request", "requests"),
        (found.confidences, "confidence", "confidences"),
        (len(found.news), "piece of news", "pieces of news"),
    )
    said = [f"{count} {one if count == 1 else many}" for count, one, many in counted if count]
    return ", ".join(said[:3])


def _mails(count: int) -> str:
    return f"{count} mail{'' if count == 1 else 's'}"


def _candidates(count: int) -> str:
    return f"{count} candidate{'' if count == 1 else 's'}"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    """`Tue 3 Dec 09:00`, on the reader's clock."""
    return reasons.moment(at, zone).rpartition(" (")[0]
