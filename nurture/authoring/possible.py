"""Can this condition ever be true, and can it ever be false?

Every fact that a condition compares is tried with each value that could make a difference: the
values named, one that is not, and none at all. What is not understood may be either. So "never" is
certain, and "perhaps" may be wrong: nobody is told that a campaign is dead which is not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

from jinja2 import Environment, TemplateError, nodes
from jinja2.parser import Parser

from nurture.core.model import Condition
from nurture.rendering.context import VOCABULARY
from nurture.rendering.functions import ANSWERS

#: No value: every comparison with it is false.
MISSING = None
#: A value that no comparison names.
OTHER = "\0other"
_TRIES_MAX = 20_000
_OPAQUE = "\0opaque"
_NUMBERS = frozenset({"hours_since", "days_since", "sent_count"})

Values = Mapping[str, Any]
Holds = Callable[[Values], bool]


@dataclass(frozen=True)
class Formula:
    """A condition as a function of facts, with the values of each worth trying."""

    holds: Holds
    facts: Mapping[str, tuple[Any, ...]]  #: by how the fact is written: `interview.kind`

    def cases(self, given: Mapping[str, tuple[Any, ...]] | None = None) -> Iterator[Values] | None:
        """Every combination worth trying; None where there are too many. `given` narrows what some
        facts can be."""
        tried = {name: (given or {}).get(name, values) for name, values in self.facts.items()}
        if prod(len(values) for values in tried.values()) > _TRIES_MAX:
            return None
        return (dict(zip(tried, each, strict=True)) for each in product(*tried.values()))


def formula(condition: Condition | None) -> Formula:
    """The condition's formula; one that may be anything where its source is not known."""
    if condition is None:
        return Formula(lambda _: True, {})
    return _formula(getattr(condition, "source", ""))


def together(*conditions: tuple[Condition | None, bool]) -> Formula:
    """Whether each condition has the value it is given with, all at once."""
    parts = [(formula(condition), wanted) for condition, wanted in conditions]
    facts: dict[str, tuple[Any, ...]] = {}
    for part, _ in parts:
        for name, values in part.facts.items():
            facts[name] = tuple(dict.fromkeys((*facts.get(name, ()), *values)))
    return Formula(lambda case: all(part.holds(case) is wanted for part, wanted in parts), facts)


def can_be_true(of: Formula, given: Mapping[str, tuple[Any, ...]] | None = None) -> bool:
    cases = of.cases(given)
    return cases is None or any(of.holds(case) for case in cases)


def can_be_false(of: Formula) -> bool:
    cases = of.cases()
    return cases is None or any(not of.holds(case) for case in cases)


def values_when_true(of: Formula, fact: str) -> frozenset[Any] | None:
    """What a fact can be while the formula is true; None: anything."""
    cases = of.cases()
    if fact not in of.facts or cases is None:
        return None
    return frozenset(case[fact] for case in cases if of.holds(case))


@lru_cache(maxsize=4096)
def _formula(source: str) -> Formula:
    try:
        parser = Parser(Environment(autoescape=True), source, state="variable")
        reading = _Reading()
        holds = reading.truth(parser.parse_expression())
    except (TemplateError, RecursionError):
        return Formula(lambda case: bool(case[_OPAQUE]), {_OPAQUE: (True, False)})
    return Formula(holds, {name: tuple(tries) for name, tries in reading.tries().items()})


