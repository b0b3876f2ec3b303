"""Where in its file does a campaign say what is wrong with it? From steps to line and column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nurture.core.model import Step
from nurture.errors import Problem
from nurture.positions import Place, read_yaml


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A problem, by its place in the campaign and not yet in the file."""

    at: Place
    code: str
    message: str
    hint: str = ""
    severity: str = "warning"
    item: str | None = None  #: of a list at that place, the one that says this
    offset: int = 0  #: the character of the text at that place


def located(file: str, source: str, found: Sequence[Finding]) -> list[Problem]:
    """The findings as problems, each where the campaign's file says it."""
    if not found:
        return []
    data, positions = read_yaml(source, file)
    problems = []
    for one in found:
        if one.at[-1] == "category" and one.at not in positions:
            continue  # it is the template's own, and told there
        place = _of_item(one, data)
        line, column = positions.inside(place, one.offset) if one.offset else positions.at(place)
        problems.append(
            Problem(
                file=file,
                line=line,
                column=column,
                code=one.code,
                message=one.message,
                hint=one.hint,
                severity=one.severity,
            )
        )
    return problems


def steps_with_places(
    steps: tuple[Step, ...], path: Place = ("steps",)
) -> Iterator[tuple[Step, Place]]:
    """Every step, those within branches too, with its place in the file."""
    for index, step in enumerate(steps):
        yield step, (*path, index)
        if step.branch is not None:
            yield from steps_with_places(step.branch.then, (*path, index, "then"))
            yield from steps_with_places(step.branch.otherwise, (*path, index, "else"))


def _of_item(one: Finding, data: Any) -> Place:
    if one.item is None:
        return one.at
    for part in one.at:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return one.at
    return (*one.at, data.index(one.item)) if isinstance(data, list) else one.at
