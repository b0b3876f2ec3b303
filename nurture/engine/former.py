"""Which files did the project have at another time? Those in force, or those of a Git revision.

They are written to a folder of their own and read from there as any project's files are.
"""

import io
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from nurture.authoring.library import Library
from nurture.config import load_config
from nurture.engine.project import IN_FORCE, Project
from nurture.engine.simulate import Version
from nurture.errors import NurtureError, OutsideError, Problems, UsageError
from nurture.store import planning, revisions
from nurture.store.database import Connection

#: How the version that the daemon runs is asked for.
THE_DAEMONS = "in-force"


@contextmanager
def version_of(
    project: Project, revision: str, config_name: str, env: Mapping[str, str]
) -> Iterator[Version]:
    """The project's rules and files as they are in force, or as they were at a Git revision.

    Of what is in force the rules are those of config.yaml as it is now. Raises UsageError for a
    revision that nobody knows.
    """
    with TemporaryDirectory(prefix="nurture-") as folder:
        into = Path(folder).resolve()
        if revision == THE_DAEMONS:
            with project.database.read() as connection:
                _write_in_force(connection, into)
            config = project.config.model_copy(update={"root": into})
        else:
            _check_out(project.config.root, revision, config_name, into)
            try:
                config = load_config(into / config_name, env)
            except Problems as found:
                first = found.problems[0]
                raise NurtureError(
                    f"{config_name} of {revision} cannot be used: {first.message}"
                ) from found
        yield Version(config=config, library=Library(config))


def _write_in_force(connection: Connection, into: Path) -> None:
    mark = planning.mark(connection, IN_FORCE)
    if mark is None or "templates" not in mark:
        raise NurtureError(
            "nothing is in force yet: `nurture run` has not read this project's files so far"
            " (a Git revision can be named instead)"
        )
    wanted = [("campaign", name, f"campaigns/{name}.yaml") for name in mark["campaigns"]]
    wanted += [("template", path, f"templates/{path}") for path in mark["templates"]]
    wanted += [("content", name, f"content/{name}.yaml") for name in mark.get("contents", ())]
    wanted += [("layout", name, f"templates/layouts/{name}.html") for name in mark["layouts"]]
    for kind, name, file in wanted:
        text = revisions.content(connection, kind, name, mark[f"{kind}s"][name])
        if text is None:
            raise NurtureError(f"{file} is in force, but its words were not kept")
        _write(into / file, text.encode())


def _check_out(root: Path, revision: str, config_name: str, into: Path) -> None:
    """The project's files at a revision, without touching the working files."""
    within = _git(root, "rev-parse", "--show-prefix")
    if within is None:
        raise UsageError(
            f"--against {revision}: this project is not in a Git repository"
            f" (--against {THE_DAEMONS} compares with what the daemon runs)"
        )
    name = f"{revision}^{{commit}}"
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    if commit is None:
        raise UsageError(f'--against: Git knows no revision "{revision}"')
    tree = f"{commit.decode().strip()}:{within.decode().strip()}"
    parts = ["campaigns", "templates", "content", "reasons.yaml", config_name]
    there = (_git(root, "ls-tree", "-z", "--name-only", tree) or b"").decode().split("\0")
    if "campaigns" not in there and config_name not in there:
        raise UsageError(f"--against {revision}: this project was not there at that revision")
    archive = _git(
        root, "archive", "--format=tar", tree, *(part for part in parts if part in there)
    )
    if archive is None:
        raise OutsideError(f"--against {revision}: `git archive` failed")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            file = files.extractfile(member) if member.isreg() else None
            if file is not None and ".." not in Path(member.name).parts:
                _write(into / member.name, file.read())


def _git(root: Path, *words: str) -> bytes | None:
    """What Git says; None where it says no."""
    command: Sequence[str] = ("git", "-C", str(root), *words)
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no shell
    except OSError as error:
        raise OutsideError(f"git cannot be started: {error.strerror}") from error
    return done.stdout if done.returncode == 0 else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
