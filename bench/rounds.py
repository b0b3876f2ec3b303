"""How is something measured on a machine whose speed drifts? In rounds, beside a fixed loop."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_TURNS = 200_000


@dataclass(frozen=True)
class Spent:
    wall: float  #: seconds
    cpu: float  #: seconds of this process alone


def spent(work: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)


def loop() -> float:
    """CPU seconds of a million turns of a plain loop: the yardstick, which drifts too."""

    def turns() -> int:
        total = 0
        for number in range(_TURNS):
            total += number * number
        return total

    return spent(turns).cpu * 1_000_000 / _TURNS


def median(values: Iterable[float]) -> float:
    return statistics.median(values)
