"""What an edit does to people who are under way: the table of the design, row by row.

Each row is an edit; its columns are people: who has not reached the step, who waits at it, and for
whom it is settled.
"""

from datetime import datetime, timedelta

import pytest

from nurture.core.model import Accepted
from nurture.engine.sender import Sender
from tests.world import World

HEAD = """\
name: Course
status: {status}
enter:
  on: application.created{enter_if}
  once_per: application
leave:
  - on: [{leave}]
steps:
"""
ONE = "  - send: notes/one\n"
TWO = "  - send: notes/two\n    after: 2 days\n"
THREE = "  - send: notes/three\n    after: 10 days\n"


def course(
    world: World,
    *steps: str,
    status: str = "live",
    leave: str = "application.withdrawn",
    enter_if: str = "",
) -> None:
    head = HEAD.format(status=status, leave=leave, enter_if=enter_if)
    world.campaign("course", head + "".join(steps or (ONE, TWO, THREE)))


def enter(world: World, name: str) -> None:
    world.tell(
        "application.created",
        candidate={"id": name, "email": f"{name}@example.com"},
        application={"id": f"a-{name}"},
    )
    world.work()


def steps(world: World, name: str) -> list[str]:
    return [step for step, _ in world.sent(name)]


@pytest.fixture
def under_way(world: World) -> World:
    """`past` has had step two, `at` waits at it since yesterday, `far` waits there since now; it
    is Thursday 10:00. All mail is uncapped and goes at any hour, so that only the edit tells."""
    for name in ("one", "two", "three", "new"):
        world.template(f"notes/{name}", "receipt")
    course(world)
    world.reload()
    enter(world, "past")
    world.run_for(days=2)
    enter(world, "at")
    world.run_for(days=1)
    enter(world, "far")
    assert [steps(world, name) for name in ("past", "at", "far")] == [
        ["one", "two"],
        ["one"],
        ["one"],
    ]
    return world


def edited(world: World, *steps: str, **head: str) -> None:
    course(world, *steps, **head)
    world.reload()
    world.work()


def test_moment_changed(under_way: World) -> None:
    before = steps(under_way, "past")
    edited(under_way, ONE, TWO.replace("2 days", "1 day"), THREE)
    assert steps(under_way, "at") == ["one", "two"]  # past by now: it waited for the step above
    assert steps(under_way, "far") == ["one"]
    under_way.run_for(days=1)
    assert steps(under_way, "far") == ["one", "two"]
    assert steps(under_way, "past") == before


@pytest.mark.parametrize("if_late", ["skip", "send"])
def test_moment_changed_into_the_past_is_for_if_late_to_decide(
    under_way: World, if_late: str
) -> None:
    def hanging(days: int) -> str:
        at = f"    at: {days} days after entered\n    if_late: {if_late}\n"
        return "  - send: notes/new\n" + at

    edited(under_way, ONE, TWO, THREE, hanging(20))
    edited(under_way, ONE, TWO, THREE, hanging(2))
    sent = {name: "new" in steps(under_way, name) for name in ("past", "at", "far")}
    assert sent == {"past": if_late == "send", "at": False, "far": False}
    under_way.run_for(days=2)
    assert "new" in steps(under_way, "far")
    assert "new" in steps(under_way, "at")


@pytest.mark.parametrize(
    "was", ["after: 1 hour", "at: 1 hour after entered"], ids=["above", "entered"]
)
def test_a_moment_on_another_fact_sends_nobody_again_what_they_had(world: World, was: str) -> None:
    for name in ("one", "two"):
        world.template(f"notes/{name}", "receipt")
    course(world, ONE, f"  - send: notes/two\n    {was}\n")
    world.reload()
    start = (world.clock.now() + timedelta(days=20)).isoformat()
    for name in ("had", "waits"):
        world.tell(
            "application.created",
            candidate={"id": name, "email": f"{name}@example.com"},
            application={"id": f"a-{name}", "start_date": start[:10]},
        )
        world.run_for(hours=1 if name == "had" else 0)
    moved = "  - send: notes/two\n    at: 2 days before application.start_date\n"
    edited(world, ONE, moved + "    again_if_moved: true\n")
    world.run_for(days=30)
    assert steps(world, "had") == ["one", "two"]
    assert steps(world, "waits") == ["one", "two"]


