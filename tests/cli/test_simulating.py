"""What does `nurture simulate` tell: from when, of whom, against what; on pages and in bytes?"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nurture.cli import main, report
from nurture.cli.project import Given
from nurture.clock import SetClock
from tests.conftest import MONDAY, REPOSITORY, fewer, starter

Run = Callable[..., Result]
FROM = "2026-11-23T10:00+00:00"


@pytest.fixture
def folder(folder: Path) -> Path:
    fewer(folder)
    return folder


@pytest.fixture
def run(folder: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(folder)

    def typed(*words: str) -> Result:
        return CliRunner().invoke(main, list(words), obj=Given(clock=clock, env={}))

    return typed


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What var/ holds after the first `nurture run --once` with the sample candidates."""
    project = starter(tmp_path_factory.mktemp("first"))
    fewer(project)
    words = ["run", "--once", "--config", str(project / "config.yaml")]
    result = CliRunner().invoke(main, words, obj=Given(clock=SetClock(MONDAY), env={}))
    assert result.exit_code == 0, result.output
    return project / "var"


@pytest.fixture
def begun(run: Run, first_run: Path, folder: Path) -> Run:
    """The starter project after that."""
    shutil.copytree(first_run, folder / "var")
    return run


def objects(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def edit(folder: Path, name: str, before: str, after: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


SAMPLE = ("simulate", "--sample", "--days", "8")
ONE = ("simulate", "--candidate", "sample-02", "--days", "20", "--against", "in-force")
SOONER = ("campaigns/interview-preparation.yaml", "after: 2 business days", "after: 1 hour")


# --- of whom, and from when


def test_one_candidate_gets_what_they_get_among_all(begun: Run) -> None:
    everybody = objects(begun("simulate", "--days", "14", "--json"))
    one = objects(begun("simulate", "--days", "14", "--candidate", "sample-03", "--json"))
    assert one == [row for row in everybody if row["candidate"] == "sample-03"] != []


def test_one_campaign_is_told_of_in_the_company_of_all_others(begun: Run) -> None:
    everybody = objects(begun("simulate", "--days", "30", "--json"))
    name = "company-culture"
    one = objects(begun("simulate", "--days", "30", "--campaign", name, "--json"))
    assert one == [row for row in everybody if row["campaign"] == name] != []


def test_a_campaign_or_candidate_that_nobody_has_is_an_error_with_a_hint(begun: Run) -> None:
    wrong = begun("simulate", "--campaign", "company-cultur")
    assert wrong.exit_code == 2
    assert "company-culture" in wrong.stderr
    wrong = begun("simulate", "--candidate", "nobody")
    assert wrong.exit_code == 1


def test_a_start_is_a_start(run: Run) -> None:
    rows = objects(run(*SAMPLE, "--from", "2027-03-01T09:00+01:00", "--json"))
    assert {row["at"][:7] for row in rows} == {"2027-03"}
    assert min(row["at"] for row in rows) >= "2027-03-01T08:00"


def test_invented_people_leave_no_trace(run: Run, folder: Path) -> None:
    assert objects(run(*SAMPLE, "--json")) != []
    (status,) = objects(run("status", "--json"))
    assert status["candidates"] == 0
    assert not (folder / "var/outbox").exists()


def test_an_empty_project_is_told_about_its_sample(run: Run) -> None:
    assert "--sample" in run("simulate").stderr


# --- against another version


def test_against_what_the_daemon_runs_an_edit_shows_who_gets_what_when(
    begun: Run, folder: Path
) -> None:
    assert objects(begun(*ONE, "--json")) == []
    assert "The same people get the same" in begun(*ONE).stdout
    edit(folder, *SOONER)
    found = objects(begun(*ONE, "--json"))
    keys = ["change", "candidate", "application", "campaign", "step", "before", "after"]
    assert all(list(each) == keys for each in found)
    assert {(each["change"], each["step"]) for each in found} == {("moved", "answer-due")}
    assert all(each["after"]["at"] < each["before"]["at"] for each in found)
    text = begun(*ONE).stdout
    assert "interview-preparation (changed)" in text
    assert re.search(r"moved .*Becomes a task .*Becomes a task", text)


def test_a_new_and_a_removed_step_say_why_nothing_comes_instead(begun: Run, folder: Path) -> None:
    file = "campaigns/interview-preparation.yaml"
    edit(
        folder, file, "  - send: interview-prep/sample-questions", "  - send: culture/meet-the-team"
    )
    found = objects(begun("simulate", "--days", "10", "--against", "in-force", "--json"))
    by_step = {each["step"]: each["change"] for each in found}
    assert by_step["sample-questions"] == "removed"
    assert by_step["meet-the-team"] == "added"
    removed = [each for each in found if each["change"] == "removed"]
    assert all(each["after"] is None or each["after"]["verdict"] != "send" for each in removed)


def test_a_renamed_step_is_the_same_step(begun: Run, folder: Path) -> None:
    file = "campaigns/interview-preparation.yaml"
    edit(folder, file, "    id: answer-due", "    id: answer-please\n    was: answer-due")
    assert objects(begun(*ONE, "--json")) == []


def test_other_words_at_the_same_times_are_counted(begun: Run, folder: Path) -> None:
    path = folder / "templates/interview-prep/thank-you.md"
    path.write_text(path.read_text(encoding="utf-8") + "\nSee you.\n", encoding="utf-8")
    told = begun("simulate", "--days", "30", "--against", "in-force").stdout
    assert re.search(r"^[1-9]\d* mails go out as before with other words\.$", told, re.MULTILINE)
    assert "templates interview-prep/thank-you (changed)" in told


def test_against_a_revision_of_git(run: Run, folder: Path) -> None:
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "campaigns", "content", "templates", "config.yaml", "sample")
    git(folder, "commit", "-qm", "first")
    edit(folder, *SOONER)
    found = objects(run(*SAMPLE, "--against", "HEAD", "--json"))
    assert {each["step"] for each in found} == {"answer-due"}
    git(folder, "commit", "-qam", "second")
    assert objects(run(*SAMPLE, "--against", "main", "--json")) == []
    assert objects(run(*SAMPLE, "--against", "HEAD~1", "--json")) == found


def test_rules_of_a_revision_of_git_are_its_own(run: Run, folder: Path) -> None:
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "campaigns", "content", "templates", "config.yaml")
    git(folder, "commit", "-qm", "first")
    edit(folder, "config.yaml", 'from: "08:30"', 'from: "11:30"')
    found = objects(run(*SAMPLE, "--against", "HEAD", "--json"))
    assert "moved" in {each["change"] for each in found}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--against", "nope"), "not in a Git repository"),
        (("--against", "in-force"), "nothing is in force yet"),
    ],
)
def test_a_version_that_is_nowhere_is_one_clear_line(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    result = run("simulate", *words)
    assert result.exit_code in (1, 2)
    assert said in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output


def test_a_revision_that_git_does_not_know_is_one_clear_line(run: Run, folder: Path) -> None:
    git(folder, "init", "-q", "-b", "main")
    for revision in ("nope", "--help", "HEAD"):
        result = run("simulate", f"--against={revision}")
        assert result.exit_code == 2
        assert f'Git knows no revision "{revision}"' in result.stderr


# --- the page


def test_the_page_tells_all_without_script_or_loads(run: Run, folder: Path) -> None:
    (folder / "campaigns/by-night.yaml").write_text(
        "name: By night\nstatus: live\nenter: {if: candidate.email}\nsteps:\n"
        "  - send: culture/meet-the-team\n    at: 1 day after entered at 03:00\n"
        "    until: 1 day after entered at 04:00\n"
    )
    assert run("run", "--once").exit_code == 0
    edit(folder, *SOONER)
    words = ("--days", "10", "--against", "in-force", "--html", "out/page.html")
    assert run("simulate", *words).exit_code == 0
    page = (folder / "out/page.html").read_text(encoding="utf-8")
    for title in ("What differs", "Mails a day", "Campaigns", "Capped", "Expired", "Calendars"):
        assert f"<h2>{title}" in page, title
    for load in ("http", "<script", "<link", "<img", "url(", "@import", "<iframe", str(folder)):
        assert load not in page, load
    assert '<html lang="en">' in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert page.count("<table") == page.count("</table>")
    assert page.count("<section") == page.count("</section>")
    assert page.count("<details") == page.count("</details>")


def test_every_mail_of_the_course_stands_in_a_calendar(run: Run, folder: Path) -> None:
    rows = objects(run(*SAMPLE, "--from", FROM, "--html", "page.html", "--json"))
    page = (folder / "page.html").read_text(encoding="utf-8")
    for verdict, kind in (("send", "mail"), ("task", "task")):
        assert page.count(f'<p class="{kind}"') == sum(row["verdict"] == verdict for row in rows)


def test_beyond_so_many_people_have_a_line_each(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "CALENDARS", 3)
    monkeypatch.setattr(report, "LISTED", 2)
    rows = objects(run(*SAMPLE, "--html", "page.html", "--json"))
    people = {row["candidate"] for row in rows if row["verdict"] != "skip"}
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert page.count('class="cal"') == 3
    assert f"And {len(people) - 3} more, without a calendar" in page
    assert all(person in page for person in people)
    assert " more: " in page


# --- the same bytes


def test_the_same_inputs_give_the_same_bytes_in_any_process(folder: Path) -> None:
    """JSON and pages, whatever the order of Python's sets is."""
    given: list[list[bytes]] = []
    edit(folder, *SOONER)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "campaigns", "content", "templates", "config.yaml")
    git(folder, "commit", "-qm", "first")
    edit(folder, SOONER[0], "after: 1 hour", "after: 2 days")
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY)}
        words = ["simulate", "--sample", "--days", "4", "--from", FROM, "--json"]
        words += ["--against", "HEAD", "--html", "page.html"]
        done = subprocess.run(
            [sys.executable, "-m", "nurture", *words],
            cwd=folder,
            env=env,
            capture_output=True,
            check=True,
        )
        given.append([done.stdout, (folder / "page.html").read_bytes()])
    assert given[0] == given[1]
    assert all(len(each) > 0 for each in given[0])
