"""Mails that are due together arrive as one, whatever becomes of it, and each part is accounted."""

import re
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from nurture.clock import SetClock
from nurture.core.model import Blame, Deferred, Outcome, Rejected, Unknown
from nurture.engine.answering import choice_of, give
from nurture.store import history
from nurture.store.database import Database
from nurture.store.tables import metadata
from tests.world import Postman, World

CAMPAIGN = """\
name: {name}
status: live
enter:
  on: application.created
  once_per: application
steps:
  - send: notes/{name}
    at: {delay} after application.applied_at
"""
PROMISE = '    promise: {what: "an answer", within: 3 days}\n'
CONFIG = """\
contact_hours: {from: "08:00", to: "20:00", spread: 0 minutes}
categories:
  survey: {class: service, priority: 60}
  kit: {class: service, priority: 55}
"""
PARTS = ("prep", "survey", "kit")


def notes(world: World, delays: dict[str, str], **more: str) -> World:
    (world.folder / "config.yaml").write_text(CONFIG)
    world.restart()
    for name, delay in delays.items():
        category = name if name in world.project.config.categories else "prep"
        world.template(f"notes/{name}", category)
        world.campaign(name, CAMPAIGN.format(name=name, delay=delay) + more.get(name, ""))
    world.reload()
    return world


def apply_for(world: World, **candidate: Any) -> None:
    candidate = {"id": "c1", "email": "ana@example.com", **candidate}
    world.tell("application.created", candidate=candidate, application={"id": "a1"})


@pytest.fixture
def morning(small: World) -> World:
    """A preparation at once, a survey and a kit within the next hours."""
    return notes(small, {"prep": "0 minutes", "survey": "1 hour", "kit": "2 hours"})


@pytest.fixture
def small(empty_folder: Any, clock: SetClock) -> Any:
    """An empty project in memory: where SQL is the same everywhere."""
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    yield World(empty_folder, database, clock)
    database.close()


def rows(world: World) -> dict[str, dict[str, Any]]:
    with world.database.read() as connection:
        return {row["step"]: dict(row) for row in history.message_rows(connection)}


class Reader(Postman):
    """Takes every mail, and reads it."""

    def __init__(self, *answers: Outcome) -> None:
        super().__init__(answers=list(answers))
        self.mails: list[Any] = []

    def hand_over(self, _from: str, _to: str, raw: bytes, message_id: str) -> Outcome:
        mail = message_from_bytes(raw, policy=policy.default)
        assert mail["Message-ID"] == message_id
        self.mails.append(mail)
        return super().hand_over(_from, _to, raw, message_id)

    def texts(self) -> list[list[str]]:
        """Which notes each mail has, in their order."""
        return [
            re.findall(r"this is notes/(\w+)", mail.get_body(("plain",)).get_content())
            for mail in self.mails
        ]


def read_by(world: World, *answers: Outcome) -> Reader:
    reader = Reader(*answers)
    world.sender.carrier = reader
    return reader


@pytest.mark.acceptance("A10.2")
def test_three_mails_due_the_same_morning_arrive_as_one(world: World) -> None:
    notes(world, {"kit": "0 minutes", "survey": "1 hour", "prep": "2 hours"})
    reader = read_by(world)
    apply_for(world)
    world.run_for(hours=5)

    assert reader.texts() == [["prep", "survey", "kit"]]
    (mail,) = reader.mails
    assert mail["Subject"] == "About notes prep"
    assert not mail["List-Unsubscribe"]
    text = mail.get_body(("plain",)).get_content()
    assert "Also in this mail: About notes survey; About notes kit" in mail.get_body(
        ("html",)
    ).get_content().replace("\n", " ")
    assert text.splitlines().count("--") == 1
    sent = rows(world)
    assert {row["id"] for row in sent.values()} == {sent["prep"]["id"]}
    assert [sent[name]["section"] for name in PARTS] == [1, 2, 3]
    assert [sent[name]["template"] for name in PARTS] == [f"notes/{name}" for name in PARTS]
    entries = [world.entry(name) for name in PARTS]
    assert [entry.reason for entry in entries] == ["due", "bundled", "bundled"]
    assert {entry.verdict for entry in entries} == {"sent"}
    assert {entry.message for entry in entries} == {sent["prep"]["id"]}
    assert entries[1].detail["with"] == {
        "campaign": "prep",
        "step": "prep",
        "template": "notes/prep",
    }
    assert [entry.version.template.file for entry in entries if entry.version] == [
        f"templates/notes/{name}.md" for name in PARTS
    ]
    assert len(set(world.sent())) == 3
    assert len({at for _, at in world.sent()}) == 1


