"""The same table with files edited under a running daemon: it notices by itself, within seconds.

One daemon for all rows: each row has a campaign and people of its own, all files are edited, and
what becomes of everybody is read as users read it. On PostgreSQL: tests/engine/test_edit_table.py
has the table on SQLite.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from nurture.store.database import Database
from nurture.store.tables import candidates, message_steps, messages
from tests.acceptance.test_daemon_process import Running, wait_for

FILE = """\
name: {row}
status: live
enter:
  on: custom.{row}
  once_per: candidate
leave:
  - on: [application.withdrawn]
steps:
  - send: notes/one
  - send: notes/two
    after: 2 days
  - send: notes/three
    after: 10 days
"""
TEMPLATE = """\
---
subject: About {name}
preheader: A short note
category: {category}
---

Hello, this is {name}.
"""
ROWS = (
    *("moment", "added", "removed", "moved", "branch", "renamed", "kept", "words"),
    *("paused", "deleted", "leave", "enter"),
)
LATER = "    after: 2 days\n"
#: For each row: what is written otherwise.
EDITS = {
    "moment": (LATER, "    after: 0 minutes\n"),
    "added": ("  - send: notes/two\n", "  - send: notes/new\n  - send: notes/two\n"),
    "removed": ("  - send: notes/two\n    after: 2 days\n", ""),
    "moved": (
        "  - send: notes/two\n    after: 2 days\n  - send: notes/three\n    after: 10 days\n",
        "  - send: notes/three\n    after: 0 minutes\n  - send: notes/two\n    after: 2 days\n",
    ),
    "branch": ("        id: other\n", "        id: other\n      - send: notes/new\n"),
    "renamed": (LATER, "    after: 0 minutes\n    id: second\n"),
    "kept": (LATER, "    after: 0 minutes\n    id: second\n    was: two\n"),
    "paused": ("status: live", "status: paused"),
    "leave": ("application.withdrawn", "candidate.replied"),
    "enter": (
        "  once_per: candidate\n",
        '  if: candidate.country == "DE"\n  once_per: candidate\n',
    ),
}
BRANCH = """\
  - if: candidate.country == "DE"
    id: where
    then:
      - send: notes/three
        id: other
    else:
      - send: notes/two
