"""What was offered to a server before a process died, and what did the server say? Files know.

A line is written before the first byte of a message leaves, and one when its answer is heard.
Neither is flushed to disk: they outlive the process, not the machine. So they are believed only
within the same boot; after a reboot, on another machine or without them, everything that was being
handed over is in doubt.
"""

import errno
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
#: Bytes; then a process begins another file, so that one is read in no time.
_FULL = 4_000_000
#: Seconds that a file stays behind the newest: what it says is asked for when its leases end.
_KEPT = 86_400


class Fate(StrEnum):
    """What a journal says of a message under a lease."""

    NEVER_OFFERED = "never offered"
    OFFERED = "offered"  #: and nobody knows what was answered
    ACCEPTED = "accepted"
    REFUSED = "refused"  #: for now or for good: the server does not have it


class Journal:
    """Append-only, one file at a time for each process of a machine and project folder.

    A lease names the file. One whose file is gone, after a restored backup for instance, is not
    believed, and one of another boot is not found.
    """

    def __init__(self, folder: Path, boot_id: str | None = None) -> None:
        self._folder = folder
        self._boot = boot_id or boot()
        self._file: int | None = None
        self._life = ""
        self._written = 0

    def lease(self) -> str:
        """A new lease, which can be judged by this file alone."""
        if self._written > _FULL or not self._path(self._life).exists():
            self._close()
        self._open()
        return f"{self._life}:{secrets.token_hex(8)}"

    def offer(self, lease: str, message_id: int) -> None:
        """From now on this message may have been received. Raises OSError where that could not be
        written down: then it must not leave."""
        self._append(f"{lease} {message_id}")

    def answered(self, lease: str, message_id: int, *, accepted: bool) -> None:
        """It is known who has it. Raises OSError."""
        fate = Fate.ACCEPTED if accepted else Fate.REFUSED
        self._append(f"{lease} {message_id} {fate.value}")

    def fates(self, lease: str) -> Mapping[int, Fate] | None:
        """Of the messages under this lease, by id; of those that are not there no byte left. None:
        nothing is certain."""
        life = lease.partition(":")[0]
        try:
            lines = self._path(life).read_text().splitlines()
        except (OSError, ValueError):
            return None  # of another boot or machine, or somebody removed it
        if lines[:2] != ["", life]:
            return None  # or emptied it
        found: dict[int, Fate] = {}
        for line in lines:
            under, _, rest = line.partition(" ")
            number, _, fate = rest.partition(" ")
            if under == lease and number.isdecimal():
                # A line that was cut short by a full disk says no more than that it was offered.
                known = fate in (Fate.ACCEPTED, Fate.REFUSED)
                found[int(number)] = Fate(fate) if known else Fate.OFFERED
        return found

    def forget(self) -> None:
        """Begin anew, once nothing is being handed over: earlier boots' files go too."""
        self._close()
        for old in self._folder.glob("offered-*.log"):
            old.unlink(missing_ok=True)

    def forget_old(self) -> None:
        """Files of processes whose leases ended long ago."""
        ages: dict[Path, float] = {}
        for each in self._folder.glob("offered-*.log"):
            with suppress(FileNotFoundError):  # another process was first
                ages[each] = each.stat().st_mtime
        newest = max(ages.values(), default=0.0)
        for each, at in ages.items():
            if at < newest - _KEPT:
                each.unlink(missing_ok=True)

    def _path(self, life: str) -> Path:
        return self._folder / f"offered-{self._boot}-{life}.log"

    def _append(self, line: str) -> None:
        # The end of the line comes first: what a full disk cut short does not run into the next.
        data = f"\n{line}".encode()
        written = os.write(self._open(), data)
        self._written += written
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _open(self) -> int:
        """The file to append to. Its name is a word that no other has."""
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            life = secrets.token_hex(8)
            how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
            self._file = os.open(self._path(life), how, 0o600)
            self._life, self._written = life, 0
            self._append(life)
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def boot() -> str:
    """This boot of this machine; where the system does not tell, a word that is new each time."""
    try:
        return _BOOT_ID.read_text().strip().replace("-", "")[:16]
    except OSError:
        return secrets.token_hex(8)
