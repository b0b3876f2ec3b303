"""What a letter says in several places is asked for once, and read in each of them."""

import pytest

from nurture.rendering.errors import RenderError
from nurture.rendering.slots import REPEATED_MAX

NAME = "{{ candidate.first_name }}"


def text_of(project, body, **known):
    return project.render(body, candidate=known).text


def test_a_value_stands_in_each_of_its_places(project):
    body = f"{NAME}, {NAME} and {{% if job.title %}}{NAME} of {{{{ job.title }}}}{{% endif %}}."
    assert "Ana, Ana and Ana of Data Engineer." in text_of(project, body)


def test_a_fact_that_no_branch_says_is_not_asked_for(project):
    body = "{% if interview.phone %}{{ interview.phone }}{% else %}by video{% endif %}"
    assert "by video" in text_of(project, body)


def test_a_fact_that_is_missing_is_named_with_the_line_that_says_it_first(project):
    body = f"{NAME}\n{{% if job.title %}}\n{{{{ interview.phone }}}}\n{{% endif %}}\n"
    with pytest.raises(RenderError) as refused:
        text_of(project, body)
    assert refused.value.variable == "interview.phone"
    assert refused.value.line == 4 + 3  # front matter of four lines


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (
            "{% for job in interview.interviewers %}{{ job.name }}, {% endfor %}{{ job.title }}.",
            "Rui Costa, Mei, Data Engineer.",
        ),
        (
            "{% set x = interview %}{{ x.kind }}{% set x = candidate %}, {{ x.first_name }}.",
            "video, Ana.",
        ),
        (
            "{% macro m(job) %}{{ job.kind }}{% endmacro %}{{ m(interview) }} {{ job.title }}.",
            "video Data Engineer.",
        ),
        (
            "{% set a %}{{ candidate.first_name }}{% endset %}{{ a | upper }} {{ a }}.",
            "ANA Ana.",
        ),
    ],
)
def test_a_name_that_the_template_gives_a_meaning_is_asked_each_time(project, body, read):
    assert read in text_of(project, body)


def test_the_same_words_said_otherwise_are_another_value(project):
    body = "{{ interview.starts_at | day }} / {{ interview.starts_at | clock }} / " * 2
    told = "Thursday, 3 December 2026 / 10:00 (Lisbon time) / "
    assert told + told.strip() in " ".join(text_of(project, body).split())


def test_more_values_than_have_a_number_of_their_own_are_said_too(project):
    body = " ".join(f'{{{{ candidate.first_name | default("{n}") }}}}' for n in range(150))
    assert REPEATED_MAX < 150
    assert " ".join(["Ana"] * 150) in " ".join(text_of(project, body).split())


@pytest.mark.parametrize("rounds", [11, 900])
def test_a_value_costs_as_much_as_it_is_long_in_each_of_its_places(project, rounds):
    body = f"{{% for each in range({rounds}) %}}{NAME}{{% endfor %}}"
    with pytest.raises(RenderError, match="characters of values are printed"):
        text_of(project, body, first_name="x" * 49_999)


def test_a_value_that_stands_in_too_many_places_is_refused(project):
    body = f"{{% for each in range(900) %}}{NAME * 6}{{% endfor %}}"
    with pytest.raises(RenderError, match="values are printed"):
        text_of(project, body)


def test_blocks_and_macros_say_the_same_values(project):
    body = (
        "{% block a %}{{ candidate.first_name }}{% endblock %}, "
        "{% macro m() %}{{ candidate.first_name }} of {{ job.title }}{% endmacro %}{{ m() }}, "
        "{{ m() }}, "
        "{% for each in interview.interviewers %}{{ each.name }} and {{ candidate.first_name }}, "
        "{% endfor %}{{ job.title }}."
    )
    said = "Ana, Ana of Data Engineer, Ana of Data Engineer, Rui Costa and Ana, Mei and Ana, "
    assert said + "Data Engineer." in " ".join(text_of(project, body).split())
