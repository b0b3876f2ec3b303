"""What does a delivery result mean: sent, again at T, never again, or not known?"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from nurture.core.model import (
    Accepted,
    Blame,
    Deferred,
    MessageState,
    Outcome,
    Reason,
    Rejected,
    Unknown,
)

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=4)
#: RFC 5321 4.5.4.1: give up after four to five days.
GIVE_UP_AFTER = timedelta(days=4)
#: And never after fewer attempts, a day and a half at least: a mail may be old before its first
#: one, because it waited for an approval.
ATTEMPTS_AT_LEAST = 12


class Halts(StrEnum):
    """What must not go on after a refusal that is about us and not about the candidate."""

    CAMPAIGN = "campaign"
    EVERYTHING = "everything"


#: Refusals that every mail of ours would get: who we are, how we log in, what our domain proves.
#: Gmail's 5.7.23-27, 29, 30, 32 and 40, Microsoft's 5.7.515; RFC 5248: 7.0, 7.8 and 7.9 are about
#: logging in, 1.7 and 1.8 about the address we write from.
_OURS = frozenset(
    {
        *("7.0", "7.8", "7.9", "7.515", "1.7", "1.8"),
        *(f"7.{number}" for number in (23, 24, 25, 26, 27, 29, 30, 32, 40)),
    }
)
_STATUS = re.compile(r"\b5\.(\d{1,3}\.\d{1,3})\b")


@dataclass(frozen=True, kw_only=True)
class Consequence:
    state: MessageState
    reason: Reason | None = None
    next_attempt_at: datetime | None = None
    suppress: str | None = None  #: why this address must not be tried again
    text: str = ""  #: what the other side said
    parts: bool = False  #: each section of the bundle goes again, by itself
    halts: Halts | None = None  #: what a person has to look at before more of it leaves


def consequence(
    outcome: Outcome,
    *,
    message_id: str,
    attempts: int,
    created_at: datetime,
    now: datetime,
    bundle: bool = False,
    at_least_once: bool = False,
) -> Consequence:
    """What becomes of a message. `attempts` counts this one.

    Where the content of a bundle is refused, one section may be to blame for all: they go again at
    once, each by itself.

    A refusal suppresses an address only where it blames the address; one that blames the sender or
    the content says nothing about the candidate. What is in doubt is never sent again by itself,
    but in a category that says `at_least_once`.
    """
    match outcome:
        case Accepted():
            return Consequence(state=MessageState.SENT, text=outcome.text)
        case Unknown() if not at_least_once:
            return Consequence(
                state=MessageState.UNKNOWN, reason=Reason.UNKNOWN_OUTCOME, text=outcome.text
            )
        case Deferred() | Unknown():
            return _again(outcome, message_id, attempts, created_at, now)
        case Rejected(blame=Blame.CONTENT) if bundle:
            return Consequence(
                state=MessageState.RETRYING,
                reason=Reason.REFUSED,
                next_attempt_at=now,
                text=outcome.text,
                parts=True,
            )
        case Rejected(blame=Blame.SENDER):
            # Nobody is to miss a mail for it: it goes again when a person has mended what is wrong.
            later = _again(outcome, message_id, attempts, created_at, now)
            return replace(later, reason=Reason.REFUSED, halts=_halted(outcome.text))
        case Rejected():
            return Consequence(
                state=MessageState.FAILED,
                reason=Reason.REFUSED,
                suppress=outcome.text if outcome.blame is Blame.ADDRESS else None,
                text=outcome.text,
                halts=Halts.CAMPAIGN if outcome.blame is Blame.CONTENT else None,
            )


def _again(
    outcome: Deferred | Rejected | Unknown,
    message_id: str,
    attempts: int,
    created_at: datetime,
    now: datetime,
) -> Consequence:
    """Later, or never, if it has been tried for days."""
    again_at = now + backoff(message_id, attempts)
    if again_at - created_at > GIVE_UP_AFTER and attempts >= ATTEMPTS_AT_LEAST:
        return Consequence(state=MessageState.FAILED, reason=Reason.REFUSED, text=outcome.text)
    return Consequence(
        state=MessageState.RETRYING,
        reason=Reason.RETRY,
        next_attempt_at=again_at,
        text=outcome.text,
    )


def _halted(text: str) -> Halts:
    found = _STATUS.search(text)
    return Halts.EVERYTHING if found and found[1] in _OURS else Halts.CAMPAIGN


def backoff(message_id: str, attempts: int) -> timedelta:
    """5, 10, 20 ... minutes up to 4 hours, each stretched by up to a quarter, by the message's id,
    so that what failed together does not come back together."""
    wait: timedelta = min(FIRST_RETRY * 2 ** min(attempts - 1, 10), LONGEST_RETRY)
    share = hashlib.sha256(f"{message_id} {attempts}".encode()).digest()[0] / 255
    return wait * (1 + share / 4)
