"""Which steps may never end in silence? Those at a ceiling: the end of the longest silence, or the
date of a promise.

A mail at a ceiling may be delayed. It ends as sent or as a person's task, and as nothing else but
by its author's own `if` and by a candidate who must not be contacted at all.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nurture.core.model import Category, Contact, Reason, Step, StepRecord, StepState, Verdict
from nurture.core.subject import parts_about

if TYPE_CHECKING:  # what a verdict is made of knows of journeys, and those of ceilings
    from nurture.core.verdicts import Item

_SILENCE = "application.silence_due"
ANCHORS = frozenset({_SILENCE, "promise.due"})
#: Skips that are somebody's will, or no end at all: what it hangs on has moved on.
_WILLED = frozenset(
    {
        Reason.CONDITION,
        Reason.DO_NOT_CONTACT,
        Reason.LEFT,
        Reason.MOVED,
        Reason.NOT_CHOSEN,
        Reason.STEP_REMOVED,
    }
)


def at_ceiling(step: Step) -> bool:
    """Whether this step hangs on a ceiling."""
    return step.at is not None and step.at.anchor in ANCHORS


def ends_silence(step: Step) -> bool:
    """Whether this mail is there to end a silence, as any other word from us would."""
    return step.send is not None and watches_silence(step)


def watches_silence(step: Step) -> bool:
    """Whether it hangs on the end of a silence. As long as that lasts nobody has said a word, and
    what its `if` says of a date may yet change: it is not settled before."""
    return step.at is not None and step.at.anchor == _SILENCE


def heard_within(
    length: timedelta,
    before: datetime,
    contacts: Iterable[Contact],
    application: str | None,
    categories: Mapping[str, Category],
) -> bool:
    """Whether something was said about this application so shortly before that instant."""
    counting = {name for name, each in categories.items() if each.counts_as_contact}
    return any(
        before - length < each.at <= before
        and any(each.human or part.category in counting for part in parts_about(each, application))
        for each in contacts
    )


def says_nothing_new(step: Step, categories: Mapping[str, Category]) -> bool:
    """Whether it is a holding note, which would be a lie to somebody who is decided on."""
    category = categories.get(step.category or "")
    return step.send is not None and (at_ceiling(step) or (category and category.holding) is True)


def never_skipped(item: "Item", now: datetime) -> "Item":
    """The verdict of a mail at a ceiling: what would be dropped becomes a person's task."""
    if item.step.send is None or not at_ceiling(item.step):
        return item
    dropped = item.final and item.verdict is Verdict.SKIP and item.reason not in _WILLED
    due = item.moment_at is not None and item.moment_at <= now
    closed = due and item.verdict is Verdict.WAIT and item.reason is Reason.NO_OPEN_HOURS
    if not (dropped or closed):
        return item
    return item._replace(verdict=Verdict.TASK, at=now, final=True)


def fell_short(step: Step, record: StepRecord, contacts: Iterable[Contact]) -> Reason | None:
    """Why a mail at a ceiling that is settled has reached nobody: it was refused, it bounced, or
    nobody knows. None: it arrived, or a person has it already."""
    if step.send is None or not at_ceiling(step):
        return None
    if record.state is StepState.FAILED:
        return Reason.REFUSED
    if record.state is not StepState.SENT:
        return None
    lost = any(
        each.at == record.settled_at
        and not each.arrived
        and any(part.step == step.id for part in each.sections or (each,))
        for each in contacts
    )
    return Reason.UNKNOWN_OUTCOME if lost else None
