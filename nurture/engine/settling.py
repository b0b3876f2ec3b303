"""Did it arrive? A person who looked says what became of mails that are in doubt.

Said to have been sent, a mail stays what it was: counted, and never sent again. Said to have been
lost, it is decided again, as if it had never been handed over: hours, caps, `until` and whether the
candidate still wants it are asked anew, and it goes with the same Message-ID, so that a receiver
who did get it can tell.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nurture.core.model import Message, MessageState, Promise
from nurture.engine.backup import put_held_in_doubt
from nurture.engine.project import Project
from nurture.engine.promising import as_made, promised_in
from nurture.errors import NurtureError
from nurture.store import promises, settling
from nurture.store.database import Connection
from nurture.store.reading import load
from nurture.store.sections import sections_of


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A mail of which nobody knows whether it arrived, and all that is known of it."""

    id: int
    message_id: str  #: the header, as the server's log has it
    candidate: str
    campaign: str
    step: str
    template: str  #: `a+b` where it was several in one mail
    category: str
    left_at: datetime  #: when it was handed over, or would have been
    attempts: int
    said: str  #: by the server, or why nobody can tell
    facts: dict[str, Any]  #: the candidate's, for their zone

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "facts"}


#: Of what was being handed over when its process died, nothing else is known.
_DIED = "handed over, and the process ended before an answer was recorded"


def doubts(project: Project, before: datetime | None = None) -> list[Doubt]:
    """All that wait for somebody's word, oldest first; with `before`, those that left earlier.

    What was told late of a time that a restore lost is among them from now on."""
    put_held_in_doubt(project)
    with project.database.read() as connection:
        rows = settling.in_doubt(connection, before)
        said = sections_of(connection, [row["id"] for row in rows])
    return [
        Doubt(
            id=row["id"],
            message_id=row["message_id"],
            candidate=row["ref"],
            campaign=row["campaign"],
            step=said[row["id"]][0]["step"] if row["id"] in said else "",
            template="+".join(each["template"] for each in said.get(row["id"], ())),
            category=row["category"],
            left_at=row["sent_at"],
            attempts=row["attempts"],
            said=row["detail"].get("said") or _DIED,
            facts=row["facts"],
        )
        for row in rows
    ]


def settle(project: Project, ids: Collection[int], *, sent: bool, by: str) -> None:
    """Either all of these or none. Raises NurtureError where one is not in doubt (any more)."""
    now = project.clock.now()
    with project.database.write() as connection:
        rows = settling.claim(connection, ids)
        states = {row["id"]: row["state"] for row in rows}
        for id_ in ids:
            if states.get(id_) != MessageState.UNKNOWN:
                said = f"it is {states[id_]}" if id_ in states else "there is no such message"
                raise NurtureError(f"message {id_} is not in doubt, {said}; none was settled")
        if sent:
            settling.was_sent(connection, rows, by, now)
            promises.make(connection, _promised(project, connection, rows), now)
        else:
            settling.was_not(connection, rows, by, now)


def _promised(project: Project, connection: Connection, rows: Sequence[Any]) -> list[Promise]:
    """What these mails promised: it was no debt while nobody knew whether anyone had heard it."""
    everyone = load(connection, {row["candidate_id"] for row in rows})
    said = sections_of(connection, [row["id"] for row in rows])
    campaigns, team = project.library.campaigns, project.config.sender.email
    made = []
    for row in rows:
        facts = everyone[row["candidate_id"]]
        subjects = {each.id: each.subject for each in facts.enrollments}
        calendar = project.letters.calendars.of(facts.candidate)
        for section in said.get(row["id"], ()):
            message = Message(
                id=row["id"],
                message_id=row["message_id"],
                state=MessageState.SENT,
                created_at=row["created_at"],
                **section,
            )
            promised = promised_in(campaigns, message) if message.campaign in campaigns else None
            if promised is not None:
                subject = subjects[section["enrollment_id"]]
                made.append(
                    as_made(promised, message, facts, subject, calendar, row["sent_at"], team)
                )
    return made
