"""What does a template ask, and what follows from an answer?

`ask` in the front matter is a list of questions; `{{ ask("coming") }}` in the body places one, with
a link for each option. A link shows a page; only its button answers, because scanners open links.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated

from jinja2 import nodes
from pydantic import BaseModel, ConfigDict, Field

from nurture.core.model import Duration
from nurture.core.timing import parse_duration
from nurture.errors import Problem
from nurture.positions import Place, Positions, did_you_mean

OPTIONS_MAX = 10
THENS = ("pause", "leave", "withdraw", "unsubscribe", "keep", "delete", "promise", "task")
#: Those that say for how long, with an example.
_LONG = {"pause": "pause 3 months", "keep": "keep 12 months"}
_PROMISE = re.compile(r"(?P<what>\S.*?) within (?P<within>.+)")
#: What an answer may set besides the declared candidate fields, and what it is. Nothing by which
#: the engine finds or judges people: no address, no stage.
SETTABLE: Mapping[str, Mapping[str, str]] = {
    "candidate": {
        "channel": "enum:email,phone",
        "formality": "text",
        "pronouns": "text",
        "locale": "text",
    },
    "application": {"source": "text", "start_date": "date"},
}
#: Short, because it stands in a link; what it is in the database, in conditions and in the page.
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")

Spot = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Then:
    """What an answer sets in motion."""

    kind: str  #: one of THENS
    length: Duration | None = None  #: of a pause; how long we keep what we hold, or have for it
    what: str = ""  #: is promised

    def __str__(self) -> str:
        if self.length is None:
            return self.kind
        promised = f" {self.what} within" if self.what else ""
        return f"{self.kind}{promised} {self.length.amount} {self.length.unit}"


@dataclass(frozen=True, kw_only=True)
class Question:
    id: str
    text: str
    options: Mapping[str, str]  #: key -> label, in the order they are shown
    sets: str | None = None  #: `candidate.x` or `application.x`: becomes the option's key
    then: Mapping[str, Then] = field(default_factory=dict)  #: by option
    confidential: bool = False  #: the answer is for one person alone, and for no condition
    at: Spot = field(default=(1, 1), compare=False)
    sets_at: Spot = field(default=(1, 1), compare=False)

    @property
    def needs_application(self) -> bool:
        """Whether an answer has nothing to act on where there is no application."""
        withdraws = any(then.kind == "withdraw" for then in self.then.values())
        return withdraws or (self.sets or "").startswith("application.")

    def same_as(self, other: "Question") -> bool:
        """Whether an answer to the one means what it means to the other, in whatever words."""
        return (list(self.options), self.sets, self.then, self.confidential) == (
            list(other.options),
            other.sets,
            other.then,
            other.confidential,
        )


class AskKeys(BaseModel):
    """One question as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    text: str = Field(min_length=1)
    options: Annotated[dict[str, str], Field(min_length=1, max_length=OPTIONS_MAX)]
    sets: str | None = None
    then: str | dict[str, str] | None = None
    confidential: bool = False


def read_questions(
    written: Collection[AskKeys], places: Positions, file: str
) -> tuple[tuple[Question, ...], list[Problem]]:
    """The questions of one template's front matter, and what is wrong with them."""
    found: dict[str, Question] = {}
    problems: list[Problem] = []
    for index, keys in enumerate(written):
        reading = _Reading(places, file, ("ask", index))
        question = reading.question(keys)
        if keys.id in found:
            line = found[keys.id].at[0]
            reading.wrong(("id",), "duplicate-id", f'"{keys.id}" is also asked on line {line}')
        problems += reading.problems
        found.setdefault(keys.id, question)
    return tuple(found.values()), problems


