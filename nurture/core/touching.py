"""Whom does an event touch? What it is about, against what an enrollment is about."""

from nurture.core.model import Enrollment, Event, Facts


def touches(event: Event, enrollment: Enrollment, facts: Facts) -> bool:
    """An event touches what is about the same object, and what is within what it is about.

    - An enrollment about an interview, offer or promise: the same one, if the event names one of
      that kind; else the same application.
    - One about an application, or about an event: the same application, so its interviews and
      offers too.
    - One about the candidate: everything of that candidate.
    - An event that names no application and no such object is about the candidate, and touches all.
    """
    about, _, _ = enrollment.about.partition(":")
    if about == "candidate":
        return True
    if about in ("interview", "offer", "promise"):
        named = getattr(event, about)
        if named is not None:
            return bool(named == getattr(enrollment.subject, about))
    application = application_named(event, facts)
    if application is None:
        return not (event.interview or event.offer or event.promise)
    return application == _application(enrollment, facts)


def application_named(event: Event, facts: Facts) -> str | None:
    """The application an event is about: its own, else that of the object it names."""
    if event.application is not None:
        return event.application
    return _application_of(facts, event.interview, event.offer, event.promise)


def _application(enrollment: Enrollment, facts: Facts) -> str | None:
    subject = enrollment.subject
    if subject.application is not None:
        return subject.application
    return _application_of(facts, subject.interview, subject.offer, subject.promise)


def _application_of(
    facts: Facts, interview: str | None, offer: str | None, promise: str | None
) -> str | None:
    thing = (
        facts.interviews.get(interview or "")
        or facts.offers.get(offer or "")
        or facts.promises.get(promise or "")
    )
    return thing.application if thing is not None else None
