"""Accounts by command, and what the audit log says about commands."""

import csv
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nurture.cli import main
from nurture.cli.project import Given
from nurture.engine import passwords
from nurture.intake.apply import apply_all
from nurture.intake.sample import sample_events
from nurture.store import accounts
from tests.conftest import MONDAY, fewer

GOOD = "correct horse battery"


@pytest.fixture
def ran(folder, clock):
    def run(*words: str, typed: str = "") -> Result:
        command = [*words, "--config", str(folder / "config.yaml")]
        if words[0] in ("user", "tasks") and len(words) > 1:  # a group takes it first
            command = [words[0], "--config", str(folder / "config.yaml"), *words[1:]]
        return CliRunner().invoke(
            main, command, obj=Given(clock=clock, env={}), input=typed, prog_name="nurture"
        )

    return run


@pytest.fixture
def audit(ran):
    def lines(*words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in ran("audit", "--json", *words).stdout.splitlines()]

    return lines


def test_a_new_account_is_entered_by_the_password_that_was_typed(ran, project) -> None:
    done = ran("user", "add", "Ida@Example.com", "--role", "admin", typed=f"{GOOD}\n{GOOD}\n")
    assert (done.exit_code, done.stdout) == (0, "ida@example.com: admin\n")
    assert GOOD not in done.output
    with project.database.read() as connection:
        ida = accounts.by_email(connection, "IDA@example.com")
    assert ida is not None
    assert ida.password.startswith("$argon2id$")
    assert passwords.matches(ida, GOOD)
    assert not passwords.matches(ida, GOOD + " ")
    assert not passwords.matches(None, GOOD)


@pytest.mark.parametrize("bad", ["short", "aaaaaaaaaaaaaaaa", "ida@example.com", "x" * 201])
def test_a_bad_password_is_refused_and_makes_no_account(ran, bad) -> None:
    done = ran("user", "add", "ida@example.com", typed=f"{bad}\n{bad}\n")
    assert done.exit_code == 2
    assert bad not in done.output or bad == "ida@example.com"
    assert ran("user", "list", "--json").stdout == ""


@pytest.mark.parametrize("email", ["ida", "@", "ida@", "a b@example.com", "a@b@c", "ida@x\n.com"])
def test_what_is_no_address_gets_no_account(ran, email) -> None:
    assert ran("user", "add", email, "--no-password").exit_code == 2
    assert ran("user", "list", "--json").stdout == ""


def test_there_is_one_account_for_a_person(ran) -> None:
    assert ran("user", "add", "ida@example.com", "--no-password").exit_code == 0
    again = ran("user", "add", "IDA@example.com", "--no-password")
    assert again.exit_code == 1
    assert "already" in again.output


def test_the_first_who_is_no_admin_is_told_that_there_is_none(ran) -> None:
    assert "nobody is an admin" in ran("user", "add", "a@example.com", "--no-password").output
    made = ran("user", "add", "b@example.com", "--role", "admin", "--no-password")
    assert "nobody is an admin" not in made.output


def test_a_link_sets_a_password_once_and_not_for_ever(ran, project, clock) -> None:
    said = ran("user", "add", "ida@example.com", "--link").stdout
    token = said.partition("/sign-in/")[2].partition("\n")[0]
    with project.database.read() as connection:
        ida = accounts.by_email(connection, "ida@example.com")
    now = clock.now()
    assert passwords.linked(token) == ida.id
    assert passwords.opens(project.signer, token, ida, now)
    assert not passwords.opens(project.signer, token, ida, now + passwords.LINK_FOR)
    with project.database.write() as connection:
        accounts.change(connection, ida, password=passwords.hashed(GOOD))
        after = accounts.by_email(connection, "ida@example.com")
    assert not passwords.opens(project.signer, token, after, now)
    for wrong in (token[:-1], token + "A", "", ".", "1..", "x.y.z", token.upper(), "é" + token):
        assert not passwords.opens(project.signer, wrong, ida, now)
    later = token.replace(f".{int(now.timestamp()) + 172_800:x}.", ".ffffffffff.")
    assert later != token
    assert not passwords.opens(project.signer, later, ida, now)


