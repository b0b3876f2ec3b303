"""How do changed facts reach the rows? Read for a batch of events, changed in memory, written once.

Each object is a `Record` that remembers since when each of its keys is known, so that facts may
arrive in any order and the later one stands.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Select,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from nurture.core.rejections import family_of
from nurture.errors import OutsideError
from nurture.store import alarm, calls, ownership, restored, returns
from nurture.store.calls import Rang
from nurture.store.database import Contended, Database, first_line
from nurture.store.erasing import scrub
from nurture.store.facts import former_number
from nurture.store.finding import keys_of
from nurture.store.returns import Returned
from nurture.store.tables import (
    applications,
    candidate_refs,
    candidates,
    contacts,
    events,
    interviews,
    jobs,
    messages,
    metadata,
    offers,
    people,
    promises,
    tasks,
)
from nurture.store.uniting import unite

T = TypeVar("T")
_ATTEMPTS = 5
_CHUNK = 500  # keys a statement: SQLite has a limit on parameters
_AS_OF = "_as_of"  # in `data`: instant -> the keys that were last told then
#: The columns that intake writes, by table; the rest of an object's facts is in `data`.
_COLUMNS = {
    candidates: (
        *("ref", "email", "email_key", "do_not_contact", "suppressed", "paused_until"),
        *("unsubscribed", "replied_at"),
    ),
    applications: ("candidate_id", "job", "status", "reason"),
    interviews: (
        *("candidate_id", "application", "status", "starts_at", "ends_at", "booked_at"),
        "sequence",
    ),
    offers: ("candidate_id", "application", "status"),
    promises: (
        *("candidate_id", "application", "what", "owner", "made_at", "due_at", "status"),
        "settled_at",
    ),
    jobs: ("status",),
    people: (),
}
_KEYS: dict[Table, Column[Any]] = {
    candidates: candidates.c.id,
    applications: applications.c.ref,
    interviews: interviews.c.ref,
    offers: offers.c.ref,
    promises: promises.c.ref,
    jobs: jobs.c.ref,
    people: people.c.email,
}


@dataclass(eq=False)
class Record:
    """One object as it is known: columns and data side by side, each key with its instant."""

    table: Table
    key: Any  #: ref, e-mail or number; a candidate that is not written yet has a number below 0
    values: dict[str, Any]  #: of the columns
    data: dict[str, Any] = field(default_factory=dict)
    as_of: dict[str, str] = field(default_factory=dict)
    new: bool = True
    touched: bool = False  #: there is something to write
    changed: bool = False  #: something that is true of the world is another

    def __getitem__(self, name: str) -> Any:
        return self.values[name] if name in self.values else self.data.get(name)

    def older(self, name: str, at: datetime) -> bool:
        """Whether something later than `at` is known under this name."""
        return stamp(at) < self.as_of.get(name, "")

    def tell(self, name: str, value: Any, at: datetime, *, under: str = "") -> bool:
        """The value as of `at`, unless a later one is known (`under` another name, if given)."""
        if self.older(under or name, at):
            return False
        if self.as_of.get(under or name) != stamp(at):
            self.as_of[under or name] = stamp(at)
            self.touched = True
        self.put(name, value)
        return True

    def put(self, name: str, value: Any) -> None:
        """The value, whenever it was told."""
        if self[name] == value and (name in self.values or name in self.data or value is None):
            return
        self.touched = self.changed = True
        if name in self.values:
            self.values[name] = value
        elif value is None:
            self.data.pop(name, None)
        else:
            self.data[name] = value


@dataclass
class Wanted:
    """The names under which a batch of events speaks of things."""

    refs: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)  #: case-folded; so are those of people
    applications: set[str] = field(default_factory=set)
    interviews: set[str] = field(default_factory=set)
    offers: set[str] = field(default_factory=set)
    promises: set[str] = field(default_factory=set)
    jobs: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    closing: set[str] = field(default_factory=set)  #: jobs whose active applications are needed
    events: set[tuple[str, str]] = field(default_factory=set)  #: source, source_id


@dataclass
class Known:
    """What the store knows under those names, locked, and what is to be written."""

    records: dict[Table, dict[Any, Record]]
    refs: dict[str, int] = field(default_factory=dict)
    emails: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)  #: Message-ID -> candidate
    events: set[tuple[str, str]] = field(default_factory=set)
    new_refs: dict[str, int] = field(default_factory=dict)
    new_events: list[dict[str, Any]] = field(default_factory=list)
    new_contacts: list[dict[str, Any]] = field(default_factory=list)
    new_tasks: list[dict[str, Any]] = field(default_factory=list)
    rang: list[Rang] = field(default_factory=list)
    bounced: set[str] = field(default_factory=set)
    returned: list[Returned] = field(default_factory=list)
    erased: set[int] = field(default_factory=set)
    absorbed: dict[int, int] = field(default_factory=dict)  #: loser -> survivor
    rung: set[int] = field(default_factory=set)

    def add(self, table: Table, key: Any, **values: Any) -> Record:
        """A new object; its columns without a value are empty."""
        record = Record(table, key, dict.fromkeys(_COLUMNS[table]) | values)
        record.touched = record.changed = True
        self.records[table][key] = record
        return record

    def new_candidate(self, ref: str) -> Record:
        values = {"ref": ref, "do_not_contact": False, "unsubscribed": []}
        record = self.add(candidates, -1 - len(self.records[candidates]), **values)
        self.alias(ref, record.key)
        return record

    def alias(self, ref: str, candidate: int) -> None:
        if ref not in self.refs:
            self.refs[ref] = self.new_refs[ref] = candidate


@lru_cache(1024)  # an import tells thousands of things as of one instant
def stamp(at: datetime) -> str:
    """An instant as text that sorts as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def change(
    database: Database,
    wanted: Wanted,
    work: Callable[[Known], T],
    now: datetime,
    *,
    keep: bool = True,
) -> tuple[T, dict[int, int]]:
    """Load, `work`, save, in one transaction. Gives what `work` gave, and the numbers of the
    candidates it added. `work` may run again: another process may have added the same person.
    Without `keep` nothing is written: it only tells what would be."""
    if not keep:
        with database.read() as connection:
            return work(load(connection, wanted)), {}
    last: Exception
    for _ in range(_ATTEMPTS):
        try:
            with database.write() as connection:
                known = load(connection, wanted)
                result = work(known)
                return result, save(connection, known, now)
        except IntegrityError as error:
            last, said = error, f"database: {first_line(error)}"
        except Contended as error:
            last, said = error, str(error)
    raise OutsideError(said) from last


