"""What came back of the mail that was sent? Bounces and complaints, each counted once.

A guardrail asks for a rate, and the answer costs what came back, not what was sent: what was sent
is counted to the bound that decides, and no further.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from nurture.store.tables import messages, returns

BOUNCES, COMPLAINTS = "bounces", "complaints"


_UNWEIGHED = select(returns.c.campaign).where(returns.c.weighed.is_(False)).distinct()


class Returned(NamedTuple):
    """One thing that came back."""

    kind: str
    message_id: str | None  #: the Message-ID, where it is known
    candidate_id: int


def came_back(connection: Connection, found: Iterable[Returned], now: datetime) -> None:
    """Write it down, under the lock of its candidate. What names no mail is about the last one."""
    for each in found:
        query = select(messages.c.id, messages.c.campaign, messages.c.candidate_id)
        if each.message_id is not None:
            query = query.where(messages.c.message_id == each.message_id)
        else:
            own = (messages.c.candidate_id == each.candidate_id, messages.c.sent_at.is_not(None))
            query = query.where(*own).order_by(messages.c.sent_at.desc()).limit(1)
        row = connection.execute(query).first()
        if row is not None:
            note(connection, row.id, row.candidate_id, row.campaign, each.kind, now)


def note(
    connection: Connection, message: int, candidate: int, campaign: str, kind: str, now: datetime
) -> None:
    known = select(returns.c.kind).where(returns.c.message_id == message, returns.c.kind == kind)
    if connection.execute(known).first() is None:
        row = {"message_id": message, "candidate_id": candidate, "campaign": campaign}
        connection.execute(insert(returns), row | {"kind": kind, "at": now, "weighed": False})


def unweighed(connection: Connection) -> list[str]:
    """Campaigns of which something came back that no guardrail has looked at yet."""
    return list(connection.execute(_UNWEIGHED).scalars())


def weigh(connection: Connection, campaigns: Sequence[str]) -> None:
    """Somebody looks at them now."""
    own = (returns.c.campaign.in_(campaigns), returns.c.weighed.is_(False))
    connection.execute(update(returns).where(*own).values(weighed=True))


def counted(connection: Connection, campaign: str, kind: str, since: datetime) -> tuple[int, int]:
    """Of the campaign's mail since then: how much came back, and how much of that was refused at
    the door, so that it never counted as sent."""
    query = (
        select(func.count(), func.count(messages.c.sent_at))
        .join(messages, messages.c.id == returns.c.message_id)
        .where(returns.c.campaign == campaign, returns.c.kind == kind, returns.c.at > since)
        .where(messages.c.sent_at.is_(None) | (messages.c.sent_at > since))
    )
    all_, sent = connection.execute(query).one()
    return int(all_), int(all_ - sent)


def sent(connection: Connection, campaign: str, since: datetime, at_most: int) -> int:
    """How much of the campaign's mail went out since then, counted no further than `at_most`."""
    query = (
        select(messages.c.id)
        .where(messages.c.campaign == campaign, messages.c.sent_at > since)
        .limit(at_most)
    )
    found = connection.execute(select(func.count()).select_from(query.subquery())).scalar()
    return int(found or 0)
