"""Who is in an audience? A condition's tree as SQL, and the people it may be true of, in id order.

A scan goes through all candidates in batches, each in a transaction of its own that also keeps how
far it came, so a crash costs one batch. Nobody enters twice: the candidates of a batch are locked,
and an enrollment's campaign, subject and number are unique.
"""

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Float,
    Numeric,
    Row,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from nurture.core.audience import (
    All,
    Among,
    Consents,
    Fact,
    Given,
    Holds,
    Node,
    Not,
    Number,
    Perhaps,
    Some,
)
from nurture.store.database import CHANNEL
from nurture.store.tables import applications, candidates, enrollments, jobs, marks

_MARK = "audience:"  #: and the campaign's name: how far its scan came


@dataclass(frozen=True, kw_only=True)
class Scan:
    """How far the scan of one campaign's audience came."""

    of: str  #: fingerprint of what makes the audience
    to: int = 0  #: the last candidate looked at
    seen: int = 0
    total: int = 0  #: candidates there were when it began
    done: bool = False


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Candidates in id order: those after one, up to another."""

    after: int
    to: int


@dataclass(frozen=True, kw_only=True)
class Whom:
    """Whom an audience campaign takes: candidates, or each of their applications."""

    campaign: str
    tree: Node
    of_applications: bool


# --- progress ----------------------------------------------------------------------------------


def scans(connection: Connection) -> dict[str, Scan]:
    """All scans begun, by campaign."""
    rows = connection.execute(
        select(marks.c.name, marks.c.value).where(marks.c.name.startswith(_MARK, autoescape=True))
    )
    return {name.removeprefix(_MARK): Scan(**value) for name, value in rows}


def forget(connection: Connection, campaigns: Collection[str]) -> None:
    """These are no audience any more; should they be one again, they are scanned anew."""
    names = [_MARK + campaign for campaign in campaigns]
    connection.execute(delete(marks).where(marks.c.name.in_(names)))


def claim(connection: Connection, campaign: str, of: str) -> Scan | None:
    """The scan of this audience, in this transaction's hand; begun, or begun anew if it is of
    another audience. None: it is in another process's hand."""
    name = _MARK + campaign
    locked = select(marks.c.value).where(marks.c.name == name).with_for_update(skip_locked=True)
    value = connection.execute(locked).scalar()
    if value is None:
        fresh = {"name": name, "value": asdict(_fresh(connection, of))}
        connection.execute(_insert(connection, marks).values(fresh).on_conflict_do_nothing())
        value = connection.execute(locked).scalar()
    if value is None:
        return None
    scan = Scan(**value)
    return scan if scan.of == of else _fresh(connection, of)


def _fresh(connection: Connection, of: str) -> Scan:
    total = connection.execute(select(func.count()).select_from(candidates)).scalar()
    return Scan(of=of, total=total or 0)


def advance(connection: Connection, campaign: str, scan: Scan) -> None:
    query = update(marks).where(marks.c.name == _MARK + campaign)
    connection.execute(query.values(value=asdict(scan)))


def stretch(connection: Connection, after: int, size: int) -> tuple[Stretch, int]:
    """The next `size` candidates, and how many there are."""
    own = candidates.c.id
    ids = select(own).where(own > after).order_by(own).limit(size).subquery()
    last, many = connection.execute(select(func.max(ids.c.id), func.count(ids.c.id))).one()
    return Stretch(after=after, to=last or after), many


# --- entering ----------------------------------------------------------------------------------


def enter_all(connection: Connection, whom: Whom, stretch: Stretch, at: datetime) -> int:
    """Enter everybody of this stretch of whom the tree holds. How many."""
    return _enter(connection, whom, _newcomers(connection, whom, stretch), at)


def enter(connection: Connection, whom: Whom, keys: Collection[Any], at: datetime) -> int:
    """Enter these candidates, or these applications; the caller has locked them. How many."""
    if not keys:
        return 0
    column = applications.c.ref if whom.of_applications else candidates.c.id
    return _enter(connection, whom, _subjects(whom).where(_among(connection, column, keys)), at)


