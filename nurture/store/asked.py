"""Which mail asked? What an answer needs to know of the message that its link came with."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from nurture.store.sections import sections_of
from nurture.store.tables import enrollments, messages


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A mail, or a section of one, as its answer sees it."""

    id: int
    message_id: str  #: the Message-ID header
    template: str
    campaign: str
    application: str | None
    enrollment: int
    step: str


def find_asked(connection: Connection, id_: int) -> tuple[Asked, ...]:
    """What the mail of this number said, section by section; nothing if there is none."""
    if not 0 < id_ < 2**63:
        return ()
    header = connection.execute(select(messages.c.message_id).where(messages.c.id == id_)).scalar()
    said = sections_of(connection, [id_]).get(id_, [])
    own = {row["enrollment_id"] for row in said}
    query = select(enrollments.c.id, enrollments.c.application).where(enrollments.c.id.in_(own))
    applications = {row.id: row.application for row in connection.execute(query)}
    return tuple(
        Asked(
            id=id_,
            message_id=header or "",
            template=row["template"],
            campaign=row["campaign"],
            application=row["application"] or applications.get(row["enrollment_id"]),
            enrollment=row["enrollment_id"],
            step=row["step"],
        )
        for row in said
    )
