"""What campaigns may say about answers and promises."""

import pytest

from nurture.authoring.check import check
from nurture.authoring.library import Library

ASKING = """\
---
subject: A question
category: {category}
ask:
  - id: coming
    text: Will you be there?
    options: {{yes: "Yes", no: "No"}}
    {more}
---
Hello {{{{ candidate.first_name | default("there") }}}}.

{{{{ ask("coming") }}}}
"""
CAMPAIGN = """\
name: A question
enter:
  on: {on}
  once_per: {once_per}
steps:
  - send: ask
  - send: more
    after: 3 days
    if: {condition}
"""


@pytest.fixture
def problems(project):
    """Everything that is wrong with a campaign, as (line, column, code, words)."""

    def found(condition="'true'", on="application.created", once_per="application", more=""):
        project.template("more")
        asking = ASKING.format(category="prep", more=more).replace("    \n", "")
        project.write("templates/ask.md", asking)
        project.write(
            "campaigns/question.yaml",
            CAMPAIGN.format(condition=condition, on=on, once_per=once_per),
        )
        return [
            (each.line, each.column, each.code, f"{each.message} {each.hint}")
            for each in check(project.config)
            if each.severity == "error"
        ]

    return found


def test_a_condition_may_speak_of_an_answer_that_can_be_given(problems) -> None:
    assert problems('answered("coming") == "no"') == []
    assert problems('answered("coming") in ("yes", "no") or answered("coming") is defined') == []


@pytest.mark.parametrize(
    ("condition", "column", "code", "said"),
    [
        ('answered("comming") == "no"', 19, "unknown-question", "coming"),
        ('answered("coming") == "nope"', 32, "unknown-value", "no"),
        ('answered("coming") in ("no", "yse")', 39, "unknown-value", "yes"),
        ("answered(candidate.phone) == 'no'", 9, "expression", "in quotes"),
    ],
)
def test_an_answer_that_nobody_can_give_is_a_problem(
    problems, condition, column, code, said
) -> None:
    ((line, at, found, words),) = problems(condition)
    assert (line, at, found) == (9, column, code)
    assert said in words


def test_a_template_may_ask_only_of_answers_that_can_be_given(project, problems) -> None:
    assert problems() == []
    project.write(
        "templates/more.md",
        "---\nsubject: Hi\ncategory: prep\n---\n\n"
        'So {% if answered("comming") == "no" %}no{% endif %}\n',
    )
    found = [each for each in check(project.config) if each.code == "unknown-question"]
    assert [(each.line, each.file.endswith("more.md")) for each in found] == [(6, True)]


@pytest.mark.parametrize("more", ["then: {no: withdraw}", "sets: application.source"])
def test_what_acts_on_an_application_is_not_asked_where_there_is_none(problems, more) -> None:
    assert problems(more=more) == []
    ((line, _, code, words),) = problems(on="candidate.upserted", once_per="candidate", more=more)
    assert (line, code) == (6, "not-supplied")
    assert "coming" in words


def test_a_field_that_an_answer_cannot_set_is_a_problem_of_its_template(problems) -> None:
    found = problems(more="sets: candidate.notise_period")
    (own,) = [each for each in found if each[2] == "unknown-name"]
    assert own[:2] == (8, 11)
    assert "candidate.notice_period" in own[3]


def test_campaigns_are_read_again_when_the_questions_change(project, problems) -> None:
    assert problems('answered("coming") == "no"') == []
    library = Library(project.config)
    project.template("ask")
    found = library.reload()
    assert "unknown-question" in [each.code for each in found.problems]
    assert "question" in library.campaigns, "the last good version goes on"
