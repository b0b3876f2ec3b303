"""Where in the file does it say that?

YAML 1.2 read with the position of every key and value kept, and pydantic's complaints turned into
problems at those positions. Shared by the configuration, campaign files and template front matter.
Timestamps stay text and `on`, `no`, `9:00` are words, as YAML 1.2 has it.
"""

import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from nurture.errors import Problem, Problems

Place = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

NODES_AT_MOST = 50_000  # with aliases expanded: a small file can otherwise unfold into gigabytes
DEPTH_AT_MOST = 60
BRACES = "put text that begins with {{ in quotes"


@dataclass
class Positions:
    """Line and column, counted from 1, of everything in one YAML text."""

    text: str
    first_line: int = 1
    values: dict[Place, Node] = field(default_factory=dict)
    keys: dict[Place, Node] = field(default_factory=dict)

    def __contains__(self, path: Place) -> bool:
        return path in self.values

    def at(self, path: Place) -> tuple[int, int]:
        """Of the value at `path`, else of the nearest value that contains it."""
        while path and path not in self.values:
            path = path[:-1]
        node = self.values.get(path)
        return (self.first_line, 1) if node is None else self.spot(node.start_mark.index)

    def key(self, path: Place) -> tuple[int, int]:
        """Of the key that `path` ends with; of the value where there is no key (list items)."""
        node = self.keys.get(path)
        return self.at(path) if node is None else self.spot(node.start_mark.index)

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

    def has_braces(self, index: int) -> bool:
        """Whether the line of the character at `index` has a value that begins with `{{`."""
        start = self.text.rfind("\n", 0, index) + 1
        end = self.text.find("\n", start)
        return ": {{" in self.text[start : end if end >= 0 else None]

    def spot(self, index: int) -> tuple[int, int]:
        line = self.text.count("\n", 0, index)
        return self.first_line + line, index - (self.text.rfind("\n", 0, index) + 1) + 1


def read_yaml(text: str, file: str, first_line: int = 1) -> tuple[Any, Positions]:
    """The data of one YAML document (plain dicts, lists and scalars; None when empty) and where
    each part stands. `first_line` is the line of the file on which `text` begins.

    Raises Problems: `yaml` for what is not YAML, `duplicate-key` for a key written twice.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    positions = Positions(text, first_line)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise Problems([_marked(error, positions, file)]) from None
    except (YAMLError, RecursionError, ValueError, LookupError, AttributeError, TypeError) as error:
        # ruamel.yaml's scanner raises built-in errors for some malformed texts.
        at = getattr(error, "position", 0)
        line, column = positions.spot(at if isinstance(at, int) else 0)
        said = "nested too deeply" if isinstance(error, RecursionError) else _first_line(error)
        raise Problems(
            [Problem(file=file, line=line, column=column, code="yaml", message=f"not YAML: {said}")]
        ) from None
    reading = _Reading(positions, file)
    data = reading.value(root, ()) if root is not None else None
    if reading.problems:
        raise Problems(reading.problems)
    return data, positions


def validate(model: type[M], data: Any, positions: Positions, file: str) -> M:
    """`data` as a `model`; raises Problems with every complaint, each at its place.

    Codes: `unknown-key`, `missing-key`, `wrong-type`, `invalid-value`.
    """
    try:
        return model.model_validate({} if data is None else data, by_alias=True, by_name=False)
    except ValidationError as error:
        found = [
            _complaint(model, dict(one), positions, file)
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise Problems(list(dict.fromkeys(found))) from None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "..."?`, or nothing where no known word is near."""
    near = difflib.get_close_matches(str(word), sorted(set(known)), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""


class _Reading:
    """Builds plain data from nodes and notes where each came from."""

    def __init__(self, positions: Positions, file: str) -> None:
        self.positions = positions
        self.file = file
        self.problems: list[Problem] = []
        self.nodes = 0

    def value(self, node: Node, path: Place) -> Any:
        self.nodes += 1
        if self.nodes > NODES_AT_MOST or len(path) > DEPTH_AT_MOST:
            if not any(problem.code == "yaml" for problem in self.problems):
                self._problem(node, "yaml", "too large or nested too deeply to be meant")
            return None
        self.positions.values[path] = node
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: MappingNode, path: Place) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                hint = BRACES if self.positions.has_braces(key_node.start_mark.index) else ""
                self._problem(key_node, "yaml", "a key must be a word", hint)
                continue
            key = _text(key_node)
            if key in data:
                first = self.positions.key((*path, key))[0]
                self._problem(
                    key_node, "duplicate-key", f'"{key}" is already written on line {first}'
                )
                continue
            self.positions.keys[*path, key] = key_node
            data[key] = self.value(value_node, (*path, key))
        return data

    def _problem(self, node: Node, code: str, message: str, hint: str = "") -> None:
        line, column = self.positions.spot(node.start_mark.index)
        self.problems.append(
            Problem(file=self.file, line=line, column=column, code=code, message=message, hint=hint)
        )


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


