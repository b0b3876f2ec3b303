"""Which rows does a decided agenda change? Verdicts become messages, tasks and settled steps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from nurture.core import calling, timing
from nurture.core.agenda import Agenda, Item
from nurture.core.hours import Calendar
from nurture.core.journey import Key
from nurture.core.model import (
    ByPhone,
    Call,
    Campaign,
    Duration,
    Enrollment,
    Facts,
    Message,
    MessageClass,
    MessageState,
    Reason,
    Section,
    Step,
    StepRecord,
    StepState,
    TaskText,
    Verdict,
)
from nurture.core.past import anchor_of
from nurture.core.timing import DYNAMIC_ANCHORS
from nurture.rendering.mime import message_id_for
from nurture.store.planning import Changes
from nurture.store.tables import CALL, OF_CALL

#: States in which the planner may still change its mind.
OURS = (MessageState.PLANNED, MessageState.QUEUED, MessageState.HELD, MessageState.RETRYING)
_IN_HAND = MessageState.SENDING
#: What an approval writes into a message's row, taken back.
NOT_APPROVED: Mapping[str, None] = dict.fromkeys(
    ("approved_at", "approved_by", "approved_digest", "approved_as_of")
)
_NOTICEABLE = timedelta(seconds=1)
_OfStep = TypeVar("_OfStep", Message, Call)


@dataclass(frozen=True)
class Decided:
    """One candidate's planning, before it is written."""

    facts: Facts
    agenda: Agenda
    calendar: Calendar
    ended: tuple[tuple[Enrollment, str], ...]
    tasks: Mapping[Key, tuple[str, str | None]]  #: rendered text and assignee of tasks due now
    calls: Mapping[Key, tuple[str, str | None]]  #: the same of calls: what is to be said in them
    fallback_after: Duration
    campaigns: Mapping[str, Campaign]
    domain: str  #: right-hand side of Message-IDs


def changes(decided: Decided, now: datetime) -> Changes:
    """All rows this planning changes."""
    return _Recorder(decided, now).all()


def new_messages(written: Changes) -> dict[Key, Message]:
    """The messages that these rows began, as they are stored now."""
    brought = dict(written.content)
    return {
        key: Message(
            id=written.ids[key],
            content=tuple(brought.get(key, ())),
            **key._asdict(),
            **_as_message(row),
        )
        for key, row in written.queued
    }


