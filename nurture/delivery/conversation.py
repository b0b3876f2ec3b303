"""What is said over one connection, message after message, and what does each answer mean?

Nothing has happened to a letter until its content is offered: every failure before that is "not
now", and on a connection that had been in use not even that, because servers close without a word
after so many messages (Yahoo does). Once its final dot has been given to the network, silence means
that nobody knows.

Where the server takes commands together (PIPELINING, RFC 2920) a message costs one round trip: its
content, its final dot and the envelope of the next letter leave in one write; then the answers to
all of these are read. DATA ends such a group, because what comes next depends on its answer.
"""

from collections.abc import Callable
from time import monotonic
from typing import Protocol

from nurture.core.model import Accepted, Deferred, Outcome, Unknown
from nurture.delivery.connection import Connection, Lost, NotReady, Patience
from nurture.delivery.envelope import Parcel, Unfit, check, parcel
from nurture.delivery.replies import Stage, refusal, shown
from nurture.delivery.transport import L

#: After a server could not be reached nobody knocks again for so long.
REST_SECONDS = 30.0
#: Why it would take no more of a message, a server says at once or not at all.
_PARTING_SECONDS = 1.0


class Tray(Protocol[L]):
    """Where letters come from and outcomes go. Each letter is answered for once."""

    def following(self) -> L | None:
        """Another letter, if one is there already."""

    def offer(self, letter: L) -> bool:
        """Whether it may go, now that its content is to leave."""

    def done(self, letter: L, outcome: Outcome | None) -> None: ...

    def back(self, letter: L) -> None:
        """It was not offered: somebody else, or this lane on another connection."""


