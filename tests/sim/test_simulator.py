"""Do the engine's laws hold together, whatever fails? A few worlds of the simulator in each run.

`make sim SEEDS=200` runs more of them; the commit's hash gives one that nobody has seen before.
"""

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.sim.run import run, show

SEEDS = range(1, 7)


def of_this_commit() -> int:
    """Varied from commit to commit, and the same again for the same one."""
    told = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return int(hashlib.sha256(told.stdout.encode()).hexdigest()[:6], 16)


@pytest.mark.parametrize("seed", [*SEEDS, of_this_commit()])
def test_a_world_with_faults_keeps_every_promise(seed: int) -> None:
    outcome = run(seed)
    assert not outcome.wrong, show(outcome)


def test_a_seed_gives_the_same_world_and_the_same_course_each_time() -> None:
    assert run(8).log == run(8).log
