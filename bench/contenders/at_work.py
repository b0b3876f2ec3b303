"""How does a contender take part? As a process that is told on its standard input what to do.

`prepare FIRST MANY`: everything before is forgotten, and so many people have a letter due. `send`:
send all that is due; the answer is the CPU time of this process meanwhile, in seconds. `sent`: how
many letters left since, by its own books. The end of the input is the end.

The standard library only.
"""

import argparse
import resource
import sys
from pathlib import Path
from typing import Protocol


class Contender(Protocol):
    def prepare(self, first: int, many: int) -> None: ...

    def send(self) -> None: ...

    def sent(self) -> int: ...


def told() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--at", type=Path, required=True, help="a folder of its own, empty")
    parser.add_argument("--pages", type=Path, required=True, help="the letter's templates")
    parser.add_argument("--port", type=int, required=True, help="the SMTP server's, on 127.0.0.1")
    parser.add_argument("--database", required=True, help="address of an empty database")
    parser.add_argument("--way", default="", help="which of a module's contenders")
    return parser.parse_args()


def serve(contender: Contender) -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["prepare", first, many]:
                contender.prepare(int(first), int(many))
                answer = "prepared"
            case ["send"]:
                before = _cpu()
                contender.send()
                answer = str(_cpu() - before)
            case ["sent"]:
                answer = str(contender.sent())
            case _:
                raise SystemExit(f"not a word of this conversation: {line}")
        print(answer, flush=True)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
