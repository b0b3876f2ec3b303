"""What may a template do with text that it has rendered itself? What it could do with any text.

Rendered text (of a macro, of `{% set x %}...{% endset %}`, within `{% filter upper %}`) has tokens
in the place of values, see slots.py. Whoever asks something of it, compares it or puts a filter
over it means what is read there. Asking costs nothing. A filter that makes other text of it leaves
nothing to fill in: such a mail is one person's, and its CSS is inlined for them alone.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.runtime import Context
from jinja2.utils import _PassArg
from markupsafe import Markup

from nurture.rendering.letter_parts import LETTER_PARTS
from nurture.rendering.repeated import LetterCode, LetterContext
from nurture.rendering.sandbox import TemplateEnvironment
from nurture.rendering.slots import Slots

_READ, _SAID = "_read", "_said"  # filters that are written here; authors may not
_CAPTURES = (nodes.Macro, nodes.CallBlock, nodes.AssignBlock)
#: Filters that make other text of a text; those that leave it as it is; all others ask.
_REWRITE = frozenset({"upper", "lower", "title", "capitalize", "trim"})
_KEEP = frozenset({"default", "d", "join", "string"})


class LetterEnvironment(TemplateEnvironment):
    """Of templates whose values become tokens: `_slots` in the context has them."""

    code_generator_class = LetterCode
    context_class = LetterContext

    def __init__(
        self,
        printed: Callable[[Context, Any], str],
        said: Callable[[LetterContext, int, Any], None],
        *,
        repeats: bool,
    ) -> None:
        super().__init__(finalize=printed)
        self.printed = printed
        self.said = said
        self.repeats = repeats  # whether the first tokens are free for repeated.py
        self.filters = {
            name: each if name in _KEEP or name.startswith("_") else _over_text(name, each)
            for name, each in self.filters.items()
        }
        self.filters |= {_READ: _read, _SAID: _said}

    def _generate(
        self, source: nodes.Template, name: Any, filename: Any, defer_init: bool = False
    ) -> str:
        if next(source.find_all(_CAPTURES), None) is not None:
            _ask_what_is_read(source)
        return super()._generate(source, name, filename, defer_init)


def rewritten(tree: nodes.Template) -> Iterator[nodes.Node]:
    """Where a filter makes other text of text that the template has rendered."""
    macros = {each.name for each in tree.find_all(nodes.Macro)}
    captured = {
        each.target.name
        for each in tree.find_all(nodes.AssignBlock)
        if isinstance(each.target, nodes.Name)
    }
    for block in tree.find_all((nodes.FilterBlock, nodes.AssignBlock)):
        over: Any = block
        prints = any(
            not isinstance(each, nodes.TemplateData)
            for output in block.find_all(nodes.Output)
            for each in output.nodes
        )
        if prints and over.filter is not None and over.filter.name in _REWRITE:
            yield over
    for each in tree.find_all(nodes.Filter):
        over = each.node
        known = captured
        if isinstance(over, nodes.Call):
            over, known = over.node, macros | {"caller", "button", "ask", *LETTER_PARTS}
        if each.name in _REWRITE and isinstance(over, nodes.Name) and over.name in known:
            yield each


def _over_text(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    passed = _PassArg.from_obj(original) is _PassArg.context

    @pass_context
    @wraps(original)
    def filtered(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        rendered = isinstance(value, Markup)
        if rendered:
            slots: Slots = context.parent["_slots"]
            value = slots.written(value) if name in _REWRITE else slots.read(value)
        given = (context, value) if passed else (value,)
        result = original(*given, *args, **kwargs)
        # As markup again: what values brought is escaped, and the rest is the author's.
        return Markup(result) if rendered and name in _REWRITE else result  # noqa: S704

    filtered.jinja_pass_arg = _PassArg.context  # type: ignore[attr-defined]
    return filtered


@pass_context
def _read(context: Context, value: Any) -> Any:
    """What is compared, tested or taken apart: text as it is read."""
    return context.parent["_slots"].read(value) if isinstance(value, Markup) else value


@pass_context
def _said(context: Context, value: Any) -> Any:
    """What is asked whether it is there: text that reads as nothing is nothing."""
    return "" if isinstance(value, Markup) and not _read(context, value) else value


def _ask_what_is_read(tree: nodes.Template) -> None:
    for compare in list(tree.find_all(nodes.Compare)):
        compare.expr = _through(_READ, compare.expr)
        for operand in compare.ops:
            operand.expr = _through(_READ, operand.expr)
    taken: list[Any] = list(tree.find_all((nodes.Test, nodes.Getitem)))
    for node in taken:
        node.node = _through(_READ, node.node)
    asked: list[Any] = list(tree.find_all((nodes.If, nodes.CondExpr)))
    for node in asked:
        node.test = _through(_SAID, node.test)
    either: list[Any] = list(tree.find_all((nodes.And, nodes.Or)))
    for node in either:
        node.left = _through(_SAID, node.left)
    for negated in list(tree.find_all(nodes.Not)):
        negated.node = _through(_SAID, negated.node)


def _through(name: str, node: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
