"""What is wrong with everything that people wrote?"""

import re
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path

from nurture.authoring.cut_texts import cut_texts
from nurture.authoring.freshness import stale_content, stale_texts
from nurture.authoring.library import Library
from nurture.authoring.untranslated import untranslated
from nurture.authoring.whole import Whole, stage_problems
from nurture.clock import SystemClock
from nurture.config import Config, load_partly
from nurture.errors import Problem, Problems, shown
from nurture.positions import Positions, read_yaml
from nurture.rendering.context import VOCABULARY


def check(config: Config, today: date | None = None) -> list[Problem]:
    """Every problem in the campaigns and templates of `config.root`, sorted by file and line.

    `today` is the day for which texts must be fresh; None: this one. Problems within config.yaml
    itself are raised before there is a Config: see `check_all`.
    """
    library = Library(config, with_former=False)
    whole = Whole(config, library)
    found = [*library.problems, *whole.problems(), *stage_problems(config), *_taken_fields(config)]
    found += cut_texts(config)
    today = today or SystemClock().now().date()
    found += stale_texts(library.templates.values(), whole.campaigns.values(), today)
    found += untranslated(library.templates, whole.campaigns.values(), config)
    found += stale_content(library.content.items.values(), today)
    return sorted(problem for problem in set(found) if not _is_said_already(problem, found))


def _is_said_already(problem: Problem, found: Collection[Problem]) -> bool:
    """The template's own problems are in the list: its uses need not be. And a step with a misspelt
    `send:` is one mistake."""
    misspelt = problem.code == "send-or-task" and any(
        other.code == "unknown-key" and (other.file, other.line) == (problem.file, problem.line)
        for other in found
    )
    return misspelt or problem.code == "broken-template"


def check_all(path: Path, env: Mapping[str, str]) -> list[Problem]:
    """Every problem in config.yaml at `path` and in its campaigns and templates, in one go.

    What a broken configuration would have declared is no problem where it is used.
    """
    try:
        config, wrong = load_partly(path, env)
    except Problems as unreadable:
        config, wrong = Config(root=path.absolute().parent), unreadable.problems
    found = check(config)
    if wrong:
        declared = path.read_text(encoding="utf-8", errors="replace")
        found = [problem for problem in found if not _is_declared(problem, declared)]
    return sorted({*wrong, *found})


_DECLARED = frozenset({"unknown-category", "unknown-name", "moment"})


def _is_declared(problem: Problem, declared: str) -> bool:
    """Whether a name that is not known is one that the unreadable configuration may declare."""
    said = re.search(r"[\"`]([\w.-]+)[\"`]", problem.message)
    name = said[1].rpartition(".")[2] if said else ""
    return problem.code in _DECLARED and re.search(rf"\b{name}\b", declared) is not None


def _taken_fields(config: Config) -> list[Problem]:
    """Declared candidate fields that would hide one that every candidate has."""
    taken = sorted(config.candidate_fields.keys() & VOCABULARY["candidate"].keys())
    if not taken:
        return []
    path = config.root / "config.yaml"
    try:
        positions = read_yaml(path.read_text(encoding="utf-8"), str(path))[1]
    except (OSError, UnicodeDecodeError, Problems):
        positions = Positions("")
    found = []
    for name in taken:
        line, column = positions.key(("candidate_fields", name))
        found.append(
            Problem(
                file=shown(path),
                line=line,
                column=column,
                code="field-taken",
                message=f"every candidate has {name} already",
                hint="choose another name, or remove it",
            )
        )
    return found
