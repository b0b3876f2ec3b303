"""What came of a call? The open call tasks that it was an answer to."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from nurture.core import calling
from nurture.store.tables import CALL, tasks


class Rang(NamedTuple):
    """Somebody rang a candidate."""

    candidate_id: int
    application: str | None
    task: int | None  #: the call task that they say it was
    outcome: str  #: spoke | voicemail | no_answer | wrong_number
    at: datetime


def answer(connection: Connection, rang: Rang) -> None:
    """Count it for the call task that it was, or else for those that it may have been: open ones
    of that application (of any, where none is named). Nobody can have been told two things by one
    conversation of which it is not known what it was about, so that closes none of several.
    """
    query = select(tasks.c.id, tasks.c.tries).where(
        tasks.c.candidate_id == rang.candidate_id, tasks.c.kind == CALL, tasks.c.state == "open"
    )
    if rang.task is not None:
        query = query.where(tasks.c.id == rang.task)
    else:
        query = query.where(tasks.c.created_at <= rang.at)
        if rang.application is not None:
            query = query.where(tasks.c.application == rang.application)
    found = connection.execute(query).all()
    if len(found) > 1 and rang.outcome == "spoke":
        return
    for row in found:
        tries = row.tries + 1
        over = calling.closed_by(rang.outcome, tries)
        connection.execute(
            update(tasks)
            .where(tasks.c.id == row.id)
            .values(
                outcome=rang.outcome,
                tries=tries,
                state="done" if over else "open",
                done_at=rang.at if over else None,
            )
        )
