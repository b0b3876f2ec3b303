"""What comes of a seed? The run, the checkers, and fewer actions that still go wrong."""

import logging
import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from nurture.authoring import lint
from nurture.rendering import templates
from nurture.store.database import Database
from nurture.store.tables import metadata
from tests.sim.ceilings import ceilings
from tests.sim.checkers import check
from tests.sim.drained import drained
from tests.sim.faults import Faults, attach
from tests.sim.log import Entry, Mail, Note, Told
from tests.sim.machine import Machine, fresh_folder
from tests.sim.past import Past
from tests.sim.scenario import Scenario, scenario

#: So many runs are spent on finding a shorter story.
_TRIES_MAX = 60


@dataclass(frozen=True)
class Outcome:
    seed: int
    wrong: tuple[str, ...]
    log: tuple[str, ...]  #: in words
    actions: int
    mails: int
    seconds: float  #: of this process's work
    dropped: frozenset[int] = field(default_factory=frozenset)  #: actions left out by shrinking
    story: tuple[str, ...] = ()  #: the actions that are left

    @property
    def kinds(self) -> set[str]:
        """Which checkers complain."""
        return {each.partition(":")[0] for each in self.wrong}


def run(seed: int, dropped: frozenset[int] = frozenset()) -> Outcome:
    """One seed: everything about it follows from the number."""
    world = scenario(seed)
    return _run(world.without(set(dropped)) if dropped else world, dropped)


def _run(world: Scenario, dropped: frozenset[int]) -> Outcome:
    with _in_quiet():
        return _lived(world, dropped)


def _lived(world: Scenario, dropped: frozenset[int]) -> Outcome:
    begun = time.process_time()
    place = _place()
    fresh_folder(place.folder)
    shutil.copy(place.empty, place.folder / "sim.db")
    machine = Machine(world, place.folder, place.database)
    place.faults[0] = machine.faults
    wrong: list[str] = []
    try:
        machine.run()
    except AssertionError as error:
        wrong.append(f"{type(error).__name__}: {error}"[:2000])
    except Exception:
        wrong.append("raised: " + traceback.format_exc(limit=-8))
    past = Past(machine.log)
    wrong += check(past)
    if not any(each.startswith(("raised", "StuckError", "AssertionError")) for each in wrong):
        wrong += drained(machine, past)
        wrong += ceilings(machine, past)
    place.database.close()
    return Outcome(
        seed=world.seed,
        wrong=tuple(wrong),
        log=tuple(_line(each) for each in machine.log),
        actions=len(world.actions),
        mails=len(past.mails),
        seconds=time.process_time() - begun,
        dropped=dropped,
        story=tuple(str(each) for each in world.actions),
    )


def shrink(failure: Outcome) -> Outcome:
    """The same kind of failure with fewer actions, as far as a few dozen runs find them."""
    best = failure
    total = len(scenario(failure.seed).actions)
    tries = 0
    size = max(total // 2, 1)
    while size >= 1 and tries < _TRIES_MAX:
        left = [n for n in range(total) if n not in best.dropped]
        for start in range(0, len(left), size):
            if tries >= _TRIES_MAX:
                break
            tries += 1
            again = run(failure.seed, best.dropped | frozenset(left[start : start + size]))
            if again.kinds & failure.kinds:
                best = again
        size //= 2
    return best


def first_failure(outcome: Outcome) -> str:
    more = f" (and {len(outcome.wrong) - 1} more)" if len(outcome.wrong) > 1 else ""
    return (outcome.wrong[0] if "\n" not in outcome.wrong[0] else outcome.wrong[0][-300:]) + more


def show(outcome: Outcome, *, whole: bool = False) -> str:
    """What happened, what was wrong, and how to see it again."""
    lines = [f"seed {outcome.seed}: {len(outcome.wrong)} wrong, {outcome.actions} actions"]
    if outcome.wrong or whole:
        lines += ["", *outcome.log]
    if outcome.dropped:
        lines += ["", "the actions that are enough:", *outcome.story]
    lines += ["", *(f"WRONG {each}" for each in outcome.wrong)]
    lines += [f"again: python -m tests.sim --seed {outcome.seed}"]
    return "\n".join(lines)


def _line(entry: Entry) -> str:
    match entry:
        case Mail():
            return f"   {entry}"
        case Told():
            return f"#{entry.seq} {entry.at:%a %d %b %H:%M:%S} told {entry.event}"
        case Note():
            detail = {k: v for k, v in entry.detail.items() if k != "rows"}
            return f"#{entry.seq} {entry.at:%a %d %b %H:%M:%S} {entry.what} {detail}"
    return str(entry)


@dataclass(frozen=True)
class _Place:
    """Where a process of the simulator works: one folder and one database file for all its seeds,
    so that statements are compiled once."""

    root: Path
    database: Database
    faults: list[Faults]

    @property
    def folder(self) -> Path:
        return self.root / "project"

    @property
    def empty(self) -> Path:
        return self.root / "empty.db"


@lru_cache(maxsize=1)
def _place() -> _Place:
    memory = Path("/dev/shm")
    above = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="nurture-sim-", dir=above))
    _clean_up(root)
    fresh_folder(root / "project")
    empty = Database(f"sqlite:///{root}/empty.db")
    with empty.write() as connection:
        metadata.create_all(connection)
    with empty.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    empty.close()
    place = _Place(root, Database(f"sqlite:///{root}/project/sim.db"), [Faults()])
    attach(place.database, lambda: place.faults[0])
    return place


#: What came of the text of a file: every process reads the same few at its start.
_READ: dict[tuple[Path, bytes], Any] = {}


@contextmanager
def _in_quiet() -> Iterator[None]:
    """Files are read once, and nobody looks for mails that have no room, which is found by trial,
    or reads the log."""
    read, crowded_out = templates.read_template, lint.crowded_out  # type: ignore[attr-defined]
    log = logging.getLogger("nurture")
    level = log.level

    def read_once(path: Path, folder: Path) -> Any:
        key = (path, path.read_bytes())
        if key not in _READ:
            _READ[key] = read(path, folder)
        return _READ[key]

    templates.read_template = read_once
    lint.crowded_out = lambda *_: iter(())  # type: ignore[attr-defined]
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        templates.read_template = read
        lint.crowded_out = crowded_out  # type: ignore[attr-defined]
        log.setLevel(level)


def _clean_up(root: Path) -> None:
    import atexit
    from multiprocessing import util

    atexit.register(shutil.rmtree, root, ignore_errors=True)
    util.Finalize(None, shutil.rmtree, args=(root,), kwargs={"ignore_errors": True}, exitpriority=1)
