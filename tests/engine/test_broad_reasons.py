"""What people are told of why it was a no: approved words or none, and never a source's own."""

from collections.abc import Iterable
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import event

from nurture.core.model import Accepted, MessageState, Outcome
from nurture.core.rejections import family_of, last_stage
from nurture.engine import approving
from nurture.engine.doctor import Level, of_database
from nurture.engine.simulate import simulate
from nurture.errors import NurtureError
from nurture.store import history, rejections
from nurture.store.facts import find_candidate
from tests.world import World

REASONS = """\
reasons:
  skills_depth:
    candidate: {en: We needed more depth in one skill., de: Uns fehlte Tiefe in einer Fähigkeit.}
    coaching: {en: Show one skill in depth., de: Eine Fähigkeit vertieft zeigen hilft.}
    stages: [screening, interviewing, final]
  stronger_match:
    candidate: {en: Somebody matched more of it., de: Eine andere Person passte genauer.}
    coaching: {en: Say what you have done before., de: Bisheriges klar benennen hilft.}
    stages: [applied, interviewing, final]
    forbidden_when: [no_interview]
  role_closed:
    candidate: {en: The role was closed., de: Die Stelle wurde geschlossen.}
    stages: [applied, interviewing]
    forbidden_when: [job_open]
map:
  "*skills mismatch*": skills_depth
  "4711": stronger_match
  "other candidate*": stronger_match
"""
DECISION = """\
name: Decision
status: live
enter: {on: application.rejected}
steps:
  - send: status/decision
    if: application.status == "rejected"
"""
KIT = """\
name: Preparation
status: live
enter: {on: interview.scheduled}
steps:
  - send: prep/kit
    at: entered
"""
SAYS_WHY = "{% if application.broad_reason %}Why: {{ application.broad_reason }}{% endif %} End."
SAYS_WHY_OTHERS = (
    "Hello.\n\n{% if why_others %}What others stumbled on:\n\n"
    "{% for one in why_others %}- {{ one }}\n{% endfor %}{% endif %}\n\nEnd."
)
IDA = "ida@example.com"
CANARY = "canary-9f3 she is pregnant"


def template(world: World, name: str, body: str, category: str, locale: str = "") -> None:
    path = world.folder / f"templates/{name}{locale}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"---\nsubject: About it\npreheader: A note\ncategory: {category}\n---\n\n{body}\n"
    )


@pytest.fixture
def house(world: World) -> World:
    (world.folder / "reasons.yaml").write_text(REASONS)
    template(world, "status/decision", SAYS_WHY, "status")
    template(world, "prep/kit", SAYS_WHY_OTHERS, "help")
    world.campaign("decision", DECISION)
    world.campaign("preparation", KIT)
    world.reload()
    return world


@pytest.fixture
def letters(house: World) -> list[str]:
    """The text of each mail that is offered to somebody."""
    found: list[str] = []

    def take(envelope_from: str, to: str, raw: bytes, message_id: str) -> Outcome:
        mail = message_from_bytes(raw, policy=policy.default)
        found.append(mail.get_body(("plain",)).get_content())
        return Accepted()

    house.postman.hand_over = take  # type: ignore[method-assign]
    return found


def applied(world: World, stage: str = "interviewing", **more: Any) -> None:
    world.tell("application.created", application={"id": "a1", "stage": stage, **more})
    world.clock.advance(timedelta(minutes=1))


def rejected(world: World, reason: Any, **more: Any) -> None:
    world.tell("application.rejected", application={"id": "a1", "reason": reason, **more})
    world.run_for(hours=1)


# --- the own reason ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "reason", "said"),
    [
        ("interviewing", "Skills  MISMATCH (tech)", "We needed more depth in one skill."),
        (
            "interviewing",
            {"id": 3, "name": "Skills mismatch"},
            "We needed more depth in one skill.",
        ),
        ("screening", "skills_depth", "We needed more depth in one skill."),
        ("applied", "Skills mismatch", None),  # too early for it
        ("interviewing", {"id": "4711", "text": "x"}, None),  # nobody has met them
        ("interviewing", "role_closed", None),  # the job is open
        ("interviewing", "no idea", None),
        ("interviewing", None, None),
    ],
)
def test_a_mail_says_the_approved_sentence_or_none(
    house: World, letters: list[str], stage: str, reason: Any, said: str | None
) -> None:
    applied(house, stage, job={"id": "j1", "title": "Analyst"})
    rejected(house, reason)
    assert len(letters) == 1
    assert (f"Why: {said}" in letters[0]) if said else ("Why:" not in letters[0])


