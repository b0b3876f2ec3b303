"""What a refusal means: the codes of RFC 3463 and of the large providers."""

import pytest

from nurture.core.model import Blame, Deferred, Rejected
from nurture.delivery.replies import Stage, refusal, shown

GMAIL_SENDER = ["5.7.25", "5.7.26", "5.7.27", "5.7.28", "5.7.29", "5.7.30", "5.7.32", "5.7.40"]
GMAIL_SLOW = ["4.7.23", "4.7.27", "4.7.28", "4.7.29", "4.7.30", "4.7.31", "4.7.32"]
DEAD = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"]


@pytest.mark.parametrize("code", DEAD)
@pytest.mark.parametrize("stage", [Stage.RECIPIENT, Stage.CONTENT])
def test_a_dead_address_is_the_addresss_fault(code, stage):
    outcome = refusal(550, f"{code} no", stage)
    assert isinstance(outcome, Rejected)
    assert outcome.blame is Blame.ADDRESS


@pytest.mark.parametrize("code", [*GMAIL_SENDER, "5.7.1", "5.7.515", "5.1.8", "5.1.7", "5.4.5"])
@pytest.mark.parametrize("stage", list(Stage))
def test_no_policy_code_ever_gives_up_an_address(code, stage):
    outcome = refusal(550, f"{code} user unknown", stage)
    assert isinstance(outcome, Rejected)
    assert outcome.blame is Blame.SENDER


@pytest.mark.parametrize("code", GMAIL_SLOW)
def test_a_policy_deferral_slows_the_domain(code):
    outcome = refusal(421, f"{code} rate limited", Stage.RECIPIENT)
    assert isinstance(outcome, Deferred)
    assert outcome.domain


def test_a_full_mailbox_is_tried_again():
    assert isinstance(refusal(552, "5.2.2 mailbox full", Stage.RECIPIENT), Deferred)


def test_the_code_of_each_line_is_the_same_and_counts_once():
    reply = "5.1.1 The email account that you tried\n5.1.1 does not exist"
    outcome = refusal(550, reply, Stage.RECIPIENT)
    assert isinstance(outcome, Rejected)
    assert outcome.blame is Blame.ADDRESS
    assert "\n" not in outcome.text


def test_numbers_that_are_no_status_code_are_not_read_as_one():
    outcome = refusal(554, "message from 15.1.1.7 refused", Stage.CONTENT)
    assert isinstance(outcome, Rejected)
    assert outcome.blame is Blame.CONTENT


@pytest.mark.parametrize(
    "said", ["<ana@example.com>: unknown", "ana@example.com unknown", "unknown: ana.b+c@x-y.test,"]
)
def test_what_is_shown_holds_no_address(said):
    assert "@" not in shown(550, said)
    assert "<address>" in shown(550, said)
