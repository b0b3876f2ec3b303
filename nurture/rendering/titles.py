"""What do people here call a letter? By its subject, with … for what is each reader's own."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from jinja2 import TemplateSyntaxError, nodes

from nurture.rendering.renderer import Renderer
from nurture.rendering.sandbox import TemplateEnvironment

_ENVIRONMENT = TemplateEnvironment()
_OWN = "…"


def called(renderer: Renderer, name: str) -> str:
    """The title of the letter of this name, or of each part of `a+b`; its name, where the subject
    is no help."""
    found = [(part, renderer.template(part, None)) for part in name.split("+")]
    return " + ".join((title_of(each.subject) if each else "") or part for part, each in found)


@lru_cache(maxsize=4096)
def title_of(subject: str) -> str:
    """`Your interview on …`. Where the subject has several forms it is the last of them: a template
    says first what is for few, such as people who wish for discretion. Empty: it says nothing that
    is the same for all."""
    try:
        tree = _ENVIRONMENT.parse(subject)
    except TemplateSyntaxError:
        return ""
    parts = [part for part, _ in groupby(_parts(tree.body))]
    said = " ".join("".join(parts).split())
    return said if said.strip(f"{_OWN} .,:;!?-–") else ""


def _parts(body: Iterable[nodes.Node]) -> Iterator[str]:
    for node in body:
        if isinstance(node, nodes.Output):
            for each in node.nodes:
                yield each.data if isinstance(each, nodes.TemplateData) else _OWN
        elif isinstance(node, nodes.If):
            yield from _parts(node.else_ or node.body)
        elif isinstance(node, nodes.For):
            yield _OWN
