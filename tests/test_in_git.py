"""Promises of docs/in-git.md: the hook and the workflow people copy do what they say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import REPOSITORY, fewer

WORKFLOW = REPOSITORY / "docs/examples/nurture.yml"


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(folder: Path) -> Path:
    """The starter project with two commits, the second of which edits a campaign."""
    fewer(folder, people=3)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "as it was")
    path = folder / "campaigns/interview-preparation.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("after: 2 business days", "after: 3 business days"))
    git(folder, "commit", "-qam", "an answer sooner")
    return folder


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which `nurture` is this one."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    command = bin_ / "nurture"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nurture "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join([str(bin_), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(REPOSITORY), "AGAINST": "HEAD~1"}


def test_the_workflow_checks_and_keeps_what_reviewers_look_at(
    repository: Path, shell: dict[str, str]
) -> None:
    steps = read(WORKFLOW)["jobs"]["campaigns"]["steps"]
    runs = [step["run"] for step in steps if "run" in step and step["name"] != "Install"]
    assert len(runs) == 3
    for line in runs:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", line],
            cwd=repository,
            env=shell,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    (kept,) = [step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", "")]
    page = (repository / kept / "simulation.html").read_text(encoding="utf-8")
    assert "interview-preparation (changed)" in page
    assert "answer-due" in page
    index = (repository / kept / "gallery/index.html").read_text(encoding="utf-8")
    assert "interview-prep/what-to-expect" in index


def test_the_workflow_fails_on_a_broken_campaign_and_says_where(
    repository: Path, shell: dict[str, str]
) -> None:
    path = repository / "campaigns/company-culture.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("steps:", "stepz:"))
    steps = read(WORKFLOW)["jobs"]["campaigns"]["steps"]
    (check,) = [step["run"] for step in steps if step.get("name") == "Check"]
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", check],
        cwd=repository,
        env=shell,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "::error file=campaigns/company-culture.yaml,line=" in done.stdout


def test_what_follows_the_check_runs_although_it_failed() -> None:
    steps = read(WORKFLOW)["jobs"]["campaigns"]["steps"]
    names = [step.get("name") for step in steps]
    after = steps[names.index("Check") + 1 :]
    assert [step["if"] for step in after] == ["${{ !cancelled() }}"] * 3


def test_the_hook_runs_on_what_can_break_a_project_and_passes_on_the_starter(
    repository: Path, shell: dict[str, str]
) -> None:
    (hook,) = read(REPOSITORY / ".pre-commit-hooks.yaml")
    assert set(hook) >= {"id", "name", "entry", "language"}
    files = re.compile(hook["files"])
    listed = ["campaigns/a.yaml", "here/templates/b/c.de.md", "templates/layouts/l.html"]
    assert all(files.search(file) for file in [*listed, "config.yaml", "here/config.yaml"])
    assert not any(files.search(file) for file in ("README.md", "docs/campaigns.md", "var/a.md"))
    assert hook["pass_filenames"] is False
    done = subprocess.run(
        hook["entry"].split(), cwd=repository, env=shell, capture_output=True, check=False
    )
    assert done.returncode == 0
    shutil.rmtree(repository / "templates/status")
    done = subprocess.run(
        hook["entry"].split(), cwd=repository, env=shell, capture_output=True, check=False
    )
    assert done.returncode == 1


def test_the_document_names_the_hook_by_its_id() -> None:
    (hook,) = read(REPOSITORY / ".pre-commit-hooks.yaml")
    told = (REPOSITORY / "docs/in-git.md").read_text(encoding="utf-8")
    assert told.count(f"id: {hook['id']}") == 2
