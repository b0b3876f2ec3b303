"""A doubt is settled by a person, once, and never becomes two mails."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nurture.core.model import Accepted, Unknown
from nurture.engine.settling import doubts, settle
from nurture.errors import NurtureError
from nurture.store import history
from tests.world import World

IDA = "ida@example.com"
RECEIPT = """\
name: Receipt
status: live
enter:
  on: application.created
  once_per: application
steps:
  - send: notes/receipt
    promise: {what: an answer, within: 5 business days}
  - send: notes/next
    after: 3 days
"""


@pytest.fixture
def doubtful(world: World) -> World:
    """Ana's receipt was handed over, and no answer came."""
    world.template("notes/receipt", "receipt")
    world.template("notes/next", "receipt")
    world.campaign("receipt", RECEIPT)
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    world.postman.answers = [Unknown(text="the server closed the connection")]
    world.work()
    return world


def states(world: World) -> list[tuple[str, str]]:
    with world.database.read() as connection:
        rows = history.message_rows(connection)
    return sorted((row["step"], row["state"]) for row in rows)


def test_it_is_listed_with_all_that_is_known(doubtful: World) -> None:
    (doubt,) = doubts(doubtful.project)
    (_, header), *_ = doubtful.postman.offered
    assert (doubt.candidate, doubt.campaign, doubt.step) == ("c1", "receipt", "receipt")
    assert (doubt.template, doubt.message_id) == ("notes/receipt", header)
    assert (doubt.left_at, doubt.attempts) == (doubtful.clock.now(), 1)
    assert "closed the connection" in doubt.said
    assert doubts(doubtful.project, doubtful.clock.now()) == [], "only what left earlier"


@pytest.mark.acceptance("A3.1")
def test_sent_stays_counted_where_it_was_and_its_promise_holds_from_then(doubtful: World) -> None:
    left = doubtful.clock.now()
    doubtful.run_for(hours=5)
    settle(doubtful.project, [1], sent=True, by=IDA)
    assert doubts(doubtful.project) == []
    assert doubtful.sent() == [("receipt", left)]
    entry = doubtful.entry("receipt")
    assert (entry.reason, entry.detail["by"]) == ("settled", IDA)
    assert "ida@example.com found that it arrived" in entry.sentence
    with doubtful.database.read() as connection:
        (promise,) = doubtful.project.planner.read(connection, [1])[1].promises.values()
    assert promise.made_at == left
    doubtful.run_for(days=4)
    assert [step for step, _ in doubtful.sent()] == ["receipt", "next"]
    assert len(doubtful.postman.offered) == 2


def test_not_sent_goes_again_with_its_message_id_and_counts_once(doubtful: World) -> None:
    doubtful.run_for(hours=5)
    settle(doubtful.project, [1], sent=False, by=IDA)
    assert doubtful.entry("receipt").verdict == "send"
    doubtful.work()
    first, second = doubtful.postman.offered
    assert first == second
    assert doubtful.sent() == [("receipt", doubtful.clock.now())]
    assert states(doubtful) == [("receipt", "sent")]


def test_not_sent_is_decided_again_and_not_just_sent(doubtful: World) -> None:
    doubtful.tell("candidate.do_not_contact")
    settle(doubtful.project, [1], sent=False, by=IDA)
    doubtful.run_for(days=5)
    assert len(doubtful.postman.offered) == 1
    assert doubtful.entry("receipt").reason == "do_not_contact"


def test_what_is_over_is_not_sent_again(doubtful: World) -> None:
    doubtful.tell("application.withdrawn", application={"id": "a1"})
    doubtful.work()
    settle(doubtful.project, [1], sent=False, by=IDA)
    doubtful.run_for(days=5)
    assert len(doubtful.postman.offered) == 1
    assert states(doubtful) == [("receipt", "cancelled")]
    assert (doubtful.entry("receipt").verdict, doubtful.sent()) == ("skip", [])


def test_a_doubt_is_settled_once_and_all_named_or_none(doubtful: World) -> None:
    with pytest.raises(NurtureError, match="message 7 is not in doubt, there is no such message"):
        settle(doubtful.project, [1, 7], sent=True, by=IDA)
    assert len(doubts(doubtful.project)) == 1
    settle(doubtful.project, [1], sent=True, by=IDA)
    with pytest.raises(NurtureError, match="message 1 is not in doubt, it is sent"):
        settle(doubtful.project, [1], sent=False, by=IDA)
    doubtful.work()
    assert len(doubtful.postman.offered) == 1


def test_a_mail_of_several_that_never_left_says_everything_again_once(world: World) -> None:
    for name in ("first", "second"):
        world.template(f"notes/{name}", "status")
        world.campaign(
            name,
            f"name: {name}\nstatus: live\nenter:\n  on: application.created\n"
            f"  once_per: application\nsteps:\n  - send: notes/{name}\n",
        )
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    world.postman.answers = [Unknown(text="no answer in time")]
    world.work()
    assert len(world.postman.offered) == 1
    (doubt,) = doubts(world.project)
    assert "+" in doubt.template
    settle(world.project, [doubt.id], sent=False, by=IDA)
    world.work()
    assert sorted(step for step, _ in world.sent()) == ["first", "second"]
    first, second = world.postman.offered
    assert first == second, "the same mail"
    assert {state for _, state in states(world)} == {"sent"}


def test_a_section_that_is_over_is_not_said_again(world: World) -> None:
    for name, leave in (("first", ""), ("second", "leave:\n  - on: [custom.enough]\n")):
        world.template(f"notes/{name}", "status")
        world.campaign(
            name,
            f"name: {name}\nstatus: live\nenter:\n  on: application.created\n"
            f"  once_per: application\n{leave}steps:\n  - send: notes/{name}\n"
            "  - send: notes/later\n    after: 9 days\n",
        )
    world.template("notes/later", "status")
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    world.postman.answers = [Unknown(text="no answer in time")]
    world.work()
    world.tell("custom.enough")
    world.work()
    (doubt,) = doubts(world.project)
    assert "+" in doubt.template
    settle(world.project, [doubt.id], sent=False, by=IDA)
    world.work()
    assert [step for step, _ in world.sent()] == ["first"]
    assert world.entry("second").reason == "settled"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=st.lists(st.sampled_from(["lost", "sent", "not_sent", "hours"]), max_size=8))
def test_whatever_people_say_nothing_goes_twice_unless_they_said_it_never_left(
    starter: World, story: list[str]
) -> None:
    """Each mail is offered once more than somebody said that it had not left."""
    who = f"c-{starter.clock.now().isoformat()}"
    starter.postman.answers.clear()
    before = len(starter.postman.offered)
    starter.postman.answers = [Unknown(text="") if each == "lost" else Accepted() for each in story]
    starter.tell(
        "application.created",
        candidate={"id": who, "email": f"{who.replace(':', '-')}@example.com", "first_name": "Ana"},
        application={"id": f"a-{who}", "stage": "applied", "job": {"id": "j", "title": "Cook"}},
    )
    again = dict[str, int]()
    for said in story:
        starter.work()
        if said in ("sent", "not_sent"):
            for doubt in doubts(starter.project):
                settle(starter.project, [doubt.id], sent=said == "sent", by=IDA)
                again[doubt.message_id] = again.get(doubt.message_id, 0) + (said == "not_sent")
        elif said == "hours":
            starter.clock.set(starter.clock.now() + timedelta(hours=6))
    starter.work()
    offered = [header for _, header in starter.postman.offered[before:]]
    for header in offered:
        assert offered.count(header) <= 1 + again.get(header, 0)
    starter.clock.set(starter.clock.now() + timedelta(seconds=1))
