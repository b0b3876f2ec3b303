"""Promises of `fresh_until`: a text that is out of date is known before anybody is sent it."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from nurture.authoring.check import check
from nurture.authoring.library import Library
from nurture.config import load_config
from nurture.errors import Problem

ROOT = Path(__file__).parents[2]
CAMPAIGN = """\
name: Garden
owner: ida@example.com
enter: {on: application.created}
steps:
  - {send: garden}
"""
TEXT = """\
---
subject: Our garden
category: culture
fresh_until: %s
---
We meet there on Fridays.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "templates/layouts").mkdir(parents=True)
    shutil.copy(ROOT / "templates/layouts/letter.html", tmp_path / "templates/layouts")
    (tmp_path / "campaigns/garden.yaml").write_text(CAMPAIGN)
    (tmp_path / "templates/garden.md").write_text(TEXT % "2027-03-31")
    return tmp_path


def told(root: Path, today: date) -> list[Problem]:
    found = check(load_config(root / "config.yaml", {}), today)
    return [each for each in found if each.code == "stale-text"]


def test_the_owner_is_warned_from_two_weeks_before_and_it_is_an_error_when_past(root: Path):
    assert told(root, date(2027, 3, 16)) == []
    soon = told(root, date(2027, 3, 17))
    assert [(each.severity, each.line) for each in soon] == [("warning", 4)]
    assert "ida@example.com" in soon[0].hint
    assert told(root, date(2027, 3, 31)) == soon
    assert [each.severity for each in told(root, date(2027, 4, 1))] == ["error"]


def test_a_step_knows_how_long_its_text_is_fresh_and_a_translation_is_as_fresh(root: Path):
    (root / "templates/garden.pt.md").write_text("---\nsubject: O jardim\n---\nSextas.\n")
    library = Library(load_config(root / "config.yaml", {}))
    assert library.problems == ()
    assert library.campaigns["garden"].steps[0].fresh_until == date(2027, 3, 31)
    assert library.templates["garden.pt"].fresh_until == date(2027, 3, 31)


@pytest.mark.parametrize("day", ["soon", "20270331", "2027-02-30", "2027-03-31 10:00", "[]"])
def test_a_day_that_is_none_is_told_at_its_place(root: Path, day: str):
    (root / "templates/garden.md").write_text(TEXT % day)
    found = check(load_config(root / "config.yaml", {}), date(2027, 1, 1))
    problem = next(each for each in found if each.file.endswith("garden.md"))
    assert (problem.line, problem.severity) == (4, "error")
    assert "2027-03-31" in problem.message + problem.hint
