"""Is what a new project sends on its first day fit for the people who will read it?"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nurture.authoring.check import check
from nurture.authoring.library import Library
from nurture.clock import SetClock
from nurture.config import Config, load_config
from nurture.core.model import (
    Application,
    Candidate,
    Facts,
    Interview,
    Job,
    MessageClass,
    Person,
    Promise,
    Subject,
    Tone,
)
from nurture.engine.sender import Nowhere, Sender, until_idle
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.rendering.context import context
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Rendered, Renderer
from nurture.rendering.templates import Template, load_templates
from nurture.store import history, planning
from nurture.wiring import open_project
from tests.shelf import with_content

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 9, 22, 9, tzinfo=UTC)
#: The longest date that English has: if its subject fits, every subject fits.
STARTS_AT = datetime(2026, 9, 30, 9, tzinfo=UTC)
WHEN = "Wednesday, 30 September 2026, 10:00"
KINDS = ("phone", "video", "technical", "panel", "case", "onsite", "final")
#: Folders of templates that are about one interview.
OF_AN_INTERVIEW = ("interview-prep/", "accommodations/")
SUBJECT = Subject(application="a", interview="i")
PROMISE = Promise(
    ref="p", candidate_id=1, what="an answer", made_at=NOW, due_at=STARTS_AT + timedelta(hours=5)
)

FULL = Facts(
    candidate=Candidate(
        id=1,
        ref="c",
        email="ana@example.com",
        first_name="Ana",
        last_name="Sousa",
        timezone="Europe/Lisbon",
        country="PT",
        locale="en",
    ),
    applications={
        "a": Application(
            ref="a",
            candidate_id=1,
            stage="interviewing",
            job="j",
            recruiter="ida@example.com",
            coordinator="rui@example.com",
            applied_at=NOW - timedelta(days=9),
            stage_since=NOW - timedelta(days=2),
            rejected_at=NOW,
        )
    },
    interviews={
        "i": Interview(
            ref="i",
            candidate_id=1,
            application="a",
            kind="panel",
            starts_at=STARTS_AT,
            ends_at=STARTS_AT + timedelta(hours=1),
            booked_at=NOW,
            fields={
                "location": "1 Example Street, Lisbon, second floor",
                "url": "https://meet.example.com/abc",
                "phone": "+351 210 000 000",
                "interviewers": [
                    {"name": "Marta Reis", "role": "team lead"},
                    {"name": "João Lima", "role": "engineer"},
                    {"name": "Sam Okoro"},
                ],
                "reschedule_url": "https://meet.example.com/abc/move",
            },
        )
    },
    jobs={"j": Job(ref="j", title="Senior Machine Learning Engineer, Search and Ranking")},
    people={
        "ida@example.com": Person(
            email="ida@example.com", name="Ida Berg", phone="+351 210 000 001", title="Recruiter"
        ),
        "rui@example.com": Person(email="rui@example.com", name="Rui Alves"),
    },
)
#: All that an ATS can be relied on to tell: an address, an application, and when the interview is.
MINIMAL = Facts(
    candidate=Candidate(id=2, ref="d", email="d@example.com"),
    applications={"a": Application(ref="a", candidate_id=2)},
    interviews={"i": Interview(ref="i", candidate_id=2, application="a", starts_at=STARTS_AT)},
)

TEMPLATES, PROBLEMS = load_templates(ROOT)
#: Translations are left to those who read them.
TEMPLATES = {name: template for name, template in TEMPLATES.items() if template.locale is None}


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(ROOT / "config.yaml", {})


@pytest.fixture(scope="module")
def renderer(config: Config) -> Renderer:
    return Renderer(TEMPLATES, config, Signer([b"starter content" * 4]))


def variants() -> Iterator[Facts]:
    """The people whom each template is tried with: known well, hardly known, at each stage."""
    yield FULL
    yield MINIMAL
    interview, application = FULL.interviews["i"], FULL.applications["a"]
    for kind in KINDS:
        yield replace(FULL, interviews={"i": replace(interview, kind=kind)})
    for stage in ("applied", "screening", "decision"):
        yield replace(FULL, applications={"a": replace(application, stage=stage)})
    over = replace(interview, starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(days=2))
    yield replace(FULL, interviews={"i": over}, people={})
    yield replace(FULL, interviews={})


def written(renderer: Renderer, config: Config, template: Template, facts: Facts) -> Rendered:
    about = SUBJECT if facts.interviews else Subject(application="a")
    words = context(facts, about, enrollment=None, config=config, now=NOW, promise=PROMISE)
    with_content(words, template.name, facts, about, renderer, config, NOW)
    return renderer.render(template.name, words, candidate_id=facts.candidate.id, locale=None)


_WRITTEN: dict[str, list[Rendered]] = {}


def all_written(renderer: Renderer, config: Config, template: Template) -> list[Rendered]:
    if template.name not in _WRITTEN:
        _WRITTEN[template.name] = [
            written(renderer, config, template, facts)
            for facts in variants()
            if facts.interviews or not template.name.startswith(OF_AN_INTERVIEW)
        ]
    return _WRITTEN[template.name]


def body(text: str) -> str:
    """What the author wrote: the text part without the footer below its signature."""
    signed = re.search(r"^.*, Example Ltd$", text, re.MULTILINE)
    assert signed, f"nobody signed this:\n{text}"
    return text[: signed.end()]


each_template = pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)


def test_the_starter_project_has_no_problems(config: Config) -> None:
    assert [*PROBLEMS, *check(config)] == []


def test_every_campaign_is_live_and_says_what_it_is_for(config: Config) -> None:
    campaigns = Library(config).campaigns
    assert {"interview-preparation", "company-culture", "status-updates"} <= set(campaigns)
    for campaign in campaigns.values():
        assert campaign.status == "live"
        assert campaign.about
        assert campaign.owner


def test_every_template_is_sent_by_a_campaign(config: Config) -> None:
    steps = [step for each in Library(config).campaigns.values() for step in each.every_step()]
    assert {step.send for step in steps if step.send} == set(TEMPLATES)


def test_every_kind_of_interview_gets_exactly_one_kit(config: Config) -> None:
    steps = Library(config).campaigns["interview-preparation"].steps
    kits = [step for step in steps if step.at and step.at.offset.unit == "business days"]
    extras = ("interview-prep/sample-questions", "interview-prep/team-intro")
    kits = [step for step in kits if step.send and step.send not in extras]
    kits = [step for step in kits if step.at and step.at.before]
    for kind in (*KINDS, None):
        interview = {"kind": kind} if kind else {}
        wanted = [
            step.send
            for step in kits
            if step.condition is None or step.condition({"interview": interview}).value
        ]
        assert len(wanted) == 1, (kind, wanted)


#: Of a branch that left its space, its comma or its line break behind, or took one too many away.
TRACES = re.compile(
    r" [,.]|\.\.|,,|\n\n\n|\S- [A-Z]|\n-.*\n\n-|[\w)] (?:If|Does|Each|You|We|When) [a-z]"
)


@each_template
def test_it_renders_for_people_known_well_and_hardly(
    template: Template, renderer: Renderer, config: Config
) -> None:
    for rendered in all_written(renderer, config, template):
        for part in (rendered.subject, rendered.preheader, rendered.text, rendered.html):
            assert "None" not in part
            assert "{{" not in part
        assert not TRACES.search(body(rendered.text))


@each_template
def test_its_subject_and_preheader_fit_an_inbox(
    template: Template, renderer: Renderer, config: Config
) -> None:
    for rendered in all_written(renderer, config, template):
        assert 10 <= len(rendered.subject) <= 50
        assert 20 <= len(rendered.preheader) <= 90
        assert not re.match(r"(?i)(re|fwd?|aw):", rendered.subject)
        assert rendered.subject.isprintable()
        assert "!" not in rendered.subject


@each_template
def test_it_is_short(template: Template, renderer: Renderer, config: Config) -> None:
    nurture = config.categories[template.category].klass is MessageClass.NURTURE
    for rendered in all_written(renderer, config, template):
        assert len(body(rendered.text).split()) <= (120 if nurture else 200)


@each_template
def test_its_reader_is_greeted_and_it_is_signed_by_a_person_where_one_is_known(
    template: Template, renderer: Renderer, config: Config
) -> None:
    known = body(written(renderer, config, template, FULL).text)
    assert known.startswith("Hello Ana,")
    assert known.endswith(("Ida Berg\nRecruiter, Example Ltd", "Ida Berg, Example Ltd"))
    unknown = body(written(renderer, config, template, MINIMAL).text)
    assert unknown.startswith("Hello there,")
    assert unknown.endswith("The hiring team, Example Ltd")


BANNED = re.compile(
    r"(?i)just checking in|touch(ing)? base|last chance|don't miss|hurry|are you sure|urgent\b"
    r"|asap|exciting|thrilled|rockstar|ninja|guru|family\b|world-class|fast-paced|synergy|leverage"
    r"|unfortunately|regret to inform|overqualified|culture fit|reach out|circle back|kindly"
    r"|no-?reply|act now|amazing|passion"
)


@each_template
def test_it_uses_no_word_that_presses_flatters_or_hides(
    template: Template, renderer: Renderer, config: Config
) -> None:
    for rendered in all_written(renderer, config, template):
        words = f"{rendered.subject}\n{rendered.preheader}\n{body(rendered.text)}"
        # A week "when everything was urgent" is a question about their work, not a pressure.
        found = BANNED.search(words.replace("everything was urgent", ""))
        assert found is None, found
        if template.tone is Tone.GRAVE:
            assert "!" not in words


@each_template
def test_the_only_pictures_are_words(template: Template) -> None:
    assert "![" not in template.body
    assert "<img" not in template.body


@pytest.mark.parametrize(
    "name",
    [
        "confirmation",
        "changed",
        "what-to-expect",
        "phone-kit",
        "technical-kit",
        "panel-kit",
        "case-kit",
        "onsite-day",
        "final-kit",
        "team-intro",
        "sample-questions",
        "day-before",
        "two-hours-before",
        "cancelled",
    ],
)
def test_the_text_part_says_when_the_interview_is(
    name: str, renderer: Renderer, config: Config
) -> None:
    template = TEMPLATES[f"interview-prep/{name}"]
    for facts in (FULL, MINIMAL):
        text = written(renderer, config, template, facts).text
        assert WHEN in " ".join(text.split())


@pytest.mark.parametrize("name", ["confirmation", "changed", "day-before", "two-hours-before"])
def test_the_way_in_is_in_the_text_part_too(name: str, renderer: Renderer, config: Config) -> None:
    text = written(renderer, config, TEMPLATES[f"interview-prep/{name}"], FULL).text
    for fact in ("https://meet.example.com/abc", "+351 210 000 000", "1 Example Street, Lisbon"):
        assert fact in text


@pytest.mark.parametrize(
    "name",
    [
        "interview-prep/confirmation",
        "interview-prep/what-to-expect",
        "interview-prep/phone-kit",
        "interview-prep/technical-kit",
        "interview-prep/panel-kit",
        "interview-prep/case-kit",
        "interview-prep/onsite-day",
        "interview-prep/final-kit",
        "accommodations/ask",
        "status/received",
        "status/next-stage",
    ],
)
def test_everyone_is_asked_in_the_same_words_what_would_be_hard(
    name: str, renderer: Renderer, config: Config
) -> None:
    for rendered in all_written(renderer, config, TEMPLATES[name]):
        text = " ".join(rendered.text.split())
        assert re.search(r"hard for you|easier for you", text)
        assert "no influence on the decision" in text or name == "status/received"


def test_bad_news_is_in_the_first_sentence_and_waits_for_a_person(
    renderer: Renderer, config: Config
) -> None:
    template = TEMPLATES["status/not-this-time"]
    assert config.categories[template.category].approval == "each"
    for rendered in all_written(renderer, config, template):
        assert "not to go on with your application" in rendered.text.partition(".")[0]


def test_what_is_promised_is_followed_by_somebody(config: Config) -> None:
    """A mail that names a day makes a promise, and the one that watches over promises is live."""
    campaigns = Library(config).campaigns
    steps = [step for each in campaigns.values() for step in each.every_step() if step.send]
    named = {step.send for step in steps if "promise.due" in TEMPLATES[step.send or ""].body}
    debts = [each for each in campaigns.values() if each.enter.on == "promise.made"]
    told = {step.send for each in debts for step in each.every_step()}
    assert named - told <= {step.send for step in steps if step.promise} <= named
    assert campaigns["promises"].enter.on == "promise.made"
    tasks = [step.task.to for step in campaigns["promises"].steps if step.task]
    assert tasks == ["recruiter", "hiring_manager"]


# --- the campaigns, run by the engine on an imagined clock ---------------------------------------

THURSDAY = datetime(2026, 12, 3, 10, tzinfo=UTC)


class Story:
    """One candidate of the starter project, and what they get as the days go by."""

    def __init__(self, folder: Path, begins_at: datetime) -> None:
        folder.joinpath("config.yaml").write_text("")
        for name in ("campaigns", "content", "templates"):
            folder.joinpath(name).symlink_to(ROOT / name)
        self.clock = SetClock(begins_at)
        self.begins_at = begins_at
        self.project = open_project(folder / "config.yaml", self.clock, {})
        project = self.project
        self.sender = Sender(
            project.database, project.planner, self.clock, project.letters.write, Nowhere()
        )

    def tell(self, kind: str, *, stage: str, **more: Any) -> None:
        event = {
            "type": kind,
            "occurred_at": self.clock.now().isoformat(),
            "candidate": {"id": "c", "email": "ana@example.com", "timezone": "Europe/Lisbon"},
            "application": {"id": "a", "stage": stage, "recruiter": "ida@example.com"},
            **more,
        }
        apply(self.project.database, parse_event(event), self.clock.now())

    def book(self, starts_at: datetime, kind: str = "interview.scheduled") -> None:
        about = {
            "id": "i",
            "kind": "panel",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        }
        self.tell(kind, stage="interviewing", interview=about)

    def live_until(self, end: datetime) -> None:
        while True:
            until_idle(self.project.planner, self.sender)
            with self.project.database.read() as connection:
                alarm = planning.next_alarm(connection)
            if alarm is None or alarm > end:
                break
            self.clock.set(max(alarm, self.clock.now()))
        self.clock.set(end)

    def so_far(self) -> list[tuple[str, str, str]]:
        """When (Lisbon is at UTC in winter), what, and whether it was a mail or a task."""
        with self.project.database.read() as connection:
            rows = list(history.final_verdicts(connection, since=self.begins_at))
        return [
            (datetime.fromisoformat(row["at"]).strftime("%a %H:%M"), row["step"], row["verdict"])
            for row in rows
            if row["verdict"] != "skip"
        ]

    def mails(self) -> list[str]:
        return [step for _, step, verdict in self.so_far() if verdict == "send"]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Callable[[datetime], Story]]:
    stories: list[Story] = []

    def begin(begins_at: datetime) -> Story:
        stories.append(Story(tmp_path, begins_at))
        return stories[-1]

    yield begin
    for each in stories:
        each.project.close()


@pytest.mark.parametrize(("days", "hour"), [(7, 9), (3, 9), (2, 9), (1, 9), (1, 17)])
def test_a_whole_interview_week_goes_through_and_culture_waits(
    days: int, hour: int, story: Callable[[datetime], Story]
) -> None:
    ana = story((THURSDAY - timedelta(days=days)).replace(hour=hour))
    ana.tell("application.stage_changed", stage="interviewing")
    ana.book(THURSDAY)
    ana.live_until(THURSDAY + timedelta(days=40))
    mails = ana.mails()
    service = ["confirmation", "panel-kit", "day-before", "two-hours-before", "thank-you"]
    assert sorted(each for each in mails if each in service) == sorted(service)
    culture = ["how-we-decide", "a-hard-week", "meet-the-team"]
    assert [each for each in mails if each in culture] == culture
    before = mails[: mails.index("thank-you")]
    assert days == 7 or not set(before) & set(culture)
    assert ("Mon 14:00", "answer-due", "task") in ana.so_far()


def test_a_moved_interview_is_told_and_its_reminders_follow_but_not_the_lesson(
    story: Callable[[datetime], Story],
) -> None:
    ana = story(THURSDAY - timedelta(days=7))
    ana.book(THURSDAY)
    ana.live_until(THURSDAY - timedelta(hours=18))  # the day-before reminder has gone
    ana.book(THURSDAY + timedelta(days=4), "interview.rescheduled")
    ana.live_until(THURSDAY + timedelta(days=7))
    assert ana.so_far() == [
        ("Thu 10:00", "confirmation", "send"),
        ("Thu 11:00", "ask", "send"),
        ("Mon 10:00", "panel-kit", "send"),
        ("Tue 10:00", "sample-questions", "send"),
        ("Wed 15:00", "day-before", "send"),
        ("Wed 16:00", "changed", "send"),
        ("Sun 15:00", "day-before", "send"),
        ("Mon 06:00", "not-confirmed", "task"),
        ("Mon 08:00", "two-hours-before", "send"),
        ("Mon 14:00", "thank-you", "send"),
        ("Wed 14:00", "answer-due", "task"),
        ("Thu 10:00", "date-stands", "send"),
    ]


def test_a_cancelled_interview_is_told_once_and_leads_to_a_word_on_what_is_next(
    story: Callable[[datetime], Story],
) -> None:
    ana = story(THURSDAY - timedelta(days=2))
    ana.book(THURSDAY)
    ana.live_until(THURSDAY - timedelta(days=1))
    ana.book(THURSDAY, "interview.cancelled")
    ana.live_until(THURSDAY + timedelta(days=4))
    assert ana.so_far()[-3:] == [
        ("Wed 10:10", "cancelled", "send"),
        ("Wed 10:20", "say-what-is-next", "task"),
        ("Fri 17:58", "still-in-review", "send"),
    ]


def test_nobody_who_applies_is_left_in_silence(story: Callable[[datetime], Story]) -> None:
    ana = story(THURSDAY.replace(hour=23))
    ana.tell("application.created", stage="applied")
    ana.live_until(THURSDAY + timedelta(days=30))
    assert ana.so_far() == [
        ("Thu 23:00", "received", "send"),
        ("Wed 09:00", "due-tomorrow", "task"),
        ("Thu 15:00", "new-date", "send"),
        ("Wed 09:00", "due-tomorrow", "task"),
        ("Thu 15:00", "taking-longer", "send"),
        ("Wed 09:00", "due-tomorrow", "task"),
        ("Thu 15:00", "slipped-again", "task"),
        ("Mon 11:00", "decide-or-explain", "task"),
    ]


def test_people_whom_a_recruiter_found_are_not_thanked_for_applying(
    story: Callable[[datetime], Story],
) -> None:
    ana = story(THURSDAY)
    ana.tell("application.created", stage="lead")
    ana.live_until(THURSDAY + timedelta(days=30))
    assert ana.so_far() == []


def test_good_news_waits_for_a_slip_of_the_mouse_to_be_taken_back(
    story: Callable[[datetime], Story],
) -> None:
    ana = story(THURSDAY - timedelta(days=14))
    ana.tell("application.stage_changed", stage="screening")
    ana.live_until(THURSDAY)
    before = ana.mails()
    assert "shortlisted" in before
    ana.tell("application.stage_changed", stage="interviewing")
    ana.live_until(THURSDAY + timedelta(minutes=10))
    ana.tell("application.stage_changed", stage="screening")
    ana.live_until(THURSDAY + timedelta(hours=8))
    assert ana.mails() == before


def test_a_shortlist_waits_for_a_slip_of_the_mouse_to_be_taken_back(
    story: Callable[[datetime], Story],
) -> None:
    ana = story(THURSDAY)
    ana.tell("application.stage_changed", stage="screening")
    ana.live_until(THURSDAY + timedelta(minutes=10))
    ana.tell("application.stage_changed", stage="applied")
    ana.live_until(THURSDAY + timedelta(hours=8))
    assert ana.mails() == []


def test_a_no_after_an_interview_is_spoken_first_and_is_never_sent_unread(
    story: Callable[[datetime], Story],
) -> None:
    ana = story(THURSDAY - timedelta(days=7))
    ana.book(THURSDAY)
    ana.live_until(THURSDAY + timedelta(days=1))
    before = len(ana.so_far())
    ana.tell("application.rejected", stage="rejected")
    ana.live_until(THURSDAY + timedelta(days=30))
    assert ana.so_far()[before:] == [
        ("Fri 10:00", "call-first", "task"),
        ("Wed 09:00", "not-told-yet", "task"),
        ("Fri 10:00", "must-be-told", "task"),
    ]
