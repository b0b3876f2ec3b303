"""The same engine as it is run for real: PostgreSQL beneath, a mail server in front."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller


class Mailbox:
    """A real SMTP server that takes most mail, and refuses some addresses for good or for now."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("gone"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("busy"):
            return "450 4.2.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope.original_content)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, port
    server.stop()


def test_events_become_mail_over_smtp_from_a_postgresql_database(
    folder: Path, mailbox: tuple[Mailbox, int], new_postgres: Callable[[], str]
) -> None:
    box, port = mailbox
    (folder / "config.yaml").write_text(
        "company: {name: Baker & Sons, address: 2 Mill Lane Porto, site: https://baker.test}\n"
        "sender: {name: The bakers, email: talent@baker.test}\n"
        "database: ${DATABASE}\n"
        f"transport: {{kind: smtp, host: 127.0.0.1, port: {port}, security: plain}}\n"
        "web: {public_url: https://jobs.baker.test}\n"
    )
    env = {**os.environ, "DATABASE": new_postgres()}

    def nurture(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "nurture", *words],
            cwd=folder,
            env=env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    early = nurture("run", "--once")
    assert early.returncode == 3
    assert "nurture db upgrade" in early.stderr
    assert nurture("db", "upgrade").returncode == 0

    events = [
        {
            "type": "application.created",
            "source": "test",
            "id": name,
            "occurred_at": "2026-11-22T09:00:00Z",
            "candidate": {"id": name, "email": f"{name}@example.com", "first_name": name.title()},
            "application": {"id": f"a-{name}", "job": {"id": "j1", "title": "Baker"}},
        }
        for name in ("ana", "gone", "busy")
    ]
    lines = [json.dumps(event) for event in events]
    told = nurture("events", "-", stdin="\n".join([*lines[:2], "{not json", lines[2]]) + "\n")
    assert told.returncode == 1, "the bad line is reported, the rest is taken"
    assert "3:" in told.stderr

    done = nurture("run", "--once")
    assert done.returncode == 0, done.stderr
    (raw,) = box.taken
    mail = message_from_bytes(raw, policy=default)
    assert mail["To"] == "Ana <ana@example.com>"
    assert mail["From"] == "The bakers <talent@baker.test>"
    assert b"Baker & Sons" in raw
    assert b"\n" not in raw.replace(b"\r\n", b"")

    states = {
        row["candidate"]: row["state"]
        for row in map(json.loads, nurture("messages", "--json").stdout.splitlines())
    }
    assert states == {"ana": "sent", "gone": "failed", "busy": "retrying"}
    assert "no address that works" in nurture("explain", "gone").stdout
    assert nurture("run", "--once").returncode == 0
    assert len(box.taken) == 1
