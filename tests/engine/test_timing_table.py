"""Every moment of a recruiting process that good practice knows can be written as a campaign.

One test a moment, from the receipt to the role that closes: the campaign as its authors would write
it, and what a candidate gets of it, when. Times are Lisbon's, which in these weeks are UTC's.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nurture.store.reading import load
from tests.world import World

TUESDAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ANA = {
    "id": "c1",
    "email": "ana@example.com",
    "first_name": "Ana",
    "timezone": "Europe/Lisbon",
    "country": "PT",
}
JOB = {"id": "j1", "title": "Data Engineer"}
RULES = """\
contact_hours: {spread: 0 minutes}
categories:
  decision: {approval: auto}
  offer: {approval: auto}
  closure: {approval: auto}
"""


@pytest.fixture
def moments(world: World) -> World:
    """A world on a Tuesday morning, in which nobody has to approve and nothing is spread."""
    world.clock.set(TUESDAY)
    (world.folder / "config.yaml").write_text(RULES)
    world.restart()
    return world


def campaign(world: World, text: str, **templates: str | dict[str, str]) -> None:
    """A live campaign of this text; `templates` names the category of each that it sends."""
    for name, front in templates.items():
        keys = dict(front) if isinstance(front, dict) else {"category": front}
        body, template = keys.pop("body", ""), f"letters/{name.replace('_', '-')}"
        world.template(template, keys.pop("category"), **keys)
        path = world.folder / "templates" / f"{template}.md"
        path.write_text(path.read_text() + body)
    world.campaign("moment", f"name: Moment\nstatus: live\n{text}")
    world.reload()


def tell(world: World, type_: str, **objects: Any) -> None:
    objects.setdefault("candidate", ANA)
    world.tell(type_, **objects)


def apply_for(world: World, type_: str = "application.created", **more: Any) -> None:
    applied = world.clock.now().isoformat()
    tell(world, type_, application={"id": "a1", "job": JOB, "applied_at": applied, **more})


def interview(
    world: World, starts_at: datetime, type_: str = "interview.scheduled", **more: Any
) -> None:
    told = {
        "id": "i1",
        "kind": "video",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + HOUR).isoformat(),
        "booked_at": world.clock.now().isoformat(),
        **more,
    }
    tell(world, type_, application={"id": "a1", "job": JOB}, interview=told)


def answer(world: World, question: str, value: str) -> None:
    given = {"question": question, "value": value}
    tell(world, "answer.given", application={"id": "a1"}, answer=given)


def got(world: World) -> list[str]:
    return [step for step, _ in world.sent()]


def when(world: World, step: str) -> datetime:
    return dict(world.sent())[step]


def tasks(world: World) -> list[str]:
    return [entry.step for entry in world.agenda() if entry.verdict == "task"]


def test_01_a_receipt_follows_the_application_within_the_hour_and_no_import(
    moments: World,
) -> None:
    campaign(
        moments,
        """
enter:
  on: application.created
steps:
  - send: letters/receipt
    after: 15 minutes
""",
        receipt="receipt",
    )
    moments.clock.set(TUESDAY + 13 * HOUR)  # 23:00: it may come inside any hour
    apply_for(moments)
    tell(
        moments,
        "application.created",
        candidate={"id": "c2"},
        historical=True,
        application={"id": "a2"},
    )
    moments.run_for(days=3)
    assert moments.sent() == [("receipt", TUESDAY + 13 * HOUR + timedelta(minutes=15))]
    assert moments.sent("c2") == []


NO_SILENCE = """
enter:
  on: application.created
steps:
  - send: letters/holding-note
    at: 5 business days after application.last_contact
    repeat: {at_most: 2}
  - task: {text: "Tell {{ candidate.first_name }} how it stands", to: recruiter}
    after: 5 business days
    id: tell-them
