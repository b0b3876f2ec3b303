"""What candidates choose about their mail, on a page that asks for no account."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from nurture.clock import SetClock
from nurture.core.model import Candidate, Pace
from nurture.engine.project import Project
from nurture.rendering.links import CONFIDENCES, PREFERENCES, UNSUBSCRIBE
from nurture.store.database import Database
from nurture.store.dossier import wishes_data
from nurture.store.facts import find_candidate
from nurture.store.tables import messages, metadata
from tests.world import World

CULTURE = """\
name: Culture
status: live
enter:
  on: application.created
steps:
  - send: notes/culture
"""


def ana(project: Project, who: str = "sample-01") -> Candidate:
    with project.database.read() as connection:
        found = find_candidate(connection, who)
    assert found is not None
    return found


def words(project: Project) -> dict[str, Any]:
    with project.database.read() as connection:
        return dict(wishes_data(connection, ana(project).id))


@pytest.fixture
def mine(populated: Project) -> str:
    return f"/p/{populated.signer.token(PREFERENCES, ana(populated).id)}"


def test_one_topic_can_be_left_and_taken_again_from_the_unsubscribe_page(
    client, populated, clock
) -> None:
    link = f"/u/{populated.signer.token(UNSUBSCRIBE, ana(populated).id)}"
    assert f'action="{link}/only/culture"' in client.get(link).text
    assert "no more of: Life and work here" in client.post(f"{link}/only/culture").text
    assert ana(populated).unsubscribed == {"culture"}
    clock.advance(timedelta(minutes=1))
    client.post(f"{link}/undo/culture")
    assert not ana(populated).unsubscribed


def test_a_topic_that_there_is_not_is_no_page(client, populated) -> None:
    link = f"/u/{populated.signer.token(UNSUBSCRIBE, ana(populated).id)}"
    assert client.post(f"{link}/only/<b>x</b>").status_code == 404
    assert client.post(f"{link}/drop/culture").status_code == 404
    assert not ana(populated).unsubscribed


def test_topics_that_are_not_ticked_are_not_wanted(client, populated, mine, clock) -> None:
    client.post(f"{mine}/topics", data={"topic": "check-in"})
    assert ana(populated).unsubscribed == {"culture", "digest"}
    clock.advance(timedelta(minutes=1))
    page = client.post(f"{mine}/topics", data={"topic": ["check-in", "culture", "digest"]})
    assert "Saved." in page.text
    assert not ana(populated).unsubscribed


def test_the_pace_and_its_day_are_kept_and_shown(client, populated, mine) -> None:
    page = client.post(f"{mine}/pace", data={"pace": "weekly", "pace_day": "thursday"})
    assert ana(populated).wishes.pace is Pace.WEEKLY
    assert ana(populated).wishes.pace_day == 3
    assert 'value="weekly" checked' in page.text
    assert '<option value="thursday" selected>' in page.text


@pytest.mark.parametrize(
    ("form", "kept", "shown"),
    [
        (
            {"mode": "not", "days": "", "from": "08:00", "to": "09:15"},
            "not 08:00-09:15",
            "never 08:00 to 09:15",
        ),
        (
            {"mode": "only", "days": "mon-fri", "from": "12:00", "to": "13:00"},
            "only mon-fri 12:00-13:00",
            "only Monday to Friday, 12:00 to 13:00",
        ),
        (
            {"mode": "only", "days": "", "from": "18:00", "to": ""},
            "after 18:00",
            "only 18:00 to midnight",
        ),
        (
            {"mode": "not", "days": "fri", "from": "", "to": ""},
            "not fri",
            "never Friday",
        ),
        (
            {"mode": "not", "days": "sat, sun", "from": "", "to": "10:00"},
            "not sat, sun before 10:00",
            "never Saturday and Sunday, 00:00 to 10:00",
        ),
    ],
)
def test_hours_are_kept_in_words_that_the_agenda_reads(
    client, populated, mine, form, kept, shown
) -> None:
    page = client.post(f"{mine}/hours", data=form)
    assert page.status_code == 200
    assert words(populated)["hours"] == [kept]
    assert shown in page.text
    wishes = ana(populated).wishes
    assert wishes.only or wishes.not_in


def test_hours_that_came_otherwise_are_shown_and_can_be_unticked(
    client, populated, mine, tell, clock
) -> None:
    said = ["Tuesdays after 18:00", "not 08:00-09:15"]
    tell("candidate.preferences", candidate={"id": "sample-01"}, preferences={"hours": said})
    page = client.get(mine).text
    assert "Tuesday only from 18:00 to midnight" in page
    clock.advance(timedelta(minutes=1))
    client.post(f"{mine}/hours", data={"keep": [said[1], "not invented"]})
    assert words(populated)["hours"] == [said[1]]


def test_hours_that_say_nothing_are_refused_in_words(client, populated, mine) -> None:
    for form in (
        {"mode": "only", "days": "sat, sun"},
        {"mode": "only", "days": "every blue moon"},
        {"mode": "not", "from": "lunch"},
        {"mode": "not", "from": "09:00", "to": "09:00"},
    ):
        page = client.post(f"{mine}/hours", data=form)
        assert page.status_code == 422, form
        assert "That was not saved" in page.text
    assert "hours" not in words(populated)


def test_quiet_days_come_and_go(client, populated, mine, clock) -> None:
    page = client.post(f"{mine}/quiet", data={"from": "2026-12-24", "to": "2026-12-27"})
    assert "Thursday, 24 December 2026 to Sunday, 27 December 2026" in page.text
    stretch = (date(2026, 12, 24), date(2026, 12, 27))
    assert ana(populated).wishes.quiet_days == (stretch,)
    clock.advance(timedelta(minutes=1))
    client.post(f"{mine}/quiet", data={})
    assert ana(populated).wishes.quiet_days == ()


def test_quiet_days_that_are_none_are_refused(client, populated, mine) -> None:
    for form in (
        {"from": "2026-12-27", "to": "2026-12-24"},
        {"to": "2026-12-24"},
        {"from": "2026-02-30"},
        {"from": "Fridays"},
        {"from": "2026-12-24", "to": "2029-12-24"},
    ):
        assert client.post(f"{mine}/quiet", data=form).status_code == 422, form
    assert "quiet_days" not in words(populated)


def ways(**changed: str) -> dict[str, str]:
    """The form as the page sends it, of a person who changed these."""
    form = {
        "channel": "email",
        "phone": "+351 91 555 0101",
        "language": "pt",
        "formality": "",
        "timezone": "Europe/Lisbon",
    }
    return form | changed


def test_how_they_are_written_to_can_be_chosen(client, populated, mine) -> None:
    form = ways(
        channel="phone",
        phone="+49 30 1",
        language="de",
        formality="informal",
        timezone="Europe/Berlin",
        discreet="yes",
    )
    page = client.post(f"{mine}/ways", data=form)
    assert "Gespeichert." in page.text
    found = ana(populated)
    assert (found.locale, found.timezone) == ("de", "Europe/Berlin")
    assert found.wishes.phone_first
    assert found.fields["phone"] == "+49 30 1"
    assert found.fields["formality"] == "informal"
    assert found.fields["discreet"] is True


def test_pressing_save_without_a_change_tells_nothing(client, populated, mine, snapshot) -> None:
    before = snapshot(populated)
    assert client.post(f"{mine}/ways", data=ways()).status_code == 200
    assert snapshot(populated) == before


def test_what_cannot_be_is_not_saved(client, populated, mine, snapshot) -> None:
    before = snapshot(populated)
    for form in (
        ways(channel="phone", phone=""),
        ways(phone="1" * 41),
        ways(timezone="Mars/Olympus"),
        ways(language="<b>"),
        ways(channel="pigeon"),
        ways(formality="rude"),
    ):
        page = client.post(f"{mine}/ways", data=form)
        assert page.status_code == 422, form
        assert "That was not saved" in page.text
    for months in ("0", "600", "x"):
        assert client.post(f"{mine}/pause", data={"months": months}).status_code == 422
    assert client.post(f"{mine}/pace", data={"pace": "hourly"}).status_code == 422
    assert snapshot(populated) == before


def test_a_name_that_is_html_stays_text(client, populated, mine, tell) -> None:
    evil = "<script>alert(1)</script>"
    told = {"id": "sample-01", "first_name": evil, "phone": f'"><img src={evil}>'}
    tell("candidate.upserted", candidate=told)
    tell("candidate.unsubscribed", candidate={"id": "sample-01"}, topics=[evil])
    for page in (client.get(mine), client.get(f"{mine}/data")):
        assert "<script" not in page.text
        assert "<img" not in page.text
        assert "&lt;script&gt;" in page.text


# --- who may, and who is told what ----------------------------------------------------------------


@pytest.mark.acceptance("A7.1")
def test_a_scanner_that_opens_every_link_of_every_page_changes_nothing(
    site, standing, snapshot
) -> None:
    before = snapshot(standing)
    id_ = ana(standing).id
    seen: set[str] = set()
    todo = [
        f"/u/{standing.signer.token(UNSUBSCRIBE, id_)}",
        f"/p/{standing.signer.token(PREFERENCES, id_)}",
        f"/p/needs/{standing.signer.token(CONFIDENCES, id_)}",
    ]
    while todo:
        path = todo.pop()
        seen.add(path)
        page = site.get(path)
        assert site.head(path).status_code == page.status_code
        found = re.findall(r'(?:href|action)="([^"#]*)', page.text)
        todo += [each for each in {*found} - seen if each.startswith(("/u/", "/p/"))]
    assert any(path.endswith("/data") for path in seen)
    assert any(path.endswith("/pace") for path in seen)
    assert snapshot(standing) == before


def forgeries(project: Project, purpose: str) -> Iterator[str]:
    """Tokens that are nobody's: of another purpose, of nobody, turned, cut, lengthened."""
    good = project.signer.token(purpose, ana(project).id)
    for other in {UNSUBSCRIBE, PREFERENCES, CONFIDENCES} - {purpose}:
        yield project.signer.token(other, ana(project).id)
    yield project.signer.token(purpose, 10**9)
    yield good[:-1] + ("A" if good[-1] != "A" else "B")
    yield ("B" if good[9] != "B" else "C").join((good[:9], good[10:]))
    yield from (good[:-1], good + "A", good.swapcase(), "A" * 32, "%00", "x" * 400)


