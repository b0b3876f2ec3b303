"""What do the steps of a campaign file say: mails, tasks, gates and branches within branches?"""

import re
from collections.abc import Collection, Mapping, Sequence

from nurture.authoring.campaign_keys import RepeatKeys, StepKeys, TaskKeys
from nurture.authoring.campaign_promises import read_promise
from nurture.authoring.campaign_values import ID, Values
from nurture.authoring.words import Use, complaints_of, restraint_lost, uses_of
from nurture.core.model import (
    Branch,
    Category,
    Duration,
    MessageClass,
    Moment,
    Repeat,
    Step,
    TaskText,
    Tone,
    WaitFor,
)
from nurture.core.timing import DYNAMIC_ANCHORS
from nurture.positions import Place, did_you_mean
from nurture.rendering.templates import LAYOUTS, Template

_AT_ONCE = Duration(amount=0, unit="minutes")
_TIMED = frozenset({"at", "after", "if_", "until", "if_late", "again_if_moved", "repeat"})
#: What each kind of step takes besides `id` and `was`, by the names of StepKeys.
_TAKES: Mapping[str, frozenset[str]] = {
    "send": _TIMED | {"send", "category", "if_expired", "promise"},
    "task": _TIMED | {"task"},
    "wait_for": frozenset({"wait_for", "up_to", "since"}),
    "branch": frozenset({"if_", "then", "else_", "after"}),
}
_KIND = {"send": "a mail", "task": "a task", "wait_for": "`wait_for:`", "branch": "a branch"}


def read_steps(keys: Sequence[StepKeys], values: Values) -> tuple[Step, ...]:
    """The steps of a file; what is wrong with them is told to `values`."""
    reading = _Reading(values)
    steps = reading.steps(("steps",), keys)
    reading.unique()
    reading.once()
    return steps


