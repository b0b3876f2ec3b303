"""The law of kill switches: whatever is wanted, nothing that is stopped leaves, and nothing of it
is settled but by its own `until`."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nurture.core.agenda import Item, Ledger, plan
from nurture.core.journey import Key
from nurture.core.model import Reason, Verdict
from tests.core.test_agenda_laws import QUICK, World, worlds

STOP = {"scope": "campaign", "ref": "any", "cause": "person", "since": "2026-11-23T10:00:00+00:00"}


def decided(world: World, stopped: frozenset[int]) -> dict[Key, Item]:
    recipient = replace(world.recipient, stopped=dict.fromkeys(stopped, STOP))
    agenda = plan(recipient, world.wants, Ledger(contacts=world.past), world.policy, world.now)
    return {item.key: item for item in agenda.items}


@st.composite
def stopped_worlds(draw: st.DrawFn) -> tuple[World, frozenset[int]]:
    world = draw(worlds())
    ids = sorted({want.key.enrollment_id for want in world.wants}) or [1]
    return world, draw(st.frozensets(st.sampled_from(ids)))


@QUICK
@given(stopped_worlds())
def test_nothing_that_is_stopped_leaves_or_is_lost(case: tuple[World, frozenset[int]]) -> None:
    world, stopped = case
    for want in world.wants:
        if want.key.enrollment_id not in stopped or want.step.send is None:
            continue
        item = decided(world, stopped)[want.key]
        if item.reason is Reason.STOPPED:
            assert (item.verdict, item.final, item.at) == (Verdict.WAIT, False, None)
            assert item.detail == STOP
        else:  # it is too late for it, as it would be without the stop
            free = decided(world, frozenset())[want.key]
            assert item.verdict in (Verdict.SKIP, Verdict.TASK)
            assert (item.verdict, item.reason) == (free.verdict, free.reason)


@QUICK
@given(stopped_worlds())
def test_others_are_decided_as_if_what_is_stopped_were_not_wanted(
    case: tuple[World, frozenset[int]],
) -> None:
    world, stopped = case
    others = tuple(each for each in world.wants if each.key.enrollment_id not in stopped)
    alone = decided(replace(world, wants=others), frozenset())
    beside = decided(world, stopped)
    assert {key: (each.verdict, each.at) for key, each in alone.items()} == {
        each.key: (beside[each.key].verdict, beside[each.key].at) for each in others
    }