def test_every_token_that_is_not_ours_gets_one_answer_and_does_nothing(
    client, populated, snapshot
) -> None:
    rows = snapshot(populated)
    answers = set()
    for purpose, before, after, form in (
        (PREFERENCES, "/p/", "", None),
        (PREFERENCES, "/p/", "/data", None),
        (PREFERENCES, "/p/", "/unsubscribe", {}),
        (PREFERENCES, "/p/", "/pace", {"pace": "weekly"}),
        (PREFERENCES, "/p/", "/data/deletion", {}),
        (CONFIDENCES, "/p/needs/", "", None),
        (CONFIDENCES, "/p/needs/", "", {"said": "a ramp"}),
        (CONFIDENCES, "/p/needs/", "/take-back", {}),
    ):
        for token in forgeries(populated, purpose):
            address = before + token + after
            found = client.get(address) if form is None else client.post(address, data=form)
            answers.add((found.status_code, found.text.replace(token, "TOKEN")))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
    assert snapshot(populated) == rows


def test_a_token_opens_nobody_elses_choices(client, populated, mine) -> None:
    theirs = f"/p/{populated.signer.token(PREFERENCES, ana(populated, 'sample-02').id)}"
    client.post(f"{theirs}/unsubscribe")
    assert "all" in ana(populated, "sample-02").unsubscribed
    assert not ana(populated).unsubscribed


