"""How much may one template do for one person? Enough for any letter, and an end to all else.

Work is counted where it is done: rounds of loops, calls, what is built from text and lists. Whoever
spends more than there is gets a SecurityError that says of what it was too much. Nothing is
interrupted from outside, so the same template ends at the same place on every machine.
"""

from typing import Any, NoReturn

from jinja2.exceptions import SecurityError

TEXT_MAX = 200_000  #: characters of one text, with everything that a list holds
_STEPS_MAX = 50_000  # what stands within loops and macros, counted each time it is done
_CHARACTERS_MAX = 3_000_000  # of all texts that were built, also those thrown away
_ROUNDS_MAX = 1_000  # of `range` loops


class Budget:
    """What one run of one template has left."""

    def __init__(self) -> None:
        self._steps = _STEPS_MAX
        self._characters = _CHARACTERS_MAX
        self._rounds = _ROUNDS_MAX

    def step(self, steps: int = 1) -> None:
        self._steps -= steps
        if self._steps < 0:
            refuse("it never comes to an end: loops or macros do too much")

    def rounds(self, rounds: int) -> None:
        self._rounds -= rounds
        if self._rounds < 0:
            refuse(f"too many rounds of a loop: range goes to {_ROUNDS_MAX:,}")

    def built(self, value: Any) -> Any:
        """`value`, paid for. Lists within lists count with all they hold."""
        weight = weigh(value)
        if weight > TEXT_MAX:
            refuse("a text grew too long")
        self._characters -= weight
        if self._characters < 0:
            refuse("too much text is built")
        return value


def weigh(value: Any) -> int:
    """About how many characters it has when printed; stops counting beyond TEXT_MAX."""
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, list | tuple | dict):
        return 1
    weight, waiting = 0, [value]
    while waiting and weight <= TEXT_MAX:
        each = waiting.pop()
        weight += len(each) + 1
        for item in each.values() if isinstance(each, dict) else each:
            if isinstance(item, list | tuple | dict):
                waiting.append(item)
                weight += 1
            else:
                weight += len(item) if isinstance(item, str) else 1
            if weight > TEXT_MAX:
                break
    return weight


def refuse(why: str) -> NoReturn:
    raise SecurityError(why)