class _Recorder:
    def __init__(self, decided: Decided, now: datetime) -> None:
        facts = decided.facts
        self.decided = decided
        self.now = now
        self.out = Changes(candidate_id=facts.candidate.id, wake_at=decided.agenda.wake_at)
        self.records = {
            Key(enrollment_id=each.enrollment_id, step=each.step, occurrence=each.occurrence): each
            for each in facts.records
        }
        self.messages = by_key(facts.messages)
        self.campaign_of = {each.id: each.campaign for each in facts.enrollments}

    def all(self) -> Changes:
        ended = {enrollment.id: why for enrollment, why in self.decided.ended}
        self.out.ended = [
            {"id": id_, "ended_at": self.now, "end_reason": why} for id_, why in ended.items()
        ]
        for item in self.decided.agenda.items:
            self.item(item)
        spoken_of = {item.key for item in self.decided.agenda.items}
        # What is just being handed over is its sender's to settle.
        spoken_of |= {
            key_of(part)
            for one in self.messages.values()
            if one.state is _IN_HAND
            for part in one.sections or (one,)
        }
        for key, record in self.records.items():
            if record.state is StepState.OPEN and key not in spoken_of:
                self.gone(key, record, ended)
        for key, message in self.messages.items():
            if message.state in OURS and key not in spoken_of:
                self.withdraw(key, message, ended)
        self.release()
        self.calls(ended)
        return self.out

    def item(self, item: Item) -> None:
        if not item.key.occurrence:
            return  # nothing to hang a row on until its anchor has a value
        state = StepState.OPEN
        if item.key in self.decided.calls:
            self.out.tasks.append(self.call(item))
            self.out.wake_at = self.now  # what waits for this call is wanted then
        if item.verdict is Verdict.TASK and item.final:
            self.out.tasks.append(self.task(item))
            state = StepState.DONE
        elif item.verdict is Verdict.DONE:
            state = StepState.DONE
        elif item.final:
            state = StepState.SKIPPED
        if state is not StepState.OPEN:
            self.out.wake_at = self.now  # what waits for this step, or comes again, is wanted now
        self.step(item, state)
        if item.joins is not None:
            self.joined(item)
        elif item.step.send is not None:
            self.message(item)
        elif (former := self.messages.get(item.key)) is not None and former.state in OURS:
            self.change(former, MessageState.CANCELLED, Reason.STEP_REMOVED, {})  # now a task

    def step(self, item: Item, state: StepState) -> None:
        record = self.records.get(item.key)
        if record is None or _differs(record, item, state):
            self.out.steps.append(self.row(item, state))
        if record is None or _news(record, item) or state is not StepState.OPEN:
            self.verdict(item.key, item.verdict, item.reason, item.at, item.detail, item)

    def row(self, item: Item, state: StepState) -> dict[str, Any]:
        return {
            **item.key._asdict(),
            "candidate_id": self.out.candidate_id,
            "anchor": anchor_of(item.step),
            "anchor_at": item.anchor_at,
            "moment_at": item.moment_at,
            "known_at": item.known_at or self.now,
            "state": state,
            "settled_at": None if state is StepState.OPEN else self.now,
            "verdict": item.verdict,
            "reason": item.reason,
            "at": item.at,
            "detail": dict(item.detail),
        }

    def message(self, item: Item) -> None:
        message = self.messages.get(item.key)
        state = _state_for(item, message)
        if state is None:
            return
        words = self.words(item)
        if item.content != (message.content if message is not None else ()):
            self.out.content.append((item.key, list(item.content)))
        if message is None:
            self.out.queued.append((item.key, self.new_message(item, state)))
        elif (message.template, message.category) != (words["template"], words["category"]):
            # The step was edited: other words, perhaps of another kind, which nobody approved.
            self.change(message, state, item.reason, item.detail, **words)
        elif message.state is not state:
            self.change(message, state, item.reason, item.detail)

    def joined(self, item: Item) -> None:
        """It is to be a section of another's mail, which it becomes when that one goes. A mail of
        its own that had not left by then is none any more."""
        message = self.messages.get(item.key)
        undecided = message is None or message.state in (MessageState.PLANNED, _IN_HAND)
        if message is not None and not undecided:
            self.change(message, MessageState.PLANNED, item.reason, item.detail)

    def release(self) -> None:
        """Sections of mails that were tried before, and now go without them."""
        joins = {item.key: item.joins for item in self.decided.agenda.items}
        for key, message in self.messages.items():
            if message.state in OURS:
                sections = map(key_of, message.sections)
                self.out.released += [
                    each for each in sections if each != key and joins.get(each) != key
                ]

    def new_message(self, item: Item, state: MessageState) -> dict[str, Any]:
        key = item.key
        return {
            "candidate_id": self.out.candidate_id,
            "message_id": message_id_for(
                key.enrollment_id, key.step, key.occurrence, self.decided.domain
            ),
            "state": state,
            "campaign": item.campaign,
            **self.words(item),
            "application": item.application,
            "created_at": self.now,
            "until": item.until,
            "reason": item.reason,
            "detail": dict(item.detail),
        }

    @staticmethod
    def words(item: Item) -> dict[str, Any]:
        """Which letter it is."""
        return {
            "template": item.step.send,
            "category": item.category.name if item.category else "",
            "klass": item.category.klass if item.category else MessageClass.SERVICE,
            **NOT_APPROVED,
        }

    def change(
        self,
        message: Message,
        state: MessageState,
        reason: Reason,
        detail: Mapping[str, Any],
        **words: Any,
    ) -> None:
        self.out.messages.append(
            {"id": message.id, "state": state, "reason": reason, "detail": dict(detail), **words}
        )

    def task(self, item: Item) -> dict[str, Any]:
        text, assignee = self.decided.tasks[item.key]
        due = item.step.task.due if item.step.task else TaskText(text="").due
        role = item.step.task.to if item.step.task else "recruiter"
        due_at = timing.shift(self.now, due, self.decided.calendar)
        return self.errand(item, text, role, assignee, due_at) | dict.fromkeys(_OF_CALLS)

    def call(self, item: Item) -> dict[str, Any]:
        """A call task: due by the end of the hours in which it is best made."""
        text, assignee = self.decided.calls[item.key]
        decided = self.decided
        mail_at = calling.fallback_at(
            self.now, decided.fallback_after, item.until, decided.calendar
        )
        best_at = datetime.fromisoformat(item.detail.get("best_at", self.now.isoformat()))
        by = datetime.fromisoformat(item.detail.get("by", mail_at.isoformat()))
        return self.errand(item, text, "recruiter", assignee, max(best_at, min(by, mail_at))) | {
            "occurrence": OF_CALL + item.key.occurrence,
            "kind": CALL,
            "template": item.step.send,
            "best_at": best_at,
            "fallback_at": mail_at,
        }

    def errand(
        self, item: Item, text: str, role: str, assignee: str | None, due_at: datetime
    ) -> dict[str, Any]:
        return {
            **item.key._asdict(),
            "candidate_id": self.out.candidate_id,
            "campaign": item.campaign,
            "application": item.application,
            "text": text,
            "role": role,
            "assignee": assignee,
            "state": "open",
            "created_at": self.now,
            "due_at": due_at,
            "kind": "task",
        }

    def calls(self, ended: Mapping[int, str]) -> None:
        """Nobody need ring any more about what goes as a mail now, or is not to be said at all."""
        items = {item.key: item for item in self.decided.agenda.items}
        for key, call in by_key(self.decided.facts.calls).items():
            if call.state == "open" and self.needless(key, items.get(key), ended):
                self.out.hung_up.append(call.task_id)

    def needless(self, key: Key, item: Item | None, ended: Mapping[int, str]) -> bool:
        if item is not None:
            both = item.category is not None and item.category.by_phone is ByPhone.BOTH
            return item.final if both else item.final or item.verdict is Verdict.SEND
        record = self.records.get(key)
        if record is not None and record.state is StepState.SENT:
            return key.enrollment_id in ended  # its mail went beside it
        return self.why_gone(key, ended) is not Reason.CAMPAIGN_MISSING

    def gone(self, key: Key, record: StepRecord, ended: Mapping[int, str]) -> None:
        """An open step that is wanted no more: its enrollment ended, its anchor moved on, or its
        author removed it. A file that is missing freezes its steps instead."""
        why = self.why_gone(key, ended)
        frozen = why is Reason.CAMPAIGN_MISSING
        if frozen and record.reason is why:
            return
        if why is Reason.MOVED and record.verdict is Verdict.WAIT and self.moves_on(key):
            self.out.dropped.append(key)  # every mail moves it on: nobody asks why
            return
        detail = {"event": ended[key.enrollment_id]} if why is Reason.LEFT else {}
        verdict, at = (Verdict.WAIT, None) if frozen else (Verdict.SKIP, self.now)
        self.verdict(key, verdict, why, at, detail, None, final=not frozen)
        if why is not Reason.LEFT and not frozen:
            self.out.dropped.append(key)
            return
        row = {
            **key._asdict(),
            "candidate_id": self.out.candidate_id,
            "anchor": record.anchor,
            "anchor_at": record.anchor_at,
            "moment_at": record.moment_at,
            "known_at": record.known_at,
            "state": StepState.OPEN if frozen else StepState.SKIPPED,
            "settled_at": None if frozen else self.now,
            "verdict": verdict,
            "reason": why,
            "at": at,
            "detail": detail,
        }
        self.out.steps.append(row)

    def withdraw(self, key: Key, message: Message, ended: Mapping[int, str]) -> None:
        why = self.why_gone(key, ended)
        frozen = why is Reason.CAMPAIGN_MISSING
        state = MessageState.PLANNED if frozen else MessageState.CANCELLED
        if message.state is not state:
            self.change(message, state, why, {})

    def moves_on(self, key: Key) -> bool:
        """Whether the step hangs on what moves by everything that is sent."""
        step = self.step_of(key)
        return step is not None and step.at is not None and step.at.anchor in DYNAMIC_ANCHORS

    def step_of(self, key: Key) -> Step | None:
        campaign = self.decided.campaigns.get(self.campaign_of.get(key.enrollment_id, ""))
        steps = campaign.every_step() if campaign is not None else ()
        return next((each for each in steps if each.id == key.step), None)

    def why_gone(self, key: Key, ended: Mapping[int, str]) -> Reason:
        if key.enrollment_id in ended:
            return Reason.LEFT
        if self.campaign_of.get(key.enrollment_id, "") not in self.decided.campaigns:
            return Reason.CAMPAIGN_MISSING
        step = self.step_of(key)
        if step is None:
            return Reason.STEP_REMOVED
        return Reason.MOVED if step.at is not None else Reason.NOT_CHOSEN

    def verdict(
        self,
        key: Key,
        verdict: Verdict,
        reason: Reason,
        at: datetime | None,
        detail: Mapping[str, Any],
        item: Item | None,
        *,
        final: bool = True,
    ) -> None:
        self.out.verdicts.append(
            {
                **key._asdict(),
                "candidate_id": self.out.candidate_id,
                "campaign": self.campaign_of.get(key.enrollment_id, ""),
                "template": item.step.send if item else None,
                "category": item.category.name if item and item.category else None,
                "application": item.application if item else None,
                "recorded_at": self.now,
                "verdict": verdict,
                "reason": reason,
                "final": item.final if item else final,
                "at": at,
                "detail": {**detail, "about": True} if item and item.about else dict(detail),
            }
        )


