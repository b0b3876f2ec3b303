"""`nurture diff` and `nurture apply`: before an edit, and after."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nurture.cli import main
from nurture.cli.project import Given
from nurture.clock import SetClock
from nurture.store.database import Database
from nurture.wiring import open_project
from tests.conftest import MONDAY
from tests.world import World

FILE = """\
name: Welcome
status: live
enter: {{on: application.created, once_per: application}}
steps:
  - send: notes/hello
  - send: notes/second
    after: {days} days
"""


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
def house(tmp_path: Path, clock: SetClock) -> World:
    """Four people who wait for the fifth day; room for three at once."""
    folder = tmp_path / "house"
    (folder / "campaigns").mkdir(parents=True)
    (folder / "templates/layouts").mkdir(parents=True)
    here = Path(__file__).parents[2] / "templates/layouts/letter.html"
    (folder / "templates/layouts/letter.html").write_text(here.read_text())
    (folder / "config.yaml").write_text("release_at_most: 3\ncontact_hours: {holidays: none}\n")
    opened = open_project(folder / "config.yaml", clock, {})
    opened.close()
    world = World(folder, Database("sqlite:///var/nurture.db", folder), clock)
    world.template("notes/hello", "receipt")
    world.template("notes/second", "help")
    world.campaign("welcome", FILE.format(days=4))
    world.reload()
    for number in range(4):
        world.tell(
            "application.created",
            candidate={"id": f"c{number}", "email": f"c{number}@example.com"},
            application={"id": f"a{number}"},
        )
    world.work()
    world.run_for(days=2)
    return world


def run(world: World, *words: str) -> Result:
    config = str(world.folder / "config.yaml")
    command, *rest = words
    return CliRunner().invoke(
        main, [command, "--config", config, *rest], obj=Given(clock=world.clock, env={})
    )


def test_diff_says_what_is_written_otherwise_and_whom_it_touches(house: World) -> None:
    assert "nothing" in run(house, "diff").stdout
    house.campaign("welcome", FILE.format(days=1))
    told = run(house, "diff")
    assert told.exit_code == 0, told.output
    assert "step second: moment: after 4 days -> after 1 day" in told.stdout
    assert "people enrolled: 4; touched: 4" in told.stdout
    assert "due at once: for 4 people, which is more than release_at_most (3)" in told.stdout
    assert "Europe/Lisbon" in told.stdout
    assert "c3" in told.stdout


def test_diff_as_json_names_moves_and_writes_nothing(house: World) -> None:
    house.campaign("welcome", FILE.format(days=3))
    for _ in range(2):
        told = run(house, "diff", "--json")
        (edit,) = [json.loads(line) for line in told.stdout.splitlines()]
        assert (edit["campaign"], edit["kind"], edit["held"]) == ("welcome", "changed", False)
        assert (edit["due_at_once"], edit["affected"], edit["release_at_most"]) == (0, 4, 3)
        first = edit["moves"][0]
        assert first["candidate"] == "c0"
        assert first["from"]["at"] > first["to"]["at"]
    house.reload()
    assert "nothing" in run(house, "diff").stdout


def test_diff_names_added_removed_renamed_and_reworded_steps(house: World) -> None:
    house.template("notes/third", "help")
    house.campaign(
        "welcome",
        FILE.format(days=4).replace(
            "    after: 4 days", "    id: later\n    was: second\n    after: 4 days"
        )
        + "  - send: notes/third\n    after: 1 week\n",
    )
    house.template("notes/second", "help", tone="cheerful")
    said = run(house, "diff").stdout
    assert "step later: renamed, was second" in said
    assert "step third: added, send notes/third, after 1 week" in said
    assert "step later: other words in notes/second" in said
    assert "step later: tone: neutral -> cheerful" in said


def test_diff_tells_problems_first_and_ends_with_1(house: World) -> None:
    house.campaign("welcome", FILE.format(days=1).replace("steps:", "stpes:"))
    told = run(house, "diff")
    assert told.exit_code == 1
    assert "unknown-key" in told.stderr


def test_apply_lists_what_is_held_and_lets_it_go(house: World) -> None:
    assert "nothing is held" in run(house, "apply").stdout
    house.campaign("welcome", FILE.format(days=1))
    house.reload()
    house.work()
    listed = run(house, "apply")
    assert "held: welcome" in listed.stdout
    assert "4 people" in listed.stdout
    status = json.loads(run(house, "status", "--json").stdout)
    assert [each["campaign"] for each in status["held"]] == ["welcome"]
    assert "held: welcome" in run(house, "status").stdout
    wrong = run(house, "apply", "--release", "welcom")
    assert wrong.exit_code == 1

    let_go = run(house, "apply", "--release", "welcome", "--by", "ida")
    assert let_go.exit_code == 0, let_go.output
    assert "by ida" in let_go.stdout
    house.work()
    assert [step for step, _ in house.sent("c3")] == ["hello", "second"]
    assert "nothing is held" in run(house, "apply").stdout


def test_apply_spreads_and_says_until_when(house: World) -> None:
    house.campaign("welcome", FILE.format(days=1))
    house.reload()
    house.work()
    assert run(house, "apply", "--spread", "3d", "--by", "ida").exit_code == 0
    (row,) = [json.loads(line) for line in run(house, "apply", "--json").stdout.splitlines()]
    assert (row["state"], row["by"]) == ("spreading", "ida")
    assert row["spread_until"] == (house.clock.now() + timedelta(days=3)).isoformat()
    assert run(house, "apply", "--spread", "soon").exit_code == 2
    assert run(house, "apply", "--spread", "3d", "--release").exit_code == 2


def test_end_takes_everybody_out_of_a_campaign_and_says_whom_it_does_not_know(house: World) -> None:
    why = ("--why", "the new one is live", "--by", "ida@example.com")
    unknown = run(house, "end", "welcom", *why)
    assert unknown.exit_code == 1
    assert 'nobody is in a campaign "welcom" (did you mean "welcome"?)' in unknown.stderr
    assert "4 people would leave" in run(house, "end", "welcome", *why, "--dry-run").stdout
    assert run(house, "end", "welcome").exit_code == 2, "why?"
    assert "4 people leave welcome" in run(house, "end", "welcome", *why).stdout
    house.run_for(days=9)
    assert {step for step, _ in house.sent()} == {"hello"}
    assert run(house, "end", "welcome", *why).exit_code == 1, "nobody is in it any more"
