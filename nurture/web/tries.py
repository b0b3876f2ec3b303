"""Who has guessed too often? Failed sign-ins, counted for each account and each address.

They are forgotten after a while, so nobody is locked out for ever. A browser by which an account
has been entered before has a count of its own: strangers who guess at that account do not keep its
owner out.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta

WITHIN = timedelta(minutes=15)  #: tries of so long are counted
#: How many may fail, by what they are counted for. Many people may share one office's address.
AT_MOST: Mapping[str, int] = {"account": 10, "browser": 10, "address": 60}

Key = tuple[str, str]

_KEPT = 20_000  # names with tries; the ones that tried longest ago are forgotten first


class Tries:
    """Of this process. Safe for many threads."""

    def __init__(self) -> None:
        self._tries: OrderedDict[Key, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, keys: list[Key], now: datetime) -> bool:
        """Counts a try for each of these; False, and none is counted, where one has too many."""
        with self._lock:
            if any(len(self._of(key, now)) >= AT_MOST[key[0]] for key in keys):
                return False
            for key in keys:
                self._tries.setdefault(key, deque()).append(now)
                self._tries.move_to_end(key)
            while len(self._tries) > _KEPT:
                self._tries.popitem(last=False)
            return True

    def worked(self, keys: list[Key]) -> None:
        """The last try of each was right: it is not counted."""
        with self._lock:
            for key in keys:
                if self._tries.get(key):
                    self._tries[key].pop()

    def _of(self, key: Key, now: datetime) -> deque[datetime]:
        found = self._tries.get(key, deque())
        while found and found[0] + WITHIN <= now:
            found.popleft()
        if not found:
            self._tries.pop(key, None)
        return found
