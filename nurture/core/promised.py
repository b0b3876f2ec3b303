"""What is owed to this candidate: which promises are kept, how many dates were missed, and which is
the next date they know?"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time

from nurture.core.model import Category, Contact, Facts, Promise, Subject
from nurture.core.subject import (
    TELLING,
    application_of,
    interview_of,
    news_at,
    parts_about,
    reached,
    to_be_told,
)

#: In `kept_by`, beside categories and templates of mail: any word of a colleague.
BY_CONTACT = "contact"
_OPEN = "open"
#: When a promise is due on its day, in the candidate's zone: late enough to be kept on that day,
#: and early enough to say something if it is not.
BY = time(15)


def with_kept(facts: Facts, categories: Mapping[str, Category]) -> Facts:
    """The same facts, with each open promise kept that a contact since it was made keeps: a mail
    of the promised kind that arrived, or a colleague's word that is logged as keeping it. One that
    names nothing is kept by being told of a decision. A holding note keeps none."""
    promises = dict(facts.promises)
    for ref, promise in facts.promises.items():
        if promise.status == _OPEN and (at := _kept_at(promise, facts, categories)) is not None:
            promises[ref] = replace(promise, status="kept", settled_at=at)
    return facts if promises == facts.promises else replace(facts, promises=promises)


def _kept_at(promise: Promise, facts: Facts, categories: Mapping[str, Category]) -> datetime | None:
    instants = [each.at for each in facts.contacts if _keeps(each, promise, categories)]
    application = facts.applications.get(promise.application or "")
    if not promise.kept_by and application is not None and not instants:
        # Word of a colleague tells a decision once there is one.
        decided = application.status in ("rejected", "closed")
        if decided and not to_be_told(facts, application):
            instants = [
                each.at
                for each in facts.contacts
                if each.human and each.at > promise.made_at and reached(each)
            ]
    return min(instants, default=None)


def _keeps(contact: Contact, promise: Promise, categories: Mapping[str, Category]) -> bool:
    if contact.at <= promise.made_at or not reached(contact):
        return False
    if contact.keeps is not None:
        return contact.keeps == promise.ref
    kinds = set(promise.kept_by or TELLING)
    for part in parts_about(contact, promise.application):
        category = categories.get(part.category or "")
        if contact.human and BY_CONTACT in kinds:
            return True
        if category and not category.holding and {category.name, part.template} & kinds:
            return True
    return False


def missed(promise: Promise) -> bool:
    """Whether its date passed before it was settled, and another was given instead."""
    return (
        promise.replaced_by is not None
        and promise.due_at is not None
        and promise.settled_at is not None
        and promise.settled_at >= promise.due_at
    )


def slips(promise: Promise, facts: Facts) -> int:
    """How many dates of the same promise were missed before this one, since there last were
    news."""
    since = news_at(facts, Subject(application=promise.application))
    return sum(
        missed(each)
        and each.what == promise.what
        and each.application == promise.application
        and each.made_at < promise.made_at
        and (since is None or each.settled_at is None or each.settled_at > since)
        for each in facts.promises.values()
    )


def notes_in_a_row(facts: Facts, subject: Subject, categories: Mapping[str, Category]) -> int:
    """How many holding notes they had for this application since there last were news."""
    application = application_of(facts, subject)
    if application is None:
        return 0
    since = news_at(facts, subject)
    holding = {name for name, each in categories.items() if each.holding}
    return sum(
        reached(each)
        and any(part.category in holding for part in parts_about(each, application.ref))
        and (since is None or each.at > since)
        for each in facts.contacts
    )


def next_date(facts: Facts, subject: Subject, now: datetime) -> datetime | None:
    """The next date that this candidate knows for the application: of an interview, or the
    earliest by which something is promised."""
    application = application_of(facts, subject)
    if application is None:
        return None
    dates = [
        each.due_at
        for each in facts.promises.values()
        if each.status == _OPEN and each.application == application.ref and each.due_at is not None
    ]
    interview, _ = interview_of(facts, Subject(application=application.ref), now)
    if interview is not None and interview.status == "scheduled" and interview.starts_at:
        dates.append(interview.starts_at)
    return min((at for at in dates if at > now), default=None)
