"""Which messages were offered to a server before a process died? A local file knows.

One line is written before the first byte of a message leaves, and not flushed to disk: it outlives
the process, not the machine. So it is believed only within the same boot; after a reboot, on
another machine or without it, everything that was being handed over is in doubt.
"""

import os
import secrets
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Journal:
    """Append-only, shared by all processes of one machine and project folder."""

    def __init__(self, folder: Path) -> None:
        self.boot = boot()
        self._path = folder / f"offered-{self.boot}.log"
        self._file: int | None = None

    def lease(self) -> str:
        """A new lease that says on which boot of which machine it was taken."""
        return f"{self.boot}:{secrets.token_hex(8)}"

    def offer(self, lease: str, message_id: int) -> None:
        """From now on this message may have been received."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(self._file, f"{lease} {message_id}\n".encode())

    def never_offered(self, lease: str, message_id: int) -> bool:
        """Whether it is certain that no byte of it left under this lease."""
        if not lease.startswith(f"{self.boot}:"):
            return False
        try:
            return f"{lease} {message_id}" not in self._path.read_text().splitlines()
        except FileNotFoundError:
            return False  # somebody removed it: nothing is certain

    def forget(self) -> None:
        """Begin anew, once nothing is being handed over: earlier boots' files go too."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        for old in self._path.parent.glob("offered-*.log"):
            old.unlink(missing_ok=True)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(0o600)


def boot() -> str:
    """This boot of this machine; where the system does not tell, a word that is new each time."""
    try:
        return _BOOT_ID.read_text().strip().replace("-", "")[:16]
    except OSError:
        return secrets.token_hex(8)
