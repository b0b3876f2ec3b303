"""What people write who come from spreadsheets, SQL, JavaScript or plain English: is each told?

A § stands before the character at which a problem is expected; the rest says what is wanted there.
"""

import pytest

from nurture.authoring.check import check_all

CAMPAIGN = """\
name: Trial
enter:
  on: interview.scheduled
  if: {}
steps:
  - task: {{text: Call them}}
"""


@pytest.fixture
def planted(project):
    """What `check` says of one file written with marks, and where the marks were."""

    def planted(text: str, name: str = "campaigns/trial.yaml"):
        marks, plain = [], ""
        for piece in text.split("§"):
            plain += piece
            marks.append((plain.count("\n") + 1, len(plain) - plain.rfind("\n")))
        project.write(name, plain)
        return check_all(project.root / "config.yaml", {}), marks[:-1]

    return planted


@pytest.mark.parametrize(
    ("condition", "code", "said"),
    [
        ('interview.kind §is "video"', "expression", "write =="),
        ('interview.kind §is not "video"', "expression", "write !="),
        ("interview.kind is §video", "expression", '== "video"'),
        ('interview.kind §<> "video"', "expression", "write !="),
        ("days_since(application.applied_at) §=> 3", "expression", "write >="),
        ("days_since(application.applied_at) > 3 §days", "expression", "unit"),
        ('days_since(application.applied_at) > "§3 days"', "unknown-value", "write 3"),
        ('replied() §AND interview.kind == "video"', "expression", "write and"),
        ("§NOT replied()", "expression", "write not"),
        ('§if interview.kind == "video"', "expression", "begin with what it asks"),
        ('job.title §contains "Engineer"', "expression", "in job.title"),
        ('interview.kind == "video" or "§panel"', "expression", 'in ("video", "panel")'),
        ('interview.kind != "video" and "§panel"', "expression", 'not in ("video", "panel")'),
        ('interview.kind == "video" or §panel', "expression", 'in ("video", "panel")'),
        ('interview.kind in "§video"', "expression", '== "video"'),
        ('interview.kind in ("§video")', "expression", '== "video"'),
        ("interview.url == §null", "expression", "is defined"),
        ("interview.url != §None", "expression", "is defined"),
        ("interview.starts_at < §now", "unknown-name", "hours_since"),
        ("interview.starts_at > §now()", "unknown-name", "hours_since"),
        ("interview.starts_at > §3", "expression", "days_since(interview.starts_at)"),
        ("interview.starts_at > §2026-12-24", "expression", "days_since(interview.starts_at)"),
        ("application.stage == §3", "unknown-value", "screening"),
        ("candidate.country == §3", "unknown-value", '"3"'),
        ('interview.duration_minutes > "§60"', "unknown-value", "write 60"),
        ('replied() == "§yes"', "unknown-value", "write replied()"),
        ('candidate.skills == "§python"', "unknown-value", '"python" in candidate.skills'),
        ("not §sent(interview-prep/thank-you)", "unquoted-word", '"interview-prep/thank-you"'),
        ('§days_since("application.applied_at") > 3', "expression", "without quotes"),
        ("\"§{{ interview.kind == 'video' }}\"", "expression", "remove the braces"),
        ('§(interview.kind == "video" or replied()', "expression", "not closed"),
        ('interview.kind == §"video', "expression", "not closed"),
        ("application.source §== #indeed", "expression", "comment"),
        ('replied() and (interview.kind == "video")§)', "expression", "nothing that this"),
        (
            'interview.kind == "video" and application.stage == "§video"',
            "unknown-value",
            "application.stage",
        ),
        (
            'candidate.frist_name == "a" and §candidate.frist_name == "b"',
            "unknown-name",
            "first_name",
        ),
    ],
)
def test_a_condition_in_another_languages_way_is_told_with_what_to_write(
    planted, condition, code, said
):
    problems, [mark] = planted(CAMPAIGN.format(condition))
    told = {(p.line, p.column): p for p in problems}
    assert mark in told
    assert told[mark].code == code
    assert said in f"{told[mark].message} ({told[mark].hint})"


