"""By which words was that mail sent? The files as they were in force then, and what they said.

A message names its files by their digests, see `sender`; the texts are in `revisions`. Both stay
for ever, whatever becomes of the files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nurture.authoring.passages import Lines, lines_of_steps
from nurture.store import revisions
from nurture.store.database import Connection

SHORT = 12  #: characters of a digest that people are shown


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A file, or some lines of it, as it was."""

    file: str  #: from the project's folder on
    digest: str  #: sha256 of the whole file's bytes
    since: datetime | None  #: when it was first in force
    lines: tuple[int, int] | None = None  #: first and last, from 1; None: the whole file
    text: str = ""  #: what those lines say

    def numbered(self) -> list[tuple[int, str]]:
        """Its lines with their numbers, as an editor shows them."""
        text = self.text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        lines = text.removesuffix("\n").split("\n")
        return list(enumerate(lines, self.lines[0] if self.lines else 1))

    @property
    def place(self) -> str:
        """`campaigns/welcome.yaml:7-9`"""
        if self.lines is None:
            return self.file
        first, last = self.lines
        return f"{self.file}:{first}" + (f"-{last}" if last > first else "")

    def as_json(self, *, words: bool) -> dict[str, Any]:
        return {
            "file": self.file,
            "digest": self.digest,
            "since": self.since.isoformat() if self.since else None,
            **({"line": self.lines[0], "to": self.lines[1]} if self.lines else {}),
            **({"text": self.text} if words else {}),
        }


@dataclass(frozen=True, kw_only=True)
class Version:
    """What one step of one message was sent by. None: sent before that was written down."""

    step: Passage | None  #: the step's own lines of the campaign's file
    template: Passage | None
    layout: Passage | None

    @property
    def passages(self) -> tuple[Passage, ...]:
        return tuple(each for each in (self.step, self.template, self.layout) if each is not None)

    def as_json(self, *, words: bool) -> dict[str, Any]:
        parts = {"campaign": self.step, "template": self.template, "layout": self.layout}
        return {name: each and each.as_json(words=words) for name, each in parts.items()}


def versions(connection: Connection, rows: Sequence[Mapping[Any, Any]]) -> list[Version | None]:
    """One for each of these rows of `history.settled_rows`; None for what was not sent."""
    digests = {row[name] for row in rows for name in _DIGESTS if row["message"]} - {None}
    kept = revisions.by_digest(connection, digests)
    return [
        _version(connection, row, kept) if row["message"] and row["campaign_digest"] else None
        for row in rows
    ]


_DIGESTS = ("campaign_digest", "template_digest", "layout_digest")


def _version(connection: Connection, row: Mapping[Any, Any], kept: Mapping[Any, Any]) -> Version:
    campaign, template, layout = (row[name] for name in _DIGESTS)
    return Version(
        step=_step(connection, row, kept.get(("campaign", row["campaign"], campaign))),
        template=_whole(kept.get(("template", row["template"], template))),
        layout=_whole(kept.get(("layout", None, layout)), "layouts/", ".html"),
    )


def _whole(row: Mapping[Any, Any] | None, folder: str = "", suffix: str = "") -> Passage | None:
    if row is None:
        return None
    return Passage(
        file=f"templates/{folder}{row['name']}{suffix}",
        digest=row["digest"],
        since=row["kept_at"],
        text=row["content"],
    )


def _step(
    connection: Connection, sent: Mapping[Any, Any], row: Mapping[Any, Any] | None
) -> Passage | None:
    if row is None:
        return None
    lines = _lines(connection, sent, row["content"])
    return Passage(
        file=f"campaigns/{row['name']}.yaml",
        digest=row["digest"],
        since=row["kept_at"],
        lines=lines and lines[:2],
        text=lines.of(row["content"]) if lines else row["content"],
    )


def _lines(connection: Connection, sent: Mapping[Any, Any], content: str) -> Lines | None:
    """Where the step is; under an id that it had then, if it has been renamed since."""
    there = lines_of_steps(content)
    if sent["step"] in there:
        return there[sent["step"]]
    ids = [sent["step"]]
    later = [
        lines_of_steps(r["content"]) for r in revisions.of_campaign(connection, sent["campaign"])
    ]
    for id_ in ids:  # grows while it is read: a step may have been renamed twice
        ids += {each[id_].was for each in later if id_ in each} - {None, *ids}
    return next((there[id_] for id_ in ids if id_ in there), None)