@pytest.mark.parametrize("meanwhile", ["edited", "moved"])
def test_what_changes_about_a_mail_in_hand_does_not_send_it_again(
    world: World, meanwhile: str
) -> None:
    """Planned and sent by another process just then: its occasion moves by a few minutes, or its
    moment hangs on something else."""
    world.template("notes/one", "receipt")
    head = HEAD.format(status="live", leave="application.withdrawn", enter_if="")
    head = head.replace("application.created", "interview.scheduled").replace(
        "once_per: application", "once_per: interview"
    )
    step = "  - send: notes/one\n    at: {} before interview.starts_at\n    if_late: send\n"
    world.campaign("course", head + step.format("1 day"))
    world.reload()
    starts_at = world.clock.now() + timedelta(days=2)

    def interview(type_: str, at: datetime) -> None:
        about = {"id": "i1", "kind": "video", "starts_at": at.isoformat()}
        world.tell(type_, application={"id": "a1"}, interview=about)

    def look_in() -> Accepted:
        if meanwhile == "moved":
            interview("interview.rescheduled", starts_at - timedelta(minutes=10))
        else:
            changed = "  - send: notes/one\n    at: 1 minute after interview.booked_at\n"
            world.campaign(
                "course", head + changed + "    again_if_moved: true\n    if_late: send\n"
            )
            world.reload()
        project = world.project
        write = project.letters.write
        Sender(world.database, project.planner, world.clock, write, world.postman).window()
        return Accepted()

    interview("interview.scheduled", starts_at)
    world.postman.answers = [look_in]
    world.run_for(days=4)
    assert len(world.postman.offered) == 1
    assert [step for step, _ in world.sent()] == ["one"]


def test_step_added(under_way: World) -> None:
    added = "  - send: notes/new\n    after: 1 day\n"
    edited(under_way, ONE, added, TWO, THREE)
    under_way.run_for(days=12)
    assert steps(under_way, "far") == ["one", "new", "two"]
    assert steps(under_way, "at")[:3] == ["one", "new", "two"]
    assert steps(under_way, "past") == ["one", "two", "three"]  # it is above the last settled one


def test_step_added_on_a_moment_is_wanted_if_it_has_not_passed(under_way: World) -> None:
    edited(under_way, ONE, TWO, THREE, "  - send: notes/new\n    at: 36 hours after entered\n")
    under_way.run_for(days=3)
    assert "new" in steps(under_way, "far")
    assert "new" in steps(under_way, "at")
    assert "new" not in steps(under_way, "past")


def test_step_removed(under_way: World) -> None:
    edited(under_way, ONE, THREE.replace("10 days", "2 days"))
    assert under_way.entry("two", "at").reason == "step_removed"
    under_way.run_for(days=3)
    assert steps(under_way, "at") == ["one", "three"]  # goes on to the next
    assert steps(under_way, "far") == ["one", "three"]
    assert steps(under_way, "past") == ["one", "two", "three"]


def test_step_moved_within_the_file(under_way: World) -> None:
    edited(under_way, ONE, THREE.replace("10 days", "3 days"), TWO)
    under_way.run_for(days=9)
    assert steps(under_way, "far") == ["one", "three", "two"]
    assert steps(under_way, "at") == ["one", "three", "two"]
    assert steps(under_way, "past") == ["one", "two"]  # it comes before what is settled now


def branch(then: str, otherwise: str) -> str:
    return (
        f'  - if: candidate.country == "DE"\n    id: where\n    then:\n{then}    else:\n{otherwise}'
    )


