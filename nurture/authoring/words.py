"""Which words does a template use, and does anybody know them?

Reads a template's Jinja tree without rendering it. Names are looked up in the context vocabulary;
what a campaign's trigger can supply is asked where the campaign is known.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from nurture.authoring.expressions import Complaint
from nurture.authoring.jinja import (
    Called,
    Compared,
    Named,
    Text,
    literal,
    read_text,
    tag_offset,
)
from nurture.authoring.parts import Part, parts_of, unknown_category
from nurture.authoring.wording import wording_problems
from nurture.config import Config
from nurture.core.model import Approval, Category, Hours, MessageClass
from nurture.errors import Problem
from nurture.positions import did_you_mean
from nurture.rendering.content import FIELDS, MOST, content_asked
from nurture.rendering.context import TEMPLATE_FINDS, in_templates, vocabulary
from nurture.rendering.functions import ANSWERS, FUNCTIONS
from nurture.rendering.letter_parts import LETTER_PARTS
from nurture.rendering.questions import sets_problems
from nurture.rendering.sandbox import FILTER_NAMES, TEST_NAMES
from nurture.rendering.templates import Template, parsed

#: Filters that the renderer adds to the sandbox's: times in the reader's zone and language.
TIME_FILTERS = frozenset({"when", "day", "clock"})
#: Single words, not objects, that only templates have.
TEMPLATE_WORDS = frozenset({"why", "button", "ask", "content", *LETTER_PARTS, *TEMPLATE_FINDS})
#: What can be called besides `rendering.context.FUNCTIONS`, with the number of arguments.
_CALLS = {
    "button": 2,
    "ask": 1,
    **{name: part.arguments for name, part in LETTER_PARTS.items()},
}
#: What a template may call of a text.
_OF_TEXT = frozenset({"capitalize", "endswith", "lower", "startswith", "strip", "title", "upper"})
#: The fields of what a list of the vocabulary holds.
_IN_LISTS = {
    "interview.interviewers": frozenset({"name", "role", "about"}),
    "interview.agenda": frozenset({"starts_at", "title", "with"}),
    "content()": FIELDS,
}
#: What people write who want a time in a form of their own.
_TIME_WORDS = frozenset({"strftime", "format", "date", "time", "datetime", "datetimeformat"})
_SHOW_TIMES = "write | when, | day or | clock: in the reader's own zone and language"

Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Use:
    """One value that a text prints or asks about."""

    thing: str  #: the object: `interview`
    name: str  #: as written: `interview.starts_at`
    offset: int
    guarded: bool  #: the text itself asks whether the object is there


def uses_of(source: str, words: Words) -> list[Use]:
    """The objects of the vocabulary that a Jinja text uses."""
    text = read_text(source)
    uses = [
        Use(
            one.thing,
            one.name,
            one.offset,
            bool({one.thing, one.name} & text.guarded),
        )
        for one in text.named
        if one.thing in words and not one.of
    ]
    return uses + [
        Use(thing, f"{call.name}()", call.offset, thing in text.guarded)
        for call in text.called
        if call.name in LETTER_PARTS
        for thing in sorted(LETTER_PARTS[call.name].needs)
    ]


def complaints_of(source: str, words: Words, own: frozenset[str] = frozenset()) -> list[Complaint]:
    """What is wrong with a Jinja text. `own` are single words that this kind of text has besides
    the vocabulary."""
    text = read_text(source)
    complaints = [*text.complaints, *_unknown_filters(text), *_placeholders(source, words)]
    for compared in text.compared:
        complaints += _unknown_value(compared, words)
    for one in text.named:
        complaints += _unknown_name(one, words, own)
    for call in text.called:
        complaints += _wrong_call(call)
    return sorted(set(complaints), key=lambda one: (one.offset, one.message))


def template_problems(
    template: Template,
    config: Config,
    questions: Collection[str] | None = None,
    kinds: Collection[str] | None = None,
) -> list[Problem]:
    """What is wrong with one template whatever campaign sends it. `questions` are the ids of what
    all templates ask, `kinds` those of the content library; None: not known."""
    words = in_templates(vocabulary(config))
    problems = unknown_category(template, config)
    for part in parts_of(template):
        for one in complaints_of(part.source, words, TEMPLATE_WORDS):
            problems.append(part.problem(one.offset, one.code, one.message, one.hint))
        for one in _content_asked(part, kinds):
            problems.append(part.problem(one.offset, one.code, one.message, one.hint))
        for call in read_text(part.source).called:
            if call.name in ANSWERS and questions is not None and call.first not in questions:
                one = _unknown_question(call, questions)
                problems.append(part.problem(one.offset, one.code, one.message, one.hint))
    for question in template.ask:
        for (line, column), code, message, hint in sets_problems(question, config.candidate_fields):
            problems.append(
                Problem(
                    file=template.file,
                    line=line,
                    column=column,
                    code=code,
                    message=message,
                    hint=hint,
                )
            )
    return [*problems, *wording_problems(template, config)]


def restraint_lost(own: Category, other: Category) -> str:
    """In which way `other` restrains a message less than its `own` category; empty: in none."""
    hours, approval = list(Hours), list(Approval)  # from contact to any, from auto to each
    if own.capped and not other.capped:
        return "not capped"
    if other.priority > own.priority:
        return f"priority {other.priority} above {own.priority}"
    if hours.index(other.hours) > hours.index(own.hours):
        return f"hours {other.hours} wider than {own.hours}"
    if approval.index(other.approval) < approval.index(own.approval):
        return f"approval {other.approval} instead of {own.approval}"
    if other.klass not in (own.klass, MessageClass.NURTURE):
        return f"class {other.klass} instead of {own.klass}"
    return ""


def _unknown_name(one: Named, words: Words, own: frozenset[str]) -> Iterator[Complaint]:
    fields: Mapping[str, str] | frozenset[str]
    if one.of:
        fields = _IN_LISTS.get(one.of, frozenset())
        if fields and one.attrs[0] not in fields:
            hint = did_you_mean(one.attrs[0], fields) or f"known: {', '.join(sorted(fields))}"
            message = f'each of {one.of} has no field "{one.attrs[0]}"'
            yield Complaint(one.offset, "unknown-name", message, hint)
        return
    if one.thing not in words:
        if one.thing not in own and one.thing not in FUNCTIONS and one.thing != "range":
            hint = did_you_mean(one.thing, [*words, *own, *FUNCTIONS])
            field = _FIELD.get(re.sub(r"[_ ]", "", one.thing.lower()), one.thing)
            if not one.attrs and not hint and field in words["candidate"]:
                hint = f"write candidate.{field}"
            elif not (one.attrs or hint or one.printed):
                hint = f'if it is text, write "{one.thing}"'
            yield Complaint(one.offset, "unknown-name", f'there is no "{one.thing}"', hint)
        return
    fields = words[one.thing]
    if one.attrs and one.attrs[0] not in fields:
        hint = did_you_mean(one.attrs[0], fields) or f"known: {', '.join(sorted(fields))}"
        message = f'{one.thing} has no field "{one.attrs[0]}"'
        yield Complaint(one.offset, "unknown-name", message, hint)
    elif len(one.attrs) > 1:
        yield from _unknown_part(one, fields[one.attrs[0]])


#: How other tools mark what they fill in.
_PLACEHOLDER = re.compile(
    r"(?<![{$\w])\{ ?(?P<single>[a-z_]+(?:\.[a-z_]+)?) ?\}\}?"
    r"|\*\|(?P<chimp>[A-Z_]{3,}):?[A-Z_]*\|\*"
    r"|(?<![\w%])%(?P<percent>[A-Z_]{4,})%"
    r"|\[(?P<square>(?:first|last|full|candidate|your) ?_?name)\]",
    re.IGNORECASE,
)
_FIELD = {
    **dict.fromkeys(("fname", "firstname"), "first_name"),
    **dict.fromkeys(("lname", "lastname"), "last_name"),
    **dict.fromkeys(("name", "fullname", "candidate_name", "your_name"), "full_name"),
}


def _placeholders(source: str, words: Words) -> Iterator[Complaint]:
    """Fields marked in another tool's way: readers would see them as they stand."""
    for found in _PLACEHOLDER.finditer(literal(source)):
        said = next(word for word in found.groups() if word).lower()
        thing, dot, part = said.partition(".")
        field = re.sub(r"[ ]", "_", part or thing)
        field = _FIELD.get(field, field)
        if found["single"] and not (thing in words if dot else field in words["candidate"]):
            continue  # braces that are meant
        shown = f"{thing}.{part}" if dot else f"candidate.{field}"
        message = f"readers would see {found[0]} as it stands"
        yield Complaint(
            found.start(), "template-syntax", message, f"write {{{{ {shown} }}}}, with two braces"
        )


