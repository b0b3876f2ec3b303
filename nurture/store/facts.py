"""What does a row of facts say? Rows become the values that every decision is made of.

A row's `data` holds its facts flat, as JSON: instants and dates in ISO 8601. Keys that begin with
an underscore are the store's own (`_as_of`: when each key was last true); what has no place of
its own in the value's type is in its `fields`.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, or_, select

from nurture.core import wishes
from nurture.core.model import Application, Candidate, Event, Interview, Job, Offer, Person, Promise
from nurture.core.rejections import last_stage
from nurture.store.tables import applications, candidate_refs, candidates, interviews

Row = RowMapping | Mapping[str, Any]

_CANDIDATE = ("first_name", "last_name", "timezone", "country", "subdivision", "locale")
#: In the data of a candidate who is not to be known any more: since when.
ERASED = "_erased_at"
#: In the data of a candidate: when they last answered a question in a mail.
ANSWERED_AT = "_answered_at"
#: In the data of a candidate: question -> the mail that asked it and the option they chose.
GIVEN = "_answered"
#: In the data of a candidate: that somebody here was told something in confidence.
CONFIDED = "_confided"
_APPLICATION = ("stage", "recruiter", "coordinator", "hiring_manager")


def candidate_from_row(row: Row) -> Candidate:
    data = row["data"]
    return Candidate(
        id=row["id"],
        ref=row["ref"],
        email=row["email"],
        do_not_contact=row["do_not_contact"],
        suppressed=row["suppressed"],
        paused_until=row["paused_until"],
        unsubscribed=frozenset(row["unsubscribed"]),
        consent_until=_date(data.get("consent_until")),
        wishes=wishes.wishes_of(data),
        confided=CONFIDED in data,
        answered_in={question: mail for question, (mail, _) in data.get(GIVEN, {}).items()},
        fields=_fields(data, (*_CANDIDATE, "consent_until", *wishes.KEYS)),
        **{key: data.get(key) for key in _CANDIDATE},
    )


def application_from_row(row: Row) -> Application:
    data = row["data"]
    return Application(
        ref=row["ref"],
        candidate_id=row["candidate_id"],
        status=row["status"],
        job=row["job"],
        applied_at=_instant(data.get("applied_at")),
        stage_since=_instant(data.get("stage_since")),
        rejected_at=_instant(data.get("rejected_at")),
        closed_at=_instant(data.get("closed_at")) if row["status"] == "closed" else None,
        start_date=_date(data.get("start_date")),
        silence_due_at=row["silence_due_at"],
        reached=last_stage(data.get("_stages", ())),
        told_reason=row["reason"],
        fields=_fields(
            data,
            (
                *_APPLICATION,
                *("applied_at", "stage_since", "rejected_at", "closed_at", "start_date"),
            ),
        ),
        **{key: data.get(key) for key in _APPLICATION},
    )


def interview_from_row(row: Row) -> Interview:
    data = row["data"]
    return Interview(
        ref=row["ref"],
        candidate_id=row["candidate_id"],
        application=row["application"],
        kind=data.get("kind"),
        status=row["status"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        booked_at=row["booked_at"],
        cancelled_at=_instant(data.get("cancelled_at")) if row["status"] == "cancelled" else None,
        sequence=row["sequence"],
        fields=_fields(data, ("kind", "cancelled_at")),
    )


def offer_from_row(row: Row) -> Offer:
    data = row["data"]
    return Offer(
        ref=row["ref"],
        candidate_id=row["candidate_id"],
        application=row["application"],
        status=row["status"],
        sent_at=_instant(data.get("sent_at")),
        expires_at=_instant(data.get("expires_at")),
        withdrawn_at=_instant(data.get("withdrawn_at")) if row["status"] == "withdrawn" else None,
        fields=_fields(data, ("sent_at", "expires_at", "withdrawn_at")),
    )


def promise_from_row(row: Row) -> Promise:
    return Promise(
        ref=row["ref"],
        candidate_id=row["candidate_id"],
        application=row["application"],
        what=row["what"],
        owner=row["owner"],
        made_at=row["made_at"],
        due_at=row["due_at"],
        status=row["status"],
        enrollment_id=row["enrollment_id"],
        step=row["step"],
        settled_at=row["settled_at"],
        kept_by=tuple(row["data"].get("kept_by", ())),
        replaced_by=row["data"].get("replaced_by"),
    )


def answered_at(row: Row) -> datetime | None:
    """When this candidate last answered a question in a mail."""
    return _instant(row["data"].get(ANSWERED_AT))


def job_from_row(row: Row) -> Job:
    data = row["data"]
    return Job(
        ref=row["ref"],
        title=data.get("title"),
        status=row["status"],
        fields=_fields(data, ("title",)),
    )


def person_from_row(row: Row) -> Person:
    data = row["data"]
    return Person(
        email=row["email"],
        name=data.get("name"),
        phone=data.get("phone"),
        title=data.get("title"),
    )


def event_from_row(row: Row) -> Event:
    """The event as it was stored; its `data` holds the objects as the source gave them."""
    return Event(
        id=row["id"],
        type=row["type"],
        candidate_id=row["candidate_id"],
        occurred_at=row["occurred_at"],
        received_at=row["received_at"],
        source=row["source"],
        historical=row["historical"],
        application=row["application"],
        interview=row["interview"],
        offer=row["offer"],
        job=row["job"],
        data=row["data"],
    )


def find_candidate(connection: Connection, who: str) -> Candidate | None:
    """The candidate of this ref, e-mail address (any case) or number; None if there is none."""
    by_ref = (
        select(candidate_refs.c.candidate_id).where(candidate_refs.c.ref == who).scalar_subquery()
    )
    for condition in (candidates.c.id == by_ref, candidates.c.email_key == who.strip().casefold()):
        row = connection.execute(select(candidates).where(condition)).mappings().first()
        if row is not None:
            return candidate_from_row(row)
    return find_number(connection, int(who)) if who.isascii() and who.isdigit() else None


def find_number(connection: Connection, number: int) -> Candidate | None:
    """The candidate with this number, or who took in the one that had it."""
    if number >= 2**63:
        return None
    former = select(candidate_refs.c.candidate_id).where(
        candidate_refs.c.ref == former_number(number)
    )
    own = or_(candidates.c.id == number, candidates.c.id == former.scalar_subquery())
    row = connection.execute(select(candidates).where(own)).mappings().first()
    return None if row is None else candidate_from_row(row)


def former_number(number: int) -> str:
    """The ref under which a merged candidate's number leads to the one who is left."""
    return f"number:{number}"


def interview_owner(connection: Connection, ref: str) -> int | None:
    """The number of the candidate whose interview this is."""
    query = select(interviews.c.candidate_id).where(interviews.c.ref == ref)
    found: int | None = connection.execute(query).scalar()
    return found


def find_application(connection: Connection, ref: str) -> Application | None:
    row = (
        connection.execute(select(applications).where(applications.c.ref == ref)).mappings().first()
    )
    return None if row is None else application_from_row(row)


def _fields(data: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    return {
        key: value for key, value in data.items() if key not in known and not key.startswith("_")
    }


def _instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).astimezone(UTC)


def _date(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)
