"""Is this condition true for this person, and when can time alone change that?

The grammar is Jinja's, read by Jinja's own parser; what it may contain is a closed set of nodes,
each compiled to a closure, so there is nothing to escape from: no attributes but the vocabulary's,
no calls but its functions. A fact without a value makes every comparison with it false (`!=` and
`not in` too) and never raises. Names, enum values and argument counts are checked when compiled.
"""

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import accumulate
from typing import Any

from jinja2 import Environment, TemplateError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from nurture.authoring import passing_time
from nurture.core.model import Truth
from nurture.positions import did_you_mean
from nurture.rendering.functions import ANSWERS
from nurture.rendering.habits import habit

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


#: What is said of most conditions: time alone changes nothing about them.
_TRUE, _FALSE = Truth(value=True), Truth(value=False)


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
        if not changes:
            return _TRUE if value else _FALSE
        # What was there before is about which interview is the next one.
        seen = changes if "interview" in self.names else changes[before:]
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
        parser = _Parser(source)
        tree = parser.parse_expression()
        if not parser.stream.eos:
            left = parser.stream.current
            message = f'"{left.value}" is not expected here'
            return None, [_meant(source) or Complaint(left.lineno, "expression", message)]
        compiler = _Compiler(source, scope)
        evaluate = compiler.asked(tree)
    except TemplateError as error:
        return None, [_meant(source) or _unreadable(source, error)]
    except RecursionError:
        return None, [Complaint(0, "expression", "nested too deeply")]
    if compiler.complaints:
        return None, sorted(set(compiler.complaints), key=lambda one: (one.offset, one.message))
    return CompiledCondition(source, frozenset(compiler.names), evaluate), []


