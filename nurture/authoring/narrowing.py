"""What does a condition say that a database can ask by itself? Its source, as a core.audience tree.

What is not understood becomes `Perhaps`, so the tree always holds of everybody of whom the
condition is true, now or at any later time by time alone: whom a database leaves out needs no look.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, TemplateError, nodes
from jinja2.parser import Parser

from nurture.core.audience import (
    EVERYBODY,
    NOBODY,
    UNSURE,
    All,
    Among,
    Consents,
    Fact,
    Given,
    Holds,
    Node,
    Not,
    Number,
    Perhaps,
    Some,
)
from nurture.core.model import Condition
from nurture.rendering.context import VOCABULARY

#: object -> field -> kind, as rendering.context.vocabulary gives it
Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Narrowed:
    """A condition's tree, and what it reads."""

    tree: Node
    fields: frozenset[tuple[str, str]]  #: object and field
    functions: frozenset[str]


#: Of a condition that has no source to read.
OPAQUE = Narrowed(UNSURE, frozenset(), frozenset({"?"}))

#: Facts that are put together of several, or that the vocabulary has and no row.
_COMPOSED = frozenset(
    {
        ("candidate", "full_name"),
        ("candidate", "in_process"),
        ("candidate", "last_contact_at"),
        ("application", "last_contact_at"),
        ("application", "next_date_at"),
        ("application", "notes_in_a_row"),
        ("application", "to_be_told"),
    }
)
#: Dates and instants that are checked when they are stored: where there is a text, there is a time.
_SURE_TIMES = frozenset(
    {
        ("candidate", "consent_until"),
        ("application", "applied_at"),
        ("application", "stage_since"),
        ("application", "rejected_at"),
        ("application", "start_date"),
    }
)
#: Declared as a candidate's field it would hide a fact that every candidate has.
_NOT_A_FIELD = frozenset({"subdivision"})
_THINGS = ("candidate", "application", "job")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .-_+#")
_SWAPPED = {"eq": "eq", "ne": "ne", "lt": "gt", "lteq": "gteq", "gt": "lt", "gteq": "lteq"}
#: Rounding may make equal what is not: a strict comparison is asked for as one that is not.
_LOOSE = {"eq": "eq", "lt": "lteq", "lteq": "lteq", "gt": "gteq", "gteq": "gteq"}
_BEYOND = 2**53  # from here on a database may round as it likes


def narrow(condition: Condition | None, words: Words) -> Narrowed:
    """What a compiled condition says; no condition is true of everybody."""
    if condition is None:
        return Narrowed(EVERYBODY, frozenset(), frozenset())
    source = getattr(condition, "source", None)
    if not isinstance(source, str):
        return OPAQUE
    kinds = frozenset(
        ((thing, name), kind)
        for thing in _THINGS
        for name, kind in words.get(thing, {}).items()
        if VOCABULARY[thing].get(name, kind) == kind and name not in _NOT_A_FIELD
    )
    return _read(source, kinds)


@lru_cache(maxsize=256)
def _read(source: str, kinds: frozenset[tuple[tuple[str, str], str]]) -> Narrowed:
    try:
        tree = Parser(Environment(autoescape=True), source, state="variable").parse_expression()
    except (TemplateError, RecursionError):
        return OPAQUE
    fields = frozenset(
        (each.node.name, each.attr)
        for each in (tree, *tree.find_all(nodes.Getattr))
        if isinstance(each, nodes.Getattr) and isinstance(each.node, nodes.Name)
    )
    functions = frozenset(
        each.node.name
        for each in (tree, *tree.find_all(nodes.Call))
        if isinstance(each, nodes.Call) and isinstance(each.node, nodes.Name)
    )
    return Narrowed(_Translation(dict(kinds)).node(tree), fields, functions)


