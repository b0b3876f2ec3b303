"""Promises of campaign files: what they mean, and that every mistake is found at its place."""

from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.authoring.campaign_file import Surroundings, read_campaign
from nurture.authoring.check import check
from nurture.config import Config
from nurture.core.model import CampaignStatus, Duration, Moment, Tone
from nurture.errors import Problems
from nurture.rendering.templates import Template

FIRST = """
    name: Interview preparation
    enter:
      on: interview.scheduled
    steps:
      - send: prep/kit
        at: 1 day before interview.starts_at
"""


def test_five_keys_are_a_campaign(project):
    project.template("prep/kit")
    project.campaign(FIRST)
    library = project.library()
    assert library.problems == ()
    campaign = library.campaigns["prep"]
    assert (campaign.name, campaign.title) == ("prep", "Interview preparation")
    assert campaign.status is CampaignStatus.DRAFT
    assert campaign.enter.once_per == "interview"
    [step] = campaign.steps
    assert (step.id, step.category, step.line) == ("kit", "prep", 5)
    assert step.at == Moment(
        offset=Duration(amount=1, unit="days"), before=True, anchor="interview.starts_at"
    )
    assert step.until == Moment(
        offset=Duration(amount=0, unit="minutes"), before=False, anchor="interview.starts_at"
    )
    assert step.again_if_moved is True


def test_every_key_means_what_the_reference_says(project):
    project.template("culture/team", category="culture")
    project.campaign(
        """
        name: All
        about: For a test.
        owner: Ida
        status: live
        enter: {on: application.created, if: candidate.country == "PT", once_per: candidate}
        leave:
          - on: offer.accepted
          - on: [application.withdrawn, custom.moved_on]
          - if: replied()
        steps:
          - send: culture/team
            at: 3 business days after entered at 09:30
            until: 2 weeks after entered
            if: not sent("culture/team")
            if_late: send
            again_if_moved: true
            category: digest
            id: hello
          - task: {text: "Call {{ candidate.first_name }} today", to: manager, due: 2 days}
            after: 0
        """
    )
    library = project.library()
    assert library.problems == ()
    campaign = library.campaigns["prep"]
    assert (campaign.about, campaign.owner, campaign.status) == ("For a test.", "Ida", "live")
    assert campaign.enter.once_per == "candidate"
    assert [leave.on for leave in campaign.leave] == [
        {"offer.accepted"},
        {"application.withdrawn", "custom.moved_on"},
        frozenset(),
    ]
    send, task = campaign.steps
    assert send.at is not None
    assert send.at.at == time(9, 30)
    assert (send.id, send.category, send.if_late, send.again_if_moved, send.tone) == (
        "hello",
        "digest",
        "send",
        True,
        Tone.NEUTRAL,
    )
    assert task.id == "call-today"
    assert task.task is not None
    assert (task.task.to, task.task.due) == ("manager", Duration(amount=2, unit="days"))
    assert task.after == Duration(amount=0, unit="minutes")


@pytest.mark.parametrize(
    ("event", "once_per"),
    [
        ("interview.completed", "interview"),
        ("offer.sent", "offer"),
        ("application.created", "application"),
        ("job.closed", "application"),
        ("candidate.upserted", "candidate"),
        ("custom.fair", "candidate"),
    ],
)
def test_a_person_enters_once_per_what_the_event_is_about(project, event, once_per):
    project.campaign(f"name: x\nenter: {{on: {event}}}\nsteps: [{{task: {{text: Call}}}}]\n")
    assert project.library().campaigns["prep"].enter.once_per == once_per


def campaign(*lines: str, enter: str = "on: interview.scheduled") -> str:
    """A campaign of whose steps `lines` begin on line 4."""
    return "\n".join(["name: x", f"enter: {{{enter}}}", "steps:", *lines, ""])


STEP = "  - send: prep/kit"
AT = "    at: 1 day before interview.starts_at"

