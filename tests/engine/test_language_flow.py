"""Branches, gates, repeats and renamed steps, end to end on both databases."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from nurture.store import planning
from nurture.store.tables import message_steps, messages, tasks
from tests.world import World

HEAD = """\
name: Welcome
status: live
enter:
  on: application.created
  once_per: application
steps:
"""


@pytest.fixture
def ready(world: World) -> World:
    """Mails that go out at once, whatever the hour and the caps."""
    for name in ("hello", "yes", "no", "more", "late"):
        world.template(f"notes/{name}", "receipt")
    return world


def begin(world: World, steps: str, **application: str) -> datetime:
    write(world, steps)
    world.tell("application.created", application={"id": "a1", **application})
    at = world.clock.now()
    world.work()
    return at


def write(world: World, steps: str) -> None:
    world.campaign("welcome", HEAD + steps)
    world.reload()


def tell(world: World, type_: str, **application: str) -> None:
    world.tell(type_, application={"id": "a1", **application})
    world.work()


def steps(world: World) -> list[str]:
    return [step for step, _ in world.sent()]


def planned_by_time(world: World) -> bool:
    """Whether anything but a new fact would make the daemon plan anybody."""
    with world.database.read() as connection:
        return planning.next_alarm(connection) is not None


# --- gates ---------------------------------------------------------------------------------------

GATE = """\
  - send: notes/hello
  - wait_for: custom.booked
    up_to: 5 days
  - send: notes/yes
    after: 1 hour
"""


def test_a_gate_opens_by_its_event_and_what_is_below_follows(ready: World) -> None:
    begin(ready, GATE)
    waiting = ready.entry("wait-for-custom-booked")
    assert (waiting.verdict, waiting.reason) == ("wait", "wait_for")
    ready.run_for(days=2)
    assert steps(ready) == ["hello"]
    tell(ready, "custom.booked")
    opened = ready.clock.now()
    ready.run_for(days=1)
    assert ready.sent()[-1] == ("yes", opened + timedelta(hours=1))


def test_a_gate_opens_by_itself_when_up_to_has_passed(ready: World) -> None:
    begin(ready, GATE)
    start = dict(ready.sent())["hello"]
    ready.run_for(days=6)
    assert ready.sent()[-1] == ("yes", start + timedelta(days=5, hours=1))


def test_a_gate_without_up_to_waits_for_ever_and_nobody_is_planned_meanwhile(ready: World) -> None:
    begin(ready, "  - send: notes/hello\n  - wait_for: custom.booked\n  - send: notes/yes\n")
    assert not planned_by_time(ready)
    ready.run_for(days=400)
    assert steps(ready) == ["hello"]
    tell(ready, "custom.booked")
    assert steps(ready) == ["hello", "yes"]
    assert not planned_by_time(ready)


def test_an_event_from_before_the_step_above_counts_only_since_entered(ready: World) -> None:
    late = "  - send: notes/hello\n    after: 2 days\n  - wait_for: custom.booked\n{since}"
    below = "  - send: notes/yes\n"
    begin(ready, late.format(since="") + below)
    ready.run_for(days=1)
    tell(ready, "custom.booked")
    ready.run_for(days=5)
    assert steps(ready) == ["hello"], "it was booked before the step above was sent"
    write(ready, late.format(since="    since: entered\n") + below)
    ready.work()
    assert steps(ready) == ["hello", "yes"]


def test_the_event_that_let_somebody_in_opens_no_gate(ready: World) -> None:
    begin(
        ready,
        "  - wait_for: application.created\n    since: entered\n  - send: notes/yes\n",
    )
    ready.run_for(days=9)
    assert steps(ready) == []


def test_a_gate_takes_no_notice_of_another_application(ready: World) -> None:
    begin(ready, GATE)
    ready.run_for(days=1)
    ready.tell("custom.booked", application={"id": "other"})
    ready.run_for(days=1)
    assert steps(ready) == ["hello"]


def test_several_events_open_a_gate_and_the_history_names_the_one(ready: World) -> None:
    begin(
        ready,
        "  - wait_for: [custom.booked, custom.called]\n    id: gate\n  - send: notes/yes\n",
    )
    ready.run_for(hours=1)
    tell(ready, "custom.called")
    assert steps(ready) == ["yes"]


def test_a_step_on_its_own_moment_opens_no_gate_for_those_below_it(ready: World) -> None:
    begin(
        ready,
        "  - wait_for: custom.booked\n"
        "  - send: notes/hello\n"
        "    at: 1 day after entered\n"
        "  - send: notes/yes\n",
    )
    ready.run_for(days=3)
    assert steps(ready) == ["hello"]
    tell(ready, "custom.booked")
    assert steps(ready) == ["hello", "yes"]


# --- branches ------------------------------------------------------------------------------------

BRANCH = """\
  - send: notes/hello
  - if: application.stage == "screening"
    after: 1 day
    then:
      - send: notes/yes
    else:
      - send: notes/no
  - send: notes/more
    after: 1 day
