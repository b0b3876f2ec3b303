"""What a candidate may decide by a link in a mail, and what nobody can do by guessing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from nurture.clock import SetClock
from nurture.core.model import Candidate
from nurture.engine.project import Project
from nurture.rendering.links import PREFERENCES, UNSUBSCRIBE
from nurture.store.database import Database
from nurture.store.facts import find_candidate
from nurture.store.tables import events, metadata
from tests.world import World

ONE_CLICK = b"List-Unsubscribe=One-Click"
BOUNDARY = "----b0undary"
MULTIPART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
    f"One-Click\r\n--{BOUNDARY}--\r\n"
).encode()
FORM = "application/x-www-form-urlencoded"

CULTURE = """\
name: Culture
status: live
enter:
  on: application.created
steps:
  - send: notes/culture
"""


def ana(project: Project) -> Candidate:
    with project.database.read() as connection:
        found = find_candidate(connection, "sample-01")
    assert found is not None
    return found


def token(project: Project, purpose: str = UNSUBSCRIBE) -> str:
    return project.signer.token(purpose, ana(project).id)


def told(project: Project, *sources: str) -> list[Any]:
    """Type and source of what was said on these pages."""
    wanted = sources or ("unsubscribe", "preferences")
    with project.database.read() as connection:
        query = select(events.c.type, events.c.source).where(events.c.source.in_(wanted))
        return [tuple(row) for row in connection.execute(query.order_by(events.c.id))]


def test_looking_at_the_unsubscribe_page_changes_nothing(site, standing, snapshot) -> None:
    before = snapshot(standing)
    for _ in range(3):  # scanners come more than once
        page = site.get(f"/u/{token(standing)}")
        head = site.head(f"/u/{token(standing)}")
    assert page.status_code == head.status_code == 200
    assert head.content == b""
    assert '<form method="post"' in page.text
    assert snapshot(standing) == before


def test_the_unsubscribe_page_has_no_script_and_sets_no_cookie(client, populated) -> None:
    for answer in (client.get(f"/u/{token(populated)}"), client.post(f"/u/{token(populated)}")):
        assert "<script" not in answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ONE_CLICK, FORM),
        (MULTIPART, f"multipart/form-data; boundary={BOUNDARY}"),
        (b"", None),
        (b"\xff\x00--garbage", "multipart/form-data"),
        (b"x" * 200_000, FORM),
    ],
    ids=["urlencoded", "multipart", "the page's own button", "broken multipart", "long"],
)
def test_one_click_unsubscribes_in_whatever_form_it_comes(client, populated, body, kind) -> None:
    answer = client.post(
        f"/u/{token(populated)}", content=body, headers={"content-type": kind} if kind else {}
    )
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    assert "all" in ana(populated).unsubscribed
    assert told(populated) == [("candidate.unsubscribed", "unsubscribe")]


def test_unsubscribing_again_gives_the_same_answer_and_no_second_entry(client, populated) -> None:
    first = client.post(f"/u/{token(populated)}", content=ONE_CLICK)
    again = client.post(f"/u/{token(populated)}", content=ONE_CLICK)
    assert (first.status_code, first.text) == (again.status_code, again.text)
    assert len(told(populated)) == 1


def test_an_unknown_token_gets_the_same_answers_and_changes_nothing(
    client, populated, snapshot
) -> None:
    right, wrong = token(populated), "A" * 32

    def without(answer: httpx.Response, used: str) -> tuple[Any, ...]:
        headers = {k: v for k, v in answer.headers.items() if k != "date"}
        return answer.status_code, answer.text.replace(used, "TOKEN"), headers

    before = snapshot(populated)
    wrong_look = without(client.get(f"/u/{wrong}"), wrong)
    wrong_post = without(client.post(f"/u/{wrong}", content=ONE_CLICK), wrong)
    assert snapshot(populated) == before
    assert wrong_look == without(client.get(f"/u/{right}"), right)
    assert wrong_post == without(client.post(f"/u/{right}", content=ONE_CLICK), right)
    assert "all" in ana(populated).unsubscribed


def test_a_token_for_another_purpose_does_not_unsubscribe(client, populated) -> None:
    client.post(f"/u/{token(populated, PREFERENCES)}", content=ONE_CLICK)
    assert not ana(populated).unsubscribed


def test_a_mistake_can_be_undone(client, populated, clock) -> None:
    client.post(f"/u/{token(populated)}", content=ONE_CLICK)
    clock.advance(timedelta(minutes=1))
    answer = client.post(f"/u/{token(populated)}/undo")
    assert "subscribed again" in answer.text
    assert "all" not in ana(populated).unsubscribed
    assert [type_ for type_, _ in told(populated)] == [
        "candidate.unsubscribed",
        "candidate.preferences",
    ]


def test_a_candidate_with_a_number_for_an_id_is_not_taken_for_another(
    client, populated, tell
) -> None:
    number = str(ana(populated).id)
    tell("candidate.upserted", candidate={"id": number, "email": "else@example.com"})
    client.post(f"/u/{token(populated)}", content=ONE_CLICK)
    with populated.database.read() as connection:
        other = find_candidate(connection, "else@example.com")
    assert other is not None
    assert not other.unsubscribed
    assert "all" in ana(populated).unsubscribed


def test_the_links_of_a_merged_person_are_the_survivors_and_never_a_strangers(
    client, populated, tell, clock
) -> None:
    tell("candidate.upserted", candidate={"id": "twin", "email": "twin@example.com"})
    with populated.database.read() as connection:
        twin = find_candidate(connection, "twin")
    assert twin is not None
    link = populated.signer.token(UNSUBSCRIBE, twin.id)
    clock.advance(timedelta(minutes=1))
    tell("candidate.merged", candidate={"id": "twin"}, into={"id": "sample-01"})
    tell("candidate.upserted", candidate={"id": "new", "email": "new@example.com"})
    client.post(f"/u/{link}", content=ONE_CLICK)
    with populated.database.read() as connection:
        stranger = find_candidate(connection, "new")
    assert stranger is not None
    assert stranger.id != twin.id
    assert not stranger.unsubscribed
    assert "all" in ana(populated).unsubscribed


# --- mail that is already on its way -------------------------------------------------------------


@pytest.fixture
def world(folder, tmp_path, clock: SetClock) -> Iterator[World]:
    database = Database(f"sqlite:///{tmp_path}/world.db")
    with database.write() as connection:
        metadata.create_all(connection)
    for file in (folder / "campaigns").glob("*.yaml"):
        file.unlink()
    world = World(folder, database, clock)
    world.template("notes/culture", "culture")
    world.campaign("culture", CULTURE)
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    yield world
    database.close()


def test_mail_that_is_already_queued_is_not_sent_after_unsubscribing(world, serve) -> None:
    assert world.project.planner.tick() == 1
    assert [entry.reason for entry in world.agenda()] == ["due"]
    mine = world.project.signer.token(UNSUBSCRIBE, 1)
    with serve(world.project) as address:
        httpx.post(f"{address}/u/{mine}", content=ONE_CLICK)
    world.work()
    assert world.postman.offered == []
    assert world.entry("culture").reason == "unsubscribed"


def test_without_unsubscribing_the_same_mail_goes_out(world) -> None:
    world.work()
    assert [address for address, _ in world.postman.offered] == ["ana@example.com"]


# --- preferences ----------------------------------------------------------------------------------


def test_the_preferences_page_says_how_things_are(client, populated) -> None:
    page = client.get(f"/p/{token(populated, PREFERENCES)}")
    assert page.status_code == 200
    assert "Pause for" in page.text
    assert "Unsubscribe" in page.text


def test_a_pause_lasts_the_months_that_were_chosen_and_can_be_ended_before(
    client, populated
) -> None:
    mine = token(populated, PREFERENCES)
    paused = client.post(f"/p/{mine}/pause", data={"months": "3"})
    assert "Paused until Tuesday, 23 February 2027." in paused.text
    assert ana(populated).paused_until == datetime(2027, 2, 23, 10, tzinfo=UTC)
    populated.clock.advance(timedelta(minutes=1))
    assert "Pause for" in client.post(f"/p/{mine}/resume").text
    assert ana(populated).paused_until is None


def test_preferences_can_unsubscribe_and_bring_everything_back(
    client, populated, clock, tell
) -> None:
    mine = token(populated, PREFERENCES)
    tell("candidate.unsubscribed", candidate={"id": "sample-01"}, topics=["culture"])
    clock.advance(timedelta(minutes=1))
    assert "Subscribe to everything again" in client.get(f"/p/{mine}").text
    assert "You are unsubscribed" in client.post(f"/p/{mine}/unsubscribe").text
    clock.advance(timedelta(minutes=1))
    assert "Pause for" in client.post(f"/p/{mine}/resubscribe").text
    assert not ana(populated).unsubscribed


def test_preferences_say_nothing_about_anybody_to_a_token_that_is_not_ours(
    client, populated, snapshot
) -> None:
    before = snapshot(populated)
    for answer in (client.get("/p/" + "A" * 32), client.post("/p/" + "A" * 32 + "/unsubscribe")):
        assert answer.status_code == 404
        assert "This link is not whole" in answer.text
    assert client.post(f"/p/{token(populated, PREFERENCES)}/delete").status_code == 404
    assert snapshot(populated) == before


def test_somebody_who_must_not_be_contacted_is_told_so(client, populated, tell) -> None:
    tell("candidate.do_not_contact", candidate={"id": "sample-01"})
    page = client.get(f"/p/{token(populated, PREFERENCES)}").text
    assert "we do not write to you at all" in page
    assert "<form" not in page


def test_candidates_pages_open_under_any_host_name(site, standing) -> None:
    public = {"host": "nurture.example.com"}
    assert site.get(f"/u/{token(standing)}", headers=public).status_code == 200
    assert site.get("/static/nurture.css", headers=public).status_code == 200
    assert site.get("/static/brand.css", headers=public).status_code == 200
