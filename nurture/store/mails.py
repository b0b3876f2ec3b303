"""What was that mail? One message, whatever became of it, with the revisions it went by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from nurture.core.model import Message, MessageState, Reason, Section
from nurture.store import history
from nurture.store.tables import candidates, enrollments, message_steps, messages

_OF_SECTION = ("campaign", "template", "category", "application")
_KEY = ("enrollment_id", "step", "occurrence")
_OF_STEP = (*_KEY, "content")


@dataclass(frozen=True, kw_only=True)
class Mail:
    message: Message
    candidate: str  #: whose it is, by ref
    layout: str | None  #: the digest of its layout
    templates: Mapping[str, str | None]  #: the digest of each of its templates, by name
    verdicts: tuple[RowMapping, ...]  #: what is on record of it: rows of `history.settled_rows`


def mail(connection: Connection, message_id: int) -> Mail | None:
    """The message of this number."""
    if not 0 < message_id < 2**63:
        return None
    parts = [
        message_steps.c[name].label(f"section_{name}")
        for name in (*_OF_SECTION, "template_digest", "campaign_digest")
    ]
    query = (
        select(messages, candidates.c.ref, *(message_steps.c[name] for name in _OF_STEP), *parts)
        .join(candidates, candidates.c.id == messages.c.candidate_id)
        .join(message_steps, message_steps.c.message_id == messages.c.id)
        .where(messages.c.id == message_id)
        .order_by(message_steps.c.position)
    )
    rows = connection.execute(query).mappings().all()
    if not rows:
        return None
    first = rows[0]
    digests = {
        row["section_template"] or row["template"]: row["section_template_digest"]
        or row["template_digest"]
        for row in rows
    }
    return Mail(
        message=_message(list(rows)),
        candidate=first["ref"],
        layout=first["layout_digest"],
        templates=digests,
        verdicts=tuple(history.verdicts_of(connection, first["candidate_id"], message_id)),
    )


def whose_step(connection: Connection, enrollment_id: int) -> int | None:
    """The number of the candidate who is, or was, enrolled so."""
    if not 0 < enrollment_id < 2**63:
        return None
    query = select(enrollments.c.candidate_id).where(enrollments.c.id == enrollment_id)
    return connection.execute(query).scalar()


def _message(rows: list[Mapping[Any, Any]]) -> Message:
    row = rows[0]
    own = {name: row[name] for name in (*_OF_SECTION, *_KEY)}
    for name in ("id", "candidate_id", "message_id", "created_at", "until", "sent_at"):
        own[name] = row[name]
    sections = tuple(
        Section(
            **{name: each[name] for name in _KEY},
            **{name: each[f"section_{name}"] for name in _OF_SECTION},
            content=tuple(each["content"] or ()),
        )
        for each in rows
        if each["section_campaign"] is not None
    )
    return Message(
        **own,
        state=MessageState(row["state"]),
        approved_at=row["approved_at"],
        sections=sections if len(sections) > 1 else (),
        content=tuple(row["content"] or ()),
        attempts=row["attempts"],
        reason=Reason(row["reason"]) if row["reason"] else None,
        detail=row["detail"],
    )
