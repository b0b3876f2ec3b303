"""How is a calendar entry written? In the content lines of iCalendar (RFC 5545 section 3.1)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

_LINE = 74  #: octets of a line; the next begins with a space, and 75 are allowed
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
# A parameter in quotes cannot hold one; RFC 6868 section 3.1 says how a caret is said.
_IN_QUOTES = str.maketrans({'"': "'", "^": "^^", "\n": " "})
_TO_BE_QUOTED = re.compile(r"[,;:’' \\]")


def component(name: str, inside: Iterable[bytes]) -> bytes:
    """An object with its lines, or with those of an object within it."""
    return b"".join((line("BEGIN", name), *inside, line("END", name)))


def line(name: str, value: str, **parameters: str) -> bytes:
    """One line, folded, with its CRLF. `value` stands as it is: see `text` and `instant`."""
    said = "".join(f";{each}={words}" for each, words in parameters.items())
    left = f"{name}{said}:{value}".encode()
    lines = []
    while len(left) > _LINE:
        cut = _LINE
        while left[cut] & 0xC0 == 0x80:  # never within a character
            cut -= 1
        if left[cut - 1] in b"\\^":  # nor, for the sake of old readers, within an escape
            cut -= 1
        lines.append(left[:cut])
        left = left[cut:]
    return b"\r\n ".join((*lines, left)) + b"\r\n"


def text(value: str) -> str:
    """A TEXT value (RFC 5545 section 3.3.11) of characters that are no controls but LF."""
    return value.translate(_ESCAPED)


def quoted(value: str) -> str:
    """The value of a parameter, in quotes where it holds what would end it."""
    said = value.translate(_IN_QUOTES)
    return f'"{said}"' if _TO_BE_QUOTED.search(said) else said


def instant(at: datetime) -> str:
    """In UTC, which needs no VTIMEZONE."""
    utc = at.astimezone(UTC)
    day = f"{utc.year:04}{utc.month:02}{utc.day:02}"
    return f"{day}T{utc.hour:02}{utc.minute:02}{utc.second:02}Z"