STEPS = "name: Trial\nenter: {on: interview.scheduled}\nsteps:\n  - task: {text: Call them}\n"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        # A key with nothing behind it would be a condition that everybody meets, or mail at once.
        (CAMPAIGN.format("").replace("if: ", "§if:"), "missing-key", "write if: ..."),
        (f"{STEPS}    §at:\n", "missing-key", "write at: ..."),
        (f"{STEPS}    §until: # a comment\n", "missing-key", "write until: ..."),
        ("name: Trial\nenter: {on: interview.scheduled}\n§steps:\n", "missing-key", "steps"),
        (f"{STEPS}  §-\n", "wrong-type", "keys with values"),
        # The shape of one thing where another is expected.
        (STEPS.replace("interview.scheduled", "§[interview.scheduled]"), "wrong-type", "one of"),
        (STEPS.replace("{on: ", "§").replace("}\ns", "\ns"), "wrong-type", '"on: interview'),
        (f"{STEPS}  - if: replied()\n    then: §prep/kit\n", "wrong-type", '"- send: prep/kit"'),
        (f"{STEPS}    after: §3\n", "wrong-type", "3 days"),
        (STEPS.replace("{text: C", "§C").replace("m}", "m"), "wrong-type", '"text: Call them"'),
        (f"{STEPS}leave:\n  - §offer.accepted\n", "wrong-type", '"on: offer.accepted"'),
        # What other tools call it.
        (
            STEPS.replace("enter: {on: ", "§trigger: ").replace("}\ns", "\ns"),
            "unknown-key",
            "enter",
        ),
        (f"{STEPS}    §delay: 2 days\n", "unknown-key", '"after"'),
        (f"{STEPS}    §unless: replied()\n", "unknown-key", '"if"'),
        (f"{STEPS}    §subject: Hello\n", "unknown-key", "in the template's file"),
        (STEPS.replace("name", "§Name"), "unknown-key", '"name"'),
        (f"{STEPS}  - §send = kit\n", "wrong-type", '"send: kit"'),
        (STEPS.replace("- task", "§– task"), "wrong-type", '"- task: ..."'),
        (STEPS.replace("task: {", "task:§\u00a0{"), "odd-space", "type a space"),
        (
            f"{STEPS}  - if: replied()\n    then:\n    - send: a/b\n      §else: [send: a/c]\n",
            "send-or-task",
            "as far as the `if:`",
        ),
    ],
)
def test_another_shape_or_word_is_one_problem_that_says_what_to_write(planted, text, code, said):
    problems, [mark] = planted(text)
    [told] = [p for p in problems if p.file.endswith(".yaml")]
    assert ((told.line, told.column), told.code) == (mark, code)
    assert said in f"{told.message} ({told.hint})"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("company:\n  brand:\n    §accent: #1f6f5c\n", "missing-key", 'accent: "#1f6f5c"'),
        ("company:\n  brand:\n    accent: §green\n", "invalid-value", '"#1f6f5c"'),
        ("§gap:\nmax_wait: 30 days\n", "missing-key", "no value"),
        ("company: {site: §example.com}\n", "invalid-value", "https://example.com"),
        ("database: §mysql://localhost/x\n", "invalid-value", "sqlite:///"),
        ('contact_hours:\n  days: mon-fri\n  to: §"07:30"\n', "invalid-value", "later than"),
    ],
)
def test_a_mistake_in_the_configuration_is_told_where_it_is(planted, text, code, said):
    [told], [mark] = planted(text, "config.yaml")
    assert ((told.line, told.column), told.code) == (mark, code)
    assert said in f"{told.message} ({told.hint})"


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("Hello §{{ candidate.first_name }.", "template-syntax", "end it with }}"),
        ("Hello §{candidate.first_name}}.", "template-syntax", "{{ candidate.first_name }}"),
        ("Hello §{first_name}.", "template-syntax", "{{ candidate.first_name }}"),
        ("Hello §%FIRST_NAME%.", "template-syntax", "{{ candidate.first_name }}"),
        ("Hello §*|FNAME|*.", "template-syntax", "{{ candidate.first_name }}"),
        ("Hello §[First Name].", "template-syntax", "{{ candidate.first_name }}"),
        ("Hello {{ §first_name }}.", "unknown-name", "write candidate.first_name"),
        ("Hello {{ candidate §first_name }}.", "template-syntax", "candidate.first_name"),
        ("Hello {{ candidate.first_name | default(§“you”) }}.", "template-syntax", "straight"),
        ("Hello §{# a note", "template-syntax", "end it with #}"),
        (
            "{% if job.title %}a{% endif %}\n§{% if job.team %}\nb\n",
            "template-syntax",
            "{% endif %}",
        ),
        ("§{% for p in interview.interviewers %}\nb\n", "template-syntax", "{% endfor %}"),
        ("a §{% endif %}", "template-syntax", "remove it"),
        ("{% if job.team §then %}a{% endif %}", "template-syntax", "remove it"),
        ("{% if job.team %}a\n b §{% end if %}", "template-syntax", "one word"),
        ("{% if job.team %}a\n§{% elseif job.title %}b{% endif %}", "template-syntax", "{% elif"),
        ('{% if job.team §= "x" %}a{% endif %}', "template-syntax", "write =="),
        ("{% if job.team §&& job.title %}a{% endif %}", "template-syntax", "and, or, not"),
        ('{% if interview.kind == "§vidoe" %}a{% endif %}', "unknown-value", '"video"'),
        ('{% if interview.kind in ("video", "§sofa") %}a{% endif %}', "unknown-value", "panel"),
        ("{% if interview.kind == §video %}a{% endif %}", "unknown-name", 'write "video"'),
    ],
)
def test_a_slip_in_a_template_is_told_at_its_place_with_what_to_write(planted, body, code, said):
    text = f"---\nsubject: Hello\ncategory: prep\n---\n{body}\n"
    problems, [mark] = planted(text, "templates/prep/kit.md")
    [told] = problems
    assert ((told.line, told.column), told.code) == (mark, code)
    assert said in f"{told.message} ({told.hint})"


