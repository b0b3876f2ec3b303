"""What does this candidate get, when, and why? The heart: everything a person experiences is here.

`plan` is pure and total. It looks at all that every campaign wants for one candidate, at what has
reached them, at their hours and wishes and at the clock, and gives each wanted step one verdict.
The daemon acts on it, the preview shows it, `explain` prints it, the simulator runs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from nurture.core import timing
from nurture.core.caps import Blocked, Cap, Gap, Taken, blocked, earliest
from nurture.core.hours import Calendar, Never, Openings, Pattern
from nurture.core.journey import Key, Standstill, Want
from nurture.core.model import (
    Approval,
    CampaignStatus,
    Candidate,
    Category,
    Contact,
    Hours,
    Message,
    MessageClass,
    Reason,
    Step,
    Verdict,
)

#: Far enough past `until` that an item is seen to be past it.
_JUST_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the house has decided: from config.yaml."""

    categories: Mapping[str, Category]
    caps: Sequence[Cap] = ()
    gap: Gap | None = None
    hours: Mapping[Hours, Pattern | None] = field(default_factory=dict)  #: None: any time
    never: Sequence[Never] = ()
    max_wait: timedelta = timedelta(days=30)
    send_slack: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Recipient:
    candidate: Candidate
    calendar: Calendar


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What has reached, or may have reached, the candidate, and what is on its way."""

    contacts: Sequence[Contact] = ()
    messages: Mapping[Key, Message] = field(default_factory=dict)
    approved: frozenset[Key] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Item:
    """One verdict. `final` settles the step; `about` marks a forecast that reserves nothing."""

    key: Key
    campaign: str
    step: Step
    verdict: Verdict
    reason: Reason
    at: datetime | None = None
    category: Category | None = None
    until: datetime | None = None
    final: bool = False
    about: bool = False
    application: str | None = None
    moment_at: datetime | None = None
    known_at: datetime | None = None
    anchor_at: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Agenda:
    items: tuple[Item, ...]  #: by instant, those without one last
    wake_at: datetime | None  #: the earliest instant at which it may say something new


def plan(
    recipient: Recipient,
    wanted: Sequence[Want | Standstill],
    ledger: Ledger,
    policy: Policy,
    now: datetime,
) -> Agenda:
    """One verdict for each wanted step.

    1. What may not be sent at all, and what has no instant yet, is told so.
    2. The rest is placed, most necessary first: each at the earliest instant, not before its
       moment and now, that is in its hours and breaks no cap in any window, with everything that
       was sent or is already placed, before it and after it.
    3. Steps that wait for another step are forecast from where that one was placed.
    """
    day = _Day(recipient, ledger, policy, now)
    items: dict[Key, Item] = {}
    placeable: list[Want] = []
    for want in wanted:
        verdict = day.still(want) if isinstance(want, Standstill) else day.refused(want)
        if verdict is not None:
            items[want.key] = verdict
        elif isinstance(want, Want):
            placeable.append(want)
    for want in sorted(placeable, key=day.order):
        items[want.key] = day.place(want)
    for want in wanted:  # file order, so that a chain of waiting steps adds up
        if isinstance(want, Standstill) and want.above in items:
            items[want.key] = day.forecast(items[want.key], items[want.above])
    ordered = sorted(
        items.values(), key=lambda item: (item.at is None, item.at or now, _name(item))
    )
    return Agenda(items=tuple(ordered), wake_at=min(day.alarms, default=None))


def asking(
    recipient: Recipient, wanted: Sequence[Want | Standstill], policy: Policy, now: datetime
) -> Mapping[Key, datetime]:
    """From when, not before `now`, each want asks for its mail or task, whatever hours and caps
    then say. Wants that are refused ask for nothing."""
    day = _Day(recipient, Ledger(), policy, now)
    found: dict[Key, datetime] = {}
    for want in wanted:
        if isinstance(want, Want) and day.refused(want) is None:
            category = day.categories[want.step.category]
            hours = category.hours if category else Hours.ANY
            found[want.key] = day.start(want, day.openings[hours])
    return found


class _Day:
    """The state of one planning: what is taken so far, and when to look again."""

    def __init__(self, recipient: Recipient, ledger: Ledger, policy: Policy, now: datetime) -> None:
        self.candidate = recipient.candidate
        self.calendar = recipient.calendar
        self.ledger = ledger
        self.policy = policy
        #: By the name a step has; a task has none.
        self.categories: dict[str | None, Category | None] = {None: None}
        self.categories.update(policy.categories)
        self.now = now
        self.alarms: list[datetime] = []
        self.openings = {
            hours: Openings(recipient.calendar, pattern) for hours, pattern in policy.hours.items()
        }
        self.taken = [
            Taken(
                at=contact.at,
                klass=contact.klass,
                category=contact.category,
                label=contact.label,
            )
            for contact in ledger.contacts
        ]

    def order(self, want: Want) -> tuple[Any, ...]:
        """Placement order: firm before forecast, uncapped before capped, then priority, `until`
        (none last), moment, key."""
        category = self.categories[want.step.category]
        far = want.until is None
        return (
            not want.firm,
            category is not None and category.capped,
            -(category.priority if category else 0),
            far,
            want.moment_at if want.until is None else want.until,
            want.moment_at,
            want.key.enrollment_id,
            want.key.step,
            want.key.occurrence,
        )

    def still(self, want: Standstill) -> Item:
        if want.verdict is Verdict.WAIT:
            self.alarm(want.at)
        return Item(
            key=want.key,
            campaign=want.campaign.name,
            step=want.step,
            verdict=want.verdict,
            reason=want.reason,
            at=self.now if want.final else want.at,
            category=self.categories[want.step.category],
            final=want.final,
            application=want.enrollment.subject.application,
            moment_at=want.moment_at,
            known_at=want.known_at,
            anchor_at=want.anchor_at,
            detail=want.detail,
        )

    def refused(self, want: Want) -> Item | None:
        """The verdict of a want that no instant could help, or None."""
        until = self.until(want)
        due = want.moment_at <= self.now
        if until is not None and self.now > until:
            crowded = want.until is None
            reason = Reason.CROWDED_OUT if crowded else Reason.EXPIRED
            verdict = Verdict.TASK if self.to_be_told(want) else Verdict.SKIP
            return self.item(want, verdict, reason, final=True, detail={"until": _iso(until)})
        if want.campaign.status is not CampaignStatus.LIVE:
            status = {"status": want.campaign.status.value}
            return self.item(want, Verdict.WAIT, Reason.CAMPAIGN_PAUSED, detail=status)
        barred = self.barred(want.step)
        if barred is not None:
            self.alarm(want.moment_at)
            return self.item(want, Verdict.SKIP, barred, final=due)
        if not want.truth.value:
            self.alarm(want.moment_at, want.truth.changes_at)
            verdict = Verdict.SKIP if due else Verdict.WAIT
            return self.item(want, verdict, Reason.CONDITION, final=due)
        return None

    def to_be_told(self, want: Want) -> bool:
        """Whether somebody else is to say it, because it could not go out in time."""
        return (
            want.step.if_expired is not None
            and want.campaign.status is CampaignStatus.LIVE
            and want.truth.value
            and not self.candidate.do_not_contact
        )

    def barred(self, step: Step) -> Reason | None:
        """Why nothing of this kind may reach the candidate, whatever the hour."""
        category = self.categories[step.category]
        if category is None:
            return None
        if self.candidate.do_not_contact:
            return Reason.DO_NOT_CONTACT
        if self.candidate.email is None or self.candidate.suppressed is not None:
            return Reason.UNDELIVERABLE
        topics = {"all", category.name, step.topic or category.name}
        if category.klass is MessageClass.NURTURE and topics & self.candidate.unsubscribed:
            return Reason.UNSUBSCRIBED
        return None

    def place(self, want: Want) -> Item:
        category = self.categories[want.step.category]
        if category is None:
            return self.task(want)
        message = self.ledger.messages.get(want.key)
        openings = self.openings[category.hours]
        start = self.start(want, openings)
        if message is not None and message.next_attempt_at is not None:
            start = max(start, message.next_attempt_at)
        at, pushed = self.earliest(want, start, openings, self.forbidden(category))
        until = self.until(want)
        if at is None:
            self.alarm(until and until + _JUST_AFTER)
            return self.item(want, Verdict.WAIT, Reason.NO_OPEN_HOURS)
        if until is not None and at > until:
            self.alarm(until + _JUST_AFTER)
            reason, detail = self.why(want, at, pushed)
            doomed = {**detail, "will_expire": _iso(until)}
            return self.item(want, Verdict.WAIT, reason, detail=doomed)
        if want.firm:
            self.taken.append(
                Taken(
                    at=at,
                    klass=category.klass,
                    category=category.name,
                    label=want.step.send or want.step.id,
                )
            )
        return self.placed(want, category, at, pushed)

    def earliest(
        self, want: Want, start: datetime, openings: Openings, forbidden: Sequence[Blocked]
    ) -> tuple[datetime | None, Blocked | None]:
        """The earliest instant that hours, caps and the tone's own rules allow."""
        at, pushed = earliest(start, openings, forbidden)
        while at is not None:
            rules = (rule for rule in self.policy.never if rule.tone is want.step.tone)
            ends = [end for rule in rules if (end := rule.ends(at, self.calendar)) is not None]
            if not ends:
                break
            at, pushed = earliest(max(ends), openings, forbidden)
        return at, pushed

    def placed(self, want: Want, category: Category, at: datetime, pushed: Blocked | None) -> Item:
        self.alarm(at, want.truth.changes_at)
        if at > self.now:
            reason, detail = self.why(want, at, pushed)
            message = self.ledger.messages.get(want.key)
            if message and message.next_attempt_at == at:
                reason = message.reason or Reason.RETRY
                detail = {**message.detail, "attempts": message.attempts}
            return self.item(want, Verdict.WAIT, reason, at=at, detail=detail, about=not want.firm)
        if category.approval is not Approval.AUTO and want.key not in self.ledger.approved:
            until = self.until(want)
            self.alarm(until and until + _JUST_AFTER)
            return self.item(want, Verdict.WAIT, Reason.APPROVAL, at=at)
        return self.item(want, Verdict.SEND, Reason.DUE, at=at)

    def start(self, want: Want, openings: Openings) -> datetime:
        """Where the search begins: a *before* moment in closed hours goes to the last open time
        before it while that is still ahead; every other moment into the next open one."""
        moment_at, now = want.moment_at, self.now
        before = want.step.at is not None and want.step.at.before
        if before and moment_at > now and not openings.is_open(moment_at):
            last = openings.last_open(moment_at)
            if last is not None and last >= now:
                return last
            if last is not None and openings.next_open(now) == now:
                return now  # inside that last open time
        return max(moment_at, now)

    def forbidden(self, category: Category) -> list[Blocked]:
        """The open intervals in which this category may not be sent."""
        intervals: list[Blocked] = []
        paused_until = self.candidate.paused_until
        if paused_until is not None and category.klass is MessageClass.NURTURE:
            intervals.append(
                Blocked(
                    start=self.now - _JUST_AFTER,
                    end=paused_until,
                    reason=Reason.CANDIDATE_PAUSED,
                    detail={"until": _iso(paused_until)},
                )
            )
        if category.capped:
            intervals += blocked(
                self.policy.caps,
                self.policy.gap,
                self.taken,
                category.klass,
                category.name,
                self.now,
                self.policy.send_slack,
            )
        return intervals

    def why(
        self, want: Want, at: datetime, pushed: Blocked | None
    ) -> tuple[Reason, Mapping[str, Any]]:
        """What made it wait: the last thing that pushed it on."""
        if pushed is not None:
            return pushed.reason, pushed.explained()
        asked = max(want.moment_at, self.now)
        if at != asked:
            category = self.categories[want.step.category]
            hours = category.hours if category else Hours.ANY
            return Reason.CONTACT_HOURS, {
                "wanted": _iso(want.moment_at),
                "closed": self.openings[hours].why_closed(asked),
            }
        return Reason.SCHEDULED, {}

    def task(self, want: Want) -> Item:
        if want.moment_at > self.now:
            self.alarm(want.moment_at, want.truth.changes_at)
            return self.item(want, Verdict.WAIT, Reason.SCHEDULED, at=want.moment_at)
        return self.item(want, Verdict.TASK, Reason.DUE, at=self.now, final=True)

    def forecast(self, item: Item, above: Item) -> Item:
        """About when a waiting step will come, if the one above it goes as it now looks."""
        if above.at is None or above.verdict is Verdict.SKIP:
            return item
        if item.step.wait_for is not None:  # about when it goes on at the latest
            until = item.step.wait_for.up_to
            if until is None:
                return item
            return replace(item, at=timing.shift(above.at, until, self.calendar), about=True)
        delay = item.step.after
        at = timing.shift(above.at, delay, self.calendar) if delay else above.at
        if item.moment_at is not None:  # in a branch that is not chosen yet, on its own anchor
            if item.moment_at < at and item.step.if_late == "skip":
                return item
            at = max(at, item.moment_at)
        category = self.categories[item.step.category]
        if category is not None:
            at = self.openings[category.hours].next_open(at) or at
        return replace(item, at=at, about=True)

    def until(self, want: Want) -> datetime | None:
        """The last instant at which it makes sense; nurture mail never waits for ever."""
        category = self.categories[want.step.category]
        if want.until is None and category and category.klass is MessageClass.NURTURE:
            return want.moment_at + self.policy.max_wait
        return want.until

    def alarm(self, *instants: datetime | None) -> None:
        self.alarms += [at for at in instants if at is not None and at > self.now]

    def item(
        self,
        want: Want,
        verdict: Verdict,
        reason: Reason,
        *,
        at: datetime | None = None,
        final: bool = False,
        about: bool = False,
        detail: Mapping[str, Any] | None = None,
    ) -> Item:
        return Item(
            key=want.key,
            campaign=want.campaign.name,
            step=want.step,
            verdict=verdict,
            reason=reason,
            at=at if at is not None or not final else self.now,
            category=self.categories[want.step.category],
            until=self.until(want),
            final=final,
            about=about,
            application=want.enrollment.subject.application,
            moment_at=want.moment_at,
            known_at=want.known_at,
            anchor_at=want.anchor_at,
            detail=detail or {},
        )


def _name(item: Item) -> tuple[int, int, str, str]:
    """The most necessary first, among those of one instant."""
    priority = item.category.priority if item.category else 0
    return -priority, item.key.enrollment_id, item.key.step, item.key.occurrence


def _iso(at: datetime) -> str:
    return at.isoformat()
