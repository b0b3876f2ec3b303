"""What is known from outside? All that the simulator told, and all that its mail server was given.

The checkers read this and nothing else: no table, no decision, no reason of the engine.
"""

import email
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_MARK = re.compile(
    r"Mark\s+(\S+)\s+(\S+)\s+v(\d+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+End", re.MULTILINE
)


@dataclass(frozen=True)
class Section:
    """What one part of a mail says of itself."""

    campaign: str
    step: str
    version: int
    category: str
    job: str
    room: str
    time: str


@dataclass(frozen=True)
class Entry:
    seq: int
    at: datetime  #: by the engine's clock


@dataclass(frozen=True)
class Told(Entry):
    """An event, taken in for certain at this point of the log."""

    event: dict[str, Any]
    occurred_at: datetime


@dataclass(frozen=True)
class Files:
    """What a process works by: read when it started, or when it last looked."""

    config: dict[str, Any]
    campaigns: dict[str, dict[str, Any]]
    templates: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Mail(Entry):
    """A message that was offered. `decided_seq` and `decided_at`: when the sender began the window
    in which it left, so what was told before that was known."""

    to: str
    message_id: str
    sections: tuple[Section, ...]
    accepted: bool
    certain: bool  #: the sender heard what became of it
    decided_seq: int
    decided_at: datetime
    offered_seq: int  #: when the sender last had a say
    offered_at: datetime
    files: Files
    process: str

    @property
    def first(self) -> Section:
        return self.sections[0]

    @property
    def categories(self) -> frozenset[str]:
        return frozenset(each.category for each in self.sections)

    def __str__(self) -> str:
        first = self.first
        parts = f" +{len(self.sections) - 1}" if len(self.sections) > 1 else ""
        return (
            f"#{self.seq} {self.at:%a %d %b %H:%M:%S} {self.to}"
            f" {first.campaign}/{first.step}{parts} {first.category} {first.job} {first.room}"
            f"{'' if self.accepted else ' (not accepted)'}{'' if self.certain else ' (in doubt)'}"
        )


@dataclass(frozen=True)
class Note(Entry):
    """Something that the simulator did: a crash, a saved file, a foretold stretch, idleness."""

    what: str
    detail: dict[str, Any] = field(default_factory=dict)


def sections(raw: bytes) -> tuple[Section, ...]:
    """What the text part says of each of its sections, in order."""
    parts = email.message_from_bytes(raw).walk()
    body = next(each for each in parts if each.get_content_type() == "text/plain")
    text = body.get_payload(decode=True).decode()
    found = _MARK.findall(text)
    assert found, f"a mail that says nothing: {text[:300]!r}"
    return tuple(
        Section(campaign, step, int(version), category, job, room, time)
        for campaign, step, version, category, job, room, time in found
    )
