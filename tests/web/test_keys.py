"""Lists by keyboard, in a real browser: what is marked in the page is what keys do."""

from datetime import timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import insert, select, update

from nurture.engine.project import Project
from nurture.store import tables
from tests.conftest import MONDAY
from tests.web.conftest import Client


def two_calls(project: Project) -> None:
    with project.database.write() as connection:
        connection.execute(update(tables.tasks).values(state="done"))
        enrolled = connection.execute(select(tables.enrollments).limit(2)).mappings().all()
        for number, each in enumerate(enrolled):
            row = {
                "candidate_id": each["candidate_id"],
                "enrollment_id": each["id"],
                "step": f"made-{number}",
                "occurrence": "1",
                "campaign": "made",
                "kind": "call",
                "text": f"Ring number {number}\n\nSay it.",
                "role": "recruiter",
                "created_at": MONDAY,
                "due_at": MONDAY + timedelta(hours=number + 1),
            }
            connection.execute(insert(tables.tasks).values(row))


def test_calls_are_done_by_keys_alone(page: Page, client: Client, populated: Project) -> None:
    two_calls(populated)
    base = str(client.base_url).rstrip("/")
    page.goto(f"{base}/tasks")
    focus = page.locator("[data-row]:focus")
    page.keyboard.press("j")
    expect(focus).to_contain_text("Ring number 0")
    page.keyboard.press("j")
    expect(focus).to_contain_text("Ring number 1")
    page.keyboard.press("k")
    page.keyboard.press("1")
    expect(page.get_by_role("status")).to_have_text("Written down: you spoke with them.")
    expect(focus).to_contain_text("Ring number 1")  # it took the place of the one that is done
    page.keyboard.press("3")
    expect(page.get_by_role("status")).to_contain_text("nobody took the call")
    expect(focus).to_contain_text("Ring number 1")  # the page is there before what its keys do
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/candidates/*")
    with populated.database.read() as connection:
        rows = connection.execute(select(tables.tasks).order_by(tables.tasks.c.id)).mappings()
        done = [(row["outcome"], row["state"]) for row in rows if row["campaign"] == "made"]
    assert done == [("spoke", "done"), ("no_answer", "open")]


def test_what_is_typed_into_a_field_is_no_key(page: Page, site: Client) -> None:
    page.goto(str(site.base_url))
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('afterbegin', '<input id=\"field\">')"
    )
    page.locator("#field").press_sequentially("jk1")
    assert page.locator("#field").input_value() == "jk1"
