"""How is a daemon started a hundred times in a minute? As a fork of a process that knows it all.

What this forks is `nurture` as its users have it: a process of its own, in its own folder, with its
own files, locks and connections, begun by the same function. Only importing was done before. It can
be killed by anybody, and it can be told to kill itself with SIGKILL at an exact place: before or
after the n-th commit, before or after the n-th line of the lane journal. Constants that are minutes
for users are a second here, because a test cannot wait: each is named where it is set.
"""

import faulthandler
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 60.0

#: In seconds, by the name in the source.
SHORTENED = {
    "nurture.core.outcome:FIRST_RETRY": 0.2,
    "nurture.engine.sender:LEASE": 1.5,
    "nurture.engine.sender:LEASE_MARGIN": 0.5,
    "nurture.engine.sender:RENEW": 0.3,
    "nurture.engine.daemon:LEASES": 0.3,
    "nurture.engine.daemon:LOOK": 0.1,
    "nurture.delivery.conversation:REST_SECONDS": 0.3,
}

T = TypeVar("T")


def wait_for(what: Callable[[], T], why: str = "it did not happen in time") -> T:
    """The first true value of `what`."""
    end = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < end, why
        time.sleep(0.002)
    return found


@dataclass
class Life:
    """A process, from its start to its end."""

    zygote: "Zygote"
    pid: int
    ended: int | None = None  #: exit code; below zero: the signal that ended it

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        if not self.over():
            os.kill(self.pid, how)

    def over(self) -> bool:
        if self.ended is None:
            self.ended = self.zygote.ask(wait=self.pid)
        return self.ended is not None

    def end(self) -> int:
        """How it ended, once it has."""
        try:
            wait_for(self.over, "the process does not end")
        except AssertionError:
            self.kill(signal.SIGUSR1)
            raise
        assert self.ended is not None
        return self.ended


class Zygote:
    """The process that forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.zygote"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def start(
        self,
        folder: Path,
        *words: str,
        trap: Mapping[str, Any] | None = None,
        shortened: Mapping[str, float] = SHORTENED,
        limits: Mapping[str, int] | None = None,
        said: Path | None = None,
    ) -> Life:
        """`nurture` with these words, by default the daemon. `limits`: names of `resource`, with
        bytes; `trap`: where it kills itself, as `_arm` reads it; `said`: a file for its output."""
        started = self.ask(
            folder=str(folder),
            words=words or ("run", "--no-web", "--log", "json"),
            trap=dict(trap or {}),
            shortened=dict(shortened),
            limits=dict(limits or {}),
            said=str(said or ""),
        )
        return Life(self, int(started))

    def ask(self, **words: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


# --- In the process that forks ------------------------------------------------------------------


def _serve() -> None:
    _learn()
    alive: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            pid, status = os.waitpid(asked["wait"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
            alive.discard(pid)
        else:
            answer = os.fork()
            if answer == 0:
                _become(asked)
            alive.add(answer)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    for pid in alive:  # whoever asked is gone
        os.kill(pid, signal.SIGKILL)


def _learn() -> None:
    """Everything that a daemon imports, also what it imports late."""
    for name in (
        "nurture.cli",
        "nurture.delivery.smtp",
        "nurture.delivery.outbox",
        "psycopg",
        "sqlalchemy.dialects.postgresql.psycopg",
        "sqlalchemy.dialects.sqlite.pysqlite",
        "alembic.command",
        "babel.dates",
        "holidays",
        "premailer",
    ):
        import_module(name)


def _become(asked: Mapping[str, Any]) -> None:
    """From here on this is `nurture` and nothing else."""
    import resource

    os.chdir(asked["folder"])
    log = os.open("daemon.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nowhere = os.open(os.devnull, os.O_RDWR)
    asked_for = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    said = os.open(asked["said"], asked_for, 0o600) if asked["said"] else nowhere
    for number, file in ((0, nowhere), (1, said), (2, log)):
        os.dup2(file, number)
    faulthandler.register(signal.SIGUSR1)  # all threads, into the log
    for place, seconds in asked["shortened"].items():
        module, _, name = place.partition(":")
        old = getattr(import_module(module), name)
        new = timedelta(seconds=seconds) if isinstance(old, timedelta) else seconds
        setattr(import_module(module), name, new)
    for name, size in asked["limits"].items():
        resource.setrlimit(getattr(resource, name), (size, size))
    _arm(asked["trap"])
    sys.argv = ["nurture", *asked["words"]]
    code = 70
    try:
        from nurture.__main__ import rest
        from nurture.cli import main

        rest()
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.stderr.flush()
        os._exit(code)


def _arm(trap: Mapping[str, Any]) -> None:
    """`at`: commit, journal or record; `when`: before or after; `n`: at which of them."""
    if not trap:
        return
    from sqlalchemy.engine.default import DefaultDialect

    from nurture.engine.journal import Journal
    from nurture.store import planning

    owner, name = {
        "commit": (DefaultDialect, "do_commit"),
        "journal": (Journal, "offer"),
        "record": (planning, "record_outcomes"),
    }[trap["at"]]
    sound, seen = getattr(owner, name), [0]

    def deadly(*words: Any) -> Any:
        seen[0] += 1
        mine = seen[0] == trap["n"]
        if mine and trap["when"] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = sound(*words)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(owner, name, deadly)


if __name__ == "__main__":
    _serve()
