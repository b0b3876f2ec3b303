"""What may a template do? Very little, and never much of it.

Jinja's immutable sandbox keeps templates away from Python. What it leaves open is closed here: what
eats memory or time (`'a' * 10**9`, `center(10**9)`, endless loops) and what reads times in the
wrong zone (`starts_at.hour`, `strftime`).
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Undefined, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from markupsafe import Markup


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
TEXT_MAX = 200_000  #: characters of one text
_TAGS_ALONE = re.compile(r"^[ \t]*((?:\{%(?:(?!%\}).)*%\}[ \t]*)+)\n", re.MULTILINE)
_NUMBER_MAX = 10**15
_ROUNDS_MAX = 1_000  #: of `range` loops, in one template for one person


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


class _Code(CodeGenerator):
    """`a ~ b` through `TemplateEnvironment.joined`: Jinja's own would put a value raw beside the
    markup of a macro."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        self.write("environment.joined(context, (")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Strict about missing names; autoescaping, so that a macro's markup is told from a value."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    code_generator_class = _Code

    def __init__(self, finalize: Callable[[Context, Any], Any] | None = None) -> None:
        super().__init__(
            autoescape=True,
            undefined=Missing,
            finalize=finalize,
            keep_trailing_newline=True,
        )
        self.filters = {name: FILTERS[name] for name in FILTER_NAMES}
        self.tests = {name: TESTS[name] for name in TEST_NAMES}
        self.globals = {"range": _range}

    def preprocess(self, source: str, name: str | None = None, filename: str | None = None) -> str:
        """A line of nothing but `{% ... %}` leaves no blank line behind: a blank line is a new
        paragraph to Markdown. The line end goes into a comment, so that line numbers stay."""
        return super().preprocess(_TAGS_ALONE.sub(r"\1{#\n#}", source), name, filename)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
        return attr in _METHODS.get(type(obj), ()) or type(obj).__module__ == "jinja2.runtime"

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

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return self.joined(context, (left, right))
        if operator == "**":
            _refuse("** is not for templates")
        if operator in "*%" and not (_is_number(left) and _is_number(right)):
            _refuse(f"{operator} is for numbers only")
        result = super().call_binop(context, operator, left, right)
        if _is_number(result) and abs(result) > _NUMBER_MAX:
            _refuse("a number grew too large")
        return result

    def joined(self, context: Context, parts: tuple[Any, ...]) -> str:
        """The parts as one text; beside markup, every value is printed as a value."""
        if any(isinstance(part, Markup) for part in parts) and self.finalize is not None:
            text: str = Markup("").join(
                part if isinstance(part, Markup) else Markup(self.finalize(context, part))  # noqa: S704
                for part in parts
            )
        else:
            text = "".join(str(part) for part in parts)
        if len(text) > TEXT_MAX:
            _refuse("a text grew too long")
        return text


def filtered_markup(tree: nodes.Template) -> nodes.Node | None:
    """The first block of text that a filter is put over.

    Values stand in rendered text as tokens, so that `{% filter upper %}` would change the token
    and not the name that it stands for.
    """
    for node in tree.find_all((nodes.FilterBlock, nodes.AssignBlock)):
        if isinstance(node, nodes.FilterBlock):
            return node
        if isinstance(node, nodes.AssignBlock) and node.filter is not None:
            return node
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _refuse(why: str) -> NoReturn:
    raise SecurityError(why)


@pass_context
def _range(context: Context, *bounds: int) -> range:
    rounds = range(*bounds)
    spent = context.parent["_rounds"]
    spent[0] += len(rounds)
    if spent[0] > _ROUNDS_MAX:
        _refuse("too many rounds of a loop")
    return rounds
