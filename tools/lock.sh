#!/bin/sh
# Writes both locks anew from pyproject.toml: exact versions with the hash of every wheel, for Python 3.11 to 3.14
# on Linux, macOS and Windows. Wheels only, so that nobody needs a compiler. Needs `uv`. Arguments go to
# uv: `tools/lock.sh --upgrade`, `tools/lock.sh --upgrade-package fastapi`.
#
# No index address is written: a lock must work with whichever package index a machine is set up for.
set -eu
cd "$(dirname "$0")/.."

compile() {
    uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@" pyproject.toml
}

compile "$@" --extra dev --output-file requirements-dev.lock
# The same versions, less what only developers need.
compile --constraint requirements-dev.lock --output-file requirements.lock

# A universal lock promises less than it seems: a package may have wheels for one platform only.
for python in 3.11 3.12 3.13 3.14; do
    for platform in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu aarch64-apple-darwin x86_64-pc-windows-msvc; do
        uv pip compile --quiet --python-version "$python" --python-platform "$platform" --only-binary :all: \
            --no-header --constraint requirements-dev.lock --extra dev pyproject.toml >/dev/null ||
            { echo "lock: no wheels for Python $python on $platform" >&2; exit 1; }
    done
done
echo "lock: $(grep -c == requirements.lock) packages to run, $(grep -c == requirements-dev.lock) to develop"
