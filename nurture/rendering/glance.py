"""What may a condition say of a person, read from one row? The vocabulary without the whole story.

`context` puts everything together that is known of somebody. A condition over a million people
mostly reads two or three fields of the candidate and of one application, so here it gets just
those, in the same words and with the same values: a law in the tests compares the two.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nurture.config import Config
from nurture.rendering.context import VOCABULARY, _of_kind
from nurture.rendering.functions import whole_since

_FUNCTIONS = frozenset({"days_since", "hours_since", "consents", "answered", "replied"})
_PLAIN = frozenset({"first_name", "last_name", "timezone", "country", "locale"})
_PLAIN |= {"phone", "pronouns", "formality", "channel"}
_INSTANTS = ("applied_at", "stage_since", "rejected_at")
_HIDDEN = frozenset({*VOCABULARY["candidate"], "subdivision"})


@dataclass(frozen=True, kw_only=True)
class Row:
    """A candidate's row, and of one of their applications if it is about one. `data` holds facts
    flat, instants and dates as text."""

    data: Mapping[str, Any]
    email: str | None = None
    unsubscribed: Collection[str] = ()
    replied_at: datetime | None = None
    application: Mapping[str, Any] | None = None  #: its `data`
    status: str | None = None


Reader = Callable[[Row], Any]


def readable(
    fields: Collection[tuple[str, str]], functions: Collection[str], config: Config
) -> bool:
    """Whether a row is enough to say all this."""
    if not _FUNCTIONS.issuperset(functions):
        return False
    return all(_reader(thing, name, config) is not None for thing, name in fields)


class Glance:
    """The words of one person after the other, in one and the same mapping: what `words` gives is
    good until it is called again."""

    def __init__(self, fields: Collection[tuple[str, str]], config: Config, now: datetime) -> None:
        self._config = config
        self._now = now
        self._changes: list[datetime] = []
        self._row = Row(data={})
        self._zone = ZoneInfo(config.timezone)
        self._things: dict[str, dict[str, Any]] = {
            "candidate": {},
            "application": {},
            "company": {},
        }
        self._readers = [
            (self._things[thing], name, reader)
            for thing, name in fields
            if (reader := _reader(thing, name, config)) is not None
        ]
        self._words: dict[str, Any] = {
            **self._things,
            "days_since": lambda at: whole_since(
                at, timedelta(days=1), self._zone, self._now, self._changes
            ),
            "hours_since": lambda at: whole_since(
                at, timedelta(hours=1), self._zone, self._now, self._changes
            ),
            "consents": lambda topic: not {topic, "all"} & set(self._row.unsubscribed),
            "answered": self._answered,
            "replied": self._replied,
            "_changes": self._changes,
        }

    def words(self, row: Row) -> Mapping[str, Any]:
        self._row = row
        self._zone = self._words["_zone"] = _zone(row.data.get("timezone"), self._config.timezone)
        self._changes.clear()
        for thing, name, read in self._readers:
            value = read(row)
            if value is None or value == "":
                thing.pop(name, None)
            else:
                thing[name] = value
        return self._words

    def _answered(self, question: str) -> Any:
        answers = self._row.data.get("answers")
        return answers.get(question) if isinstance(answers, Mapping) else None

    def _replied(self) -> bool:
        replied_at = self._row.replied_at  # who is only just entering: since now
        return replied_at is not None and replied_at >= self._now


def _reader(thing: str, name: str, config: Config) -> Reader | None:
    """How one field is read from a row; None: a row does not say it."""
    if thing == "candidate":
        return _of_candidate(name, config)
    if thing == "application":
        return _of_application(name)
    if thing == "company" and name in VOCABULARY["company"]:
        return lambda _: getattr(config.company, name)
    return None


def _of_candidate(name: str, config: Config) -> Reader | None:
    kind = config.candidate_fields.get(name)
    if kind is not None:
        return None if name in _HIDDEN else lambda row: _of_kind(kind, row.data.get(name))
    if name in _PLAIN:
        return lambda row: row.data.get(name)
    if name == "email":
        return lambda row: row.email
    if name == "full_name":
        return lambda row: " ".join(
            part for part in (row.data.get("first_name"), row.data.get("last_name")) if part
        )
    if name == "consent_until":
        return lambda row: _date(row.data.get(name))
    return None


def _of_application(name: str) -> Reader | None:
    def told(row: Row) -> Any:
        return None if row.application is None else row.application.get(name)

    if name == "status":
        return lambda row: row.status
    if name in ("stage", "source"):
        return told
    if name in _INSTANTS:
        return lambda row: _instant(told(row))
    if name == "start_date":
        return lambda row: _date(told(row))
    return None


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


@lru_cache(maxsize=1024)
def _zone(name: str | None, default: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or default)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(default)
