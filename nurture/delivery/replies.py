"""What does a mail server's refusal mean, and whom is it about?

The enhanced status code (RFC 3463) decides where there is one. A candidate's address is given up
only for the codes that say the address is dead; everything about policy, reputation or our own
authentication is about the sender, so that a blocked domain never empties the list of candidates.
"""

import re
from enum import Enum

from nurture.core.model import Blame, Deferred, Outcome, Rejected


class Stage(Enum):
    """How far the conversation had come."""

    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    CONTENT = "DATA"


_DEAD_ADDRESS = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "4.4"})
# 1.7 and 1.8: bad sender address; 4.5: Gmail's and Microsoft's sending limits
_ABOUT_SENDER = frozenset({"1.7", "1.8", "4.5"})
_MAILBOX_FULL = "2.2"
# 6.7 to 6.9: an address or a header beyond ASCII, which this server does not carry (RFC 6531)
_NOT_CARRIED = frozenset({"6.7", "6.8", "6.9", "6.10"})
_ENHANCED = re.compile(r"\b[245]\.(\d{1,3}\.\d{1,3})\b")
_POLICY_WORDS = re.compile(
    r"spam|block|black.?list|polic|reputation|spf|dkim|dmarc|authenticat|relay|denied|banned"
    r"|\[TSS\d+\]|listed",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s<>\"';:,()\[\]]+@[^\s<>\"';:,()\[\]]+")
_SHOWN_MAX = 300


def refusal(code: int, reply: str, stage: Stage) -> Outcome:
    """The outcome of a 4xx or 5xx reply. What is said before the recipient is known is about our
    relay, and slows no domain."""
    found = _ENHANCED.search(reply[:400])
    detail = found[1] if found else ""
    text = shown(code, reply)
    if code < 500:
        limits = code == 421 or detail.startswith("7.")
        whole_domain = limits and stage is not Stage.SENDER
        return Deferred(code=code, text=text, domain=whole_domain)
    if detail == _MAILBOX_FULL:
        return Deferred(code=code, text=text)  # "5.2.2" all the same: mailboxes are emptied again
    return Rejected(code=code, text=text, blame=_blame(code, detail, reply, stage))


def shown(code: int | None, reply: str) -> str:
    """The server's words on one line, without anybody's address."""
    text = _ADDRESS.sub("<address>", " ".join(reply.split()))
    text = text.replace("<<address>>", "<address>")
    return f"{code} {text}".strip()[:_SHOWN_MAX] if code else text[:_SHOWN_MAX]


def _blame(code: int, detail: str, reply: str, stage: Stage) -> Blame:
    if detail in _DEAD_ADDRESS and stage is not Stage.SENDER:
        return Blame.ADDRESS
    if detail in _NOT_CARRIED:
        return Blame.SERVER
    if detail.startswith("7.") or detail in _ABOUT_SENDER or stage is Stage.SENDER:
        return Blame.SENDER
    if stage is Stage.RECIPIENT and detail in ("", "0.0", "1.0"):
        # Without a telling code, and before any content: RFC 5321 section 4.2.3 says that 550, 551
        # and 553 are about the mailbox; the words tell when it is policy after all.
        if _POLICY_WORDS.search(reply) or code not in (550, 551, 553):
            return Blame.SENDER
        return Blame.ADDRESS
    return Blame.CONTENT