class _Translation:
    def __init__(self, kinds: Mapping[tuple[str, str], str]) -> None:
        self.kinds = kinds

    def node(self, tree: nodes.Node) -> Node:
        match tree:
            case nodes.And():
                return All((self.node(tree.left), self.node(tree.right)))
            case nodes.Or():
                return Some((self.node(tree.left), self.node(tree.right)))
            case nodes.Not():
                return Not(self.node(tree.node))
            case nodes.Const():
                return EVERYBODY if tree.value else NOBODY
            case nodes.Compare():
                return self._compare(tree)
            case nodes.Test():
                return self._test(tree)
            case nodes.Call() if topic := _argument(tree, "consents"):
                return Consents(topic)
            case nodes.Call() | nodes.Getattr():
                return self._needs([tree])
        return UNSURE

    def _compare(self, tree: nodes.Compare) -> Node:
        parts: list[Node] = []
        left: nodes.Node = tree.expr
        for operand in tree.ops:
            parts.append(self._pair(left, operand.op, operand.expr))
            left = operand.expr
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _pair(self, left: nodes.Node, op: str, right: nodes.Node) -> Node:
        if isinstance(left, nodes.Const) and op in _SWAPPED:
            left, op, right = right, _SWAPPED[op], left
        fact = self._fact(left)
        texts = _texts(right, op)
        if fact is not None and texts is not None and self._is_text(fact):
            among = Among(fact, texts)
            return among if op in ("eq", "in") else All((Given(fact), Not(among)))
        number = _number(right)
        if fact and number is not None and self._kind(fact) == "number" and op in _LOOSE:
            return Perhaps(Number(fact, _LOOSE[op], number))
        within, part = self._fact(right), left.value if isinstance(left, nodes.Const) else None
        if within and op == "in" and isinstance(part, str) and part and _PLAIN.issuperset(part):
            return Perhaps(Holds(within, part))
        return self._needs([left, right])

    def _needs(self, sides: Iterable[nodes.Node]) -> Node:
        """Only the facts without which it is false anyway."""
        facts = [fact for side in sides if (fact := self._needed(side)) is not None]
        return Perhaps(All(tuple(Given(fact) for fact in facts)))

    def _needed(self, tree: nodes.Node) -> Fact | None:
        if isinstance(tree, nodes.Call) and _name(tree) in ("days_since", "hours_since"):
            return self._needed(tree.args[0]) if tree.args else None
        fact = self._fact(tree)
        # An empty text is an empty list, and a list without items is a value.
        return None if fact is None or self._kind(fact) == "list" else fact

    def _test(self, tree: nodes.Test) -> Node:
        fact = self._fact(tree.node)
        if fact is None or tree.name not in ("defined", "undefined", "none"):
            return UNSURE
        kind = self._kind(fact)
        if kind == "list":
            return UNSURE
        sure = self._is_text(fact) or fact in _SURE_TIMES
        given: Node = Given(fact) if sure else Perhaps(Given(fact))
        return given if tree.name == "defined" else Not(given)

    def _fact(self, tree: nodes.Node) -> Fact | None:
        """The field, or the answer, that this reads and nothing else."""
        if isinstance(tree, nodes.Getattr) and isinstance(tree.node, nodes.Name):
            field = (tree.node.name, tree.attr)
            return Fact(*field) if field in self.kinds and field not in _COMPOSED else None
        question = _argument(tree, "answered")
        if question is not None and _PLAIN.issuperset(question):
            return Fact("answer", question)
        return None

    def _kind(self, fact: Fact) -> str:
        return self.kinds.get((fact.thing, fact.name), "text")

    def _is_text(self, fact: Fact) -> bool:
        kind = self._kind(fact)
        return kind == "text" or kind.startswith("enum:")


def _name(tree: nodes.Node) -> str:
    if isinstance(tree, nodes.Call) and isinstance(tree.node, nodes.Name):
        return str(tree.node.name)
    return ""


def _argument(tree: nodes.Node, function: str) -> str | None:
    """The one text that this function is called with, if it is one."""
    if not isinstance(tree, nodes.Call) or _name(tree) != function or len(tree.args) != 1:
        return None
    only = tree.args[0]
    return only.value if isinstance(only, nodes.Const) and isinstance(only.value, str) else None


def _texts(tree: nodes.Node, op: str) -> frozenset[str] | None:
    """What `== "text"` and `in ("text", "text")` compare with, if it is texts alone."""
    if op in ("eq", "ne"):
        items: Iterable[nodes.Node] = [tree]
    elif op in ("in", "notin") and isinstance(tree, nodes.Tuple | nodes.List):
        items = tree.items
    else:
        return None
    values = [item.value if isinstance(item, nodes.Const) else None for item in items]
    texts = frozenset(value for value in values if isinstance(value, str))
    return texts if all(isinstance(value, str) for value in values) else None


def _number(tree: nodes.Node) -> float | None:
    if isinstance(tree, nodes.Neg):
        inner = _number(tree.node)
        return None if inner is None else -inner
    if isinstance(tree, nodes.Const) and type(tree.value) in (int, float):
        return tree.value if abs(tree.value) < _BEYOND else None
    return None
