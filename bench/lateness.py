"""How late is mail, and how big does a daemon become? A real `nurture run`, on the real clock.

The daemon is a process of its own and knows nothing of the measurement. Late is a letter from the
instant its step is due until the server, which notes the time itself, has said 250 to it.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import crowd, mailing, postgres, sink
from bench.sink import Taken

#: At any hour of any day, so that it can be measured whenever somebody likes to.
_ANY_HOUR = "categories: {help: {hours: any}}"
_STARTING = timedelta(seconds=6)  #: until a daemon is surely at work
_WRITING = timedelta(milliseconds=3)  #: for each of those who are due, to write down when
_PATIENCE = 600  #: seconds


def lateness(quick: bool) -> dict[str, float]:
    """How long from the instant a letter is due until the server has accepted it?"""
    many, rate, seconds = (300, 10, 5) if quick else (10_000, 10, 60)
    shapes: dict[str, tuple[int, Callable[[int], float]]] = {
        f"{many} at once": (many, lambda _: 0.0),
        f"{rate} a second for {seconds} s": (rate * seconds, lambda index: index / rate),
    }
    answers: dict[str, float] = {}
    for kind, address in _databases():
        for name, (due, after) in shapes.items():
            with _prepared(address(), due) as start:
                first = _soon(due)
                at = {n: first + timedelta(seconds=after(n)) for n in range(due)}
                day = start(at)
                late = sorted(mail.at - day.due[mail.to].timestamp() for mail in day.taken)
            label = f"{kind}, {name}"
            answers |= {
                f"{label}: p50, seconds": _quantile(late, 0.5),
                f"{label}: p99, seconds": _quantile(late, 0.99),
                f"{label}: the last, seconds": late[-1],
            }
    return answers


def memory(quick: bool) -> dict[str, float]:
    """How much memory does a daemon take at its peak that works a day's mail among a million?"""
    enrolled, due = (5_000, 300) if quick else (1_000_000, 20_000)
    answers: dict[str, float] = {"enrolled": enrolled, "mails of the day": due}
    for kind, address in _databases():
        with _prepared(address(), enrolled) as start:
            first = _soon(due)
            stride = enrolled // due
            day = start({n * stride: first for n in range(due)})
            answers[f"{kind}: MB at the peak"] = day.peak_mb
            answers[f"{kind}: mails a second"] = due / (
                max(mail.at for mail in day.taken) - first.timestamp()
            )
    return answers


@dataclass(frozen=True)
class Day:
    """What came of a daemon's work."""

    taken: list[Taken]
    due: Mapping[str, datetime]  #: by address
    peak_mb: float


#: Which of those enrolled are due when; runs the daemon until all of them have their letter.
_Start = Callable[[Mapping[int, datetime]], Day]


@contextmanager
def _prepared(database: str, many: int) -> Iterator[_Start]:
    """So many enrolled, of whom nobody is due yet."""
    with TemporaryDirectory(prefix="nurture-day-") as folder, sink.watched() as (port, taken):
        at = Path(folder) / "project"
        now = datetime.now(UTC)
        project = mailing.project(at, port, database, _ANY_HOUR, now)
        project.begin()
        crowd.fill(project, many, now)
        ids = list(crowd.numbers(project, many))

        def start(due: Mapping[int, datetime]) -> Day:
            crowd.schedule(project, {ids[index]: then for index, then in due.items()})
            project.close()
            if datetime.now(UTC) + _STARTING > min(due.values()):
                raise SystemExit("this machine is too busy: the first was due before the daemon")
            peak = _work_until(at, lambda: len(taken()) >= len(due))
            by_address = {f"c{ids[index]}@example.com": then for index, then in due.items()}
            mails = taken()
            assert {mail.to for mail in mails} == by_address.keys(), len(mails)
            assert len(mails) == len(due), len(mails)
            return Day(taken=mails, due=by_address, peak_mb=peak)

        yield start


def _soon(due: int) -> datetime:
    return datetime.now(UTC) + 2 * _STARTING + due * _WRITING


def _work_until(at: Path, done: Callable[[], bool]) -> float:
    """MB of memory at the daemon's peak."""
    command = [sys.executable, "-m", "nurture", "run", "--no-web"]
    environment = {**os.environ, "PYTHONPATH": str(mailing.ROOT)}
    with (
        (at / "said").open("wb") as said,
        subprocess.Popen(command, cwd=at, env=environment, stdout=said, stderr=said) as process,
    ):
        end = time.monotonic() + _PATIENCE
        while not done() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
        finished = done()
        peak = _peak(process.pid) if process.poll() is None else 0.0
        process.send_signal(signal.SIGTERM)
        if process.wait() != 0 or not finished:
            raise SystemExit("the daemon did not finish:\n" + (at / "said").read_text()[-2000:])
    return peak


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _databases() -> Iterator[tuple[str, Callable[[], str]]]:
    yield "SQLite", lambda: "sqlite:///var/nurture.db"
    with ExitStack() as stack:
        yield "PostgreSQL", stack.enter_context(postgres.server()).new
