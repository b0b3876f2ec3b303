"""Whose holiday is it, and which clock? As the engine runs."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from nurture.config import Config, load_config
from nurture.core.hours import Openings, Pattern
from nurture.core.model import Candidate
from nurture.engine.house import Calendars
from tests.conftest import REPOSITORY
from tests.world import World

OFFICE = Pattern(
    days=frozenset(range(5)), opens=time(8, 30), closes=time(18, 30), closed_on_holidays=True
)


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(REPOSITORY / "config.yaml", {})


@pytest.mark.parametrize(
    ("day", "closed", "open_"),
    [
        (date(2027, 1, 6), "BY", "HH"),  # Epiphany
        (date(2028, 10, 31), "HH", "BY"),  # Reformation Day
        (date(2027, 5, 27), "BY", "HH"),  # Corpus Christi
    ],
    ids=str,
)
def test_a_holiday_of_one_part_of_a_country_closes_that_part_only(
    config: Config, day: date, closed: str, open_: str
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    nine = datetime.combine(day, time(9), zone).astimezone(UTC)

    def opening(subdivision: str | None) -> datetime | None:
        person = Candidate(
            id=1, ref="c", country="DE", subdivision=subdivision, timezone="Europe/Berlin"
        )
        return Openings(Calendars(config).of(person), OFFICE).next_open(nine)

    next_day = datetime.combine(day + timedelta(days=1), time(8, 30), zone).astimezone(UTC)
    assert opening(open_) == nine
    assert opening(closed) == next_day
    assert opening(None) == nine  # of a country alone, only what all of it keeps


#: Zone, the date in question, the time that is skipped or comes twice, and when it is in UTC.
CHANGES = [
    ("Australia/Lord_Howe", date(2026, 10, 4), "02:15", "2026-10-03T15:30"),
    ("Europe/Lisbon", date(2026, 10, 25), "01:30", "2026-10-25T00:30"),
    ("America/New_York", date(2027, 3, 14), "02:30", "2027-03-14T07:00"),
]


def test_the_engines_own_clock_strikes_once_over_a_change(world: World) -> None:
    world.template("notes/now", "receipt")
    for number, (_, _, clock, _) in enumerate(CHANGES):
        world.campaign(
            f"at{number}",
            f"name: At\nstatus: live\nenter: {{on: custom.at{number}}}\nsteps:\n"
            f'  - send: notes/now\n    at: "1 day after entered at {clock}"\n',
        )
    world.reload()
    for number, (zone, day, _, at) in enumerate(CHANGES):
        noon_before = datetime.combine(day - timedelta(days=1), time(12), ZoneInfo(zone))
        world.run_until(noon_before.astimezone(UTC))
        who = {"id": f"p{number}", "email": f"p{number}@example.com", "timezone": zone}
        world.tell(f"custom.at{number}", candidate=who)
        world.run_for(days=3)
        expected = datetime.fromisoformat(at).replace(tzinfo=UTC)
        assert world.sent(f"p{number}") == [("now", expected)]
