"""What recruiters see: all of it true, none of it changed by looking."""

from datetime import timedelta

import pytest
from markupsafe import escape
from sqlalchemy import text

from nurture.engine.hindsight import hindsight
from tests.web.conftest import Client, enter

PAGES = [
    "/",
    "/campaigns",
    "/candidates",
    "/candidates?q=ana",
    "/candidates/sample-01",
    "/candidates/sample-01?at=2026-11-23T10:00",
    "/preview",
    "/preview?template=interview-prep/confirmation&candidate=sample-01",
    "/preview?template=interview-prep/confirmation&candidate=sample-01&view=text",
    "/preview?template=interview-prep/confirmation&candidate=sample-01&view=source",
    "/preview/html?template=interview-prep/confirmation&candidate=sample-01",
    "/healthz",
]


def test_every_page_opens_and_looking_changes_nothing(site, standing, snapshot) -> None:
    before = snapshot(standing)
    files = sorted(standing.config.root.rglob("*.eml"))
    for page in PAGES:
        assert site.get(page).status_code == 200, page
        head = site.head(page)
        assert (head.status_code, head.content) == (200, b""), page
    assert snapshot(standing) == before
    assert sorted(standing.config.root.rglob("*.eml")) == files


@pytest.mark.parametrize("page", [*PAGES, "/nowhere", "/static/nurture.css", "/u/x", "/p/x"])
def test_every_answer_carries_the_security_headers_and_no_cookie(site, page) -> None:
    headers = site.get(page).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors" in headers["content-security-policy"]
    assert "unsafe-inline' 'unsafe-eval" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("host", ["evil.example", "nurture.example.com:8420", "10.0.0.5", ""])
def test_recruiters_pages_answer_to_no_foreign_host_name(site, page, host) -> None:
    """DNS rebinding: a foreign site whose name suddenly means this machine."""
    answer = site.get(page, headers={"host": host})
    assert answer.status_code in (400, 403)
    assert "sample-01" not in answer.text
    assert "Silva" not in answer.text


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-forwarded-host", "forwarded", "via"])
def test_recruiters_pages_are_not_passed_on_by_a_proxy(site, header) -> None:
    answer = site.get("/candidates", headers={"host": "127.0.0.1", header: "203.0.113.7"})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["localhost:8420", "LOCALHOST", "127.0.0.1:1", "[::1]:8420"])