def test_somebody_who_was_met_may_be_told_of_a_stronger_match(
    house: World, letters: list[str]
) -> None:
    applied(house)
    start = (house.clock.now() - timedelta(days=1)).isoformat()
    house.tell(
        "interview.completed",
        interview={"id": "i1", "application": "a1", "kind": "video", "starts_at": start},
    )
    rejected(house, "other candidate, 2", stage="Rejected")  # its stage is how far they came
    assert "Somebody matched more of it." in letters[-1]


def test_the_sentence_is_in_the_language_of_the_letter(house: World, letters: list[str]) -> None:
    ana = {"id": "c1", "email": "ana@example.com", "locale": "de"}
    house.tell(
        "application.created", application={"id": "a1", "stage": "interviewing"}, candidate=ana
    )
    house.clock.advance(timedelta(minutes=1))
    rejected(house, "skills_depth")
    assert "We needed more depth" in letters[-1]  # there is no German letter, so no German sentence
    template(house, "status/decision", SAYS_WHY.replace("End.", "Ende."), "status", ".de")
    house.reload()
    house.tell("application.reopened", application={"id": "a1"})
    house.clock.advance(timedelta(days=40))
    house.tell("application.rejected", application={"id": "a1", "reason": "skills_depth"})
    preview = house.project.letters.preview("status/decision", _facts(house))
    assert "Uns fehlte Tiefe in einer Fähigkeit." in preview.rendered.text


def test_a_reason_of_before_is_none_after_it_was_opened_again(
    house: World, letters: list[str]
) -> None:
    applied(house)
    rejected(house, "skills_depth")
    house.tell("application.reopened", application={"id": "a1"})
    house.clock.advance(timedelta(minutes=1))
    house.tell("application.rejected", application={"id": "a1"})
    text = house.project.letters.preview("status/decision", _facts(house)).rendered.text
    assert "Why:" not in text


def _facts(world: World, who: str = "c1") -> Any:
    with world.database.read() as connection:
        candidate = find_candidate(connection, who)
        assert candidate is not None
        return world.project.planner.read(connection, {candidate.id})[candidate.id]


def test_who_is_rung_instead_is_told_the_same(house: World) -> None:
    ana = {"id": "c1", "email": "ana@example.com"}
    told = {"channel": "phone", "phone": "+351 210 000 000"}
    house.tell("candidate.preferences", candidate=ana, preferences=told)
    applied(house)
    rejected(house, {"id": 3, "name": "Skills mismatch"})
    with house.database.read() as connection:
        (text,) = connection.exec_driver_sql("SELECT text FROM tasks").scalars()
    assert "Why: We needed more depth in one skill." in text
    assert "mismatch" not in text


def test_a_sentence_that_is_changed_is_said_at_once(house: World, letters: list[str]) -> None:
    applied(house)
    (house.folder / "reasons.yaml").write_text(REASONS.replace("more depth", "greater depth"))
    house.reload()
    rejected(house, "skills_depth")
    assert "greater depth" in letters[-1]


def test_a_broken_list_leaves_the_last_good_one_in_force(house: World, letters: list[str]) -> None:
    applied(house)
    house.project.library.keep()
    (house.folder / "reasons.yaml").write_text(REASONS.replace("more depth", "youthful depth"))
    (problem,) = house.project.reload().problems
    assert (problem.code, problem.line) == ("invalid-value", 3)
    house.restart()
    house.postman.hand_over = _keeping(letters)  # type: ignore[method-assign]
    rejected(house, "skills_depth")
    assert "more depth" in letters[-1]


def _keeping(letters: list[str]) -> Any:
    def take(envelope_from: str, to: str, raw: bytes, message_id: str) -> Outcome:
        letters.append(raw.decode())
        return Accepted()

    return take


# --- why others ----------------------------------------------------------------------------------


