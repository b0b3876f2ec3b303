"""How fast is it here? `python -m bench [PART ...] [--quick] [--json]`; never a test.

Machines differ and drift: trust the ratios, which are taken between things measured side by side.
"""

import argparse
import json
import os
import platform
import sqlite3
import time
from datetime import UTC, datetime

import nurture
from bench.parts import PARTS
from nurture.__main__ import rest


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller numbers")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    told = parser.parse_args()
    if unknown := set(told.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    where = {
        "nurture": nurture.__version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
        "measured_at": datetime.now(UTC).date().isoformat(),
        "quick": told.quick,
    }
    _say(where, as_json=told.json)
    rest()  # as every `nurture` command
    for name in told.parts or PARTS:
        began = time.perf_counter()
        answers = PARTS[name](told.quick)
        if told.json:
            print(json.dumps({"part": name, **answers}), flush=True)
            continue
        question = (PARTS[name].__doc__ or name).splitlines()[0]
        print(f"\n{name}: {question}  ({time.perf_counter() - began:.0f} s)")
        for label, number in answers.items():
            print(f"  {label:<42} {number:>12,.{0 if number >= 100 else 2}f}", flush=True)


def _say(where: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(where), flush=True)
    else:
        print(", ".join(f"{name} {value}" for name, value in where.items()), flush=True)


if __name__ == "__main__":
    main()
