"""How does a task of a person come to its end? Ticked off, or by what came of a call."""

from datetime import datetime
from typing import Any

from nurture.core.calling import OUTCOMES
from nurture.errors import UsageError
from nurture.intake.apply import apply_within
from nurture.intake.events import parse_event
from nurture.store import desk, history
from nurture.store.database import Connection
from nurture.store.tables import CALL


def finish(
    connection: Connection, row: Any, outcome: str | None, by: str | None, now: datetime
) -> bool:
    """Tick off an open task, a row of `history.task_row`; of a call, by what came of it, told as
    an event by the one who rang. Whether it is done: a call that reached nobody stays open for
    another try.

    Raises UsageError for a call without an outcome, for an outcome that there is none of, and for
    an outcome of what is no call.
    """
    if (row["kind"] == CALL) != (outcome is not None):
        raise UsageError(f"task {row['id']} is {'a' if row['kind'] == CALL else 'no'} call")
    if outcome is None:
        desk.finish_task(connection, row["id"], now)
    elif outcome in OUTCOMES:
        _take_call(connection, row, outcome, by, now)
    else:
        raise UsageError(f"what came of a call is one of {', '.join(OUTCOMES)}")
    after = history.task_row(connection, row["id"])
    return after is None or after["state"] != "open"


def _take_call(
    connection: Connection, row: Any, outcome: str, by: str | None, now: datetime
) -> None:
    """A call is a contact like any other: history, caps and silence are told of it."""
    contact = {"kind": "call", "outcome": outcome, "task": row["id"], "person": by}
    event: dict[str, Any] = {
        "type": "contact.logged",
        "source": "tasks",
        "id": f"call-{row['id']}-{row['tries'] + 1}",
        "candidate": {"id": row["ref"]},
        "contact": {name: value for name, value in contact.items() if value is not None},
    }
    if row["application"] is not None:
        event["application"] = {"id": row["application"]}
    apply_within(connection, parse_event(event), now)
