#!/usr/bin/env python3
"""How does a fresh clone run with one command and nothing installed but Python?

    python3 tools/bootstrap.py run      the daemon with the recruiters' pages
    python3 tools/bootstrap.py once     do everything that is due now, then stop
    python3 tools/bootstrap.py sim      the next 60 days on an imagined clock; nothing is sent
    python3 tools/bootstrap.py test     the tests; further arguments go to pytest
    python3 tools/bootstrap.py lint     ruff and mypy
    python3 tools/bootstrap.py bench    the measurements in bench/
    python3 tools/bootstrap.py worlds   invented worlds with faults, 200 of them: see tests/sim
    python3 tools/bootstrap.py crashes  kills daemons at seeded moments; KILLS=100 for a hundred
    python3 tools/bootstrap.py mutants  breaks one law at a time in a copy; which test sees it?

Each of them first makes `.venv` in this folder, or brings it up to date with the lock (wheels only,
every hash checked), and then becomes the program asked for, in this folder. Exit codes are that
program's; 3 means that the environment could not be made.

The project itself is not built or installed: a `.pth` file puts this folder on the environment's
path and a small launcher gives it the `nurture` command. That needs no network and no build tool.

Standard library only, in a syntax that Python 2.7 and 3.6 can read: they must get as far as finding
a newer Python, or saying how to install one.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

OLDEST = (3, 11)
NEWEST = (3, 14)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "nurture-stamp.json")
WINDOWS = os.name == "nt"
VENV_BIN = os.path.join(VENV, "Scripts" if WINDOWS else "bin")
VENV_PYTHON = os.path.join(VENV_BIN, "python.exe" if WINDOWS else "python")

# What each command becomes, and whether it needs the developers' packages.
COMMANDS = {
    "run": (["nurture", "run"], False),
    "once": (["nurture", "run", "--once"], False),
    "sim": (["nurture", "simulate", "--days", "60"], False),
    "test": (["pytest", "-n", "auto", "--dist", "worksteal"], True),  # one process a core
    "bench": (["bench"], True),
    "worlds": (["tests.sim"], True),
    "crashes": (["pytest", "-s", "tests/acceptance/test_kill_nine.py"], True),
    "mutants": (["tools.mutants"], True),
    "lint": (None, True),
}
LINTERS = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])


class CannotPrepare(Exception):  # noqa: N818 - it is shown as a sentence
    """The environment cannot be made; the text says what to do about it."""


def main(arguments):
    """Prepares the environment and becomes the command asked for."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(__doc__)
        return 0 if arguments else 2
    if arguments[0] not in COMMANDS:
        say("there is no command '%s'. It is one of: %s." % (arguments[0], ", ".join(COMMANDS)))
        return 2
    module, developer = COMMANDS[arguments[0]]
    rest = arguments[1:]
    if module is None and rest:
        say("lint takes no arguments.")
        return 2
    if not supported(sys.version_info):
        return become([find_python(), os.path.abspath(__file__)] + arguments)
    os.chdir(ROOT)
    prepare(developer)
    if module is None:
        return lint()
    return become([VENV_PYTHON, "-m"] + module + rest)


def supported(version):
    return OLDEST <= tuple(version[:2]) <= NEWEST


# --- Which Python? ------------------------------------------------------------------------------


def find_python():
    """The path of a Python from 3.11 to 3.14; this one is not."""
    for candidate in python_candidates():
        if supported(version_of(candidate)):
            return candidate
    raise CannotPrepare(
        "Nurture needs Python %s to %s; this is Python %s and no other was found.\n%s\n"
        "Then give the same command again."
        % (dotted(OLDEST), dotted(NEWEST), dotted(sys.version_info), how_to_install_python())
    )


