"""Coming in and going out: by password, by a link that works once, by the word of a proxy."""

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from nurture.clock import SetClock
from nurture.engine import passwords
from nurture.engine.project import Project
from nurture.store import accounts, audit, dump
from nurture.store.accounts import Account
from nurture.web import tries
from nurture.web.app import create_app
from nurture.web.door import IDLE, LONGEST, Door
from nurture.web.tries import AT_MOST, WITHIN, Tries
from nurture.wiring import open_project
from tests.conftest import MONDAY
from tests.web.conftest import NO_TLS, Serve, enter, served

GOOD = "correct horse battery"
#: Made once: an argon2 hash is slow on purpose.
KEPT = passwords.hashed(GOOD)


@pytest.fixture
def at(project: Project, serve: Serve) -> Iterator[httpx.Client]:
    """A browser in front of a project without accounts."""
    with (
        serve(project) as address,
        httpx.Client(base_url=address, timeout=30, verify=NO_TLS) as browser,
    ):
        yield browser


@pytest.fixture
def ida(project: Project) -> Account:
    return account(project, "ida@example.com", "admin")


def account(project: Project, email: str, role: str = "recruiter") -> Account:
    with project.database.write() as connection:
        return accounts.add(connection, email, role, project.clock.now(), password=KEPT)