def _marked(error: MarkedYAMLError, positions: Positions, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = positions.spot(mark.index) if mark is not None else (positions.first_line, 1)
    said = ", ".join(part for part in (error.context, error.problem) if part) or "it cannot be read"
    hint = ""
    if "\\t" in said or "\t" in said:
        hint = "indent with spaces, not with tabs"
    elif mark is not None and positions.has_braces(mark.index):
        hint = BRACES
    elif "mapping values are not allowed" in said:
        hint = "put text that contains a colon in quotes"
    elif "but found another document" in said:
        hint = "one file holds one document: remove the second ---"
    message = f"not YAML: {' '.join(said.split())}"
    return Problem(file=file, line=line, column=column, code="yaml", message=message, hint=hint)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


_COMPLAINTS = {
    "string_type": "text is expected here",
    "int_type": "a whole number is expected here",
    "int_parsing": "a whole number is expected here",
    "int_from_float": "a whole number is expected here",
    "float_type": "a number is expected here",
    "float_parsing": "a number is expected here",
    "bool_type": "true or false is expected here",
    "bool_parsing": "true or false is expected here",
    "list_type": "a list is expected here",
    "dict_type": "keys with values are expected here",
    "model_type": "keys with values are expected here",
    "model_attributes_type": "keys with values are expected here",
}


def _complaint(
    model: type[BaseModel], error: Mapping[str, Any], positions: Positions, file: str
) -> Problem:
    kind, loc = str(error["type"]), tuple(error["loc"])
    path = _place(loc, positions)
    if kind == "extra_forbidden":
        name = str(loc[-1])
        known = _keys_at(model, loc[:-1])
        hint = did_you_mean(name, known) or (f"known here: {', '.join(known)}" if known else "")
        line, column = positions.key(path)
        return Problem(
            file=file, line=line, column=column, code="unknown-key", message=f'"{name}"', hint=hint
        )
    if kind in ("missing", "union_tag_not_found"):
        line, column = positions.at(path)
        name = str(loc[-1]) if kind == "missing" else str(error["ctx"]["discriminator"]).strip("'")
        message = f'"{name}" is missing'
        return Problem(file=file, line=line, column=column, code="missing-key", message=message)
    line, column = positions.at(path)
    name = str(path[-1]) if path else ""
    prefix = f"{name}: " if name and not name.isdigit() else ""
    wrong_type = kind in _COMPLAINTS or kind.endswith(("_type", "_parsing"))
    said = _COMPLAINTS.get(kind) or str(error["msg"]).removeprefix("Value error, ")
    hint = ""
    if kind in ("literal_error", "enum"):
        said = f"must be {str(error['ctx']['expected']).replace(chr(39), '')}"
    elif kind == "string_type":
        hint = "put it in quotes if it is meant as text"
    return Problem(
        file=file,
        line=line,
        column=column,
        code="wrong-type" if wrong_type else "invalid-value",
        message=prefix + said,
        hint=hint,
    )


def _place(loc: Iterable[str | int], positions: Positions) -> Place:
    """A pydantic location without the names of union members, which no file contains."""
    path: Place = ()
    for part in loc:
        if (*path, part) in positions:
            path = (*path, part)
    return path


def _keys_at(model: Any, loc: Iterable[str | int]) -> list[str]:
    """The keys that `model` knows at `loc`."""
    here: list[Any] = _models(model)
    for part in loc:
        deeper: list[Any] = []
        for one in here:
            for name, about in one.model_fields.items():
                if part in (name, about.alias):
                    deeper += _models(about.annotation, *about.metadata)
        here = deeper or here
    return [about.alias or name for one in here for name, about in one.model_fields.items()]


def _models(*annotations: Any) -> list[Any]:
    found: list[Any] = []
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.append(annotation)
        elif isinstance(written := getattr(annotation, "written_as", None), type):
            found += _models(written)
        elif get_origin(annotation) in (Annotated, Union, types.UnionType, list, dict, tuple):
            found += _models(*get_args(annotation))
    return found
