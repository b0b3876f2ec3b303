"""What becomes of messages whose sender is gone? What its journal shows, and no more than that."""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from nurture.core.model import Accepted, Facts, MessageState
from nurture.core.outcome import Consequence
from nurture.engine.journal import Fate, Journal
from nurture.engine.outcomes import Handled, Outcomes, Writes
from nurture.store import alarm, planning
from nurture.store.database import Database
from nurture.store.reading import load

log = logging.getLogger("nurture.sender")


def recover(
    database: Database,
    outcomes: Outcomes,
    now: datetime,
    write: Writes,
    journal: Journal | None,
    sent_twice_rather: Callable[[str], bool],
    *,
    everything: bool,
) -> int:
    """How many stay in doubt.

    What this machine's journal shows was never offered, or was refused, goes back to the queue;
    what it shows was accepted is sent. The rest becomes `unknown` and is never sent again by
    itself, but in categories of which the house says so. `everything`: also leases that have not
    ended; only where nobody else can be sending.
    """
    with database.write() as connection:
        seen = planning.lost(connection, now, everything=everything)
        alarm.lock(connection, {row.candidate_id for row in seen})
        # Again under the locks: their sender may have been slow, and not gone.
        left = planning.lost(connection, now, everything=everything)
        lost = [row for row in left if row in seen]
        told = {row.lease: _told(journal, row.lease) for row in lost}
        fates = {row.id: _fate(told[row.lease], row.id) for row in lost}
        sent = [row for row in lost if fates[row.id] is Fate.ACCEPTED]
        doubtful = [
            row.id
            for row in lost
            if fates[row.id] is Fate.OFFERED and not sent_twice_rather(row.category)
        ]
        settled = {*doubtful, *(row.id for row in sent)}
        again = [row.id for row in lost if row.id not in settled]
        fresh = [id_ for id_ in again if fates[id_] is Fate.NEVER_OFFERED]
        planning.back_to_queue(connection, fresh, offered=False)
        planning.back_to_queue(connection, [*{*again} - {*fresh}], offered=True)
        planning.put_in_doubt(connection, doubtful, now)
        alarm.ring(connection, {row.candidate_id for row in lost}, now)
        facts = load(connection, {row.candidate_id for row in sent})
    for lease in {row.lease for row in sent}:
        # Under the lease of the process that is gone: nobody else has them in hand.
        its = [row for row in sent if row.lease == lease]
        heard = [_accepted(facts[row.candidate_id], row.id, write, now) for row in its]
        outcomes.write([each for one in heard for each in one], lease)
    if journal is not None:
        if everything:
            journal.forget()
        else:
            journal.forget_old()
    if lost:
        numbers = {"sent": len(sent), "queued": len(again), "unknown": len(doubtful)}
        log.warning("recovered", extra={"action": "recovered", **numbers})
    return len(doubtful)


def _accepted(facts: Facts, id_: int, write: Writes, now: datetime) -> Iterator[Handled]:
    """What is to be written down of a message that left with a process that died then."""
    for message in facts.messages:
        if message.id == id_:
            try:
                letter = write(message, facts, now)
            except Exception:  # it was written once; what it promised is all that is missing
                log.exception("not written again", extra={"action": "recovered"})
                letter = None
            yield Handled(message, Consequence(state=MessageState.SENT), letter, Accepted())


def _told(journal: Journal | None, lease: str | None) -> Mapping[int, Fate] | None:
    return journal.fates(lease) if journal is not None and lease else None


def _fate(told: Mapping[int, Fate] | None, id_: int) -> Fate:
    """Where nothing is certain, it may have been offered."""
    return Fate.OFFERED if told is None else told.get(id_, Fate.NEVER_OFFERED)