def load(connection: Connection, wanted: Wanted) -> Known:
    """What is known under these names, with the candidates, then jobs and people locked."""
    known = Known({table: {} for table in _KEYS})
    refs, owners = candidate_refs.c, set[int]()
    for row in _rows(connection, refs.ref, wanted.refs, refs.candidate_id):
        known.refs[row.ref] = row.candidate_id
    for row in _rows(connection, messages.c.message_id, wanted.messages, messages.c.candidate_id):
        known.messages[row.message_id] = row.candidate_id
    for row in _rows(connection, candidates.c.email_key, wanted.emails, candidates.c.id):
        known.emails[row.email_key] = row.id
    objects = {
        applications: set(wanted.applications),
        interviews: wanted.interviews,
        offers: wanted.offers,
        promises: wanted.promises,
    }
    for row in _rows(connection, applications.c.job, wanted.closing, applications.c.ref):
        objects[applications].add(row.ref)
    for table, keys in objects.items():
        owners |= {
            row.candidate_id for row in _rows(connection, table.c.ref, keys, table.c.candidate_id)
        }
    owners |= {*known.refs.values(), *known.emails.values(), *known.messages.values()}
    alarm.lock(connection, owners)
    _read(connection, known, candidates, owners)
    if owners - known.records[candidates].keys():
        raise Contended("database: a candidate was merged into another meanwhile")
    for table, keys in objects.items():
        _read(connection, known, table, keys)
    _read(connection, known, jobs, wanted.jobs, locked=True)
    _read(connection, known, people, wanted.people, locked=True)
    for row in _rows(
        connection, events.c.source_id, {id_ for _, id_ in wanted.events}, events.c.source
    ):
        known.events.add((row.source, row.source_id))
    return known


def save(connection: Connection, known: Known, now: datetime) -> dict[int, int]:
    """Write all that changed and ring who is affected. Returns the numbers of new candidates."""
    for loser, survivor in known.absorbed.items():
        _absorb(connection, loser, survivor, now)
    numbers = _insert_candidates(connection, known, now)

    def owner(candidate: int) -> int:
        return numbers.get(candidate, candidate)

    if known.new_refs:
        rows = [{"ref": ref, "candidate_id": owner(who)} for ref, who in known.new_refs.items()]
        connection.execute(insert(candidate_refs), rows)
    for table in _KEYS:
        _write(connection, table, known.records[table].values(), owner)
    if known.new_events:
        restored.heard_then(connection, known.new_events)
    news = ((events, known.new_events), (contacts, known.new_contacts), (tasks, known.new_tasks))
    for table, new in news:
        if new:
            rows = [row | {"candidate_id": owner(row["candidate_id"])} for row in new]
            connection.execute(insert(table), rows)
    for each in known.rang:
        calls.answer(connection, each._replace(candidate_id=owner(each.candidate_id)))
    for chunk in _chunks(known.bounced):
        connection.execute(
            update(messages)
            .where(messages.c.message_id.in_(chunk), messages.c.state.in_(("sent", "unknown")))
            .values(state="bounced")
        )
    came_back = [each._replace(candidate_id=owner(each.candidate_id)) for each in known.returned]
    returns.came_back(connection, came_back, now)
    for candidate in sorted(map(owner, known.erased)):
        scrub(connection, candidate, now)
    alarm.ring(connection, {owner(candidate) for candidate in known.rung}, now)
    return numbers


