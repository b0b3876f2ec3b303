"""A canonical event is checked before anything believes it, and says what to write instead."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurture.errors import Problem, Problems
from nurture.intake.events import TYPES, IncomingEvent, parse_event, read_events
from nurture.intake.stages import STAGES, normalise

ANA = {"id": "c-17"}
STEP = {"enrollment": 12, "id": "day-of", "occurrence": "1"}
DOCS = Path(__file__).parents[2] / "docs" / "events.md"


def refused(**told: Any) -> list[str]:
    with pytest.raises(Problems) as raised:
        parse_event(told)
    return [str(problem) for problem in raised.value.problems]


def test_instants_are_brought_to_utc() -> None:
    told = {"id": "i-3", "starts_at": "2026-12-01T10:00:00+05:30"}
    event = parse_event({"type": "interview.scheduled", "candidate": ANA, "interview": told})
    assert event.interview is not None
    assert event.interview.starts_at == datetime(2026, 12, 1, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            {"type": "interview.sheduled", "candidate": ANA},
            'did you mean "interview.scheduled"?',
        ),
        ({"type": "hello", "candidate": ANA}, "custom.<name>"),
        ({"type": "custom.", "candidate": ANA}, "is not a type of event"),
        ({"candidate": ANA}, '"type" is missing'),
        ({"type": "candidate.upserted", "candidat": ANA}, 'did you mean "candidate"?'),
        ({"type": "candidate.upserted"}, 'needs "candidate"'),
        ({"type": "candidate.upserted", "candidate": {}}, "give candidate.id or .email"),
        ({"type": "application.created", "candidate": ANA}, 'needs "application"'),
        ({"type": "candidate.paused", "candidate": ANA}, 'needs "until"'),
        ({"type": "candidate.merged", "candidate": ANA}, 'needs "into"'),
        ({"type": "candidate.replied", "candidate": ANA, "topics": []}, "candidate.unsubscribed"),
        ({"type": "step.skipped", "candidate": ANA, "by": "i", "reason": "x"}, 'needs "step"'),
        ({"type": "step.skipped", "candidate": ANA, "step": STEP}, "who answers for it, and why"),
        (
            {"type": "step.hurried", "candidate": ANA, "step": STEP, "by": "ida", "reason": " "},
            "who answers for it, and why",
        ),
        (
            {"type": "step.snoozed", "candidate": ANA, "step": STEP, "by": "i", "reason": "x"},
            'needs "until"',
        ),
        ({"type": "job.closed", "job": {"department": "x"}}, "a job needs an id or a title"),
        (
            {"type": "candidate.upserted", "candidate": {"email": "ana@"}},
            "candidate.email: ",
        ),
        (
            {"type": "candidate.upserted", "candidate": {**ANA, "timezone": "Europe/Lisboa"}},
            'did you mean "Europe/Lisbon"?',
        ),
        (
            {"type": "candidate.upserted", "candidate": {**ANA, "timezone": "../../etc/passwd"}},
            "is not a time zone",
        ),
        ({"type": "candidate.upserted", "candidate": {**ANA, "country": "Spain"}}, "ISO 3166"),
        (
            {
                "type": "candidate.replied",
                "candidate": ANA,
                "occurred_at": "2026-12-01T10:00:00",
            },
            "does not say in which zone",
        ),
        ({"type": "candidate.replied", "candidate": ANA, "occurred_at": 1764583200}, "is text"),
        (
            {
                "type": "candidate.replied",
                "candidate": ANA,
                "occurred_at": "0001-01-01T00:00+14:00",
            },
            "out of range",
        ),
        (
            {
                "type": "interview.scheduled",
                "candidate": ANA,
                "interview": {"id": 1, "kind": 7},
            },
            "kind: ",
        ),
        ({"type": "candidate.upserted", "candidate": {**ANA, "_as_of": {}}}, "keeps for itself"),
        ({"type": "candidate.upserted", "candidate": {**ANA, "note": "a\0b"}}, "NUL"),
        ({"type": "candidate.upserted", "candidate": {**ANA, "note": "\ud800"}}, "not Unicode"),
    ],
)
def test_what_is_wrong_is_said(told: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in refused(**told))


def test_all_that_is_wrong_is_said_at_once() -> None:
    candidate = {"email": "x", "timezone": "Mars/Olympus", "country": "Mars"}
    assert len(refused(type="candidate.upserted", candidate=candidate)) == 3


def test_keys_of_their_own_are_kept() -> None:
    event = parse_event({"type": "custom.visa-granted", "candidate": {**ANA, "skills": ["sql"]}})
    assert event.payload() == {"candidate": {"id": "c-17", "skills": ["sql"]}}


def test_names_hold_no_line_breaks() -> None:
    told = {**ANA, "first_name": "Ana\r\nBcc: all@example.com"}
    event = parse_event({"type": "candidate.upserted", "candidate": told})
    assert event.candidate is not None
    assert event.candidate.first_name == "Ana Bcc: all@example.com"


def test_without_an_id_the_content_is_the_id() -> None:
    one = parse_event({"type": "candidate.replied", "candidate": ANA})
    same = parse_event({"candidate": ANA, "type": "candidate.replied"})
    other = parse_event({"type": "candidate.replied", "candidate": {"id": "c-18"}})
    assert one.id == same.id != other.id


def test_a_line_that_is_wrong_does_not_cost_the_others() -> None:
    good = json.dumps({"type": "candidate.replied", "candidate": ANA})
    lines = [f"\ufeff{good}", "", "{", "[1]", '{"type": "candidate.replied", "n": NaN}', good]
    found = list(read_events(io.StringIO("\n".join(lines)), "facts.jsonl"))
    assert [type(one) for one in found] == [IncomingEvent, Problem, Problem, Problem, IncomingEvent]
    assert [one.line for one in found if isinstance(one, Problem)] == [3, 4, 5]


def test_bytes_that_are_no_text_are_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_bytes(b"\xff\xfe\n")
    with path.open(encoding="utf-8") as stream:
        (found,) = read_events(stream, "facts.jsonl")
    assert isinstance(found, Problem)
    assert found.code == "encoding"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "candidate", "id", "interview", "job", "occurred_at", "x"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
def test_whatever_is_told_is_an_event_or_problems(told: Any) -> None:
    found = list(read_events([json.dumps(told)], "facts.jsonl"))
    assert found
    assert len(found) == 1 or all(isinstance(one, Problem) for one in found)


def test_deep_nesting_is_a_problem() -> None:
    (found,) = read_events(io.StringIO("[" * 100_000), "facts.jsonl")
    assert isinstance(found, Problem)


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("Phone Screen", "screening"),
        ("ON-SITE", "interviewing"),
        ("Interview 2", "interviewing"),
        ("SECOND_INTERVIEW", "interviewing"),
        ("Vorstellungsgespräch", "interviewing"),
        ("Reference check", "final"),
        ("OnHold", "on_hold"),
        ("on_hold", "on_hold"),
        ("Archived", None),
        ("", None),
    ],
)
def test_stage_names_mean_a_stage_or_none(name: str, stage: str | None) -> None:
    assert normalise(name) == stage


def test_every_stage_is_its_own_name() -> None:
    assert [normalise(stage) for stage in STAGES] == list(STAGES)


def test_the_document_describes_every_type_and_its_examples_are_events() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [type_ for type_ in TYPES if f"`{type_}`" not in text] == []
    examples = [line for line in text.splitlines() if line.startswith('{"type"')]
    assert len(examples) >= len(TYPES)
    seen = {parse_event(json.loads(line)).type for line in examples}
    assert seen >= set(TYPES)
