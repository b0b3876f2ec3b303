"""Does `show` draw a campaign, with and without people, as a tree, as JSON and as Mermaid?"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nurture.cli import main
from nurture.cli.project import Given
from nurture.clock import SetClock
from nurture.engine.flowchart import flowchart
from nurture.engine.picture import picture
from nurture.engine.project import Project
from tests.engine.test_flowchart import parsed

Run = Callable[..., Result]
FILE = """\
name: First days
status: live
enter: {on: application.created, once_per: application}
leave: {on: [offer.accepted]}
steps:
  - send: interview-prep/thank-you
    if: application.stage == "offer"
  - if: candidate.phone == "1"
    then:
      - task: {text: Call them}
    else:
      - wait_for: candidate.replied
        up_to: 2 days
  - task: {text: Write to them}
    after: 1 day
"""


@pytest.fixture
def run(folder: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(folder)

    def typed(*words: str) -> Result:
        return CliRunner().invoke(main, list(words), obj=Given(clock=clock, env={}))

    return typed


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in Path("campaigns").resolve().glob("*.yaml"))
)
def test_each_starter_campaign_can_be_shown(run: Run, name: str) -> None:
    result = run("show", name)
    assert result.exit_code == 0, result.output
    assert "0 in it now" in result.stdout


def test_each_starter_campaign_is_a_flowchart_and_json(project: Project) -> None:
    for name, campaign in project.library.campaigns.items():
        seen = picture(campaign)
        parsed(flowchart(seen))
        assert json.loads(json.dumps(seen.as_json(), default=str))["campaign"] == name


def test_the_journey_is_an_indented_tree(run: Run, folder: Path) -> None:
    (folder / "campaigns/first.yaml").write_text(FILE.replace("leave: {on", "leave:\n  - {on"))
    shown = run("show", "campaigns/first.yaml").stdout.splitlines()
    assert shown[0] == "First days (first, live)"
    assert shown[4:] == [
        "enter on application.created, once per application",
        "├─ send interview-prep/thank-you  [thank-you]",
        '│     on entering; if application.stage == "offer"',
        '├─ if candidate.phone == "1"  [if-candidate-phone-1]',
        "│  │  right after the step above",
        "│  ├─ then (0)",
        "│  │  └─ task Call them  [call-them]",
        "│  │        right after the choice; for the recruiter; due in 1 business day",
        "│  └─ else (0)",
        "│     └─ wait for candidate.replied  [wait-for-candidate-replied]",
        "│           right after the choice; up to 2 days",
        "└─ task Write to them  [write-to-them]",
        "      1 day after the step above; for the recruiter; due in 1 business day",
        "leave on offer.accepted",
    ]


def test_people_are_counted(run: Run) -> None:
    run("run", "--once")
    seen = json.loads(run("show", "interview-preparation", "--json").stdout)
    assert seen["entered"] == seen["active"] + seen["finished"] + sum(seen["left"].values()) > 0
    confirmation = next(step for step in seen["steps"] if step["step"] == "confirmation")
    assert confirmation["kind"] == "send"
    assert confirmation["sent"] > 0
    assert any(step["waiting"].get("scheduled") for step in seen["steps"])
    shown = run("show", "interview-preparation").stdout
    assert f"{confirmation['sent']} sent" in shown
    assert f"{seen['active']} in it now" in shown


def test_without_a_database_nobody_is_counted(run: Run, folder: Path) -> None:
    config = folder / "config.yaml"
    text = config.read_text().replace(
        "sqlite:///var/nurture.db", "postgresql+psycopg://nobody@127.0.0.1:9/none"
    )
    config.write_text(text)
    result = run("show", "interview-preparation")
    assert result.exit_code == 0
    assert "0 in it now" in result.stdout
    assert "nobody is counted" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("interview-preperation",), 1, 'did you mean "interview-preparation"?'),
        (("zzz",), 1, "there are accommodations, "),
        (("decision", "--mermaid", "--json"), 2, "not both"),
    ],
)
def test_what_cannot_be_shown_is_told(
    run: Run, words: tuple[str, ...], code: int, said: str
) -> None:
    result = run("show", *words)
    assert result.exit_code == code
    assert said in result.stderr
