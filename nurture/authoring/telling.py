"""How is a problem told: to people, to programs, to GitHub?

To people as compilers do it: what is wrong, where, the line itself with the spot marked, why it
matters (once a code) and what to try.
"""

import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from re import Pattern
from re import compile as pattern
from typing import Literal

from nurture.authoring.codes import CATALOGUE
from nurture.errors import Problem, Problems
from nurture.files import read_bytes

Style = Literal["text", "json", "github"]
LINE_MAX = 110  #: columns of a shown line
_TAB = 4
_CUT = "…"
_ODD_SPACE = "␣"  # a space that is none to YAML must be seen
_QUOTED: Pattern[str] = pattern(r'"([^"]+)"|`([^`]+)`')
_TOKEN: Pattern[str] = pattern(
    r"\"[^\"]*\"?|'[^']*'?|\{\{.*?\}\}|\{%.*?%\}|[\w./-]+|\s+|[^\w\s]", flags=0
)
_ENTRY_BEFORE: Pattern[str] = pattern(r"(?:^[ -]*|[:,{\[] +|- +)$")
_SGR = {"error": "1;31", "warning": "1;33", "bold": "1", "gutter": "1;34", "hint": "1;36"}


def format_problems(
    problems: Sequence[Problem], style: Style = "text", *, colour: bool = False
) -> str:
    """All of them, in their order; `colour` is for text on a terminal."""
    sources = _Sources()
    if style == "json":
        return "\n".join(_as_json(problem, sources) for problem in problems)
    if style == "github":
        return "\n".join(_annotation(problem, sources) for problem in problems)
    paint = _paint if colour else _plain
    told: set[str] = set()
    parts = []
    for problem in problems:
        why = problem.code not in told
        told.add(problem.code)
        parts.append("\n".join(_shown(problem, sources, paint, why=why)))
    return "\n\n".join([*parts, _summary(problems)]) if problems else ""


def end_of(line: str, column: int, message: str = "") -> int:
    """The column after the word, value or tag that begins at `column` of a line (both from 1).

    What the message quotes goes first: a condition's wrong name and not the whole condition.
    """
    start = column - 1
    rest = line[start:]
    if not rest.strip():
        return column + 1
    quoted = [one or other for one, other in _QUOTED.findall(message)]
    for word in sorted((word for word in quoted if rest.startswith(word)), key=len, reverse=True):
        return column + len(word)
    if _ENTRY_BEFORE.search(line[:start]) and rest[0] not in "\"'{[":
        value = _value(rest, in_braces=_is_in_braces(line[:start]))
        if value and not value.endswith(":"):
            return column + len(value)
    token = _TOKEN.match(rest)
    return column + (len(token[0]) if token else 1)


@dataclass(frozen=True)
class Excerpt:
    """One line as it is shown, and where on it the spot is, in columns of a terminal from 0."""

    text: str
    start: int
    width: int


def excerpt(line: str, column: int, end: int) -> Excerpt:
    """The line with tabs widened and controls made visible, long ones cut around the spot."""
    cells = [_cell(char) for char in line]
    start, stop = min(column - 1, len(cells)), min(end - 1, len(cells))
    first, last = 0, len(cells)
    if sum(map(_width, cells)) > LINE_MAX:
        first, last = _window(cells, start)
    head = _CUT if first else ""
    tail = _CUT if last < len(cells) else ""
    before = head + "".join(cells[first:start])
    marked = "".join(cells[start : min(stop, last)])
    text = before + marked + "".join(cells[min(stop, last) : last]) + tail
    return Excerpt(text.rstrip(), _width(before), max(_width(marked), 1))