def _unknown_value(one: Compared, words: Words) -> Iterator[Complaint]:
    kind = words.get(one.thing, {}).get(one.field, "")
    known = kind.removeprefix("enum:").split(",") if kind.startswith("enum:") else []
    if known and one.value not in known:
        hint = did_you_mean(one.value, known) or f"known: {', '.join(known)}"
        message = f'"{one.value}" is never a value of {one.thing}.{one.field}'
        yield Complaint(one.offset, "unknown-value", message, hint)


def _unknown_part(one: Named, kind: str) -> Iterator[Complaint]:
    """What is asked of a field: a time has no parts, a text a few methods."""
    name, part = ".".join(one.attrs[:1]), one.attrs[1]
    if kind in ("instant", "date"):
        message = f"{one.thing}.{name}.{part} would be in no reader's zone or language"
        yield Complaint(one.offset, "raw-time", message, _SHOW_TIMES)
    elif kind != "list" and (part not in _OF_TEXT or kind in ("number", "flag")):
        message = f'{one.thing}.{name} has no "{part}"'
        yield Complaint(one.offset, "unknown-name", message, did_you_mean(part, _OF_TEXT))


def _wrong_call(call: Called) -> Iterator[Complaint]:
    wanted = {**FUNCTIONS, **_CALLS}.get(call.name)
    if wanted is not None and call.arguments != wanted:
        message = f"{call.name} takes {wanted or 'no'} argument{'s' * (wanted != 1)}"
        yield Complaint(call.offset, "wrong-arguments", message)


