"""The shipped interview campaigns: what everybody gets, is asked, and is never sent too late."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from nurture.core.model import Outcome, Subject
from nurture.engine.answering import choice_of, give
from nurture.engine.confiding import confide
from nurture.rendering.context import context
from nurture.rendering.links import Answer
from nurture.store import condition, history
from nurture.store.facts import find_candidate
from nurture.store.reading import load
from nurture.store.tables import events, metadata
from tests.world import World

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)  # a Monday in Lisbon
KITS = {
    "phone": "phone-kit",
    "video": "what-to-expect",
    "technical": "technical-kit",
    "panel": "panel-kit",
    "case": "case-kit",
    "onsite": "onsite-day",
    "final": "final-kit",
}
#: How each kit says what kind of meeting it is.
FORMAT = {
    "phone": "bad moment when we ring",
    "video": "opens in a browser",
    "technical": "You share your screen",
    "panel": "several of us at once",
    "case": "Paper and a calculator",
    "onsite": "at the reception",
    "final": "about working together",
}
#: What prescribes how one meets: none of it reaches somebody who told us what they need.
PRESCRIBES = re.compile(
    r"(?i)whiteboard|screen|camera|browser|when we ring|at once|paper and a|alone"
)
SAID = "Zweibrücken captions canary"
PREP = ("prep", "help", "logistics")


class Desk:
    """The shipped campaigns at work, and every mail as it was handed over."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.told = 0
        self.mails: list[Message] = []
        take = world.postman.hand_over

        def hand_over(sender: str, to: str, raw: bytes, message_id: str) -> Outcome:
            self.mails.append(message_from_bytes(raw))
            return take(sender, to, raw, message_id)

        monkeypatch.setattr(world.postman, "hand_over", hand_over)
        world.clock.set(NOW)

    def interview(
        self,
        at: datetime,
        kind: str | None = "video",
        *,
        id_: str = "i1",
        who: str = "c1",
        **more: Any,
    ) -> None:
        told = {"id": id_, "starts_at": at.isoformat(), "kind": kind}
        told["ends_at"] = (at + timedelta(hours=1)).isoformat()
        told["interviewers"] = [{"name": "Marta Reis", "role": "team lead"}, {"name": "Sam Okoro"}]
        told["reschedule_url"] = "https://meet.example.com/move"
        self.tell(more.pop("type_", "interview.scheduled"), who, interview=told | more)

    def tell(self, type_: str, who: str = "c1", **objects: Any) -> None:
        person = {"id": who, "first_name": "Ana", "timezone": "Europe/Lisbon", "locale": "en"}
        if who != "nowhere":
            person["email"] = f"{who}@example.com"
        people = {"recruiter": "ida@example.com", "coordinator": "rui@example.com"}
        application = {"id": f"a-{who}", "stage": "interviewing", **people}
        self.told += 1
        about = {"candidate": person, "application": application, "id": f"told-{self.told}"}
        self.world.tell(type_, **about, **objects)

    def tasks(self, step: str = "") -> list[dict[str, Any]]:
        with self.world.database.read() as connection:
            rows = history.task_rows(connection, state=None)
        return [dict(row) for row in rows if step in ("", row["step"])]

    def steps(self, who: str = "c1") -> list[str]:
        return [step for step, _ in self.world.sent(who)]

    def text(self, subject: str) -> str:
        """Of the last mail whose subject begins like this."""
        mails = [each for each in self.mails if str(each["Subject"]).startswith(subject)]
        [part, *_] = [each for each in mails[-1].walk() if each.get_content_type() == "text/plain"]
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        return " ".join(payload.decode().split())

    def answer(self, option: str, step: str = "day-before") -> None:
        """To the last mail of that step."""
        with self.world.database.read() as connection:
            facts = load(connection, [1])[1]
        mail = [each.message_id for each in facts.contacts if each.step == step][-1]
        assert mail is not None
        token = self.world.project.signer.answer_token(Answer(1, mail, "coming", option))
        choice = choice_of(self.world.project, token)
        assert choice is not None
        give(self.world.project, choice)

    def confide(self, said: str) -> None:
        with self.world.database.read() as connection:
            ana = find_candidate(connection, "c1")
        assert ana is not None
        confide(self.world.project, ana, said)


