"""Promises of problem codes: each that can be raised is explained, and the examples are true."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nurture.authoring.check import check
from nurture.authoring.codes import CATALOGUE, Code, explain, page
from nurture.config import load_config
from nurture.errors import Problem, Problems

ROOT = Path(__file__).parents[2]
#: Where problems of files are found. Events and CSV rows have codes of their own: docs/events.md.
FILES = [
    *sorted((ROOT / "nurture/authoring").glob("*.py")),
    ROOT / "nurture/rendering/templates.py",
    *(ROOT / f"nurture/{name}.py" for name in ("config", "files", "misfits", "positions", "traps")),
]


def takers(trees: list[ast.Module]) -> dict[str, int]:
    """Who takes a code, by name, and as which argument: functions and dataclasses alike."""
    found = {"Problem": 99, "tuple": 99}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [argument.arg for argument in node.args.args if argument.arg != "self"]
                if "code" in names:
                    found[node.name] = names.index("code")
            elif isinstance(node, ast.ClassDef):
                fields = [
                    each.target.id
                    for each in node.body
                    if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
                ]
                if "code" in fields:
                    found[node.name] = fields.index("code")
    return found


def codes_in(tree: ast.Module, known: dict[str, int]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = [each.value for each in node.keywords if each.arg == "code"]
            if name in known and len(node.args) > known[name]:
                given.append(node.args[known[name]])
            for value in given:
                yield from texts_in(value)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            # `code = "..."`, `code, message = "...", "..."`, `_NOT_HERE = ("...", ...)`
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            first = targets[0].elts[0] if isinstance(targets[0], ast.Tuple) else targets[0]
            if isinstance(first, ast.Name) and first.id in ("code", "_TOO_MUCH"):
                value = node.value
                split = isinstance(value, ast.Tuple) and value.elts
                yield from texts_in(value.elts[0] if split else value)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.IfExp):
            yield from (text for text in texts_in(node.value) if "-" in text)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            yield from (text for each in node.value.elts[1:2] for text in texts_in(each))


def texts_in(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.IfExp):
        yield from (*texts_in(value.body), *texts_in(value.orelse))
    elif isinstance(value, ast.Constant) and re.fullmatch(r"[a-z]+(-[a-z]+)*", str(value.value)):
        yield str(value.value)


@pytest.fixture(scope="module")
def raised() -> set[str]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in FILES]
    known = takers(trees)
    return {code for tree in trees for code in codes_in(tree, known | takers([tree]))}


def test_every_code_that_can_be_raised_is_explained(raised):
    assert sorted(raised - CATALOGUE.keys()) == []


def test_every_code_that_is_explained_can_be_raised(raised):
    assert sorted(CATALOGUE.keys() - raised) == []


def test_the_page_about_problems_says_what_the_catalogue_says():
    hint = "write it anew: nurture check --explain page > docs/problems.md"
    assert (ROOT / "docs/problems.md").read_text(encoding="utf-8") == page(), hint


@pytest.mark.parametrize("code", CATALOGUE)
def test_an_explanation_is_short_and_says_all_four(code):
    told = explain(code) or ""
    assert all(f"\n{part}" in told for part in ("Why: ", "Wrong", "Right:"))
    entry = CATALOGUE[code]
    assert len(entry.means) < 110
    assert len(entry.why) < 130
    assert entry.why.endswith((".", "?"))
    assert not entry.means.endswith(".")


GOOD = {
    "name": "name: x",
    "enter": "enter: {on: interview.scheduled}",
    "steps": "steps: [{send: prep/kit}]",
}


def problems_of(project, code: Code, text: str) -> list[Problem]:
    """What is found in an example, completed to a whole project."""
    project.template("prep/kit")
    if code.where == "step":
        text = "steps:\n" + "\n".join(f"  {line}" for line in text.splitlines())
    if code.where in ("step", "campaign"):
        rest = [line for key, line in GOOD.items() if f"\n{key}:" not in f"\n{text}"]
        project.write("campaigns/prep.yaml", "\n".join([text, *rest]) + "\n")
    elif code.where == "template":
        project.write("templates/prep/other.md", text + "\n")
    else:
        project.write("config.yaml", text + "\n")
    try:
        return check(load_config(project.root / "config.yaml", {}))
    except Problems as found:
        return list(found.problems)


SHOWN = [name for name, code in CATALOGUE.items() if code.where != "file"]


@pytest.mark.parametrize("name", SHOWN)
def test_the_wrong_example_earns_its_code_and_the_right_one_no_error(project, name):
    code = CATALOGUE[name]
    assert name in {problem.code for problem in problems_of(project, code, code.wrong)}
    for path in (project.root / "campaigns").glob("*"):
        path.unlink()
    left = problems_of(project, code, code.right)
    assert [str(one) for one in left if one.severity == "error" or one.code == name] == []
