"""The morning's page: what is due, whose it is, and how it is done from there."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from nurture.engine.project import Project
from nurture.engine.today import left
from nurture.store import tables
from nurture.store.facts import find_candidate
from tests.conftest import MONDAY
from tests.web.conftest import Client

IDA = "ida.berg@example.com"  # the recruiter of sample-02
MARCO = "marco.duarte@example.com"  # and of sample-01
Add = Callable[..., int]


@pytest.fixture
def add(populated: Project) -> Add:
    """An open task, of somebody who has been planned; its number."""

    def task(ref: str, text: str = "Ask the team", **more: Any) -> int:
        with populated.database.write() as connection:
            who = find_candidate(connection, ref)
            assert who is not None
            own = tables.enrollments.c.candidate_id == who.id
            enrolled = connection.execute(select(tables.enrollments).where(own)).first()
            number = len(connection.execute(select(tables.tasks.c.id)).all())
            row = {
                "candidate_id": who.id,
                "enrollment_id": enrolled.id if enrolled else 1,
                "step": f"made-{number}",
                "occurrence": "1",
                "campaign": "made",
                "text": text,
                "role": "recruiter",
                "created_at": MONDAY,
                "due_at": MONDAY + timedelta(hours=number + 1),
            }
            found: int = connection.execute(
                insert(tables.tasks).values(row | more).returning(tables.tasks.c.id)
            ).scalar_one()
            return found

    return task


def a_call(add: Add, ref: str = "sample-02") -> int:
    return add(
        ref,
        "Ring Jörg Müller: Your interview\n\nTell them that it stands.",
        kind="call",
        best_at=MONDAY + timedelta(hours=2),
        fallback_at=MONDAY + timedelta(hours=8),
    )


def the_task(project: Project, number: int) -> Any:
    with project.database.read() as connection:
        query = select(tables.tasks).where(tables.tasks.c.id == number)
        return connection.execute(query).mappings().one()


def owe(tell: Callable[..., None], hours: float, ref: str = "p-1", who: str = "02") -> None:
    tell(
        "promise.made",
        id=f"made-{ref}",
        candidate={"id": f"sample-{who}"},
        application={"id": f"sample-app-{who}"},
        promise={"id": ref, "what": f"a decision on {ref}", "due": after(hours), "owner": IDA},
    )


def after(hours: float) -> str:
    return (MONDAY + timedelta(hours=hours)).isoformat()


# --- what stands there ---------------------------------------------------------------------------


def test_what_slipped_and_what_is_due_says_by_how_much_whose_it_is_and_for_whom(
    client: Client, tell: Callable[..., None], populated: Project
) -> None:
    owe(tell, hours=5)
    populated.clock.set(MONDAY + timedelta(hours=8))  # type: ignore[attr-defined]
    owe(tell, hours=11, ref="p-2")
    page = client.get("/").text
    slipped, due = page.index("a decision on p-1"), page.index("a decision on p-2")
    assert slipped < due
    assert "3 h late" in page
    assert "3 h left" in page
    assert "owed by Ida Berg" in page
    assert '<a class="whom" data-key="Enter" href="/candidates/sample-02">Jörg Müller</a>' in page


def test_what_is_due_much_later_stands_on_the_page_of_all_promises_only(
    client: Client, tell: Callable[..., None]
) -> None:
    owe(tell, hours=24 * 10)
    assert "a decision on p-1" not in client.get("/").text
    assert "a decision on p-1" in client.get("/promises").text


def test_a_promise_that_was_kept_is_gone(client: Client, tell: Callable[..., None]) -> None:
    owe(tell, hours=5)
    assert "a decision on p-1" in client.get("/").text
    tell("promise.kept", candidate={"id": "sample-02"}, promise={"id": "p-1"})
    assert "a decision on p-1" not in client.get("/").text


def test_who_waits_for_word_stands_there_worst_first(client: Client, populated: Project) -> None:
    applications = tables.applications
    with populated.database.write() as connection:
        for ref, hours in (("sample-app-01", 30), ("sample-app-02", -4)):
            one = update(applications).where(applications.c.ref == ref)
            connection.execute(one.values(silence_due_at=MONDAY + timedelta(hours=hours)))
    page = client.get("/").text
    section = page[page.index("Waiting for word from us") :]
    assert section.index("Jörg Müller") < section.index("Ana Silva")
    assert "4 h late" in section
    everybody = client.get("/silence").text
    assert everybody.index("Jörg Müller") < everybody.index("Ana Silva")


def test_a_call_says_whom_to_ring_when_and_what_to_say(client: Client, add: Add) -> None:
    a_call(add)
    page = client.get("/").text
    assert '<a class="phone" href="tel:+49305550102">+49 30 555 0102</a>' in page
    assert "Tell them that it stands." in page
    assert "best at" in page
    for key, outcome in enumerate(("spoke", "voicemail", "no_answer", "wrong_number"), 1):
        assert f'name="outcome" value="{outcome}" data-key="{key}"' in page


def test_what_came_overnight_is_told_and_what_came_before_is_not(
    client: Client, tell: Callable[..., None], populated: Project
) -> None:
    tell("candidate.replied", candidate={"id": "sample-02"})
    populated.clock.set(MONDAY + timedelta(hours=15))  # type: ignore[attr-defined]
    tell(
        "application.withdrawn", candidate={"id": "sample-01"}, application={"id": "sample-app-01"}
    )
    populated.clock.set(MONDAY + timedelta(days=1))  # type: ignore[attr-defined]
    page = client.get("/").text
    assert "withdrew" in page
    assert "replied" not in page


def test_a_moved_interview_says_to_when_on_the_candidates_clock(
    client: Client, tell: Callable[..., None]
) -> None:
    tell(
        "interview.rescheduled",
        candidate={"id": "sample-02"},
        interview={"id": "i-moved", "starts_at": "2026-12-09T09:00:00+00:00"},
    )
    assert "interview moved to Wed 9 Dec 10:00 (Berlin)" in client.get("/").text


def test_nothing_is_told_of_what_somebody_said_in_confidence(
    client: Client, populated: Project
) -> None:
    with populated.database.write() as connection:
        who = find_candidate(connection, "sample-02")
        assert who is not None
        row = {
            "candidate_id": who.id,
            "kind": "accommodation",
            "said": "a ramp",
            "person": "admin@example.com",
            "told_at": MONDAY,
        }
        connection.execute(insert(tables.confidences).values(row))
    page = client.get("/").text
    assert "1 candidate has told you something in confidence" in page
    assert "a ramp" not in page


def test_a_quiet_morning_says_so(client: Client, populated: Project) -> None:
    with populated.database.write() as connection:
        connection.execute(update(tables.applications).values(silence_due_at=None))
        connection.execute(update(tables.tasks).values(state="done"))
        connection.execute(update(tables.messages).values(state="cancelled"))
        connection.execute(update(tables.events).values(historical=True))
        connection.execute(update(tables.promises).values(status="kept"))
    assert "Nothing waits for you" in client.get("/").text


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0.2, "12 min left"),
        (0, "1 min left"),
        (-3, "3 h late"),
        (47, "47 h left"),
        (-72, "3 days late"),
    ],
)
def test_how_long_there_is_is_said_in_the_unit_that_fits(hours: float, said: str) -> None:
    assert left(hours) == said


# --- whose it is ---------------------------------------------------------------------------------


def test_a_recruiter_sees_what_is_theirs_and_nothing_else(
    client_of: Callable[..., Client], add: Add, tell: Callable[..., None]
) -> None:
    add("sample-01", "Something for Marco")
    add("sample-02", "Something for Ida")
    owe(tell, hours=2)
    ida, marco = client_of("recruiter", IDA), client_of("recruiter", MARCO)
    for page in ("/", "/?whose=everybody", "/tasks", "/tasks?whose=everybody"):
        assert "Something for Ida" in ida.get(page).text
        assert "Something for Marco" not in ida.get(page).text
    assert "a decision on p-1" in ida.get("/promises").text
    assert "a decision on p-1" not in marco.get("/promises").text


def test_an_admin_switches_between_their_own_and_everybodys(
    client: Client, client_of: Callable[..., Client], add: Add
) -> None:
    add("sample-02", "Something for Ida")
    assert "Something for Ida" in client.get("/").text
    assert "Something for Ida" not in client.get("/?whose=mine").text
    recruiter = client_of("recruiter", IDA)
    assert "Everybody’s" in client.get("/").text
    assert "Everybody’s" not in recruiter.get("/").text


# --- what is done there --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state"), [("spoke", "done"), ("voicemail", "open"), ("wrong_number", "done")]
)
def test_one_press_says_what_came_of_a_call(
    client: Client, populated: Project, add: Add, outcome: str, state: str
) -> None:
    number = a_call(add)
    answer = client.act(f"/tasks/{number}", outcome=outcome, back="/")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/?said={outcome}")
    task = the_task(populated, number)
    assert (task["outcome"], task["state"], task["tries"]) == (outcome, state, 1)
    with populated.database.read() as connection:
        contact = connection.execute(select(tables.contacts)).mappings().all()[-1]
        audit = connection.execute(select(tables.audit)).mappings().all()[-1]
    assert (contact["kind"], contact["outcome"]) == ("call", outcome)
    assert contact["person"] == "admin@example.com"
    assert (audit["action"], audit["about"]) == ("log-call", f"task:{number}")
    assert "Written down" in client.get(answer.headers["location"]).text


def test_a_second_call_that_nobody_took_says_that_the_mail_goes(client: Client, add: Add) -> None:
    number = a_call(add)
    client.act(f"/tasks/{number}", outcome="no_answer")
    answer = client.act(f"/tasks/{number}", outcome="no_answer")
    assert "the mail goes instead" in client.get(answer.headers["location"]).text


def test_another_task_is_ticked_off_and_twice_is_once(
    client: Client, populated: Project, add: Add
) -> None:
    number = add("sample-02")
    assert client.act(f"/tasks/{number}", back="/tasks").headers["location"] == "/tasks?said=done"
    assert the_task(populated, number)["state"] == "done"
    assert client.act(f"/tasks/{number}").headers["location"] == "/?said=gone"


def test_nobody_ends_a_task_of_somebody_elses_candidate_and_marketing_none(
    client_of: Callable[..., Client], populated: Project, add: Add
) -> None:
    number = a_call(add)
    assert client_of("recruiter", MARCO).act(f"/tasks/{number}", outcome="spoke").status_code == 404
    marketer = client_of("marketer", "mia@example.com")
    assert marketer.act(f"/tasks/{number}", outcome="spoke").status_code == 403
    assert 'action="/tasks/' not in marketer.get("/").text
    assert client_of("recruiter", IDA).post(f"/tasks/{number}").status_code == 403  # no proof
    assert the_task(populated, number)["state"] == "open"
    assert client_of("recruiter", IDA).act(f"/tasks/{number}", outcome="spoke").status_code == 303


@pytest.mark.parametrize("form", [{}, {"outcome": ""}, {"outcome": "shouted"}])
def test_a_call_ends_with_no_other_outcome_than_there_is(
    client: Client, populated: Project, add: Add, form: dict[str, str]
) -> None:
    number = a_call(add)
    assert client.act(f"/tasks/{number}", **form).status_code == 400
    assert the_task(populated, number)["tries"] == 0


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/candidates", ""])
def test_from_a_form_one_comes_back_to_a_page_of_tasks_only(
    client: Client, add: Add, back: str
) -> None:
    answer = client.act(f"/tasks/{add('sample-02')}", back=back)
    assert answer.headers["location"] == "/?said=done"


def test_no_other_word_in_the_address_is_repeated_on_the_page(site: Client) -> None:
    page = site.get("/", params={"said": "<b>hello", "whose": "<i>"}).text
    assert "hello" not in page
    assert "<i>" not in page


# --- page after page -----------------------------------------------------------------------------


def test_a_long_list_goes_on_by_its_key_and_shows_everything_once(client: Client, add: Add) -> None:
    for number in range(60):
        add("sample-02", f"Thing number {number:02}", due_at=MONDAY)
    seen: list[str] = []
    address: str | None = "/tasks"
    while address is not None:
        page = client.get(address).text
        seen += [f"{n:02}" for n in range(60) if f"Thing number {n:02} ·" in page]
        link = page.find('rel="next"')
        start = page.find('href="', link) + 6
        address = page[start : page.index('"', start)].replace("&amp;", "&") if link > 0 else None
    assert sorted(seen) == [f"{n:02}" for n in range(60)]


@pytest.mark.parametrize("after", ["x", ",", "2026-11-23T00:00:00,x", "2026-11-23,a,b", "9999,1"])
@pytest.mark.parametrize("page", ["/tasks", "/promises", "/silence"])
def test_a_key_that_cannot_be_read_begins_at_the_beginning(
    site: Client, page: str, after: str
) -> None:
    assert site.get(page, params={"after": after}).status_code == 200


def test_names_and_tasks_from_outside_are_text(
    client: Client, add: Add, tell: Callable[..., None]
) -> None:
    evil = "<script>alert(1)</script>"
    tell("candidate.upserted", candidate={"id": "sample-02", "first_name": evil, "phone": evil})
    add("sample-02", f"Ring {evil}\n\n{evil}", kind="call", best_at=MONDAY, fallback_at=MONDAY)
    page = client.get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
