"""What came of the messages that were handed over? Kept until the database has it."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from nurture.clock import Clock
from nurture.config import Config
from nurture.core.journey import Key
from nurture.core.model import (
    Accepted,
    Deferred,
    Facts,
    Message,
    MessageState,
    Outcome,
    Promise,
    Reason,
    StepState,
)
from nurture.core.outcome import Consequence
from nurture.engine.guardrails import Guardrails
from nurture.engine.limits import Limits, domain_of
from nurture.engine.sections import freed, parted, settled
from nurture.store import alarm, approvals, planning, promises, sections
from nurture.store.database import Connection, Database
from nurture.store.rows import key_of

log = logging.getLogger("nurture.sender")

#: What has reached, or may have reached, the candidate; and what never will.
_CONTACTED = (MessageState.SENT, MessageState.UNKNOWN)
_FAILED = (MessageState.FAILED,)
#: What nobody was offered: it cannot be written, or is not what somebody approved.
_NOT_TRIED = (Reason.CANNOT_RENDER, Reason.APPROVAL)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message ready to leave."""

    message: Message
    sender: str  #: envelope
    to: str
    raw: bytes
    promises: tuple[Promise, ...] = ()  #: what it promises, as it says itself
    #: Sections of a bundle that could not be written, each with the reason: it goes without them.
    unsaid: Mapping[Key, str] = field(default_factory=dict)
    invite: str | None = None  #: what it says to calendars

    @property
    def message_id(self) -> str:
        return self.message.message_id


#: Writes the mail: the same rendering that previews show. Raises NurtureError where it cannot.
Writes = Callable[[Message, Facts, datetime], Letter]


class Handled(NamedTuple):
    message: Message
    result: Consequence
    letter: Letter | None = None  #: as it was written, if it could be
    outcome: Outcome | None = None  #: of the hand-over, if it was offered


class Outcomes:
    """Of this process's hand-overs, by lease."""

    def __init__(self, database: Database, config: Config, clock: Clock, limits: Limits) -> None:
        self.database = database
        self.config = config
        self.clock = clock
        self.limits = limits
        self.rails = Guardrails(config.guardrails)
        self._unrecorded: dict[str, list[Handled]] = {}

    def begin(self, lease: str) -> list[Handled]:
        """Where to put what comes of a window."""
        return self._unrecorded.setdefault(lease, [])

    def record(self) -> None:
        """Write down what came of hand-overs."""
        for lease, handled in list(self._unrecorded.items()):
            self.write(handled, lease)
            del self._unrecorded[lease]

    def write(self, handled: Sequence[Handled], lease: str) -> None:
        """All that one window did, in bulk. What another hand has taken meanwhile is in doubt,
        and was said to be so there."""
        now = self.clock.now()
        with self.database.write() as connection:
            ids = [each.message.id for each in handled]
            alarm.lock(connection, planning.owners(connection, ids).values())
            # Under the locks: somebody may have become another while their mail was on its way.
            owners = planning.owners(connection, ids)
            outcomes = {each.message.id: each.result.state for each in handled}
            ours = planning.in_hand(connection, lease, outcomes)
            recorded = [_of(owners, each) for each in handled if each.message.id in ours]
            planning.record_outcomes(connection, [_row(each, now) for each in recorded])
            approvals.overtaken(connection, [each.message for each in recorded if _differs(each)])
            self._sections(connection, recorded, now)
            self._settle(connection, recorded, now)
            promises.make(connection, _promised(recorded), now)
            for each in recorded:
                if each.result.suppress is not None:
                    planning.suppress(connection, each.message.candidate_id, each.result.suppress)
            self._pace(connection, handled, now)
            self.rails.after(connection, [each[:2] for each in recorded], now)
            alarm.ring(connection, set(owners.values()), now)
        counts = Counter(each.result.state.value for each in handled)
        log.info("handed over", extra={"action": "handed-over", **counts})

    def _sections(self, connection: Connection, recorded: Sequence[Handled], now: datetime) -> None:
        """Messages of their own for sections that do not go with their bundle: it could not be
        written, or somebody refused what the bundle says."""
        rows: list[dict[str, Any]] = []
        for message, result, letter, _ in recorded:
            unsaid = letter.unsaid if letter is not None else {}
            rows += parted(message, result, unsaid, self.config, now)
        sections.part(connection, rows)
        free = [key for message, result, *_ in recorded for key in freed(message, result)]
        sections.free(connection, free)

    def _pace(self, connection: Connection, handled: Sequence[Handled], now: datetime) -> None:
        """Domains that asked us to slow down, and those that took mail."""
        offered = [(each.letter, each.outcome) for each in handled if each.letter is not None]
        slow = {
            domain_of(letter.to): outcome.text
            for letter, outcome in offered
            if isinstance(outcome, Deferred) and outcome.domain
        }
        well = {domain_of(one.to) for one, outcome in offered if isinstance(outcome, Accepted)}
        for domain, said in sorted(slow.items()):
            self.limits.slow(connection, domain, now, said)
        self.limits.went_well(connection, well - slow.keys(), now)

    def _settle(self, connection: Connection, recorded: Sequence[Handled], now: datetime) -> None:
        """The steps of what is at its end, with a verdict each."""
        ended = [each for each in recorded if each.result.state in (*_CONTACTED, *_FAILED)]
        said = sections.sections_of(connection, {each.message.id for each in ended})
        for state, ends in ((StepState.SENT, _CONTACTED), (StepState.FAILED, _FAILED)):
            rows = [
                settled(section, said[message.id][0], result, now, message)
                for message, result, *_ in ended
                if result.state in ends
                for section in said[message.id]
            ]
            planning.settle_steps(connection, [Key(**key_of(row)) for row in rows], state, now)
            planning.record_verdicts(connection, rows)


def _differs(handled: Handled) -> bool:
    """Whether it was to be sent as somebody approved it, and would say something else by now."""
    return handled.result.reason is Reason.APPROVAL


def _of(owners: Mapping[int, int], handled: Handled) -> Handled:
    owner = owners[handled.message.id]
    if handled.message.candidate_id == owner:
        return handled
    return handled._replace(message=replace(handled.message, candidate_id=owner))


def _promised(recorded: Sequence[Handled]) -> list[Promise]:
    """What these mails promised holds from when they are sent. In doubt is not sent: a debt that
    nobody may have heard of is none."""
    return [
        replace(promise, candidate_id=message.candidate_id)
        for message, result, letter, _ in recorded
        if result.state is MessageState.SENT and letter is not None
        for promise in letter.promises
    ]


def _row(handled: Handled, now: datetime) -> Mapping[str, Any]:
    """What became of a message, for its row."""
    message, result, letter, _ = handled
    offered = result.state is not MessageState.QUEUED
    reached = result.state in _CONTACTED
    return {
        "id": message.id,
        "state": result.state,
        "reason": result.reason,
        "detail": {"said": result.text} if result.text else {},
        "next_attempt_at": result.next_attempt_at,
        "sent_at": now if reached else None,
        "attempts": message.attempts + (result.reason not in _NOT_TRIED and offered),
        "invite": letter.invite if reached and letter is not None else None,
    }
