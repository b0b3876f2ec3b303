"""However a source names the reason of a rejection, none but its own place repeats it."""

import json
from pathlib import Path
from typing import Any

import pytest

from nurture.core.warned_words import warned_word
from nurture.errors import Problems
from nurture.intake.csv_file import import_csv
from nurture.intake.events import IncomingEvent, parse_event
from nurture.store import rejections
from nurture.store.database import Database
from tests.conftest import MONDAY

ANA = {"id": "c1", "email": "ana@example.com"}


def told(type_: str = "application.rejected", **about: Any) -> IncomingEvent:
    beside = {"reason": about.pop("beside")} if "beside" in about else {}
    return parse_event(
        {"type": type_, "candidate": ANA, "application": {"id": "a1", **about}, **beside}
    )


@pytest.mark.parametrize(
    ("about", "names"),
    [
        ({"reason": "  Skills \n mismatch "}, "Skills mismatch"),
        ({"reason": 4711}, "4711"),
        ({"reason": {"id": 3, "name": "Skills mismatch"}}, "3\nSkills mismatch"),
        (
            {"archiveReason": {"id": "40cb", "text": "Position closed", "reasonType": "Other"}},
            "40cb\nPosition closed",
        ),
        ({"disqualification_reason": "Location"}, "Location"),
        ({"rejection_reason": [{"id": 1, "text": "A"}, "B"]}, "1\nA\nB"),
        ({"disqualification_reason": None}, None),
        ({"beside": "Location"}, "Location"),
        ({}, None),
    ],
)
def test_a_reason_is_the_names_by_which_its_source_knows_it(
    about: dict[str, Any], names: str | None
) -> None:
    event = told(**about)
    assert event.application is not None
    assert event.application.reason == names
    kept = json.dumps(event.payload()) + repr(event)
    assert not any(name in kept for name in (names or "").split("\n") if len(name) > 1)


def test_however_long_a_reason_is_it_fits_a_key_of_an_index() -> None:
    event = told(reason=[f"{number} " + "ä" * 500 for number in range(9)])
    assert event.application is not None
    assert len(event.application.reason or "") <= 400


@pytest.mark.parametrize("nonsense", [True, 1.5, {}, {"x": "canary"}, [], [["canary"]]])
def test_what_is_no_reason_is_refused_and_not_repeated(nonsense: Any) -> None:
    with pytest.raises(Problems) as refused:
        told(reason=nonsense)
    (problem,) = refused.value.problems
    assert problem.code == "invalid-value"
    assert "canary" not in str(problem)


def test_a_line_about_what_somebody_liked_is_fair_and_ends_as_a_sentence() -> None:
    event = told(advocate_line="you asked what happens when the queue is full")
    assert event.application is not None
    assert event.application.advocate_line == "you asked what happens when the queue is full."
    for unfair in (
        "A lovely accent",
        "Great!",
        "So mature for your age",
        "Du bist überqualifiziert",
    ):
        with pytest.raises(Problems):
            told(advocate_line=unfair)


@pytest.mark.parametrize(
    ("text", "languages", "found"),
    [
        ("We manage teams of average size.", ("en",), None),
        ("Too young, or a bad culture fit", ("en",), "Too young"),
        ("Somebody overqualified", ("en",), "overqualified"),
        ("Over-qualified", ("en",), "Over-qualified"),
        ("Das Alter spielte eine Rolle", ("de",), "Alter"),
        ("We alter the plan", ("en",), None),
        ("La famille et la santé", ("fr",), "famille"),
        ("Cultural fit", ("pt",), "Cultural fit"),  # no list of its own: the English one
    ],
)
def test_words_that_have_no_place_in_a_reason_are_found_whole(
    text: str, languages: tuple[str, ...], found: str | None
) -> None:
    assert warned_word(text, languages) == found


def test_a_column_of_a_file_says_it_too(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "email,job,status,Rejection Reason\nana@example.com,Analyst,rejected,Skills mismatch\n"
    )
    import_csv(database, file, MONDAY)
    with database.read() as connection:
        assert rejections.told(connection) == {"Skills mismatch": 1}
