"""Promises of the content library: new to its reader, true on the day, and there for a reason."""

import email
import email.policy
from datetime import date, datetime, timedelta

import pytest

from nurture.authoring.check import check
from nurture.core.model import Accepted
from nurture.engine.approving import approve
from nurture.engine.unread import opened, waiting
from nurture.store import approvals, history
from tests.conftest import MONDAY
from tests.world import Postman, World

CULTURE = """\
owner: ida@example.com
kind: culture
items:
  - {id: written, title: Written down, text: Decisions are on one page.}
  - {id: mornings, title: Mornings, text: "No meetings before *ten*.", fresh_until: 2026-12-20}
  - {id: data-team, title: The data team, text: Six people in two rooms., team: [Data]}
  - {id: lisbon, title: Lisbon, text: The office is by the river., country: [PT]}
  - {id: berlin, title: Berlin, text: The office is by the canal., country: [DE]}
"""
LETTER = """\
---
subject: Worth knowing
category: %s
---
Hello,

%s

We tell you this because {{ content("culture").because }}.
"""
ONE = '{{ content("culture").title }}: {{ content("culture").text }}'
DRIP = """\
name: %s
status: live
enter: {on: application.created}
steps:
"""


class Mailbox(Postman):
    """Keeps what it took: the text part of each, in one line."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def hand_over(self, envelope_from: str, to: str, raw: bytes, message_id: str) -> Accepted:
        super().hand_over(envelope_from, to, raw, message_id)
        letter = email.message_from_bytes(raw, policy=email.policy.default)
        body = letter.get_body(("plain",))
        assert body is not None
        self.texts.append(" ".join(body.get_content().split()))
        return Accepted()


@pytest.fixture
def library(world: World) -> World:
    """Two campaigns that send culture, in two templates."""
    (world.folder / "content").mkdir()
    write(world, CULTURE)
    world.folder.joinpath("config.yaml").write_text("caps: []\ngap: null\n")
    for name in ("one", "other"):
        path = world.folder / f"templates/{name}.md"
        path.write_text(LETTER % ("culture", ONE))
        steps = "".join(
            f"  - {{send: {name}, after: 2 days, id: {name}-{number}}}\n" for number in (1, 2, 3)
        )
        world.campaign(name, DRIP % name + steps)
    world.restart()
    world.sender.carrier = world.postman = Mailbox()
    return world


def write(world: World, text: str) -> None:
    (world.folder / "content/culture.yaml").write_text(text)


def applies(world: World, **candidate: str) -> None:
    person = {"id": "c1", "email": "ana@example.com", **candidate}
    job = {"id": "j1", "title": "Data Engineer", "team": "Data"}
    world.tell("application.created", candidate=person, application={"id": "a1", "job": job})


def only(world: World, category: str, says: str = ONE) -> None:
    """One campaign with one letter, of this category: an offer waits for approval."""
    (world.folder / "templates/one.md").write_text(LETTER % (category, says))
    world.campaign("one", DRIP % "one" + "  - {send: one}\n")
    (world.folder / "campaigns/other.yaml").unlink()
    world.reload()


def brought(world: World) -> list[str]:
    titles = ("Written down", "Mornings", "The data team", "Lisbon", "Berlin")
    return [title for text in world.postman.texts for title in titles if f"{title}: " in text]


def test_a6_1_nobody_gets_the_same_item_twice_across_campaigns(library: World) -> None:
    applies(library, country="PT")
    library.run_for(days=20)
    # Six steps in two campaigns, and four items that fit somebody in Portugal.
    assert sorted(brought(library)) == ["Lisbon", "Mornings", "The data team", "Written down"]
    skipped = [each for each in library.agenda() if each.reason == "nothing_new"]
    assert len(skipped) == 2
    assert {each.verdict for each in skipped} == {"skip"}
    assert "have not had" in skipped[0].sentence


def test_a6_1_nor_when_it_applies_once_more(library: World) -> None:
    applies(library)
    library.run_for(days=20)
    before = brought(library)
    library.tell("application.created", application={"id": "a2"})
    library.run_for(days=20)
    assert brought(library) == before
    assert len(set(before)) == len(before) == 3


def test_what_fits_best_comes_first_then_the_freshest_then_by_id(library: World) -> None:
    (library.folder / "campaigns/other.yaml").unlink()
    four = "".join(f"  - {{send: one, after: 1 day, id: one-{number}}}\n" for number in "1234")
    library.campaign("one", DRIP % "one" + four)
    library.reload()
    applies(library, country="PT")
    library.run_for(days=20)
    assert brought(library) == ["The data team", "Lisbon", "Mornings", "Written down"]


def test_what_an_item_names_and_nobody_knows_excludes_it(library: World) -> None:
    library.tell("application.created", application={"id": "a1"})
    library.run_for(days=20)
    assert sorted(brought(library)) == ["Mornings", "Written down"]


def test_a6_2_expired_content_cannot_be_sent_and_its_owner_is_warned_14_days_before(
    library: World,
) -> None:
    def told(day: date) -> list[tuple[str, int, str]]:
        found = check(library.project.config, day)
        return [
            (each.severity, each.line, each.hint) for each in found if each.code == "stale-text"
        ]

    assert told(date(2026, 12, 5)) == []
    ((severity, line, hint),) = told(date(2026, 12, 6))
    assert (severity, line) == ("warning", 5)
    assert hint.startswith("ida@example.com: ")
    assert [severity for severity, _, _ in told(date(2026, 12, 21))] == ["error"]
    library.run_until(datetime.fromisoformat("2026-12-20T10:00:00Z"))  # a Sunday: none goes out
    applies(library)
    library.run_for(days=20)
    assert "Mornings" not in brought(library)


def test_a6_2_what_expires_while_it_waits_is_chosen_anew(library: World) -> None:
    only(library, "offer")
    library.run_until(datetime.fromisoformat("2026-12-17T10:00:00Z"))
    library.tell("application.created", application={"id": "a1"})
    library.work()
    assert waits(library) == "Mornings"
    library.run_until(datetime.fromisoformat("2026-12-21T10:00:00Z"))
    assert waits(library) == "Written down"
    assert brought(library) == []


def waits(world: World) -> str:
    """What the letter that waits for approval brings."""
    with world.database.read() as connection:
        (row,) = approvals.waiting(connection, limit=10)
        found = opened(world.project, connection, row["id"])
    assert found is not None
    assert found.letter is not None, found.wrong
    text = found.letter.rendered.text
    return next(title for title in ("Mornings", "Written down") if title in text)


def test_a6_3_each_content_mail_names_why_it_fits(library: World) -> None:
    applies(library)
    thursday = MONDAY + timedelta(days=10)
    library.tell(
        "interview.scheduled",
        application={"id": "a1"},
        interview={"id": "i1", "kind": "panel", "starts_at": thursday.isoformat()},
    )
    library.run_for(days=20)
    because = [text.partition("because ")[2].partition(".")[0] for text in library.postman.texts]
    assert because[0] == "you meet the Data team on Thursday, 3 December 2026"
    assert set(because[1:]) == {"you are getting to know us"}


def test_the_preview_is_what_is_sent_and_so_is_what_was_approved(library: World) -> None:
    only(library, "offer")
    applies(library)
    library.work()
    facts = library.project.planner.view
    with library.database.read() as connection:
        (row,) = approvals.waiting(connection, limit=10)
        read = opened(library.project, connection, row["id"])
        planned = facts(connection, row["candidate_id"])
    assert read is not None
    assert read.letter is not None
    assert planned is not None
    seen = library.project.letters.preview("one", planned.facts)
    approve(library.project, [row["id"]], "ida")
    library.run_for(hours=2)
    (sent,) = library.postman.texts
    assert "The data team: Six people in two rooms." in sent
    for before in (read.letter.rendered.text, seen.rendered.text):
        assert " ".join(before.split()) == sent


def test_other_words_in_an_item_that_was_approved_are_approved_again(library: World) -> None:
    only(library, "offer")
    applies(library)
    library.work()
    with library.database.read() as connection:
        (row,) = approvals.waiting(connection, limit=10)
    approve(library.project, [row["id"]], "ida")
    write(library, CULTURE.replace("Six people", "Seven people"))
    library.reload()
    library.run_for(hours=2)
    assert library.postman.texts == []
    assert library.entry("one").reason == "approval"


def test_a_list_of_items_and_a_broken_file_while_the_daemon_runs(library: World) -> None:
    loop = """{% for each in content("culture", 2) %}
