"""What does each problem code mean, and what does it look like when it is right?

One entry a code, in the order in which a file is read: the file, its YAML, its keys, its meaning,
templates, config.yaml. `nurture check --explain CODE` and docs/problems.md say what stands here;
a test shows that every wrong example earns its code and that no right one earns any. A new code is
a new `_code(...)` below, then `nurture check --explain page > docs/problems.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import Literal

from nurture.positions import did_you_mean

#: What an example is a piece of. `step` is one item of `steps:`; `file` is told, not shown.
Place = Literal["campaign", "step", "template", "config", "file"]


@dataclass(frozen=True, kw_only=True)
class Code:
    name: str
    means: str  #: one sentence, without a full stop in the middle of a table
    why: str  #: what it would cost a candidate or an author
    where: Place = "campaign"
    wrong: str
    right: str


def explain(name: str) -> str | None:
    """What `nurture check --explain` prints; None where there is no such code."""
    code = CATALOGUE.get(name)
    if code is None:
        return None
    title = _TITLES[code.where]
    return "\n".join(
        (
            f"{code.name}: {code.means}",
            "",
            f"Why: {code.why}",
            "",
            f"Wrong ({title}):" if title else "Wrong:",
            *(f"    {line}" for line in code.wrong.splitlines()),
            "",
            "Right:",
            *(f"    {line}" for line in code.right.splitlines()),
        )
    )


def overview() -> str:
    """Every code with what it means, a line each."""
    width = max(map(len, CATALOGUE))
    return "\n".join(f"{name:<{width}}  {code.means}" for name, code in CATALOGUE.items())


def near(name: str) -> str:
    """What to say about a code that there is not."""
    return did_you_mean(name, CATALOGUE) or "`nurture check --explain all` lists them"


def page() -> str:
    """docs/problems.md."""
    parts = [_HEAD]
    for code in CATALOGUE.values():
        title = _TITLES[code.where]
        language = "yaml" if code.where in ("campaign", "step", "config") else "text"
        parts += [
            f"### `{code.name}`",
            f"{code.means[0].upper()}{code.means[1:]}. {code.why}",
            f"Wrong ({title}):" if title else "Wrong:",
            f"```{language}\n{code.wrong}\n```",
            "Right:",
            f"```{language}\n{code.right}\n```",
        ]
    return "\n\n".join(parts) + "\n"


_TITLES = {
    "campaign": "campaigns/*.yaml",
    "step": "a step of a campaign",
    "template": "templates/**/*.md",
    "config": "config.yaml",
    "file": "",
}
_HEAD = """\
# Problems and what to do about them

`nurture check` tells every problem with its code; `nurture check --explain CODE` says what stands
here. Codes do not change: scripts may rely on them. A file with an error is not used: its last good
version goes on. A warning stops nothing.

