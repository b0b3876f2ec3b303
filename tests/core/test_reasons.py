"""What people are told: every reason in words, and never what is nobody's business."""

import re
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from nurture.core.model import Reason, Verdict
from nurture.core.reasons import sentence

LISBON = ZoneInfo("Europe/Lisbon")
AT = datetime(2026, 12, 3, 9, 0, tzinfo=UTC)
TITLES = {"company-culture": "Company culture", "prep": "Interview preparation"}
CULTURE = {
    "label": "culture/our-week",
    "campaign": "company-culture",
    "at": "2026-11-30T09:00:00+00:00",
}
PREP = {"label": "interview-prep/kit", "campaign": "prep", "at": "2026-12-03T10:00:00+00:00"}
CALL = {"label": "call", "at": "2026-11-30T14:30:00+00:00"}
DOCUMENT = Path(__file__).parents[2] / "docs/reasons.md"


def told(reason: Reason, verdict: Verdict = Verdict.SKIP, **detail: Any) -> str:
    at = AT if verdict is not Verdict.SKIP else None
    return sentence(verdict, reason, detail, at=at, zone=LISBON, titles=TITLES)


def why(reason: Reason, **detail: Any) -> str:
    return told(reason, **detail).removeprefix("Not sent: ")


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_a_sentence_even_without_particulars(reason: Reason) -> None:
    for verdict, at in product(Verdict, (AT, None)):
        said = sentence(verdict, reason, {}, at=at, zone=LISBON)
        assert re.fullmatch(r"[A-Z](?!.*None)(?!.*[{}])(?!.*\(\)).*[^.:( ]", said), said


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        (
            {"at_most": 1, "hours": 164, "kind": "nurture", "by": [CULTURE]},
            (
                "at most 1 nurture mail a week, and the last was "
                "Company culture (culture/our-week) on Mon 30 Nov 09:00"
            ),
        ),
        (
            {"at_most": 1, "hours": 120, "kind": "nurture", "by": [CULTURE]},
            (
                "at most 1 nurture mail in 5 days, and the last was "
                "Company culture (culture/our-week) on Mon 30 Nov 09:00"
            ),
        ),
        (
            {"at_most": 2, "hours": 20, "by": [CULTURE, CALL]},
            (
                "at most 2 mails or calls a day, and there were Company culture "
                "(culture/our-week) on Mon 30 Nov 09:00 and a colleague's call on Mon 30 Nov 14:30"
            ),
        ),
        ({"at_most": 1, "hours": 24}, "at most 1 mail or call a day"),
        ({"at_most": 3, "hours": 12.5}, "at most 3 mails or calls in 12 hours 30 minutes"),
        ({"at_most": 2, "hours": 720, "kind": "nurture"}, "at most 2 nurture mails in 30 days"),
        # As it was recorded before the numbers were.
        (
            {"rule": "at most 1 contact in 20 hours", "by": [{**CULTURE, "campaign": None}]},
            "at most 1 contact in 20 hours, and the last was culture/our-week on Mon 30 Nov 09:00",
        ),
    ],
)
def test_a_cap_is_told_as_people_say_it_with_who_took_the_place(
    detail: dict[str, Any], said: str
) -> None:
    assert why(Reason.CAP, **detail) == said


def test_a_gap_and_a_kept_place_are_told_with_whom_they_are_for() -> None:
    gap = {"hours": 20, "kind": "nurture"}
    assert why(Reason.GAP, **gap, by=[CALL]) == (
        "nurture mail keeps 20 hours from any other mail or call, "
        "and the last was a colleague's call on Mon 30 Nov 14:30"
    )
    assert why(Reason.SLOT_RESERVED, **gap, by=[PREP]) == (
        "its place is kept for Interview preparation (interview-prep/kit) on Thu 3 Dec 10:00, "
        "which is more necessary: nurture mail keeps 20 hours from any other mail or call"
    )
    assert why(Reason.SLOT_RESERVED, at_most=2, hours=20, by=[CALL, PREP]) == (
        "its place is kept for Interview preparation (interview-prep/kit) on Thu 3 Dec 10:00, "
        "which is more necessary: at most 2 mails or calls a day, "
        "beside a colleague's call on Mon 30 Nov 14:30"
    )