"""


class Live(Running):
    def __init__(self, folder: Path, database_url: str) -> None:
        super().__init__(folder)
        self.database = Database(database_url)

    def file(self, row: str) -> Path:
        return self.folder / f"campaigns/{row}.yaml"

    def edit(self, row: str, was: str, now: str) -> None:
        text = self.file(row).read_text()
        assert was in text
        self.file(row).write_text(text.replace(was, now))

    def enter(self, *who: tuple[str, str]) -> None:
        """People who enter the campaign of a row: the row, and what their name has beside it."""
        lines = [
            {
                "type": f"custom.{row}",
                "source": "test",
                "id": f"{row} {number}",
                "occurred_at": "2026-01-05T10:00:00Z",
                "candidate": {"id": row + number, "email": f"{row}{number}@example.com"},
            }
            for row, number in who
        ]
        told = self.command("events", "-", stdin="".join(f"{json.dumps(each)}\n" for each in lines))
        assert told.returncode == 0, told.stderr

    def sent(self) -> dict[str, list[str]]:
        """What everybody got: steps by candidate, oldest first."""
        told = self.command("messages", "--state", "sent", "--json")
        assert told.returncode == 0, told.stderr
        found: dict[str, list[str]] = {}
        for row in reversed([json.loads(line) for line in told.stdout.splitlines()]):
            found.setdefault(row["candidate"], []).append(row["step"])
        return found

    def becomes(self, expected: dict[str, list[str]]) -> None:
        """Waits until everybody got this. The waiting looks into the database, since a process for
        each look would keep the daemon from its work; what is found is what users read."""
        with suppress(AssertionError):  # what is wrong is told below
            wait_for(lambda: self.so_far() == expected)
        assert self.sent() == expected

    def so_far(self) -> dict[str, list[str]]:
        query = (
            select(candidates.c.ref, message_steps.c.step)
            .join(messages, messages.c.candidate_id == candidates.c.id)
            .join(message_steps, message_steps.c.message_id == messages.c.id)
            .where(messages.c.state == "sent")
            .order_by(messages.c.sent_at, messages.c.id)
        )
        found: dict[str, list[str]] = {}
        with self.database.read() as connection:
            for who, step in connection.execute(query):
                found.setdefault(who, []).append(step)
        return found

    def held(self) -> dict[str, Any]:
        told = self.command("apply", "--json")
        assert told.returncode == 0, told.stderr
        rows = [json.loads(line) for line in told.stdout.splitlines()]
        return {row["campaign"]: row for row in rows}


def template(folder: Path, name: str, category: str = "receipt") -> None:
    path = folder / f"templates/notes/{name}.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(TEMPLATE.format(name=name, category=category))


@pytest.fixture
def live(folder: Path, new_postgres: Callable[[], str]) -> Iterator[Live]:
    database_url = new_postgres()
    for each in (*folder.glob("campaigns/*.yaml"), folder / "sample/events.jsonl"):
        each.unlink()
    for name in ("one", "two", "three", "new"):
        template(folder, name)
    template(folder, "capped", "help")
    config = folder / "config.yaml"
    text = config.read_text().replace("sqlite:///var/nurture.db", database_url)
    text = text.replace("release_at_most: 50", "release_at_most: 2")
    anytime = "help: {class: service, priority: 50, hours: any}"
    text, changed = re.subn(r"help: \{.*\}", anytime, text)
    assert changed == 1
    config.write_text(text)
    live = Live(folder, database_url)
    for row in (*ROWS, "many"):
        live.file(row).write_text(FILE.format(row=row))
    live.edit("branch", "  - send: notes/two\n    after: 2 days\n", BRANCH)
    live.edit("many", "notes/two", "notes/capped")
    assert live.command("db", "upgrade").returncode == 0
    live.start()
    yield live
    if live.process is not None:
        live.process.kill()
        live.process.wait()
    live.database.close()


def test_the_table_holds_under_a_running_daemon(live: Live) -> None:
    many = [f"many{number}" for number in range(4)]
    live.enter(*((row, "") for row in ROWS), *(("many", str(number)) for number in range(4)))
    wait_for(lambda: len(live.so_far()) == 16)
    wait_for(lambda: live.so_far()["branch"] == ["one", "two"])

    for row, (was, now) in EDITS.items():
        live.edit(row, was, now)
    live.file("deleted").unlink()
    path = live.folder / "templates/notes/two.md"
    path.write_text(path.read_text().replace("Hello", "Good day"))
    live.edit("many", LATER, "    after: 0 minutes\n")
    live.edit("words", LATER, "    after: 0 minutes\n")

    expected = {
        "moment": ["one", "two"],
        "added": ["one", "new"],
        "removed": ["one"],
        "moved": ["one", "three"],
        "branch": ["one", "two"],
        "renamed": ["one", "second"],
        "kept": ["one", "second"],
        "words": ["one", "two"],
        "paused": ["one"],
        "deleted": ["one"],
        "leave": ["one"],
        "enter": ["one"],
        **{name: ["one"] for name in many},
    }
    live.becomes(expected)
    wait_for(lambda: live.held().get("many", {}).get("state") == "held")
    assert any(line["campaign"] == "many" for line in live.lines("held"))
    assert live.agenda("paused")["two"]["reason"] == "campaign_paused"
    assert live.agenda("deleted")["two"]["reason"] == "campaign_missing"
    assert live.agenda("removed")["two"]["reason"] == "step_removed"
    assert live.agenda("many0")["capped"]["reason"] == "release"
    mails = [each.read_text() for each in (live.folder / "var/outbox").glob("*.eml")]
    assert any("To: words@" in mail and "Good day" in mail for mail in mails)

    # Who replies leaves by the new rule; a newcomer does not enter by it; what was paused goes on.
    live.tell(type="candidate.replied", candidate={"id": "leave", "email": "leave@example.com"})
    live.enter(("enter", "2"))
    live.edit("paused", "status: paused", "status: live")
    live.edit("paused", LATER, "    after: 0 minutes\n")
    assert live.command("apply", "--release", "many", "--by", "ida").returncode == 0
    expected["paused"] = ["one", "two"]
    expected |= {name: ["one", "capped"] for name in many}
    live.becomes(expected)
    assert live.agenda("leave")["two"]["reason"] == "left"
    assert live.held() == {}
    assert live.stop() == 0
    ids = live.mails()
    assert len(ids) == len(set(ids))
