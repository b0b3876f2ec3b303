"""The page on which letters are read and approved."""

import gc
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from nurture.core.model import MessageState
from nurture.engine.project import Project
from nurture.engine.sender import Sender, until_idle
from nurture.engine.unread import Waiting
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.store import history
from tests.conftest import REPOSITORY
from tests.web.conftest import ADMIN, Client, signed_in
from tests.world import Postman

IDA, BO = "ida@example.com", "bo@example.com"


def decide(project: Project, number: int, recruiter: str = IDA, **candidate: Any) -> None:
    """Somebody is told that it will not be them: a mail that waits to be read."""
    now = project.clock.now()
    who = {"id": f"d{number:02}", "email": f"d{number:02}@example.com", **candidate}
    who.setdefault("first_name", f"Dora {number:02}")
    application = {"id": f"da{number:02}", "recruiter": {"email": recruiter, "name": "Ida Berg"}}
    application["job"] = {"id": "dj", "title": "Data Engineer"}
    for type_, more in (
        ("application.created", {"stage": "interviewing"}),
        ("application.rejected", {}),
    ):
        event = {
            "type": type_,
            "source": "test",
            "id": f"{type_} {number} {now}",
            "occurred_at": now.isoformat(),
            "candidate": who,
            "application": {**application, **more},
        }
        apply(project.database, parse_event(event), now)


def plan(project: Project) -> None:
    """Four hours on: so long a decision can be taken back where it was made."""
    while project.planner.tick():
        pass
    project.clock.advance(timedelta(hours=4))
    while project.planner.tick():
        pass


def held(project: Project) -> list[int]:
    with project.database.read() as connection:
        rows = history.message_rows(connection, state=MessageState.HELD, limit=500)
    return sorted(row["id"] for row in rows)


def waiting_of(project: Project, number: int) -> int:
    with project.database.read() as connection:
        rows = history.message_rows(connection, state=MessageState.HELD, limit=500)
    return next(row["id"] for row in rows if row["ref"] == f"d{number:02}")


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1].replace("&#43;", "+")


@pytest.fixture
def letters(populated: Project) -> Project:
    """A Monday on which three letters wait, of two recruiters."""
    for number, recruiter in ((1, IDA), (2, IDA), (3, BO)):
        decide(populated, number, recruiter)
    plan(populated)
    return populated


def approve(client: Client, id_: int, **more: str) -> Any:
    page = client.get(f"/approvals?open={id_}").text
    read = {name: hidden(page, name) for name in ("as_of", "digest")}
    return client.act(f"/approvals/{id_}/approve", **read, **more)


def test_a_letter_is_read_beside_the_list_and_sent_as_it_was_read(
    letters: Project, client: Client
) -> None:
    id_ = waiting_of(letters, 1)
    page = client.get(f"/approvals?open={id_}").text
    assert "Dora 01" in page
    address = re.search(rf'src="(/approvals/{id_}/letter[^"]*)"', page)
    assert address is not None
    frame = client.get(address[1].replace("&amp;", "&"))
    assert "Dora 01" in frame.text
    assert "sandbox" in frame.headers["content-security-policy"]
    done = approve(client, id_)
    assert done.status_code == 303
    after = client.get(done.headers["location"]).text
    assert "approved it, and can take that back until then" in after
    assert id_ not in held(letters)
    letters.clock.advance(letters.config.undo_window)
    postman = Postman()
    clock, planner = letters.clock, letters.planner
    until_idle(planner, Sender(letters.database, planner, clock, letters.letters.write, postman))
    assert "d01@example.com" in [to for to, _ in postman.offered]


def test_a_page_that_was_shown_keeps_nothing_of_what_it_showed(
    letters: Project, client: Client
) -> None:
    client.get("/approvals")
    gc.collect()
    gc.disable()
    try:
        client.get("/approvals")
        assert not [each for each in gc.get_objects() if isinstance(each, Waiting)]
    finally:
        gc.enable()


