"""What do people see of campaigns, what can they stop and let through, and who?"""

import html
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from nurture.clock import SetClock
from nurture.engine.project import Project
from nurture.engine.sender import until_idle
from nurture.engine.tally import Tallies
from nurture.intake.apply import apply_all
from nurture.intake.events import parse_event
from nurture.store import audit, funnel, releases, stops
from nurture.store.census import census
from nurture.store.database import Database
from nurture.web import campaigns
from nurture.wiring import sender
from tests.web.conftest import Client, Serve, enter
from tests.world import World

WELCOME = """\
name: Welcome
status: live
owner: Talent Marketing
enter: {on: application.created}
steps:
  - send: notes/hello
  - send: notes/second
    after: %d days
  - send: notes/third
    at: 20 days after entered
    if: not replied()
"""


@pytest.fixture
def sent(project: Project, edited: httpx.Client) -> httpx.Client:
    """After the first mails have gone to the outbox."""
    project.catch_up()
    until_idle(project.planner, sender(project))
    return edited


@pytest.fixture
def world(tmp_path: Path, with_tables: Path, clock: SetClock) -> Iterator[World]:
    """A house of one campaign, where ten mails are enough to judge by and three may go at once."""
    folder = tmp_path / "house"
    for name in ("campaigns", "templates/notes"):
        (folder / name).mkdir(parents=True)
    shutil.copytree(Path(__file__).parents[2] / "templates/layouts", folder / "templates/layouts")
    (folder / "config.yaml").write_text(
        "release_at_most: 3\nguardrails: {at_least: 10}\n"
        "contact_hours: {holidays: none, spread: 0 minutes}\n"
        "silence: {applied: null, screening: null, interviewing: null}\n"
    )
    shutil.copy(with_tables, tmp_path / "house.db")
    world = World(folder, Database(f"sqlite:///{tmp_path}/house.db"), clock)
    for name in ("hello", "second", "third"):
        world.template(f"notes/{name}", "culture" if name == "second" else "receipt")
    world.campaign("welcome", WELCOME % 5)
    world.project.begin()
    world.reload()
    world.project.begin()
    yield world
    world.project.close()


@pytest.fixture
def seen_by(world: World, serve: Serve) -> Iterator[Callable[..., Client]]:
    """The pages of `world` as somebody sees them: `seen_by("recruiter", "ida@example.com")`."""
    with ExitStack() as stack:
        address = stack.enter_context(serve(world.project))

        def of(role: str = "marketer", email: str = "mia@example.com") -> Client:
            return stack.enter_context(
                Client(address, world.project, enter(world.project, role, email))
            )

        yield of