"""


def test_02_silence_is_broken_twice_by_a_note_and_then_by_a_person(moments: World) -> None:
    campaign(moments, NO_SILENCE, holding_note="status")
    apply_for(moments)
    moments.run_for(days=6)
    assert got(moments) == []
    tell(moments, "contact.logged", application={"id": "a1"}, contact={"kind": "call"})
    moments.run_for(days=6)  # somebody called on Monday: counted anew from there
    assert got(moments) == []
    moments.run_for(days=40)
    first, second = [at for _, at in moments.sent()]
    assert first - TUESDAY == 13 * DAY
    assert second - first == 7 * DAY
    assert tasks(moments) == ["tell-them"]


def test_03_good_news_asks_its_questions_the_same_day_and_stops_when_answered(
    moments: World,
) -> None:
    campaign(
        moments,
        """
enter:
  on: application.stage_changed
  if: application.stage == "screening"
leave:
  - on: answer.given
steps:
  - send: letters/shortlisted
  - send: letters/please-answer
    after: 2 business days
""",
        shortlisted="status",
        please_answer="help",
    )
    apply_for(moments, "application.stage_changed", stage="screening")
    moments.run_for(days=1)
    assert moments.sent() == [("shortlisted", TUESDAY)]
    answer(moments, "channel", "phone")
    moments.run_for(days=10)
    assert got(moments) == ["shortlisted"]


def test_04_a_booking_is_confirmed_at_once_whatever_the_caps(moments: World) -> None:
    (moments.folder / "config.yaml").write_text(RULES + "caps: [{at_most: 1, per: 7 days}]\n")
    moments.restart()
    campaign(
        moments,
        """
enter:
  on: interview.scheduled
  if: interview.kind == "phone"
steps:
  - send: letters/confirmation
""",
        confirmation="logistics",
    )
    for number in (1, 2):
        interview(moments, TUESDAY + 3 * DAY, id=f"i{number}", kind="phone")
    moments.work()
    assert moments.sent() == [("confirmation", TUESDAY), ("confirmation", TUESDAY)]


def test_05_adjustments_are_asked_for_at_booking_until_none_are_needed(moments: World) -> None:
    campaign(
        moments,
        """
enter:
  on: interview.scheduled
  once_per: interview
  if: not (answered("adjustments") == "none")
steps:
  - send: letters/adjustments
    if: not (answered("adjustments") == "none")
""",
        adjustments={
            "category": "logistics",
            "ask": '[{id: adjustments, text: "What would help?",'
            ' options: {none: "Nothing", some: "Let us talk"}}]',
            "body": '\n{{ ask("adjustments") }}\n',
        },
    )
    interview(moments, TUESDAY + 9 * DAY)
    moments.work()
    assert got(moments) == ["adjustments"]
    interview(moments, TUESDAY + 12 * DAY, id="i2", kind="onsite")  # another format: asked again
    moments.work()
    assert got(moments) == ["adjustments"] * 2
    answer(moments, "adjustments", "none")
    interview(moments, TUESDAY + 14 * DAY, id="i3", kind="panel")
    moments.run_for(days=2)
    assert got(moments) == ["adjustments"] * 2


PREPARATION = """
enter:
  on: interview.scheduled
steps:
  - send: letters/kit
    at: 3 days before interview.starts_at
    if_late: send
    until: 2 hours before interview.starts_at
"""


@pytest.mark.parametrize(
    ("ahead", "after"), [(9 * DAY, 6 * DAY), (DAY, timedelta(0)), (HOUR, None)]
)
def test_06_the_kit_comes_three_days_before_or_at_once_but_never_too_late(
    moments: World, ahead: timedelta, after: timedelta | None
) -> None:
    campaign(moments, PREPARATION, kit="prep")
    interview(moments, TUESDAY + ahead)
    moments.run_for(days=10)
    assert moments.sent() == ([] if after is None else [("kit", TUESDAY + after)])


def test_07_who_did_not_confirm_is_called_four_hours_before(moments: World) -> None:
    campaign(
        moments,
        """
enter:
  on: interview.scheduled
steps:
  - send: letters/reminder
    at: 1 day before interview.starts_at
  - task: {text: "Call {{ candidate.first_name }}: not confirmed", to: coordinator, due: 2 hours}
    at: 4 hours before interview.starts_at
    if: not (answered("coming") == "yes")
    id: call
