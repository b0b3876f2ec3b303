"""How does mail leave a process here? Several lanes at once, answers out of order, a full disk."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nurture.core.model import Deferred, Outcome, Unknown
from nurture.engine.journal import Journal
from nurture.engine.outcomes import Letter

if TYPE_CHECKING:
    from tests.sim.machine import Process


@dataclass(eq=False)
class InHand:
    """A letter that a lane has drawn."""

    letter: Letter
    #: The point of the log at which it was offered, and when.
    offered: tuple[int, datetime] | None = None


class Lanes:
    """A transport. It holds a few letters, asks `offer` when their turn comes, which may be late,
    and answers in any order."""

    def __init__(self, process: "Process") -> None:
        self.process = process

    def deliver(
        self,
        letters: Iterable[Letter],
        offer: Callable[[Letter], bool],
        heard: Callable[[Letter, Outcome], None],
    ) -> Iterator[tuple[Letter, Outcome | None]]:
        machine = self.process.machine
        waiting = iter(letters)
        held: list[InHand] = []
        while True:
            while len(held) < machine.scenario.lanes and (one := next(waiting, None)) is not None:
                held.append(InHand(one))
                machine.faults.passes("drawn")
            if not held:
                return
            each = machine.rng.choice(held)
            if each.offered is None:
                if machine.faults.meets("no-room"):  # refused with its envelope: never offered
                    held.remove(each)
                    answer: Outcome = Deferred(code=452, text="452 no room for that")
                    heard(each.letter, answer)
                    yield each.letter, answer
                elif offer(each.letter):
                    each.offered = (len(machine.log), machine.clock.now())
                else:
                    held.remove(each)
                    yield each.letter, None
                continue
            held.remove(each)
            try:
                answer = machine.receive(self.process, each)
            except Exception as error:  # whatever breaks is in doubt
                answer = Unknown(text=type(error).__name__)
            heard(each.letter, answer)
            yield each.letter, answer


class SimJournal(Journal):
    """Beside the real one: a process may die around each line, and the disk may be full. Knows what
    may be in doubt if its process dies now."""

    def __init__(self, process: "Process", folder: Path) -> None:
        super().__init__(folder, f"boot{process.machine.boots}")
        self.process = process
        self.faults = process.machine.faults
        self.in_the_air: set[int] = set()

    def lease(self) -> str:
        if self.faults.meets("full"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().lease()

    def offer(self, lease: str, message_id: int) -> None:
        self.faults.passes("before line")
        self._room_for(lease)
        super().offer(lease, message_id)
        self.in_the_air.add(message_id)
        self.faults.passes("after line")

    def answered(self, lease: str, message_id: int, *, accepted: bool) -> None:
        self.faults.passes("before answer")
        self._room_for(lease)
        super().answered(lease, message_id, accepted=accepted)
        self.in_the_air.discard(message_id)
        self.faults.passes("after answer")

    def _room_for(self, lease: str) -> None:
        """Where there is none, the beginning of a line may be written."""
        if self.faults.meets("full"):
            cut = self.process.machine.rng.randrange(len(lease))
            os.write(self._open(), f"\n{lease}"[:cut].encode())
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
