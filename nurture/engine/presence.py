"""How do processes know of each other? Each says every few seconds that it is at work."""

import os
import secrets
import socket
from contextlib import suppress
from datetime import timedelta

from nurture.clock import Clock
from nurture.errors import OutsideError
from nurture.store import presence
from nurture.store.database import Database

BEAT = timedelta(seconds=15)


class Presence:
    """`kind`: run | plan | send | web."""

    def __init__(self, database: Database, clock: Clock, kind: str) -> None:
        self.database = database
        self.clock = clock
        host = socket.gethostname()
        self._own = {
            "id": f"{host}:{os.getpid()}:{secrets.token_hex(4)}",
            "kind": kind,
            "host": host,
            "pid": os.getpid(),
            "started_at": clock.now(),
        }

    def beat(self) -> None:
        with self.database.write() as connection:
            presence.beat(connection, self._own, self.clock.now())

    def leave(self) -> None:
        """So that nobody waits for it. A database that is away finds out by itself."""
        with suppress(OutsideError), self.database.write() as connection:
            presence.leave(connection, str(self._own["id"]))
