"""Which campaign files are there, and where in them is something wrong? Shown, never written here.

Git and an editor are where campaigns are written; a page shows a file as it is now, whether it is
in force or not, with each problem under its line.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nurture.core.model import Campaign
from nurture.engine.project import Project
from nurture.errors import Problem, Problems, shown
from nurture.files import read_bytes

_LARGEST = 200_000  # characters of a file that are shown


@dataclass(frozen=True, kw_only=True)
class Line:
    number: int
    before: str  #: blanks and the mark of a list
    key: str  #: `send:`
    rest: str
    note: str  #: a comment
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class Marked:
    file: str  #: as shown to people
    lines: tuple[Line, ...]
    others: tuple[Problem, ...]  #: at lines that are not shown
    cut: bool


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A template that a campaign sends."""

    name: str
    there: bool
    problems: tuple[Problem, ...]


def named(project: Project) -> list[str]:
    """All campaigns that have a file, good or not."""
    folder = project.config.campaigns_dir
    broken = {
        path.stem
        for path in (Path(each.file) for each in project.library.problems)
        if path.suffix == ".yaml" and shown(folder / path.name) == str(path)
    }
    return sorted({*project.library.campaigns, *broken})


def problems_of(project: Project, name: str) -> tuple[Problem, ...]:
    """Of this campaign's own file."""
    if not project.library.problems:  # as nearly always, and a path costs more than all else here
        return ()
    file = shown(_path(project, name))
    return tuple(each for each in project.library.problems if each.file == file)


def marked(project: Project, name: str) -> Marked:
    """The file of a campaign as it is now; the version in force where it cannot be read. `name` is
    one of `named`."""
    try:
        raw = read_bytes(_path(project, name), shown(_path(project, name)))
        text = raw.decode("utf-8", "replace")
    except (OSError, Problems):
        text = project.library.sources.get(name, "")
    found: dict[int, list[Problem]] = {}
    for each in problems_of(project, name):
        found.setdefault(each.line, []).append(each)
    lines = [
        _line(number, line, found.pop(number, ()))
        for number, line in enumerate(text[:_LARGEST].splitlines(), 1)
    ]
    return Marked(
        file=shown(_path(project, name)),
        lines=tuple(lines),
        others=tuple(problem for own in found.values() for problem in own),
        cut=len(text) > _LARGEST,
    )


def sent(project: Project, campaign: Campaign) -> list[Sent]:
    """The templates that it sends, in its order, each with what is wrong with any of its files."""
    known = {each.name for each in project.library.templates.values()}
    found = []
    for name in dict.fromkeys(each.send for each in campaign.every_step() if each.send):
        own: tuple[Problem, ...] = ()
        if problems := project.library.problems:
            file = shown(project.config.templates_dir / name)
            own = tuple(each for each in problems if each.file.startswith(f"{file}."))
        found.append(Sent(name=name, there=name in known, problems=own))
    return found


def _path(project: Project, name: str) -> Path:
    return project.config.campaigns_dir / f"{name}.yaml"


def _line(number: int, text: str, problems: Iterable[Problem]) -> Line:
    """A line in its parts, by their looks: enough for colours, and nothing hangs on it."""
    bare = text.lstrip(" -")
    before = text[: len(text) - len(bare)]
    if bare.startswith("#"):
        return Line(
            number=number, before=before, key="", rest="", note=bare, problems=tuple(problems)
        )
    key, colon, rest = bare.partition(":")
    if not colon or not key.replace("_", "").isalnum() or rest[:1].strip():
        key, colon, rest = "", "", bare
    rest, blank, note = rest.partition(" #")
    return Line(
        number=number,
        before=before,
        key=key + colon,
        rest=rest,
        note=blank + note,
        problems=tuple(problems),
    )
