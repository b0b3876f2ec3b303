"""What a recruiter does about a candidate is an event with who and why, and changes the agenda."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from nurture.core.model import Reason, Verdict
from nurture.engine.outlook import Entry, outlook
from nurture.engine.project import Project
from nurture.engine.sender import Nowhere, Sender, until_idle
from nurture.errors import OutsideError
from nurture.store import confidences, tables
from nurture.store.tables import audit, events, metadata
from tests.web.conftest import ADMIN, Client

ANA = "/candidates/sample-01"
WHY = "they rang and asked for it"


def rows(project: Project, table: Any, **where: Any) -> list[Any]:
    query = select(table).where(*(table.c[name] == value for name, value in where.items()))
    with project.database.read() as connection:
        return list(connection.execute(query.order_by(table.c.id)).mappings())


def ahead(project: Project, who: str = "sample-01") -> list[Entry]:
    seen = outlook(project, who, ahead=None)
    assert seen is not None
    return list(seen.ahead)


def waiting(project: Project, who: str = "sample-01", klass: str = "") -> Entry:
    """The first mail to come that waits."""
    return next(
        each
        for each in ahead(project, who)
        if each.template and each.verdict is Verdict.WAIT and each.at and not each.about
        if klass in (each.category or "")
    )


def culture(project: Project) -> list[Entry]:
    """What of it is firm."""
    return [
        each
        for each in ahead(project)
        if each.category == "culture" and each.reason is not Reason.AFTER_STEP
    ]


def step(entry: Entry) -> dict[str, Any]:
    return {
        "enrollment": str(entry.enrollment),
        "step": entry.step,
        "occurrence": entry.occurrence,
    }


def work(project: Project) -> None:
    until_idle(
        project.planner,
        Sender(project.database, project.planner, project.clock, project.letters.write, Nowhere()),
    )


def acted(client: Client, do: str, path: str = ANA, **form: Any) -> str:
    """Does it as the page's form would; the text of the page that follows."""
    answer = client.act(path, do=do, **form)
    assert answer.status_code == 303, answer.text
    where = answer.headers["location"]
    assert where.startswith("/candidates/sample-")
    assert parse_qs(urlsplit(where).query)["did"] == [do]
    return text_of(client.get(where).text)