@pytest.mark.parametrize(
    "words",
    [
        ("user", "password", "ida@example.com"),
        ("user", "role", "ida@example.com", "marketer"),
        ("user", "disable", "ida@example.com"),
    ],
)
def test_who_is_changed_is_signed_out(ran, project, words) -> None:
    ran("user", "add", "ida@example.com", "--no-password")
    ran("user", "add", "rui@example.com", "--no-password")
    with project.database.write() as connection:
        for name in ("ida", "rui"):
            account = accounts.by_email(connection, f"{name}@example.com")
            accounts.begin(connection, name, account.id, MONDAY, MONDAY.replace(year=2027))
    assert ran(*words, typed=f"{GOOD}\n{GOOD}\n").exit_code == 0
    with project.database.read() as connection:
        assert accounts.signed_in(connection, "ida") is None
        assert accounts.signed_in(connection, "rui") is not None


def test_who_is_disabled_has_no_password_any_more_until_enabled(ran, project) -> None:
    ran("user", "add", "ida@example.com", typed=f"{GOOD}\n{GOOD}\n")
    for words, enters in ((("disable",), False), (("enable",), True)):
        assert ran("user", *words, "ida@example.com").exit_code == 0
        with project.database.read() as connection:
            ida = accounts.by_email(connection, "ida@example.com")
        assert passwords.matches(ida, GOOD) is enters


def test_an_account_that_is_not_there_is_said_with_what_may_be_meant(ran) -> None:
    ran("user", "add", "ida@example.com", "--no-password")
    wrong = ran("user", "role", "idaa@example.com", "admin")
    assert wrong.exit_code == 1
    assert "ida@example.com" in wrong.output


def test_no_list_and_no_log_ever_shows_a_password(ran) -> None:
    ran("user", "add", "ida@example.com", typed=f"{GOOD}\n{GOOD}\n")
    for words in (("user", "list"), ("user", "list", "--json"), ("audit",), ("audit", "--json")):
        shown = ran(*words).output
        assert "ida@example.com" in shown
        assert "argon2" not in shown
        assert GOOD not in shown


def test_each_command_that_changes_something_is_on_record(ran, audit, folder, project) -> None:
    fewer(folder)
    now = project.clock.now()
    apply_all(project.database, sample_events(folder / "sample/events.jsonl", now), now)
    by = ("--by", "ida@example.com")
    assert ran("pause", "candidate", "sample-01", "--why", "x", *by).exit_code == 0
    assert ran("pause", "candidate", "sample-01", *by).exit_code == 0  # it was stopped already
    assert ran("resume", "candidate", "sample-01", *by).exit_code == 0
    assert ran("pause", "everything", *by).exit_code == 0
    assert ran("user", "add", "ida@example.com", "--no-password").exit_code == 0
    assert ran("user", "role", "ida@example.com", "admin").exit_code == 0
    found = audit()
    assert {each["who"] for each in found} == {"command line"}
    told = [(each["action"], each["candidate"], each["about"]) for each in found]
    assert told == [
        ("pause", "sample-01", "candidate:sample-01"),
        ("resume", "sample-01", "candidate:sample-01"),
        ("pause", None, "everything"),
        ("user-add", None, "account:ida@example.com"),
        ("user-role", None, "account:ida@example.com"),
    ]
    assert found[0]["detail"] == {"by": "ida@example.com"}
    assert found[-1]["detail"]["role"] == "admin"


def test_looking_is_not_on_record(ran, audit) -> None:
    for words in (("status",), ("tasks",), ("audit",), ("user", "list"), ("pause",), ("apply",)):
        assert ran(*words).exit_code == 0
    assert audit() == []


def test_the_log_goes_into_a_file_that_no_spreadsheet_runs(ran, project, folder) -> None:
    with project.database.write() as connection:
        accounts.add(connection, "=cmd()@example.com", "admin", MONDAY)
    ran("user", "disable", "=cmd()@example.com")
    ran("pause", "everything", "--by", "+1+1")
    file = folder / "log.csv"
    assert ran("audit", "--csv", str(file)).stdout.endswith("log.csv: 2 deeds\n")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert [row["action"] for row in rows] == ["user-disable", "pause"]
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_the_log_begins_where_it_is_asked_to(ran, audit, clock) -> None:
    ran("pause", "everything")
    clock.set(MONDAY.replace(day=25))
    ran("resume", "everything")
    assert [each["action"] for each in audit("--since", "2026-11-24")] == ["resume"]
    assert [each["action"] for each in audit()] == ["pause", "resume"]
    newest = ran("audit", "--limit", "1").stdout
    assert "resume" in newest
    assert "and more" in newest
