"""Do the written limits on our own source hold? A rule that nothing checks is a wish."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60

#: What may be longer, and why that is better than a split: `file` or `file:function`. An entry
#: that is no longer needed fails, so the list only says what is true.
LONGER: dict[str, str] = {
    "nurture/authoring/codes.py": "one entry a code, each with its examples",
    "nurture/authoring/expressions.py": "one closed grammar, a method a kind of node",
    "nurture/config.py": "one model a section of config.yaml, in its order, with its refusals",
    "nurture/core/agenda.py": "the state of one planning, and a method a rule that reads it",
    "nurture/core/journey.py": "one walk over one tree, with a method a kind of step",
    "nurture/core/model.py": "the shared vocabulary: its nouns refer to each other, one page apart",
    "nurture/engine/planner.py": "one planning from the claim to the rows, and what else looks so",
    "nurture/engine/recording.py": "one planning's rows, with a method a kind of row",
    "nurture/intake/csv_file.py": "one pass from a row to its events, with a complaint a cell",
    "nurture/intake/events.py": "the one form in which facts arrive, whole in one file",
    "nurture/intake/merging.py": "a method a type of event, all adding to one batch of changes",
    "nurture/store/tables.py": "one table after another: the schema on one page",
    "nurture/rendering/context.py": "the vocabulary, and a function an object that fills it in",
    "nurture/rendering/templates.py": "what one kind of file declares, each key with its refusals",
    "nurture/store/migrations/versions/0001_the_first_tables.py:upgrade": "the tables, one by one",
    "tools/mutants.py": "one broken law after another: a table that is run",
    "tools/bootstrap.py": "runs before anything is installed, so it cannot import from beside it",
}


def python_files(*folders: str) -> Mapping[str, str]:
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def too_long(sources: Mapping[str, str], longer: Mapping[str, str]) -> Iterator[str]:
    needed = set()
    for file, source in sources.items():
        lines = len(source.splitlines())
        if lines > MODULE_LINES_MAX:
            needed.add(file)
            if file not in longer:
                yield f"{file}: {lines} lines, of {MODULE_LINES_MAX}: is this one thing?"
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                name = f"{file}:{node.name}"
                if lines > FUNCTION_LINES_MAX:
                    needed.add(name)
                    if name not in longer:
                        yield f"{name} has {lines} lines, of {FUNCTION_LINES_MAX}"
    yield from (f"{name} need not be in LONGER any more" for name in sorted(set(longer) - needed))


def undocumented(sources: Mapping[str, str]) -> Iterator[str]:
    """Modules that do not say which question they answer. An empty `__init__` answers none."""
    for file, source in sources.items():
        if source.strip() and not ast.get_docstring(ast.parse(source)):
            yield file


def printing(sources: Mapping[str, str]) -> Iterator[str]:
    for file, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Name) and node.id == "print" and "/cli/" not in file:
                yield f"{file}:{node.lineno}: only the command line prints"


def unfinished(texts: Mapping[str, str]) -> Iterator[str]:
    for file, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b", line):
                yield f"{file}:{number}: {line.strip()}"


def test_every_module_says_which_question_it_answers() -> None:
    assert list(undocumented(python_files("nurture"))) == []


def test_modules_and_functions_stay_short_or_say_why_not() -> None:
    assert list(too_long(python_files("nurture", "tools", "bench"), LONGER)) == []


def test_only_the_command_line_prints() -> None:
    assert list(printing(python_files("nurture"))) == []


def test_nothing_is_left_for_later() -> None:
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for folder in ("nurture", "tools", "bench", "campaigns", "templates", "docs")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".md", ".html", ".css", ".js", ".yaml", ".sh"}
    }
    assert len(texts) > 50
    assert list(unfinished(texts)) == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (undocumented, "x = 1\n"),
        (printing, "print('hello')\n"),
        (printing, "from functools import partial\nshow = partial(print, end='')\n"),
        (unfinished, "x = 1  # " + "TODO" + ": more\n"),
        (lambda files: too_long(files, {}), "x = 1\n" * 401),
        (lambda files: too_long(files, {}), "def f():\n" + "    x = 1\n" * 60),
        (lambda files: too_long(files, {"nurture/store/x.py": "was long"}), "x = 1\n"),
    ],
)
def test_a_broken_rule_is_seen(rule, source: str) -> None:
    assert len(list(rule({"nurture/store/x.py": source}))) == 1


def test_a_reason_lets_a_long_one_through() -> None:
    source = "def f():\n" + "    x = 1\n" * 60
    assert not list(too_long({"a.py": source}, {"a.py:f": "a table"}))
