"""Which mails have to be inlined one by one, and what in them is the reason?

CSS is inlined once for all who take the same branches, and values are filled in afterwards. What
makes other text of text that already has values in it leaves nothing to fill in: each such mail
takes some 15 ms more. It is right all the same, so this is only told.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import TemplateError, nodes

from nurture.authoring.parts import parts_of
from nurture.errors import Problem
from nurture.rendering.captured import rewritten
from nurture.rendering.errors import RenderError
from nurture.rendering.renderer import Renderer
from nurture.rendering.shapes import Written
from nurture.rendering.templates import Template, parsed

_COST = "so the CSS of each mail is inlined for it alone, which takes milliseconds"
_HINT = "put it on each value: {{ candidate.first_name | upper }}"


def slow_mails(
    template: Template, renderer: Renderer, words: Mapping[str, Any]
) -> Iterator[Problem]:
    """`words` are those of somebody of whom everything is known."""
    body = parts_of(template)[-1]
    try:
        found = list(rewritten(parsed(template.body)))
    except TemplateError:
        return
    for node in found:
        line = template.body.split("\n")[: node.lineno - 1]
        offset = sum(len(each) + 1 for each in line)
        name = node.name if isinstance(node, nodes.Filter) else _filter_of(node)
        message = f"| {name} is put over text that values stand in, {_COST}"
        yield body.problem(offset, "slow-mail", message, _HINT, "warning")
    if not found and not template.markdown and _is_alone(template, renderer, words):
        message = f"a value stands where the inliner writes something else, {_COST}"
        hint = "the style sheet gives this element a width, height, bgcolor or align of its own"
        yield body.problem(0, "slow-mail", message, hint, "warning")


def slow_layout(source: str) -> Iterator[tuple[int, str]]:
    """Filters of a layout over what is filled in: their lines, and what is wrong with each."""
    try:
        tree = parsed(source)
    except TemplateError:
        return
    for each in tree.find_all(nodes.Filter):
        over = each.node
        if (
            isinstance(over, nodes.Getattr)
            and isinstance(over.node, nodes.Name)
            and over.node.name == "fixed"
        ):
            yield each.lineno, f"| {each.name} is put over fixed.{over.attr}, {_COST}"


def _filter_of(block: Any) -> str:
    return str(block.filter.name)


def _is_alone(template: Template, renderer: Renderer, words: Mapping[str, Any]) -> bool:
    try:
        mail = renderer.render(template.name, words, candidate_id=0, locale=template.locale)
    except RenderError:  # which is told already
        return False
    return isinstance(mail.html_part, Written)
