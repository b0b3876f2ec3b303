"""What a candidate says in confidence reaches one person, and nothing else ever repeats it."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from nurture.cli import main
from nurture.cli.project import Given
from nurture.core.model import Candidate
from nurture.engine.project import Project
from nurture.engine.sender import until_idle
from nurture.errors import OutsideError
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.rendering.links import CONFIDENCES, PREFERENCES, Answer
from nurture.store import confidences, requests, tables
from nurture.store.copying import in_memory
from nurture.store.dossier import dossier
from nurture.store.facts import find_candidate
from nurture.store.tables import applications, audit, metadata
from nurture.store.tables import confidences as table
from nurture.wiring import sender
from tests.world import World

CANARY = "zebrawoodcanary"
IDA = "ida.berg@example.com"  # the recruiter of sample-02
ASKING = """\
ask:
  - id: needs
    text: Do you need anything?
    options: {yes: Yes zebrawoodcanary, no: "No"}
    confidential: true
"""


def jorg(project: Project) -> Candidate:
    with project.database.read() as connection:
        found = find_candidate(connection, "sample-02")
    assert found is not None
    return found


@pytest.fixture
def link(populated: Project) -> str:
    return f"/p/needs/{populated.signer.token(CONFIDENCES, jorg(populated).id)}"


def kept(project: Project) -> list[Any]:
    with project.database.read() as connection:
        return list(connection.execute(select(table)).mappings())


def everything_else(project: Project) -> str:
    """Every row of every other table."""
    with project.database.read() as connection:
        return repr(
            [
                [tuple(row) for row in connection.execute(select(each))]
                for each in metadata.sorted_tables
                if each is not table
            ]
        )


def test_it_is_for_who_looks_after_the_application_and_the_page_does_not_repeat_it(
    client, populated, link
) -> None:
    assert "Ida Berg" in client.get(link).text
    answer = client.post(link, data={"said": f"  A ramp.\r\n{CANARY} "})
    assert answer.status_code == 200
    assert "Ida Berg hat es jetzt" in answer.text
    (row,) = kept(populated)
    assert (row["person"], row["said"]) == (IDA, f"A ramp.\n{CANARY}")
    assert row["application"] == "sample-app-02"
    for page in (answer, client.get(link)):
        assert CANARY not in page.text
        assert "Noch nicht gelesen" in page.text


def test_it_is_kept_with_the_news_of_it_or_not_at_all(
    client, populated, link, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_of: Any) -> None:
        raise OutsideError("database: the disk is full")

    monkeypatch.setattr("nurture.engine.confiding.apply_within", full)
    assert client.post(link, data={"said": CANARY}).status_code == 503
    assert kept(populated) == []


def test_the_same_words_twice_are_kept_once_and_nothing_is_not_kept(
    client, populated, link
) -> None:
    for said, status in (("A ramp", 200), ("A ramp", 200), ("  ", 422), ("x" * 2001, 422)):
        assert client.post(link, data={"said": said}).status_code == status
    assert [row["said"] for row in kept(populated)] == ["A ramp"]
    assert "Es ist gelöscht" in client.post(f"{link}/take-back").text
    assert kept(populated) == []


def test_the_company_can_name_the_one_person(folder, project, client, populated, link) -> None:
    named = populated.config.web.model_copy(update={"confidences_to": "care@example.com"})
    populated.config = populated.config.model_copy(update={"web": named})
    client.post(link, data={"said": "A ramp"})
    assert [row["person"] for row in kept(populated)] == ["care@example.com"]


def test_only_its_person_and_administrators_find_it(client, client_of, populated, link) -> None:
    client.post(link, data={"said": f"A ramp {CANARY}"})
    ida, other = client_of("recruiter", IDA), client_of("recruiter", "rui@example.com")
    marketer = client_of("marketer", "may@example.com")
    assert CANARY in ida.get("/confidences").text
    assert CANARY in client.get("/confidences").text
    for nobody in (other, marketer):
        assert CANARY not in nobody.get("/confidences").text
    (row,) = kept(populated)
    for who in (other, marketer, client):  # Ida has an account: nobody reads in her place
        assert who.act(f"/confidences/{row['id']}/read").status_code in (200, 303)
        assert kept(populated)[0]["seen_at"] is None
    ida.act(f"/confidences/{row['id']}/read")
    assert kept(populated)[0]["seen_at"] is not None
    assert "Gelesen am Montag, 23. November 2026" in client.get(link).text


def test_reading_it_is_on_record_and_looking_is_not(client, client_of, populated, link) -> None:
    client.post(link, data={"said": CANARY})
    ida = client_of("recruiter", IDA)
    ida.get("/confidences")
    ida.head("/confidences")
    assert kept(populated)[0]["seen_at"] is None
    ida.act(f"/confidences/{kept(populated)[0]['id']}/read")
    with populated.database.read() as connection:
        query = select(audit).where(audit.c.action == "read-confidence")
        (noted,) = connection.execute(query).mappings()
    assert (noted["who"], noted["candidate_id"]) == (IDA, jorg(populated).id)


def test_who_has_not_read_it_is_told_of_whom_and_not_what(client, populated, link) -> None:
    client.post(link, data={"said": CANARY})
    client.post(link, data={"said": f"{CANARY} again"})
    now = populated.clock.now()
    with populated.database.read() as connection:
        (waiting,) = confidences.unread(connection, IDA.upper(), now)
        assert confidences.unread(connection, "rui@example.com", now) == []
    assert waiting["ref"] == "sample-02"
    assert CANARY not in repr(dict(waiting))


# --- nothing repeats it ---------------------------------------------------------------------------


@pytest.mark.acceptance("A5.3")
def test_no_table_log_page_mail_simulation_or_copy_repeats_it(
    client, client_of, populated, link, caplog, tmp_path
) -> None:
    caplog.set_level(logging.DEBUG)
    client.post(link, data={"said": CANARY})
    client_of("recruiter", IDA).act(f"/confidences/{kept(populated)[0]['id']}/read")
    populated.clock.advance(timedelta(days=1))
    until_idle(populated.planner, sender(populated))
    assert CANARY not in everything_else(populated)
    assert CANARY not in caplog.text
    outbox = list(populated.config.root.rglob("*.eml"))
    assert outbox
    assert not [path for path in outbox if CANARY.encode() in path.read_bytes()]
    for who in (client, client_of("recruiter", "marco@example.com"), client_of("recruiter", IDA)):
        for path in ("/", "/candidates/sample-02", "/candidates?q=sample-02", "/audit"):
            assert CANARY not in who.get(path).text, path
    mine = f"/p/{populated.signer.token(PREFERENCES, jorg(populated).id)}"
    for path in (mine, f"{mine}/data", link):
        assert CANARY not in client.get(path).text
    copy = in_memory(populated.database)
    with copy.read() as connection:
        assert connection.execute(select(table)).all() == []
    copy.close()
    with populated.database.read() as connection:
        own = dossier(connection, jorg(populated).id, (), populated.clock.now())
    assert len(own["told_in_confidence"]) == 1
    assert CANARY not in repr(own)


def test_a_broken_page_does_not_log_what_was_written(
    client, populated, link, caplog, monkeypatch
) -> None:
    def fails(*_given: Any, **_named: Any) -> None:
        raise ValueError(f"cannot keep {CANARY}")

    monkeypatch.setattr("nurture.web.needs.confidences.tell", fails)
    assert client.post(link, data={"said": CANARY}).status_code == 500
    assert CANARY not in caplog.text


# --- how long -------------------------------------------------------------------------------------


def test_it_goes_thirty_days_after_the_last_application_has_ended(
    client, populated, link, tell, clock
) -> None:
    client.post(link, data={"said": "A ramp"})

    def night() -> int:
        clock.advance(timedelta(days=1))
        with populated.database.write() as connection:
            return confidences.sweep(connection, clock.now())

    assert night() == 0
    tell("application.withdrawn", application={"id": "sample-app-02"})
    assert night() == 0
    tell("application.reopened", application={"id": "sample-app-02"})
    clock.advance(timedelta(days=40))
    assert night() == 0
    tell("application.withdrawn", application={"id": "sample-app-02"})
    assert night() == 0
    clock.advance(timedelta(days=28))
    assert night() == 0
    assert kept(populated)
    clock.advance(timedelta(days=1))  # not even a night without a sweep makes it last longer
    with populated.database.read() as connection:
        assert confidences.page(connection, IDA, clock.now()) == []
    assert night() == 1
    assert kept(populated) == []


def test_who_is_erased_has_told_nothing_and_can_tell_nothing(
    client, populated, link, tell, clock
) -> None:
    client.post(link, data={"said": "A ramp"})
    tell("candidate.erased", candidate={"id": "sample-02"})
    assert kept(populated) == []
    assert client.post(link, data={"said": "A ramp"}).status_code == 404
    with populated.database.write() as connection:
        person = {"person": IDA, "now": clock.now()}
        confidences.tell(connection, jorg(populated).id, "A ramp", **person)
    assert kept(populated) == []


# --- questions that are asked in confidence -------------------------------------------------------


@pytest.fixture
def world(folder: Path, populated: Project, clock) -> Iterator[Callable[[], World]]:
    for file in (folder / "campaigns").glob("*.yaml"):
        file.unlink()
    world = World(folder, populated.database, clock)
    path = folder / "templates/ask/needs.md"
    path.parent.mkdir()
    path.write_text(
        f"---\nsubject: Next week\ncategory: logistics\n{ASKING}---\n"
        'Hello.\n\n{{ ask("needs") }}\n'
    )
    world.campaign(
        "asking",
        "name: Asking\nstatus: live\nenter:\n  on: application.created\nsteps:\n"
        "  - send: ask/needs\n",
    )
    world.reload()
    return world


def test_an_answer_given_in_confidence_stands_with_what_was_told_and_nowhere_else(
    world, serve
) -> None:
    people = {"recruiter": {"email": IDA, "name": "Ida Berg"}}
    world.tell("application.created", application={"id": "a1", **people})
    world.work()
    with world.database.read() as connection:
        ana = find_candidate(connection, "c1")
        mail = connection.execute(
            select(tables.messages.c.id).where(tables.messages.c.candidate_id == ana.id)
        ).scalar_one()
    links = {
        option: f"/a/{world.project.signer.answer_token(Answer(ana.id, mail, 'needs', option))}"
        for option in ("yes", "no")
    }
    before = everything_else(world.project)
    with serve(world.project) as address:
        page = httpx.get(address + links["yes"])
        assert "Your answer goes to Ida Berg alone" in page.text
        assert kept(world.project) == []
        assert httpx.post(address + links["no"]).status_code == 200
        assert httpx.post(address + links["yes"]).status_code == 200
        assert "Your answer so far" not in httpx.get(address + links["yes"]).text
    (row,) = kept(world.project)
    assert (row["person"], row["application"], row["kind"]) == (IDA, "a1", "answer")
    assert row["said"] == f"Do you need anything? Yes {CANARY}"
    # That something was told stands elsewhere too, and never what.
    after = everything_else(world.project)
    assert all(after.count(said) == before.count(said) for said in (CANARY, "'yes'", "'no'"))


def test_what_is_asked_in_confidence_sets_nothing_and_no_condition_reads_it(world) -> None:
    path = world.folder / "templates/ask/needs.md"
    good = path.read_text()
    path.write_text(good.replace("confidential: true", "confidential: true\n    then: task"))
    (problem,) = world.project.reload().problems
    assert "in confidence" in problem.message
    path.write_text(good)
    world.campaign(
        "asking",
        "name: Asking\nstatus: live\nenter:\n  on: application.created\nsteps:\n"
        "  - send: ask/needs\n  - send: culture/meet-the-team\n"
        '    if: answered("needs") == "yes"\n',
    )
    assert any('"needs"' in problem.message for problem in world.project.reload().problems)


# --- requests -------------------------------------------------------------------------------------


def test_a_copy_or_deletion_is_asked_for_once_and_answered_within_a_month(
    client, populated, clock
) -> None:
    mine = f"/p/{populated.signer.token(PREFERENCES, jorg(populated).id)}/data"
    assert "spätestens am Mittwoch, 23. Dezember 2026" in client.post(f"{mine}/copy").text
    clock.advance(timedelta(days=1))
    client.post(f"{mine}/copy")
    page = client.post(f"{mine}/deletion").text
    assert "spätestens am Donnerstag, 24. Dezember 2026" in page
    assert "all" in jorg(populated).unsubscribed
    assert "Löschung verlangen" in client.post(f"{mine}/keep").text
    assert client.post(f"{mine}/other").status_code == 404
    with populated.database.read() as connection:
        rows = connection.execute(select(tables.requests)).mappings().all()
    assert [(row["kind"], row["done_by"]) for row in rows] == [
        ("copy", None),
        ("deletion", "taken back"),
    ]


@pytest.mark.parametrize(
    ("asked", "due"),
    [("2027-01-31", "2027-02-28"), ("2026-12-31", "2027-01-31"), ("2028-01-30", "2028-02-29")],
)
def test_a_month_ends_on_its_last_day_at_the_latest(asked, due) -> None:
    assert (
        requests.due_at(datetime.fromisoformat(asked).replace(tzinfo=UTC)).date().isoformat() == due
    )


def test_requests_are_listed_copied_and_answered_by_command(project, monkeypatch, clock) -> None:
    told = {
        "type": "application.rejected",
        "occurred_at": clock.now().isoformat(),
        "candidate": {"id": "c1", "email": "ana@example.com", "first_name": "Ana", "notes": CANARY},
        "application": {"id": "a1", "job": "Engineer", "feedback": CANARY},
        "reason": CANARY,
    }
    apply(project.database, parse_event(told), clock.now())
    with project.database.write() as connection:
        found = find_candidate(connection, "c1")
        requests.ask(connection, found.id, requests.COPY, clock.now())
        confidences.tell(connection, found.id, CANARY, person=IDA, now=clock.now())
    monkeypatch.chdir(project.config.root)

    def typed(*words: str) -> Any:
        given = Given(clock=clock, env={})
        return CliRunner().invoke(main, ["requests", *words], obj=given)

    (line,) = typed("--json").stdout.splitlines()
    assert json.loads(line)["due_at"] == "2026-12-23T10:00:00+00:00"
    assert "Ana" in typed().stdout
    assert typed("copy", "1", "--out", "ana.json").exit_code == 0
    file = project.config.root / "ana.json"
    held = json.loads(file.read_text())
    assert file.stat().st_mode & 0o077 == 0
    assert held["candidate"]["email"] == "ana@example.com"
    assert held["applications"][0]["job"] == "Engineer"
    assert CANARY not in file.read_text()
    assert typed("copy", "1", "--out", "ana.json").exit_code == 2
    assert typed("done", "1", "--by", IDA).exit_code == 0
    assert typed("done", "1").exit_code != 0
    assert typed("copy", "9", "--out", "x.json").exit_code != 0
    assert "no open requests" in typed().stdout
    assert IDA in typed("--all").stdout


def test_erasing_answers_what_was_asked_and_the_request_stays_on_record(
    client, populated, tell
) -> None:
    client.post(f"/p/{populated.signer.token(PREFERENCES, jorg(populated).id)}/data/deletion")
    tell("candidate.erased", candidate={"id": "sample-02"})
    with populated.database.read() as connection:
        (row,) = connection.execute(select(tables.requests)).mappings()
        left = select(applications.c.data).where(applications.c.ref == "sample-app-02")
        assert "recruiter" not in connection.execute(left).scalar_one()
    assert (row["kind"], row["done_by"]) == ("deletion", "erased")


def test_the_page_of_what_is_held_tells_no_decision_note_or_reason(
    client, populated, tell, clock
) -> None:
    canaries = [f"{CANARY}{n}" for n in range(4)]
    tell(
        "application.rejected",
        candidate={"id": "sample-02", "notes": canaries[0]},
        application={"id": "sample-app-02", "feedback": canaries[1]},
        reason=canaries[2],
    )
    tell("candidate.sensitive", candidate={"id": "sample-02"}, until="2027-01-01T00:00:00Z")
    wishes = {"hours": ["not 08:00-09:15"], "pace": "weekly", "quiet_days": ["Fridays"]}
    tell("candidate.preferences", candidate={"id": "sample-02"}, preferences=wishes)
    mine = f"/p/{populated.signer.token(PREFERENCES, jorg(populated).id)}/data"
    page = client.get(mine).text
    assert "Jörg Müller" in page
    assert "jorg.muller@example.org" in page
    assert "Backend Developer" in page
    for wish in ("nie 08:00 bis 09:15", "Wie oft: einmal in der Woche", "nie Freitag"):
        assert wish in page
    assert CANARY not in page
    for word in ("rejected", "abgelehnt", "sensitive", "2027"):
        assert word not in page
