"""How do we reach the rows? One code path over SQLite and PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    NoSuchModuleError,
    OperationalError,
    StatementError,
)

from nurture.errors import OutsideError, UsageError, shown

#: The other rooms name a connection by this module: only the store imports SQLAlchemy.
__all__ = ["CHANNEL", "Connection", "Contended", "Database", "outside", "sole"]

CHANNEL = "nurture_rung"  # PostgreSQL's LISTEN/NOTIFY channel for alarms


class Database:
    """An engine with the two kinds of transaction there are: `read()` and `write()`.

    On SQLite a write takes the one write lock at once (BEGIN IMMEDIATE), so it waits at its start
    and never fails in its middle; readers see the state before it (WAL).
    """

    def __init__(self, url: str, root: Path | None = None) -> None:
        self.engine = _engine(url, root or Path())
        self.dialect = self.engine.dialect.name
        self._noticed: Any = None
        self._ear: Any = None

    @property
    def file(self) -> Path | None:
        """The SQLite file, or None where there is none."""
        name = self.engine.url.database
        return Path(name) if self.dialect == "sqlite" and name and name != ":memory:" else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with outside(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with outside(), self.engine.connect() as connection:
            connection.execution_options(nurture_write=True)
            with connection.begin():
                yield connection

    def changed(self) -> bool:
        """Whether another process may have written since the last call: at the first one and after
        a lost connection it may, since nobody listened. Reads no table."""
        try:
            return self._heard()
        except Exception as error:
            self._ear = None  # the connection is lost: the next call makes another
            raise OutsideError(
                f"database: {next(iter(str(error).splitlines()), 'lost')}"
            ) from error

    def _heard(self) -> bool:
        new = self._ear is None
        if new:
            # The driver's own connection, in no transaction: within one nothing new can be seen.
            self._ear = self.engine.raw_connection()
            if self.dialect == "postgresql":
                self._ear.driver_connection.autocommit = True
                self._ear.driver_connection.execute(f"LISTEN {CHANNEL}")
        driver = self._ear.driver_connection
        if self.dialect == "postgresql":
            return bool(list(driver.notifies(timeout=0))) or new
        version = driver.execute("PRAGMA data_version").fetchone()
        before, self._noticed = self._noticed, version
        return bool(before != version) or new

    def close(self) -> None:
        if self._ear is not None:
            self._ear.close()
            self._ear = None
        self.engine.dispose()


class Contended(OutsideError):  # noqa: N818 - a state, as its siblings in errors.py
    """Two processes wanted the same rows in another order, or one of them took them away. Nothing
    was written; the same once more is all it needs."""


#: PostgreSQL's codes for that: serialization failure, deadlock.
_CONTENDED = ("40001", "40P01")


@contextmanager
def outside() -> Iterator[None]:
    """A database that fails is a part outside that failed: one line, no traceback."""
    try:
        yield
    except DatabaseError as error:
        # Its other kinds (a broken constraint, a wrong statement) are our own mistakes.
        if getattr(error.orig, "sqlstate", None) in _CONTENDED:
            raise Contended(f"database: {first_line(error)}") from error
        if isinstance(error, OperationalError) or type(error) is DatabaseError:
            raise OutsideError(f"database: {first_line(error)}") from error
        raise


@contextmanager
def sole(database: Database) -> Iterator[bool]:
    """Hold the one place of the process that plans and sends on an SQLite file. Gives whether there
    can be no other.

    The lock is SQLite's own, on a file beside the database, so it goes when its holder dies.
    PostgreSQL needs none: there processes share the work through row locks.
    """
    if database.file is None:
        yield database.dialect == "sqlite"
        return
    lock = sqlite3.connect(f"{database.file}.lock", timeout=0, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise OutsideError(
                f"another nurture process is at work on {shown(database.file)}: stop it first, or"
                " move to PostgreSQL, where many may share the work"
            ) from error
        yield True
    finally:
        lock.close()


def first_line(error: StatementError) -> str:
    """What the database said, without what was to be written: that is about people."""
    return next(iter(str(error.orig).strip().splitlines()), "failed")


def _engine(url: str, root: Path) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            if parsed.database and parsed.database != ":memory:":
                file = root / parsed.database
                file.parent.mkdir(parents=True, exist_ok=True)
                parsed = parsed.set(database=str(file))
            options = {"timeout": 30}
            # Parameters are people's data: they stay out of messages and logs.
            return _sqlite(create_engine(parsed, connect_args=options, hide_parameters=True))
        if parsed.get_backend_name() == "postgresql":
            engine = create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
            return _postgresql(engine)
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError(
            "database: not an address of SQLite (sqlite:///var/nurture.db) or PostgreSQL"
            " (postgresql+psycopg://user:password@host/name)"
        ) from error
    except OSError as error:
        raise OutsideError(f"database: {error.strerror}: {error.filename}") from error
    raise UsageError(f"database: {parsed.get_backend_name()} is neither sqlite nor postgresql")


def _postgresql(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def settings(connection: Any, _record: Any) -> None:
        # Instants are read in the session's zone: elsewhere the last day of 9999 may be beyond.
        connection.execute("SET TIME ZONE 'UTC'")
        connection.commit()

    return engine


def _sqlite(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy emits BEGIN below, the driver must not
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("nurture_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def one_at_a_time(connection: Connection, name: str) -> None:
    """Until this transaction ends, nobody else passes here under the same name: for who compares a
    mark with what is and writes both. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        key = func.hashtextextended(f"nurture {name}", 0)
        connection.execute(select(func.pg_advisory_xact_lock(key)))
