"""What waits for a person, and what came overnight? By index, some at a time.

`whose` narrows to some candidates: see store/ownership.py. The next page begins `after` the key of
the last row: its instant, and what tells it from others of that instant.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)

from nurture.store.tables import (
    CALL,
    IS_ASTRAY,
    IS_NEWS,
    applications,
    candidates,
    events,
    jobs,
    messages,
    people,
    promises,
    tasks,
)

Whose = ColumnElement[bool] | None
After = tuple[datetime, str | int] | None
Rows = Sequence[RowMapping]
COUNTED = 100  #: counts go so far, and no further

_PERSON = (candidates.c.ref.label("candidate"), candidates.c.data.label("person"))


def promises_open(
    connection: Connection,
    whose: Whose,
    *,
    until: datetime | None = None,
    after: After = None,
    limit: int,
) -> Rows:
    """What we owe and have not kept, due first first, `until` an instant or whenever: the promise's
    columns, `candidate`, `person` and the job's `job_data`. What is owed to somebody who withdrew
    or is hired is nobody's debt any more."""
    query = (
        select(promises, *_PERSON, applications.c.job, jobs.c.data.label("job_data"))
        .join(candidates, candidates.c.id == promises.c.candidate_id)
        .outerjoin(applications, applications.c.ref == promises.c.application)
        .outerjoin(jobs, jobs.c.ref == applications.c.job)
        .where(text("promises.status = 'open'"), promises.c.due_at.is_not(None))
        .where(
            or_(
                applications.c.status.is_(None),
                applications.c.status.not_in(("withdrawn", "hired")),
            )
        )
    )
    key = (promises.c.due_at, promises.c.ref)
    return _page(connection, query, key, whose, until, after, limit)


def silences(
    connection: Connection,
    whose: Whose,
    *,
    until: datetime | None = None,
    after: After = None,
    limit: int,
) -> Rows:
    """Who must hear from us, worst first: the application's columns, `candidate`, `person`, and
    the job's `job_data`. As of the last planning of each."""
    query = (
        select(applications, *_PERSON, jobs.c.data.label("job_data"))
        .join(candidates, candidates.c.id == applications.c.candidate_id)
        .outerjoin(jobs, jobs.c.ref == applications.c.job)
        .where(applications.c.silence_due_at.is_not(None))
    )
    key = (applications.c.silence_due_at, applications.c.ref)
    return _page(connection, query, key, whose, until, after, limit)


def tasks_open(
    connection: Connection,
    whose: Whose,
    *,
    kind: str | None = None,
    after: After = None,
    limit: int,
) -> Rows:
    """Tasks of one kind, or of each, the most urgent first, with `candidate` and `person`."""
    query = (
        select(tasks, *_PERSON)
        .join(candidates, candidates.c.id == tasks.c.candidate_id)
        .where(text("tasks.state = 'open'"))
    )
    if kind is not None:
        # Calls have an index, which SQLite takes where the value stands in the query.
        query = query.where(tasks.c.kind == (literal_column(f"'{CALL}'") if kind == CALL else kind))
    return _page(connection, query, (tasks.c.due_at, tasks.c.id), whose, None, after, limit)


def news(connection: Connection, whose: Whose, since: datetime, limit: int) -> Rows:
    """What came since then that somebody wants to know, the newest first: events with `candidate`
    and `person`. Not what was only brought in for completeness."""
    query = (
        select(events, *_PERSON)
        .join(candidates, candidates.c.id == events.c.candidate_id)
        .where(text(f"events.{IS_NEWS}"), events.c.received_at >= since)
        .where(events.c.historical.is_(False))
        .order_by(events.c.received_at.desc(), events.c.id.desc())
        .limit(limit)
    )
    return _of(connection, query, whose)


def set_aside(connection: Connection, whose: Whose, limit: int) -> Rows:
    """Candidates whose planning failed, each with the `problem`."""
    query = (
        select(*_PERSON, candidates.c.problem)
        .where(candidates.c.problem.is_not(None))
        .order_by(candidates.c.id)
        .limit(limit)
    )
    return _of(connection, query, whose)


def names_of(connection: Connection, emails: Collection[str]) -> dict[str, str]:
    """What those of our people are called whose names are known."""
    query = select(people).where(people.c.email.in_([each.casefold() for each in emails]))
    known = {row["email"]: row["data"].get("name") for row in connection.execute(query).mappings()}
    return {email: name for email in emails if (name := known.get(email.casefold()))}


# --- counts, to a bound ------------------------------------------------------------------------


def held(connection: Connection, whose: Whose) -> int:
    """How many mails wait for somebody's approval; COUNTED stands for as many or more."""
    return _counted(connection, messages, text("messages.state = 'held'"), whose)


def astray(connection: Connection, whose: Whose, since: datetime) -> dict[str, int]:
    """Of the mails since then, how many failed and of how many nobody knows whether they arrived:
    by state, those of which there are some."""
    found = {
        state: _counted(
            connection,
            messages,
            text(f"messages.{IS_ASTRAY}")
            & (messages.c.state == state)
            & (messages.c.created_at >= since),
            whose,
        )
        for state in ("failed", "unknown")
    }
    return {state: count for state, count in found.items() if count}


def recent(connection: Connection, limit: int) -> Rows:
    """The last mails that left, of the newest few that were written, with `candidate`, `person`."""
    newest = (
        select(messages.c.id).order_by(messages.c.created_at.desc()).limit(10 * limit).subquery()
    )
    query = (
        select(messages, *_PERSON)
        .join(newest, newest.c.id == messages.c.id)
        .join(candidates, candidates.c.id == messages.c.candidate_id)
        .where(messages.c.state == "sent")
        .order_by(messages.c.sent_at.desc(), messages.c.id.desc())
        .limit(limit)
    )
    return _of(connection, query, None)


def _counted(connection: Connection, table: Any, which: Any, whose: Whose) -> int:
    query = select(literal(1)).select_from(table).where(which).limit(COUNTED)
    if whose is not None:
        query = query.join(candidates, candidates.c.id == table.c.candidate_id).where(whose)
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar() or 0


def _page(
    connection: Connection,
    query: Select[Any],
    key: tuple[Any, Any],
    whose: Whose,
    until: datetime | None,
    after: After,
    limit: int,
) -> Rows:
    if until is not None:
        query = query.where(key[0] <= until)
    if after is not None:
        at, own = (literal(value, each.type) for value, each in zip(after, key, strict=True))
        query = query.where(tuple_(*key) > tuple_(at, own))
    return _of(connection, query.order_by(*key).limit(limit), whose)


def _of(connection: Connection, query: Select[Any], whose: Whose) -> Rows:
    query = query if whose is None else query.where(whose)
    return connection.execute(query).mappings().all()
