"""What does a campaign file say? YAML to `core.model.Campaign`, or every problem with it.

Its shape is campaign_keys.py; here is its meaning: events, moments, conditions, templates and
categories, each against what the campaign's trigger can supply.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TypeVar

from nurture.authoring.campaign_keys import (
    EVENTS,
    NOT_YET,
    CampaignKeys,
    EnterKeys,
    LeaveKeys,
    StepKeys,
    TaskKeys,
    read_keys,
)
from nurture.authoring.expressions import Complaint, Scope, compile_condition
from nurture.authoring.words import Use, restraint_lost, uses_of
from nurture.config import Config
from nurture.core.model import (
    Campaign,
    Category,
    Condition,
    Duration,
    Enter,
    Leave,
    Moment,
    Step,
    TaskText,
    Tone,
)
from nurture.core.timing import parse_duration, parse_moment
from nurture.errors import Problem, Problems
from nurture.positions import Place, Positions, did_you_mean, read_yaml
from nurture.rendering.context import FUNCTIONS, supplied, vocabulary
from nurture.rendering.templates import Template

_NARROWEST = {"interview": "interview", "offer": "offer", "application": "application"}
_NARROWEST["job"] = "application"
_CARRIED = {
    "interview": ("interview", "application", "candidate", "event"),
    "offer": ("offer", "application", "candidate", "event"),
    "application": ("application", "candidate", "event"),
    "job": ("application", "candidate", "event"),
    "custom": ("interview", "offer", "application", "candidate", "event"),
}
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*", re.IGNORECASE)
T = TypeVar("T")


@dataclass(frozen=True)
class Surroundings:
    """What a campaign file is checked against."""

    config: Config
    templates: Mapping[str, Template]  #: by key, as rendering.load_templates gives them
    broken: frozenset[str] = frozenset()  #: names of templates that have problems of their own
    unfit: Mapping[str, Template] = field(default_factory=dict)  #: those that can be read at least


def read_campaign(raw: bytes, file: str, around: Surroundings) -> Campaign:
    """The campaign that the bytes of `file` describe. Raises Problems, with all there are."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Problems(
            [Problem(file=file, line=line, code="encoding", message="is not UTF-8 text")]
        ) from None
    data, positions = read_yaml(text, file)
    keys, wrong = read_keys(data, positions, file)
    reader = _Reader(file, positions, around)
    reader.problems += wrong
    campaign = reader.campaign(keys, hashlib.sha256(raw).hexdigest())
    if reader.problems or campaign is None:
        raise Problems(list(dict.fromkeys(reader.problems)))
    return campaign


