"""How many times as fast as what else there is? Contenders that take turns, against one sink.

Every contender is a process (ours also two), writes the same letter to the same people and checks
the same caps over the same thirty days of history, all of which is made anew for every round and
not measured. What it sent is counted by the sink and by its own books. Rates are letters by the
wall's clock, CPU is what the contender's own processes used; a database server's and the sink's is
not in it. Factors are medians of the rounds' own ratios.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import postgres, sink, strangers
from bench.contenders import page
from bench.mailing import ROOT
from bench.rounds import Spent, loop, median
from bench.sink import Sink

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
#: What the others are measured by, slowest first, and how its factor is called.
BASES = {
    "naive stack": "times naive",
    "sensible stack": "times sensible",
    "django-post-office": "times django-post-office",
}
YARDSTICK = "smtp-source -d -s 8 -l 28000"


@dataclass(frozen=True)
class Entry:
    """Who takes part, and with how many letters a round: as many as take about two seconds."""

    name: str
    module: str
    database: str
    many: int
    ways: Sequence[str] = ("",)  #: of each of its processes

    @property
    def label(self) -> str:
        return f"{self.name}, {self.database}"

    @property
    def ours(self) -> bool:
        return self.module == "ours"


def entries() -> list[Entry]:
    """Slowest first, so that a table reads towards us."""
    both = (SQLITE, POSTGRESQL)
    stacks, office, per = "stacks", "post_office", 2000
    return [
        *(Entry("naive stack", stacks, each, 50, ("naive",)) for each in both),
        *(Entry("sensible stack", stacks, each, 150, ("sensible",)) for each in both),
        *(Entry("django-post-office", office, each, 500) for each in both),
        *(Entry("django-post-office with caps", office, each, 500, ("capped",)) for each in both),
        *(Entry("nurture, signed by rsa-2048", "ours", each, per, ("signed",)) for each in both),
        *(Entry("nurture", "ours", each, per) for each in both),
        Entry("nurture, two processes", "ours", POSTGRESQL, per, ("", "second")),
    ]


def mailing(quick: bool) -> dict[str, float]:
    """How fast does a letter of 28 KB leave, beside what else one would use?"""
    rounds, share = (1, 10) if quick else (7, 1)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="nurture-bench-")))
        folder.chmod(0o755)
        server = stack.enter_context(postgres.server())
        field_ = _Field(folder, server)
        sizes = {each.label: field_.size_of(each) for each in entries()}
        taker = stack.enter_context(sink.fastest())
        print(f"  sink: {taker.name}", file=sys.stderr, flush=True)
        runners: list[_Runner | _Yardstick] = [
            stack.enter_context(field_.running(each, taker.port, max(5, each.many // share)))
            for each in entries()
        ]
        if source := _smtp_source():
            runners.append(_Yardstick(source, taker.port, 6000 // share))
        rows, turns = [], []
        for turn in range(rounds + 1):
            _prepare(runners, turn, server)
            rows.append(_round(runners, turn, taker))
            turns.append(loop() * 1e3)
    # Not the first: as in a daemon at work, shapes are known and statements compiled.
    rows, turns = rows[1:], turns[1:]
    answers = {"rounds": float(rounds), "ms of a million turns of a loop": median(turns)}
    return answers | _answers(rows, sizes)


Row = dict[str, Spent]


def _prepare(runners: "list[_Runner | _Yardstick]", turn: int, server: postgres.Server) -> None:
    """All at once: none of it is measured. Then nothing is left to write behind their backs."""
    print(f"  round {turn}", file=sys.stderr, flush=True)
    for runner in runners:
        runner.begin(turn)
    for runner in runners:
        runner.prepared()
    server.calm()
    os.sync()


def _round(runners: "list[_Runner | _Yardstick]", turn: int, taker: Sink) -> Row:
    """All in turn, another one first each time. A letter's cost of each, by label."""
    first = turn % len(runners)
    return {each.label: each.run(taker) for each in runners[first:] + runners[:first]}


def _answers(rows: list[Row], sizes: dict[str, float]) -> dict[str, float]:
    answers: dict[str, float] = {}
    for label in rows[0]:
        answers[f"{label}: mails a second"] = median(1 / row[label].wall for row in rows)
        answers[f"{label}: CPU us a mail"] = median(row[label].cpu * 1e6 for row in rows)
        if label in sizes:
            answers[f"{label}: bytes of a letter"] = sizes[label]
    for entry in entries():
        for name, factor in BASES.items():
            base = f"{name}, {entry.database}"
            if base == entry.label:
                continue
            ratios = [row[base].wall / row[entry.label].wall for row in rows]
            answers[f"{entry.label}: {factor}"] = median(ratios)
            if entry.ours:
                answers[f"{entry.label}: {factor}, least"] = min(ratios)
                answers[f"{entry.label}: {factor}, most"] = max(ratios)
                answers[f"{entry.label}: {factor}, CPU"] = median(
                    row[base].cpu / row[entry.label].cpu for row in rows
                )
        if YARDSTICK in rows[0]:
            answers[f"{entry.label}: of smtp-source"] = median(
                row[YARDSTICK].wall / row[entry.label].wall for row in rows
            )
    for database in (SQLITE, POSTGRESQL):
        signed, plain = f"nurture, signed by rsa-2048, {database}", f"nurture, {database}"
        answers[f"{signed}: of the unsigned rate"] = median(
            row[plain].wall / row[signed].wall for row in rows
        )
    return answers


