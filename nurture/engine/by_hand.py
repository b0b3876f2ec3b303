"""What would come of it, or has come of it, that a person decides about a step? In two agendas."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nurture.core.model import Event, Verdict
from nurture.engine.hindsight import hindsight
from nurture.engine.outlook import Entry, outlook
from nurture.engine.project import Project
from nurture.intake.events import IncomingEvent

_NOTICEABLE = timedelta(seconds=1)
_OPEN = (Verdict.SEND, Verdict.WAIT)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One step, as an agenda said it and as another says it."""

    before: Entry | None  #: None: it was not there
    after: Entry | None  #: None: it is there no more


def foreseen(project: Project, who: str, event: IncomingEvent) -> Sequence[Change]:
    """What this event would change for this candidate, as far as the agenda looks ahead. Nothing
    is written."""
    now = project.clock.now()
    before = outlook(project, who, ahead=None)
    if before is None:
        return ()
    supposed = Event(
        id=2**62,
        type=event.type,
        candidate_id=before.candidate.id,
        occurred_at=now,
        received_at=now,
        source=event.source,
        data=event.payload(),
    )
    after = outlook(project, who, ahead=None, supposing=[supposed])
    return _changes(before.ahead, after.ahead) if after is not None else ()


def changed(project: Project, who: str, since: datetime) -> Sequence[Change]:
    """What of this candidate's agenda is not as it was on record at that instant."""
    before, after = hindsight(project, who, since), outlook(project, who, ahead=None)
    if before is None or after is None:
        return ()
    return _changes(before.ahead, (*after.past, *after.ahead))


def _changes(before: Iterable[Entry], after: Iterable[Entry]) -> Sequence[Change]:
    was = {_key(each): each for each in before}
    now_is = {_key(each): each for each in after}
    gone = {key: was[key] for key in was.keys() - now_is.keys()}
    come = {key: each for key, each in now_is.items() if key not in was and each.verdict in _OPEN}
    pairs: list[tuple[Entry | None, Entry | None]] = [
        (was[key], now_is[key]) for key in was.keys() & now_is.keys()
    ]
    for key, new in come.items():  # of the same step, another occurrence: its date has moved
        old = next((each for each in gone if each[:2] == key[:2]), None)
        pairs.append((gone.pop(old) if old is not None else None, new))
    found = [
        Change(before=old, after=new)
        for old, new in [*pairs, *((each, None) for each in gone.values())]
        if _differs(old, new)
    ]
    return sorted(found, key=_when)


def _key(entry: Entry) -> tuple[int | None, str, str | None]:
    return entry.enrollment, entry.step, entry.occurrence


def _differs(old: Entry | None, new: Entry | None) -> bool:
    """As people would see it. What has no date yet, and a forecast, they do not count on."""
    if old is None or new is None:
        only = old or new
        return only is not None and only.at is not None and not only.about
    if (old.verdict, old.reason) != (new.verdict, new.reason):
        return old.at is not None or new.at is not None or new.verdict is not Verdict.WAIT
    if new.verdict is not Verdict.WAIT or new.about or old.at is None or new.at is None:
        return False
    return abs(new.at - old.at) > _NOTICEABLE


def _when(change: Change) -> tuple[bool, float]:
    entry = change.after or change.before
    at = entry.at if entry is not None else None
    return at is None, at.timestamp() if at is not None else 0.0