"""


@pytest.mark.parametrize(("stage", "taken"), [("screening", "yes"), ("applied", "no")])
def test_a_branch_goes_by_the_facts_when_it_is_reached(
    ready: World, stage: str, taken: str
) -> None:
    begin(ready, BRANCH, stage="applied")
    tell(ready, "application.stage_changed", stage=stage)
    start = dict(ready.sent())["hello"]
    ready.run_for(days=9)
    assert ready.sent() == [
        ("hello", start),
        (taken, start + timedelta(days=1)),
        ("more", start + timedelta(days=2)),
    ]
    assert not planned_by_time(ready)


def test_a_branch_that_is_not_reached_is_a_forecast(ready: World) -> None:
    begin(ready, BRANCH, stage="applied")
    start = dict(ready.sent())["hello"]
    ahead = ready.entry("no")
    assert (ahead.verdict, ahead.reason, ahead.about) == ("wait", "after_step", True)
    assert ahead.at == start + timedelta(days=1)
    tell(ready, "application.stage_changed", stage="screening")
    assert ready.entry("yes").at == start + timedelta(days=1)
    assert "no" not in [entry.step for entry in ready.agenda()]


def test_a_branch_once_chosen_stays_chosen_though_facts_and_file_change(ready: World) -> None:
    slow = BRANCH.replace("- send: notes/no\n", "- send: notes/no\n        after: 3 days\n")
    begin(ready, slow, stage="applied")
    ready.run_for(days=2)
    tell(ready, "application.stage_changed", stage="screening")
    write(ready, slow.replace('== "screening"', '!= "screening"'))
    ready.run_for(days=9)
    assert steps(ready) == ["hello", "no", "more"]


def test_a_step_added_inside_a_branch_not_taken_is_never_sent(ready: World) -> None:
    begin(ready, BRANCH, stage="applied")
    ready.run_for(hours=30)
    assert steps(ready) == ["hello", "no"]
    added = "- send: notes/yes\n      - send: notes/late\n"
    at_step = "      - {task: {text: Look}, at: 20 days after entered}\n"
    write(ready, BRANCH.replace("- send: notes/yes\n", added + at_step))
    ready.run_for(days=30)
    assert steps(ready) == ["hello", "no", "more"]
    assert {"late", "look"}.isdisjoint(entry.step for entry in ready.agenda())


def test_a_step_added_inside_the_branch_taken_is_sent_while_nothing_below_is(ready: World) -> None:
    begin(ready, BRANCH, stage="applied")
    ready.run_for(hours=30)
    write(
        ready, BRANCH.replace("- send: notes/no\n", "- send: notes/no\n      - send: notes/late\n")
    )
    ready.run_for(days=9)
    assert steps(ready) == ["hello", "no", "late", "more"]


def test_a_step_on_its_own_moment_inside_a_branch_is_wanted_once_it_is_chosen(
    ready: World,
) -> None:
    inside = """\
  - wait_for: custom.booked
  - if: application.stage == "screening"
    then:
      - send: notes/yes
        at: 10 days after entered
      - send: notes/late
        at: 1 day after entered
      - send: notes/no
        if_late: send
        at: 1 day after entered
  - send: notes/more