class _Field:
    """Where contenders are set up: folders, databases and the letter's templates."""

    def __init__(self, folder: Path, server: postgres.Server) -> None:
        self.folder = folder
        self.server = server
        self.pages = folder / "pages"
        page.write(self.pages, folder / "page")
        self.strangers = str(strangers.python())
        self.made = 0

    def size_of(self, entry: Entry) -> float:
        """Bytes of one letter, as a sink that looks at them received it. All must be nearly alike,
        and each person gets one."""
        many = 5
        with sink.watched() as (port, taken), self.running(entry, port, many) as runner:
            runner.begin(1)
            runner.prepared()
            runner.send()
            mails = taken()
        assert len({mail.to for mail in mails}) == len(mails) == many, (entry.label, mails)
        size = sum(mail.size for mail in mails) / many
        assert 24_000 < size < 33_000, (entry.label, size)
        return size

    @contextmanager
    def running(self, entry: Entry, port: int, many: int) -> Iterator["_Runner"]:
        self.made += 1
        at = self.folder / str(self.made)
        database = self.server.new() if entry.database == POSTGRESQL else None
        with ExitStack() as stack:
            runner = _Runner(entry, many)
            for number, way in enumerate(entry.ways):
                own = at / str(number)
                own.mkdir(parents=True)
                words = {
                    "--at": str(own),
                    "--pages": str(self.pages),
                    "--port": str(port),
                    "--database": database or f"sqlite:///{at}/rows.db",
                    "--way": way,
                }
                python = sys.executable if entry.ours else self.strangers
                module = f"bench.contenders.{entry.module}"
                command = [python, "-m", module, *(word for pair in words.items() for word in pair)]
                runner.processes.append(stack.enter_context(_talking(command)))
            yield runner


@dataclass
class _Runner:
    entry: Entry
    many: int
    processes: list["_Talk"] = field(default_factory=list)

    @property
    def label(self) -> str:
        return self.entry.label

    def begin(self, turn: int) -> None:
        for process in self.processes:
            process.tell(f"prepare {turn * 10_000 + 1} {self.many}")

    def prepared(self) -> None:
        for process in self.processes:
            assert process.answer() == "prepared"

    def run(self, taker: Sink) -> Spent:
        """What one letter of this round cost. Raises where one was not sent, or twice."""
        before = taker.count()
        began = time.perf_counter()
        cpu = self.send()
        wall = time.perf_counter() - began
        assert taker.has_taken(self.many, before), (self.label, taker.count() - before, self.many)
        assert int(self.processes[0].ask("sent")) == self.many, self.label
        return Spent(wall=wall / self.many, cpu=cpu / self.many)

    def send(self) -> float:
        for process in self.processes:
            process.tell("send")
        return sum(float(process.answer()) for process in self.processes)


@dataclass(frozen=True)
class _Talk:
    process: subprocess.Popen[str]

    def tell(self, words: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout
        said = self.process.stdout.readline().strip()
        if not said:
            raise SystemExit("a contender is gone: " + " ".join(map(str, self.process.args[1:3])))
        return said

    def ask(self, words: str) -> str:
        self.tell(words)
        return self.answer()


@contextmanager
def _talking(command: list[str]) -> Iterator[_Talk]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        talk = _Talk(process)
        assert talk.answer() == "ready"
        yield talk
        assert process.stdin
        process.stdin.close()


@dataclass(frozen=True)
class _Yardstick:
    """Postfix's own generator: fixed bytes, nothing read, decided, written or recorded."""

    program: str
    port: int
    many: int
    label: str = YARDSTICK

    def begin(self, turn: int) -> None:
        """It asks for nothing."""

    def prepared(self) -> None:
        """It always is."""

    def run(self, taker: Sink) -> Spent:
        addresses = ["-f", "talent@example.com", "-t", "c1@example.com"]
        command = [*YARDSTICK.split()[1:], "-m", str(self.many), *addresses]
        before, cpu = taker.count(), _cpu_of_children()
        began = time.perf_counter()
        subprocess.run([self.program, *command, f"127.0.0.1:{self.port}"], check=True)
        wall = time.perf_counter() - began
        assert taker.has_taken(self.many, before), (self.label, taker.count() - before)
        return Spent(wall=wall / self.many, cpu=(_cpu_of_children() - cpu) / self.many)


def _cpu_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _smtp_source() -> str | None:
    found = shutil.which("smtp-source", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        print("  no smtp-source here (Debian: postfix): no yardstick", file=sys.stderr, flush=True)
    return found
