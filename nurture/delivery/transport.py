"""What is handing messages over, whoever takes them?"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from nurture.core.model import Outcome


class Letter(Protocol):
    """A message ready to leave."""

    @property
    def sender(self) -> str:
        """Envelope: where bounces go."""

    @property
    def to(self) -> str:
        """Envelope: the one recipient."""

    @property
    def raw(self) -> bytes:
        """RFC 5322, every line ended by CRLF."""

    @property
    def message_id(self) -> str:
        """As in the header."""


L = TypeVar("L", bound=Letter)


def unheard(_letter: object, _outcome: Outcome) -> None:
    """For who learns of outcomes early enough when they are given back."""


class Transport(Protocol):
    def deliver(
        self,
        letters: Iterable[L],
        offer: Callable[[L], bool],
        heard: Callable[[L, Outcome], None] = unheard,
    ) -> Iterator[tuple[L, Outcome | None]]:
        """Offer each letter to its recipient; each comes back once, in any order, with its outcome.

        `letters` is drawn from in the caller's thread, whenever there is room for one more, so
        that writing a letter overlaps with carrying others; outcomes are given there too. `offer`
        is asked in any thread, right before the first byte of a letter's content leaves. Where it
        says no the letter does not go, and its outcome is None. `heard` is told, in any thread, as
        soon as an outcome is known: it may be a while until the caller comes to it. Nothing is
        raised for what goes wrong on the way: that is the outcome. What was not drawn when the
        iterator is closed was not offered.
        """

    def close(self) -> None:
        """Let go of connections. The transport can be used again."""


def one_by_one(
    letters: Iterable[L],
    offer: Callable[[L], bool],
    take: Callable[[L], Outcome],
    heard: Callable[[L, Outcome], None] = unheard,
) -> Iterator[tuple[L, Outcome | None]]:
    """`Transport.deliver` for who takes a letter at a time, and at once."""
    for letter in letters:
        outcome = take(letter) if offer(letter) else None
        if outcome is not None:
            heard(letter, outcome)
        yield letter, outcome


class Rehearsal:
    """Real delivery for a few, the outbox for everybody else: `deliver_only_to`."""

    def __init__(self, inner: Transport, outbox: Transport, only_to: Iterable[str]) -> None:
        self._inner = inner
        self._outbox = outbox
        self._only_to = frozenset(address.strip().lower() for address in only_to)

    def deliver(
        self,
        letters: Iterable[L],
        offer: Callable[[L], bool],
        heard: Callable[[L, Outcome], None] = unheard,
    ) -> Iterator[tuple[L, Outcome | None]]:
        """See Transport."""
        kept: list[tuple[L, Outcome | None]] = []

        def named() -> Iterator[L]:
            for letter in letters:
                if self._is_named(letter.to):
                    yield letter
                else:
                    kept.extend(self._outbox.deliver([letter], offer, heard))

        for result in self._inner.deliver(named(), offer, heard):
            while kept:
                yield kept.pop()
            yield result
        yield from kept

    def close(self) -> None:
        self._inner.close()
        self._outbox.close()

    def _is_named(self, address: str) -> bool:
        return address.strip().lower() in self._only_to
