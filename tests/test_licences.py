"""May we ship on top of this? Every package that comes with Nurture, its licence and its reason."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent

#: Licences that ask for no more than their own text to be kept (and MPL-2.0: changes to its own
#: files to be shared, of which we make none).
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
    "Unlicense",
}
#: LGPL is fine for these as they are used: installed as their own packages from the index,
#: unchanged, called through their public names, and replaceable by whoever runs Nurture. It would
#: not be for code copied into Nurture or linked into one binary with it.
LGPL_AS_A_PACKAGE = {"psycopg", "psycopg-binary", "cssutils", "encutils"}

#: How older packages spell theirs, in the License field or in a classifier.
SPELLINGS = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}


def licence(distribution: metadata.PackageMetadata) -> str:
    """The licence as an SPDX expression, from the newest field that has one."""
    expression = distribution.get("License-Expression")
    if expression:
        return expression
    named = distribution.get("License") or ""
    if named in ALLOWED:
        return named
    classifiers = [
        classifier.rpartition(" :: ")[2]
        for classifier in distribution.get_all("Classifier") or []
        if classifier.startswith("License :: ") and not classifier.endswith("OSI Approved")
    ]
    return " OR ".join(SPELLINGS.get(name, name) for name in classifiers) or named or "unknown"


def acceptable(package: str, expression: str) -> bool:
    """One of the alternatives is allowed in all its parts. Parentheses are for a person to read."""
    also = {"LGPL-3.0-only", "LGPL-3.0-or-later"} if package in LGPL_AS_A_PACKAGE else set()
    return any(
        all(part.strip() in ALLOWED | also for part in alternative.split(" AND "))
        for alternative in expression.split(" OR ")
    )


def locked() -> dict[str, str]:
    """Package to its environment marker, for all that an installation can bring."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [
        line.rstrip("\\ ") for line in lines if "==" in line and not line.startswith((" ", "#"))
    ]
    parts = [pin.partition(";") for pin in pins]
    return {canonicalize_name(pin.partition("==")[0]): marker.strip() for pin, _, marker in parts}


def listed() -> dict[str, dict[str, str]]:
    """The rows of THIRD-PARTY.md by package."""
    rows = {}
    for line in (ROOT / "THIRD-PARTY.md").read_text().splitlines():
        if match := re.fullmatch(r"\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|", line):
            package, versions, named, why = (cell.strip() for cell in match.groups())
            assert package not in rows, f"{package} is listed twice"
            rows[package] = {"versions": versions, "licence": named, "why": why}
    return rows


def required() -> dict[str, str]:
    """Package to version range, as pyproject.toml has it, developers' packages included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    parsed = [Requirement(requirement) for requirement in requirements]
    return {canonicalize_name(each.name): str(each.specifier) for each in parsed}


@pytest.mark.parametrize("package", sorted({*locked(), *required()}))
def test_a_package_is_listed_with_its_licence_and_the_licence_is_allowed(package: str) -> None:
    row = listed().get(package)
    assert row, f"{package} is not in THIRD-PARTY.md"
    assert row["why"]
    assert acceptable(package, row["licence"]), f"{package}: {row['licence']} is not allowed"
    marker = locked().get(package)
    if marker and not Marker(marker).evaluate():
        return  # not for this machine: its own word on its licence is not at hand
    assert row["licence"] == licence(metadata.metadata(package))


def test_the_list_has_nothing_that_is_not_used_and_the_ranges_of_pyproject() -> None:
    rows = listed()
    assert set(rows) == {*locked(), *required()}
    ranges = {package: row["versions"].strip("`") for package, row in rows.items()}
    wanted = {
        package: ",".join(sorted(versions.split(","))) for package, versions in required().items()
    }
    direct = {package: ",".join(sorted(ranges[package].split(","))) for package in wanted}
    assert direct == wanted


def test_what_is_copied_into_the_project_is_listed_and_has_its_licence_beside_it() -> None:
    rooms = [
        ROOT / room
        for room in ("nurture/web/static/vendor", "tests/web/vendor", "tests/rendering/vendor")
    ]
    folders = [folder for room in rooms for folder in room.iterdir()]
    assert all((folder / "LICENSE").is_file() for folder in folders)
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "THIRD-PARTY.md").read_text().splitlines()
        if "/vendor/" in line and line.startswith("|")
    ]
    assert {row[0] for row in rows} == {str(each.relative_to(ROOT)) for each in folders}
    assert {row[2] for row in rows} <= ALLOWED


@pytest.mark.parametrize(
    ("package", "expression", "fine"),
    [
        ("x", "MIT", True),
        ("x", "GPL-3.0-or-later OR MIT", True),
        ("x", "MIT AND GPL-3.0-only", False),
        ("x", "AGPL-3.0-only", False),
        ("x", "LGPL-3.0-only", False),
        ("psycopg", "LGPL-3.0-only", True),
        ("psycopg", "GPL-3.0-only", False),
        ("x", "unknown", False),
        ("x", "Proprietary", False),
    ],
)
def test_only_the_listed_licences_are_acceptable(package: str, expression: str, fine: bool) -> None:
    assert acceptable(package, expression) is fine
