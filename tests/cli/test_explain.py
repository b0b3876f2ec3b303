"""Does `explain` show by which words a mail was sent?"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nurture.cli import main
from nurture.cli.project import Given
from nurture.clock import SetClock

Run = Callable[..., Result]


@pytest.fixture
def run(folder: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Types a command in the folder of a starter project that has sent its first mails."""
    monkeypatch.chdir(folder)

    def typed(*words: str) -> Result:
        return CliRunner().invoke(main, list(words), obj=Given(clock=clock, env={}))

    assert typed("run", "--once").exit_code == 0
    return typed


def sent(run: Run, *words: str) -> list[dict[str, Any]]:
    rows = map(json.loads, run("explain", "sample-01", "--json", *words).stdout.splitlines())
    return [row for row in rows if row["message"] is not None]


@pytest.mark.acceptance("A3.4")
def test_what_was_sent_says_by_which_version(run: Run, folder: Path) -> None:
    first = sent(run)[0]
    for part in ("campaign", "template", "layout"):
        by = first["sent_by"][part]
        assert by["digest"] == hashlib.sha256((folder / by["file"]).read_bytes()).hexdigest()
        assert "text" not in by
    shown = run("explain", "sample-01").stdout
    assert f"as of {first['sent_by']['template']['digest'][:12]}, since Mon 23 Nov" in shown


def test_the_words_of_then_are_shown_when_the_files_are_gone(run: Run, folder: Path) -> None:
    first = sent(run)[0]
    by = first["sent_by"]
    lines = (folder / by["campaign"]["file"]).read_text().split("\n")
    rules = "\n".join(lines[by["campaign"]["line"] - 1 : by["campaign"]["to"]])
    words = (folder / by["template"]["file"]).read_text()
    for path in (*folder.glob("campaigns/*.yaml"), *folder.glob("templates/*/*.md")):
        path.unlink()
    assert sent(run, "--words")[0]["sent_by"]["campaign"]["text"] == rules
    assert sent(run, "--words")[0]["sent_by"]["template"]["text"] == words
    shown = run("explain", "--message", str(first["message"])).stdout
    for line in (*rules.split("\n"), *words.strip().split("\n")):
        assert f"| {line}".rstrip() in shown
    assert shown.count("as of") == 3, "one mail, and not the others"


def test_one_mail_is_shown_with_its_candidate(run: Run) -> None:
    first = sent(run)[0]
    shown = run("explain", "--message", str(first["message"]))
    assert shown.stdout.startswith("Ana Silva, sample-01")
    told = run("explain", "--message", str(first["message"]), "--json").stdout
    (row,) = map(json.loads, told.splitlines())
    assert row["sent_by"]["template"]["text"]


def test_what_was_said_then_can_be_asked_later(run: Run, clock: SetClock) -> None:
    then = run("explain", "sample-01", "--json").stdout
    clock.set(clock.now() + timedelta(days=3))
    assert run("run", "--once").exit_code == 0
    rows = run("explain", "sample-01", "--at", "2026-11-23T10:30", "--json").stdout
    assert rows != run("explain", "sample-01", "--json").stdout
    told = {said(row): row["recorded_at"] for row in map(json.loads, rows.splitlines())}
    for row in map(json.loads, then.splitlines()):
        if row["reason"] != "no_anchor":  # what had no date is not on record
            assert told[said(row)].startswith("2026-11-23T10:0")
    shown = run("explain", "sample-01", "--at", "2026-11-23T10:30+00:00").stdout
    assert "as it stood Mon 23 Nov 10:30 (Lisbon)" in shown
    early = run("explain", "sample-01", "--at", "2026-11-01").stdout
    assert "nothing had been decided about them by then" in early


def said(row: dict[str, Any]) -> tuple[str, ...]:
    return row["campaign"], str(row["application"]), row["step"], row["sentence"]


def test_who_asks_for_nothing_that_is_there_is_told(run: Run) -> None:
    for words, code, said in (
        ((), 2, "name a candidate, or one mail"),
        (("sample-01", "--message", "1"), 2, "name a candidate, or one mail"),
        (("sample-01", "--at", "2036-01-01"), 2, "look ahead"),
        (("nobody", "--at", "2026-01-01"), 1, "nobody"),
        (("--message", "1", "--at", "2026-01-01"), 2, "one story"),
        (("--message", "9999"), 1, "there is no message 9999"),
    ):
        result = run("explain", *words)
        assert result.exit_code == code, words
        assert said in result.stderr