"""
    at = begin(ready, inside, stage="screening")
    ready.run_for(days=3)
    assert steps(ready) == []
    tell(ready, "custom.booked")
    opened = ready.clock.now()
    ready.run_for(days=20)
    assert sorted(ready.sent()) == [
        ("more", opened),
        ("no", opened),
        ("yes", at + timedelta(days=10)),
    ]
    assert ready.entry("late").reason == "late", "its moment had passed when it was chosen"


def test_branches_within_branches_and_gates_within_branches(ready: World) -> None:
    nested = """\
  - if: application.stage == "screening"
    then:
      - if: application.source == "fair"
        then:
          - wait_for: custom.booked
          - send: notes/yes
        else:
          - send: notes/no
      - send: notes/more
  - send: notes/late
"""
    begin(ready, nested, stage="screening", source="fair")
    assert steps(ready) == []
    ready.run_for(hours=1)
    tell(ready, "custom.booked")
    assert sorted(steps(ready)) == ["late", "more", "yes"]


def test_a_paused_campaign_chooses_nothing_and_opens_nothing(ready: World) -> None:
    text = """\
  - wait_for: custom.booked
    up_to: 5 days
  - if: application.stage == "screening"
    then:
      - send: notes/yes
    else:
      - send: notes/no
"""
    begin(ready, text, stage="applied")
    ready.campaign("welcome", HEAD.replace("live", "paused") + text)
    ready.reload()
    ready.run_for(days=9)
    assert ready.entry("wait-for-custom-booked").reason == "campaign_paused"
    tell(ready, "application.stage_changed", stage="screening")
    write(ready, text)
    ready.work()
    assert steps(ready) == ["yes"]


def test_what_waits_for_a_task_goes_on_when_the_task_is_handed_over(ready: World) -> None:
    begin(
        ready,
        '  - task: {text: "Call Ana"}\n'
        "    after: 1 day\n"
        "  - send: notes/no\n"
        "    if: application.stage == 'final'\n"
        "  - send: notes/yes\n"
        "    after: 1 day\n",
    )
    start = ready.clock.now()
    ready.run_for(days=5)
    assert ready.sent() == [("yes", start + timedelta(days=2))]


# --- repeats -------------------------------------------------------------------------------------


def test_a_step_repeats_every_so_often_and_at_most_so_many_times(ready: World) -> None:
    at = begin(
        ready,
        "  - send: notes/hello\n"
        "    after: 1 day\n"
        "    repeat: {every: 2 days, at_most: 3}\n"
        "  - send: notes/yes\n"
        "    after: 1 day\n",
    )
    ready.run_for(days=30)
    assert ready.sent() == [
        ("hello", at + timedelta(days=1)),
        ("hello", at + timedelta(days=3)),
        ("hello", at + timedelta(days=5)),
        ("yes", at + timedelta(days=6)),
    ]
    assert not planned_by_time(ready)


def test_a_repeat_on_a_moment_keeps_its_days_until_it_is_over(ready: World) -> None:
    at = begin(
        ready,
        "  - send: notes/hello\n"
        "    at: 1 day after entered\n"
        "    until: 20 days after entered\n"
        "    repeat: {every: 1 week}\n",
    )
    ready.run_for(days=60)
    assert [when - at for _, when in ready.sent()] == [timedelta(days=each) for each in (1, 8, 15)]
    assert not planned_by_time(ready)


def test_an_outage_is_not_caught_up(ready: World) -> None:
    at = begin(
        ready,
        "  - send: notes/hello\n"
        "    at: 1 day after entered\n"
        "    repeat: {every: 1 day, at_most: 4}\n",
    )
    ready.run_for(days=1)
    ready.clock.set(at + timedelta(days=5, hours=3))
    ready.run_for(days=20)
    assert [when - at for _, when in ready.sent()] == [
        timedelta(days=1),
        timedelta(days=5, hours=3),
        timedelta(days=6),
        timedelta(days=7),
    ]


HOLDING = """\
  - send: notes/hello
    at: application.silence_due
    repeat: {at_most: 2}