def test_of_somebody_who_was_erased_a_link_says_as_little_as_one_that_is_no_ones(
    client, populated, mine, tell
) -> None:
    tell("candidate.erased", candidate={"id": "sample-01"})
    link = populated.signer.token(CONFIDENCES, ana(populated).id)
    nobody = client.get("/p/" + "A" * 32).text
    for path in (mine, f"{mine}/data", f"/p/needs/{link}"):
        page = client.get(path)
        assert (page.status_code, page.text) == (404, nobody)


# --- mail that is on its way ----------------------------------------------------------------------


@pytest.fixture
def make_world(folder, tmp_path, clock: SetClock) -> Iterator[Callable[..., World]]:
    """Ana, to whom a mail about culture is on its way, or waits for an approval."""
    database = Database(f"sqlite:///{tmp_path}/world.db")
    with database.write() as connection:
        metadata.create_all(connection)
    for file in (folder / "campaigns").glob("*.yaml"):
        file.unlink()

    def make(approval: str = "auto") -> World:
        (folder / "config.yaml").write_text(f"categories: {{culture: {{approval: {approval}}}}}\n")
        world = World(folder, database, clock)
        world.template("notes/culture", "culture")
        world.campaign("culture", CULTURE)
        world.reload()
        world.tell("application.created", application={"id": "a1"})
        world.project.planner.tick()
        return world

    yield make
    database.close()


def states(world: World) -> list[str]:
    with world.database.read() as connection:
        return list(connection.execute(select(messages.c.state)).scalars())


WISHES = [
    ("topics", {"topic": "check-in"}, "unsubscribed"),
    ("unsubscribe", {}, "unsubscribed"),
    ("data/deletion", {}, "unsubscribed"),
    ("pause", {"months": "1"}, "candidate_paused"),
    ("pace", {"pace": "only_what_matters"}, "pace"),
    ("hours", {"mode": "only", "from": "17:00", "to": "18:00"}, "own_hours"),
    ("quiet", {"from": "2026-11-23", "to": "2026-11-24"}, "own_hours"),
    ("ways", {"channel": "phone", "phone": "+351 1"}, "phone_first"),
]


@pytest.mark.acceptance("A2.5")
@pytest.mark.parametrize(
    ("wish", "form", "reason", "approval"),
    [*((*each, "auto") for each in WISHES), *((*each, "batch") for each in WISHES[:4])],
)
def test_a_wish_counts_for_mail_that_is_already_on_its_way(
    make_world, serve, wish, form, reason, approval
) -> None:
    world = make_world(approval)
    assert states(world) == ["queued" if approval == "auto" else "held"]
    mine = world.project.signer.token(PREFERENCES, 1)
    with serve(world.project) as address:
        assert httpx.post(f"{address}/p/{mine}/{wish}", data=form).status_code == 200
    world.work()
    assert world.postman.offered == []
    assert not {"queued", "held", "sent"} & set(states(world))
    assert world.entry("culture").reason == reason
