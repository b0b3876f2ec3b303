"""What people write who come from spreadsheets, SQL, JavaScript or plain English: is each told?

A § stands before the character at which a problem is expected; the rest says what is wanted there.
"""

import pytest

from nurture.authoring.check import check_all

CAMPAIGN = """\
name: Trial
enter:
  on: interview.scheduled
  if: {}
steps:
  - task: {{text: Call them}}
"""


@pytest.fixture
def planted(project):
    """What `check` says of one file written with marks, and where the marks were."""

    def planted(text: str, name: str = "campaigns/trial.yaml"):
        marks, plain = [], ""
        for piece in text.split("§"):
            plain += piece
            marks.append((plain.count("\n") + 1, len(plain) - plain.rfind("\n")))
        project.write(name, plain)
        return check_all(project.root / "config.yaml", {}), marks[:-1]

    return planted


@pytest.mark.parametrize(
    ("condition", "code", "said"),
    [
        ('interview.kind §is "video"', "expression", "write =="),
        ('interview.kind §is not "video"', "expression", "write !="),
        ("interview.kind is §video", "expression", '== "video"'),
        ('interview.kind §<> "video"', "expression", "write !="),
        ("days_since(application.applied_at) §=> 3", "expression", "write >="),
        ("days_since(application.applied_at) > 3 §days", "expression", "unit"),
        ('days_since(application.applied_at) > "§3 days"', "unknown-value", "write 3"),
        ('replied() §AND interview.kind == "video"', "expression", "write and"),
        ("§NOT replied()", "expression", "write not"),
        ('§if interview.kind == "video"', "expression", "begin with what it asks"),
        ('job.title §contains "Engineer"', "expression", "in job.title"),
        ('interview.kind == "video" or "§panel"', "expression", 'in ("video", "panel")'),
        ('interview.kind != "video" and "§panel"', "expression", 'not in ("video", "panel")'),
        ('interview.kind == "video" or §panel', "expression", 'in ("video", "panel")'),
        ('interview.kind in "§video"', "expression", '== "video"'),
        ('interview.kind in ("§video")', "expression", '== "video"'),
        ("interview.url == §null", "expression", "is defined"),
        ("interview.url != §None", "expression", "is defined"),
        ("interview.starts_at < §now", "unknown-name", "hours_since"),
        ("interview.starts_at > §now()", "unknown-name", "hours_since"),
        ("interview.starts_at > §3", "expression", "days_since(interview.starts_at)"),
        ("application.stage == §3", "unknown-value", "screening"),
        ("candidate.country == §3", "unknown-value", '"3"'),
        ('interview.duration_minutes > "§60"', "unknown-value", "write 60"),
        ('replied() == "§yes"', "unknown-value", "write replied()"),
        ('candidate.skills == "§python"', "unknown-value", '"python" in candidate.skills'),
        ("not §sent(interview-prep/thank-you)", "unquoted-word", '"interview-prep/thank-you"'),
        ('§days_since("application.applied_at") > 3', "expression", "without quotes"),
        ("\"§{{ interview.kind == 'video' }}\"", "expression", "remove the braces"),
        ('§(interview.kind == "video" or replied()', "expression", "not closed"),
        ('interview.kind == §"video', "expression", "not closed"),
        ("application.source §== #indeed", "expression", "comment"),
        ('replied() and (interview.kind == "video")§)', "expression", "nothing that this"),
        (
            'interview.kind == "video" and application.stage == "§video"',
            "unknown-value",
            "application.stage",
        ),
        (
            'candidate.frist_name == "a" and §candidate.frist_name == "b"',
            "unknown-name",
            "first_name",
        ),
    ],
)
def test_a_condition_in_another_languages_way_is_told_with_what_to_write(
    planted, condition, code, said
):
    problems, [mark] = planted(CAMPAIGN.format(condition))
    told = {(p.line, p.column): p for p in problems}
    assert mark in told
    assert told[mark].code == code
    assert said in f"{told[mark].message} ({told[mark].hint})"
