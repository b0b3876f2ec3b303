"""How does a command say in the audit log what it did?"""

from typing import Any

from nurture.engine.project import Project
from nurture.store import audit
from nurture.store.database import Connection


def recorded(
    project: Project,
    connection: Connection,
    action: str,
    by: str,
    *,
    candidate_id: int | None = None,
    about: str | None = None,
    **detail: Any,
) -> None:
    """`by`: as they named themselves, or their login name; on a command line anybody may say that
    they are anybody, so `who` is the command line."""
    audit.write(
        connection,
        project.clock.now(),
        audit.COMMAND_LINE,
        action,
        candidate_id=candidate_id,
        about=about,
        by=by,
        **detail,
    )