class _Reading:
    def __init__(self, values: Values) -> None:
        self.values = values
        self.ids: list[tuple[str, Place]] = []  # in file order; branches before what is in them
        self.dead: list[tuple[str, Place]] = []

    def steps(self, path: Place, keys: Sequence[StepKeys] | None) -> tuple[Step, ...]:
        read = [self.step((*path, index), one) for index, one in enumerate(keys or ())]
        return tuple(step for step in read if step is not None)

    def step(self, path: Place, keys: StepKeys) -> Step | None:
        kind = self._kind(path, keys)
        if kind is None:
            return None
        self._only_its_own(path, keys, kind)
        id_ = self._id(path, keys, kind)
        self.ids.append((id_, path))
        if keys.was is not None:
            self.dead.append((keys.was, path))
        line = self.values.positions.at(path)[0]
        if kind == "wait_for":
            return Step(id=id_, wait_for=self._gate(path, keys), was=keys.was, line=line)
        if kind == "branch":
            after = self.values.wait((*path, "after"), keys.after)
            branch = self._branch(path, keys)
            if branch is None:
                return None
            return Step(id=id_, branch=branch, after=after, was=keys.was, line=line)
        return self._mail_or_task(path, keys, id_, line)

    def _kind(self, path: Place, keys: StepKeys) -> str | None:
        kinds = [kind for kind in ("send", "task", "wait_for") if getattr(keys, kind) is not None]
        if keys.then is not None or keys.else_ is not None:
            kinds.append("branch")
        if len(kinds) == 1:
            return kinds[0]
        if not kinds and self.values.is_misshapen(path):
            return None
        message = "exactly one of `send:`, `task:`, `wait_for:` and `then:` is expected"
        hint = "an `if:` needs `then:`" if not kinds and keys.if_ is not None else ""
        if kinds[1:] == ["branch"]:
            key = "then" if keys.then is not None else "else"
            hint = f"indent `{key}:` as far as the `if:` that it belongs to"
            self.values.problem_key((*path, key), "send-or-task", message, hint)
            return None
        self.values.problem(path, "send-or-task", message, hint)
        return None

    def _only_its_own(self, path: Place, keys: StepKeys, kind: str) -> None:
        takes = _TAKES[kind] | {"id", "was"}
        names = {name: StepKeys.model_fields[name].alias or name for name in sorted(takes)}
        for name in StepKeys.model_fields:
            if name in keys.model_fields_set - takes and getattr(keys, name) is not None:
                key = StepKeys.model_fields[name].alias or name
                hint = f"it takes {', '.join(names.values())}"
                message = f"{_KIND[kind]} has no `{key}:`"
                self.values.problem_key((*path, key), "not-here", message, hint)

    # --- kinds of steps

    def _gate(self, path: Place, keys: StepKeys) -> WaitFor:
        events = keys.wait_for or []
        for number, event in enumerate(events):
            place = (*path, "wait_for", number)
            self.values.event(place, event)
        up_to = self.values.duration((*path, "up_to"), keys.up_to)
        if up_to is not None and not up_to.amount:
            self.values.problem((*path, "up_to"), "duration", "this would not wait at all")
        since_entered = keys.since == "entered"
        return WaitFor(events=frozenset(events), up_to=up_to, since_entered=since_entered)

    def _branch(self, path: Place, keys: StepKeys) -> Branch | None:
        condition = self.values.condition((*path, "if"), keys.if_)
        then = self.steps((*path, "then"), keys.then)
        otherwise = self.steps((*path, "else"), keys.else_)
        if keys.if_ is None:
            first = "then" if keys.then is not None else "else"
            message = f"`{first}:` needs an `if:` that decides"
            hint = "" if path[-1] == 0 else "to belong to the `if:` above, it begins without a dash"
            self.values.problem_key((*path, first), "branch", message, hint)
        elif keys.then is None:
            hint = "write `then:`, and turn the condition round: not (...)"
            self.values.problem_key((*path, "else"), "branch", "`else:` without `then:`", hint)
        if condition is None:
            return None
        return Branch(condition=condition, then=then, otherwise=otherwise)

    def _mail_or_task(self, path: Place, keys: StepKeys, id_: str, line: int) -> Step:
        values = self.values
        if keys.at is not None and keys.after is not None:
            message = "`at:` hangs on a fact, `after:` on the step above: only one of them"
            values.problem_key((*path, "after"), "at-and-after", message, "remove one")
        at_moment = values.moment((*path, "at"), keys.at)
        until = values.moment((*path, "until"), keys.until)
        if at_moment is not None and until is not None and _certainly_later(at_moment, until):
            message = "it is over before the step's own moment, so this would never be sent"
            values.problem((*path, "until"), "never-due", message)
        template = self._template(path, keys) if keys.send is not None else None
        before = at_moment is not None and at_moment.before
        again = keys.again_if_moved
        if again is None:
            again = before and at_moment is not None and _moves(at_moment.anchor)
        if until is None and before and at_moment is not None and keys.until is None:
            until = Moment(offset=_AT_ONCE, before=False, anchor=at_moment.anchor)
        category = keys.category or (template.category if template else None)
        if keys.if_expired is not None and keys.until is None:
            self._expires(path, until, category)
        return Step(
            id=id_,
            send=keys.send,
            task=self._task((*path, "task"), keys.task) if keys.task else None,
            at=at_moment,
            after=values.wait((*path, "after"), keys.after),
            condition=values.condition((*path, "if"), keys.if_),
            until=until,
            if_late=keys.if_late,
            if_expired=keys.if_expired,
            again_if_moved=again,
            repeat=self._repeat(path, keys, keys.repeat, at_moment) if keys.repeat else None,
            promise=read_promise((*path, "promise"), keys.promise, values),
            was=keys.was,
            category=category,
            tone=template.tone if template else Tone.NEUTRAL,
            topic=template.topic if template else None,
            fresh_until=template.fresh_until if template else None,
            alone=template is not None and template.calendar is not None,
            content=template is not None and bool(template.content),
            line=line,
        )

    def _task(self, path: Place, keys: TaskKeys) -> TaskText:
        values = self.values
        due = values.duration((*path, "due"), keys.due)
        for one in complaints_of(keys.text, values.words):
            at = values.positions.inside((*path, "text"), one.offset)
            values.problem_at(at, one.code, one.message, one.hint)
        for use in uses_of(keys.text, values.words):
            if use.thing not in values.scope.supplied and not use.guarded:
                at = values.positions.inside((*path, "text"), use.offset)
                message = f"{values.scope.trigger} has no {use.thing}"
                values.problem_at(at, "not-supplied", message, "it has " + values.supplied())
        if due is None:
            return TaskText(text=keys.text, to=keys.to)
        return TaskText(text=keys.text, to=keys.to, due=due)

    def _repeat(
        self, path: Place, step: StepKeys, keys: RepeatKeys, at_moment: Moment | None
    ) -> Repeat:
        """Refuses what could only spin, or never come again."""
        values, place = self.values, (*path, "repeat")
        every = values.duration((*place, "every"), keys.every)
        if step.again_if_moved is not None:
            message = "a step that repeats follows its anchor by itself"
            values.problem_key((*path, "again_if_moved"), "repeat", message, "remove this line")
        if every is not None and _minutes(every) < 60:
            message = "more often than every hour"
            values.problem((*place, "every"), "repeat", message, "write at least 1 hour")
        elif keys.every is None and step.at is None:
            message = "says neither `every:` how long, nor hangs on a moment that moves on"
            values.problem(place, "repeat", message, "write every: and how long")
        elif keys.every is None and at_moment is not None:
            self._moves_on(place, at_moment)
        return Repeat(every=every, at_most=keys.at_most)

    def _moves_on(self, place: Place, moment: Moment) -> None:
        """Whether a moment comes later by what is sent at it, and not at once."""
        contact = moment.anchor.endswith(".last_contact")
        if moment.anchor not in DYNAMIC_ANCHORS:
            message = f"{moment.anchor} does not move on by what is sent"
            hint = "write every: and how long"
            if _moves(moment.anchor):
                hint += "; again_if_moved: true is for one that is booked anew"
            self.values.problem(place, "repeat", message, hint)
        elif contact and (moment.before or _minutes(moment.offset) < 60):
            message = f"each mail moves {moment.anchor}, so the next would follow at once"
            hint = f"write at: a day or more after {moment.anchor}"
            self.values.problem(place, "repeat", message, hint)

    def _expires(self, path: Place, until: Moment | None, category: str | None) -> None:
        known = self.values.around.config.categories.get(category or "")
        if until is None and (known is None or known.klass is not MessageClass.NURTURE):
            message = "without `until:` it never expires"
            hint = "write until: and the moment after which it is too late"
            self.values.problem_key((*path, "if_expired"), "no-until", message, hint)

    # --- templates

    def _template(self, path: Place, keys: StepKeys) -> Template | None:
        """The template of a step, complained about where it cannot serve this campaign."""
        around, place, name = self.values.around, (*path, "send"), keys.send or ""
        templates, known = around.templates, around.by_name
        if name not in known and name in around.broken:
            self.values.problem(place, "broken-template", f'"{name}" has problems of its own')
            templates = around.unfit
        elif name not in known:
            self.values.problem(place, "unknown-template", f'"{name}"', _near(name, known))
            self._known_category((*path, "category"), keys.category)
            return None
        of_name = known.get(name) or [each for each in templates.values() if each.name == name]
        for template in sorted(of_name, key=lambda each: each.key):
            self._suppliable(place, template, promising=keys.promise is not None)
        chosen = templates.get(name)
        if chosen is not None and keys.category is not None:
            self._restrained((*path, "category"), keys.category, chosen)
        return chosen

    def _suppliable(self, place: Place, template: Template, *, promising: bool) -> None:
        missing: dict[str, Use] = {}
        scope = self.values.scope
        supplied = scope.supplied | ({"promise"} if promising else set())
        for part in (template.subject, template.preheader, template.body, *template.facts):
            for use in uses_of(part, self.values.words):
                if use.thing not in supplied and not use.guarded:
                    missing.setdefault(use.thing, use)
        if "application" not in supplied:
            for question in template.ask:
                if question.needs_application:
                    message = f'"{question.id}" in "{template.key}" acts on an application'
                    message += f"; {scope.trigger} has none"
                    hint = "it has " + self.values.supplied()
                    self.values.problem(place, "not-supplied", message, hint)
        if template.calendar is not None and "interview" not in supplied | missing.keys():
            message = f'"{template.key}" tells calendars of an interview'
            message += f"; {scope.trigger} has none"
            self.values.problem(place, "not-supplied", message, "it has " + self.values.supplied())
        for thing, use in missing.items():
            message = f'"{template.key}" needs {use.name}; {scope.trigger} has no {thing}'
            self.values.problem(place, "not-supplied", message, "it has " + self.values.supplied())

    def _restrained(self, path: Place, name: str, template: Template) -> None:
        categories: Mapping[str, Category] = self.values.around.config.categories
        if self._known_category(path, name) and template.category in categories:
            lost = restraint_lost(categories[template.category], categories[name])
            if lost:
                message = (
                    f'the template is "{template.category}"; "{name}" is less restrained ({lost})'
                )
                hint = "a step may only name a more restrained category"
                self.values.problem(path, "loose-category", message, hint)

    def _known_category(self, path: Place, name: str | None) -> bool:
        categories = self.values.around.config.categories
        if name is None or name in categories:
            return True
        hint = did_you_mean(name, categories) or f"known: {', '.join(categories)}"
        self.values.problem(path, "unknown-category", f'"{name}"', hint)
        return False

    # --- ids

    def _id(self, path: Place, keys: StepKeys, kind: str) -> str:
        if keys.id is not None:
            if not ID.fullmatch(keys.id):
                message, hint = f'"{keys.id}" cannot be an id', "use letters, digits, - and _"
                self.values.problem((*path, "id"), "step-id", message, hint)
            return keys.id
        number = len(self.ids) + 1
        if kind == "send":
            return (keys.send or "").rpartition("/")[2]
        if kind == "wait_for":
            return f"wait-for-{_slug(' '.join(keys.wait_for or ())) or number}"
        if kind == "branch":
            return f"if-{_slug(keys.if_ or '') or number}"
        plain = re.sub(r"\{[{%#].*?[}%#]\}", " ", keys.task.text if keys.task else "")
        return _slug(plain) or f"task-{number}"

    def unique(self) -> None:
        positions = self.values.positions
        first: dict[str, Place] = {}
        for id_, path in self.ids:
            if id_ in first:
                named = ("id", "send", "task", "wait_for", "if")
                key = next((key for key in named if (*path, key) in positions), "id")
                line = positions.at(first[id_])[0]
                message = f'"{id_}" is also the step on line {line}'
                hint = "give one of them an `id:` of its own"
                self.values.problem((*path, key), "duplicate-id", message, hint)
            first.setdefault(id_, path)

    def once(self) -> None:
        """A dead id is nobody's now, and one step's then."""
        alive = dict(reversed(self.ids))
        claimed: dict[str, Place] = {}
        for id_, path in self.dead:
            other = alive.get(id_) or claimed.get(id_)
            if other is not None:
                line = self.values.positions.at(other)[0]
                is_ = "is still the id of" if id_ in alive else "is claimed by"
                message = f'"{id_}" {is_} the step on line {line}'
                hint = "write the id that this step itself had before"
                self.values.problem((*path, "was"), "was", message, hint)
            claimed.setdefault(id_, path)


def _near(name: str, known: Collection[str]) -> str:
    """Which template was meant by a name that is none."""
    bare = name.strip("/").removesuffix(".md").removesuffix(".html")
    if bare.startswith(f"{LAYOUTS}/"):
        return "that is a layout: name the letter, and its layout in the letter's own file"
    inside = sorted(each for each in known if each.startswith(f"{bare}/"))
    if inside:
        return f"that is a folder: name a template in it, such as {inside[0]}"
    same = [each for each in sorted(known) if each.endswith(f"/{bare}")]
    if same:
        return f'did you mean "{same[0]}"?'
    return did_you_mean(bare, known) or f"is there a templates/{bare}.md?"


def _slug(text: str) -> str:
    """Its first six words, as part of an id."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower())[:6])


def _moves(anchor: str) -> bool:
    return anchor.partition(".")[0] in ("interview", "offer")


_MINUTES = {"minutes": 1, "hours": 60, "days": 1440, "weeks": 10080}


def _minutes(duration: Duration) -> int:
    """At least so many."""
    return duration.amount * _MINUTES.get(duration.unit, 1440)


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
