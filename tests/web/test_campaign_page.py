"""What do recruiters see of a campaign, and of the words that were sent?"""

import html
import re

import httpx
import pytest

from nurture.engine.daemon import until_idle
from nurture.engine.project import Project
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
