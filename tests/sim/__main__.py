"""Run many seeds, or one again: `python -m tests.sim --seeds 200`, `python -m tests.sim --seed 17`.

A failure prints its seed, what was wrong, the shortest list of actions found that still goes wrong,
and how to run it again.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.sim.run import Outcome, first_failure, run, show, shrink


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="so many seeds")
    parser.add_argument("--first", type=int, default=1, help="beginning with this one")
    parser.add_argument("--seed", type=int, help="this one alone, with its whole log")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--stop", action="store_true", help="at the first failure")
    parser.add_argument("--no-shrink", action="store_true", help="do not look for fewer actions")
    told = parser.parse_args()
    if told.seed is not None:
        outcome = run(told.seed)
        print(show(outcome, whole=True))
        return 1 if outcome.wrong else 0
    begun = time.monotonic()
    seeds = range(told.first, told.first + told.seeds)
    failed: list[Outcome] = []
    seconds = 0.0
    mails = 0
    with ProcessPoolExecutor(told.jobs) as pool:
        for done in as_completed([pool.submit(run, seed) for seed in seeds]):
            outcome = done.result()
            seconds += outcome.seconds
            mails += outcome.mails
            if outcome.wrong:
                failed.append(outcome)
                print(f"seed {outcome.seed}: {first_failure(outcome)}", flush=True)
                if told.stop:
                    pool.shutdown(cancel_futures=True)
                    break
    print(
        f"{len(seeds)} seeds, {mails} mails, {len(failed)} failed;"
        f" {time.monotonic() - begun:.0f} s, {seconds / len(seeds):.2f} s of work a seed"
    )
    if failed:
        worst = min(failed, key=lambda each: each.actions)
        print(show(worst if told.no_shrink else shrink(worst)))
    return 1 if failed else 0


if os.environ.get("PYTHONHASHSEED") != "0":  # a seed gives the same course each time
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable, "-m", "tests.sim", *sys.argv[1:]])
sys.exit(main())