def others(world: World, many: int, told: Iterable[Any], **job: Any) -> None:
    """So many people were rejected, for these reasons in turn."""
    reasons = list(told)
    for number in range(many):
        who = f"o{number}-{job.get('id', 'j2')}"
        candidate = {"id": who, "email": f"{who}@example.com"}
        application = {
            "id": f"a-{who}",
            "stage": "interviewing",
            "job": {"id": "j2", "title": "Engineer", "family": "Data", **job},
        }
        world.tell("application.created", application=application, candidate=candidate, **OLD)
        ended = {"id": f"a-{who}", "reason": reasons[number % len(reasons)]}
        world.tell("application.rejected", application=ended, candidate=candidate, **OLD)


OLD = {"historical": True}


def invited(world: World, job: dict[str, Any]) -> None:
    applied(world, job=job)
    start = world.clock.now() + timedelta(days=3)
    interview = {"id": "i1", "application": "a1", "kind": "video", "starts_at": start.isoformat()}
    world.tell("interview.scheduled", application={"id": "a1"}, interview=interview)
    world.run_for(days=1)


DATA = {"id": "j1", "title": "Analyst", "department": "DATA"}


@pytest.mark.parametrize(("many", "there"), [(4, False), (5, True)])
def test_a9_2_with_4_rejections_the_block_is_absent_with_5_present(
    house: World, letters: list[str], many: int, there: bool
) -> None:
    others(house, many, ["Skills mismatch", {"id": 9, "text": "skills mismatch, again"}])
    invited(house, DATA)
    (text,) = letters
    assert ("Show one skill in depth." in text) is there
    assert ("What others stumbled on" in text) is there
    preview = house.project.letters.preview("prep/kit", _facts(house)).rendered.text
    assert ("Show one skill in depth." in preview) is there  # what is looked at is what goes


def test_a9_2_only_the_same_family_the_same_reason_and_the_last_12_months_count(
    house: World, letters: list[str]
) -> None:
    others(house, 3, ["skills_depth"])
    others(house, 4, ["skills_depth"], id="j3", family="Sales")
    others(house, 4, ["stronger_match", "unheard of"], id="j4")
    invited(house, DATA)
    assert "What others stumbled on" not in letters[-1]
    others(house, 2, ["skills_depth"], id="j5", family="data")
    facts = _facts(house)
    now_there = house.project.letters.preview("prep/kit", facts).rendered.text
    assert "Show one skill in depth." in now_there
    house.clock.advance(timedelta(days=366))
    assert "stumbled" not in house.project.letters.preview("prep/kit", facts).rendered.text


def test_a_simulation_writes_such_a_letter_from_its_own_copy(house: World) -> None:
    others(house, 5, ["skills_depth"])
    applied(house, job=DATA)
    start = house.clock.now() + timedelta(days=3)
    interview = {"id": "i1", "application": "a1", "kind": "video", "starts_at": start.isoformat()}
    house.tell("interview.scheduled", application={"id": "a1"}, interview=interview)
    (row,) = simulate(house.project, 1)
    assert (row["template"], row["verdict"]) == ("prep/kit", "send")


