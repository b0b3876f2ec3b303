"""What is wrong with the approved reasons is told where it stands, and none of it is said."""

from pathlib import Path

import pytest

from nurture.rendering.broad_reasons import TYPES, load_reasons
from tests.conftest import REPOSITORY

GOOD = """\
reasons:
  skills_depth:
    candidate: {en: We needed more depth.}
    coaching: {en: Show one skill.}
    stages: [interviewing]
map:
  "skills*": skills_depth
"""


def found(folder: Path, text: str, *languages: str) -> list[tuple[str, int, str, str]]:
    (folder / "reasons.yaml").write_text(text)
    problems = load_reasons(folder, languages)[1]
    return [(each.code, each.line, each.severity, each.message) for each in problems]


def test_a_project_without_the_file_says_no_reasons(tmp_path: Path) -> None:
    reasons, problems = load_reasons(tmp_path, ["en"])
    assert reasons is not None
    assert (reasons.type_of("skills"), problems) == (None, [])


def test_the_shipped_list_has_every_reason_in_three_languages() -> None:
    reasons, problems = load_reasons(REPOSITORY, ["en", "de", "fr"])
    assert problems == []
    assert reasons is not None
    assert set(reasons.phrases) == set(TYPES)
    assert "no_interview" in reasons.phrases["stronger_match"].forbidden_when
    assert reasons.type_of("3\nSkills Mismatch") == "skills_depth"
    assert reasons.type_of("Role Closed") == "role_closed"  # by its own name
    assert reasons.type_of("programming language") is None  # no guess


@pytest.mark.parametrize(
    ("now", "then", "code", "line", "said"),
    [
        ("skills_depth:\n", "skils_depth:\n", "invalid-value", 3, "skils_depth"),
        ("candidate:", "candidat:", "unknown-key", 3, "candidat"),
        ("We needed more depth.", "We needed more depth", "invalid-value", 3, "full stop"),
        ("We needed more depth.", "You are overqualified.", "invalid-value", 3, "overqualified"),
        ("Show one skill.", "Act your age.", "invalid-value", 4, "age"),
        ("Show one skill.", "'Show {{ x }}.'", "invalid-value", 4, "braces"),
        ("[interviewing]", "[interviews]", "invalid-value", 5, "interviewing"),
        ('"skills*": skills_depth', '"skills*": withdrew', "invalid-value", 7, "withdrew"),
        ('"skills*": skills_depth', '"skills*": culture', "invalid-value", 7, "withdrew"),
    ],
)
def test_what_cannot_be_approved_is_refused_where_it_stands(
    tmp_path: Path, now: str, then: str, code: str, line: int, said: str
) -> None:
    assert found(tmp_path, GOOD, "en") == []
    problems = found(tmp_path, GOOD.replace(now, then), "en")
    assert any(
        (each[0], each[1], each[2]) == (code, line, "error") and said in each[3]
        for each in problems
    )
    assert load_reasons(tmp_path, ["en"])[0] is None


def test_a_language_without_sentences_is_told_and_leaves_the_others(tmp_path: Path) -> None:
    problems = found(tmp_path, GOOD, "en", "pt")
    assert [each[:3] for each in problems] == [
        ("missing-key", 3, "warning"),
        ("missing-key", 4, "warning"),
    ]
    assert load_reasons(tmp_path, ["pt"])[0] is not None
