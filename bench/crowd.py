"""How are a million enrolled made, and what do they cost while few of them are due?

One person goes the whole way through the engine; everybody else is that person's rows once more,
under another number: through the engine a million would take an hour.
"""

import atexit
import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from bench import mailing, postgres
from bench.rounds import median, spent
from bench.workload import BEFORE, DUE, Reader
from nurture import wiring
from nurture.clock import SetClock
from nurture.engine.project import Project
from nurture.engine.sender import Sender, until_idle
from nurture.intake.apply import apply_all
from nurture.store import planning, tables

#: Stands for the number in all that the model person is called.
_MARK = "qqq"
#: Whose rows are people's, parents first. Events and verdicts of the past nobody reads to decide.
_TABLES = ("candidates", "candidate_refs", "applications", "enrollments", "steps", "messages",
           "message_steps")  # fmt: skip
_AT_ONCE = 100_000
_DATABASES = ("SQLite", "PostgreSQL")


def idle(quick: bool) -> dict[str, float]:
    """What does it cost that many are enrolled of whom few or none are due?"""
    (few, many), due, rounds = _sizes(quick), 200, 30 if quick else 100
    answers: dict[str, float] = {}
    for kind in _DATABASES:
        projects = [_crowd(kind, size) for size in (few, many)]
        for size, project in zip((few, many), projects, strict=True):
            _rouse(project, size, due)
        senders = [wiring.sender(project) for project in projects]
        rows = []
        for _ in range(rounds):
            claims = [_claim(project, due) for project in projects]
            ticks = [_idle_tick(*each) for each in zip(projects, senders, strict=True)]
            rows.append((*claims, *ticks))
        columns = [median(column) for column in zip(*rows, strict=True)]
        answers |= {
            f"{kind}: claim of {due} among {few}: us": columns[0] * 1e6,
            f"{kind}: claim of {due} among {many}: us": columns[1] * 1e6,
            f"{kind}: claim, many to few": median(row[1] / row[0] for row in rows),
            f"{kind}: idle tick among {few}: us": columns[2] * 1e6,
            f"{kind}: idle tick among {many}: us": columns[3] * 1e6,
            f"{kind}: idle tick, many to few": median(row[3] / row[2] for row in rows),
        }
    return answers


def deciding(quick: bool) -> dict[str, float]:
    """How long are those decided on who are due, among few and among many enrolled?"""
    (few, many), rounds = _sizes(quick), 2 if quick else 5
    answers: dict[str, float] = {"due": few}
    for kind in _DATABASES:
        small, large = _crowd(kind, few), _crowd(kind, many)
        rows = []
        for turn in range(rounds):
            mailing.clear(small)
            fill(small, few, BEFORE)
            _rouse(small, few, few)
            _rouse(large, many, few, turn)
            order = [small, large] if turn % 2 else [large, small]
            cost = {id(each): _decide(each, few) for each in order}
            rows.append((cost[id(small)], cost[id(large)]))
        answers |= {
            f"{kind}: among {few}: us each": median(one * 1e6 for one, _ in rows),
            f"{kind}: among {many}: us each": median(other * 1e6 for _, other in rows),
            f"{kind}: many to few": median(other / one for one, other in rows),
        }
    return answers


def _sizes(quick: bool) -> tuple[int, int]:
    return (500, 20_000) if quick else (10_000, 1_000_000)


def fill(project: Project, many: int, at: datetime) -> None:
    """So many enrolled at this instant, numbered from 2 on, none of whom is due for a year."""
    clock = project.clock
    assert isinstance(clock, SetClock)
    clock.set(at)
    who = Reader(number=0, first_name=f"Ana{_MARK}", email=f"c{_MARK}@example.com", source=None)
    apply_all(project.database, [mailing.applied(_MARK, who, at)], at)
    mailing.give_history(project, [f"c-{_MARK}"], [at - timedelta(days=4)])
    until_idle(project.planner, wiring.sender(project))
    with project.database.write() as connection:
        never = update(tables.candidates).values(wake_at=at + timedelta(days=365))
        connection.execute(never)
    with project.database.read() as connection:
        model = {name: _rows_of_model(connection, tables.metadata.tables[name]) for name in _TABLES}
    first = model["candidates"][0]["id"] + 1
    for start in range(first, first + many, _AT_ONCE):
        with project.database.write() as connection:
            _copies(connection, model, start, min(start + _AT_ONCE, first + many) - 1)
    mailing.settle(project)


def schedule(project: Project, due: Mapping[int, datetime]) -> None:
    """The letter of each of these candidates is due at that instant."""
    rows = [{"who": id_, "at_": at, "entered": at - timedelta(hours=1)} for id_, at in due.items()]
    people, enrolled, steps = tables.candidates, tables.enrollments, tables.steps
    with project.database.write() as connection:
        connection.execute(
            update(people).where(people.c.id == bindparam("who")).values(wake_at=bindparam("at_")),
            rows,
        )
        connection.execute(
            update(enrolled)
            .where(enrolled.c.candidate_id == bindparam("who"), enrolled.c.campaign == "letters")
            .values(entered_at=bindparam("entered")),
            rows,
        )
        connection.execute(
            update(steps)
            .where(steps.c.candidate_id == bindparam("who"), steps.c.step == "letter")
            .values(moment_at=bindparam("at_"), at=bindparam("at_")),
            rows,
        )


