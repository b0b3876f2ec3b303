"""Is every mistake found where it is, and nothing else? A project folder full of them.

Each line below is one planted mistake: the file, where in it, and its code. `check` must find them
all in one go, each at its line and column, and tell of nothing that was not planted.
"""

import time
from pathlib import Path

import pytest

from bench.projects import write_project
from nurture.authoring.check import check, check_all
from nurture.config import load_config
from nurture.errors import Problem

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "planted"

PLANTED = """
campaigns/bad-news.yaml:4:11 cheerful-bad-news
campaigns/bad-news.yaml:6:19 unknown-topic
campaigns/bad-news.yaml:6:42 unknown-sent
campaigns/keys.yaml:2:1 unknown-key
campaigns/keys.yaml:3:9 invalid-value
campaigns/keys.yaml:4:13 unknown-event
campaigns/keys.yaml:6:5 unknown-key
campaigns/keys.yaml:8:9 moment
campaigns/keys.yaml:11:12 duration
campaigns/keys.yaml:12:11 unknown-template
campaigns/leaving.yaml:6:9 leaves-at-once
campaigns/leaving.yaml:9:9 never-true
campaigns/leaving.yaml:13:9 never-true
campaigns/leaving.yaml:16:9 never-due
campaigns/nobody.yaml:4:7 nobody-enters
campaigns/reach.yaml:6:9 unreachable
campaigns/reach.yaml:16:9 unreachable
campaigns/reach.yaml:18:16 never-opens
campaigns/reach.yaml:19:5 unreachable
campaigns/reach.yaml:24:5 unreachable
campaigns/renamed.yaml:7:10 was
campaigns/renamed.yaml:9:10 was
campaigns/renamed.yaml:12:21 repeat
campaigns/room.yaml:10:11 no-room
campaigns/room.yaml:14:11 no-room
campaigns/room.yaml:17:12 never-due
campaigns/supply.yaml:4:11 not-supplied
campaigns/supply.yaml:6:22 not-supplied
campaigns/supply.yaml:7:9 not-supplied
campaigns/traps.yaml:1:11 colon-in-text
campaigns/values.yaml:4:10 unknown-event
campaigns/values.yaml:7:9 moment
campaigns/values.yaml:8:28 unknown-value
campaigns/values.yaml:11:15 loose-category
campaigns/values.yaml:15:15 unknown-category
campaigns/values.yaml:16:9 unknown-name
campaigns/values.yaml:18:9 duplicate-id
campaigns/values.yaml:20:12 never-due
campaigns/values.yaml:25:19 loose-category
campaigns/values.yaml:26:31 unknown-name
campaigns/values.yaml:30:34 unquoted-word
config.yaml:4:11 invalid-value
config.yaml:6:15 invalid-value
config.yaml:9:3 unknown-value
config.yaml:13:1 unknown-key
config.yaml:15:36 field-taken
templates/culture/forgotten.md:1:1 unsent-template
templates/culture/no.md:4:7 cheerful-bad-news
templates/culture/second.md:1:1 untranslated
templates/culture/second.md:5:17 unknown-sent
templates/culture/team.md:7:1 no-unsubscribe
templates/culture/team.pt.md:3:11 translation-differs
templates/culture/values.md:6:1 runaway
templates/layouts/bare.html:1:1 layout-body
templates/layouts/bare.html:1:1 layout-address
templates/layouts/bare.html:3:1 image-alt
templates/layouts/bare.html:4:7 unknown-name
templates/layouts/bare.html:5:4 unknown-name
templates/layouts/bare.html:6:4 unknown-name
templates/prep/broken.md:6:5 template-syntax
templates/prep/discreet.md:1:1 untranslated
templates/prep/discreet.md:2:43 indiscreet
templates/prep/discreet.md:3:40 indiscreet
templates/prep/facts.md:1:1 untranslated
templates/prep/facts.md:2:11 empty-subject
templates/prep/facts.md:5:6 missing-fact
templates/prep/kit.de.md:5:1 translation-lacks
templates/prep/kit.de.md:6:37 translation-adds
templates/prep/layoutless.md:4:9 unknown-layout
templates/prep/names.md:2:17 unknown-name
templates/prep/names.md:5:9 unknown-name
templates/prep/names.md:8:52 unknown-name
templates/prep/names.md:8:83 unknown-name
templates/prep/names.md:9:50 unknown-filter
templates/prep/names.md:9:61 unknown-name
templates/prep/names.md:12:4 raw-time
templates/prep/names.md:12:73 raw-time
templates/prep/names.md:13:32 unknown-filter
templates/prep/names.md:13:47 wrong-arguments
templates/prep/nosubject.md:2:1 missing-key
templates/prep/words.md:2:11 false-reply
templates/prep/words.md:2:11 long-subject
templates/prep/words.md:2:23 banned-word
templates/prep/words.md:3:17 banned-word
templates/prep/words.md:9:15 banned-word
templates/prep/words.md:12:17 unsafe-link
templates/prep/words.md:12:45 insecure-link
templates/prep/words.md:12:82 broken-link
templates/prep/words.md:14:1 image-alt
"""


def spots(problems: list[Problem]) -> list[str]:
    return [f"{p.file}:{p.line}:{p.column} {p.code}" for p in problems]


@pytest.fixture
def found(monkeypatch) -> list[Problem]:
    monkeypatch.chdir(FOLDER)
    return check_all(Path("config.yaml"), {})


@pytest.mark.acceptance("A2.4")
@pytest.mark.acceptance("A4.4")
def test_every_planted_mistake_is_found_where_it_is_and_nothing_else(found):
    planted = PLANTED.split("\n")[1:-1]
    assert len(planted) == len(set(planted)) >= 40
    assert sorted(set(spots(found))) == sorted(planted)


def test_each_says_what_to_do_or_leaves_no_doubt(found):
    for problem in found:
        assert problem.message
        assert problem.severity in ("error", "warning")
        assert "\n" not in problem.message + problem.hint


def test_the_starter_project_has_nothing_to_complain_of():
    assert check(load_config(ROOT / "config.yaml", {})) == []


def test_a_large_project_without_a_mistake_is_told_none(tmp_path):
    root = write_project(tmp_path / "large", campaigns=20, templates=40)
    before = time.process_time()
    assert check(load_config(root / "config.yaml", {})) == []
    assert time.process_time() - before < 60  # what each costs is in bench; this tells n from n²
