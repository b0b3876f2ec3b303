"""Nobody reaches what is not theirs, and nothing that comes from outside becomes a page's own.

The routes are those of the application itself: one that is added is asked for here as well.
"""

import re
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx
import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from nurture.rendering.links import PREFERENCES, UNSUBSCRIBE, Answer, Signer
from nurture.store import accounts
from nurture.web.app import create_app
from nurture.web.door import Door, digest_of
from nurture.web.guard import PUBLIC
from nurture.web.previews import LETTER_HEADERS
from nurture.web.rights import csrf_of, own_path
from tests.web.conftest import ADMIN, Client, cookies_of, enter

#: What a route's placeholders are filled with: things that are there.
THERE = {
    "name": "interview-preparation",
    "campaign": "interview-preparation",
    "number": "1",
    "id": "1",
    "message": "1",
    "message_id": "1",
    "ref": "sample-01",
    "candidate": "sample-01",
}
OPEN = ("/sign-in", "/healthz")  # what is answered without a session, and tells nothing of anybody
QUERIES = (
    "",
    "?q=ana&after=0&all=1&whose=all&everybody=1&mine=0",
    "?template=culture/meet-the-team&candidate=sample-01&view=source",
    "?message=1&q=sample-01&after=",
)
#: Of all the sample's people.
NAMES = ("Silva", "Müller", "O’Neil", "sample-01", "sample-02", "ana.silva@", "+351 91 555")


def all_routes(project: Any) -> list[tuple[str, str]]:
    """Method and path of everything that the pages answer, with the placeholders filled."""

    def walk(routes: Any) -> Iterator[APIRoute]:
        for route in routes:
            inner = getattr(route, "original_router", None)
            if inner is not None:
                yield from walk(inner.routes)
            elif isinstance(route, APIRoute):
                yield route

    def filled(path: str) -> str:
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: THERE.get(found[1], "x"), path)

    found = {
        (method, filled(route.path))
        for route in walk(create_app(project).routes)
        for method in route.methods
    }
    return sorted(found)


def inner_routes(project: Any, *methods: str) -> list[tuple[str, str]]:
    """Those that are not public."""
    found = [
        (method, path)
        for method, path in all_routes(project)
        if method in methods and not path.startswith(PUBLIC)
    ]
    assert len(found) >= 5
    return found


def tells_of_somebody(answer: httpx.Response) -> list[str]:
    return [name for name in NAMES if name in answer.text]


# --- without a session ---------------------------------------------------------------------------


def test_there_are_routes_of_each_kind(standing) -> None:
    found = all_routes(standing)
    assert ("GET", "/") in found
    assert ("GET", "/candidates/sample-01") in found
    assert ("POST", "/sign-out") in found
    assert ("POST", "/u/x") in found
    assert len(found) > 40


def test_who_has_not_signed_in_learns_nothing_anywhere_and_changes_nothing(
    stranger, populated, snapshot
) -> None:
    before = snapshot(populated)
    for method, path in inner_routes(populated, "GET", "HEAD", "POST"):
        for query in QUERIES if method == "GET" else QUERIES[:1]:
            answer = stranger.request(method, path + query)
            assert not tells_of_somebody(answer), (method, path)
            if path.startswith(OPEN):
                continue
            if method == "POST":
                assert answer.status_code in (401, 403), path
            else:
                assert answer.status_code == 303, path
                assert answer.headers["location"].startswith("/sign-in"), path
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        for path in ("/", "/candidates/sample-01", "/audit", "/nowhere"):
            assert stranger.request(method, path).status_code in (401, 403, 405), (method, path)
    assert stranger.get("/nowhere").status_code == 303  # not even what is there
    assert snapshot(populated) == before


