"""Where does the CPU of one mail go, in the process that sends it?"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import mailing, sink
from bench.rounds import median, spent
from nurture import wiring
from nurture.engine import planner, sender
from nurture.engine.outcomes import Outcomes
from nurture.engine.sender import until_idle
from nurture.rendering import mime
from nurture.store import planning

#: Where each part is entered. Parts within parts count for the inner one.
_PARTS: tuple[tuple[str, Any, str], ...] = (
    ("claim", planning, "with_mail"),
    ("claim", planning, "rung"),
    ("read facts", planner.Planner, "read"),
    ("enter and end campaigns", planner.Planner, "_enroll"),
    ("decide", planner.Planner, "_decide"),
    ("what changed", planner, "changes"),
    ("write it down", planning, "write"),
    ("mark as sending", sender.Sender, "_mark"),
    ("MIME", mime, "message"),
    ("record outcomes", Outcomes, "record"),
)


def spending(quick: bool) -> dict[str, float]:
    """Where does the CPU of one mail of 28 KB go? SQLite, microseconds a mail.

    By the clock of the thread that plans and writes; the lanes, which talk to the server, are all
    that other threads use.
    """
    many, rounds = (200, 2) if quick else (1000, 7)
    rows: list[dict[str, float]] = []
    with TemporaryDirectory() as folder, sink.running() as port:
        project = mailing.project(Path(folder) / "project", port)
        sending = wiring.sender(project)
        for turn in range(rounds + 1):  # the first one warms up
            mailing.clear(project)
            first = turn * 10_000 + 1
            mailing.enroll(project, sending, range(first, first + many))
            with _watched(sending) as parts:
                began = time.thread_time()
                whole = spent(lambda: until_idle(project.planner, sending)).cpu
                here = time.thread_time() - began
            assert mailing.sent(project) == many
            parts["other threads: lanes"] = whole - here
            parts["all else"] = whole - sum(parts.values())
            parts["together"] = whole
            rows.append({name: cost * 1e6 / many for name, cost in parts.items()})
        project.close()
    return {name: median(row[name] for row in rows[1:]) for name in rows[-1]}


@contextmanager
def _watched(sending: sender.Sender) -> Iterator[Counter[str]]:
    """CPU seconds of this thread by part, until the block ends."""
    parts: Counter[str] = Counter()
    inner = [0.0]  # of the parts entered so far, what parts within them took
    thread = threading.get_ident()

    def watched(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*words: Any, **named: Any) -> Any:
            if threading.get_ident() != thread:
                return work(*words, **named)
            inner.append(0.0)
            began = time.thread_time()
            try:
                return work(*words, **named)
            finally:
                cost = time.thread_time() - began
                parts[name] += cost - inner.pop()
                inner[-1] += cost

        return timed

    whole = [(name, owner, word, getattr(owner, word)) for name, owner, word in _PARTS]
    write = sending.write
    for name, owner, word, work in whole:
        setattr(owner, word, watched(name, work))
    sending.write = watched("render", write)
    try:
        yield parts
    finally:
        sending.write = write
        for _, owner, word, work in whole:
            setattr(owner, word, work)
