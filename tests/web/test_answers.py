"""What an answer by a link in a mail does, and what nobody's looking does."""

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from nurture.clock import SetClock
from nurture.rendering.links import PREFERENCES, Answer
from nurture.store import schema
from nurture.store.database import Database
from nurture.store.facts import find_application, find_candidate
from nurture.store.tables import enrollments, events, tasks
from tests.conftest import REPOSITORY
from tests.web.conftest import NO_TLS, served
from tests.web.test_in_a_browser import CONTRAST
from tests.world import World

QUESTIONS = """\
ask:
  - id: coming
    text: Will you be there?
    options: {yes: "Yes, I will", later: "Not now", no: "No, sorry", talk: "Let us talk"}
    sets: candidate.notice_period
    then: {later: pause 3 months, no: withdraw, talk: task, yes: leave}
"""
CAMPAIGN = """\
name: A question
status: live
enter:
  on: application.created
steps:
  - send: ask/coming
  - send: notes/more
    after: 3 days
"""


@pytest.fixture
def world(tmp_path: Path, clock: SetClock) -> Iterator[World]:
    """Ana, who has got a mail with a question."""
    folder = tmp_path / "project"
    shutil.copytree(REPOSITORY / "templates/layouts", folder / "templates/layouts")
    (folder / "campaigns").mkdir()
    (folder / "config.yaml").write_text("")
    database = Database(f"sqlite:///{tmp_path}/nurture.db")
    schema.upgrade(database)
    world = World(folder, database, clock)
    world.template("notes/more", "logistics")
    (folder / "templates/ask").mkdir()
    (folder / "templates/ask/coming.md").write_text(
        f"---\nsubject: A question\ncategory: logistics\n{QUESTIONS}---\n"
        'Hello.\n\n{{ ask("coming") }}\n'
    )
    world.campaign("question", CAMPAIGN)
    world.reload()
    candidate = {"id": "c1", "email": "ana@example.com", "first_name": "Ana"}
    application = {"id": "a1", "recruiter": "ida@example.com"}
    world.tell("application.created", candidate=candidate, application=application)
    world.work()
    yield world
    database.close()


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with (
        served(world.project) as address,
        httpx.Client(base_url=address, timeout=30, verify=NO_TLS) as client,
    ):
        yield client


def token(world: World, option: str = "yes", message: int = 1) -> str:
    return world.project.signer.answer_token(Answer(1, message, "coming", option))


def told(world: World) -> list[str]:
    with world.database.read() as connection:
        query = select(events.c.type).where(events.c.source == "answer").order_by(events.c.id)
        return list(connection.execute(query).scalars())


def ana(world: World) -> Any:
    with world.database.read() as connection:
        return find_candidate(connection, "c1")


def rows(world: World, query: Any) -> list[Any]:
    with world.database.read() as connection:
        return list(connection.execute(query).scalars())


def status(world: World) -> str:
    with world.database.read() as connection:
        found = find_application(connection, "a1")
    assert found is not None
    return found.status


def test_the_mail_that_was_sent_has_links_that_work(world, client) -> None:
    written = world.project.letters
    sent: list[bytes] = []

    def kept(*given: Any) -> Any:
        letter = written.write(*given)
        sent.append(letter.raw)
        return letter

    world.sender.write = kept
    world.tell(
        "application.created",
        candidate={"id": "c2", "email": "b@example.com"},
        application={"id": "a2"},
    )
    world.work()
    text = sent[0].decode().replace("=\r\n", "").replace("=3D", "=")
    found = dict.fromkeys(re.findall(r"/a/([\w-]{30,})", text))
    assert len(found) == 4
    assert world.project.signer.read_answer(next(iter(found))) == Answer(2, 2, "coming", "yes")
    page = client.post(f"/a/{next(iter(found))}")
    assert "Thank you" in page.text
    with world.database.read() as connection:
        other = find_candidate(connection, "c2")
    assert other is not None
    assert other.fields["answers"] == {"coming": "yes"}


