"""What does a mail promise? The debt it makes when it is sent, and prints before that."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from nurture.core import timing
from nurture.core.hours import Calendar
from nurture.core.model import Campaign, Duration, Facts, Message, Promise, Promised, Subject
from nurture.core.promised import BY
from nurture.core.subject import application_of

Campaigns = Mapping[str, Campaign]
#: What a mail promises that gives a new date to nothing we know of: a preview, say.
_SOMETHING = "an answer"


def promised_in(campaigns: Campaigns, message: Message) -> Promised | None:
    """What the step of this message promises. A preview is of no step: there it is what the first
    step that sends the template promises."""
    campaign = campaigns.get(message.campaign)
    if campaign is not None:
        return next((s.promise for s in campaign.every_step() if s.id == message.step), None)
    steps = (step for each in campaigns.values() for step in each.every_step())
    return next((s.promise for s in steps if s.send == message.template and s.promise), None)


def as_made(
    promised: Promised,
    message: Message,
    facts: Facts,
    subject: Subject,
    calendar: Calendar,
    now: datetime,
    team: str | None = None,
) -> Promise:
    """The promise as this message makes it if it is sent `now`. One step's occurrence has one name,
    so it is never made twice.

    It is owed by the recruiter; where nobody is known for the application, by another colleague of
    it, else by `team`, whom the mail is from then. It is due on a business day of the candidate's
    to come, at 15:00, and on none that they were given for the same before.
    """
    application = application_of(facts, subject)
    before = facts.promises.get(subject.promise or "") if promised.what is None else None
    what = promised.what or (before.what if before else _SOMETHING)
    of = application.ref if application else None
    ref = f"p-{message.enrollment_id}-{message.step}-{message.occurrence}"
    given = {
        each.due_at
        for each in facts.promises.values()
        if each.ref != ref and each.application == of and each.due_at is not None
    }
    owners = [before.owner] if before else []
    if application is not None:
        owners += [application.recruiter, application.coordinator, application.hiring_manager]
    return Promise(
        ref=ref,
        candidate_id=message.candidate_id,
        application=of,
        what=what,
        owner=next((each for each in (*owners, team) if each), None),
        made_at=now,
        due_at=due_at(promised.within, now, calendar, given),
        enrollment_id=message.enrollment_id,
        step=message.step,
        kept_by=promised.kept_by or (before.kept_by if before else ()),
    )


def in_words(promised: Promised) -> str:
    """`a decision within 5 business days`, as authors read it."""
    kept = f", kept by {', '.join(promised.kept_by)}" if promised.kept_by else ""
    what = promised.what or "the same again"
    return f"{what} within {timing.show_duration(promised.within)}{kept}"


def due_at(
    within: Duration, now: datetime, calendar: Calendar, given: Collection[datetime | None] = ()
) -> datetime:
    """By when something promised now `within` so long is due: a business day to come, at 15:00,
    and at none of the instants that were `given` already."""
    day = calendar.local(timing.shift(now, within, calendar)).date()
    for _ in range(400):  # bounded: a calendar could have no business days at all
        at = calendar.instant(day, BY)
        if calendar.is_business_day(day) and at > now and at not in given:
            break
        day += timedelta(days=1)
    return at
