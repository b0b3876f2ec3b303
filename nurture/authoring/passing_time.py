"""When does a comparison with how long ago something was change? Not each day: once.

`days_since(x) >= 30` asks for a number that changes every day, and its answer changes on one day.
Looking again at everybody every day until then would be polling.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from jinja2 import nodes

_DAY = timedelta(days=1)
_UNITS = {"hours_since": timedelta(hours=1), "days_since": _DAY}
_NUMBER = (int, float)

Evaluate = Callable[[Mapping[str, Any]], Any]
Test = Callable[[Any, Any], Any]


def passing(left: nodes.Expr, right: nodes.Expr) -> bool:
    """Whether this compares how long ago something was with a number."""
    return _unit(left) is not None and _number(right) is not None


def compared(
    call: nodes.Expr, number: nodes.Expr, ago: Evaluate, since: Evaluate, test: Test
) -> Evaluate:
    """The comparison, which leaves in `_changes` when its own value changes next, if it does.

    `ago` is the compiled call, which leaves the instant at which the number of units changes next;
    `since` is its compiled argument.
    """
    unit, limit = _unit(call), _number(number)
    assert unit is not None and limit is not None  # noqa: S101, PT018 - see `passing`

    def compare(context: Mapping[str, Any]) -> bool:
        changes: list[datetime] = context.get("_changes", [])
        before = len(changes)
        value = ago(context)
        if not isinstance(value, int):
            return False
        answer = bool(test(value, limit))
        if len(changes) == before + 1 and math.isfinite(limit):
            next_unit = changes.pop()
            turn = next(
                (
                    units
                    for units in (math.floor(limit), math.floor(limit) + 1)
                    if units > value and bool(test(units, limit)) != answer
                ),
                None,
            )
            if turn is not None:
                by_calendar = unit == _DAY and not isinstance(since(context), datetime)
                zone = context.get("_zone") if by_calendar else None
                changes += _later(next_unit, (turn - value - 1) * unit, zone)
        return answer

    return compare


def _later(at: datetime, by: timedelta, zone: tzinfo | None) -> list[datetime]:
    """The instant so much later; with a zone, by its wall clock. None beyond the end of time."""
    try:
        return [(at.astimezone(zone) + by).astimezone(at.tzinfo) if zone is not None else at + by]
    except OverflowError:
        return []


def _unit(node: nodes.Expr) -> timedelta | None:
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and len(node.args) == 1:
        return _UNITS.get(node.node.name)
    return None


def _number(node: nodes.Expr) -> float | None:
    if isinstance(node, nodes.Neg):
        inner = _number(node.node)
        return None if inner is None else -inner
    if isinstance(node, nodes.Const) and type(node.value) in _NUMBER:
        return node.value  # type: ignore[no-any-return]
    return None