""",
        reminder={
            "category": "logistics",
            "ask": '[{id: coming, text: "Will you come?", options: {"yes": "Yes", "no": "No"}}]',
            "body": '\n{{ ask("coming") }}\n',
        },
    )
    interview(moments, TUESDAY + 3 * DAY)
    tell(
        moments,
        "interview.scheduled",
        candidate={"id": "c2", "email": "bo@example.com", "first_name": "Bo"},
        application={"id": "a2"},
        interview={"id": "i2", "starts_at": (TUESDAY + 3 * DAY).isoformat()},
    )
    moments.run_for(days=2, hours=1)
    assert moments.sent() == [("reminder", TUESDAY + 2 * DAY)]
    answer(moments, "coming", "yes")
    moments.run_for(days=3)
    assert tasks(moments) == []
    (called,) = [entry for entry in moments.agenda("c2") if entry.verdict == "task"]
    assert called.at == TUESDAY + 3 * DAY - 4 * HOUR


@pytest.mark.parametrize(("ahead", "sent"), [(3 * DAY, True), (5 * HOUR, False)])
def test_08_the_last_reminder_spares_who_has_just_booked(
    moments: World, ahead: timedelta, sent: bool
) -> None:
    campaign(
        moments,
        """
enter:
  on: interview.scheduled
steps:
  - send: letters/two-lines
    at: 2 hours before interview.starts_at
    if: hours_since(interview.booked_at) >= 4
""",
        two_lines="logistics",
    )
    interview(moments, TUESDAY + ahead)
    moments.run_for(days=4)
    assert moments.sent() == ([("two-lines", TUESDAY + ahead - 2 * HOUR)] if sent else [])


CULTURE = """
enter:
  on: interview.scheduled
leave:
  - on: [offer.sent]
steps:
  - send: letters/team
    at: 3 days before interview.starts_at
    until: 24 hours before interview.starts_at
"""


def test_09_the_team_is_introduced_between_booking_and_the_last_day(moments: World) -> None:
    campaign(moments, CULTURE, team="culture")
    interview(moments, TUESDAY + 9 * DAY)
    tell(
        moments,
        "interview.scheduled",
        candidate={"id": "c2", "email": "bo@example.com"},
        application={"id": "a2"},
        interview={"id": "i2", "starts_at": (TUESDAY + 20 * HOUR).isoformat()},
    )
    moments.run_for(days=10)
    assert moments.sent() == [("team", TUESDAY + 6 * DAY)]
    assert moments.sent("c2") == []  # less than a day away


def test_10_thanks_come_the_same_day_with_a_promise(moments: World) -> None:
    campaign(
        moments,
        """
enter:
  on: interview.scheduled
steps:
  - send: letters/thanks
    at: 3 hours after interview.ends_at
    promise: {what: a decision, within: 5 business days}
""",
        thanks={
            "category": "status",
            "body": "\nYou will hear {{ promise.what }} by {{ promise.due | day }}.\n",
        },
    )
    interview(moments, TUESDAY + 2 * HOUR)
    moments.run_for(days=1)
    assert moments.sent() == [("thanks", TUESDAY + 6 * HOUR)]
    with moments.database.read() as connection:
        (facts,) = load(connection, [1]).values()
    (promise,) = facts.promises.values()
    assert promise.due_at.date().isoformat() == "2026-11-17"


PROMISES = """
enter:
  on: promise.made
leave:
  - on: promise.kept
steps:
  - task: {text: "{{ candidate.first_name }} was promised {{ promise.what }}", to: recruiter}
    at: 1 day before promise.due
    id: nudge
  - send: letters/still-deciding
    at: 0 minutes after promise.due
  - task: {text: "Decide, or call {{ candidate.first_name }}", to: manager}
    after: 2 business days
    id: escalate
