"""What does a mail promise? The debt it makes when it is sent, and prints before that."""

from collections.abc import Mapping
from datetime import datetime

from nurture.core import timing
from nurture.core.hours import Calendar
from nurture.core.model import Campaign, Facts, Message, Promise, Promised, Subject
from nurture.core.subject import application_of

Campaigns = Mapping[str, Campaign]


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
) -> Promise:
    """The promise as this message makes it if it is sent `now`: business days are those of the
    candidate. One step's occurrence has one name, so it is never made twice."""
    application = application_of(facts, subject)
    return Promise(
        ref=f"p-{message.enrollment_id}-{message.step}-{message.occurrence}",
        candidate_id=message.candidate_id,
        application=application.ref if application else None,
        what=promised.what,
        owner=application.recruiter if application else None,
        made_at=now,
        due_at=timing.shift(now, promised.within, calendar),
        enrollment_id=message.enrollment_id,
        step=message.step,
    )