@pytest.fixture
def folder(folder: Path) -> Path:
    """The shipped project, of its campaigns those about interviews: reading all takes its time."""
    for path in folder.glob("campaigns/*.yaml"):
        if not path.name.startswith(("interview-", "accommodations")):
            path.unlink()
    for path in folder.glob("templates/*"):
        if path.name not in ("layouts", "interview-prep", "accommodations"):
            shutil.rmtree(path)
    for path in folder.glob("templates/*/*.*.md"):
        path.unlink()  # translations
    return folder


@pytest.fixture
def desk(starter: World, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(starter, monkeypatch)


def kit_of(desk: Desk, words: dict[str, Any]) -> list[str]:
    """Which of the kits' conditions are true."""
    steps = desk.world.project.library.campaigns["interview-preparation"].steps
    kits = [f"interview-prep/{each}" for each in KITS.values()]
    own = [step for step in steps if step.send in kits]
    assert sorted(str(step.send) for step in own) == sorted(kits)
    return [str(step.send) for step in own if step.condition and step.condition(words).value]


# --- kits -----------------------------------------------------------------------------------------


@pytest.mark.acceptance("A9.1")
@pytest.mark.acceptance("A9.4")
@pytest.mark.acceptance("A2.3")
def test_each_kind_gets_its_kit_which_says_all_and_contradicts_nothing_told_in_confidence(
    desk: Desk,
) -> None:
    desk.interview(NOW + timedelta(days=30))
    project = desk.world.project
    with desk.world.database.read() as connection:
        facts = load(connection, [1])[1]
    interview = facts.interviews["i1"]
    subject = Subject(application="a-c1", interview="i1")
    for kind in (*KITS, None):
        these = replace(facts, interviews={"i1": replace(interview, kind=kind)})
        for confided in (False, True):
            told = replace(these, candidate=replace(these.candidate, confided=confided))
            words = context(told, subject, enrollment=None, config=project.config, now=NOW)
            [kit] = kit_of(desk, words)
            assert kit == f"interview-prep/{KITS.get(kind or 'video')}"
            written = project.letters.renderer.render(kit, words, candidate_id=1, locale=None)
            text = " ".join(written.text.split())
            assert len(written.subject) <= 50
            for fact in ("60 minutes", "23 December 2026, 10:00", "Marta Reis", "Sam Okoro"):
                assert fact in text or (confided and kind == "phone" and " " in fact), fact
            assert re.search(r"We (look for|listen for|will talk about) ", text), "what is judged"
            assert re.search(r"To (practise|prepare)", text)
            assert "hard for you, tell us in confidence <" in text
            assert "<https://meet.example.com/move>" in text
            assert "within five working days" in text
            if confided:
                assert PRESCRIBES.search(text.replace("alone before we compare", "")) is None, kit
                assert "told us in confidence what you need" in text
            elif kind is not None:
                assert FORMAT[kind] in text


@pytest.mark.acceptance("A9.1")
def test_a_kind_that_nobody_knows_is_confirmed_prepared_for_in_general_and_told(desk: Desk) -> None:
    desk.interview(NOW + timedelta(days=7), "Fireside chat")
    desk.world.run_for(hours=1)
    [task] = desk.tasks("unknown-kind")
    assert '"Fireside chat"' in task["text"]
    assert task["assignee"] == "ida@example.com"
    with desk.world.database.read() as connection:
        found = condition.condition(connection, desk.world.clock.now())
    assert found.unknown_kinds == {"Fireside chat": 1}
    desk.world.run_for(days=6)
    assert [each for each in desk.steps() if each in KITS.values()] == ["what-to-expect"]
    # Once its kind is said in our words, nothing is unknown any more.
    desk.tell("interview.rescheduled", interview={"id": "i1", "kind": "On-site interview"})
    with desk.world.database.read() as connection:
        assert load(connection, [1])[1].interviews["i1"].kind == "onsite"
        found = condition.condition(connection, desk.world.clock.now())
    assert found.unknown_kinds == {}


# --- what would make it easier --------------------------------------------------------------------


@pytest.mark.acceptance("A2.2")
@pytest.mark.acceptance("A7.3")
def test_nobody_is_interviewed_without_having_been_asked_and_nothing_to_prepare_comes_too_late(
    desk: Desk,
) -> None:
    """Booked with much notice and with none, at night, a second one of the same kind and of
    another, moved, made another kind of, cancelled and booked anew, and nowhere to write to."""
    after = {"night": 15, "soon": 1}
    for who, hours in after.items():
        desk.interview(NOW + timedelta(hours=hours), id_=f"i-{who}", who=who)
    desk.interview(NOW + timedelta(days=4), id_="i-nowhere", who="nowhere")
    desk.interview(NOW + timedelta(days=3), "phone", id_="first", who="twice")
    desk.interview(NOW + timedelta(days=5), "phone", id_="again", who="twice")
    desk.interview(NOW + timedelta(days=9), "onsite", id_="visit", who="twice")
    desk.interview(NOW + timedelta(days=8), "video", id_="other", who="other")
    desk.interview(NOW + timedelta(days=4), id_="i-off", who="anew")
    desk.world.run_for(hours=30)
    desk.tell("interview.cancelled", "anew", interview={"id": "i-off"})
    desk.interview(NOW + timedelta(days=6), id_="i-on", who="anew")
    onsite = {"type_": "interview.rescheduled", "id_": "other", "who": "other"}
    desk.interview(NOW + timedelta(days=7), "onsite", **onsite)
    desk.world.run_for(days=8)

    with desk.world.database.read() as connection:
        everybody = load(connection, list(range(1, 8)))
    assert len(everybody) == 6
    asks: dict[str, int] = {}
    for facts in everybody.values():
        who = facts.candidate.ref
        about = {each.id: each.subject.interview for each in facts.enrollments}
        at = [
            (each.at, facts.interviews[about[each.enrollment_id or 0] or ""].kind)
            for each in facts.contacts
            if each.template == "accommodations/ask"
        ]
        asks[who] = len(at)
        by_hand = [task for task in desk.tasks("ask-yourself") if task["ref"] == who]
        for interview in facts.interviews.values():
            start = interview.starts_at
            assert start is not None
            if interview.status == "cancelled":
                continue
            assert by_hand or any(asked < start and kind == interview.kind for asked, kind in at), (
                f"{who} was not asked before {interview.ref}"
            )
            late = [
                each.template
                for each in facts.contacts
                if each.category in PREP
                and about.get(each.enrollment_id or 0) == interview.ref
                and each.at >= start
            ]
            assert late == []
    assert asks["twice"] == 2, "for the phone, and for the visit"
    assert asks["other"] == 2, "for the call, and for the visit that it became"
    assert asks["anew"] == 1, "the interview that took its place is of the same kind"
    assert asks["nowhere"] == 0


@pytest.mark.acceptance("A2.3")
def test_the_ask_is_there_two_days_before_and_what_is_told_is_a_task_and_nowhere_else(
    desk: Desk,
) -> None:
    desk.interview(NOW + timedelta(days=7), "technical")
    desk.world.run_until(NOW + timedelta(days=5) - timedelta(minutes=1))
    assert "ask" in desk.steps()
    assert "/p/needs/" in desk.text("What would make")
    desk.confide(SAID)
    desk.world.run_for(minutes=1)
    [task] = desk.tasks("see-to-it")
    assert task["assignee"] == "rui@example.com"
    assert task["text"].startswith("Ana told us in confidence")
    desk.world.run_for(hours=2)
    desk.confide("And an hour more")
    desk.world.run_for(days=3)
    assert len(desk.tasks("see-to-it")) == 2, "what is added later is a task as well"
    written = b"".join(each.as_bytes() for each in desk.mails).decode()
    with desk.world.database.read() as connection:
        stored = [
            repr(connection.execute(select(table)).all())
            for table in metadata.sorted_tables
            if table.name != "confidences"
        ]
        told = connection.execute(
            select(events.c.data).where(events.c.type == "candidate.confided")
        ).all()
    assert len(told) == 2
    for canary in ("Zweibr", "captions canary", "an hour more"):
        assert canary not in written
        assert not any(canary in each for each in stored)


@pytest.mark.acceptance("A2.3")
def test_a_kit_that_was_planned_before_somebody_told_what_they_need_leaves_it_out(
    desk: Desk,
) -> None:
    desk.interview(NOW + timedelta(days=7), "technical")
    desk.world.run_for(days=1)
    desk.confide(SAID)
    desk.world.run_for(days=4)
    kit = desk.text("Preparing for")
    assert "told us in confidence what you need" in kit
    assert "share your screen" not in kit


# --- before it begins -----------------------------------------------------------------------------


@pytest.mark.acceptance("A7.3")
def test_after_an_outage_nothing_to_prepare_comes_once_it_has_begun(desk: Desk) -> None:
    desk.interview(NOW + timedelta(days=5), "panel")
    desk.world.clock.set(NOW + timedelta(days=5, minutes=1))
    desk.world.run_for(days=3)
    assert desk.steps()[:1] == ["thank-you"]
    with desk.world.database.read() as connection:
        contacts = load(connection, [1])[1].contacts
    assert [each.template for each in contacts if each.category in (*PREP, "receipt")] == []


def test_one_click_confirms_and_who_has_not_is_rung(desk: Desk) -> None:
    start = NOW + timedelta(days=3)
    desk.interview(start)
    desk.world.run_until(start - timedelta(hours=5))
    desk.answer("yes")
    desk.world.run_until(start - timedelta(hours=3))
    assert desk.tasks("not-confirmed") == []
    # A yes to this interview, at its former time, is none to the new one.
    later = start + timedelta(days=2)
    desk.interview(later, type_="interview.rescheduled")
    desk.world.run_until(later - timedelta(hours=3))
    assert desk.steps().count("day-before") == 2
    [task] = desk.tasks("not-confirmed")
    assert task["created_at"] == later - timedelta(hours=4)
    # Nor is it one to the next interview; but a no is, and a task by itself.
    second = later + timedelta(days=7)
    desk.interview(second, id_="i2")
    desk.world.run_until(second - timedelta(hours=5))
    desk.answer("no")
    desk.world.run_until(second)
    assert len(desk.tasks("not-confirmed")) == 1
    assert any("I need another time" in each["text"] for each in desk.tasks("day-before"))


# --- moved and cancelled --------------------------------------------------------------------------


def test_an_interview_moved_after_its_reminder_is_told_once_and_reminded_of_anew(
    desk: Desk,
) -> None:
    start = NOW + timedelta(days=3)
    later = start + timedelta(hours=4)
    desk.interview(start)
    desk.world.run_until(start - timedelta(hours=12))
    assert desk.steps().count("day-before") == 1
    desk.interview(later, type_="interview.rescheduled")
    desk.world.run_until(later + timedelta(hours=1))
    steps = desk.steps()
    assert steps.count("changed") == 1
    before = [at for step, at in desk.world.sent() if step == "two-hours-before"]
    assert before == [later - timedelta(hours=2)], "the old one is void"
    entries = [
        part.get_payload(decode=True)
        for mail in desk.mails
        for part in mail.walk()
        if part.get_content_type() == "text/calendar"
    ]
    sequences = [re.findall(rb"SEQUENCE:(\d+)", each or b"") for each in entries]
    assert sequences[-1] == [b"1"]
    assert sequences[0] == [b"0"]


def test_a_cancelled_interview_is_told_once_and_nothing_of_it_follows(desk: Desk) -> None:
    start = NOW + timedelta(days=3)
    desk.interview(start)
    desk.world.run_until(start - timedelta(hours=12))
    known = len(desk.steps())
    desk.tell("interview.cancelled", interview={"id": "i1"})
    desk.world.run_until(start + timedelta(days=1))
    assert desk.steps()[known:] == ["cancelled"]
    assert [task["step"] for task in desk.tasks()] == ["say-what-is-next"]
    kinds = [part.get_content_type() for part in desk.mails[-1].walk()]
    assert "text/calendar" in kinds
