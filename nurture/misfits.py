"""What does it mean for who wrote the file that a value does not fit the model?

Pydantic's errors, as a path into the file, a code, a sentence and what to write instead.
"""

import difflib
import re
import types
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Misfit:
    path: Place
    code: str
    message: str
    hint: str = ""
    of_key: bool = False  #: it is the key that does not fit, not its value


def misfit(model: type[BaseModel], error: Mapping[str, Any], places: Container[Place]) -> Misfit:
    """One of pydantic's errors about `model`; `places` are the paths that the file has."""
    kind, loc = str(error["type"]), tuple(error["loc"])
    path = _place(loc, places)
    if kind == "extra_forbidden":
        name = str(loc[-1])
        hint = _about_key(model, name, _keys_at(model, loc[:-1]))
        return Misfit(path, "unknown-key", f'"{name}"', hint, of_key=True)
    if kind in ("missing", "union_tag_not_found"):
        name = str(loc[-1]) if kind == "missing" else str(error["ctx"]["discriminator"]).strip("'")
        return Misfit(path, "missing-key", f'"{name}" is missing')
    name = str(path[-1]) if path else ""
    prefix = f"{name}: " if name and not name.isdigit() else ""
    wrong_type = kind in _COMPLAINTS or kind.endswith(("_type", "_parsing"))
    said = _COMPLAINTS.get(kind) or str(error["msg"]).removeprefix("Value error, ")
    if kind in ("literal_error", "enum"):
        expected = str(error["ctx"]["expected"]).replace(chr(39), "")
        said = f"must be {expected}"
        hint = did_you_mean(error.get("input"), re.split(", | or ", expected))
    else:
        hint = _about_type(kind, error.get("input"))
    return Misfit(path, "wrong-type" if wrong_type else "invalid-value", prefix + said, hint)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`did you mean "..."?`, or nothing where no known word is near."""
    near = difflib.get_close_matches(str(word), sorted(set(known)), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""


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


def _about_key(model: type[BaseModel], name: str, known: Sequence[str]) -> str:
    """What was meant by a key that is not known here."""
    if name.startswith("-") and name[1:] in known:
        return f'put a space after the dash: "- {name[1:]}:"'
    elsewhere = _holders(model, name)
    if name not in known and elsewhere:
        return f'"{name}" belongs into {elsewhere}; is it indented like its neighbours?'
    return did_you_mean(name, known) or (f"known here: {', '.join(known)}" if known else "")


def _holders(model: Any, name: str) -> str:
    """The keys in whose values `name` is a key, as far as one looks from the top."""
    found = [
        f"{about.alias or key}:"
        for key, about in model.model_fields.items()
        for inner in _models(about.annotation, *about.metadata)
        if name in [each.alias or own for own, each in inner.model_fields.items()]
    ]
    return " or ".join(dict.fromkeys(found[:3]))


def _about_type(kind: str, given: Any) -> str:
    """What to type instead of a value of another type."""
    if kind == "string_type":
        return "put it in quotes if it is meant as text"
    if kind == "bool_type" and str(given).lower() in _BOOLEANS:
        return f"write {_BOOLEANS[str(given).lower()]}"
    if kind == "list_type" and isinstance(given, dict) and given:
        first = str(next(iter(given))).removeprefix("-")
        return f'begin each item with a dash and a space: "- {first}: ..."'
    return ""


_BOOLEANS = {
    **dict.fromkeys(("yes", "y", "on", "1"), "true"),
    **dict.fromkeys(("no", "n", "off", "0"), "false"),
}


def _place(loc: Iterable[str | int], places: Container[Place]) -> Place:
    """A pydantic location without the names of union members, which no file contains."""
    path: Place = ()
    for part in loc:
        if (*path, part) in places:
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