def test_looking_approves_nothing(
    letters: Project, client: Client, snapshot: Callable[[Project], Any]
) -> None:
    before = snapshot(letters)
    ids = held(letters)
    for path in ("/approvals", *(f"/approvals?open={id_}" for id_ in ids)):
        assert client.get(path).status_code == 200
    for id_ in ids:
        assert client.get(f"/approvals/{id_}/letter").status_code == 200
        assert client.get(f"/approvals/{id_}/approve").status_code == 405
    assert snapshot(letters) == before


def test_recruiters_read_letters_to_their_own_candidates_only(
    letters: Project, client_of: Callable[..., Client]
) -> None:
    ida = client_of("recruiter", IDA)
    page = ida.get("/approvals").text
    assert "Dora 01" in page
    assert "Dora 03" not in page
    other = waiting_of(letters, 3)
    assert ida.get(f"/approvals/{other}/letter").status_code == 404
    ida.act(f"/approvals/{other}/approve", as_of=letters.clock.now().isoformat(), digest="")
    ida.act(f"/approvals/{other}/decline", why="no", to="task")
    assert other in held(letters)


def test_marketing_approves_no_decision(
    letters: Project, client_of: Callable[..., Client], client: Client
) -> None:
    zoe = client_of("marketer", "zoe@example.com")
    assert "Nothing waits for your approval" in zoe.get("/approvals").text
    id_ = waiting_of(letters, 1)
    page = client.get(f"/approvals?open={id_}").text
    read = {name: hidden(page, name) for name in ("as_of", "digest")}
    zoe.act(f"/approvals/{id_}/approve", **read)
    assert id_ in held(letters)


def test_what_changed_while_it_was_open_is_to_be_read_again(
    letters: Project, client: Client
) -> None:
    id_ = waiting_of(letters, 1)
    page = client.get(f"/approvals?open={id_}").text
    read = {name: hidden(page, name) for name in ("as_of", "digest")}
    letters.clock.advance(timedelta(minutes=1))
    decide(letters, 1, first_name="Nora")
    done = client.act(f"/approvals/{id_}/approve", **read)
    assert "said=changed" in done.headers["location"]
    assert f"open={id_}" in done.headers["location"]
    assert id_ in held(letters)


def test_a_letter_that_was_opened_yesterday_is_to_be_read_again(
    letters: Project, client: Client
) -> None:
    id_ = waiting_of(letters, 1)
    page = client.get(f"/approvals?open={id_}").text
    read = {name: hidden(page, name) for name in ("as_of", "digest")}
    letters.clock.advance(timedelta(hours=13))
    assert "said=changed" in client.act(f"/approvals/{id_}/approve", **read).headers["location"]


def test_an_approval_can_be_taken_back_from_the_page(letters: Project, client: Client) -> None:
    id_ = waiting_of(letters, 1)
    approve(client, id_)
    page = client.get("/approvals").text
    assert f"approved by {ADMIN}" in page
    done = client.act(f"/approvals/{id_}/take-back")
    assert "said=taken-back" in done.headers["location"]
    assert id_ in held(letters)


def test_declined_says_why_and_becomes_a_task_where_somebody_tells_them(
    letters: Project, client: Client
) -> None:
    one, two = waiting_of(letters, 1), waiting_of(letters, 2)
    asked = client.act(f"/approvals/{one}/decline", why="  ", to="task")
    assert "said=why" in asked.headers["location"]
    client.act(f"/approvals/{one}/decline", why="I ring her", to="task")
    client.act(f"/approvals/{two}/decline", why="she withdrew", to="nobody")
    assert not {one, two} & {*held(letters)}
    with letters.database.read() as connection:
        tasks = [row for row in history.task_rows(connection) if "declined" in row["text"]]
    assert ["I ring her" in row["text"] for row in tasks] == [True]
    assert "she withdrew" in client.get("/candidates/d02").text