@pytest.mark.acceptance("A7.1")
def test_a_scanner_that_opens_every_link_changes_nothing(world, client, snapshot) -> None:
    before = snapshot(world.project)
    for option in ("yes", "later", "no", "talk"):
        for _ in range(2):
            page = client.get(f"/a/{token(world, option)}")
            head = client.head(f"/a/{token(world, option)}")
            assert page.status_code == head.status_code == 200
    assert "Will you be there?" in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "set-cookie" not in page.headers
    assert snapshot(world.project) == before


def test_the_button_records_the_answer_and_sets_the_field(world, client) -> None:
    page = client.post(f"/a/{token(world, 'talk')}", content=b"\xff whatever body")
    assert page.status_code == 200
    assert "Let us talk" in page.text
    assert ana(world).fields["answers"] == {"coming": "talk"}
    assert ana(world).fields["notice_period"] == "talk"
    assert told(world) == ["answer.given"]
    assert rows(world, select(tasks.c.text)) == ['Ana answered "Will you be there?": Let us talk']
    assert rows(world, select(tasks.c.assignee)) == ["ida@example.com"]


def test_pressing_the_button_twice_does_nothing_the_second_time(world, client, snapshot) -> None:
    first = client.post(f"/a/{token(world, 'talk')}")
    before = snapshot(world.project)
    world.clock.advance(timedelta(seconds=1))
    again = client.post(f"/a/{token(world, 'talk')}")
    assert (again.status_code, again.text) == (200, first.text)
    assert snapshot(world.project) == before


def test_an_answer_can_be_changed_on_the_page_it_leads_to(world, client) -> None:
    page = client.post(f"/a/{token(world, 'later')}")
    assert ana(world).paused_until is not None
    forms = {
        label: path
        for path, label in re.findall(r'action="([^"]+)"><button[^>]*>([^<]+)</button>', page.text)
    }
    assert set(forms) == {"Yes, I will", "No, sorry", "Let us talk"}
    world.clock.advance(timedelta(minutes=1))
    changed = client.post(forms["Let us talk"])
    assert "Let us talk</strong>" in changed.text
    assert ana(world).fields["answers"] == {"coming": "talk"}
    assert ana(world).paused_until is None, "the pause went with the answer that began it"
    assert told(world) == [
        *("answer.given", "candidate.paused"),
        *("answer.given", "candidate.resumed"),
    ]
    look = client.get(f"/a/{token(world, 'yes')}")
    assert "Your answer so far" in look.text


@pytest.mark.acceptance("A4.2")
def test_no_ends_the_application_and_whatever_was_queued_for_it(world, client) -> None:
    world.clock.advance(timedelta(days=2, hours=23))
    world.work()
    page = client.post(f"/a/{token(world, 'no')}")
    assert "Your application is withdrawn" in page.text
    assert status(world) == "withdrawn"
    assert told(world) == ["answer.given", "application.withdrawn"]
    world.run_for(days=10)
    assert [step for step, _ in world.sent()] == ["coming"]


def test_an_application_that_has_ended_is_not_withdrawn(world, client) -> None:
    world.tell("application.hired", application={"id": "a1"})
    client.post(f"/a/{token(world, 'no')}")
    assert status(world) == "hired"
    assert ana(world).fields["answers"] == {"coming": "no"}


def test_what_cannot_be_undone_by_a_changed_answer_is_told_to_a_person(world, client) -> None:
    client.post(f"/a/{token(world, 'no')}")
    world.clock.advance(timedelta(minutes=1))
    client.post(f"/a/{token(world, 'later')}")
    (text,) = rows(world, select(tasks.c.text))
    assert 'from "No, sorry" to "Not now"' in text
    assert "withdrawn" in text


def test_leave_ends_the_campaign_that_asked_before_its_next_mail(world, client) -> None:
    world.clock.advance(timedelta(days=3) - timedelta(seconds=1))
    client.post(f"/a/{token(world, 'yes')}")
    world.clock.advance(timedelta(minutes=1))
    world.work()
    assert rows(world, select(enrollments.c.end_reason)) == ["answer.given"]
    world.run_for(days=10)
    assert [step for step, _ in world.sent()] == ["coming"]
    assert world.entry("more").reason == "left"


