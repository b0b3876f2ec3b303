"""What would happen in the next days? The engine itself, on an imagined clock, over a copy."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nurture.authoring.library import Library, Reloaded
from nurture.clock import SetClock
from nurture.config import Config
from nurture.core.model import Campaign
from nurture.engine.project import Project
from nurture.engine.sender import Nowhere, Sender, until_idle
from nurture.rendering.templates import Template
from nurture.store import alarm, foretold, planning
from nurture.store.copying import in_memory
from nurture.store.foretold import Foretold


@dataclass(frozen=True, kw_only=True)
class Progress:
    at: datetime
    share: float  #: of the simulated time, 0 to 1


@dataclass(frozen=True, kw_only=True)
class Version:
    """Rules and files to simulate by: the working files, or those of another time."""

    config: Config
    library: Library


@dataclass(frozen=True, kw_only=True)
class Course:
    """How the days went. Everything is in a fixed order: the same data give the same course."""

    start: datetime
    end: datetime
    campaigns: Mapping[str, Campaign]
    templates: Mapping[str, Template]
    layouts: Mapping[str, str]  #: texts, by name
    settled: tuple[Foretold, ...]  #: final verdicts, in time order
    waited: tuple[Foretold, ...]  #: what waited at the start or on its way, each time why
    open: tuple[Foretold, ...]  #: what still waits at the end


def simulate(
    project: Project, days: int, progress: Callable[[Progress], None] | None = None
) -> Iterator[dict[str, Any]]:
    """Final verdicts of the next `days` days, in time order: the rows of `simulate --json`."""
    for each in foretell(project, days, progress).settled:
        yield each.row


def foretell(
    project: Project,
    days: int,
    progress: Callable[[Progress], None] | None = None,
    *,
    version: Version | None = None,
    start: datetime | None = None,
    candidate_id: int | None = None,
) -> Course:
    """The next `days` days from `start` (or now), as the engine would act on the data there are.

    Nothing is written and nothing is sent: the copy is in memory, and mail is carried nowhere. It
    is written, though, because one that lacks a fact waits. What waits for a person's approval
    goes on waiting. `version` comes into force at the start as if it had been saved just then;
    with `candidate_id` only that one's life is looked at.
    """
    start = start or project.clock.now()
    end = start + timedelta(days=days)
    version = version or Version(config=project.config, library=project.library)
    library = _Still(version)
    clock = SetClock(start)
    copy = in_memory(project.database, candidate_id)
    try:
        imagined = Project(
            config=version.config,
            clock=clock,
            database=copy,
            library=library,
            signer=project.signer,
        )
        sender = Sender(copy, imagined.planner, clock, imagined.letters.write, Nowhere())
        with copy.write() as connection:
            newest = foretold.newest(connection)
            waiting = foretold.still_open(connection)
            # What was decided before is decided again: the files or the rules may be others.
            alarm.ring(connection, planning.with_mail(connection, _EVERYBODY), start)
        imagined.catch_up()
        _go(imagined, sender, clock, end, progress)
        with copy.read() as connection:
            return Course(
                start=start,
                end=end,
                campaigns=library.campaigns,
                templates=library.templates,
                layouts=library.layouts,
                settled=tuple(foretold.settled(connection, newest)),
                waited=(*waiting, *foretold.waited(connection, newest)),
                open=tuple(foretold.still_open(connection)),
            )
    finally:
        copy.close()


def _go(
    imagined: Project,
    sender: Sender,
    clock: SetClock,
    end: datetime,
    progress: Callable[[Progress], None] | None,
) -> None:
    """From alarm to alarm, until the next one is past the end."""
    start = clock.now()
    until_idle(imagined.planner, sender)  # whom a new audience or an edit makes due is known then
    while True:
        while sender.window():
            pass
        with imagined.database.read() as connection:
            ringing = planning.next_alarm(connection)
        if ringing is None or ringing > end:
            return
        clock.set(max(ringing, clock.now()))
        if progress is not None:
            progress(Progress(at=clock.now(), share=(clock.now() - start) / (end - start)))


_EVERYBODY = 1_000_000_000  # no limit


class _Still(Library):
    """A library as it stands, with its files named as the project names them, wherever they were
    read. It is not read again, and nothing of it is kept beyond the simulation."""

    def __init__(self, version: Version) -> None:
        self.__dict__.update(vars(version.library))
        root = version.config.root.resolve()
        self.templates = {
            key: replace(each, file=_below(root, each.file))
            for key, each in version.library.templates.items()
        }

    def reload(self) -> Reloaded:
        return Reloaded(missing=self.missing, problems=self.problems)

    def keep(self) -> None:
        """Nowhere."""


def _below(root: Path, file: str) -> str:
    path = Path(file).resolve()
    return path.relative_to(root).as_posix() if root in path.parents else path.name
