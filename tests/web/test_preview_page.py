"""Looking at a mail before it goes: exactly that mail, and nothing happens by looking."""

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape
from sqlalchemy import event, text

from nurture.config import SmtpTransport
from nurture.core.model import Deferred, Outcome, Rejected
from nurture.delivery.outbox import Outbox
from nurture.engine import looking
from nurture.engine.outlook import outlook
from nurture.engine.project import Project
from nurture.engine.sender import Sender
from nurture.rendering.errors import RenderError
from nurture.rendering.links import PREFERENCES, UNSUBSCRIBE
from nurture.store.facts import find_candidate
from nurture.web.previews import TRIALS
from nurture.wiring import carrier
from tests.web.conftest import ADMIN, Client, enter, served
from tests.world import Postman

LETTER = "template=culture/meet-the-team&candidate=sample-01"
INVITE = "template=interview-prep/confirmation&candidate=sample-01"
VIEWS = ("letter", "phone", "dark", "text", "links", "headers", "calendar", "source")


class Remembering(Postman):
    """Takes every mail and keeps its bytes, by Message-ID."""

    def __init__(self) -> None:
        super().__init__()
        self.raw: dict[str, bytes] = {}

    def hand_over(self, envelope_from: str, to: str, raw: bytes, message_id: str) -> Outcome:
        self.raw[message_id] = raw
        return super().hand_over(envelope_from, to, raw, message_id)


def send_all(project: Project) -> dict[str, bytes]:
    """What goes out, by Message-ID."""
    postman = Remembering()
    letters = project.letters.write
    sender = Sender(project.database, project.planner, project.clock, letters, postman)
    while sender.window():
        pass
    return postman.raw


def coming(project: Project, who: str) -> list[Any]:
    found = outlook(project, who)
    assert found is not None
    return [each for each in found.ahead if each.enrollment and each.template and each.at]


def without_tokens(raw: bytes) -> bytes:
    """The bytes with the same in place of every token."""
    whole = raw.replace(b"=\r\n", b"")
    return re.sub(rb"/([ua]|p|p/needs)/[A-Za-z0-9_=-]{30,}", rb"/\1/token", whole)


# --- what is shown --------------------------------------------------------------------------------


def test_a_preview_shows_the_inbox_line_the_text_and_the_raw_message(site) -> None:
    page = site.get(f"/preview?{LETTER}").text
    assert "The people you would work with" in page
    assert "Who does what, and what you would take over first." in page
    assert page.count("<iframe sandbox src=") == 1
    assert site.get(f"/preview?{LETTER}&view=phone").text.count("<iframe sandbox src=") == 2
    assert "A job is mostly the people" in site.get(f"/preview?{LETTER}&view=text").text
    source = site.get(f"/preview?{LETTER}&view=source").text
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in source
    assert "Content-Type: multipart/alternative" in source


def test_every_view_opens_and_looking_changes_nothing(site, standing, snapshot) -> None:
    before = snapshot(standing)
    files = sorted(standing.config.root.rglob("*"))
    step = coming(standing, "sample-01")[-1]
    for mail in (LETTER, INVITE, f"enrollment={step.enrollment}&step={step.step}"):
        for view in VIEWS:
            assert site.get(f"/preview?{mail}&view={view}").status_code == 200
        assert site.head(f"/preview?{mail}").status_code == 200
        for scheme in ("light", "dark"):
            assert site.get(f"/preview/html?{mail}&scheme={scheme}").status_code == 200
    assert snapshot(standing) == before
    assert sorted(standing.config.root.rglob("*")) == files


def test_several_templates_are_previewed_as_the_one_mail_that_they_would_be(site) -> None:
    both = LETTER.replace("&", "%2Bculture/how-we-decide&")
    page = site.get(f"/preview?{both}").text
    assert "Also in this mail: " in page
    assert "selected>culture/meet-the-team + culture/how-we-decide</option>" in page
    letter = site.get(f"/preview/html?{both}").text
    assert letter.count("work with</h2>") == 1
    assert letter.count("<h2") == 2


def test_a_preview_of_two_that_never_share_a_mail_says_so(site) -> None:
    mixed = LETTER.replace("&", "%2Binterview-prep/sample-questions&")
    assert "nurture mail never joins service mail" in site.get(f"/preview?{mixed}").text
    assert site.get(f"/preview/html?{mixed}").status_code == 404