def _unknown_question(call: Called, questions: Collection[str]) -> Complaint:
    if call.first is None:
        message = "answered takes the id of a question, in quotes"
        return Complaint(call.offset, "wrong-arguments", message, 'answered("coming")')
    hint = did_you_mean(call.first, questions)
    hint = hint or f"asked: {', '.join(sorted(questions)) or 'nothing, by any template'}"
    message = f'no template asks "{call.first}"'
    return Complaint(call.first_offset, "unknown-question", message, hint)


def _content_asked(part: Part, kinds: Collection[str] | None) -> Iterator[Complaint]:
    """What a template asks of the content library is known before anybody is to get it."""
    if "content" not in part.source or read_text(part.source).complaints:
        return
    for kind, most, line in content_asked(parsed(part.source)):
        at = tag_offset(part.source, line)
        if kind is None or most is None:
            message = "content takes a kind, in quotes, and how many where a list is wanted"
            hint = f'content("culture"), or content("question", 6), at most {MOST}'
            yield Complaint(at, "wrong-arguments", message, hint)
        elif kinds is not None and kind not in kinds:
            hint = did_you_mean(kind, kinds) or f"kinds: {', '.join(sorted(kinds)) or 'none'}"
            message = f'the content library has nothing of the kind "{kind}"'
            yield Complaint(at, "unknown-content", message, hint)


def _unknown_filters(text: Text) -> Iterator[Complaint]:
    for what, used, known in (
        ("filter", text.filters, FILTER_NAMES | TIME_FILTERS),
        ("test", text.tests, TEST_NAMES),
    ):
        for name, offset in used:
            if name in known:
                continue
            if what == "filter" and name in _TIME_WORDS:
                message = f'there is no filter "{name}"; a time would be in no reader\'s zone'
                yield Complaint(offset, "raw-time", message, _SHOW_TIMES)
            else:
                message = f'there is no {what} "{name}"'
                yield Complaint(offset, "unknown-filter", message, did_you_mean(name, known))