"""


def test_a_holding_note_follows_the_silence_and_stops_after_so_many_in_a_row(ready: World) -> None:
    ready.template("notes/hello", "status")
    begin(ready, HOLDING, stage="screening")
    ready.run_for(days=60)
    first, second = [at for _, at in ready.sent()]
    assert second - first >= timedelta(days=7), "five business days of silence again"
    ready.tell("contact.logged", application={"id": "a1"}, contact={"kind": "call"})
    ready.run_for(days=60)
    assert len(ready.sent()) == 4, "after a call the row begins anew"
    assert not planned_by_time(ready)


def test_a_holding_note_is_put_off_by_every_contact(ready: World) -> None:
    ready.template("notes/hello", "status")
    begin(ready, HOLDING, stage="screening")
    for _ in range(5):
        ready.run_for(days=4)
        ready.tell("contact.logged", application={"id": "a1"}, contact={"kind": "call"})
        ready.work()
    assert steps(ready) == []


# --- what could not go out in time, and renamed steps --------------------------------------------


def test_what_could_not_go_out_in_time_becomes_a_task_for_the_recruiter(ready: World) -> None:
    ready.template("notes/hello", "status")  # contact hours only
    at = begin(
        ready,
        "  - send: notes/hello\n"
        "    at: 5 days after entered\n"  # a Saturday
        "    until: 6 days after entered\n"
        "    if_expired: task\n"
        "  - send: notes/yes\n",
        recruiter="ida@example.com",
    )
    ready.run_until(at + timedelta(days=8))
    expired = ready.entry("hello")
    assert (expired.verdict, expired.reason) == ("task", "expired")
    with ready.database.read() as connection:
        (task,) = connection.execute(select(tasks)).mappings()
    assert task["text"] == (
        '"About notes hello" did not go out in time; tell ana@example.com yourself'
    )
    assert (task["assignee"], task["state"]) == ("ida@example.com", "open")
    assert steps(ready) == ["yes"], "what waits below goes on"


WAS = "  - send: notes/hello\n  - send: notes/yes\n    id: {id}\n    after: 2 days\n{was}"


def test_a_renamed_step_that_says_what_it_was_keeps_its_place(ready: World) -> None:
    below = "  - send: notes/more\n    after: 1 day\n"
    begin(ready, WAS.format(id="second", was="") + below)
    ready.project.catch_up()
    ready.run_for(hours=49)
    assert steps(ready) == ["hello", "second"]
    write(ready, WAS.format(id="other", was="    was: second\n") + below)
    ready.run_for(days=9)
    assert steps(ready) == ["hello", "second", "more"]
    write(ready, WAS.format(id="other", was="") + below)  # `was:` may go again
    ready.run_for(days=9)
    assert steps(ready) == ["hello", "second", "more"]


def test_a_renamed_step_keeps_the_mail_that_is_on_its_way(ready: World) -> None:
    ready.template("notes/yes", "offer")  # waits for approval
    begin(ready, WAS.format(id="second", was=""))
    ready.project.catch_up()
    ready.run_for(hours=50)
    write(ready, WAS.format(id="other", was="    was: second\n"))
    ready.work()
    with ready.database.read() as connection:
        query = select(messages.c.state, message_steps.c.step).join(message_steps)
        states = connection.execute(query)
        assert sorted(states.all()) == [("held", "other"), ("sent", "hello")]


def test_a_renamed_step_is_the_same_before_the_store_has_heard_of_it(ready: World) -> None:
    begin(ready, WAS.format(id="second", was=""))
    ready.run_for(hours=49)
    ready.campaign("welcome", HEAD + WAS.format(id="other", was="    was: second\n"))
    ready.project.library.reload()  # as another process would see it
    ready.tell("application.stage_changed", application={"id": "a1", "stage": "final"})
    ready.run_for(days=9)
    assert steps(ready) == ["hello", "second"]