def numbers(project: Project, many: int) -> Iterable[int]:
    """The ids of so many of those that `fill` made."""
    with project.database.read() as connection:
        query = select(tables.candidates.c.id).order_by(tables.candidates.c.id).offset(1)
        return list(connection.execute(query.limit(many)).scalars())


_held = ExitStack()
atexit.register(_held.close)


@cache
def _crowd(kind: str, size: int) -> Project:
    """Made once for all parts of a run."""
    at = Path(_held.enter_context(TemporaryDirectory(prefix="nurture-crowd-")))
    database = "sqlite:///var/nurture.db" if kind == "SQLite" else _server().new()
    project = mailing.project(at / "project", 9, database)
    _held.callback(project.close)
    project.begin()
    fill(project, size, BEFORE)
    return project


@cache
def _server() -> postgres.Server:
    return _held.enter_context(postgres.server())


def _rouse(project: Project, size: int, due: int, turn: int = 0) -> None:
    """So many are due, evenly among all; another set each turn where there are enough."""
    people, stride = tables.candidates, size // due
    messages, steps = tables.messages, tables.message_steps
    with project.database.write() as connection:
        queued = select(messages.c.id).where(messages.c.state == "queued")
        connection.execute(delete(steps).where(steps.c.message_id.in_(queued)))
        connection.execute(delete(messages).where(messages.c.state == "queued"))
        later = DUE + timedelta(days=300)
        connection.execute(update(people).where(people.c.wake_at <= DUE).values(wake_at=later))
        first = connection.execute(select(func.min(people.c.id))).scalar_one() + 1
        there = people.c.id >= first
        own = (people.c.id - first) % stride == turn % stride
        connection.execute(update(people).where(there, own).values(wake_at=DUE))


def _decide(project: Project, due: int) -> float:
    """Seconds for each."""
    clock = project.clock
    assert isinstance(clock, SetClock)
    clock.set(DUE)
    queued = select(func.count()).where(tables.messages.c.state == "queued")

    def ahead() -> None:
        while project.planner.tick():
            pass

    with project.database.read() as connection:
        before = connection.execute(queued).scalar_one()
    cost = spent(ahead).wall / due
    with project.database.read() as connection:
        assert connection.execute(queued).scalar_one() - before == due
    return cost


def _claim(project: Project, due: int) -> float:
    """A claim alone; its lock is let go without a change."""
    with project.database.write() as connection:
        return spent(lambda: _expect(planning.rung(connection, DUE, due), due)).wall


def _idle_tick(project: Project, sender: Sender) -> float:
    """What a daemon does each time it looks: it finds nobody, before all alarms."""

    def look() -> None:
        assert sender.window() == 0
        assert project.planner.chores() == 0

    clock = project.clock
    assert isinstance(clock, SetClock)
    clock.set(BEFORE)
    return spent(look).wall


def _expect(found: list[int], many: int) -> None:
    assert len(found) == many


_Rows = list[dict[str, Any]]


def _rows_of_model(connection: Connection, table: Table) -> _Rows:
    """There is nobody else yet."""
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def _copies(connection: Connection, model: Mapping[str, _Rows], first: int, last: int) -> None:
    """The model's rows for the people of these numbers, in a statement for each of them."""
    n = select(literal(first).label("n")).cte("numbers", recursive=True)
    n = n.union_all(select(n.c.n + 1).where(n.c.n < last))
    new_ids: dict[tuple[str, int], Any] = {}
    dialect = connection.dialect.name
    for name, rows in model.items():
        table = tables.metadata.tables[name]
        offset = _offset(connection, table)
        for index, row in enumerate(rows):
            if name in ("enrollments", "messages"):
                new_ids[name, row["id"]] = (n.c.n - first) * len(rows) + (offset + index + 1)
            values = {
                column.name: _value(dialect, name, column, row[column.name], n.c.n, new_ids)
                for column in table.columns
                if row[column.name] is not None
            }
            query = insert(table).from_select(list(values), select(*values.values()))
            connection.execute(query)
        if dialect == "postgresql" and "id" in table.columns:
            sequence = f"pg_get_serial_sequence('{name}', 'id')"
            connection.execute(text(f"SELECT setval({sequence}, (SELECT max(id) FROM {name}))"))


def _offset(connection: Connection, table: Table) -> int:
    if "id" not in table.columns:
        return 0
    return int(connection.execute(select(func.max(table.c.id))).scalar() or 0)


def _value(
    dialect: str, table: str, column: Column[Any], value: Any, n: Any, new_ids: dict[Any, Any]
) -> Any:
    match table, column.name:
        case ("candidates", "id") | (_, "candidate_id"):
            return n
        case (_, "id"):
            return new_ids[table, value]
        case (_, "enrollment_id"):
            return new_ids["enrollments", value]
        case ("message_steps", "message_id"):
            return new_ids["messages", value]
    if isinstance(column.type, JSON):
        words = func.replace(literal(json.dumps(value), Text), _MARK, cast(n, Text))
        # SQLite keeps JSON as text, and a cast would make a number of it.
        return cast(words, column.type) if dialect == "postgresql" else words
    if isinstance(value, str) and _MARK in value:
        return func.replace(literal(value, Text), _MARK, cast(n, Text))
    return literal(value, column.type)
