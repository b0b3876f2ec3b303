"""Whom do the mailers of a comparison write to? The same people, letter and history for all.

One campaign of three mails, the first of which is due for everybody; a letter of 28 KB on the wire
with values, a loop and branches; ten mails to each in the thirty days before, which the caps see.
"""

import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select, text

from bench.workload import BEFORE, CAPS, COMMON, DUE, Reader, earlier, reader
from nurture import wiring
from nurture.clock import SetClock
from nurture.engine.project import Project
from nurture.engine.sender import Sender, until_idle
from nurture.intake.apply import apply_all
from nurture.intake.events import IncomingEvent, parse_event
from nurture.store import schema, tables
from nurture.store.database import Database

ROOT = Path(__file__).resolve().parent.parent

_CAMPAIGN = """\
name: Letters
owner: bench@example.com
status: live
enter: {on: application.created}
leave: [{on: application.withdrawn}, {on: application.rejected}]
steps:
  - {id: letter, send: bench/letter, after: 1 hour}
  - {id: second, send: bench/second, after: 9 days}
  - {id: third, send: bench/second, after: 20 days, if: not replied()}
"""
_CONFIG = """\
transport: {{kind: smtp, host: 127.0.0.1, port: {port}, security: plain}}
database: {database}
contact_hours: {{spread: 0 minutes, holidays: none}}
caps:
{caps}
silence: {{applied: null, screening: null, interviewing: null}}
{more}
"""
_HEAD = """\
---
subject: "{{ candidate.first_name }}, the next step for {{ job.title }}"
preheader: What happens next
category: help
---

Dear {{ candidate.first_name }},

we read what you sent on {{ application.applied_at | day }}.

"""
_PARAGRAPH = """\
## What to expect, part %d

{%% if application.source %%}You came to us by {{ application.source }}.{%% endif %%} On the way to
**{{ job.title }}** in {{ job.location }} you talk with {{ recruiter.name }}, who answers whatever
you ask. We read what you sent, every page of it, and {{ company.name }} tells you what comes next,
{{ candidate.first_name }}, whatever it is.

- *Bring* a question about {{ job.department }}, and one about the people you would work with.
- *Leave* the portfolio at home: we have it, and we know it by heart.

[Read about part %d](https://example.com/parts/%d?from={{ application.stage }})

"""
#: As many as give about 28 KB on the wire.
_PARAGRAPHS = 16
#: What is not about people stays when they are removed.
_NOT_PEOPLE = frozenset({"revisions", "releases", "stops", "throttles", "processes", "marks"})


