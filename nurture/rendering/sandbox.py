"""What may a template do? Very little, and never much of it.

Jinja's immutable sandbox keeps templates away from Python. What it leaves open is closed here: what
eats memory or time (`'a' * 10**9`, `center(10**9)`, endless loops) and what reads times in the
wrong zone (`starts_at.hour`, `strftime`).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import _PassArg
from markupsafe import Markup

from nurture.rendering.budget import TEXT_MAX, Budget, refuse, weigh


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILTER_NAMES = _words(
    "abs capitalize count d default first float int join last length list lower map max min "
    "reject rejectattr round select selectattr sort string sum title trim unique upper"
)
TEST_NAMES = _words(
    "boolean defined divisibleby eq equalto even false ge gt greaterthan in iterable le lessthan "
    "lower lt mapping ne none number odd sequence string true undefined upper"
)
_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset({"capitalize", "endswith", "lower", "startswith", "strip", "title", "upper"}),
    dict: frozenset({"get", "items", "keys", "values"}),
}
_TAGS_ALONE = re.compile(r"^[ \t]*((?:\{%(?:(?!%\}).)*%\}[ \t]*)+)\n", re.MULTILINE)
_NUMBER_MAX = 10**15
_PAGE_MAX = 2 * TEXT_MAX  # a whole page, with its layout
_DEEPEST = 60  # Python, which templates become, ends at about three times as much
_LOOPS_DEEPEST = 5
_DIGITS_MAX = 10


class Missing(StrictUndefined):
    """A fact that is not known: an error wherever it is used, but `{% if interview.url %}` and
    `== "video"` may ask for it, as conditions may. Misspelt names are found by the checker."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False

    def __eq__(self, other: object) -> bool:  # type: ignore[override]
        return self is other

    def __ne__(self, other: object) -> bool:  # type: ignore[override]
        return self is not other

    __hash__ = StrictUndefined.__hash__  # type: ignore[assignment]


