"""Who are a hundred thousand candidates with a past? A few go the whole way through the engine, by
the starter campaigns; everybody else is one of these once more, under another number and, where
all is over, in an earlier season.

SQLite only: its pages are what is measured here.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Integer,
    Table,
    Text,
    cast,
    event,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    update,
)

from bench import people
from nurture import wiring
from nurture.clock import SetClock
from nurture.core.model import MessageState
from nurture.engine.project import Project
from nurture.engine.sender import until_idle
from nurture.intake.apply import apply_all
from nurture.intake.events import parse_event
from nurture.store import planning, tables
from nurture.store.tables import Instant

NOW = people.NOW
#: So many recruiters share all candidates.
RECRUITERS = 500
_OWNER = "zzowner"
#: Days since somebody applied: of those who are on their way, and of those with whom it is over.
_UNDER_WAY = (1, 2, 4, 6, 9, 12, 16, 20)
_OVER = (120, 125, 130, 135)
#: Some of these heard soon that it is a no: after so many days, the others after the last.
_SOON, _LATE = {125: 7, 135: 6}, 22
#: Over so many days their seasons are spread.
_SEASONS = 500
_AT_ONCE = 20_000
_SHARED = frozenset({"users", "sessions", "audit", "jobs", "people"})


@dataclass(frozen=True)
class Town:
    project: Project
    candidates: int
    messages: int


def town(at: Path, candidates: int, messages: int) -> Town:
    """At `NOW`, with about so many messages. Whoever opened it closes its project."""
    clock = SetClock(NOW - timedelta(days=max(_OVER) + 1))
    project = wiring.open_project(people.folder(at), clock, env={})
    project.begin()
    _live(project, clock)
    with project.database.read() as connection:
        models = {days: _rows_of(connection, days) for days in (*_UNDER_WAY, *_OVER)}
    mails = {days: len(rows["messages"]) for days, rows in models.items()}
    young = sum(mails[days] for days in _UNDER_WAY) / len(_UNDER_WAY)
    old = sum(mails[days] for days in _OVER) / len(_OVER)
    share = min(max((messages / candidates - young) / (old - young), 0.5), 0.95)
    first = 1 + max(row["id"] for rows in models.values() for row in rows["candidates"])
    last = first
    with _hurrying(project):
        for group, part in ((_OVER, share), (_UNDER_WAY, 1 - share)):
            for days in group:
                many = round(candidates * part / len(group))
                _copies(project, models[days], _mark(days), last, many, over=group is _OVER)
                last += many
    _settle(project)
    project.close()
    project = wiring.open_project(at / "config.yaml", SetClock(NOW), env={})  # as it comes
    with project.database.read() as connection:
        counted = select(func.count()).select_from(tables.messages)
        return Town(project, last - first, connection.execute(counted).scalar_one())


# --- the models ----------------------------------------------------------------------------------


def _mark(days: int) -> str:
    """Stands for the number in all that a model is called."""
    return f"qq{days}qq"


def _live(project: Project, clock: SetClock) -> None:
    """Everybody lives through their days until now, and the engine with them."""
    told = sorted(
        (each for days in (*_UNDER_WAY, *_OVER) for each in _life(days)),
        key=lambda each: each["occurred_at"],
    )
    sender = wiring.sender(project)
    for each in told:
        at = datetime.fromisoformat(each["occurred_at"])
        if at > NOW:
            break
        _work(project, sender, clock, at)
        apply_all(project.database, [parse_event(each)], at)
    _work(project, sender, clock, NOW)


def _work(project: Project, sender: Any, clock: SetClock, end: datetime) -> None:
    while True:
        until_idle(project.planner, sender)
        with project.database.read() as connection:
            alarm = planning.next_alarm(connection)
        if alarm is None or alarm > end:
            break
        clock.set(max(alarm, clock.now()))
    clock.set(end)


def _life(days: int) -> Iterator[dict[str, Any]]:
    """Applied, up to two interviews, and a no."""
    end = _SOON.get(days, _LATE)
    mark = _mark(days)
    began = NOW - timedelta(days=days)
    person = {
        "id": f"c-{mark}",
        "email": f"c{mark}@example.com",
        "first_name": f"Ana{mark}",
        "last_name": "Silva",
        "timezone": "Europe/Lisbon",
        "country": "PT",
    }
    job = {"id": f"j-{days % 7}", "title": "Data Engineer", "location": "Lisbon"}
    application: dict[str, Any] = {"id": f"a-{mark}"}
    whole = {**application, "job": job, "recruiter": {"email": f"r{_OWNER}@example.com"}}

    def at(day: float, type_: str, **more: Any) -> dict[str, Any]:
        about = {"type": type_, "source": "bench", "id": f"{mark}:{day}:{type_}"}
        when = (began + timedelta(days=day)).isoformat()
        return {**about, "occurred_at": when, "candidate": {"id": f"c-{mark}"}, **more}

    def interview(number: int, starts: float, **more: Any) -> dict[str, Any]:
        starts_at = began + timedelta(days=starts, hours=4)
        return {
            "id": f"i-{mark}-{number}",
            "kind": "video" if number == 1 else "technical",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
            **more,
        }

    def stage(day: float, name: str) -> dict[str, Any]:
        return at(day, "application.stage_changed", application={**application, "stage": name})

    talk = {"kind": "call", "person": f"r{_OWNER}@example.com", "outcome": "spoke"}
    life = [
        at(0, "application.created", candidate=person, application=whole),
        stage(1, "screening"),
        stage(2, "interviewing"),
        at(2.1, "interview.scheduled", application=application, interview=interview(1, 8)),
        at(5, "candidate.replied"),
        at(8.5, "interview.completed", interview={"id": f"i-{mark}-1"}),
        at(9, "interview.scheduled", application=application, interview=interview(2, 17)),
        at(17.5, "interview.completed", interview={"id": f"i-{mark}-2"}),
        at(18, "contact.logged", application=application, contact=talk),
    ]
    yield from (
        each
        for each in life
        if datetime.fromisoformat(each["occurred_at"]) < began + timedelta(days=end)
    )
    yield at(end, "application.rejected", application=application)


# --- everybody else ------------------------------------------------------------------------------


_Rows = Mapping[str, list[dict[str, Any]]]


def _of_people() -> Iterable[Table]:
    """Tables about candidates, parents first."""
    for table in tables.metadata.sorted_tables:
        own = table.name == "candidates" or "candidate_id" in table.c
        if (own or table.name == "message_steps") and table.name not in _SHARED:
            yield table


def _rows_of(connection: Connection, days: int) -> _Rows:
    people = tables.candidates
    who = connection.execute(select(people.c.id).where(people.c.ref == f"c-{_mark(days)}")).scalar()
    found = {}
    for table in _of_people():
        query = select(table)
        if table.name == "candidates":
            query = query.where(table.c.id == who)
        elif table.name == "message_steps":
            own = select(tables.messages.c.id).where(tables.messages.c.candidate_id == who)
            query = query.where(table.c.message_id.in_(own))
        else:
            query = query.where(table.c.candidate_id == who)
        found[table.name] = [dict(row) for row in connection.execute(query).mappings()]
    return found


@contextmanager
def _hurrying(project: Project) -> Iterator[None]:
    """Rows come first, indexes at the end; and nothing here has to outlive a power cut."""
    names = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    for setting in ("synchronous = OFF", "cache_size = -500000"):
        event.listen(
            project.database.engine,
            "connect",
            lambda driver, _, setting=setting: driver.execute(f"PRAGMA {setting}"),
        )
    project.database.engine.dispose()
    with project.database.write() as connection:
        indexes = connection.exec_driver_sql(names).all()
        for name, _ in indexes:
            connection.exec_driver_sql(f'DROP INDEX "{name}"')
    yield
    for _, made in indexes:
        with project.database.write() as connection:
            connection.exec_driver_sql(made)


def _copies(
    project: Project, model: _Rows, mark: str, first: int, many: int, *, over: bool
) -> None:
    for start in range(first, first + many, _AT_ONCE):
        with project.database.write() as connection:
            last = min(start + _AT_ONCE, first + many) - 1
            copying = _Copying(connection, model, mark, start, last, over=over)
            for table in _of_people():
                copying.copy(table)


class _Copying:
    """One model's rows for the people of these numbers, a statement for each row."""

    def __init__(
        self,
        connection: Connection,
        model: _Rows,
        mark: str,
        first: int,
        last: int,
        *,
        over: bool,
    ) -> None:
        self.connection, self.model, self.mark = connection, model, mark
        self.first = first
        self.over = over
        n = select(literal(first).label("n")).cte("numbers", recursive=True)
        self.n = n.union_all(select(n.c.n + 1).where(n.c.n < last)).c.n
        self.ids: dict[tuple[str, int], Any] = {}

    def copy(self, table: Table) -> None:
        rows = self.model[table.name]
        if self.over and table.name == "verdicts":
            # What was said on the way and settled nothing is nine tenths of all rows.
            rows = [row for row in rows if row["final"]]
        most = 0
        if "id" in table.c and table.name != "candidates":
            most = self.connection.execute(select(func.max(table.c.id))).scalar() or 0
        for index, row in enumerate(rows):
            if "id" in row:
                self.ids[table.name, row["id"]] = (self.n - self.first) * len(rows) + (
                    most + index + 1
                )
            values = {
                column.name: self.value(table.name, column, row[column.name])
                for column in table.columns
                if row[column.name] is not None
            }
            query = insert(table).from_select(list(values), select(*values.values()))
            self.connection.execute(query)

    def value(self, table: str, column: Column[Any], value: Any) -> Any:
        match table, column.name:
            case ("candidates", "id") | (_, "candidate_id"):
                return self.n
            case (_, "id"):
                return self.ids[table, value]
            case (_, "enrollment_id"):
                return self.ids["enrollments", value]
            case (_, "message_id") if isinstance(value, int):
                return self.ids["messages", value]
            case ("tasks", "state") if self.over:
                return literal("done")
            case ("messages", "state") if self.over and value == MessageState.HELD:
                return literal(MessageState.CANCELLED.value)  # nobody looked, and it is long over
        if isinstance(column.type, JSON):
            return self.words(json.dumps(value))  # SQLite keeps it as text
        if isinstance(column.type, Instant):
            return self.season(value)
        if not isinstance(value, str):
            return literal(value, column.type)
        # What is one of its kind and does not carry its person's number gets it.
        alone = (column.name in ("source_id", "message_id", "subject", "promise")) or (
            table == "promises" and column.name == "ref"
        )
        if alone and self.mark not in value:
            return literal(f"{value}-", Text) + cast(self.n, Text)
        return self.words(value) if self.mark in value or _OWNER in value else literal(value)

    def words(self, text: str) -> Any:
        named = func.replace(literal(text, Text), self.mark, cast(self.n, Text))
        return func.replace(named, _OWNER, cast(self.n % RECRUITERS, Text))

    def season(self, at: datetime) -> Any:
        if not self.over:
            return literal(at, Instant())
        days = cast((self.n * 7) % _SEASONS, Integer)
        form = literal_column("'%Y-%m-%d %H:%M:%f000'")
        return func.strftime(form, literal(at, Instant()), cast(-days, Text) + " days")


def _settle(project: Project) -> None:
    """Mail of one in two hundred waits for an approval, of every recruiter's people."""
    messages = tables.messages
    newest = (
        select(func.max(messages.c.id))
        .where(messages.c.candidate_id % RECRUITERS % (RECRUITERS // 3) == 7)
        .where(messages.c.state == MessageState.SENT)
        .group_by(messages.c.candidate_id)
    )
    with project.database.write() as connection:
        held = update(messages).where(messages.c.id.in_(newest))
        connection.execute(held.values(state=MessageState.HELD, sent_at=None))
        connection.execute(text("ANALYZE"))
