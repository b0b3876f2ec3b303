"""Promises of `nurture silence` and `nurture promises`: what they print, and how they refuse."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nurture.cli import main
from nurture.cli.project import Given
from nurture.clock import SetClock
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.wiring import open_project
from tests.conftest import MONDAY


@pytest.fixture
def run(folder: Path):
    """Runs a command on a project with two people who wait, and a promise to one of them."""
    project = open_project(folder / "config.yaml", SetClock(MONDAY), env={})
    for who, stage in (("c1", "applied"), ("c2", "final")):
        event = {
            "type": "application.created",
            "id": who,
            "candidate": {"id": who, "email": f"{who}@example.com", "first_name": "Ana"},
            "application": {"id": f"a-{who}", "stage": stage, "recruiter": "ida@example.com"},
        }
        apply(project.database, parse_event(event), MONDAY)
    made = {"id": "p1", "what": "a decision", "due": "2026-11-25"}
    told = {"type": "promise.made", "id": "p", "application": {"id": "a-c2"}, "promise": made}
    apply(project.database, parse_event(told), MONDAY)
    project.close()

    def go(*words: str) -> Result:
        command = [words[0], "--config", str(folder / "config.yaml"), *words[1:]]
        return CliRunner().invoke(main, command, obj=Given(clock=SetClock(MONDAY), env={}))

    return go


def objects(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_worst_comes_first_and_the_rest_is_counted(run) -> None:
    first, second = objects(run("silence", "--json"))
    assert (first["candidate"], first["hours"], first["owner"]) == ("c2", 48.0, "ida@example.com")
    assert second["candidate"] == "c1"
    text = run("silence", "--limit", "1").stdout
    assert "+48.0" in text
    assert "a-c1" not in text
    assert text.splitlines()[-1] == "... and 1 more (--limit)"


def test_what_is_owed_is_told_with_its_owner_and_as_a_summary(run) -> None:
    (owed,) = objects(run("promises", "--json"))
    assert (owed["ref"], owed["status"], owed["owner"]) == ("p1", "open", "ida@example.com")
    assert owed["hours"] == 53.0  # on Wednesday at three
    (score,) = objects(run("promises", "--summary", "--json"))
    assert (score["owner"], score["open"], score["kept"]) == ("ida@example.com", 1, 0)
    assert "a decision" in run("promises").stdout


def test_a_proof_needs_a_law_and_says_what_it_found(run, folder: Path, tmp_path: Path) -> None:
    refused = run("silence", "--proof", str(tmp_path / "proof.csv"))
    assert refused.exit_code == 2
    assert "legal_silence" in refused.stderr
    (folder / "config.yaml").write_text("legal_silence: {preset: ontario}\n")
    assert "0 interviewed" in run("silence", "--proof", str(tmp_path / "proof.csv")).stdout
    assert (tmp_path / "proof.csv").read_text().startswith("application,candidate,job")
    nowhere = run("silence", "--proof", str(tmp_path / "no/where.csv"))
    assert nowhere.exit_code == 3


@pytest.mark.parametrize("command", ["silence", "promises"])
def test_the_help_shows_an_example(run, command: str) -> None:
    assert "Example: nurture" in run(command, "--help").stdout
