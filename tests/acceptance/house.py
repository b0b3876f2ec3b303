"""What do the daemons under test have to do? Two letters to everybody who applies, at once.

Who should have got what is known here from what was told, and read off what the mail server took:
the project's own tables are asked for one thing only, which mails it says are in doubt.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import func, select, text

from nurture import wiring
from nurture.intake.apply import apply_all
from nurture.intake.events import parse_event
from nurture.store import planning, tables
from tests.acceptance.receiver import Receiver
from tests.acceptance.zygote import REPOSITORY, Zygote

CONNECTIONS = 2
SUBJECTS = {"first": "First words", "second": "Second words"}

_CONFIG = """\
company: {{name: Baker & Sons, address: 2 Mill Lane Porto, site: https://baker.test}}
sender: {{name: The bakers, email: talent@baker.test}}
database: {database}
transport: {{kind: smtp, host: 127.0.0.1, port: {port}, security: {security}, connections: {many}}}
web: {{public_url: https://jobs.baker.test}}
silence: {{applied: null}}
{more}
"""
_CAMPAIGN = """\
name: Letters
owner: talent@baker.test
status: live
enter: {on: application.created}
steps:
  - {id: first, send: notes/first, after: 0 minutes}
  - {id: second, send: notes/second, after: 0 minutes}
"""
_TEMPLATE = """\
---
subject: {subject}
category: receipt
---

Hello {{{{ candidate.first_name }}}},

we have what you sent.
"""
_OPEN = ("planned", "queued", "sending", "retrying")


class House:
    """A project folder, and what was told in it."""

    def __init__(
        self,
        folder: Path,
        port: int,
        database: str | None = None,
        security: str = "plain",
        more: str = "",
    ) -> None:
        self.folder = folder
        (folder / "campaigns").mkdir(parents=True)
        (folder / "templates/notes").mkdir(parents=True)
        shutil.copytree(REPOSITORY / "templates/layouts", folder / "templates/layouts")
        (folder / "campaigns/letters.yaml").write_text(_CAMPAIGN)
        for name, subject in SUBJECTS.items():
            file = folder / f"templates/notes/{name}.md"
            file.write_text(_TEMPLATE.format(subject=subject))
        config = folder / "config.yaml"
        config.write_text(
            _CONFIG.format(
                database=database or "sqlite:///var/nurture.db",
                port=port,
                security=security,
                many=CONNECTIONS,
                more=more,
            )
        )
        self.project = wiring.open_project(config, env={})
        self.wanted: set[tuple[str, str]] = set()  #: address and subject
        self._told = 0

    def __enter__(self) -> "House":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.project.close()

    def tell(self, many: int) -> None:
        """So many more have applied. Of a hundred one has an address that is gone."""
        names = []
        for _ in range(many):
            self._told += 1
            names.append(f"{'c' if self._told % 100 else 'gone'}{self._told}")
        now = datetime.now(UTC)
        apply_all(self.project.database, [_applied(name, now) for name in names], now)
        self.wanted |= {
            (f"{name}@example.com", subject)
            for name in names
            if name.startswith("c")
            for subject in SUBJECTS.values()
        }

    def idle(self) -> bool:
        """Whether the daemon has nothing left to do."""
        messages, now = tables.messages, datetime.now(UTC)
        unfinished = select(func.count()).where(messages.c.state.in_(_OPEN))
        with self.project.database.read() as connection:
            if connection.dialect.name == "postgresql":  # both questions about one instant
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            alarm = planning.next_alarm(connection)
            return (alarm is None or alarm > now) and not connection.execute(unfinished).scalar()

    def states(self) -> Counter[str]:
        query = select(tables.messages.c.state, func.count()).group_by(tables.messages.c.state)
        with self.project.database.read() as connection:
            return Counter(dict(connection.execute(query).tuples().all()))

    def lines(self, action: str) -> list[dict[str, Any]]:
        """What the daemons' log says."""
        log = self.folder / "daemon.log"
        said = log.read_text().splitlines() if log.exists() else []
        whole = [each for each in said if each.startswith("{") and each.endswith("}")]
        return [one for each in whole if (one := json.loads(each)).get("action") == action]

    def in_doubt(self, zygote: Zygote) -> list[dict[str, Any]]:
        """As `nurture settle` lists them."""
        file = self.folder / "settle.json"
        listing = zygote.start(self.folder, "settle", "--json", said=file)
        assert listing.end() == 0
        return [json.loads(line) for line in file.read_text().splitlines()]


def judge(house: House, receiver: Receiver, doubtful: Iterable[dict[str, Any]]) -> list[str]:
    """What is wrong, by what the server accepted; nothing, if all is well."""
    accepted = receiver.accepted
    taken = Counter((each.to, each.subject) for each in accepted)
    ids = Counter(each.message_id for each in accepted)
    unknown = {(f"{row['candidate']}@example.com", SUBJECTS[row["step"]]): row for row in doubtful}
    wrong = [f"sent {many} times: {what}" for what, many in taken.items() if many > 1]
    wrong += [f"{many} mails with one Message-ID: {id_}" for id_, many in ids.items() if many > 1]
    wrong += [f"lost: {what}" for what in house.wanted - taken.keys() - unknown.keys()]
    wrong += [f"nobody asked for it: {what}" for what in taken.keys() - house.wanted]
    of_life: Counter[int] = Counter()
    for (to, subject), row in unknown.items():
        if not receiver.announced[to]:
            wrong.append(f"in doubt, and the server never heard of it: {to} {subject}")
        tries = [each for each in receiver.mails if each.message_id == row["message_id"]]
        if not tries or not tries[-1].left_waiting:
            of_life[tries[-1].life if tries else 0] += 1
    # Each connection has one mail at most that was offered and whose answer, if there was one, had
    # not arrived when the process died.
    wrong += [
        f"life {life} left {many} in doubt"
        for life, many in of_life.items()
        if many > CONNECTIONS and life
    ]
    return wrong


def _applied(name: str, at: datetime) -> Any:
    return parse_event(
        {
            "type": "application.created",
            "source": "test",
            "id": name,
            "occurred_at": at.isoformat(),
            "candidate": {
                "id": name,
                "email": f"{name}@example.com",
                "first_name": name.title(),
            },
            "application": {
                "id": f"a-{name}",
                "stage": "applied",
                "job": {"id": "j1", "title": "Baker"},
            },
        }
    )
