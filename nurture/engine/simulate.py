"""What would happen in the next days? The engine itself, on an imagined clock, over a copy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nurture.clock import SetClock
from nurture.engine.daemon import until_idle
from nurture.engine.letters import Letters
from nurture.engine.planner import Planner
from nurture.engine.project import Project
from nurture.engine.sender import Nowhere, Sender
from nurture.store import history, planning
from nurture.store.copying import in_memory


@dataclass(frozen=True, kw_only=True)
class Progress:
    at: datetime
    share: float  #: of the simulated time, 0 to 1


def simulate(
    project: Project, days: int, progress: Callable[[Progress], None] | None = None
) -> Iterator[dict[str, Any]]:
    """Final verdicts of the next `days` days, in time order: the rows of `simulate --json`.

    Nothing is written and nothing is sent: the copy is in memory, and mail is carried nowhere.
    What waits for a person's approval goes on waiting.
    """
    start = project.clock.now()
    end = start + timedelta(days=days)
    clock = SetClock(start)
    copy = in_memory(project.database)
    letters = Letters(
        project.config, project.letters.renderer, clock, lambda: project.library.campaigns
    )
    planner = Planner(copy, project.library, project.config, clock, lambda: letters.renderer)
    sender = Sender(copy, planner, clock, letters.write, Nowhere())
    try:
        while True:
            until_idle(planner, sender)
            with copy.read() as connection:
                alarm = planning.next_alarm(connection)
            if alarm is None or alarm > end:
                break
            clock.set(max(alarm, clock.now()))
            if progress is not None:
                progress(Progress(at=clock.now(), share=(clock.now() - start) / (end - start)))
        with copy.read() as connection:
            yield from history.final_verdicts(connection, since=start)
    finally:
        copy.close()