def _as_message(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "klass"}


#: The columns of a task that only a call fills.
_OF_CALLS = ("template", "best_at", "fallback_at")


def by_key(messages: Iterable[_OfStep]) -> dict[Key, _OfStep]:
    """By the step of each; of a bundle, its first."""
    return {key_of(each): each for each in messages}


def key_of(one: Message | Section | Call) -> Key:
    return Key(enrollment_id=one.enrollment_id, step=one.step, occurrence=one.occurrence)


def _state_for(item: Item, message: Message | None) -> MessageState | None:
    """The state a message takes by this verdict; None leaves it, or leaves it unwritten."""
    if item.verdict is Verdict.SEND:
        return MessageState.QUEUED
    if item.verdict is Verdict.WAIT and item.reason is Reason.APPROVAL:
        return MessageState.HELD
    if message is None or message.state not in OURS:
        return None
    if item.final:
        return MessageState.CANCELLED
    return MessageState.RETRYING if message.state is MessageState.RETRYING else MessageState.PLANNED


def _differs(record: StepRecord, item: Item, state: StepState) -> bool:
    return (
        state is not record.state
        or record.moment_at != item.moment_at
        or record.anchor_at != item.anchor_at
        or record.anchor != anchor_of(item.step)
        or (item.known_at is not None and record.known_at != item.known_at)
        or _news(record, item)
    )


def _news(record: StepRecord, item: Item) -> bool:
    """Whether people would want to know: another verdict, reason or time. A mail that is due now
    is due a moment later too, and forecasts are not promises."""
    if record.verdict is not item.verdict or record.reason is not item.reason:
        return True
    if item.verdict is not Verdict.WAIT or item.about or record.at is None or item.at is None:
        return False
    return abs(record.at - item.at) > _NOTICEABLE