def test_an_invitation_is_told_in_words_and_as_it_goes(site) -> None:
    page = site.get(f"/preview?{INVITE}&view=calendar").text
    assert "Puts this into their calendar" in page
    assert "Interview: Data Engineer, Example Ltd" in page
    assert "BEGIN:VCALENDAR" in page
    assert ">Calendar</a>" not in site.get(f"/preview?{LETTER}").text


def test_headers_are_told_decoded_and_as_they_go(client, tell) -> None:
    tell("candidate.upserted", candidate={"id": "sample-01", "first_name": "Zoë", "last_name": "Ł"})
    page = client.get(f"/preview?{LETTER}&view=headers").text
    assert "Zoë Ł &lt;ana.silva@example.com&gt;" in page
    assert "=?utf-8?" in page


def test_links_are_told_with_where_they_lead_and_whose_they_are(site) -> None:
    page = site.get(f"/preview?{LETTER}&view=links").text
    assert "stops mail to Ana Silva, of some kind or of all" in page
    assert "Ana Silva’s own choices" in page
    assert re.search(r"/u/…</code>", page)


def test_links_of_a_question_are_told_with_what_they_answer(site) -> None:
    page = site.get("/preview?template=check-in/after-a-pause&candidate=sample-01&view=links").text
    assert re.search(r"answers “after-a-pause” with “[a-z-]+” for Ana Silva", page)


def test_no_view_gives_away_a_token_that_works(site, standing) -> None:
    with standing.database.read() as connection:
        number = find_candidate(connection, "sample-01").id
    real = [standing.signer.token(purpose, number) for purpose in (UNSUBSCRIBE, PREFERENCES)]
    shown = [site.get(f"/preview?{LETTER}&view={view}").text for view in VIEWS]
    shown.append(site.get(f"/preview/html?{LETTER}").text)
    assert len(shown) == len(VIEWS) + 1
    for page in shown:
        assert not any(token in page.replace("=\n", "") for token in real)
    for stand_in in set(re.findall(r"/u/([A-Za-z0-9_=-]{32})", "".join(shown))):
        assert standing.signer.read(UNSUBSCRIBE, stand_in) is None
        nobodys = "x" * len(stand_in)
        answer = site.get(f"/u/{stand_in}").text
        assert answer.replace(stand_in, nobodys) == site.get(f"/u/{nobodys}").text


def test_size_is_measured_against_what_gmail_shows(client, populated) -> None:
    assert "of what Gmail shows" in client.get(f"/preview?{LETTER}").text
    assert "Gmail cuts it off" not in client.get(f"/preview?{LETTER}").text


def test_by_night_the_letter_answers_for_itself(site) -> None:
    night = site.get(f"/preview/html?{LETTER}&scheme=dark").text
    day = site.get(f"/preview/html?{LETTER}&scheme=light").text
    assert "prefers-color-scheme" not in night + day
    assert "only dark" in night
    assert "only light" in day


# --- why ------------------------------------------------------------------------------------------


def test_why_it_goes_is_what_the_agenda_says(site, standing) -> None:
    entry = coming(standing, "sample-01")[-1]
    page = site.get(f"/preview?enrollment={entry.enrollment}&step={entry.step}").text
    assert str(escape(entry.sentence)) in page
    assert f'href="/campaigns/{entry.campaign}"' in page
    assert f"<code>{entry.step}</code>" in page


def test_what_no_campaign_wants_for_them_says_so(site) -> None:
    page = site.get("/preview?template=status/role-closed&candidate=sample-01").text
    assert "No campaign wants to send Ana Silva this now." in page


def test_limits_say_what_they_count_around_it(site, standing) -> None:
    nurture = next(each for each in coming(standing, "sample-01") if "culture" in each.template)
    page = site.get(f"/preview?enrollment={nurture.enrollment}&step={nurture.step}").text
    assert re.search(r"At most \d+ mails or calls a day: <span class=\"number\">\d", page)


