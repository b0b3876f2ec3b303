"""Does it hold as a real process: started, looked at, told to stop?"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.conftest import fewer

#: A loaded machine is slow; what does not happen in this time does not happen.
DEADLINE = 60.0
EVENT = {
    "type": "application.created",
    "candidate": {"id": "p-1", "email": "pia@example.com", "first_name": "Pia"},
    "application": {"id": "p-app", "job": {"title": "Baker"}, "stage": "applied"},
}


def until(holds: Callable[[], object], what: str) -> None:
    """Waits for a condition, and fails saying which one never held."""
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.1)


@dataclass
class House:
    """A project folder and the processes at work on it."""

    folder: Path
    port: int = 0
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def nurture(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        process = self.start(*words)
        out, err = process.communicate(stdin, timeout=DEADLINE)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "nurture", *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def healthz(self) -> dict[str, str]:
        try:
            opener = build_opener(ProxyHandler({}))
            with opener.open(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                found: dict[str, str] = json.load(answer)
                return found
        except (URLError, OSError):
            return {}

    def mails(self) -> list[Path]:
        return list((self.folder / "var/outbox").rglob("*.eml"))


def stopped(daemon: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> tuple[str, str]:
    daemon.send_signal(number)
    out, err = daemon.communicate(timeout=DEADLINE)
    assert daemon.returncode == 0, err
    return out, err


@pytest.fixture
def house(folder: Path) -> Iterator[House]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "config.yaml"
    config.write_text(re.sub(r"port: 8420", f"port: {port}", config.read_text()))
    fewer(folder)
    house = House(folder, port)
    yield house
    for process in house.started:
        with process:  # closes its pipes
            process.kill()


def test_the_daemon_mails_shows_its_pages_and_stops_when_told(house: House) -> None:
    daemon = house.start("run", "--log", "json")
    until(lambda: house.healthz().get("last_tick"), "the daemon's first work")
    assert house.healthz()["status"] == "ok"
    until(lambda: len(house.mails()) >= 3, "the first mails")

    beside = house.nurture("run", "--once")
    assert beside.returncode == 3
    assert re.fullmatch(r"nurture: another nurture process is at work .*\n", beside.stderr)
    second = house.nurture("run")
    assert second.returncode == 3
    assert re.fullmatch(rf"nurture: pages: 127\.0\.0\.1:{house.port}: .*\n", second.stderr)

    before = len(house.mails())
    assert house.nurture("events", "-", stdin=json.dumps(EVENT)).returncode == 0
    until(lambda: len(house.mails()) > before, "the mail for another process's event")

    out, err = stopped(daemon)
    assert f"pages: http://127.0.0.1:{house.port}\n" in out
    assert "8 sample candidates" in out
    lines = [json.loads(line) for line in err.splitlines()]
    assert all({"ts", "level", "action"} <= set(line) for line in lines)
    assert {"planned", "handed-over", "stopping"} <= {line["action"] for line in lines}
    assert "@" not in err  # ids only
    assert house.healthz() == {}


def test_ctrl_c_ends_as_well_as_it_does_without_pages(house: House) -> None:
    daemon = house.start("run", "--no-web")
    until(lambda: len(house.mails()) >= 3, "the first mails")
    assert house.healthz() == {}
    out, err = stopped(daemon, signal.SIGINT)
    assert "pages:" not in out
    assert "Traceback" not in err


def test_a_taken_port_is_one_line_and_nothing_was_begun(house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", house.port))
        taken.listen()
        result = house.nurture("run")
    assert result.returncode == 3
    (line,) = result.stderr.splitlines()
    assert f"127.0.0.1:{house.port}" in line
    assert "--no-web" in line
    assert not (house.folder / "var").exists()


def test_a_reader_who_leaves_early_is_no_error(house: House) -> None:
    assert house.nurture("run", "--once").returncode == 0
    with house.start("messages", "--limit", "5") as reader:
        assert reader.stdout is not None
        reader.stdout.close()
        assert reader.stderr is not None
        assert "Traceback" not in reader.stderr.read()
