"""What came of a campaign's mail, and how much of it is there a day? Counted through indexes.

What a person did counts for the last mail they had got by then, if that was of this campaign and
not longer ago than `ANSWERS_WITHIN`: nobody knows more, and two campaigns never count the same.
"""

import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select, text

from nurture.core.model import Reason, StepState, Verdict
from nurture.store.returns import BOUNCES, COMPLAINTS
from nurture.store.tables import IS_RESPONSE, enrollments, events, messages, returns, steps

#: After so long an answer is no answer to that mail any more.
ANSWERS_WITHIN = timedelta(days=14)

#: Why a mail waits that is going to leave, as things stand.
_WILL_GO = (
    *(Reason.SCHEDULED, Reason.CONTACT_HOURS, Reason.OWN_HOURS, Reason.CAP, Reason.GAP),
    *(Reason.SLOT_RESERVED, Reason.PACE, Reason.FOLLOW_UPS, Reason.BUNDLED, Reason.APPROVAL),
    *(Reason.RETRY, Reason.THROTTLED),
)

_LEFT = frozenset({"candidate.unsubscribed", "candidate.do_not_contact"})


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Of one campaign in a stretch of time. All but `mails` are numbers of people."""

    entered: int = 0
    mails: int = 0  #: sent
    reached: int = 0  #: who got any of these mails
    answered: int = 0  #: who answered a question of one
    replied: int = 0  #: who wrote back
    withdrew: int = 0
    opted_out: int = 0  #: unsubscribed, from all or a topic, or complained
    bounced: int = 0
    #: Median time from the mail to somebody's first answer or reply, and of how many people.
    median: timedelta | None = None
    median_of: int = 0


def outcomes(connection: Connection, campaign: str, since: datetime) -> Outcomes:
    """What came of it since then."""
    mails, reached = connection.execute(
        select(func.count(), func.count(messages.c.candidate_id.distinct())).where(
            messages.c.campaign == campaign, messages.c.sent_at > since
        )
    ).one()
    entered = select(func.count(enrollments.c.candidate_id.distinct())).where(
        enrollments.c.campaign == campaign, enrollments.c.entered_at > since
    )
    came_back = (
        select(returns.c.kind, returns.c.candidate_id)
        .where(returns.c.campaign == campaign, returns.c.kind.in_((BOUNCES, COMPLAINTS)))
        .where(returns.c.at > since)
    )
    back = [tuple(row) for row in connection.execute(came_back)]
    who: dict[str, set[int]] = {"opted out": {id_ for kind, id_ in back if kind == COMPLAINTS}}
    first: dict[int, timedelta] = {}
    for row in _responses(connection, campaign, since):
        done = _done(row.type, row.data)
        who.setdefault(done, set()).add(row.candidate_id)
        if done in ("answered", "replied"):
            first.setdefault(row.candidate_id, row.occurred_at - row.sent_at)
    return Outcomes(
        entered=int(connection.execute(entered).scalar() or 0),
        mails=int(mails),
        reached=int(reached),
        answered=len(who.get("answered", ())),
        replied=len(who.get("replied", ())),
        withdrew=len(who.get("withdrew", ())),
        opted_out=len(who["opted out"]),
        bounced=len({id_ for kind, id_ in back if kind == BOUNCES}),
        median=_median(first.values()) if first else None,
        median_of=len(first),
    )


def _median(lengths: Iterable[timedelta]) -> timedelta:
    return timedelta(seconds=statistics.median(each.total_seconds() for each in lengths))


def _responses(connection: Connection, campaign: str, since: datetime) -> list[Any]:
    """What people did since then, each with the mail they had got last: by time."""
    last = (
        select(messages.c.id)
        .where(
            messages.c.candidate_id == events.c.candidate_id,
            messages.c.sent_at <= events.c.occurred_at,
        )
        .order_by(messages.c.sent_at.desc(), messages.c.id.desc())
        .limit(1)
        .correlate(events)
        .scalar_subquery()
    )
    query = (
        select(
            events.c.type,
            events.c.data,
            events.c.candidate_id,
            events.c.occurred_at,
            messages.c.sent_at,
        )
        .join(messages, messages.c.id == last)
        .where(text(IS_RESPONSE), events.c.occurred_at > since, events.c.historical.is_(False))
        .where(messages.c.campaign == campaign, messages.c.sent_at > since - ANSWERS_WITHIN)
        .order_by(events.c.occurred_at, events.c.id)
    )
    found = connection.execute(query)
    return [row for row in found if row.occurred_at - row.sent_at <= ANSWERS_WITHIN]


def _done(type_: str, data: Mapping[str, Any]) -> str:
    match type_:
        case "answer.given":
            return "answered"
        case "candidate.replied":
            return "replied"
        case "application.withdrawn":
            return "withdrew"
        case "candidate.preferences":
            wishes = data.get("preferences") or {}
            told = {**(wishes.get("topics") or {}), **(data.get("topics") or {})}
            return "opted out" if False in told.values() else "wished"
    return "opted out" if type_ in _LEFT else "else"


def sent_and_bounced(
    connection: Connection, campaigns: Collection[str], since: datetime
) -> dict[str, tuple[int, int]]:
    """By campaign: how many mails were offered since then, and how many of these bounced. As the
    guardrails count: what was refused at the door was offered too."""
    at = messages.c.sent_at
    offered = (
        select(messages.c.campaign, func.count())
        .where(messages.c.campaign.in_(campaigns), at > since)
        .group_by(messages.c.campaign)
    )
    back = (
        select(returns.c.campaign, func.count(), func.count(at))
        .join(messages, messages.c.id == returns.c.message_id)
        .where(returns.c.campaign.in_(campaigns), returns.c.kind == BOUNCES)
        .where(returns.c.at > since, at.is_(None) | (at > since))
        .group_by(returns.c.campaign)
    )
    found = {name: (many, 0) for name, many in connection.execute(offered)}
    for name, bounced, sent in connection.execute(back):
        found[name] = (found.get(name, (0, 0))[0] + bounced - sent, bounced)
    return found


def sent_by(connection: Connection, campaign: str, edges: Sequence[datetime]) -> list[int]:
    """How many mails went out in each stretch between these instants."""
    at = messages.c.sent_at
    own = (messages.c.campaign == campaign, at >= edges[0], at < edges[-1])
    return _by_stretch(connection, at, own, edges)


def ahead_by(
    connection: Connection, campaign: str, mails: Sequence[str], edges: Sequence[datetime]
) -> list[int]:
    """How many of these steps, for people who are in the campaign, wait for an instant in each
    stretch between these. Nobody is counted who enters later, and no step whose instant nobody
    knows yet, or whose `if` is not true as of now."""
    own = (
        enrollments.c.campaign == campaign,
        enrollments.c.ended_at.is_(None),
        steps.c.enrollment_id == enrollments.c.id,
        steps.c.step.in_(mails),
        steps.c.state == StepState.OPEN,
        steps.c.verdict == Verdict.WAIT,
        steps.c.reason.in_(_WILL_GO),
        steps.c.at >= edges[0],
        steps.c.at < edges[-1],
    )
    return _by_stretch(connection, steps.c.at, own, edges)


def _by_stretch(
    connection: Connection,
    at: ColumnElement[Any],
    own: Sequence[ColumnElement[bool]],
    edges: Sequence[datetime],
) -> list[int]:
    ends = edges[1:]
    which = case(*((at < end, number) for number, end in enumerate(ends)))
    query = select(which.label("stretch"), func.count()).where(and_(*own)).group_by("stretch")
    found = {row[0]: row[1] for row in connection.execute(query)}
    return [found.get(number, 0) for number in range(len(ends))]


def many(connection: Connection, campaign: str, since: datetime, bound: int) -> bool:
    """Whether more than so many ever entered, or as many mails were sent since then: counted to
    the bound, and no further."""
    entered = select(enrollments.c.id).where(enrollments.c.campaign == campaign)
    return _above(connection, bound, entered, _sent(since, [campaign]))


def many_in_all(
    connection: Connection, campaigns: Collection[str], since: datetime, bound: int
) -> bool:
    """The same of those who are in a campaign now, and of the mails of all these."""
    under_way = select(enrollments.c.id).where(enrollments.c.ended_at.is_(None))
    return _above(connection, bound, under_way, _sent(since, campaigns))


def _sent(since: datetime, campaigns: Collection[str]) -> Select[Any]:
    own = messages.c.campaign.in_(campaigns)
    return select(messages.c.id).where(own, messages.c.sent_at > since)


def _above(connection: Connection, bound: int, *queries: Select[Any]) -> bool:
    for query in queries:
        some = select(func.count()).select_from(query.limit(bound + 1).subquery())
        if (connection.execute(some).scalar() or 0) > bound:
            return True
    return False