def test_part_of_a_page_is_not_given_either(stranger) -> None:
    answer = stranger.get("/candidates", headers={"hx-request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"
    assert not tells_of_somebody(answer)


# --- forms of somebody else ----------------------------------------------------------------------

FILLED = {
    "candidate": "sample-01",
    "ref": "sample-01",
    "id": "1",
    "ids": "1",
    "message": "1",
    "task": "1",
    "number": "1",
    "outcome": "spoke",
    "why": "because",
    "reason": "because",
    "scope": "everything",
    "campaign": "interview-preparation",
    "name": "interview-preparation",
    "what": "everything",
    "template": "culture/meet-the-team",
    "digest": "x",
    "until": "2026-12-24",
    "days": "7",
}


def test_each_change_needs_the_proof_of_its_own_page(client, populated, snapshot) -> None:
    other = csrf_of(populated.signer, enter(populated, "admin", "other@example.com"))
    seal = populated.signer.seal
    own = enter(populated).encode()
    before = snapshot(populated)
    wrong = ["", "x", other, other[:-1], seal("session", own), seal("sign-in", own), "é"]
    for _, path in inner_routes(populated, "POST"):
        assert client.post(path, data=FILLED).status_code == 403, path
        for csrf in wrong:
            answer = client.post(path, data={**FILLED, "csrf": csrf})
            assert answer.status_code == 403, (path, csrf)
        in_address = client.post(f"{path}?csrf={client.csrf}", data=FILLED)
        assert in_address.status_code == 403, path
        as_json = client.post(path, json={**FILLED, "csrf": client.csrf})
        assert as_json.status_code in (403, 415), path
    assert snapshot(populated) == before


@pytest.mark.parametrize(
    "said",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin, cross-site"},
        {"sec-fetch-site": "cross-site", "origin": "null"},
    ],
)
def test_what_a_page_of_somebody_else_sends_is_refused_even_with_the_proof(
    client, populated, snapshot, said
) -> None:
    before = snapshot(populated)
    for _, path in inner_routes(populated, "POST"):
        form = {**FILLED, "csrf": client.csrf}
        assert client.post(path, data=form, headers=said).status_code == 403, path
    assert snapshot(populated) == before


def test_looking_changes_nothing_whatever_is_in_the_address(client, populated, snapshot) -> None:
    before = snapshot(populated)
    for _, path in inner_routes(populated, "GET"):
        for query in (*QUERIES, f"?csrf={client.csrf}&id=1&outcome=spoke&_method=POST"):
            assert client.get(path + query).status_code < 500, path + query
    assert snapshot(populated) == before


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "text/plain"}, b"csrf=x", 415),
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x--", 415),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=" + b"x" * 300_000, 413),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=%ff%fe", 400),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a=\xff", 400),
        ({"content-type": "application/x-www-form-urlencoded"}, b"a&" * 5_000, 400),
    ],
)
def test_a_form_that_no_browser_sends_is_refused_calmly(client, headers, body, status) -> None:
    for path in ("/sign-out", "/sign-in"):
        answer = client.post(path, headers=headers, content=body)
        assert answer.status_code == status
        assert "Traceback" not in answer.text


# --- tokens --------------------------------------------------------------------------------------


def test_a_token_is_nothing_without_our_seal_and_of_no_use_elsewhere(
    client, populated, stranger
) -> None:
    door, signer = Door(populated), populated.signer
    name, token = door.cookie(secure=False), enter(populated)
    good = door.sealed(token)
    foreign = Signer([b"another key of sixteen bytes"]).seal("session", token.encode())
    mail = signer.token(UNSUBSCRIBE, 1)
    answer = signer.answer_token(Answer(1, 1, "q", "yes"))
    for forged in (
        token,
        f"{token}.",
        f"{token}.{foreign}",
        f"{token}.{signer.seal('csrf', token.encode())}",
        good[:-1],
        good + "A",
        f"{digest_of(token)}.{signer.seal('session', digest_of(token).encode())}",
        mail,
        f"{mail}.{signer.seal('session', mail.encode())}",
        answer,
        client.csrf,
        "",
        ".",
    ):
        got = stranger.get("/candidates", headers={"cookie": f"{name}={forged}"})
        assert got.status_code == 303, forged
    assert stranger.get("/candidates", headers={"cookie": f"{name}={good}"}).status_code == 200
    secure = door.cookie(secure=True)  # of the other way in: no use here
    assert stranger.get("/candidates", headers={"cookie": f"{secure}={good}"}).status_code == 303


def test_tokens_of_mails_open_their_own_page_only(stranger, populated, snapshot) -> None:
    signer = populated.signer
    unsubscribe, preferences = signer.token(UNSUBSCRIBE, 1), signer.token(PREFERENCES, 1)
    session = Door(populated).sealed(enter(populated))
    before = snapshot(populated)
    for wrong in (unsubscribe, session, client_link(populated), "x" * 32, "%2e%2e"):
        assert not tells_of_somebody(stranger.get(f"/p/{wrong}"))
        assert stranger.post(f"/p/{wrong}/pause").status_code == 404
    for wrong in (preferences, session, client_link(populated), "x" * 32):
        assert stranger.post(f"/u/{wrong}").status_code == 200  # the same for all
        assert stranger.post(f"/a/{wrong}").status_code == 404
    for wrong in (unsubscribe, preferences, session):
        assert stranger.get(f"/sign-in/{wrong}").status_code == 404
    assert snapshot(populated) == before


