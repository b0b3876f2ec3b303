"""How does a decided message leave? Claimed, decided, marked, handed over, recorded."""

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Protocol, TypeVar

from nurture.clock import Clock
from nurture.core.model import (
    Accepted,
    Deferred,
    Facts,
    Message,
    MessageState,
    Outcome,
    Reason,
    Section,
    Unknown,
)
from nurture.core.outcome import Consequence, consequence
from nurture.engine.approved import held_again, is_another
from nurture.engine.journal import Journal
from nurture.engine.limits import Limits, domain_of
from nurture.engine.outcomes import Handled, Letter, Outcomes, Writes
from nurture.engine.planner import MEND_AFTER, Planned, Planner
from nurture.engine.recovery import recover
from nurture.engine.sections import digests_in, first_to_go, had_sections, row_of
from nurture.engine.stops import StopList
from nurture.errors import NurtureError, OutsideError
from nurture.rendering.languages import reads
from nurture.store import alarm, planning, revisions, sections
from nurture.store.database import Connection, Database
from nurture.store.planning import SentBy

log = logging.getLogger("nurture.sender")

WINDOW = 200
#: How long a message may be in the hand of a process that is not heard of any more.
LEASE = timedelta(minutes=5)
#: So long before its lease ends a window hands over nothing more: others may take the rest then.
LEASE_MARGIN = timedelta(minutes=1)
RENEW = timedelta(minutes=1)


L = TypeVar("L", bound=Letter)


class Carrier(Protocol):
    """A transport, as delivery/transport.py describes it."""

    def deliver(
        self,
        letters: Iterable[L],
        offer: Callable[[L], bool],
        heard: Callable[[L, Outcome], None],
    ) -> Iterator[tuple[L, Outcome | None]]: ...


class Aside(Protocol):
    """What else leaves by the same way: mail to our own people, see morning.py."""

    def due(self) -> bool: ...
    def work(self) -> int: ...
    def recover(self, *, everything: bool) -> None: ...


