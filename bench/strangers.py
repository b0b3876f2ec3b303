"""Where do the contenders live that are not ours? In an environment of their own.

What they need is never a dependency of the product: bench/requirements.txt, not the lock.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.mailing import ROOT

_LIST = ROOT / "bench/requirements.txt"
_HOME = ROOT / "build/bench-venv"


def python() -> Path:
    """The Python of that environment, which is made, or brought up to date, first."""
    found = _HOME / "bin/python"
    wanted = f"{hashlib.sha256(_LIST.read_bytes()).hexdigest()} {sys.version}"
    stamp = _HOME / "bench-stamp"
    if not (stamp.exists() and stamp.read_text() == wanted):
        print(f"  making {_HOME.relative_to(ROOT)}", file=sys.stderr, flush=True)
        _make(found)
        stamp.write_text(wanted)
    return found


def _make(found: Path) -> None:
    locked = ["--only-binary", ":all:", "--require-hashes", "-r", str(_LIST)]
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if uv:
        shutil.rmtree(_HOME, ignore_errors=True)
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(_HOME)])
        _run([uv, "pip", "install", "--quiet", "--python", str(found), *locked])
    else:
        _run([sys.executable, "-m", "venv", "--clear", str(_HOME)])
        _run([str(found), "-m", "pip", "install", "--quiet", "--no-deps", *locked])


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit("the packages of bench/requirements.txt could not be installed")
