"""When two candidates are one person, in which campaigns is that person, and what is behind them?

Only campaigns entered once per candidate can have both: every other matter (an application, an
interview) is one person's anyway and keeps its name. Of two the older enrollment is kept, and what
either has sent is sent in the kept one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from nurture.core.model import MessageState, StepState
from nurture.store.tables import (
    OF_CALL,
    enrollments,
    message_steps,
    messages,
    promises,
    steps,
    tasks,
    verdicts,
)

MERGED = "merged"  #: why an enrollment ended that another one goes on for

#: What hangs on one occurrence of a step, and what stands before its name there.
_HANGING = ((steps, ""), (message_steps, ""), (tasks, ""), (tasks, OF_CALL), (verdicts, ""))
#: States of a mail that reached, or may reach, the candidate.
_CONTACTED = (
    MessageState.SENDING,
    MessageState.SENT,
    MessageState.UNKNOWN,
    MessageState.BOUNCED,
)


def unite(connection: Connection, loser: int, survivor: int, now: datetime) -> None:
    """The enrollments of both candidates themselves (`candidate:7`) become the survivor's.

    The nth time that the one was in a campaign and the nth time that the other was are one time:
    the older is kept, at its number. Nobody is in a campaign twice at once after that. The other
    one ends and is numbered after all that there are. If either had come to its end, the kept one
    has too: somebody who left by one name has left.
    """
    table = enrollments.c
    names = {f"candidate:{loser}": loser, f"candidate:{survivor}": survivor}
    found = connection.execute(
        select(enrollments)
        .where(table.subject.in_(names))
        .order_by(table.campaign, table.entered_at, table.id)
    ).all()
    subject = f"candidate:{survivor}"
    for campaign in sorted({row.campaign for row in found}):
        rows = [row for row in found if row.campaign == campaign]
        into = _pairs(rows)
        unused = count(max(row.number for row in rows) + 1)
        for row in rows:
            if row.id in into:
                _change(connection, row, subject=subject, number=next(unused))
        for row in rows:
            if row.id not in into and row.subject != subject:
                _change(connection, row, subject=subject)
        by_id = {row.id: row for row in rows}
        ended = {row.id: (row.ended_at, row.end_reason) for row in rows}
        for other, kept in into.items():
            _fold(connection, other, kept)
            if ended[other][0] is None:
                _change(connection, by_id[other], ended_at=now, end_reason=MERGED)
            elif ended[kept][0] is None:
                ended[kept] = (now, ended[other][1])
                _change(connection, by_id[kept], ended_at=now, end_reason=ended[other][1])


def _pairs(rows: Iterable[Row[Any]]) -> dict[int, int]:
    """Which enrollment goes into which, of one campaign; oldest first."""
    kept: dict[int, Row[Any]] = {}
    into: dict[int, int] = {}
    for row in rows:
        first = kept.setdefault(row.number, row)
        if first is not row:
            into[row.id] = first.id
    still_open = [row for row in kept.values() if row.ended_at is None]
    for row in still_open[1:]:
        into[row.id] = still_open[0].id
    for other, one in into.items():
        into[other] = into.get(one, one)
    return into


def _change(connection: Connection, row: Row[Any], **values: Any) -> None:
    connection.execute(update(enrollments).where(enrollments.c.id == row.id).values(**values))


# --- what is behind them -------------------------------------------------------------------------


class _Place(NamedTuple):
    enrollment_id: int
    step: str
    occurrence: str


@dataclass
class _Behind:
    """How far each occurrence of the steps of two enrollments has come."""

    states: dict[_Place, StepState] = field(default_factory=dict)
    told: set[_Place] = field(default_factory=set)  #: a mail has gone out, or is on its way

    def settled(self, place: _Place) -> bool:
        return place in self.told or self.states.get(place, StepState.OPEN) is not StepState.OPEN

    def happened(self, place: _Place) -> bool:
        """Whether it was sent or done, rather than passed over."""
        done = self.states.get(place) in (StepState.SENT, StepState.DONE)
        return place in self.told or done

    def move(self, place: _Place, to: _Place) -> None:
        if place in self.states:
            self.states[to] = self.states.pop(place)
        if place in self.told:
            self.told.remove(place)
            self.told.add(to)


def _fold(connection: Connection, other: int, kept: int) -> None:
    """What is settled in the other enrollment is settled in the kept one; what happened counts
    before what was passed over, and a mail that both have got stands there twice."""
    behind = _behind(connection, other, kept)
    for place in sorted(each for each in [*behind.states] if each.enrollment_id == other):
        if not behind.settled(place):
            continue
        alike = [each for each in behind.states if each[:2] == (kept, place.step)]
        here = place._replace(enrollment_id=kept)
        if not behind.happened(place):
            if not any(behind.settled(each) for each in alike):
                _put(connection, behind, place, here)
        elif not behind.happened(here):
            _put(connection, behind, place, here)
        elif place in behind.told:
            _put(connection, behind, place, _free(behind, here))
    connection.execute(
        update(promises).where(promises.c.enrollment_id == other).values(enrollment_id=kept)
    )


def _behind(connection: Connection, *ids: int) -> _Behind:
    found = _Behind()
    own, of_mail = steps.c, message_steps.c
    for row in connection.execute(
        select(own.enrollment_id, own.step, own.occurrence, own.state).where(
            own.enrollment_id.in_(ids)
        )
    ):
        found.states[_Place(*row[:3])] = StepState(row.state)
    query = (
        select(of_mail.enrollment_id, of_mail.step, of_mail.occurrence)
        .join(messages, messages.c.id == of_mail.message_id)
        .where(of_mail.enrollment_id.in_(ids), messages.c.state.in_(_CONTACTED))
    )
    for row in connection.execute(query):
        found.told.add(_Place(*row))
        found.states.setdefault(_Place(*row), StepState.OPEN)
    return found


def _put(connection: Connection, behind: _Behind, place: _Place, to: _Place) -> None:
    """Move a step's rows. What stands where they go, and did not happen, takes their old place: it
    is part of an enrollment that is over, so a mail that was still to go is withdrawn."""
    aside = to._replace(occurrence=f"{to.occurrence} {MERGED}")
    for one, there in ((to, aside), (place, to), (aside, place)):
        _rename(connection, one, there)
        behind.move(one, there)


def _rename(connection: Connection, place: _Place, to: _Place) -> None:
    for table, before in _HANGING:
        there = to._replace(occurrence=before + to.occurrence)
        connection.execute(
            update(table)
            .where(
                table.c.enrollment_id == place.enrollment_id,
                table.c.step == place.step,
                table.c.occurrence == before + place.occurrence,
            )
            .values(**there._asdict())
        )


def _free(behind: _Behind, place: _Place) -> _Place:
    """The next occurrence of this step that is not taken."""
    name, _, _ = place.occurrence.partition("#")
    for number in count(2 if name.isdecimal() else 1):
        new = place._replace(occurrence=str(number) if name.isdecimal() else f"{name}#{number}")
        if new not in behind.states:
            return new
    raise AssertionError("numbers do not end")
