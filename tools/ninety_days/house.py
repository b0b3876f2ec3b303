"""How do the ninety days go? The real engine with the starter campaigns, on a clock that is set.

Around it: a mail server that takes (nearly) everything and keeps it, candidates who answer, and
recruiters of whom some do their tasks in the morning, some later, and one never.
"""

import heapq
import itertools
import logging
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, time, timedelta
from email import message_from_bytes
from pathlib import Path
from random import Random
from typing import Any

from nurture.authoring.library import Library
from nurture.clock import SetClock
from nurture.config import load_config
from nurture.core.model import Accepted, Blame, Deferred, Outcome, Rejected
from nurture.engine import answering, approving, tasks
from nurture.engine.outcomes import Letter
from nurture.engine.project import Project
from nurture.engine.sender import Sender, until_idle
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.rendering.links import Signer
from nurture.store import approvals, history, planning
from nurture.store.database import Database
from nurture.store.tables import CALL, metadata
from tools.ninety_days.past import Mail, Past, Task, Told
from tools.ninety_days.people import (
    END,
    GRID,
    JOBS,
    LATE,
    NEVER,
    START,
    TITLES,
    Happening,
    closings,
)
from tools.ninety_days.stories import lives

log = logging.getLogger("ninety_days")
ROOT = Path(__file__).parents[2]
#: One line more in each template says which it is and about which job. Checkers read mail by it.
_MARK = "Ref {name} about {job} end"
_JOB = "{% if job and job.title %}{{ job.title }}{% else %}nothing{% endif %}"
_SEEN = re.compile(r"Ref\s+(\S+)\s+about\s+(.+?)\s+end\b", re.DOTALL)
_ANSWER = re.compile(r"/a/([\w.~-]+)")

#: How likely somebody is to see to a task, and to a letter that waits, on one morning.
_HABITS = {LATE["email"]: 0.3, NEVER["email"]: 0.0, "erik.lund@example.com": 0.4}
_APPROVES = {LATE["email"]: 0.4, NEVER["email"]: 0.15}
#: Tasks that are done without a word to the candidate.
_WITHOUT_A_WORD = frozenset({"answer-due", "due-tomorrow", "conflict"})
_FROM_THE_ATS = "ats"


