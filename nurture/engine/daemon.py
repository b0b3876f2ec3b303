"""What runs all day? A few timers around planner and sender."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from nurture.engine.presence import BEAT, Presence
from nurture.engine.project import Project
from nurture.engine.sender import Sender, until_idle
from nurture.errors import NurtureError, Problem
from nurture.store import alarm, confidences, planning

log = logging.getLogger("nurture.daemon")

LOOK = timedelta(seconds=1)  # how often other processes' writes and edited files are noticed
SLICE = timedelta(seconds=0.5)  # how long a long piece of work keeps the other timers waiting
LEASES = timedelta(minutes=1)  # how often hand-overs of dead processes are looked for
SWEEP = 30  # every candidate is planned anew once in so many nights, whatever their alarm says


class Daemon:
    """Timers: work at the earliest alarm, notice what others wrote, reload files, recover, sweep.

    All jobs run on one thread, so they never overlap; APScheduler only says when. `stop` returns
    after the window in hand. Without a sender it only plans, and others send; a sender that does
    not plan sends what others queue.
    """

    def __init__(
        self, project: Project, sender: Sender | None, *, sole: bool, kind: str = "run"
    ) -> None:
        self.project = project
        self.sender = sender
        self.sole = sole
        self.plans = sender is None or sender.plans
        self.presence = Presence(project.database, project.clock, kind)
        self._stopping = threading.Event()
        #: APScheduler waits for the job at work while it holds the lock that adding one takes: none
        #: may be added from then on.
        self._adding = threading.Lock()
        self._begun = False  # a database that was away at the start: begin when it is back
        self._known: tuple[Problem, ...] = ()
        self._timers = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(max_workers=1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        self._guarded(self._begin)()
        for name, job, every in (
            ("notice", self._notice, LOOK),
            ("reload", self._reload, LOOK),
            ("recover", self._recover, LEASES),
            ("presence", self.presence.beat, BEAT),
        ):
            self._timers.add_job(
                self._guarded(job), "interval", seconds=every.total_seconds(), id=name
            )
        if self.plans:
            self._timers.add_job(self._guarded(self._sweep), "cron", hour=2, minute=17, id="sweep")
        self._timers.start()
        self._work_at(self.project.clock.now())

    def stop(self) -> None:
        with self._adding:
            self._stopping.set()
        if self._timers.running:
            self._timers.shutdown(wait=True)
            self.presence.leave()

    def _begin(self) -> None:
        self.presence.beat()
        if self.plans:
            self.project.begin()
        if self.sender is not None:
            self.sender.recover(everything=self.sole)
        self._begun = True

    def _work(self) -> None:
        """Until nothing is due, in slices: between two of them files and facts are noticed.

        Nobody is planned by files that are not in force yet: an edit is looked at first.
        """
        if not self._begun:
            self._begin()
        if self.project.behind:
            self.project.reload()
        end = time.monotonic() + SLICE.total_seconds()

        def stopped() -> bool:
            return self._stopping.is_set() or time.monotonic() > end

        if self.sender is not None:
            until_idle(self.project.planner, self.sender, stopped)
        else:
            while self.project.planner.tick() and not stopped():
                pass
        self.project.pulse.ticked_at = self.project.clock.now()
        self.project.pulse.trouble = ""
        if stopped():
            self._add_work()  # a job of its own: APScheduler drops one asked for while it runs
            return
        self.project.pulse.idle_at = self.project.pulse.ticked_at
        if not self.plans:
            return  # what others queue is looked for all the time
        with self.project.database.read() as connection:
            alarm = planning.next_alarm(connection)
        if alarm is not None:
            # What is due still is in another process's hands: looked at again soon, not at once.
            self._work_at(max(alarm, self.project.clock.now() + LOOK))

    def _work_at(self, at: datetime) -> None:
        """The next work: at the earliest alarm, unless there is something to notice before."""
        self._add_work(run_date=at, id="work", replace_existing=True)

    def _add_work(self, **when: Any) -> None:
        with self._adding:
            if not self._stopping.is_set():
                self._timers.add_job(self._guarded(self._work), "date", **when)

    def _notice(self) -> None:
        self.project.pulse.ticked_at = self.project.clock.now()
        aside = self.sender.aside if self.sender is not None else None
        due = aside is not None and aside.due()
        if due or self.project.database.changed() or self.project.pulse.trouble or not self.plans:
            self._work()

    def _reload(self) -> None:
        behind = self.project.behind
        found = self.project.reload()
        if found.problems != self._known:
            self._say(found.problems)
        if found:
            changed = sorted(found.campaigns | found.templates)
            log.info("reloaded", extra={"action": "reloaded", "files": changed})
        if found or behind:
            self._work()

    def _say(self, problems: tuple[Problem, ...]) -> None:
        """What is new of these, and which files have none any more."""
        for problem in problems:
            if problem not in self._known:
                log.error(str(problem), extra={"action": "problem", "code": problem.code})
        for file in sorted({each.file for each in self._known} - {each.file for each in problems}):
            log.info("good again", extra={"action": "mended", "file": file})
        self._known = problems

    def _recover(self) -> None:
        if not self._begun:
            self._begin()
        elif self.sender is not None and not self.sole:
            self.sender.recover(everything=False)
        if self.plans:
            self.project.alive()

    def _sweep(self) -> None:
        now = self.project.clock.now()
        with self.project.database.write() as connection:
            alarm.sweep(connection, now.toordinal() % SWEEP, SWEEP, now)
            confidences.sweep(connection, now)
        self._work()

    def _guarded(self, job: Callable[[], None]) -> Callable[[], None]:
        """A part outside that fails is told in one line and tried again; the daemon stays up."""

        def run() -> None:
            try:
                job()
            except NurtureError as error:
                self._tell(str(error))
            except Exception as error:
                self._tell(f"{type(error).__name__}: {error}")

        return run

    def _tell(self, trouble: str) -> None:
        if trouble != self.project.pulse.trouble:
            log.error(trouble, extra={"action": "trouble"})
        self.project.pulse.trouble = trouble
