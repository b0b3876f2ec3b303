"""The page, `agenda`, `explain` and `simulate` tell one agenda: what is shown is what happens."""

import html
import json
import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from nurture.cli import main
from nurture.cli.project import Given
from nurture.core.model import ByPhone
from nurture.engine.outlook import AHEAD
from nurture.engine.project import Project
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from tests.conftest import MONDAY as NOW
from tests.web.conftest import Client, enter

#: What they asked for, beside the sample's own stories.
WISHES: dict[str, dict[str, Any]] = {
    "sample-02": {"pace": "weekly", "pace_day": "thursday"},
    "sample-03": {"pace": "only_what_matters"},
    "sample-04": {"channel": "phone", "phone": "+351 21 000 0000"},
    "sample-06": {"hours": ["only tue-thu 17:00-20:00"]},
}
PEOPLE = ["sample-01", "sample-02", "sample-03", "sample-04", "sample-06"]
DAYS = 6


@pytest.fixture
def lived_in(populated: Project) -> Project:
    """The starter project, with people who asked for this and that, planned."""
    now = populated.clock.now()
    for ref, preferences in WISHES.items():
        event = {
            "type": "candidate.preferences",
            "source": "test",
            "id": ref,
            "occurred_at": now.isoformat(),
            "candidate": {"id": ref},
            "preferences": preferences,
        }
        apply(populated.database, parse_event(event), now)
    while populated.planner.tick():
        pass
    return populated


@pytest.fixture
def typed(lived_in: Project, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Types a command in a folder of this project; its lines of JSON."""
    monkeypatch.chdir(lived_in.config.root)
    own = lived_in.config.root / "own.yaml"
    own.write_text(f"database: sqlite:///{lived_in.database.file}")
    given = Given(clock=lived_in.clock, env={})

    def lines(*words: str) -> list[dict[str, Any]]:
        result = CliRunner().invoke(main, [*words, "--json", "--config", str(own)], obj=given)
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    yield lines
    own.unlink()


@pytest.fixture
def page(lived_in: Project, serve: Any) -> Iterator[httpx.Client]:
    with serve(lived_in) as address, Client(address, lived_in, enter(lived_in)) as client:
        yield client


def test_all_who_tell_an_agenda_tell_the_same(
    typed: Any, page: httpx.Client, lived_in: Project
) -> None:
    simulated = typed("simulate", "--days", str(DAYS))
    categories = lived_in.config.categories.values()
    called = {each.name for each in categories if each.by_phone is not ByPhone.MAIL}
    reasons: set[str] = set()
    for who in PEOPLE:
        agenda, explained = typed("agenda", who), typed("explain", who)
        soon = [row for row in explained if not later(row)]
        assert [{key: row[key] for key in agenda[0]} for row in soon] == agenda, who
        assert sorted(on_the_page(page, who)) == sorted((at(row), row["sentence"]) for row in soon)
        acted = [occasion(row) for row in simulated if row["candidate"] == who]
        rung = called if WISHES.get(who, {}).get("channel") == "phone" else ()
        assert [each for each in foreseen(agenda, rung) if each not in acted] == [], who
        reasons |= {row["reason"] for row in agenda}
    assert {"due", "scheduled", "contact_hours", "after_step", "pace"} <= reasons


def on_the_page(client: httpx.Client, who: str) -> list[tuple[str, str]]:
    """Instant and sentence of each entry."""
    entries = re.findall(
        r'<div class="time">(.*?)</div>.*?</p>\s*<p>(.*?)\.</p>\s*<p class="from"',
        client.get(f"/candidates/{who}").text,
        re.DOTALL,
    )
    return [
        ("".join(re.findall(r'datetime="([^"]+)"', time)), html.unescape(said))
        for time, said in entries
    ]


def foreseen(agenda: list[dict[str, Any]], called: Collection[str]) -> list[tuple[Any, ...]]:
    """What goes out in the days that are simulated, by the agenda as it is now: what is firm, and
    does not hang on a person's word or call."""
    end = NOW + timedelta(days=DAYS)
    return [
        occasion(row)
        for row in agenda
        if row["verdict"] in ("send", "wait")
        and row["at"]
        and datetime.fromisoformat(row["at"]) <= end
        and not {"about", "will_expire"} & row["detail"].keys()
        and row["reason"] not in ("approval", "phone_first")
        and row["category"] not in called
    ]


def occasion(row: dict[str, Any]) -> tuple[Any, ...]:
    when = datetime.fromisoformat(row["at"]).replace(microsecond=0)
    return row["campaign"], row["application"], row["step"], row["template"], when


def at(row: dict[str, Any]) -> str:
    return row["at"] or ""


def later(row: dict[str, Any]) -> bool:
    return bool(row["at"]) and datetime.fromisoformat(row["at"]) > NOW + AHEAD
