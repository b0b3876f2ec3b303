"""Nobody is left in silence, and what was promised is kept, owned up to or escalated."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from nurture.core.anchors import Ground, anchors
from nurture.core.model import Enrollment, Rejected, Subject, Unknown
from nurture.engine import silence
from nurture.errors import Problems, UsageError
from nurture.store.desk import finish_task
from nurture.store.facts import promise_from_row
from nurture.store.reading import load
from nurture.store.tables import promises, tasks
from tests.conftest import MONDAY
from tests.world import World

IDA = {"email": "ida@example.com", "name": "Ida Berg"}
HUGO = {"email": "hugo@example.com"}
DAY = timedelta(days=1)


def apply_for(world: World, who: str = "c1", **more: Any) -> None:
    world.tell(
        "application.created",
        candidate={"id": who, "email": f"{who}@example.com", "country": "PT"},
        application={"id": f"a-{who}", "stage": "applied", "recruiter": IDA, **more},
    )


def to_stage(world: World, stage: str, who: str = "c1") -> None:
    world.tell(
        "application.stage_changed",
        candidate={"id": who},
        application={"id": f"a-{who}", "stage": stage},
    )


def logged(world: World, who: str = "c1", **contact: Any) -> None:
    told = {"kind": "call", "person": IDA["email"], **contact}
    world.tell(
        "contact.logged", candidate={"id": who}, application={"id": f"a-{who}"}, contact=told
    )


def task_rows(world: World) -> list[Any]:
    with world.database.read() as connection:
        return list(connection.execute(select(tasks).order_by(tasks.c.id)).mappings())


def of_tasks(world: World) -> list[tuple[str, str | None]]:
    return [(row["step"], row["assignee"]) for row in task_rows(world)]


def steps(world: World) -> list[str]:
    return [step for step, _ in world.sent()]


def letters(world: World) -> list[Any]:
    """Every mail that is handed over from here on."""
    taken: list[Any] = []
    hand_over = world.postman.hand_over

    def keep(*letter: Any) -> Any:
        taken.append(message_from_bytes(letter[2], policy=policy.default))
        return hand_over(*letter)

    world.postman.hand_over = keep  # type: ignore[method-assign]
    return taken


def text(mail: Any) -> str:
    return str(mail.get_body(["plain"]).get_content())


# --- A1.1: a contact or an open escalation before every ceiling ----------------------------------

STAGES = ("applied", "screening", "assessment", "interviewing", "final", "decision", "on_hold")


def _happens(world: World, rng: Random, who: str) -> None:
    what = rng.choice(("stage", "stage", "call", "no_answer", "reply", "bounce", "book", "nothing"))
    match what:
        case "stage":
            to_stage(world, rng.choice(STAGES), who)
        case "call":
            logged(world, who, outcome="spoke")
        case "no_answer":
            logged(world, who, outcome=rng.choice(("no_answer", "wrong_number")))
        case "reply":
            world.tell("candidate.replied", candidate={"id": who})
        case "bounce":
            world.postman.answers = [rng.choice((Unknown(text="no answer"), Rejected(text="550")))]
        case "book":
            starts_at = world.clock.now() + timedelta(days=rng.choice((1, 4, 12)), hours=2)
            world.tell(
                "interview.scheduled",
                candidate={"id": who},
                application={"id": f"a-{who}"},
                interview={
                    "id": f"i-{rng.random()}",
                    "kind": "video",
                    "starts_at": starts_at.isoformat(),
                },
            )


def _does_all_tasks(world: World) -> None:
    """The recruiter rings, and ticks off what was open."""
    logged(world, outcome="spoke")
    with world.database.write() as connection:
        for row in connection.execute(select(tasks.c.id).where(tasks.c.state == "open")).all():
            finish_task(connection, row.id, world.clock.now())


@pytest.mark.acceptance("A1.1")
@pytest.mark.parametrize("seed", [11, 13])
def test_a1_1_in_90_days_nobody_passes_a_ceiling_without_a_contact_or_an_open_task(
    starter: World, seed: int
) -> None:
    rng = Random(seed)
    apply_for(starter, stage=rng.choice(("applied", "lead")), hiring_manager=HUGO)
    starter.work()
    looked_at = 0
    for _ in range(12):
        starter.run_for(hours=rng.uniform(30, 330))
        found = silence.waiting(starter.project)
        assert [each for each in found if each.hours < 0 and not each.tasks] == []
        looked_at += len(found)
        if rng.random() < 0.5:
            _does_all_tasks(starter)
        _happens(starter, rng, "c1")
        starter.work()
    assert looked_at


# --- A1.2: who waits longest ---------------------------------------------------------------------


@pytest.mark.acceptance("A1.2")
def test_a1_2_who_waits_longest_comes_first_with_an_owner_and_the_hours_left(
    starter: World,
) -> None:
    apply_for(starter)
    starter.work()
    starter.clock.advance(DAY)
    apply_for(starter, "c2")
    to_stage(starter, "final", "c2")
    found = silence.waiting(starter.project)
    assert [(each.candidate, each.owner, each.hours) for each in found] == [
        ("c2", "ida@example.com", 48.0),
        ("c1", "ida@example.com", 9 * 24.0),  # six business days, a weekend and a holiday
    ]


def test_the_report_says_what_the_anchor_says(starter: World) -> None:
    rng = Random(5)
    for who in ("c1", "c2", "c3"):
        apply_for(starter, who)
        starter.run_for(hours=rng.uniform(1, 90))
        _happens(starter, rng, who)
        starter.work()
    starter.tell("application.rejected", candidate={"id": "c3"}, application={"id": "a-c3"})
    reported = {each.application: each.due_at for each in silence.waiting(starter.project)}
    assert "a-c3" in reported
    with starter.database.read() as connection:
        everyone = load(connection, [1, 2, 3])
    for facts in everyone.values():
        for application in facts.applications.values():
            subject = Subject(application=application.ref)
            config, now = starter.project.config, starter.clock.now()
            ground = Ground(
                facts=facts,
                calendar=starter.project.planner.calendars.of(facts.candidate),
                now=now,
                known_at=now,
                silence=config.silence,
                categories=config.categories,
            )
            enrollment = Enrollment(
                id=0,
                candidate_id=facts.candidate.id,
                campaign="x",
                subject=subject,
                about="",
                entered_at=now,
            )
            due = anchors(enrollment, ground)("application.silence_due")
            assert reported.get(application.ref) == due


def test_people_imported_as_history_are_watched_from_the_first_event_on(starter: World) -> None:
    apply_for(starter)
    starter.tell(
        "application.created",
        candidate={"id": "c2", "email": "c2@example.com"},
        application={"id": "a-c2", "stage": "applied", "recruiter": IDA},
        historical=True,
    )
    starter.run_for(days=40)
    assert {step for step, _ in starter.sent("c2")} == set()
    logged(starter, "c2", outcome="spoke")
    starter.run_for(days=12)
    assert [step for step, _ in starter.sent("c2")] == ["still-in-review"]


# --- A1.3: promises have an owner and a working day to come --------------------------------------


def owed(world: World) -> list[Any]:
    with world.database.read() as connection:
        query = select(promises).order_by(promises.c.made_at)
        return [promise_from_row(row) for row in connection.execute(query).mappings()]


@pytest.mark.acceptance("A1.3")
def test_a1_3_a_mail_promises_a_working_day_to_come_and_somebody_owes_it(starter: World) -> None:
    starter.clock.set(datetime(2026, 11, 27, 20, tzinfo=UTC))  # a Friday; 1 and 8 December are free
    apply_for(starter)
    apply_for(starter, "c2", recruiter=None)
    starter.work()
    first, second = owed(starter)
    assert (first.what, first.owner) == ("an answer", "ida@example.com")
    assert first.due_at == datetime(2026, 12, 7, 15, tzinfo=UTC)
    assert second.owner == starter.project.config.sender.email


@pytest.mark.acceptance("A1.3")
@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"due": "2026-12-04"}, "no-owner"),
        ({"owner": "ida@example.com"}, "no-date"),
        ({"owner": "ida@example.com", "due": "2026-11-20"}, "date-past"),
        ({"owner": "ida@example.com", "due": "2026-12-05"}, "no-working-day"),
    ],
)
def test_a1_3_a_person_can_promise_nothing_else(
    starter: World, told: dict[str, str], code: str
) -> None:
    with pytest.raises(Problems) as refused:
        starter.tell("promise.made", promise={"id": "p1", "what": "a call", **told})
    assert [each.code for each in refused.value.problems] == [code]
    assert owed(starter) == []


@pytest.mark.acceptance("A1.3")
def test_a1_3_promises_are_told_by_recruiter_and_job(starter: World) -> None:
    apply_for(starter, job={"title": "Engineer"})
    apply_for(starter, "c2", job={"title": "Designer"})
    starter.work()
    starter.run_for(days=1)
    logged(starter, "c2", outcome="spoke")
    starter.run_for(days=9)
    every = silence.promised(starter.project, everything=True)
    assert {(each.job, each.status) for each in every} >= {
        ("Engineer", "slipped"),
        ("Engineer", "open"),
        ("Designer", "kept"),
    }
    scores = {each.job: each for each in silence.scores(every)}
    assert (scores["Engineer"].slipped, scores["Designer"].kept) == (1, 1)
    assert silence.scores(every)[0].owner == "ida@example.com"


@pytest.mark.parametrize("outcome", ["spoke", "no_answer"])
def test_a_call_that_nobody_took_keeps_nothing_and_ends_no_silence(
    starter: World, outcome: str
) -> None:
    apply_for(starter)
    starter.work()
    due = silence.waiting(starter.project)[0].due_at
    starter.clock.advance(DAY)
    logged(starter, outcome=outcome)
    starter.work()
    spoke = outcome == "spoke"
    assert (owed(starter)[0].status == "kept") == spoke
    assert (silence.waiting(starter.project)[0].due_at > due) == spoke


def test_a_contact_that_names_a_promise_keeps_that_one_alone(starter: World) -> None:
    apply_for(starter)
    made = {"what": "a decision", "due": "2026-12-03", "owner": IDA["email"]}
    for ref in ("p1", "p2"):
        told = {**made, "id": ref, "what": f"a decision, {ref}"}
        starter.tell("promise.made", application={"id": "a-c1"}, promise=told)
    starter.work()
    starter.clock.advance(DAY)
    logged(starter, outcome="spoke", promise="p1")
    starter.work()
    assert {each.ref: each.status for each in owed(starter)}["p1"] == "kept"
    assert {each.ref: each.status for each in owed(starter)}["p2"] == "open"


def test_seed_1_the_recruiter_is_reminded_the_day_before_and_the_date_moves_with_a_note(
    starter: World,
) -> None:
    apply_for(starter)
    logged(starter, outcome="spoke")  # the receipt's own promise is made after that, and kept later
    starter.work()
    made = {"id": "p1", "what": "a decision", "due": "2026-11-27", "owner": IDA["email"]}
    starter.tell("promise.made", application={"id": "a-c1"}, promise=made)
    thursday, friday = datetime(2026, 11, 26, 9, tzinfo=UTC), datetime(2026, 11, 27, 15, tzinfo=UTC)
    starter.run_until(thursday - timedelta(minutes=1))
    assert of_tasks(starter) == []
    starter.run_until(thursday)
    assert of_tasks(starter) == [("due-tomorrow", "ida@example.com")]
    starter.run_until(friday + timedelta(minutes=1))
    assert ("new-date", friday) in starter.sent()
    by_ref = {each.ref: each for each in owed(starter)}
    new = by_ref[by_ref["p1"].replaced_by or ""]
    assert (new.what, new.due_at) == ("a decision", datetime(2026, 12, 7, 15, tzinfo=UTC))
    listed = {each.ref: each.status for each in silence.promised(starter.project, everything=True)}
    assert (listed["p1"], listed[new.ref]) == ("slipped", "open")


# --- A1.4: notes differ, name new dates, and end with a person -----------------------------------


@pytest.mark.acceptance("A1.4")
def test_a1_4_the_second_note_differs_and_no_date_is_named_twice(starter: World) -> None:
    mails = letters(starter)
    apply_for(starter, hiring_manager=HUGO)
    starter.run_for(days=35)
    assert steps(starter) == ["received", "new-date", "taking-longer"]
    assert of_tasks(starter)[-2:] == [
        ("slipped-again", "hugo@example.com"),
        ("decide-or-explain", "hugo@example.com"),
    ]
    dates = [each.due_at for each in owed(starter)]
    assert len(set(dates)) == len(dates) == 3
    assert len({mail["Subject"] for mail in mails}) == 3
    for mail, at in zip(mails, dates, strict=True):
        assert f"{at:%A}, {at.day} {at:%B %Y}" in " ".join(text(mail).split())


@pytest.mark.acceptance("A1.4")
def test_a1_4_news_begin_the_row_anew(starter: World) -> None:
    apply_for(starter)
    starter.run_for(days=20)
    assert steps(starter)[-1] == "taking-longer"
    logged(starter, outcome="spoke")
    starter.run_for(days=14)
    assert steps(starter)[-1] == "still-in-review"


# --- A1.5: a closed job is told ------------------------------------------------------------------


@pytest.mark.acceptance("A1.5")
def test_a1_5_when_a_job_closes_everybody_active_has_a_closure_within_a_business_day(
    starter: World,
) -> None:
    for who in ("c1", "c2"):
        apply_for(starter, who, job={"id": "j1", "title": "Engineer"})
    starter.work()
    starter.tell("job.closed", job={"id": "j1"}, candidate=None)
    starter.run_for(days=1)
    assert [starter.entry("role-closed", who).reason for who in ("c1", "c2")] == ["approval"] * 2


# --- A1.6: decided and not told ------------------------------------------------------------------


@pytest.mark.acceptance("A1.6")
def test_a1_6_no_note_goes_to_somebody_whose_rejection_is_decided(starter: World) -> None:
    apply_for(starter, hiring_manager=HUGO)
    starter.work()
    starter.run_for(days=6)
    starter.tell("application.rejected", application={"id": "a-c1"})
    starter.run_for(days=30)
    assert steps(starter) == ["received"]
    assert of_tasks(starter)[-2:] == [
        ("not-told-yet", "ida@example.com"),
        ("must-be-told", "hugo@example.com"),
    ]
    (row,) = silence.waiting(starter.project)
    assert row.to_be_told
    logged(starter, outcome="spoke")
    assert silence.waiting(starter.project) == []


@pytest.mark.acceptance("A1.6")
def test_a1_6_a_note_of_any_campaign_becomes_the_task_to_tell_them(starter: World) -> None:
    campaign = """\
