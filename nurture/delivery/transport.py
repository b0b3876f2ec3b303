"""What is handing a message over, whoever takes it?"""

from collections.abc import Iterable
from typing import Protocol

from nurture.core.model import Outcome


class Transport(Protocol):
    """Takes one message at a time. Not for several threads at once: one a lane."""

    def hand_over(self, envelope_from: str, to: str, raw: bytes, message_id: str) -> Outcome:
        """Offer `raw` (RFC 5322, CRLF) to one recipient.

        Never raises for what goes wrong on the way: that is the outcome.
        """

    def close(self) -> None:
        """Let go of connections. The transport can be used again."""


class Rehearsal:
    """Real delivery for a few, the outbox for everybody else: `deliver_only_to`."""

    def __init__(self, inner: Transport, outbox: Transport, only_to: Iterable[str]) -> None:
        self._inner = inner
        self._outbox = outbox
        self._only_to = frozenset(address.strip().lower() for address in only_to)

    def hand_over(self, envelope_from: str, to: str, raw: bytes, message_id: str) -> Outcome:
        named = to.strip().lower() in self._only_to
        taker = self._inner if named else self._outbox
        return taker.hand_over(envelope_from, to, raw, message_id)

    def close(self) -> None:
        self._inner.close()
        self._outbox.close()
