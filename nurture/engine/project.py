"""What does everybody work on? One project folder, opened: its files, its rows, its clock."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nurture.authoring.former import Kinds, kinds_of
from nurture.authoring.library import Library, Reloaded
from nurture.clock import Clock
from nurture.config import Config
from nurture.engine import house
from nurture.engine.letters import Letters
from nurture.engine.pins import Pins
from nurture.engine.planner import Planner
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Renderer
from nurture.store import alarm, confidences, planning, rejections, revisions
from nurture.store.database import Database, one_at_a_time

IN_FORCE = "in-force"  #: the mark that says which files and rules people were planned by


@dataclass
class Pulse:
    """Signs of life of the daemon in this process, for /healthz."""

    started_at: datetime
    ticked_at: datetime | None = None
    idle_at: datetime | None = None  #: when nothing was left to do
    trouble: str = ""  #: the last failure of a part outside, until the next success


@dataclass
class Project:
    config: Config
    clock: Clock
    database: Database
    library: Library
    signer: Signer
    planner: Planner = field(init=False)
    letters: Letters = field(init=False)
    pulse: Pulse = field(init=False)
    pins: Pins = field(init=False)
    #: Campaigns that were read, but their people could not be told yet: the database was busy.
    behind: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.pulse = Pulse(started_at=self.clock.now())
        self.pins = Pins(self.database)
        self.letters = Letters(
            self.config,
            self._renderer(),
            self.clock,
            lambda: self.library.campaigns,
            self._rejections,
            lambda: self.library.content,
        )
        self.planner = Planner(
            self.database, self.library, self.config, self.clock, lambda: self.letters.renderer
        )

    def reload(self) -> Reloaded:
        """Look at the files again; whoever is touched by a change is planned anew."""
        found = self.reread()
        if found or self.behind:
            self.behind |= found.campaigns
            self.catch_up(self.behind)
            self.behind = frozenset()
        return found

    def reread(self) -> Reloaded:
        """Look at the files again, and touch nobody: for who only shows them."""
        self.pins.keep()
        found = self.library.reload()
        if found:
            self.letters.renderer = self._renderer()
        return found

    def begin(self) -> None:
        """The first thing a process does that plans: what was missed while nobody ran is looked at
        before it goes, and so is what the files say now."""
        with self.database.write() as connection:
            self.planner.guard.started(connection, self.clock.now())
            confidences.sweep(connection, self.clock.now())
        self.catch_up()

    def alive(self) -> None:
        """Somebody is at work, though there may be nothing to do."""
        with self.database.write() as connection:
            self.planner.guard.ticked(connection, self.clock.now())

    def catch_up(self, changed: Collection[str] = ()) -> None:
        """Plan anew whoever is touched by these campaigns, and by whatever else is not as it was
        when somebody last looked: files edited while nobody was running, rules, zones, holidays."""
        self.library.keep()
        in_force = {name: each.digest for name, each in self.library.campaigns.items()}
        rules = house.fingerprint(self.config)
        with self.database.write() as connection:
            one_at_a_time(connection, IN_FORCE)
            mark = planning.mark(connection, IN_FORCE)
            before = mark or {"campaigns": {}, "rules": rules}
            was = before["campaigns"]
            names = in_force.keys() | was.keys()
            touched = {name for name in names if in_force.get(name) != was.get(name)}
            everybody = before["rules"] != rules
            campaigns = None if everybody else touched.union(changed)
            alarm.rearm(connection, campaigns, self.clock.now())
            kinds = kinds_of(self.library.templates)
            others = self._of_other_kinds(before.get("kinds", kinds), kinds)
            for name in touched | others:
                self.planner.guard.edited(
                    connection,
                    name,
                    was.get(name),
                    before.get("kinds", {}),
                    self.clock.now(),
                    first=mark is None,
                )
            self.planner.guard.renamed(connection, touched)
            kept = self.library.revisions()
            planning.set_mark(
                connection,
                IN_FORCE,
                {
                    "campaigns": in_force,
                    "rules": rules,
                    "kinds": kinds,
                    "templates": self._digests_of("template", kept),
                    "layouts": self._digests_of("layout", kept),
                    "contents": self._digests_of("content", kept),
                },
            )
            revisions.keep(connection, kept, self.clock.now())

    def _of_other_kinds(self, before: Kinds, now: Kinds) -> set[str]:
        """Campaigns that send a template which has become mail of another kind."""
        changed = {name for name in now if name in before and list(before[name]) != list(now[name])}
        return {
            name
            for name, campaign in self.library.campaigns.items()
            if any(step.send in changed for step in campaign.every_step())
        }

    @staticmethod
    def _digests_of(kind: str, kept: Iterable[revisions.Revision]) -> dict[str, str]:
        return {each.name: each.digest for each in kept if each.kind == kind}

    def close(self) -> None:
        try:
            self.pins.keep()
        finally:
            self.database.close()

    def _rejections(self, job: str, family: str | None, since: datetime) -> Mapping[str, int]:
        with self.database.read() as connection:
            return rejections.told_since(connection, job, family, since)

    def _renderer(self) -> Renderer:
        library, known = self.library, self.pins.known
        return Renderer(
            library.templates,
            self.config,
            self.signer,
            library.layouts,
            known,
            reasons=library.reasons,
        )
