"""Which letters wait for somebody's approval, and what was said of them? What changes a row is done
under its candidate's lock, which whoever calls has taken with `claim`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    case,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    update,
)

from nurture.core.journey import Key
from nurture.core.model import Message, MessageState, Reason, StepState, Verdict
from nurture.store import alarm
from nurture.store.rows import insert_all, is_row, row_of
from nurture.store.tables import (
    Instant,
    applications,
    candidates,
    message_steps,
    messages,
    promises,
    steps,
    tasks,
    verdicts,
)

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # sorts behind every instant, on both databases
# As its index says it: SQLite looks into an index of some rows only where the value stands there.
_HELD = messages.c.state == literal_column(f"'{MessageState.HELD.value}'")
#: Of what is approved, what has not left.
_OURS = (MessageState.PLANNED, MessageState.QUEUED, MessageState.HELD, MessageState.RETRYING)
_NOT_APPROVED: Mapping[str, Any] = dict.fromkeys(
    ("approved_at", "approved_by", "approved_digest", "approved_as_of")
)


class Place(NamedTuple):
    """Where a letter stands among those that wait: the worst first."""

    worst_at: datetime  #: its `until`, or the date of what is promised, whichever comes first
    silent_at: datetime  #: by when the candidate has to hear from us
    id: int

    def __str__(self) -> str:
        return f"{self.worst_at.isoformat()}~{self.silent_at.isoformat()}~{self.id}"

    @classmethod
    def read(cls, text: str) -> "Place":
        """Raises ValueError for what is none."""
        worst, silent, id_ = text.split("~")
        found = cls(datetime.fromisoformat(worst), datetime.fromisoformat(silent), int(id_))
        if found.worst_at.tzinfo is None or found.silent_at.tzinfo is None:
            raise ValueError("an instant without a zone")
        return found


def _sooner(one: Any, other: Any) -> ColumnElement[datetime]:
    """The earlier of two instants of which either may be missing."""
    first, second = func.coalesce(one, _NEVER), func.coalesce(other, _NEVER)
    return case((first < second, first), else_=second)


def waiting(
    connection: Connection,
    whose: ColumnElement[bool] | None = None,
    *,
    categories: Collection[str] | None = None,
    after: Place | None = None,
    template: str | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Letters that wait, the worst first: rows of `messages` with their step, their candidate's
    `ref` and `data`, and the three instants of their `Place` (see `place_of`).

    `whose` narrows the candidates; `categories` and `template` the letters.
    """
    held = _dated(whose, categories, template)
    worst = _sooner(held.c.until, held.c.promised_at).label("worst_at")
    query = select(held.c.id, held.c.promised_at, worst, held.c.silent_at)
    if after is not None:
        place = tuple_(
            literal(after.worst_at, Instant), literal(after.silent_at, Instant), literal(after.id)
        )
        query = query.where(tuple_(worst, held.c.silent_at, held.c.id) > place)
    # The few that are shown are found first, by what is small: the letters' own rows are wide.
    first = query.order_by(worst, held.c.silent_at, held.c.id).limit(limit).subquery()
    dates = (first.c.promised_at, first.c.worst_at, first.c.silent_at)
    letters = _of_letters(*dates).join(first, first.c.id == messages.c.id)
    found = connection.execute(letters.order_by(*dates[1:], messages.c.id))
    return found.mappings().all()


def _dated(
    whose: ColumnElement[bool] | None, categories: Collection[str] | None, template: str | None
) -> CTE:
    """Letters that wait, each with its instants, worked out once."""
    promised = (
        select(func.min(promises.c.due_at))
        .where(
            promises.c.candidate_id == messages.c.candidate_id,
            promises.c.application == messages.c.application,
            promises.c.status == "open",
        )
        .scalar_subquery()
    )
    silent = (
        select(applications.c.silence_due_at)
        .where(applications.c.ref == messages.c.application)
        .scalar_subquery()
    )
    query = select(
        messages.c.id,
        messages.c.until,
        promised.label("promised_at"),
        func.coalesce(silent, _NEVER).label("silent_at"),
    ).where(_HELD)
    if whose is not None:
        query = query.join(candidates, candidates.c.id == messages.c.candidate_id).where(whose)
    if categories is not None:
        query = query.where(messages.c.category.in_(categories))
    if template is not None:
        query = query.where(messages.c.template == template)
    return query.cte("held").prefix_with("MATERIALIZED")


def place_of(row: RowMapping) -> Place:
    return Place(row["worst_at"], row["silent_at"], row["id"])


def is_set(at: datetime) -> bool:
    """Whether this instant of a `Place` is one."""
    return at < _NEVER


