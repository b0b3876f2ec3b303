"""What is each contender of a comparison asked to do? The same for all, in plain values.

The standard library only: the contenders that are not ours read it in an environment of their own.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BEFORE = datetime(2026, 11, 23, 9, tzinfo=UTC)  #: when everybody is enrolled: a Monday
DUE = BEFORE + timedelta(hours=1)  #: when the first mail of each is due
HISTORY = 10  #: mails to each in the thirty days before

#: At most so many mails to one person in any window of that length.
CAPS = (
    (2, timedelta(hours=20)),
    (6, timedelta(days=6, hours=20)),
    (12, timedelta(days=30)),
)


def earlier() -> list[datetime]:
    """When each of the mails before was sent: none of them is in the way of the next."""
    return [BEFORE - timedelta(days=3 * number + 1) for number in range(HISTORY)]


@dataclass(frozen=True)
class Reader:
    """Whom a letter is for, and what of it differs from person to person."""

    number: int
    first_name: str
    email: str
    source: str | None


def reader(number: int) -> Reader:
    return Reader(
        number=number,
        first_name=f"Ana{number}",
        email=f"c{number}@example.com",
        source="a friend" if number % 3 else None,
    )


#: The same for everybody.
COMMON = {
    "job_title": "Data Engineer",
    "location": "Lisbon",
    "department": "Platform",
    "recruiter_name": "Ida Berg",
    "company_name": "Example Ltd",
    "stage": "applied",
}
