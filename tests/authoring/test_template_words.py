"""Promises about the words of templates: unknown ones are found before a candidate meets them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.authoring.check import check
from nurture.authoring.words import complaints_of, restraint_lost, uses_of
from nurture.config import DEFAULT_CATEGORIES
from nurture.rendering.context import VOCABULARY


@pytest.mark.parametrize(
    ("body", "place", "code", "said"),
    [
        ("Dear {{ candidate.frst_name }}", "5:9", "unknown-name", 'did you mean "first_name"?'),
        ("a\n\nb {{ nobody }}", "7:6", "unknown-name", "nobody"),
        ('{{ candidate["frst"] }}', "5:4", "unknown-name", "frst"),
        (
            "{% for p in interview.people %}{{ p.name }}{% endfor %}",
            "5:13",
            "unknown-name",
            "people",
        ),
        ("x\n{{ interview.starts_at | wen }}", "6:26", "unknown-filter", '"when"'),
        ("{% if job.title is defned %}x{% endif %}", "5:20", "unknown-filter", '"defined"'),
        ("{{ detials() }}", "5:4", "unknown-name", 'did you mean "details"?'),
        ("x {{ signature(recruiter) }}", "5:6", "wrong-arguments", "takes no arguments"),
        ("{{ people() }}", "5:4", "wrong-arguments", "takes 1 argument"),
        ("{% for p in interview.agenda %}{{ p.what }}{% endfor %}", "5:35", "unknown-name", "what"),
        ("{% include 'x' %}", "5:1", "template-syntax", "stands alone"),
        ("{% if %}", "5:1", "template-syntax", ""),
    ],
)
def test_what_nobody_knows_is_found_where_it_stands(project, told, body, place, code, said):
    project.template("prep/kit", body=body)
    problems = check(project.config)
    assert told(problems) == [f"kit.md:{place} {code}"]
    assert said in f"{problems[0].message} {problems[0].hint}"


def test_front_matter_is_checked_where_it_stands(project, told):
    project.template("prep/kit", subject="For {{ candidate.nam }}", category="prepp")
    assert told(check(project.config)) == [
        "kit.md:2:17 unknown-name",
        "kit.md:3:11 unknown-category",
    ]


def test_known_words_are_no_problem(project):
    project.template(
        "prep/kit",
        subject="For {{ job.title }} on {{ interview.starts_at | day }}",
        body="{{ why }} {{ links.unsubscribe_url }} {{ candidate.github | default('') }}\n"
        "{% for person in interview.interviewers %}{{ loop.index }} {{ person.name }}{% endfor %}\n"
        "{% set hello = 'Hi' %}{{ hello }} {{ 'again' if sent('prep/kit') }}\n"
        "{% if recruiter.phone is defined %}{{ recruiter.phone }}{% endif %}",
    )
    assert check(project.config) == []


def test_a_template_that_asks_first_may_be_sent_where_the_object_is_missing(project, told):
    project.template("ask", body="{% if job is defined %}{{ job.title }}{% endif %}")
    project.template("sure", body="{{ job.title }}")
    project.campaign(
        "name: x\nenter: {on: candidate.upserted}\nsteps:\n  - send: ask\n  - send: sure\n"
    )
    assert told(check(project.config)) == ["prep.yaml:5:11 not-supplied"]


def test_a_part_of_a_letter_wants_what_it_is_about(project, told):
    project.template("sure", body="{{ details() }}\n{{ next_steps() }}")
    project.template("asks", body="{% if interview is defined %}{{ details() }}{% endif %}")
    project.campaign(
        "name: x\nenter: {on: candidate.upserted}\nsteps:\n  - send: asks\n  - send: sure\n"
    )
    problems = check(project.config)
    assert told(problems) == ["prep.yaml:5:11 not-supplied"] * 2
    assert {problem.message.partition(";")[0] for problem in problems} == {
        '"sure" needs details()',
        '"sure" needs next_steps()',
    }


def test_every_translation_is_checked(project, told):
    project.template("prep/kit")
    project.write("templates/prep/kit.de.md", "---\nsubject: Hallo\n---\n{{ kandidat.name }}\n")
    assert told(check(project.config)) == ["kit.de.md:4:4 unknown-name"]


def test_a_category_is_as_restrained_as_itself_and_never_both_ways():
    for own in DEFAULT_CATEGORIES.values():
        assert restraint_lost(own, own) == ""
        for other in DEFAULT_CATEGORIES.values():
            if own.priority != other.priority:
                assert restraint_lost(own, other) or restraint_lost(other, own)


PIECES = [
    "{{",
    "}}",
    "{%",
    "%}",
    "if",
    "for x in",
    "endif",
    "endfor",
    "candidate.email",
    "|",
    "upper",
]
PIECES += [
    "wen",
    "(",
    ")",
    "'",
    "set a =",
    "macro m()",
    "endmacro",
    "block b",
    "{#",
    "#}",
    "\n",
    "[",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join) | st.text(max_size=60))
def test_any_text_has_its_words_listed_or_is_complained_about(source):
    for one in [*uses_of(source, VOCABULARY), *complaints_of(source, VOCABULARY)]:
        assert 0 <= one.offset <= len(source)
