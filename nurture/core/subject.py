"""Which of a person's objects is meant, and when did they last hear from us?"""

from collections.abc import Mapping
from datetime import UTC, datetime

from nurture.core.model import (
    Application,
    Category,
    Contact,
    Facts,
    Interview,
    Offer,
    Promise,
    Subject,
)

_NEVER = datetime.min.replace(tzinfo=UTC)


def application_of(facts: Facts, subject: Subject) -> Application | None:
    """The application an enrollment is about.

    One about the candidate alone has an application only while exactly one of theirs is active: a
    guess could name the wrong job.
    """
    ref = subject.application
    if ref is None and subject.interview is not None:
        interview = facts.interviews.get(subject.interview)
        ref = interview.application if interview else None
    if ref is None and subject.offer is not None:
        offer = facts.offers.get(subject.offer)
        ref = offer.application if offer else None
    if ref is None and subject.promise is not None:
        promise = facts.promises.get(subject.promise)
        ref = promise.application if promise else None
    if ref is not None:
        return facts.applications.get(ref)
    if subject.interview or subject.offer or subject.promise:
        return None
    active = [each for each in facts.applications.values() if each.status == "active"]
    return active[0] if len(active) == 1 else None


def interview_of(
    facts: Facts, subject: Subject, now: datetime
) -> tuple[Interview | None, datetime | None]:
    """The enrollment's own interview; else the application's next one still to come, else its
    latest past. With it, the instant at which another one takes its place."""
    if subject.interview is not None:
        return facts.interviews.get(subject.interview), None
    application = application_of(facts, subject)
    if application is None:
        return None, None
    dated = sorted(
        (each.starts_at, each.ref, each)
        for each in facts.interviews.values()
        if each.application == application.ref
        and each.starts_at is not None
        and each.status != "cancelled"
    )
    coming = [row for row in dated if row[0] > now and row[2].status == "scheduled"]
    if coming:
        return coming[0][2], coming[0][0] if len(coming) > 1 else None
    return (dated[-1][2] if dated else None), None


def offer_of(facts: Facts, subject: Subject) -> Offer | None:
    """The enrollment's own offer; else the application's latest."""
    if subject.offer is not None:
        return facts.offers.get(subject.offer)
    application = application_of(facts, subject)
    if application is None:
        return None
    offers = [each for each in facts.offers.values() if each.application == application.ref]
    return max(offers, key=lambda each: (each.sent_at or _NEVER, each.ref), default=None)


def promise_of(facts: Facts, subject: Subject, enrollment: int | None) -> Promise | None:
    """The enrollment's own promise; else the latest that its mails made; else the application's
    open one that is due first."""
    if subject.promise is not None:
        return facts.promises.get(subject.promise)
    if not facts.promises:
        return None
    dated = [(each.due_at, each.ref, each) for each in facts.promises.values() if each.due_at]
    own = [(each.made_at, ref, each) for _, ref, each in dated if each.enrollment_id == enrollment]
    if own and enrollment is not None:
        return max(own)[2]
    application = application_of(facts, subject)
    if application is None:
        return None
    debts = [
        row for row in dated if row[2].application == application.ref and row[2].status == "open"
    ]
    return min(debts)[2] if debts else None


def last_contact(
    facts: Facts, application: str | None, categories: Mapping[str, Category], now: datetime
) -> datetime | None:
    """The latest contact that ends a silence: a call or mail of a colleague, a mail that arrived
    and whose category counts, a reply. One that names no application counts for all of them."""

    def counts(contact: Contact) -> bool:
        category = categories.get(contact.category or "")
        return (
            contact.at <= now
            and contact.arrived
            and (contact.human or (category is not None and category.counts_as_contact))
            and (application is None or contact.application in (None, application))
        )

    instants = [contact.at for contact in facts.contacts if counts(contact)]
    if facts.replied_at is not None:
        instants.append(facts.replied_at)
    return max(instants, default=None)


def news_at(facts: Facts, subject: Subject) -> datetime | None:
    """When this application last had news for the candidate: another stage, a call or mail of a
    colleague, or a word of the candidate's own."""
    application = application_of(facts, subject)
    ref = application.ref if application is not None else None
    instants = [
        each.at
        for each in facts.contacts
        if each.human and (ref is None or each.application in (None, ref))
    ]
    instants += [
        at
        for at in (facts.replied_at, application.stage_since if application else None)
        if at is not None
    ]
    return max(instants, default=None)
