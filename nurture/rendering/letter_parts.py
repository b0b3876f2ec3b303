"""Which parts do many letters have in common? The facts of an interview, its course and its people,
a promise, the way that is ahead, and who signs.

Templates call them, as `button` and `ask`. What somebody's facts do not say is left out, and the
engine's own words are in the reader's language and without "you", so that they are polite to all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from nurture.rendering import times
from nurture.rendering.errors import RenderError
from nurture.rendering.letter_words import letter_words
from nurture.rendering.markdown import FACTS, ROWS, TABLE
from nurture.rendering.slots import Slots

#: Minutes from which a length is told in hours.
_HOURS_FROM = 120
#: What candidates see of the way through a process: each stop with the stages that belong to it.
_WAY = {
    "applied": ("lead", "applied"),
    "screening": ("screening",),
    "assessment": ("assessment",),
    "interviewing": ("interviewing", "final"),
    "decision": ("decision",),
    "offer": ("offer",),
}
_NOT_EVERYWHERE = frozenset({"assessment"})  # shown only to those who are there


@dataclass(frozen=True)
class LetterPart:
    """What the checker and the context have to know of one."""

    arguments: int = 0
    needs: frozenset[str] = frozenset()  #: objects without which it cannot be written
    #: By object the fields that it says where they are known.
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_OF_INTERVIEW = (
    *("kind", "starts_at", "duration_minutes", "url", "phone", "location", "interviewers"),
)
LETTER_PARTS: Mapping[str, LetterPart] = {
    "details": LetterPart(
        needs=frozenset({"interview"}),
        reads={"interview": _OF_INTERVIEW, "candidate": ("phone",)},
    ),
    "agenda": LetterPart(arguments=1),
    "people": LetterPart(arguments=1),
    "promise_line": LetterPart(
        reads={"promise": ("due", "status"), "application": ("next_date_at",)}
    ),
    "next_steps": LetterPart(
        needs=frozenset({"application"}), reads={"application": ("stage", "status")}
    ),
    "signature": LetterPart(reads={"recruiter": ("name", "title"), "company": ("name",)}),
}


def functions() -> dict[str, Callable[..., Markup]]:
    """By the name under which templates call them."""
    return {
        "details": _details,
        "agenda": _agenda,
        "people": _people,
        "promise_line": _promise_line,
        "next_steps": _next_steps,
        "signature": _signature,
    }


class _Pen:
    """Writes in the form of what is being rendered. Values become tokens, words stand as they
    are: they are ours, and have nothing in them that Markdown or HTML would read."""

    def __init__(self, context: Context, name: str) -> None:
        self.facts = context.parent
        self.name = name
        self.locale: str = context.parent["_locale"]
        self.words = letter_words(self.locale)
        self.slots: Slots = context.parent["_slots"]
        self.form = self.slots.within

    def of(self, thing: str) -> Mapping[str, Any]:
        found = self.facts.get(thing)
        return found if isinstance(found, Mapping) else {}

    def needed(self, thing: str) -> Mapping[str, Any]:
        found = self.of(thing)
        if not found:
            raise RenderError(f"{thing} is missing for this person", variable=thing)
        return found

    def value(self, text: Any) -> str:
        return self.slots.put(str(text))

    def when(self, at: datetime) -> str:
        return self.value(times.when(at, self.facts["_zone"], self.locale))

    def day(self, at: date) -> str:
        return self.value(times.day(at, self.facts["_zone"], self.locale))

    def strong(self, text: str) -> str:
        return f"**{text}**" if self.form == "markdown" else f"<strong>{text}</strong>"

    def link(self, text: str, url: str) -> str:
        if self.form == "markdown":
            return f"[{text}]({self.value(url)})"
        return f'<a href="{self.value(url)}">{text}</a>'

    # --- lines, which may stand anywhere

    def lines(self, *lines: str) -> Markup:
        between = {"markdown": "\\\n", "html": "<br>"}.get(self.form, ", ")
        return Markup(between.join(lines))  # noqa: S704 - our words and tokens

    # --- blocks, each a paragraph of its own

    def block(self, *blocks: str) -> Markup:
        if self.form == "line":
            raise RenderError(f"{self.name}() has its place in the body of a letter")
        if self.form == "html":
            return Markup("".join(blocks))  # noqa: S704 - our words and tokens
        return Markup("".join(f"\n\n{each}\n\n" for each in blocks))  # noqa: S704 - the same

    def paragraph(self, text: str) -> str:
        return text if self.form == "markdown" else f"<p>{text}</p>"

    def table(self, rows: Iterable[tuple[str, ...]]) -> str:
        """The first cell of a row says what the row is."""
        rows = list(rows)
        columns = len(rows[0])
        if self.form == "markdown":
            head = f"|{' |' * columns}\n|{'-|' * columns}\n"
            return head + "\n".join(f"| {' | '.join(row)} |" for row in rows)
        kind = FACTS if columns == 2 else ROWS
        attributes = "".join(f' {name}="{value}"' for name, value in TABLE.items())
        written = "".join(
            f'<tr><th scope="row">{first}</th><td>{"</td><td>".join(cells)}</td></tr>'
            for first, *cells in rows
        )
        return f'<table class="{kind}"{attributes}><tbody>{written}</tbody></table>'

    def items(self, items: Iterable[tuple[str, ...]], *, numbered: bool = False) -> str:
        """A list, whose entries may have several lines."""
        if self.form == "markdown":
            marks = (f"{number}. " if numbered else "- " for number in count(1))
            return "\n".join(
                mark + f"\\\n{' ' * len(mark)}".join(lines)
                for mark, lines in zip(marks, items, strict=False)
            )
        tag = "ol" if numbered else "ul"
        written = "".join(f"<li>{'<br>'.join(lines)}</li>" for lines in items)
        return f"<{tag}>{written}</{tag}>"


@pass_context
def _details(context: Context) -> Markup:
    """`{{ details() }}`: when, how long, the way in and who, as a table."""
    pen = _Pen(context, "details")
    interview, words = pen.needed("interview"), pen.words
    rows: list[tuple[str, str]] = []
    if starts_at := interview.get("starts_at"):
        rows.append((words["when"], pen.when(starts_at)))
    if minutes := interview.get("duration_minutes"):
        rows.append((words["how_long"], pen.value(_length(minutes, words))))
    if url := interview.get("url"):
        rows.append((words["online"], pen.link(words["join"], url)))
    phone = pen.of("candidate").get("phone") if interview.get("kind") == "phone" else None
    if own := interview.get("phone"):
        rows.append((words["phone"], pen.value(own)))
    elif phone:
        rows.append((words["phone"], pen.value(words["we_ring"].format(phone=phone))))
    if location := interview.get("location"):
        rows.append((words["where"], pen.value(location)))
    if interviewers := interview.get("interviewers"):
        rows.append((words["who"], pen.value(", ".join(map(_with_role, interviewers)))))
    if not rows:
        raise RenderError("nothing is known of this interview", variable="interview.starts_at")
    return pen.block(pen.table(rows))


@pass_context
def _agenda(context: Context, given: Any) -> Markup:
    """`{{ agenda(interview.agenda) }}`: a row for each part of the day, with its time."""
    pen = _Pen(context, "agenda")
    zone = pen.facts["_zone"]
    of_zone = f" ({times.zone_name(str(zone), pen.locale)})"  # said once a day, not in each row
    blocks: list[str] = []
    rows: list[tuple[str, str, str]] = []
    day = None
    for entry in _entries(given, "agenda", "interview.agenda"):
        at, clock = entry.get("starts_at"), ""
        if at is not None:
            clock = pen.value(times.clock(at, zone, pen.locale).removesuffix(of_zone))
            if (on := at.astimezone(zone).date()) != day:
                if rows:
                    blocks.append(pen.table(rows))
                day, rows = on, []
                told = pen.value(times.day(at, zone, pen.locale) + of_zone)
                blocks.append(pen.paragraph(pen.strong(told)))
        company = entry.get("with")
        rows.append((clock, pen.value(entry["title"]), pen.value(company) if company else ""))
    return pen.block(*blocks, pen.table(rows)) if rows else Markup("")


@pass_context
def _people(context: Context, given: Any) -> Markup:
    """`{{ people(interview.interviewers) }}`: who one meets, each with role and a line if known."""
    pen = _Pen(context, "people")
    items: list[tuple[str, ...]] = []
    for one in _entries(given, "people", "interview.interviewers"):
        role, about = one.get("role") or one.get("title"), one.get("about")
        name = pen.strong(pen.value(one["name"]))
        first = f"{name}, {pen.value(role)}" if role else name
        items.append((first, pen.value(about)) if about else (first,))
    return pen.block(pen.items(items)) if items else Markup("")


@pass_context
def _promise_line(context: Context) -> Markup:
    """`{{ promise_line() }}`: by when there will be word, as a sentence."""
    pen = _Pen(context, "promise_line")
    promise, words = pen.of("promise"), pen.words
    if "due" in promise and promise.get("status") == "open":
        return pen.lines(words["hear_by"].format(day=pen.day(promise["due"])))
    if at := pen.of("application").get("next_date_at"):
        return pen.lines(words["next_date"].format(day=pen.day(at)))
    return pen.lines(words["hear_anyway"])


@pass_context
def _next_steps(context: Context) -> Markup:
    """`{{ next_steps() }}`: the stops of the process, with what is over, now and next. Nothing
    where the application is on no way any more."""
    pen = _Pen(context, "next_steps")
    application, words = pen.needed("application"), pen.words
    stage = application.get("stage")
    here = next((stop for stop, stages in _WAY.items() if stage in stages), None)
    if here is None or application.get("status", "active") != "active":
        return Markup("")
    stops = [stop for stop in _WAY if stop == here or stop not in _NOT_EVERYWHERE]
    now = stops.index(here)
    items: list[tuple[str]] = []
    for number, stop in enumerate(stops):
        mark = "done" if number < now else {now: "now", now + 1: "next"}.get(number)
        text = words[f"stop_{stop}"] + (f" ({words[mark]})" if mark else "")
        items.append((pen.strong(text) if number == now else text,))
    return pen.block(pen.paragraph(words["the_way"]), pen.items(items, numbered=True))


@pass_context
def _signature(context: Context) -> Markup:
    """`{{ signature() }}`: the recruiter, else the team; their title, and the company."""
    pen = _Pen(context, "signature")
    recruiter, company = pen.of("recruiter"), pen.value(pen.needed("company")["name"])
    name, title = recruiter.get("name"), recruiter.get("title")
    if not name:
        return pen.lines(f"{pen.words['hiring_team']}, {company}")
    if not title:
        return pen.lines(f"{pen.value(name)}, {company}")
    return pen.lines(pen.value(name), f"{pen.value(title)}, {company}")


def _length(minutes: int, words: Mapping[str, str]) -> str:
    if minutes < _HOURS_FROM:
        return words["minutes"].format(minutes=minutes)
    hours, rest = divmod(minutes, 60)
    return words["hours_minutes" if rest else "hours"].format(hours=hours, minutes=rest)


def _with_role(person: Mapping[str, Any]) -> str:
    return f"{person['name']} ({person['role']})" if person.get("role") else str(person["name"])


def _entries(given: Any, name: str, example: str) -> list[Mapping[str, Any]]:
    """A list as the vocabulary has them: each entry with what it is called."""
    if isinstance(given, Undefined):
        str(given)  # raises with the name that is missing
    called = "title" if name == "agenda" else "name"
    if not isinstance(given, list | tuple) or not all(
        isinstance(each, Mapping) and each.get(called) for each in given
    ):
        raise RenderError(f"{name}() takes a list such as {example}")
    return list(given)
