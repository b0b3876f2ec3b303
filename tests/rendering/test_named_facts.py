"""A letter is worked out from what its template names, and reads as if all had been."""

from dataclasses import replace
from datetime import timedelta

import pytest
from letters import NOW, facts

from nurture.core.model import Contact, Subject
from nurture.rendering.context import VOCABULARY, context, in_templates
from nurture.rendering.naming import named_in


def named_by(project, body, **front):
    project.write("topic/letter.md", body, **front)
    return named_in(project.renderer().templates["topic/letter"])


def test_fields_are_found_wherever_a_template_says_them(project):
    found = named_by(
        project,
        "{% if application.stage == 'final' %}{{ job.title }}{% endif %}"
        "{{ button('x', interview.url) }} {{ days_since(candidate.last_contact_at) }}",
        subject="'{{ recruiter.name }}'",
        preheader="'{{ offer.expires_at | day }}'",
        facts="['{{ promise.due | day }}']",
    )
    assert {name: set(fields) for name, fields in found.items()} == {
        "application": {"stage"},
        "job": {"title"},
        "interview": {"url"},
        "candidate": {"last_contact_at"},
        "recruiter": {"name"},
        "offer": {"expires_at"},
        "promise": {"due"},
    }


@pytest.mark.parametrize(
    "body",
    [
        "{% set a = application %}{{ a.notes_in_a_row }}",
        "{{ application['notes_in_a_row'] }}",
        "{% for name in application.keys() %}{{ name }}{% endfor %}",
        "{% macro m(a) %}{{ a.notes_in_a_row }}{% endmacro %}{{ m(application) }}",
    ],
)
def test_a_template_that_takes_an_object_as_a_whole_may_say_all_of_it(project, body):
    assert set(named_by(project, body)["application"]) == set(
        in_templates(VOCABULARY)["application"]
    )


def test_what_takes_work_is_there_where_it_is_named_and_nowhere_else(project):
    spoke = Contact(at=NOW - timedelta(days=2), human=True)
    known = replace(facts(), contacts=(spoke,))

    def words(named):
        about = Subject(application="a-9")
        return context(known, about, enrollment=None, config=project.config, now=NOW, named=named)

    everything = words(VOCABULARY)
    assert everything["candidate"]["last_contact_at"] == spoke.at
    assert "notes_in_a_row" in everything["application"]
    few = words({"application": ["last_contact_at"]})
    assert few["application"]["last_contact_at"] == spoke.at
    assert "notes_in_a_row" not in few["application"]
    assert few["candidate"]["first_name"] == "Ana"  # a footer and a calendar may say it
    assert "last_contact_at" not in few["candidate"]
    assert "recruiter" not in few


def test_a_letter_reads_as_if_all_had_been_worked_out(project):
    body = "{% if application %}{{ application.last_contact_at | day }}{% endif %}, {{ job.title }}"
    named = named_by(project, body)
    known = replace(facts(), contacts=(Contact(at=NOW - timedelta(days=2), human=True),))
    letters = [
        project.render(
            body,
            words=context(
                known,
                Subject(application="a-9"),
                enrollment=None,
                config=project.config,
                now=NOW,
                named=each,
            ),
        )
        for each in (VOCABULARY, named)
    ]
    assert letters[0] == letters[1]
    assert "20 November 2026, Data Engineer" in letters[1].text
