"""Which lines of a campaign file are about that step? Also of a file that is no longer in force."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ruamel.yaml.nodes import Node

from nurture.authoring.campaign_keys import STEP_LISTS
from nurture.errors import Problems
from nurture.positions import Place, read_yaml


class Lines(NamedTuple):
    """Counted from 1, both included."""

    first: int
    last: int
    was: str | None  #: what this version says that the step was called before

    def of(self, content: str) -> str:
        text = content.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        return "\n".join(text.split("\n")[self.first - 1 : self.last])


@lru_cache(maxsize=256)
def lines_of_steps(content: str) -> Mapping[str, Lines]:
    """Where a file has the steps that send a mail, by id.

    Only positions are looked at: what a version of long ago says need not be good today.
    """
    try:
        data, positions = read_yaml(content, "")
    except Problems:
        return {}
    found: dict[str, Lines] = {}
    for path, keys in _steps((), data):
        id_, was = _id(keys), keys.get("was")
        if id_ is not None:
            first, last = _span(positions.text, positions.values[path])
            found.setdefault(id_, Lines(first, last, str(was) if was else None))
    return found


def _steps(path: Place, around: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every step in file order, with its place, those within branches after their branch."""
    if not isinstance(around, dict):
        return
    for name in STEP_LISTS:
        below = around.get(name)
        for index, keys in enumerate(below if isinstance(below, list) else ()):
            if isinstance(keys, dict):
                yield (*path, name, index), keys
                yield from _steps((*path, name, index), keys)


def _id(keys: dict[str, Any]) -> str | None:
    """The id of a step that sends: its own, or the last part of its template's name."""
    if keys.get("id") is not None:
        return str(keys["id"])
    return str(keys["send"]).rpartition("/")[2] if keys.get("send") else None


def _span(text: str, node: Node) -> tuple[int, int]:
    start = node.start_mark.index
    first = text.count("\n", 0, start) + 1
    written = text[start : node.end_mark.index].rstrip().split("\n")
    # A block ends where the next thing begins: what stands in between is not about it.
    while len(written) > 1 and written[-1].lstrip()[:1] in ("", "#"):
        written.pop()
    return first, first + len(written) - 1