class _Parser(Parser):
    """Jinja's parser, whose line numbers are the offsets of characters."""

    def __init__(self, source: str) -> None:
        environment = Environment(autoescape=True)
        super().__init__(environment, "", state="variable")
        tokens = list(environment.lexer.tokeniter(source, None, None, state="variable"))
        offsets = accumulate((len(text) for _, _, text in tokens), initial=0)
        placed = [(at, kind, text) for at, (_, kind, text) in zip(offsets, tokens, strict=False)]
        self.stream = TokenStream(environment.lexer.wrap(placed), None, None)


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
_TIMES = ("instant", "date", "unknown")
#: What a function gives, where that is not a text.
_GIVES = {
    **dict.fromkeys(("hours_since", "days_since", "sent_count"), "number"),
    **dict.fromkeys(("replied", "sent", "sent_for_kind", "consents"), "flag"),
}
#: What takes a text in quotes, as one would write it.
_CALLED = {
    "sent": 'write sent("interview-prep/thank-you")',
    "answered": 'write answered("coming") == "yes"',
    "answered_here": 'write answered_here("coming") == "yes"',
    "sent_for_kind": 'write sent_for_kind("accommodations/ask")',
    "consents": 'write consents("culture")',
}
_BARE = (nodes.Name, nodes.Sub, nodes.Div)
_NOTHING = "ask `... is defined`, or `... is undefined`"
#: Words of other languages for no value, and for the present instant.
_NO_VALUE = frozenset({"null", "nil", "NULL", "Null", "empty", "blank", "undefined", "nothing"})
_PRESENT = frozenset({"now", "today", "NOW", "TODAY", "tomorrow", "yesterday"})
_SINCE = "write hours_since(...) or days_since(...); below 0 it is still ahead"


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
            return self._refuse(_at(node), "expression", _NOT_HERE.get(type(node).__name__, _ELSE))
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
            return self._refuse(node, "expression", message, _NOTHING)
        return lambda _: value

    def _tuple(self, node: nodes.Tuple | nodes.List) -> Evaluate:
        items = [self.compile(item) for item in node.items]
        return lambda context: tuple(item(context) for item in items)

    _list = _tuple

    def _name(self, node: nodes.Name) -> Evaluate:
        name = node.name
        if name in _NO_VALUE and name not in self.scope.words:
            message = f"{name} is not for conditions"
            return self._refuse(node, "expression", message, _NOTHING)
        if name in _PRESENT and name not in self.scope.words:
            message = f'conditions do not name the time: there is no "{name}"'
            return self._refuse(node, "unknown-name", message, _SINCE)
        if id(node) in self.unquoted:
            message = f"{name} is text, and text needs quotes"
            return self._refuse(node, "unquoted-word", message, f'write "{name}"')
        if name in self.scope.functions:
            message = f"{name} is a function"
            return self._refuse(node, "expression", message, f"write {name}()")
        if self._object(node):
            fields = ", ".join(sorted(self.scope.words[name]))
            message = f'"{name}" alone says nothing; use one of its fields'
            return self._refuse(node, "expression", message, f"known: {fields}")
        return _missing

    def _getattr(self, node: nodes.Getattr) -> Evaluate:
        if not isinstance(node.node, nodes.Name):
            message = f'nothing has a field "{node.attr}"'
            return self._refuse(node.lineno + 1, "unknown-name", message)
        name, attr = node.node.name, node.attr
        if not self._object(node.node):
            return _missing
        fields = self.scope.words[name]
        if attr not in fields:
            hint = did_you_mean(attr, fields) or f"known: {', '.join(sorted(fields))}"
            message = f'{name} has no field "{attr}"'
            return self._refuse(node, "unknown-name", message, hint)

        def read(context: Mapping[str, Any]) -> Any:
            thing = context.get(name)
            value = thing.get(attr) if isinstance(thing, Mapping) else None
            return MISSING if value is None else value

        return read

    def _object(self, node: nodes.Name) -> bool:
        name = node.name
        words, supplied = self.scope.words, self.scope.supplied
        if name not in words:
            hint = did_you_mean(name, [*words, *self.scope.functions])
            hint = hint or f"known: {', '.join(sorted(words))}"
            self._refuse(node, "unknown-name", f'there is no "{name}"', hint)
            return False
        if name not in supplied:
            message = f"{self.scope.trigger} has no {name}"
            self._refuse(node, "not-supplied", message, f"it has {', '.join(sorted(supplied))}")
            return False
        self.names.add(name)
        return True

    def _call(self, node: nodes.Call) -> Evaluate:
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        known = self.scope.functions
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {', '.join(sorted(known))}"
            hint = _SINCE if name in _PRESENT else hint
            what = f'no function "{name}"' if name else "only functions can be called"
            return self._refuse(node, "unknown-name", what, hint)
        if node.kwargs or node.dyn_args or node.dyn_kwargs or len(node.args) != known[name]:
            message = f"{name} takes {known[name] or 'no'} argument{'s' * (known[name] != 1)}"
            return self._refuse(node, "expression", message, _CALLED.get(name, ""))
        if name in _CALLED and isinstance(node.args[0], _BARE):
            bare = self.source[_at(node) :].partition("(")[2].partition(")")[0]
            message = f"what {name} asks about needs quotes"
            return self._refuse(node, "unquoted-word", message, f'write {name}("{bare.strip()}")')
        if name in _TIME_FUNCTIONS and self._kind(node.args[0]) not in _TIMES:
            message = f"{name} takes a time, such as {name}(application.applied_at)"
            given = getattr(node.args[0], "value", None)
            hint = f"write {name}({given}), without quotes" if isinstance(given, str) else ""
            return self._refuse(node, "expression", message, hint)
        if name in ANSWERS:
            self._check_question(node)
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

    def asked(self, node: nodes.Expr, beside: nodes.Expr | None = None) -> Evaluate:
        """What is asked whether it is true: a text on its own always is, whatever was meant.

        `beside` is what stands before it: the comparison, in
        `interview.kind == "video" or "panel"`.
        """
        text = node.value if isinstance(node, nodes.Const) else None
        if isinstance(node, nodes.Name) and isinstance(beside, nodes.Compare | nodes.Or):
            known = [*self.scope.words, *self.scope.functions]
            text = None if did_you_mean(node.name, known) else node.name
        if not isinstance(text, str):
            return self.compile(node)
        while isinstance(beside, nodes.Or | nodes.And):
            beside = beside.right if isinstance(beside.right, nodes.Compare) else beside.left
        hint = "compare it with something: job.title == ..."
        if isinstance(beside, nodes.Compare) and len(beside.ops) == 1:
            said = beside.ops[0].expr
            first = said.value if isinstance(said, nodes.Const) else "..."
            sign = "not in" if beside.ops[0].op in ("ne", "notin") else "in"
            hint = f'to name several, write {self._shown(beside.expr)} {sign} ("{first}", "{text}")'
        return self._refuse(node, "expression", f'"{text}" on its own asks nothing', hint)

    def _and(self, node: nodes.And) -> Evaluate:
        left, right = self.asked(node.left), self.asked(node.right, node.left)
        return lambda context: bool(left(context)) and bool(right(context))

    def _or(self, node: nodes.Or) -> Evaluate:
        left, right = self.asked(node.left), self.asked(node.right, node.left)
        return lambda context: bool(left(context)) or bool(right(context))

    def _not(self, node: nodes.Not) -> Evaluate:
        inner = self.asked(node.node)
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
        hint = f'to compare, write == "{node.name}" or !=; known: is defined, is undefined'
        return self._refuse(self._after(node), "expression", message, hint)

    def _filter(self, node: nodes.Filter) -> Evaluate:
        if node.name != "length" or node.node is None or node.args or node.kwargs:
            message = f'"| {node.name}" is not for conditions'
            return self._refuse(self._after(node), "expression", message, "known: | length")
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
        if operand.op in ("in", "notin") and isinstance(right, nodes.Const):
            sign = "==" if operand.op == "in" else "!="
            hint = f'write {sign} "{right.value}", or name several: ("{right.value}", "...")'
            self._refuse(right, "expression", "one value is no list to be in", hint)
            pairs: list[tuple[nodes.Expr, nodes.Expr]] = [(left, right)]
        elif operand.op in ("in", "notin") and isinstance(right, nodes.Tuple | nodes.List):
            pairs = [(left, item) for item in right.items]
        else:
            pairs = [(left, right), (right, left)]
        for one, other in pairs:
            kind = self._kind(one)
            if isinstance(other, nodes.Sub) and kind in ("instant", "date"):
                self._check_date(one, other)
            if isinstance(other, nodes.Const) and not isinstance(other.value, str | None):
                self._check_number(one, kind, operand.op, other)
            if not isinstance(other, nodes.Const) or not isinstance(other.value, str):
                continue
            if kind in ("number", "flag", "list") and operand.op not in ("in", "notin"):
                self._check_text(one, kind, other)
            if kind in ("instant", "date"):
                message = f'a time is not the text "{other.value}"'
                hint = "compare how long ago it is: days_since(...) > 3"
                self._refuse(other, "expression", message, hint)
            known = kind.removeprefix("enum:").split(",") if kind.startswith("enum:") else []
            if known and other.value not in known:
                hint = did_you_mean(other.value, known) or f"known: {', '.join(known)}"
                message = f'"{other.value}" is never a value of {self._shown(one)}'
                self._refuse(other, "unknown-value", message, hint)

    def _check_question(self, call: nodes.Call) -> None:
        asked = call.args[0]
        questions = self.scope.questions
        if questions is None:
            return
        if not isinstance(asked, nodes.Const) or not isinstance(asked.value, str):
            message = "answered takes the id of a question, in quotes"
            self._refuse(call, "expression", message, 'answered("coming")')
        elif asked.value not in questions:
            hint = did_you_mean(asked.value, questions)
            hint = hint or f"asked: {', '.join(sorted(questions)) or 'nothing, by any template'}"
            message = f'no template asks "{asked.value}"'
            self._refuse(asked, "unknown-question", message, hint)

    def _check_number(self, one: nodes.Expr, kind: str, op: str, other: nodes.Const) -> None:
        """A number, or true, beside what is no number."""
        said = str(other.value).lower()
        if kind in ("instant", "date"):
            message = f"a time is not the number {said}"
            hint = f"compare how long ago it is: days_since({self._shown(one)}) > 3"
            self._refuse(other, "expression", message, hint)
        elif kind.startswith("enum:") or (kind == "text" and op not in ("in", "notin")):
            known = kind.removeprefix("enum:").replace(",", ", ")
            hint = f'write "{said}", if that is the text' if kind == "text" else f"known: {known}"
            message = f"{said} is never a value of {self._shown(one)}"
            self._refuse(other, "unknown-value", message, hint)

    def _check_date(self, one: nodes.Expr, other: nodes.Sub) -> None:
        """`2026-12-24` is a number to whoever can only count: 1990."""
        if other.find(nodes.Getattr) is None and other.find(nodes.Call) is None:
            hint = f"compare how long ago it is: days_since({self._shown(one)}) > 3"
            self._refuse(other, "expression", "conditions name no dates", hint)

    def _check_text(self, one: nodes.Expr, kind: str, other: nodes.Const) -> None:
        """A text beside what is a number, a list, or true or not."""
        shown = self._shown(one)
        hints = {
            "number": "write a number, without quotes and units",
            "flag": f"write {shown}, or not {shown}",
            "list": f'write "{other.value}" in {shown}',
        }
        if number := re.match(r"-?\d+", str(other.value)):
            hints["number"] = f"write {number[0]}"
        message = f'{shown} is never the text "{other.value}"'
        self._refuse(other, "unknown-value", message, hints[kind])

    def _kind(self, node: nodes.Expr) -> str:
        if isinstance(node, nodes.Call) and (id_ := _asked(node)) is not None:
            options = (self.scope.questions or {}).get(id_)
            return f"enum:{','.join(options)}" if options else ""
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            return _GIVES.get(node.node.name, "")
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            fields = self.scope.words.get(node.node.name, {})
            return fields.get(node.attr, "unknown")  # complained about where it is compiled
        return ""

    @staticmethod
    def _shown(node: nodes.Expr) -> str:
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            return f"{node.node.name}.{node.attr}"
        if isinstance(node, nodes.Call) and (id_ := _asked(node)) is not None:
            return f'{getattr(node.node, "name", "answered")}("{id_}")'
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            return f"{node.node.name}({'...' if node.args else ''})"
        return "this"

    def _after(self, node: nodes.Test | nodes.Filter) -> int:
        """Where its name stands."""
        return max(self.source.find(node.name, node.lineno), node.lineno)

    def _refuse(self, where: nodes.Node | int, code: str, message: str, hint: str = "") -> Evaluate:
        offset = where if isinstance(where, int) else _at(where)
        self.complaints.append(Complaint(offset, code, message, hint))
        return _missing


