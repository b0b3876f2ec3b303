"""Who is there: which jobs, which recruiters, and what may become of whom, and how often?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

#: A Monday. In the 90 days from here clocks change on both sides of the Atlantic, and Easter,
#: Liberation Day, Labour Day and Ascension are holidays of some and not of others.
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
DAYS = 90
END = START + timedelta(days=DAYS)
#: Everything happens at full half hours, so that the engine is asked once about many.
GRID = timedelta(minutes=30)

#: Zone, country, subdivision, how many of a hundred.
PLACES = (
    ("Europe/Lisbon", "PT", None, 24),
    ("Europe/Berlin", "DE", "BY", 16),
    ("Europe/London", "GB", "ENG", 14),
    ("Europe/Paris", "FR", None, 8),
    ("America/New_York", "US", None, 14),
    ("America/Sao_Paulo", "BR", None, 8),
    ("Asia/Kolkata", "IN", None, 8),
    ("Pacific/Auckland", "NZ", None, 4),
    (None, None, None, 4),
)
HOME = "Europe/Lisbon"

#: What becomes of an application, and of how many in a hundred.
FATES = {
    "rejected early": 18,
    "nobody decides": 8,
    "interviewed, then no": 17,
    "silver medalist": 12,
    "hired": 12,
    "offer declined": 4,
    "offer withdrawn": 2,
    "withdrew": 9,
    "job closed": 10,
    "on hold": 8,
}
#: What else somebody may be like, and how many of a hundred are.
TRAITS = {
    "phone first": 8,
    "weekly pace": 8,
    "only what matters": 4,
    "pauses": 7,
    "unsubscribes": 8,
    "own hours": 8,
    "needs care": 2,
    "dead address": 2,
    "discreet": 3,
    "wants no contact": 1,
    "replies": 10,
    "is asked for a good time": 8,
    "second application": 8,
}

#: Who looks after whom. What they are like with their tasks is in house.py.
PROMPT, ALSO_PROMPT, LATE, NEVER = (
    {"email": "ida.berg@example.com", "name": "Ida Berg", "phone": "+351 21 555 0110"},
    {"email": "marco.duarte@example.com", "name": "Marco Duarte", "phone": "+351 21 555 0120"},
    {"email": "priya.raman@example.com", "name": "Priya Raman"},
    {"email": "nils.holm@example.com", "name": "Nils Holm"},
)
DANA, ERIK = (
    {"email": "dana.whitlock@example.com", "name": "Dana Whitlock", "title": "Head of Data"},
    {"email": "erik.lund@example.com", "name": "Erik Lund", "title": "Head of Operations"},
)


@dataclass(frozen=True)
class Job:
    ref: str
    title: str
    recruiter: dict[str, str]
    manager: dict[str, str]
    closes_on: int | None = None  #: day of the ninety


JOBS = (
    Job("j01", "Data Engineer", PROMPT, DANA),
    Job("j02", "Backend Developer", ALSO_PROMPT, DANA),
    Job("j03", "Product Designer", PROMPT, ERIK),
    Job("j04", "Finance Analyst", LATE, ERIK),
    Job("j05", "Customer Support Lead", ALSO_PROMPT, ERIK),
    Job("j06", "Site Reliability Engineer", LATE, DANA),
    Job("j07", "Sales Manager", PROMPT, ERIK),
    Job("j08", "Nurse Coordinator", NEVER, ERIK),
    Job("j09", "Data Analyst", NEVER, DANA),
    Job("j10", "Warehouse Planner", PROMPT, ERIK, closes_on=31),
    Job("j11", "Technical Writer", ALSO_PROMPT, DANA, closes_on=50),
    Job("j12", "Marketing Specialist", LATE, ERIK, closes_on=71),
)
TITLES = {job.title: job.ref for job in JOBS}


@dataclass(frozen=True)
class Happening:
    """Something that an applicant system tells at an instant."""

    at: datetime
    event: dict[str, Any]


@dataclass
class Life:
    """One person, and all that is told of them."""

    ref: str
    first_name: str
    zone: str | None
    country: str | None
    subdivision: str | None
    fate: str
    traits: frozenset[str]
    happenings: list[Happening] = field(default_factory=list)

    @property
    def clock(self) -> ZoneInfo:
        return ZoneInfo(self.zone or HOME)


def closings() -> Iterator[Happening]:
    """Jobs that close, each told once for everybody who applied."""
    for job in JOBS:
        if job.closes_on is not None:
            at = START + timedelta(days=job.closes_on, hours=8)
            yield Happening(at, {"type": "job.closed", "job": {"id": job.ref}})


def on_grid(at: datetime) -> datetime:
    """The next full half hour."""
    return at + (START - at) % GRID


def is_workday(life: Life, day: date) -> bool:
    """Where they are."""
    return day.weekday() < 5 and not is_holiday(life.country, life.subdivision, day)


@cache
def is_holiday(country: str | None, subdivision: str | None, day: date) -> bool:
    if country is None:
        return False
    return day in holidays.country_holidays(country, subdiv=subdivision, years=day.year)
