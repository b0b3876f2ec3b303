"""Is this condition true for this person, and when can time alone change that?

The grammar is Jinja's, read by Jinja's own parser; what it may contain is a closed set of nodes,
each compiled to a closure, so there is nothing to escape from: no attributes but the vocabulary's,
no calls but its functions. A fact without a value makes every comparison with it false (`!=` and
`not in` too) and never raises. Names, enum values and argument counts are checked when compiled.
"""

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from jinja2 import Environment, TemplateError, nodes
from jinja2.parser import Parser

from nurture.authoring import passing_time
from nurture.core.model import Truth
from nurture.positions import did_you_mean

LONGEST = 2_000  # characters
DEEPEST = 100  # levels


@dataclass(frozen=True)
class Complaint:
    """What is wrong in an expression, at which character of it."""

    offset: int
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Scope:
    """Which names an expression may use."""

    words: Mapping[str, Mapping[str, str]]  #: object -> field -> kind, as rendering.vocabulary
    functions: Mapping[str, int]  #: name -> number of arguments
    supplied: frozenset[str]  #: the objects of `words` that the trigger can supply
    trigger: str = "this trigger"  #: how to name it in a complaint
    questions: Mapping[str, Collection[str]] | None = None  #: id -> options; None: not known


@dataclass(frozen=True)
class CompiledCondition:
    """A core.model.Condition. Two are equal when they were written alike."""

    source: str
    names: frozenset[str] = field(compare=False)
    evaluate: Callable[[Mapping[str, Any]], Any] = field(compare=False, repr=False)

    def __call__(self, context: Mapping[str, Any]) -> Truth:
        """Its value in a context of `rendering.context`, whose `_changes` list collects the
        instants at which a time-reading function changes; the list is left as it was.
        """
        changes: list[datetime] = context.get("_changes", [])
        before = len(changes)
        value = bool(self.evaluate(context))
        # What was there before is about which interview is the next one.
        seen = changes if self.names & {"interview"} else changes[before:]
        changes_at = min(seen, default=None)
        del changes[before:]
        return Truth(value=value, changes_at=changes_at)


def compile_condition(
    source: str, scope: Scope
) -> tuple[CompiledCondition | None, list[Complaint]]:
    """The condition, or None and everything that is wrong with it."""
    if not source.strip():
        return None, [Complaint(0, "expression", "a condition is expected here")]
    if len(source) > LONGEST:
        return None, [Complaint(0, "expression", f"longer than {LONGEST} characters")]
    try:
        parser = Parser(Environment(autoescape=True), source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            return None, [_leftover(source, str(parser.stream.current.value))]
        compiler = _Compiler(source, scope)
        evaluate = compiler.compile(tree)
    except TemplateError as error:
        return None, [_unreadable(source, error.message or "this cannot be read")]
    except RecursionError:
        return None, [Complaint(0, "expression", "nested too deeply")]
    if compiler.complaints:
        return None, sorted(set(compiler.complaints), key=lambda one: (one.offset, one.message))
    return CompiledCondition(source, frozenset(compiler.names), evaluate), []


class _Missing:
    """A fact without a value."""

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()
Evaluate = Callable[[Mapping[str, Any]], Any]

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}
_TIME_FUNCTIONS = ("hours_since", "days_since")


