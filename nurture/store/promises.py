"""What was promised to whom, by when? Rows of promises that mails made."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from nurture.core.model import Promise
from nurture.store import alarm
from nurture.store.facts import promise_from_row
from nurture.store.tables import events, promises

SOURCE = "nurture"  #: of the events that tell what mails and calls did to promises


def make(connection: Connection, made: Collection[Promise], now: datetime) -> None:
    """Keep these promises and tell of each by `promise.made`, which campaigns can start from. One
    that promises the same of the same application again takes the place of the one before.

    One that is there already (its mail was recorded before) is left as it is. The caller holds the
    candidates' locks, and rings their alarms.
    """
    if not made:
        return
    refs = [each.ref for each in made]
    there = set(
        connection.execute(select(promises.c.ref).where(promises.c.ref.in_(refs))).scalars()
    )
    new = [each for each in made if each.ref not in there]
    if not new:
        return
    _replace(connection, new, now)
    connection.execute(insert(promises), [_row(each) for each in new])
    connection.execute(insert(events), [_event(each, "made", each.made_at, now) for each in new])


def keep(connection: Connection, kept: Collection[Promise], now: datetime) -> None:
    """Write down which of these open promises are kept, since their `settled_at`, and tell of each
    by `promise.kept`. The caller holds the candidates' locks."""
    if not kept:
        return
    refs = [each.ref for each in kept]
    query = select(promises.c.ref).where(promises.c.ref.in_(refs), promises.c.status == "open")
    still_open = set(connection.execute(query).scalars())
    new = [each for each in kept if each.ref in still_open]
    for each in new:
        connection.execute(
            update(promises)
            .where(promises.c.ref == each.ref)
            .values(status="kept", settled_at=each.settled_at)
        )
    if new:
        rows = [_event(each, "kept", each.settled_at or now, now) for each in new]
        connection.execute(insert(events), rows)
        alarm.ring(connection, {each.candidate_id for each in new}, now)


def _replace(connection: Connection, new: Collection[Promise], now: datetime) -> None:
    """What is promised again is no longer awaited at its former date."""
    owners = {each.candidate_id for each in new}
    query = select(promises).where(promises.c.candidate_id.in_(owners), promises.c.status == "open")
    broken = []
    for row in connection.execute(query).mappings():
        same = (row["candidate_id"], row["application"], row["what"])
        for each in new:
            if (each.candidate_id, each.application, each.what) != same:
                continue
            data = row["data"] | {"replaced_by": each.ref}
            connection.execute(
                update(promises)
                .where(promises.c.ref == row["ref"])
                .values(status="broken", settled_at=each.made_at, data=data)
            )
            broken.append(_event(promise_from_row(row), "broken", each.made_at, now))
            break
    if broken:
        connection.execute(insert(events), broken)


def _row(promise: Promise) -> dict[str, object]:
    return {
        "ref": promise.ref,
        "candidate_id": promise.candidate_id,
        "application": promise.application,
        "enrollment_id": promise.enrollment_id,
        "step": promise.step,
        "what": promise.what,
        "owner": promise.owner,
        "made_at": promise.made_at,
        "due_at": promise.due_at,
        "status": promise.status,
        "settled_at": None,
        "data": {"kept_by": list(promise.kept_by)} if promise.kept_by else {},
    }


def _event(promise: Promise, how: str, at: datetime, now: datetime) -> dict[str, object]:
    told: dict[str, object] = {"id": promise.ref, "what": promise.what}
    if promise.due_at is not None:
        told["due"] = promise.due_at.isoformat()
    return {
        "source": SOURCE,
        "source_id": f"{how}:{promise.ref}",
        "type": f"promise.{how}",
        "candidate_id": promise.candidate_id,
        "application": promise.application,
        "interview": None,
        "offer": None,
        "job": None,
        "occurred_at": at,
        "received_at": now,
        "historical": False,
        "planned_at": None,
        "data": {"promise": told},
    }
