"""What does this candidate get, when, and why? The heart: everything a person experiences is here.

`plan` is pure and total. It looks at all that every campaign wants for one candidate, at what has
reached them, at their hours and wishes and at the clock, and gives each wanted step one verdict.
The daemon acts on it, the preview shows it, `explain` prints it, the simulator runs it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from nurture.core import by_hand, calling, timing
from nurture.core.barring import barred, new_only
from nurture.core.bundling import Bundles, Lead
from nurture.core.caps import Blocked, Hold, Limits, Taken, earliest
from nurture.core.ceilings import (
    at_ceiling,
    ends_silence,
    heard_within,
    never_skipped,
    watches_silence,
)
from nurture.core.holding import Holding
from nurture.core.hours import ANY, ROUND_THE_CLOCK, Openings
from nurture.core.journey import Key, Standstill, Want
from nurture.core.model import (
    Approval,
    ByPhone,
    CampaignStatus,
    Category,
    Hours,
    Message,
    MessageClass,
    Reason,
    Verdict,
)
from nurture.core.verdicts import (
    Agenda,
    FollowUps,
    Item,
    Ledger,
    Policy,
    Recipient,
    Story,
    story,
)
from nurture.core.wishes import overlapped

__all__ = [
    "Agenda",
    "FollowUps",
    "Item",
    "Ledger",
    "Policy",
    "Recipient",
    "Story",
    "asking",
    "plan",
    "story",
]

#: Far enough past `until` that an item is seen to be past it.
_JUST_AFTER = timedelta(seconds=1)
_A_DAY = timedelta(days=1)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def plan(
    recipient: Recipient,
    wanted: Sequence[Want | Standstill],
    ledger: Ledger,
    policy: Policy,
    now: datetime,
) -> Agenda:
    """One verdict for each wanted step.

    1. What may not be sent at all, and what has no instant yet, is told so.
    2. What somebody wants at once goes now, where no wish of the candidate forbids it.
    3. The rest is placed, most necessary first: each at the earliest instant, not before its
       moment and now, that is in its hours, outside what holds it (pause, tone, follow-ups), and
       breaks no cap in any window, with everything that was sent or is already placed, before it
       and after it.
       A mail that a more necessary one of its class can take along becomes a part of it instead.
    4. Steps that wait for another step are forecast from where that one was placed.
    5. What would be dropped at a ceiling (of silence, of a promise) becomes a person's task.
    """
    day = _Day(recipient, ledger, policy, now)
    items = day.items
    placeable: list[Want] = []
    for want in wanted:
        verdict = day.still(want) if isinstance(want, Standstill) else day.refused(want)
        if verdict is not None:
            items[want.key] = verdict
        elif isinstance(want, Want):
            placeable.append(want)
    placeable.sort(key=day.order)
    items |= day.hand_out(placeable)
    placeable = [want for want in placeable if want.key not in items]
    items |= day.at_once(placeable)
    for want in placeable:
        if want.key not in items:
            items[want.key] = day.place(want)
    for want in wanted:  # file order, so that a chain of waiting steps adds up
        if isinstance(want, Standstill) and want.above in items:
            items[want.key] = day.forecast(items[want.key], items[want.above])
    told = [day.at_last(day.retold(item)) for item in items.values()]
    ordered = sorted(told, key=lambda item: (item.at is None, item.at or now, _name(item)))
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
            found[want.key] = day.start(want, day.openings(category.hours if category else None))
    return found


class _Day:
    """The state of one planning: what is taken so far, and when to look again."""

    def __init__(self, recipient: Recipient, ledger: Ledger, policy: Policy, now: datetime) -> None:
        self.recipient = recipient
        self.candidate = recipient.candidate
        self.calendar = recipient.calendar
        self.ledger = ledger
        self.policy = policy
        #: By the name a step has; a task has none.
        self.categories: dict[str | None, Category | None] = {None: None}
        self.categories.update(policy.categories)
        self.now = now
        self.alarms: list[datetime] = []
        #: What is decided so far; of those placed, the more necessary come first.
        self.items: dict[Key, Item] = {}
        self.limits = Limits(policy.caps, policy.gap, ledger.contacts, now, policy.send_slack)
        self.holding = Holding(recipient, policy, ledger.contacts, self.limits, now)
        self._openings: dict[tuple[Hours | None, bool], Openings] = {}
        self.bundles = Bundles(policy.bundle, ledger.messages)
        self._texts: dict[str, Want] = {}  # nurture mail that is placed already, by template
        self._content: dict[Key, tuple[str, ...]] = {}  # what each brings from the library

    def openings(self, hours: Hours | None, *, own: bool = True) -> Openings:
        """The open hours of a category, with the candidate's own wishes or without."""
        known = self._openings.get((hours, own))
        if known is None:
            pattern = self.policy.hours[hours] if hours is not None else None
            wishes = self.candidate.wishes if own else None
            known = self._openings[hours, own] = Openings(self.calendar, pattern, wishes)
        return known

    def order(self, want: Want) -> tuple[Any, ...]:
        """Placement order: firm before forecast, uncapped before capped, then priority, `until`
        (none last), moment, key."""
        category = self.categories[want.step.category]
        until = want.until
        return (
            not want.firm,
            category is not None and category.capped,
            -(category.priority if category else 0),
            until is None,
            want.moment_at if until is None else until,
            want.moment_at,
            want.key,
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
        category = self.categories[want.step.category]
        if category is not None and calling.told(self.ledger.calls.get(want.key), category):
            return self.item(want, Verdict.DONE, Reason.CALLED, final=True)
        until = self.until(want)
        if until is not None and self.now > until:
            return self.too_late(want, until)
        if want.campaign.status is not CampaignStatus.LIVE:
            status = {"status": want.campaign.status.value}
            return self.item(want, Verdict.WAIT, Reason.CAMPAIGN_PAUSED, detail=status)
        stop = self.recipient.stopped.get(want.key.enrollment_id)
        if stop is not None and want.step.send is not None:  # what people do themselves goes on
            self.alarm(until and until + _JUST_AFTER)
            return self.item(want, Verdict.WAIT, Reason.STOPPED, detail=stop)
        due = want.moment_at <= self.now
        if category is not None:
            bar = barred(want.step, category, self.recipient)
            rung = bar is not None and bar.reason is Reason.UNDELIVERABLE
            if bar is not None and not (rung and self.by_phone(want, category)):
                self.alarm(want.moment_at)
                return self.item(want, Verdict.SKIP, bar.reason, final=due, detail=bar.detail)
        if not want.truth.value:
            settled = due and not (until and watches_silence(want.step))
            over = until if due else None
            self.alarm(want.moment_at, want.truth.changes_at, over and over + _JUST_AFTER)
            verdict = Verdict.SKIP if settled else Verdict.WAIT
            return self.item(want, verdict, Reason.CONDITION, final=settled)
        return None

    def too_late(self, want: Want, until: datetime) -> Item:
        if at_ceiling(want.step) and not want.truth.value:  # nobody is to say it, late or not
            return self.item(want, Verdict.SKIP, Reason.CONDITION, final=True)
        verdict = Verdict.TASK if self.to_be_told(want) else Verdict.SKIP
        fresh_until = want.step.fresh_until
        if fresh_until is not None and until == self.end_of(fresh_until):
            detail = {"fresh_until": fresh_until.isoformat()}
            return self.item(want, verdict, Reason.STALE, final=True, detail=detail)
        reason = Reason.CROWDED_OUT if want.until is None else Reason.EXPIRED
        return self.item(want, verdict, reason, final=True, detail={"until": _iso(until)})

    def to_be_told(self, want: Want) -> bool:
        """Whether somebody else is to say it, because it could not go out in time."""
        return (
            want.step.if_expired is not None
            and want.campaign.status is CampaignStatus.LIVE
            and want.truth.value
            and not self.candidate.do_not_contact
        )

    def hand_out(self, wants: Sequence[Want]) -> dict[Key, Item]:
        """What each brings from the content library, and no two the same: first who has something
        already, then in the order of their moments. Those for whom nothing new is left are told."""
        choosing, none = self.ledger.choosing, dict[Key, Item]()
        asking = [want for want in wants if want.step.content]
        if choosing is None or not asking:
            return none
        had = set(self.recipient.story.had)

        def take(want: Want, chosen: tuple[str, ...] | None) -> bool:
            if chosen is not None:
                self._content[want.key] = chosen
                had.update(chosen)
            return chosen is not None

        def at(want: Want) -> datetime:
            return max(want.moment_at, self.now)

        left = [each for each in asking if not take(each, choosing.kept(each, had, at(each)))]
        for want in sorted(left, key=lambda each: (at(each), *self.order(each))):
            if not take(want, choosing.chosen(want, had, at(want))):
                self.alarm(want.moment_at)
                due = want.moment_at <= self.now
                none[want.key] = self.item(want, Verdict.SKIP, Reason.NOTHING_NEW, final=due)
        return none

    def place(self, want: Want) -> Item:
        category = self.categories[want.step.category]
        if category is None:
            return self.task(want)
        if (twin := self.twin(want, category)) is not None:
            first = {"campaign": twin.campaign.name}
            return self.item(want, Verdict.SKIP, Reason.ALREADY_SENT, detail=first)
        held = [*self.holding.of(want.step.tone, category), *self.snoozed(want)]
        holds = [*held, *self.caps(category)]
        openings = self.openings(category.hours)
        at, pushed = self.search(want, openings, holds)
        until, broke = self.until(want), None
        if openings.wishes is not None and until is not None and (at is None or at > until):
            at, pushed, broke = self.in_spite(want, category, holds, until) or (at, pushed, None)
        # Hours and what is `held` bind a mail that joins another, caps do not.
        if (lead := self.lead(want, category, held, at, until)) is not None:
            return self.joined(want, category, lead)
        if at is None:
            self.alarm(until and until + _JUST_AFTER)
            return self.item(want, Verdict.WAIT, Reason.NO_OPEN_HOURS)
        if until is not None and at > until:
            self.alarm(until + _JUST_AFTER)
            reason, detail = self.why(want, at, pushed)
            doomed = {**detail, "will_expire": _iso(until)}
            return self.item(want, Verdict.WAIT, reason, detail=doomed)
        if want.firm:
            self.takes(want, category, at)
        item = self.placed(want, category, at, pushed, broke)
        if item.reason is not Reason.APPROVAL and self.shares(category):
            self.bundles.offer(want, category, at)
        return item

    def at_once(self, wants: Sequence[Want]) -> dict[Key, Item]:
        """Those of these that somebody wants at once and that may be; the rest sees them placed.

        They go before their moment, and over the house's hours, caps and gap; never over what the
        candidate asked for, nor past their `until` or without an approval.
        """
        found: dict[Key, Item] = {}
        for want in wants:
            category = self.categories[want.step.category]
            word = want.word
            if word is None or word.type != by_hand.HURRIED or category is None:
                continue
            self.alarm(word.until)
            if not self.by_phone(want, category) and self.twin(want, category) is None:
                item = self.hurried(want, category, word)
                found |= {want.key: item} if item is not None else {}
        return found

    def hurried(self, want: Want, category: Category, word: by_hand.ByHand) -> Item | None:
        """Where it goes; None: its wait is longer than anybody means by "at once"."""
        usual = self.policy.hours[category.hours]
        wishes = self.candidate.wishes
        openings = Openings(
            self.calendar, ROUND_THE_CLOCK if usual not in (None, ANY) else ANY, wishes
        )
        holds = [*self.holding.of(want.step.tone, category), *self.holding.pace(category)]
        at, pushed = self.search(want, openings, holds, self.now)
        until = self.until(want)
        if at is None or at >= word.until or (until is not None and at > until):
            return None
        if pushed is None and not openings.is_open(self.now):
            wish = {"wish": self.wish(self.now), "wanted": _iso(self.now)}
            pushed = Blocked(self.now, at, Reason.OWN_HOURS, wish)
        broken = self.passed_over(want, category, at)
        self.takes(want, category, at)
        item = self.placed(want, category, at, pushed)
        if item.verdict is not Verdict.SEND or not broken:
            return item
        detail = {**item.detail, **word.told, "passed_over": broken}
        return item._replace(reason=Reason.ASKED_FOR, detail=detail)

    def passed_over(self, want: Want, category: Category, at: datetime) -> list[dict[str, Any]]:
        """What of the house's rules a mail at this instant breaks: a reason and its particulars for
        each. It is not counted yet."""
        found: list[dict[str, Any]] = []
        if want.moment_at > at:
            found.append({"reason": Reason.SCHEDULED.value, "moment": _iso(want.moment_at)})
        if not self.openings(category.hours).is_open(at):
            closed = self.openings(category.hours, own=False).why_closed(at)
            found.append({"reason": Reason.CONTACT_HOURS.value, "closed": closed})
        if category.capped:
            rules = self.limits.of(category.klass, category.name)
            blocked = [rule.around(at) for rule in rules]
            found += [{"reason": b.reason.value, **b.explained()} for b in blocked if b is not None]
        return found

    def snoozed(self, want: Want) -> list[Hold]:
        """Until when somebody wants it to wait."""
        word = want.word
        if word is None or word.type != by_hand.SNOOZED:
            return []
        detail = {**word.told, "until": _iso(word.until)}
        return [Blocked(self.now - _JUST_AFTER, word.until, Reason.SNOOZED, detail)]

    def shares(self, category: Category) -> bool:
        """Whether it may be one mail with others: not what is looked at first, or told by phone."""
        rung = self.candidate.wishes.phone_first and category.by_phone is not ByPhone.MAIL
        return not rung and self.holding.sensitive_until is None

    def by_phone(self, want: Want, category: Category) -> bool:
        """Whether somebody rings about it, or is to: not where its mail was on its way already."""
        if not calling.rung(self.candidate, category):
            return False
        call, message = self.ledger.calls.get(want.key), self.ledger.messages.get(want.key)
        if call is not None:
            return calling.still_tried(call, self.now)
        return message is None or not message.attempts

    def lead(
        self,
        want: Want,
        category: Category,
        held: Sequence[Hold],
        alone_at: datetime | None,
        until: datetime | None,
    ) -> Lead | None:
        """The more necessary mail that this one becomes a part of, if any."""
        if not self.bundles.leads or not self.shares(category):
            return None
        openings = self.openings(category.hours)

        def fits(lead: Lead) -> bool:
            holds = [*held]
            if category.capped and category.name not in lead.categories:
                holds += self.limits.of_section(category.klass, category.name)
            return openings.is_open(lead.at) and not any(hold.around(lead.at) for hold in holds)

        start = self.start(want, openings)
        return self.bundles.join(want, category, start, alone_at, until, fits)

    def joined(self, want: Want, category: Category, lead: Lead) -> Item:
        self.alarm(lead.at, want.truth.changes_at)
        self.takes(want, category, lead.at, within=True)
        verdict = Verdict.SEND if lead.at <= self.now else Verdict.WAIT
        detail = {"with": lead.named}
        item = self.item(want, verdict, Reason.BUNDLED, at=lead.at, detail=detail)
        return item._replace(joins=lead.want.key)

    def caps(self, category: Category) -> list[Hold]:
        """The house's caps and the candidate's own."""
        if not category.capped:
            return []
        return [*self.limits.of(category.klass, category.name), *self.holding.pace(category)]

    def search(
        self,
        want: Want,
        openings: Openings,
        holds: Sequence[Hold],
        start: datetime | None = None,
    ) -> tuple[datetime | None, Blocked | None]:
        """The earliest instant for it, and what pushed it there."""
        start = start or self.start(want, openings)
        message = self.ledger.messages.get(want.key)
        if message is not None and message.next_attempt_at is not None:
            start = max(start, message.next_attempt_at)
        if (undo_until := self.undo_until(want)) is not None:
            start = max(start, undo_until)
        call, category = self.ledger.calls.get(want.key), self.categories[want.step.category]
        if call is not None and category is not None and self.by_phone(want, category):
            start = max(start, call.fallback_at)
        return earliest(start, openings, holds)

    def in_spite(
        self, want: Want, category: Category, holds: Sequence[Hold], until: datetime
    ) -> tuple[datetime, Blocked | None, str] | None:
        """Mail about their own process that would come too late for the hours they asked for goes
        in the house's, and says which wish it broke."""
        if category.capped or category.klass is not MessageClass.SERVICE or want.until is None:
            return None
        at, pushed = self.search(want, self.openings(category.hours, own=False), holds)
        if at is None or at > until:
            return None
        return at, pushed, self.wish(at)

    def takes(self, want: Want, category: Category, at: datetime, *, within: bool = False) -> None:
        """From here on it has its place, of its own or within another's mail."""
        label = want.step.send or want.step.id
        one = Taken(at, category.klass, category.name, label, want.campaign.name)
        (self.limits.add_section if within else self.limits.add)(one)
        self.holding.placed(category, at)
        if want.step.send is not None and new_only(want.step, category):
            self._texts[want.step.send] = want

    def twin(self, want: Want, category: Category) -> Want | None:
        """The one that brings the same text first."""
        found = self._texts.get(want.step.send or "")
        return found if found is not None and new_only(want.step, category) else None

    def retold(self, item: Item) -> Item:
        """What would bring a text that a mail meant to repeat it has brought by then."""
        category = item.category
        if item.at is None or category is None or not new_only(item.step, category):
            return item
        if item.verdict not in (Verdict.SEND, Verdict.WAIT):
            return item
        for other in self.items.values():
            if (
                other.step.send == item.step.send
                and other.about <= item.about  # what is only forecast moves nothing that is sure
                and other.at is not None
                and other.verdict in (Verdict.SEND, Verdict.WAIT)
                and other.category is not None
                and other.category.klass is MessageClass.NURTURE
                and not new_only(other.step, other.category)
                and (other.at, _name(other)) < (item.at, _name(item))
            ):
                first = {"campaign": other.campaign}
                return item._replace(verdict=Verdict.SKIP, reason=Reason.ALREADY_SENT, detail=first)
        return item

    def placed(
        self,
        want: Want,
        category: Category,
        at: datetime,
        pushed: Blocked | None,
        broke: str | None = None,
    ) -> Item:
        self.alarm(at, want.truth.changes_at)
        spite: Mapping[str, Any] = {"broke": broke} if broke is not None else _NOTHING
        if want.firm and self.by_phone(want, category):
            rung = self.rung(want, self.openings(category.hours, own=broke is None), at, spite)
            if rung is not None:
                return rung
        careful = self.holding.sensitive_until
        looked_at = category.approval is not Approval.AUTO or careful is not None
        message = self.ledger.messages.get(want.key)
        unread = looked_at and want.key not in self.ledger.approved
        if unread and (at <= self.now or self.shut_only(want, pushed)):
            until = self.until(want)
            self.alarm(until and until + _JUST_AFTER, careful, self.stale_at(want))
            changed = message.detail.get("changed") if message is not None else None
            detail = {**spite, "changed": changed} if changed else spite
            return self.item(want, Verdict.WAIT, Reason.APPROVAL, at=at, detail=detail)
        if at > self.now:
            reason, detail = self.why(want, at, pushed, own=broke is None)
            if message and message.next_attempt_at == at:
                reason = message.reason or Reason.RETRY
                detail = {**message.detail, "attempts": message.attempts}
            elif message and self.undo_until(want) == at:
                reason, detail = Reason.APPROVED, _approved(message)
            detail = {**detail, **spite} if spite else detail
            return self.item(want, Verdict.WAIT, reason, at=at, detail=detail, about=not want.firm)
        return self.item(want, Verdict.SEND, Reason.DUE, at=at, detail=spite)

    def stale_at(self, want: Want) -> datetime | None:
        """When what it brings from the content library has to be chosen anew."""
        choosing, content = self.ledger.choosing, self._content.get(want.key)
        return choosing.stale_at(content) if choosing is not None and content else None

    def shut_only(self, want: Want, pushed: Blocked | None) -> bool:
        """Whether it waits for better hours and for nothing else: so it can be looked at before."""
        message = self.ledger.messages.get(want.key)
        tried = message is not None and message.next_attempt_at is not None
        return want.firm and want.moment_at <= self.now and pushed is None and not tried

    def undo_until(self, want: Want) -> datetime | None:
        """How long it waits yet because somebody may take back that they approved it. What would
        come too late by that goes at once."""
        message = self.ledger.messages.get(want.key)
        if message is None or message.approved_at is None:
            return None
        end, until = message.approved_at + self.policy.undo_window, self.until(want)
        return None if end <= self.now or (until is not None and end > until) else end

    def rung(
        self, want: Want, openings: Openings, at: datetime, spite: Mapping[str, Any]
    ) -> Item | None:
        """What is told by phone at this instant, or by a mail then if nobody gets through; None
        while it is too early to ask somebody to ring."""
        call = self.ledger.calls.get(want.key)
        if call is not None:
            detail = calling.waits(call)
            return self.item(want, Verdict.WAIT, Reason.PHONE_FIRST, at=at, detail=detail)
        asked = max(want.moment_at, at - calling.AHEAD)
        if asked > self.now:
            self.alarm(asked)
            return None
        window = openings.window(at)
        detail = {"best_at": _iso(at), **spite} | ({"by": _iso(window[1])} if window else {})
        return self.item(want, Verdict.TASK, Reason.PHONE_FIRST, at=self.now, detail=detail)

    def start(self, want: Want, openings: Openings) -> datetime:
        """Where the search begins: a *before* moment in closed hours goes to the last open time
        before it while that is still ahead; every other moment into the next open one. So does a
        note that would else end a silence that has hardly begun."""
        moment_at, now = want.moment_at, self.now
        before = want.step.at is not None and want.step.at.before
        if before and moment_at > now and not openings.is_open(moment_at):
            last = openings.last_open(moment_at)
            if last is not None and self.silent_before(want, max(last, now)):
                if last >= now:
                    return last
                if openings.next_open(now) == now:
                    return now  # inside that last open time
        return max(moment_at, now)

    def silent_before(self, want: Want, at: datetime) -> bool:
        """Whether a note that ends a silence would have a day of it to end by then."""
        if not ends_silence(want.step):
            return True
        about = want.enrollment.subject.application
        return not heard_within(_A_DAY, at, self.ledger.contacts, about, self.policy.categories)

    def why(
        self, want: Want, at: datetime, pushed: Blocked | None, *, own: bool = True
    ) -> tuple[Reason, Mapping[str, Any]]:
        """What made it wait: the last thing that pushed it on."""
        if pushed is not None:
            return pushed.reason, pushed.explained()
        asked = max(want.moment_at, self.now)
        if at == asked:
            return Reason.SCHEDULED, _NOTHING
        category = self.categories[want.step.category]
        hours = category.hours if category else None
        house = self.openings(hours, own=False)
        if own and self.openings(hours).wishes is not None:
            usual, _ = self.search(want, house, ())
            if usual != at:
                wish = self.wish(usual or at) or self.wish(at)
                return Reason.OWN_HOURS, {"wish": wish, "wanted": _iso(want.moment_at)}
        closed = house.why_closed(asked)
        return Reason.CONTACT_HOURS, {"wanted": _iso(want.moment_at), "closed": closed}

    def wish(self, at: datetime) -> str:
        """The candidate's wish that a mail at this instant is against, in their words."""
        local = self.calendar.local(at)
        wish = overlapped(self.candidate.wishes, local, local + timedelta(minutes=1))
        if wish is None:  # it is the day on which they asked for hours
            named = [each for each in self.candidate.wishes.only if local.weekday() in each.days]
            wish = "; ".join(dict.fromkeys(each.text for each in named))
        return wish

    def task(self, want: Want) -> Item:
        for hold in self.snoozed(want):
            if (blocked := hold.around(max(self.now, want.moment_at))) is not None:
                self.alarm(blocked.end)
                detail = blocked.explained()
                return self.item(want, Verdict.WAIT, Reason.SNOOZED, at=blocked.end, detail=detail)
        if want.moment_at > self.now:
            self.alarm(want.moment_at, want.truth.changes_at)
            return self.item(want, Verdict.WAIT, Reason.SCHEDULED, at=want.moment_at)
        return self.item(want, Verdict.TASK, Reason.DUE, at=self.now, final=True)

    def at_last(self, item: Item) -> Item:
        """What would be dropped at a ceiling becomes a person's task; but where a mail with news
        goes out now, that one ends the silence, and nobody need be asked to."""
        told = never_skipped(item, self.now)
        if told.verdict is not Verdict.TASK or not ends_silence(told.step):
            return told
        for other in self.items.values():
            category = other.category
            if (
                other.verdict is Verdict.SEND
                and other.application in (None, told.application)
                and category is not None
                and category.counts_as_contact
                and not category.holding
            ):
                return told._replace(
                    verdict=Verdict.WAIT,
                    reason=Reason.AFTER_STEP,
                    at=None,
                    final=False,
                    detail={"step": other.step.id},
                )
        return told

    def forecast(self, item: Item, above: Item) -> Item:
        """About when a waiting step will come, if the one above it goes as it now looks."""
        if above.at is None or above.verdict is Verdict.SKIP:
            return item
        if item.step.wait_for is not None:  # about when it goes on at the latest
            until = item.step.wait_for.up_to
            if until is None:
                return item
            return item._replace(at=timing.shift(above.at, until, self.calendar), about=True)
        delay = item.step.after
        at = timing.shift(above.at, delay, self.calendar) if delay else above.at
        if item.moment_at is not None:  # in a branch that is not chosen yet, on its own anchor
            if item.moment_at < at and item.step.if_late == "skip":
                return item
            at = max(at, item.moment_at)
        category = self.categories[item.step.category]
        if category is not None:
            at = self.openings(category.hours).next_open(at) or at
        return item._replace(at=at, about=True)

    def until(self, want: Want) -> datetime | None:
        """The last instant at which it makes sense; nurture mail never waits for ever, and no
        text outlives its freshness."""
        until = want.until
        if until is None:
            category = self.categories[want.step.category]
            if category is not None and category.klass is MessageClass.NURTURE:
                until = want.moment_at + self.policy.max_wait
        if want.step.fresh_until is None:
            return until
        fresh = self.end_of(want.step.fresh_until)
        return fresh if until is None else min(until, fresh)

    def end_of(self, day: date) -> datetime:
        """The last second of that day, where the candidate is."""
        return self.calendar.instant(day + timedelta(days=1), time.min) - _JUST_AFTER

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
        detail: Mapping[str, Any] = _NOTHING,
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
            detail=detail,
            content=self._content.get(want.key, ()),
        )


def _name(item: Item) -> tuple[int, int, str, str]:
    """The most necessary first, among those of one instant."""
    priority = item.category.priority if item.category else 0
    return -priority, item.key.enrollment_id, item.key.step, item.key.occurrence


def _approved(message: Message) -> Mapping[str, Any]:
    return {"by": message.approved_by} if message.approved_by else _NOTHING


def _iso(at: datetime) -> str:
    return at.isoformat()