This page is written from `nurture/authoring/codes.py` by `nurture check --explain page`."""


def _code(name: str, where: Place, means: str, why: str, wrong: str, right: str) -> Code:
    return Code(
        name=name,
        where=where,
        means=means,
        why=why,
        wrong=dedent(wrong).strip("\n "),
        right=dedent(right).strip("\n "),
    )


_CODES = (
    # --- the file itself
    _code(
        "unreadable",
        "file",
        "the file cannot be opened: no permission, a link to nothing, not a plain file",
        "What cannot be read cannot be used; people under way go on with what was read last.",
        "campaigns/prep.yaml -> /mnt/away/prep.yaml (a link whose target is not there)",
        "campaigns/prep.yaml (a file that the user who runs nurture may read)",
    ),
    _code(
        "too-large",
        "file",
        "the file is far larger than anybody writes by hand",
        "An export saved under the wrong name would hold up every other campaign.",
        "campaigns/export.yaml with 10 MB of rows",
        "several campaigns, each well below 100 KB",
    ),
    _code(
        "encoding",
        "file",
        "the file is not UTF-8 text, or has characters that no text has",
        "Names such as José would reach candidates as Jos\N{REPLACEMENT CHARACTER}.",
        "a file saved as Latin-1, Windows-1252 or UTF-16",
        "the same file saved as UTF-8 (in most editors: Save with encoding)",
    ),
    _code(
        "file-name",
        "file",
        "the file's name cannot be used, or the file is not read because of it (a warning)",
        "The file's name is the campaign's for ever; a .yml file would silently do nothing.",
        "campaigns/Prep & more.yaml, campaigns/prep.yml",
        "campaigns/prep-and-more.yaml",
    ),
    # --- YAML
    _code(
        "yaml",
        "campaign",
        "the file is not YAML from this place on",
        "Nothing of the file can be trusted, so nothing of it is used.",
        """
        name: Interview preparation
        enter: {on: interview.scheduled
        """,
        """
        name: Interview preparation
        enter: {on: interview.scheduled}
        """,
    ),
    _code(
        "tab",
        "campaign",
        "a line is indented with a tab",
        "How wide a tab is depends on the editor, so YAML cannot tell what belongs together.",
        """
        enter:
        \ton: interview.scheduled
        """,
        """
        enter:
          on: interview.scheduled
        """,
    ),
    _code(
        "odd-space",
        "campaign",
        "a space that only looks like one (non-breaking, wide) stands where YAML needs a real one",
        "Text copied from web pages or word processors brings them, and nobody can see it.",
        """
        enter:
          on:\N{NO-BREAK SPACE}interview.scheduled
        """,
        """
        enter:
          on: interview.scheduled
        """,
    ),
    _code(
        "smart-quotes",
        "campaign",
        "a value is put in typographic quotes, which are part of the text and not quotes to YAML",
        "A template or an event with quotes around its name does not exist.",
        "steps: [{send: “prep/kit”}]",
        'steps: [{send: "prep/kit"}]',
    ),
    _code(
        "colon-in-text",
        "campaign",
        "text with a colon and a space in it needs quotes",
        "To YAML a colon followed by a space ends a key.",
        "about: Nurture: from booking to thank-you",
        'about: "Nurture: from booking to thank-you"',
    ),
    _code(
        "comment-in-text",
        "campaign",
        "a # after a space begins a comment, so the rest of this text is lost (a warning)",
        "A task that says `Ask for ticket` without its number helps nobody.",
        "about: For roles that pay band #7 and above",
        'about: "For roles that pay band #7 and above"',
    ),
    _code(
        "comma-in-value",
        "step",
        "a comma between { and } ends a value, so the rest of it became a key",
        "The moment would lose its hour, or the text its second half.",
        "- {send: prep/kit, at: 2 days before interview.starts_at, at 09:00}",
        "- {send: prep/kit, at: 2 days before interview.starts_at at 09:00}",
    ),
    _code(
        "braces",
        "step",
        "a value that begins with {{ needs quotes",
        "To YAML { opens a mapping; the text never arrives.",
        "- task: {text: {{ candidate.first_name }} is waiting}",
        '- task: {text: "{{ candidate.first_name }} is waiting"}',
    ),
    _code(
        "duplicate-key",
        "campaign",
        "a key is written twice",
        "Only one of them can hold, and nobody could say which one was meant.",
        """
        name: Interview preparation
        name: Interview follow-up
        """,
        "name: Interview preparation",
    ),
    # --- keys
    _code(
        "unknown-key",
        "step",
        "there is no such key here",
        "A misspelt `until` that was ignored would let a reminder arrive after the interview.",
        """
        - send: prep/kit
          at: 1 day before interview.starts_at
          untill: interview.starts_at
        """,
        """
        - send: prep/kit
          at: 1 day before interview.starts_at
          until: interview.starts_at
        """,
    ),
    _code(
        "missing-key",
        "template",
        "a needed key is not there",
        "Without it nobody can say what was meant: a mail needs a subject, a cap a number.",
        """
        ---
        category: prep
        ---
        Hello.
        """,
        """
        ---
        subject: How to prepare
        category: prep
        ---
        Hello.
        """,
    ),
    _code(
        "wrong-type",
        "campaign",
        "text where a number is expected, one value where a list is, and the like",
        "A guess here would be a guess about what reaches people.",
        """
        steps:
          send: prep/kit
          at: 1 day before interview.starts_at
        """,
        """
        steps:
          - send: prep/kit
            at: 1 day before interview.starts_at
        """,
    ),
    _code(
        "invalid-value",
        "campaign",
        "of the right type, but not one of the possible values",
        "A status that nobody knows would be a campaign that silently sends nothing.",
        "status: active",
        "status: live",
    ),
    _code(
        "not-yet",
        "file",
        "part of the language, but not in this version",
        "Refused, so that a file never means less than it says.",
        "a key of a later version",
        "what the hint says, or a newer version of nurture",
    ),
    # --- what a campaign means
    _code(
        "unknown-event",
        "campaign",
        "nobody raises this event",
        "The campaign would wait for it for ever, and nobody would enter.",
        "enter: {on: interview.schedulled}",
        "enter: {on: interview.scheduled}",
    ),
    _code(
        "once-per",
        "campaign",
        "the event carries no such object to count by",
        "Nobody could tell a first time from a second, so people would get mail twice or never.",
        "enter: {on: application.created, once_per: interview}",
        "enter: {on: application.created, once_per: application}",
    ),
    _code(
        "on-or-if",
        "campaign",
        "a `leave` says both `on` and `if`, or neither; or `enter` says neither",
        "Is it the event or the condition that ends it? Two lines say `either`.",
        'leave: [{on: offer.accepted, if: application.stage == "offer"}]',
        'leave: [{on: offer.accepted}, {if: application.stage == "offer"}]',
    ),
    _code(
        "send-or-task",
        "step",
        "a step does more than one thing, or none",
        "A step is one mail, one task, one wait or one branch, so that each has a fate of its own.",
        "- {send: prep/kit, task: {text: Call them}}",
        """
        - {send: prep/kit}
        - {task: {text: Call them}}
        """,
    ),
    _code(
        "again",
        "campaign",
        "`enter.again` is neither `never`, `when_left`, nor a time",
        "It decides whether somebody gets the whole campaign a second time.",
        "enter: {on: application.created, again: sometimes}",
        "enter: {on: application.created, again: 90 days}",
    ),
    _code(
        "not-here",
        "step",
        "a step has a key that steps of its kind do not take",
        "It would mean nothing, and somebody would rely on it.",
        "- {wait_for: interview.completed, until: 2 days after entered}",
        "- {wait_for: interview.completed, up_to: 2 days}",
    ),
    _code(
        "branch",
        "step",
        "`then:` without an `if:`, or `else:` without a `then:`",
        "A branch asks one question, and the answer yes comes first.",
        """
        - if: replied()
          else:
            - {task: {text: Call them}}
        """,
        """
        - if: not replied()
          then:
            - {task: {text: Call them}}
        """,
    ),
    _code(
        "repeat",
        "step",
        "a step that would come again at once, for ever, or never",
        "Nobody wants the same mail every minute, or to wait for a date that does not move.",
        "- {task: {text: Call them}, after: 1 day, repeat: {every: 5 minutes}}",
        "- {task: {text: Call them}, after: 1 day, repeat: {every: 1 week, at_most: 3}}",
    ),
    _code(
        "no-until",
        "step",
        "`if_expired` on a mail that never expires",
        "Without a moment after which it is too late, nobody would ever be told.",
        "- {send: prep/kit, if_expired: task}",
        "- {send: prep/kit, if_expired: task, until: 2 days after entered}",
    ),
    _code(
        "was",
        "step",
        "`was` names an id that a step still has, or that another step claims",
        "What was sent under that id would count for two steps, and one mail would never go out.",
        "- {send: prep/kit, was: kit}",
        "- {send: prep/kit, was: the-kit}",
    ),
    _code(
        "at-and-after",
        "step",
        "a step has both `at` and `after`",
        "`at` hangs on a fact, `after` on the step above: two moments for one mail.",
        "- {send: prep/kit, at: 1 day before interview.starts_at, after: 1 day}",
        "- {send: prep/kit, at: 1 day before interview.starts_at}",
    ),
    _code(
        "moment",
        "step",
        "a moment cannot be read",
        "A mail whose moment nobody knows would never go out.",
        "- {send: prep/kit, at: 2 day befor interview.start_at}",
        "- {send: prep/kit, at: 2 days before interview.starts_at}",
    ),
    _code(
        "duration",
        "step",
        "a length of time cannot be read",
        "`3 working day` might be meant as three days or as none.",
        "- {send: prep/kit, after: a while}",
        "- {send: prep/kit, after: 3 business days}",
    ),
    _code(
        "never-due",
        "step",
        "`until` is over before the step's own moment",
        "The step would never be sent, whoever enters.",
        "- {send: prep/kit, at: 1 day after interview.starts_at, until: interview.starts_at}",
        "- {send: prep/kit, at: 1 day after interview.starts_at, until: 2 weeks after entered}",
    ),
    _code(
        "promise",
        "step",
        "what is promised cannot be kept, or nothing would keep it",
        "A promise is a debt with a date that the mail prints; somebody is asked for it that day.",
        "- {send: prep/kit, promise: {what: a decision, within: 2 hours}}",
        "- {send: prep/kit, promise: {what: a decision, within: 5 business days}}",
    ),
    _code(
        "step-id",
        "step",
        "an `id` has characters that it cannot have",
        "Ids are kept for ever and appear in addresses and tables.",
        "- {send: prep/kit, id: first mail!}",
        "- {send: prep/kit, id: first-mail}",
    ),
    _code(
        "duplicate-id",
        "step",
        "two steps of a file have the same id",
        "What was sent is remembered by id: the second one would count as sent already.",
        """
        - {send: prep/kit}
        - {send: prep/kit, after: 3 days}
        """,
        """
        - {send: prep/kit}
        - {send: prep/kit, after: 3 days, id: kit-again}
        """,
    ),
    _code(
        "unknown-template",
        "step",
        "there is no such template",
        "There would be nothing to send. Name its path below templates/, without .md.",
        "- {send: prep/kitt}",
        "- {send: prep/kit}",
    ),
    _code(
        "broken-template",
        "file",
        "the template has problems of its own, and no good version yet",
        "A campaign comes into force when everything it sends can be sent.",
        "send: prep/kit, whose file has an error",
        "send: prep/kit, once `nurture check templates/prep/kit.md` finds nothing",
    ),
    _code(
        "unknown-category",
        "step",
        "config.yaml has no such category",
        "The category says how often and in which hours a mail may reach someone.",
        "- {send: prep/kit, category: checkin}",
        "- {send: prep/kit, category: check-in}",
    ),
    _code(
        "loose-category",
        "step",
        "a step names a less restrained category than its template's",
        "Or anybody could call a culture mail logistics and walk round the caps.",
        "- {send: prep/kit, category: logistics}",
        "- {send: prep/kit, category: help}",
    ),
    _code(
        "not-supplied",
        "campaign",
        "this campaign's event cannot supply what a condition, moment, task or template needs",
        "A person who is no longer in any process has no interview that a mail could speak of.",
        """
        enter: {on: candidate.upserted}
        steps: [{send: prep/kit, at: 1 day before interview.starts_at}]
        """,
        """
        enter: {on: interview.scheduled}
        steps: [{send: prep/kit, at: 1 day before interview.starts_at}]
        """,
    ),
    # --- conditions
    _code(
        "unknown-name",
        "step",
        "no such object, field or function",
        "A condition about something that does not exist is false for everybody.",
        '- {send: prep/kit, if: interview.kin == "video"}',
        '- {send: prep/kit, if: interview.kind == "video"}',
    ),
    _code(
        "unquoted-word",
        "step",
        "text in a comparison needs quotes",
        "Without quotes it is the name of something, and there is no such thing.",
        "- {send: prep/kit, if: interview.kind == video}",
        '- {send: prep/kit, if: interview.kind == "video"}',
    ),
    _code(
        "unknown-value",
        "step",
        "a comparison with a value that the field never has",
        "It would be false for everybody, and the step would never be sent.",
        '- {send: prep/kit, if: interview.kind == "vidoe"}',
        '- {send: prep/kit, if: interview.kind == "video"}',
    ),
    _code(
        "expression",
        "step",
        "a condition cannot be read, or uses what conditions may not",
        "Conditions compare facts and nothing else, so that each can say when it changes next.",
        '- {send: prep/kit, if: interview.kind = "video"}',
        '- {send: prep/kit, if: interview.kind == "video"}',
    ),
    # --- templates
    _code(
        "front-matter",
        "template",
        "a template does not begin with its settings between --- lines",
        "Without them a mail has no subject and no category.",
        "Hello {{ candidate.first_name }}.",
        """
        ---
        subject: How to prepare
        category: prep
        ---
        Hello {{ candidate.first_name }}.
        """,
    ),
    _code(
        "template-name",
        "file",
        "a template's file name cannot be used",
        "Campaigns name it by path, and people unsubscribe from what it is about.",
        "templates/prep/Kit (new).md",
        "templates/prep/kit.md, templates/prep/kit.de.md",
    ),
    _code(
        "template-syntax",
        "template",
        "a template's {{ }} or {% %} cannot be read, or does what templates may not",
        "The mail could not be written for anybody.",
        """
        ---
        subject: How to prepare
        category: prep
        ---
        {% if interview.url %}Here is the link.
        """,
        """
        ---
        subject: How to prepare
        category: prep
        ---
        {% if interview.url %}Here is the link.{% endif %}
        """,
    ),
    _code(
        "runaway",
        "template",
        "a template would work without end, or build an enormous text",
        "Writing one mail would hold up everybody else's.",
        """
        ---
        subject: How to prepare
        category: prep
        ---
        {% for n in range(1000000000) %}-{% endfor %}
        """,
        """
        ---
        subject: How to prepare
        category: prep
        ---
        {% for n in range(3) %}-{% endfor %}
        """,
    ),
    _code(
        "unknown-filter",
        "template",
        "no such filter (|) or test (is)",
        "The mail could not be written for anybody.",
        """
        ---
        subject: "{{ candidate.first_name | uper }}"
        category: prep
        ---
        Hello.
        """,
        """
        ---
        subject: "{{ candidate.first_name | upper }}"
        category: prep
        ---
        Hello.
        """,
    ),
    _code(
        "unknown-layout",
        "template",
        "there is no such file in templates/layouts/",
        "The layout carries the footer with the address and the way to unsubscribe.",
        """
        ---
        subject: How to prepare
        category: prep
        layout: leter
        ---
        Hello.
        """,
        """
        ---
        subject: How to prepare
        category: prep
        layout: letter
        ---
        Hello.
        """,
    ),
    _code(
        "duplicate-template",
        "file",
        "a .md and a .html of the same name",
        "Which of them would a candidate get?",
        "templates/prep/kit.md and templates/prep/kit.html",
        "templates/prep/kit.md",
    ),
    _code(
        "no-default",
        "file",
        "a translation of a template that there is not",
        "Readers of every other language would get nothing.",
        "templates/prep/kit.de.md alone",
        "templates/prep/kit.md and templates/prep/kit.de.md",
    ),
    _code(
        "translation-differs",
        "file",
        "a translation names another category, question or calendar entry than the default one",
        "How often people hear from us must not depend on their language.",
        "`category: culture` in kit.de.md, `category: prep` in kit.md",
        "no category in kit.de.md: it takes the one of kit.md",
    ),
    _code(
        "unknown-question",
        "template",
        "`ask(...)` or `answered(...)` names a question that is not asked",
        "A condition on an answer that nobody can give is never true.",
        """
        ---
        subject: Your interview
        category: prep
        ---
        {% if answered("comming") == "no" %}We can find another day.{% endif %}
        """,
        """
        ---
        subject: Your interview
        category: prep
        ask:
          - {id: coming, text: Will you be there?, options: {yes: "Yes, I will", no: "No"}}
        ---
        {{ ask("coming") }}

        {% if answered("coming") == "no" %}We can find another day.{% endif %}
        """,
    ),
    _code(
        "unplaced-question",
        "template",
        "a question of `ask:` stands nowhere in the body",
        "Nobody would see it, and everything that waits for the answer would wait for ever.",
        """
        ---
        subject: Your interview
        category: prep
        ask:
          - {id: coming, text: Will you be there?, options: {yes: "Yes, I will", no: "No"}}
        ---
        See you soon.
        """,
        """
        ---
        subject: Your interview
        category: prep
        ask:
          - {id: coming, text: Will you be there?, options: {yes: "Yes, I will", no: "No"}}
        ---
        See you soon.

        {{ ask("coming") }}
        """,
    ),
    _code(
        "question-differs",
        "file",
        "two templates ask a question of the same id with other options or effects",
        "An answer is known by its question's id: it must mean the same whichever mail asked.",
        "`coming` with yes and no in one template, with yes and later in another",
        "two ids, or the same options, `sets` and `then` in both; the words may differ",
    ),
    # --- what is well written, and cannot be meant
    _code(
        "nobody-enters",
        "campaign",
        "what `enter` asks for can never be true",
        "The campaign would be live, and nobody would ever get anything from it.",
        """
        name: Prep
        enter:
          on: interview.scheduled
          if: application.stage == "offer" and application.stage == "final"
        steps:
          - send: prep/kit
        """,
        """
        name: Prep
        enter:
          on: interview.scheduled
          if: application.stage in ("offer", "final")
        steps:
          - send: prep/kit
        """,
    ),
    _code(
        "leaves-at-once",
        "campaign",
        "what ends the campaign is true of everybody who enters it",
        "They would leave in the moment in which they enter, and get nothing.",
        """
        name: Prep
        enter: {on: interview.scheduled, if: application.stage == "final"}
        leave: [{if: application.stage == "final"}]
        steps:
          - send: prep/kit
        """,
        """
        name: Prep
        enter: {on: interview.scheduled, if: application.stage == "final"}
        leave: [{if: application.stage == "offer"}]
        steps:
          - send: prep/kit
        """,
    ),
    _code(
        "never-true",
        "step",
        "a condition that can never be true, by itself or while the campaign goes on",
        "The step would never be sent. A campaign ends by itself when its application is closed.",
        '- {send: prep/kit, if: application.status == "rejected"}',
        '- {send: prep/kit, if: application.status == "active"}',
    ),
    _code(
        "unreachable",
        "step",
        "nothing ever leads to this step",
        "It waits for the step above, and that one never ends; or its branch is never taken.",
        """
        - {send: prep/kit, repeat: {every: 1 week}}
        - {send: prep/kit, id: last, after: 1 day}
        """,
        """
        - {send: prep/kit, repeat: {every: 1 week, at_most: 3}}
        - {send: prep/kit, id: last, after: 1 day}
        """,
    ),
    _code(
        "never-opens",
        "step",
        "a gate waits for an event that ends the campaign",
        "Whoever the event is about has left by then: what is below the gate is never sent.",
        """
        - {wait_for: application.rejected, up_to: 2 weeks}
        - {send: prep/kit}
        """,
        """
        - {wait_for: interview.completed, up_to: 2 weeks}
        - {send: prep/kit}
        """,
    ),
    _code(
        "no-room",
        "step",
        "caps or contact hours never let this through before its `until`",
        "It would expire for everybody, each time.",
        "- {send: prep/kit, at: interview.ends_at at 20:00, until: interview.ends_at at 23:00}",
        "- {send: prep/kit, at: interview.ends_at at 20:00, until: 2 days after interview.ends_at}",
    ),
    _code(
        "cheerful-bad-news",
        "template",
        "a cheerful mail where somebody is told bad news",
        "Whoever was rejected this morning should not be congratulated this afternoon.",
        """
        ---
        subject: Our decision
        category: decision
        tone: cheerful
        ---
        Hello.
        """,
        """
        ---
        subject: Our decision
        category: decision
        tone: grave
        ---
        Hello.
        """,
    ),
    _code(
        "stale-text",
        "template",
        "what the text says was true until `fresh_until`, and that day is over; a warning from two"
        " weeks before",
        "Nobody is sent it any more: a party that was, a benefit that is gone.",
        """
        ---
        subject: Our summer
        category: culture
        fresh_until: 2020-08-31
        ---
        We meet in the garden on Fridays.
        """,
        """
        ---
        subject: Our summer
        category: culture
        fresh_until: 2099-08-31
        ---
        We meet in the garden on Fridays.
        """,
    ),
    _code(
        "unknown-content",
        "template",
        "`content(...)` asks for a kind that no item of the content library has",
        "There would never be anything to send, and nobody would notice.",
        """
        ---
        subject: Worth knowing
        category: culture
        ---
        {{ content("cultures").text }}
        """,
        """
        ---
        subject: Worth knowing
        category: culture
        ---
        {{ candidate.first_name }}
        """,
    ),
    _code(
        "unsent-template",
        "file",
        "no campaign sends this template",
        "Either a step is missing, or the file is only in the way.",
        "templates/prep/kit.md, which no step of any campaign sends",
        "the step that sends it, or no file",
    ),
    _code(
        "unknown-sent",
        "step",
        "`sent(...)` asks about a template or step that there is not",
        "Its answer would always be no, and people would get the same mail again.",
        '- {send: prep/kit, if: not sent("prep/kitt")}',
        '- {send: prep/kit, if: not sent("prep/kit")}',
    ),
    _code(
        "unknown-topic",
        "step",
        "`consents(...)` asks about a topic that no template has",
        "Nobody can have objected to what there is not: it would be true of everybody.",
        '- {send: prep/kit, if: consents("prepp")}',
        '- {send: prep/kit, if: consents("prep")}',
    ),
    # --- what a reader would see
    _code(
        "raw-time",
        "template",
        "a time that is taken apart, or given a form of its own",
        "It would be in no reader's zone and language: ten o'clock for whom?",
        """
        ---
        subject: How to prepare
        category: prep
        ---
        At {{ interview.starts_at.strftime("%H:%M") }}.
        """,
        """
        ---
        subject: How to prepare
        category: prep
        ---
        At {{ interview.starts_at | clock }}.
        """,
    ),
    _code(
        "wrong-arguments",
        "template",
        "a function is called with too much or too little",
        "The mail could not be written.",
        """
        ---
        subject: How to prepare
        category: prep
        ---
        {% if hours_since() > 3 %}Hello.{% endif %}
        """,
        """
        ---
        subject: How to prepare
        category: prep
        ---
        {% if hours_since(application.applied_at) > 3 %}Hello.{% endif %}
        """,
    ),
    _code(
        "cannot-render",
        "template",
        "the mail cannot be written even for somebody of whom all is known",
        "It would become a task for a recruiter each time, and a mail never.",
        """
        ---
        subject: How to prepare
        category: prep
        facts: ["{{ candidate.first_name | when }}"]
        ---
        Hello.
        """,
        """
        ---
        subject: How to prepare
        category: prep
        facts: ["{{ interview.starts_at | when }}"]
        ---
        We meet on {{ interview.starts_at | when }}.
        """,
    ),
    _code(
        "missing-fact",
        "template",
        "the text does not say what `facts` promises",
        "Such a mail is not sent: the fact is why it is written.",
        """
        ---
        subject: How to prepare
        category: prep
        facts: ["{{ interview.starts_at | when }}"]
        ---
        We look forward to it.
        """,
        """
        ---
        subject: How to prepare
        category: prep
        facts: ["{{ interview.starts_at | when }}"]
        ---
        We meet on {{ interview.starts_at | when }}.
        """,
    ),
    _code(
        "empty-subject",
        "template",
        "the subject can become empty",
        "A mail without a subject looks like a mistake, and is not sent.",
        """
        ---
        subject: "{% if interview.kind == 'video' %}Your call{% endif %}"
        category: prep
        ---
        Hello.
        """,
        """
        ---
        subject: "{% if interview.kind == 'video' %}Your call{% else %}Your visit{% endif %}"
        category: prep
        ---
        Hello.
        """,
    ),
    _code(
        "long-subject",
        "template",
        "more than 78 characters for somebody with a long name",
        "Mail programs cut it off, phones after half of that.",
        """
        ---
        subject: >-
          Some things that you may want to know
          and to have at hand before we meet you next week
        category: prep
        ---
        Hello.
        """,
        """
        ---
        subject: Before we meet next week
        category: prep
        ---
        Hello.
        """,
    ),
    _code(
        "long-preheader",
        "template",
        "more than 140 characters for somebody with a long name",
        "No mail program shows so much beside the subject.",
        """
        ---
        subject: How to prepare
        preheader: >-
          Here is what we would like you to know before the interview, what you may
          want to bring with you, whom you will meet, and where exactly you find us
        category: prep
        ---
        Hello.
        """,
        """
        ---
        subject: How to prepare
        preheader: What to bring, whom you meet, and where.
        category: prep
        ---
        Hello.
        """,
    ),
    _code(
        "false-reply",
        "template",
        "the subject says that this is a reply or forwarded, and it is not",
        "Mailbox providers call it deceptive and put the mail into spam; readers think so too.",
        """
        ---
        subject: "Re: your application"
        category: prep
        ---
        Hello.
        """,
        """
        ---
        subject: Your application
        category: prep
        ---
        Hello.
        """,
    ),
    _code(
        "banned-word",
        "template",
        "one of the `banned_words` of config.yaml",
        "Your company has decided not to say it. Out of the box: nothing that argues with a no.",
        """
        ---
        subject: Your last chance
        category: prep
        ---
        Hello.
        """,
        """
        ---
        subject: The last day to apply
        category: prep
        ---
        Hello.
        """,
    ),
    _code(
        "indiscreet",
        "template",
        "the subject or preheader for discreet candidates tells that they look for work",
        "It shows on the lock screen, beside a colleague who does not know.",
        """
        ---
        subject: "{% if candidate.discreet %}Your interview{% else %}Thursday{% endif %}"
        category: prep
        ---
        Hello.
        """,
        """
        ---
        subject: "{% if candidate.discreet %}Thursday{% else %}Your interview{% endif %}"
        category: prep
        ---
        Hello.
        """,
    ),
    _code(
        "unsafe-link",
        "template",
        "a link that runs a script or opens a file",
        "Mail programs refuse the whole mail for it.",
        """
        ---
        subject: How to prepare
        category: prep
        ---
        [Choose a time](javascript:choose)
        """,
        """
        ---
        subject: How to prepare
        category: prep
        ---
        [Choose a time](https://example.com/times)
        """,
    ),
    _code(
        "insecure-link",
        "template",
        "a link without encryption",
        "Anyone on the way can read and change what it shows to your candidate.",
        """
        ---
        subject: How to prepare
        category: prep
        ---
        [Choose a time](http://example.com/times)
        """,
        """
        ---
        subject: How to prepare
        category: prep
        ---
        [Choose a time](https://example.com/times)
        """,
    ),
    _code(
        "broken-link",
        "template",
        "a link without a whole address",
        "There is no page around a mail to which the rest could belong.",
        """
        ---
        subject: How to prepare
        category: prep
        ---
        [Choose a time](/times)
        """,
        """
        ---
        subject: How to prepare
        category: prep
        ---
        [Choose a time](https://example.com/times)
        """,
    ),
    _code(
        "image-alt",
        "template",
        "a picture without words for those who do not see it",
        "Most mail programs show no pictures at first, and some readers never see any.",
        """
        ---
        subject: How to prepare
        category: prep
        ---
        ![](https://example.com/map.png)
        """,
        """
        ---
        subject: How to prepare
        category: prep
        ---
        ![The way from the station: second street on the left](https://example.com/map.png)
        """,
    ),
    _code(
        "clipped",
        "file",
        "more than 102 KB of HTML",
        "Gmail shows no more than that, and hides the rest with the unsubscribe link.",
        "a template whose mail comes to 130 KB",
        "a shorter mail, and a link to a page with the rest",
    ),
    _code(
        "slow-mail",
        "template",
        "the CSS of each mail has to be inlined for it alone",
        "Some 15 ms a mail instead of a fifth of one: 10,000 mails take minutes longer.",
        """
        ---
        subject: How to prepare
        category: prep
        ---
        {% filter upper %}Dear {{ candidate.first_name }}{% endfilter %}
        """,
        """
        ---
        subject: How to prepare
        category: prep
        ---
        DEAR {{ candidate.first_name | upper }}
        """,
    ),
    # --- translations and layouts
    _code(
        "untranslated",
        "file",
        "a campaign writes in a language, and one of its letters is not in it",
        "Its readers get the default text: between letters in their language one in another.",
        "a campaign that sends prep/kit and prep/thanks, with prep/kit.de.md alone",
        "prep/kit.de.md and prep/thanks.de.md",
    ),
    _code(
        "translation-lacks",
        "file",
        "a translation does not say a value that the default one says",
        "Readers of that language would not learn it.",
        "prep/kit.md says {{ interview.url }}, prep/kit.de.md does not",
        "both say it",
    ),
    _code(
        "translation-adds",
        "file",
        "a translation says a value that the default one does not",
        "Either the others miss something, or it was forgotten when the default one changed.",
        "prep/kit.de.md says {{ interview.phone }}, prep/kit.md does not",
        "both say it, or neither",
    ),
    _code(
        "no-unsubscribe",
        "file",
        "the layout of a nurture mail shows no unsubscribe link",
        "The law and the mailbox providers ask for one, and such a mail is not sent.",
        "a layout without {{ fixed.unsubscribe_url }}, for a template of class nurture",
        '<a href="{{ fixed.unsubscribe_url }}">{{ words.unsubscribe }}</a> in the layout\'s footer',
    ),
    _code(
        "layout-body",
        "file",
        "a layout has no place for the letter",
        "Every mail in it would be empty.",
        "<html><body>{{ company.name }}</body></html>",
        "<html><body>{{ body }} {{ company.name }}</body></html>",
    ),
    _code(
        "layout-address",
        "file",
        "a layout does not show the company's postal address",
        "Many countries ask for it in every mail that is not about a person's own process.",
        "<html><body>{{ body }}</body></html>",
        "<html><body>{{ body }} {{ company.address }}</body></html>",
    ),
    # --- config.yaml
    _code(
        "missing-env",
        "config",
        "${NAME} is not set in the environment",
        "Without its password nothing could be sent.",
        "database: ${NOT_SET_ANYWHERE}",
        "database: sqlite:///var/nurture.db",
    ),
    _code(
        "example-identity",
        "config",
        "real mail would carry the shipped example's name, address or links",
        "Candidates would get mail from Example Ltd, and the law wants your postal address in it.",
        """
        transport: {kind: smtp, host: mail.acme.test}
        """,
        """
        company: {name: Acme, address: "1 Real Street, Porto"}
        sender: {email: talent@acme.test}
        web: {public_url: https://talent.acme.test}
        transport: {kind: smtp, host: mail.acme.test}
        """,
    ),
    _code(
        "insecure-smtp",
        "config",
        "mail and password would cross the network unencrypted",
        "Whoever sits in between reads who has applied where.",
        """
        company: {name: Acme, address: "1 Real Street, Porto"}
        sender: {email: talent@acme.test}
        web: {public_url: https://talent.acme.test}
        transport: {kind: smtp, host: mail.acme.test, security: plain}
        """,
        """
        company: {name: Acme, address: "1 Real Street, Porto"}
        sender: {email: talent@acme.test}
        web: {public_url: https://talent.acme.test}
        transport: {kind: smtp, host: mail.acme.test, security: starttls}
        """,
    ),
    _code(
        "public-web",
        "config",
        "the pages would be open to everyone on the network",
        "They show who has applied and what is planned for whom.",
        "web: {host: 0.0.0.0}",
        "web: {host: 127.0.0.1}",
    ),
    _code(
        "plain-web",
        "config",
        "the proxy in front of the recruiters' pages is reached without TLS",
        "Passwords and candidates' data would cross the network unencrypted.",
        "web: {proxy: {url: http://nurture.acme.test, secret: sixteen-letters-and-more}}",
        "web: {proxy: {url: https://nurture.acme.test, secret: sixteen-letters-and-more}}",
    ),
    _code(
        "uncapped-priority",
        "config",
        "a category with `capped: false` ranks below a capped one",
        "What no cap holds back goes first; otherwise it would take the room of what must arrive.",
        "categories: {status: {capped: false, priority: 5}}",
        "categories: {status: {capped: false, priority: 80}}",
    ),
    _code(
        "field-taken",
        "config",
        "a field in `candidate_fields` has the name of one that every candidate has",
        "Two things of one name: a mail could greet people with the wrong one.",
        "candidate_fields: {first_name: text}",
        "candidate_fields: {nickname: text}",
    ),
)

#: Every code there is, by name, in the order of docs/problems.md.
CATALOGUE: Mapping[str, Code] = {code.name: code for code in _CODES}
