"""Whose agenda may say something new? Rung in the transaction that changes a fact."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, case, select, text, update

from nurture.store.database import CHANNEL
from nurture.store.tables import candidates, enrollments

_A_MOMENT = timedelta(milliseconds=1)
_CHUNK = 500  # ids a statement: SQLite has a limit on parameters


_AT = bindparam("at", type_=candidates.c.wake_at.type)
_RING = (
    update(candidates)
    .where(candidates.c.id.in_(bindparam("ids", expanding=True)))
    .values(wake_at=case((candidates.c.wake_at < _AT, candidates.c.wake_at), else_=_AT))
)


def lock(connection: Connection, ids: Collection[int]) -> None:
    """Lock these candidates' rows, in id order, until the transaction ends.

    Whoever touches a candidate's facts, alarm or messages does this first. SQLite's write
    transaction holds the whole file already.
    """
    if connection.dialect.name == "sqlite":
        return
    ordered = sorted(ids)
    for start in range(0, len(ordered), _CHUNK):
        chunk = ordered[start : start + _CHUNK]
        connection.execute(
            select(candidates.c.id)
            .where(candidates.c.id.in_(chunk))
            .order_by(candidates.c.id)
            .with_for_update()
        )


def ring(connection: Connection, ids: Collection[int], at: datetime) -> None:
    """`wake_at = least(wake_at, at)` for these candidates; listening daemons hear of it."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), _CHUNK):
        chunk = ordered[start : start + _CHUNK]
        connection.execute(_RING, {"ids": chunk, "at": at})
    if ordered and connection.dialect.name == "postgresql":
        connection.execute(text(f"NOTIFY {CHANNEL}"))


def rearm(connection: Connection, campaigns: Collection[str] | None, now: datetime) -> int:
    """Ask for a new planning, in the second lane, of everybody enrolled in these campaigns; None:
    in any."""
    enrolled = select(enrollments.c.candidate_id).where(enrollments.c.ended_at.is_(None))
    if campaigns is not None:
        enrolled = enrolled.where(enrollments.c.campaign.in_(campaigns))
    # Who waits for nothing comes last. (Databases differ on where NULL is sorted.)
    in_order = case((candidates.c.wake_at.is_(None), now), else_=now - _A_MOMENT)
    done = connection.execute(
        update(candidates).where(candidates.c.id.in_(enrolled)).values(rearm_at=in_order)
    )
    return int(done.rowcount)


def sweep(connection: Connection, share: int, shares: int, now: datetime) -> None:
    """Plan one share of all candidates anew: the net beneath the alarms."""
    connection.execute(
        update(candidates).where(candidates.c.id % shares == share).values(rearm_at=now)
    )
