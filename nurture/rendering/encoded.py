"""How does text stand in a mail? Quoted-printable, in pieces that need not know each other.

A piece is encoded by itself: it begins where a line begins, and unless it ends with a line end it
ends with a soft break, which no reader sees. So what a mail says to everybody is encoded once, and
a name that many have is encoded once too; a letter is the pieces put one after another.

`binascii.b2a_qp` knows what must be escaped and is not asked about lines: given text without CRLF
it breaks lines with a bare LF, which strict servers refuse (RFC 5321 section 2.3.8).
"""

import binascii
import re

_LINE = 75  #: characters of a line before the `=` of a soft break: 76 with it (RFC 2045 6.7)
_SOFT = b"=\r\n"
#: What must not begin a line: a dot would be doubled on the wire (RFC 5321 4.5.2), and after some
#: mailboxes "From " reads ">From ".
_AT_BEGIN = re.compile(rb"\.|From ")
_SHORT = re.compile(rb"[A-Za-z0-9,;:!?+/()@_' -]{0,75}[A-Za-z0-9,;:!?+/()@_'-]")


def encoded(text: str) -> bytes:
    """A whole text. Its lines end with LF and come out with CRLF, the last one too."""
    return piece(text if text.endswith("\n") else f"{text}\n")


def piece(text: str) -> bytes:
    """A part of a text, for a place where a line begins; it ends where the next may begin."""
    plain = text.encode("utf-8", "ignore")
    if len(plain) <= _LINE and _SHORT.fullmatch(plain) and not plain.startswith(b"From "):
        return plain + _SOFT  # as it is: a name, a title
    plain = plain.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    *whole, rest = plain.split(b"\n")
    lines = [_lines(line) + b"\r\n" for line in whole]
    if rest:
        lines.append(_lines(rest) + _SOFT)
    return b"".join(lines)


def _lines(line: bytes) -> bytes:
    """One line of the text in as many as it needs."""
    left = binascii.b2a_qp(line, istext=True).replace(b"=\n", b"")
    lines = []
    while True:
        if _AT_BEGIN.match(left):
            left = b"=%02X%s" % (left[0], left[1:])
        if len(left) <= _LINE:
            break
        cut = _LINE
        if b"=" in (left[cut - 2 : cut - 1], left[cut - 1 : cut]):  # never within =C3
            cut = left.rindex(b"=", 0, cut)
        lines.append(left[:cut] + _SOFT)
        left = left[cut:]
    return b"".join((*lines, left))