def test_until_it_goes_each_part_says_with_what_it_will_go(morning: World) -> None:
    apply_for(morning)
    morning.clock.set(morning.clock.now() - timedelta(hours=6))  # before the hours open
    for name in PARTS[1:]:
        entry = morning.entry(name)
        assert (entry.verdict, entry.reason) == ("wait", "bundled")
        assert entry.at == morning.entry("prep").at


def test_a_part_that_nobody_wants_any_more_is_left_out(morning: World) -> None:
    reader = read_by(morning, Deferred(text="later"))
    apply_for(morning)
    morning.work()
    assert reader.texts() == [list(PARTS)]
    path = morning.folder / "campaigns/kit.yaml"
    path.write_text(path.read_text().replace("live", "ended"))
    morning.reload()
    morning.run_for(hours=1)
    assert reader.texts()[1:] == [["prep", "survey"]]
    assert morning.entry("kit").verdict != "sent"
    assert sorted(rows(morning)) == ["prep", "survey"]


def test_nurture_mails_are_one_nurture_contact_with_one_link_that_ends_them_all(
    small: World,
) -> None:
    notes(small, {"culture": "0 minutes", "digest": "1 hour"})
    reader = read_by(small, Deferred(text="later"))
    apply_for(small)
    small.work()
    small.run_for(hours=1)
    assert reader.texts() == [["culture", "digest"]] * 2
    for mail in reader.mails:
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = mail["List-Unsubscribe"].strip("<>")
        assert mail.get_body(("plain",)).get_content().count(link) == 1
    with small.database.read() as connection:
        (facts,) = small.project.planner.read(connection, [1]).values()
    (contact,) = facts.contacts
    assert (contact.klass, contact.category) == ("nurture", "culture")
    assert [part.category for part in contact.sections] == ["culture", "digest"]


@pytest.mark.parametrize("topics", [["digest"], ["culture"], None])
def test_who_unsubscribes_from_one_part_before_it_goes_gets_the_others(
    small: World, topics: list[str] | None
) -> None:
    notes(small, {"culture": "0 minutes", "digest": "1 hour"})
    reader = read_by(small, Deferred(text="later"))
    apply_for(small)
    small.work()
    small.tell("candidate.unsubscribed", **({"topics": topics} if topics else {}))
    small.run_for(hours=3)
    gone = set(topics or ["culture", "digest"])
    left = [name for name in ("culture", "digest") if name not in gone]
    assert reader.texts()[1:] == ([left] if left else [])
    assert {small.entry(name).reason for name in gone} == {"unsubscribed"}


def test_culture_that_is_due_with_a_preparation_goes_by_itself_on_the_next_day(
    small: World,
) -> None:
    notes(small, {"prep": "0 minutes", "culture": "0 minutes", "survey": "1 hour"})
    reader = read_by(small)
    apply_for(small)
    small.work()
    assert reader.texts() == [["prep", "survey"]]
    waiting = small.entry("culture")
    assert (waiting.verdict, waiting.reason) == ("wait", "gap")
    small.run_for(days=2)
    assert reader.texts()[1:] == [["culture"]]
    assert [bool(mail["List-Unsubscribe"]) for mail in reader.mails] == [False, True]
    times = dict(small.sent())
    assert times["culture"] - times["prep"] >= timedelta(hours=20)


def test_when_the_first_part_goes_away_the_others_go_together(morning: World) -> None:
    reader = read_by(morning, Deferred(text="later"))
    apply_for(morning)
    morning.work()
    (morning.folder / "campaigns/prep.yaml").write_text(
        (morning.folder / "campaigns/prep.yaml").read_text().replace("live", "paused")
    )
    morning.reload()
    morning.run_for(hours=4)
    assert reader.texts()[1:] == [["survey", "kit"]]
    assert morning.entry("prep").reason == "campaign_paused"
    ids = [mail["Message-ID"] for mail in reader.mails]
    assert ids[0] != ids[1]