class House:
    """One run."""

    def __init__(self, seed: int, people: int, folder: Path, part: int = 0, parts: int = 1) -> None:
        """With `parts`, each so-and-so-manieth of these people: the others live in other runs."""
        everybody = lives(seed, people)[part::parts]
        self.rng = Random(f"house {seed} {part}")
        self.past = Past({life.ref: life for life in everybody})
        self.clock = SetClock(START)
        self._numbers = itertools.count()
        self._coming: list[tuple[datetime, int, Callable[[], None]]] = []
        self._asked: set[tuple[str, str]] = set()
        self.past.kinds = _copy(folder)
        self.database = Database("sqlite://")
        with self.database.write() as connection:
            metadata.create_all(connection)
        config = load_config(folder / "config.yaml", {})
        library = Library(config)
        refused = [str(each) for each in library.problems if each.severity == "error"]
        if refused:
            raise SystemExit("\n".join(refused))
        self.project = Project(
            config=config,
            clock=self.clock,
            database=self.database,
            library=library,
            signer=Signer([b"k" * 32]),
        )
        self.project.begin()
        self.sender = Sender(
            self.database, self.project.planner, self.clock, self.project.letters.write, self
        )
        for life in everybody:
            for happening in life.happenings:
                self._at(happening.at, self._telling(happening))
        for happening in closings():
            self._at(happening.at, self._telling(happening))
        self._every_morning()

    def run(self) -> Past:
        """To the end: from one instant at which something is to be done to the next."""
        week = START
        while True:
            with self.database.read() as connection:
                alarm = planning.next_alarm(connection)
            coming = [at for at, _, _ in self._coming[:1]]
            if alarm is not None:
                coming.append(alarm + (START - alarm) % GRID)
            if not coming or min(coming) >= END:
                break
            self.clock.set(max(min(coming), self.clock.now()))
            if self.clock.now() >= week:
                log.info("%s", f"{week:%d %b}")
                week += timedelta(days=7)
            while self._coming and self._coming[0][0] <= self.clock.now():
                heapq.heappop(self._coming)[2]()
            until_idle(self.project.planner, self.sender)
        self._read_tasks()
        self.database.close()
        return self.past

    # --- the mail server

    def deliver(
        self,
        letters: Iterable[Letter],
        offer: Callable[[Letter], bool],
        heard: Callable[[Letter, Outcome], None],
    ) -> Iterator[tuple[Letter, Outcome | None]]:
        """See nurture.delivery.transport.Transport."""
        for one in letters:
            answer = self._take(one) if offer(one) else None
            if answer is not None:
                heard(one, answer)
            yield one, answer

    def _take(self, letter: Letter) -> Outcome:
        who = letter.to.partition("@")[0]
        if who not in self.past.lives:
            return Accepted()  # our own people's
        if "dead address" in self.past.lives[who].traits:
            self.past.refused[who] += 1
            return Rejected(text="550 5.1.1 no such user", code=550, blame=Blame.ADDRESS)
        if self.rng.random() < 0.01:
            return Deferred(text="451 4.7.1 not now", code=451)
        text = _text(letter.raw)
        parts = tuple(
            (name, TITLES.get(" ".join(title.split()))) for name, title in _SEEN.findall(text)
        )
        if not parts:
            raise AssertionError(f"a mail that says nothing: {text[:400]}")
        self.past.mails.setdefault(who, []).append(
            Mail(self.clock.now(), who, letter.message_id, parts)
        )
        self._is_read(who, text)
        return Accepted()

    # --- candidates

    def _is_read(self, who: str, text: str) -> None:
        """One of three answers what a mail asks, by one of its links, within two days."""
        links = sorted(set(_ANSWER.findall(text)))
        if links and self.rng.random() < 0.35:
            token = self.rng.choice(links)
            hours = self.rng.uniform(0.2, 48)

            def press() -> None:
                choice = answering.choice_of(self.project, token)
                if choice is not None and choice.asked is not None:
                    answering.give(self.project, choice)
                    for event in _follows(choice, self.clock.now()):
                        if not self._over(who, event):
                            self._note(who, event)

            self._at(self.clock.now() + timedelta(hours=hours), press)

    def _over(self, who: str, event: dict[str, Any]) -> bool:
        """Whether they withdraw what has ended already: then nothing follows."""
        ended = ("application.rejected", "application.withdrawn", "application.hired")
        return event["type"] == "application.withdrawn" and any(
            each.event["type"] in ended
            and each.event["application"]["id"] == event["application"]["id"]
            for each in self.past.told[who]
        )

    # --- recruiters

    def _every_morning(self) -> None:
        day = START
        while day < END:
            morning = datetime.combine(day.date(), time(8), tzinfo=START.tzinfo)
            if morning.weekday() < 5 and morning > START:
                self._at(morning, self._morning)
            day += timedelta(days=1)

    def _morning(self) -> None:
        """Everybody looks at what waits for them, and some see to it."""
        with self.database.read() as connection:
            rows = history.task_rows(connection)
            letters = approvals.waiting(connection, limit=1000)
            owners = {row["id"]: row["application"] for row in letters}
        for row in rows:
            habit = _HABITS.get(row["assignee"] or "", 0.9)
            if self.rng.random() < habit:
                self._at(self._in_the_day(), self._seeing_to(row))
        ready = []
        for id_, application in owners.items():
            if self.rng.random() < _APPROVES.get(self._recruiter(application), 0.95):
                ready.append(id_)
        if ready:
            at = self._in_the_day()
            self._at(
                at, lambda: approving.approve_together(self.project, ready, "ida.berg@example.com")
            )

    def _recruiter(self, application: str | None) -> str:
        job = (application or "").rpartition("-")[2]
        return next((each.recruiter["email"] for each in JOBS if each.ref == job), "")

    def _in_the_day(self) -> datetime:
        return self.clock.now() + GRID * self.rng.randrange(1, 16)

    def _seeing_to(self, row: Any) -> Callable[[], None]:
        def see_to() -> None:
            with self.database.read() as connection:
                now = history.task_row(connection, row["id"])
            if now is None or now["state"] != "open":
                return
            who, application = now["ref"], now["application"]
            if now["kind"] == CALL:
                weights = {"spoke": 60, "voicemail": 15, "no_answer": 20, "wrong_number": 5}
                (outcome,) = self.rng.choices(list(weights), list(weights.values()))
                self._finished(now, outcome)
                self._note(who, _call(who, application, outcome))
                return
            if now["step"] not in _WITHOUT_A_WORD:
                event = _call(who, application, "spoke")
                self._apply(event)
            self._finished(now, None)

        return see_to

    def _finished(self, task: Any, outcome: str | None) -> None:
        with self.database.write() as connection:
            tasks.finish(connection, task, outcome, task["assignee"], self.clock.now())

    # --- what is told

    def _telling(self, happening: Happening) -> Callable[[], None]:
        return lambda: self._apply(happening.event)

    def _apply(self, event: dict[str, Any]) -> None:
        now = self.clock.now()
        told = {
            "source": _FROM_THE_ATS,
            "id": f"e{next(self._numbers)}",
            "occurred_at": now.isoformat(),
            **event,
        }
        apply(self.database, parse_event(told), now)
        self._note(event.get("candidate", {}).get("id"), event)

    def _note(self, who: str | None, event: dict[str, Any]) -> None:
        told = Told(self.clock.now(), event)
        for ref in [who] if who else self.past.lives:
            self.past.told.setdefault(ref, []).append(told)

    def _at(self, when: datetime, what: Callable[[], None]) -> None:
        heapq.heappush(self._coming, (when + (START - when) % GRID, next(self._numbers), what))

    def _read_tasks(self) -> None:
        with self.database.read() as connection:
            rows = history.task_rows(connection, state=None)
        for row in rows:
            task = Task(
                of=row["ref"],
                application=row["application"],
                step=row["step"],
                call=row["kind"] == CALL,
                made=row["created_at"],
                done=row["done_at"],
            )
            self.past.tasks.setdefault(row["ref"], []).append(task)


