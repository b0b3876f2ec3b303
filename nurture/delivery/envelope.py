"""What is said before a message's content, and may these bytes be said at all?

Nothing but an address reaches the conversation, and nothing but whole lines: a bare CR or LF within
the content could be read as its end by the next server on the way (SMTP smuggling), so such a
message is refused here rather than repaired.
"""

import io
import re
from functools import lru_cache
from typing import Generic, NamedTuple

from nurture.core.lines import Lines
from nurture.core.model import Blame, Rejected
from nurture.delivery.connection import Offers
from nurture.delivery.replies import Stage
from nurture.delivery.transport import L

#: No space, no < or >, no control; the domain in ASCII. RFC 5321 4.5.3.1: 64 and 254 octets.
_ADDRESS = re.compile(r"([!-;=?-~\u00a1-\ud7ff\ue000-\U0010ffff]+)@([!-;=?-~]+)")
_LOCAL_MAX, _ADDRESS_MAX = 64, 254
#: Found three times as fast as by `in`; every message pays for it.
_LINE_WITH_A_DOT = re.compile(rb"\r\n\.")


class Command(NamedTuple):
    words: bytes
    wanted: frozenset[int]
    stage: Stage


class Parcel(NamedTuple, Generic[L]):
    """A letter as one server takes it."""

    letter: L
    commands: tuple[Command, ...]
    content: bytes  #: without its end
    end: bytes  #: the final dot, on a line of its own

    def envelope(self) -> bytes:
        """All commands, for a server that takes them together."""
        return b"".join([command.words for command in self.commands])


class Unfit(Exception):  # noqa: N818 - never leaves this room
    """This letter cannot be said to this server."""

    def __init__(self, outcome: Rejected) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome


_OK, _TAKEN, _GO_ON = frozenset({250}), frozenset({250, 251, 252}), frozenset({354})
_RESET = Command(b"RSET\r\n", _OK, Stage.SENDER)
_DATA = Command(b"DATA\r\n", _GO_ON, Stage.CONTENT)


def check(letter: L) -> None:
    """Raises Unfit for what no server could take."""
    for address, blame in ((letter.to, Blame.ADDRESS), (letter.sender, Blame.SENDER)):
        if not _can_be_carried(address):
            raise Unfit(Rejected(text="not an address that SMTP can carry", blame=blame))


@lru_cache(maxsize=1024)  # most letters have the same sender, and each is asked about twice
def _can_be_carried(address: str) -> bool:
    found = _ADDRESS.fullmatch(address)
    return (
        found is not None
        and len(found[1].encode()) <= _LOCAL_MAX
        and len(address.encode()) <= _ADDRESS_MAX
    )


def parcel(letter: L, offers: Offers, *, reset: bool = False) -> Parcel[L]:
    """The commands and the content for a server that `offers` this. `reset`: it may still have
    half of another envelope. Raises Unfit.

    A server without SMTPUTF8 (RFC 6531) cannot carry an address with more than ASCII before the @.
    That says nothing about the address, so nobody is suppressed for it: another server may do it.
    """
    check(letter)
    content = _content(letter.raw)
    if offers.size_max is not None and len(letter.raw) > offers.size_max:
        text = f"{len(letter.raw)} bytes, and the server takes no more than {offers.size_max}"
        raise Unfit(Rejected(text=text, blame=Blame.CONTENT))
    beyond_ascii = not (letter.to.isascii() and letter.sender.isascii())
    if beyond_ascii and not offers.utf8:
        text = "the address is not in ASCII, and the mail server carries no such (no SMTPUTF8)"
        raise Unfit(Rejected(text=text, blame=Blame.SERVER))
    parameters = " SMTPUTF8" if beyond_ascii else ""
    if not letter.raw.isascii():
        if not offers.eight_bit:
            text = "its bytes are not all ASCII, and the server takes no other (no 8BITMIME)"
            raise Unfit(Rejected(text=text, blame=Blame.CONTENT))
        parameters += " BODY=8BITMIME"
    mail = f"MAIL FROM:<{letter.sender}>{parameters}\r\n".encode()
    recipient = f"RCPT TO:<{letter.to}>\r\n".encode()
    commands = (
        *((_RESET,) if reset else ()),
        Command(mail, _OK, Stage.SENDER),
        Command(recipient, _TAKEN, Stage.RECIPIENT),
        _DATA,
    )
    end = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
    return Parcel(letter, commands, content, end)


def _content(raw: bytes) -> bytes:
    """What follows a 354: dots at the beginning of lines doubled (RFC 5321 4.5.2)."""
    if isinstance(raw, Lines):
        return raw
    seen = io.IncrementalNewlineDecoder(None, translate=False)
    seen.decode(raw.decode("latin-1"), final=True)  # one pass in C over all line ends
    if seen.newlines != "\r\n":
        text = "its bytes hold a bare CR or LF, or no line at all: nothing was sent"
        raise Unfit(Rejected(text=text, blame=Blame.CONTENT))
    if _LINE_WITH_A_DOT.search(raw):
        raw = raw.replace(b"\r\n.", b"\r\n..")
    return b"." + raw if raw.startswith(b".") else raw