"""


@pytest.mark.parametrize("kept", [False, True])
def test_11_a_promise_is_remembered_before_it_is_due_and_owned_up_to_when_it_slips(
    moments: World, kept: bool
) -> None:
    campaign(moments, PROMISES, still_deciding="status")
    apply_for(moments)
    due = TUESDAY + 6 * DAY
    made = {"id": "p1", "what": "a decision", "due": due.isoformat(), "owner": "ida@example.com"}
    tell(moments, "promise.made", application={"id": "a1"}, promise=made)
    moments.run_until(due - DAY + HOUR)
    assert tasks(moments) == ["nudge"]
    if kept:
        tell(moments, "promise.kept", application={"id": "a1"}, promise={"id": "p1"})
    moments.run_for(days=9)
    assert moments.sent() == ([] if kept else [("still-deciding", due)])
    assert tasks(moments) == (["nudge"] if kept else ["nudge", "escalate"])


REJECTION = """
enter:
  on: application.rejected
leave:
  - on: application.reopened
steps:
  - if: interview.status == "completed"
    then:
      - task: {text: "Call {{ candidate.first_name }} yourself", to: recruiter}
        id: call
      - wait_for: contact.logged
        up_to: 1 business day
      - send: letters/after-our-talk
    else:
      - send: letters/rejection
        after: 4 hours
"""


def reject(world: World) -> None:
    now = world.clock.now().isoformat()
    tell(world, "application.rejected", application={"id": "a1", "rejected_at": now})


def test_12_a_no_comes_by_mail_after_a_screen_and_by_phone_after_an_interview(
    moments: World,
) -> None:
    graves = {"category": "decision", "tone": "grave"}
    campaign(moments, REJECTION, rejection=graves, after_our_talk=graves)
    apply_for(moments)
    friday = TUESDAY + 3 * DAY
    moments.run_until(friday + 2 * HOUR)
    reject(moments)  # 12:00 + 4 hours is Friday 16:00: never then
    moments.run_for(days=5)
    assert got(moments) == ["rejection"]
    assert when(moments, "rejection").date().isoformat() == "2026-11-16"  # Monday

    met = {"id": "i2", "starts_at": TUESDAY.isoformat(), "status": "completed"}
    bo = {"id": "c2", "email": "bo@example.com", "first_name": "Bo", "country": "PT"}
    tell(moments, "interview.completed", candidate=bo, application={"id": "a2"}, interview=met)
    now = moments.clock.now()  # Wednesday
    tell(
        moments,
        "application.rejected",
        candidate=bo,
        application={"id": "a2", "rejected_at": now.isoformat()},
    )
    moments.run_for(hours=2)
    assert [entry.step for entry in moments.agenda("c2") if entry.verdict == "task"] == ["call"]
    assert moments.sent("c2") == []
    tell(
        moments, "contact.logged", candidate=bo, application={"id": "a2"}, contact={"kind": "call"}
    )
    moments.run_for(hours=1)
    assert moments.sent("c2") == [("after-our-talk", now + 2 * HOUR)]


def test_13_feedback_is_asked_for_later_and_never_in_the_mail_with_the_no(moments: World) -> None:
    campaign(
        moments,
        """
enter:
  on: application.rejected
steps:
  - send: letters/survey
    at: 14 days after application.rejected_at
""",
        survey="help",
    )
    apply_for(moments)
    reject(moments)
    moments.run_for(days=16)
    assert moments.sent() == [("survey", TUESDAY + 14 * DAY)]


OFFER = """
enter:
  on: offer.sent
leave:
  - on: [offer.accepted, offer.declined, offer.withdrawn]
steps:
  - task: {text: "Call {{ candidate.first_name }} with the good news", to: recruiter, due: 4 hours}
    id: call
  - wait_for: contact.logged
    up_to: 1 business day
  - send: letters/offer
  - send: letters/offer-reminder
    at: 48 hours before offer.expires_at
    again_if_moved: false
