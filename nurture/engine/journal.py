"""Which messages were offered to a server before a process died? A local file knows.

One line is written before the first byte of a message leaves, and not flushed to disk: it outlives
the process, not the machine. So it is believed only within the same boot; after a reboot, on
another machine or without it, everything that was being handed over is in doubt.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Journal:
    """Append-only, shared by all processes of one machine and project folder.

    A lease names the boot and the file it was taken under. One of another life of the file, after
    a restored backup for instance, is not believed either.
    """

    def __init__(self, folder: Path, boot_id: str | None = None) -> None:
        self._path = folder / f"offered-{boot_id or boot()}.log"
        self._file: int | None = None
        self._life = ""

    def lease(self) -> str:
        """A new lease, which can be judged by this file alone."""
        self._open()
        return f"{self._life}:{secrets.token_hex(8)}"

    def offer(self, lease: str, message_id: int) -> None:
        """From now on this message may have been received."""
        os.write(self._open(), f"{lease} {message_id}\n".encode())

    def never_offered(self, lease: str, message_id: int) -> bool:
        """Whether it is certain that no byte of it left under this lease."""
        try:
            life, *offered = self._path.read_text().splitlines()
        except (FileNotFoundError, ValueError):
            return False  # somebody removed or emptied it: nothing is certain
        return lease.startswith(f"{life}:") and f"{lease} {message_id}" not in offered

    def forget(self) -> None:
        """Begin anew, once nothing is being handed over: earlier boots' files go too."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        for old in self._path.parent.glob("offered-*.log"):
            old.unlink(missing_ok=True)

    def _open(self) -> int:
        """The file to append to. Its first line is a word that no other life of it has."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError), self._path.open("x") as new:
                new.write(f"{secrets.token_hex(8)}\n")
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
            self._life = self._path.read_text().partition("\n")[0]
        return self._file


def boot() -> str:
    """This boot of this machine; where the system does not tell, a word that is new each time."""
    try:
        return _BOOT_ID.read_text().strip().replace("-", "")[:16]
    except OSError:
        return secrets.token_hex(8)
