"""Where in a template's file does each of its parts stand?

Asked only when something is wrong: then the front matter is read once more, for its positions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from nurture.config import Config
from nurture.errors import Problem
from nurture.positions import Positions, did_you_mean, read_yaml
from nurture.rendering.templates import Template

Spot = tuple[int, int]


class Front:
    """Lines and columns in the front matter of one template."""

    def __init__(self, template: Template) -> None:
        self.template = template

    @cached_property
    def _positions(self) -> Positions:
        text = self.template.source.removeprefix("\ufeff")
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        front = "\n".join(lines[1 : self.template.first_line - 2])
        return read_yaml(front, self.template.file, first_line=2)[1]

    def value(self, key: str) -> Spot:
        return self._positions.at((key,))

    def key(self, key: str) -> Spot:
        """Of the key itself; of the first line where the file does not have it."""
        return self._positions.key((key,)) if (key,) in self._positions else (1, 1)

    def inside(self, place: tuple[str | int, ...], offset: int) -> Spot:
        return self._positions.inside(place, offset)


@dataclass(frozen=True)
class Part:
    """One Jinja text of a template: its subject, its preheader, a fact or its body."""

    name: str  #: subject | preheader | facts | body
    source: str
    file: str
    where: Callable[[int], Spot]

    def problem(
        self, offset: int, code: str, message: str, hint: str = "", severity: str = "error"
    ) -> Problem:
        line, column = self.where(offset)
        return Problem(
            file=self.file,
            line=line,
            column=column,
            code=code,
            message=message,
            hint=hint,
            severity=severity,
        )


def parts_of(template: Template) -> list[Part]:
    """Every text of a template that a reader may see, in the order of the file."""
    front = Front(template)

    def in_front(*place: str | int) -> Callable[[int], Spot]:
        return lambda offset: front.inside(place, offset)

    def in_body(offset: int) -> Spot:
        line = template.body.count("\n", 0, offset)
        column = offset - (template.body.rfind("\n", 0, offset) + 1) + 1
        return template.first_line + line, column

    facts = [
        Part("facts", fact, template.file, in_front("facts", number))
        for number, fact in enumerate(template.facts)
    ]
    return [
        Part("subject", template.subject, template.file, in_front("subject")),
        Part("preheader", template.preheader, template.file, in_front("preheader")),
        *facts,
        Part("body", template.body, template.file, in_body),
    ]


def at_key(template: Template, key: str, code: str, message: str, hint: str = "") -> Problem:
    """A problem with what the front matter says under `key`."""
    line, column = Front(template).value(key)
    return Problem(
        file=template.file, line=line, column=column, code=code, message=message, hint=hint
    )


def unknown_category(template: Template, config: Config) -> list[Problem]:
    if template.category in config.categories:
        return []
    hint = did_you_mean(template.category, config.categories)
    hint = hint or f"known: {', '.join(config.categories)}"
    message = f'"{template.category}"'
    return [at_key(template, "category", "unknown-category", message, hint)]
