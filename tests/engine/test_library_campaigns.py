"""The starter campaigns for what comes before, after and instead of interviews: what a person lives
through with them, and what their answers set in motion."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nurture.authoring.library import Library
from nurture.clock import SetClock
from nurture.config import Config, load_config
from nurture.engine.answering import choice_of, give
from nurture.engine.approving import approve
from nurture.engine.project import Project
from nurture.engine.sender import Sender
from nurture.rendering.links import Answer, Signer
from nurture.rendering.renderer import Renderer
from nurture.store.database import Database
from nurture.store.facts import find_application, find_candidate
from nurture.store.tables import (
    enrollments,
    message_steps,
    metadata,
    promises,
    requests,
    tasks,
)
from tests.conftest import MONDAY, REPOSITORY
from tests.world import World

IDA = {"email": "ida@example.com", "name": "Ida Berg"}
ANA = {"id": "c1", "email": "ana@example.com", "first_name": "Ana", "country": "PT"}
DAY = timedelta(days=1)


def apply_for(world: World, ref: str = "a", **more: Any) -> None:
    about = {"id": ref, "job": {"id": f"j-{ref}", "title": "Engineer"}, "recruiter": IDA, **more}
    world.tell("application.created", candidate=ANA, application=about)
    world.work()


def to_stage(world: World, stage: str, ref: str = "a") -> None:
    world.tell("application.stage_changed", application={"id": ref, "stage": stage})
    world.work()


def interviewed(world: World, ref: str = "a", kind: str = "final") -> None:
    """An interview that is booked, and over two days later."""
    starts_at = world.clock.now() + DAY
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + DAY / 24).isoformat()}
    about = {"id": f"i-{ref}", "kind": kind, **times}
    world.tell("interview.scheduled", application={"id": ref}, interview=about)
    world.run_for(days=2)


def reject(world: World, ref: str = "a") -> None:
    """A no that is told within the day, because its mail is approved."""
    told = {"id": ref, "advocate_line": "You asked what nobody else had seen."}
    world.tell("application.rejected", application=told)
    world.run_for(hours=5)
    approved(world, "not-this-time")
    world.run_for(hours=24)


def approved(world: World, step: str) -> None:
    approve(world.project, [number_of(world, step)], "ida@example.com")
    world.work()


def steps(world: World) -> list[str]:
    return [step for step, _ in world.sent()]


def sent_at(world: World, step: str) -> datetime:
    (at,) = [at for each, at in world.sent() if each == step]
    return at


def number_of(world: World, step: str) -> int:
    """The message that this step became last."""
    of = select(message_steps.c.message_id).where(message_steps.c.step == step)
    return column(world, of.order_by(message_steps.c.message_id))[-1]


def press(world: World, step: str, question: str, option: str) -> None:
    """What the button of the answer page does, and nothing after it: nobody plans, nobody sends."""
    with world.database.read() as connection:
        ana = find_candidate(connection, "c1")
    assert ana is not None
    answer = Answer(ana.id, number_of(world, step), question, option)
    choice = choice_of(world.project, world.project.signer.answer_token(answer))
    assert choice is not None
    assert choice.asked is not None
    give(world.project, choice)


def column(world: World, query: Any) -> list[Any]:
    with world.database.read() as connection:
        return list(connection.execute(query).scalars())


def of_tasks(world: World) -> list[str]:
    return column(world, select(tasks.c.step).order_by(tasks.c.id))


# --- every answer is welcome ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def read() -> tuple[Config, Library, Renderer]:
    """The starter project, read once: it is the same for every test."""
    config = load_config(REPOSITORY / "config.yaml", {})
    library = Library(config)
    return config, library, Renderer(library.templates, config, Signer([b"k" * 32]))


class Starter(World):
    """A world with a project that was read already."""

    def __init__(self, read: tuple[Config, Library, Renderer], clock: SetClock) -> None:
        self.read = read
        database = Database("sqlite://")
        with database.write() as connection:
            metadata.create_all(connection)
        super().__init__(REPOSITORY, database, clock)

    def restart(self) -> None:
        config, library, renderer = self.read
        self.project = Project(
            config=config,
            clock=self.clock,
            database=self.database,
            library=library,
            signer=Signer([b"k" * 32]),
        )
        self.project.letters.renderer = renderer
        self.sender = Sender(
            self.database,
            self.project.planner,
            self.clock,
            self.project.letters.write,
            self.postman,
        )


@pytest.fixture
def starter(read: tuple[Config, Library, Renderer], clock: SetClock) -> Iterator[World]:
    world = Starter(read, clock)
    yield world
    world.database.close()


@pytest.mark.acceptance("A4.1")
def test_a4_1_not_now_pauses_all_but_service_mail_and_wakes_on_the_day_with_one_check_in(
    starter: World,
) -> None:
    apply_for(starter, stage="screening")
    to_stage(starter, "assessment")  # culture begins, and wants to be sent in two days
    starter.tell("custom.good_time", application={"id": "a"})
    starter.run_for(days=3)  # news keep their distance from the receipt
    press(starter, "good-time", "good-time", "later")
    answered_at = starter.clock.now()
    starter.run_for(days=20)
    assert starter.entry("how-we-decide").verdict == "wait"
    before = [step for step in steps(starter) if step not in ("received", "good-time")]
    assert before == ["new-date", "taking-longer"], "what is about their application goes on"
    starter.run_for(days=76)
    asked_at = sent_at(starter, "after-a-pause")
    assert 0 <= (asked_at - datetime(2027, 2, 23, 10, tzinfo=UTC)).days <= 3
    assert asked_at - answered_at > 91 * DAY


@pytest.mark.acceptance("A4.2")
def test_a4_2_who_withdraws_is_out_of_all_that_was_under_way_for_that_application(
    starter: World,
) -> None:
    apply_for(starter, "other")
    apply_for(starter)
    to_stage(starter, "screening")
    starter.run_for(hours=1)
    press(starter, "before-we-talk", "terms", "no")
    with starter.database.read() as connection:
        application = find_application(connection, "a")
    assert application is not None
    assert application.status == "withdrawn"
    starter.sender.window()  # nothing is planned in between: what is queued is asked again
    starter.work()
    going_on = select(enrollments.c.campaign, enrollments.c.application).where(
        enrollments.c.ended_at.is_(None)
    )
    with starter.database.read() as connection:
        open_ = {tuple(row) for row in connection.execute(going_on)}
    assert {campaign for campaign, ref in open_ if ref == "a"} == {"withdrawn"}
    assert {campaign for campaign, ref in open_ if ref == "other"} >= {"no-silence", "promises"}
    starter.run_for(days=20)
    after = [
        entry.step for entry in starter.agenda() if entry.verdict == "sent" and entry.at is not None
    ]
    assert after.count("withdrawn") == 1


@pytest.mark.acceptance("A7.2")
def test_a7_2_an_answer_that_rules_somebody_out_stops_preparation_within_the_minute(
    starter: World,
) -> None:
    apply_for(starter)
    to_stage(starter, "screening")
    starter.run_for(hours=1)
    starts_at = starter.clock.now() + 5 * DAY
    about = {"id": "i", "kind": "phone", "starts_at": starts_at.isoformat()}
    starter.tell("interview.scheduled", application={"id": "a"}, interview=about)
    starter.work()
    kit = starter.entry("phone-kit")
    assert kit.verdict == "wait"
    assert kit.at is not None
    starter.run_until(kit.at - timedelta(minutes=1))
    press(starter, "before-we-talk", "terms", "no")
    starter.run_for(days=10)
    prepared = {"phone-kit", "sample-questions", "day-before", "two-hours-before", "thank-you"}
    assert not prepared & set(steps(starter))
    assert steps(starter)[-1] == "withdrawn"


def test_an_answer_sets_what_it_is_asked_for_and_nobody_is_asked_twice(starter: World) -> None:
    apply_for(starter)
    to_stage(starter, "screening")
    starter.run_for(hours=1)
    assert number_of(starter, "shortlisted") == number_of(starter, "before-we-talk"), "one mail"
    press(starter, "before-we-talk", "notice", "3-months")
    press(starter, "before-we-talk", "terms", "yes")
    with starter.database.read() as connection:
        ana = find_candidate(connection, "c1")
    assert ana is not None
    assert ana.fields["notice_period"] == "3-months"
    starter.run_for(days=4)
    assert "how-we-hire" in steps(starter)
    assert "ask-on-the-phone" not in of_tasks(starter)


def test_who_does_not_say_whether_they_can_talk_is_asked_once_more(starter: World) -> None:
    apply_for(starter, stage="screening")
    starter.tell("custom.good_time", application={"id": "a"})
    starter.run_for(days=20)
    assert [step for step in steps(starter) if "good-time" in step] == [
        "good-time",
        "good-time-again",
    ]


# --- bad news, and what is spared then ------------------------------------------------------------


@pytest.mark.acceptance("A5.1")
def test_a5_1_rejected_on_a_monday_culture_and_surveys_wait_two_weeks_and_the_log_says_why(
    starter: World,
) -> None:
    apply_for(starter, "b", stage="screening")
    apply_for(starter, "a", stage="interviewing")
    starter.run_until(MONDAY - 4 * DAY + 7 * DAY)
    interviewed(starter, kind="panel")
    starter.run_until(MONDAY + 7 * DAY)
    to_stage(starter, "assessment", "b")
    rejected_at = starter.clock.now()
    reject(starter)
    starter.run_until(rejected_at + 13 * DAY)
    culture = starter.entry("how-we-decide")
    assert (culture.verdict, culture.reason) == ("wait", "tone")
    kinds = {"how-we-decide", "a-hard-week", "survey", "one-of-the-last"}
    since = [step for step, at in starter.sent() if at > rejected_at]
    assert not kinds & set(since)
    starter.run_until(rejected_at + 15 * DAY)
    later = [step for step, at in starter.sent() if at >= rejected_at + 14 * DAY]
    assert kinds & set(later)


@pytest.mark.acceptance("A5.2")
def test_a5_2_with_an_offer_in_one_role_the_digest_about_others_is_dropped(
    starter: World,
) -> None:
    apply_for(starter, "a", stage="final")
    interviewed(starter)
    reject(starter)
    starter.run_for(days=16)
    press(starter, "one-of-the-last", "pool", "yes")
    starter.work()
    apply_for(starter, "b", stage="offer")
    offer = {"id": "o", "expires_at": (starter.clock.now() + 20 * DAY).isoformat()}
    starter.tell("offer.sent", application={"id": "b"}, offer=offer)
    starter.run_for(days=40)
    assert not {"digest", "survey"} & set(steps(starter))
    ended = select(enrollments.c.end_reason).where(enrollments.c.campaign == "talent-pool")
    assert column(starter, ended) == ["if"]


def test_a_decision_that_reaches_us_late_does_not_wait_once_more(starter: World) -> None:
    apply_for(starter)
    starter.run_for(days=2)
    decided = (starter.clock.now() - DAY).isoformat()
    starter.tell("application.rejected", application={"id": "a", "rejected_at": decided})
    starter.work()
    assert starter.entry("not-this-time").reason == "approval"


def test_who_said_yes_hears_as_long_as_there_is_something_new_and_can_end_it_in_each_letter(
    starter: World,
) -> None:
    apply_for(starter, stage="final")
    interviewed(starter)
    reject(starter)
    starter.run_for(days=16)
    assert steps(starter)[-1] == "one-of-the-last"
    starter.run_for(days=35)
    assert "digest" not in steps(starter), "no answer is no yes"
    press(starter, "one-of-the-last", "pool", "yes")
    starter.run_for(days=40)
    assert steps(starter)[-1] == "digest"
    starter.run_for(days=60)
    assert steps(starter).count("digest") == 2, "four things to say, two in a letter"
    assert starter.entry("digest").reason in ("nothing_new", "scheduled")


def test_after_nine_silent_months_two_questions_and_then_the_end(starter: World) -> None:
    apply_for(starter, stage="final")
    interviewed(starter)
    reject(starter)
    starter.run_for(days=16)
    press(starter, "one-of-the-last", "pool", "yes")
    starter.run_for(days=330)
    first, second = sent_at(starter, "still-there"), sent_at(starter, "second-and-last")
    assert 21 * DAY <= second - first < 26 * DAY
    press(starter, "second-and-last", "still-interested", "stop")
    with starter.database.read() as connection:
        ana = find_candidate(connection, "c1")
    assert ana is not None
    assert ana.unsubscribed == {"all"}


def test_feedback_is_promised_by_an_answer_and_somebody_has_to_write_it(starter: World) -> None:
    apply_for(starter, stage="interviewing")
    interviewed(starter, kind="video")
    reject(starter)
    press(starter, "not-this-time", "feedback", "yes")
    starter.run_for(hours=24)
    (owner,) = column(starter, select(promises.c.owner).where(promises.c.what == "feedback"))
    assert owner == "ida@example.com"
    assert steps(starter)[-1] == "on-its-way"
    assert of_tasks(starter)[-1] == "write-it"
    starter.run_for(days=9)
    assert steps(starter)[-1] == "new-date", "it slipped, and they are told"


# --- from the offer to the first day --------------------------------------------------------------


@pytest.fixture
def offered(starter: World) -> Callable[[], None]:
    apply_for(starter, stage="final")
    starter.run_for(days=1)
    expires_at = starter.clock.now() + 10 * DAY

    def approve_it() -> None:
        offer = {"id": "o", "expires_at": expires_at.isoformat()}
        starter.tell("offer.sent", application={"id": "a", "stage": "offer"}, offer=offer)
        starter.work()
        approved(starter, "congratulations")
        starter.run_for(hours=2)

    return approve_it


def test_an_offer_is_told_by_voice_put_in_writing_and_followed_up_once(
    starter: World, offered: Callable[[], None]
) -> None:
    offered()
    assert "ring-first" in of_tasks(starter)
    starter.run_for(days=20)
    mails = steps(starter)
    assert mails[-3:] == ["congratulations", "what-comes-with-it", "answer-by"]
    assert "no-answer" in of_tasks(starter)


def test_who_said_yes_is_with_us_until_the_first_month_is_over_and_being_hired_ends_nothing(
    starter: World, offered: Callable[[], None]
) -> None:
    offered()
    starter.run_for(days=1)
    starter.tell("offer.accepted", offer={"id": "o"})
    starter.run_for(days=1)
    starter.tell("application.hired", application={"id": "a", "start_date": "2027-02-01"})
    starter.run_until(datetime(2027, 3, 15, tzinfo=UTC))
    mails = steps(starter)
    assert "answer-by" not in mails
    begun = mails.index("welcome")
    assert mails[begun:] == [
        "welcome",
        "papers",
        "your-team",
        "first-week",
        "first-day",
        "first-month",
    ]
    sheet = date(2027, 2, 1) - sent_at(starter, "first-day").date()
    assert 3 <= sheet.days <= 5
    assert of_tasks(starter).count("manager-rings") in (2, 3)


# --- consent --------------------------------------------------------------------------------------


def consenting(world: World, until: str) -> None:
    world.tell("candidate.upserted", candidate={**ANA, "consent_until": until})
    world.work()


def test_silence_is_no_consent_two_questions_and_then_somebody_deletes(starter: World) -> None:
    consenting(starter, "2027-02-15")
    starter.run_until(datetime(2027, 2, 20, tzinfo=UTC))
    assert steps(starter) == ["renewal", "last-week"]
    assert of_tasks(starter) == ["delete"]


def test_a_yes_lasts_a_year_and_then_they_are_asked_again(starter: World) -> None:
    consenting(starter, "2027-02-15")
    starter.run_until(datetime(2027, 1, 20, tzinfo=UTC))
    press(starter, "renewal", "keep-data", "keep")
    starter.run_until(datetime(2027, 12, 10, tzinfo=UTC))
    assert steps(starter) == ["renewal"]
    starter.run_until(datetime(2028, 1, 15, tzinfo=UTC))
    assert steps(starter) == ["renewal", "renewal", "last-week"]


def test_a_wish_to_be_deleted_stands_on_today_and_nothing_more_is_asked(starter: World) -> None:
    consenting(starter, "2027-02-15")
    starter.run_until(datetime(2027, 1, 20, tzinfo=UTC))
    press(starter, "renewal", "keep-data", "delete")
    assert column(starter, select(requests.c.kind)) == ["deletion"]
    starter.run_until(datetime(2027, 3, 1, tzinfo=UTC))
    assert steps(starter) == ["renewal"]
