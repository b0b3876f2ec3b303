"""Where does mail go when it must not go anywhere? Into a folder, one .eml file a message.

The name begins with the message's Date, so that names sort by time, and ends with its Message-ID;
the recipient is never in it. Handing the same Message-ID over again replaces its file.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path

from nurture.core.model import Accepted, Deferred, Outcome
from nurture.delivery.transport import L, Letter, one_by_one, unheard

_DATE = re.compile(rb"^Date:[ \t]*(.+)\r\n", re.MULTILINE | re.IGNORECASE)


class Outbox:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, str] | None = None  # slug -> name of its file

    def deliver(
        self,
        letters: Iterable[L],
        offer: Callable[[L], bool],
        heard: Callable[[L, Outcome], None] = unheard,
    ) -> Iterator[tuple[L, Outcome | None]]:
        """See Transport."""
        return one_by_one(letters, offer, self._keep, heard)

    def _keep(self, letter: Letter) -> Outcome:
        """Written whole or not at all: a reader never sees half a message."""
        slug = _slug(letter.message_id)
        try:
            names = self._known()
            name = names.get(slug) or f"{_written_at(letter.raw)}-{slug}.eml"
            unfinished = self._folder / f".{name}.{os.getpid()}"
            with unfinished.open("wb") as file:
                file.write(letter.raw)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._folder / name)
        except OSError as error:
            return Deferred(text=f"the outbox cannot be written: {error.strerror}")
        names[slug] = name
        return Accepted(text=name)

    def close(self) -> None:
        """Forget what is in the folder: someone may empty it."""
        self._names = None

    def _known(self) -> dict[str, str]:
        if self._names is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            found = self._folder.glob("[0-9]*.eml")
            self._names = {path.stem.partition("-")[2]: path.name for path in found}
        return self._names


def _slug(message_id: str) -> str:
    """Readable, and different for different ids whatever characters they have."""
    local = message_id.strip("<>").partition("@")[0]
    readable = re.sub(r"[^A-Za-z0-9.]+", "_", local)[:60]
    return f"{readable}-{hashlib.sha256(message_id.encode()).hexdigest()[:8]}"


def _written_at(raw: bytes) -> str:
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
    found = _DATE.search(head)
    try:
        at = parsedate_to_datetime(found[1].decode("ascii")) if found else None
    except ValueError:
        at = None
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ") if at else "00000000T000000Z"