@pytest.mark.parametrize(
    "body",
    [
        "A {set} of [names], 100%, {% if job.title is not none %}x{% endif %} %20FOO%20.",
        '{% if interview.kind == "video" or job.status in ("open", "closed") %}x{% endif %}',
        "{% if candidate.first_name == 'Ann' %}[First steps](https://example.com/a%20b){% endif %}",
        "{{ candidate.first_name }}, {{'{'}}candidate{{'}'}}",
    ],
)
def test_braces_and_values_that_are_meant_are_left_alone(planted, body):
    text = f"---\nsubject: Hello\ncategory: prep\n---\n{body}\n"
    problems, _ = planted(text, "templates/prep/kit.md")
    assert problems == []


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (STEPS.replace("{text: C", "\n    §text: C").replace("m}", "m"), "unknown-key", "task:"),
        (STEPS.replace("interview.scheduled", "§interview.booked"), "unknown-event", "scheduled"),
        (STEPS.replace("interview.s", "§Interview.S"), "unknown-event", "interview.scheduled"),
        (f"{STEPS}  - send: kit\n    category: §urgent\n", "unknown-category", "logistics"),
        (f"{STEPS}  - send: §kit\n", "unknown-template", '"prep/kit"'),
        (f"{STEPS}  - send: §prep\n", "unknown-template", "prep/kit"),
        (f"{STEPS}  - send: §layouts/letter\n", "unknown-template", "a layout"),
        (
            f"{STEPS}  - if: replied()\n  - §then:\n      - task: {{text: a}}\n",
            "branch",
            "without a dash",
        ),
    ],
)
def test_a_misnamed_thing_is_told_with_the_one_that_was_meant(project, planted, text, code, said):
    project.template("prep/kit")
    problems, [mark] = planted(text)
    told = {(p.line, p.column): p for p in problems}
    assert mark in told
    assert told[mark].code == code
    assert said in f"{told[mark].message} ({told[mark].hint})"
