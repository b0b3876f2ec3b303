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
    lacks: str = ""  #: the key that is missing


def misfit(model: type[BaseModel], error: Mapping[str, Any], places: Container[Place]) -> Misfit:
    """One of pydantic's errors about `model`; `places` are the paths that the file has."""
    kind, loc = str(error["type"]), tuple(error["loc"])
    path = _place(loc, places)
    if kind == "extra_forbidden":
        name = str(loc[-1])
        hint = _about_key(model, name, loc[:-1])
        return Misfit(path, "unknown-key", f'"{name}"', hint, of_key=True)
    if kind in ("missing", "union_tag_not_found"):
        name = str(loc[-1]) if kind == "missing" else str(error["ctx"]["discriminator"]).strip("'")
        return Misfit(path, "missing-key", f'"{name}" is missing', lacks=name)
    name = str(path[-1]) if path else ""
    prefix = f"{name}: " if name and not name.isdigit() else ""
    wrong_type = (kind in _COMPLAINTS and "short" not in kind) or kind.endswith(
        ("_type", "_parsing")
    )
    said = _COMPLAINTS.get(kind) or str(error["msg"]).removeprefix("Value error, ")
    if kind in ("literal_error", "enum"):
        expected = str(error["ctx"]["expected"]).replace(chr(39), "")
        said = f"must be {expected}"
        hint = did_you_mean(error.get("input"), re.split(", | or ", expected))
    elif kind == "string_pattern_mismatch":
        said, hint = "this is not of the form that is expected", _about_form(path)
    else:
        hint = _about_type(kind, error.get("input"), name, _keys_at(model, loc))
    return Misfit(path, "wrong-type" if wrong_type else "invalid-value", prefix + said, hint)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`did you mean "..."?`, or nothing where no known word is near."""
    near = difflib.get_close_matches(str(word), sorted(set(known)), n=1, cutoff=0.6)
    return did_mean(near[0]) if near else ""


def did_mean(word: str) -> str:
    return f'did you mean "{word}"?'


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
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def _about_key(model: type[BaseModel], name: str, loc: Place) -> str:
    """What was meant by a key that is not known here."""
    known = _keys_at(model, loc)
    if name.startswith("-") and name[1:] in known:
        return f'put a space after the dash: "- {name[1:]}:"'
    inside = (_holders(one, name) for one in _models_at(model, loc))
    elsewhere = _holders(model, name) or next(filter(None, inside), "")
    if name not in known and elsewhere:
        return f'"{name}" belongs into {elsewhere}; is it indented like its neighbours?'
    called = _ALSO_CALLED.get(re.sub(r"[- ]", "_", name.lower()), ())
    for other in called:
        if other in known:
            return did_mean(other)
    if name in _OF_TEMPLATES and "send" in known:
        return "that stands in the template's file"
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


#: What other tools call it.
_ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "trigger": ("enter", "on"),
    "event": ("on",),
    **dict.fromkeys(("start", "entry", "audience", "segment"), ("enter",)),
    **dict.fromkeys(("exit", "exits", "end", "stop", "goal"), ("leave",)),
    **dict.fromkeys(("when", "unless", "condition", "filter", "where", "elif"), ("if",)),
    **dict.fromkeys(("delay", "wait", "wait_time", "in"), ("after",)),
    **dict.fromkeys(("mail", "email", "template", "message"), ("send",)),
    **dict.fromkeys(("actions", "mails", "emails", "messages", "flow"), ("steps",)),
    **dict.fromkeys(("date", "time", "schedule", "send_at"), ("at",)),
    **dict.fromkeys(("expires", "deadline", "valid_until"), ("until",)),
    "timeout": ("up_to",),
    **dict.fromkeys(("title", "campaign"), ("name",)),
    **dict.fromkeys(("description", "summary", "comment", "note"), ("about",)),
    **dict.fromkeys(("preview", "preview_text", "teaser"), ("preheader",)),
    **dict.fromkeys(("active", "enabled", "state"), ("status",)),
}
#: What a step does not say, because its template does.
_OF_TEMPLATES = frozenset({"subject", "preheader", "preview", "tone", "layout", "topic"})

#: What has one shape, and how it looks.
_FORMS = {
    "accent": 'write a colour as "#1f6f5c", in quotes',
    "layout": "write its name without .html: letters, digits, - and _",
    "id": "use letters, digits, - and _",
}


def _about_form(path: Place) -> str:
    return _FORMS.get(str(path[-1]) if path else "", "")


def _first(keys: Sequence[str], given: str) -> str:
    return f'write "{keys[0]}: {given}"'


#: Keys that say how long.
_LENGTHS = frozenset({"after", "up_to", "every", "within", "due", "again"})


def _about_type(kind: str, given: Any, name: str, keys: Sequence[str]) -> str:
    """What to type instead of a value of another type. `keys` are those that are known there."""
    match kind, given:
        case "string_type", bool() if name == "if":
            return "leave `if` out where everybody is meant"
        case "string_type", int() if name in _LENGTHS and not isinstance(given, bool):
            return f"write what it counts: {given} days, {given} hours"
        case "string_type", [first, *_]:
            return f"write one of them, such as {first}: each has a file or step of its own"
        case "string_type", {}:
            return "put the whole text in quotes, on the line of the key"
        case "string_type", _:
            return "put it in quotes if it is meant as text"
        case "bool_type", _ if str(given).lower() in _BOOLEANS:
            return f"write {_BOOLEANS[str(given).lower()]}"
        case "list_type", {**_keys} if given:
            first = str(next(iter(given))).lstrip("-–—*• ")
            return f'begin each item with a dash and a space: "- {first}: ..."'
        case "list_type", str() | int():
            item = f"{keys[0]}: {given}" if keys else given
            return f'begin each item with a dash and a space: "- {item}"'
        case (("model_type" | "dict_type" | "model_attributes_type"), str()) if keys:
            said = re.match(r"(\w+)\W+(.+)", given)
            known = said is not None and said[1] in keys
            return f'write "{said[1]}: {said[2]}"' if said and known else _first(keys, given)
        case (("model_type" | "model_attributes_type"), [*_]) if keys:
            return f"remove the dash: {keys[0]}: ..."
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
    here = _models_at(model, loc)
    return [about.alias or name for one in here for name, about in one.model_fields.items()]


def _models_at(model: Any, loc: Iterable[str | int]) -> list[Any]:
    here: list[Any] = _models(model)
    for part in loc:
        deeper: list[Any] = []
        for one in here:
            for name, about in one.model_fields.items():
                if part in (name, about.alias):
                    deeper += _models(about.annotation, *about.metadata)
        here = deeper or here
    return here


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
