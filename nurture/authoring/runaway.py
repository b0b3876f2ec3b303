"""Would this text ever come to an end, whoever it is written for?

It is written once for nobody: every fact is a stand-in, every branch is taken, each loop over facts
goes round three times, within the same budget as a real mail. What runs away here would have run
away at night. Facts that do not fit each other are no problem here: `words` looks after names.
"""

from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateError, Undefined, nodes
from jinja2.exceptions import SecurityError

from nurture.rendering.budget import TEXT_MAX, refuse
from nurture.rendering.sandbox import TemplateEnvironment

#: Nodes without which nothing grows and nothing is reached for.
_HARMFUL: tuple[type[nodes.Node], ...] = (
    nodes.For,
    nodes.Macro,
    nodes.CallBlock,
    nodes.Block,
    nodes.Assign,
    nodes.AssignBlock,
    nodes.Mul,
    nodes.Pow,
    nodes.Mod,
    nodes.Add,
    nodes.Concat,
    nodes.List,
    nodes.Dict,
)
#: Filters that can do much, or anything.
_WORKING = frozenset(
    {"round", "map", "select", "reject", "selectattr", "rejectattr", "join", "sum"}
)


def runaway(source: str, tree: nodes.Template) -> tuple[int, str, str] | None:
    """Line, code and message of what would never end, grow without end, or reach for Python.

    `tree` is what `source` was parsed to; it is left as it is.
    """
    if not _is_suspicious(tree):
        return None
    try:
        compiled = _DRY.compile(source, filename=_HERE)
        template = _DRY.template_class.from_code(_DRY, compiled, _DRY.make_globals(None))
        length = 0
        for piece in template.generate({}):
            length += len(piece)
            if length > TEXT_MAX:
                refuse("a text grew too long")
    except SecurityError as error:
        said = str(error)
        code = "template-syntax" if "not for templates" in said else "runaway"
        return _line_of(error), code, said
    except RecursionError as error:
        return _line_of(error), "runaway", "it calls itself"
    except (SyntaxError, MemoryError):
        return 1, "runaway", "nested too deeply"
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
        return None  # stand-ins cannot do all that facts can
    return None


def _is_suspicious(tree: nodes.Template) -> bool:
    if any(True for _ in tree.find_all(_HARMFUL)):
        return True
    return (
        any(
            isinstance(call.node, nodes.Getattr) or getattr(call.node, "name", "") == "range"
            for call in tree.find_all(nodes.Call)
        )
        or any(
            getattr(found, "attr", "").startswith("_") or getattr(found, "name", "") in _WORKING
            for found in tree.find_all((nodes.Getattr, nodes.Filter))
        )
        or any(
            isinstance(item.arg, nodes.Const) and str(item.arg.value).startswith("_")
            for item in tree.find_all(nodes.Getitem)
        )
    )


class _Anything(Undefined):
    """Stands for every fact: true, text, a number, and a list of three."""

    __slots__ = ()

    def _self(self, *_: Any, **__: Any) -> "_Anything":
        return self

    def __getattr__(self, name: str) -> "_Anything":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter((self, self, self))

    def __str__(self) -> str:
        return "something"

    def __len__(self) -> int:
        return 3

    def __bool__(self) -> bool:
        return True

    def __int__(self) -> int:  # type: ignore[override]
        return 3

    def __float__(self) -> float:  # type: ignore[override]
        return 3.0

    def __hash__(self) -> int:
        return 3

    def __eq__(self, other: object) -> bool:
        return self is other

    def __lt__(self, _: object) -> bool:  # type: ignore[override]
        return False

    __gt__ = __le__ = __ge__ = __lt__  # type: ignore[assignment]
    __call__ = __getitem__ = _self  # type: ignore[assignment]
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _self  # type: ignore[assignment]
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _self  # type: ignore[assignment]
    __mod__ = __rmod__ = __neg__ = __pos__ = _self  # type: ignore[assignment]


class _DryRun(TemplateEnvironment):
    """Takes every branch, and refuses what real mail would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.undefined = _Anything
        self.filters |= dict.fromkeys(("when", "day", "clock"), _text)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        for branch in list(source.find_all(nodes.If)):
            asked = nodes.ExprStmt(branch.test, lineno=branch.lineno)
            others = [node for each in branch.elif_ for node in each.body]
            branch.test = nodes.Const(True, lineno=branch.lineno)
            branch.body = [asked, *branch.body, *others, *branch.else_]
            branch.elif_, branch.else_ = [], []
        return super()._generate(source, *args, **kwargs)

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(obj, _Anything):
            return obj
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        # A fact may be a text where this needs a number; what is written out is what it is.
        if isinstance(left, _Anything):
            left = 3 if not isinstance(right, str) or operator != "+" else str(left)
        if isinstance(right, _Anything):
            right = 3 if not isinstance(left, str) or operator != "+" else str(right)
        return super().call_binop(context, operator, left, right)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, _Anything) and not attribute.startswith("_"):
            return obj
        return refuse(f'"{attribute}" is not for templates')


def _text(value: object) -> str:
    return str(value)


_DRY = _DryRun()
_HERE = "<dry run>"


def _line_of(error: Exception) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _HERE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