name: Watch
status: live
enter: {on: application.rejected, once_per: application}
steps:
  - {send: status/date-stands, after: 3 hours}
"""
    starter.campaign("watch", campaign)
    starter.reload()
    apply_for(starter)
    starter.work()
    starter.tell("application.rejected", application={"id": "a-c1"})
    starter.run_for(hours=5)
    seen = starter.entry("date-stands")
    assert (seen.verdict, seen.reason) == ("task", "to_be_told")
    (row,) = [each for each in task_rows(starter) if each["step"] == "date-stands"]
    assert row["text"].startswith("Tell ana@example.com what was decided")


# --- a ceiling ends as sent or as a task ---------------------------------------------------------

CEILING = """\
name: Ceiling
status: live
enter: {on: application.created, once_per: application}
steps:
  - send: status/date-stands
    id: ceiling
    at: application.silence_due
    until: 1 day after application.silence_due
"""


@pytest.fixture
def ceiling(starter: World) -> World:
    for path in (starter.folder / "campaigns").iterdir():
        path.unlink()
    starter.campaign("ceiling", CEILING)
    starter.reload()
    return starter


def _no_address(world: World) -> None:
    told = {"id": "m", "permanent": True, "reason": "gone"}
    world.tell("message.bounced", message=told | {"id": None})


def _refused(world: World) -> None:
    world.postman.answers = [Rejected(text="no")]


def _in_doubt(world: World) -> None:
    world.postman.answers = [Unknown(text="no answer")]


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (_no_address, "undeliverable"),
        (_refused, "refused"),
        (_in_doubt, "unknown_outcome"),
    ],
)
def test_what_cannot_reach_them_at_a_ceiling_is_a_persons_task(
    ceiling: World, prepare: Callable[[World], None], reason: str
) -> None:
    apply_for(ceiling)
    ceiling.work()
    prepare(ceiling)
    ceiling.run_for(days=16)
    assert of_tasks(ceiling) == [("ceiling", "ida@example.com")]
    assert ceiling.entry("ceiling").reason == reason
    assert "yourself" in task_rows(ceiling)[0]["text"]


def test_a_ceiling_that_was_past_before_we_knew_is_a_persons_task(ceiling: World) -> None:
    long_ago = (MONDAY - 30 * DAY).isoformat()
    apply_for(ceiling, applied_at=long_ago)
    ceiling.work()
    assert of_tasks(ceiling) == [("ceiling", "ida@example.com")]
    assert ceiling.entry("ceiling").reason == "late"


def test_who_must_not_be_contacted_becomes_nobodys_task(ceiling: World) -> None:
    apply_for(ceiling)
    ceiling.tell("candidate.do_not_contact", candidate={"id": "c1"})
    ceiling.run_for(days=16)
    assert of_tasks(ceiling) == []


# --- the law -------------------------------------------------------------------------------------


def interviewed(world: World, who: str) -> None:
    apply_for(world, who, job={"title": "=HYPERLINK(1)"})
    ends_at = world.clock.now() - timedelta(hours=1)
    about = {"id": f"i-{who}", "kind": "video"}
    times = {
        "starts_at": (ends_at - timedelta(hours=1)).isoformat(),
        "ends_at": ends_at.isoformat(),
    }
    world.tell(
        "interview.completed",
        candidate={"id": who},
        application={"id": f"a-{who}"},
        interview=about | times,
    )


@pytest.fixture
def ontario(starter: World) -> World:
    path: Path = starter.folder / "config.yaml"
    path.write_text("legal_silence: {preset: ontario}\n")
    for each in (starter.folder / "campaigns").iterdir():
        each.unlink()
    law = """\
