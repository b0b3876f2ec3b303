"""Each real change of the clocks through the whole decision, and thousands who are due at once."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from nurture.core.agenda import Ledger, Policy, Recipient, plan
from nurture.core.anchors import Ground
from nurture.core.hours import Calendar, Openings, Pattern
from nurture.core.journey import ENTIRELY_TRUE, stand
from nurture.core.model import (
    Campaign,
    CampaignStatus,
    Candidate,
    Category,
    Contact,
    Duration,
    Enrollment,
    Enter,
    Facts,
    Hours,
    MessageClass,
    Moment,
    Step,
    StepRecord,
    StepState,
    Subject,
    Verdict,
)

OFFICE = Pattern(
    days=frozenset(range(5)), opens=time(8, 30), closes=time(18, 30), spread=timedelta(minutes=45)
)
CATEGORIES = {
    each.name: each
    for each in (
        Category(name="receipt", klass=MessageClass.SERVICE, priority=95, hours=Hours.ANY),
        Category(name="help", klass=MessageClass.SERVICE, priority=50, hours=Hours.CONTACT),
    )
}
POLICY = Policy(
    categories=CATEGORIES,
    caps=(),
    gap=None,
    hours={Hours.CONTACT: OFFICE, Hours.ANY: None, Hours.WIDE: None},
)
ANA = Candidate(id=1, ref="c-1", email="ana@example.com")


class Change(NamedTuple):
    """One change of offset, and a time on the wall clock that it skips or shows twice."""

    zone: str
    at: datetime
    inside: datetime  #: without a zone
    fires_at: datetime  #: what the documents say


def changes() -> Iterator[Change]:
    file = Path(__file__).parent / "data" / "transitions_2024_2030.tsv"
    for line in file.read_text(encoding="utf-8").splitlines()[1:]:
        zone, changed_at, before, after, offset_before, offset_after, kind = line.split("\t")
        at, old = datetime.fromisoformat(changed_at), timedelta(seconds=int(offset_before))
        first, last = sorted(datetime.fromisoformat(each) for each in (before, after))
        inside = first + (last - first) / 2
        inside = inside.replace(second=0, microsecond=0) + timedelta(minutes=1)
        seen = [each.astimezone(ZoneInfo(zone)) for each in (at - timedelta(seconds=1), at)]
        wanted = [old, timedelta(seconds=int(offset_after))]
        if [each.utcoffset() for each in seen] != wanted:
            continue  # a newer tzdata than the list's: governments change their minds
        fires_at = at if kind == "gap" else inside.replace(tzinfo=UTC) - old
        yield Change(zone, at, inside, fires_at)


ALL = tuple(changes())


def campaign(inside: datetime, category: str) -> Campaign:
    moment = Moment(
        offset=Duration(amount=1, unit="days"), before=False, anchor="entered", at=inside.time()
    )
    step = Step(id="s", send="t", at=moment, category=category)
    return Campaign(
        name="any", title="Any", status=CampaignStatus.LIVE, enter=Enter(on="x"), steps=(step,)
    )


def fired(change: Change, category: str) -> list[datetime]:
    """When the mail goes out, if somebody looks at every alarm; and twice at each."""
    days = Calendar(ZoneInfo(change.zone), lambda _: None, "c-1")
    entered_at = days.instant(change.inside.date() - timedelta(days=1), time(12))
    enrollment = Enrollment(
        id=1,
        candidate_id=1,
        campaign="any",
        subject=Subject(),
        about="candidate:1",
        entered_at=entered_at,
    )
    facts = Facts(candidate=ANA, enrollments=(enrollment,))
    file, recipient = campaign(change.inside, category), Recipient(candidate=ANA, calendar=days)
    sent: list[datetime] = []
    now: datetime | None = entered_at
    for _ in range(12):
        if now is None:
            return sent
        ground = Ground(facts=facts, calendar=days, now=now, known_at=entered_at)
        wanted = stand(file, enrollment, ground, lambda _: ENTIRELY_TRUE)
        contacts = tuple(Contact(at=at, category=category) for at in sent)
        agenda = plan(recipient, wanted, Ledger(contacts=contacts), POLICY, now)
        for item in agenda.items:
            if item.verdict is Verdict.SEND:
                sent.append(now)
                record = StepRecord(
                    enrollment_id=1,
                    step="s",
                    occurrence=item.key.occurrence,
                    anchor_at=item.anchor_at,
                    moment_at=item.moment_at,
                    known_at=now,
                    state=StepState.SENT,
                    settled_at=now,
                )
                facts = replace(facts, records=(*facts.records, record))
        now = now if agenda.items and agenda.items[0].verdict is Verdict.SEND else agenda.wake_at
    raise AssertionError("its alarms do not end")


def test_there_are_as_many_changes_as_the_world_makes() -> None:
    assert len(ALL) > 2000
    assert {each.inside.year for each in ALL} == set(range(2024, 2030))


def test_a_mail_at_any_hour_goes_once_at_the_documented_instant_over_each_change() -> None:
    for change in ALL:
        assert fired(change, "receipt") == [change.fires_at], change


@pytest.mark.acceptance("A8.1")
def test_a_mail_in_contact_hours_goes_once_at_the_opening_after_each_change() -> None:
    for change in ALL:
        days = Calendar(ZoneInfo(change.zone), lambda _: None, "c-1")
        opening = Openings(days, OFFICE).next_open(change.fires_at)
        assert opening is not None
        (at,) = fired(change, "help")
        assert at == opening, change
        assert time(8, 30) <= at.astimezone(days.zone).time() < time(18, 30), change


# --- many at once


@pytest.mark.parametrize("day", [date(2026, 11, 23), date(2027, 3, 29)], ids=str)
def test_no_minute_gets_more_than_its_share_of_5000_who_are_due_when_the_day_opens(
    day: date,
) -> None:
    zone = ZoneInfo("Europe/Lisbon")
    opens = datetime.combine(day, time(8, 30), zone).astimezone(UTC)
    minutes: Counter[int] = Counter()
    for number in range(5000):
        own = Openings(Calendar(zone, lambda _: None, f"c-{number}"), OFFICE).next_open(opens)
        assert own is not None
        minutes[(own - opens) // timedelta(minutes=1)] += 1
    assert set(minutes) == set(range(45))
    share = 5000 / 45
    assert max(minutes.values()) < 1.5 * share
    assert min(minutes.values()) > 0.5 * share
