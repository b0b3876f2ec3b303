"""Of two that want the last slot, which gets it?"""

from dataclasses import replace
from datetime import timedelta

from nurture.core.agenda import Ledger, plan
from nurture.core.caps import Cap
from nurture.core.model import Hours, Verdict
from tests.core.test_agenda import NOW, POLICY, recipient, want

ONE_A_DAY = replace(
    POLICY,
    caps=(Cap(1, timedelta(hours=20)),),
    gap=None,
    hours=dict.fromkeys(Hours),
)


def test_of_equals_the_one_that_cannot_wait_goes_first_though_it_came_later() -> None:
    patient = want(1, "help", NOW - timedelta(hours=2))
    pressed = want(2, "help", NOW - timedelta(hours=1), until=NOW + timedelta(hours=3))
    later = want(3, "help", NOW - timedelta(hours=3), until=NOW + timedelta(hours=30))
    agenda = plan(recipient(), [patient, pressed, later], Ledger(), ONE_A_DAY, NOW)
    assert [item.key.enrollment_id for item in agenda.items] == [2, 3, 1]
    assert [item.verdict for item in agenda.items] == [Verdict.SEND, Verdict.WAIT, Verdict.WAIT]
