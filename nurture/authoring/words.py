"""Which words does a template use, and does anybody know them?

Reads a template's Jinja tree without rendering it. Names are looked up in the context vocabulary;
what a campaign's trigger can supply is asked where the campaign is known.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import TemplateError, nodes
from jinja2.meta import find_undeclared_variables

from nurture.authoring.expressions import Complaint
from nurture.config import Config
from nurture.core.model import Approval, Category, Hours, MessageClass
from nurture.errors import Problem
from nurture.positions import did_you_mean
from nurture.rendering.context import FUNCTIONS, TEMPLATE_ONLY, vocabulary
from nurture.rendering.sandbox import TemplateEnvironment
from nurture.rendering.templates import Template

#: Filters that the renderer adds to the sandbox's: times in the reader's zone and language.
TIME_FILTERS = frozenset({"when", "day", "clock"})
#: Single words, not objects, that only templates have.
TEMPLATE_WORDS = frozenset({"why"})

Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Use:
    """One value that a text prints or asks about."""

    thing: str  #: the object: `interview`
    name: str  #: as written: `interview.starts_at`
    offset: int
    guarded: bool  #: the text itself asks whether the object is there


def uses_of(
    source: str, words: Words, own: frozenset[str] = frozenset()
) -> tuple[list[Use], list[Complaint]]:
    """The objects of the vocabulary that a Jinja text uses, and what is wrong with it.

    `own` are single words that this kind of text has besides the vocabulary.
    """
    env = TemplateEnvironment()
    try:
        tree = env.parse(source)
        complaints = [*_unknown_filters(tree, env, source), *_other_files(tree, source)]
        # Looking for names stops at a filter or test that is not there.
        for filtered in tree.find_all(nodes.Filter):
            env.filters.setdefault(filtered.name, _anything)
        for tested in tree.find_all(nodes.Test):
            env.tests.setdefault(tested.name, _anything)
        free = find_undeclared_variables(tree)
    except TemplateError as error:
        offset = _line_start(source, getattr(error, "lineno", 1) or 1)
        return [], [Complaint(offset, "template-syntax", error.message or "cannot be read")]
    except RecursionError:
        return [], [Complaint(0, "template-syntax", "nested too deeply")]
    except ValueError:  # a number of thousands of digits
        return [], [Complaint(0, "template-syntax", "cannot be read")]
    uses: list[Use] = []
    guarded = _guarded(tree)
    for thing, attr, line in _names(tree, free):
        name = f"{thing}.{attr}" if attr else thing
        offset = _offset(source, line, name)
        if thing in words:
            uses.append(Use(thing, name, offset, thing in guarded or name in guarded))
            if attr and attr not in words[thing]:
                fields = words[thing]
                hint = did_you_mean(attr, fields) or f"known: {', '.join(sorted(fields))}"
                message = f'{thing} has no field "{attr}"'
                complaints.append(Complaint(offset, "unknown-name", message, hint))
        elif thing not in own and thing not in FUNCTIONS and thing != "range":
            hint = did_you_mean(thing, [*words, *own, *FUNCTIONS])
            message = f'there is no "{thing}"'
            complaints.append(Complaint(offset, "unknown-name", message, hint))
    return uses, list(dict.fromkeys(complaints))


def template_problems(template: Template, config: Config) -> list[Problem]:
    """What is wrong with one template whatever campaign sends it."""
    words = {**vocabulary(config), **TEMPLATE_ONLY}
    problems = []
    if template.category not in config.categories:
        hint = did_you_mean(template.category, config.categories)
        hint = hint or f"known: {', '.join(config.categories)}"
        at = _in_file(template, config, template.subject_line, template.category, "category:")
        problems.append(
            Problem(
                file=template.file,
                line=at[0],
                column=at[1],
                code="unknown-category",
                message=f'"{template.category}"',
                hint=hint,
            )
        )
    parts = [
        (template.subject, template.subject_line),
        (template.preheader, template.preheader_line),
        *((fact, template.facts_line) for fact in template.facts),
    ]
    for source, first_line in parts:
        for one in uses_of(source, words, TEMPLATE_WORDS)[1]:
            word = re.match(r"[\w.]*", source[one.offset :])
            at = _in_file(template, config, first_line, word[0] if word else "")
            problems.append(_problem(template, at, one))
    for one in uses_of(template.body, words, TEMPLATE_WORDS)[1]:
        line = template.body.count("\n", 0, one.offset)
        column = one.offset - (template.body.rfind("\n", 0, one.offset) + 1) + 1
        problems.append(_problem(template, (template.first_line + line, column), one))
    return problems


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


def _names(tree: nodes.Template, free: set[str]) -> Iterator[tuple[str, str, int]]:
    """(object, field or nothing, line) of every name that the text does not define itself."""
    inside: set[int] = set()
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name in free:
            inside.add(id(node.node))
            yield node.node.name, node.attr, node.lineno
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and item.node.name in free:
            inside.add(id(item.node))
            by_name = isinstance(item.arg, nodes.Const) and isinstance(item.arg.value, str)
            yield item.node.name, item.arg.as_const() if by_name else "", item.lineno
    for name in tree.find_all(nodes.Name):
        if name.name in free and id(name) not in inside:
            yield name.name, "", name.lineno


def _guarded(tree: nodes.Template) -> set[str]:
    """Names about which the text asks `is defined`."""
    found: set[str] = set()
    for test in tree.find_all(nodes.Test):
        if test.name not in ("defined", "undefined"):
            continue
        if isinstance(test.node, nodes.Name):
            found.add(test.node.name)
        elif isinstance(test.node, nodes.Getattr) and isinstance(test.node.node, nodes.Name):
            found.add(f"{test.node.node.name}.{test.node.attr}")
    return found


def _unknown_filters(
    tree: nodes.Template, env: TemplateEnvironment, source: str
) -> Iterator[Complaint]:
    for kind, what, known in (
        (nodes.Filter, "filter", {*env.filters, *TIME_FILTERS}),
        (nodes.Test, "test", {*env.tests}),
    ):
        for node in tree.find_all(kind):
            if node.name not in known:
                offset = _offset(source, node.lineno, node.name)
                hint = did_you_mean(node.name, known)
                message = f'there is no {what} "{node.name}"'
                yield Complaint(offset, "unknown-filter", message, hint)


def _other_files(tree: nodes.Template, source: str) -> Iterator[Complaint]:
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        message = "a template stands alone: it cannot include, import or extend another"
        hint = "what all mails share belongs into the layout"
        yield Complaint(_line_start(source, node.lineno), "template-syntax", message, hint)


def _problem(template: Template, at: tuple[int, int], one: Complaint) -> Problem:
    return Problem(
        file=template.file,
        line=at[0],
        column=at[1],
        code=one.code,
        message=one.message,
        hint=one.hint,
    )


def _in_file(
    template: Template, config: Config, line: int, word: str, key: str = ""
) -> tuple[int, int]:
    """Where front matter says `word`: at or after `line`, or on the line that begins with `key`."""
    suffix = ".md" if template.markdown else ".html"
    path: Path = config.templates_dir / f"{template.key}{suffix}"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()[: template.first_line]
    except (OSError, UnicodeDecodeError):
        return line, 1
    for number, text in enumerate(lines, start=1):
        if (text.lstrip().startswith(key) if key else number >= line) and word and word in text:
            return number, text.index(word) + 1
    return line, 1


def _anything(value: object) -> object:
    return value


def _line_start(source: str, line: int) -> int:
    at = 0
    for _ in range(line - 1):
        at = source.find("\n", at) + 1 or at
    return at


def _offset(source: str, line: int, name: str) -> int:
    start = _line_start(source, line)
    found = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)").search(source, start)
    return found.start() if found else start
