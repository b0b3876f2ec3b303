"""What do recruiters see of a campaign, and of the words that were sent?"""

import html
import re

import httpx
import pytest

from nurture.engine.project import Project
from nurture.engine.sender import until_idle
from nurture.store.census import census
from nurture.wiring import sender


@pytest.fixture
def sent(project: Project, edited: httpx.Client) -> httpx.Client:
    """After the first mails have gone to the outbox."""
    project.catch_up()
    until_idle(project.planner, sender(project))
    return edited


def plain(page: httpx.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def test_a_candidates_page_shows_the_words_that_were_sent_after_an_edit(
    sent: httpx.Client, project: Project
) -> None:
    path = project.config.root / "templates/interview-prep/confirmation.md"
    before = " ".join(path.read_text().split())
    path.write_text(path.read_text().replace("interview", "palaver <b>"))
    project.reload()
    page = sent.get("/candidates/sample-01")
    assert before in plain(page)
    assert "templates/interview-prep/confirmation.md as of" in plain(page)
    assert "- send: interview-prep/confirmation" in plain(page)
    assert "palaver" not in plain(page)


def test_a_campaigns_page_shows_the_journey_and_how_many_are_where(
    sent: httpx.Client, project: Project
) -> None:
    assert 'href="/campaigns/interview-preparation"' in sent.get("/campaigns").text
    page = sent.get("/campaigns/interview-preparation")
    assert page.status_code == 200
    with project.database.read() as connection:
        counted = census(connection, "interview-preparation")
    assert counted.places["confirmation"].sent > 0
    said = plain(page)
    assert f"{counted.places['confirmation'].sent} sent" in said
    assert "entered " + str(counted.entered) in said
    for step in project.library.campaigns["interview-preparation"].every_step():
        if step.send is not None:
            assert step.send in said
        elif step.task is not None:
            assert step.task.text.split("{{")[0].strip() in said
    assert "flowchart TD" in said


def test_both_sides_of_a_branch_are_shown_and_what_stands_in_a_file_is_text(
    sent: httpx.Client, project: Project
) -> None:
    (project.config.root / "campaigns/first.yaml").write_text(
        "name: <i>First</i>\nenter: {on: application.created}\nsteps:\n"
        '  - if: candidate.phone == "<b>"\n    then:\n      - task: {text: <script>}\n'
        "    else:\n      - wait_for: candidate.replied\n        up_to: 2 days\n"
    )
    assert not project.reload().problems
    page = sent.get("/campaigns/first")
    for markup in ("<i>First", "<b>", "<script>"):
        assert markup not in page.text
    said = plain(page)
    assert 'if candidate.phone == "<b>"' in said
    assert "then 0 so far task <script>" in said
    assert "else 0 so far wait for candidate.replied" in said


def test_a_campaign_that_is_not_there_is_a_page_that_says_so(sent: httpx.Client) -> None:
    page = sent.get("/campaigns/nobody")
    assert page.status_code == 404
    assert "There is no good campaign of this name" in page.text