def plain(page: httpx.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def apply_for(world: World, *names: str, recruiter: str = "ida@example.com") -> None:
    """So many people apply now."""
    now = world.clock.now()
    told = [
        {
            "type": "application.created",
            "source": "test",
            "id": f"{name} applied",
            "occurred_at": now.isoformat(),
            "candidate": {"id": name, "email": f"{name}@example.com", "first_name": name.title()},
            "application": {"id": f"a-{name}", "recruiter": {"email": recruiter}},
        }
        for name in names
    ]
    apply_all(world.database, [parse_event(event) for event in told], now)
    world.work()


def deeds(world: World) -> list[tuple[str, str, str | None]]:
    with world.database.read() as connection:
        rows = audit.rows(connection, limit=20)
    return [(row["who"], row["action"], row["about"]) for row in rows]


# --- what there is -------------------------------------------------------------------------------


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
    assert f"{counted.entered} entered" in said
    waiting = sum(counted.places["thank-you"].waiting.values())
    assert waiting > 0
    assert re.search(rf"\b{waiting} waits? here send interview-prep/thank-you", said)
    for step in project.library.campaigns["interview-preparation"].every_step():
        if step.send is not None:
            assert step.send in said
        elif step.task is not None:
            assert step.task.text.split("{{")[0].strip() in said


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
    for markup in ("<i>First", 'phone == "<b>', "<script>}", "text: <script"):
        assert markup not in page.text
    said = plain(page)
    assert 'if candidate.phone == "<b>"' in said
    assert "then 0 so far 0 wait here task <script>" in said
    assert "else 0 so far 0 wait here wait for candidate.replied" in said


def test_a_campaign_that_is_not_there_is_a_page_that_says_so(site: httpx.Client) -> None:
    assert "There is no campaign of this name" in site.get("/campaigns/nobody").text
    for name in ("nobody", "..%2Fconfig", "%00"):
        assert site.get(f"/campaigns/{name}").status_code == 404


def test_the_list_tells_how_each_campaign_is(world: World, seen_by: Callable[..., Client]) -> None:
    apply_for(world, *(f"p{n}" for n in range(12)))
    world.campaign("later", WELCOME.replace("live", "draft").replace("Welcome", "Later") % 3)
    world.reload()
    said = plain(seen_by().get("/campaigns"))
    assert "enrolled 12 sent in 7 days 12 bounced of these 0 0.0%" in said
    assert "Later draft enrolled 0 sent in 7 days 0 bounced of these 0 Enter" in said


# --- its file ------------------------------------------------------------------------------------


def test_a_problem_stands_under_its_line_and_the_version_in_force_goes_on(
    world: World, seen_by: Callable[..., Client]
) -> None:
    world.campaign("welcome", (WELCOME % 5).replace("    after: 5 days", "    afetr: 5 days"))
    world.project.reload()
    client = seen_by()
    assert "1 problem The file has problems" in plain(client.get("/campaigns"))
    page = client.get("/campaigns/welcome")
    said = plain(page)
    assert "The last good version stays in force" in said
    assert "5 days after the step above" in said, "as it is in force"
    where = said.index('8 afetr: 5 days "afetr"')
    assert 'did you mean "after"?' in said[where : where + 80]


def test_a_file_that_never_was_good_is_shown_with_its_problems(
    world: World, seen_by: Callable[..., Client]
) -> None:
    world.campaign("new", "name: New\nenter: {on: <b>}\nsteps:\n  - sned: notes/hello\n")
    world.project.reload()
    client = seen_by()
    assert "Not in force Files that never were good" in plain(client.get("/campaigns"))
    page = client.get("/campaigns/new")
    assert page.status_code == 200
    assert "not in force" in plain(page)
    assert '4 - sned: notes/hello "sned" did you mean "send"?' in plain(page)
    assert "<b>}" not in page.text


def test_the_templates_it_sends_are_shown_with_their_problems(
    world: World, seen_by: Callable[..., Client]
) -> None:
    path = world.folder / "templates/notes/second.md"
    path.write_text(path.read_text() + "\n{{ candidate.frist_name }}\n")
    world.project.reload()
    client = seen_by()
    said = plain(client.get("/campaigns/welcome"))
    assert "notes/hello nothing found" in said
    assert re.search(r"notes/second [12] found .*frist_name", said)
    assert "problem" in plain(client.get("/campaigns"))


# --- stopping and going on -----------------------------------------------------------------------


def test_marketing_stops_a_campaign_and_sees_what_would_go_before_it_goes_on(
    world: World, seen_by: Callable[..., Client]
) -> None:
    client = seen_by()
    back = client.act("/stops/pause", scope="campaign", ref="welcome", why="  wrong\ndate <b> ")
    assert (back.status_code, back.headers["location"]) == (303, "/campaigns/welcome?said=paused")
    apply_for(world, *(f"p{n}" for n in range(5)))
    assert world.postman.offered == [], "nothing of it leaves"
    for page in ("/campaigns", "/campaigns/welcome"):
        said = plain(client.get(page))
        assert "Stopped by mia@example.com" in said, page
        assert "wrong date <b>" in said, page
    said = plain(client.get("/campaigns/welcome"))
    assert "Mail for 5 people waits because of it" in said
    assert "more than may go at once (3)" in said

    again = client.act("/stops/pause", scope="campaign", ref="welcome", why="me too")
    assert again.headers["location"].endswith("?said=already")
    back = client.act("/stops/resume", scope="campaign", ref="welcome")
    assert back.headers["location"] == "/campaigns/welcome?said=resumed"
    with world.database.read() as connection:
        assert stops.active(connection) == []
        (row,) = releases.rows(connection)
    assert (row.campaign, row.cause) == ("welcome", "resume"), "the release guard counts them"
    client.act("/stops/resume", scope="campaign", ref="welcome")
    assert deeds(world) == [
        ("mia@example.com", "resume", "campaign:welcome"),
        ("mia@example.com", "stop", "campaign:welcome"),
    ]


def test_everything_can_be_stopped_and_goes_on_from_the_list(
    world: World, seen_by: Callable[..., Client]
) -> None:
    client = seen_by("admin", "root@example.com")
    assert "Stop all mail" in plain(client.get("/campaigns"))
    back = client.act("/stops/pause", scope="everything", why="wrong database")
    assert back.headers["location"] == "/campaigns?said=paused"
    apply_for(world, "ana")
    said = plain(client.get("/campaigns"))
    assert "everything since" in said
    assert "Mail for 1 person waits because of it" in said
    assert "everything since" in plain(client.get("/campaigns/welcome"))
    client.act("/stops/resume", scope="everything", ref="")
    world.clock.advance(timedelta(minutes=1))
    world.work()
    assert [to for to, _ in world.postman.offered] == ["ana@example.com"]


def test_who_may_not_stop_or_release_sees_no_button_and_is_refused(
    world: World, seen_by: Callable[..., Client]
) -> None:
    client = seen_by("recruiter", "ida@example.com")
    for page in ("/campaigns", "/campaigns/welcome"):
        assert "/stops/" not in client.get(page).text
    for path, form in (
        ("/stops/pause", {"scope": "campaign", "ref": "welcome", "why": "no"}),
        ("/stops/pause", {"scope": "everything", "why": "no"}),
        ("/stops/resume", {"scope": "campaign", "ref": "welcome"}),
        ("/held/release", {"name": "welcome", "days": "0"}),
    ):
        assert client.act(path, **form).status_code == 403, path
        assert client.post(path, data=form).status_code == 403, "and without the form's proof"
    with world.database.read() as connection:
        assert stops.active(connection) == []


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/stops/pause", {"scope": "campaign", "ref": "welcome", "why": " "}, 400),
        ("/stops/pause", {"scope": "campaign", "ref": "nobody", "why": "x"}, 404),
        ("/stops/pause", {"scope": "candidate", "ref": "c1", "why": "x"}, 400),
        ("/stops/resume", {"scope": "//evil.example"}, 400),
        ("/held/release", {"name": "welcome", "days": "-1"}, 400),
        ("/held/release", {"name": "welcome", "days": "999"}, 400),
    ],
)
def test_what_no_form_of_ours_says_is_refused(
    seen_by: Callable[..., Client], path: str, form: dict[str, str], status: int
) -> None:
    assert seen_by().act(path, **form).status_code == status