class _Reading:
    """One question being read."""

    def __init__(self, places: Positions, file: str, path: Place) -> None:
        self.places = places
        self.file = file
        self.path = path
        self.problems: list[Problem] = []

    def wrong(
        self, below: Place, code: str, message: str, hint: str = "", key: bool = False
    ) -> None:
        path = (*self.path, *below)
        line, column = self.places.key(path) if key else self.places.at(path)
        self.problems.append(
            Problem(file=self.file, line=line, column=column, code=code, message=message, hint=hint)
        )

    def question(self, keys: AskKeys) -> Question:
        hint = "letters, digits, - and _, at most 40"
        if not _KEY.fullmatch(keys.id):
            self.wrong(("id",), "invalid-value", f'"{keys.id}" cannot name a question', hint)
        for option, label in keys.options.items():
            if not _KEY.fullmatch(option):
                message = f'"{option}" cannot name an option'
                self.wrong(("options", option), "invalid-value", message, hint, key=True)
            self.plain(("options", option), label)
        self.plain(("text",), keys.text)
        for name in ("sets", "then") if keys.confidential else ():
            if getattr(keys, name) is not None:
                message = "what is answered in confidence sets nothing in motion that others see"
                self.wrong((name,), "invalid-value", message, f"leave out {name} or confidential")
        return Question(
            id=keys.id,
            text=" ".join(keys.text.split()),
            options={option: " ".join(label.split()) for option, label in keys.options.items()},
            sets=keys.sets,
            then=self.then(keys),
            confidential=keys.confidential,
            at=self.places.at((*self.path, "id")),
            sets_at=self.places.at((*self.path, "sets")),
        )

    def plain(self, below: Place, text: str) -> None:
        if not text.strip():
            self.wrong(below, "invalid-value", "there are no words")
        elif "{{" in text or "{%" in text:
            message = "the words of a question are the same for everybody"
            self.wrong(below, "invalid-value", message, "put what differs into the text above it")

    def then(self, keys: AskKeys) -> dict[str, Then]:
        if keys.then is None:
            return {}
        if isinstance(keys.then, str):
            then = self.one(("then",), keys.then)
            return dict.fromkeys(keys.options, then) if then else {}
        found: dict[str, Then] = {}
        for option, text in keys.then.items():
            if option not in keys.options:
                hint = did_you_mean(option, keys.options) or f"known: {', '.join(keys.options)}"
                message = f'there is no option "{option}"'
                self.wrong(("then", option), "unknown-key", message, hint, key=True)
            elif then := self.one(("then", option), text):
                found[option] = then
        return found

    def one(self, below: Place, text: str) -> Then | None:
        kind, _, rest = " ".join(text.split()).partition(" ")
        if kind in _LONG:
            return self.long(below, kind, rest, _LONG[kind])
        if kind == "promise":
            promised = _PROMISE.fullmatch(rest)
            example = "promise feedback within 5 business days"
            within = promised["within"] if promised else ""
            what = promised["what"] if promised else ""
            return self.long(below, kind, within, example, what)
        if kind in THENS and not rest:
            return Then(kind=kind)
        hint = did_you_mean(kind, THENS) or f"known: {', '.join(THENS)}"
        self.wrong(below, "invalid-value", f'"{text}" is nothing that can follow', hint)
        return None

    def long(self, below: Place, kind: str, rest: str, example: str, what: str = "") -> Then | None:
        """What takes its time, or has a date."""
        try:
            return Then(kind=kind, length=parse_duration(rest or "-"), what=what)
        except ValueError as error:
            message = str(error) if rest else "say for how long"
            self.wrong(below, "duration", message, example)
            return None


def sets_problems(
    question: Question, candidate_fields: Mapping[str, str]
) -> Iterator[tuple[Spot, str, str, str]]:
    """Where, code, message and hint of everything wrong with what an answer would set."""
    if question.sets is None:
        return
    fields = {
        "candidate": {**SETTABLE["candidate"], **candidate_fields},
        "application": SETTABLE["application"],
    }
    known = {f"{thing}.{name}": kind for thing, own in fields.items() for name, kind in own.items()}
    kind = known.get(question.sets)
    if kind is None:
        hint = did_you_mean(question.sets, known) or f"it can set {', '.join(sorted(known))}"
        message = f'an answer cannot set "{question.sets}"'
        yield question.sets_at, "unknown-name", message, hint
        return
    for option in question.options:
        if not _fits(kind, option):
            shown = kind.removeprefix("enum:").replace(",", ", ")
            message = f'"{option}" is never a value of {question.sets}'
            hint = f"known: {shown}" if kind.startswith("enum:") else f"it is a {kind}"
            yield question.sets_at, "unknown-value", message, hint


def _fits(kind: str, option: str) -> bool:
    if kind.startswith("enum:"):
        return option in kind.removeprefix("enum:").split(",")
    try:
        match kind:
            case "number":
                float(option)
            case "date":
                date.fromisoformat(option)
            case "instant":
                return datetime.fromisoformat(option).tzinfo is not None
    except ValueError:
        return False
    return True


def places_of(tree: nodes.Template) -> Iterator[tuple[str | None, int]]:
    """Which questions a body places, and on which of its lines; None for one that is reckoned."""
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "ask":
            first = call.args[0] if len(call.args) == 1 else None
            named = isinstance(first, nodes.Const) and isinstance(first.value, str)
            yield (first.as_const() if first is not None and named else None), call.lineno