class Sender:
    """`plans`: whoever is due is decided and sent in one go; otherwise only what another process
    has decided and queued is sent, once it is decided again."""

    def __init__(
        self,
        database: Database,
        planner: Planner,
        clock: Clock,
        write: Writes,
        carrier: Carrier,
        journal: Journal | None = None,
        *,
        plans: bool = True,
    ) -> None:
        self.database = database
        self.planner = planner
        self.clock = clock
        self.write = write
        self.carrier = carrier
        self.journal = journal
        self.plans = plans
        self.aside: Aside | None = None
        self.limits = Limits(planner.config)
        self.outcomes = Outcomes(database, planner.config, clock, self.limits)
        self._kept: set[str | None] = set()  # digests of files that the database has

    def window(self) -> int:
        """Decide for one batch of candidates, and send what is due, at most one message to each.
        How many candidates were taken; 0: nobody is due.

        1. Lock candidates whose alarm has rung or who have queued mail, and plan them: whatever
           came in until now (an unsubscribe, a moved interview, another mail) is obeyed here.
        2. Mark what goes out as `sending`, durably: from here on it counts.
        3. Write and hand over, as fast as the transport takes it.
        4. Record what came of each, under this window's lease. Where the database is away just
           then, that is the first thing to do when it is back.
        """
        self.outcomes.record()
        try:
            lease = self._lease()
        except OutsideError:
            if self.plans:
                self.planner.tick()  # what need not be sent goes on
            raise
        now = self.clock.now()
        with self.database.write() as connection:
            ids = set(planning.with_mail(connection, WINDOW))
            if self.plans:
                ids.update(planning.rung(connection, now, WINDOW))
            planned = self.planner.plan_locked(connection, sorted(ids), now) if ids else {}
            chosen = self._paced(connection, planned.values(), now)
            if self.plans:
                self.planner.guard.ticked(connection, now)
            kept = self._mark(connection, chosen, lease, now) if chosen else set()
        self._kept |= kept
        if ids:
            log.info("planned", extra={"action": "planned", "candidates": len(ids)})
        if chosen:
            self._hand_over(chosen, lease, now)
            self.outcomes.record()
        return len(ids)

    def _paced(
        self, connection: Connection, planned: Iterable[Planned], now: datetime
    ) -> list[tuple[Message, Facts]]:
        """What goes now, the most necessary first; what limits keep back is asked for again when
        there is room for it."""
        found = [pair for each in planned if (pair := first_to_go(each))]
        found.sort(key=lambda pair: -self.planner.config.categories[pair[0].category].priority)
        domains = {message.id: domain_of(facts.candidate.email or "") for message, facts in found}
        again_at = self.limits.take(connection, domains, now) if found else {}
        for message, _ in found:
            at = again_at[message.id]
            if at is not None:
                planning.throttle(connection, message.id, domains[message.id], at)
                alarm.ring(connection, [message.candidate_id], at)
        return [pair for pair in found if again_at[pair[0].id] is None]

    def _mark(
        self,
        connection: Connection,
        chosen: Sequence[tuple[Message, Facts]],
        lease: str,
        now: datetime,
    ) -> set[str | None]:
        """Gives the revisions that the database has from here on.

        What is sent can be read for ever, also where the daemon could not keep it when it came
        into force: the database was away, or there is no daemon.
        """
        sent_by = {message.id: self._sent_by(message, facts) for message, facts in chosen}
        bundles = {
            message.id: self._rows(message, facts)
            for message, facts in chosen
            if message.sections or had_sections(message, facts)
        }
        missing = {*chain(*sent_by.values(), *digests_in(bundles))} - self._kept
        if missing:
            rows = [row for row in self.planner.library.revisions() if row.digest in missing]
            revisions.keep(connection, rows, now)
        planning.mark_sending(connection, sent_by, lease, now, now + LEASE)
        sections.carry(connection, bundles)
        return missing

    def _sent_by(self, one: Message | Section, facts: Facts) -> SentBy:
        """The revisions in force: `write` is about to take the same, in this same thread."""
        campaign = self.planner.library.campaigns.get(one.campaign)
        locale = reads(facts.candidate, self.planner.config)
        template, layout = self.planner.renderer().digests(one.template, locale)
        return SentBy(campaign.digest if campaign else None, template, layout)

    def _rows(self, message: Message, facts: Facts) -> list[dict[str, Any]]:
        """What it says, section by section."""
        parts: Sequence[Message | Section] = message.sections or (message,)
        return [row_of(part, self._sent_by(part, facts)) for part in parts]

    def _lease(self) -> str:
        try:
            return self.journal.lease() if self.journal else secrets.token_hex(8)
        except OSError as error:
            raise OutsideError(f"var/lanes cannot be written: {error.strerror}") from error

    def _hand_over(
        self, chosen: Sequence[tuple[Message, Facts]], lease: str, now: datetime
    ) -> None:
        """Never raises for one message: one that is past helping leaves no other in doubt."""
        handled = self.outcomes.begin(lease)
        window = _Window(self, chosen, lease, now)
        try:
            for letter, outcome in self.carrier.deliver(
                self._letters(chosen, window, handled), window.offer, window.heard
            ):
                handled.append(self._handled(letter, outcome or window.withheld(letter)))
                window.renew()
        except Exception as error:
            # A transport that breaks its word: what it was given may have left.
            log.exception("the transport failed", extra={"action": "lane-failed"})
            known = {each.message.id for each in handled}
            for message, _ in chosen:
                if message.id not in known:
                    text = type(error).__name__
                    offered = message.id in window.offered
                    lost = Unknown(text=text) if offered else Deferred(text=text)
                    handled.append(self._judged(message, lost))

    def _letters(
        self,
        chosen: Sequence[tuple[Message, Facts]],
        window: "_Window",
        handled: list[Handled],
    ) -> Iterator[Letter]:
        """Each as it is written, in its turn. One that cannot be is put off."""
        for message, facts in chosen:
            if window.over():  # a slow server: what is left goes with a new lease
                handled.append(self._judged(message, None))
                continue
            now = self.clock.now()
            try:
                letter = self.write(message, facts, now)
            except Exception as error:
                # Whose words may hold anything; ours never hold more than the names of facts.
                text = str(error) if isinstance(error, NurtureError) else type(error).__name__
                mend = Consequence(
                    state=MessageState.RETRYING,
                    reason=Reason.CANNOT_RENDER,
                    next_attempt_at=now + MEND_AFTER,
                    text=text,
                )
                handled.append(Handled(message, mend))
            else:
                if is_another(letter):
                    handled.append(Handled(message, held_again(message)))
                    continue
                yield letter

    def _handled(self, letter: Letter, outcome: Outcome | None) -> Handled:
        bundle = len(letter.message.sections) - len(letter.unsaid) > 1
        judged = self._judged(letter.message, outcome, bundle=bundle)
        return Handled(letter.message, judged.result, letter, outcome)

    def _judged(
        self, message: Message, outcome: Outcome | None, *, bundle: bool = False
    ) -> Handled:
        """What becomes of it; None: it was not offered to anybody."""
        if outcome is None:
            return Handled(message, Consequence(state=MessageState.QUEUED))
        result = consequence(
            outcome,
            message_id=message.message_id,
            attempts=message.attempts + 1,
            created_at=message.created_at,
            now=self.clock.now(),
            bundle=bundle,
            at_least_once=self._sent_twice_rather(message.category),
        )
        return Handled(message, result)

    def recover(self, *, everything: bool) -> int:
        """Deal with messages whose sender is gone. How many stay in doubt. `everything`: this
        process is the only one, so nobody else can be sending; otherwise only expired leases are
        looked at."""
        if self.aside is not None:
            self.aside.recover(everything=everything)
        return recover(
            self.database,
            self.outcomes,
            self.clock.now(),
            self.write,
            self.journal,
            self._sent_twice_rather,
            everything=everything,
        )

    def _sent_twice_rather(self, category: str) -> bool:
        """Whether the house would rather say it twice than not at all."""
        known = self.planner.config.categories.get(category)
        return known is not None and known.at_least_once


