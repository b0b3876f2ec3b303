"""Ninety days of many candidates, checked from outside, as a page and a picture.

python -m tools.ninety_days --seed 7 --people 500 --parts 4 --out docs/relationship/ninety-days
"""

import argparse
import logging
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from nurture.config import load_config
from tools.ninety_days.checks import check
from tools.ninety_days.figures import figures
from tools.ninety_days.house import ROOT, House
from tools.ninety_days.past import Past
from tools.ninety_days.report import HOLDS, page, svg


def lived(which: tuple[int, int, int, int]) -> Past:
    seed, people, part, parts = which
    with tempfile.TemporaryDirectory() as folder:
        return House(seed, people, Path(folder), part, parts).run()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--out", type=Path, help="writes OUT.md and OUT.svg")
    parser.add_argument("--parts", type=int, default=1, help="processes, each with its share")
    asked = parser.parse_args()
    logging.basicConfig(format="%(process)d %(message)s")
    logging.getLogger("ninety_days").setLevel(logging.INFO)
    logging.getLogger("nurture").setLevel(logging.CRITICAL)
    every = [(asked.seed, asked.people, part, asked.parts) for part in range(asked.parts)]
    with ProcessPoolExecutor(asked.parts) as pool:
        past, *others = pool.map(lived, every)
    for other in others:
        past.join(other)
    config = load_config(ROOT / "config.yaml", {})
    found, counted = check(past, config), figures(past, config)
    for name, each in found.items():
        print(f"{len(each.wrong):4} wrong of {each.looked_at:6}: {HOLDS[name]}")
        print(*(f"       {line}" for line in each.wrong[:20]), sep="\n", end="")
        print("\n" if each.wrong else "", end="")
    week, silver = counted.interview_week, counted.silver_medalist
    print(f"a normal interview week: {week.median:g} mails (median of {week.of})")
    print(f"a silver medalist: {silver.median:g} mails a week (median of {silver.of})")
    if asked.out is not None:
        picture = asked.out.with_suffix(".svg")
        asked.out.with_suffix(".md").write_text(
            page(asked.seed, asked.parts, found, counted, picture.name), encoding="utf-8"
        )
        picture.write_text(svg(counted), encoding="utf-8")
    return 1 if any(each.wrong for each in found.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