@dataclass
class _Reading:
    named: dict[str, list[Any]] = field(default_factory=dict)  # fact -> values it is compared with
    kinds: dict[str, str] = field(default_factory=dict)

    def tries(self) -> dict[str, list[Any]]:
        return {name: self._tries(name, values) for name, values in self.named.items()}

    def _tries(self, name: str, values: list[Any]) -> list[Any]:
        kind = self.kinds[name]
        if kind == "opaque":
            return [True, False]
        if kind == "number":
            numbers = sorted({value for value in values if isinstance(value, int | float)})
            tries: list[Any] = [numbers[0] - 1] if numbers else [0]
            for low, high in zip(numbers, [*numbers, None][1:], strict=True):
                tries += [low, low + 1 if high is None else (low + high) / 2]
            if name == "sent_count()":
                return [number for number in tries if number >= 0] or [0]
            return [*tries, MISSING]
        if kind.startswith("enum:"):
            return [*kind.removeprefix("enum:").split(","), MISSING]
        return [*dict.fromkeys(values), OTHER, MISSING]

    # --- truth

    def truth(self, node: nodes.Node) -> Holds:
        match node:
            case nodes.And(left=left, right=right):
                one, other = self.truth(left), self.truth(right)
                return lambda case: one(case) and other(case)
            case nodes.Or(left=left, right=right):
                one, other = self.truth(left), self.truth(right)
                return lambda case: one(case) or other(case)
            case nodes.Not(node=inner):
                inverse = self.truth(inner)
                return lambda case: not inverse(case)
            case nodes.Const(value=value):
                return lambda _: bool(value)
            case nodes.Test(name="defined" | "undefined" | "none" as test, node=inner):
                if (asked := self.fact(inner)) is not None:
                    return self.given(asked, test == "defined")
            case nodes.Compare(expr=left, ops=[operand]):
                return self.compared(left, operand) or self.opaque(node)
            case nodes.Getattr() | nodes.Call():
                fact = self.fact(node)
                if fact is not None and self.kinds[fact] != "number":
                    return lambda case: case[fact] is not MISSING and case[fact] != ""
        return self.opaque(node)

    @staticmethod
    def given(fact: str, there: bool) -> Holds:
        return lambda case: (case[fact] is not MISSING) is there

    def opaque(self, node: nodes.Node) -> Holds:
        """May be true or false; alike where it is written alike."""
        name = f"{_OPAQUE}{node!r}"
        self.named.setdefault(name, [])
        self.kinds[name] = "opaque"
        return lambda case: bool(case[name])

    def compared(self, left: nodes.Expr, operand: nodes.Operand) -> Holds | None:
        op, right = operand.op, operand.expr
        if isinstance(left, nodes.Const) and isinstance(right, nodes.Const):
            return self._constants(op, left.value, right.value)
        if isinstance(left, nodes.Const) and op in _TURNED:
            op, left, right = _TURNED[op], right, left
        name, values = self.fact(left), _constants_of(right, op)
        if name is None or values is None:
            return None
        if op not in ("in", "notin", "eq", "ne") and self.kinds[name] != "number":
            return None
        self.named[name] += values
        test = _TESTS[op]
        wanted = values if op in ("in", "notin") else values[0]
        return lambda case: case[name] is not MISSING and _safely(test, case[name], wanted)

    @staticmethod
    def _constants(op: str, left: Any, right: Any) -> Holds:
        value = _safely(_TESTS[op], left, right)
        return lambda _: value

    # --- facts

    def fact(self, node: nodes.Node | None) -> str | None:
        """How a fact is written; None for what is none."""
        match node:
            case nodes.Getattr(node=nodes.Name(name=thing), attr=attr):
                name = f"{thing}.{attr}"
                kind = VOCABULARY.get(thing, {}).get(attr, "text")
                if kind == "list":
                    return None
            case nodes.Call(node=nodes.Name(name=function), args=arguments):
                written = ", ".join(map(_written, arguments))
                name, kind = f"{function}({written})", "text"
                if function in _NUMBERS:
                    kind = "number"
                elif function not in ANSWERS:  # true or false: nothing to compare
                    return None
            case nodes.Filter(name="length", node=inner) if inner is not None:
                name, kind = f"{_written(inner)} | length", "number"
            case _:
                return None
        self.named.setdefault(name, [])
        self.kinds[name] = kind
        return name


def _written(node: nodes.Node) -> str:
    match node:
        case nodes.Getattr(node=inner, attr=attr):
            return f"{_written(inner)}.{attr}"
        case nodes.Name(name=name):
            return str(name)
        case nodes.Const(value=value):
            return repr(value)
    return repr(node)


def _constants_of(node: nodes.Node, op: str) -> list[Any] | None:
    if isinstance(node, nodes.Const) and op not in ("in", "notin"):
        return [node.value]
    if isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const):
        return [-node.node.value] if isinstance(node.node.value, int | float) else None
    if isinstance(node, nodes.Tuple | nodes.List) and op in ("in", "notin"):
        items = [item.value for item in node.items if isinstance(item, nodes.Const)]
        return items if len(items) == len(node.items) else None
    return None


_TURNED = {"eq": "eq", "ne": "ne", "lt": "gt", "gt": "lt", "lteq": "gteq", "gteq": "lteq"}
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda one, other: bool(one == other),
    "ne": lambda one, other: bool(one != other),
    "lt": lambda one, other: bool(one < other),
    "lteq": lambda one, other: bool(one <= other),
    "gt": lambda one, other: bool(one > other),
    "gteq": lambda one, other: bool(one >= other),
    "in": lambda one, other: one in other,
    "notin": lambda one, other: one not in other,
}


def _safely(test: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    try:
        return test(one, other)
    except TypeError:  # a text with a number
        return False
