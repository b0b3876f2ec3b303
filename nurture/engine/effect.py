"""What does a held edit do, and to whom? For the person who is to let it through."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nurture.engine.held import about
from nurture.engine.project import Project
from nurture.engine.rewording import changes
from nurture.store import releases
from nurture.store.database import Connection
from nurture.store.releases import Release, Waiting

#: Mails that are looked at: where more wait, numbers say so.
LOOKED_AT = 1_000
#: People who are named as examples.
NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Mails:
    """One step for which mail waits."""

    campaign: str
    step: str
    template: str | None  #: None: no mail of the version in force
    people: int


@dataclass(frozen=True, kw_only=True)
class Effect:
    row: Release
    about: str  #: `welcome`, or what a row of several campaigns is about
    changes: tuple[str, ...]  #: what is written otherwise, in the file's words
    people: int  #: for whom mail waits, as far as they are counted and planned
    more: bool  #: and there are more
    limit: int | None  #: so many may get mail at once without a word; None: not of one campaign
    steps: tuple[Mails, ...]
    examples: tuple[Waiting, ...]


def effects(project: Project, connection: Connection, name: str | None = None) -> list[Effect]:
    """Of everything that is held, being counted, or going by and by; or of this row alone."""
    return [
        _effect(project, connection, row)
        for row in releases.rows(connection)
        if row.state != releases.RELEASED and name in (None, row.campaign)
    ]


def _effect(project: Project, connection: Connection, row: Release) -> Effect:
    waiting = releases.who_waits(connection, row.campaign, LOOKED_AT)
    first: dict[int, Waiting] = {}
    for each in waiting:
        first.setdefault(each.candidate_id, each)
    own = row.campaign in project.library.campaigns
    return Effect(
        row=row,
        about=about(vars(row)),
        changes=tuple(_changes(project, connection, row)) if own else (),
        people=max(len(first), row.due if row.state != releases.SPREADING else 0),
        # Whoever counted stopped at the first who was too many.
        more=len(waiting) == LOOKED_AT or row.state == releases.COUNTING,
        limit=project.config.release_limit(releases.enrolled(connection, row.campaign))
        if own
        else None,
        steps=_steps(project, waiting),
        examples=tuple(first.values())[:NAMED],
    )


def _changes(project: Project, connection: Connection, row: Release) -> list[str]:
    kinds: Mapping[str, Any] = row.detail.get("kinds", {})
    before = project.planner.guard.version(connection, row.campaign, row.before, kinds)
    if before is None:
        return []
    after = project.library.campaigns[row.campaign]
    return [each.text for each in changes(before, after, set())]


def _steps(project: Project, waiting: list[Waiting]) -> tuple[Mails, ...]:
    """The most people first."""
    people: dict[tuple[str, str], set[int]] = {}
    for each in waiting:
        people.setdefault((each.campaign, each.step), set()).add(each.candidate_id)
    found = [
        Mails(
            campaign=campaign,
            step=step,
            template=template_of(project, campaign, step),
            people=len(own),
        )
        for (campaign, step), own in people.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.people, each.campaign, each.step)))


def template_of(project: Project, campaign: str, step: str) -> str | None:
    """What a step sends in the version in force."""
    known = project.library.campaigns.get(campaign)
    return (
        next((each.send for each in known.every_step() if each.id == step), None) if known else None
    )