class Conversation:
    """One connection at a time, opened when it is needed and kept for what comes next."""

    def __init__(
        self, connect: Callable[[], Connection], messages_max: int, patience: Patience
    ) -> None:
        self._connect = connect
        self._messages_max = messages_max
        self._patience = patience
        self._connection: Connection | None = None
        self._used = 0  #: messages over this connection
        self._open = False  #: whether the server may have half of an envelope
        self._rests_until = 0.0  #: on the stopwatch
        self._why: tuple[str, int | None] = ("", None)

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def resting(self) -> bool:
        """Whether its server could not be reached just now."""
        return monotonic() < self._rests_until

    def carry(self, letter: L, tray: Tray[L]) -> None:
        """This letter, and what follows it without a pause. Raises NotReady, with nothing done."""
        current = self._announce(letter, tray)
        while current is not None:
            if not tray.offer(current.letter):
                self._drop()  # the server waits for content: nothing else says that none comes
                tray.done(current.letter, None)
                return
            following = self._following(tray)
            tray.done(current.letter, self._hand_over(current, following))
            current = self._answered(following, tray) if following is not None else None

    def hang_up(self) -> None:
        """Without a word: for when nobody knows what the server waits for."""
        self._drop()

    def leave(self) -> None:
        """QUIT; the next letter opens a new connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.leave()

    # --- before the content ----------------------------------------------------------------------

    def _announce(self, letter: L, tray: Tray[L]) -> Parcel[L] | None:
        """Say the envelope, and hear that the server waits for the content. None: it is settled."""
        while True:
            kept = self._connection is not None
            try:
                check(letter)
                connection = self._ready()
                ready = parcel(letter, connection.offers, reset=self._open)
                if connection.offers.pipelining:
                    connection.write(ready.envelope())
                refused = self._envelope(connection, ready)
            except Unfit as unfit:
                refused = unfit.outcome
            except Lost as gone:
                self._drop()
                if kept:
                    continue  # a new connection, without penalty
                refused = Deferred(text=str(gone))
            if refused is None:
                return ready
            tray.done(letter, refused)
            return None

    def _envelope(self, connection: Connection, ready: Parcel[L]) -> Outcome | None:
        """Hear the answer to each command, having said it now or before. None: go on.

        Raises Lost, also where the server hangs up before it has heard for whom the letter is.
        """
        self._open = True
        refused: Outcome | None = None
        code = 0
        for command in ready.commands:
            if not connection.offers.pipelining:
                connection.write(command.words)
            code, words = connection.reply(self._patience.command)
            if code in command.wanted or refused is not None:
                continue
            if command.stage is Stage.SENDER and code == 421:
                raise Lost(_said(code, words))
            refused = _refused(code, words, command.stage)
            if code < 400 or code == 421:  # it hangs up, or speaks of something else
                self._drop()
                return refused
            if not connection.offers.pipelining:
                return refused
        if refused is not None and code == 354:
            self._say_nothing(connection)
        return refused

    def _say_nothing(self, connection: Connection) -> None:
        """To a server that waits for content though it refused everybody who would receive it
        (RFC 2920 3.1)."""
        try:
            connection.write(b".\r\n")
            connection.reply(self._patience.content)
        except Lost:
            self._drop()

    def _following(self, tray: Tray[L]) -> Parcel[L] | None:
        """The letter whose envelope goes out with the content of this one."""
        connection = self._connection
        last = self._used + 1 >= self._messages_max
        if connection is None or last or not connection.offers.pipelining:
            return None
        while (letter := tray.following()) is not None:
            try:
                return parcel(letter, connection.offers)
            except Unfit as unfit:
                tray.done(letter, unfit.outcome)
        return None

    def _answered(self, ready: Parcel[L], tray: Tray[L]) -> Parcel[L] | None:
        """Hear the answers to an envelope that left with the content before it."""
        if self._connection is not None:
            try:
                refused = self._envelope(self._connection, ready)
            except Lost:
                self._drop()
            else:
                if refused is None:
                    return ready
                tray.done(ready.letter, refused)
                return None
        tray.back(ready.letter)
        return None

    # --- the content -----------------------------------------------------------------------------

    def _hand_over(self, ready: Parcel[L], following: Parcel[L] | None) -> Outcome:
        connection = self._connection
        assert connection is not None  # noqa: S101 - it has just answered
        envelope = following.envelope() if following is not None else b""
        try:
            connection.write(b"".join((ready.content, ready.end, envelope)))
        except Lost as gone:
            if gone.written < len(ready.content) + len(ready.end):
                return self._cut_short(connection, gone)
        try:
            code, words = connection.reply(self._patience.content)
        except Lost as gone:
            self._drop()
            return Unknown(text=str(gone))
        self._used += 1
        self._open = following is not None
        if code == 250:
            return Accepted(text=_said(None, words))
        if code < 400 or code == 421:
            self._drop()
        if code < 400:
            return Unknown(text=f"an answer that means nothing here: {_said(code, words)}")
        return _refused(code, words, Stage.CONTENT)

    def _cut_short(self, connection: Connection, gone: Lost) -> Outcome:
        """The final dot never left, so the server has not taken the message (RFC 5321 4.1.1.4).
        Perhaps it said why."""
        try:
            code, words = connection.reply(_PARTING_SECONDS)
            return _refused(code, words, Stage.CONTENT)
        except Lost:
            return Deferred(text=f"{gone}, in the middle of the message")
        finally:
            self._drop()

    # --- the connection --------------------------------------------------------------------------

    def _ready(self) -> Connection:
        """The kept connection, or a new one. Raises NotReady."""
        if self._used >= self._messages_max:
            self.leave()
        if self._connection is None:
            if self.resting:
                raise NotReady(*self._why)
            try:
                self._connection = self._connect()
            except NotReady as error:
                self._rests_until = monotonic() + REST_SECONDS
                self._why = (str(error), error.code)
                raise
            self._used, self._open = 0, False
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _refused(code: int, words: bytes, stage: Stage) -> Outcome:
    if code < 400 or code > 599:
        return Deferred(text=f"unexpected answer: {_said(code, words)}", code=code)
    return refusal(code, words.decode("utf-8", "replace"), stage)


def _said(code: int | None, words: bytes) -> str:
    return shown(code, words.decode("utf-8", "replace"))