def test_the_checks_findings_stand_beside_it_with_the_campaigns_that_send_it(
    edited, project
) -> None:
    template = project.config.templates_dir / "culture/meet-the-team.md"
    template.write_text(
        template.read_text("utf-8") + "\n[click here](http://example.com/x)\n", "utf-8"
    )
    project.reload()
    page = edited.get(f"/preview?{LETTER}").text
    assert re.search(r"templates/culture/meet-the-team\.md:\d+:\d+", page)
    assert 'href="/campaigns/company-culture"' in page


# --- what is to come, and what left ---------------------------------------------------------------


@pytest.mark.acceptance("A10.5")
def test_what_is_shown_of_a_mail_to_come_is_what_goes_byte_for_byte(populated) -> None:
    """But for its tokens, which nobody may use who only looks."""
    compared = 0
    send_all(populated)
    for who in ("sample-01", "sample-02", "sample-03", "sample-05"):
        for entry in coming(populated, who)[:3]:
            with populated.database.read() as connection:
                sight = looking.step_to_come(populated, connection, entry.enrollment, entry.step)
            if sight is None or entry.about or sight.at > populated.clock.now() + timedelta(days=9):
                continue
            foreseen = sight.write(sight.facts, "").raw
            populated.clock.advance(sight.at - populated.clock.now())
            gone = send_all(populated).get(sight.message.message_id)
            if gone is not None:
                assert without_tokens(gone) == without_tokens(foreseen)
                if b"/a/" not in foreseen:  # an answer's token holds the number of its message
                    assert len(gone) == len(foreseen)
                compared += 1
    assert compared >= 2


def test_the_mails_to_come_lead_from_one_to_the_next(site, standing) -> None:
    first, *_ = coming(standing, "sample-01")
    page = site.get(f"/preview?enrollment={first.enrollment}&step={first.step}").text
    later = page.partition("Later →")[0].rpartition('href="')[2].partition('"')[0]
    onward = site.get(later.replace("&amp;", "&"))
    assert onward.status_code == 200
    assert "← Earlier</a>" in onward.text
    assert "As it will go out" in onward.text


def test_a_mail_that_left_is_shown_in_the_words_it_went_by(edited, project) -> None:
    raw = send_all(project)
    ana = "ana.silva@example.com"
    (name,) = [
        each
        for each, mail in raw.items()
        if b"Subject: Your interview on" in mail and ana.encode() in mail
    ]
    with project.database.read() as connection:
        number = connection.execute(
            text("SELECT id FROM messages WHERE message_id = :id"), {"id": name}
        ).scalar()
    page = edited.get(f"/preview?message={number}")
    assert page.status_code == 200
    assert "As it went out on" in page.text
    assert "edited since" not in page.text
    template = project.config.templates_dir / "interview-prep/confirmation.md"
    words = template.read_text("utf-8")
    assert "Your interview on" in words
    template.write_text(words.replace("Your interview on", "Quite another day"), "utf-8")
    project.clock.advance(timedelta(hours=1))
    project.reload()
    page = edited.get(f"/preview?message={number}").text
    assert "Its words have been edited since; these are those it went by." in page
    assert "Your interview on" in page
    assert "Quite another day" not in page
    assert "Quite another day" in edited.get(f"/preview?{INVITE}").text
    source = edited.get(f"/preview?message={number}&view=source").text
    assert name.strip("<>") in source


def test_each_line_of_a_candidates_page_leads_to_its_mail(client, populated) -> None:
    send_all(populated)
    page = client.get("/candidates/sample-01").text
    sent = re.search(r"/preview\?message=\d+", page)[0]
    ahead = re.search(r'/preview\?enrollment=\d+&amp;step=[^"]+', page)[0]
    assert "As it went out on" in client.get(sent).text
    assert "As it will go out" in client.get(ahead.replace("&amp;", "&")).text


def test_a_message_that_is_queued_is_shown_as_it_will_go(client, populated) -> None:
    with populated.database.read() as connection:
        number = connection.execute(
            text("SELECT id FROM messages WHERE state = 'queued' LIMIT 1")
        ).scalar()
    page = client.get(f"/preview?message={number}").text
    assert "As it will go out" in page
    assert "Goes out now" in page