class _Reader:
    def __init__(self, file: str, positions: Positions, around: Surroundings) -> None:
        self.file = file
        self.positions = positions
        self.around = around
        self.problems: list[Problem] = []
        self.words = vocabulary(around.config)
        self.scope = Scope(self.words, FUNCTIONS, frozenset(self.words))
        self.dates = [
            name
            for name, kind in around.config.candidate_fields.items()
            if kind in ("date", "instant")
        ]

    # --- complaints

    def problem(self, path: Place, code: str, message: str, hint: str = "") -> None:
        self._add(self.positions.at(path), code, message, hint)

    def _add(self, at: tuple[int, int], code: str, message: str, hint: str) -> None:
        line, column = at
        self.problems.append(
            Problem(file=self.file, line=line, column=column, code=code, message=message, hint=hint)
        )

    # --- the campaign

    def campaign(self, keys: CampaignKeys, digest: str) -> Campaign | None:
        name = PurePath(self.file).stem
        if not _ID.fullmatch(name):
            hint = "use letters, digits, - and _"
            self._add((1, 1), "file-name", f'"{name}" cannot name a campaign', hint)
        enter = self._enter(keys.enter)
        leave = tuple(self._leave(index, one) for index, one in enumerate(keys.leave))
        steps = [self._step(index, one) for index, one in enumerate(keys.steps)]
        self._unique(steps)
        if enter is None:
            return None
        return Campaign(
            name=name,
            title=keys.name,
            about=keys.about,
            owner=keys.owner,
            status=keys.status,
            enter=enter,
            leave=leave,
            steps=tuple(step for step in steps if step is not None),
            file=self.file,
            digest=digest,
        )

    def _enter(self, keys: EnterKeys) -> Enter | None:
        if keys.on is None:
            message = "a campaign without `on:` (an audience) is not in this version"
            self.problem(("enter",), "not-yet", message, "say which event begins it")
            return None
        if not self._event(("enter", "on"), keys.on):
            return None
        thing = keys.on.partition(".")[0]
        possible = _CARRIED.get(thing, ("application", "candidate", "event"))
        once_per = keys.once_per or _NARROWEST.get(thing, "candidate")
        if once_per not in possible:
            message = f"{keys.on} carries no {once_per}"
            hint = f"it can be once_per: {', '.join(possible)}"
            self.problem(("enter", "once_per"), "once-per", message, hint)
            return None
        has = supplied(once_per, keys.on)
        self.scope = Scope(self.words, FUNCTIONS, has, f"{keys.on}, once per {once_per},")
        condition = self._condition(("enter", "if"), keys.if_)
        return Enter(on=keys.on, condition=condition, once_per=once_per)

    def _leave(self, index: int, keys: LeaveKeys) -> Leave:
        if bool(keys.on) == (keys.if_ is not None):
            message = "exactly one of `on:` and `if:` is expected"
            self.problem(("leave", index), "on-or-if", message)
        for number, event in enumerate(keys.on):
            self._event(("leave", index, "on", number), event)
        return Leave(
            on=frozenset(keys.on), condition=self._condition(("leave", index, "if"), keys.if_)
        )

    def _event(self, path: Place, event: str) -> bool:
        if event in EVENTS or re.fullmatch(r"custom\.[a-z][a-z0-9_]*", event):
            return True
        hint = did_you_mean(event, EVENTS)
        if not hint:
            thing = event.partition(".")[0]
            some = sorted(e for e in EVENTS if e.startswith(f"{thing}."))
            hint = f"known: {', '.join(some)}" if some else "events of your own are custom.<name>"
        self.problem(path, "unknown-event", f'"{event}"', hint)
        return False

    # --- steps

    def _step(self, index: int, keys: StepKeys) -> Step | None:
        path: Place = ("steps", index)
        if (keys.send is None) == (keys.task is None):
            message = "exactly one of `send:` and `task:` is expected"
            self.problem(path, "send-or-task", message)
            return None
        if keys.at is not None and keys.after is not None:
            at = self.positions.key((*path, "after"))
            message = "`at:` hangs on a fact, `after:` on the step above: only one of them"
            self._add(at, "at-and-after", message, "remove one")
        at_moment = self._moment((*path, "at"), keys.at)
        until = self._moment((*path, "until"), keys.until)
        if at_moment is not None and until is not None and _certainly_later(at_moment, until):
            message = "it is over before the step's own moment, so this would never be sent"
            self.problem((*path, "until"), "never-due", message)
        template = self._template(path, keys) if keys.send is not None else None
        before = at_moment is not None and at_moment.before
        again = keys.again_if_moved
        if again is None:
            again = before and at_moment is not None and _moves(at_moment.anchor)
        if until is None and before and at_moment is not None and keys.until is None:
            now = Duration(amount=0, unit="minutes")
            until = Moment(offset=now, before=False, anchor=at_moment.anchor)
        category = keys.category or (template.category if template else None)
        return Step(
            id=self._id(path, keys, index),
            send=keys.send,
            task=self._task((*path, "task"), keys.task) if keys.task else None,
            at=at_moment,
            after=self._parsed((*path, "after"), keys.after, "duration", parse_duration),
            condition=self._condition((*path, "if"), keys.if_),
            until=until,
            if_late=keys.if_late,
            again_if_moved=again,
            category=category,
            tone=template.tone if template else Tone.NEUTRAL,
            topic=template.topic if template else None,
            line=self.positions.at(path)[0],
        )

    def _task(self, path: Place, keys: TaskKeys) -> TaskText:
        due = self._parsed((*path, "due"), keys.due, "duration", parse_duration)
        uses, wrong = uses_of(keys.text, self.words)
        for one in wrong:
            at = self.positions.inside((*path, "text"), one.offset)
            self._add(at, one.code, one.message, one.hint)
        for use in uses:
            if use.thing not in self.scope.supplied and not use.guarded:
                at = self.positions.inside((*path, "text"), use.offset)
                message = f"{self.scope.trigger} has no {use.thing}"
                self._add(at, "not-supplied", message, "it has " + self._supplied())
        if due is None:
            return TaskText(text=keys.text, to=keys.to)
        return TaskText(text=keys.text, to=keys.to, due=due)

    def _template(self, path: Place, keys: StepKeys) -> Template | None:
        """The template of a step, complained about where it cannot serve this campaign."""
        name = keys.send or ""
        templates, place = self.around.templates, (*path, "send")
        known = {template.name for template in templates.values()}
        if name not in known and name in self.around.broken:
            self.problem(place, "broken-template", f'"{name}" has problems of its own')
            templates = self.around.unfit
        elif name not in known:
            hint = did_you_mean(name.removesuffix(".md").removesuffix(".html"), known)
            hint = hint or f"is there a templates/{name}.md?"
            self.problem(place, "unknown-template", f'"{name}"', hint)
            return None
        for template in sorted(templates.values(), key=lambda each: each.key):
            if template.name == name:
                self._suppliable(place, template)
        chosen = templates.get(name)
        if chosen is not None and keys.category is not None:
            self._restrained((*path, "category"), keys.category, chosen)
        return chosen

    def _suppliable(self, place: Place, template: Template) -> None:
        missing: dict[str, Use] = {}
        for part in (template.subject, template.preheader, template.body, *template.facts):
            for use in uses_of(part, self.words)[0]:
                if use.thing not in self.scope.supplied and not use.guarded:
                    missing.setdefault(use.thing, use)
        for thing, use in missing.items():
            message = f'"{template.key}" needs {use.name}; {self.scope.trigger} has no {thing}'
            self.problem(place, "not-supplied", message, "it has " + self._supplied())

    def _restrained(self, path: Place, name: str, template: Template) -> None:
        categories: Mapping[str, Category] = self.around.config.categories
        if name not in categories:
            hint = did_you_mean(name, categories) or f"known: {', '.join(categories)}"
            self.problem(path, "unknown-category", f'"{name}"', hint)
        elif template.category in categories:
            lost = restraint_lost(categories[template.category], categories[name])
            if lost:
                message = (
                    f'the template is "{template.category}"; "{name}" is less restrained ({lost})'
                )
                hint = "a step may only name a more restrained category"
                self.problem(path, "loose-category", message, hint)

    def _id(self, path: Place, keys: StepKeys, index: int) -> str:
        if keys.id is not None:
            if not _ID.fullmatch(keys.id):
                message, hint = f'"{keys.id}" cannot be an id', "use letters, digits, - and _"
                self.problem((*path, "id"), "step-id", message, hint)
            return keys.id
        if keys.send is not None:
            return keys.send.rpartition("/")[2]
        plain = re.sub(r"\{[{%#].*?[}%#]\}", " ", keys.task.text if keys.task else "")
        slug = "-".join(re.findall(r"[a-z0-9]+", plain.lower())[:6])
        return slug or f"task-{index + 1}"

    def _unique(self, steps: list[Step | None]) -> None:
        first: dict[str, int] = {}
        for index, step in enumerate(steps):
            if step is None:
                continue
            if step.id in first:
                path: Place = ("steps", index)
                key = next(k for k in ("id", "send", "task") if (*path, k) in self.positions)
                line = self.positions.at(("steps", first[step.id]))[0]
                message = f'"{step.id}" is also the step on line {line}'
                hint = "give one of them an `id:` of its own"
                self.problem((*path, key), "duplicate-id", message, hint)
            first.setdefault(step.id, index)

    # --- values

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

    def _moment(self, path: Place, text: str | None) -> Moment | None:
        moment = self._parsed(path, text, "moment", lambda t: parse_moment(t, self.dates))
        if moment is None or moment.anchor == "entered":
            return moment
        thing = moment.anchor.partition(".")[0]
        if thing == "promise":
            self.problem(path, "not-yet", "promises are not in this version", NOT_YET["promise"])
            return None
        if thing not in self.scope.supplied:
            offset = max((text or "").find(moment.anchor), 0)
            message = f"{self.scope.trigger} has no {thing}"
            at = self.positions.inside(path, offset)
            self._add(at, "not-supplied", message, "it has " + self._supplied())
            return None
        return moment

    def _condition(self, path: Place, source: str | None) -> Condition | None:
        if source is None:
            return None
        condition, wrong = compile_condition(source, self.scope)
        for one in wrong:
            self._add(self._inside(path, one), one.code, one.message, one.hint)
        return condition

    def _inside(self, path: Place, one: Complaint) -> tuple[int, int]:
        return self.positions.inside(path, one.offset)

    def _supplied(self) -> str:
        return ", ".join(sorted(self.scope.supplied))


def _moves(anchor: str) -> bool:
    return anchor.partition(".")[0] in ("interview", "offer")


_MINUTES = {"minutes": 1, "hours": 60, "days": 1440, "weeks": 10080}


def _certainly_later(moment: Moment, until: Moment) -> bool:
    """Whether `moment` comes after `until` whatever the anchor is (wall clocks give a day)."""
    if moment.anchor != until.anchor or {moment.offset.unit, until.offset.unit} - _MINUTES.keys():
        return False
    at, end = (
        (-1 if one.before else 1) * one.offset.amount * _MINUTES[one.offset.unit]
        for one in (moment, until)
    )
    exact = {moment.offset.unit, until.offset.unit} <= {"minutes", "hours"}
    slack = 0 if exact else 120  # the clocks may change in between
    if moment.at is not None or until.at is not None:
        slack = 1560
    return at > end + slack
