"""What did a simulation decide? The verdicts it added to its copy, each with what it was about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from nurture.core.model import StepState, Verdict
from nurture.store.tables import candidates, enrollments, steps, verdicts


class Occasion(NamedTuple):
    """One occurrence of one step for one person: the same in two simulations of the same data,
    whatever numbers their enrollments got."""

    candidate: str
    campaign: str
    about: str
    number: int
    step: str
    occurrence: str


@dataclass(frozen=True)
class Foretold:
    """A verdict: `row` is the object of `simulate --json`."""

    occasion: Occasion
    row: dict[str, Any]

    @property
    def at(self) -> datetime | None:
        return datetime.fromisoformat(self.row["at"]) if self.row["at"] else None


def newest(connection: Connection) -> int:
    """The number of the latest verdict: what comes later is the simulation's."""
    return int(connection.execute(select(func.max(verdicts.c.id))).scalar() or 0)


def settled(connection: Connection, after: int) -> list[Foretold]:
    """Verdicts that settled something, in time order."""
    query = _verdicts().where(verdicts.c.id > after, verdicts.c.final)
    return list(_read(connection, query, verdicts.c))


def waited(connection: Connection, after: int) -> list[Foretold]:
    """What had to wait on its way, and each time why."""
    query = _verdicts().where(verdicts.c.id > after, verdicts.c.verdict == Verdict.WAIT)
    return list(_read(connection, query, verdicts.c))


def still_open(connection: Connection) -> list[Foretold]:
    """What waits as of now, and why."""
    query = (
        select(steps, candidates.c.ref, *_ENROLLED, enrollments.c.campaign)
        .join(candidates, candidates.c.id == steps.c.candidate_id)
        .join(enrollments, enrollments.c.id == steps.c.enrollment_id)
        .where(steps.c.state == StepState.OPEN, steps.c.verdict == Verdict.WAIT)
        .order_by(steps.c.candidate_id, steps.c.enrollment_id, steps.c.step, steps.c.occurrence)
    )
    return list(_read(connection, query, steps.c))


_ENROLLED = (
    enrollments.c.subject,
    enrollments.c.number,
    enrollments.c.application.label("enrolled_application"),
)


def _verdicts() -> Select[Any]:
    return (
        select(verdicts, candidates.c.ref, *_ENROLLED)
        .join(candidates, candidates.c.id == verdicts.c.candidate_id)
        .join(enrollments, enrollments.c.id == verdicts.c.enrollment_id)
        .order_by(verdicts.c.at, verdicts.c.id)
    )


def _read(connection: Connection, query: Select[Any], columns: Any) -> Iterator[Foretold]:
    said = "application" in columns
    for row in connection.execute(query).mappings():
        yield Foretold(
            Occasion(
                row["ref"],
                row["campaign"],
                row["subject"],
                row["number"],
                row["step"],
                row["occurrence"],
            ),
            {
                "at": row["at"].isoformat() if row["at"] else None,
                "candidate": row["ref"],
                "application": row["application"] if said else row["enrolled_application"],
                "campaign": row["campaign"],
                "step": row["step"],
                "template": row["template"] if said else None,
                "category": row["category"] if said else None,
                "verdict": "send" if row["verdict"] == Verdict.SENT else row["verdict"],
                "reason": row["reason"],
                "detail": row["detail"],
            },
        )
