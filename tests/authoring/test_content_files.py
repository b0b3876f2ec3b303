"""Promises of content files: strict, told at their place, and a broken one changes nothing."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from nurture.authoring.check import check
from nurture.authoring.content_keys import ContentKeys, ItemKeys
from nurture.authoring.library import Library
from nurture.authoring.schema import content_schema
from nurture.config import load_config
from nurture.errors import Problem
from nurture.positions import read_yaml

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(json.dumps(content_schema()))
SHIPPED = sorted((ROOT / "content").glob("*.yaml"))
GOOD = """\
kind: culture
items:
  - id: one
    title: One
    text: A fact.
"""


def problems(project, text: str, template: str = "") -> list[Problem]:
    project.write("content/culture.yaml", text)
    if template:
        project.template("prep/kit", body=template)
        project.write(
            "campaigns/prep.yaml",
            "name: x\nenter: {on: interview.scheduled}\nsteps: [{send: prep/kit}]\n",
        )
    return check(load_config(project.root / "config.yaml", {}))


@pytest.mark.parametrize(
    ("wrong", "code", "place", "said"),
    [
        ("    titel: Two\n", "unknown-key", (6, 5), 'did you mean "title"'),
        ("    stage: [interviewin]\n", "invalid-value", (6, 13), '"interviewing"'),
        ("    interview: pannel\n", "invalid-value", (6, 16), '"panel"'),
        ("    fresh_until: soon\n", "invalid-value", (6, 18), "2027-03-31"),
        ("    minutes: 3\n", "invalid-value", (3, 5), "there is none"),
        ("    url: example.com\n", "invalid-value", (6, 10), ""),
        ("    country: pt\n", "invalid-value", (6, 14), ""),
        ("  - {id: one, title: Two, text: b}\n", "duplicate-id", (6, 10), "line 3"),
        ("  - {id: two, title: Two}\n", "missing-key", (6, 5), '"text"'),
        ('  - {id: b, title: B, text: "Hi {{ x }}"}\n', "invalid-value", (6, 29), "template"),
        ('  - {id: b, title: B, text: "![x](y)"}\n', "invalid-value", (6, 29), "picture"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(project, wrong, code, place, said):
    found = problems(project, GOOD + wrong)
    assert [(each.code, (each.line, each.column)) for each in found] == [(code, place)]
    assert said in found[0].message + found[0].hint


def test_an_item_without_a_kind_and_an_id_that_another_file_has(project):
    project.write("content/b.yaml", GOOD.replace("kind: culture\n", ""))
    (found,) = problems(project, GOOD.replace("id: one", "id: two"))
    assert (found.code, found.line) == ("missing-key", 2)
    project.write("content/b.yaml", GOOD)
    (found,) = problems(project, GOOD)
    assert (found.code, Path(found.file).name) == ("duplicate-id", "culture.yaml")


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ('{{ content("cultur").text }}', "unknown-content", '"culture"'),
        ("{{ content(job.title).text }}", "wrong-arguments", "in quotes"),
        ('{{ content("culture", 99)[0].text }}', "wrong-arguments", "at most 20"),
        ('{{ content("culture").texts }}', "unknown-name", '"text"'),
        (
            '{% for x in content("culture", 2) %}{{ x.titel }}{% endfor %}',
            "unknown-name",
            '"title"',
        ),
        ('{% set x = content("culture") %}{{ x.becaus }}', "unknown-name", '"because"'),
    ],
)
def test_what_a_template_asks_of_the_library_is_known_before(project, asked, code, said):
    found = [each for each in problems(project, GOOD, asked) if each.severity == "error"]
    assert code in {each.code for each in found}
    assert any(said in each.message + each.hint for each in found)


def test_a_broken_file_leaves_what_was_good_also_after_a_start(project):
    project.write("content/culture.yaml", GOOD)
    config = load_config(project.root / "config.yaml", {})
    library = Library(config)
    assert list(library.content.items) == ["one"]
    library.keep()
    project.write("content/culture.yaml", GOOD + "    nonsense: 1\n")
    assert library.reload().problems != ()
    assert list(library.content.items) == ["one"]
    assert list(Library(config).content.items) == ["one"]
    project.write("content/culture.yaml", GOOD.replace("id: one", "id: two"))
    assert library.reload()
    assert list(library.content.items) == ["two"]


def test_the_kept_schema_is_the_one_of_this_version():
    kept = json.loads((ROOT / "schemas/content.schema.json").read_text(encoding="utf-8"))
    assert kept == SCHEMA, "write it anew: nurture schema content > schemas/content.schema.json"
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_every_shipped_file_tells_its_editor_and_fits(path):
    text = path.read_text(encoding="utf-8")
    line = "# yaml-language-server: $schema=../schemas/content.schema.json"
    assert text.splitlines()[0] == line
    data, _ = read_yaml(text, path.name)
    assert [each.message for each in Draft7Validator(SCHEMA).iter_errors(data)] == []


def test_every_key_is_documented():
    keys = {*ContentKeys.model_fields, *(f"items.{name}" for name in ItemKeys.model_fields)}
    page = (ROOT / "docs/content.md").read_text(encoding="utf-8").split("## Keys of a file")[1]
    assert set(re.findall(r"^\| `([^`]+)` \|", page.split("\n## ")[0], re.MULTILINE)) == keys
