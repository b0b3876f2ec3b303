"""Promises of `backup`, `restore`, `send-test` and `settle` as they are typed."""

import json
import re
import shutil
import socket
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nurture.cli import main
from nurture.cli.project import Given
from nurture.clock import SetClock
from nurture.core.model import Unknown
from nurture.delivery.names import CannotAsk
from nurture.engine.sender import Sender
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.rendering.links import UNSUBSCRIBE, load_secret
from nurture.wiring import open_project
from tests.conftest import MONDAY
from tests.world import Postman


@pytest.fixture
def folder(folder: Path) -> Path:
    """One small campaign, and Ana, who applied."""
    for name in ("campaigns", "sample"):
        shutil.rmtree(folder / name)
    (folder / "campaigns").mkdir()
    (folder / "templates/hello.md").write_text(
        "---\nsubject: Hello {{ candidate.first_name }}\npreheader: A note\ncategory: culture\n"
        "---\n\nHello {{ candidate.first_name }}, this is a note from our team to you.\n"
    )
    (folder / "campaigns/hello.yaml").write_text(
        "name: Hello\nstatus: live\nenter:\n  on: application.created\n  once_per: application\n"
        "steps:\n  - send: hello\n"
    )
    project = open_project(folder / "config.yaml", SetClock(MONDAY), env={})
    event = {
        "type": "application.created",
        "id": "1",
        "source": "test",
        "occurred_at": MONDAY.isoformat(),
        "candidate": {"id": "c1", "email": "ana@example.com", "first_name": "Ana"},
        "application": {"id": "a1"},
    }
    apply(project.database, parse_event(event), MONDAY)
    project.close()
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)

    def typed(*words: str) -> Result:
        given = Given(clock=SetClock(MONDAY), env={})
        return CliRunner().invoke(main, list(words), obj=given)

    return typed


def mails(folder: Path) -> list[Path]:
    return sorted((folder / "var/outbox").rglob("*.eml"))


def test_a_test_mail_is_marked_reaches_only_me_and_touches_nobody(run, folder: Path) -> None:
    result = run("send-test", "hello", "--to", "me@yours.example", "--candidate", "c1", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["outcome"], told["candidate"], told["to"]) == (
        "accepted",
        "c1",
        "me@yours.example",
    )
    (file,) = mails(folder)
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert mail["Subject"] == "[Test] Hello Ana"
    assert mail["To"].addresses[0].addr_spec == "me@yours.example"
    assert mail["Message-ID"] == told["message_id"]
    assert b"ana@example.com" not in file.read_bytes()
    tokens = re.findall(r"/[up]/([\w-]+)", mail["List-Unsubscribe"] + str(mail))
    signer = load_secret(folder / "var", {})
    assert tokens
    assert [signer.read(UNSUBSCRIBE, token) for token in tokens] == [None] * len(tokens)
    assert run("messages", "--json").stdout == ""
    again = json.loads(
        run("send-test", "hello", "--to", "me@yours.example", "--candidate", "c1", "--json").stdout
    )
    assert again["message_id"] != told["message_id"], "a mailbox keeps one of each"


def test_a_test_mail_to_a_candidate_is_asked_about(run, folder: Path) -> None:
    refused = run("send-test", "hello", "--to", "Ana@example.com")
    assert refused.exit_code == 2
    assert "candidate c1" in refused.stderr
    assert mails(folder) == []
    assert run("send-test", "hello", "--to", "Ana@example.com", "--yes").exit_code == 0


def test_a_test_mail_of_what_cannot_be_written_says_why(run) -> None:
    assert "there is no template" in run("send-test", "helo", "--to", "me@yours.example").stderr


def test_backup_and_restore_come_back_with_all_that_matters(run, folder: Path) -> None:
    before = (folder / "var/secret").read_text()
    made = run("backup", "monday.nurture", "--with-secret", "--json")
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert (told["candidates"], told["secret"]) == (1, True)
    shutil.rmtree(folder / "var")
    back = run("restore", "monday.nurture", "--by", "ida@example.com", "--json")
    assert back.exit_code == 0, back.output
    told = json.loads(back.stdout)
    assert (told["candidates"], told["in_doubt"], told["missing_keys"]) == (1, 1, 0)
    assert told["other_config"] is False
    assert before.strip() in (folder / "var/secret").read_text().split(), "old links go on working"
    assert json.loads(run("settle", "--json").stdout)["candidate"] == "c1"


