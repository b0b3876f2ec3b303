"""A small world for tests: campaigns in a line or two, events by hand, mail in a list."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nurture.authoring.library import Library
from nurture.clock import SetClock
from nurture.config import load_config
from nurture.core.model import Accepted, Outcome
from nurture.engine.outcomes import Letter
from nurture.engine.outlook import Entry, outlook
from nurture.engine.project import Project
from nurture.engine.sender import Sender, until_idle
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.rendering.links import Signer
from nurture.store import planning
from nurture.store.database import Database


@dataclass
class Postman:
    """Takes every mail, or answers as it is told; remembers what it was offered."""

    offered: list[tuple[str, str]] = field(default_factory=list)  #: address, Message-ID
    answers: list[Outcome | Callable[[], Outcome]] = field(default_factory=list)

    def deliver(
        self,
        letters: Iterable[Letter],
        offer: Callable[[Letter], bool],
        heard: Callable[[Letter, Outcome], None],
    ) -> Iterator[tuple[Letter, Outcome | None]]:
        for one in letters:
            answer = self.hand_over(*_parts(one)) if offer(one) else None
            if answer is not None:
                heard(one, answer)
            yield one, answer

    def hand_over(self, envelope_from: str, to: str, raw: bytes, message_id: str) -> Outcome:
        """Where a test looks in: for each message that is offered."""
        assert b"\r\n\r\n" in raw
        self.offered.append((to, message_id))
        answer = self.answers.pop(0) if self.answers else Accepted()
        return answer() if callable(answer) else answer


def _parts(letter: Letter) -> tuple[str, str, bytes, str]:
    return letter.sender, letter.to, letter.raw, letter.message_id


class World:
    """A project in a folder, on a clock that the test sets."""

    def __init__(self, folder: Path, database: Database, clock: SetClock) -> None:
        self.folder = folder
        self.clock = clock
        self.database = database
        self.postman = Postman()
        self.restart()

    def restart(self) -> None:
        """Read config.yaml again, as a new process would."""
        config = load_config(self.folder / "config.yaml", {})
        self.project = Project(
            config=config,
            clock=self.clock,
            database=self.database,
            library=Library(config),
            signer=Signer([b"k" * 32]),
        )
        self.sender = Sender(
            self.database,
            self.project.planner,
            self.clock,
            self.project.letters.write,
            self.postman,
        )

    def tell(self, type_: str, **objects: Any) -> None:
        """An event that happens now, about Ana (c1) unless said otherwise."""
        now = self.clock.now().isoformat()
        objects.setdefault("candidate", {"id": "c1", "email": "ana@example.com"})
        event = {"type": type_, "source": "test", "occurred_at": now, **objects}
        event.setdefault("id", f"{type_} {now} {objects!r}"[:200])
        apply(self.project.database, parse_event(event), self.clock.now())

    def work(self) -> None:
        until_idle(self.project.planner, self.sender)

    def run_until(self, end: datetime) -> None:
        """Work through every alarm up to `end`."""
        self.work()
        while True:
            with self.project.database.read() as connection:
                alarm = planning.next_alarm(connection)
            if alarm is None or alarm > end:
                break
            self.clock.set(max(alarm, self.clock.now()))
            self.work()
        self.clock.set(end)

    def run_for(self, **length: float) -> None:
        self.run_until(self.clock.now() + timedelta(**length))

    def agenda(self, who: str = "c1") -> list[Entry]:
        seen = outlook(self.project, who, ahead=None)
        assert seen is not None
        return [*seen.past, *seen.ahead]

    def entry(self, step: str, who: str = "c1") -> Entry:
        """The latest word on a step."""
        return [entry for entry in self.agenda(who) if entry.step == step][-1]

    def sent(self, who: str = "c1") -> list[tuple[str, datetime]]:
        """Step and instant of what this candidate got, from the ledger."""
        return [
            (entry.step, entry.at)
            for entry in self.agenda(who)
            if entry.verdict == "sent" and entry.at is not None
        ]

    def campaign(self, name: str, text: str) -> None:
        (self.folder / "campaigns" / f"{name}.yaml").write_text(text)

    def template(self, name: str, category: str, **front: str) -> None:
        path = self.folder / "templates" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        more = "".join(f"{key}: {value}\n" for key, value in front.items())
        path.write_text(
            f"---\nsubject: About {name.replace('/', ' ')}\npreheader: A short note\n"
            f"category: {category}\n{more}---\n\nHello, this is {name}.\n"
        )

    def reload(self) -> None:
        found = self.project.reload()
        assert not found.problems, [str(problem) for problem in found.problems]