"""


@pytest.mark.parametrize("accepted", [False, True])
def test_14_an_offer_is_told_then_written_and_reminded_of_once(
    moments: World, accepted: bool
) -> None:
    cheerful = {"category": "offer", "tone": "cheerful"}
    campaign(moments, OFFER, offer=cheerful, offer_reminder={"category": "offer"})
    expires = TUESDAY + 9 * DAY

    def offer(type_: str, until: datetime = expires) -> None:
        told = {"id": "o1", "sent_at": TUESDAY.isoformat(), "expires_at": until.isoformat()}
        tell(moments, type_, application={"id": "a1"}, offer=told)

    offer("offer.sent")
    moments.work()
    assert (tasks(moments), got(moments)) == (["call"], [])
    moments.run_for(hours=3)
    tell(moments, "contact.logged", application={"id": "a1"}, contact={"kind": "call"})
    moments.run_for(days=1)
    assert moments.sent() == [("offer", TUESDAY + 3 * HOUR)]
    if accepted:
        offer("offer.accepted")
    moments.run_until(expires - 40 * HOUR)
    if not accepted:
        offer("offer.sent", expires + 5 * DAY)  # more time: no second reminder
    moments.run_for(days=20)
    assert got(moments) == (["offer"] if accepted else ["offer", "offer-reminder"])


def test_15_a_yes_is_celebrated_the_same_day_and_ends_what_advertised(moments: World) -> None:
    moments.template("letters/drip", "culture")
    moments.campaign(
        "drip",
        "name: Drip\nstatus: live\nenter: {on: application.created}\n"
        "steps:\n  - send: letters/drip\n    after: 5 days\n",
    )
    campaign(
        moments,
        """
enter:
  on: offer.accepted
steps:
  - send: letters/welcome
""",
        welcome={"category": "status", "tone": "cheerful"},
    )
    apply_for(moments)
    moments.run_for(days=2)
    tell(moments, "offer.accepted", application={"id": "a1"}, offer={"id": "o1"})
    moments.run_for(days=20)
    assert moments.sent() == [("welcome", TUESDAY + 2 * DAY)]


def test_16_a_weekly_word_until_the_first_day(moments: World) -> None:
    campaign(
        moments,
        """
enter:
  on: offer.accepted
steps:
  - send: letters/weekly
    at: 1 week after entered
    repeat: {every: 1 week}
    until: 1 day before application.start_date
  - send: letters/first-day
    at: 5 days before application.start_date at 09:00
""",
        weekly="help",
        first_day="logistics",
    )
    start = TUESDAY + 27 * DAY  # Monday 7 December
    tell(
        moments,
        "offer.accepted",
        offer={"id": "o1"},
        application={"id": "a1", "start_date": start.date().isoformat()},
    )
    moments.run_for(days=60)
    weeks = [at for step, at in moments.sent() if step == "weekly"]
    assert [at.date().isoformat() for at in weeks] == ["2026-11-17", "2026-11-24", "2026-12-02"]
    # The first of December is a holiday in Portugal.
    assert when(moments, "first-day").date().isoformat() == "2026-12-02"


def test_17_a_silver_medalist_hears_after_two_weeks_then_in_three_and_six_months(
    moments: World,
) -> None:
    campaign(
        moments,
        """
enter:
  on: application.rejected
  once_per: candidate
  if: days_since(candidate.consent_until) < 0
leave:
  - on: [application.created, candidate.unsubscribed]
steps:
  - send: letters/personal-note
    at: 14 days after entered
  - send: letters/pool-digest
    at: 90 days after entered
    repeat: {every: 90 days, at_most: 2}
""",
        personal_note="check-in",
        pool_digest="digest",
    )
    tell(moments, "candidate.upserted", candidate={**ANA, "consent_until": "2027-12-31"})
    apply_for(moments)
    reject(moments)
    moments.run_for(days=400)
    assert moments.sent()[0] == ("personal-note", TUESDAY + 14 * DAY)
    assert got(moments)[1:] == ["pool-digest", "pool-digest"]
    first, second = [at for step, at in moments.sent() if step == "pool-digest"]
    assert 89 * DAY < first - TUESDAY < 93 * DAY
    assert 179 * DAY < second - TUESDAY < 184 * DAY


def test_18_the_talent_pool_hears_once_a_month_as_long_as_it_agrees(moments: World) -> None:
    campaign(
        moments,
        """
