"""May this file be read, and is it text that a person wrote?

Everything that people write comes in through here: campaigns, templates, layouts, config.yaml. A
pipe does not hang us, a 10 MB export does not fill memory, and what is not text says so.
"""

import os
import re
import stat
from pathlib import Path

from nurture.errors import Problem, Problems

LARGEST = 128_000  #: bytes; 1,000 steps are about 110,000, and are read in half a second

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_KINDS = (
    (stat.S_ISDIR, "is a folder"),
    (stat.S_ISFIFO, "is a pipe"),
    (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
)


def read_bytes(path: Path, file: str) -> bytes:
    """What is in `path`, at most LARGEST bytes of it; `file` is its name for people.

    Raises Problems (`unreadable`, `too-large`); FileNotFoundError only where nothing of that name
    is there any more. Never waits for anybody to write.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    except FileNotFoundError:
        if path.is_symlink():
            raise _unreadable(file, "is a link to a file that is not there") from None
        raise
    except OSError as error:
        kind = "is a folder" if path.is_dir() else f"cannot be read: {error.strerror}"
        raise _unreadable(file, kind) from None
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            kind = next((said for test, said in _KINDS if test(mode)), "is not a file")
            raise _unreadable(file, kind)
        with os.fdopen(handle, "rb", closefd=False) as opened:
            raw = opened.read(LARGEST + 1)
    except OSError as error:
        raise _unreadable(file, f"cannot be read: {error.strerror}") from None
    finally:
        os.close(handle)
    if len(raw) > LARGEST:
        raise _problem(file, "too-large", f"is larger than {LARGEST // 1000} KB", "split it")
    return raw


def text_in(raw: bytes, file: str) -> str:
    """The bytes as text, line ends as they are, without a byte order mark.

    Raises Problems (`encoding`), with the line and column of the first byte that is not text.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _problem(file, "encoding", "is UTF-16", "save it as UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace")
        raise _at_end(before, file, "is not UTF-8 text", "save it as UTF-8") from None
    found = _NOT_TEXT.search(text)
    if found is not None:
        said = f"has a control character (U+{ord(found[0]):04X}), which no text has"
        raise _at_end(text[: found.start()], file, said, "remove it; is this a text file?")
    return text


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would else change line ends


def _unreadable(file: str, said: str) -> Problems:
    return _problem(file, "unreadable", said, "put a plain text file there, or remove it")


def _problem(file: str, code: str, message: str, hint: str) -> Problems:
    return Problems([Problem(file=file, code=code, message=message, hint=hint)])


def _at_end(before: str, file: str, message: str, hint: str) -> Problems:
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Problems(
        [
            Problem(
                file=file,
                line=len(lines),
                column=len(lines[-1]) + 1,
                code="encoding",
                message=message,
                hint=hint,
            )
        ]
    )
