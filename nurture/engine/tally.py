"""How many people stand where in a campaign, what came of its mail, and as counted when?

Few people are counted whenever somebody looks. Many would keep them waiting, since every step of
everybody is a row: they are counted aside, at most once a minute, and the page says as of when.
Nothing is written: no planning and no sending pays for what is counted here.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from nurture.core.model import Campaign
from nurture.engine.project import Project
from nurture.store import funnel
from nurture.store.census import Census, census, under_way
from nurture.store.database import Connection
from nurture.store.funnel import Outcomes

log = logging.getLogger("nurture.tally")

PAST, AHEAD = 30, 14  #: days
#: The stretches of time, in days, over which outcomes are told.
PERIODS = (30, 90)
WEEK = timedelta(days=7)  #: of all campaigns side by side
#: So many people, or mails of such a stretch, are counted while somebody waits.
FEW = 2_000
COUNTING = "nurture-tally"  #: the thread that counts aside
#: How old a count may be before another is made, and how much more time passes than it takes.
FRESH, REST = timedelta(minutes=1), 20


@dataclass(frozen=True, kw_only=True)
class Day:
    """Mails of one day of the house's calendar."""

    starts_at: datetime
    sent: int | None = None  #: None: it has not begun
    ahead: int | None = None  #: that are planned; None: it is over


@dataclass(frozen=True, kw_only=True)
class Tally:
    """All that is counted of one campaign, in one look."""

    at: datetime
    live: bool  #: it was counted just now
    census: Census
    days: tuple[Day, ...]  #: the last 30, today, and the next 14
    outcomes: Mapping[int, Outcomes]  #: by the days of the period


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What is counted of all campaigns, in one look."""

    at: datetime
    live: bool  #: it was counted just now
    enrolled: Mapping[str, int]  #: who are in it now, by campaign
    went: Mapping[str, tuple[int, int]]  #: mails of a WEEK, and how many of these bounced


class Tallies:
    """What was counted last, by campaign: one for each process that shows pages."""

    def __init__(self, project: Project, few: int = FEW) -> None:
        self._project = project
        self._few = few
        self._kept: dict[str, tuple[Tally, timedelta]] = {}
        self._overview: tuple[Overview, timedelta] | None = None
        self._asked: list[str | None] = []  # None: all of them, side by side
        self._lock = threading.Lock()
        self._counting: threading.Thread | None = None

    def of(self, campaign: Campaign) -> Tally | None:
        """None: it is being counted for the first time, which takes a moment."""
        now = self._project.clock.now()
        with self._project.database.read() as connection:
            since = now - timedelta(days=max(PERIODS))
            if not funnel.many(connection, campaign.name, since, self._few):
                return self._count(connection, campaign, live=True)
        kept, took = self._kept.get(campaign.name, (None, timedelta()))
        if kept is None or _is_old(kept.at, took, now):
            self._ask(campaign.name)
        return kept

    def overview(self) -> Overview:
        """Of all campaigns. Whoever looks first waits until it is counted: it is grouped counts
        along two indexes, not every step of everybody."""
        now = self._project.clock.now()
        campaigns = list(self._project.library.campaigns)
        with self._project.database.read() as connection:
            if not funnel.many_in_all(connection, campaigns, now - WEEK, self._few):
                return self._look(connection, live=True)
        kept, took = self._overview or self._keep_overview()
        if _is_old(kept.at, took, now):
            self._ask(None)
        return kept

    def wait(self) -> None:
        """Until all that was asked for is counted."""
        if (counting := self._counting) is not None:
            counting.join()

    def _ask(self, name: str | None) -> None:
        with self._lock:
            if name not in self._asked:
                self._asked.append(name)
            if self._counting is None:
                self._counting = threading.Thread(target=self._work, name=COUNTING, daemon=True)
                self._counting.start()

    def _work(self) -> None:
        """One campaign after the other, until none is asked for."""
        while True:
            with self._lock:
                if not self._asked:
                    self._counting = None
                    return
                name = self._asked[0]
            try:
                if name is None:
                    self._keep_overview()
                else:
                    self._keep(name)
            except Exception:
                # Whoever looks again asks again; the page goes on with what was counted before.
                log.exception("not counted", extra={"action": "not-counted", "campaign": name})
            with self._lock:
                self._asked.remove(name)

    def _keep(self, name: str) -> None:
        campaign = self._project.library.campaigns.get(name)
        if campaign is None:
            return
        began = self._project.clock.now()
        with self._project.database.read() as connection:
            found = self._count(connection, campaign, live=False)
        self._kept[name] = (found, self._project.clock.now() - began)

    def _keep_overview(self) -> tuple[Overview, timedelta]:
        began = self._project.clock.now()
        with self._project.database.read() as connection:
            found = self._look(connection, live=False)
        self._overview = found, self._project.clock.now() - began
        return self._overview

    def _look(self, connection: Connection, *, live: bool) -> Overview:
        now = self._project.clock.now()
        campaigns = list(self._project.library.campaigns)
        return Overview(
            at=now,
            live=live,
            enrolled=under_way(connection),
            went=funnel.sent_and_bounced(connection, campaigns, now - WEEK),
        )

    def _count(self, connection: Connection, campaign: Campaign, *, live: bool) -> Tally:
        now = self._project.clock.now()
        return Tally(
            at=now,
            live=live,
            census=census(connection, campaign.name),
            days=days(connection, campaign, now, ZoneInfo(self._project.config.timezone)),
            outcomes={
                period: funnel.outcomes(connection, campaign.name, now - timedelta(days=period))
                for period in PERIODS
            },
        )


def _is_old(at: datetime, took: timedelta, now: datetime) -> bool:
    return now - at >= max(FRESH, took * REST)


def days(
    connection: Connection, campaign: Campaign, now: datetime, zone: ZoneInfo
) -> tuple[Day, ...]:
    """Mail sent and mail that stands in the plan, day by day of this zone."""
    mails = [step.id for step in campaign.every_step() if step.send is not None]
    past = _edges(now, zone, -PAST, 1)
    ahead = _edges(now, zone, 0, AHEAD + 1)
    sent = funnel.sent_by(connection, campaign.name, past)
    planned = funnel.ahead_by(connection, campaign.name, mails, ahead)
    return (
        *(Day(starts_at=at, sent=many) for at, many in zip(past[:PAST], sent[:PAST], strict=True)),
        Day(starts_at=ahead[0], sent=sent[PAST], ahead=planned[0]),
        *(Day(starts_at=at, ahead=many) for at, many in zip(ahead[1:-1], planned[1:], strict=True)),
    )


def _edges(now: datetime, zone: ZoneInfo, first: int, last: int) -> Sequence[datetime]:
    """The midnights from so many days after today's until so many after it."""
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today + timedelta(days=each) for each in range(first, last + 1)]
