"""Whoever asked for a pause is asked once when it is over, and not before."""

from datetime import timedelta

import pytest

from nurture.engine.answering import choice_of, give
from nurture.rendering.links import Answer
from tests.world import World


@pytest.fixture
def paused(starter: World) -> World:
    until = starter.clock.now() + timedelta(days=30)
    starter.tell("candidate.paused", until=until.isoformat())
    return starter


def test_one_check_in_on_the_day_the_pause_is_over(paused: World) -> None:
    begun = paused.clock.now()
    paused.run_for(days=60)
    ((step, at),) = paused.sent()
    assert step == "after-a-pause"
    assert timedelta(days=30) <= at - begun < timedelta(days=34), "in the first open hours"


def test_a_longer_pause_moves_the_check_in_and_an_end_calls_it_off(paused: World) -> None:
    begun = paused.clock.now()
    paused.run_for(days=20)
    longer = begun + timedelta(days=50)
    paused.tell("candidate.preferences", preferences={"pause_until": longer.isoformat()})
    paused.run_for(days=29)
    assert paused.sent() == []
    paused.tell("candidate.resumed")
    paused.run_for(days=30)
    assert paused.sent() == []


def test_not_now_ask_me_in_three_months_is_asked_in_three_months(paused: World) -> None:
    paused.run_for(days=40)
    assert len(paused.sent()) == 1
    token = paused.project.signer.answer_token(Answer(1, 1, "after-a-pause", "later"))
    choice = choice_of(paused.project, token)
    assert choice is not None
    give(paused.project, choice)
    answered = paused.clock.now()
    paused.run_for(days=120)
    first, second = paused.sent()
    assert first[0] == second[0] == "after-a-pause"
    assert timedelta(days=89) < second[1] - answered < timedelta(days=97)
