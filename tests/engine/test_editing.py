"""What an edited file does to people who are under way."""

from datetime import timedelta

import pytest

from nurture.store import planning
from tests.world import World

FILE = """\
name: Welcome
status: {status}
enter:
  on: application.created
  once_per: application
steps:
  - send: notes/hello
{steps}"""


def write(world: World, steps: str = "", status: str = "live") -> None:
    world.campaign("welcome", FILE.format(status=status, steps=steps))


@pytest.fixture
def ready(world: World) -> World:
    for name in ("hello", "second", "third"):
        world.template(f"notes/{name}", "receipt")
    write(world, "  - send: notes/second\n    after: 2 days\n")
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    world.work()
    assert [step for step, _ in world.sent()] == ["hello"]
    return world


def test_a_changed_moment_is_followed_by_those_who_wait_at_it(ready: World) -> None:
    write(ready, "  - send: notes/second\n    after: 5 days\n")
    ready.reload()
    ready.work()
    start = dict(ready.sent())["hello"]
    assert ready.entry("second").at == start + timedelta(days=5)


def test_an_added_step_reaches_those_who_are_past_its_place(ready: World) -> None:
    ready.run_for(days=3)
    write(
        ready,
        "  - send: notes/second\n    after: 2 days\n  - send: notes/third\n    after: 1 day\n",
    )
    ready.reload()
    ready.run_for(days=2)
    assert [step for step, _ in ready.sent()] == ["hello", "second", "third"]


def test_a_step_added_above_a_settled_one_is_not_sent_after_it(ready: World) -> None:
    ready.run_for(days=3)
    write(
        ready,
        "  - send: notes/third\n    after: 1 day\n  - send: notes/second\n    after: 2 days\n",
    )
    ready.reload()
    ready.run_for(days=9)
    assert [step for step, _ in ready.sent()] == ["hello", "second"]


def test_a_removed_step_is_never_sent_and_says_why(ready: World) -> None:
    write(ready)
    ready.reload()
    ready.run_for(days=9)
    assert [step for step, _ in ready.sent()] == ["hello"]
    assert ready.entry("second").reason == "step_removed"


def test_a_paused_campaign_is_frozen_and_goes_on_when_live_again(ready: World) -> None:
    write(ready, "  - send: notes/second\n    after: 2 days\n", status="paused")
    ready.reload()
    ready.run_for(days=9)
    waiting = ready.entry("second")
    assert (waiting.verdict, waiting.reason) == ("wait", "campaign_paused")
    write(ready, "  - send: notes/second\n    after: 2 days\n")
    ready.reload()
    ready.work()
    assert [step for step, _ in ready.sent()] == ["hello", "second"]


def test_a_deleted_file_freezes_its_people(ready: World) -> None:
    (ready.folder / "campaigns/welcome.yaml").unlink()
    ready.project.reload()
    ready.run_for(days=9)
    assert [step for step, _ in ready.sent()] == ["hello"]
    frozen = ready.entry("second")
    assert (frozen.verdict, frozen.reason, frozen.at) == ("wait", "campaign_missing", None)
    write(ready, "  - send: notes/second\n    after: 2 days\n")
    ready.reload()
    ready.work()
    assert [step for step, _ in ready.sent()] == ["hello", "second"]


def test_who_is_taken_out_of_a_campaign_whose_file_is_gone_gets_no_more_of_it(
    ready: World,
) -> None:
    (ready.folder / "campaigns/welcome.yaml").unlink()
    ready.project.reload()
    ready.run_for(days=1)
    why = {"by": "ida@example.com", "reason": "the new one is live"}
    ready.tell("campaign.left", candidate={"id": "c1"}, campaign="another", **why)
    ready.work()
    assert ready.entry("second").reason == "campaign_missing"
    ready.tell("campaign.left", candidate={"id": "c1"}, campaign="welcome", **why)
    ready.work()
    left = ready.entry("second")
    assert (left.verdict, left.reason) == ("skip", "left")
    write(ready, "  - send: notes/second\n    after: 2 days\n")
    ready.reload()
    ready.run_for(days=9)
    assert [step for step, _ in ready.sent()] == ["hello"]


def test_a_broken_edit_leaves_the_last_good_version_running(ready: World) -> None:
    ready.campaign("welcome", "name: Welcome\nsteps:\n  - sned: notes/second\n")
    found = ready.project.reload()
    assert any("sned" in problem.message for problem in found.problems)
    assert {problem.line for problem in found.problems if "sned" in problem.message} == {3}
    ready.run_for(days=3)
    assert [step for step, _ in ready.sent()] == ["hello", "second"]


def test_changed_words_are_read_by_those_who_have_not_got_them_yet(ready: World) -> None:
    before = ready.project.letters.renderer
    ready.template("notes/second", "receipt", tone="neutral")
    ready.reload()
    assert ready.project.letters.renderer is not before


def test_edits_made_while_nobody_was_running_take_effect_at_the_next_start(ready: World) -> None:
    ready.project.catch_up()
    ready.work()
    write(ready, "  - send: notes/second\n    after: 1 day\n")
    ready.restart()
    ready.project.catch_up()
    ready.work()
    start = dict(ready.sent())["hello"]
    assert ready.entry("second").at == start + timedelta(days=1)


def test_an_edit_reaches_first_whose_next_mail_is_nearest(world: World) -> None:
    for name in ("hello", "second"):
        world.template(f"notes/{name}", "receipt")
    write(world, "  - send: notes/second\n    after: 30 days\n")
    world.reload()
    for number in range(3):  # who came last waits longest
        world.tell(
            "application.created",
            candidate={"id": f"c{number}", "email": f"c{number}@example.com"},
            application={"id": f"a{number}"},
        )
        world.work()
        world.clock.advance(timedelta(days=1))
    write(world, "  - send: notes/second\n    after: 29 days\n")
    world.reload()
    order = []
    for _ in range(3):
        with world.database.write() as connection:
            (first,) = planning.rung(connection, world.clock.now() + timedelta(seconds=1), 1)
            world.project.planner.plan_locked(connection, [first], world.clock.now())
        order.append(first)
    assert order == [1, 2, 3]


@pytest.mark.parametrize("file", ["campaigns/welcome.yaml", "templates/notes/hello.md"])
def test_a_file_that_is_broken_at_a_start_goes_on_as_it_was_last_in_force(
    ready: World, file: str
) -> None:
    ready.project.catch_up()
    path = ready.folder / file
    good = path.read_text()
    path.write_text("name: [")
    ready.restart()
    assert ready.project.library.problems
    ready.project.catch_up()  # keeps what is in force once more
    ready.restart()
    ready.tell(
        "application.created",
        candidate={"id": "c2", "email": "b@example.com"},
        application={"id": "a2"},
    )
    ready.work()
    assert [step for step, _ in ready.sent("c2")] == ["hello"]

    path.write_text(good.replace("after: 2 days", "after: 3 days"))
    ready.reload()
    ready.run_for(days=4)
    assert [step for step, _ in ready.sent("c2")] == ["hello", "second"]


def test_a_deleted_file_does_not_come_back_at_a_start(ready: World) -> None:
    ready.project.catch_up()
    (ready.folder / "campaigns/welcome.yaml").unlink()
    (ready.folder / "campaigns/other.yaml").write_text("name: [")
    ready.restart()
    assert "welcome" not in ready.project.library.campaigns
