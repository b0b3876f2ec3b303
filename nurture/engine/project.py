"""What does everybody work on? One project folder, opened: its files, its rows, its clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from nurture.authoring.library import Library, Reloaded
from nurture.clock import Clock
from nurture.config import Config
from nurture.engine import house
from nurture.engine.letters import Letters
from nurture.engine.planner import Planner
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Renderer
from nurture.store import planning
from nurture.store.database import Connection, Database


@dataclass
class Pulse:
    """Signs of life of the daemon in this process, for /healthz."""

    started_at: datetime
    ticked_at: datetime | None = None
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

    def __post_init__(self) -> None:
        self.pulse = Pulse(started_at=self.clock.now())
        self.letters = Letters(self.config, self._renderer(), self.clock)
        self.planner = Planner(
            self.database, self.library, self.config, self.clock, lambda: self.letters.renderer
        )

    def reload(self) -> Reloaded:
        """Look at the files again; whoever is touched by a change is planned anew."""
        found = self.library.reload()
        if found:
            self.letters.renderer = self._renderer()
            self._rearm(lambda connection, now: planning.rearm(connection, found.campaigns, now))
        return found

    def catch_up(self) -> None:
        """Plan anew whoever is touched by what changed while nobody was running."""
        in_force = {name: each.digest for name, each in self.library.campaigns.items()}
        rules = house.fingerprint(self.config)

        def compare(connection: Connection, now: datetime) -> int:
            before = planning.mark(connection, "in-force") or {}
            changed = {
                name
                for name in in_force.keys() | before.get("campaigns", {}).keys()
                if in_force.get(name) != before.get("campaigns", {}).get(name)
            }
            everybody = before.get("rules") not in (None, rules)
            touched = planning.rearm(connection, None if everybody else changed, now)
            planning.set_mark(connection, "in-force", {"campaigns": in_force, "rules": rules})
            return touched

        self._rearm(compare)

    def close(self) -> None:
        self.database.close()

    def _rearm(self, change: Callable[[Connection, datetime], int]) -> int:
        with self.database.write() as connection:
            return change(connection, self.clock.now())

    def _renderer(self) -> Renderer:
        return Renderer(self.library.templates, self.config, self.signer)