MISTAKES = {
    "unknown-key": (campaign(STEP, "    att: 1 day"), 5, 5, 'did you mean "at"?'),
    "missing-key": ("name: x\nenter: {on: offer.sent}\n", 1, 1, '"steps"'),
    "wrong-type": (campaign(STEP, "    until: 3"), 5, 12, "in quotes"),
    "invalid-value": (campaign(STEP, "    if_late: maybe"), 5, 14, "skip or send"),
    "yaml": ("name: [x\n", 1, 7, "is not closed"),
    "duplicate-key": (campaign(STEP, "    send: prep/kit"), 5, 5, "line 4"),
    "encoding": (b"name: x\nabout: \xff\n", 2, 8, "UTF-8"),
    "file-name": (campaign(STEP), 1, 1, "letters"),
    "unknown-event": (campaign(STEP, enter="on: interview.sheduled"), 2, 13, "interview.scheduled"),
    "once-per": (campaign(STEP, enter="on: offer.sent, once_per: interview"), 2, 35, "application"),
    "on-or-if": (campaign(STEP, "leave: [{}]"), 5, 9, "exactly one"),
    "send-or-task": (campaign("  - at: 1 day after entered"), 4, 5, "exactly one"),
    "at-and-after": (campaign(STEP, AT, "    after: 2 days"), 6, 5, "only one"),
    "never-due": (
        campaign(STEP, AT, "    until: 2 days before interview.starts_at"),
        6,
        12,
        "over",
    ),
    "moment": (campaign(STEP, "    at: 1 day befor interview.starts_at"), 5, 9, "`before`"),
    "duration": (campaign(STEP, "    after: soon"), 5, 12, "duration"),
    "step-id": (campaign(STEP, "    id: a b"), 5, 9, "letters"),
    "duplicate-id": (campaign(STEP, AT, STEP), 6, 11, "line 4"),
    "unknown-template": (campaign("  - send: prep/kti"), 4, 11, 'did you mean "prep/kit"?'),
    "unknown-category": (campaign(STEP, "    category: cultur"), 5, 15, '"culture"'),
    "loose-category": (campaign(STEP, "    category: logistics"), 5, 15, "priority 100 above 70"),
    "not-supplied": (campaign(STEP, AT, enter="on: candidate.upserted"), 5, 22, "no interview"),
    "expression": (campaign(STEP, "    if: interview.kind = 'x'"), 5, 24, "=="),
    "unknown-name": (campaign(STEP, "    if: true or interview.knd"), 5, 17, '"kind"'),
    "unknown-value": (campaign(STEP, '    if: interview.kind == "vid"'), 5, 28, '"video"'),
    "template-syntax": (campaign("  - task:", "      text: a {{ b"), 5, 15, ""),
    "unknown-filter": (campaign("  - task: {text: '{{ job.title | uper }}'}"), 4, 34, '"upper"'),
    "again": (campaign(STEP, enter="on: offer.sent, again: often"), 2, 32, "when_left"),
    "not-here": (campaign("  - wait_for: offer.sent", AT), 5, 5, "up_to"),
    "branch": (campaign("  - if: replied()", "    else:", "      - send: prep/kit"), 5, 5, "not ("),
    "repeat": (campaign(STEP, AT, "    repeat: {}"), 6, 13, "again_if_moved"),
    "no-until": (campaign(STEP, "    if_expired: task"), 5, 5, "never expires"),
    "was": (campaign(STEP, "    was: kit"), 5, 10, "line 4"),
}


@pytest.mark.parametrize("code", MISTAKES)
def test_a_mistake_is_found_at_its_place_with_what_to_do(project, code):
    text, line, column, said = MISTAKES[code]
    project.template("prep/kit")
    name = "a b" if code == "file-name" else "prep"
    project.write(f"campaigns/{name}.yaml", text)
    [problem] = project.library().problems
    assert (problem.code, problem.line, problem.column) == (code, line, column)
    assert said in f"{problem.message} {problem.hint}"