def _asked(call: nodes.Call) -> str | None:
    """The question of `answered("coming")`, or of its sister."""
    first = call.args[0] if len(call.args) == 1 else None
    named = isinstance(call.node, nodes.Name) and call.node.name in ANSWERS
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


def _at(node: nodes.Node) -> int:
    """Where it begins; of a quoted text, its first character."""
    match node:
        case nodes.Getattr(node=inner) | nodes.Getitem(node=inner) | nodes.Call(node=inner):
            return _at(inner)
        case nodes.Sub(left=inner):
            return _at(inner)
        case nodes.Const(value=str(), lineno=quote):
            return quote + 1
    return node.lineno


def _meant(source: str) -> Complaint | None:
    found = habit(source)
    if found is None:
        return None
    return Complaint(min(found.offset, len(source)), "expression", found.message, found.hint)


def _unreadable(source: str, error: TemplateError) -> Complaint:
    said = error.message or "this cannot be read"
    char = re.search(r"unexpected char ['\"](.)['\"] at (\d+)", said)
    if char is not None:
        offset = min(int(char[2]), len(source))
        return Complaint(offset, "expression", f'"{char[1]}" is not expected here')
    if "end of template" in said:
        return Complaint(len(source.rstrip()), "expression", "the condition is not finished")
    got = re.search(r"got '(.+)'$", said)
    what = f'"{got[1]}" is not expected here' if got else said
    return Complaint(min(getattr(error, "lineno", 0) or 0, len(source)), "expression", what)