def python_candidates():
    """Paths worth asking for their version, likeliest place first, newest first within it."""
    minors = ["3.%d" % minor for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    for name in ["python" + minor for minor in minors] + ["python3", "python"]:
        yield which(name)
    for path in pyenv_pythons(minors):
        yield path
    for folder in ("/opt/homebrew/bin", "/usr/local/bin"):
        for minor in minors:
            yield "%s/python%s" % (folder, minor)
    if WINDOWS and which("py"):
        for minor in minors:
            yield output([which("py"), "-" + minor, "-c", "import sys; print(sys.executable)"])
    if which("uv"):
        wanted = ">=%s,<3.%d" % (dotted(OLDEST), NEWEST[1] + 1)
        yield output([which("uv"), "python", "find", "--no-python-downloads", wanted])


def pyenv_pythons(minors):
    """What pyenv has installed, whether or not it is switched on in this folder."""
    pyenv = os.environ.get("PYENV_ROOT") or os.path.join(os.path.expanduser("~"), ".pyenv")
    versions = os.path.join(pyenv, "pyenv-win", "versions") if WINDOWS else pyenv + "/versions"
    program = "python.exe" if WINDOWS else "bin/python"
    installed = sorted(os.listdir(versions)) if os.path.isdir(versions) else []
    return [
        os.path.join(versions, name, program)
        for minor in minors
        for name in installed
        if name.startswith(minor + ".")
    ]


def version_of(python):
    """(major, minor) of an interpreter, by asking it: a pyenv shim may exist and lead nowhere."""
    if not python or not os.path.exists(python):
        return (0, 0)
    answer = output([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    try:
        return tuple(int(part) for part in answer.split("."))
    except ValueError:
        return (0, 0)


def how_to_install_python():
    """The one command that brings a fitting Python to this machine."""
    system = operating_system()
    commands = {
        "ubuntu-old": "  sudo apt install python3.11 python3.11-venv",
        "debian": "  sudo apt install python3 python3-venv\n"
        "(Debian 12 or Ubuntu 24.04 and later; on older ones: python3.11 python3.11-venv)",
        "fedora": "  sudo dnf install python3.12",
        "arch": "  sudo pacman -S python",
        "suse": "  sudo zypper install python313",
        "alpine": "  sudo apk add python3",
        "macos": "  brew install python@3.13",
        "windows": "  winget install Python.Python.3.13",
    }
    way = commands.get(system, "  a package of your system, or https://www.python.org/downloads/")
    if which("uv"):
        return "To install one:\n  uv python install 3.13"
    return "To install one:\n" + way


def how_to_install_venv(version):
    """What to install when Python is there but cannot make environments."""
    system = operating_system()
    if system in ("debian", "ubuntu-old"):
        return "  sudo apt install python%s-venv" % dotted(version)
    if system in ("fedora", "suse", "arch", "alpine"):
        return how_to_install_python().split("\n", 1)[1]
    return "  a complete Python, for example from https://www.python.org/downloads/"


def operating_system():
    if WINDOWS:
        return "windows"
    if sys.platform == "darwin":
        return "macos"
    facts = {}
    if os.path.exists("/etc/os-release"):
        with open("/etc/os-release") as lines:
            for line in lines:
                key, _, value = line.strip().partition("=")
                facts[key] = value.strip("\"'")
    family = (facts.get("ID", "") + " " + facts.get("ID_LIKE", "")).split()
    if facts.get("ID") == "ubuntu" and facts.get("VERSION_ID", "99") < "24":
        return "ubuntu-old"
    for name, words in (
        ("debian", ("debian", "ubuntu")),
        ("fedora", ("fedora", "rhel", "centos")),
        ("arch", ("arch",)),
        ("suse", ("suse", "opensuse")),
        ("alpine", ("alpine",)),
    ):
        if any(word in family for word in words):
            return name
    return "other"


# --- The environment ----------------------------------------------------------------------------


def prepare(developer):
    """Makes `.venv` hold exactly the locked versions; does nothing when it already does.

    The developers' lock contains all of the other, so an environment that has it serves every
    command, and once a folder is a developer's it stays one.
    """
    with only_one_at_a_time():
        stamp = read_stamp()
        developer = developer or bool(stamp.get("developer"))
        lock = os.path.join(ROOT, "requirements-dev.lock" if developer else "requirements.lock")
        wanted = {
            "developer": developer,
            "lock": digest(lock),
            "python": dotted(sys.version_info),
            "root": ROOT,
            "complete": True,
        }
        usable = os.path.exists(VENV_PYTHON)
        if usable and stamp == wanted:
            return
        started = time.time()
        if not usable or (stamp and not reusable(stamp, wanted)):
            make_venv()
        write_stamp(dict(wanted, complete=False))
        try:
            install(lock)
        except CannotPrepare:
            # Both installers leave things whole when they fail; only what was killed is a ruin.
            write_stamp(dict(wanted, lock=None))
            raise
        reach_project()
        write_stamp(wanted)
        say("environment ready after %.0f seconds." % (time.time() - started))


def reusable(stamp, wanted):
    """An unfinished install, another Python or a moved folder: a new start is the safe way."""
    return bool(stamp.get("complete")) and all(
        stamp.get(key) == wanted[key] for key in ("python", "root")
    )


def make_venv():
    # Inside an activated environment, build on the Python beneath it: it may be the one to replace.
    inside = sys.prefix != sys.base_prefix
    python = getattr(sys, "_base_executable", sys.executable) if inside else sys.executable
    say("making .venv with Python %s ..." % dotted(sys.version_info[:3]))
    if which("uv"):
        if os.path.isdir(VENV):
            shutil.rmtree(VENV)  # `uv venv --clear` is not known to older versions
        command = [which("uv"), "venv", "--quiet", "--python", python, VENV]
    else:
        if not output([python, "-c", "import ensurepip, venv; print('both')"]):
            raise CannotPrepare(  # Debian has venv without ensurepip
                "This Python %s cannot make environments: its venv module is incomplete.\n"
                "To complete it:\n%s\nThen give the same command again."
                % (dotted(sys.version_info), how_to_install_venv(sys.version_info))
            )
        command = [python, "-m", "venv", "--clear", VENV]
    if subprocess.call(command, env=clean_environment()) != 0:
        raise CannotPrepare("The environment could not be made; see the lines above.")


def install(lock):
    """Installs what the lock names: wheels only and hashes required, so nothing is built here.

    Neither way removes what a developer has added by hand.
    """
    with open(lock) as lines:
        total = sum(1 for line in lines if "==" in line)
    name = os.path.basename(lock)
    common = ["--only-binary", ":all:", "--require-hashes", "-r", lock]
    if which("uv"):
        say("installing the %d packages of %s with uv ..." % (total, name))
        quiet = [] if sys.stderr.isatty() else ["--quiet"]
        command = [which("uv"), "pip", "install", "--python", VENV_PYTHON] + quiet + common
        failed = subprocess.call(command, env=clean_environment()) != 0
    else:
        say("installing the %d packages of %s (a minute or so the first time) ..." % (total, name))
        # Python compiles what it imports; compiling all the rest is a third of pip's time.
        command = [VENV_PYTHON, "-m", "pip", "install", "--no-deps", "--no-compile"] + common
        failed = follow_pip(command, total) != 0
    if failed:
        raise CannotPrepare(
            "The packages could not be installed; see the lines above. Is the package index\n"
            "reachable from here (PIP_INDEX_URL, HTTPS_PROXY)? Then give the same command again.\n"
            "The lock has wheels for Linux, macOS and Windows on x86-64 and ARM."
        )


def follow_pip(command, total):
    """Runs pip with a counter on a terminal, and shows what it said only when it fails."""
    pip = subprocess.Popen(
        command,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    said = []
    seen = 0
    terminal = sys.stderr.isatty()
    for line in pip.stdout:
        said.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            seen += 1
        if terminal:
            stage = "unpacking" if line.startswith("Installing ") else "fetching"
            sys.stderr.write("\r  %s %d of %d " % (stage, min(seen, total), total))
            sys.stderr.flush()
    if terminal:
        sys.stderr.write("\r" + " " * 40 + "\r")
    if pip.wait() != 0:
        sys.stderr.write("".join(said[-15:]))
    return pip.returncode


def reach_project():
    """Puts this folder on the environment's path and the `nurture` command beside its Python."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    with open(os.path.join(output([VENV_PYTHON, "-c", ask]), "nurture-project.pth"), "w") as path:
        path.write(ROOT + "\n")
    if WINDOWS:
        with open(os.path.join(VENV_BIN, "nurture.cmd"), "w") as launcher:
            launcher.write('@"%~dp0python.exe" -m nurture %*\n')
        return
    launcher_path = os.path.join(VENV_BIN, "nurture")
    with open(launcher_path, "w") as launcher:
        quoted = "'" + VENV_PYTHON.replace("'", "'\\''") + "'"
        launcher.write('#!/bin/sh\nexec %s -m nurture "$@"\n' % quoted)
    os.chmod(launcher_path, 0o755)


def clean_environment():
    """This environment without what would lead Python or pip past `.venv`, and without the wish to
    keep no bytecode: each start would then compile every library again, which takes seconds."""
    kept = dict(os.environ)
    for name in (
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "PIP_TARGET",
        "PIP_PREFIX",
        "__PYVENV_LAUNCHER__",
    ):
        kept.pop(name, None)
    kept["PIP_USER"] = "0"
    kept["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return kept


def read_stamp():
    """What the environment was last made of; empty for one made by hand, which is kept."""
    try:
        with open(STAMP) as text:
            return json.load(text)
    except (IOError, OSError):
        return {}
    except ValueError:
        return {"complete": False}


def write_stamp(stamp):
    with open(STAMP, "w") as text:
        json.dump(stamp, text)


class only_one_at_a_time(object):  # noqa: N801 - reads as the sentence it is
    """Holds off a second bootstrap in this folder; the system lets go if this one dies."""

    def __enter__(self):
        try:
            import fcntl
        except ImportError:  # Windows
            self.folder = None
            return
        self.folder = os.open(ROOT, os.O_RDONLY)
        try:
            fcntl.flock(self.folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (IOError, OSError):
            say("waiting for another command that is preparing .venv ...")
            fcntl.flock(self.folder, fcntl.LOCK_EX)

    def __exit__(self, *_):
        if self.folder is not None:
            os.close(self.folder)


# --- Small things -------------------------------------------------------------------------------


def lint():
    """Every linter runs, so that one visit shows everything."""
    codes = []
    for linter in LINTERS:
        command = [VENV_PYTHON, "-m"] + linter
        codes.append(subprocess.call(command, env=clean_environment()))
    return max(codes)


def become(command):
    """Replaces this process, so that signals and the exit code are the program's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    if not WINDOWS:
        os.execve(command[0], command, clean_environment())
    return subprocess.call(command, env=clean_environment())


def which(name):
    """The path of a program on PATH, or None."""
    endings = (".exe", ".cmd", ".bat") if WINDOWS else ("",)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for ending in endings:
            path = os.path.join(folder, name + ending)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def output(command):
    """What a command prints, stripped; empty when it fails."""
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True
        )
        said = process.communicate()[0]
    except (IOError, OSError):
        return ""
    return said.strip() if process.returncode == 0 else ""


def digest(path):
    with open(path, "rb") as content:
        return hashlib.sha256(content.read()).hexdigest()


def dotted(version):
    return ".".join(str(part) for part in version[: 2 if len(version) > 3 else len(version)])


def say(text):
    sys.stderr.write("bootstrap: " + text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except CannotPrepare as problem:
        say(str(problem))
        sys.exit(3)
    except KeyboardInterrupt:
        say("stopped.")
        sys.exit(130)