def client_link(project: Any) -> str:
    """A link by which somebody sets their password."""
    from nurture.engine import passwords

    with project.database.read() as connection:
        admin = accounts.by_email(connection, ADMIN)
    assert admin is not None
    return passwords.link(project.signer, admin, project.clock.now())


def test_the_database_knows_no_token_that_a_browser_holds(client, populated, snapshot) -> None:
    token = enter(populated)
    rows = snapshot(populated)["sessions"]
    assert digest_of(token) in str(rows)
    assert token not in str(rows)


# --- where one is led, and what stands above a page ----------------------------------------------

ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/%09/evil.example"[:1] + "\x0b/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "http:evil.example",
    "@evil.example",
    "",
]


@given(st.text(max_size=60) | st.sampled_from(ELSEWHERE).map(lambda text: text))
def test_whatever_is_asked_for_one_is_led_to_a_page_of_ours(asked: str) -> None:
    led = urljoin("http://ours.example/sign-in", own_path(asked))
    assert urlsplit(led)[:2] == ("http", "ours.example")
    assert own_path(asked).startswith("/")
    assert not own_path(asked).startswith(("//", "/\\"))
    assert not re.search(r"[\x00-\x20\x7f\\]", own_path(asked))


@pytest.mark.parametrize("asked", ELSEWHERE)
def test_no_page_carries_an_address_elsewhere_to_go_to(stranger, asked) -> None:
    shown = stranger.get("/sign-in", params={"next": asked})
    assert 'name="next" value="/"' in shown.text
    assert "location" not in shown.headers


@pytest.mark.parametrize("break_", ["\r\n", "%0d%0a", "\u010a", "%E5%98%8A"])
def test_nothing_asked_for_becomes_a_header(client, stranger, break_) -> None:
    evil = quote(f"x{break_}Set-Cookie: evil=1{break_}{break_}<nurture-x>", safe="%")
    for path in (f"/candidates/{evil}", f"/candidates?q={evil}", f"/campaigns/{evil}", f"/{evil}"):
        for who in (client, stranger):
            answer = who.get(path)
            assert "evil" not in answer.headers.get("set-cookie", "")
            assert "\n" not in answer.headers.get("location", "")


UP = [
    "../config",
    "../../config.yaml",
    "..%2f..%2fconfig.yaml",
    "%2e%2e/%2e%2e/config.yaml",
    "....//config.yaml",
    "/etc/passwd",
    "culture/../../config",
    "culture/meet-the-team/../../../config",
    "..\\..\\config.yaml",
    "culture/meet-the-team.md",
    "culture/meet-the-team%00",
    "layouts/letter",
]


@pytest.mark.parametrize("name", UP)
def test_no_name_leads_out_of_its_folder(client, standing, name) -> None:
    secret = "postal address: the law"
    for path in (
        f"/preview?template={name}&candidate=sample-01",
        f"/preview/html?template={quote(name)}&candidate=sample-01",
        f"/preview/html?template={name}&candidate=sample-01",
        f"/campaigns/{quote(name, safe='')}",
        f"/campaigns/{name}",
        f"/static/{name}",
        f"/static/{quote(name, safe='')}",
        f"/static/../pages/{name}",
        f"/p/{quote(name, safe='')}",
    ):
        answer = client.get(path)
        assert answer.status_code < 500, path
        assert "root:x:" not in answer.text
        assert secret not in answer.text
        assert "var/secret" not in answer.text
        if path.startswith(("/static/", "/preview/html")):
            assert answer.status_code in (303, 404), path


# --- framing, scripts ----------------------------------------------------------------------------


def policy_of(answer: httpx.Response) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {part[0]: part[1:] for part in parts if part}


def test_no_page_is_framed_or_runs_what_is_not_a_file_of_ours(client, stranger, populated) -> None:
    for method, path in all_routes(populated):
        if method not in ("GET", "POST"):
            continue
        for who in (client, stranger):
            answer = who.request(method, path)
            policy = policy_of(answer)
            if policy["frame-ancestors"] != ["'none'"]:
                assert path in ("/preview/html", "/gallery/html"), path  # a mail, in a sandbox
                whole = answer.headers["content-security-policy"]
                assert whole == LETTER_HEADERS["content-security-policy"], path
            assert policy["default-src"] == ["'none'"], path
            assert policy.get("script-src", ["'self'"]) == ["'self'"], path
            assert policy["base-uri"] == ["'none'"], path
            assert "script-src" not in policy or not path.startswith(PUBLIC), path
            assert answer.headers["x-content-type-options"] == "nosniff", path
            stored = "no-cache" if path.startswith("/static/") else "no-store"
            assert answer.headers["cache-control"] == stored, path


# --- what comes from outside stays text ----------------------------------------------------------