def _text(raw: bytes) -> str:
    """What a reader without HTML reads."""
    parts = message_from_bytes(raw).walk()
    plain = next(each for each in parts if each.get_content_type() == "text/plain")
    return plain.get_payload(decode=True).decode("utf-8")


def _follows(choice: answering.Choice, now: datetime) -> Iterator[dict[str, Any]]:
    """What the engine was told by that button."""
    assert choice.asked is not None
    about = {"application": {"id": choice.asked.application}} if choice.asked.application else {}
    yield {"type": "answer.given", **about}
    then = choice.then
    if then is not None and then.kind == "withdraw":
        yield {"type": "application.withdrawn", **about}
    elif then is not None and then.kind == "unsubscribe":
        yield {"type": "candidate.unsubscribed"}
    elif then is not None and then.kind == "pause" and then.length is not None:
        least = {"months": 28, "weeks": 7}.get(then.length.unit, 1) * then.length.amount
        yield {"type": "candidate.paused", "until": (now + timedelta(days=least)).isoformat()}


def _call(who: str, application: str | None, outcome: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "type": "contact.logged",
        "candidate": {"id": who},
        "contact": {"kind": "call", "outcome": outcome},
    }
    return event | ({"application": {"id": application}} if application else {})

    from tools.ninety_days.people import JOBS

    return JOBS


def _copy(folder: Path) -> dict[str, tuple[str, str]]:
    """The starter project, with a mark in each template; each one's category and tone."""
    for name in ("campaigns", "templates", "content"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, folder / name)
    for name in ("config.yaml", "reasons.yaml"):
        shutil.copy(ROOT / name, folder)
    for layout in (folder / "templates/layouts").glob("*.html"):
        # How mail looks is not looked at here, and styles take their time.
        bare = re.sub(
            r"<style>.*?</style>", "", layout.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        layout.write_text(bare, encoding="utf-8")
    kinds = {}
    for path in sorted((folder / "templates").rglob("*.*")):
        below = path.relative_to(folder / "templates")
        if path.suffix not in (".md", ".html") or below.parts[0] in ("layouts", "notices"):
            continue
        text = path.read_text(encoding="utf-8")
        name = "/".join((*below.parts[:-1], below.name.partition(".")[0]))
        mark = _MARK.format(name=name, job=_JOB if "job.title" in text else "nothing")
        mark = f"<p>{mark}</p>" if path.suffix == ".html" else mark
        path.write_text(f"{text.rstrip()}\n\n{mark}\n", encoding="utf-8")
        front = text.split("---", 2)[1] if text.startswith("---") else ""
        found = {
            key: re.search(rf"^{key}: *(\S+)", front, re.MULTILINE) for key in ("category", "tone")
        }
        if found["category"]:
            tone = found["tone"][1] if found["tone"] else "neutral"
            kinds[name] = found["category"][1], tone
    return kinds
