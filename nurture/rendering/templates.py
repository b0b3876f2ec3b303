"""Which templates are there, and what does each declare about itself?

A template is one file below `templates/`: front matter between `---` lines, then the words in
Markdown (`.md`) or HTML (`.html`). `name.de.md` beside `name.md` is the German one, and
`name.de-informal.md` that for who is addressed as du. Layouts are `templates/layouts/*.html`.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path, PurePath

from jinja2 import TemplateSyntaxError, nodes
from pydantic import BaseModel, ConfigDict, Field, field_validator

from nurture.config import Config
from nurture.core.model import Candidate, Tone
from nurture.errors import Problem, Problems, shown
from nurture.files import read_bytes, text_in
from nurture.positions import Positions, did_you_mean, read_yaml, validate
from nurture.rendering.content import content_asked
from nurture.rendering.invitation import Asks
from nurture.rendering.languages import (
    alternatives,
    reads,
    shortened,
    written,
)
from nurture.rendering.questions import AskKeys, Question, places_of, read_questions
from nurture.rendering.sandbox import TemplateEnvironment
from nurture.rendering.unreadable import unreadable

LAYOUTS = "layouts"
NOTICES = "notices"  #: below templates/ too: mail to our own people, see notices.py
_NOT_YET = ("talking_points", "promise")
_TAG = r"[a-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?(?:-informal)?"
_NAME = re.compile(rf"(?P<name>[A-Za-z0-9][A-Za-z0-9_-]*)(?:\.(?P<locale>{_TAG}))?")
_FENCE = re.compile(r"---[ \t]*\n(?P<yaml>.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Template:
    name: str  #: the path below templates/, without suffix and locale
    locale: str | None = None  #: `de`, `de-informal`: see languages.py; None: the default one
    file: str  #: as shown to people
    subject: str
    preheader: str = ""
    category: str
    tone: Tone = Tone.NEUTRAL
    layout: str = "letter"
    topic: str  #: what a candidate unsubscribes from; by default the category's name
    facts: tuple[str, ...] = ()  #: what the text part must contain, as templates
    ask: tuple[Question, ...] = ()
    calendar: Asks | None = None  #: what its mail tells the candidate's calendar of the interview
    fresh_until: date | None = None  #: the last day on which what it says is true
    content: tuple[tuple[str, int], ...] = ()  #: kinds of the content library, and how many of each
    body: str
    markdown: bool
    first_line: int = 1  #: the line of the file on which the body begins
    subject_line: int = 1
    preheader_line: int = 1
    facts_line: int = 1
    digest: str = ""  #: sha256 of the file's bytes
    source: str = field(default="", repr=False)  #: the whole file: in UTF-8 it has that digest

    @property
    def key(self) -> str:
        """What it is called in the mapping that `load_templates` returns."""
        return self.name if self.locale is None else f"{self.name}.{self.locale}"

    @property
    def path(self) -> str:
        """Its file, from templates/ on."""
        return f"{self.key}{'.md' if self.markdown else '.html'}"


def load_templates(root: Path) -> tuple[dict[str, Template], list[Problem]]:
    """The good templates of a project by key, and what is wrong with the others.

    `root` is the project's folder, which holds `templates/`. The key is the template's name, with
    `.de` behind it for a translation. A translation takes category, tone, layout, topic and how
    long it is fresh from the default one and may not say otherwise.
    """
    folder = root / "templates"
    problems: list[Problem] = []
    read: list[Template] = []
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in below.parts)
        if hidden or below.parts[0] in (LAYOUTS, NOTICES) or path.suffix not in (".md", ".html"):
            continue
        try:
            read.append(read_template(path, folder))
        except Problems as found:
            problems += found.problems
    templates, more = _fitted(read)
    for key, template in list(templates.items()):
        if not (folder / LAYOUTS / f"{template.layout}.html").is_file():
            line, column = _spot_of(template, "layout")
            more.append(
                Problem(
                    file=template.file,
                    line=line,
                    column=column,
                    code="unknown-layout",
                    message=f'there is no layout "{template.layout}"',
                    hint=_layouts_hint(folder),
                )
            )
            del templates[key]
    differing = _asked_alike(templates)
    for problem in differing:
        templates = {key: each for key, each in templates.items() if each.file != problem.file}
    return templates, sorted(problems + more + differing)


def choose(
    templates: Mapping[str, Template], name: str, reader: str, own: str = ""
) -> Template | None:
    """The best one for a reader of this tag (see languages.py): their address and place, their
    language, the default one, which is in `own`."""
    by_tag = {key.lower(): key for key in templates if key.startswith(f"{name}.")}
    own_short = shortened(own)
    for tag in alternatives(reader.replace("_", "-")):
        key = by_tag.get(f"{name}.{tag}".lower())
        if key is not None:
            return templates[key]
        if tag == own_short:
            break
    return templates.get(name)


def chosen_for(
    templates: Mapping[str, Template], name: str, candidate: Candidate, config: Config
) -> Template | None:
    """The one that this candidate reads."""
    return choose(templates, name, reads(candidate, config), written(config))


def questions_of(templates: Iterable[Template]) -> dict[str, tuple[str, ...]]:
    """What these templates ask and conditions may read: the options of each question, by its id."""
    return {
        each.id: tuple(each.options)
        for template in templates
        for each in template.ask
        if not each.confidential
    }


class _FrontMatter(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    subject: str = Field(min_length=1)
    preheader: str = ""
    category: str | None = Field(default=None, min_length=1)
    tone: Tone | None = Field(default=None, strict=False)
    layout: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    topic: str | None = Field(default=None, min_length=1)
    facts: list[str] = []
    ask: list[AskKeys] = []
    calendar: Asks | None = None
    fresh_until: date | None = Field(default=None, strict=False)

    @field_validator("fresh_until", mode="before")
    @classmethod
    def _day(cls, value: object) -> object:
        return day_in(value)


def day_in(value: object) -> object:
    """A day as files write it. Raises ValueError for what is none."""
    if value is None or isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and len(value) == len("2027-03-31"):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("a day is expected, such as 2027-03-31")


def read_template(path: Path, folder: Path) -> Template:
    """One file below `folder`, by itself. Raises Problems.

    What a translation leaves to the default one is still empty: `load_templates` fills it in.
    """
    file = shown(path)
    return template_in(read_bytes(path, file), path.relative_to(folder), file)


@lru_cache(maxsize=1024)
def template_in(raw: bytes, below: PurePath, file: str) -> Template:
    """The same of the bytes of a file, also of one that is no more. `below`: its path, from
    templates/ on; `file`: as people are shown it."""
    named = _NAME.fullmatch(below.stem)
    if named is None:
        raise _problem(
            file,
            1,
            "template-name",
            f'"{below.name}"',
            "use letters, digits, - and _, or name.de.md, or name.de-informal.md",
        )
    text = text_in(raw, file).replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:  # no database keeps it, and no mail may carry it
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _problem(file, line, "encoding", "there is a NUL character", "remove it")
    fence = _FENCE.match(text)
    if fence is None:
        hint = "begin with a line ---, then subject: and category:, then another line ---"
        raise _problem(file, 1, "front-matter", "there is no front matter", hint)
    front, places = _front_matter(fence["yaml"], file)
    asked, problems = read_questions(front.ask, places, file)
    template = Template(
        name="/".join((*below.parts[:-1], named["name"])),
        locale=named["locale"],
        file=file,
        subject=front.subject,
        preheader=front.preheader,
        category=front.category or "",
        tone=front.tone or Tone.NEUTRAL,
        layout=front.layout or "",
        topic=front.topic or "",
        facts=tuple(front.facts),
        ask=asked,
        calendar=front.calendar,
        fresh_until=front.fresh_until,
        body=text[fence.end() :],
        markdown=below.suffix == ".md",
        first_line=text.count("\n", 0, fence.end()) + 1,
        subject_line=places.at(("subject",))[0],
        preheader_line=places.at(("preheader",))[0],
        facts_line=places.at(("facts",))[0],
        digest=hashlib.sha256(raw).hexdigest(),
        source=raw.decode(),
    )
    problems += _syntax(template)
    if not problems:
        template = replace(template, content=_content_of(template))
    if template.locale is None and front.category is None:
        problems.append(
            Problem(file=file, line=1, code="missing-key", message='"category" is missing')
        )
    if problems:
        raise Problems(problems)
    return template


def _front_matter(text: str, file: str) -> tuple[_FrontMatter, Positions]:
    data, places = read_yaml(text, file, first_line=2)
    problems = []
    if isinstance(data, dict):
        for key in [key for key in _NOT_YET if key in data]:
            line, column = places.key((key,))
            problems.append(
                Problem(
                    file=file,
                    line=line,
                    column=column,
                    code="not-yet",
                    message=f'"{key}" is not supported yet',
                    hint="remove it",
                )
            )
            del data[key]
    try:
        front = validate(_FrontMatter, data, places, file)
    except Problems as found:
        raise Problems([*problems, *found.problems]) from None
    if problems:
        raise Problems(problems)
    return front, places


_SYNTAX = TemplateEnvironment()


@lru_cache(maxsize=4096)
def parsed(source: str) -> nodes.Template:
    """A Jinja text as its tree, which nobody changes. Raises TemplateSyntaxError."""
    return _SYNTAX.parse(source)


def _syntax(template: Template) -> list[Problem]:
    parts = [
        (template.subject, template.subject_line),
        (template.preheader, template.preheader_line),
        (template.body, template.first_line),
        *((fact, template.facts_line) for fact in template.facts),
    ]
    problems = []
    for source, first_line in parts:
        try:
            tree = parsed(source)
        except TemplateSyntaxError as error:
            slip = unreadable(source, error)
            before = source[: slip.offset]
            line = before.count("\n")
            whole = template.source.split("\n")[first_line - 1] if source != template.body else ""
            column = max(whole.find(source.split("\n")[0]), 0) * (not line)
            column += len(before) - (before.rfind("\n") + 1) + 1
            problems.append(
                Problem(
                    file=template.file,
                    line=first_line + line,
                    column=column,
                    code="template-syntax",
                    message=slip.message,
                    hint=slip.hint,
                )
            )
            continue
        if source is template.body:
            problems += _placing(template, tree)
        else:
            problems += [
                Problem(
                    file=template.file,
                    line=first_line + line - 1,
                    code="template-syntax",
                    message="a question is asked in the body",
                )
                for _, line in places_of(tree)
            ]
    return problems


def _content_of(template: Template) -> tuple[tuple[str, int], ...]:
    """What it asks of the content library: of each kind the most that it shows anywhere."""
    found: dict[str, int] = {}
    for source in (template.body, template.subject, template.preheader, *template.facts):
        for kind, most, _ in content_asked(parsed(source)):
            if kind is not None and most is not None:
                found[kind] = max(most, found.get(kind, 1))
    return tuple(found.items())


def _placing(template: Template, tree: nodes.Template) -> list[Problem]:
    """Every question is placed in the body, and nothing is placed that is not asked."""
    questions = {question.id: question for question in template.ask}
    placed = list(places_of(tree))
    problems = []
    for name, line in placed:
        if name in questions:
            continue
        text = template.body.split("\n")[line - 1]
        code, message, hint = "unknown-question", f'there is no question "{name}"', ""
        if name is None:
            code, message, hint = "template-syntax", "ask() takes one id", '{{ ask("coming") }}'
        elif questions:
            hint = did_you_mean(name, questions) or f"asked here: {', '.join(questions)}"
        else:
            hint = "write what is asked under `ask:` in the front matter"
        problems.append(
            Problem(
                file=template.file,
                line=template.first_line + line - 1,
                column=max(text.find("ask("), 0) + 1,
                code=code,
                message=message,
                hint=hint,
            )
        )
    for name in questions.keys() - {name for name, _ in placed}:
        line, column = questions[name].at
        problems.append(
            Problem(
                file=template.file,
                line=line,
                column=column,
                code="unplaced-question",
                message=f'"{name}" is asked nowhere in the body',
                hint=f'put {{{{ ask("{name}") }}}} where its buttons belong',
            )
        )
    return problems


def _fitted(read: Iterable[Template]) -> tuple[dict[str, Template], list[Problem]]:
    """One template a key, translations completed from their default one."""
    problems: list[Problem] = []
    templates: dict[str, Template] = {}
    line, column = 1, 1
    for template in sorted(read, key=lambda each: each.locale is not None):
        other = templates.get(template.key)
        default = templates.get(template.name)
        if other is not None:
            code, message = "duplicate-template", f"{other.file} has the same name"
        elif template.locale is not None and default is None:
            code, message = "no-default", f'there is no good "{template.name}" that it translates'
        elif template.locale is None or default is None:
            templates[template.key] = _completed(template, template)
            continue
        elif template.category not in ("", default.category):
            code = "translation-differs"
            message = f'{default.file} has category "{default.category}"'
            line, column = _spot_of(template, "category")
        elif template.calendar not in (None, default.calendar):
            code = "translation-differs"
            message = f"{default.file} says something else to calendars"
            line, column = _spot_of(template, "calendar")
        elif not dict(template.content).keys() <= dict(default.content).keys():
            code = "translation-differs"
            message = f"{default.file} shows other kinds of the content library"
        elif not _asks_alike(template, default):
            code = "translation-differs"
            message = f"{default.file} asks other questions, or with other options"
            line, column = _spot_of(template, "ask")
        else:
            templates[template.key] = _completed(template, default)
            continue
        problems.append(
            Problem(file=template.file, line=line, column=column, code=code, message=message)
        )
        line, column = 1, 1
    return templates, problems


def _spot_of(template: Template, key: str) -> tuple[int, int]:
    """Line and column of what the front matter says under `key`; of its first line if nothing."""
    text = template.source.replace("\r\n", "\n").replace("\r", "\n")
    fence = _FENCE.match(text.removeprefix("\ufeff"))
    return read_yaml(fence["yaml"], template.file, first_line=2)[1].at((key,)) if fence else (1, 1)


def _asks_alike(template: Template, default: Template) -> bool:
    """Whether a translation asks the same. What follows from an answer it may leave unsaid."""
    own = {each.id: each for each in default.ask}
    return len(own) == len(template.ask) and all(
        (said := own.get(each.id)) is not None
        and replace(
            said,
            sets=each.sets and said.sets,
            then=each.then and said.then,
            confidential=each.confidential and said.confidential,
        ).same_as(each)
        for each in template.ask
    )


def _asked_alike(templates: Mapping[str, Template]) -> list[Problem]:
    """An answer means the same whichever mail asked: conditions know questions by their ids."""
    first: dict[str, tuple[Question, Template]] = {}
    problems = []
    for template in templates.values():
        for question in template.ask:
            known, where = first.setdefault(question.id, (question, template))
            if question.same_as(known):
                continue
            line, column = question.at
            problems.append(
                Problem(
                    file=template.file,
                    line=line,
                    column=column,
                    code="question-differs",
                    message=f'{where.file} asks "{question.id}" with other options or effects',
                    hint="give this question an id of its own, or make the two alike",
                )
            )
    return problems


def _completed(template: Template, default: Template) -> Template:
    asked = {each.id: each for each in default.ask}
    translation = template is not default
    category = default.category
    return replace(
        template,
        category=category,
        tone=default.tone if translation else template.tone,
        layout=template.layout or default.layout or "letter",
        topic=default.topic or category,
        calendar=default.calendar,
        fresh_until=default.fresh_until if translation else template.fresh_until,
        ask=tuple(
            replace(
                each,
                sets=asked[each.id].sets,
                then=asked[each.id].then,
                confidential=asked[each.id].confidential,
            )
            for each in template.ask
        ),
    )


def _layouts_hint(folder: Path) -> str:
    known = sorted(path.stem for path in (folder / LAYOUTS).glob("*.html"))
    return f"known here: {', '.join(known)}" if known else f"put one into templates/{LAYOUTS}/"


def _problem(file: str, line: int, code: str, message: str, hint: str) -> Problems:
    return Problems([Problem(file=file, line=line, code=code, message=message, hint=hint)])
