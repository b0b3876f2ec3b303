"""Why do candidates say no to a job? Counted by job and by what they gave as their reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nurture.engine.project import Project
from nurture.store import declines

#: How a no is told, in a word or two.
_HOW = {"application.withdrawn": "withdrew", "offer.declined": "declined the offer"}


@dataclass(frozen=True, kw_only=True)
class Declined:
    """So many people said no to a job in the same way, for the same reason."""

    job: str  #: its title, else its ref
    how: str
    reason: str | None  #: as it was told; None: nobody said
    count: int
    last_at: datetime


def declined(project: Project, days: int) -> list[Declined]:
    """The noes of the last `days` days: the job with the most first, then its commonest reason.

    Who declines an offer is mostly reported as withdrawn as well: that is one no, and counts as
    what was told of it first.
    """
    since = project.clock.now() - timedelta(days=days)
    with project.database.read() as connection:
        rows = declines.told(connection, since)
    return _counted(_once(reversed(rows)))


def _once(rows: Iterable[Any]) -> list[Any]:
    """The first no about each application, with the reason of whichever told one."""
    found: dict[Any, dict[str, Any]] = {}
    for number, row in enumerate(rows):
        reason = " ".join(str(row["data"].get("reason") or "").split()) or None
        first = found.setdefault(row["application"] or number, {**row, "reason": reason})
        first["reason"] = first["reason"] or reason
    return list(found.values())


def _counted(noes: list[Any]) -> list[Declined]:
    groups: dict[tuple[str, str, str | None], list[datetime]] = {}
    total: dict[str, int] = {}
    for no in noes:
        job = (no["job_data"] or {}).get("title") or no["job"] or "no job"
        total[job] = total.get(job, 0) + 1
        groups.setdefault((job, _HOW[no["type"]], no["reason"]), []).append(no["occurred_at"])
    found = [
        Declined(job=job, how=how, reason=reason, count=len(at), last_at=max(at))
        for (job, how, reason), at in groups.items()
    ]

    def rank(each: Declined) -> tuple[Any, ...]:
        return -total[each.job], each.job, -each.count, each.how, each.reason or ""

    return sorted(found, key=rank)
