"""Killed at any moment, does it lose a mail or send one twice? By what the mail server accepted.

`KILLS=100 pytest tests/acceptance/test_kill_nine.py` or `make crashes`; docs/crashes.md has what
came of it.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.house import House, judge
from tests.acceptance.receiver import MOMENTS, Receiver, moody, receiving
from tests.acceptance.zygote import Life, Zygote, wait_for

#: Of each kind one, see _moments.
KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", "1"))
#: A life in which its moment does not come ends here.
LONGEST = 2.0


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.mark.acceptance("A3.1")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_at_any_moment_nothing_is_lost_and_nothing_sent_twice(
    kind: str, zygote: Zygote, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = None
    if kind == "postgresql":
        make: Callable[..., str] = request.getfixturevalue("new_postgres")
        address = make(request.getfixturevalue("postgres_with_tables"))
    dice = random.Random(f"{SEED} {kind}")
    died: Counter[str] = Counter()
    started = time.monotonic()
    with (
        receiving(moody(SEED)) as receiver,
        House(tmp_path / "house", receiver.port, address) as house,
    ):
        for how in _moments(dice):
            open_ = len(house.wanted) - len(receiver.accepted)
            house.tell(max(4, (40 - open_) // 2))
            died[_live_and_die(house, receiver, zygote, how, dice)] += 1
        killing = time.monotonic() - started
        receiver.new_life()
        last = zygote.start(house.folder)
        wait_for(house.idle, f"never at rest: {house.states()}")
        last.kill(15)
        assert last.end() == 0
        doubtful = house.in_doubt(zygote)
        wrong = judge(house, receiver, doubtful)
        unanswered = sum(not each.answer for each in receiver.mails)
        print(  # noqa: T201 - the figures of docs/crashes.md
            f"\n{kind}: {KILLS} kills, seed {SEED}: {dict(sorted(died.items()))}\n"
            f"{len(house.wanted)} wanted, {len(receiver.accepted)} accepted,"
            f" {len(doubtful)} in doubt of {unanswered} unanswered,"
            f" {len(wrong)} wrong, {killing:.1f} + {time.monotonic() - started - killing:.1f} s"
        )
        assert not wrong, "\n".join(wrong)


def _moments(dice: random.Random) -> list[str]:
    """Of what to die, as evenly as it goes, in any order."""
    kinds = ["time", "commit", "journal", "record", *MOMENTS]
    all_of_them = (kinds * (KILLS // len(kinds) + 1))[:KILLS]
    dice.shuffle(all_of_them)
    return all_of_them


def _live_and_die(
    house: House, receiver: Receiver, zygote: Zygote, how: str, dice: random.Random
) -> str:
    """One life, to its violent end. What it died of."""
    receiver.new_life()
    if how in {"commit", "journal", "record"}:
        when = dice.choice(("before", "after"))
        n = dice.randint(1, 2 if how == "record" else 12)
        life = zygote.start(house.folder, trap={"at": how, "when": when, "n": n})
        how = f"{when} {how}"
    else:
        life = zygote.start(house.folder)
        if how in MOMENTS:
            receiver.aim(life.pid, how, dice.randint(1, 2 if how == "greeting" else 12))
    end = time.monotonic() + (dice.uniform(0, 0.4) if how == "time" else LONGEST)
    while not life.over() and time.monotonic() < end:
        time.sleep(0.001)
    return _killed(life, how)


def _killed(life: Life, how: str) -> str:
    if not life.over():
        life.kill()
        how = how if how == "time" else "at rest"
    assert life.end() == -9, "it ended by itself"
    return how
