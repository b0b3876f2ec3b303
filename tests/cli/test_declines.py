"""Why candidates say no is told by job, in their own words, and each no once."""

import json
from datetime import datetime, timedelta
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

#: Who, for which job, and what was told of their no, in that order.
NOES = (
    ("c1", "Data Engineer", [("application.withdrawn", "pay")]),
    ("c2", "Data Engineer", [("application.withdrawn", "  pay\n ")]),
    ("c3", "Data Engineer", [("offer.declined", "another offer"), ("application.withdrawn", None)]),
    ("c4", "Nurse", [("application.withdrawn", None)]),
    ("c5", "Nurse", [("application.rejected", "skills_depth")]),
    ("c6", "Nurse", []),
)


@pytest.fixture
def run(tmp_path: Path):
    """Runs a command on a project in which some have said no, and we to one."""
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "config.yaml").write_text("")
    project = open_project(folder / "config.yaml", SetClock(MONDAY), env={})

    def tell(type_: str, **about: object) -> None:
        event = {"type": type_, "occurred_at": MONDAY.isoformat(), **about}
        apply(project.database, parse_event(event), MONDAY)

    for who, title, noes in NOES:
        application = {"id": f"a-{who}", "job": {"id": title.lower(), "title": title}}
        candidate = {"id": who, "email": f"{who}@example.com"}
        tell("application.created", candidate=candidate, application=application)
        for type_, reason in noes:
            about: dict[str, object] = {"application": {"id": f"a-{who}"}}
            if type_ == "offer.declined":
                offer = {"id": f"o-{who}"}
                tell("offer.sent", offer=offer, **about)
                about["offer"] = offer
            if reason:
                about["reason"] = reason
            tell(type_, **about)
    project.close()

    def go(*words: str, now: datetime = MONDAY) -> Result:
        command = [words[0], "--config", str(folder / "config.yaml"), *words[1:]]
        return CliRunner().invoke(main, command, obj=Given(clock=SetClock(now), env={}))

    return go


@pytest.mark.acceptance("A4.3")
def test_reasons_are_counted_by_job_and_each_no_once(run) -> None:
    result = run("declines", "--json")
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["job"], row["how"], row["reason"], row["count"]) for row in found] == [
        ("Data Engineer", "withdrew", "pay", 2),
        ("Data Engineer", "declined the offer", "another offer", 1),
        ("Nurse", "withdrew", None, 1),
    ]
    shown = run("declines").stdout
    assert "another offer" in shown
    assert "nobody said" in shown
    assert "skills_depth" not in shown  # that no was ours


def test_what_is_longer_ago_is_not_counted(run) -> None:
    later = run("declines", "--days", "30", now=MONDAY + timedelta(days=31))
    assert later.stdout == "nobody said no in 30 days\n"
    assert "pay" in run("declines", "--days", "32", now=MONDAY + timedelta(days=31)).stdout
