"""Until when does this candidate's own story hold mail back? Pause, tone, follow-ups and pace.

Each is a forbidden interval beside those of the house's caps. None of them says what befell the
candidate, or in which application: the words are read over shoulders.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import blake2b
from typing import Any

from nurture.core.caps import Blocked, Counted, Hold, Limits
from nurture.core.hours import Calendar, Never, open_weekdays
from nurture.core.model import Category, Contact, Hours, MessageClass, Pace, Reason, Tone
from nurture.core.verdicts import FollowUps, Policy, Recipient

#: So that an interval that holds from now on holds now as well: its ends are allowed.
_BEFORE = timedelta(seconds=1)
_NONE = timedelta(0)

#: At a weekly pace, so that another weekday chosen makes no two mails in two days.
BETWEEN_WEEKLY = timedelta(days=4)
#: As with caps: mail that comes on the same days each week is not late for an hour's difference.
WEEK = timedelta(days=6, hours=20)

#: The weekday of a weekly pace, where the candidate named none: those on which people read.
_MIDWEEK = (1, 2, 3)


class Holding:
    """What holds one candidate's mail back, apart from the house's caps."""

    def __init__(
        self,
        recipient: Recipient,
        policy: Policy,
        contacts: Iterable[Contact],
        limits: Limits,
        now: datetime,
    ) -> None:
        self._recipient = recipient
        self._policy = policy
        self._limits = limits
        self._now = now
        self._contacts = contacts
        self._asked: list[datetime] | None = None
        self._slower: Hold | None = None
        self._open_days: dict[Hours, frozenset[int]] = {}
        sensitive_until = recipient.candidate.wishes.sensitive_until
        #: Somebody asked for special care: each mail is looked at first.
        self.sensitive_until = (
            sensitive_until if sensitive_until is not None and sensitive_until > now else None
        )

    def of(self, tone: Tone, category: Category) -> list[Hold]:
        """What holds this kind of mail back whatever has a place: a mail that joins another's, too.

        Pauses hold nurture mail, bad news and special care what is cheerful, too; follow-ups wait
        for an answer, and the house's `never` for better hours.
        """
        story, now = self._recipient.story, self._now
        nurture, cheerful = category.klass is MessageClass.NURTURE, tone is Tone.CHEERFUL
        found: list[Hold] = []
        paused_until = self._recipient.candidate.paused_until
        if nurture and paused_until is not None:
            found.append(self._until(paused_until, Reason.CANDIDATE_PAUSED))
        if (nurture or cheerful) and self.sensitive_until is not None:
            found.append(self._until(self.sensitive_until, Reason.SENSITIVE))
        if story.bad_news_at is not None:
            end = story.bad_news_at + self._after_bad_news(nurture, cheerful)
            if end > now:
                found.append(self._until(end, Reason.TONE))
        found += hours_of_tone(self._policy.never, tone, self._recipient.calendar)
        if category.follow_up and self._policy.follow_ups is not None:
            found += self._follow_ups(self._policy.follow_ups)
        return found

    def pace(self, category: Category) -> list[Hold]:
        """The candidate's own caps on what the house caps."""
        wishes = self._recipient.candidate.wishes
        if wishes.pace is Pace.AS_IT_HAPPENS or not category.capped:
            return []
        if self._slower is None:
            weekly = wishes.pace is Pace.WEEKLY
            at_most, per = (1, BETWEEN_WEEKLY) if weekly else (2, WEEK)
            rule = Slower(wishes.pace)
            self._slower = self._limits.counting(rule, at_most, per, self._capped, Reason.PACE)
        if wishes.pace is Pace.WEEKLY:
            return [OneWeekday(self._recipient.calendar, self._weekday(category)), self._slower]
        return [self._slower]

    def placed(self, category: Category, at: datetime) -> None:
        """A mail of this category will go then."""
        if category.follow_up:
            self._when_asked().append(at)

    def _after_bad_news(self, nurture: bool, cheerful: bool) -> timedelta:
        """How long this kind of mail leaves somebody in peace then."""
        return max(
            self._policy.nurture_after_bad_news if nurture else _NONE,
            self._policy.cheerful_after_bad_news if cheerful else _NONE,
        )

    def _until(self, end: datetime, reason: Reason) -> Blocked:
        return Blocked(self._now - _BEFORE, end, reason, {"until": end.isoformat()})

    def _follow_ups(self, ceilings: FollowUps) -> list[Hold]:
        """Nothing until they were left in peace for long enough, once they were asked so often."""
        asked = self._when_asked()
        ceiling = ceilings.in_process if self._recipient.story.in_process else ceilings.outreach
        if len(asked) < ceiling:
            return []
        end = max(asked) + ceilings.then_quiet
        detail = {"asked": len(asked), "ceiling": ceiling, "until": end.isoformat()}
        return [Blocked(self._now - _BEFORE, end, Reason.FOLLOW_UPS, detail)]

    def _when_asked(self) -> list[datetime]:
        """Follow-ups in a row: since the candidate was last heard, and those placed already."""
        if self._asked is None:
            heard = self._recipient.story.heard_at
            names = {each.name for each in self._policy.categories.values() if each.follow_up}
            self._asked = [
                each.at
                for each in self._contacts
                if names & {each.category, *(part.category for part in each.sections)}
                and (heard is None or each.at > heard)
            ]
        return self._asked

    def _capped(self, one: Counted) -> bool:
        """Mail that could have waited; of a category that is gone, any: whichever it was."""
        if one.category is None:
            return False
        category = self._policy.categories.get(one.category)
        return category is None or category.capped

    def _weekday(self, category: Category) -> int:
        """The day of the week that they chose, or a steady one of ours; where nothing of this
        category goes on that day, the next on which it does."""
        wishes, calendar = self._recipient.candidate.wishes, self._recipient.calendar
        day = wishes.pace_day
        if day is None:
            digest = blake2b(calendar.key.encode(), digest_size=8).digest()
            day = _MIDWEEK[int.from_bytes(digest) % len(_MIDWEEK)]
        open_days = self._open_days.get(category.hours)
        if open_days is None:
            pattern = self._policy.hours[category.hours]
            open_days = self._open_days[category.hours] = open_weekdays(pattern, wishes)
        days = [(day + later) % 7 for later in range(7)]
        return next((each for each in days if each in open_days), day)


