"""Which templates lost our trust, and who remembers it when this process ends?

A template is pinned when a mail of it that was filled in was not that mail inlined by itself (see
rendering/pages.py): from then on each is inlined by itself. The database remembers pins for all
processes; an edit of the template gives it another digest, and so frees it.
"""

from collections.abc import Iterable, Mapping

from nurture.rendering.templates import Template
from nurture.store import planning
from nurture.store.database import Connection, Database, one_at_a_time

_MARK = "pinned-templates"


class Pins:
    """`known` is shared with renderers, which add to it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.read() as connection:
            self.known = _kept(connection)
        self._kept = set(self.known)

    def keep(self) -> None:
        """Tell the database of new ones. Costs nothing where there are none."""
        if self.known == self._kept:
            return
        with self.database.write() as connection:
            one_at_a_time(connection, _MARK)
            self.known |= _kept(connection)
            planning.set_mark(connection, _MARK, sorted(self.known))
        self._kept = set(self.known)

    def listed(self, templates: Mapping[str, Template]) -> list[str]:
        """The names of those that are in force as they were when they were pinned."""
        now = {f"{each.key}@{each.digest[:12]}" for each in templates.values()}
        return sorted({name.partition("@")[0] for name in _files(self.known) & now})


def _files(pins: Iterable[str]) -> set[str]:
    return {file for pin in pins for file in pin.split(" ")}


def _kept(connection: Connection) -> set[str]:
    return set(planning.mark(connection, _MARK) or ())