def test_recruiters_pages_answer_to_each_name_of_this_machine(site, host) -> None:
    assert site.get("/candidates", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("page", ["/", "/campaigns", "/candidates", "/preview"])
def test_recruiters_pages_take_no_post(site, page) -> None:
    answer = site.post(page)
    assert answer.status_code == 405
    assert "only be read" in answer.text


def test_pages_stay_out_of_caches_and_styles_are_sent_once(site) -> None:
    assert site.get("/candidates").headers["cache-control"] == "no-store"
    style = site.get("/static/nurture.css")
    again = site.get("/static/nurture.css", headers={"if-none-match": style.headers["etag"]})
    assert again.status_code == 304


def test_the_frameworks_own_api_pages_are_not_there(site) -> None:
    for page in ("/docs", "/redoc", "/openapi.json"):
        assert site.get(page).status_code == 404


# --- today ----------------------------------------------------------------------------------------


def test_today_shows_problems_with_their_place_and_what_to_try(edited, project) -> None:
    file = project.config.campaigns_dir / "company-culture.yaml"
    file.write_text(file.read_text().replace("once_per:", "once_pre:"))
    project.reload()
    page = edited.get("/").text
    assert "company-culture.yaml:" in page
    assert "unknown-key" in page
    assert "once_per" in page  # the hint


def test_today_shows_who_was_set_aside_and_why(client, populated) -> None:
    with populated.database.write() as connection:
        connection.execute(
            text("UPDATE candidates SET problem = 'ValueError: odd' WHERE ref = 'sample-02'")
        )
    page = client.get("/").text
    assert "Set aside" in page
    assert "ValueError: odd" in page


def test_today_shows_a_part_outside_that_fails(client, populated) -> None:
    populated.pulse.trouble = "SMTP: connection refused"
    assert "SMTP: connection refused" in client.get("/").text


# --- campaigns ------------------------------------------------------------------------------------


def test_a_campaigns_steps_stand_in_words(site) -> None:
    assert "Interview preparation" in site.get("/campaigns").text
    page = site.get("/campaigns/interview-preparation").text
    assert "3 business days before interview.starts_at" in page
    assert "until 2 hours before interview.starts_at" in page
    assert "2 business days after the step above" in page
    assert "once per interview" in page


def test_a_broken_edit_shows_the_problem_beside_the_version_in_force(edited, project) -> None:
    file = project.config.campaigns_dir / "company-culture.yaml"
    file.write_text(file.read_text().replace("after: 2 weeks", "after: 2 wekes"))
    project.reload()
    assert "The last good version stays in force" in edited.get("/campaigns").text
    page = edited.get("/campaigns/company-culture").text
    assert "The last good version stays in force" in page
    assert "is not a duration; did you mean" in page
    assert "2 weeks after the step above" in page


def test_a_campaign_whose_file_is_gone_is_named_with_whom_it_holds(edited, project) -> None:
    (project.config.campaigns_dir / "interview-preparation.yaml").unlink()
    project.reload()
    page = edited.get("/campaigns").text
    assert "campaigns/interview-preparation.yaml" in page
    assert "enrolled stand still until it is back" in page


# --- candidates -----------------------------------------------------------------------------------


def test_the_search_finds_by_name_address_and_id(site) -> None:
    for wanted in ("ana sil", "ANA.SILVA@", "sample-01"):
        page = site.get("/candidates", params={"q": wanted}).text
        assert "Ana Silva" in page
        assert "Haruto" not in page
    assert "Nobody has a name" in site.get("/candidates?q=zzz").text


def test_an_agenda_gives_a_reason_for_each_line_in_the_candidates_zone_and_ours(site) -> None:
    page = site.get("/candidates/sample-01").text
    assert "Next 30 days" in page
    assert "Waits until" in page
    assert "(Lisbon)" in page
    assert "Europe/Berlin" not in page
    berlin = site.get("/candidates/sample-02").text
    assert "Europe/Berlin" in berlin
    assert "(Berlin)" in berlin
    assert "Europe/Lisbon" in berlin  # the house's own clock, beside it


def test_a_candidate_is_also_found_by_address(site) -> None:
    assert "Ana Silva" in site.get("/candidates/ANA.silva@example.com").text
    assert site.get("/candidates/nobody").status_code == 404


def test_what_everybody_must_know_is_on_the_page(client, populated, tell) -> None:
    ana = {"id": "sample-01"}
    until = (populated.clock.now() + timedelta(days=10)).isoformat()
    tell("candidate.paused", candidate=ana, until=until)
    tell("candidate.unsubscribed", candidate=ana)
    tell("candidate.do_not_contact", candidate=ana)
    for page in ("/candidates/sample-01", "/candidates?q=sample-01"):
        shown = client.get(page).text
        assert "do not contact" in shown
        assert "unsubscribed" in shown
        assert "paused until" in shown


def test_names_and_ids_cannot_become_html_or_leave_their_links(client, tell) -> None:
    ref = 'x"><img src=//evil.example>/?&#'
    tell(
        "application.created",
        candidate={"id": ref, "email": "x@example.com", "first_name": "<script>alert(1)</script>"},
        application={"id": "a-x", "job": {"title": "<b>Bold</b>"}},
    )
    for page in ("/candidates?q=x@example.com", "/candidates/x@example.com", "/preview"):
        shown = client.get(page).text
        assert "<script>" not in shown
        assert "<img" not in shown
        assert "<b>Bold" not in shown
    found = client.get("/candidates?q=x@example.com").text.partition('href="/candidates/')
    href = "/candidates/" + found[2].partition('href="/candidates/')[2].partition('"')[0]
    href = href if href != "/candidates/" else "/candidates/" + found[2].partition('"')[0]
    assert client.get(href).status_code == 200


# --- preview --------------------------------------------------------------------------------------

LETTER = "template=culture/meet-the-team&candidate=sample-01"


# --- when things go wrong -------------------------------------------------------------------------


def test_a_database_that_fails_is_a_calm_page_without_a_traceback(client, populated) -> None:
    with populated.database.write() as connection:
        connection.execute(text("ALTER TABLE candidates RENAME TO gone"))
    for page in ("/", "/candidates", "/candidates/sample-01"):
        answer = client.get(page)
        assert answer.status_code == 503
        assert "is not answering" in answer.text
        assert "no such table" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_defect_is_a_calm_page_without_a_traceback(client, populated, monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of Ana's")

    monkeypatch.setattr(populated.letters, "preview", broken)
    answer = client.get(f"/preview?{LETTER}")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_an_empty_project_says_how_to_begin(project, serve) -> None:
    with serve(project) as address, Client(address, project, enter(project)) as client:
        for page in ("/", "/candidates", "/preview"):
            answer = client.get(page)
            assert answer.status_code == 200
            assert "nurture import" in answer.text


def test_the_page_shows_what_was_on_record_then(site, standing) -> None:
    then = hindsight(standing, "sample-01", standing.clock.now())
    page = site.get("/candidates/sample-01", params={"at": "2026-11-23T10:00"}).text
    assert "As it stood on" in page
    assert all(escape(each.sentence) in page for each in (*then.past, *then.ahead))
    before = site.get("/candidates/sample-01", params={"at": "2026-11-23T09:00+00:00"}).text
    assert "Nothing was planned" in before
    for wrong in ("yesterday", "2036-01-01"):
        answer = site.get("/candidates/sample-01", params={"at": wrong})
        assert answer.status_code == 400
        assert "no instant gone by" in answer.text