def until_idle(
    planner: Planner, sender: Sender, stopped: Callable[[], bool] = lambda: False
) -> None:
    """Plan and send until nothing is due. A window in hand is always finished."""
    busy = True
    while busy and not stopped():
        taken = sender.window()
        busy = bool(taken or (sender.plans and not stopped() and planner.chores()))
        if not busy and not stopped() and sender.aside is not None:
            busy = bool(sender.aside.work())


class _Window:
    """What is asked right before a message leaves, in whatever thread has it."""

    def __init__(
        self,
        sender: Sender,
        chosen: Sequence[tuple[Message, Facts]],
        lease: str,
        now: datetime,
    ) -> None:
        self._database = sender.database
        self._journal = sender.journal
        self._clock = sender.clock
        self._lease = lease
        self._renewed_at = now
        self._stops = StopList(sender.database, sender.clock, chosen)
        self._trouble: dict[int, str] = {}
        self.offered: set[int] = set()

    def over(self) -> bool:
        return self._clock.now() >= self._renewed_at + LEASE - LEASE_MARGIN

    def renew(self) -> None:
        """While outcomes come in, this process is at work: nobody need take over."""
        now = self._clock.now()
        if self._renewed_at + RENEW <= now and not self.over():
            with suppress(OutsideError), self._database.write() as connection:
                planning.renew(connection, self._lease, now + LEASE)
                self._renewed_at = now

    def offer(self, letter: Letter) -> bool:
        """Whether it may leave. From a yes on it may have been received."""
        message = letter.message
        if self.over() or self._stops.forbids(message):
            return False
        try:
            if self._journal is not None:
                self._journal.offer(self._lease, message.id)
        except OSError as error:  # a full disk: not now, because a crash could not be told apart
            self._trouble[message.id] = f"the journal cannot be written: {error.strerror}"
            return False
        self.offered.add(message.id)
        return True

    def heard(self, letter: Letter, outcome: Outcome) -> None:
        """What the server said outlives this process from here on: it is no doubt any more."""
        if self._journal is None or isinstance(outcome, Unknown):
            return
        accepted = isinstance(outcome, Accepted)
        with suppress(OSError):  # a full disk: then a crash leaves it in doubt
            self._journal.answered(self._lease, letter.message.id, accepted=accepted)

    def withheld(self, letter: Letter) -> Outcome | None:
        """Why it was not offered, where trying again at once would be of no use."""
        trouble = self._trouble.get(letter.message.id)
        return Deferred(text=trouble) if trouble is not None else None


class Nowhere:
    """A carrier that accepts everything and carries it nowhere: for simulations."""

    def deliver(
        self,
        letters: Iterable[L],
        offer: Callable[[L], bool],
        heard: Callable[[L, Outcome], None],
    ) -> Iterator[tuple[L, Outcome | None]]:
        for letter in letters:
            outcome = Accepted(text="simulated") if offer(letter) else None
            if outcome is not None:
                heard(letter, outcome)
            yield letter, outcome