def test_a_campaign_that_a_guardrail_stopped_says_why_wherever_it_is_shown(
    world: World, seen_by: Callable[..., Client]
) -> None:
    names = [f"p{n}" for n in range(12)]
    apply_for(world, *names)
    for name in names[:2]:
        world.tell("message.bounced", candidate={"id": name}, message={})
    world.work()
    why = "2 of 12 mails bounced (16.67%, and 5.00% is the most)"
    client = seen_by()
    said = plain(client.get("/campaigns"))
    assert "Welcome live stopped Stopped by itself" in said
    assert why in said
    assert "bounced of these 2 16.7%" in said
    said = plain(client.get("/campaigns/welcome"))
    assert "Stopped by itself: too much of its mail bounces" in said
    assert why in said
    (line,) = campaigns.held_lines(world.project, ZoneInfo("UTC"))
    assert why in line
    assert why in plain(client.get("/"))


# --- what is held --------------------------------------------------------------------------------


@pytest.fixture
def held(world: World) -> World:
    """An edit makes the second mail due for five people at once, of whom three may get it."""
    apply_for(world, "ana", "rui")
    apply_for(world, "eva", "tom", "zoe", recruiter="max@example.com")
    world.run_for(days=3)
    world.campaign("welcome", WELCOME % 2)
    world.reload()
    while world.project.planner.tick() or world.project.planner.chores():
        pass
    return world


def test_a_held_edit_is_shown_with_its_effect_and_examples(
    held: World, seen_by: Callable[..., Client]
) -> None:
    client = seen_by()
    said = plain(client.get("/campaigns"))
    assert "edit held" in said
    assert "Mail for 5 people waits for a word" in said
    page = client.get("/campaigns/welcome")
    said = plain(page)
    assert "step second: moment: after 5 days -> after 2 days" in said
    assert "at least 5 people" in said
    assert "3 may get mail at once" in said
    assert "What they would get notes/second 5 people" in said
    assert "Ana notes/second" in said
    assert "/preview?template=notes/second&amp;candidate=ana" in page.text


def test_a_recruiter_sees_whom_of_theirs_it_is_about_and_no_button(
    held: World, seen_by: Callable[..., Client]
) -> None:
    page = seen_by("recruiter", "max@example.com").get("/campaigns/welcome")
    said = plain(page)
    assert "notes/second 5 people" in said
    assert "Eva notes/second" in said
    assert "Ana" not in said
    assert "/held/release" not in page.text


def test_what_is_held_goes_at_once_when_it_is_let_through(
    held: World, seen_by: Callable[..., Client]
) -> None:
    client = seen_by()
    before = len(held.postman.offered)
    held.run_for(hours=1)
    assert len(held.postman.offered) == before
    back = client.act("/held/release", name="welcome", days="0")
    assert back.headers["location"] == "/campaigns/welcome?said=released"
    held.run_for(hours=1)
    assert len(held.postman.offered) == before + 5
    assert deeds(held)[0] == ("mia@example.com", "release", "held:welcome")
    again = client.act("/held/release", name="welcome", days="0")
    assert again.headers["location"] == "/campaigns/welcome?said=not-held"