def test_a_bundle_that_is_refused_for_what_it_says_goes_as_single_mails(world: World) -> None:
    morning = notes(world, {"prep": "0 minutes", "survey": "1 hour", "kit": "2 hours"})
    reader = read_by(morning, Rejected(text="spam", code=554, blame=Blame.CONTENT))
    apply_for(morning)
    morning.work()
    assert reader.texts() == [list(PARTS), ["prep"]]
    morning.run_for(hours=1)
    assert reader.texts()[2:] == [["survey"]]
    waiting = morning.entry("kit")
    assert (waiting.verdict, waiting.reason) == ("wait", "cap")
    morning.run_for(days=3)
    assert reader.texts()[3:] == [["kit"]]
    ids = [mail["Message-ID"] for mail in reader.mails]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert {row["state"] for row in rows(morning).values()} == {"sent"}


def test_a_refusal_that_is_not_about_the_words_settles_every_part(morning: World) -> None:
    read_by(morning, Rejected(text="no such user", code=550, blame=Blame.ADDRESS))
    apply_for(morning)
    morning.work()
    assert {row["state"] for row in rows(morning).values()} == {"failed"}
    assert {morning.entry(name).reason for name in PARTS} == {"refused"}


def test_a_part_that_cannot_be_written_does_not_hold_up_the_others(morning: World) -> None:
    path = morning.folder / "templates/notes/survey.md"
    path.write_text(path.read_text() + "\nBy {{ candidate.phone }}.\n")
    morning.reload()
    reader = read_by(morning)
    apply_for(morning)
    morning.work()
    assert reader.texts() == [["prep", "kit"]]
    entry = morning.entry("survey")
    assert (entry.verdict, entry.reason) == ("wait", "cannot_render")
    apply_for(morning, phone="+351 1")
    morning.run_for(hours=2)
    assert reader.texts()[1:] == [["survey"]]


def test_where_the_first_part_cannot_be_written_the_others_go_without_it(morning: World) -> None:
    path = morning.folder / "templates/notes/prep.md"
    path.write_text(path.read_text() + "\nBy {{ candidate.phone }}.\n")
    morning.reload()
    reader = read_by(morning)
    apply_for(morning)
    morning.run_for(hours=3)
    assert reader.texts() == [["survey", "kit"]]
    assert morning.entry("prep").reason == "cannot_render"


@pytest.mark.parametrize("outcome", ["unknown", "crash"])
def test_in_doubt_is_every_part_of_it_and_none_goes_again(morning: World, outcome: str) -> None:
    reader = read_by(morning, Unknown(text="no answer"))
    apply_for(morning)
    if outcome == "crash":

        def die(*_args: object) -> Outcome:
            raise KeyboardInterrupt

        morning.sender.carrier.hand_over = die  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            morning.work()
        morning.restart()
        reader = read_by(morning)
        assert morning.sender.recover(everything=True) == 1
    morning.run_for(days=2)
    assert len(reader.mails) == (0 if outcome == "crash" else 1)
    entries = [morning.entry(name) for name in PARTS]
    assert {(each.verdict, each.reason) for each in entries} == {("sent", "unknown_outcome")}
    assert [each.campaign for each in entries] == list(PARTS)
    assert {row["state"] for row in rows(morning).values()} == {"unknown"}


def test_each_part_makes_its_own_promise(small: World) -> None:
    delays = {"prep": "0 minutes", "survey": "1 hour", "kit": "2 hours"}
    notes(small, delays, survey=PROMISE, kit=PROMISE)
    small.tell(
        "application.created",
        application={"id": "a1", "recruiter": {"email": "ida@example.com"}},
    )
    small.work()
    with small.database.read() as connection:
        (facts,) = small.project.planner.read(connection, [1]).values()
    assert [each.step for each in facts.promises.values()] == ["kit", "survey"]


def test_a_bundle_is_one_contact_in_the_class_of_its_first_part(morning: World) -> None:
    apply_for(morning)
    morning.work()
    with morning.database.read() as connection:
        (facts,) = morning.project.planner.read(connection, [1]).values()
    (contact,) = facts.contacts
    assert (contact.category, contact.template) == ("prep", "notes/prep")
    assert [part.category for part in contact.sections] == list(PARTS)