def _absorb(connection: Connection, loser: int, survivor: int, now: datetime) -> None:
    """Everything of one candidate becomes another's, and the one is gone."""
    unite(connection, loser, survivor, now)
    for table in metadata.sorted_tables:
        if "candidate_id" in table.c:
            connection.execute(
                update(table).where(table.c.candidate_id == loser).values(candidate_id=survivor)
            )
    connection.execute(delete(candidates).where(candidates.c.id == loser))
    # Links in old mails carry the number: they go on to work, for the person who is left.
    alias = {"ref": former_number(loser), "candidate_id": survivor}
    connection.execute(insert(candidate_refs), alias)


def _rows(
    connection: Connection, column: Column[Any], keys: Collection[Any], *also: Column[Any]
) -> Iterable[Any]:
    for chunk in _chunks(keys):
        yield from connection.execute(_named(column, *also), {"names": chunk}).all()


@cache
def _named(column: Column[Any], *also: Column[Any]) -> Select[Any]:
    return select(column, *also).where(column.in_(bindparam("names", expanding=True)))


@cache
def _whole(table: Table) -> Select[Any]:
    column = _KEYS[table]
    return select(table).where(column.in_(bindparam("keys", expanding=True))).order_by(column)


def _chunks(keys: Collection[Any]) -> Iterable[list[Any]]:
    ordered = sorted(keys)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]


def _read(
    connection: Connection,
    known: Known,
    table: Table,
    keys: Collection[Any],
    *,
    locked: bool = False,
) -> None:
    column = _KEYS[table]
    for chunk in _chunks(keys):
        query = _whole(table).with_for_update() if locked else _whole(table)
        for row in connection.execute(query, {"keys": chunk}).mappings():
            data = dict(row["data"])
            as_of = {name: at for at, names in data.pop(_AS_OF, {}).items() for name in names}
            values = {name: row[name] for name in _COLUMNS[table]}
            record = Record(table, row[column.name], values, data, as_of, new=False)
            known.records[table][record.key] = record


def _insert_candidates(connection: Connection, known: Known, now: datetime) -> dict[int, int]:
    new = [record for record in known.records[candidates].values() if record.new]
    if not new:
        return {}
    rows = [
        {**one.values, **keys_of(one.data), "data": _data(one), "created_at": now} for one in new
    ]
    statement = insert(candidates).returning(candidates.c.id, sort_by_parameter_order=True)
    ids = connection.execute(statement, rows).scalars().all()
    return {one.key: id_ for one, id_ in zip(new, ids, strict=True)}


def _write(
    connection: Connection, table: Table, records: Iterable[Record], owner: Callable[[int], int]
) -> None:
    key = _KEYS[table]
    fresh: list[dict[str, Any]] = []
    old: list[dict[str, Any]] = []
    for one in records:
        if not one.touched or (one.new and table is candidates):
            continue
        row = {**one.values, "data": _data(one)}
        if table is candidates:
            row |= keys_of(one.data)
        elif table is applications:
            row |= {role: one.data.get(role) for role in ownership.ROLES}
            rejected_at = one.data.get("rejected_at")
            row["rejected_at"] = rejected_at and datetime.fromisoformat(rejected_at)
        elif table is jobs:
            row["family"] = family_of(one.data)
        if "candidate_id" in row:
            row["candidate_id"] = owner(row["candidate_id"])
        (fresh if one.new else old).append(row | {("" if one.new else "_") + key.name: one.key})
    if fresh:
        connection.execute(insert(table), fresh)
    if old:
        connection.execute(update(table).where(key == bindparam(f"_{key.name}")), old)


def _data(record: Record) -> dict[str, Any]:
    grouped: dict[str, list[str]] = {}
    for name, at in record.as_of.items():
        grouped.setdefault(at, []).append(name)
    return record.data | {_AS_OF: grouped}
