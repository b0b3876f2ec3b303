"""What did a person decide about one step of one candidate? At once, later, or not at all.

Each is an event about one occurrence: what a moved interview plans anew, nobody has spoken about.
The last word on an occurrence counts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from nurture.core.model import Facts, Reason, Step

SKIPPED, HURRIED, SNOOZED = "step.skipped", "step.hurried", "step.snoozed"
TYPES = frozenset({SKIPPED, HURRIED, SNOOZED})

#: So long "at once" is meant. Whatever kept it back until then, the house's rules hold again.
AT_ONCE = timedelta(hours=24)
#: Anchor values closer than this are the same occasion, as for all that is settled.
_SAME_OCCASION = timedelta(minutes=30)


class ByHand(NamedTuple):
    """One person's word."""

    type: str
    by: str
    why: str
    said_at: datetime
    until: datetime  #: of a hurry or a snooze: until when it is in force

    @property
    def told(self) -> dict[str, Any]:
        """What a verdict keeps of it."""
        return {"by": self.by, "why": self.why} if self.why else {"by": self.by}


#: By step id: the occurrence that was meant, and the word, in the order in which they were given.
Words = Mapping[str, list[tuple[str, ByHand]]]


def words_on(facts: Facts, enrollment_id: int) -> Words:
    """What was said about the steps of this enrollment."""
    found: dict[str, list[tuple[str, ByHand]]] = {}
    for event in sorted(
        (each for each in (*facts.heard, *facts.events) if each.type in TYPES),
        key=lambda each: (each.received_at, each.id),
    ):
        step = event.data.get("step") or {}
        if event.historical or step.get("enrollment") != enrollment_id:
            continue
        until = event.received_at + AT_ONCE
        if event.type == SNOOZED:
            until = datetime.fromisoformat(event.data["until"])
        word = ByHand(
            type=event.type,
            by=event.data.get("by") or "somebody",
            why=event.data.get("reason") or "",
            said_at=event.received_at,
            until=until,
        )
        found.setdefault(step["id"], []).append((step["occurrence"], word))
    return found


def word_on(words: Words, step: Step, occurrence: str, now: datetime) -> ByHand | None:
    """The last word on this occurrence, also of before its step was renamed or its occasion moved a
    little; None: nobody said anything that is in force."""
    said = [*words.get(step.was or "", ()), *words.get(step.id, ())]
    about = [word for meant, word in said if _same(meant, occurrence)]
    if not about:
        return None
    last = max(reversed(about), key=lambda word: word.said_at)  # of one instant, the last told
    return last if last.type == SKIPPED or now < last.until else None


def reason_of(word: ByHand) -> Reason:
    return {SKIPPED: Reason.SKIPPED, HURRIED: Reason.ASKED_FOR, SNOOZED: Reason.SNOOZED}[word.type]


def _same(meant: str, occurrence: str) -> bool:
    if meant == occurrence:
        return True
    try:
        apart = datetime.fromisoformat(meant) - datetime.fromisoformat(occurrence)
    except (ValueError, TypeError):  # of a step that waits for the one above: a number
        return False
    return abs(apart) < _SAME_OCCASION
