"""What do we hold about one person? Their page shows some of it, a copy for them all of it.

Never in it: why somebody was rejected, what colleagues noted about them, and the words of what was
told in confidence.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from nurture.core.wishes import KEYS as WISHES
from nurture.store import confidences
from nurture.store.facts import ANSWERED_AT
from nurture.store.tables import (
    applications,
    candidate_refs,
    candidates,
    contacts,
    events,
    interviews,
    jobs,
    messages,
    offers,
    people,
    promises,
    requests,
)

#: Of a person's data, beside the declared fields, what is theirs to read. A source may send more
#: under names of its own, which may be a colleague's notes.
_OWN = (
    *("first_name", "last_name", "phone", "pronouns", "formality", "channel", "discreet"),
    *("timezone", "country", "subdivision", "locale", "consent_until", "answers"),
    *(name for name in WISHES if name != "sensitive_until"),
)
_OF_APPLICATION = ("stage", "applied_at", "stage_since", "rejected_at", "source", "start_date")
_OF_INTERVIEW = ("kind", "location", "url", "phone", "interviewers", "agenda")
_OF_OFFER = ("sent_at", "expires_at")
_ROLES = ("recruiter", "coordinator")
_REACHED = ("sent", "bounced", "unknown")


def dossier(
    connection: Connection, candidate_id: int, fields: Collection[str], now: datetime
) -> dict[str, Any]:
    """All of it, as JSON values but for instants, which are datetimes. `fields` are the declared
    ones."""
    own = candidates.c.id == candidate_id
    row = connection.execute(select(candidates).where(own)).mappings().one()
    named = select(candidate_refs.c.ref).where(candidate_refs.c.candidate_id == candidate_id)
    happened = (
        select(events.c.type, func.count(), func.min(events.c.occurred_at))
        .where(events.c.candidate_id == candidate_id)
        .group_by(events.c.type)
        .order_by(events.c.type)
    )
    return {
        "candidate": {
            "ids": sorted(connection.execute(named).scalars()),
            "email": row["email"],
            "known_since": row["created_at"],
            "do_not_contact": row["do_not_contact"],
            "unsubscribed": row["unsubscribed"],
            "paused_until": row["paused_until"],
            "answered_at": row["data"].get(ANSWERED_AT),
            **_some(row["data"], (*_OWN, *fields)),
        },
        "applications": applications_of(connection, candidate_id),
        "interviews": interviews_of(connection, candidate_id),
        "offers": [
            {"status": each["status"], **_some(each["data"], _OF_OFFER)}
            for each in _rows(connection, offers, candidate_id)
        ],
        "mails": mails_of(connection, candidate_id, limit=None),
        "contacts": contacts_of(connection, candidate_id),
        "promises": promises_of(connection, candidate_id),
        "told_in_confidence": [
            {"told_at": each.told_at, "read_at": each.seen_at}
            for each in confidences.told(connection, candidate_id, now)
        ],
        "requests": [
            _some(each, ("kind", "asked_at", "done_at"))
            for each in _rows(connection, requests, candidate_id)
        ],
        "events": [
            {"type": type_, "how_often": many, "first_at": first}
            for type_, many, first in connection.execute(happened)
        ],
    }


def wishes_data(connection: Connection, candidate_id: int) -> Mapping[str, Any]:
    """What they asked for, in the words that are stored."""
    query = select(candidates.c.data).where(candidates.c.id == candidate_id)
    data: Mapping[str, Any] = connection.execute(query).scalar() or {}
    return _some(data, WISHES)


def applications_of(connection: Connection, candidate_id: int) -> list[dict[str, Any]]:
    """With the title of the job and the names of whoever looks after them."""
    found = _rows(connection, applications, candidate_id)
    titles = _data_of(connection, jobs.c.ref, {row["job"] for row in found if row["job"]})
    staff = {row["data"].get(role) for row in found for role in _ROLES} - {None}
    known = _data_of(connection, people.c.email, staff)
    return [
        {
            "id": row["ref"],
            "status": row["status"],
            "job": titles.get(row["job"] or "", {}).get("title"),
            **_some(row["data"], _OF_APPLICATION),
            **{
                role: known.get(row["data"][role], {}).get("name") or row["data"][role]
                for role in _ROLES
                if row["data"].get(role)
            },
        }
        for row in found
    ]


def interviews_of(connection: Connection, candidate_id: int) -> list[dict[str, Any]]:
    return [
        {
            **_some(row, ("application", "status", "starts_at", "ends_at")),
            **_some(row["data"], _OF_INTERVIEW),
        }
        for row in _rows(connection, interviews, candidate_id, interviews.c.starts_at)
    ]


def mails_of(
    connection: Connection, candidate_id: int, *, limit: int | None
) -> list[dict[str, Any]]:
    """What was sent, the last first."""
    names = ("sent_at", "category", "template", "state", "message_id")
    query = (
        select(*(messages.c[name] for name in names))
        .where(messages.c.candidate_id == candidate_id, messages.c.sent_at.is_not(None))
        .where(messages.c.state.in_(_REACHED))
        .order_by(messages.c.sent_at.desc())
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def contacts_of(connection: Connection, candidate_id: int) -> list[dict[str, Any]]:
    names = ("at", "kind", "person", "outcome")
    return [
        _some(row, names) for row in _rows(connection, contacts, candidate_id, contacts.c.at.desc())
    ]


def promises_of(connection: Connection, candidate_id: int) -> list[dict[str, Any]]:
    names = ("what", "made_at", "due_at", "status")
    return [
        _some(row, names) for row in _rows(connection, promises, candidate_id, promises.c.made_at)
    ]


def name_of_person(connection: Connection, email: str) -> str | None:
    """What a colleague is called, if we know."""
    name = _data_of(connection, people.c.email, {email.casefold()}).get(email.casefold(), {})
    found: str | None = name.get("name")
    return found


def _rows(
    connection: Connection, table: Table, candidate_id: int, order: ColumnElement[Any] | None = None
) -> list[Any]:
    query = select(table).where(table.c.candidate_id == candidate_id)
    keys = [*table.primary_key.columns] if order is None else [order]
    return list(connection.execute(query.order_by(*keys)).mappings())


def _data_of(
    connection: Connection, key: ColumnElement[Any], keys: Collection[str]
) -> dict[str, Mapping[str, Any]]:
    if not keys:
        return {}
    table: Any = key.table
    query = select(key, table.c.data).where(key.in_(sorted(keys)))
    return {row[0]: row[1] for row in connection.execute(query)}


def _some(row: Mapping[Any, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: row[name] for name in names if row.get(name) is not None}