def test_the_count_reads_indexes_and_no_table(world: World) -> None:
    """Held to on the database that says so in words."""
    if world.database.dialect != "sqlite":
        pytest.skip("PostgreSQL scans what is small, whatever there is")
    said: list[str] = []

    def explain(conn: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        own = conn.connection.cursor()
        own.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        said.extend(str(row[-1]) for row in own.fetchall())

    with world.database.read() as connection:
        event.listen(world.database.engine, "before_cursor_execute", explain)
        for family in ("data", None):
            rejections.told_since(connection, "j1", family, world.clock.now())
        event.remove(world.database.engine, "before_cursor_execute", explain)
    assert any("ix_applications_told_why" in line for line in said)
    assert not [line for line in said if line.startswith("SCAN") and "COVERING" not in line], said


# --- A9.3 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        {"application": {"id": "a1", "reason": CANARY}},
        {"application": {"id": "a1", "archiveReason": {"id": CANARY, "text": CANARY}}},
        {"application": {"id": "a1", "disqualify_reason": {"id": 3, "name": CANARY}}},
        {"application": {"id": "a1"}, "reason": CANARY},
    ],
)
def test_a9_3_a_sources_own_words_are_in_no_mail_task_page_or_log(
    house: World,
    letters: list[str],
    told: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    house.campaign(
        "errand",
        "name: Errand\nstatus: live\nenter: {on: application.rejected}\nsteps:\n"
        "  - task: {text: \"Ring {{ candidate.first_name | default('them') }}\"}\n",
    )
    house.reload()
    applied(house)
    house.tell("application.rejected", id="no", **told)
    house.run_for(hours=2)
    facts = _facts(house)
    assert "canary" in (facts.applications["a1"].told_reason or "")  # it has come in
    seen = [*letters, caplog.text, repr(facts), repr(house.agenda())]
    seen.append(house.project.letters.preview("status/decision", facts).raw.decode())
    with house.database.read() as connection:
        for table in ("events", "tasks", "messages", "steps", "verdicts", "audit"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            seen.append(repr(rows))
    assert letters
    assert not [text for text in seen if "canary" in text]


def test_what_leads_to_no_reason_is_no_reason_but_is_known_to_be_missing(house: World) -> None:
    applied(house)
    rejected(house, {"id": 12, "name": "Vibes"})
    house.tell(
        "application.rejected",
        application={
            "id": "a2",
            "reason": f"{CANARY}, and more that somebody wrote of them freely",
        },
        candidate={"id": "c2", "email": "bo@example.com"},
    )
    found = of_database(house.database, house.clock.now(), house.project.library.reasons)
    (reasons,) = [each for each in found if each.check == "reasons"]
    assert reasons.level is Level.WARNING
    assert '"12 Vibes" (1), longer texts (1)' in reasons.said
    assert "canary" not in reasons.said


# --- the small rules -----------------------------------------------------------------------------


def test_how_far_somebody_came_is_the_last_stage_on_their_way() -> None:
    told = [["1", "applied", None], ["2", "final", "Final"], ["3", "rejected", "Archive"]]
    assert last_stage(told) == "final"
    assert last_stage([]) is None
    assert last_stage([["1", None, "Odd"], ["2", "on_hold", None]]) is None


def test_a_family_is_what_the_job_says_else_its_department() -> None:
    assert family_of({"family": " Data  Science ", "department": "R&D"}) == "data science"
    assert family_of({"family": "", "department": "R&D"}) == "r&d"
    assert family_of({"title": "Analyst"}) is None


# --- what a colleague liked ----------------------------------------------------------------------


def finalist(world: World, stage: str = "final", kind: str = "video") -> int:
    """Somebody was met and turned down; the number of the letter that waits."""
    said = "{% if application.advocate_line %}We liked: {{ application.advocate_line }}{% endif %}"
    template(world, "status/decision", said + " End.", "decision")
    world.reload()
    applied(world, stage)
    start = (world.clock.now() - timedelta(days=1)).isoformat()
    interview = {"id": "i1", "application": "a1", "kind": kind, "starts_at": start}
    world.tell("interview.completed", interview=interview)
    rejected(world, "skills_depth", stage="Rejected")
    with world.database.read() as connection:
        (row,) = history.message_rows(connection, state=MessageState.HELD, limit=9)
    return int(row["id"])


@pytest.mark.parametrize(
    ("stage", "kind", "asked"),
    [
        ("final", "video", True),
        ("decision", "phone", True),
        ("interviewing", "onsite", True),
        ("interviewing", "video", False),
    ],
)
def test_a_no_to_somebody_who_came_far_goes_with_a_line_about_what_was_liked(
    house: World, letters: list[str], stage: str, kind: str, asked: bool
) -> None:
    id_ = finalist(house, stage, kind)
    if asked:
        with pytest.raises(NurtureError, match="one true sentence"):
            approving.approve(house.project, [id_], IDA)
        with pytest.raises(NurtureError, match="accent"):
            approving.advocate(house.project, id_, "What an accent", IDA)
        approving.advocate(house.project, id_, "You asked the best question", IDA)
    else:
        with pytest.raises(NurtureError, match="no place"):
            approving.advocate(house.project, id_, "You asked the best question", IDA)
    approving.approve(house.project, [id_], IDA)
    house.run_for(minutes=30)
    (text,) = letters
    assert ("We liked: You asked the best question." in text) is asked


def test_another_line_is_another_letter(house: World, letters: list[str]) -> None:
    id_ = finalist(house)
    approving.advocate(house.project, id_, "You asked the best question", IDA)
    approving.approve(house.project, [id_], IDA)
    house.clock.advance(timedelta(minutes=1))
    house.tell(
        "candidate.upserted", application={"id": "a1", "advocate_line": "Your test was clear."}
    )
    house.run_for(minutes=30)
    assert letters == []
    assert (
        "Your test was clear."
        in house.project.letters.preview("status/decision", _facts(house)).rendered.text
    )
