"""Promises of docs/relationship: what its pages name exists, and what they show can be typed."""

import ast
import re
import shlex
import shutil
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from nurture.cli import main
from nurture.cli.project import Given
from nurture.clock import SetClock
from nurture.config import Config
from nurture.rendering.templates import load_templates
from tests.conftest import MONDAY, REPOSITORY, fewer
from tools.relationship_pictures import drawn

HERE = REPOSITORY / "docs/relationship"
STEPS = [
    f"{number}-{name}"
    for number, name in enumerate(
        (
            *("transparency", "communication", "trust", "openness", "rapport"),
            *("knowledge", "time", "tailoring", "humanise", "balance"),
        ),
        1,
    )
]
PAGES = {name: (HERE / f"{name}.md").read_text(encoding="utf-8") for name in ("README", *STEPS)}
STARTER = ("campaigns", "templates", "content", "sample")


def named(pattern: str) -> set[str]:
    return {found for text in PAGES.values() for found in re.findall(pattern, text)}


# --- what is named exists -------------------------------------------------------------------------


def test_there_is_a_page_for_each_step_and_the_index_leads_to_each() -> None:
    for name in (*STEPS, "acceptance", "ninety-days"):
        assert (HERE / f"{name}.md").exists()
        assert f"]({name}.md)" in PAGES["README"]


@pytest.mark.parametrize("name", STEPS)
def test_a_page_is_short_has_one_picture_and_says_how_to_see_that_it_works(name: str) -> None:
    text = PAGES[name]
    assert len(text.split()) < 450
    assert re.findall(r"!\[[^]]+\]\(([^)]+)\)", text) == [f"{name}.svg"]
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert titles == ["What does it", "See that it works", "Yours to decide"]
    assert "```sh\nnurture " in text


def test_each_link_leads_somewhere() -> None:
    for name, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            assert (HERE / target).exists(), f"{name}: {target}"


def test_each_campaign_is_there_and_each_that_is_shipped_is_on_a_page() -> None:
    shipped = {path.name for path in (REPOSITORY / "campaigns").glob("*.yaml")}
    assert named(r"`campaigns/([\w.-]+)`") == shipped


def test_each_template_is_there_and_is_sent() -> None:
    known = {each.name for each in load_templates(REPOSITORY)[0].values()}
    folders = "|".join(sorted({name.partition("/")[0] for name in known}))
    spoken = named(rf"`((?:{folders})/[\w-]+)`")
    assert len(spoken) > 20
    assert spoken <= known


def test_each_key_of_the_configuration_is_one() -> None:
    for key in named(r"\[`([\w.]+)`\]\(\.\./configuration\.md\)"):
        level: object = Config
        for part in key.split("."):
            assert isinstance(level, type), key
            assert issubclass(level, BaseModel), key
            fields = {field.alias or name: field for name, field in level.model_fields.items()}
            assert part in fields, key
            level = fields[part].annotation


def test_each_page_of_the_program_is_in_its_menu() -> None:
    pages = "".join(path.read_text() for path in (REPOSITORY / "nurture/web/pages").glob("*.html"))
    for title in named(r"page \*\*([\w ]+)\*\*"):
        assert f'"{title}"' in pages or f">{title}<" in pages, title


def test_each_picture_is_as_its_files_say() -> None:
    for name, text in drawn().items():
        kept = (HERE / f"{name}.svg").read_text(encoding="utf-8")
        assert kept == text, f"{name}: python -m tools.relationship_pictures"


# --- what is shown can be typed -------------------------------------------------------------------


def commands() -> list[str]:
    shown = re.compile(r"```sh\n(.*?)```", re.DOTALL)
    blocks = [block for text in PAGES.values() for block in shown.findall(text)]
    return sorted({line for block in blocks for line in block.splitlines()})


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter project after its first `nurture run --once`."""
    project = tmp_path_factory.mktemp("begun")
    for name in STARTER:
        if (REPOSITORY / name).exists():
            shutil.copytree(REPOSITORY / name, project / name)
    fewer(project)
    config = shutil.copy(REPOSITORY / "config.yaml", project)
    words = ["run", "--once", "--config", str(config)]
    result = CliRunner().invoke(main, words, obj=Given(clock=SetClock(MONDAY), env={}))
    assert result.exit_code == 0, result.output
    return project


@pytest.mark.parametrize("line", commands())
def test_each_command_runs_as_written(
    begun: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(begun)
    words = shlex.split(line)
    assert words[0] == "nurture"
    result = CliRunner().invoke(main, words[1:], obj=Given(clock=SetClock(MONDAY), env={}))
    assert result.exit_code == 0, result.output
    assert result.output.strip()


@pytest.mark.parametrize("name", STEPS)
def test_each_command_spoken_of_exists(name: str) -> None:
    spoken = set(re.findall(r"`nurture ([a-z][a-z-]*)", PAGES[name]))
    assert spoken <= set(main.commands)


# --- the list of acceptance ids -------------------------------------------------------------------

_MARK = "acceptance"


@cache
def held() -> dict[str, list[str]]:
    """Acceptance ids, each with the tests that hold it, `engine/test_x.py::test_y`: those that are
    called by it (`test_a1_2_...`) or marked with it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if f"mark.{_MARK}(" in text or "def test_a" in text:
            place = path.relative_to(REPOSITORY / "tests").as_posix()
            for node in ast.parse(text).body:
                if isinstance(node, ast.FunctionDef):
                    for id_ in _ids(node):
                        found[id_].append(f"{place}::{node.name}")
    return found


def _ids(test: ast.FunctionDef) -> Iterator[str]:
    marks = [each for each in test.decorator_list if isinstance(each, ast.Call)]
    ids = [
        ast.literal_eval(each.args[0])
        for each in marks
        if ast.unparse(each.func) == f"pytest.mark.{_MARK}"
    ]
    called = re.match(r"test_a(\d+)_(\d+)_", test.name)
    yield from dict.fromkeys([*ids, *([f"A{called[1]}.{called[2]}"] if called else [])])


def listed() -> dict[str, tuple[str, str]]:
    """Of acceptance.md: id, what it says, and what holds it."""
    text = (HERE / "acceptance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (A\d+\.\d+) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    return {id_: (says, by) for id_, says, by in rows}


#: How many each of the ten steps has.
HOW_MANY = (6, 5, 5, 4, 4, 3, 4, 4, 4, 5)


def test_every_acceptance_id_is_listed_in_order() -> None:
    ids = [f"A{step}.{n}" for step, many in enumerate(HOW_MANY, 1) for n in range(1, many + 1)]
    assert list(listed()) == ids


def test_each_id_has_the_tests_that_hold_it_or_a_reason_to_have_none() -> None:
    for id_, (_, by) in listed().items():
        tests = re.findall(r"`([\w/]+\.py::\w+)`", by)
        assert tests == held().get(id_, []), f"{id_}: {' '.join(held().get(id_, []))}"
        assert tests or by.startswith("Not here: "), id_
    assert set(held()) <= set(listed())
