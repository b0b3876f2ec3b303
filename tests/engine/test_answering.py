"""What an answer sets in motion, on each kind of database."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nurture.core.model import Candidate
from nurture.engine.answering import choice_of, give
from nurture.rendering.links import Answer
from nurture.store.facts import find_application, find_candidate
from nurture.store.tables import enrollments, events, promises, requests, tasks
from tests.world import World

CAMPAIGN = """\
name: A question
status: live
enter:
  on: application.created
  once_per: {once_per}
steps:
  - send: coming
  - send: more
    after: 3 days
    if: not (answered("coming") == "talk")
"""
BODY = """\
---
subject: A question
category: logistics
ask:
  - id: coming
    text: Will you be there?
    options: {yes: "Yes", later: "Not now", no: "No", talk: "Let us talk"}
    sets: application.source
    then: {later: pause 3 months, no: withdraw, talk: task, yes: leave}
  - id: data
    text: And what we hold?
    options: {keep: "Keep it", stop: "No more news", delete: "Delete it", why: "Why?"}
    then: {keep: keep 12 months, stop: unsubscribe, delete: delete, why: promise word within 2 days}
---
{{ ask("coming") }}

{{ ask("data") }}
"""


@pytest.fixture
def asked(world: World) -> World:
    world.template("more", "logistics")
    (world.folder / "templates/coming.md").write_text(BODY)
    world.campaign("question", CAMPAIGN.replace("{once_per}", "application"))
    world.reload()
    world.tell(
        "application.created",
        application={"id": "a1", "recruiter": {"email": "ida@example.com"}},
    )
    world.work()
    assert [step for step, _ in world.sent()] == ["coming"]
    return world


def answer(world: World, option: str, question: str = "coming") -> None:
    token = world.project.signer.answer_token(Answer(1, 1, question, option))
    choice = choice_of(world.project, token)
    assert choice is not None
    give(world.project, choice)


def column(world: World, query: Any) -> list[Any]:
    with world.database.read() as connection:
        return list(connection.execute(query).scalars())


def given(world: World) -> list[str]:
    query = select(events.c.type).where(events.c.source == "answer").order_by(events.c.id)
    return column(world, query)


def test_a_no_withdraws_and_nothing_follows(asked: World) -> None:
    answer(asked, "no")
    with asked.database.read() as connection:
        application = find_application(connection, "a1")
    assert application is not None
    assert (application.status, application.fields["source"]) == ("withdrawn", "no")
    asked.run_for(days=10)
    assert [step for step, _ in asked.sent()] == ["coming"]


def test_leaving_ends_the_enrollment_that_asked_and_no_other(asked: World) -> None:
    asked.campaign(
        "other",
        "name: Other\nstatus: live\nenter:\n  on: custom.go\n  once_per: "
        "application\nsteps:\n  - send: more\n    after: 5 days\n",
    )
    asked.reload()
    asked.tell("custom.go", application={"id": "a1"})
    asked.work()
    answer(asked, "yes")
    asked.run_for(days=10)
    ends = column(asked, select(enrollments.c.end_reason).order_by(enrollments.c.id))
    assert ends[0] == "answer.given"
    assert [step for step, _ in asked.sent()] == ["coming", "more"]


def test_a_condition_obeys_the_answer(asked: World) -> None:
    answer(asked, "talk")
    assert column(asked, select(tasks.c.text)) == ['c1 answered "Will you be there?": Let us talk']
    asked.run_for(days=10)
    assert [step for step, _ in asked.sent()] == ["coming"]


def test_a_pause_is_as_long_as_the_question_says(asked: World) -> None:
    answer(asked, "later")
    with asked.database.read() as connection:
        candidate = find_candidate(connection, "c1")
    assert candidate is not None
    assert candidate.paused_until is not None
    assert candidate.paused_until.date().isoformat() == "2027-02-23"


def test_a_button_that_is_pressed_by_many_at_once_makes_one_task(asked: World) -> None:
    people = [threading.Thread(target=answer, args=(asked, "talk")) for _ in range(6)]
    for each in people:
        each.start()
    for each in people:
        each.join(30)
    assert len(column(asked, select(tasks.c.id))) == 1
    assert given(asked) == ["answer.given"]


def test_the_same_answer_to_a_later_mail_counts_again(asked: World) -> None:
    answer(asked, "later")
    asked.clock.advance(timedelta(days=200))
    asked.tell("application.created", application={"id": "a2"})
    asked.work()
    token = asked.project.signer.answer_token(Answer(1, 2, "coming", "later"))
    choice = choice_of(asked.project, token)
    assert choice is not None
    give(asked.project, choice)
    assert given(asked) == ["answer.given", "candidate.paused"] * 2


def ana(world: World) -> Candidate:
    with world.database.read() as connection:
        found = find_candidate(connection, "c1")
    assert found is not None
    return found


def open_requests(world: World) -> list[str]:
    query = select(requests.c.kind).where(requests.c.done_at.is_(None))
    return column(world, query)


def test_no_more_news_is_obeyed_and_another_answer_brings_it_back(asked: World) -> None:
    answer(asked, "stop", "data")
    assert ana(asked).unsubscribed == {"all"}
    answer(asked, "keep", "data")
    assert ana(asked).unsubscribed == set()


def test_keeping_lasts_as_long_as_the_question_says(asked: World) -> None:
    answer(asked, "keep", "data")
    assert ana(asked).consent_until == date(2027, 11, 23)


def test_deletion_is_asked_for_once_ends_news_and_can_be_taken_back(asked: World) -> None:
    answer(asked, "delete", "data")
    answer(asked, "delete", "data")
    assert open_requests(asked) == ["deletion"]
    assert ana(asked).unsubscribed == {"all"}
    answer(asked, "keep", "data")
    assert open_requests(asked) == []
    assert ana(asked).unsubscribed == set()


def test_an_answer_makes_a_promise_that_somebody_owes(asked: World) -> None:
    answer(asked, "why", "data")
    with asked.database.read() as connection:
        rows = connection.execute(select(promises)).mappings().all()
    (made,) = rows
    assert (made["what"], made["owner"], made["application"]) == ("word", "ida@example.com", "a1")
    assert made["due_at"] == datetime(2026, 11, 25, 15, tzinfo=UTC)
    answer(asked, "stop", "data")
    (told,) = column(asked, select(tasks.c.text))
    assert "something was promised to them" in told
