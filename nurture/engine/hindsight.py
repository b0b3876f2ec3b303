"""What did this person's agenda say at some instant gone by? Read from what was recorded then.

Nothing is decided anew: the files, the facts and the rules of that day may all be gone. Each change
of a verdict, of its reason or its time is on record for ever; see docs/reasons.md for the three
things that are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from nurture.core.model import Candidate, Verdict
from nurture.engine.outlook import Entry, told
from nurture.engine.project import Project
from nurture.errors import UsageError
from nurture.rendering.context import zone_of
from nurture.store import history
from nurture.store.facts import find_candidate


@dataclass(frozen=True, kw_only=True)
class Hindsight:
    """As it stood at an instant."""

    candidate: Candidate  #: as known now
    zone: ZoneInfo  #: the candidate's: all sentences are in it
    at: datetime
    past: tuple[Entry, ...]  #: settled by then, oldest first
    ahead: tuple[Entry, ...]  #: not settled by then, by instant, those without one last


def hindsight(project: Project, who: str, at: datetime) -> Hindsight | None:
    """The last word on each step that was recorded by `at`, for one candidate, by ref, e-mail or
    number. None: there is no such candidate. An instant without an offset is on the
    candidate's clock; one that has not come is refused.
    """
    with project.database.read() as connection:
        candidate = find_candidate(connection, who)
        if candidate is None:
            return None
        zone = zone_of(candidate, project.config)
        then = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
        if then > project.clock.now():
            raise UsageError("that is still to come: `nurture agenda` and `simulate` look ahead")
        rows = history.rows_as_of(connection, candidate.id, then)
        rows = [row for row in rows if row["final"] or _open(row, rows)]
        entries = told(connection, rows, zone, project.library.titles)
    settled = [entry for entry, row in zip(entries, rows, strict=True) if row["final"]]
    ahead = [entry for entry, row in zip(entries, rows, strict=True) if not row["final"]]
    ahead.sort(key=lambda entry: (entry.at is None, entry.at or then))
    return Hindsight(
        candidate=candidate,
        zone=zone,
        at=then,
        past=tuple(settled),
        ahead=tuple(ahead),
    )


def _open(row: Mapping[Any, Any], rows: Sequence[Mapping[Any, Any]]) -> bool:
    """Whether this step was still to come. A branch that was chosen was not; and of a step that
    every mail moves on only the latest occurrence was."""
    newer = (
        each["id"] > row["id"]
        for each in rows
        if (each["enrollment_id"], each["step"]) == (row["enrollment_id"], row["step"])
    )
    return row["verdict"] != Verdict.DONE and not any(newer)
