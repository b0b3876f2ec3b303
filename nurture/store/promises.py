"""What was promised to whom, by when? Rows of promises that mails made."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, insert, select

from nurture.core.model import Promise
from nurture.store.tables import events, promises

SOURCE = "nurture"  #: of the `promise.made` events that mails raise


def make(connection: Connection, made: Collection[Promise], now: datetime) -> None:
    """Keep these promises and tell of each by `promise.made`, which campaigns can start from.

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
    if new:
        connection.execute(insert(promises), [_row(each) for each in new])
        connection.execute(insert(events), [_event(each, now) for each in new])


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
        "data": {},
    }


def _event(promise: Promise, now: datetime) -> dict[str, object]:
    told: dict[str, object] = {"id": promise.ref, "what": promise.what}
    if promise.due_at is not None:
        told["due"] = promise.due_at.isoformat()
    return {
        "source": SOURCE,
        "source_id": f"made:{promise.ref}",
        "type": "promise.made",
        "candidate_id": promise.candidate_id,
        "application": promise.application,
        "interview": None,
        "offer": None,
        "job": None,
        "occurred_at": promise.made_at,
        "received_at": now,
        "historical": False,
        "planned_at": None,
        "data": {"promise": told},
    }