@dataclass(frozen=True, slots=True)
class Slower:
    """A pace of the candidate's own, as the rule that it is."""

    pace: Pace

    def explained(self) -> dict[str, Any]:
        return {"pace": self.pace.value}


@dataclass(frozen=True, slots=True)
class OneWeekday:
    """A weekly pace: no other day of the week than this."""

    calendar: Calendar
    day: int  #: Monday is 0

    def around(self, at: datetime) -> Blocked | None:
        today = self.calendar.local(at).date()
        ahead = (self.day - today.weekday()) % 7
        if not ahead:
            return None
        end = self.calendar.instant(today + timedelta(days=ahead), time.min)
        if end <= at:  # where clocks go back over midnight, the day had begun already
            return None
        detail = {"pace": Pace.WEEKLY.value, "until": end.isoformat()}
        return Blocked(at - _BEFORE, end, Reason.PACE, detail)


@dataclass(frozen=True, slots=True)
class _HoursOfTone:
    rule: Never
    calendar: Calendar

    def around(self, at: datetime) -> Blocked | None:
        end = self.rule.ends(at, self.calendar)
        if end is None:
            return None
        return Blocked(at - _BEFORE, end, Reason.TONE, {"until": end.isoformat()})


def hours_of_tone(never: Iterable[Never], tone: Tone, calendar: Calendar) -> list[Hold]:
    """The house's rules on when this tone does not go."""
    return [_HoursOfTone(rule, calendar) for rule in never if rule.tone is tone]