def text_of(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_a_pause_is_an_event_and_shows_what_it_changed(client: Client, populated: Project) -> None:
    page = acted(client, "pause", **{"for": "1m", "why": WHY})
    assert "Paused." in page
    assert "What this changed" in page
    (event,) = rows(populated, events, type="candidate.paused", source="web")
    assert event["data"]["by"] == ADMIN
    assert event["data"]["reason"] == WHY
    assert populated.clock.now() + timedelta(days=27) < datetime.fromisoformat(
        event["data"]["until"]
    )
    (row,) = rows(populated, audit, action="pause")
    assert (row["who"], row["candidate_id"]) == (ADMIN, event["candidate_id"])
    until = datetime.fromisoformat(event["data"]["until"])
    assert not [each for each in culture(populated) if each.at is None or each.at < until]
    acted(client, "resume", why="")
    assert [each for each in culture(populated) if each.at and each.at < until]


def test_a_pause_until_a_day_ends_in_the_candidates_morning(
    client: Client, populated: Project
) -> None:
    acted(client, "pause", until="2027-01-15", why=WHY)
    seen = outlook(populated, "sample-01")
    assert seen is not None
    assert seen.candidate.paused_until is not None
    local = seen.candidate.paused_until.astimezone(seen.zone)
    assert (local.date().isoformat(), local.hour) == ("2027-01-15", 8)


@pytest.mark.parametrize(
    "form",
    [
        {"do": "pause", "for": "1w", "why": WHY},
        {"do": "care", "for": "1w", "why": WHY},
        {"do": "log", "kind": "call", "outcome": "spoke"},
        {"do": "stop", "why": WHY},
    ],
)
def test_what_cannot_be_recorded_is_not_done(
    client: Client, populated: Project, monkeypatch: pytest.MonkeyPatch, form: dict[str, str]
) -> None:
    def full(*_of: Any, **_row: Any) -> None:
        raise OutsideError("database: the disk is full")

    def told() -> list[int]:
        return [len(rows(populated, each)) for each in (events, tables.stops, tables.confidences)]

    before = told()
    monkeypatch.setattr("nurture.store.audit.write", full)
    assert client.act(ANA, **form).status_code == 503
    assert told() == before


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"do": "pause", "for": "1w"}, "Please say why"),
        ({"do": "pause", "why": WHY}, "Please say until when"),
        ({"do": "pause", "why": WHY, "until": "2020-01-01"}, "Please name a day to come"),
        ({"do": "pause", "why": WHY, "until": "next week"}, "That is no day"),
        ({"do": "fire"}, "nothing of that name"),
        ({"do": "log", "kind": "call"}, "what came of the call"),
        ({"do": "log", "kind": "mail", "application": "other"}, "application is not theirs"),
        ({"do": "promise", "what": " ", "due": "2026-12-04"}, "say what is promised"),
        ({"do": "promise", "what": "a decision", "due": "2026-12-05"}, "Saturday"),
        ({"do": "skip", "why": WHY, "enrollment": "999", "step": "x"}, ""),
        ({"do": "lift"}, "not stopped"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_happens(
    client: Client,
    populated: Project,
    snapshot: Callable[[Project], dict[str, list[Any]]],
    form: dict[str, str],
    said: str,
) -> None:
    before = snapshot(populated)
    answer = client.act(ANA, **form)
    assert answer.status_code in (400, 404)
    assert said in text_of(answer.text)
    after = snapshot(populated)
    assert {name: each for name, each in after.items() if name != "sessions"} == {
        name: each for name, each in before.items() if name != "sessions"
    }


def test_why_somebody_needs_care_is_told_in_confidence_alone(
    client: Client, client_of: Callable[..., Client], populated: Project
) -> None:
    secret = "canary-bereavement"
    page = acted(client, "care", **{"for": "1m", "why": secret})
    assert secret not in page
    assert secret not in client.get(ANA).text
    with populated.database.read() as connection:
        for table in metadata.sorted_tables:
            held = str(connection.execute(select(table)).all())
            assert (secret in held) == (table.name == "confidences"), table.name
        (kept,) = confidences.page(connection, ADMIN, populated.clock.now())
    assert kept["said"] == secret
    assert secret in client.get("/confidences").text
    assert secret not in client_of("recruiter", "ida@example.com").get("/confidences").text
    held_back = [each for each in ahead(populated) if each.reason is Reason.SENSITIVE]
    assert held_back or all(each.reason is not Reason.DUE for each in ahead(populated))
    acted(client, "no-care")
    assert not [each for each in ahead(populated) if each.reason is Reason.SENSITIVE]


def test_a_logged_call_is_a_contact_and_keeps_a_promise(client: Client, populated: Project) -> None:
    seen = outlook(populated, "sample-01")
    assert seen is not None
    application = next(iter(seen.facts.applications))
    acted(client, "promise", what="a decision", due="2026-12-04", application=application)
    (event,) = rows(populated, events, type="promise.made", source="web")
    ref = event["data"]["promise"]["id"]
    populated.clock.advance(timedelta(hours=1))
    page = acted(client, "log", kind="call", outcome="spoke", application=application, promise=ref)
    assert "Call by hand: spoke with them" in page
    work(populated)
    seen = outlook(populated, "sample-01")
    assert seen is not None
    assert seen.facts.promises[ref].status == "kept"
    assert seen.facts.promises[ref].owner == ADMIN
    assert any(each.human and each.outcome == "spoke" for each in seen.facts.contacts)


def test_all_mail_is_stopped_and_goes_again(client: Client, populated: Project) -> None:
    acted(client, "stop", why=WHY)
    stopped = client.get(ANA).text
    assert f"stopped: candidate sample-01 (by {ADMIN}" in stopped
    assert all(each.reason is not Reason.DUE for each in ahead(populated) if each.verdict == "send")
    acted(client, "lift")
    assert "stopped: candidate" not in client.get(ANA).text
    assert [row["action"] for row in rows(populated, audit)][-2:] == ["stop", "lift"]


# --- one step -----------------------------------------------------------------------------------


def test_sending_now_says_first_what_it_passes_over_and_then_does(
    client: Client, populated: Project
) -> None:
    entry = waiting(populated)
    page = client.get(ANA).text
    assert f"step={entry.step}" in page
    asked = text_of(client.get(ANA, params=step(entry)).text)
    assert "It would go at once, and pass over: its moment has not come" in asked
    assert not rows(populated, events, type="step.hurried"), "looking changes nothing"
    page = acted(client, "send-now", why=WHY, **step(entry))
    assert f"{ADMIN} asked for it at once: {WHY}. That passes over" in page
    assert "was wanted at once" in page
    work(populated)
    seen = outlook(populated, "sample-01")
    assert seen is not None
    assert (entry.step, populated.clock.now()) in [
        (each.step, each.at) for each in seen.past if each.verdict == "sent"
    ]
    page = text_of(client.get(ANA).text)
    assert f"Sent Mon 23 Nov 10:00 (Lisbon): {ADMIN} asked for it" in page
    assert f"“{populated.letters.title(entry.template or '')}” was wanted at once" in page
    (row,) = rows(populated, audit, action="send-now")
    assert row["detail"]["why"] == WHY
    assert row["about"] == f"step:{entry.campaign}/{entry.step}"


def test_what_the_candidate_asked_for_cannot_be_passed_over(
    client: Client, populated: Project, tell: Callable[..., None]
) -> None:
    entry = waiting(populated)
    tell("candidate.do_not_contact", candidate={"id": "sample-01"})
    now = next(each for each in ahead(populated) if each.step == entry.step)
    asked = client.get(ANA, params=step(now))
    if asked.status_code == 200:
        assert "That is not possible" in asked.text
        assert 'value="send-now"' not in asked.text
    client.act(ANA, do="send-now", why=WHY, **step(entry))
    work(populated)
    seen = outlook(populated, "sample-01")
    assert seen is not None
    assert entry.step not in [each.step for each in seen.past if each.verdict == "sent"]


def test_a_skipped_step_never_goes_and_a_snoozed_one_waits(
    client: Client, populated: Project
) -> None:
    entry = waiting(populated)
    assert entry.at is not None
    later = {"for": "1d", "from": entry.at.isoformat()}
    page = acted(client, "snooze", why=WHY, **later, **step(entry))
    assert f"{ADMIN} put it off: {WHY}" in page
    assert waiting(populated).at != entry.at
    assert "was put off until" in page
    asked = text_of(client.get(ANA, params=step(entry)).text)
    assert "It is not sent, and the rest goes on." in asked
    page = acted(client, "skip", why=WHY, **step(entry))
    assert f"Not sent: {ADMIN} skipped it: {WHY}" in page
    work(populated)
    assert f"skipped it: {WHY}" in text_of(client.get(ANA).text), "and stands in the past"
    assert step(entry) not in [step(each) for each in ahead(populated)]


def test_a_step_that_is_not_to_come_is_nowhere(client: Client) -> None:
    nobody = {"enrollment": "1", "step": "nothing", "occurrence": "1"}
    assert client.get(ANA, params=nobody).status_code == 404
    assert client.get("/candidates/nobody", params=nobody).status_code == 404


# --- who may ------------------------------------------------------------------------------------


def test_marketing_pauses_and_stops_and_does_nothing_else(
    client_of: Callable[..., Client], populated: Project
) -> None:
    marketer = client_of("marketer", "mia@example.com")
    page = marketer.get(ANA).text
    assert 'value="pause"' in page
    assert 'value="log"' not in page
    assert "Now, later or never" not in page
    entry = waiting(populated)
    for form in (
        {"do": "log", "kind": "mail"},
        {"do": "care", "for": "1w"},
        {"do": "skip", "why": WHY, **step(entry)},
    ):
        assert marketer.act(ANA, **form).status_code == 403
    assert marketer.get(ANA, params=step(entry)).status_code == 403
    acted(marketer, "stop", why=WHY)


def test_somebody_elses_candidate_is_nobody(
    client_of: Callable[..., Client], populated: Project
) -> None:
    stranger = client_of("recruiter", "nobody@example.com")
    known = stranger.get("/candidates/never-was")
    for answer in (stranger.get(ANA), stranger.act(ANA, do="stop", why=WHY)):
        assert answer.status_code == 404
        assert text_of(answer.text) == text_of(known.text)
    assert not rows(populated, audit, action="stop")


def test_a_form_that_is_not_ours_does_nothing(client: Client, populated: Project) -> None:
    assert client.post(ANA, data={"do": "stop", "why": WHY}).status_code == 403
    assert not rows(populated, events, source="web")


def test_what_somebody_types_is_only_ever_text(client: Client) -> None:
    page = client.act(ANA, do="pause", why='"><script>alert(1)</script>', until="x").text
    assert "<script>alert" not in page
    client.act(ANA, do="pause", why="<img src=x onerror=y>", **{"for": "1w"})
    assert "<img src=x" not in client.get(ANA).text
    assert "&lt;img src=x" in client.get(ANA).text


# --- the past -----------------------------------------------------------------------------------


def test_the_past_is_read_a_page_at_a_time_and_nothing_twice(
    client: Client, populated: Project, tell: Callable[..., None]
) -> None:
    for number in range(75):
        populated.clock.advance(timedelta(minutes=number % 3))  # some at the same instant
        tell("custom.note", candidate={"id": "sample-01"}, data={"n": number}, id=f"n-{number}")
        if number % 5 == 0:
            tell(
                "contact.logged",
                candidate={"id": "sample-01"},
                contact={"kind": "mail"},
                id=f"m-{number}",
            )
    seen: list[str] = []
    path: str | None = ANA
    while path:
        page = client.get(path).text
        past = page.partition('class="timeline past"')[2].partition("</ol>")[0]
        found = re.findall(r'<li class="[^"]*">(.*?)</li>', past, re.DOTALL)
        assert 0 < len(found) <= 30
        seen += found
        link = re.search(r'class="more"><a href="([^"#]+)#past"', page)
        path = unescape(link[1]) if link else None
    said = [text_of(each) for each in seen]
    assert sum("custom.note" in each for each in said) == 75
    assert sum("Mail by hand" in each for each in said) == 15
    instants = [re.findall(r'datetime="([^"]+)"', each)[0] for each in seen]
    assert instants == sorted(instants, reverse=True)


def test_what_they_did_stands_in_the_timeline(client: Client, tell: Callable[..., None]) -> None:
    about: dict[str, Any] = {"candidate": {"id": "sample-01"}}
    tell("candidate.replied", **about)
    tell("candidate.unsubscribed", **about, topics=["culture"])
    tell("message.bounced", **about, message={"permanent": False, "reason": "mailbox full"})
    tell("answer.given", **about, answer={"question": "coming", "value": "yes"})
    page = text_of(client.get(ANA).text)
    for said in (
        "They replied",
        "They unsubscribed from culture",
        "A mail came back: mailbox full",
        "They answered coming: yes",
    ):
        assert said in page
    assert "Does not want culture" in page


# --- the list -----------------------------------------------------------------------------------


def test_the_list_is_turned_page_by_page_and_each_stands_there_once(
    client: Client, populated: Project, tell: Callable[..., None]
) -> None:
    for number in range(90):
        tell("candidate.upserted", candidate={"id": f"new-{number:03}"})
    seen: list[str] = []
    path: str | None = "/candidates"
    while path:
        page = client.get(path).text
        found = re.findall(r'<div class="who">\s*<a href="/candidates/([^"]+)"', page)
        assert 0 < len(found) <= 50
        seen += found
        link = re.search(r'<a href="(/candidates\?after=\d+)">Next', page)
        path = link[1] if link else None
    assert len(seen) == len(set(seen)) > 110
    assert client.get("/candidates?after=none").status_code == 200


def test_a_recruiter_sees_and_finds_their_own(
    client_of: Callable[..., Client], populated: Project
) -> None:
    seen = outlook(populated, "sample-01")
    assert seen is not None
    own = next(each.recruiter for each in seen.facts.applications.values() if each.recruiter)
    theirs = client_of("recruiter", own)
    assert "Ana Silva" in theirs.get("/candidates").text
    assert "Ana Silva" in theirs.get("/candidates?q=silva").text
    stranger = client_of("recruiter", "nobody@example.com")
    assert "No candidates are yours yet" in stranger.get("/candidates").text
    assert "Ana Silva" not in stranger.get("/candidates?q=silva").text