def test_what_is_held_goes_by_and_by_when_it_is_spread(
    held: World, seen_by: Callable[..., Client]
) -> None:
    client = seen_by()
    back = client.act("/held/release", name="welcome", days="3")
    assert back.headers["location"].endswith("?said=spread")
    said = plain(client.get("/campaigns/welcome?said=spread"))
    assert "It goes out by and by" in said
    assert "mia@example.com lets it go by and by until Sun 29 Nov" in said
    assert "Let the rest through now" in said


# --- what came of it -----------------------------------------------------------------------------


def test_outcomes_of_few_people_have_no_shares_and_no_median(
    world: World, seen_by: Callable[..., Client]
) -> None:
    apply_for(world, "ana", "rui")
    world.clock.advance(timedelta(hours=2))
    world.tell("candidate.replied", candidate={"id": "ana"})
    said = plain(seen_by().get("/campaigns/welcome?days=90"))
    assert "In the last 90 days 2 people entered; 2 mails reached 2 ." in said
    assert "Wrote back in their own words 1 Withdrew" in said
    assert "fewer than 5 answers" in said
    assert "Fewer than 30 people" in said
    assert "%" not in said


def test_outcomes_of_many_have_shares_and_the_time_to_answer(
    world: World, seen_by: Callable[..., Client]
) -> None:
    names = [f"p{n}" for n in range(40)]
    apply_for(world, *names)
    world.clock.advance(timedelta(hours=5))
    for name in names[:6]:
        world.tell("candidate.replied", candidate={"id": name})
    said = plain(seen_by().get("/campaigns/welcome"))
    assert "Wrote back in their own words 6 15.0%" in said
    assert "Time to answer half of them were faster, half slower 5 hours" in said


def test_mails_a_day_stand_in_a_table_past_and_planned(
    world: World, seen_by: Callable[..., Client]
) -> None:
    apply_for(world, "ana", "rui")
    said = plain(seen_by().get("/campaigns/welcome"))
    days = said[said.index("Day Sent In the plan") :]
    assert "Sun 22 Nov 0 Mon 23 Nov 2 0 Tue 24 Nov 0" in days
    assert "Sat 28 Nov 0" in days
    assert "Mon 30 Nov 2" in days, "five days later it is a Saturday: it goes on the Monday"
    assert days.startswith("Day Sent In the plan Sat 24 Oct 0")
    assert "Mon 7 Dec 0 campaigns" in days or "Mon 7 Dec 0 " in days
    assert "Tue 8 Dec" not in days


def test_a_campaign_of_many_is_counted_aside_and_says_as_of_when(world: World) -> None:
    apply_for(world, "ana", "rui")
    tallies = Tallies(world.project, few=1)
    welcome = world.project.library.campaigns["welcome"]
    assert tallies.of(welcome) is None, "nobody waits for the first count"
    tallies.wait()
    first = tallies.of(welcome)
    assert first is not None
    assert not first.live
    assert first.census.entered == 2
    apply_for(world, "eva")
    world.clock.advance(timedelta(seconds=30))
    tallies.of(welcome)
    tallies.wait()
    again = tallies.of(welcome)
    assert again is first, "not counted again so soon"
    world.clock.advance(timedelta(minutes=1))
    assert tallies.of(welcome) is first, "the old count, while another is made"
    tallies.wait()
    latest = tallies.of(welcome)
    assert latest is not None
    assert latest.census.entered == 3


def test_the_list_counts_many_aside_and_says_as_of_when(
    world: World, seen_by: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_for(world, "ana", "rui")
    monkeypatch.setattr(funnel, "many_in_all", lambda *_: True)
    page = seen_by()
    first = plain(page.get("/campaigns"))
    assert "enrolled 2" in first
    assert "Numbers as counted" in first
    apply_for(world, "eva")
    world.clock.advance(timedelta(seconds=30))
    assert "enrolled 2" in plain(page.get("/campaigns")), "not counted again so soon"


def test_the_list_of_many_is_counted_again_after_a_minute(world: World) -> None:
    apply_for(world, "ana", "rui")
    tallies = Tallies(world.project, few=1)
    first = tallies.overview()
    assert (first.enrolled["welcome"], first.live) == (2, False)
    apply_for(world, "eva")
    world.clock.advance(timedelta(seconds=61))
    assert tallies.overview() is first, "the old count, while another is made"
    tallies.wait()
    assert tallies.overview().enrolled["welcome"] == 3


def test_a_page_says_that_many_are_still_being_counted(
    world: World, seen_by: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tallies, "of", lambda *_: None)
    page = seen_by().get("/campaigns/welcome")
    assert page.status_code == 200
    assert "they are being counted" in plain(page)