class _Compiler:
    def __init__(self, source: str, scope: Scope) -> None:
        self.source = source
        self.scope = scope
        self.complaints: list[Complaint] = []
        self.names: set[str] = set()
        self.unquoted: set[int] = set()  #: names in comparisons that can only be meant as text
        self.depth = 0

    def compile(self, node: nodes.Expr) -> Evaluate:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            return self._refuse("", "expression", _NOT_HERE.get(type(node).__name__, _ELSE))
        if self.depth == DEEPEST:  # what is read here must also be evaluated, on any stack
            raise RecursionError
        self.depth += 1
        compiled: Evaluate = method(node)
        self.depth -= 1
        return compiled

    # --- values

    def _const(self, node: nodes.Const) -> Evaluate:
        value = node.value
        if value is None:
            message = "none is not for conditions"
            return self._refuse("none", "expression", message, "ask `... is defined`")
        return lambda _: value

    def _tuple(self, node: nodes.Tuple | nodes.List) -> Evaluate:
        items = [self.compile(item) for item in node.items]
        return lambda context: tuple(item(context) for item in items)

    _list = _tuple

    def _name(self, node: nodes.Name) -> Evaluate:
        name = node.name
        if id(node) in self.unquoted:
            message = f"{name} is text, and text needs quotes"
            return self._refuse(name, "unquoted-word", message, f'write "{name}"')
        if name in self.scope.functions:
            message = f"{name} is a function"
            return self._refuse(name, "expression", message, f"write {name}()")
        if self._object(name):
            fields = ", ".join(sorted(self.scope.words[name]))
            message = f'"{name}" alone says nothing; use one of its fields'
            return self._refuse(name, "expression", message, f"known: {fields}")
        return _missing

    def _getattr(self, node: nodes.Getattr) -> Evaluate:
        if not isinstance(node.node, nodes.Name):
            return self._refuse(node.attr, "unknown-name", f'nothing has a field "{node.attr}"')
        name, attr = node.node.name, node.attr
        if not self._object(name):
            return _missing
        fields = self.scope.words[name]
        if attr not in fields:
            hint = did_you_mean(attr, fields) or f"known: {', '.join(sorted(fields))}"
            message = f'{name} has no field "{attr}"'
            return self._refuse(f"{name}.{attr}", "unknown-name", message, hint)

        def read(context: Mapping[str, Any]) -> Any:
            thing = context.get(name)
            value = thing.get(attr) if isinstance(thing, Mapping) else None
            return MISSING if value is None else value

        return read

    def _object(self, name: str) -> bool:
        words, supplied = self.scope.words, self.scope.supplied
        if name not in words:
            hint = did_you_mean(name, [*words, *self.scope.functions])
            hint = hint or f"known: {', '.join(sorted(words))}"
            self._refuse(name, "unknown-name", f'there is no "{name}"', hint)
            return False
        if name not in supplied:
            message = f"{self.scope.trigger} has no {name}"
            self._refuse(name, "not-supplied", message, f"it has {', '.join(sorted(supplied))}")
            return False
        self.names.add(name)
        return True

    def _call(self, node: nodes.Call) -> Evaluate:
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        known = self.scope.functions
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {', '.join(sorted(known))}"
            what = f'no function "{name}"' if name else "only functions can be called"
            return self._refuse(name, "unknown-name", what, hint)
        if node.kwargs or node.dyn_args or node.dyn_kwargs or len(node.args) != known[name]:
            message = f"{name} takes {known[name] or 'no'} argument{'s' * (known[name] != 1)}"
            return self._refuse(name, "expression", message)
        if name in _TIME_FUNCTIONS and self._kind(node.args[0]) not in (
            "instant",
            "date",
            "unknown",
        ):
            message = f"{name} takes a time, such as {name}(application.applied_at)"
            return self._refuse(name, "expression", message)
        if name == "answered":
            self._check_question(node.args[0])
        arguments = [self.compile(argument) for argument in node.args]

        def call(context: Mapping[str, Any]) -> Any:
            values = [argument(context) for argument in arguments]
            if name not in context or any(value is MISSING for value in values):
                return MISSING
            try:
                result = context[name](*values)
            except (TypeError, ValueError, OverflowError):  # a list where a word was expected
                return MISSING
            return MISSING if result is None else result

        return call

    # --- operators

    def _and(self, node: nodes.And) -> Evaluate:
        left, right = self.compile(node.left), self.compile(node.right)
        return lambda context: bool(left(context)) and bool(right(context))

    def _or(self, node: nodes.Or) -> Evaluate:
        left, right = self.compile(node.left), self.compile(node.right)
        return lambda context: bool(left(context)) or bool(right(context))

    def _not(self, node: nodes.Not) -> Evaluate:
        inner = self.compile(node.node)
        return lambda context: not inner(context)

    def _neg(self, node: nodes.Neg) -> Evaluate:
        inner = self.compile(node.node)
        return lambda context: _minus(0, inner(context))

    def _sub(self, node: nodes.Sub) -> Evaluate:
        left, right = self.compile(node.left), self.compile(node.right)
        return lambda context: _minus(left(context), right(context))

    def _test(self, node: nodes.Test) -> Evaluate:
        inner = self.compile(node.node)
        if node.name == "defined":
            return lambda context: inner(context) is not MISSING
        if node.name in ("undefined", "none"):
            return lambda context: inner(context) is MISSING
        message = f'"is {node.name}" is not for conditions'
        return self._refuse(node.name, "expression", message, "known: is defined, is undefined")

    def _filter(self, node: nodes.Filter) -> Evaluate:
        if node.name != "length" or node.node is None or node.args or node.kwargs:
            message = f'"| {node.name}" is not for conditions'
            return self._refuse(node.name, "expression", message, "known: | length")
        inner = self.compile(node.node)

        def length(context: Mapping[str, Any]) -> Any:
            value = inner(context)
            return len(value) if isinstance(value, str | list | tuple) else MISSING

        return length

    def _compare(self, node: nodes.Compare) -> Evaluate:
        self._find_unquoted(node)
        first = self.compile(node.expr)
        rest: list[tuple[Callable[[Any, Any], Any], Evaluate]] = []
        left: nodes.Expr = node.expr
        for operand in node.ops:
            self._check_values(left, operand)
            rest.append((_COMPARE[operand.op], self.compile(operand.expr)))
            left = operand.expr
        if len(rest) == 1:
            ((test, right),) = rest
            if passing_time.passing(node.expr, left) and isinstance(node.expr, nodes.Call):
                since = self.compile(node.expr.args[0])
                return passing_time.compared(node.expr, left, first, since, test)
            if passing_time.passing(left, node.expr) and isinstance(left, nodes.Call):
                since, swapped = self.compile(left.args[0]), _swapped(test)
                return passing_time.compared(left, node.expr, right, since, swapped)

        def compare(context: Mapping[str, Any]) -> bool:
            value = first(context)
            for test, right in rest:
                other = right(context)
                if value is MISSING or other is MISSING:
                    return False
                try:
                    if not test(value, other):
                        return False
                except TypeError:  # a text with a number
                    return False
                value = other
            return True

        return compare

    # --- checks

    def _find_unquoted(self, node: nodes.Compare) -> None:
        sides = [node.expr, *(operand.expr for operand in node.ops)]
        if not any(isinstance(side, nodes.Getattr | nodes.Call) for side in sides):
            return
        for side in sides:
            for word in side.items if isinstance(side, nodes.Tuple | nodes.List) else [side]:
                known = [*self.scope.words, *self.scope.functions]
                if isinstance(word, nodes.Name) and not did_you_mean(word.name, known):
                    self.unquoted.add(id(word))

    def _check_values(self, left: nodes.Expr, operand: nodes.Operand) -> None:
        """Texts compared with an enum must be of its values, texts are never times."""
        right = operand.expr
        if operand.op in ("in", "notin") and isinstance(right, nodes.Tuple | nodes.List):
            pairs = [(left, item) for item in right.items]
        else:
            pairs = [(left, right), (right, left)]
        for one, other in pairs:
            if not isinstance(other, nodes.Const) or not isinstance(other.value, str):
                continue
            kind = self._kind(one)
            if kind in ("instant", "date"):
                message = f'a time is not the text "{other.value}"'
                hint = "compare how long ago it is: days_since(...) > 3"
                self._refuse(other.value, "expression", message, hint)
            known = kind.removeprefix("enum:").split(",") if kind.startswith("enum:") else []
            if known and other.value not in known:
                hint = did_you_mean(other.value, known) or f"known: {', '.join(known)}"
                message = f'"{other.value}" is never a value of {self._shown(one)}'
                self._refuse(other.value, "unknown-value", message, hint)

    def _check_question(self, asked: nodes.Expr) -> None:
        questions = self.scope.questions
        if questions is None:
            return
        if not isinstance(asked, nodes.Const) or not isinstance(asked.value, str):
            message = "answered takes the id of a question, in quotes"
            self._refuse("answered", "expression", message, 'answered("coming")')
        elif asked.value not in questions:
            hint = did_you_mean(asked.value, questions)
            hint = hint or f"asked: {', '.join(sorted(questions)) or 'nothing, by any template'}"
            message = f'no template asks "{asked.value}"'
            self._refuse(asked.value, "unknown-question", message, hint)

    def _kind(self, node: nodes.Expr) -> str:
        if isinstance(node, nodes.Call) and (id_ := _asked(node)) is not None:
            options = (self.scope.questions or {}).get(id_)
            return f"enum:{','.join(options)}" if options else ""
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            fields = self.scope.words.get(node.node.name, {})
            return fields.get(node.attr, "unknown")  # complained about where it is compiled
        return ""

    @staticmethod
    def _shown(node: nodes.Expr) -> str:
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            return f"{node.node.name}.{node.attr}"
        if isinstance(node, nodes.Call) and (id_ := _asked(node)) is not None:
            return f'answered("{id_}")'
        return "this"

    def _refuse(self, near: str, code: str, message: str, hint: str = "") -> Evaluate:
        self.complaints.append(Complaint(_find(self.source, near), code, message, hint))
        return _missing


