"""Who can one try this out with? Invented candidates whose dates are always just about now.

`sample/events.jsonl` holds canonical events in which an instant may be written relative to today,
in the candidate's own zone: `-3d 10:00` (days), `+2bd 14:00` (Monday to Friday), `+90m`, `-2h`;
`+30d` alone is a date.
"""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nurture.errors import OutsideError, Problem, Problems, shown
from nurture.intake.events import IncomingEvent, parse_event

_DAY = re.compile(r"([+-]\d{1,3})(d|bd)(?: ([01]\d|2[0-3]):([0-5]\d))?")
_SPAN = re.compile(r"([+-]\d{1,5})(m|h)")


def sample_events(path: Path, now: datetime) -> list[IncomingEvent]:
    """The events of the file as of `now`, oldest first where they say when. Raises Problems."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OutsideError(f"sample candidates: {shown(path)} cannot be read: {error}") from error
    zones: dict[str, str] = {}
    events: list[IncomingEvent] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
            local = now.astimezone(_zone(told, zones))
            events.append(parse_event(_dated(told, local), shown(path), number))
        except Problems as found:
            problems += found.problems
        except (ValueError, AttributeError, OSError) as error:
            problems.append(
                Problem(file=shown(path), line=number, code="sample", message=str(error))
            )
    if problems:
        raise Problems(problems)
    return sorted(events, key=lambda event: event.occurred_at or now)


def _zone(told: dict[str, Any], zones: dict[str, str]) -> ZoneInfo:
    """The zone that this line, or an earlier one about the same candidate, names."""
    candidate = told.get("candidate") or {}
    ref = str(candidate.get("id"))
    zones[ref] = candidate.get("timezone") or zones.get(ref, "UTC")
    return ZoneInfo(zones[ref])


def _dated(value: Any, local: datetime) -> Any:
    if isinstance(value, dict):
        return {name: _dated(one, local) for name, one in value.items()}
    if isinstance(value, list):
        return [_dated(one, local) for one in value]
    if not isinstance(value, str):
        return value
    if span := _SPAN.fullmatch(value):
        unit = timedelta(minutes=1) if span[2] == "m" else timedelta(hours=1)
        return (local.astimezone(UTC) + int(span[1]) * unit).isoformat()
    if day := _DAY.fullmatch(value):
        on = _business_day(local.date(), int(day[1])) if day[2] == "bd" else None
        on = on or local.date() + timedelta(days=int(day[1]))
        if day[3] is None:
            return on.isoformat()
        at = datetime.combine(on, time(int(day[3]), int(day[4])), local.tzinfo)
        return at.astimezone(UTC).isoformat()
    return value


def _business_day(day: date, count: int) -> date:
    step = timedelta(days=1 if count > 0 else -1)
    for _ in range(abs(count)):
        day += step
        while day.weekday() >= 5:
            day += step
    return day