def project(
    at: Path,
    port: int,
    database: str = "sqlite:///var/nurture.db",
    more: str = "",
    now: datetime = BEFORE,
) -> Project:
    """A project of this one campaign, opened before anything is due. `more`: lines of its
    config.yaml."""
    for folder in ("campaigns", "templates/bench"):
        (at / folder).mkdir(parents=True)
    shutil.copytree(ROOT / "templates/layouts", at / "templates/layouts")
    (at / "campaigns/letters.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    (at / "templates/bench/letter.md").write_text(letter(), encoding="utf-8")
    (at / "templates/bench/second.md").write_text(_HEAD + "Soon.\n", encoding="utf-8")
    config = at / "config.yaml"
    words = {"port": port, "database": database, "caps": _caps(), "more": more}
    config.write_text(_CONFIG.format(**words), encoding="utf-8")
    if database.startswith("postgresql"):
        rows = Database(database)
        schema.upgrade(rows)
        rows.close()
    return wiring.open_project(config, SetClock(now), env={})


def _caps() -> str:
    hours = [(at_most, per // timedelta(hours=1)) for at_most, per in CAPS]
    return "\n".join(f"  - {{at_most: {many}, per: {per} hours}}" for many, per in hours)


def letter() -> str:
    """The template."""
    return _HEAD + "".join(_PARAGRAPH % (n, n, n) for n in range(1, _PARAGRAPHS + 1))


def enroll(into: Project, sender: Sender, numbers: Iterable[int]) -> None:
    """These are in the campaign, nothing is due yet, and each has a history. The clock then stands
    where the first mail of each is due."""
    clock = into.clock
    assert isinstance(clock, SetClock)
    clock.set(BEFORE)
    numbers = list(numbers)
    apply_all(into.database, [applied(str(each), reader(each), BEFORE) for each in numbers], BEFORE)
    give_history(into, [f"c-{number}" for number in numbers], earlier())
    until_idle(into.planner, sender)
    clock.set(DUE)


def clear(project: Project) -> None:
    """Nobody is known any more, as in a new database."""
    with project.database.write() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table.name not in _NOT_PEOPLE:
                connection.execute(delete(table))


def settle(project: Project) -> None:
    """What a server at work has long done by itself with rows that came all at once."""
    if project.database.dialect == "postgresql":
        with project.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("VACUUM ANALYZE"))


def sent(project: Project) -> int:
    """How many of the letters left, by the ledger."""
    query = select(func.count()).where(
        tables.messages.c.template == "bench/letter", tables.messages.c.state == "sent"
    )
    with project.database.read() as connection:
        return connection.execute(query).scalar_one()


def applied(key: str, who: Reader, at: datetime) -> IncomingEvent:
    """Somebody applied at this instant. `key` is in every name of theirs."""
    return parse_event(
        {
            "type": "application.created",
            "source": "bench",
            "id": f"e-{key}",
            "occurred_at": at.isoformat(),
            "candidate": {
                "id": f"c-{key}",
                "email": who.email,
                "first_name": who.first_name,
                "timezone": "Europe/Lisbon",
                "country": "PT",
            },
            "application": {
                "id": f"a-{key}",
                "stage": COMMON["stage"],
                "source": who.source,
                "applied_at": at.isoformat(),
                "job": {
                    "id": "j-1",
                    "title": COMMON["job_title"],
                    "location": COMMON["location"],
                    "department": COMMON["department"],
                },
                "recruiter": {"email": "ida@example.com", "name": COMMON["recruiter_name"]},
            },
        }
    )


def give_history(into: Project, refs: list[str], at: list[datetime]) -> None:
    """A mail of a campaign that is over, at each of these instants, to each of these people."""
    with into.database.write() as connection:
        named: list[tuple[int, str]] = []
        for start in range(0, len(refs), 500):
            some = select(tables.candidates.c.id, tables.candidates.c.ref).where(
                tables.candidates.c.ref.in_(refs[start : start + 500])
            )
            named += connection.execute(some).tuples()
        connection.execute(insert(tables.enrollments), [_former(*each) for each in named])
        former = select(tables.enrollments.c.candidate_id, tables.enrollments.c.id).where(
            tables.enrollments.c.campaign == "former"
        )
        of = dict(connection.execute(former).tuples().all())
        mails = [
            (id_, number, _mail(id_, ref, number, then))
            for id_, ref in named
            for number, then in enumerate(at)
        ]
        query = insert(tables.messages).returning(
            tables.messages.c.id, sort_by_parameter_order=True
        )
        made = connection.execute(query, [mail for *_, mail in mails]).scalars().all()
        connection.execute(
            insert(tables.message_steps),
            [
                {
                    "enrollment_id": of[id_],
                    "step": f"s{number}",
                    "occurrence": "1",
                    "message_id": message_id,
                }
                for message_id, (id_, number, _) in zip(made, mails, strict=True)
            ],
        )


def _former(candidate_id: int, ref: str) -> dict[str, Any]:
    return {
        "candidate_id": candidate_id,
        "campaign": "former",
        "subject": f"candidate:{ref}",
        "entered_at": BEFORE - timedelta(days=40),
        "ended_at": BEFORE - timedelta(days=1),
    }


def _mail(candidate_id: int, ref: str, number: int, at: datetime) -> dict[str, Any]:
    return {
        "candidate_id": candidate_id,
        "message_id": f"<{ref}.{number}@example.com>",
        "state": "sent",
        "campaign": "former",
        "template": f"former/s{number}",
        "category": "help",
        "klass": "service",
        "created_at": at,
        "sent_at": at,
    }
