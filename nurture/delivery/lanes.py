"""How do several connections share the letters of one delivery?

Each lane has a connection and, for the length of a delivery, a thread. Letters wait in one line, a
few at most, and go to whichever lane is free; a lane takes the one behind it along while its server
still thinks about the first. Everything else happens in the caller's thread: drawing letters, and
giving outcomes back.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Generic

from nurture.core.model import Deferred, Outcome, Unknown
from nurture.delivery.connection import NotReady
from nurture.delivery.conversation import Conversation
from nurture.delivery.transport import L, unheard

log = logging.getLogger("nurture.delivery")

#: A lane is busy with two letters: one under way, and one whose envelope goes along with it.
_PER_LANE = 2
#: So many are in hand for each lane: with a few to spare, threads wake each other less often.
_ROOM = 4


class Lanes:
    """A transport over several conversations. One delivery at a time."""

    def __init__(self, conversations: Sequence[Conversation]) -> None:
        self._conversations = list(conversations)

    def deliver(
        self,
        letters: Iterable[L],
        offer: Callable[[L], bool],
        heard: Callable[[L, Outcome], None] = unheard,
    ) -> Iterator[tuple[L, Outcome | None]]:
        """See Transport. Where drawing raises, what was drawn before is given back first."""
        delivery: _Delivery[L] = _Delivery(offer, heard)
        room = _ROOM * len(self._conversations)
        source, broken = iter(letters), None
        drawn_all, in_hand = False, 0
        try:
            while True:
                while in_hand < room and not drawn_all:
                    try:
                        delivery.waiting.put(next(source))
                    except StopIteration:
                        drawn_all = True
                    except Exception as error:
                        drawn_all, broken = True, error
                    else:
                        in_hand += 1
                        self._staff(delivery, in_hand)
                if not in_hand:
                    break
                result = delivery.results.get()
                in_hand -= 1
                yield result
            if broken is not None:
                raise broken
        finally:
            delivery.end()

    def close(self) -> None:
        for conversation in self._conversations:
            conversation.leave()

    def _staff(self, delivery: "_Delivery[L]", in_hand: int) -> None:
        """Another lane when those at work have all they can hold: a connected one if there is."""
        if in_hand <= _PER_LANE * delivery.at_work:
            return
        idle = [each for each in self._conversations if each not in delivery.seen]
        if idle:
            delivery.start(min(idle, key=lambda each: (not each.connected, each.resting)))


class _Delivery(Generic[L]):
    """What the lanes of one delivery share."""

    def __init__(self, offer: Callable[[L], bool], heard: Callable[[L, Outcome], None]) -> None:
        self.offer = offer
        self.heard = heard
        self.waiting: SimpleQueue[L | None] = SimpleQueue()  #: None: go home
        self.results: SimpleQueue[tuple[L, Outcome | None]] = SimpleQueue()
        self.seen: list[Conversation] = []
        self.at_work = 0
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self, conversation: Conversation) -> None:
        self.seen.append(conversation)
        with self._lock:
            self.at_work += 1
        thread = threading.Thread(
            target=_work, args=(conversation, self), name="nurture-lane", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def may_go(self) -> bool:
        """Whether this lane can be spared: somebody must answer for the letters that wait."""
        with self._lock:
            if self.at_work == 1:
                return False
            self.at_work -= 1
            return True

    def end(self) -> None:
        """Nobody takes another letter; what is under way comes to its end."""
        while True:
            try:
                self.waiting.get_nowait()
            except Empty:
                break
        for _ in self._threads:
            self.waiting.put(None)
        for thread in self._threads:
            thread.join()


class _Tray(Generic[L]):
    """What one lane has in hand."""

    def __init__(self, delivery: _Delivery[L]) -> None:
        self._delivery = delivery
        self._taken: dict[int, L] = {}  #: by identity
        self._offered: L | None = None

    def next(self) -> L | None:
        letter = self._delivery.waiting.get()
        if letter is not None:
            self._taken[id(letter)] = letter
        return letter

    def following(self) -> L | None:
        try:
            letter = self._delivery.waiting.get_nowait()
        except Empty:
            return None
        if letter is None:
            self._delivery.waiting.put(None)  # for a lane that waits, this one too
        else:
            self._taken[id(letter)] = letter
        return letter

    def offer(self, letter: L) -> bool:
        may = self._delivery.offer(letter)
        self._offered = letter if may else None
        return may

    def done(self, letter: L, outcome: Outcome | None) -> None:
        del self._taken[id(letter)]
        if outcome is not None:
            self._delivery.heard(letter, outcome)
        self._delivery.results.put((letter, outcome))

    def back(self, letter: L) -> None:
        del self._taken[id(letter)]
        self._delivery.waiting.put(letter)

    def give_up(self, error: Exception) -> None:
        """Something that nobody expected: no letter is left without an answer."""
        for letter in list(self._taken.values()):
            text = f"an error in handing it over: {type(error).__name__}"
            offered = letter is self._offered
            self.done(letter, Unknown(text=text) if offered else Deferred(text=text))


def _work(conversation: Conversation, delivery: _Delivery[L]) -> None:
    """A lane's thread: letter after letter until there are no more."""
    tray = _Tray(delivery)
    while (letter := tray.next()) is not None:
        try:
            conversation.carry(letter, tray)
        except NotReady as error:
            # Another lane may have a connection: a server that takes only so many is no reason to
            # put a letter off. The last one left answers for it.
            if delivery.may_go():
                tray.back(letter)
                return
            tray.done(letter, Deferred(text=str(error), code=error.code))
        except Exception as error:
            log.exception("a lane failed", extra={"action": "lane-failed"})
            conversation.hang_up()
            tray.give_up(error)
