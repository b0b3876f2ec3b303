"""What does an edit change, and for whom? The working files against those in force, in words.

Whom it makes mail due for at once is told by the same comparison that the guard counts with.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nurture.core.agenda import Item
from nurture.core.model import Campaign, Facts, Verdict
from nurture.core.release import Gate, by_todays_ids, can_release, former, only_words
from nurture.engine.former import THE_DAEMONS, version_of
from nurture.engine.guard import BATCH
from nurture.engine.planner import Planner
from nurture.engine.project import IN_FORCE, Project
from nurture.engine.rewording import Change, changes, head, written
from nurture.store import planning, releases
from nurture.store.database import Connection

#: People who are named; the rest is counted.
NAMED = 20


@dataclass(frozen=True, kw_only=True)
class Move:
    """Whose next mail of the campaign comes at another time, or is another."""

    candidate: str
    was_step: str | None
    was_at: datetime | None
    step: str | None
    at: datetime | None
    due: bool  #: it is due now


@dataclass(frozen=True, kw_only=True)
class Edit:
    campaign: str
    kind: str  #: new | deleted | changed
    changes: tuple[Change, ...]
    enrolled: int
    affected: int  #: people for whom some step comes otherwise, or in other words
    due_at_once: int
    limit: int  #: release_at_most, of those enrolled
    moves: tuple[Move, ...]
    more: int  #: moves that are not named

    @property
    def held(self) -> bool:
        return self.due_at_once > self.limit

    def as_json(self) -> dict[str, Any]:
        return {
            "campaign": self.campaign,
            "kind": self.kind,
            "changes": [{**each._asdict(), "text": each.text} for each in self.changes],
            "enrolled": self.enrolled,
            "affected": self.affected,
            "due_at_once": self.due_at_once,
            "release_at_most": self.limit,
            "held": self.held,
            "moves": [_json(each) for each in self.moves],
            "more_moves": self.more,
        }


def compare(project: Project, progress: Callable[[float], None]) -> list[Edit]:
    """Every campaign that the working files would change, by name. Writes nothing; `progress`
    hears what share of the people is looked at."""
    with project.database.read() as connection:
        ever = planning.mark(connection, IN_FORCE) is not None
    if not ever:  # nothing is in force yet: all is new, and nobody is under way
        return [_all_new(project, each) for each in project.library.campaigns.values()]
    with version_of(project, THE_DAEMONS, "config.yaml", {}) as version:
        was, old = version.library.campaigns, version.library.templates
    now, new = project.library.campaigns, project.library.templates
    reworded = {
        each.name
        for key, each in new.items()
        if key in old and (old[key].digest != each.digest or old[key].layout != each.layout)
    }
    changed = [
        name
        for name in sorted(was.keys() | now.keys())
        if _differs(was.get(name), now.get(name)) or _sends(now.get(name), reworded)
    ]
    found = []
    for number, name in enumerate(changed):

        def share(part: float, number: int = number) -> None:
            progress((number + part) / len(changed))

        words = reworded & _templates(was.get(name))
        found.append(_whole(project, was.get(name), now.get(name), words, (was, now), share))
    return found


def _whole(
    project: Project,
    before: Campaign | None,
    after: Campaign | None,
    reworded: set[str],
    versions: tuple[Mapping[str, Campaign], Mapping[str, Campaign]],
    share: Callable[[float], None],
) -> Edit:
    """One edit, with all whom it touches."""
    name = (after or before).name  # type: ignore[union-attr]  # one of them is there
    was, now = versions
    if after is not None and before is not None:
        was = {**was, name: by_todays_ids(before, after)}
    at = project.clock.now()
    affected = due = more = 0
    moves: list[Move] = []
    with project.database.read() as connection:
        total = releases.enrolled(connection, name)
        gate = _gate(project, connection, before, after)
        for seen, facts in enumerate(_people(project.planner, connection, name), 1):
            if seen % 50 == 0:
                share(seen / max(total, 1))
            old = _items(project.planner, facts, was, name, at)
            new = _items(project.planner, facts, now, name, at)
            is_due = gate is not None and project.planner.holds(facts, gate, at)
            due += is_due
            touched = _essentials(old) != _essentials(new) or any(
                item.step.send in reworded and not item.final for item in new
            )
            affected += touched
            move = _move(facts, old, new, is_due)
            if move is not None and len(moves) < NAMED:
                moves.append(move)
            elif move is not None:
                more += 1
        limit = project.config.release_limit(total)
    return Edit(
        campaign=name,
        kind="new" if before is None else "deleted" if after is None else "changed",
        changes=tuple(changes(before, after, reworded)),
        enrolled=total,
        affected=affected,
        due_at_once=due,
        limit=limit,
        moves=tuple(moves),
        more=more,
    )


def _all_new(project: Project, after: Campaign) -> Edit:
    return Edit(
        campaign=after.name,
        kind="new",
        changes=tuple(changes(None, after, set())),
        enrolled=0,
        affected=0,
        due_at_once=0,
        limit=project.config.release_limit(0),
        moves=(),
        more=0,
    )


def _gate(
    project: Project, connection: Connection, before: Campaign | None, after: Campaign | None
) -> Gate | None:
    """What would be held of it: by the version that an open release is compared with, if any."""
    if after is None or not can_release(after):
        return None
    guard = project.planner.guard
    for row in releases.rows(connection):
        if row.campaign == after.name and row.state in (releases.COUNTING, releases.HELD):
            before = guard.version(connection, row.campaign, row.before, row.detail["kinds"])
    return Gate(campaign=after.name, before=before and former(before, after))


def _people(planner: Planner, connection: Connection, name: str) -> Iterator[Facts]:
    last = 0
    while ids := releases.in_campaign(connection, name, last, BATCH):
        last = ids[-1]
        yield from planner.read(connection, ids).values()


def _items(
    planner: Planner, facts: Facts, campaigns: Mapping[str, Campaign], name: str, now: datetime
) -> list[Item]:
    try:
        agenda = planner.foresee(facts, campaigns, now)
    except Exception:  # planning sets them aside, with the reason
        return []
    return [item for item in agenda.items if item.campaign == name]


def _essentials(items: list[Item]) -> dict[Any, Any]:
    return {
        item.key: (item.verdict, item.reason, item.at, item.step.send, item.step.category)
        for item in items
    }


def _move(facts: Facts, old: list[Item], new: list[Item], due: bool) -> Move | None:
    was, now = _next(old), _next(new)
    same_step = (was and was.step.id) == (now and now.step.id)
    if same_step and (was and was.at) == (now and now.at):
        return None
    return Move(
        candidate=facts.candidate.ref,
        was_step=was.step.id if was else None,
        was_at=was.at if was else None,
        step=now.step.id if now else None,
        at=now.at if now else None,
        due=due or (now is not None and now.verdict is Verdict.SEND),
    )


def _next(items: list[Item]) -> Item | None:
    mails = [
        (item.at, item.step.id, item)
        for item in items
        if item.step.send is not None
        and item.at is not None
        and item.verdict in (Verdict.SEND, Verdict.WAIT)
    ]
    return min(mails, key=lambda mail: mail[:2])[2] if mails else None


def _json(move: Move) -> dict[str, Any]:
    def iso(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    return {
        "candidate": move.candidate,
        "from": {"step": move.was_step, "at": iso(move.was_at)},
        "to": {"step": move.step, "at": iso(move.at)},
        "due": move.due,
    }


def _differs(before: Campaign | None, after: Campaign | None) -> bool:
    if before is None or after is None:
        return before is not after
    return (
        not only_words(before, after)
        or head(before) != head(after)
        or [written(step) for step in before.every_step()]
        != [written(step) for step in after.every_step()]
    )


def _sends(campaign: Campaign | None, templates: set[str]) -> bool:
    return bool(templates & _templates(campaign))


def _templates(campaign: Campaign | None) -> set[str]:
    return {step.send for step in campaign.every_step() if step.send} if campaign else set()