class RunContext(Context):
    """What one run of a template knows, and what it may still do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.budget = Budget()


class SandboxedCode(CodeGenerator):
    """`a ~ b` through `TemplateEnvironment.joined`: Jinja's own would put a value raw beside the
    markup of a macro. Lists are paid for where they are written."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        self.write("environment.joined(context, (")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        self.write("context.budget.built(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        self.write("context.budget.built(")
        super().visit_Dict(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        if node.ctx != "load":  # what a loop or {% set %} gives names to
            super().visit_Tuple(node, frame)
            return
        self.write("context.budget.built(")
        super().visit_Tuple(node, frame)
        self.write(")")


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Strict about missing names; autoescaping, so that a macro's markup is told from a value."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    code_generator_class = SandboxedCode
    context_class = RunContext

    def __init__(self, finalize: Callable[[Context, Any], Any] | None = None) -> None:
        super().__init__(
            autoescape=True,
            undefined=Missing,
            finalize=finalize,
            keep_trailing_newline=True,
        )
        self.filters = {name: _counted(FILTERS[name]) for name in FILTER_NAMES}
        self.filters |= {"join": _counted(_join), "round": _round, "sum": _sum}
        self.filters |= {_ROUNDS: _each_counted, _STEP: _step}
        self.tests = {name: TESTS[name] for name in TEST_NAMES}
        self.globals = {"range": _range}

    def _parse(self, source: str, name: Any, filename: Any) -> nodes.Template:
        """What only Python's own limits would end is a mistake in the template like any other."""
        lines = source.split("\n")
        longest = max(range(len(lines)), key=lambda number: len(lines[number])) + 1
        try:
            tree = super()._parse(source, name, filename)
            problem = _too_deep(tree)
        except RecursionError:
            problem = "nested too deeply", longest
        except ValueError:  # a number of thousands of digits
            problem = "a number is too long", longest
        if problem is not None:
            raise TemplateSyntaxError(problem[0], problem[1], name, filename)
        return tree

    def preprocess(self, source: str, name: str | None = None, filename: str | None = None) -> str:
        """A line of nothing but `{% ... %}` leaves no blank line behind: a blank line is a new
        paragraph to Markdown. The line end goes into a comment, so that line numbers stay."""
        return super().preprocess(_TAGS_ALONE.sub(r"\1{#\n#}", source), name, filename)

    def _generate(
        self, source: nodes.Template, name: Any, filename: Any, defer_init: bool = False
    ) -> str:
        """Python for the tree, in which every round of a loop and every call of a macro costs as
        much as there is to do in it."""
        for loop in list(source.find_all(nodes.For)):
            cost = nodes.Const(_size(loop.body), lineno=loop.lineno)
            loop.iter = _filter(_ROUNDS, loop.iter, cost)
        macros: list[Any] = list(source.find_all((nodes.Macro, nodes.CallBlock)))
        for macro in macros:
            cost = nodes.Const(_size(macro.body), lineno=macro.lineno)
            paid = nodes.ExprStmt(_filter(_STEP, cost), lineno=macro.lineno)
            macro.body = [paid, *macro.body]
        return super()._generate(source, name, filename, defer_init)

    def concat(self, pieces: Iterable[str]) -> str:
        """Jinja's own, for what `{% set %}...{% endset %}`, a macro or a page is made of."""
        kept, length = [], 0
        for piece in pieces:
            kept.append(piece)
            length += len(piece)
            if length > _PAGE_MAX:
                refuse("a text grew too long")
        return "".join(kept)

    def call(self, context: RunContext, obj: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        context.budget.step()
        result = super().call(context, obj, *args, **kwargs)
        return context.budget.built(result) if isinstance(result, str | list) else result

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
        if attr in _METHODS.get(type(obj), ()):
            return True
        return type(obj).__module__ == "jinja2.runtime" and not attr.startswith("_")

    def wrap_str_format(self, value: Any) -> None:
        """`format` is a method like any other that is not for templates: `{:1000000000}`."""

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        if isinstance(obj, date):
            return self.undefined(
                "a time is shown with | when, | day or | clock, in the reader's zone and language",
                exc=SecurityError,
            )
        return self.undefined(f'"{attribute}" is not for templates', exc=SecurityError)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict and attribute in obj:
            return obj[attribute]  # a field called `items` is the field, not the method
        return super().getattr(obj, attribute)

    def call_binop(  # type: ignore[override]
        self, context: RunContext, operator: str, left: Any, right: Any
    ) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return self.joined(context, (left, right))
        if operator == "**":
            refuse("** is not for templates")
        if operator in "*%" and not (_is_number(left) and _is_number(right)):
            refuse(f"{operator} is for numbers only")
        result = super().call_binop(context, operator, left, right)
        if _is_number(result) and abs(result) > _NUMBER_MAX:
            refuse("a number grew too large")
        return context.budget.built(result)

    def joined(self, context: RunContext, parts: tuple[Any, ...]) -> str:
        """The parts as one text; beside markup, every value is printed as a value."""
        if any(isinstance(part, Markup) for part in parts) and self.finalize is not None:
            text: str = Markup("").join(
                part if isinstance(part, Markup) else Markup(self.finalize(context, part))  # noqa: S704
                for part in parts
            )
        else:
            if sum(weigh(part) for part in parts) > TEXT_MAX:
                refuse("a text grew too long")
            text = "".join(str(part) for part in parts)
        context.budget.built(text)
        return text


def _too_deep(tree: nodes.Template) -> tuple[str, int] | None:
    """What no template needs and Python would choke on: why, and on which line."""
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while waiting:
        node, depth, loops = waiting.pop()
        line = getattr(node, "lineno", 1) or 1
        if depth > _DEEPEST:
            return "nested too deeply", line
        if isinstance(node, nodes.For):
            loops += 1
            if node.recursive:
                return "a loop cannot be recursive", line
            if loops > _LOOPS_DEEPEST:
                return f"more than {_LOOPS_DEEPEST} loops within each other", line
        waiting += [(child, depth + 1, loops) for child in node.iter_child_nodes()]
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


_ROUNDS, _STEP = "_rounds", "_step"  # filters that `_generate` writes; authors may not


def _filter(name: str, node: Any, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _size(body: list[nodes.Node]) -> int:
    """How much there is to do in it, once."""
    return sum(1 + sum(1 for _ in node.find_all(nodes.Node)) for node in body)


@pass_context
def _each_counted(context: RunContext, items: Iterable[Any], cost: int) -> Iterator[Any]:
    for item in items:
        context.budget.step(cost)
        yield item


@pass_context
def _step(context: RunContext, cost: int) -> None:
    context.budget.step(cost)


@pass_context
def _range(context: RunContext, *bounds: int) -> range:
    rounds = range(*bounds)
    if len(bounds) > 0 and abs(max(bounds, key=abs)) > _NUMBER_MAX:
        refuse("a number grew too large")
    context.budget.rounds(len(rounds))
    return rounds


def _counted(original: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose result is paid for; given what the original one asks to be given."""
    wanted = _PassArg.from_obj(original)

    @pass_context
    @wraps(original)
    def counted(context: RunContext, *args: Any, **kwargs: Any) -> Any:
        context.budget.step()
        if wanted is _PassArg.context:
            args = (context, *args)
        elif wanted is _PassArg.eval_context:
            args = (context.eval_ctx, *args)
        elif wanted is _PassArg.environment:
            args = (context.environment, *args)
        return context.budget.built(original(*args, **kwargs))

    counted.jinja_pass_arg = _PassArg.context  # type: ignore[attr-defined]
    return counted


@pass_context
def _join(context: RunContext, value: Any, d: str = "", attribute: Any = None) -> Any:
    items = list(value)
    if len(items) * (len(str(d)) + 1) + weigh(items) > TEXT_MAX:
        refuse("a text grew too long")
    return FILTERS["join"](context.eval_ctx, items, d, attribute)


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    if not isinstance(precision, int) or abs(precision) > _DIGITS_MAX:
        refuse(f"| round keeps {_DIGITS_MAX} digits at most")
    return FILTERS["round"](value, precision, method)


@pass_context
def _sum(context: RunContext, value: Any, attribute: Any = None, start: float = 0) -> Any:
    items = list(value)
    if not _is_number(start) or any(isinstance(item, list | tuple) for item in items):
        refuse("| sum is for numbers only")
    return FILTERS["sum"](context.environment, items, attribute, start)
