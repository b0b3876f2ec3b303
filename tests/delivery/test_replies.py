"""What a refusal means: the codes of RFC 3463 and of the large providers, in one table."""

import pytest

from nurture.core.model import Blame, Deferred, Rejected
from nurture.delivery.replies import Stage, refusal, shown

LATER, SLOW = "again later", "again later, and the whole domain slower"
ADDRESS, SENDER, CONTENT, SERVER = Blame.ADDRESS, Blame.SENDER, Blame.CONTENT, Blame.SERVER

#: Code and words as they come, and what they mean after RCPT TO; then after the content, where
#: that is something else.
REPLIES = [
    # the address is dead (RFC 3463 3.2, 3.3, 3.5; RFC 5321 4.2.3 where there is no such code)
    ("550 5.1.1 The email account that you tried to reach does not exist.", ADDRESS),
    ("550 5.1.1 <x@example.com>: Recipient address rejected: User unknown", ADDRESS),
    ("550 5.1.2 host unknown", ADDRESS),
    ("553 5.1.3 The recipient address is not a valid RFC 5321 address.", ADDRESS),
    ("551 5.1.6 mailbox has moved", ADDRESS),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP", ADDRESS),
    ("556 5.1.10 Recipient address has null MX", ADDRESS),
    ("550 5.2.1 The email account that you tried to reach is inactive.", ADDRESS),
    ("554 5.2.1 mailbox disabled", ADDRESS),
    ("550 5.4.4 unable to route", ADDRESS),
    ("550 No such user here", ADDRESS, CONTENT),
    ("550 Requested action not taken: mailbox unavailable", ADDRESS, CONTENT),
    ("550 5.0.0 user unknown", ADDRESS, CONTENT),
    ("554 30 Sorry, your message to x@yahoo.com cannot be delivered.", SENDER, CONTENT),
    # not now, this one only
    ("552 5.2.2 The recipient's inbox is out of storage space.", LATER),
    ("452 4.2.2 The recipient's inbox is out of storage space.", LATER),
    ("450 4.2.1 The user is receiving mail at a rate that prevents delivery.", LATER),
    ("451 4.3.0 Mail server temporarily rejected message.", LATER),
    ("452 4.5.3 too many recipients", LATER),
    ("451 4.4.2 Timeout - closing connection.", LATER),
    ("450 greylisted, try again in 300 seconds", LATER),
    ("451 4.7.1 Greylisting in action, please come back later", SLOW),
    # Gmail: too fast or not trusted enough yet (support.google.com/a/answer/3726730)
    *(
        (f"421 4.7.{n} Our system has detected an unusual rate of unsolicited mail.", SLOW)
        for n in (0, 23, 26, 27, 28, 29, 30, 31, 32, 40)
    ),
    # Gmail: our authentication or reputation
    *(
        (f"550 5.7.{n} This mail has been blocked because the sender is unauthenticated.", SENDER)
        for n in (1, 25, 26, 27, 28, 29, 30, 32, 40)
    ),
    ("550 5.4.5 Daily user sending limit exceeded.", SENDER),
    ("550 5.7.0 Mail relay denied", SENDER),
    # Microsoft
    ("550 5.7.515 Access denied, sending domain does not meet the required level.", SENDER),
    ("550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent (S3150).", SENDER),
    ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", SENDER),
    ("550 5.7.511 Access denied, banned sender", SENDER),
    ("451 4.7.500 Server busy. Please try again later (S77719).", SLOW),
    ("451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited.", SLOW),
    ("550 5.1.8 Access denied, bad outbound sender", SENDER),
    ("550 5.1.7 bad sender address syntax", SENDER),
    # Yahoo
    ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to complaints.", SLOW),
    ("421 4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred.", SLOW),
    ("553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1.", SENDER),
    ("554 5.7.9 Message not accepted for policy reasons. See postmaster.yahooinc.com", SENDER),
    ("553 [BL21] connections not accepted because the IP is in Spamhaus' list", SENDER, CONTENT),
    ("421 Too many messages in this session", SLOW),
    # without a telling code, policy is told by its words before any content was seen
    ("550 blocked using a blacklist", SENDER, CONTENT),
    ("554 Transaction failed", SENDER, CONTENT),
    ("550 relaying denied", SENDER, CONTENT),
    # the content
    ("552 5.3.4 Your message exceeded the size limits.", CONTENT),
    ("554 5.6.0 message content refused", CONTENT),
    ("552 5.2.3 message too long", CONTENT),
    ("550 5.6.11 bare line feed", CONTENT),
    # what this server does not carry (RFC 6531): nobody's fault
    ("553 5.6.7 non-ASCII addresses not permitted", SERVER),
    ("554 5.6.9 UTF-8 header message cannot be transferred", SERVER),
    # numbers that are no status code
    ("554 message from 15.1.1.7 refused", SENDER, CONTENT),
]


def meaning(reply, stage):
    code, _, words = reply.partition(" ")
    outcome = refusal(int(code), words, stage)
    if isinstance(outcome, Deferred):
        return SLOW if outcome.domain else LATER
    assert isinstance(outcome, Rejected)
    return outcome.blame


@pytest.mark.parametrize("row", REPLIES, ids=[row[0][:30] for row in REPLIES])
def test_a_reply_means_what_the_table_says(row):
    reply, at_recipient, *at_content = row
    assert meaning(reply, Stage.RECIPIENT) == at_recipient
    assert meaning(reply, Stage.CONTENT) == (at_content[0] if at_content else at_recipient)


@pytest.mark.parametrize("row", REPLIES, ids=[row[0][:30] for row in REPLIES])
def test_a_reply_before_the_recipient_is_known_blames_no_candidate_and_no_domain(row):
    assert meaning(row[0], Stage.SENDER) in {LATER, SENDER, SERVER}


@pytest.mark.parametrize("code", range(100))
@pytest.mark.parametrize("stage", list(Stage))
def test_no_policy_code_ever_gives_up_an_address(code, stage):
    assert meaning(f"550 5.7.{code} user unknown", stage) is SENDER


def test_the_code_of_each_line_is_the_same_and_counts_once():
    outcome = refusal(
        550, "5.1.1 The account that you tried\n5.1.1 does not exist", Stage.RECIPIENT
    )
    assert isinstance(outcome, Rejected)
    assert outcome.blame is ADDRESS
    assert "\n" not in outcome.text


@pytest.mark.parametrize(
    "said", ["<ana@example.com>: unknown", "ana@example.com unknown", "unknown: ana.b+c@x-y.test,"]
)
def test_what_is_shown_holds_no_address(said):
    assert "@" not in shown(550, said)
    assert "<address>" in shown(550, said)
