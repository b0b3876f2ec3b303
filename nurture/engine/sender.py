"""How does a decided message leave? Claimed, decided again, marked, handed over, recorded."""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Protocol

from nurture.clock import Clock
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
    Section,
    StepState,
    Unknown,
)
from nurture.core.outcome import Consequence, consequence
from nurture.engine.journal import Journal
from nurture.engine.planner import MEND_AFTER, Planner
from nurture.engine.sections import (
    digests_in,
    first_to_go,
    freed,
    had_sections,
    parted,
    row_of,
    settled,
)
from nurture.errors import NurtureError, OutsideError
from nurture.store import alarm, planning, promises, revisions, sections
from nurture.store.database import Connection, Database
from nurture.store.planning import SentBy
from nurture.store.rows import key_of as key_in

log = logging.getLogger("nurture.sender")

WINDOW = 100
#: How long a hand-over may take before its message counts as in doubt.
LEASE = timedelta(minutes=10)
#: So long before its lease ends a window hands over nothing more: others may take the rest then.
LEASE_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message ready to leave."""

    sender: str  #: envelope
    to: str
    raw: bytes
    promises: tuple[Promise, ...] = ()  #: what it promises, as it says itself
    #: Sections of a bundle that could not be written, each with the reason: it goes without them.
    unsaid: Mapping[Key, str] = field(default_factory=dict)


#: What has reached, or may have reached, the candidate; and what never will.
_CONTACTED = (MessageState.SENT, MessageState.UNKNOWN)
_FAILED = (MessageState.FAILED,)

#: Writes the mail: the same rendering that previews show. Raises NurtureError where it cannot.
Writes = Callable[[Message, Facts, datetime], Letter]


class Carrier(Protocol):
    def hand_over(self, envelope_from: str, to: str, raw: bytes, message_id: str) -> Outcome:
        """Offer the bytes; what came of it is a value."""


class Sender:
    def __init__(
        self,
        database: Database,
        planner: Planner,
        clock: Clock,
        write: Writes,
        carrier: Carrier,
        journal: Journal | None = None,
    ) -> None:
        self.database = database
        self.planner = planner
        self.clock = clock
        self.write = write
        self.carrier = carrier
        self.journal = journal
        self._kept: set[str | None] = set()  # digests of files that the database has
        #: By lease: what came of hand-overs, until the database has it.
        self._unrecorded: dict[str, list[tuple[Message, Consequence]]] = {}
        #: Their mails as they were written, by message, until what came of them is recorded.
        self._written: dict[int, Letter] = {}

    def window(self) -> int:
        """Send one window of queued messages, at most one a candidate. How many were taken.

        1. Lock candidates with queued mail and plan them again: whatever came in since (an
           unsubscribe, a moved interview, another mail) is obeyed here.
        2. Mark what still goes out as `sending`, durably: from here on it counts.
        3. Write and hand over, one after another.
        4. Record what came of each, under this window's lease. Where the database is away just
           then, that is the first thing to do when it is back.
        """
        self._record()
        now = self.clock.now()
        lease = self._lease()
        with self.database.write() as connection:
            ids = planning.with_mail(connection, WINDOW)
            if not ids:
                return 0
            planned = self.planner.plan_locked(connection, ids, now)
            chosen = [pair for each in planned.values() if (pair := first_to_go(each))]
            sent_by = {message.id: self._sent_by(message, facts) for message, facts in chosen}
            bundles = {
                message.id: self._rows(message, facts)
                for message, facts in chosen
                if message.sections or had_sections(message, facts)
            }
            self._keep(connection, [*sent_by.values(), *digests_in(bundles)], now)
            planning.mark_sending(connection, sent_by, lease, now, now + LEASE)
            sections.carry(connection, bundles)
        self._kept.update(*sent_by.values(), *digests_in(bundles))
        results = self._unrecorded[lease] = []
        for message, facts in chosen:
            if self.clock.now() < now + LEASE - LEASE_MARGIN:
                result = self._hand_over(message, facts, lease)
            else:  # a slow server: what is left goes with a new lease
                result = Consequence(state=MessageState.QUEUED)
            results.append((message, result))
        self._record()
        return len(ids)

    def _sent_by(self, one: Message | Section, facts: Facts) -> SentBy:
        """The revisions in force: `write` is about to take the same, in this same thread."""
        campaign = self.planner.library.campaigns.get(one.campaign)
        locale = facts.candidate.locale
        template, layout = self.planner.renderer().digests(one.template, locale)
        return SentBy(campaign.digest if campaign else None, template, layout)

    def _rows(self, message: Message, facts: Facts) -> list[dict[str, Any]]:
        """What it says, section by section."""
        parts: Sequence[Message | Section] = message.sections or (message,)
        return [row_of(part, self._sent_by(part, facts)) for part in parts]

    def _keep(
        self, connection: Connection, sent_by: Iterable[Iterable[str | None]], now: datetime
    ) -> None:
        """See to it that what is sent can be read for ever, also where the daemon could not keep
        it when it came into force: the database was away, or there is no daemon."""
        missing = set(chain(*sent_by)) - self._kept
        if missing:
            rows = [row for row in self.planner.library.revisions() if row.digest in missing]
            revisions.keep(connection, rows, now)

    def _lease(self) -> str:
        try:
            return self.journal.lease() if self.journal else secrets.token_hex(8)
        except OSError as error:
            raise OutsideError(f"var/lanes cannot be written: {error.strerror}") from error

    def recover(self, *, everything: bool) -> int:
        """Deal with messages whose sender is gone. How many stay in doubt.

        What this machine's journal shows was never offered goes back to the queue; the rest
        becomes `unknown` and is never sent again by itself. `everything`: this process is the only
        one, so nobody else can be sending; otherwise only expired leases are looked at.
        """
        now = self.clock.now()
        with self.database.write() as connection:
            seen = planning.lost(connection, now, everything=everything)
            alarm.lock(connection, {row.candidate_id for row in seen})
            # Again under the locks: their sender may have been slow, and not gone.
            left = planning.lost(connection, now, everything=everything)
            lost = [row for row in left if row in seen]
            safe = [row.id for row in lost if self._never_offered(row.lease, row.id)]
            doubtful = [row.id for row in lost if row.id not in safe]
            planning.back_to_queue(connection, safe)
            planning.put_in_doubt(connection, doubtful, now)
            alarm.ring(connection, {row.candidate_id for row in lost}, now)
        if everything and self.journal is not None:
            self.journal.forget()
        if lost:
            numbers = {"queued": len(safe), "unknown": len(doubtful)}
            log.warning("recovered", extra={"action": "recovered", **numbers})
        return len(doubtful)

    def _never_offered(self, lease: str | None, message_id: int) -> bool:
        return (
            self.journal is not None
            and lease is not None
            and self.journal.never_offered(lease, message_id)
        )

    def _hand_over(self, message: Message, facts: Facts, lease: str) -> Consequence:
        """Never raises: one message that is past helping must not leave a window in doubt."""
        now = self.clock.now()
        self._written.pop(message.id, None)
        try:
            letter = self._written[message.id] = self.write(message, facts, now)
        except Exception as error:
            # Whose words may hold anything; ours never hold more than the names of facts.
            text = str(error) if isinstance(error, NurtureError) else type(error).__name__
            return Consequence(
                state=MessageState.RETRYING,
                reason=Reason.CANNOT_RENDER,
                next_attempt_at=now + MEND_AFTER,
                text=text,
            )
        return consequence(
            self._offer(letter, message, lease),
            message_id=message.message_id,
            attempts=message.attempts + 1,
            created_at=message.created_at,
            now=self.clock.now(),
            bundle=len(message.sections) - len(letter.unsaid) > 1,
        )

    def _offer(self, letter: Letter, message: Message, lease: str) -> Outcome:
        try:
            if self.journal is not None:
                self.journal.offer(lease, message.id)
        except OSError as error:  # a full disk: not now, because a crash could not be told apart
            return Deferred(text=f"the journal cannot be written: {error.strerror}")
        try:
            return self.carrier.hand_over(letter.sender, letter.to, letter.raw, message.message_id)
        except Exception as error:
            return Unknown(text=type(error).__name__)

    def _record(self) -> None:
        """Write down what came of hand-overs."""
        for lease, results in list(self._unrecorded.items()):
            self._record_window(results, lease)
            del self._unrecorded[lease]

    def _record_window(self, results: Sequence[tuple[Message, Consequence]], lease: str) -> None:
        """All that one window did, in bulk. What another hand has taken meanwhile is in doubt,
        and was said to be so there."""
        now = self.clock.now()
        with self.database.write() as connection:
            ids = [message.id for message, _ in results]
            alarm.lock(connection, planning.owners(connection, ids).values())
            # Under the locks: somebody may have become another while their mail was on its way.
            owners = planning.owners(connection, ids)
            results = [
                (replace(message, candidate_id=owners[message.id]), result)
                for message, result in results
            ]
            candidates = set(owners.values())
            outcomes = {message.id: result.state for message, result in results}
            ours = planning.in_hand(connection, lease, outcomes)
            recorded = [(message, result) for message, result in results if message.id in ours]
            planning.record_outcomes(connection, [_row(*pair, now) for pair in recorded])
            sections.part(connection, self._parted(recorded, now))
            sections.free(connection, [key for pair in recorded for key in freed(*pair)])
            said = sections.sections_of(connection, ours)
            for state, ends in ((StepState.SENT, _CONTACTED), (StepState.FAILED, _FAILED)):
                rows = [
                    settled(section, said[message.id][0], result, now)
                    for message, result in recorded
                    if result.state in ends
                    for section in said[message.id]
                ]
                planning.settle_steps(connection, [Key(**key_in(row)) for row in rows], state, now)
                planning.record_verdicts(connection, rows)
            self._promise(connection, recorded, now)
            for message, result in recorded:
                if result.suppress is not None:
                    planning.suppress(connection, message.candidate_id, result.suppress)
            alarm.ring(connection, candidates, now)
        for id_ in ids:
            self._written.pop(id_, None)
        counts = Counter(result.state.value for _, result in results)
        log.info("handed over", extra={"action": "handed-over", **counts})

    def _promise(
        self,
        connection: Connection,
        recorded: Sequence[tuple[Message, Consequence]],
        now: datetime,
    ) -> None:
        """What these mails promised holds from when they are sent. In doubt is not sent: a debt
        that nobody may have heard of is none."""
        made = [
            replace(promise, candidate_id=message.candidate_id)
            for message, result in recorded
            if result.state is MessageState.SENT and message.id in self._written
            for promise in self._written[message.id].promises
        ]
        promises.make(connection, made, now)

    def _parted(
        self, recorded: Sequence[tuple[Message, Consequence]], now: datetime
    ) -> list[dict[str, Any]]:
        """Messages of their own for sections that do not go with their bundle: it could not be
        written, or somebody refused what the bundle says."""
        rows = []
        for message, result in recorded:
            letter = self._written.get(message.id)
            unsaid = letter.unsaid if letter is not None else {}
            rows += parted(message, result, unsaid, self.planner.config, now)
        return rows


def _row(message: Message, result: Consequence, now: datetime) -> Mapping[str, Any]:
    """What became of a message, for its row."""
    offered = result.state is not MessageState.QUEUED
    return {
        "id": message.id,
        "state": result.state,
        "reason": result.reason,
        "detail": {"said": result.text} if result.text else {},
        "next_attempt_at": result.next_attempt_at,
        "sent_at": now if result.state in _CONTACTED else None,
        "attempts": message.attempts + (result.reason is not Reason.CANNOT_RENDER and offered),
    }


class Nowhere:
    """A carrier that accepts everything and carries it nowhere: for simulations."""

    def hand_over(self, envelope_from: str, to: str, raw: bytes, message_id: str) -> Outcome:  # noqa: ARG002
        return Accepted(text="simulated")
