"""Does one command on a bare machine end in a running program, or in a sentence that helps?"""

import ast
import base64
import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

BOOTSTRAP = Path(__file__).parent.parent / "tools" / "bootstrap.py"


def wheel(folder: Path, name: str, version: str, greeting: str) -> str:
    """A wheel with one module; gives its line for a lock."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"GREETING = {greeting!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for file, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        record += f"{file},sha256={digest.decode().rstrip('=')},{len(text)}\n"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Clone:
    """A small project with the real bootstrap, whose package index is a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root / "a clone's folder"
        self.wheels = root / "wheels"
        (self.root / "tools").mkdir(parents=True)
        (self.root / "nurture").mkdir()
        self.wheels.mkdir()
        shutil.copy(BOOTSTRAP, self.root / "tools")
        (self.root / "nurture" / "__init__.py").touch()
        (self.root / "nurture" / "__main__.py").write_text(
            "import os, sys, greeting\n"
            "print(greeting.GREETING, sys.argv[1:], os.getcwd())\n"
            "sys.exit(7 if '--seven' in sys.argv else 0)\n"
        )
        self.lock("requirements.lock", wheel(self.wheels, "greeting", "1", "hello"))

    def lock(self, name: str, *lines: str) -> None:
        (self.root / name).write_text("".join(lines))

    def bootstrap(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, self.root / "tools" / "bootstrap.py", *arguments]
        return ask(command, self.environment(), self.root.parent)

    def environment(self) -> dict[str, str]:
        # No uv on this PATH: the way everybody has is the one under test.
        return {
            "PATH": str(self.root.parent / "no-programs"),
            "HOME": str(self.root.parent),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "SYSTEMROOT": os.environ.get("SYSTEMROOT", ""),
            "PYTHONDONTWRITEBYTECODE": "1",  # as images for containers like to set it
        }


def ask(
    command: Sequence[str | Path],
    environment: dict[str, str] | None = None,
    folder: Path = Path("/"),
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Made once: an environment takes seconds. It begins as the ruin of one that was cut short."""
    clone = Clone(tmp_path_factory.mktemp("bootstrap"))
    ruin = clone.root / ".venv"
    (ruin / "bin").mkdir(parents=True)
    (ruin / "bin" / "python").touch()
    (ruin / "nurture-stamp.json").write_text('{"complete": false, "devel')
    return clone


def test_the_first_call_makes_the_environment_and_the_second_only_uses_it(clone: Clone) -> None:
    first = clone.bootstrap("run", "--seven")
    assert first.stdout.strip() == f"hello ['run', '--seven'] {clone.root}", first.stderr
    assert first.returncode == 7
    assert "installing the 1 packages" in first.stderr

    second = clone.bootstrap("once")
    assert second.stdout.strip() == f"hello ['run', '--once'] {clone.root}"
    assert (second.returncode, second.stderr) == (0, "")

    launcher = clone.root / ".venv" / "bin" / "nurture"
    anywhere = ask([launcher, "check", "a b"])
    assert anywhere.stdout.strip() == "hello ['check', 'a b'] /", anywhere.stderr


def test_what_was_compiled_once_is_kept_whatever_the_environment_says(clone: Clone) -> None:
    clone.bootstrap("once")
    assert list((clone.root / "nurture").rglob("*.pyc"))


def test_a_changed_lock_is_installed_and_a_wrong_hash_never_is(clone: Clone) -> None:
    line = wheel(clone.wheels, "greeting", "2", "good morning")
    clone.lock("requirements.lock", line[:-5] + "0000\n")
    refused = clone.bootstrap("run")
    assert refused.returncode == 3
    assert "HASH" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""

    clone.lock("requirements.lock", line)
    assert clone.bootstrap("sim").stdout.startswith("good morning ['simulate', '--days', '60']")


def test_nothing_is_ever_built_from_source(clone: Clone) -> None:
    before = (clone.root / "requirements.lock").read_text()
    archive = clone.wheels / "malice-1.tar.gz"
    archive.write_bytes(b"would be run by a build")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    clone.lock("requirements.lock", before, f"malice==1 --hash=sha256:{digest}\n")
    refused = clone.bootstrap("run")
    clone.lock("requirements.lock", before)
    assert refused.returncode == 3
    assert "malice==1" in refused.stderr
    assert clone.bootstrap("run").returncode == 0


@pytest.mark.parametrize("arguments", [[], ["bogus"], ["lint", "--fast"]])
def test_a_wrong_call_is_exit_code_2_and_says_what_is_right(
    clone: Clone, arguments: list[str]
) -> None:
    answer = clone.bootstrap(*arguments)
    assert answer.returncode == 2
    assert "lint" in answer.stdout + answer.stderr


def old_pythons() -> list[str]:
    """Every Python on this machine that is too old for Nurture."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    places = [
        *sorted(pyenv.glob("[23].*/bin/python")),
        *(
            Path("/usr/bin") / name
            for name in ("python2.7", "python3.6", "python3.9", "python3.10")
        ),
        Path("/usr/bin/python3"),
    ]
    found = []
    for place in places:
        if place.exists():
            answer = ask([place, "-c", "import sys; print(sys.version_info < (3, 11))"])
            if answer.stdout.strip() == "True":
                found.append(str(place))
    return found


