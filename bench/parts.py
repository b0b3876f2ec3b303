"""What is measured? Some questions, each answered by medians over rounds beside a yardstick.

Every contender of a question runs in every round, one after the other, so that a machine that
slows down slows all of them; factors are medians of the rounds' own ratios.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from bench import people, sink
from bench.audience import audience
from bench.crowd import deciding, idle
from bench.lateness import lateness, memory
from bench.letters import letters
from bench.pages import pages
from bench.projects import checking
from bench.race import mailing
from bench.rounds import Spent, loop, median, spent
from bench.spending import spending
from nurture import wiring
from nurture.core.agenda import Ledger, Recipient, plan
from nurture.core.hours import Calendar
from nurture.core.journey import Key, Want
from nurture.core.model import (
    Campaign,
    CampaignStatus,
    Candidate,
    Contact,
    Enrollment,
    Enter,
    MessageClass,
    Step,
    Subject,
)
from nurture.engine import house
from nurture.engine.project import Project
from nurture.engine.sender import until_idle
from nurture.engine.simulate import simulate
from nurture.intake.apply import apply_all
from nurture.intake.sample import sample_events
from nurture.store import alarm, history

#: Answers, by name: numbers with their unit in the name.
Answers = dict[str, float]


def mail(quick: bool) -> Answers:
    """How many mails of a long campaign leave in a second, and what CPU does one cost?

    From the event that is known to the outcome that is recorded: enter the campaign, plan eleven
    steps, render, hand over, record, plan again.
    """
    many, rounds = (100, 3) if quick else (300, 5)
    answers: Answers = {}
    with TemporaryDirectory() as folder, sink.running() as port:
        for kind, to in (("smtp", port), ("outbox", None)):
            project = people.project(Path(folder) / kind, to)
            sender = wiring.sender(project)
            people.book(project, range(20))  # the shape is inlined, the connection made
            until_idle(project.planner, sender)
            rows: list[Spent] = []
            for turn in range(1, rounds + 1):
                people.book(project, range(turn * 10_000, turn * 10_000 + many))
                before = _sent(project)
                cost = spent(lambda: until_idle(project.planner, sender))  # noqa: B023
                assert _sent(project) - before == many
                rows.append(_each(cost, many))
            project.close()
            answers |= {
                f"{kind}: mails a second": median(1 / each.wall for each in rows),
                f"{kind}: CPU us a mail": median(each.cpu * 1e6 for each in rows),
            }
    return answers


def agenda(quick: bool) -> Answers:
    """What does one pure decision cost?"""
    turns, rounds = (50, 5) if quick else (300, 9)
    with TemporaryDirectory() as folder:
        project = people.project(Path(folder) / "agenda")
        policy = house.policy(project.config)
        project.close()
    ana = Candidate(id=1, ref="c-1", email="ana@example.com", country="PT")
    calendar = Calendar(zone=ZoneInfo("Europe/Lisbon"), holidays=lambda _: None, key="c-1")
    recipient = Recipient(candidate=ana, calendar=calendar)
    answers: Answers = {}
    for wanted, contacts in ((3, 10), (20, 100)):
        wants = [_want(number) for number in range(wanted)]
        ledger = Ledger(contacts=[_contact(number) for number in range(contacts)])

        def decide(wants: list[Want] = wants, ledger: Ledger = ledger) -> None:
            for _ in range(turns):
                plan(recipient, wants, ledger, policy, people.NOW)

        costs = [(spent(decide).cpu / turns, loop()) for _ in range(rounds)]
        name = f"{wanted} wanted, {contacts} contacts"
        answers[f"{name}: us"] = median(cost * 1e6 for cost, _ in costs)
        answers[f"{name}: turns of the loop"] = median(cost / turn * 1e6 for cost, turn in costs)
    return answers


def replanning(quick: bool) -> Answers:
    """How fast is an edit worked through that touches everybody enrolled?"""
    many, rounds = (200, 3) if quick else (1_000, 7)
    with TemporaryDirectory() as folder:
        project = people.project(Path(folder) / "replanning")
        people.book(project, range(many))
        _plan_all(project)
        rows = []
        for _ in range(rounds):
            with project.database.write() as connection:
                alarm.rearm(connection, ["interview-preparation"], people.NOW)
            before = loop()
            cost = _each(spent(lambda: _plan_all(project)), many)
            rows.append((cost, (before + loop()) / 2))
        project.close()
    return {
        "candidates a second": median(1 / cost.wall for cost, _ in rows),
        "CPU us a candidate": median(cost.cpu * 1e6 for cost, _ in rows),
        "turns of the loop": median(cost.cpu / turn * 1e6 for cost, turn in rows),
    }


def imagined(quick: bool) -> Answers:
    """How long does a simulation of the sample candidates take?"""
    days, rounds = (30, 2) if quick else (30, 5)
    with TemporaryDirectory() as folder:
        project = people.project(Path(folder) / "imagined")
        events = sample_events(project.config.root / "sample/events.jsonl", people.NOW)
        apply_all(project.database, events, people.NOW)
        verdicts = 0

        def days_ahead() -> None:
            nonlocal verdicts
            verdicts = sum(1 for _ in simulate(project, days))

        costs = [spent(days_ahead).wall for _ in range(rounds)]
        project.close()
    return {f"{days} days: seconds": median(costs), "final verdicts": verdicts}


def cold_start(quick: bool) -> Answers:
    """How long from `python -m nurture run --once` in a fresh folder to the first mail?"""
    rounds = 2 if quick else 5
    rows = []
    for _ in range(rounds):
        with TemporaryDirectory() as folder:
            at = Path(folder) / "fresh"
            people.folder(at)
            python = spent(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)).wall
            rows.append((*_first_mail(at), python))
    return {
        "to the first mail: seconds": median(first for first, _, _ in rows),
        "to the end: seconds": median(end for _, end, _ in rows),
        "python that does nothing: seconds": median(nothing for _, _, nothing in rows),
    }


PARTS: dict[str, Callable[[bool], Answers]] = {
    "mailing": mailing,
    "spending": spending,
    "lateness": lateness,
    "mail": mail,
    "agenda": agenda,
    "replanning": replanning,
    "idle": idle,
    "deciding": deciding,
    "memory": memory,
    "simulate": imagined,
    "cold start": cold_start,
    "audience": audience,
    "check": checking,
    "letters": letters,
    "pages": pages,
}


def _each(whole: Spent, many: int) -> Spent:
    return Spent(wall=whole.wall / many, cpu=whole.cpu / many)


def _plan_all(project: Project) -> None:
    while project.planner.tick():
        pass


def _sent(project: Project) -> int:
    with project.database.read() as connection:
        return int(history.counts(connection)["messages"].get("sent", 0))


_STEP_CATEGORIES = ("logistics", "prep", "help", "culture")
_CAMPAIGN = Campaign(
    name="any", title="Any", status=CampaignStatus.LIVE, enter=Enter(on="application.created")
)


def _want(number: int) -> Want:
    category = _STEP_CATEGORIES[number % len(_STEP_CATEGORIES)]
    return Want(
        key=Key(enrollment_id=1, step=f"s{number}", occurrence="1"),
        campaign=_CAMPAIGN,
        step=Step(id=f"s{number}", send=f"t{number}", category=category),
        enrollment=Enrollment(
            id=1,
            candidate_id=1,
            campaign="any",
            subject=Subject(),
            about="candidate:1",
            entered_at=people.NOW,
        ),
        moment_at=people.NOW + timedelta(hours=7 * number),
        known_at=people.NOW,
    )


def _contact(number: int) -> Contact:
    return Contact(
        at=people.NOW - timedelta(hours=6 * (number + 1)),
        category="prep",
        klass=MessageClass.SERVICE,
        label="t",
    )


def _first_mail(at: Path) -> tuple[float, float]:
    """Seconds to the first .eml, and to the end of the process."""
    began = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(people.ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "nurture", "run", "--once"],
        cwd=at,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        outbox = at / "var/outbox"
        while not any(outbox.glob("*.eml")) and process.poll() is None:
            time.sleep(0.002)
        first = time.perf_counter() - began
        if process.wait() != 0 or not any(outbox.glob("*.eml")):
            raise SystemExit("`nurture run --once` sent nothing")
    return first, time.perf_counter() - began
