"""What may go wrong, and where? Faults at every call of the database, and a mail server with moods.

A crash is not an error: nothing in the engine may catch it, and what was not committed is gone.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from nurture.core.model import (
    Accepted,
    Blame,
    Deferred,
    Outcome,
    Rejected,
    Unknown,
)
from nurture.store.database import Database


class Crash(BaseException):
    """The process that does this is gone. `down`: for so many minutes."""

    def __init__(self, down: float) -> None:
        super().__init__(f"crash, down for {down} minutes")
        self.down = down


@dataclass(eq=False)
class Armed:
    """A fault that waits for its moment: the `after`th time that its place is passed."""

    #: statement | before commit | after commit | commit | mark | after mark | renewal | drawn |
    #: before line | after line | hand-over | after hand-over | before answer | after answer
    where: str
    after: int
    act: Callable[[], None]


@dataclass
class Faults:
    """Everything that is armed. Only work of the engine passes here, never the simulator's own."""

    armed: list[Armed] = field(default_factory=list)
    refusals: int = 0  #: so many statements fail, from now on
    answers: list[str] = field(default_factory=list)  #: what the mail server says next
    left_of: Counter[str] = field(default_factory=Counter)  #: so often "full" or "no-room"
    watching: bool = False
    marking: bool = False  #: this transaction marks messages as sending

    def stop(self) -> None:
        """From here on nothing goes wrong any more."""
        self.armed.clear()
        self.answers.clear()
        self.refusals = 0
        self.left_of.clear()

    @property
    def left(self) -> bool:
        return bool(self.armed or self.answers or self.refusals or +self.left_of)

    def meets(self, what: str) -> bool:
        """Whether this goes wrong here."""
        if self.left_of[what] <= 0:
            return False
        self.left_of[what] -= 1
        return True

    def passes(self, where: str) -> None:
        if not self.watching:
            return
        for each in list(self.armed):
            if each.where == where and each in self.armed:  # else one before it has met it
                each.after -= 1
                if each.after <= 0:
                    self.armed.remove(each)
                    each.act()

    @contextmanager
    def watched(self) -> Iterator[None]:
        before, self.watching = self.watching, True
        try:
            yield
        finally:
            self.watching = before

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        before, self.watching = self.watching, False
        try:
            yield
        finally:
            self.watching = before


def attach(database: Database, faults: Callable[[], Faults]) -> None:
    """Every statement and every commit of this database passes the faults in force then."""
    engine = database.engine

    def statement(_: Any, sql: str, *__: Any) -> None:
        now = faults()
        if not now.watching:
            return
        if sql.startswith("UPDATE messages SET") and "lease" in sql:
            now.marking = "attempts" in sql
            now.passes("mark" if now.marking else "renewal")
        if now.refusals > 0:
            now.refusals -= 1
            raise sqlite3.OperationalError("disk I/O error")
        now.passes("statement")

    for name in ("do_execute", "do_executemany", "do_execute_no_params"):
        event.listen(engine, name, statement)
    commit = engine.dialect.do_commit

    def commits(connection: Any) -> None:
        now = faults()
        now.passes("before commit")
        commit(connection)
        marked, now.marking = now.marking, False
        if marked:
            now.passes("after mark")
        now.passes("after commit")
        now.passes("commit")

    engine.dialect.do_commit = commits  # type: ignore[method-assign]


@dataclass(frozen=True)
class Answer:
    """What the mail server did, and what the engine is told of it."""

    accepted: bool
    told: Outcome | None  #: None: the connection breaks with an exception
    minutes: int = 0  #: that it took


def answer(word: str) -> Answer:
    name, _, number = word.partition(" ")
    match name:
        case "defer":
            return Answer(False, Deferred(code=451, text="451 try later"))
        case "lost":
            return Answer(True, Unknown(text="no answer in time"))
        case "vanished":
            return Answer(False, Unknown(text="no answer in time"))
        case "raise":
            return Answer(True, None)
        case "refuse-content":
            return Answer(False, Rejected(code=554, text="554 no", blame=Blame.CONTENT))
        case "refuse-address":
            return Answer(False, Rejected(code=550, text="550 no such user", blame=Blame.ADDRESS))
        case "slow":
            return Answer(True, Accepted(), int(number))
        case _:
            return Answer(True, Accepted())