def newcomers(
    connection: Connection, whom: Whom, stretch: Stretch, *, rows: bool, topics: bool = True
) -> Sequence[Row[Any]]:
    """Whoever of the stretch the tree may be true of, locked: `id`, and `ref`
    of the application; with `rows` also what a `rendering.glance.Row` is made of, the topics
    they want no mail of only where somebody asks: every JSON value is read at a price."""
    query = _newcomers(connection, whom, stretch)
    if rows:
        own = candidates.c
        query = query.add_columns(own.data, own.email, own.replied_at)
        query = query.add_columns(own.unsubscribed if topics else null().label("unsubscribed"))
        if whom.of_applications:
            own = applications.c
            query = query.add_columns(own.data.label("application"), own.status)
    return connection.execute(query).all()


def plan_again(connection: Connection, whom: Whom, stretch: Stretch, at: datetime) -> None:
    """Whoever of the stretch was in it before and may be in it again is planned anew."""
    own = enrollments.c
    # By candidate: a plan made while there were few enrollments must stay good when there are many.
    was_in = select(own.candidate_id).where(
        own.candidate_id > stretch.after,
        own.candidate_id <= stretch.to,
        own.campaign == whom.campaign,
    )
    former = _subjects(whom).where(
        _within(stretch), candidates.c.id.in_(was_in), _sql(connection, whom.tree)
    )
    ids = connection.execute(_locked(former.with_only_columns(candidates.c.id))).scalars().all()
    _rearm(connection, ids, at)


def wake(connection: Connection, at: Mapping[int, datetime]) -> None:
    """`wake_at = least(wake_at, at)` for each of these candidates, whom the caller has locked."""
    if at:
        own, instant = candidates.c, bindparam("instant", type_=candidates.c.wake_at.type)
        query = update(candidates).where(own.id == bindparam("whom"))
        query = query.where(or_(own.wake_at.is_(None), own.wake_at > instant))
        rows = [{"whom": id_, "instant": each} for id_, each in sorted(at.items())]
        connection.execute(query.values(wake_at=instant), rows)


def _enter(connection: Connection, whom: Whom, people: Select[Any], at: datetime) -> int:
    chosen = people.cte("chosen")
    rows = select(
        chosen.c.id,
        literal(whom.campaign),
        _subject(whom, chosen.c),
        literal(1),
        chosen.c.ref if whom.of_applications else null(),
        literal(at, enrollments.c.entered_at.type),
    ).where(true())  # SQLite would read ON CONFLICT as part of a join
    names = ["candidate_id", "campaign", "subject", "number", "application", "entered_at"]
    query = _insert(connection, enrollments).from_select(names, rows).on_conflict_do_nothing()
    entered = connection.execute(query.returning(enrollments.c.candidate_id)).scalars().all()
    _rearm(connection, entered, at)
    return len(entered)


def _rearm(connection: Connection, ids: Collection[int], at: datetime) -> None:
    """Plan them in the second lane; other processes may take their share at once."""
    if not ids:
        return
    some = _among(connection, candidates.c.id, set(ids))
    query = update(candidates).where(some, candidates.c.rearm_at.is_(None))
    connection.execute(query.values(rearm_at=at))
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"NOTIFY {CHANNEL}"))


def _among(
    connection: Connection, column: ColumnElement[Any], keys: Collection[Any]
) -> ColumnElement[bool]:
    """One parameter for any number of keys: the statement stays the same, and so does its plan."""
    sqlite = connection.dialect.name == "sqlite"
    each = (func.json_each if sqlite else func.json_array_elements_text)(
        literal(sorted(keys), JSON)
    ).table_valued("value")
    return column.in_(select(cast(each.c.value, column.type)))


def _newcomers(connection: Connection, whom: Whom, stretch: Stretch) -> Select[Any]:
    holds = _sql(connection, whom.tree)
    return _locked(_subjects(whom).where(_within(stretch), holds))


def _subjects(whom: Whom) -> Select[Any]:
    """Everybody, or each application, as far as anybody may write to them."""
    query = select(candidates.c.id).where(candidates.c.do_not_contact.is_(False))
    if whom.of_applications:
        query = query.add_columns(applications.c.ref).join(
            applications, applications.c.candidate_id == candidates.c.id
        )
        query = query.outerjoin(jobs, jobs.c.ref == applications.c.job)
    return query


def _locked(query: Select[Any]) -> Select[Any]:
    return query.order_by(candidates.c.id).with_for_update(of=candidates)


def _within(stretch: Stretch) -> ColumnElement[bool]:
    return and_(candidates.c.id > stretch.after, candidates.c.id <= stretch.to)


