"""What is known of the ninety days from outside: told, accepted, and on the list of tasks."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tools.ninety_days.people import Life


@dataclass(frozen=True)
class Told:
    """Something that was known from this instant on."""

    at: datetime
    event: dict[str, Any]


@dataclass(frozen=True)
class Mail:
    """What the mail server accepted."""

    at: datetime
    to: str  #: whose
    message_id: str
    parts: tuple[tuple[str, str | None], ...]  #: template, and the job that it is about

    @property
    def first(self) -> str:
        return self.parts[0][0]


@dataclass(frozen=True)
class Task:
    """A person's, as the list of tasks has it at the end of the ninety days."""

    of: str
    application: str | None
    step: str
    call: bool
    made: datetime
    done: datetime | None


@dataclass
class Past:
    """All that is known from outside."""

    lives: dict[str, Life]
    told: dict[str, list[Told]] = field(default_factory=dict)  #: by person
    mails: dict[str, list[Mail]] = field(default_factory=dict)
    tasks: dict[str, list[Task]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, tuple[str, str]] = field(default_factory=dict)  #: template: category, tone

    def join(self, other: "Past") -> None:
        """What befell others, in another run."""
        for mine in ("lives", "told", "mails", "tasks"):
            getattr(self, mine).update(getattr(other, mine))
        self.refused.update(other.refused)
