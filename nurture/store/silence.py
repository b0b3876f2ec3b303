"""Who waits for word from us, since when, and what are they owed? Rows for the reports on silence
and promises: a few set queries, however many people there are.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, func, or_, select, update

from nurture.core.model import MessageState
from nurture.core.subject import TELLING
from nurture.store.tables import (
    applications,
    candidates,
    contacts,
    interviews,
    jobs,
    message_steps,
    messages,
    promises,
    tasks,
)

_REACHED = or_(contacts.c.outcome.is_(None), contacts.c.outcome.in_(("spoke", "voicemail")))
_SPOKEN = or_(contacts.c.outcome.is_(None), contacts.c.outcome == "spoke")
#: Application of a candidate; None: of none in particular.
Of = tuple[int, str | None]


@dataclass(frozen=True)
class Heard:
    """The latest contacts of everybody, by what they were about."""

    counting: Mapping[Of, datetime]  #: that end a silence
    telling: Mapping[Of, datetime]  #: mail that tells a decision
    spoken: Mapping[Of, datetime]  #: calls and mails of colleagues that came through

    def latest(self, kind: Mapping[Of, datetime], candidate: int, ref: str) -> datetime | None:
        """Of this application; what names none is about each."""
        of_it, of_none = kind.get((candidate, ref)), kind.get((candidate, None))
        if of_it is None or of_none is None:
            return of_it or of_none
        return max(of_it, of_none)


def heard(connection: Connection, counting: Collection[str]) -> Heard:
    """`counting`: the categories that end a silence."""
    arrived = messages.c.state == MessageState.SENT
    category = func.coalesce(message_steps.c.category, messages.c.category)
    about = func.coalesce(message_steps.c.application, messages.c.application)

    def mails(kinds: Collection[str]) -> Iterator[tuple[Of, datetime]]:
        query = (
            select(messages.c.candidate_id, about, func.max(messages.c.sent_at))
            .join(message_steps, message_steps.c.message_id == messages.c.id)
            .where(arrived, messages.c.sent_at.is_not(None), category.in_(kinds))
            .group_by(messages.c.candidate_id, about)
        )
        for candidate, ref, at in connection.execute(query):
            yield (candidate, ref), at

    def calls(which: Any) -> Iterator[tuple[Of, datetime]]:
        of = (contacts.c.candidate_id, contacts.c.application)
        for candidate, ref, at in connection.execute(
            select(*of, func.max(contacts.c.at)).where(which).group_by(*of)
        ):
            yield (candidate, ref), at

    latest: dict[Of, datetime] = dict(mails(counting))
    for of, at in calls(_REACHED):
        latest[of] = max(at, latest.get(of, at))
    return Heard(counting=latest, telling=dict(mails(TELLING)), spoken=dict(calls(_SPOKEN)))


_WHO = (
    candidates.c.ref.label("candidate"),
    candidates.c.data.label("person"),
    candidates.c.replied_at,
)


def waiting(connection: Connection) -> Iterator[RowMapping]:
    """Applications that are active, or decided on and not hired, each with its candidate."""
    query = (
        select(applications, *_WHO)
        .join(candidates, candidates.c.id == applications.c.candidate_id)
        .where(applications.c.status.in_(("active", "rejected", "closed")))
        .where(candidates.c.do_not_contact.is_(False))
    )
    return iter(connection.execute(query).mappings())


_KEEP = (
    update(applications)
    .where(applications.c.ref == bindparam("of"))
    .values(silence_due_at=bindparam("due"))
)


def keep(connection: Connection, due: Mapping[str, datetime | None]) -> None:
    """By when each of these applications must hear from us, for lists. The caller holds the
    candidates' locks."""
    if due:
        connection.execute(_KEEP, [{"of": ref, "due": at} for ref, at in due.items()])


def open_tasks(connection: Connection) -> Mapping[str, int]:
    """How many tasks are open, by application."""
    query = (
        select(tasks.c.application, func.count())
        .where(tasks.c.state == "open", tasks.c.application.is_not(None))
        .group_by(tasks.c.application)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def owed(connection: Connection, *, everything: bool) -> Iterator[RowMapping]:
    """Promises with their candidate, application and job; only those that are open, unless
    `everything`."""
    query = (
        select(
            promises,
            *_WHO,
            applications.c.status.label("application_status"),
            applications.c.job,
            jobs.c.data.label("job_data"),
        )
        .join(candidates, candidates.c.id == promises.c.candidate_id)
        .outerjoin(applications, applications.c.ref == promises.c.application)
        .outerjoin(jobs, jobs.c.ref == applications.c.job)
        .order_by(promises.c.due_at, promises.c.ref)
    )
    if not everything:
        query = query.where(promises.c.status == "open")
    return iter(connection.execute(query).mappings())


def interviewed(connection: Connection, now: datetime) -> Iterator[RowMapping]:
    """Interviews that began and were not cancelled, each with its application and candidate."""
    query = (
        select(
            applications,
            *_WHO,
            jobs.c.data.label("job_data"),
            interviews.c.starts_at,
            interviews.c.ends_at,
        )
        .join(applications, applications.c.ref == interviews.c.application)
        .join(candidates, candidates.c.id == applications.c.candidate_id)
        .outerjoin(jobs, jobs.c.ref == applications.c.job)
        .where(interviews.c.status != "cancelled", interviews.c.starts_at <= now)
        .order_by(applications.c.ref)
    )
    return iter(connection.execute(query).mappings())


@dataclass(frozen=True)
class Word:
    """One contact that may have told somebody of a decision."""

    at: datetime
    application: str | None
    how: str  #: which mail, or whose call
    human: bool


def words(connection: Connection) -> Mapping[int, list[Word]]:
    """Everything by which people heard of a decision, oldest first, by candidate."""
    found: defaultdict[int, list[Word]] = defaultdict(list)
    category = func.coalesce(message_steps.c.category, messages.c.category)
    about = func.coalesce(message_steps.c.application, messages.c.application)
    mails = (
        select(messages.c.candidate_id, messages.c.sent_at, about, messages.c.message_id)
        .join(message_steps, message_steps.c.message_id == messages.c.id)
        .where(
            and_(messages.c.state == MessageState.SENT, messages.c.sent_at.is_not(None)),
            category.in_(TELLING),
        )
    )
    for candidate, at, ref, message in connection.execute(mails):
        found[candidate].append(Word(at, ref, f"mail {message}", human=False))
    for row in connection.execute(select(contacts).where(_SPOKEN)).mappings():
        whose = f" by {row['person']}" if row["person"] else ""
        how = f"{row['kind']}{whose} (contact {row['id']})"
        found[row["candidate_id"]].append(Word(row["at"], row["application"], how, human=True))
    for each in found.values():
        each.sort(key=lambda word: word.at)
    return found
