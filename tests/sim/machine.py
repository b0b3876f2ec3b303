"""How does a scenario run? Real planners and senders, a clock that is set, faults where they fall.

Safety first: everything happens, with faults. Then the faults stop, and what is due must drain.
"""

import heapq
import json
import shutil
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import bindparam, exists, or_, select

from nurture.authoring.library import Library
from nurture.config import load_config
from nurture.core.model import MessageState, Outcome
from nurture.engine import approving, stops
from nurture.engine.project import Project
from nurture.engine.sender import Sender
from nurture.engine.simulate import simulate
from nurture.errors import NurtureError, OutsideError, Problems
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.rendering.links import Signer
from nurture.store import alarm, planning
from nurture.store.database import Database
from nurture.store.tables import candidates, messages
from tests.sim.faults import Armed, Crash, Faults, answer
from tests.sim.lanes import InHand, Lanes, SimJournal
from tests.sim.log import Entry, Files, Mail, Note, Told, sections
from tests.sim.scenario import DRAIN, LENGTH, Action, Scenario, template_text

LAYOUT = """<html lang="{{ lang }}"><head><title>{{ fixed.subject }}</title></head><body>
{{ body }}<p>{{ fixed.why }}</p>{% if nurture %}<a href="{{ fixed.unsubscribe_url }}">No more</a>
<a href="{{ fixed.preferences_url }}">Wishes</a>{% endif %}<p>{{ company.address }}</p>
</body></html>
"""
#: Longer than a lease: then what was in the hands of a dead process is looked for.
AFTER_A_LEASE = timedelta(minutes=11)
_PATIENCE = 300
_NOW = bindparam("now", type_=candidates.c.wake_at.type)
_DUE = select(
    exists().where(or_(candidates.c.wake_at <= _NOW, candidates.c.rearm_at <= _NOW))
    | exists().where(messages.c.state == MessageState.QUEUED)
)
#: Where the journals of processes are, in the project's folder.
LANES = Path("var/lanes")


class StuckError(AssertionError):
    """Work that never ends, or an alarm that rings for ever."""


class SimClock:
    """True time, which only goes forward, and how wrong the machine's clock is."""

    def __init__(self, at: datetime) -> None:
        self.true = at
        self.skew = timedelta(0)

    def now(self) -> datetime:
        return self.true + self.skew


class Process:
    """One `nurture run`, or one that plans or sends only. It may die at any time, and comes back
    with nothing but what is stored."""

    def __init__(self, machine: "Machine", name: str, role: str) -> None:
        self.machine = machine
        self.name = name
        self.role = role  #: run | plan | send
        self.alive = False
        self.decided = (0, machine.clock.now())
        self.files: Files
        self.project: Project
        self.sender: Sender
        self.journal: SimJournal
        self.journal_lost = False  #: since its window began
        self.done = False  #: with its chores

    def start(self) -> None:
        """As the daemon begins."""
        machine = self.machine
        config = load_config(machine.folder / "config.yaml", {})
        library = Library(config)
        refused = [str(each) for each in library.problems if each.severity == "error"]
        assert not refused, refused
        self.project = Project(
            config=config,
            clock=machine.clock,
            database=machine.database,
            library=library,
            signer=Signer([b"k" * 32]),
        )
        self.journal = SimJournal(self, machine.folder / LANES)
        self.sender = Sender(
            machine.database,
            self.project.planner,
            machine.clock,
            self.project.letters.write,
            Lanes(self),
            self.journal,
            plans=self.role == "run",
        )
        self.files = machine.saved
        self.project.begin()
        self.sender.recover(everything=machine.sole)
        self.alive = True

    def work(self) -> int:
        """One turn of what its daemon does until nothing is due."""
        if self.project.behind:
            self.project.reload()
        if self.role == "plan":
            return self.project.planner.tick()
        self.journal_lost = False
        self.decided = (len(self.machine.log), self.machine.clock.now())
        taken = self.sender.window()
        if self.role == "send":
            return taken
        chores = self.project.planner.chores()
        self.done = chores == 0
        return taken + chores

    def reload(self) -> int:
        try:
            found = self.project.reload()
        finally:
            self.files = self.machine.saved
        refused = [str(each) for each in found.problems if each.severity == "error"]
        assert not refused, refused
        return 1

    def recover(self) -> int:
        self.machine.may_be_taken_over(self)
        return self.sender.recover(everything=False)


