"""At the end of the longest silence a mail may be late, but it never just does not come."""

from dataclasses import replace
from datetime import timedelta

import pytest

from nurture.core.agenda import Ledger, plan
from nurture.core.model import Candidate, Duration, Moment, Reason, Verdict
from tests.core.test_agenda import ANA, NOW, POLICY, recipient, want


@pytest.mark.parametrize("anchor", ["application.silence_due", "promise.due"])
@pytest.mark.parametrize(
    ("candidate", "late", "reason"),
    [
        (replace(ANA, email=None), False, Reason.UNDELIVERABLE),
        (replace(ANA, suppressed="550 no such user"), False, Reason.UNDELIVERABLE),
        (ANA, True, Reason.EXPIRED),
    ],
    ids=["no address", "refused address", "too late"],
)
def test_what_cannot_go_out_at_a_ceiling_becomes_somebodys_task(
    anchor: str, candidate: Candidate, late: bool, reason: Reason
) -> None:
    moment = Moment(offset=Duration(amount=0, unit="minutes"), before=False, anchor=anchor)
    until = NOW - timedelta(minutes=1) if late else None
    usual = want(1, "help", NOW - timedelta(hours=1), until=until)
    (dropped,) = plan(recipient(candidate=candidate), [usual], Ledger(), POLICY, NOW).items
    assert (dropped.verdict, dropped.reason, dropped.final) == (Verdict.SKIP, reason, True)
    ceiling = usual._replace(step=replace(usual.step, at=moment))
    (item,) = plan(recipient(candidate=candidate), [ceiling], Ledger(), POLICY, NOW).items
    assert (item.verdict, item.reason, item.final) == (Verdict.TASK, reason, True)


def test_who_must_not_be_contacted_gets_no_task_either() -> None:
    moment = Moment(
        offset=Duration(amount=0, unit="minutes"), before=False, anchor="application.silence_due"
    )
    usual = want(1, "help", NOW - timedelta(hours=1))
    ceiling = usual._replace(step=replace(usual.step, at=moment))
    silent = recipient(candidate=replace(ANA, do_not_contact=True))
    (item,) = plan(silent, [ceiling], Ledger(), POLICY, NOW).items
    assert item.verdict is Verdict.SKIP
