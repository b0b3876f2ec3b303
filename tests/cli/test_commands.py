"""What do people and scripts see when they type a command?"""

import json
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from nurture import __version__
from nurture.cli import main
from nurture.cli.project import Given
from nurture.clock import SetClock
from tests.conftest import starter

REPOSITORY = Path(__file__).parent.parent.parent

#: When `clock` stands at the beginning.
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

Run = Callable[..., Result]


@pytest.fixture
def run(folder: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Types a command in the folder of the starter project, at the time of `clock`."""
    monkeypatch.chdir(folder)

    def typed(*words: str, stdin: str | None = None) -> Result:
        given = Given(clock=clock, env={})
        return CliRunner().invoke(main, list(words), obj=given, input=stdin)

    return typed


@pytest.fixture
def bare(run: Run, folder: Path) -> Run:
    """The same without the starter's campaigns and sample candidates."""
    for name in ("campaigns", "sample"):
        shutil.rmtree(folder / name)
    (folder / "campaigns").mkdir()
    return run


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What var/ holds after the first `nurture run --once`."""
    project = starter(tmp_path_factory.mktemp("first"))
    words = ["run", "--once", "--config", str(project / "config.yaml")]
    result = CliRunner().invoke(main, words, obj=Given(clock=SetClock(MONDAY), env={}))
    assert result.exit_code == 0, result.output
    return project / "var"


@pytest.fixture
def begun(run: Run, first_run: Path, folder: Path, clock: SetClock) -> Run:
    """The starter project a second after its first `nurture run --once`."""
    shutil.copytree(first_run, folder / "var")
    clock.advance(timedelta(seconds=1))
    return run


def objects(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def told(result: Result) -> str:
    """The one line on standard error."""
    (line,) = result.stderr.splitlines()
    assert "Traceback" not in line
    return line


def mails(folder: Path) -> list[Path]:
    return sorted((folder / "var/outbox").rglob("*.eml"))


def everything() -> Iterator[tuple[str, click.Command]]:
    """Each command with the words by which it is called."""
    waiting: list[tuple[str, click.Command]] = [("nurture", main)]
    while waiting:
        words, command = waiting.pop()
        yield words, command
        if isinstance(command, click.Group):
            waiting += [(f"{words} {name}", each) for name, each in command.commands.items()]


COMMANDS = dict(everything())


# --- running once


def test_the_first_run_of_a_new_project_mails_its_sample_candidates(run: Run, folder: Path) -> None:
    result = run("run", "--once")
    assert result.exit_code == 0, result.output
    assert len(mails(folder)) >= 10
    assert "24 sample candidates" in result.stdout
    assert re.search(r"sample-01 +Ana +interview-prep/confirmation +Mon 23 Nov", result.stdout)
    assert re.search(r"Waits until .*: its moment has not come", result.stdout)
    assert "the mails are in var/outbox" in result.stdout


def test_running_once_again_sends_nothing_twice(begun: Run, folder: Path) -> None:
    before = mails(folder)
    result = begun("run", "--once")
    assert result.exit_code == 0
    assert "sent: 0" in result.stdout
    assert "sample candidates" not in result.stdout
    assert mails(folder) == before


def test_running_once_later_sends_what_has_come_due(
    begun: Run, folder: Path, clock: SetClock
) -> None:
    before = len(mails(folder))
    clock.advance(timedelta(days=1))
    assert begun("run", "--once").exit_code == 0
    assert len(mails(folder)) > before


def test_invented_people_never_reach_a_real_mail_server(run: Run, folder: Path) -> None:
    smtp = "transport: {kind: smtp, host: 127.0.0.1, port: 9, security: plain}\n"
    (folder / "config.yaml").write_text(smtp)
    assert run("run", "--once").exit_code == 0
    assert objects(run("status", "--json"))[0]["candidates"] == 0


# --- looking


AGENDA = [
    *("at", "candidate", "application", "campaign", "step", "template", "category"),
    *("verdict", "reason", "detail"),
]


def test_agenda_tells_what_was_sent_and_what_waits(begun: Run) -> None:
    rows = objects(begun("agenda", "sample-01", "--json"))
    assert all(list(row) == AGENDA for row in rows)
    verdicts = {(row["step"], row["verdict"]) for row in rows}
    assert ("confirmation", "sent") in verdicts
    assert ("day-before", "wait") in verdicts


def test_agenda_for_people_names_the_zone_of_the_candidate(begun: Run) -> None:
    result = begun("agenda", "sample-13")
    assert "Asia/Tokyo" in result.stdout
    assert "(Tokyo)" in result.stdout


def test_a_candidate_is_found_by_address_in_any_case(begun: Run) -> None:
    by_ref = objects(begun("agenda", "sample-01", "--json"))
    assert objects(begun("agenda", "Ana.Silva@Example.com", "--json")) == by_ref


@pytest.mark.parametrize("command", ["agenda", "explain"])
def test_an_unknown_candidate_is_one_line_with_who_may_be_meant(begun: Run, command: str) -> None:
    result = begun(command, "sample-O1")
    assert result.exit_code == 1
    assert re.search(r'no candidate "sample-O1".*did you mean "sample-', told(result))


def test_explain_says_why_of_each_step_however_far(begun: Run) -> None:
    rows = objects(begun("explain", "sample-01", "--json"))
    near = objects(begun("agenda", "sample-01", "--json"))
    assert all(row["sentence"] for row in rows)
    assert len(rows) >= len(near)
    shown = begun("explain", "sample-01").stdout
    assert all(row["sentence"] in shown for row in rows)


def test_a_rescheduled_and_then_cancelled_interview_shows_in_the_agenda(
    begun: Run, clock: SetClock
) -> None:
    def day_before() -> list[dict[str, Any]]:
        rows = objects(begun("agenda", "e-1", "--json"))
        return [row for row in rows if row["step"] == "day-before"]

    def interview(kind: str, day: int) -> None:
        event = {
            "type": f"interview.{kind}",
            "candidate": {"id": "e-1", "email": "eva@example.com", "timezone": "Europe/Lisbon"},
            "application": {"id": "e-app", "job": {"title": "Cook"}, "stage": "interviewing"},
            "interview": {
                "id": "e-int",
                "kind": "video",
                "starts_at": f"2026-12-{day:02}T10:00:00+00:00",
            },
        }
        assert begun("events", "-", stdin=json.dumps(event)).exit_code == 0
        assert begun("run", "--once").exit_code == 0

    interview("scheduled", 3)
    assert [(row["verdict"], row["at"][:10]) for row in day_before()] == [("wait", "2026-12-02")]
    clock.advance(timedelta(hours=1))
    interview("rescheduled", 10)
    assert [row["at"][:10] for row in day_before() if row["verdict"] == "wait"] == ["2026-12-09"]
    clock.advance(timedelta(hours=1))
    interview("cancelled", 10)
    assert {row["verdict"] for row in day_before()} == {"skip"}
    assert all(row["reason"] in ("left", "moved") for row in day_before())


def test_simulate_prints_final_verdicts_in_time_order_and_changes_nothing(
    begun: Run, folder: Path
) -> None:
    before = (objects(begun("messages", "--json")), mails(folder))
    rows = objects(begun("simulate", "--days", "14", "--json"))
    assert all(list(row) == AGENDA for row in rows)
    assert {row["verdict"] for row in rows} <= {"send", "task", "skip"}
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert sum(row["verdict"] == "send" for row in rows) > 10
    assert (objects(begun("messages", "--json")), mails(folder)) == before


def test_simulate_writes_a_page_that_loads_nothing(begun: Run, folder: Path) -> None:
    name = '"first_name": "<script>alert(1)</script>"'
    event = f'{{"type": "candidate.upserted", "candidate": {{"id": "sample-01", {name}}}}}'
    assert begun("events", "-", stdin=event).exit_code == 0
    result = begun("simulate", "--days", "3", "--html", "page.html")
    assert result.exit_code == 0
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "http" not in page
    assert "day-before" in page


MESSAGE = [
    *("id", "message_id", "candidate", "campaign", "step", "template", "category"),
    *("state", "created_at", "sent_at", "reason", "section"),
]


def test_messages_can_be_narrowed_down(begun: Run) -> None:
    rows = objects(begun("messages", "--json"))
    assert all(list(row) == MESSAGE for row in rows)
    assert rows == sorted(rows, key=lambda row: -row["id"])
    one = objects(begun("messages", "--candidate", "sample-01", "--json"))
    assert one == [row for row in rows if row["candidate"] == "sample-01"] != []
    assert objects(begun("messages", "--state", "failed", "--json")) == []
    assert objects(begun("messages", "--since", "2026-11-24", "--json")) == []
    assert objects(begun("messages", "--since", "2026-11-23", "--json")) == rows
    assert objects(begun("messages", "--limit", "2", "--json")) == rows[:2]


def test_status_counts_and_tells_of_a_broken_file(begun: Run, folder: Path) -> None:
    path = folder / "campaigns/interview-preparation.yaml"
    path.write_text(path.read_text().replace("steps:", "stepz:"))
    (seen,) = objects(begun("status", "--json"))
    assert seen["candidates"] == 24
    assert seen["messages"]["sent"] >= 10
    assert [problem["file"] for problem in seen["problems"]][:1] == [
        "campaigns/interview-preparation.yaml"
    ]
    assert seen["missing"] == [], "its last good version is in force"
    shown = begun("status").stdout
    assert "interview-preparation  live" in shown
    assert "candidates: 24" in shown
    assert "campaigns/interview-preparation.yaml:" in shown


def test_piped_tables_are_plain_text_one_row_a_line(begun: Run) -> None:
    shown = begun("messages").stdout
    rows = objects(begun("messages", "--json"))
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == len(rows) + 1
    assert all(line == line.rstrip() for line in shown.splitlines())


def test_a_name_cannot_steer_the_terminal(begun: Run) -> None:
    event = {
        "type": "candidate.upserted",
        "candidate": {"id": "sample-01", "first_name": "A\x1b[31mna\x9b2J"},
    }
    begun("events", "-", stdin=json.dumps(event))
    for command in (["agenda", "sample-01"], ["simulate", "--days", "2"], ["run", "--once"]):
        shown = begun(*command).output
        assert "\x1b" not in shown
        assert "\x9b" not in shown


# --- before it goes out


def test_check_finds_nothing_wrong_with_the_starter_project(run: Run) -> None:
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, "no problems\n")
    assert run("check", "--format", "json").stdout == ""


def test_check_tells_every_problem_in_three_formats(run: Run, folder: Path) -> None:
    path = folder / "campaigns/company-culture.yaml"
    path.write_text(path.read_text().replace("steps:", "stepz:").replace("owner:", "ownr:"))
    text = run("check")
    assert text.exit_code == 1
    assert re.search(r"^ *--> campaigns/company-culture\.yaml:\d+:1$", text.stdout, re.MULTILINE)
    assert 'error[unknown-key]: unknown key "stepz"' in text.stdout
    lines = run("check", "--json").stdout.splitlines()
    found = [json.loads(line) for line in lines]
    keys = ["file", "line", "column", "code", "message", "hint", "severity"]
    keys += ["end_line", "end_column"]
    assert all(sorted(each) == sorted(keys) for each in found)
    assert len(found) == text.stdout.count(" --> ")
    assert text.stdout.splitlines()[-1].startswith(f"{len(found)} errors in 1 file; ")
    assert run("check", "--format", "github").stdout.startswith("::error file=campaigns/")


def test_check_of_one_path_lives_with_links_that_lead_nowhere(run: Run, folder: Path) -> None:
    (folder / "campaigns/gone.yaml").symlink_to("/nowhere/at-all.yaml")
    (folder / "campaigns/itself.yaml").symlink_to("itself.yaml")
    assert run("check", "campaigns/decision.yaml").stdout == "no problems\n"
    told = [json.loads(line)["file"] for line in run("check", "--json").stdout.splitlines()]
    assert told == ["campaigns/gone.yaml", "campaigns/itself.yaml"]


def test_check_explains_a_code_and_finds_the_one_that_was_meant(run: Run) -> None:
    told = run("check", "--explain", "comma-in-value")
    assert (told.exit_code, told.stdout.splitlines()[0][:15]) == (0, "comma-in-value:")
    unknown = run("check", "--explain", "coma-in-value")
    assert unknown.exit_code == 2
    assert 'did you mean "comma-in-value"?' in unknown.stderr
    assert "comma-in-value  " in run("check", "--explain", "all").stdout
    assert run("check", "--explain", "page").stdout.startswith("# Problems")


def test_check_has_colours_where_they_are_asked_for_only(run: Run, folder: Path) -> None:
    path = folder / "campaigns/company-culture.yaml"
    path.write_text(path.read_text().replace("steps:", "stepz:"))
    assert "\x1b[" in run("check", "--color", "always").stdout
    assert "\x1b" not in run("check").stdout
    assert "\x1b" not in run("check", "--color", "always", "--json").stdout


def test_check_of_one_path_tells_of_that_path_only(run: Run, folder: Path) -> None:
    path = folder / "campaigns/company-culture.yaml"
    path.write_text(path.read_text().replace("steps:", "stepz:"))
    assert run("check", "campaigns/role-closed.yaml").exit_code == 0
    assert run("check", "templates").exit_code == 0
    assert run("check", "campaigns").exit_code == 1


def test_check_tells_of_a_bad_configuration_in_its_format(run: Run, folder: Path) -> None:
    (folder / "config.yaml").write_text("tranport: {}\n")
    result = run("check", "--json")
    assert result.exit_code == 1
    (found,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert (found["file"], found["line"], found["code"]) == ("config.yaml", 1, "unknown-key")
    other = run("status")
    assert other.exit_code == 1
    assert told(other).startswith("config.yaml:1:1: unknown-key")


def test_preview_writes_the_bytes_that_would_go_out(begun: Run, folder: Path) -> None:
    words = ("preview", "interview-prep/confirmation", "--candidate", "sample-01")
    (seen,) = objects(begun(*words, "--json"))
    assert seen["headers"]["Subject"] == seen["subject"]
    assert "Hello Ana," in seen["text"]
    result = begun(*words, "--out", "seen")
    assert f"Subject: {seen['subject']}" in result.stdout
    raw = (folder / "seen/interview-prep-confirmation.eml").read_bytes()
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["To"].addresses[0].addr_spec == "ana.silva@example.com"
    html = (folder / "seen/interview-prep-confirmation.html").read_text(encoding="utf-8")
    assert html == seen["html"]
    assert (folder / "seen/interview-prep-confirmation.txt").exists()


def test_preview_of_an_unknown_template_is_one_line(begun: Run) -> None:
    result = begun("preview", "nope", "--candidate", "sample-01")
    assert result.exit_code in (1, 2)
    assert '"nope"' in told(result)


# --- facts in


def test_an_import_mails_nobody_unless_it_is_live(run: Run, folder: Path) -> None:
    shutil.rmtree(folder / "sample")
    (folder / "old.csv").write_text("email,first name,job\nzoe@example.com,Zoe,Baker\n")
    (folder / "new.csv").write_text("email,first name,job\nkim@example.com,Kim,Baker\n")
    assert run("import", "old.csv").exit_code == 0
    assert run("import", "new.csv", "--live").exit_code == 0
    assert run("run", "--once").exit_code == 0
    assert {row["candidate"] for row in objects(run("messages", "--json"))} == {
        row["candidate"] for row in objects(run("agenda", "kim@example.com", "--json"))
    }


def test_a_dry_import_changes_nothing(bare: Run, folder: Path) -> None:
    (folder / "old.csv").write_text("email,first name\nzoe@example.com,Zoe\n")
    result = bare("import", "old.csv", "--dry-run")
    assert result.exit_code == 0
    assert "1 would be new" in result.stdout
    assert objects(bare("status", "--json"))[0]["candidates"] == 0


def test_rows_that_cannot_be_used_are_kept_with_their_reason(bare: Run, folder: Path) -> None:
    (folder / "old.csv").write_text("email,first name\nzoe@example.com,Zoe\n,Nobody\n")
    result = bare("import", "old.csv")
    assert result.exit_code == 1
    assert told(result).startswith("old.csv:3:")
    (kept,) = (folder / "var/rejected").iterdir()
    assert "Nobody" in kept.read_text(encoding="utf-8")
    assert objects(bare("status", "--json"))[0]["candidates"] == 1


def test_a_mapping_says_what_strange_headers_mean(bare: Run, folder: Path) -> None:
    (folder / "old.csv").write_text("Kontakt,Rufname\nzoe@example.com,Zoe\n")
    (folder / "map.yaml").write_text("columns: {Kontakt: email, Rufname: first_name}\n")
    assert bare("import", "old.csv", "--map", "map.yaml").exit_code == 0
    assert bare("agenda", "zoe@example.com").stdout.startswith("Zoe, ")


def test_a_file_without_addresses_is_refused_in_one_line(bare: Run, folder: Path) -> None:
    (folder / "old.csv").write_text("colour,size\nred,4\n")
    result = bare("import", "old.csv")
    assert result.exit_code == 1
    assert told(result).startswith("old.csv:1:")


LINES = (
    '{"type": "candidate.upserted", "candidate": {"id": "x-1", "email": "x@example.com"}}',
    "not json",
    '{"type": "candidate.upserted", "candidate": {"id": "x-2", "email": "y@example.com"}}',
)


@pytest.mark.parametrize("file", ["new.jsonl", "-"])
def test_bad_event_lines_are_told_and_good_ones_taken(bare: Run, folder: Path, file: str) -> None:
    (folder / "new.jsonl").write_text("\n".join(LINES))
    result = bare("events", file, stdin="\n".join(LINES))
    assert result.exit_code == 1
    assert re.search(r"(new\.jsonl|standard input):2:1: ", told(result))
    assert objects(bare("status", "--json"))[0]["candidates"] == 2


def test_events_that_are_known_change_nothing(bare: Run, folder: Path) -> None:
    (folder / "new.jsonl").write_text(LINES[0])
    assert bare("events", "new.jsonl").exit_code == 0
    again = bare("events", "new.jsonl")
    assert again.exit_code == 0
    assert "0 taken" in again.stdout
    assert "1 known already" in again.stdout


# --- what waits for a person


ONE_TASK = """\
name: Call
status: live
enter: {on: candidate.upserted}
steps:
  - task: {text: "Call {{ candidate.first_name }}", to: recruiter}
    at: 1 minute after entered
"""


def test_a_task_is_listed_until_it_is_done(bare: Run, folder: Path, clock: SetClock) -> None:
    (folder / "campaigns/call.yaml").write_text(ONE_TASK)
    event = '{"type": "candidate.upserted", "candidate": {"id": "t-1", "first_name": "Tom"}}'
    assert bare("events", "-", stdin=event).exit_code == 0
    assert bare("run", "--once").exit_code == 0
    clock.advance(timedelta(days=1))
    assert bare("run", "--once").exit_code == 0
    (task,) = objects(bare("tasks", "--json"))
    assert (task["text"], task["candidate"], task["state"]) == ("Call Tom", "t-1", "open")
    assert "Call Tom" in bare("tasks").stdout
    assert bare("tasks", "done", str(task["id"])).exit_code == 0
    assert objects(bare("tasks", "--json")) == []
    assert objects(bare("tasks", "--all", "--json"))[0]["state"] == "done"
    again = bare("tasks", "done", str(task["id"]))
    assert again.exit_code == 1
    assert "no open task" in told(again)


STATUS = """\
name: Final
status: live
enter: {on: application.created}
steps:
  - send: status/next
"""


def test_a_call_is_listed_with_what_to_say_until_somebody_says_what_came_of_it(
    bare: Run, folder: Path
) -> None:
    (folder / "campaigns/final.yaml").write_text(STATUS)
    (folder / "templates/status").mkdir(exist_ok=True)
    (folder / "templates/status/next.md").write_text(
        "---\nsubject: The last round\npreheader: Soon\ncategory: status\n---\n\nYou are in.\n"
    )
    (folder / "config.yaml").write_text("contact_hours: {days: mon-sun, from: 00:00, to: 23:59}\n")
    ana = '"candidate": {"id": "p-1", "email": "ana@example.com", "timezone": "Asia/Tokyo"}'
    wish = '"preferences": {"channel": "phone", "phone": "+81 3"}'
    lines = (
        f'{{"type": "candidate.preferences", {ana}, {wish}}}\n'
        f'{{"type": "application.created", {ana}, "application": {{"id": "p-a"}}}}\n'
    )
    assert bare("events", "-", stdin=lines).exit_code == 0
    assert bare("run", "--once").exit_code == 0
    (call,) = objects(bare("tasks", "--json"))
    assert (call["kind"], call["phone"], call["template"]) == ("call", "+81 3", "status/next")
    shown = bare("tasks").stdout
    assert "Ring ana@example.com: The last round" in shown
    assert "(Tokyo)" in shown
    assert "(Lisbon)" in shown
    assert "| You are in." in shown
    number = str(call["id"])
    without = bare("tasks", "done", number)
    assert (without.exit_code, "--outcome spoke|" in told(without)) == (2, True)
    first = bare("tasks", "done", number, "--outcome", "no_answer", "--by", "ida@example.com")
    assert "stays open" in first.stdout
    assert "done" in bare("tasks", "done", number, "--outcome", "spoke").stdout
    assert objects(bare("tasks", "--json")) == []
    assert bare("run", "--once").exit_code == 0
    assert objects(bare("messages", "--candidate", "p-1", "--json")) == []
    assert "on the phone" in bare("explain", "p-1").stdout


HELD = """\
name: Careful
status: live
enter: {on: candidate.upserted}
steps:
  - send: careful
    at: 0 minutes after entered
    if_late: send
"""
CAREFUL = """\
---
subject: Hello
preheader: A word from us
category: offer
---
Hello there.
"""


def test_what_is_held_goes_out_once_it_is_approved(bare: Run, folder: Path) -> None:
    (folder / "config.yaml").write_text("undo_window: 0 minutes\n")
    (folder / "campaigns/careful.yaml").write_text(HELD)
    (folder / "templates/careful.md").write_text(CAREFUL)
    event = '{"type": "candidate.upserted", "candidate": {"id": "h-1", "email": "h@example.com"}}'
    assert bare("events", "-", stdin=event).exit_code == 0
    assert bare("run", "--once").exit_code == 0
    (held,) = objects(bare("messages", "--state", "held", "--json"))
    assert mails(folder) == []
    refused = bare("approve", str(held["id"]), "99")
    assert refused.exit_code == 1
    assert "99" in told(refused)
    assert bare("run", "--once").exit_code == 0
    assert mails(folder) == []  # all that are named, or none
    (waits,) = objects(bare("approvals", "--json"))
    assert (waits["id"], waits["subject"], waits["approval"]) == (held["id"], "Hello", "each")
    assert bare("approve", str(held["id"]), "--by", "ida@example.com").exit_code == 0
    assert "nothing waits" in bare("approvals").output
    assert bare("approve", "--undo", str(held["id"])).exit_code == 0
    assert bare("run", "--once").exit_code == 0
    assert mails(folder) == []
    assert bare("approve", str(held["id"]), "--by", "ida@example.com").exit_code == 0
    assert bare("run", "--once").exit_code == 0
    assert len(mails(folder)) == 1
    assert "approved by ida@example.com" in bare("agenda", "h-1").output
    again = bare("approve", str(held["id"]))
    assert "it is sent" in told(again)


# --- how commands end


def test_the_database_can_be_brought_up_to_date_by_hand(bare: Run) -> None:
    result = bare("db", "upgrade")
    assert result.exit_code == 0
    assert "is at version" in result.stdout


def test_postgresql_is_brought_up_to_date_only_when_asked(
    run: Run, folder: Path, new_postgres: Callable[[], str]
) -> None:
    (folder / "config.yaml").write_text(f"database: {new_postgres()}\n")
    refused = run("status")
    assert refused.exit_code == 3
    assert "nurture db upgrade" in told(refused)
    assert run("db", "upgrade").exit_code == 0
    assert run("run", "--once").exit_code == 0
    assert len(mails(folder)) >= 10


def test_a_folder_without_a_project_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["status"])
    assert result.exit_code == 2
    assert "--config" in told(result)
    assert list(tmp_path.iterdir()) == []


def test_a_project_elsewhere_is_named_by_its_configuration(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = str(folder / "config.yaml")
    monkeypatch.chdir(tmp_path)
    assert run("run", "--once", "--config", config).exit_code == 0
    assert len(mails(folder)) >= 10
    assert {row["campaign"] for row in objects(run("tasks", "--config", config, "--json"))} <= {
        "no-silence"
    }
    done = run("tasks", "--config", config, "done", "999")
    assert "no open task 999" in told(done)


def test_a_database_that_cannot_be_opened_is_one_line(run: Run, folder: Path) -> None:
    (folder / "config.yaml").write_text("database: sqlite:///bad.db\n")
    (folder / "bad.db").write_text("this is no database, " * 100)
    result = run("status")
    assert result.exit_code == 3
    assert told(result).startswith("nurture: database: ")


@pytest.mark.parametrize(
    "words", [["nope"], ["status", "--nope"], ["agenda"], ["simulate", "--days", "x"]]
)
def test_wrong_usage_is_one_line_and_exit_code_2(bare: Run, words: list[str]) -> None:
    result = bare(*words)
    assert result.exit_code == 2
    assert re.search(r"\(see `nurture.* --help`\)$", told(result))
    assert result.stdout == ""


def test_a_defect_is_one_line_and_its_trace_is_for_who_asks(
    bare: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("nurture.cli.looking._status", broken)
    monkeypatch.delenv("NURTURE_DEBUG", raising=False)
    result = bare("status")
    assert result.exit_code == 70
    assert told(result).startswith("nurture: internal error: ZeroDivisionError: division by zero")
    monkeypatch.setenv("NURTURE_DEBUG", "1")
    assert "Traceback" in bare("status").stderr


# --- documents


def test_the_version_is_that_of_the_project(run: Run) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert run("--version").stdout == f"nurture {project['version']}\n"
    assert project["version"] == __version__


@pytest.mark.parametrize("words", COMMANDS)
def test_every_help_shows_an_example(run: Run, words: str) -> None:
    result = run(*words.split()[1:], "--help")
    assert result.exit_code == 0
    assert re.search(r"Example: nurture \w+", result.stdout)


@pytest.mark.parametrize(
    "words", [words for words in COMMANDS if words not in ("nurture", "nurture db", "nurture user")]
)
def test_every_command_and_option_is_documented(words: str) -> None:
    text = (REPOSITORY / "docs/cli.md").read_text(encoding="utf-8")
    sections = {part.split("`")[1]: part for part in text.split("\n### ")[1:]}
    (section,) = [
        part for title, part in sections.items() if re.sub(r"( \[?[A-Z].*)?$", "", title) == words
    ]
    for option in COMMANDS[words].params:
        if isinstance(option, click.Option):
            where = text if option.opts == ["--config"] else section
            assert f"`{option.opts[0]}" in where, option.opts[0]


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_that_does_something_takes_a_configuration(words: str) -> None:
    command = COMMANDS[words]
    if words not in ("nurture", "nurture db", "nurture schema"):  # the last speaks of no project
        assert "--config" in [each for option in command.params for each in option.opts]
