"""Promises of conditions: closed, checked when read, and never an error when a fact is missing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.authoring.expressions import Scope, compile_condition
from nurture.core.model import Truth
from nurture.rendering.context import VOCABULARY, supplied
from nurture.rendering.functions import FUNCTIONS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SCOPE = Scope(VOCABULARY, FUNCTIONS, supplied("interview", None), "interview.scheduled")


def context(**objects: object) -> dict[str, object]:
    changes: list[datetime] = []

    def hours_since(at: datetime) -> int:
        passed = (NOW - at) // timedelta(hours=1)
        changes.append(at + (passed + 1) * timedelta(hours=1))
        return passed

    functions = {"hours_since": hours_since, "answered": {"a": "no"}.get}
    return {"_changes": changes, **functions, **objects}


VIDEO = {"interview": {"kind": "video", "starts_at": NOW - timedelta(minutes=90)}}


def truth(source: str, **objects: object) -> Truth:
    condition, wrong = compile_condition(source, SCOPE)
    assert condition is not None, wrong
    return condition(context(**objects))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('interview.kind == "video"', True),
        ('interview.kind in ("video", "panel")', True),
        ('interview.kind not in ("panel", "onsite")', True),
        ('interview.kind != "video" or not interview.kind == "panel"', True),
        ("interview.kind", True),
        ("interview.kind is defined and interview.url is not defined", True),
        ("interview.starts_at > application.applied_at", False),
        ("hours_since(interview.starts_at) == 1", True),
        ("0 < hours_since(interview.starts_at) < 2", True),
        ("hours_since(interview.starts_at) - 3 == -2", True),
        ('answered("a") == "no"', True),
        ("candidate.first_name | length > 2", False),
        ("true", True),
    ],
)
def test_a_condition_has_the_value_that_it_reads_as(source, value):
    assert truth(source, **VIDEO).value is value


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("objects", [{}, {"application": {}}, {"application": {"stage": None}}])
def test_a_missing_fact_compares_false_with_everything(operator, objects):
    assert truth(f"application.applied_at {operator} interview.starts_at", **objects).value is False
    assert truth(f'job.title {operator} "x"', **objects).value is False


@pytest.mark.parametrize(
    "source",
    [
        'application.stage in ("applied", "final")',
        'application.stage not in ("applied", "final")',
        "hours_since(application.applied_at) > 1",
        "hours_since(application.applied_at) < 1",
        'answered("unasked") != "no"',
        '"x" in interview.interviewers',
    ],
)
def test_a_missing_fact_is_false_in_memberships_and_functions_too(source):
    assert truth(source) == Truth(value=False)
    assert truth(f"not ({source})").value is True


def test_values_that_cannot_be_compared_are_unequal_and_no_error():
    assert truth("interview.interviewers < 3", interview={"interviewers": []}).value is False
    assert truth("answered(interview.interviewers)", interview={"interviewers": []}).value is False


def test_it_says_when_time_alone_can_change_it():
    at = "hours_since(interview.starts_at) > 3"
    assert truth(at, **VIDEO).changes_at == NOW + timedelta(hours=2, minutes=30)
    soon = "hours_since(interview.starts_at) - 1 > 2"
    assert truth(soon, **VIDEO).changes_at == NOW + timedelta(minutes=30)
    assert truth('interview.kind == "video"', **VIDEO).changes_at is None
    assert truth(f"interview.kind == 'panel' and {at}", **VIDEO).changes_at is None


def test_asking_twice_in_one_context_gives_the_same_answer():
    condition, _ = compile_condition("hours_since(interview.starts_at) > 3", SCOPE)
    assert condition is not None
    words = context(**VIDEO)
    assert condition(words) == condition(words)
    assert words["_changes"] == []


@pytest.mark.parametrize(
    ("source", "offset", "code", "said"),
    [
        ('interveiw.kind == "video"', 0, "unknown-name", 'did you mean "interview"?'),
        ('true and interview.knid == "video"', 9, "unknown-name", 'did you mean "kind"?'),
        ('interview.kind == "vidoe"', 19, "unknown-value", 'did you mean "video"?'),
        ('interview.kind in ("video", "sofa")', 29, "unknown-value", "technical"),
        ('"hot" == application.stage', 1, "unknown-value", "screening"),
        ('interview.kind = "video"', 15, "expression", "write =="),
        ("true && false", 5, "expression", "and, or, not"),
        ("not !true", 4, "expression", "and, or, not"),
        ("sent", 0, "expression", "sent()"),
        ("sent()", 0, "expression", "1 argument"),
        ("replied(3)", 0, "expression", "no argument"),
        ("hours_since(job.title) > 1", 0, "expression", "takes a time"),
        ("hour_since(interview.starts_at) > 1", 0, "unknown-name", "hours_since"),
        ("interview", 0, "expression", "fields"),
        ('interview.starts_at == "2026-01-01"', 24, "expression", "days_since"),
        ("interview.kind == none", 18, "expression", "is defined"),
        ("candidate.email | upper", 18, "expression", "length"),
        ("candidate.email is even", 19, "expression", "is defined"),
        ('candidate["email"]', 0, "expression", "[...]"),
        ("2 ** 99999999 > 1", 0, "expression", "`**`"),
        ("'a' * 1000000000", 0, "expression", "`*`"),
        ("candidate.__class__", 0, "unknown-name", "no field"),
        ("candidate.email.__class__", 16, "unknown-name", "__class__"),
        ("candidate.email.upper()", 0, "unknown-name", "only functions"),
        ("", 0, "expression", "expected"),
        ("(" * 900, 0, "expression", ""),
        ("not " * 400 + "true", 0, "expression", "nested too deeply"),
        ("true and " * 200 + "true", 0, "expression", "nested too deeply"),
        ("a" * 3000, 0, "expression", "longer"),
    ],
)
def test_what_is_wrong_is_found_when_it_is_read(source, offset, code, said):
    condition, wrong = compile_condition(source, SCOPE)
    assert condition is None
    assert (wrong[0].offset, wrong[0].code) == (offset, code)
    assert said in f"{wrong[0].message} {wrong[0].hint}"


def test_what_the_trigger_does_not_supply_is_refused():
    scope = Scope(VOCABULARY, FUNCTIONS, supplied("candidate", None), "candidate.upserted")
    _, [wrong] = compile_condition('interview.kind == "video"', scope)
    assert (wrong.code, wrong.message) == ("not-supplied", "candidate.upserted has no interview")


def test_all_complaints_are_given_at_once():
    _, wrong = compile_condition('a.b and interview.c == 1 and job.status == "x"', SCOPE)
    assert [w.code for w in wrong] == ["unknown-name", "unknown-name", "unknown-value"]


WORDS = ["interview.kind", "application.stage", "candidate", ".", "(", ")", '"video"', "==", "in"]
WORDS += ["not", "and", "or", "hours_since(interview.starts_at)", "<", "3", "-", "is", "defined"]
WORDS += [",", "|", "length", "[", "]", "{", "}", "if", "else", "**", "~", "'", "sent", "none"]
LINES = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(LINES | st.text(max_size=60))
def test_any_text_is_a_condition_that_never_raises_or_is_complained_about(source):
    condition, wrong = compile_condition(source, SCOPE)
    if condition is None:
        assert wrong
        assert all(0 <= one.offset <= len(source) for one in wrong)
    else:
        assert isinstance(condition(context()).value, bool)
        assert isinstance(condition(context(**VIDEO)).value, bool)