EVIL = "\"'></script></textarea></title><nurture-x onload=alert(1)>{{7*7}}\u202e"
LINK = "javascript:alert('nurture-x')"


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if "nurture" in tag:
            self.wrong.append(tag)
        if tag == "script" and "src" not in told:
            self.wrong.append("a script in the page")
        for name, value in told.items():
            if name.startswith("on") or name == "style":
                self.wrong.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction", "hx-get", "hx-post"):
                scheme = (value or "").strip().partition(":")[0].lower()
                ours = (value or "").startswith(("/", "#", "?")) or not value
                if not ours and scheme not in ("http", "https", "mailto", "tel"):
                    self.wrong.append(f"{tag} {name}={value}")


def wrong_in(page: str) -> list[str]:
    seen = Seen()
    seen.feed(page)
    return seen.wrong


@pytest.fixture
def evil(populated, tell) -> str:
    """A candidate whose every word is an attack; where it can be, their id as well."""
    person = {"email": "evil@example.com", "name": EVIL, "phone": EVIL, "title": EVIL}
    told = {
        "candidate": {
            "id": "e-1",
            "email": "evil.candidate@example.com",
            "first_name": EVIL,
            "last_name": EVIL,
            "phone": EVIL,
            "timezone": "Europe/Lisbon",
            "pronouns": EVIL,
            "github": LINK,
            "skills": [EVIL, LINK],
            "notice_period": EVIL,
        },
        "application": {
            "id": "<nurture-x>",
            "job": {"id": "j<nurture-x>", "title": EVIL, "department": EVIL, "location": EVIL},
            "recruiter": person,
            "coordinator": person,
            "hiring_manager": person,
            "source": EVIL,
        },
    }
    tell("application.created", **told)
    own = {"candidate": {"id": "e-1"}}
    stage = {"id": "<nurture-x>", "stage": EVIL}
    tell("application.stage_changed", **own, application=stage)
    tell(
        "interview.scheduled",
        **own,
        interview={
            "id": "i<nurture-x>",
            "application": "<nurture-x>",
            "kind": "video",
            "starts_at": "2026-12-03T10:00:00Z",
            "ends_at": "2026-12-03T11:00:00Z",
            "location": EVIL,
            "url": LINK,
            "phone": EVIL,
            "notes": EVIL,
            "interviewers": [{"name": EVIL, "role": EVIL}],
        },
    )
    tell("contact.logged", **own, contact={"kind": "call", "note": EVIL}, reason=EVIL, by=EVIL)
    tell("candidate.preferences", **own, preferences={"topics": {EVIL: False}})
    tell("candidate.paused", **own, until="2027-01-01T00:00:00Z", reason=EVIL, by=EVIL)
    promise = {"id": "p<nurture-x>", "what": EVIL, "due": "2026-11-24", "owner": "evil@example.com"}
    tell("promise.made", **own, promise={**promise, "application": "<nurture-x>"})
    while populated.planner.tick():
        pass
    with populated.database.write() as connection:
        accounts.add(connection, "a@example.com", "admin", populated.clock.now(), name=EVIL)
    return "e-1"


def test_what_a_candidate_or_an_ats_says_is_text_on_every_page(client, populated, evil) -> None:
    quoted = 0
    queries = [query.replace("sample-01", evil).replace("ana", "nurture") for query in QUERIES]
    for _, path in inner_routes(populated, "GET"):
        if path == "/preview/html":
            continue  # the mail itself: no page, and under a policy of its own
        for query in queries:
            asked = path.replace("sample-01", evil) + query
            answer = client.get(asked)
            assert answer.status_code < 500, asked
            assert wrong_in(answer.text) == [], asked
            quoted += escape("<nurture-x") in answer.text
    assert quoted >= 5, "the attack stood nowhere"
    for purpose, page in ((UNSUBSCRIBE, "/u/"), (PREFERENCES, "/p/")):
        with populated.database.read() as connection:
            from nurture.store.facts import find_candidate

            number = find_candidate(connection, evil).id
        shown = client.get(page + populated.signer.token(purpose, number))
        assert shown.status_code == 200
        assert wrong_in(shown.text) == []
        assert "<script" not in shown.text


@pytest.mark.parametrize(
    "fields", [("q", "candidate", "view", "next", "message"), ("template", "after", "at", "whose")]
)
def test_what_is_asked_for_is_text_on_every_page(client, stranger, populated, fields) -> None:
    for _, path in inner_routes(populated, "GET"):
        for who in (client, stranger):
            answer = who.get(path, params=dict.fromkeys(fields, EVIL))
            assert answer.status_code < 500, path
            if path == "/preview/html" and answer.status_code == 200:
                continue  # the mail itself
            assert wrong_in(answer.text) == [], path
            kind = answer.headers.get("content-type", "text/html")
            assert kind.startswith("text/html") or path.startswith("/healthz"), path


