"""Promises of touching: an event reaches what is about the same thing, or is within it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from nurture.core.model import (
    Candidate,
    Enrollment,
    Event,
    Facts,
    Interview,
    Offer,
    Promise,
    Subject,
)
from nurture.core.touching import touches

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
FACTS = Facts(
    candidate=Candidate(id=1, ref="c1"),
    interviews={
        "i-1": Interview(ref="i-1", candidate_id=1, application="a-1"),
        "i-2": Interview(ref="i-2", candidate_id=1, application="a-1"),
        "i-9": Interview(ref="i-9", candidate_id=1, application="a-9"),
        "i-0": Interview(ref="i-0", candidate_id=1),
    },
    offers={"o-1": Offer(ref="o-1", candidate_id=1, application="a-1")},
    promises={"p-1": Promise(ref="p-1", candidate_id=1, application="a-1", made_at=NOW)},
)
SUBJECTS = {
    "candidate:1": Subject(),
    "application:a-1": Subject(application="a-1"),
    "interview:i-1": Subject(application="a-1", interview="i-1"),
    "offer:o-1": Subject(application="a-1", offer="o-1"),
    "promise:p-1": Subject(application="a-1", promise="p-1"),
    "event:7": Subject(application="a-1"),
}
EVERYTHING = set(SUBJECTS)
ALONE = {"candidate:1"}


@pytest.mark.parametrize(
    ("about", "touched"),
    [
        ({}, EVERYTHING),  # a reply, an unsubscribe
        ({"application": "a-1"}, EVERYTHING),
        ({"application": "a-9"}, ALONE),
        ({"interview": "i-1", "application": "a-1"}, EVERYTHING),
        ({"interview": "i-1"}, EVERYTHING),  # whose application is known
        ({"interview": "i-2", "application": "a-1"}, EVERYTHING - {"interview:i-1"}),
        ({"interview": "i-9"}, ALONE),
        ({"interview": "i-0"}, ALONE),  # of no application that is known
        ({"interview": "unheard-of"}, ALONE),
        ({"offer": "o-1", "application": "a-1"}, EVERYTHING),
        ({"offer": "o-2", "application": "a-1"}, EVERYTHING - {"offer:o-1"}),
        ({"data": {"promise": {"id": "p-1"}}}, EVERYTHING),
        ({"data": {"promise": {"id": "p-2"}}, "application": "a-1"}, EVERYTHING - {"promise:p-1"}),
    ],
)
def test_an_event_touches(about: dict[str, Any], touched: set[str]) -> None:
    event = Event(id=1, type="custom.x", candidate_id=1, occurred_at=NOW, received_at=NOW, **about)
    assert touched == {
        each
        for each, subject in SUBJECTS.items()
        if touches(
            event,
            Enrollment(
                id=1, candidate_id=1, campaign="x", subject=subject, about=each, entered_at=NOW
            ),
            FACTS,
        )
    }


def test_what_is_of_no_application_is_touched_by_its_own_and_by_what_is_about_the_person() -> None:
    own = Enrollment(
        id=1,
        candidate_id=1,
        campaign="x",
        subject=Subject(interview="i-0"),
        about="interview:i-0",
        entered_at=NOW,
    )

    def touched(**about: Any) -> bool:
        told = Event(
            id=1, type="custom.x", candidate_id=1, occurred_at=NOW, received_at=NOW, **about
        )
        return touches(told, own, FACTS)

    assert touched(interview="i-0")
    assert touched()
    assert not touched(application="a-1")
    assert not touched(interview="i-1")
