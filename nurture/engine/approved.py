"""Is this the letter that somebody approved? Asked once, of the bytes that are about to leave.

What must differ from one writing to the next is the Date header, and nothing else is left out. What
a letter promises, what it says to calendars and which mails it names before it in its thread are
counted from the instant as of which it was shown (`approved_as_of`); all else is as of now. So a
fact, a template or a rule that changed since, and an hour that has passed since where a letter says
how many, is another letter.
"""

import hashlib

from nurture.core.model import Message, MessageState, Reason
from nurture.core.outcome import Consequence
from nurture.engine.outcomes import Letter


def digest_of(raw: bytes) -> str:
    """sha256 of a message's bytes without its Date header."""
    head, end, body = raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"date:")]
    return hashlib.sha256(b"".join((b"\r\n".join(lines), end, body))).hexdigest()


def is_another(letter: Letter) -> bool:
    """Whether somebody approved another letter than this."""
    approved = letter.message.approved_digest
    return approved is not None and approved != digest_of(letter.raw)


def held_again(message: Message) -> Consequence:
    """What becomes of it then: it waits for somebody to look at it once more."""
    by = message.approved_by or "somebody"
    text = f"changed since {by} approved it"
    return Consequence(state=MessageState.HELD, reason=Reason.APPROVAL, text=text)