def test_a_house_may_want_every_mail_by_itself(morning: World) -> None:
    with (morning.folder / "config.yaml").open("a") as file:
        file.write("bundle: {at_most: 1}\n")
    morning.restart()
    reader = read_by(morning)
    apply_for(morning)
    morning.run_for(days=3)
    assert reader.texts() == [["prep"], ["survey"], ["kit"]]


def test_a_preview_shows_several_templates_as_the_one_mail_that_they_are(morning: World) -> None:
    reader = read_by(morning)
    apply_for(morning)
    assert [morning.entry(name).mail for name in PARTS] == ["notes/prep+notes/survey+notes/kit"] * 3
    with morning.database.read() as connection:
        (facts,) = morning.project.planner.read(connection, [1]).values()
    seen = morning.project.letters.preview("notes/kit+notes/prep+notes/survey", facts)
    morning.work()
    (mail,) = reader.mails
    links = re.compile(r"/[up]/\S+")
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert links.sub("", text) == links.sub("", seen.rendered.text)
    assert mail["Subject"] == seen.rendered.subject
    assert {entry.mail for entry in map(morning.entry, PARTS)} == {
        "notes/prep+notes/survey+notes/kit"
    }


def test_an_answer_is_the_sections_that_asked(morning: World) -> None:
    path = morning.folder / "templates/notes/kit.md"
    ask = "ask:\n  - {id: more, text: More?, options: {a: Yes, b: No}, then: {b: leave}}\n"
    path.write_text(
        path.read_text().replace("category:", f"{ask}category:") + '\n{{ ask("more") }}'
    )
    morning.reload()
    reader = read_by(morning)
    apply_for(morning)
    morning.work()
    tokens = re.findall(r"/a/([\w-]+)", reader.mails[0].get_body(("plain",)).get_content())
    choice = choice_of(morning.project, tokens[1])
    assert choice is not None
    assert choice.asked is not None
    assert (choice.asked.template, choice.asked.step) == ("notes/kit", "kit")
    give(morning.project, choice)
    morning.work()
    with morning.database.read() as connection:
        (facts,) = morning.project.planner.read(connection, [1]).values()
    ended = {each.campaign for each in facts.enrollments if each.ended_at is not None}
    assert ended == {"kit"}


def test_a_mail_that_is_queued_already_joins_a_more_necessary_one(world: World) -> None:
    notes(world, {"prep": "0 minutes", "survey": "0 minutes"})
    text = CAMPAIGN.format(name="prep", delay="").replace("created", "stage_changed")
    world.campaign("prep", text.partition("    at:")[0])
    world.reload()
    reader = read_by(world)
    apply_for(world)
    while world.project.planner.tick():
        pass
    assert {step: row["state"] for step, row in rows(world).items()} == {"survey": "queued"}
    world.tell("application.stage_changed", application={"id": "a1", "stage": "screening"})
    world.work()
    assert reader.texts() == [["prep", "survey"]]
    sent = rows(world)
    assert sent["prep"]["id"] == sent["survey"]["id"]
    assert {row["state"] for row in sent.values()} == {"sent"}


def test_what_is_just_being_handed_over_is_left_alone(morning: World) -> None:
    class Busy(Reader):
        def hand_over(self, *given: Any) -> Outcome:
            morning.tell("candidate.do_not_contact")
            while morning.project.planner.tick():
                pass
            assert {row["state"] for row in rows(morning).values()} == {"sending"}
            return super().hand_over(*given)

    reader = morning.sender.carrier = Busy()
    apply_for(morning)
    morning.run_for(days=1)
    assert reader.texts() == [list(PARTS)]
    assert {morning.entry(name).verdict for name in PARTS} == {"sent"}


def test_a_step_that_is_renamed_stays_in_the_bundle_that_is_tried_again(morning: World) -> None:
    reader = read_by(morning, Deferred(text="later"))
    apply_for(morning)
    morning.work()
    path = morning.folder / "campaigns/survey.yaml"
    path.write_text(path.read_text() + "    id: asked\n    was: survey\n")
    morning.reload()
    morning.run_for(hours=1)
    assert reader.texts() == [list(PARTS)] * 2
    assert sorted(rows(morning)) == ["asked", "kit", "prep"]