def _asked(call: nodes.Call) -> str | None:
    """The question of `answered("coming")`."""
    first = call.args[0] if len(call.args) == 1 else None
    named = isinstance(call.node, nodes.Name) and call.node.name == "answered"
    return first.value if named and isinstance(first, nodes.Const) else None


_ELSE = "this is not for conditions"
_NOT_HERE = {
    "CondExpr": "`... if ... else` is not for conditions; use and, or, not",
    "Concat": "`~` is not for conditions",
    "Getitem": "[...] is not for conditions",
    "Dict": "{...} is not for conditions",
    "Add": "`+` is not for conditions",
    "Mul": "`*` is not for conditions",
    "Pow": "`**` is not for conditions",
    "Div": "`/` is not for conditions",
    "FloorDiv": "`//` is not for conditions",
    "Mod": "`%` is not for conditions",
}


def _swapped(test: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda left, right: test(right, left)


def _missing(_: Mapping[str, Any]) -> _Missing:
    return MISSING


def _minus(left: Any, right: Any) -> Any:
    """The difference of two numbers; two instants, dates or texts have none here."""
    if any(isinstance(value, str | date | _Missing) for value in (left, right)):
        return MISSING
    try:
        return left - right
    except TypeError:
        return MISSING


def _find(source: str, near: str) -> int:
    """Where `near` stands in the expression as a word of its own; else its beginning."""
    return next(_places(source, near), 0)


def _places(source: str, near: str) -> Iterator[int]:
    if near:
        for found in re.finditer(rf"(?<![\w.]){re.escape(near)}(?!\w)", source):
            yield found.start()
        yield from (found.start() for found in re.finditer(re.escape(near), source))


def _leftover(source: str, word: str) -> Complaint:
    hint = ""
    if word == "=":
        hint = "to compare, write =="
    elif word in ("&", "|", "!"):
        hint = "write and, or, not"
    return Complaint(_find(source, word), "expression", f'"{word}" is not expected here', hint)


def _unreadable(source: str, said: str) -> Complaint:
    char = re.search(r"unexpected char ['\"](.)['\"] at (\d+)", said)
    if char is None:
        return Complaint(0, "expression", said)
    hint = "write and, or, not" if char[1] in "&!" else ""
    if char[1] in "“”„‘’«»":
        hint = 'write straight quotes: "..."'
    offset = min(int(char[2]), len(source))
    return Complaint(offset, "expression", f'"{char[1]}" is not expected here', hint)
