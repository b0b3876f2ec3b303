"""Which of a person's objects is meant, and when did they last hear from us?"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from nurture.core.model import (
    Application,
    Category,
    Contact,
    Facts,
    Interview,
    Offer,
    Promise,
    Section,
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


def in_process(facts: Facts) -> bool:
    """Whether an application of theirs is active, whichever, beyond a lead."""
    return any(
        each.status == "active" and each.stage != "lead" for each in facts.applications.values()
    )


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
    """The latest contact that ends a silence: a call or mail of a colleague that reached them, a
    mail that arrived and whose category counts, a reply. One that names no application counts for
    all of them."""

    def ends_it(contact: Contact) -> bool:
        return reached(contact) and any(
            contact.human or counted(part) for part in parts_about(contact, application)
        )

    def counted(part: Contact | Section) -> bool:
        category = categories.get(part.category or "")
        return category is not None and category.counts_as_contact

    latest = facts.replied_at
    for contact in reversed(facts.contacts):  # oldest first as a rule: most need no second look
        if contact.at <= now and (latest is None or contact.at > latest) and ends_it(contact):
            latest = contact.at
    return latest


def reached(contact: Contact) -> bool:
    """Whether it came to the candidate: not a mail that bounced or is in doubt, nor a call that
    nobody took."""
    return contact.arrived and contact.outcome not in ("no_answer", "wrong_number")


def parts_about(contact: Contact, application: str | None) -> list[Contact | Section]:
    """What of a contact is about this application: a mail may speak for several. What names no
    application is about each; None asks for all."""
    parts: Iterable[Contact | Section] = contact.sections or (contact,)
    return [
        each for each in parts if application is None or each.application in (None, application)
    ]


def news_at(facts: Facts, subject: Subject) -> datetime | None:
    """When this application last had news for the candidate: another stage, a call or mail of a
    colleague that reached them, a decision, a promise that was kept, or a word of their own."""
    application = application_of(facts, subject)
    ref = application.ref if application is not None else None

    def of_it(named: str | None) -> bool:
        return ref is None or named in (None, ref)

    instants = [
        each.at
        for each in facts.contacts
        if reached(each)
        and any(each.human or part.category in TELLING for part in parts_about(each, ref))
    ]
    instants += [
        each.settled_at
        for each in facts.promises.values()
        if each.status == "kept" and each.settled_at is not None and of_it(each.application)
    ]
    instants += [
        at
        for at in (facts.replied_at, application.stage_since if application else None)
        if at is not None
    ]
    return max(instants, default=None)


# --- decided, and told? ------------------------------------------------------------------------

#: Mail of these categories tells somebody what was decided.
TELLING = frozenset({"decision", "offer", "closure"})


def decided_at(application: Application) -> datetime | None:
    """Since when it is decided that this comes to nothing, by us; None while it is not."""
    if application.status == "rejected":
        return application.rejected_at or application.stage_since
    return application.closed_at if application.status == "closed" else None


def told_by(
    facts: Facts, application: Application, since: datetime | None = None
) -> Contact | None:
    """The contact by which they heard what was decided: the first mail that tells it since then
    (or since it was decided), or word of a colleague after that. What a colleague said before is
    no decision."""
    decided = decided_at(application)
    since = since or decided

    def tells(contact: Contact) -> bool:
        parts = parts_about(contact, application.ref)
        if not parts or not reached(contact):
            return False
        if contact.human:
            spoke = contact.outcome != "voicemail"
            return spoke and decided is not None and contact.at >= decided
        told = any(part.category in TELLING for part in parts)
        return told and since is not None and contact.at >= since

    return next((each for each in facts.contacts if tells(each)), None)


def to_be_told(facts: Facts, application: Application) -> bool:
    """Whether it is decided that this comes to nothing, and they have not heard it."""
    return decided_at(application) is not None and told_by(facts, application) is None
