"""At the end of the longest silence a mail may be late, but it never just does not come."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from nurture.core.agenda import Ledger, plan
from nurture.core.ceilings import fell_short
from nurture.core.model import (
    Candidate,
    Contact,
    Duration,
    Hours,
    MessageClass,
    Moment,
    Reason,
    Section,
    Step,
    StepRecord,
    StepState,
    Verdict,
)
from nurture.core.wishes import Wishes
from tests.core.test_agenda import ANA, NOW, OFFICE, POLICY, recipient, want

FRIDAY = date(2026, 11, 27)


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


FRIDAYS_OFF = Wishes(quiet_days=((FRIDAY, FRIDAY),))


@pytest.mark.parametrize(
    ("last_heard", "goes"),
    [
        # Friday is quiet, and Thursday evening would come a day after the last word at least.
        (datetime(2026, 11, 25, 9, 20, tzinfo=UTC), datetime(2026, 11, 26, 18, 15, tzinfo=UTC)),
        # They heard from us on Thursday: nothing is to be said on the same day's evening.
        (datetime(2026, 11, 26, 9, 20, tzinfo=UTC), datetime(2026, 11, 30, 8, 30, tzinfo=UTC)),
    ],
    ids=["a day of silence", "hours of it"],
)
def test_a_note_that_ends_a_silence_is_not_brought_forward_to_where_there_is_none(
    last_heard: datetime, goes: datetime
) -> None:
    """Four hours before the ceiling is early on Monday; the last open time before is Thursday."""
    moment = Moment(
        offset=Duration(amount=4, unit="hours"), before=True, anchor="application.silence_due"
    )
    usual = want(1, "help", datetime(2026, 11, 30, 6, 20, tzinfo=UTC))
    due = datetime(2026, 11, 30, 10, 20, tzinfo=UTC)
    note = usual._replace(step=replace(usual.step, at=moment), until=due, anchor_at=due)
    policy = replace(POLICY, caps=(), hours={Hours.CONTACT: replace(OFFICE, spread=timedelta())})
    heard = Contact(at=last_heard, category="help", klass=MessageClass.SERVICE)
    ana = recipient(candidate=replace(ANA, wishes=FRIDAYS_OFF))
    now = last_heard + timedelta(minutes=1)
    (item,) = plan(ana, [note], Ledger(contacts=(heard,)), policy, now).items
    assert (item.verdict, item.at) == (Verdict.WAIT, goes)


def test_a_part_of_a_mail_in_doubt_has_not_arrived_either() -> None:
    moment = Moment(offset=Duration(amount=0, unit="minutes"), before=False, anchor="promise.due")
    step = Step(id="debt", send="notes/debt", at=moment, category="help")
    record = StepRecord(
        enrollment_id=1,
        step="debt",
        occurrence="1",
        known_at=NOW,
        state=StepState.SENT,
        settled_at=NOW,
    )

    def mail(*ids: str, arrived: bool) -> Contact:
        sections = tuple(
            Section(
                enrollment_id=1,
                step=each,
                occurrence="1",
                campaign="any",
                template=f"notes/{each}",
                category="help",
            )
            for each in ids
        )
        return Contact(at=NOW, category="help", step=ids[0], sections=sections, arrived=arrived)

    assert fell_short(step, record, [mail("prep", "debt", arrived=False)])
    assert not fell_short(step, record, [mail("prep", "debt", arrived=True)])
    assert not fell_short(step, record, [mail("prep", "kit", arrived=False)])


def test_who_must_not_be_contacted_gets_no_task_either() -> None:
    moment = Moment(
        offset=Duration(amount=0, unit="minutes"), before=False, anchor="application.silence_due"
    )
    usual = want(1, "help", NOW - timedelta(hours=1))
    ceiling = usual._replace(step=replace(usual.step, at=moment))
    silent = recipient(candidate=replace(ANA, do_not_contact=True))
    (item,) = plan(silent, [ceiling], Ledger(), POLICY, NOW).items
    assert item.verdict is Verdict.SKIP
