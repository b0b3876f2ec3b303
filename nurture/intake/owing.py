"""Can this be promised at all? Somebody has to owe it, and its date has to be a working day to
come."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from nurture.core.promised import BY
from nurture.intake.events import IncomingEvent
from nurture.store.changes import Known, Record
from nurture.store.tables import applications, promises

_WEEKEND = (5, 6)


def due_at(told: datetime | date, zone: str | None) -> datetime:
    """The instant of a promise's date; a day alone is due on its afternoon."""
    if isinstance(told, datetime):
        return told
    return datetime.combine(told, BY, ZoneInfo(zone or "UTC"))


def objection(
    event: IncomingEvent, candidate: Record | None, known: Known, at: datetime
) -> tuple[str, str, str] | None:
    """Why this `promise.made` is none: a code, what is wrong, and what to do. What is told as
    history was promised, however it came out."""
    told = event.promise
    if event.type != "promise.made" or told is None or event.historical:
        return None
    before = known.records[promises].get(told.id)
    if told.owner is None and _owner(event, before, known) is None:
        return (
            "no-owner",
            "a promise that nobody owes is none",
            "add promise.owner, or the recruiter of its application",
        )
    zone = _zone(event, candidate)
    due = told.due or (before["due_at"] if before is not None else None)
    if due is None:
        return "no-date", "a promise without a date is none", "add promise.due"
    day = due_at(due, zone)
    if day <= at:
        said = f"it is due {day:%Y-%m-%d %H:%M}, before it was made"
        return "date-past", said, "name a working day to come"
    local = day.astimezone(ZoneInfo(zone or "UTC")).date()
    if local.weekday() in _WEEKEND:
        friday = local - timedelta(days=local.weekday() - 4)
        return "no-working-day", f"{local} is a {local:%A}", f"name a working day, such as {friday}"
    return None


def _owner(event: IncomingEvent, before: Record | None, known: Known) -> str | None:
    """Who owes it where the event does not say: whoever did, else the application's recruiter."""
    if before is not None and before["owner"]:
        return str(before["owner"])
    if event.application is not None and event.application.recruiter is not None:
        return event.application.recruiter.email
    named = (
        (event.application and event.application.id)
        or (event.promise and event.promise.application)
        or (before and before["application"])
    )
    application = known.records[applications].get(named or "")
    return application["recruiter"] if application is not None else None


def _zone(event: IncomingEvent, candidate: Record | None) -> str | None:
    if event.candidate is not None and event.candidate.timezone:
        return event.candidate.timezone
    return candidate["timezone"] if candidate is not None else None