def _subject(whom: Whom, own: Any) -> ColumnElement[str]:
    if whom.of_applications:
        return literal("application:").concat(own.ref)
    return literal("candidate:").concat(cast(own.id, Text))


def _insert(connection: Connection, table: Table) -> Any:
    """An INSERT that can pass over rows that are there already."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


# --- the tree as SQL ---------------------------------------------------------------------------


def _sql(connection: Connection, tree: Node) -> ColumnElement[bool]:
    """True of everybody of whom the tree holds or may hold."""
    return _Asked(connection.dialect.name).node(tree, at_most=True)


class _Asked:
    """Nodes as SQL that is never NULL, so that it can be negated."""

    def __init__(self, dialect: str) -> None:
        self.sqlite = dialect == "sqlite"

    def node(self, node: Node, *, at_most: bool) -> ColumnElement[bool]:
        """Where it may hold (`at_most`), or where it certainly does."""
        match node:
            case All(parts):
                return and_(true(), *(self.node(part, at_most=at_most) for part in parts))
            case Some(parts):
                return or_(false(), *(self.node(part, at_most=at_most) for part in parts))
            case Not(part):
                return not_(self.node(part, at_most=not at_most))
            case Perhaps(part):
                return self.node(part, at_most=True) if at_most else false()
            case Consents(topic):
                return not_(self.unsubscribed(topic))
            case Given(fact):
                return self.given(fact)
            case Among(fact, values):
                named = sorted(values if fact.thing == "answer" else values - {""})
                return self.sure(self.kind(fact, "text"), self.text(fact).in_(named))
            case Number(fact, comparison, value):
                return self.number(fact, comparison, value)
            case Holds(fact, part):
                found = func.instr if self.sqlite else func.strpos
                return self.sure(found(self.text(fact), part) > 0)

    def sure(self, *parts: ColumnElement[bool]) -> ColumnElement[bool]:
        return func.coalesce(and_(*parts), false())

    def given(self, fact: Fact) -> ColumnElement[bool]:
        if fact.thing == "answer":
            return self.text(fact).is_not(None)
        return func.coalesce(self.text(fact), "") != ""

    def number(self, fact: Fact, comparison: str, value: float) -> ColumnElement[bool]:
        is_number = self.kind(fact, "number")
        # Decimals where there are some: a cast to binary numbers fails beyond their range.
        other = literal(value, Float) if self.sqlite else literal(Decimal(repr(value)), Numeric)
        number = case((is_number, cast(self.text(fact), Numeric)))
        within = _COMPARE[comparison](number, other)
        return self.sure(self.given(fact), or_(not_(is_number), within))

    def unsubscribed(self, topic: str) -> ColumnElement[bool]:
        each = func.json_each if self.sqlite else func.json_array_elements_text
        topics = each(candidates.c.unsubscribed).table_valued("value")
        return select(1).select_from(topics).where(topics.c.value.in_((topic, "all"))).exists()

    def text(self, fact: Fact) -> ColumnElement[Any]:
        if fact in _COLUMNS:
            return _COLUMNS[fact]
        return self._at(fact).as_string()  # type: ignore[no-any-return]

    def kind(self, fact: Fact, kind: str) -> ColumnElement[bool]:
        """Whether it is stored as a text, or as a number."""
        if fact in _COLUMNS:
            return true() if kind == "text" else false()
        if self.sqlite:
            names = ("text",) if kind == "text" else ("integer", "real")
            path = "".join(f'."{name}"' for name in _path(fact))
            return func.json_type(_data(fact), f"${path}").in_(names)
        return func.json_typeof(self._at(fact)) == ("string" if kind == "text" else kind)

    def _at(self, fact: Fact) -> Any:
        path = _path(fact)
        return _data(fact)[path if len(path) > 1 else path[0]]


_COMPARE = {"eq": operator.eq, "lteq": operator.le, "gteq": operator.ge}
_COLUMNS: Mapping[Fact, ColumnElement[Any]] = {
    Fact("candidate", "email"): candidates.c.email,
    Fact("application", "status"): applications.c.status,
    Fact("job", "status"): jobs.c.status,
}
_TABLES = {"candidate": candidates, "answer": candidates, "application": applications, "job": jobs}


def _data(fact: Fact) -> ColumnElement[Any]:
    return _TABLES[fact.thing].c.data


def _path(fact: Fact) -> tuple[str, ...]:
    return ("answers", fact.name) if fact.thing == "answer" else (fact.name,)