- {{ each.title }}: {{ each.text }}
{% endfor %}"""
    only(library, "culture", loop)
    write(library, CULTURE + "  - {id: written, titel: twice}\n")
    found = library.project.reload()
    codes = {(each.code, each.line) for each in found.problems}
    assert ("unknown-key", 9) in codes
    applies(library, country="PT")
    library.run_for(days=1)
    assert brought(library) == ["The data team", "Lisbon"]
    assert "- Lisbon: The office is by the river." in library.postman.texts[0]


def test_who_is_rung_instead_is_told_the_same_and_the_list_of_letters_says_it(
    library: World,
) -> None:
    only(library, "status")
    applies(library)
    phone = {"channel": "phone", "phone": "+351 910"}
    library.tell("candidate.preferences", preferences=phone)
    library.work()
    with library.database.read() as connection:
        (task,) = history.task_rows(connection)
    assert "The data team: Six people in two rooms." in task["text"]
    assert library.postman.texts == []


def test_the_subject_of_a_letter_that_waits_names_what_it_brings(library: World) -> None:
    path = library.folder / "templates/one.md"
    only(library, "offer")
    named = path.read_text().replace("Worth knowing", "\"{{ content('culture').title }}\"")
    path.write_text(named)
    library.reload()
    applies(library)
    library.work()
    with library.database.read() as connection:
        ((letter,), _) = waiting(library.project, connection)
    assert letter.subject == "The data team"
