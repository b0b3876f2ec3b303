"""Where in the file does it say that?

YAML 1.2 read with the position of every key and value kept, and complaints (YAML's in traps.py,
pydantic's in misfits.py) turned into problems at those positions. Shared by the configuration,
campaign files and template front matter.
Timestamps stay text and `on`, `no`, `9:00` are words, as YAML 1.2 has it.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from nurture.errors import Problem, Problems
from nurture.files import LARGEST
from nurture.misfits import Misfit, Place, did_mean, did_you_mean, misfit
from nurture.traps import (
    PROSE,
    Slip,
    braces_on,
    empty,
    explained,
    is_wrapped,
    odd_spaces,
    quoted,
    valueless,
)

__all__ = ["Place", "Positions", "did_mean", "did_you_mean", "read_yaml", "validate"]

M = TypeVar("M", bound=BaseModel)

NODES_AT_MOST = 50_000  # with aliases expanded: a small file can otherwise unfold into gigabytes
DEPTH_AT_MOST = 60
TOLD_AT_MOST = 100  # of one file: who broke more than that wants to see the first ones


@dataclass
class Positions:
    """Line and column, counted from 1, of everything in one YAML text."""

    text: str
    first_line: int = 1
    values: dict[Place, Node] = field(default_factory=dict)
    keys: dict[Place, Node] = field(default_factory=dict)
    #: what is wrong with the text though it could be read; the first `validate` raises it
    slips: list[Slip] = field(default_factory=list)

    def __contains__(self, path: Place) -> bool:
        return path in self.values

    def at(self, path: Place) -> tuple[int, int]:
        """Of the value at `path`, else of the nearest value that contains it."""
        while path and path not in self.values:
            path = path[:-1]
        node = self.values.get(path)
        if node is None:
            return self.first_line, 1
        if _is_empty(node):  # what is not there stands, to YAML, where the next thing begins
            key = self.keys.get(path)
            index = node.start_mark.index
            dash = max(self.text.rfind("-", 0, index), 0) if self.text else 0
            return self.spot(dash if key is None else key.start_mark.index)
        return self.spot(node.start_mark.index)

    def key(self, path: Place) -> tuple[int, int]:
        """Of the key that `path` ends with; of the value where there is no key (list items)."""
        node = self.keys.get(path)
        return self.at(path) if node is None else self.spot(node.start_mark.index)

    def is_empty(self, path: Place, index: int) -> bool:
        """Whether the key of `path` stands at `index` of the text and has no value."""
        key, value = self.keys.get(path), self.values.get(path)
        at_key = key is not None and key.start_mark.index == index
        return at_key and value is not None and _is_empty(value)

    def inside(self, path: Place, offset: int) -> tuple[int, int]:
        """Of the character at `offset` of the text at `path`: also in block and quoted scalars."""
        node = self.values.get(path)
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            return self.at(path)
        index, end = node.start_mark.index, node.end_mark.index
        if node.style in ("|", ">"):
            index = self.text.find("\n", index, end) + 1 or index
        elif node.style in ("'", '"'):
            index += 1
        for char in node.value[:offset]:  # the text as written may have more spaces and escapes
            found = -1 if char.isspace() else self.text.find(char, index, end)
            index = index if found < 0 else found + 1
        if offset < len(node.value) and not node.value[offset].isspace():
            found = self.text.find(node.value[offset], index, end)
            index = index if found < 0 else found
        return self.spot(index)

    def spot(self, index: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, index) - 1
        return self.first_line + line, index - self._line_starts[line] + 1

    def index(self, line: int, column: int) -> int:
        """The other way round: which character of the text stands there."""
        return self._line_starts[line - self.first_line] + column - 1

    def problem(self, slip: Slip, file: str) -> Problem:
        line, column = self.spot(slip.index)
        return Problem(
            file=file,
            line=line,
            column=column,
            code=slip.code,
            message=slip.message,
            hint=slip.hint,
        )

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]


def read_yaml(text: str, file: str, first_line: int = 1) -> tuple[Any, Positions]:
    """The data of one YAML document (plain dicts, lists and scalars; None when empty) and where
    each part stands. `first_line` is the line of the file on which `text` begins.

    Raises Problems for what is not YAML, or too much of it. What can be read though it cannot be
    meant (a key written twice, a comma in a value) is kept in the positions until `validate`.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    positions = Positions(text, first_line)
    if len(text) > LARGEST:
        hint = f"keep it below {LARGEST // 1000} KB"
        raise Problems(
            [positions.problem(Slip(0, "too-large", "too large to be meant", hint), file)]
        )
    if _deepest(text) > 10 * DEPTH_AT_MOST:  # a reader that calls itself would be long at it
        raise Problems([positions.problem(_TOO_DEEP, file)])
    try:
        root = _composed(text)
    except MarkedYAMLError as error:
        raise Problems([positions.problem(slip, file) for slip in explained(error, text)]) from None
    except RecursionError:
        raise Problems([positions.problem(_TOO_DEEP, file)]) from None
    except (YAMLError, ValueError, LookupError, AttributeError, TypeError) as error:
        # ruamel.yaml's scanner raises built-in errors for some malformed texts.
        at = getattr(error, "position", 0)
        slip = Slip(at if isinstance(at, int) else 0, "yaml", f"not YAML: {_first_line(error)}")
        raise Problems([positions.problem(slip, file)]) from None
    reading = _Reading(positions)
    data = reading.value(root, ()) if root is not None else None
    if reading.too_much is not None:
        raise Problems([positions.problem(reading.too_much, file)])
    return data, positions


