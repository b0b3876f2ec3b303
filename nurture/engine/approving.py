"""What becomes of a letter of which somebody says that it may go, or may not?

Approved is one letter, byte for byte: what is written when it is to leave is compared with it (see
approved.py). An approval is no order: hours, caps and `until` decide anew from there.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from nurture.core import timing
from nurture.core.ceilings import at_ceiling
from nurture.core.model import Facts, Message, MessageState, Step, TaskText
from nurture.core.reasons import sentence
from nurture.engine.advocates import line_of
from nurture.engine.approved import digest_of
from nurture.engine.project import Project
from nurture.engine.unread import Allowed, anybody, seen, written
from nurture.errors import NurtureError, Problems
from nurture.intake.apply import apply_within
from nurture.intake.events import IncomingEvent, parse_event
from nurture.rendering.context import zone_of
from nurture.rendering.errors import RenderError
from nurture.store import alarm, approvals, audit
from nurture.store.database import Connection

#: So many letters of a batch are approved in one transaction: others wait for it.
_AT_ONCE = 50


class _By(NamedTuple):
    """Who is shown with a letter, and who it is for the audit log."""

    name: str
    who: str


@dataclass(frozen=True, kw_only=True)
class Read:
    """The letter that somebody has read: as of when it was written for them, and its digest."""

    as_of: datetime
    digest: str


def approve(
    project: Project,
    ids: Sequence[int],
    by: str,
    allowed: Allowed = anybody,
    *,
    read: Read | None = None,
    who: str | None = None,
) -> None:
    """Either all of these or none: the letters as they read now, or as they were `read`.

    `by` is shown with the letter; `who`, if another, is who it is for the audit log.
    Raises NurtureError where one does not wait (any more), cannot be written, or has changed since
    it was read.
    """
    with project.database.write() as connection:
        _approve(project, connection, list(dict.fromkeys(ids)), _By(by, who or by), allowed, read)


def approve_together(
    project: Project,
    ids: Sequence[int],
    by: str,
    allowed: Allowed = anybody,
    *,
    who: str | None = None,
) -> list[int]:
    """All of these as they read now, but for those that do not wait any more or cannot be written,
    a few in each transaction. Those that were approved."""
    done: list[int] = []
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        try:
            approve(project, some, by, allowed, who=who)
            done += some
        except NurtureError:
            for id_ in some:
                with suppress(NurtureError):
                    approve(project, [id_], by, allowed, who=who)
                    done.append(id_)
    return done


def _approve(
    project: Project,
    connection: Connection,
    ids: Sequence[int],
    by: _By,
    allowed: Allowed,
    read: Read | None,
) -> None:
    now = project.clock.now()
    claimed = seen(project, connection, approvals.claim(connection, ids), allowed)
    as_of = read.as_of if read is not None and read.as_of <= now else now
    digests: dict[int, str] = {}
    for id_ in ids:
        found = claimed.get(id_)
        if found is None:
            raise NurtureError(_none_of(id_, "there is no such message"))
        if found.message is None or found.row["state"] != MessageState.HELD:
            raise NurtureError(_none_of(id_, f"it is {found.row['state']}"))
        if line_of(project, found.message, found.facts, now) == "":
            raise NurtureError(_no_line(id_))
        try:
            letter = written(project, found.message, found.facts, as_of, now)
        except RenderError as error:
            raise NurtureError(f"message {id_} cannot be written: {error}") from None
        digests[id_] = digest_of(letter.raw)
        if read is not None and digests[id_] != read.digest:
            raise ChangedError(f"message {id_} has changed since it was read: please read it again")
    approvals.approve(connection, digests, by.name, as_of, now)
    for id_, digest in digests.items():
        row = claimed[id_].row
        _note(connection, now, by, "approve", row, template=row["template"], digest=digest)
    _ring(connection, [claimed[id_].row for id_ in ids], now)


def _no_line(id_: int) -> str:
    return (
        f"message {id_} says no to somebody who came far: write one true sentence about what you"
        " liked first (--advocate, or on the page of approvals); none was approved"
    )


def advocate(
    project: Project,
    id_: int,
    line: str,
    by: str,
    allowed: Allowed = anybody,
    *,
    who: str | None = None,
) -> None:
    """What `by` liked about them, in a letter that waits. It is a fact like any other, so the
    letter says it from now on. Raises NurtureError where it asks for none, and for words that have
    no place in it."""
    now = project.clock.now()
    with project.database.write() as connection:
        claimed = seen(project, connection, approvals.claim(connection, [id_]), allowed)
        found = claimed.get(id_)
        message = found.message if found is not None else None
        if found is None or message is None or found.row["state"] != MessageState.HELD:
            raise NurtureError(f"message {id_} does not wait for approval")
        if line_of(project, message, found.facts, now) is None:
            raise NurtureError(f"message {id_} has no place for what you liked about them")
        apply_within(connection, _liked(found.facts, message, line, by, now), now)
        _note(connection, now, _By(by, who or by), "advocate", found.row)


def _liked(facts: Facts, message: Message, line: str, by: str, now: datetime) -> IncomingEvent:
    try:
        return parse_event(
            {
                "type": "candidate.upserted",
                "source": "approvals",
                "occurred_at": now.isoformat(),
                "candidate": {"id": facts.candidate.ref},
                "application": {"id": message.application, "advocate_line": line},
                "by": by,
            }
        )
    except Problems as problems:
        why = problems.problems[0].message.removeprefix("application.advocate_line: ")
        raise WordsError(f"what you liked about them: {why}") from None


class WordsError(NurtureError):
    """What somebody wrote cannot stand in a letter; the message is for them."""


class ChangedError(NurtureError):
    """The letter is not the one that was read."""


def _none_of(id_: int, why: str) -> str:
    return f"message {id_} does not wait for approval, {why}; none was approved"


def take_back(
    project: Project,
    ids: Sequence[int],
    by: str,
    allowed: Allowed = anybody,
    *,
    who: str | None = None,
) -> None:
    """Nobody has approved these, as it were. Either all or none. Raises NurtureError for what has
    left, or was never approved."""
    with project.database.write() as connection:
        now = project.clock.now()
        claimed = seen(project, connection, approvals.claim(connection, ids), allowed)
        for id_ in ids:
            row = claimed[id_].row if id_ in claimed else None
            if row is None:
                raise NurtureError(f"there is no message {id_}")
            if row["approved_at"] is None or not approvals.is_ours(row):
                said = row["state"] if row["approved_at"] is not None else "not approved"
                raise NurtureError(f"message {id_} cannot be taken back: it is {said}")
        approvals.take_back(connection, list(ids))
        for id_ in ids:
            _note(connection, now, _By(by, who or by), "take-back", claimed[id_].row)
        _ring(connection, [claimed[id_].row for id_ in ids], now)


def decline(
    project: Project,
    id_: int,
    by: str,
    why: str,
    *,
    task: bool,
    allowed: Allowed = anybody,
    who: str | None = None,
) -> bool:
    """It never goes. With `task` somebody is to tell the candidate themselves; whether it became
    one: at a ceiling (of silence, of a promise) it always does. Raises NurtureError."""
    with project.database.write() as connection:
        now = project.clock.now()
        claimed = seen(project, connection, approvals.claim(connection, [id_]), allowed)
        found = claimed.get(id_)
        if found is None:
            raise NurtureError(f"there is no message {id_}")
        row, message = found.row, found.message
        if message is None or row["state"] != MessageState.HELD:
            raise NurtureError(f"message {id_} does not wait for approval, it is {row['state']}")
        step = _step(project, message)
        task = task or (step is not None and at_ceiling(step))
        errand = _errand(project, message, found.facts, why, now) if task else None
        detail = {"by": by, "why": " ".join(why.split())}
        detail = {name: value for name, value in detail.items() if value}
        approvals.declined(connection, row, detail, errand, now)
        _note(connection, now, _By(by, who or by), "decline", row, to="task" if task else "nobody")
        _ring(connection, [row], now)
    return task


def _step(project: Project, message: Message) -> Step | None:
    campaign = project.library.campaigns.get(message.campaign)
    steps = campaign.every_step() if campaign is not None else ()
    return next((each for each in steps if each.id == message.step), None)


def _errand(
    project: Project, message: Message, facts: Facts, why: str, now: datetime
) -> dict[str, Any]:
    candidate = facts.candidate
    name = " ".join(part for part in (candidate.first_name, candidate.last_name) if part)
    application = facts.applications.get(message.application or "")
    said = f": {' '.join(why.split())}" if why.strip() else ""
    calendar = project.planner.calendars.of(candidate)
    return {
        "text": f'"{project.letters.title(message.template)}" was declined{said}; tell '
        f"{name or candidate.email or candidate.ref} yourself",
        "role": "recruiter",
        "assignee": application.recruiter if application is not None else None,
        "due_at": timing.shift(now, TaskText(text="").due, calendar),
    }


def _note(
    connection: Connection, now: datetime, by: _By, action: str, row: Any, **detail: Any
) -> None:
    if by.who != by.name:
        detail["by"] = by.name
    audit.write(
        connection,
        now,
        by.who,
        action,
        candidate_id=row["candidate_id"],
        about=f"message:{row['id']}",
        **detail,
    )


def _ring(connection: Connection, rows: Collection[Any], now: datetime) -> None:
    alarm.ring(connection, {row["candidate_id"] for row in rows}, now)


def what_now(project: Project, connection: Connection, id_: int) -> str:
    """What becomes of it as things stand: `Waits until Mon 23 Nov 10:10 (Lisbon): ...`"""
    row = approvals.letter(connection, id_)
    planned = project.planner.view(connection, row["candidate_id"]) if row is not None else None
    if row is None or planned is None:
        return ""
    key = (row["enrollment_id"], row["step"], row["occurrence"])
    zone = zone_of(planned.facts.candidate, project.config)
    for item in planned.agenda.items:
        if tuple(item.key) == key:
            return sentence(item.verdict, item.reason, item.detail, at=item.at, zone=zone)
    return ""
