"""Whom do the mailers of a comparison write to? The same people, letter and history for all.

One campaign of three mails, the first of which is due for everybody; a letter of 28 KB on the wire
with values, a loop and branches; ten mails to each in the thirty days before, which the caps see.
"""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from nurture import wiring
from nurture.clock import SetClock
from nurture.engine.project import Project
from nurture.engine.sender import Sender, until_idle
from nurture.intake.apply import apply_all
from nurture.intake.events import IncomingEvent, parse_event
from nurture.store import tables

ROOT = Path(__file__).resolve().parent.parent
BEFORE = datetime(2026, 11, 23, 9, tzinfo=UTC)  #: when everybody is enrolled: a Monday
DUE = BEFORE + timedelta(hours=1)  #: when the first mail of each is due
HISTORY = 10  #: mails to each in the thirty days before

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
  - {{at_most: 2, per: 20 hours}}
  - {{at_most: 12, per: 30 days}}
silence: {{applied: null, screening: null, interviewing: null}}
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


def project(at: Path, port: int, database: str = "sqlite:///var/nurture.db") -> Project:
    """A project of this one campaign, opened before anything is due."""
    for folder in ("campaigns", "templates/bench"):
        (at / folder).mkdir(parents=True)
    shutil.copytree(ROOT / "templates/layouts", at / "templates/layouts")
    (at / "campaigns/letters.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    (at / "templates/bench/letter.md").write_text(letter(), encoding="utf-8")
    (at / "templates/bench/second.md").write_text(_HEAD + "Soon.\n", encoding="utf-8")
    config = at / "config.yaml"
    config.write_text(_CONFIG.format(port=port, database=database), encoding="utf-8")
    return wiring.open_project(config, SetClock(BEFORE), env={})


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
    apply_all(into.database, [_applied(number) for number in numbers], BEFORE)
    _give_history(into, numbers)
    until_idle(into.planner, sender)
    clock.set(DUE)


def _applied(number: int) -> IncomingEvent:
    return parse_event(
        {
            "type": "application.created",
            "source": "bench",
            "id": f"e-{number}",
            "occurred_at": BEFORE.isoformat(),
            "candidate": {
                "id": f"c-{number}",
                "email": f"c{number}@example.com",
                "first_name": f"Ana{number}",
                "timezone": "Europe/Lisbon",
                "country": "PT",
            },
            "application": {
                "id": f"a-{number}",
                "stage": "applied",
                "source": "a friend" if number % 3 else None,
                "applied_at": BEFORE.isoformat(),
                "job": {
                    "id": "j-1",
                    "title": "Data Engineer",
                    "location": "Lisbon",
                    "department": "Platform",
                },
                "recruiter": {"email": "ida@example.com", "name": "Ida Berg"},
            },
        }
    )


def _give_history(into: Project, numbers: list[int]) -> None:
    refs = [f"c-{number}" for number in numbers]
    with into.database.write() as connection:
        ids: list[int] = []
        for start in range(0, len(refs), 500):
            some = select(tables.candidates.c.id).where(
                tables.candidates.c.ref.in_(refs[start : start + 500])
            )
            ids += connection.execute(some).scalars()
        connection.execute(insert(tables.enrollments), [_former(id_) for id_ in ids])
        former = select(tables.enrollments.c.candidate_id, tables.enrollments.c.id).where(
            tables.enrollments.c.campaign == "former"
        )
        of = dict(connection.execute(former).tuples().all())
        mails = [_mail(id_, number) for id_ in ids for number in range(HISTORY)]
        query = insert(tables.messages).returning(
            tables.messages.c.id, sort_by_parameter_order=True
        )
        sent = connection.execute(query, mails).scalars().all()
        connection.execute(
            insert(tables.message_steps),
            [
                {
                    "enrollment_id": of[mail["candidate_id"]],
                    "step": f"s{number % HISTORY}",
                    "occurrence": "1",
                    "message_id": id_,
                }
                for number, (id_, mail) in enumerate(zip(sent, mails, strict=True))
            ],
        )


def _former(candidate_id: int) -> dict[str, Any]:
    return {
        "candidate_id": candidate_id,
        "campaign": "former",
        "subject": f"candidate:{candidate_id}",
        "entered_at": BEFORE - timedelta(days=40),
        "ended_at": BEFORE - timedelta(days=1),
    }


def _mail(candidate_id: int, number: int) -> dict[str, Any]:
    at = BEFORE - timedelta(days=3 * number + 1)
    return {
        "candidate_id": candidate_id,
        "message_id": f"<{candidate_id}.{number}@example.com>",
        "state": "sent",
        "campaign": "former",
        "template": f"former/s{number}",
        "category": "help",
        "klass": "service",
        "created_at": at,
        "sent_at": at,
    }
