"""The halves of the daemon as processes of their own, on one PostgreSQL database."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 60  # seconds


@contextmanager
def process(folder: Path, env: dict[str, str], *words: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-m", "nurture", *words],
        cwd=folder,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        try:
            yield running
        finally:
            running.terminate()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.2)


def test_one_process_decides_and_two_send_and_each_mail_goes_once(
    folder: Path, new_postgres: Callable[[], str]
) -> None:
    (folder / "config.yaml").write_text("database: ${DATABASE}\n")
    env = {**os.environ, "DATABASE": new_postgres()}

    def nurture(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "nurture", *words],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=True,
        )
        return done.stdout

    def mails() -> list[str]:
        return [path.name for path in (folder / "var/outbox").glob("*.eml")]

    nurture("db", "upgrade")
    with process(folder, env, "plan"), process(folder, env, "send"), process(folder, env, "send"):
        until(lambda: Counter(nurture("status").split()).get("send", 0) == 2)
        lines = [
            f'{{"type": "application.created", "source": "t", "id": "e{n}",'
            f' "occurred_at": "2026-01-05T09:00:00Z", "candidate": {{"id": "c{n}",'
            f' "email": "c{n}@example.com", "first_name": "Ana{n}"}}, "application":'
            f' {{"id": "a{n}", "job": {{"title": "Baker"}}}}}}\n'
            for n in range(12)
        ]
        (folder / "more.jsonl").write_text("".join(lines))
        nurture("events", "more.jsonl")
        until(lambda: len(mails()) >= 12)
    assert len(mails()) == 12
    assert "at work" not in nurture("status")  # each said goodbye
    assert nurture("messages", "--json").count('"state": "sent"') == 12
