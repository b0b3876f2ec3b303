"""Which mails cannot share what was inlined is said, with the line and the reason."""

import pytest

from nurture.authoring.check import check

FRONT = "---\nsubject: How to prepare\ncategory: prep\n---\nHello,\n\n"


def told(project):
    problems = [each for each in check(project.config) if each.code == "slow-mail"]
    assert all(each.severity == "warning" for each in problems)
    return [(each.file.rpartition("templates/")[2], each.line) for each in problems]


@pytest.mark.parametrize(
    "body",
    [
        "{% filter upper %}{{ candidate.first_name }}{% endfilter %}",
        "{% set x | title %}{{ candidate.first_name }}{% endset %}{{ x }}",
        "{% set x %}{{ candidate.first_name }}{% endset %}{{ x | lower }}",
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(candidate.first_name) | trim }}",
    ],
)
@pytest.mark.parametrize("suffix", ["md", "html"])
def test_a_filter_over_text_with_values_is_told_with_its_line(project, body, suffix):
    project.write(f"templates/prep/kit.{suffix}", FRONT + body + "\n")
    assert told(project) == [(f"prep/kit.{suffix}", 7)]


@pytest.mark.parametrize(
    "body",
    [
        "{{ candidate.first_name | upper }}",
        "{% filter upper %}hello{% endfilter %}",
        "{% set x %}{{ job.title }}{% endset %}{{ x }}{% if x | length > 3 %}!{% endif %}",
        "{% macro m(x) %}{{ x | upper }}{% endmacro %}{{ m(candidate.first_name) }}",
        '<p class="{{ interview.kind }}" title="{{ job.title }}">x</p>',
    ],
)
def test_what_is_filled_in_is_not_told(project, body):
    project.write("templates/prep/kit.html", FRONT + body + "\n")
    assert told(project) == []


def test_a_value_that_the_inliner_overwrites_is_told(project):
    style = "<style>.x { height: 3px }</style>\n"
    row = '<table><tr><td class="x" height="{{ interview.duration_minutes }}">x</td></tr></table>\n'
    project.write("templates/prep/kit.html", FRONT + style + row)
    assert told(project) == [("prep/kit.html", 5)]


def test_a_filter_in_a_layout_is_told(project):
    page = "<html>\n<title>{{ fixed.subject | upper }}</title><body>{{ body }}</body></html>\n"
    project.write("templates/layouts/letter.html", page)
    project.template("prep/kit")
    assert told(project) == [("layouts/letter.html", 2)]