def proof(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def sign_in(
    browser: httpx.Client, email: str = "ida@example.com", password: str = GOOD, **form: str
) -> httpx.Response:
    csrf = proof(browser.get("/sign-in"))
    told = {"csrf": csrf, "email": email, "password": password, **form}
    return browser.post("/sign-in", data=told)


def session_cookie(
    answer: httpx.Response, project: Project, *, secure: bool = False
) -> Morsel[str]:
    found: SimpleCookie = SimpleCookie()
    for value in answer.headers.get_list("set-cookie"):
        found.load(value)
    return found[Door(project).cookie(secure=secure)]


def deeds(project: Project) -> list[tuple[str, str]]:
    with project.database.read() as connection:
        return [(row["who"], row["action"]) for row in audit.rows(connection, after=0, limit=99)]


# --- by password ---------------------------------------------------------------------------------


def test_the_right_password_lets_in_where_one_wanted_to_go(at, project, ida) -> None:
    asked = at.get("/candidates?q=ana")
    assert asked.status_code == 303
    page = at.get(asked.headers["location"])
    form = {"csrf": proof(page), "email": " IDA@example.com", "password": GOOD}
    there = re.search(r'name="next" value="([^"]*)"', page.text)[1]
    answer = at.post("/sign-in", data={**form, "next": there})
    assert (answer.status_code, answer.headers["location"]) == (303, "/candidates?q=ana")
    assert at.get("/candidates?q=ana").status_code == 200
    assert "ida@example.com" in at.get("/").text
    assert deeds(project) == [("ida@example.com", "sign-in")]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(at, project, ida) -> None:
    cookie = session_cookie(sign_in(at), project)
    assert cookie["httponly"] is True
    assert cookie["samesite"].lower() == "lax"
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert int(cookie["max-age"]) == LONGEST.total_seconds()
    assert not cookie["secure"]  # http on loopback: else the browser would not send it


WRONG = [
    ("ida@example.com", "wrong horse battery"),
    ("ida@example.com", ""),
    ("ida@example.com", GOOD.upper()),
    ("ida@example.com", GOOD + "x" * 300),
    ("nobody@example.com", GOOD),
    ("bare@example.com", GOOD),
    ("gone@example.com", GOOD),
    ("", ""),
]


def test_all_that_is_wrong_is_answered_alike(at, project, ida) -> None:
    with project.database.write() as connection:
        accounts.add(connection, "bare@example.com", "admin", MONDAY)
        gone = accounts.add(connection, "gone@example.com", "admin", MONDAY, password=KEPT)
        accounts.change(connection, gone, disabled_at=MONDAY)
    for email, password in WRONG:
        answer = sign_in(at, email, password)
        assert answer.status_code == 401
        assert "do not fit together" in answer.text
        assert Door(project).cookie(secure=False) not in at.cookies
        assert at.get("/").status_code == 303
    assert [action for _, action in deeds(project)] == ["sign-in-failed"] * len(WRONG)


def test_who_has_no_account_costs_as_much_work_as_who_has(project, ida, monkeypatch) -> None:
    looked: list[str] = []

    class Hasher:
        def verify(self, kept: str, password: str) -> bool:
            looked.append(kept)
            return kept == KEPT and password == GOOD

    monkeypatch.setattr(passwords, "_hasher", Hasher())
    monkeypatch.setattr(passwords, "_nobodys", lambda: "one of nobody")
    for who in (ida, None):
        passwords.matches(who, "x")
    passwords.matches(ida, "x" * 10_000)
    assert looked == [KEPT, "one of nobody", "one of nobody"]


def test_a_token_that_was_there_before_is_worth_nothing_after(at, project, ida) -> None:
    """Session fixation: whoever put a token into somebody's browser holds no session of theirs."""
    name = Door(project).cookie(secure=False)
    planted = Door(project).sealed("planted" * 6)
    at.cookies.set(name, planted, domain="127.0.0.1")
    first = session_cookie(sign_in(at), project).value
    assert first != planted
    headers = {"cookie": f"{name}={planted}"}
    assert httpx.get(f"{at.base_url}/candidates", headers=headers).status_code == 303
    at.cookies.set(name, first, domain="127.0.0.1")
    second = session_cookie(sign_in(at), project).value
    assert second != first
    headers = {"cookie": f"{name}={first}"}
    assert httpx.get(f"{at.base_url}/candidates", headers=headers).status_code == 303


def test_signing_out_ends_it_here_and_nowhere_else(at, project, ida) -> None:
    sign_in(at)
    other = httpx.Client(base_url=at.base_url)
    with other:
        sign_in(other)
        held = dict(at.cookies)
        gone = at.post("/sign-out", data={"csrf": proof(at.get("/"))})
        assert (gone.status_code, gone.headers["location"]) == (303, "/sign-in")
        assert at.get("/").status_code == 303
        at.cookies.update(held)  # the token itself is worth nothing any more
        assert at.get("/").status_code == 303
        assert other.get("/").status_code == 200


def test_nobody_is_signed_in_by_a_backup() -> None:
    assert {"users", "audit"} <= dump.TABLES.keys()
    assert "sessions" not in dump.TABLES


def test_it_holds_while_it_is_used_and_not_for_ever(at, project, clock, ida) -> None:
    sign_in(at)
    clock.advance(IDLE)
    assert at.get("/").status_code == 303
    sign_in(at)
    began = clock.now()
    while clock.now() - began < LONGEST - timedelta(hours=8):
        clock.advance(timedelta(hours=8))
        assert at.get("/").status_code == 200
    clock.advance(timedelta(hours=8))
    assert at.get("/").status_code == 303


def test_a_form_of_another_browser_signs_nobody_in(at, project, ida, serve) -> None:
    """Login CSRF: somebody's browser would work in a stranger's name without their noticing."""
    with httpx.Client(base_url=at.base_url) as stranger:
        csrf = proof(stranger.get("/sign-in"))
        at.get("/sign-in")
        form = {"csrf": csrf, "email": "ida@example.com", "password": GOOD}
        assert at.post("/sign-in", data=form).status_code == 403
        assert httpx.post(f"{at.base_url}/sign-in", data=form).status_code == 403
        headers = {"sec-fetch-site": "cross-site"}
        assert stranger.post("/sign-in", data=form, headers=headers).status_code == 403
    assert deeds(project) == []


def plainly(account: Account | None, password: str) -> bool:
    """As `passwords.matches` says it, in no time."""
    return account is not None and password == GOOD


# --- guessing ------------------------------------------------------------------------------------


def test_guessing_ends_after_a_few_tries_and_begins_anew_later(
    at, project, clock, ida, monkeypatch
) -> None:
    monkeypatch.setattr(
        passwords, "matches", lambda found, typed: found is not None and typed == GOOD
    )
    for _ in range(AT_MOST["account"]):
        assert sign_in(at, password="wrong").status_code == 401
    refused = sign_in(at)  # even the right one: nobody learns that it is
    assert refused.status_code == 429
    assert "quarter of an hour" in refused.text
    assert len(deeds(project)) == AT_MOST["account"], "what is refused fills no log"
    clock.advance(WITHIN)
    assert sign_in(at).status_code == 303


def test_strangers_who_guess_do_not_keep_the_owner_out(at, project, ida, monkeypatch) -> None:
    monkeypatch.setattr(
        passwords, "matches", lambda found, typed: found is not None and typed == GOOD
    )
    sign_in(at)  # from their own browser, once
    with httpx.Client(base_url=at.base_url) as stranger:
        for _ in range(AT_MOST["account"]):
            assert sign_in(stranger, password="wrong").status_code == 401
        assert sign_in(stranger).status_code == 429
        stranger.cookies.set("nurture_known", "forged", path="/sign-in", domain="127.0.0.1")
        assert sign_in(stranger).status_code == 429
    assert sign_in(at).status_code == 303


def test_many_accounts_tried_from_one_address_are_too_many(at, project, monkeypatch) -> None:
    account(project, "ida@example.com")
    monkeypatch.setattr(passwords, "matches", plainly)
    monkeypatch.setattr(tries, "AT_MOST", AT_MOST | {"address": 5})
    states = [sign_in(at, email=f"{name}@example.com").status_code for name in "abcdefg"]
    assert states == [401] * 5 + [429] * 2


def test_tries_take_no_more_memory_than_so_much(monkeypatch) -> None:
    monkeypatch.setattr(tries, "_KEPT", 10)
    counted = Tries()
    for number in range(100):
        assert counted.begin([("account", str(number))], MONDAY)
    assert len(counted._tries) == 10


# --- by link -------------------------------------------------------------------------------------


def test_without_accounts_a_link_lets_one_browser_in_once(project) -> None:
    app = create_app(project)
    opener = app.state.door.opener()
    with (
        served(project, app=app) as address,
        httpx.Client(base_url=address, verify=NO_TLS) as first,
        httpx.Client(base_url=address, verify=NO_TLS) as second,
    ):
        assert first.get("/").status_code == 303
        assert "nurture run" in first.get("/sign-in").text
        pages = [each.get(f"/sign-in/{opener}") for each in (first, second)]
        assert first.get("/").status_code == 303, "looking at the link does nothing"
        answer = first.post(f"/sign-in/{opener}", data={"csrf": proof(pages[0])})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert first.get("/").status_code == 200
        late = second.post(f"/sign-in/{opener}", data={"csrf": proof(pages[1])})
        assert late.status_code == 404
        assert second.get("/").status_code == 303
    assert deeds(project) == [("this machine", "sign-in")]


def test_the_opener_works_once_and_ends_with_the_first_account(project) -> None:
    door = Door(project)
    opener = door.opener()
    assert opener is not None
    assert not door.open("x")
    assert not door.open("")
    assert door.open(opener)
    assert not door.open(opener)
    again = door.opener()
    assert again not in (None, opener)
    account(project, "ida@example.com")
    assert door.opener() is None


def test_whoever_came_by_the_link_is_out_when_there_are_accounts(at, project) -> None:
    with project.database.write() as connection:
        token = Door(project).enter(connection, None)
    at.cookies.set(Door(project).cookie(secure=False), Door(project).sealed(token))
    page = at.get("/")
    assert page.status_code == 200
    assert "This machine" in page.text
    account(project, "ida@example.com")
    assert at.get("/").status_code == 303


def test_a_link_lets_its_owner_choose_a_password_once(at, project, clock, ida) -> None:
    with project.database.write() as connection:
        new = accounts.add(connection, "rui@example.com", "recruiter", MONDAY)
    there = f"/sign-in/{passwords.link(project.signer, new, clock.now())}"
    for password, again in (("short", "short"), (GOOD, "another one")):
        form = {"csrf": proof(at.get(there)), "password": password, "again": again}
        assert at.post(there, data=form).status_code == 400
    form = {"csrf": proof(at.get(there)), "password": GOOD, "again": GOOD}
    assert at.post(there, data=form).status_code == 303
    assert "rui@example.com" in at.get("/").text
    assert deeds(project)[-2:] == [
        ("rui@example.com", "user-password"),
        ("rui@example.com", "sign-in"),
    ]
    with httpx.Client(base_url=at.base_url) as other:
        assert other.get(there).status_code == 404
        form = {"csrf": proof(other.get("/sign-in")), "password": "x" * 20, "again": "x" * 20}
        assert other.post(there, data=form).status_code == 404
        assert sign_in(other, "rui@example.com").status_code == 303


# --- by the word of a proxy ----------------------------------------------------------------------

SECRET = "sixteen letters and more"
PROXY = f"""
web:
  public_url: https://talent.acme.test
  proxy:
    url: https://nurture.acme.test
    secret: {SECRET}
    person_header: X-Forwarded-Email
    sign_out: /oauth2/sign_out
"""
THROUGH = {
    "host": "nurture.acme.test",
    "x-nurture-proxy": SECRET,
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-email": "Ida@Example.com",
}

Behind = Callable[..., tuple[httpx.Client, Project]]


@pytest.fixture
def behind(folder, clock: SetClock, serve: Serve) -> Iterator[Behind]:
    """A project with a proxy in front of it."""

    def made(**changed: str) -> tuple[httpx.Client, Project]:
        text = PROXY + "".join(f"    {name}: {value}\n" for name, value in changed.items())
        (folder / "config.yaml").write_text(text)
        project = open_project(folder / "config.yaml", clock, env={})
        stack.callback(project.close)
        address = stack.enter_context(serve(project))
        return stack.enter_context(
            httpx.Client(base_url=address, timeout=30, verify=NO_TLS)
        ), project

    with contextlib.ExitStack() as stack:
        yield made


def test_whom_the_proxy_names_is_in_and_their_cookie_is_secure(behind) -> None:
    client, project = behind()
    account(project, "ida@example.com")
    answer = client.get("/candidates", headers=THROUGH)
    assert answer.status_code == 200
    cookie = session_cookie(answer, project, secure=True)
    assert cookie.key.startswith("__Host-")
    assert cookie["secure"] is True
    assert deeds(project) == [("ida@example.com", "sign-in")]
    held = {**THROUGH, "cookie": f"{cookie.key}={cookie.value}"}
    again = client.get("/candidates", headers=held)
    assert "set-cookie" not in again.headers
    assert len(deeds(project)) == 1
    gone = client.post("/sign-out", headers=held, data={"csrf": proof(again)})
    assert gone.headers["location"] == "/oauth2/sign_out"


def test_who_is_named_anew_is_somebody_else_at_once(behind) -> None:
    client, project = behind()
    for name in ("ida", "rui"):
        account(project, f"{name}@example.com")
    first = client.get("/", headers=THROUGH)
    cookie = session_cookie(first, project, secure=True)
    held = {**THROUGH, "cookie": f"{cookie.key}={cookie.value}"}
    changed = {**held, "x-forwarded-email": "rui@example.com"}
    page = client.get("/", headers=changed)
    assert "rui@example.com" in page.text
    assert "ida@example.com" not in page.text
    own = client.post("/sign-out", headers=changed, data={"csrf": proof(first)})
    assert own.status_code in (401, 403), "a form of the one, sent in the name of the other"


NOT_THE_PROXY: list[dict[str, str | None]] = [
    {"x-nurture-proxy": None},
    {"x-nurture-proxy": "sixteen letters and mor"},
    {"x-nurture-proxy": ""},
    {"host": "talent.acme.test"},
    {"host": "127.0.0.1:8420"},
    {"x-forwarded-email": None},
    {"x-forwarded-email": "not an address"},
    {"x-forwarded-email": "a@b.c, ida@example.com"},
    {"x-forwarded-email": "nobody@example.com"},
    {"x-forwarded-email": ""},
]


def test_nobody_else_is_believed(behind) -> None:
    client, project = behind()
    account(project, "ida@example.com")
    for changed in NOT_THE_PROXY:
        said = {name: value for name, value in (THROUGH | changed).items() if value is not None}
        answer = client.get("/candidates", headers=said)
        assert answer.status_code in (401, 403), changed
        assert "set-cookie" not in answer.headers
    assert deeds(project) == []


def test_a_person_who_is_named_twice_is_nobody(behind) -> None:
    client, project = behind()
    account(project, "ida@example.com")
    twice = [*THROUGH.items(), ("x-forwarded-email", "eve@example.com")]
    assert client.get("/candidates", headers=twice).status_code == 403
    shown_twice = [*THROUGH.items(), ("x-nurture-proxy", "x")]
    assert client.get("/candidates", headers=shown_twice).status_code == 403


def test_the_same_from_another_address_is_refused(behind) -> None:
    client, project = behind(addresses="[192.0.2.1]")
    account(project, "ida@example.com")
    assert client.get("/candidates", headers=THROUGH).status_code == 403
    own = {name: value for name, value in THROUGH.items() if name != "x-nurture-proxy"}
    assert client.get("/candidates", headers=own).status_code == 403


def test_the_name_alone_is_nothing_on_this_machine_itself(behind) -> None:
    client, project = behind()
    account(project, "ida@example.com")
    answer = client.get("/candidates", headers={"x-forwarded-email": "ida@example.com"})
    assert answer.status_code == 403
    assert client.get("/candidates").status_code == 303


def test_newcomers_get_an_account_only_where_that_is_wanted(behind) -> None:
    client, project = behind(newcomers="marketer")
    named = {**THROUGH, "x-forwarded-email": "new@example.com"}
    assert client.get("/", headers=named).status_code == 200
    with project.database.read() as connection:
        new = accounts.by_email(connection, "new@example.com")
    assert new is not None
    assert (new.role, new.password) == ("marketer", None)
    with project.database.write() as connection:
        accounts.change(connection, new, disabled_at=MONDAY)
    assert client.get("/", headers=named).status_code == 403


def test_without_proxy_no_header_is_believed(project, serve) -> None:
    account(project, "ida@example.com")
    enter(project)
    with serve(project) as address:
        for headers in (
            THROUGH,
            {"x-forwarded-email": "ida@example.com"},
            {"x-forwarded-user": "ida@example.com", "remote-user": "ida@example.com"},
            {"x-nurture-proxy": SECRET},
        ):
            answer = httpx.get(f"{address}/candidates", headers=headers)
            assert answer.status_code in (303, 403)


def test_public_pages_need_no_person(behind) -> None:
    client, _ = behind()
    headers = {"host": "talent.acme.test", "x-forwarded-for": "203.0.113.7"}
    assert client.get("/u/x", headers=headers).status_code == 200
