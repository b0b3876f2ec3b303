"""What are the house's rules and each candidate's calendar, in the core's terms?"""

import hashlib
from collections.abc import Callable
from datetime import date, time, timedelta
from functools import lru_cache
from importlib.metadata import version

import holidays as public_holidays

from nurture.config import Config
from nurture.core.agenda import FollowUps, Policy, Recipient, story
from nurture.core.bundling import Together
from nurture.core.hours import ANY, Calendar, Pattern
from nurture.core.model import Candidate, Facts, Hours
from nurture.rendering.context import zone_of

#: Wide hours: every day, whatever it is.
WIDE = (time(7), time(21))


def policy(config: Config) -> Policy:
    contact = config.contact_hours
    everyday = frozenset(range(7))
    return Policy(
        categories=config.categories,
        caps=tuple(config.caps),
        gap=config.gap,
        hours={
            Hours.CONTACT: Pattern(
                days=contact.days,
                opens=contact.from_,
                closes=contact.to,
                spread=contact.spread,
                closed_on_holidays=contact.holidays != "none",
            ),
            Hours.WIDE: Pattern(everyday, *WIDE, spread=min(contact.spread, timedelta(hours=1))),
            Hours.ANY: ANY,
        },
        never=tuple(config.never),
        follow_ups=FollowUps(
            in_process=config.follow_ups.in_process,
            outreach=config.follow_ups.outreach,
            then_quiet=config.follow_ups.then_quiet,
        ),
        cheerful_after_bad_news=config.tone.cheerful_after_bad_news,
        nurture_after_bad_news=config.tone.nurture_after_bad_news,
        bundle=Together(within=config.bundle.within, at_most=config.bundle.at_most),
        max_wait=config.max_wait,
        send_slack=config.send_slack,
        undo_window=config.undo_window,
    )


def fingerprint(config: Config) -> str:
    """Changes whenever a rule, a zone or a holiday may have: then everybody is planned anew."""
    silences = (config.silence, config.legal_silence)
    rules = (policy(config), config.timezone, silences, config.interview_minutes)
    versions = (version("tzdata"), version("holidays"))
    return hashlib.sha256(repr((rules, versions)).encode()).hexdigest()


class Calendars:
    """Zones and public holidays of candidates: their own, else the configured ones."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._holidays = config.contact_hours.holidays

    def of(self, candidate: Candidate) -> Calendar:
        return Calendar(
            zone=zone_of(candidate, self._config),
            holidays=self._of_country(candidate),
            key=candidate.ref,
        )

    def recipient(self, facts: Facts) -> Recipient:
        candidate = facts.candidate
        return Recipient(candidate=candidate, calendar=self.of(candidate), story=story(facts))

    def _of_country(self, candidate: Candidate) -> Callable[[date], str | None]:
        if self._holidays == "none":
            return _no_holidays
        if self._holidays == "candidate":
            return _holidays(candidate.country or "", candidate.subdivision or "")
        return _holidays(self._holidays, "")


@lru_cache(maxsize=512)
def _holidays(country: str, subdivision: str) -> Callable[[date], str | None]:
    """The public holidays of a country; none where the library does not know it."""
    try:
        found = public_holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        if subdivision:
            return _holidays(country, "")
        return _no_holidays
    return lru_cache(maxsize=None)(found.get)  # a day is asked for by everybody in the country


def _no_holidays(_day: date) -> str | None:
    return None
