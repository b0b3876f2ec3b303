"""What may not reach this candidate at all, whatever the hour?"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from nurture.core.model import Category, MessageClass, Pace, Reason, Step
from nurture.core.verdicts import Recipient


class Barred(NamedTuple):
    reason: Reason
    detail: Mapping[str, Any]


def barred(step: Step, category: Category, recipient: Recipient) -> Barred | None:
    """Why no mail of this step may reach them, or None."""
    candidate = recipient.candidate
    if candidate.do_not_contact:
        return Barred(Reason.DO_NOT_CONTACT, {})
    if candidate.email is None or candidate.suppressed is not None:
        return Barred(Reason.UNDELIVERABLE, {})
    if category.klass is MessageClass.NURTURE:
        if candidate.unsubscribed & {"all", category.name, step.topic or category.name}:
            return Barred(Reason.UNSUBSCRIBED, {})
        if new_only(step, category) and (former := recipient.story.received.get(step.send or "")):
            detail = {"campaign": former.campaign, "at": former.at.isoformat()}
            known = {key: value for key, value in detail.items() if value is not None}
            return Barred(Reason.ALREADY_SENT, known)
        if candidate.wishes.phone_first:
            return Barred(Reason.PHONE_FIRST, {})
    if category.capped and candidate.wishes.pace is Pace.ONLY_WHAT_MATTERS:
        return Barred(Reason.PACE, {"pace": Pace.ONLY_WHAT_MATTERS.value})
    return None


def new_only(step: Step, category: Category) -> bool:
    """Whether nobody is to read its text twice: what repeats, or asks again, is meant to."""
    if step.content:  # it says something new each time, or nothing: see content.py
        return False
    return category.klass is MessageClass.NURTURE and step.repeat is None and not category.follow_up