class _Sources:
    """The lines of the files that problems are in, each read once."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def line(self, file: str, number: int) -> str | None:
        if file not in self._lines:
            self._lines[file] = self._read(file)
        lines = self._lines[file]
        return lines[number - 1] if 0 < number <= len(lines) else None

    @staticmethod
    def _read(file: str) -> list[str]:
        try:
            raw = read_bytes(Path(file), file)
        except (Problems, OSError, ValueError):
            return []
        text = raw.decode("utf-8-sig", "replace")
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def end(self, problem: Problem) -> int | None:
        line = self.line(problem.file, problem.line)
        if line is None or problem.column > len(line):
            return None
        return min(end_of(line, problem.column, problem.message), len(line) + 1)


# --- to people -----------------------------------------------------------------------------------


def _shown(problem: Problem, sources: _Sources, paint: "_Paint", *, why: bool) -> Iterator[str]:
    kind = "warning" if problem.severity == "warning" else "error"
    label = paint(f"{kind}[{_clean(problem.code)}]", kind)
    yield f"{label}{paint(f': {_clean(_sentence(problem))}', 'bold')}"
    line = sources.line(problem.file, problem.line)
    number = str(problem.line)
    margin = " " * len(number)
    place = f"{_clean(problem.file)}:{problem.line}:{problem.column}"
    yield f"{margin}{paint('-->', 'gutter')} {place}"
    bar = paint("|", "gutter")
    if line is not None:
        spot = excerpt(line, problem.column, sources.end(problem) or problem.column + 1)
        yield f"{margin} {bar}"
        yield f"{paint(number, 'gutter')} {bar} {spot.text}".rstrip()
        yield f"{margin} {bar} {' ' * spot.start}{paint('^' * spot.width, kind)}"
    code = CATALOGUE.get(problem.code)
    if why and code is not None:
        yield f"{margin} {paint('=', 'gutter')} {paint('why', 'bold')}: {code.why}"
    if problem.hint:
        yield f"{margin} {paint('=', 'gutter')} {paint('try', 'hint')}: {_clean(problem.hint)}"


def _sentence(problem: Problem) -> str:
    """`unknown event "x"` where the message is only the word itself."""
    if _QUOTED.fullmatch(problem.message):
        return f"{problem.code.replace('-', ' ')} {problem.message}"
    return problem.message


def _summary(problems: Sequence[Problem]) -> str:
    warnings = sum(problem.severity == "warning" for problem in problems)
    errors = len(problems) - warnings
    files = len({problem.file for problem in problems})
    counts = [_count(errors, "error")] if errors else []
    counts += [_count(warnings, "warning")] if warnings else []
    example = next((one.code for one in problems if one.severity != "warning"), problems[0].code)
    more = f"`nurture check --explain {example}` says more"
    return f"{', '.join(counts)} in {_count(files, 'file')}; {more}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _value(rest: str, *, in_braces: bool) -> str:
    """The plain value, or the key, that a line goes on with."""
    key = pattern(r"[\w.-]+(?=:(?: |$))").match(rest)
    if key is not None:
        return key[0]
    ends = r" #| *[,}\]]" if in_braces else r" #"
    cut = pattern(ends).search(rest)
    return rest[: cut.start() if cut else None].rstrip()


def _is_in_braces(before: str) -> bool:
    return before.count("{") + before.count("[") > before.count("}") + before.count("]")


def _cell(char: str) -> str:
    """How one character is shown: in as many columns as it says."""
    if char == "\t":
        return " " * _TAB
    if char != " " and unicodedata.category(char) == "Zs":
        return _ODD_SPACE
    return _clean(char)


def _clean(text: str) -> str:
    """Without what would steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else char
        for char in text
    )


def _width(text: str) -> int:
    """Columns of a terminal: wide characters take two, those that combine take none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _window(cells: Sequence[str], start: int) -> tuple[int, int]:
    """First and last (excluded) of the characters that are shown around the one at `start`."""
    first, used = start, 0
    while first > 0 and used + _width(cells[first - 1]) <= LINE_MAX // 3:
        first -= 1
        used += _width(cells[first])
    last = start
    while last < len(cells) and used + _width(cells[last]) <= LINE_MAX:
        used += _width(cells[last])
        last += 1
    return first, last


class _Paint:
    """Colours, or none."""

    def __init__(self, *, colour: bool) -> None:
        self.colour = colour

    def __call__(self, text: str, how: str) -> str:
        return f"\x1b[{_SGR[how]}m{text}\x1b[0m" if self.colour else text


_paint, _plain = _Paint(colour=True), _Paint(colour=False)

# --- to programs ---------------------------------------------------------------------------------


def _as_json(problem: Problem, sources: _Sources) -> str:
    """One object; the end of the marked spot is null where nobody knows it."""
    end = sources.end(problem)
    ends = {"end_line": problem.line if end else None, "end_column": end}
    return json.dumps({**problem.as_json(), **ends}, ensure_ascii=False)


def _annotation(problem: Problem, sources: _Sources) -> str:
    """https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions"""
    kind = "warning" if problem.severity == "warning" else "error"
    hint = f" ({problem.hint})" if problem.hint else ""
    place = f"file={_property(problem.file)},line={problem.line},col={problem.column}"
    end = sources.end(problem)
    if end is not None and end > problem.column + 1:
        place += f",endLine={problem.line},endColumn={end - 1}"
    return (
        f"::{kind} {place},title={_property(problem.code)}::{_escaped(_sentence(problem) + hint)}"
    )


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
