"""The daemon as its users meet it: a real process, real files, real signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import fewer

PATIENCE = 120.0  # for a busy machine; what is promised is measured apart


def wait_for(what: Callable[[], Any], seconds: float = PATIENCE, every: float = 0.2) -> Any:
    """The first true value of `what`; fails when it takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(every)  # looking takes from what is looked at
    raise AssertionError("it did not happen in time")


class Running:
    """A project folder with a daemon that can be started, told things and killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "daemon.log"
        self.process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = folder / "config.yaml"
        config.write_text(config.read_text().replace("port: 8420", f"port: {port}"))

    def command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "nurture", *words],
            cwd=self.folder,
            env=os.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "nurture", "run", "--log", "json"],
                cwd=self.folder,
                env=os.environ,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def lines(self, action: str) -> list[dict[str, Any]]:
        found = []
        for line in self.log.read_text().splitlines() if self.log.exists() else []:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry.get("action") == action:
                found.append(entry)
        return found

    def mails(self) -> list[str]:
        """Message-IDs in the outbox, one for each file."""
        files = sorted((self.folder / "var/outbox").glob("*.eml"))
        ids = [
            message_from_bytes(each.read_bytes(), policy=default)["Message-ID"] for each in files
        ]
        return [str(each) for each in ids]

    def written(self) -> dict[str, int]:
        """Each mail's file, and when it was written."""
        return {
            each.name: each.stat().st_mtime_ns
            for each in (self.folder / "var/outbox").glob("[0-9]*.eml")
        }

    def tell(self, **event: Any) -> None:
        event = {"source": "test", "occurred_at": datetime.now(UTC).isoformat(), **event}
        told = self.command("events", "-", stdin=json.dumps(event) + "\n")
        assert told.returncode == 0, told.stderr

    def agenda(self, who: str) -> dict[str, dict[str, Any]]:
        told = self.command("agenda", who, "--json")
        assert told.returncode == 0, told.stderr
        rows = [json.loads(line) for line in told.stdout.splitlines()]
        return {row["step"]: row for row in rows}


@pytest.fixture
def running(folder: Path) -> Iterator[Running]:
    running = Running(folder)
    yield running
    if running.process is not None:
        running.process.kill()
        running.process.wait()


def test_killed_and_started_again_it_sends_nothing_twice_and_loses_nothing(
    running: Running,
) -> None:
    written: dict[str, int] = {}
    for _ in range(2):  # both in the middle of a window
        enough = len(written) + 3
        running.start()
        # By night there are a few mails less: the second time all may be done before it is seen.
        wait_for(
            lambda enough=enough: len(running.written()) >= enough or running.lines("let-through"),
            every=0.005,
        )
        assert running.stop(signal.SIGKILL) == -signal.SIGKILL
        # A second hand-over would replace the file: the outbox keeps one for each Message-ID.
        assert written.items() <= running.written().items()
        written = running.written()
    last = running.command("run", "--once")
    assert last.returncode == 0, last.stderr
    assert written.items() <= running.written().items()
    ids = running.mails()
    assert len(ids) == len(set(ids)) >= 10
    states = [
        json.loads(line) for line in running.command("messages", "--json").stdout.splitlines()
    ]
    sent = {row["message_id"] for row in states if row["state"] == "sent"}
    doubtful = {row["message_id"] for row in states if row["state"] == "unknown"}
    assert sent <= set(ids) <= sent | doubtful
    again = running.command("run", "--once")
    assert again.returncode == 0
    assert running.mails() == ids


def test_facts_and_edits_made_while_it_runs_take_effect_by_themselves(running: Running) -> None:
    fewer(running.folder)
    running.start()
    wait_for(lambda: running.lines("handed-over"))
    before = len(running.mails())

    # What another process writes.
    # At two in the afternoon: at night both reminders would come on the evening before.
    noon = datetime.now(UTC).replace(hour=14, minute=0, second=0, microsecond=0)
    starts = noon + timedelta(days=9)
    running.tell(
        type="interview.scheduled",
        candidate={"id": "x1", "email": "x1@example.com", "first_name": "Xenia"},
        application={"id": "ax1", "job": {"id": "jx", "title": "Baker"}},
        interview={"id": "ix1", "kind": "video", "starts_at": starts.isoformat()},
    )
    wait_for(lambda: len(running.mails()) > before)
    assert running.agenda("x1")["confirmation"]["verdict"] == "sent"

    # A right edit.
    file = running.folder / "campaigns/interview-preparation.yaml"
    text = file.read_text()
    assert "2 hours before interview.starts_at" in text
    reminder = running.agenda("x1")["two-hours-before"]["at"]
    file.write_text(text.replace("at: 2 hours before", "at: 3 hours before"))
    wait_for(lambda: running.lines("reloaded"))
    assert running.agenda("x1")["two-hours-before"]["at"] != reminder

    # A broken one: said in the log with its place, and the last good version goes on.
    file.write_text(text.replace("steps:", "stpes:"))
    problems = wait_for(lambda: running.lines("problem"))
    assert "unknown-key" in {problem["code"] for problem in problems}
    count = len(running.mails())
    running.tell(
        type="interview.scheduled",
        candidate={"id": "x2", "email": "x2@example.com"},
        application={"id": "ax2", "job": {"id": "jx", "title": "Baker"}},
        interview={"id": "ix2", "kind": "video", "starts_at": starts.isoformat()},
    )
    wait_for(lambda: len(running.mails()) > count)

    # Mended: said too.
    file.write_text(text)
    (mended,) = wait_for(lambda: running.lines("mended"))
    assert mended["file"] == "campaigns/interview-preparation.yaml"
    assert running.stop() == 0


def test_no_address_and_no_name_stands_in_the_log(running: Running) -> None:
    running.start()
    wait_for(lambda: running.lines("handed-over"))
    running.stop()
    text = running.log.read_text()
    assert "@" not in text
    assert "Silva" not in text