@lru_cache(maxsize=2048)
def _composed(text: str) -> Node | None:
    """The nodes of one text, which nobody changes: most files are read again as they were."""
    root: Node | None = YAML(typ="safe", pure=True).compose(text)
    return root


def validate(model: type[M], data: Any, positions: Positions, file: str) -> M:
    """`data` as a `model`; raises Problems with every complaint, each at its place.

    Codes: `unknown-key`, `missing-key`, `wrong-type`, `invalid-value`, and those of the slips.
    """
    slips, positions.slips = positions.slips, []
    found = [positions.problem(slip, file) for slip in slips]
    valid = None
    try:
        valid = model.model_validate({} if data is None else data, by_alias=True, by_name=False)
    except ValidationError as error:
        told = {(problem.line, problem.column) for problem in found}
        odd = [positions.problem(slip, file) for slip in odd_spaces(positions.text)]
        found += odd
        spoilt = {problem.line for problem in odd}
        for wrong in _misfits(model, error, positions):
            line, column = (positions.key if wrong.of_key else positions.at)(wrong.path)
            if (line, column) not in told and line not in spoilt:
                said = {"code": wrong.code, "message": wrong.message, "hint": wrong.hint}
                found.append(Problem(file=file, line=line, column=column, **said))
    if valid is None or found:
        raise Problems(list(dict.fromkeys(found))[:TOLD_AT_MOST])
    return valid


def _misfits(model: type[BaseModel], error: ValidationError, positions: Positions) -> list[Misfit]:
    """What pydantic complains of; a key that was only misspelt is not missing too."""
    wrong = [
        misfit(model, dict(one), positions.values)
        for one in error.errors(include_url=False)[:TOLD_AT_MOST]
    ]
    meant = {(one.path[:-1], one.hint) for one in wrong if one.code == "unknown-key"}
    return [one for one in wrong if (one.path, did_mean(one.lacks)) not in meant]


class _Reading:
    """Builds plain data from nodes and notes where each came from, and what cannot be meant."""

    def __init__(self, positions: Positions) -> None:
        self.positions = positions
        self.too_much: Slip | None = None
        self.nodes = 0

    def value(self, node: Node, path: Place) -> Any:
        self.nodes += 1
        if self.nodes > NODES_AT_MOST or len(path) > DEPTH_AT_MOST:
            self.too_much = self.too_much or Slip(node.start_mark.index, *_TOO_MUCH)
            return None
        self.positions.values[path] = node
        if not str(node.tag).startswith("tag:yaml.org,2002:"):
            message = "to YAML, a word that begins with ! is a tag, and not part of the text"
            self._slip(node, "yaml", message, "put the whole text in quotes")
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        value = _scalar(node)
        prose = path and path[-1] in PROSE
        if _is_plain(node) and not prose and isinstance(value, str) and is_wrapped(value):
            hint = f"use straight quotes, or none: {quoted(value[1:-1])}"
            self._slip(node, "smart-quotes", "typographic quotes are part of the text", hint)
            return value[1:-1]
        return value

    def _mapping(self, node: MappingNode, path: Place) -> dict[str, Any]:
        data: dict[str, Any] = {}
        before = ""
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                braces = braces_on(self.positions.text, key_node.start_mark.index)
                if braces is not None:
                    self.positions.slips.append(braces)
                else:
                    self._slip(key_node, "yaml", "a key must be a word")
                continue
            key = _text(key_node)
            if key in data:
                self._twice(key_node, key, path, next(iter(data)) == key)
                continue
            if node.flow_style and _is_empty(value_node):
                slip = valueless(key, key_node.start_mark.index, before, data.get(before))
                self.positions.slips.append(slip)
                continue
            before = key
            self.positions.keys[*path, key] = key_node
            if not node.flow_style and _is_empty(value_node):
                self.positions.slips.append(empty(self.positions.text, key_node))
            data[key] = self.value(value_node, (*path, key))
        return data

    def _twice(self, node: Node, key: str, path: Place, begins: bool) -> None:
        line = self.positions.key((*path, key))[0]
        hint = ""
        if begins and path and isinstance(path[-1], int):
            hint = f'if a new item begins here, write "- {key}: ..."'
        self._slip(node, "duplicate-key", f'"{key}" is already written on line {line}', hint)

    def _slip(self, node: Node, code: str, message: str, hint: str = "") -> None:
        self.positions.slips.append(Slip(node.start_mark.index, code, message, hint))


_TOO_MUCH = ("yaml", "too large or nested too deeply to be meant", "write it out, without aliases")
_TOO_LARGE = Slip(0, "too-large", "too large to be meant", f"keep it below {LARGEST // 1000} KB")
_TOO_DEEP = Slip(0, "yaml", "nested too deeply to be meant")


def _deepest(text: str) -> int:
    """How many brackets are open at once, at most; those within text count too."""
    deepest = depth = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if bracket in "[{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def _is_plain(node: Node) -> bool:
    """Whether it is text without quotes."""
    return isinstance(node, ScalarNode) and not node.style


def _is_empty(node: Node) -> bool:
    return _is_plain(node) and node.start_mark.index == node.end_mark.index


def _text(node: Node) -> str:
    """Its text; halves of characters, which escapes can spell, joined or replaced."""
    text = str(node.value)
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _scalar(node: Node) -> Any:
    text = _text(node)
    kind = str(node.tag).rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        if kind == "int":
            prefixed = text.lstrip("+-")[:2].lower() in ("0x", "0o", "0b")
            return int(text, 0) if prefixed else int(text)
        if kind == "float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text
    return text


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
