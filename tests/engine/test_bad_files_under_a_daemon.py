"""Promises of a running engine whose files break: the last good version goes on."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.world import World

CAMPAIGN = """\
name: Prep
status: live
enter: {on: interview.scheduled}
steps:
  - {send: kit, after: 0}
  - {send: again, at: 1 hour before interview.starts_at, if_late: send}
"""


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BROKEN = {
    "not YAML": lambda path: path.write_text("name: [\n"),
    "a billion laughs": lambda path: path.write_text(
        "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    ),
    "10 MB": lambda path: path.write_bytes(b"x: y\n" * 2_000_000),
    "a pipe": a_pipe,
    "a folder": a_folder,
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("file", ["campaigns/prep.yaml", "templates/again.md"])
def test_a_file_that_breaks_under_a_running_engine_stops_no_mail(world: World, kind, file):
    world.template("kit", "logistics")
    world.template("again", "logistics")
    world.campaign("prep", CAMPAIGN)
    world.reload()
    starts = world.clock.now() + timedelta(hours=5)
    world.tell(
        "interview.scheduled",
        application={"id": "a1"},
        interview={"id": "i1", "starts_at": starts.isoformat(), "kind": "video"},
    )
    world.work()
    BROKEN[kind](world.folder / file)
    assert world.project.reload().problems
    world.run_for(hours=6)
    assert [step for step, _ in world.sent()] == ["kit", "again"]
