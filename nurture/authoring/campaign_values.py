"""What does one value of a campaign file mean: an event, a moment, a duration, a condition?

Each is read against what the campaign's trigger can supply; what is wrong is kept with its place.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from nurture.authoring.campaign_keys import EVENTS
from nurture.authoring.expressions import Scope, compile_condition
from nurture.config import Config
from nurture.core.model import Condition, Duration, Moment
from nurture.core.timing import parse_duration, parse_moment
from nurture.errors import Problem
from nurture.positions import Place, Positions, did_mean, did_you_mean
from nurture.rendering.context import vocabulary
from nurture.rendering.functions import FUNCTIONS
from nurture.rendering.templates import Template, questions_of

#: What names campaigns and steps.
ID = re.compile(r"[a-z0-9][a-z0-9_-]*", re.IGNORECASE)
#: How long a cancellation waits for a re-booking, by the name of its key in config.yaml.
HOLD = "cancel_hold"
T = TypeVar("T")


@dataclass(frozen=True)
class Surroundings:
    """What a campaign file is checked against."""

    config: Config
    templates: Mapping[str, Template]  #: by key, as rendering.load_templates gives them
    broken: frozenset[str] = frozenset()  #: names of templates that have problems of their own
    unfit: Mapping[str, Template] = field(default_factory=dict)  #: those that can be read at least

    @cached_property
    def by_name(self) -> Mapping[str, list[Template]]:
        """The good templates, each with its translations."""
        found: dict[str, list[Template]] = {}
        for template in self.templates.values():
            found.setdefault(template.name, []).append(template)
        return found

    @cached_property
    def questions(self) -> Mapping[str, Collection[str]]:
        """What all templates ask: the options by the question's id."""
        return questions_of([*self.templates.values(), *self.unfit.values()])


#: What people also call what happens.
_HAPPENED = {
    **dict.fromkeys(("booked", "created", "planned", "arranged", "invited"), "scheduled"),
    **dict.fromkeys(("moved", "changed", "rebooked", "updated", "postponed"), "rescheduled"),
    **dict.fromkeys(("canceled", "called_off", "deleted"), "cancelled"),
    **dict.fromkeys(("finished", "done", "ended", "held", "over"), "completed"),
    **dict.fromkeys(("received", "submitted", "new", "applied"), "created"),
    **dict.fromkeys(("made", "extended"), "sent"),
    **dict.fromkeys(("refused",), "declined"),
    **dict.fromkeys(("filled",), "closed"),
}


class Values:
    """Reads the values of one file. `scope` is what its trigger supplies, once that is known."""

    def __init__(self, file: str, positions: Positions, around: Surroundings) -> None:
        self.file = file
        self.positions = positions
        self.around = around
        self.problems: list[Problem] = []
        self.misshapen: frozenset[tuple[int, int]] = frozenset()  #: places already told
        self.words = vocabulary(around.config)
        self.scope = Scope(self.words, FUNCTIONS, frozenset(self.words), questions=around.questions)
        self.of_promise = False  #: whether each enrollment is about a promise
        self.dates = [
            name
            for name, kind in around.config.candidate_fields.items()
            if kind in ("date", "instant")
        ]

    # --- complaints

    def problem(self, path: Place, code: str, message: str, hint: str = "") -> None:
        """About the value at `path`."""
        self.problem_at(self.positions.at(path), code, message, hint)

    def problem_key(self, path: Place, code: str, message: str, hint: str = "") -> None:
        """About the key that `path` ends with."""
        self.problem_at(self.positions.key(path), code, message, hint)

    def problem_at(self, at: tuple[int, int], code: str, message: str, hint: str = "") -> None:
        line, column = at
        self.problems.append(
            Problem(file=self.file, line=line, column=column, code=code, message=message, hint=hint)
        )

    def is_misshapen(self, path: Place) -> bool:
        """Whether something at `path` or within it was left out, and is told already."""
        return any(
            self.positions.spot(node.start_mark.index) in self.misshapen
            for nodes in (self.positions.values, self.positions.keys)
            for place, node in nodes.items()
            if place[: len(path)] == path
        )

    def supplied(self) -> str:
        return ", ".join(sorted(self.scope.supplied))

    # --- values; None where there is none, or none that can be read

    def event(self, path: Place, event: str) -> bool:
        """Whether anybody raises this event."""
        if event in EVENTS or re.fullmatch(r"custom\.[a-z][a-z0-9_]*", event):
            return True
        thing, _, happened = event.lower().partition(".")
        meant = f"{thing}.{_HAPPENED.get(happened, happened)}"
        hint = did_mean(meant) if meant in EVENTS else did_you_mean(event, EVENTS)
        if not hint:
            some = sorted(e for e in EVENTS if e.startswith(f"{thing}."))
            hint = f"known: {', '.join(some)}" if some else "events of your own are custom.<name>"
        self.problem(path, "unknown-event", f'"{event}"', hint)
        return False

    def duration(self, path: Place, text: str | None) -> Duration | None:
        return self._parsed(path, text, "duration", parse_duration)

    def wait(self, path: Place, text: str | None) -> Duration | None:
        """As `after:` has it: a duration, or the one that config.yaml gives a cancellation."""
        if text is not None and text.strip() == HOLD:
            minutes = self.around.config.cancel_hold.total_seconds() / 60
            return Duration(amount=round(minutes), unit="minutes")
        return self.duration(path, text)

    def moment(self, path: Place, text: str | None) -> Moment | None:
        moment = self._parsed(path, text, "moment", lambda t: parse_moment(t, self.dates))
        if moment is None or moment.anchor == "entered":
            return moment
        thing = moment.anchor.partition(".")[0]
        if thing not in self.scope.supplied:
            offset = max((text or "").find(moment.anchor), 0)
            message = f"{self.scope.trigger} has no {thing}"
            at = self.positions.inside(path, offset)
            self.problem_at(at, "not-supplied", message, "it has " + self.supplied())
            return None
        return moment

    def condition(self, path: Place, source: str | None) -> Condition | None:
        if source is None:
            return None
        condition, wrong = compile_condition(source, self.scope)
        for one in wrong:
            at = self.positions.inside(path, one.offset)
            self.problem_at(at, one.code, one.message, one.hint)
        return condition

    def _parsed(
        self, path: Place, text: str | None, code: str, parse: Callable[[str], T]
    ) -> T | None:
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.problem(path, code, str(error))
            return None