enter:
  if: days_since(candidate.consent_until) < 0 and candidate.notice_period == "pool"
leave:
  - on: candidate.unsubscribed
steps:
  - send: letters/digest
    at: 1 month after entered
    repeat: {every: 1 month}
""",
        digest="digest",
    )
    pool = {"consent_until": "2027-12-31", "notice_period": "pool"}
    tell(moments, "candidate.upserted", candidate={**ANA, **pool})
    moments.run_for(days=100)
    assert got(moments) == ["digest"] * 3
    tell(moments, "candidate.unsubscribed", topics=["all"])
    moments.run_for(days=100)
    assert got(moments) == ["digest"] * 3


RE_ENGAGEMENT = """
enter:
  if: days_since(candidate.last_contact_at) >= 270
  again: 365 days
leave:
  - on: [candidate.replied, answer.given, application.created]
steps:
  - send: letters/one-question
    repeat: {every: 21 days, at_most: 2}
  - task: {text: "{{ candidate.first_name }} is silent: let them go", to: recruiter}
    after: 21 days
    id: sunset
"""


@pytest.mark.parametrize("answered", [False, True])
def test_19_after_nine_months_of_silence_one_question_is_asked_twice(
    moments: World, answered: bool
) -> None:
    campaign(moments, RE_ENGAGEMENT, one_question={"category": "check-in"})
    tell(moments, "contact.logged", contact={"kind": "call"})
    moments.run_for(days=269)
    assert got(moments) == []
    moments.run_for(days=12)
    assert got(moments) == ["one-question"]
    if answered:
        tell(moments, "candidate.replied")
    moments.run_for(days=60)
    assert got(moments) == ["one-question"] * (1 if answered else 2)
    assert tasks(moments) == ([] if answered else ["sunset"])


CONSENT = """
enter:
  if: days_since(candidate.consent_until) >= -31
  again: when_left
leave:
  - if: days_since(candidate.consent_until) < -31
  - on: answer.given
steps:
  - send: letters/keep-you
    at: 30 days before candidate.consent_until
    if_late: send
  - send: letters/last-call
    at: 7 days before candidate.consent_until
  - task: {text: "Erase {{ candidate.full_name }}: no answer means no", to: manager}
    at: 0 days after candidate.consent_until
    id: erase
"""


@pytest.mark.parametrize("renewed", [False, True])
def test_20_consent_is_asked_for_twice_and_no_answer_means_erasure(
    moments: World, renewed: bool
) -> None:
    letter = {"category": "privacy"}
    campaign(moments, CONSENT, keep_you=letter, last_call=letter)
    tell(moments, "candidate.upserted", candidate={**ANA, "consent_until": "2027-03-31"})
    moments.run_until(datetime(2027, 3, 2, 12, tzinfo=UTC))
    assert got(moments) == ["keep-you"]
    if renewed:
        tell(moments, "candidate.upserted", candidate={"id": "c1", "consent_until": "2028-03-31"})
    moments.run_until(datetime(2027, 4, 2, 12, tzinfo=UTC))
    assert got(moments) == (["keep-you"] if renewed else ["keep-you", "last-call"])
    assert tasks(moments) == ([] if renewed else ["erase"])


def test_21_when_a_role_closes_everybody_active_is_told_within_a_business_day(
    moments: World,
) -> None:
    campaign(
        moments,
        """
enter:
  on: job.closed
steps:
  - send: letters/role-closed
""",
        role_closed={"category": "closure", "tone": "grave"},
    )
    apply_for(moments)
    tell(
        moments,
        "application.created",
        candidate={"id": "c2", "email": "bo@example.com"},
        application={"id": "a2", "job": JOB, "status": "withdrawn"},
    )
    moments.run_until(TUESDAY + 12 * HOUR)
    moments.tell("job.closed", candidate=None, job={"id": "j1"})
    moments.run_for(days=3)
    assert got(moments) == ["role-closed"]
    assert when(moments, "role-closed") < TUESDAY + 24 * HOUR
    assert moments.sent("c2") == []