def test_an_address_that_is_an_attack_is_text(client, stranger) -> None:
    for path in ("/", "/candidates/", "/campaigns/", "/sign-in/", "/u/", "/p/", "/a/", "/p/needs/"):
        for who in (client, stranger):
            answer = who.get(path + quote(EVIL, safe=""))
            assert wrong_in(answer.text) == [], path


def test_what_is_typed_at_the_door_is_text(stranger, populated) -> None:
    shown = stranger.get("/sign-in")
    csrf = re.search(r'name="csrf" value="([^"]+)"', shown.text)[1]
    form = {"csrf": csrf, "email": EVIL, "password": EVIL, "next": EVIL}
    answer = stranger.post("/sign-in", data=form)
    assert answer.status_code == 401
    assert wrong_in(answer.text) == []
    assert escape("<nurture-x") in answer.text


# --- other people's candidates -------------------------------------------------------------------


def test_a_recruiter_learns_nothing_of_others_candidates_anywhere(client_of, populated) -> None:
    nobodys = client_of("recruiter", "new@example.com")
    for _, path in inner_routes(populated, "GET"):
        for query in QUERIES:
            answer = nobodys.get(path + query)
            said = answer.text
            for asked in ("sample-01", "ana"):  # what was asked for may be repeated
                said = said.replace(f'value="{asked}"', "")
            told = [name for name in NAMES if name in said and name not in path + query]
            assert not told, (path + query, told)
            assert answer.status_code < 500, path + query
    for ref in ("sample-01", "ana.silva@example.com", "1"):
        own, unknown = nobodys.get(f"/candidates/{ref}"), nobodys.get("/candidates/nobody-at-all")
        assert own.status_code == unknown.status_code == 404
        assert own.text == unknown.text, "one can tell who is there"


def test_a_recruiter_sees_whom_they_own(client_of, populated) -> None:
    ida = client_of("recruiter", "IDA.berg@example.com")
    assert ida.get("/candidates/sample-02").status_code == 200
    assert ida.get("/candidates/sample-01").status_code == 404
    listed = ida.get("/candidates").text
    assert "Müller" in listed
    assert "Silva" not in listed


def test_a_recruiter_changes_nothing_of_others_candidates(client_of, populated, snapshot) -> None:
    """Whatever number of theirs stands in the address or in the form."""
    nobodys = client_of("recruiter", "new@example.com")
    before = snapshot(populated)
    for others in "1248":
        ref = f"sample-0{others}"
        numbers = {"1": others, "sample-01": ref}
        form = {name: numbers.get(value, value) for name, value in FILLED.items()}
        for _, path in inner_routes(populated, "POST"):
            if path.startswith(("/sign-in", "/sign-out")):
                continue
            there = path.replace("sample-01", ref).replace("/1", f"/{others}")
            answer = nobodys.act(there, **form)
            assert answer.status_code < 500, there
            assert not tells_of_somebody(answer), there
    after = snapshot(populated)
    for table in before:
        assert after[table] == before[table], table


def test_who_is_signed_out_or_disabled_or_changed_is_out_at_once(client_of, populated) -> None:
    rui = client_of("recruiter", "rui@example.com")
    assert rui.get("/").status_code == 200
    with populated.database.write() as connection:
        account = accounts.by_email(connection, "rui@example.com")
        accounts.change(connection, account, role="admin")
    assert rui.get("/").status_code == 303
    again = client_of("admin", "rui@example.com")
    assert again.get("/audit").status_code == 200
    with populated.database.write() as connection:
        accounts.change(connection, account, disabled_at=populated.clock.now())
    assert again.get("/audit").status_code == 303
    assert enter(populated, "admin", "rui@example.com")
    assert again.get("/audit").status_code == 303, "no token of a disabled account holds"


@pytest.mark.parametrize("role", ["recruiter", "marketer"])
def test_the_audit_log_is_for_admins(client_of, client, role) -> None:
    assert client_of(role, f"{role}@example.com").get("/audit").status_code == 403
    assert client.get("/audit").status_code == 200


def test_cookies_of_one_project_are_no_good_in_another(populated, project, serve) -> None:
    token = enter(populated)
    enter(project)
    with serve(project) as address, Client(address, project, enter(project)) as client:
        assert client.get("/").status_code == 200
        client.cookies.clear()
        client.cookies.update(cookies_of(populated, token))
        assert client.get("/").status_code == 303