@pytest.mark.parametrize("mail", ["message=999999", "message=x", "message=-1", "message=1e3"])
def test_a_mail_that_is_not_there_is_a_page_that_says_so(site, mail) -> None:
    answer = site.get(f"/preview?{mail}")
    assert answer.status_code == 404
    assert "There is no such mail." in answer.text
    assert site.get(f"/preview/html?{mail}").status_code == 404


@pytest.mark.parametrize("number", ["0", "-3", "99999999999999999999999", "²", "x"])
def test_a_step_that_is_not_there_is_a_page_that_says_so(site, number) -> None:
    assert site.get("/preview", params={"enrollment": number, "step": "kit"}).status_code == 404


# --- what cannot be shown -------------------------------------------------------------------------


def test_what_is_missing_for_this_person_is_said_plainly(client, tell) -> None:
    tell("candidate.upserted", candidate={"id": "c-bare", "email": "bare@example.com"})
    page = client.get("/preview?template=interview-prep/confirmation&candidate=c-bare")
    assert page.status_code == 200
    assert "It cannot be written for this person" in page.text
    assert "is missing for this person" in page.text
    assert "interview-prep/confirmation.md:" in page.text
    assert "<iframe" not in page.text
    assert "Send a test" not in page.text


def test_a_letter_that_cannot_be_written_is_no_letter(client, populated, monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RenderError("the layout cannot be read", file="letter.html", line=3)

    monkeypatch.setattr(populated.letters, "preview", broken)
    assert client.get(f"/preview/html?{LETTER}").status_code == 404
    assert "letter.html:3" in client.get(f"/preview?{LETTER}").text


@pytest.mark.parametrize(
    "name",
    [
        "nope",
        "../config",
        "..%2f..%2fetc%2fpasswd",
        "culture/../../var/secret",
        "culture/meet-the-team.md",
        "layouts/letter",
        "/etc/passwd",
        "C:\\windows",
        "culture/meet-the-team%00",
        "<script>alert(1)</script>",
        "culture/meet-the-team+../../config",
        "+",
    ],
)
def test_a_template_that_is_not_there_is_a_page_that_says_so(site, name) -> None:
    for path in ("/preview", "/preview/html"):
        answer = site.get(path, params={"template": name, "candidate": "sample-01"})
        assert answer.status_code == 404
        assert "<script>alert" not in answer.text
    assert "no template" in site.get("/preview", params={"template": name}).text


def test_html_in_what_is_known_of_somebody_stays_text(client, tell) -> None:
    evil = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
    tell("candidate.upserted", candidate={"id": "sample-01", "first_name": evil, "last_name": evil})
    for view in VIEWS:
        page = client.get(f"/preview?{INVITE}&view={view}").text
        assert "<img" not in page
        assert "<script>alert" not in page
    letter = client.get(f"/preview/html?{INVITE}").text
    assert "<script>alert" not in letter


# --- whom -----------------------------------------------------------------------------------------


def test_one_can_go_on_to_the_next_candidate_and_back(site) -> None:
    page = site.get("/preview?template=status/received").text
    onward = page.partition('" rel="next"')[0].rpartition('href="')[2].replace("&amp;", "&")
    following = site.get(onward)
    assert following.status_code == 200
    assert 'rel="prev"' in following.text


def test_a_candidate_is_found_by_how_their_name_address_or_id_begins(site) -> None:
    path = "/preview?template=status/received&candidate="
    for told in ("ana.silv", "Silva", "ana s", "ana.silva@example.com", "sample-01"):
        page = site.get(path + told).text
        assert 'value="sample-01"' in page, told
        assert "Whom do you mean" not in page
    several = site.get(f"{path}sample-").text
    assert "Whom do you mean" in several
    assert several.count("<li>") == 12
    assert "candidate=sample-01" in several


def test_a_candidate_that_is_not_there_is_a_page_that_says_so(site) -> None:
    for nobody in ("nope", "<b>x</b>", "%", "_", "\udcff".encode("utf-8", "replace").decode()):
        answer = site.get("/preview", params={"candidate": nobody})
        assert answer.status_code == 404
        assert "no candidate" in answer.text
    assert site.get("/preview/html?candidate=nope").status_code == 404


def test_a_recruiter_looks_at_own_candidates_only(client, client_of, standing) -> None:
    with standing.database.read() as connection:
        rows = connection.execute(
            text(
                "SELECT c.ref, a.recruiter FROM applications a JOIN candidates c"
                " ON c.id = a.candidate_id WHERE a.recruiter IS NOT NULL ORDER BY c.id"
            )
        ).all()
    mine = rows[0][1]
    own = {ref for ref, whose in rows if whose == mine}
    other = next(ref for ref, whose in rows if whose != mine)
    recruiter = client_of("recruiter", mine)
    seen, path = set(), "/preview?template=status/received"
    while path:
        page = recruiter.get(path).text
        seen.add(re.search(r'name="candidate" type="search" value="([^"]+)"', page)[1])
        link = re.search(r'<a href="([^"]+)" rel="next"', page)
        path = link[1].replace("&amp;", "&") if link else ""
    assert own <= seen
    assert other not in seen
    unknown = recruiter.get("/preview?candidate=nobody-at-all&template=status/received")
    for path in (
        f"/preview?candidate={other}&template=status/received",
        f"/preview?candidate={other}",
    ):
        hidden = recruiter.get(path)
        assert (hidden.status_code, hidden.text) == (404, unknown.text)
    assert (
        recruiter.get(f"/preview/html?candidate={other}&template=status/received").status_code
        == 404
    )
    step = next(each for ref, _ in rows if ref == other for each in coming(standing, ref))
    assert (
        recruiter.get(f"/preview?enrollment={step.enrollment}&step={step.step}").status_code == 404
    )
    beginning = recruiter.get("/preview?candidate=sample-").text
    assert f'candidate={other}"' not in beginning
    assert f'candidate={next(iter(own))}"' in beginning


def test_nobody_looks_without_signing_in(stranger) -> None:
    for path in (f"/preview?{LETTER}", f"/preview/html?{LETTER}", "/preview?message=1"):
        answer = stranger.get(path)
        assert "A job is mostly the people" not in answer.text
        assert answer.status_code in (303, 401, 403)


def test_the_letter_itself_comes_under_a_policy_that_lets_nothing_load(site) -> None:
    answer = site.get(f"/preview/html?{LETTER}")
    policies = {part.strip() for part in answer.headers["content-security-policy"].split(";")}
    assert policies == {
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
        "sandbox",
    }
    assert "A job is mostly the people" in answer.text


def test_no_page_of_a_preview_reads_a_whole_table(populated) -> None:
    asked: dict[str, Any] = {}

    def heard(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            asked[statement] = values

    engine = populated.database.engine
    with served(populated) as address, Client(address, populated, enter(populated)) as client:
        step = coming(populated, "sample-01")[0]
        event.listen(engine, "before_cursor_execute", heard)
        for path in (LETTER, f"enrollment={step.enrollment}&step={step.step}", "message=1"):
            assert client.get(f"/preview?{path}").status_code == 200
            assert client.get(f"/preview/html?{path}").status_code == 200
        client.get("/preview?template=status/received&candidate=sam")
        event.remove(engine, "before_cursor_execute", heard)
    assert len(asked) > 20
    large = "message|message_step|verdict|step|candidate|event|enrollment|contact|application"
    with contextlib.closing(sqlite3.connect(populated.database.file)) as raw:
        for statement, values in asked.items():
            for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", values):
                assert not re.match(rf"SCAN ({large})s( |$)", row[3]), (row[3], statement)


# --- a test to myself -----------------------------------------------------------------------------


@contextlib.contextmanager
def with_way_out(project: Project, carry: Callable[[], Any]) -> Iterator[Client]:
    with served(project, carry) as address, Client(address, project, enter(project)) as client:
        yield client


def mails_in(folder: Path) -> list[Any]:
    return [
        message_from_bytes(file.read_bytes(), policy=policy.default)
        for file in sorted(folder.glob("*.eml"))
    ]


def test_a_test_goes_to_whoever_looks_and_counts_for_nobody(populated, tmp_path, snapshot) -> None:
    step = coming(populated, "sample-01")[-1]
    mails = [
        {"template": "culture/meet-the-team", "candidate": "sample-01"},
        {"enrollment": str(step.enrollment), "step": step.step},
    ]
    with with_way_out(populated, lambda: Outbox(tmp_path / "out")) as client:
        before = snapshot(populated)
        for mail in mails:
            answer = client.act("/preview/test", **mail, to="eve@example.com", view="text")
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/preview?")
            assert "The test is" in client.get(answer.headers["location"]).text
        after = snapshot(populated)
    first, second = mails_in(tmp_path / "out")
    for sent in (first, second):
        assert sent["To"].addresses[0].addr_spec == ADMIN
        assert sent["Subject"].startswith("[Test] ")
    written = {table for table in after if after[table] != before[table]}
    assert written <= {"audit", "sessions"}
    assert len(after["audit"]) == len(before["audit"]) + 2
    plain = first.get_body(("plain",)).get_content()
    tokens = re.findall(r"/u/([A-Za-z0-9_=-]+)", plain)
    assert tokens
    assert all(populated.signer.read(UNSUBSCRIBE, token) is None for token in tokens)


def test_a_test_invites_nobody(populated, tmp_path) -> None:
    with with_way_out(populated, lambda: Outbox(tmp_path / "out")) as client:
        client.act("/preview/test", template="interview-prep/confirmation", candidate="sample-01")
    (sent,) = mails_in(tmp_path / "out")
    assert not [part for part in sent.walk() if part.get_content_type() == "text/calendar"]


def test_a_test_needs_the_form_of_a_page_and_somebody_who_may_see_them(populated, tmp_path) -> None:
    mail = {"template": "culture/meet-the-team", "candidate": "sample-01"}
    with served(populated, lambda: Outbox(tmp_path / "out")) as address:
        with Client(address, populated, enter(populated)) as client:
            assert client.post("/preview/test", data=mail).status_code == 403
            assert client.get("/preview/test").status_code in (404, 405)
        token = enter(populated, "recruiter", "nobody@example.com")
        with Client(address, populated, token) as recruiter:
            assert recruiter.act("/preview/test", **mail).status_code == 404
    assert mails_in(tmp_path / "out") == []


def test_tests_are_limited_in_number(populated, tmp_path) -> None:
    mail = {"template": "culture/meet-the-team", "candidate": "sample-01"}
    with with_way_out(populated, lambda: Outbox(tmp_path / "out")) as client:
        answers = [client.act("/preview/test", **mail).status_code for _ in range(TRIALS + 1)]
        assert answers == [303] * TRIALS + [429]
        assert len(mails_in(tmp_path / "out")) == TRIALS
        populated.clock.advance(timedelta(minutes=61))
        assert client.act("/preview/test", **mail).status_code == 303


class Refusing:
    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome

    def deliver(self, letters: Any, *_: Any) -> Iterator[Any]:
        for letter in letters:
            yield letter, self.outcome

    def close(self) -> None:
        pass


@pytest.mark.parametrize("outcome", [Rejected(text="550 <b>no</b>"), Deferred(text="<b>later</b>")])
def test_what_the_mail_server_says_against_it_is_told(populated, outcome) -> None:
    with with_way_out(populated, lambda: Refusing(outcome)) as client:
        answer = client.act("/preview/test", template="status/received", candidate="sample-01")
    assert answer.status_code == 502
    assert "The test did not go" in answer.text
    assert "&lt;b&gt;" in answer.text


def test_a_test_obeys_a_rehearsal(populated) -> None:
    smtp = SmtpTransport(kind="smtp", host="127.0.0.1", port=1, security="plain")
    only = {"transport": smtp, "deliver_only_to": ["somebody@else.example"]}
    rehearsal = populated.config.model_copy(update=only)
    populated.config = rehearsal
    folder = rehearsal.root / "var/outbox"
    there = len(mails_in(folder))
    with with_way_out(populated, lambda: carrier(rehearsal)) as client:
        assert "as a file into" in client.get(f"/preview?{LETTER}").text
        answer = client.act("/preview/test", template="status/received", candidate="sample-01")
        assert "no mail server gets" in client.get(answer.headers["location"]).text
    assert len(mails_in(folder)) == there + 1


def test_pages_without_a_way_out_offer_no_test(site) -> None:
    assert "Send a test" not in site.get(f"/preview?{LETTER}").text
    assert site.act("/preview/test", template="status/received").status_code == 404


def test_what_is_said_comes_from_us_alone(site) -> None:
    page = site.get(f"/preview?{LETTER}&said=You+have+won").text
    assert "You have won" not in page