def test_mail_that_is_queued_already_obeys_an_answer(world, client) -> None:
    world.clock.advance(timedelta(days=3))
    while world.project.planner.tick():
        pass
    client.post(f"/a/{token(world, 'yes')}")
    world.work()
    assert [step for step, _ in world.sent()] == ["coming"]


@pytest.mark.parametrize(
    "hostile",
    ["A" * 42, "x", "A" * 5000, "%00", "..%2F..%2Fetc", "é" * 20, "=" * 40, "a.b.c.d", "-" * 40],
)
def test_hostile_tokens_get_one_answer_and_change_nothing(world, client, snapshot, hostile) -> None:
    before = snapshot(world.project)
    look, post = client.get(f"/a/{hostile}"), client.post(f"/a/{hostile}")
    assert look.status_code == post.status_code == 404
    assert "This link is not whole" in look.text or "There is nothing here" in look.text
    assert snapshot(world.project) == before


def test_tokens_of_other_questions_people_and_purposes_change_nothing(
    world, client, snapshot
) -> None:
    signer, before = world.project.signer, snapshot(world.project)
    strange = [
        signer.token(PREFERENCES, 1),
        signer.answer_token(Answer(1, 1, "unasked", "yes")),
        signer.answer_token(Answer(1, 1, "coming", "maybe")),
        signer.answer_token(Answer(99, 1, "coming", "yes")),
        signer.answer_token(Answer(1, 99, "coming", "yes")),
    ]
    answers = [client.post(f"/a/{each}") for each in strange]
    assert {each.status_code for each in answers} == {404}
    assert len({each.text for each in answers}) == 1, "nothing is learned by trying"
    assert snapshot(world.project) == before


def test_the_links_of_a_preview_record_nothing(world, client, snapshot) -> None:
    before = snapshot(world.project)
    for page in (
        client.get(f"/a/{token(world, message=0)}"),
        client.post(f"/a/{token(world, message=0)}"),
    ):
        assert "preview" in page.text
        assert "<form" not in page.text
    assert snapshot(world.project) == before


def test_a_candidate_who_became_another_still_answers_by_the_old_mail(world, client) -> None:
    world.tell("candidate.upserted", candidate={"id": "c9", "email": "ana.c@example.com"})
    world.tell("candidate.merged", candidate={"id": "c1"}, into={"id": "c9"})
    assert "Thank you" in client.post(f"/a/{token(world, 'talk')}").text
    assert ana(world).ref == "c9"
    assert ana(world).fields["answers"] == {"coming": "talk"}


def test_who_was_erased_leaves_no_answer(world, client) -> None:
    world.tell("candidate.erased")
    client.post(f"/a/{token(world, 'talk')}")
    assert "answers" not in ana(world).fields
    assert rows(world, select(tasks.c.text)) == []


def test_answer_pages_answer_to_the_world_as_the_other_public_ones_do(world, client) -> None:
    page = client.get(f"/a/{token(world)}", headers={"host": "hr.example.com"})
    assert page.status_code == 200
    assert client.get("/", headers={"host": "hr.example.com"}).status_code == 403


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_and_used_on_a_phone_without_any_script(
    browser: Browser,
    client: httpx.Client,
    world: World,
    scheme: Any,
) -> None:
    context = browser.new_context(
        java_script_enabled=False, color_scheme=scheme, viewport={"width": 320, "height": 640}
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    base = str(client.base_url).rstrip("/")
    page.goto(f"{base}/a/{token(world, 'later')}")
    for heading in ("Will you be there?", "Thank you"):
        expect(page.locator("h1")).to_have_text(heading)
        page.wait_for_load_state()  # its words are there before its colours
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.evaluate(CONTRAST) == []
        if heading != "Thank you":
            assert told(world) == []
            page.get_by_role("button", name="Not now").click()
    assert told(world) == ["answer.given", "candidate.paused"]
    world.clock.advance(timedelta(minutes=1))
    page.get_by_role("button", name="Let us talk").click()
    expect(page.locator("main")).to_contain_text("A person has been told")
    assert all(url.startswith(base) for url in asked)
    context.close()