name: The law
status: live
enter: {on: interview.completed, once_per: application}
steps:
  - task: {text: By law they have to know in ten days, to: recruiter}
    id: by-law
    at: 10 days before application.legal_due at 09:00
"""
    starter.campaign("law", law)
    decided = law.replace("interview.completed", "application.rejected")
    starter.campaign("law-and-decided", decided)
    starter.restart()
    return starter


def test_the_law_s_ceiling_is_an_anchor_and_a_proof(ontario: World) -> None:
    for who in ("told", "late", "waits"):
        interviewed(ontario, who)
    ontario.run_for(days=20)
    for who in ("told", "late"):
        ontario.tell("application.rejected", candidate={"id": who}, application={"id": f"a-{who}"})
    logged(ontario, "told", outcome="spoke")
    logged(ontario, "late", outcome="voicemail")
    ontario.run_for(days=16)
    assert sorted(row["application"] for row in task_rows(ontario)) == ["a-late", "a-waits"]
    met = {row["application"]: row["met"] for row in silence.proof(ontario.project)}
    assert met == {"a-told": "yes", "a-late": "open", "a-waits": "open"}
    ontario.run_for(days=10)
    logged(ontario, "late", outcome="spoke")
    file = StringIO()
    assert silence.write_proof(silence.proof(ontario.project), file) == 3
    rows = {row["application"]: row for row in csv.DictReader(StringIO(file.getvalue()))}
    assert {ref: row["met"] for ref, row in rows.items()} == {
        "a-told": "yes",
        "a-late": "no",
        "a-waits": "no",
    }
    assert rows["a-told"]["how"].startswith("call by ida@example.com")
    assert rows["a-told"]["job"] == "'=HYPERLINK(1)"


def test_without_a_law_there_is_no_proof_of_it(starter: World) -> None:
    with pytest.raises(UsageError):
        list(silence.proof(starter.project))


def test_who_hears_from_us_just_now_needs_no_task_for_a_silence_that_is_over(
    starter: World,
) -> None:
    old = (starter.clock.now() - 30 * DAY).isoformat()
    apply_for(starter, applied_at=old, stage_since=old)
    starter.tell(
        "interview.scheduled",
        candidate={"id": "c1"},
        application={"id": "a-c1"},
        interview={"id": "i1", "starts_at": (starter.clock.now() + 9 * DAY).isoformat()},
    )
    apply_for(starter, "c2", stage="screening", applied_at=old, stage_since=old)
    starter.run_for(hours=2)
    assert "confirmation" in steps(starter)
    assert of_tasks(starter) == []
    assert "no-silence" in {entry.campaign for entry in starter.agenda()}


def test_a_note_that_nobody_read_in_time_is_a_task_when_the_silence_ends(starter: World) -> None:
    """What it says ceases to be true while it waits to be read: the date it names passes."""
    apply_for(starter)
    starter.work()
    (waits,) = silence.waiting(starter.project)
    starter.tell("candidate.sensitive", until=(waits.due_at + 30 * DAY).isoformat())
    due = (waits.due_at - timedelta(hours=2)).isoformat()
    starter.tell(
        "promise.made",
        application={"id": "a-c1"},
        promise={"id": "p1", "what": "an answer", "due": due, "owner": IDA["email"]},
    )
    starter.run_until(waits.due_at - timedelta(hours=3))
    assert starter.entry("date-stands").reason == "approval"
    starter.run_until(waits.due_at + timedelta(minutes=1))
    assert "still-in-review" in [step for step, _ in of_tasks(starter)]
    assert steps(starter) == ["received"]
