"""What does a template ask of its reader? The objects and fields that it names, found once.

Some facts cost something to work out, and most letters say none of them.
"""

from collections.abc import Iterable, Mapping

from jinja2 import TemplateSyntaxError, nodes

from nurture.rendering.context import TEMPLATE_FINDS, VOCABULARY, Named, in_templates
from nurture.rendering.letter_parts import LETTER_PARTS
from nurture.rendering.sandbox import TemplateEnvironment
from nurture.rendering.templates import Template

_ENVIRONMENT = TemplateEnvironment()
_WORDS = in_templates(VOCABULARY)
_OF_A_DICT = frozenset({"get", "items", "keys", "values"})


def named_in(template: Template) -> Named:
    """By object its fields; all of them where the template takes the object as a whole."""
    found: dict[str, set[str]] = {}
    sources = (template.body, template.subject, template.preheader, *template.facts)
    try:
        trees = [_ENVIRONMENT.parse(source) for source in sources if "{" in source]
    except TemplateSyntaxError:
        return _WORDS  # rendering it says what is wrong
    for tree in trees:
        for name, fields in _named(tree):
            found.setdefault(name, set()).update(fields)
    return found


def _named(tree: nodes.Template) -> Iterable[tuple[str, Iterable[str]]]:
    fields: Mapping[int, str] = {
        id(each.node): each.attr
        for each in tree.find_all(nodes.Getattr)
        if isinstance(each.node, nodes.Name)
    }
    for name in tree.find_all(nodes.Name):
        if name.name in LETTER_PARTS:
            yield from LETTER_PARTS[name.name].reads.items()
        if name.name in TEMPLATE_FINDS:
            yield name.name, ()
        if name.name in _WORDS:
            field = fields.get(id(name))
            if field is None or field in _OF_A_DICT:
                yield name.name, _WORDS[name.name]
            else:
                yield name.name, (field,)
