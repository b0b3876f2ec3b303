"""What does the content library hold? Files below content/, read with their places in them.

A file with problems never replaces what was good of it; one that is gone takes its items along.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nurture.authoring.content_keys import ContentKeys, ItemKeys
from nurture.core.content import Content, Shelf
from nurture.errors import Problem, Problems, shown
from nurture.files import read_bytes, text_in
from nurture.positions import Positions, read_yaml, validate


@dataclass(frozen=True, kw_only=True)
class ContentFile:
    """One good file."""

    digest: str  #: sha256 of its bytes
    source: str
    items: tuple[Content, ...]


class ContentFiles:
    """The last good version of each file of a folder."""

    def __init__(self) -> None:
        self.files: Mapping[str, ContentFile] = {}
        self.problems: tuple[Problem, ...] = ()
        self.shelf = Shelf()

    @property
    def kinds(self) -> Collection[str] | None:
        """The kinds that there are; None: a file cannot be read, so nobody knows."""
        return None if self.problems else self.shelf.kinds.keys()

    def inherit(self, before: "ContentFiles") -> None:
        """Go on with what was in force before, where a file is broken now."""
        self.files = {**before.files, **self.files}

    def reload(self, folder: Path) -> bool:
        """Read all that is there now. Whether anything in force is another than before."""
        before, files, problems = self.files, dict[str, ContentFile](), list[Problem]()
        known: dict[str, Content] = {}
        for path in content_files(folder):
            old = before.get(path.stem)
            try:
                read = read_content(read_bytes(path, shown(path)), shown(path), known)
            except FileNotFoundError:
                continue
            except Problems as found:
                problems += found.problems
                if old is None:
                    continue
                read = old
            files[path.stem] = read
            for each in read.items:
                known.setdefault(each.id, each)
        self.files, self.problems = files, tuple(problems)
        changed = {name: each.digest for name, each in files.items()} != {
            name: each.digest for name, each in before.items()
        }
        self.shelf = Shelf(known.values())
        return changed


def content_files(folder: Path) -> Iterable[Path]:
    return [path for path in sorted(folder.glob("*.yaml")) if not path.name.startswith(".")]


def read_content(raw: bytes, file: str, known: Mapping[str, Content]) -> ContentFile:
    """One file; `known` are the items of others, by id. Raises Problems, with all there are."""
    text = text_in(raw, file)
    data, positions = read_yaml(text, file)
    keys = validate(ContentKeys, data, positions, file)
    problems: list[Problem] = []
    items: dict[str, Content] = {}
    for index, item in enumerate(keys.items):
        other = items.get(item.id) or known.get(item.id)
        if other is not None:
            code = "duplicate-id"
            message = f'"{item.id}" is the id of another item: {other.file}, line {other.line}'
            hint = "ids are for ever: rename the newer one"
        elif item.kind is None and keys.kind is None:
            code = "missing-key"
            message = '"kind" is missing, here or above `items:`'
            hint = "what templates ask for, such as culture"
        else:
            items[item.id] = _content(item, keys, file, positions, index)
            continue
        line, column = positions.at(("items", index, "id"))
        problems.append(
            Problem(file=file, line=line, column=column, code=code, message=message, hint=hint)
        )
    if problems:
        raise Problems(problems)
    digest = hashlib.sha256(raw).hexdigest()
    return ContentFile(digest=digest, source=raw.decode(), items=tuple(items.values()))


def _content(
    item: ItemKeys, keys: ContentKeys, file: str, positions: Positions, index: int
) -> Content:
    return Content(
        id=item.id,
        kind=item.kind or keys.kind or "",
        title=item.title,
        text=item.text,
        url=item.url,
        minutes=item.minutes,
        listens_for=item.listens_for,
        owner=item.owner or keys.owner or "",
        fresh_until=item.fresh_until,
        locale=item.locale or keys.locale,
        team=tuple(item.team),
        interview=tuple(item.interview),
        role_family=tuple(item.role_family),
        seniority=tuple(item.seniority),
        stage=tuple(item.stage),
        country=tuple(item.country),
        file=file,
        line=positions.at(("items", index))[0],
        fresh_spot=positions.at(("items", index, "fresh_until")),
    )
