"""What does a template become for somebody with a long name, and does it still fit?

Every template is tried on one invented person of whom all is known, with names as long as some
people have. Most subjects need no rendering for that: a value in place of each `{{ ... }}` will do.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from nurture.authoring.jinja import read_text
from nurture.authoring.parts import Part, parts_of
from nurture.authoring.wording import words_in
from nurture.config import Config
from nurture.core.content import Brought, Content, Situation
from nurture.core.model import Candidate, Facts, Subject
from nurture.errors import Problem
from nurture.rendering import times
from nurture.rendering.anatomy import CLIPPED_AT
from nurture.rendering.content import WORD
from nurture.rendering.context import TEMPLATE_FINDS, context, in_templates, vocabulary
from nurture.rendering.errors import RenderError
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Renderer
from nurture.rendering.templates import Template

SUBJECT_MAX = 78  #: RFC 5322, 2.1.1; phones cut far earlier
PREHEADER_MAX = 140

_NOW = datetime(2026, 9, 22, 9, tzinfo=UTC)
_SENTENCE = "Something of usual length, about what others needed more of."
#: The longest date that English has.
_SOON = datetime(2026, 9, 30, 9, tzinfo=UTC)
_LONG: Mapping[str, str] = {
    "candidate.first_name": "Maria-Alexandrina",
    "candidate.last_name": "Vasconcelos e Albuquerque",
    "candidate.full_name": "Maria-Alexandrina Vasconcelos e Albuquerque",
    "candidate.email": "maria-alexandrina@example.com",
    "candidate.timezone": "Europe/Lisbon",
    "candidate.country": "PT",
    "candidate.locale": "pt",
    "candidate.pronouns": "she/her",
    "job.title": "Senior Machine Learning Engineer, Search",
    "job.department": "Research and Development",
    "job.location": "Lisbon",
    "job.team": "Search and Ranking",
    "interview.location": "1 Example Street, Lisbon, second floor",
    "promise.what": "a decision",
}
_BY_FIELD = {
    "name": "Bartholomew Featherstone-Haugh",
    "email": "someone@example.com",
    "phone": "+351 210 000 000",
    "title": "Talent Acquisition Partner",
    "url": "https://meet.example.com/abc-defg-hij",
    "reschedule_url": "https://meet.example.com/abc-defg-hij/move",
    "owner": "Bartholomew Featherstone-Haugh",
}
_VALUE = re.compile(
    r"\{\{-?\s*(?P<thing>[a-z_]+)\.(?P<field>[a-z_]+)\s*"
    r"(?P<filters>(?:\|\s*\w+\s*(?:\((?:\"[^\"]*\"|'[^']*'|\d+)\))?\s*)*)-?\}\}"
)
_SAME_LENGTH = frozenset({"default", "d", "upper", "lower", "title", "capitalize", "trim"})
#: From here on a page is laid out whole and measured.
_LONG_BODY, _LONG_LAYOUT = 8_000, 40_000


class Trial:
    """One invented person of whom everything is known, and the templates tried on them."""

    def __init__(
        self,
        templates: Mapping[str, Template],
        layouts: Mapping[str, str],
        config: Config,
    ) -> None:
        self.config = config
        self.layouts = layouts
        self.renderer = Renderer(templates, config, Signer([b"only to look at it" * 2]), layouts)
        self.words = everything_known(config)

    def problems(self, template: Template) -> Iterator[Problem]:
        """What is wrong with a template as somebody would read it."""
        subject, preheader, *facts, body = parts_of(template)
        try:
            yield from self._subject(subject, template)
            yield from self._preheader(preheader, template)
            yield from self._discreet(subject, preheader, template)
            yield from self._body(body, facts, template)
        except RenderError as error:
            line = error.line or template.first_line
            yield Problem(
                file=template.file,
                line=line,
                column=_first_tag(template, line),
                code="cannot-render",
                message=f"it cannot be written for somebody of whom all is known: {error.why}",
            )

    # --- the parts

    def _subject(self, part: Part, template: Template) -> Iterator[Problem]:
        for shown in self._shown(part, template):
            if not shown.strip():
                yield part.problem(0, "empty-subject", "the subject can become empty")
                return
        longest = max(self._shown(part, template), key=len)
        if len(longest) > SUBJECT_MAX:
            message = f'{len(longest)} characters for somebody with a long name: "{longest}"'
            hint = f"at most {SUBJECT_MAX} are shown whole; begin with what matters, and shorten it"
            yield part.problem(0, "long-subject", message, hint, "warning")

    def _preheader(self, part: Part, template: Template) -> Iterator[Problem]:
        longest = max(self._shown(part, template), key=len)
        if len(longest) > PREHEADER_MAX:
            message = f'{len(longest)} characters for somebody with a long name: "{longest}"'
            hint = f"mail programs show at most about {PREHEADER_MAX}"
            yield part.problem(0, "long-preheader", message, hint, "warning")

    def _discreet(self, subject: Part, preheader: Part, template: Template) -> Iterator[Problem]:
        """What a template that thinks of discreet candidates tells whoever looks over their
        shoulder."""
        parts = (subject, preheader)
        if not any("candidate.discreet" in part.source for part in parts):
            return
        person = {**self.words, "candidate": {**self.words["candidate"], "discreet": True}}
        tell = [*self.config.discreet_words, self.config.company.name]
        locale = template.locale or self.config.locale
        for part in parts:
            shown = self.renderer.line(part.source, person, locale=locale)
            for found in words_in(shown, [*tell, *(f"{word}s" for word in tell)]):
                at = max(part.source.lower().find(found[0].lower()), 0)
                message = f'"{found[0]}" stands in the {part.name} of a discreet candidate'
                hint = "say nothing there of a job, an interview or the company"
                yield part.problem(at, "indiscreet", message, hint)
                break

    def _body(self, part: Part, facts: list[Part], template: Template) -> Iterator[Problem]:
        if template.facts:
            draft = self.renderer.draft(template, self.words)
            for number in draft.missing:
                message = "the text does not say this, for somebody of whom all is known"
                hint = "put it into the body, outside of every {% if %}"
                yield facts[number].problem(0, "missing-fact", message, hint)
            if draft.missing:
                return
        elif "range(" in template.body:
            self.renderer.draft(template, self.words)
        large = len(template.body) > _LONG_BODY or "range(" in template.body
        if large or len(self.layouts.get(template.layout, "")) > _LONG_LAYOUT:
            yield from self._size(part, template)

    def _size(self, part: Part, template: Template) -> Iterator[Problem]:
        page = self.renderer.render(
            template.name, self.words, candidate_id=0, locale=template.locale
        ).html
        size = len(page.encode())
        if size > CLIPPED_AT:
            message = (
                f"{size / 1024:.0f} KB of HTML: Gmail cuts it off at 102 KB, "
                "and the unsubscribe link with it"
            )
            hint = "shorten it, or link to a page"
            yield part.problem(0, "clipped", message, hint, "warning")

    # --- what it becomes

    def _shown(self, part: Part, template: Template) -> list[str]:
        """The part as it would be read, once for each value of what it decides by."""
        quick = self._filled_in(part.source, template)
        if quick is not None:
            return [quick]
        locale = template.locale or self.config.locale
        return [
            self.renderer.line(part.source, words, locale=locale)
            for words in self._variants(part.source)
        ]

    def _variants(self, source: str) -> Iterator[Mapping[str, Any]]:
        known = vocabulary(self.config)
        text = read_text(source)
        yield self.words
        for name in sorted({one.name for one in text.named if not one.of}):
            thing, _, field = name.partition(".")
            kind = known.get(thing, {}).get(field, "")
            for value in kind.removeprefix("enum:").split(",") if kind.startswith("enum:") else ():
                yield {**self.words, thing: {**self.words[thing], field: value}}
        for name in sorted(text.guarded):
            thing, _, field = name.partition(".")
            if not field and thing in self.words and not text.guarded - {name}:
                yield {other: value for other, value in self.words.items() if other != thing}

    def _filled_in(self, source: str, template: Template) -> str | None:
        """Without Jinja, where all that is printed are fields; None where there is more."""
        if "{" not in source:
            return " ".join(source.split())
        locale = template.locale or self.config.locale
        unknown = False

        def shown(found: re.Match[str]) -> str:
            nonlocal unknown
            value = self.words.get(found["thing"], {}).get(found["field"])
            for word in re.findall(r"\|\s*(\w+)", found["filters"]):
                if word in ("when", "day", "clock") and isinstance(value, datetime):
                    value = getattr(times, word)(value, self.words["_zone"], locale)
                elif word not in _SAME_LENGTH or not isinstance(value, str):
                    unknown = True
            unknown = unknown or not isinstance(value, str)
            return str(value)

        text = _VALUE.sub(shown, source)
        return None if unknown or "{" in text else " ".join(text.split())


def everything_known(config: Config) -> dict[str, Any]:
    """The whole vocabulary with a value for each word, as long as some are."""
    candidate = Candidate(id=0, ref="sample", timezone=config.timezone)
    words = context(Facts(candidate=candidate), Subject(), enrollment=None, config=config, now=_NOW)
    for thing, fields in in_templates(vocabulary(config)).items():
        filled = {field: _sample(thing, field, kind) for field, kind in fields.items()}
        if thing == "company":
            filled |= words["company"]
        words[thing] = filled
    words[WORD] = _some_content
    return words | {name: [_SENTENCE, _SENTENCE] for name in TEMPLATE_FINDS}


def _some_content(kind: str, most: int) -> list[Brought]:
    """Items as long as some are: a template is tried whatever the library holds."""
    text = "Something that is said in two lines or so, as items of the library are, and no longer."
    item = Content(
        id="sample",
        kind=kind,
        title="A title of usual length",
        text=text,
        url="https://example.com/more",
        minutes=5,
        listens_for="how you found out, and what you did with it",
    )
    return [Brought(item, (), Situation(None, None, None, None))] * most


def _sample(thing: str, field: str, kind: str) -> Any:
    if kind.startswith("enum:"):
        return max(kind.removeprefix("enum:").split(","), key=len)
    match kind:
        case "instant":
            return _SOON + timedelta(hours=1) if field == "ends_at" else _SOON
        case "date":
            return date(2026, 9, 30)
        case "number":
            return 60
        case "flag":
            return False
        case "list":
            people = [
                ("Marta Reis", "team lead"),
                ("João Lima", "engineer"),
                ("Sam Okoro", "buddy"),
            ]
            if field == "interviewers":
                return [{"name": name, "role": role} for name, role in people]
            if field == "agenda":
                return [{"starts_at": _SOON, "title": "Welcome", "with": "Marta Reis"}]
            return ["one", "another", "a third"]
    return _LONG.get(f"{thing}.{field}") or _BY_FIELD.get(field) or "something of usual length"


def _first_tag(template: Template, line: int) -> int:
    lines = template.source.replace("\r\n", "\n").split("\n")
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return max(text.find("{"), 0) + 1