def test_step_added_inside_a_branch_not_taken(under_way: World) -> None:
    inner = "      - send: notes/{}\n        after: 1 day\n"
    edited(under_way, ONE, branch(inner.format("three"), inner.format("two")))
    enter(under_way, "later")
    under_way.run_for(hours=1)
    added = inner.format("three") + inner.format("new")
    edited(under_way, ONE, branch(added, inner.format("two")))
    under_way.run_for(days=9)
    assert steps(under_way, "later") == ["one", "two"]


def test_id_changed(under_way: World) -> None:
    """Without `was:` it is another step: removed and added."""
    edited(under_way, ONE, TWO + "    id: second\n", THREE)
    under_way.run_for(days=3)
    assert steps(under_way, "at") == ["one", "second"]
    assert steps(under_way, "far") == ["one", "second"]
    # Its old id is settled and gone; by the new one it was never sent.
    assert steps(under_way, "past") == ["one", "two", "second"]


def test_id_changed_with_was(under_way: World) -> None:
    edited(under_way, ONE, TWO + "    id: second\n    was: two\n", THREE)
    under_way.run_for(days=3)
    assert steps(under_way, "at") == ["one", "second"]
    assert steps(under_way, "far") == ["one", "second"]
    assert steps(under_way, "past") == ["one", "two"]  # the same step: settled
    edited(under_way, ONE, TWO + "    id: second\n", THREE)  # the line may go by now
    under_way.run_for(days=9)
    assert steps(under_way, "past") == ["one", "two", "three"]


def test_words_of_a_template_changed(under_way: World) -> None:
    under_way.template("notes/two", "receipt", layout="letter")
    path = under_way.folder / "templates/notes/two.md"
    path.write_text(path.read_text().replace("Hello, this is", "Good day, here is"))
    under_way.reload()
    under_way.run_for(days=2)
    assert steps(under_way, "at") == steps(under_way, "far") == ["one", "two"]
    assert steps(under_way, "past") == ["one", "two"]
    assert "Good day" in under_way.project.letters.renderer.templates["notes/two"].body


def test_paused_then_live(under_way: World) -> None:
    edited(under_way, status="paused")
    under_way.run_for(days=5)
    assert steps(under_way, "at") == ["one"]
    assert under_way.entry("two", "at").reason == "campaign_paused"
    edited(under_way)
    assert steps(under_way, "at") == steps(under_way, "far") == ["one", "two"]
    assert steps(under_way, "past") == ["one", "two"]


def test_file_deleted(under_way: World) -> None:
    (under_way.folder / "campaigns/course.yaml").unlink()
    under_way.project.reload()
    under_way.run_for(days=5)
    for name in ("at", "far"):
        assert steps(under_way, name) == ["one"]
        assert under_way.entry("two", name).reason == "campaign_missing"
    edited(under_way)
    assert steps(under_way, "at") == steps(under_way, "far") == ["one", "two"]
    assert steps(under_way, "past") == ["one", "two"]


def test_leave_changed(under_way: World) -> None:
    edited(under_way, leave="candidate.replied")
    for name in ("at", "past"):
        under_way.tell("candidate.replied", candidate={"id": name, "email": f"{name}@example.com"})
    under_way.run_for(days=12)
    assert steps(under_way, "at") == ["one"]
    assert under_way.entry("two", "at").reason == "left"
    assert steps(under_way, "past") == ["one", "two"]
    assert "two" in steps(under_way, "far")


def test_enter_changed(under_way: World) -> None:
    edited(under_way, enter_if='\n  if: candidate.country == "DE"')
    enter(under_way, "newcomer")
    under_way.run_for(days=2, hours=1)
    assert steps(under_way, "at") == steps(under_way, "far") == ["one", "two"]
    assert steps(under_way, "newcomer") == []


def test_the_clock_of_a_step_does_not_start_anew_with_an_edit(under_way: World) -> None:
    first = dict(under_way.sent("far"))["one"]
    edited(under_way, ONE, TWO.replace("2 days", "6 days"), THREE)
    assert under_way.entry("two", "far").at == first + timedelta(days=6)