@pytest.mark.parametrize(
    ("reason", "detail", "said"),
    [
        (
            Reason.OWN_HOURS,
            {"wish": "only Tue 18:00-20:00", "wanted": CULTURE["at"]},
            "outside the hours that the candidate asked for (only Tue 18:00-20:00)",
        ),
        (
            Reason.CONTACT_HOURS,
            {"closed": "Sunday", "broke": "only Tue 18:00-20:00"},
            (
                "outside the hours for this kind of message (Sunday); "
                "it cannot wait for the hours they asked for (only Tue 18:00-20:00)"
            ),
        ),
        (Reason.PACE, {"pace": "weekly"}, "the candidate wants such mail once a week"),
        (
            Reason.PACE,
            {"pace": "twice_a_week", "by": [CULTURE, PREP]},
            (
                "the candidate wants at most two such mails a week, and there were "
                "Company culture (culture/our-week) on Mon 30 Nov 09:00 and "
                "Interview preparation (interview-prep/kit) on Thu 3 Dec 10:00"
            ),
        ),
        (
            Reason.PACE,
            {"pace": "only_what_matters"},
            "the candidate wants only what matters, and this could wait",
        ),
        (
            Reason.FOLLOW_UPS,
            {"asked": 2, "ceiling": 2},
            "they were asked 2 times and have not answered",
        ),
        (Reason.FOLLOW_UPS, {"asked": 1}, "they were asked once and have not answered"),
        (
            Reason.BUNDLED,
            {"with": {"campaign": "prep", "step": "kit", "template": "interview-prep/kit"}},
            "as a part of Interview preparation (interview-prep/kit), in one mail",
        ),
        (
            Reason.PHONE_FIRST,
            {"fallback_at": "2026-12-04T10:00:00+00:00", "tries": 1, "outcome": "voicemail"},
            (
                "the candidate would rather be called (a message was left); "
                "the mail goes on Fri 4 Dec 10:00 (Lisbon) if nobody gets through"
            ),
        ),
        (
            Reason.PHONE_FIRST,
            {"tries": 2, "outcome": "no_answer"},
            "the candidate would rather be called (2 tries, nobody answered)",
        ),
        (Reason.PHONE_FIRST, {"tries": 0, "outcome": None}, "the candidate would rather be called"),
        (
            Reason.ALREADY_SENT,
            {"campaign": "company-culture", "at": CULTURE["at"]},
            "they had the same text from Company culture on Mon 30 Nov 09:00",
        ),
        (Reason.STALE, {"fresh_until": "2027-03-31"}, "its text was only good until 31 Mar 2027"),
        (
            Reason.TO_BE_TOLD,
            {"decided_at": CULTURE["at"]},
            "it was decided on Mon 30 Nov 09:00 and the candidate does not know yet: tell them",
        ),
    ],
)
def test_each_restraint_is_told_with_its_particulars(
    reason: Reason, detail: dict[str, Any], said: str
) -> None:
    assert why(reason, **detail) == said


def test_what_holds_mail_back_after_bad_news_says_nothing_of_the_news() -> None:
    detail = {"until": "2026-12-17T10:00:00+00:00", "application": "a-9", "what": "rejected"}
    for reason in (Reason.TONE, Reason.SENSITIVE):
        said = told(reason, Verdict.WAIT, **detail)
        assert said.startswith("Waits until Thu 3 Dec 09:00 (Lisbon): ")
        assert not re.search("a-9|reject|news|bad", said)


def test_what_went_inside_another_mail_was_sent() -> None:
    leader = {"campaign": "prep", "step": "kit", "template": "interview-prep/kit"}
    said = told(Reason.BUNDLED, Verdict.SENT, **{"with": leader})
    assert said == (
        "Sent Thu 3 Dec 09:00 (Lisbon): "
        "as a part of Interview preparation (interview-prep/kit), in one mail"
    )
    assert told(Reason.UNKNOWN_OUTCOME, Verdict.SENT).startswith("In doubt Thu 3 Dec")


def test_times_are_those_of_the_named_zone() -> None:
    zone = ZoneInfo("Asia/Tokyo")
    detail = {"at_most": 1, "hours": 24, "by": [CULTURE]}
    said = sentence(Verdict.WAIT, Reason.CAP, detail, at=AT, zone=zone)
    assert said.startswith("Waits until Thu 3 Dec 18:00 (Tokyo): ")
    assert said.endswith("on Mon 30 Nov 18:00")


def test_the_document_lists_details_of_reasons_that_exist() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text.partition("## What the detail says")[2].partition("\n## ")[0]
    named = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", table, re.MULTILINE)
    words = {word for cell in named for word in re.findall(r"`(\w+)`", cell)}
    assert words - {"wait"} <= set(Reason)
    assert {Reason.PACE, Reason.BUNDLED, Reason.PHONE_FIRST, Reason.CAP} <= words
