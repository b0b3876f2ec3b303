"""Which words are good that a project has for mail to its own people?"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from nurture.authoring.parts import parts_of
from nurture.authoring.words import complaints_of
from nurture.config import Config
from nurture.errors import Problem
from nurture.rendering.errors import RenderError
from nurture.rendering.links import Signer
from nurture.rendering.notices import ITEM, VOCABULARY, Notices, load_notices, standard_notices
from nurture.rendering.templates import Template

_LINK = "https://example.com/"
_AT = datetime(2026, 9, 22, 9, tzinfo=UTC)


def good_notices(
    config: Config, before: Mapping[str, Template]
) -> tuple[Mapping[str, Template], list[Problem]]:
    """The words in force, by key, and what is wrong with the project's files: where one has
    errors, its words of `before` stay, or the standard ones."""
    standard = standard_notices()
    own, problems = load_notices(config.root)
    good: dict[str, Template] = {}
    for key, template in own.items():
        known = template == before.get(key) or template == standard.get(key)
        wrong = [] if known else _problems(template, config, own)
        problems += wrong
        if not wrong:
            good[key] = template
    broken = {problem.file for problem in problems}
    kept = {key: each for key, each in before.items() if each.file in broken}
    return {**standard, **good, **kept}, problems


def _problems(template: Template, config: Config, every: Mapping[str, Template]) -> list[Problem]:
    words, own = VOCABULARY[template.name]
    problems = [
        part.problem(one.offset, one.code, one.message, one.hint)
        for part in parts_of(template)
        for one in complaints_of(part.source, words, own)
    ]
    if template.ask or template.calendar:
        problems.append(
            Problem(
                file=template.file,
                code="not-yet",
                message="mail to our own people asks nothing, and says nothing to calendars",
                hint="remove `ask` and `calendar`",
            )
        )
    return problems or _tried(template, config, every)


def _tried(template: Template, config: Config, every: Mapping[str, Template]) -> list[Problem]:
    """Written once with everything there is, and once with nothing."""
    writer = Notices(config, Signer([b"trial" * 8]), {**every, template.name: template})
    for full in (True, False):
        try:
            writer.write(
                template.name,
                sample(template.name, full=full),
                to=("Ida Berg", "ida@example.com"),
                message_id="<trial@example.com>",
                at=_AT,
            )
        except RenderError as error:
            return [
                Problem(
                    file=template.file,
                    line=error.line or 1,
                    code="template-syntax",
                    message=error.why,
                )
            ]
    return []


def sample(name: str, *, full: bool) -> dict[str, Any]:
    """A value for every word that this notice knows, or nothing wherever there may be nothing."""
    objects, single = VOCABULARY[name]
    item = {field: _LINK if field == "link" else "said" for field in ITEM}

    def value(thing: str, field: str, kind: str) -> Any:
        if kind == "list":
            return [item, item] if full else []
        if thing == "pages" or field == "link":
            return _LINK
        return "said" if full else ""

    values: dict[str, Any] = {
        thing: {field: value(thing, field, kind) for field, kind in fields.items()}
        for thing, fields in objects.items()
    }
    return {**values, **dict.fromkeys(single - {"button"}, "said")}