def test_the_next_letter_is_open_after_each(letters: Project, client: Client) -> None:
    page = client.get("/approvals").text
    following = hidden(page, "next")
    first = re.search(r'action="/approvals/(\d+)/approve"', page)
    assert first is not None
    done = approve(client, int(first[1]), next=following)
    assert f"open={following}" in done.headers["location"]


def test_a_place_or_a_number_that_is_none_shows_the_beginning(client: Client) -> None:
    for path in ("?after=x", "?after=1~2~3", "?open=x", "?open=999999", "?said=%3Cb%3E&of=x"):
        assert client.get(f"/approvals{path}").status_code == 200
    assert client.get("/approvals/999999/letter?as_of=never").status_code == 404


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture
def fifty(populated: Project) -> Project:
    for number in range(50):
        decide(populated, number)
    plan(populated)
    return populated


@pytest.mark.acceptance("A7.4")
def test_fifty_letters_are_approved_by_keyboard_alone(
    fifty: Project, client: Client, page: Page
) -> None:
    signed_in(page.context, fifty)
    wrong: list[str] = []

    def listen(said: ConsoleMessage) -> None:
        # Whoever is faster than the frame approves a letter before it has loaded: it is gone then.
        if said.type == "error" and "/letter?" not in said.location["url"]:
            wrong.append(said.text)

    page.on("console", listen)
    page.goto(f"{client.base_url}/approvals".replace("//approvals", "/approvals"))
    many = len(held(fifty))
    assert many == 50
    page.keyboard.press("j")
    rows = page.locator("[data-row]")
    expect(rows.nth(1)).to_have_attribute("data-at", "")
    page.keyboard.press("k")
    expect(rows.nth(0)).to_have_attribute("data-at", "")
    for done in range(50):
        expect(page.get_by_role("heading", level=2).first).to_contain_text(f"{many - done} ")
        page.keyboard.press("a")
    expect(page.locator("#approvals")).to_contain_text("Nothing waits for your approval")
    expect(page.get_by_role("status")).to_contain_text("can take that back until then")
    assert len(held(fifty)) == many - 50
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    assert len(held(fifty)) == many - 49
    page.keyboard.press("x")
    page.keyboard.type("I tell her")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("it is a task now")
    assert len(held(fifty)) == many - 50
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_used_by_everybody(
    letters: Project, client: Client, page: Page, scheme: Any
) -> None:
    signed_in(page.context, letters)
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{client.base_url}/approvals".replace("//approvals", "/approvals"))
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate((REPOSITORY / "tests/web/vendor/axe/axe.min.js").read_text())
        found = page.evaluate("axe.run().then(found => found.violations)")
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


def test_what_was_liked_is_written_beside_the_letter_and_stands_in_it(
    populated: Project, client: Client
) -> None:
    decide(populated, 1)
    now = populated.clock.now()
    told = {"id": "da01", "stage": "Debrief", "reason": "canary of a colleague"}
    for type_ in ("application.stage_changed", "application.rejected"):
        event = {"type": type_, "id": f"{type_} again", "application": told}
        apply(populated.database, parse_event({**event, "occurred_at": now.isoformat()}), now)
    plan(populated)
    id_ = waiting_of(populated, 1)
    page = client.get(f"/approvals?open={id_}").text
    assert "They came far." in page
    assert f'action="/approvals/{id_}/approve"' not in page
    refused = client.act(f"/approvals/{id_}/advocate", line="What a charming accent")
    assert "Nothing was written" in client.get(refused.headers["location"]).text
    done = client.act(f"/approvals/{id_}/advocate", line="You asked the <best> question")
    page = client.get(done.headers["location"]).text
    assert "It stands in the letter now." in page
    assert "You asked the &lt;best&gt; question." in client.get(f"/approvals/{id_}/letter").text
    assert approve(client, id_).status_code == 303
    assert id_ not in held(populated)
    for path in ("/approvals", "/candidates/d01", "/", f"/preview?message={id_}"):
        assert "canary" not in client.get(path).text
