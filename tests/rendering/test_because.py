"""Promises of "because": it names the facts that were met, in every language and address it has."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from nurture.authoring.content_keys import Kind, Stage
from nurture.core.content import Brought, Content, Match, Situation, matches
from nurture.core.model import Interview, Job
from nurture.rendering.because import _WORDS, because
from nurture.rendering.words import in_address

LISBON = ZoneInfo("Europe/Lisbon")
THURSDAY = Interview(
    ref="i", candidate_id=1, kind="panel", starts_at=datetime(2026, 12, 3, 10, tzinfo=UTC)
)
KNOWN = Situation(
    job=Job(ref="j", title="Senior Data Engineer", fields={"team": "Data"}),
    stage="interviewing",
    country="PT",
    interview=THURSDAY,
)


def told(locale: str = "en", known: Situation = KNOWN, **names: tuple[str, ...]) -> str:
    item = Content(id="x", kind="culture", title="X", text="x", **names)
    fits = matches(item, known)
    assert fits is not None
    return because(Brought(item, fits, known), locale, LISBON)


def test_the_most_telling_fact_comes_first_and_there_are_two_at_most():
    day = "Thursday, 3 December 2026"
    assert told(team=("data",)) == f"you meet the Data team on {day}"
    assert told(team=("Data",), interview=("panel",)) == f"you meet the Data team on {day}"
    assert told(interview=("panel",)) == f"you have a panel interview with us on {day}"
    assert told(role_family=("engineer",), seniority=("senior",), country=("PT",)) == (
        "you applied for Senior Data Engineer, and your country is Portugal"
    )
    assert told(stage=("interviewing",)) == "you are at the interviews"
    assert told() == "you are getting to know us"
    assert told(team=("Data",), known=KNOWN._replace(interview=None)) == (
        "you would work with the Data team"
    )


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("de-AT", "Sie am Donnerstag, 3. Dezember 2026 das Team Data treffen"),
        ("de-informal", "du am Donnerstag, 3. Dezember 2026 das Team Data triffst"),
        ("fr", "vous rencontrez l’équipe Data le jeudi 3 décembre 2026"),
        ("fr-informal", "tu rencontres l’équipe Data le jeudi 3 décembre 2026"),
        ("pt", "you meet the Data team on Thursday, 3 December 2026"),
    ],
)
def test_it_is_in_the_language_of_the_letter_and_its_form_of_address(locale, said):
    assert told(locale, team=("Data",)).startswith(said)


def test_there_are_words_for_everything_in_every_language():
    stages = {"final_stage" if each == "final" else each for each in Stage.__args__}
    wanted = set(_WORDS["en"])
    assert {*stages, *Kind.__args__} <= wanted
    for tag in _WORDS:
        assert set(in_address(_WORDS, tag)) == wanted, tag
        said = told(tag, stage=("interviewing",)) + told(tag, country=("PT",)) + told(tag)
        assert tag == "en" or "you" not in said


def test_a_word_is_looked_for_whole():
    known = KNOWN._replace(job=Job(ref="j", title="Database Administrator"))
    item = Content(id="x", kind="culture", title="X", text="x", role_family=("data",))
    assert matches(item, known) is None
    assert matches(item, KNOWN) == (Match("role_family", "Senior Data Engineer"),)