class Offline:
    def txt(self, name: str) -> list[str]:
        raise CannotAsk(name)

    mx = txt


OLD = """\
owner: ida@example.com
items: [{id: old, kind: culture, title: Old, text: Old., fresh_until: 2024-03-31}]
"""


def test_the_doctor_says_by_its_exit_code_whether_mail_may_go(
    run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nurture.cli.doctor.Dns", Offline)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        (folder / "config.yaml").write_text(f"web: {{port: {port}}}\n")
        well = run("doctor", "--json")
        assert well.exit_code == 0, well.output
        found = [json.loads(line) for line in well.stdout.splitlines()]
        assert {each["level"] for each in found} <= {"ok", "warning"}
        assert all(each.keys() == {"check", "level", "said", "hint"} for each in found)
        assert run("doctor").stdout.endswith("\nfit to send, with warnings\n")
        smtp = f"transport: {{kind: smtp, host: 127.0.0.1, port: {port}, security: plain}}\n"
        (folder / "config.yaml").write_text(smtp)
        (folder / "content/old.yaml").write_text(OLD)
        away = run("doctor")
        assert (away.exit_code, "PROBLEM  smtp" in away.stdout) == (3, True)
        assert "could not ask the DNS" in away.stdout
        assert 'content/old.yaml: "old" was good until 31 March 2024' in away.stdout
        assert "ida@example.com: read it again" in away.stdout
    (folder / "config.yaml").write_text("nonsense: 1\n")
    broken = run("doctor")
    assert (broken.exit_code, "nurture check" in broken.stdout) == (1, True)
    assert mails(folder) == []


def test_without_the_secret_both_ends_say_so(run, folder: Path) -> None:
    assert "without var/secret" in run("backup", "monday.nurture").stdout
    refused = run("restore", "monday.nurture")
    assert (refused.exit_code, "--replace" in refused.stderr) == (1, True)
    shutil.rmtree(folder / "var")
    back = run("restore", "monday.nurture")
    assert back.exit_code == 0
    assert "put the old var/secret back" in back.stderr
    assert "1 mails may have gone since then: nurture settle" in back.stdout


def test_events_since_the_backup_are_told_and_bad_ones_named(run, folder: Path) -> None:
    run("backup", "monday.nurture")
    (folder / "since.jsonl").write_text(
        '{"type": "application.created", "source": "test", "id": "2",'
        ' "candidate": {"id": "c2", "email": "ben@example.com", "first_name": "Ben"},'
        ' "application": {"id": "a2"}}\n{"type": "nonsense"}\n'
    )
    back = run("restore", "monday.nurture", "--replace", "--events", "since.jsonl", "--json")
    assert back.exit_code == 1
    assert "since.jsonl:2" in back.stderr
    told = json.loads(back.stdout)
    assert (told["in_doubt"], told["refused_events"]) == (2, 1)
    assert Path(told["copy"]).exists()


def test_doubts_are_listed_and_settled_by_number_or_by_day(run, folder: Path) -> None:
    project = open_project(folder / "config.yaml", SetClock(MONDAY), env={})
    postman = Postman()
    postman.answers = [Unknown(text="no answer in time")]
    sender = Sender(
        project.database, project.planner, project.clock, project.letters.write, postman
    )
    while project.planner.tick() or sender.window():
        pass
    project.close()
    assert len(postman.offered) == 1
    listed = run("settle")
    assert "no answer in time" in listed.stdout
    assert postman.offered[0][1] in listed.stdout
    for wrong in (("1",), ("1", "--sent"), ("--sent", "--by", "x@example.com")):
        assert run("settle", *wrong).exit_code == 2
    unknown = run("settle", "9", "--sent", "--by", "ida@example.com")
    assert (unknown.exit_code, "no such message" in unknown.stderr) == (1, True)
    words = ("--all-before", "2026-11-24", "--sent", "--by", "ida@example.com")
    assert run("settle", *words).stdout == "settled as sent: 1\n"
    assert run("settle").stdout == "nothing is in doubt\n"
    assert run("settle", *words).stdout == "nothing was in doubt\n"
    assert "ida@example.com found that it arrived" in run("explain", "c1").stdout