def approved(
    connection: Connection, since: datetime, whose: ColumnElement[bool] | None, limit: int
) -> Sequence[RowMapping]:
    """Letters that were approved since then and have not left, the latest first: rows as above."""
    query = (
        _of_letters()
        .where(messages.c.approved_at >= since, messages.c.state.in_(_OURS))
        .order_by(messages.c.approved_at.desc(), messages.c.id.desc())
        .limit(limit)
    )
    if whose is not None:
        # Of the few that were approved: somebody's candidates with all their mail are many more.
        theirs = select(candidates.c.id).where(candidates.c.id == messages.c.candidate_id, whose)
        query = query.where(theirs.correlate(messages).exists())
    return connection.execute(query).mappings().all()


def how_many(connection: Connection, whose: ColumnElement[bool] | None = None) -> int:
    """How many letters wait."""
    query = select(func.count()).select_from(messages).where(_HELD)
    if whose is not None:
        query = query.join(candidates, candidates.c.id == messages.c.candidate_id).where(whose)
    return int(connection.execute(query).scalar() or 0)


def letter(connection: Connection, id_: int) -> RowMapping | None:
    """One message, as above; None: there is none of that number."""
    return connection.execute(_of_letters().where(messages.c.id == id_)).mappings().first()


def _of_letters(*more: Any) -> Select[Any]:
    """A row a message: of a bundle, its first section stands for all."""
    return (
        select(
            messages,
            candidates.c.ref,
            candidates.c.data,
            *(message_steps.c[name] for name in ("enrollment_id", "step", "occurrence")),
            *more,
        )
        .join(candidates, candidates.c.id == messages.c.candidate_id)
        .join(message_steps, message_steps.c.message_id == messages.c.id)
        .where(message_steps.c.position == 0)
    )


# --- what is said of them ------------------------------------------------------------------------


def claim(connection: Connection, ids: Collection[int]) -> Sequence[RowMapping]:
    """Lock whose messages these are, and read them as they are then."""
    owners = select(messages.c.candidate_id).where(messages.c.id.in_(ids))
    alarm.lock(connection, set(connection.execute(owners).scalars()))
    query = _of_letters().where(messages.c.id.in_(ids)).order_by(messages.c.id)
    return connection.execute(query).mappings().all()


def approve(
    connection: Connection,
    digests: Mapping[int, str],
    by: str,
    as_of: datetime,
    now: datetime,
) -> None:
    """Of these messages, what must leave is the letter of this digest, or nothing."""
    for id_, digest in digests.items():
        connection.execute(
            update(messages)
            .where(messages.c.id == id_)
            .values(
                state=MessageState.PLANNED,
                reason=Reason.APPROVED,
                detail={"by": by},
                approved_at=now,
                approved_by=by,
                approved_digest=digest,
                approved_as_of=as_of,
            )
        )


def take_back(connection: Connection, ids: Collection[int]) -> None:
    """These wait for an approval, as if nobody had given one."""
    connection.execute(
        update(messages)
        .where(messages.c.id.in_(ids), messages.c.state.in_(_OURS))
        .values(state=MessageState.HELD, reason=Reason.APPROVAL, detail={}, **_NOT_APPROVED)
    )


def overtaken(connection: Connection, letters: Collection[Message]) -> None:
    """These would have said something else than was approved: they are held, and say why."""
    for each in letters:
        at = each.approved_at.isoformat() if each.approved_at is not None else None
        changed = {"by": each.approved_by, "at": at}
        detail = {"changed": {name: value for name, value in changed.items() if value}}
        connection.execute(
            update(messages)
            .where(messages.c.id == each.id, _HELD)
            .values(detail=detail, **_NOT_APPROVED)
        )


def declined(
    connection: Connection,
    row: RowMapping,
    detail: Mapping[str, Any],
    errand: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """This letter never goes. Its step is over, or a person's task: `errand` has the task's text,
    role, assignee and due_at."""
    key = Key(row["enrollment_id"], row["step"], row["occurrence"])
    of = {name: row[name] for name in ("candidate_id", "campaign", "application")}
    told = {
        "verdict": Verdict.TASK if errand is not None else Verdict.SKIP,
        "reason": Reason.DECLINED,
        "detail": dict(detail),
    }
    over = {"state": MessageState.CANCELLED, "reason": Reason.DECLINED, "detail": dict(detail)}
    connection.execute(
        update(messages).where(messages.c.id == row["id"]).values(**over, **_NOT_APPROVED)
    )
    state = StepState.DONE if errand is not None else StepState.SKIPPED
    settled = update(steps).where(*is_row(steps), steps.c.state == StepState.OPEN)
    connection.execute(settled.values(state=state, settled_at=now, at=now, **told), [row_of(key)])
    kind = {name: row[name] for name in ("template", "category")}
    verdict = {**key._asdict(), **of, **kind, "recorded_at": now, "final": True, "at": now, **told}
    insert_all(connection, verdicts, [verdict])
    if errand is not None:
        task = {**key._asdict(), **of, "state": "open", "kind": "task", "created_at": now}
        insert_all(connection, tasks, [{**task, **errand}])


def is_ours(row: RowMapping) -> bool:
    """Whether it has not left."""
    return row["state"] in _OURS