def test_every_mistake_of_every_kind_is_told_in_one_go(project, told):
    project.template("prep/kit", body="Hello {{ candidate.frst_name }}\n\n{{ interview.url }}")
    project.campaign(
        """
        name: x
        colour: red
        enter: {on: candidate.upserted}
        leave: {on: offer.sent}
        steps:
          - send: prep/kit
            if: >-
              replied()
              and candidate.emial == "x"
          - send: [1]
          - nonsense
          - send: prep/other
            repeat: {every: 1 dya}
            if_late: never
        """
    )
    assert told(check(project.config)) == [
        "prep.yaml:2:1 unknown-key",
        "prep.yaml:4:8 wrong-type",
        "prep.yaml:6:11 not-supplied",
        "prep.yaml:9:11 unknown-name",
        "prep.yaml:10:11 wrong-type",
        "prep.yaml:11:5 wrong-type",
        "prep.yaml:12:11 unknown-template",
        "prep.yaml:13:21 duration",
        "prep.yaml:14:14 invalid-value",
        "kit.md:5:10 unknown-name",
    ]


def test_mistakes_within_branches_are_found_at_their_place(project, told):
    project.template("prep/kit")
    project.campaign(
        campaign(
            "  - if: replied()",
            "    then:",
            "      - send: prep/kti",
            "      - if: interview.knd is defined",
            "        then:",
            "          - wait_for: interview.sheduled",
            "            up_to: soon",
            "          - {task: {text: Call}, att: 1 day}",
            "    else:",
            "      - nonsense",
            STEP,
        )
    )
    assert told(project.library().problems) == [
        "prep.yaml:6:15 unknown-template",
        "prep.yaml:7:13 unknown-name",
        "prep.yaml:9:23 unknown-event",
        "prep.yaml:10:20 duration",
        "prep.yaml:11:34 unknown-key",
        "prep.yaml:13:9 wrong-type",
    ]


def test_a_more_restrained_category_is_allowed(project):
    project.template("prep/kit")
    project.campaign(campaign(STEP, "    category: culture"))
    assert project.library().campaigns["prep"].steps[0].category == "culture"


def test_a_nurture_mail_cannot_be_called_service(project):
    project.template("prep/kit", category="check-in")
    project.campaign(campaign(STEP, "    category: help"))
    [problem] = project.library().problems
    assert problem.code == "loose-category"


def test_a_declared_field_cannot_hide_one_that_everybody_has(project, told):
    text = "candidate_fields:\n  email: text\n"
    project.write("config.yaml", text)
    config = Config(root=project.root, candidate_fields={"email": "text"})
    assert told(check(config)) == ["config.yaml:2:3 field-taken"]


# --- any text at all ----------------------------------------------------------------------------

GOOD = """\
name: x
about: |
  two
  lines
status: live
enter: {on: interview.scheduled, if: interview.kind == "video", once_per: interview}
leave:
  - on: [offer.accepted]
  - if: hours_since(interview.starts_at) > 3
steps:
  - send: prep/kit
    at: 1 day before interview.starts_at at 09:00
    until: 2 hours before interview.starts_at
    if: 'interview.kind in ("video", "panel")'
  - task: {text: "Call {{ candidate.first_name | upper }}", to: recruiter, due: 1 day}
    after: 3 business days
"""
KIT = Template(
    name="prep/kit", file="k", subject="Hi", category="prep", topic="prep", body="x", markdown=True
)
AROUND = Surroundings(Config(root="."), {"prep/kit": KIT})


def read_or_complain(raw: bytes) -> None:
    try:
        read_campaign(raw, "prep.yaml", AROUND)
    except Problems as found:
        lines = raw.count(b"\n") + raw.count(b"\r") + 2
        for problem in found.problems:
            assert 1 <= problem.line <= lines
            assert problem.column >= 1


def test_the_good_text_is_good():
    assert len(read_campaign(GOOD.encode(), "prep.yaml", AROUND).steps) == 2


@settings(max_examples=250, deadline=None)
@given(
    st.integers(0, len(GOOD)),
    st.integers(0, 30),
    st.sampled_from(
        ["", ":", "-", "[", "}", '"', "\n", "\t", "{{", "%}", "\u00e9", "null", "- ", "3"]
    )
    | st.text(max_size=5),
)
def test_a_broken_file_is_complained_about_and_never_crashes(at, cut, insert):
    read_or_complain((GOOD[:at] + insert + GOOD[at + cut :]).encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()))
def test_any_bytes_are_complained_about(raw):
    read_or_complain(raw)


LINES = GOOD.splitlines()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=14))
def test_lines_in_any_order_never_crash(lines):
    read_or_complain("\n".join(lines).encode())
