"""Where does an enrollment stand, and which steps does it want next?

Position is the set of settled step ids; nothing refers to a step by its place in the file. Moments
are derived from facts each time, so a moved interview or an edited file takes effect by itself. A
campaign's steps are a tree: a branch is chosen once, when it is reached, and what is in the list
that was not taken is wanted by nobody.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from nurture.core import by_hand, repeating, timing
from nurture.core.anchors import Ground, anchors
from nurture.core.ceilings import at_ceiling, fell_short, says_nothing_new
from nurture.core.model import (
    Branch,
    Campaign,
    CampaignStatus,
    Condition,
    Duration,
    Enrollment,
    Reason,
    Step,
    StepRecord,
    Truth,
    Verdict,
    WaitFor,
)
from nurture.core.past import Past, same_occasion
from nurture.core.subject import application_of, to_be_told
from nurture.core.touching import touches

ENTIRELY_TRUE = Truth(value=True)
_AT_ONCE = Duration(amount=0, unit="minutes")


class Key(NamedTuple):
    """One occurrence of one step of one enrollment."""

    enrollment_id: int
    step: str
    occurrence: str


class Want(NamedTuple):
    """A step whose moment is known, made by its keywords."""

    key: Key
    campaign: Campaign
    step: Step
    enrollment: Enrollment
    moment_at: datetime
    known_at: datetime
    anchor_at: datetime | None = None
    until: datetime | None = None
    truth: Truth = ENTIRELY_TRUE
    firm: bool = True  #: False: its anchor still moves with what will be sent; reserves nothing
    word: by_hand.ByHand | None = None  #: somebody wants it at once, or later


class Standstill(NamedTuple):
    """A step that wants no instant: settled by time just now, or waiting for something else. Made
    by its keywords."""

    key: Key
    campaign: Campaign
    step: Step
    enrollment: Enrollment
    verdict: Verdict
    reason: Reason
    final: bool = False
    above: Key | None = None  #: the step it waits for
    moment_at: datetime | None = None
    known_at: datetime | None = None
    anchor_at: datetime | None = None
    at: datetime | None = None  #: until when it waits, where that is known
    detail: Mapping[str, Any] = MappingProxyType({})


def stand(
    campaign: Campaign,
    enrollment: Enrollment,
    ground: Ground,
    truth: Callable[[Condition], Truth],
) -> list[Want | Standstill]:
    """Every unsettled step, in file order, with its moment or why it has none.

    A gate that opens and a branch that is chosen now are among them, with the verdict `done`, and
    what comes after them is already wanted. Of a branch that is not reached yet, the list that its
    condition now points to is forecast; those have no occurrence, for they may never be wanted.
    """
    return _Walk(campaign, enrollment, ground, truth).steps()


def awaited(campaigns: Iterable[Campaign]) -> frozenset[str]:
    """The events that some step of these campaigns waits for."""
    gates = (step.wait_for for each in campaigns for step in each.every_step())
    return frozenset().union(*(gate.events for gate in gates if gate is not None))


class _Above(NamedTuple):
    """What a waiting step waits for: the step above it, or entering."""

    key: Key | None
    settled_at: datetime | None  #: None: not settled yet


def _both(above: _Above, gate: _Above | None) -> _Above:
    """A step on its own moment may be sent before the gate above it opens: what waits below both
    waits for both."""
    if gate is None:
        return above
    if gate.settled_at is None:
        return gate
    if above.settled_at is None:
        return above
    return above._replace(settled_at=max(above.settled_at, gate.settled_at))


class _Walk:
    """One pass over a campaign's steps for one enrollment."""

    def __init__(
        self,
        campaign: Campaign,
        enrollment: Enrollment,
        ground: Ground,
        truth: Callable[[Condition], Truth],
    ) -> None:
        self.campaign = campaign
        self.enrollment = enrollment
        self.ground = ground
        self.truth = truth
        self.anchors = anchors(enrollment, ground)
        self.past = Past(campaign, enrollment, ground)
        self.words = by_hand.words_on(ground.facts, enrollment.id)
        application = application_of(ground.facts, enrollment.subject)
        self.untold = application is not None and to_be_told(ground.facts, application)
        self.found: list[Want | Standstill] = []
        self.called: dict[str, str] = {}  # what an occurrence at its value is called, by anchor

    def steps(self) -> list[Want | Standstill]:
        self._list(self.campaign.steps, _Above(None, self.enrollment.entered_at), None)
        return self.found

    def _list(self, steps: tuple[Step, ...], above: _Above, chosen_at: datetime | None) -> _Above:
        """All steps of one list. Gives what the next step after the list waits for.

        `chosen_at`: since when the list is theirs, where it is part of a branch.
        """
        waiting = above
        gate: _Above | None = None  # the last gate or branch of this list
        for step in steps:
            if step.branch is not None:
                above = waiting = gate = self._branch(step, step.branch, above)
            elif step.wait_for is not None:
                above = waiting = gate = self._gate(step, step.wait_for, above)
            elif step.at is None:
                above = waiting = self._mail_or_task(step, above, chosen_at)
                gate = gate if above.settled_at is None else None
            else:
                above = _both(self._mail_or_task(step, above, chosen_at), gate)
        return above if chosen_at is None else waiting

    # --- branches and gates

    def _branch(self, step: Step, branch: Branch, above: _Above) -> _Above:
        key = self._key(step, "1")
        record = self.past.own(step, "1")
        if record is not None:
            chosen = record.chosen
            settled_at = record.settled_at
        elif not self.past.ahead(step):
            return _Above(key, None)
        elif (moment_at := self._reached(step, key, above)) is None:
            return self._forecast(self._likely(branch), key, key)
        else:
            chosen = "then" if self.truth(branch.condition).value else "else"
            settled_at = self.ground.now
            self._done(step, key, Reason.CHOSEN, moment_at, {"chosen": chosen})
        steps = {"then": branch.then, "else": branch.otherwise}.get(chosen or "", ())
        return self._list(steps, _Above(key, settled_at), settled_at)

    def _reached(self, step: Step, key: Key, above: _Above) -> datetime | None:
        """Since when a branch could be chosen; None, with the reason noted, while it cannot."""
        if self._held_up(step, key, above):
            return None
        assert above.settled_at is not None  # noqa: S101 - else it were held up
        moment_at = timing.shift(above.settled_at, step.after or _AT_ONCE, self.ground.calendar)
        if moment_at > self.ground.now:
            self._standstill(
                key,
                step,
                Reason.SCHEDULED,
                at=moment_at,
                moment_at=moment_at,
                known_at=above.settled_at,
            )
            return None
        return moment_at

    def _gate(self, step: Step, gate: WaitFor, above: _Above) -> _Above:
        key = self._key(step, "1")
        record = self.past.own(step, "1")
        if record is not None:
            return _Above(key, record.settled_at)
        if not self.past.ahead(step) or self._held_up(step, key, above):
            return _Above(key, None)
        assert above.settled_at is not None  # noqa: S101 - else it were held up
        since, until = above.settled_at, None
        if gate.up_to is not None:
            until = timing.shift(since, gate.up_to, self.ground.calendar)
        event = self._opener(gate, self.enrollment.entered_at if gate.since_entered else since)
        if event is not None:
            self._done(step, key, Reason.OPENED, until, {"event": event})
        elif until is not None and until <= self.ground.now:
            up_to = timing.show_duration(gate.up_to) if gate.up_to else ""
            self._done(step, key, Reason.WAITED, until, {"up_to": up_to})
        else:
            detail: dict[str, Any] = {"events": sorted(gate.events)}
            if until is not None:
                detail["until"] = until.isoformat()
            self._standstill(
                key,
                step,
                Reason.WAIT_FOR,
                at=until,
                moment_at=until,
                known_at=since,
                detail=detail,
            )
            return _Above(key, None)
        return _Above(key, self.ground.now)

    def _opener(self, gate: WaitFor, since: datetime) -> str | None:
        """The first event after `since` that a gate opens by."""
        facts = self.ground.facts
        events = [
            (event.received_at, event.id, event.type)
            for event in (*facts.heard, *facts.events)
            if event.type in gate.events
            and event.received_at > since
            and not event.historical
            and touches(event, self.enrollment, facts)
        ]
        return min(events)[2] if events else None

    def _held_up(self, step: Step, key: Key, above: _Above) -> bool:
        """Whether a gate or branch has to wait, for the step above or for its campaign; why."""
        status = self.campaign.status
        if above.settled_at is None:
            self._after_step(key, step, above.key)
        elif status is not CampaignStatus.LIVE:
            self._standstill(key, step, Reason.CAMPAIGN_PAUSED, detail={"status": status.value})
        return above.settled_at is None or status is not CampaignStatus.LIVE

    def _done(
        self,
        step: Step,
        key: Key,
        reason: Reason,
        moment_at: datetime | None,
        detail: Mapping[str, Any],
    ) -> None:
        self._standstill(
            key,
            step,
            reason,
            verdict=Verdict.DONE,
            at=self.ground.now,
            moment_at=moment_at,
            known_at=self.ground.now,
            detail=detail,
        )

    def _likely(self, branch: Branch) -> tuple[Step, ...]:
        return branch.then if self.truth(branch.condition).value else branch.otherwise

    def _forecast(self, steps: tuple[Step, ...], branch: Key, above: Key) -> _Above:
        """What is in a branch that is not chosen yet, as it looks now."""
        for step in steps:
            key = self._key(step, "")
            if step.at is None:
                self._after_step(key, step, above)
                above = key
                if step.branch is not None:
                    above = self._forecast(self._likely(step.branch), key, key).key or key
                continue
            anchor_at = self.anchors(step.at.anchor)
            if anchor_at is None:
                self._no_anchor(key, step)
            else:
                moment_at = timing.derive(step.at, anchor_at, self.ground.calendar)
                self._after_step(key, step, branch, moment_at=moment_at, anchor_at=anchor_at)
        return _Above(above, None)

    # --- mails and tasks

    def _mail_or_task(self, step: Step, above: _Above, chosen_at: datetime | None) -> _Above:
        if step.repeat is not None:
            return self._repeating(step, above, chosen_at)
        if step.at is not None:
            anchor_at = self.anchors(step.at.anchor)
            if anchor_at is None:
                self._no_anchor(self._key(step, ""), step)
                return above  # holds up nobody: what waits below looks further up
            key = self._key(step, self._occurrence(step.at.anchor, anchor_at))
            settled_at = self.past.settled(step, key.occurrence, anchor_at)
            if settled_at is not None:
                self._look_after(step, key)
            else:
                moment_at = timing.derive(step.at, anchor_at, self.ground.calendar)
                known_at = self.past.known_at(step, key.occurrence, moment_at, chosen_at)
                self._at_anchor(step, key, anchor_at, moment_at, known_at)
        else:
            key = self._key(step, "1")
            settled_at = self.past.settled(step, key.occurrence, None)
            if settled_at is None and self.past.ahead(step):
                self._after(step, key, above)
        # What is still being handed over may yet be refused: those below wait for the answer.
        in_flight = any(id_ == step.id for id_, _ in self.past.in_flight)
        return _Above(key, None if in_flight else settled_at)

    def _at_anchor(
        self, step: Step, key: Key, anchor_at: datetime, moment_at: datetime, known_at: datetime
    ) -> None:
        moment = step.at
        assert moment is not None  # noqa: S101 - the callers' branch
        late = moment_at < known_at and step.if_late == "skip"
        if late and (not at_ceiling(step) or (step.send is not None and self._holds(step))):
            self._standstill(
                key,
                step,
                Reason.LATE,
                verdict=Verdict.TASK if at_ceiling(step) else Verdict.SKIP,
                final=True,
                moment_at=moment_at,
                known_at=known_at,
                anchor_at=anchor_at,
                detail={"moment": moment_at.isoformat()},
            )
            return
        until = self._until(step)
        if until is None and moment.before:
            until = anchor_at
        moving = moment.anchor in timing.DYNAMIC_ANCHORS
        if moment.anchor == "promise.due" and self.enrollment.subject.promise is not None:
            moving = False  # made already: its date stands
        firm = not moving or moment_at <= self.ground.now
        self._want(step, key, moment_at, known_at, anchor_at, until=until, firm=firm)

    def _look_after(self, step: Step, key: Key) -> None:
        """A mail at a ceiling that is settled and reached nobody becomes a person's task."""
        record = self.past.own(step, key.occurrence)
        why = record and fell_short(step, record, self.ground.facts.contacts)
        if record is not None and why and self._holds(step):
            self._standstill(
                key,
                step,
                why,
                verdict=Verdict.TASK,
                final=True,
                moment_at=record.moment_at,
                known_at=record.known_at,
                anchor_at=record.anchor_at,
            )

    def _holds(self, step: Step) -> bool:
        """Whether this campaign has something to say to this person by this step."""
        return (
            self.campaign.status is CampaignStatus.LIVE
            and not self.ground.facts.candidate.do_not_contact
            and (step.condition is None or self.truth(step.condition).value)
        )

    def _after(self, step: Step, key: Key, above: _Above) -> None:
        if above.settled_at is None:
            self._after_step(key, step, above.key)
            return
        delay = step.after or _AT_ONCE
        moment_at = timing.shift(above.settled_at, delay, self.ground.calendar)
        self._want(step, key, moment_at, above.settled_at, None, until=self._until(step))

    # --- repeats

    def _repeating(self, step: Step, above: _Above, chosen_at: datetime | None) -> _Above:
        """The next occurrence of a step that repeats. Those below wait until it is over."""
        assert step.repeat is not None  # noqa: S101 - the caller's branch
        anchor_at = self.anchors(step.at.anchor) if step.at is not None else None
        before = self.past.before(step, anchor_at)
        if step.at is None:
            if not before and not self.past.ahead(step):
                return _Above(self._key(step, "1"), None)
            if not before and above.settled_at is None:
                self._after_step(self._key(step, "1"), step, above.key)
                return _Above(self._key(step, "1"), None)
        elif anchor_at is None and not before:
            self._no_anchor(self._key(step, ""), step)
            return above
        last = before[-1].settled_at if before else None
        latest = self._key(step, before[-1].occurrence if before else "")
        if any(id_ == step.id for id_, _ in self.past.in_flight):
            return _Above(latest, None)
        count = self.past.counted(step, before)
        if step.repeat.at_most is not None and count >= step.repeat.at_most:
            return _Above(latest, last)
        until = self._until(step)
        following = self._next(step, anchor_at, before, above.settled_at)
        if following is None:
            self._look_after(step, latest)
            return _Above(latest, None)  # its anchor has not moved on
        if last is not None and until is not None and following.moment_at > until:
            return _Above(latest, last)
        key = self._key(step, following.name)
        if step.at is None:
            since = last or above.settled_at or self.enrollment.entered_at
            self._want(step, key, following.moment_at, since, None, until=until)
        elif anchor_at is not None:
            moment_at = following.moment_at
            known_at = self.past.known_at(step, following.name, moment_at, chosen_at, last)
            self._at_anchor(step, key, anchor_at, moment_at, known_at)
        return _Above(key, None)

    def _next(
        self,
        step: Step,
        anchor_at: datetime | None,
        before: list[StepRecord],
        above_at: datetime | None,
    ) -> repeating.Occurrence | None:
        every = step.repeat.every if step.repeat else None
        calendar = self.ground.calendar
        if step.at is None:
            since = above_at or self.enrollment.entered_at
            return repeating.after(since, step.after or _AT_ONCE, every, before, calendar)
        if anchor_at is None:
            return None
        same = [each for each in before if same_occasion(each, anchor_at)]
        first_at = timing.derive(step.at, anchor_at, calendar)
        return repeating.at_anchor(anchor_at, first_at, every, before, same, calendar)

    # --- what is found

    def _want(
        self,
        step: Step,
        key: Key,
        moment_at: datetime,
        known_at: datetime,
        anchor_at: datetime | None,
        *,
        until: datetime | None,
        firm: bool = True,
    ) -> None:
        word = by_hand.word_on(self.words, step, key.occurrence, self.ground.now)
        if word is not None and word.type == by_hand.SKIPPED:
            self._standstill(
                key,
                step,
                Reason.SKIPPED,
                verdict=Verdict.SKIP,
                final=True,
                moment_at=moment_at,
                known_at=known_at,
                anchor_at=anchor_at,
                detail=word.told,
            )
            return
        if self.untold and says_nothing_new(step, self.ground.categories) and self._holds(step):
            due = moment_at <= self.ground.now
            self._standstill(
                key,
                step,
                Reason.TO_BE_TOLD,
                verdict=Verdict.TASK if due else Verdict.WAIT,
                final=due,
                at=moment_at,
                moment_at=moment_at,
                known_at=known_at,
                anchor_at=anchor_at,
            )
            return
        self.found.append(
            Want(
                key=key,
                campaign=self.campaign,
                step=step,
                enrollment=self.enrollment,
                moment_at=moment_at,
                known_at=known_at,
                anchor_at=anchor_at,
                until=until,
                truth=ENTIRELY_TRUE if step.condition is None else self.truth(step.condition),
                firm=firm or word is not None,
                word=word,
            )
        )

    def _after_step(self, key: Key, step: Step, above: Key | None, **more: Any) -> None:
        detail = {"step": above.step} if above is not None else {}
        self._standstill(key, step, Reason.AFTER_STEP, above=above, detail=detail, **more)

    def _no_anchor(self, key: Key, step: Step) -> None:
        anchor = step.at.anchor if step.at is not None else ""
        self._standstill(key, step, Reason.NO_ANCHOR, detail={"anchor": anchor})

    def _standstill(
        self,
        key: Key,
        step: Step,
        reason: Reason,
        *,
        verdict: Verdict = Verdict.WAIT,
        **more: Any,
    ) -> None:
        self.found.append(
            Standstill(
                key=key,
                campaign=self.campaign,
                step=step,
                enrollment=self.enrollment,
                verdict=verdict,
                reason=reason,
                **more,
            )
        )

    def _key(self, step: Step, occurrence: str) -> Key:
        return Key(self.enrollment.id, step.id, occurrence)

    def _occurrence(self, anchor: str, anchor_at: datetime) -> str:
        """Many steps hang on the same anchor, and naming an instant is dear."""
        known = self.called.get(anchor)
        if known is None:
            known = self.called[anchor] = anchor_at.isoformat()
        return known

    def _until(self, step: Step) -> datetime | None:
        if step.until is None:
            return None
        anchor_at = self.anchors(step.until.anchor)
        if anchor_at is None:
            return None
        return timing.derive(step.until, anchor_at, self.ground.calendar)