def test_an_old_python_says_what_to_install(tmp_path: Path) -> None:
    pythons = old_pythons()
    if not pythons:
        warnings.filterwarnings("default", message="NOT SEEN")
        warnings.warn("NOT SEEN: no Python before 3.11 here to read bootstrap.py", stacklevel=1)
    script = (
        f"import sys; sys.path.insert(0, {str(BOOTSTRAP.parent)!r}); import bootstrap\n"
        "bootstrap.python_candidates = lambda: iter([None, '/no/such/python'])\n"
        "try:\n    bootstrap.main(['run'])\n"
        "except bootstrap.CannotPrepare as problem:\n    print(problem)\n"
    )
    for python in pythons:
        answer = ask([python, "-B", "-c", script], {"PATH": str(tmp_path), "HOME": str(tmp_path)})
        assert "Nurture needs Python 3.11 to 3.14; this is Python" in answer.stdout, answer.stderr
        assert "To install one:" in answer.stdout


def test_an_old_python_hands_over_to_a_new_one_that_it_finds(clone: Clone) -> None:
    clone.bootstrap("run")
    for python in old_pythons()[:2]:
        environment = clone.environment() | {"PATH": str(Path(sys.executable).parent)}
        answer = ask([python, "-B", clone.root / "tools" / "bootstrap.py", "run"], environment)
        assert answer.returncode == 0, answer.stderr
        assert "['run']" in answer.stdout


def test_its_syntax_is_one_that_python_2_can_read() -> None:
    """Also where no old Python is at hand; what can be told from the syntax tree."""
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.AsyncFunctionDef)
    newer += (ast.YieldFrom, ast.Await, ast.Match, ast.Starred)
    for node in ast.walk(ast.parse(BOOTSTRAP.read_bytes())):
        assert not isinstance(node, newer), ast.dump(node)
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            assert not arguments.kwonlyargs
            assert not arguments.posonlyargs
            assert node.returns is None
            assert all(argument.annotation is None for argument in arguments.args)
        if isinstance(node, ast.Raise):
            assert node.cause is None
    assert BOOTSTRAP.read_bytes().isascii()


def test_a_python_without_ensurepip_is_told_the_package_that_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(BOOTSTRAP.parent))
    bootstrap = importlib.import_module("bootstrap")
    monkeypatch.setattr(bootstrap, "which", lambda name: None)
    monkeypatch.setattr(bootstrap, "output", lambda command: "")
    monkeypatch.setattr(bootstrap, "operating_system", lambda: "debian")
    with pytest.raises(bootstrap.CannotPrepare) as caught:
        bootstrap.make_venv()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"sudo apt install python{version}-venv" in str(caught.value)


def test_the_locks_name_exact_wheels_and_no_index() -> None:
    root = BOOTSTRAP.parent.parent
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (root / name).read_text()
        assert "://" not in text
        assert "--index-url" not in text
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert pins
        assert all("==" in pin and pin.endswith("\\") for pin in pins)


def test_both_locks_hold_the_same_versions() -> None:
    root = BOOTSTRAP.parent.parent
    runtime, developer = (
        {line.split()[0] for line in (root / name).read_text().splitlines() if "==" in line}
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime < developer
