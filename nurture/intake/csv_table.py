"""What are the rows of this file? Encodings, separators and line ends as they occur in the wild."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import charset_normalizer

from nurture.errors import OutsideError, Problem, Problems, shown
from nurture.intake.csv_columns import field_of

_SEPARATORS = (",", ";", "\t", "|")
_LARGEST_CELL = 1_000_000
_OTHERS = ["cp1250", "cp1251", "cp1253", "cp1254"]
#: Central European text read as Western has signs within its words, Cyrillic and Greek text has
#: words of accented letters only.
_CENTRAL = re.compile(r"[A-Za-zÀ-ÿœŸ][¹³¿£¼¾][A-Za-zÀ-ÿœŸ]")
_NOT_LATIN = re.compile(r"[À-ÿ]{4}")


@dataclass(frozen=True)
class Row:
    line: int  #: where it begins in the file
    cells: list[str]


@dataclass(frozen=True)
class Table:
    file: str  #: as people typed it
    encoding: str
    separator: str
    header: Row
    text: str

    def rows(self) -> Iterator[Row]:
        """All rows below the header that are not blank. Raises Problems where it is no table."""
        rows = _rows(self.text, self.separator, self.file)
        next(rows)
        return rows


def read_table(path: Path, encoding: str | None = None) -> Table:
    """Raises Problems for a file that is no table, OutsideError for one that cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OutsideError(f"{shown(path)} cannot be read: {error.strerror}") from error
    text, used = _decoded(content, encoding, path)
    named, first = text.partition("\n")[0].strip(), 1
    separator = ""
    if named.casefold().startswith("sep=") and len(named) == 5:  # Excel's own hint
        separator, text, first = named[4], "\n" + text.partition("\n")[2], 2
    separator = separator or max(_SEPARATORS, key=lambda one: _score(text, one))
    try:
        header = next(_rows(text, separator, shown(path)), None)
    except Problems:
        header = None
    if header is None:
        raise _unusable(path, first, "empty-file", "there is no header line in it")
    if any("@" in cell for cell in header.cells):
        raise _unusable(
            path, header.line, "no-header", "the first line is data; it must name the columns"
        )
    return Table(shown(path), used, separator, header, text)


def _decoded(content: bytes, encoding: str | None, path: Path) -> tuple[str, str]:
    guesses = [encoding] if encoding else ["utf-8-sig"]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        guesses = ["utf-16"]
    elif not encoding and content[:200].count(0) > len(content[:200]) // 4:
        guesses = ["utf-16-le" if content[1:2] == b"\0" else "utf-16-be"]
    for guess in guesses:
        try:
            return content.decode(guess).removeprefix("\ufeff"), guess
        except (UnicodeDecodeError, LookupError):
            continue
    used = None if encoding else _code_page(content)
    if used is None:
        hint = "name it in the mapping file: encoding: cp1252"
        raise _unusable(path, 1, "encoding", "its encoding is not known", hint)
    return content.decode(used), used


def _code_page(content: bytes) -> str | None:
    """The 8-bit code page: Western, unless that reads as no Western text does."""
    try:
        western = content.decode("cp1252")
    except UnicodeDecodeError:
        western = ""
    if western and _CENTRAL.search(western):
        return "cp1250"
    if western and not _NOT_LATIN.search(western):
        return "cp1252"
    best = charset_normalizer.from_bytes(content, cp_isolation=_OTHERS).best()
    return None if best is None else best.encoding


def _score(text: str, separator: str) -> tuple[int, int]:
    """How much like a header the first line is when cut at this separator."""
    start = io.StringIO(text[:20_000].lstrip(), newline="")
    header = next(csv.reader(start, delimiter=separator), [])
    return sum(field_of(cell) is not None for cell in header), len(header)


def _rows(text: str, separator: str, file: str) -> Iterator[Row]:
    csv.field_size_limit(_LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            said = f"not a table from here on: {error}"
            raise Problems(
                [Problem(file=file, line=line, code="csv", message=said, hint="an open quote?")]
            ) from None
        if any(cell.strip() for cell in cells):
            yield Row(line, [cell.strip() for cell in cells])


def _unusable(path: Path, line: int, code: str, message: str, hint: str = "") -> Problems:
    return Problems([Problem(file=shown(path), line=line, code=code, message=message, hint=hint)])