class Machine:
    """The world around the processes: their files, their clock, their mail server, and the log."""

    def __init__(self, scenario: Scenario, folder: Path, database: Database) -> None:
        self.scenario = scenario
        self.folder = folder
        self.database = database
        self.clock = SimClock(scenario.start)
        self.faults = Faults()
        self.rng = Random(f"machine {scenario.seed}")
        self.log: list[Entry] = []
        self.doubtful: set[int] = set()  #: messages of which nobody can know whether they left
        self.boots = 1
        self.reboot_next = False
        self.sole = len(scenario.roles) == 1
        self.pending = deque(scenario.actions)
        self.shift = timedelta(0)  #: quiet stretches push everything back
        self.chores: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = iter(range(10**9))
        self.telling = False
        self.busy: list[Process] = []  #: in the middle of something, the innermost last
        self.saved = Files(scenario.config, scenario.campaigns, scenario.templates)
        self._write_files()
        self.processes = [
            Process(self, f"process {n + 1}", role) for n, role in enumerate(scenario.roles)
        ]

    # --- the run

    def run(self) -> None:
        for process in self.processes:
            self.bring_up(process)
        while self.pending:
            action = self.pending.popleft()
            self.advance(action.at + self.shift)
            self.act(action)
            self.work()
        self.advance(self.scenario.start + LENGTH + self.shift)
        self.settle()

    def settle(self) -> None:
        """Liveness: no more faults; then nothing due may be left, whoever is asked."""
        self.faults.stop()
        self.clock.skew = max(self.clock.skew, timedelta(0))
        self.note("quiet")
        self.do_lift()
        self.look_for_lost()
        self.advance(self.clock.true + DRAIN)
        assert all(each.alive for each in self.processes)
        self.do_release()
        self.sweep()

    def act(self, action: Action) -> None:
        getattr(self, f"do_{action.do}")(**action.what)

    def advance(self, to: datetime) -> None:
        """To this true instant, from one thing to do to the next."""
        tried = 0
        while True:
            alarm = self.next_alarm()
            coming = [at for at, _, _ in self.chores[:1]]
            plans = any(each.alive and each.role != "send" for each in self.processes)
            if alarm is not None and plans:
                coming.append(max(alarm - self.clock.skew, self.clock.true))
            if not coming or min(coming) > to:
                break
            at = max(min(coming), self.clock.true)
            tried = tried + 1 if at == self.clock.true else 0
            if tried > _PATIENCE:
                raise StuckError(f"an alarm of {alarm} rings for ever at {self.clock.now()}")
            self.clock.true = at
            while self.chores and self.chores[0][0] <= at:
                heapq.heappop(self.chores)[2]()
            self.work()
        self.clock.true = max(self.clock.true, to)

    def work(self) -> None:
        """All that is due, by all processes in turn, one transaction or window at a time."""
        idle = 0
        for process in islice(cycle(self.processes), _PATIENCE):
            process.done = False
            idle = 0 if self.guarded(process, process.work) else idle + 1
            if idle == len(self.processes) or (process.done and not self.due()):
                return
        raise StuckError(f"never idle at {self.clock.now()}")

    def due(self) -> bool:
        """Whether anybody would find something to do: what a daemon finds by one window more."""
        with self.database.read() as connection:
            return bool(connection.execute(_DUE, {"now": self.clock.now()}).scalar())

    def guarded(self, process: Process, work: Callable[[], int]) -> int:
        """What the process's daemon would make of it: a part outside that fails is tried again a
        second later; a crash is the end of it."""
        if not process.alive or process in self.busy:
            return 0
        self.busy.append(process)
        try:
            with self.faults.watched():
                return work()
        except OutsideError:
            self.clock.true += timedelta(seconds=1)
            return 1
        except Crash as crash:
            if process.alive:
                self.died(process, crash.down)
            return 1
        finally:
            self.busy.pop()

    def died(self, process: Process, down: float) -> None:
        process.alive = False
        self.doubtful |= process.journal.in_the_air
        if process.journal_lost:
            self.doubtful |= self.in_hand()
        if self.reboot_next:
            self.boots += 1
            self.doubtful |= self.in_hand()
            self.reboot_next = False
            for other in self.processes:
                if other is not process and other.alive:
                    self.died(other, down)  # one in the middle of its work learns of it below
        self.note("crash", process=process.name, down=down)
        self.look_for_lost()
        self.at(self.clock.true + timedelta(minutes=down), lambda: self.bring_up(process))

    def may_be_taken_over(self, by: Process) -> None:
        """What somebody slow has offered, and not heard of, is in doubt for whoever looks then."""
        for other in self.busy:
            if other is not by and other.alive:
                self.doubtful |= self.in_hand() if other.journal_lost else other.journal.in_the_air

    def in_hand(self) -> set[int]:
        """Messages that are being handed over."""
        with self.database.read() as connection:
            sending = select(messages.c.id).where(messages.c.state == MessageState.SENDING)
            return set(connection.execute(sending).scalars())

    def bring_up(self, process: Process) -> None:
        if process.alive:
            return
        try:
            with self.faults.watched():
                process.start()
        except OutsideError:
            self.at(self.clock.true + timedelta(seconds=1), lambda: self.bring_up(process))
        except Crash as crash:
            self.died(process, crash.down)
        else:
            self.note("up", process=process.name)

    def look_for_lost(self) -> None:
        """Where there is one process only, it has looked when it began."""
        if self.sole:
            return

        def look() -> None:
            for each in self.processes:
                self.guarded(each, each.recover)

        self.at(self.clock.true + AFTER_A_LEASE, look)
        self.at(self.clock.true + 2 * AFTER_A_LEASE, look)

    def at(self, when: datetime, what: Callable[[], None]) -> None:
        heapq.heappush(self.chores, (when, next(self._numbers), what))

    # --- the mail server

    def receive(self, process: Process, one: InHand) -> Outcome:
        assert one.offered is not None
        self.faults.passes("hand-over")
        word = self.faults.answers.pop(0) if self.faults.answers else "accept"
        given = answer(word)
        if given.minutes:
            self.clock.true += timedelta(minutes=given.minutes)
            self.others_work()
        crash: Crash | None = None
        try:
            self.faults.passes("after hand-over")
        except Crash as error:
            crash = error
        seq, at = process.decided
        mail = Mail(
            seq=len(self.log),
            at=self.clock.now(),
            to=one.letter.to,
            message_id=one.letter.message_id,
            sections=sections(one.letter.raw),
            offered_seq=one.offered[0],
            offered_at=one.offered[1],
            accepted=given.accepted,
            certain=crash is None and word not in ("lost", "vanished", "raise"),
            decided_seq=seq,
            decided_at=at,
            files=process.files,
            process=process.name,
        )
        self.log.append(mail)
        if crash is not None:
            raise crash
        if given.told is None:
            raise ConnectionResetError("reset by peer")
        return given.told

    # --- what happens: one method for each word of a scenario

    def do_tell(self, **told: Any) -> None:
        """Told again until it is taken in for certain, as every source does."""
        occurred_at = self.clock.true
        event = {
            "source": "sim",
            "id": f"e{next(self._numbers)}",
            "occurred_at": occurred_at.isoformat(),
            **told,
        }
        for _ in range(_PATIENCE):
            try:
                self.take_in(event)
            except (Crash, OutsideError):
                self.clock.true += timedelta(seconds=1)
                continue
            except Problems:
                # A promise on a day that is none of this person's working days is refused.
                if self.scenario.shrunk or told["type"] == "promise.made":
                    return
                raise
            self.log.append(Told(len(self.log), self.clock.now(), told, occurred_at))
            return
        raise StuckError("an event that is never taken in")

    def take_in(self, event: dict[str, Any]) -> None:
        self.telling = True
        try:
            with self.faults.watched():
                apply(self.database, parse_event(event), self.clock.now())
        finally:
            self.telling = False

    def do_campaign(self, name: str, file: dict[str, Any]) -> None:
        self._save(campaigns={**self.saved.campaigns, name: file})

    def do_template(self, name: str, front: dict[str, Any]) -> None:
        self._save(templates={**self.saved.templates, name: front})

    def do_config(self, config: dict[str, Any]) -> None:
        """Read at the start only: everybody is restarted."""
        self.saved = Files(config, self.saved.campaigns, self.saved.templates)
        self._write_files()
        self.note("saved")
        for process in self.processes:
            if process.alive:
                process.alive = False
                self.bring_up(process)

    def do_crash(self, where: str, after: int, down: float) -> None:
        def crash() -> None:
            raise Crash(down)

        self.faults.armed.append(Armed(where, after, crash))

    def do_no_room(self, times: int) -> None:
        self.faults.left_of["no-room"] += times

    def do_full_disk(self, after: int, times: int) -> None:
        """Of the folder that the journals are in."""

        def fill() -> None:
            self.faults.left_of["full"] += times

        self.faults.armed.append(Armed("drawn", after, fill))

    def do_lose_journal(self, where: str, after: int) -> None:
        """Somebody tidies up, perhaps in the middle of a window."""

        def lose() -> None:
            shutil.rmtree(self.folder / LANES, ignore_errors=True)
            for each in self.processes:
                each.journal_lost = True
            self.doubtful |= self.in_hand()
            self.note("journal lost")

        self.faults.armed.append(Armed(where, after, lose))

    def do_stop(self, scope: str, ref: str | None, hours: float, after: int) -> None:
        """Somebody pulls a kill switch, at once or in the middle of a window."""

        def stop() -> None:
            with self.faults.unwatched():
                now = self.clock.now()
                with self.database.write() as connection:
                    new = stops.pause(connection, scope, ref, why="a test", by="ida", now=now)
                if not new:
                    return
            self.note("stopped", scope=scope, ref=ref)
            end = self.clock.true + timedelta(hours=hours)
            self.at(end, lambda: self.lift(scope, ref))

        if after:
            self.faults.armed.append(Armed("drawn", after, stop))
        else:
            stop()

    def lift(self, scope: str, ref: str | None) -> None:
        try:
            with self.database.write() as connection:
                stops.resume(connection, scope, ref, by="ida", now=self.clock.now())
        except NurtureError:
            return  # somebody was faster
        self.note("lifted", scope=scope, ref=ref)

    def do_lift(self) -> None:
        """Somebody looks at everything that is stopped, a guardrail's stops too, and lets it go."""
        for row in stops.listed(self.database):
            self.lift(row["scope"], row["ref"])

    def do_release(self) -> None:
        """Somebody lets go what edits hold."""
        guard = self.processes[0].project.planner.guard
        held = [row["campaign"] for row in guard.listed()]
        guard.apply(held, by="ida", now=self.clock.now(), spread=None)
        self.work()

    def do_reboot(self) -> None:
        """The next crash is one of the whole machine: the journal is not believed."""
        self.reboot_next = True

    def do_refuse(self, after: int, times: int) -> None:
        def refuse() -> None:
            self.faults.refusals += times

        self.faults.armed.append(Armed("statement", after, refuse))

    def do_answers(self, answers: list[str]) -> None:
        self.faults.answers += answers

    def do_skew(self, seconds: int) -> None:
        """The machine's clock is put wrong, or right again."""
        wrong = timedelta(seconds=seconds)
        self.clock.skew = timedelta(0) if self.clock.skew else wrong
        self.note("skew", seconds=self.clock.skew.total_seconds())

    def do_sleep(self, hours: float) -> None:
        """Nobody does anything, for so long."""
        self.clock.true += timedelta(hours=hours)
        self.note("sleep", hours=hours)

    def do_nested(self, where: str, after: int, take: int) -> None:
        """In the middle of somebody's work, others do theirs."""

        def act() -> None:
            if self.telling:  # what is told stands in the log once it is taken in: in that order
                self.faults.armed.append(Armed(where, 1, act))
            else:
                self.meanwhile(take)

        self.faults.armed.append(Armed(where, after, act))

    def meanwhile(self, take: int) -> None:
        for _ in range(take):
            ahead = next((each for each in self.pending if each.do == "tell"), None)
            if ahead is not None:
                self.pending.remove(ahead)
                self.do_tell(**ahead.what)
        self.others_work()

    def others_work(self) -> None:
        """Who is in the middle of something does one thing at a time; the others go on."""
        for process in self.processes:
            if process not in self.busy:
                for work in (process.recover, process.work):
                    self.guarded(process, work)
        if self.busy and not self.busy[-1].alive:
            raise Crash(0)  # the whole machine went down meanwhile

    def do_approve(self) -> None:
        process = next((each for each in self.processes if each.alive), None)
        if process is None:
            return
        with self.database.read() as connection:
            held = messages.select().where(messages.c.state == MessageState.HELD)
            ids = [row.id for row in connection.execute(held)]
        done = approving.approve_together(process.project, ids, "ida@example.com")
        self.note("approved", ids=len(done))

    def do_foretell(self, days: int) -> None:
        """If nothing is wrong just now: what will happen, and then what does, while nobody says
        anything."""
        calm = not (self.faults.left or self.chores) and all(p.alive for p in self.processes)
        if not calm or self.saved.config["limits"] or stops.listed(self.database):
            return
        self.work()
        foretold = list(simulate(self.processes[0].project, days))
        since, start = len(self.log), self.clock.now()
        self.advance(self.clock.true + timedelta(days=days))
        self.shift += timedelta(days=days)
        detail = {"rows": foretold, "since": since, "start": start}
        self.note("foretold", **detail)

    def sweep(self) -> None:
        """Everybody is planned anew, alarm or not: nothing may come of it."""
        self.work()
        since = len(self.log)
        with self.database.write() as connection:
            alarm.sweep(connection, 0, 1, self.clock.now())
        self.work()
        self.note("swept", since=since)

    # --- small things

    def note(self, what: str, **detail: Any) -> None:
        self.log.append(Note(len(self.log), self.clock.now(), what, detail))

    def next_alarm(self) -> datetime | None:
        with self.database.read() as connection:
            return planning.next_alarm(connection)

    def problems(self) -> list[str]:
        """Of candidates who were set aside: in a sane world there is none."""
        with self.database.read() as connection:
            rows = connection.execute(candidates.select().where(candidates.c.problem.is_not(None)))
            return [f"{row.ref}: {row.problem}" for row in rows]

    def _save(self, **new: Any) -> None:
        self.saved = Files(**{**vars(self.saved), **new})
        self._write_files()
        self.note("saved")
        for process in self.processes:
            self.guarded(process, process.reload)

    def _write_files(self) -> None:
        root, files = self.folder, self.saved
        texts = {"config.yaml": json.dumps(files.config)}
        texts["templates/layouts/letter.html"] = LAYOUT
        texts |= {f"campaigns/{name}.yaml": json.dumps(f) for name, f in files.campaigns.items()}
        texts |= {f"templates/{n}.md": template_text(n, f) for n, f in files.templates.items()}
        for name, text in texts.items():
            path = root / name
            if not path.exists() or path.read_text() != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)


def fresh_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
