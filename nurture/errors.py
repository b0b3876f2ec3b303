"""What can go wrong, as people hear of it.

NurtureError                 one clear line and an exit code
├── Problems                 what the user wrote has problems (exit 1), all of them listed
├── UsageError               wrong call of a command (exit 2)
└── OutsideError             a part outside failed: database, SMTP, a port in use (exit 3)
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


class NurtureError(Exception):
    """One line that says what happened and what to do."""

    exit_code = 1


class UsageError(NurtureError):
    exit_code = 2


class OutsideError(NurtureError):
    exit_code = 3


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """Something a person wrote that cannot be used, and where. Lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1
    code: str  #: stable, such as `unknown-key`; documented in docs/campaigns.md
    message: str
    hint: str = ""
    severity: str = "error"  #: error | warning

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.code} {self.message}{hint}"

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class Problems(NurtureError):  # noqa: N818 - it holds many
    """Everything wrong with what was read, never the first only."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def shown(path: Path) -> str:
    """A path as people typed it: relative to the working folder where that is possible."""
    here = path.absolute()
    if here.is_relative_to(Path.cwd()) and ".." not in here.parts:
        # A link in the project is known by its own name, wherever it leads.
        return str(here.relative_to(Path.cwd()))
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError, RuntimeError):  # elsewhere, or a link to itself
        return str(path)
