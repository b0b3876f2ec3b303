"""Which mail asked? What an answer needs to know of the message that its link came with."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from nurture.store.tables import enrollments, message_steps, messages


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A mail as its answer sees it."""

    id: int
    message_id: str  #: the Message-ID header
    template: str
    campaign: str
    application: str | None
    steps: tuple[tuple[int, str], ...]  #: enrollment and step of everything it carried


def find_asked(connection: Connection, id_: int) -> Asked | None:
    """The mail of this number; None if there is none."""
    if not 0 < id_ < 2**63:
        return None
    row = connection.execute(select(messages).where(messages.c.id == id_)).mappings().first()
    if row is None:
        return None
    own = (
        select(message_steps.c.enrollment_id, message_steps.c.step, enrollments.c.application)
        .join(enrollments, enrollments.c.id == message_steps.c.enrollment_id)
        .where(message_steps.c.message_id == id_)
        .order_by(message_steps.c.enrollment_id, message_steps.c.step)
    )
    steps = connection.execute(own).all()
    return Asked(
        id=id_,
        message_id=row["message_id"],
        template=row["template"],
        campaign=row["campaign"],
        application=row["application"] or next((s.application for s in steps), None),
        steps=tuple((each.enrollment_id, each.step) for each in steps),
    )
