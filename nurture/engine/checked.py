"""What does the check say of the files that a letter comes from?

The check of a whole project takes longer than a page may, so it is asked once for each state of
the files, and read from memory until somebody edits one.
"""

from collections.abc import Collection
from pathlib import Path
from threading import Lock

from nurture.authoring.freshness import stale_texts
from nurture.authoring.library import Library
from nurture.authoring.whole import Whole
from nurture.clock import Clock
from nurture.config import Config
from nurture.errors import Problem, shown
from nurture.rendering.templates import LAYOUTS, Template


class Checked:
    """Safe to use from several threads."""

    def __init__(self, library: Library, config: Config, clock: Clock) -> None:
        self._library = library
        self._config = config
        self._clock = clock
        self._lock = Lock()
        self._state: object = None
        self._found: tuple[Problem, ...] = ()

    def of(self, templates: Collection[Template]) -> list[Problem]:
        """Of these templates and their layouts, by file and line."""
        folder = self._config.templates_dir / LAYOUTS
        files = {each.file for each in templates}
        files |= {shown(Path(folder / f"{each.layout}.html")) for each in templates}
        today = self._clock.now().date()
        stale = stale_texts(templates, self._library.campaigns.values(), today)
        return sorted({*(each for each in self._all() if each.file in files), *stale})

    def senders(self, names: Collection[str]) -> dict[str, str]:
        """The campaigns that send one of these templates: name and title."""
        return {
            name: campaign.title
            for name, campaign in self._library.campaigns.items()
            if any(step.send in names for step in campaign.every_step())
        }

    def _all(self) -> tuple[Problem, ...]:
        library = self._library
        state = (
            library.problems,
            {name: each.digest for name, each in library.campaigns.items()},
            {key: each.digest for key, each in library.templates.items()},
            dict(library.layouts),
        )
        with self._lock:
            if state != self._state:
                whole = Whole(self._config, library).problems()
                self._found = tuple({*library.problems, *whole})
                self._state = state
            return self._found
