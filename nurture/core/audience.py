"""What can be said of a condition without reading it? A small tree that a store can ask by itself.

Conditions are compiled to closures, which want one person's facts at a time. Of an audience's
condition most is plain, `candidate.country == "PT"`, and a database answers that for a million
people at once. This tree is what it understands: no storage and no language is in it, so those who
write conditions down (authoring) and those who keep facts (store) need not know of each other.

Every node is as a condition is: true or false, never unknown, and false where a fact has no value.
`Perhaps` marks what is not said exactly: it holds wherever the condition's part is true, and
elsewhere it may or may not. Nothing in a tree changes by time alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Fact(NamedTuple):
    """A field of the vocabulary: `candidate.country`; an answer is `("answer", its question)`."""

    thing: str  #: candidate | application | job | answer
    name: str


@dataclass(frozen=True)
class Given:
    """The fact has a value. An empty text is none, except as an answer."""

    fact: Fact


@dataclass(frozen=True)
class Among:
    """The fact is one of these texts."""

    fact: Fact
    values: frozenset[str]


@dataclass(frozen=True)
class Number:
    """The fact has a value that is no number (a text may stand for one), or a number for which
    this holds; within the exactness of a database's numbers. Only within `Perhaps`."""

    fact: Fact
    comparison: str  #: eq | lteq | gteq
    value: float


@dataclass(frozen=True)
class Holds:
    """The text of the fact, or of its items, has this in it somewhere. Only within `Perhaps`."""

    fact: Fact
    text: str  #: plain ASCII letters, digits, spaces and the like


@dataclass(frozen=True)
class Consents:
    """The candidate has not unsubscribed from this topic, nor from all."""

    topic: str


@dataclass(frozen=True)
class Not:
    part: "Node"


@dataclass(frozen=True)
class All:
    """Every one of these; without parts: everybody."""

    parts: "tuple[Node, ...]" = ()


@dataclass(frozen=True)
class Some:
    """At least one of these; without parts: nobody."""

    parts: "tuple[Node, ...]" = ()


@dataclass(frozen=True)
class Perhaps:
    part: "Node"


Node = Given | Among | Number | Holds | Consents | Not | All | Some | Perhaps

EVERYBODY = All()
NOBODY = Some()
#: Nothing is known of it: it may be true of anybody.
UNSURE = Perhaps(EVERYBODY)


def is_exact(node: Node) -> bool:
    """Whether the tree holds just where its condition is true."""
    return not any(isinstance(each, Perhaps) for each in _all(node))


def possible(node: Node, known: Mapping[Fact, str]) -> bool:
    """Whether the condition may be true of somebody of whom this is known."""
    return _bounds(node, known)[1]


def _bounds(node: Node, known: Mapping[Fact, str]) -> tuple[bool, bool]:
    """Whether it is certainly true, and whether it may be."""
    match node:
        case Among(fact, values) if fact in known:
            return known[fact] in values, known[fact] in values
        case Given(fact) if fact in known:
            return True, True
        case Not(part):
            certainly, maybe = _bounds(part, known)
            return not maybe, not certainly
        case All(parts):
            each = [_bounds(part, known) for part in parts]
            return all(one for one, _ in each), all(one for _, one in each)
        case Some(parts):
            each = [_bounds(part, known) for part in parts]
            return any(one for one, _ in each), any(one for _, one in each)
        case Perhaps(part):
            return False, _bounds(part, known)[1]
    return False, True


def _all(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Not(part) | Perhaps(part):
            yield from _all(part)
        case All(parts) | Some(parts):
            for part in parts:
                yield from _all(part)
