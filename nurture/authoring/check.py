"""What is wrong with everything that people wrote?"""

from nurture.authoring.library import Library
from nurture.authoring.whole import Whole, stage_problems
from nurture.config import Config
from nurture.errors import Problem, Problems, shown
from nurture.positions import Positions, read_yaml
from nurture.rendering.context import VOCABULARY


def check(config: Config) -> list[Problem]:
    """Every problem in the campaigns and templates of `config.root`, sorted by file and line.

    Problems within config.yaml itself are raised by `load_config`, before there is a Config.
    """
    library = Library(config, with_former=False)
    whole = Whole(config, library)
    found = [*library.problems, *whole.problems(), *stage_problems(config), *_taken_fields(config)]
    # The template's own problems are in the list: its uses need not be.
    return sorted({problem for problem in found if problem.code != "broken-template"})


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
