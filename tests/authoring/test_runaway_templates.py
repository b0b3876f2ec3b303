"""Promises about templates that would never end: found by check, and bounded where they render."""

import time

import pytest

from nurture.authoring.check import check
from nurture.config import Config
from nurture.rendering.errors import RenderError
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Renderer

#: Seconds of CPU: a bomb takes years, and a slow machine is no bomb.
ENDS = 30

TEN = "{% set a = 'abcdefghij' %}"
DOUBLED = "{% set a = a ~ a %}"
BOMBS = {
    "a text times a billion": "{{ 'a' * 10**9 }}",
    "times a billion, written out": "{{ 'a' * 1000000000 }}",
    "a list times a billion": "{{ [1] * 1000000000 }}",
    "a tower of powers": "{{ 9**9**9**9 }}",
    "a range of a billion": "{% for n in range(1000000000) %}x{% endfor %}",
    "the length of a range": "{{ range(10000000000000000000)|length }}",
    "a list of a range": "{{ range(1000000000)|list }}",
    "loops within loops": "{% for i in range(900) %}{% for j in range(900) %}{% for k in range(900)"
    " %}x{% endfor %}{% endfor %}{% endfor %}",
    "loops over one list": "{% set xs = range(900)|list %}{% for i in xs %}{% for j in xs %}"
    "{% for k in xs %}x{% endfor %}{% endfor %}{% endfor %}",
    "loops over a text": "{% set xs = '" + "a" * 3000 + "' %}{% for i in xs %}{% for j in xs %}"
    "x{% endfor %}{% endfor %}",
    "centred in a billion": "{{ 'x'|center(1000000000) }}",
    "% with a width": "{{ '%1000000000d' % 1 }}",
    "format with a width": "{{ '{:1000000000}'.format(1) }}",
    "the format filter": "{{ '%1000000000d'|format(1) }}",
    "doubling": TEN + DOUBLED * 40 + "{{ a }}",
    "doubling with +": TEN + "{% set a = a + a %}" * 40 + "{{ a }}",
    "doubling in blocks": TEN + "{% set a %}{{ a }}{{ a }}. {% endset %}" * 40 + "{{ a }}",
    "doubling lists": "{% set a = ['ha'] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}",
    "doubling dicts": "{% set a = {'k': 1} %}" + "{% set a = {'x': a, 'y': a} %}" * 40,
    "comparing doubled lists": "{% set a = [1] %}{% set b = [1] %}"
    + "{% set a = [a, a] %}{% set b = [b, b] %}" * 40
    + "{% if a == b %}x{% endif %}",
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a macro that calls itself twice": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}"
    "{% endif %}{% endmacro %}{{ m(60) }}",
    "macros on macros": "{% macro m0() %}x{% endmacro %}"
    + "".join(
        f"{{% macro m{n}() %}}{{{{ m{n - 1}() }}}}{{{{ m{n - 1}() }}}}{{% endmacro %}}"
        for n in range(1, 40)
    )
    + "{{ m39() }}",
    "a block that contains itself": "{% block a %}{{ self.a() }}{% endblock %}",
    "a recursive loop": "{% for x in [1] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "joined": TEN + DOUBLED * 13 + "{{ [a, a, a, a] | join(a) }}",
    "joined by much": "{{ range(1000) | join('" + "x" * 1000 + "') }}",
    "rounded to a billion digits": "{{ 1.5 | round(1000000000, 'ceil') }}",
    "rounded to a billion zeros": "{{ 5 | round(-1000000000) }}",
    "lists summed up": "{{ [[1], [2]] | sum(start=[]) }}",
    "much, over and over": TEN + DOUBLED * 13 + "{% for n in range(900) %}"
    "{% set b = a | upper | lower | title %}{% endfor %}",
    "brackets 300 deep": "{{ " + "(" * 300 + "1" + ")" * 300 + " }}",
    "minus 5,000 times": "{{ " + "-" * 5000 + "1 }}",
    "a sum of 5,000": "{{ " + "1+" * 5000 + "1 }}",
    "ifs 150 deep": "{% if 1 %}" * 150 + "x" + "{% endif %}" * 150,
    "loops 25 deep": "{% for x in [1] %}" * 25 + "x" + "{% endfor %}" * 25,
    "a number of 6,000 digits": "{{ " + "9" * 6000 + " }}",
    "a dunder of a text": "{{ ''.__class__.__mro__ }}",
    "a dunder of a fact": "{{ candidate.__class__ }}",
    "a dunder by index": "{{ ''['__class__'] }}",
    "a dunder of a loop": "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "the inside of a macro": "{% macro m() %}x{% endmacro %}{{ m._func.__globals__ }}",
    "the inside of self": "{{ self._TemplateReference__context.environment }}",
    "itself, included": "{% include 'kit.md' %}",
    "itself, extended": "{% extends 'kit.md' %}",
    "itself, imported": "{% import 'kit.md' as me %}{{ me.x() }}",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_found_by_check_at_its_line_and_the_good_words_go_on(project, bomb):
    project.template("prep/kit", body="Hello.")
    library = project.library()
    project.template("prep/kit", body=f"Hello.\n\n{BOMBS[bomb]}")
    began = time.process_time()
    library.reload()
    assert time.process_time() - began < ENDS
    found = [one for one in library.problems if one.severity == "error"]
    assert {(one.file, one.line) for one in found} == {("templates/prep/kit.md", 7)}
    assert library.templates["prep/kit"].body == "Hello.\n"
    assert any(one.severity == "error" for one in check(project.config))


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_that_is_rendered_all_the_same_ends_as_an_error(project, bomb):
    project.template("prep/kit", body="Hello.")
    good = project.library().templates["prep/kit"]
    bad = {"prep/kit": type(good)(**{**vars(good), "body": BOMBS[bomb]})}
    renderer = Renderer(bad, Config(root=project.root), Signer([b"k" * 32]))
    company = {"name": "Acme", "address": "1 Street", "site": "https://acme.test"}
    words = {"candidate": {"first_name": "Ana"}, "company": company}
    began = time.process_time()
    with pytest.raises(RenderError):
        renderer.render("prep/kit", words, candidate_id=1, locale=None)
    assert time.process_time() - began < ENDS


def test_what_letters_do_is_no_bomb(project):
    body = """
    {% macro person(one) %}{{ one.name }}{% if one.role %}, {{ one.role }}{% endif %}{% endmacro %}
    {% set times = ["when", "where"] %}
    {% for one in interview.interviewers %}- {{ person(one) }}
    {% else %}nobody yet{% endfor %}
    {% for label, text in [("A", "b"), ("C", "d")] %}{{ label ~ ": " ~ text }}{% endfor %}
    {{ times | join(", ") }} {{ (interview.duration_minutes / 60) | round(1) }}
    {{ interview.duration_minutes * 2 + 1 }} {{ candidate.first_name[:1] | upper }}
    {% for n in range(3) %}{{ loop.index }}{% endfor %}
    """
    project.template("prep/kit", body=body)
    project.campaign(
        "name: x\nenter: {on: interview.scheduled}\nsteps: [{send: prep/kit, after: 0}]\n"
    )
    assert [one for one in check(project.config) if one.severity == "error"] == []
