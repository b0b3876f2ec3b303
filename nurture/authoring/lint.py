"""Does this campaign do what its author means? What is well written, and cannot be meant.

Works on a campaign that could be read: who can never enter, what can never be reached or sent, and
what no candidate should get. Where it stands in the file is looked up once something is found.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any

from nurture.authoring.findings import Finding, located, steps_with_places
from nurture.authoring.possible import (
    MISSING,
    can_be_false,
    can_be_true,
    formula,
    together,
    values_when_true,
)
from nurture.authoring.room import crowded_out
from nurture.authoring.wording import GRAVE_CATEGORIES
from nurture.config import Config
from nurture.core.model import Campaign, Condition, MessageClass, Moment, Step, Tone
from nurture.errors import Problem
from nurture.positions import Place

#: What may go on when its application is closed: an accepted offer, a promise made after a no.
_OUTLIVING = frozenset({"offer", "promise"})
#: What ends every other enrollment of an application by itself.
_CLOSING = frozenset(
    f"{thing}.{what}"
    for thing, words in {
        "application": ("rejected", "withdrawn", "hired", "closed"),
        "job": ("closed",),
    }.items()
    for what in words
)
#: With these people enter on bad news, unless the campaign's condition says otherwise.
_BAD_NEWS = frozenset(
    {
        "application.rejected",
        "application.withdrawn",
        "application.closed",
        "job.closed",
        "offer.withdrawn",
    }
)
_BAD_STATUS = frozenset({"rejected", "withdrawn", "closed"})
_BAD_STAGE = frozenset({"rejected", "withdrawn"})
#: What an event leaves no doubt about.
_SURE: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "application.rejected": {"application.status": ("rejected",)},
    "application.withdrawn": {"application.status": ("withdrawn",)},
    "application.hired": {"application.status": ("hired",)},
    "application.closed": {"application.status": ("rejected", "withdrawn", "hired", "closed")},
    "interview.cancelled": {"interview.status": ("cancelled",)},
    "interview.completed": {"interview.status": ("completed",)},
    "offer.accepted": {"offer.status": ("accepted",)},
    "offer.declined": {"offer.status": ("declined",)},
    "offer.withdrawn": {"offer.status": ("withdrawn",)},
}
#: Anchors that lie behind us as soon as they are known.
_BEHIND = frozenset(
    {
        "entered",
        "application.applied_at",
        "application.stage_since",
        "application.rejected_at",
        "application.last_contact",
        "candidate.last_contact",
        "interview.booked_at",
        "offer.sent_at",
    }
)
#: Problems with which a step is missing, so that those below it have other places in the file.
_LEFT_OUT = frozenset({"send-or-task", "branch"})
_HOURS = {"minutes": 1 / 60, "hours": 1, "days": 24, "weeks": 168, "months": 672}
_HOURS["business days"] = 24


def campaign_problems(
    campaign: Campaign, source: str, config: Config, known: Sequence[Problem] = ()
) -> list[Problem]:
    """All that is wrong with one campaign by itself; `source` is the text of its file, `known` what
    is wrong with it already: what could be a consequence of that is not told as well."""
    known = [problem for problem in known if problem.code != "broken-template"]
    found = [*_entrance(campaign)]
    if not known:
        found += _Steps(campaign, config).findings()
    elif in_their_places(known):
        found += _Steps(campaign, config).apparent()
    spots = {(problem.line, problem.column) for problem in known}
    problems = located(campaign.file, source, found)
    return [problem for problem in problems if (problem.line, problem.column) not in spots]


def in_their_places(known: Iterable[Problem]) -> bool:
    """Whether each step is where the file has it, although these problems were found."""
    return not any(problem.code in _LEFT_OUT for problem in known)


# --- who enters ----------------------------------------------------------------------------------


def _entrance(campaign: Campaign) -> Iterator[Finding]:
    enter = campaign.enter
    asked = formula(enter.condition)
    if not can_be_true(asked):
        message = "this can never be true, so nobody would ever enter"
        hint = 'to mean either of two values, write in ("...", "...")'
        yield Finding(
            at=("enter", "if"), code="nobody-enters", message=message, hint=hint, severity="error"
        )
        return
    sure = _SURE.get(enter.on or "", {})
    if not can_be_true(asked, sure):
        what = " and ".join(f"{fact} is {' or '.join(values)}" for fact, values in sure.items())
        message = f"at {enter.on}, {what}: nobody would ever enter"
        yield Finding(at=("enter", "if"), code="nobody-enters", message=message, severity="error")
        return
    for index, leave in enumerate(campaign.leave):
        if leave.condition is None:
            continue
        stays = together((enter.condition, True), (leave.condition, False))
        if not can_be_true(stays):
            message = "this is true of everybody who enters: they would leave at once"
            yield Finding(at=("leave", index, "if"), code="leaves-at-once", message=message)
        elif not can_be_true(formula(leave.condition)):
            message = "this can never be true, so nobody leaves by it"
            yield Finding(at=("leave", index, "if"), code="never-true", message=message)


# --- the steps -----------------------------------------------------------------------------------


class _Steps:
    def __init__(self, campaign: Campaign, config: Config) -> None:
        self.campaign = campaign
        self.config = config
        self.kinds = self._kinds()

    def _kinds(self) -> set[MessageClass]:
        categories = self.config.categories
        steps = self.campaign.every_step()
        return {categories[step.category].klass for step in steps if step.category in categories}

    def findings(self) -> Iterator[Finding]:
        yield from self.apparent()
        yield from self._in_time()
        yield from self._room()

    def apparent(self) -> Iterator[Finding]:
        """What shows in single steps, even where others could not be read."""
        for step, path in steps_with_places(self.campaign.steps):
            yield from self._condition(step, path)
            yield from self._tone(step, path)
            yield from self._moments(step, path)
        yield from self._lists(self.campaign.steps, ("steps",))

    # --- conditions and branches

    def _condition(self, step: Step, path: Place) -> Iterator[Finding]:
        if step.branch is not None:
            yield from self._branch(step, path)
        elif step.condition is not None and (why := self._never(step.condition)):
            what = "sent" if step.send else "done"
            message = f"{why}, so this is never {what}"
            yield Finding(at=(*path, "if"), code="never-true", message=message)

    def _branch(self, step: Step, path: Place) -> Iterator[Finding]:
        assert step.branch is not None  # noqa: S101 - asked before
        condition = step.branch.condition
        why = self._never(condition)
        if why and step.branch.then:
            message = f"never reached, by what the branch above asks for: {why}"
            yield Finding(at=(*path, "then", 0), code="unreachable", message=message)
        if step.branch.otherwise and not can_be_false(formula(condition)):
            message = "never reached: what the branch above asks for is always true"
            yield Finding(at=(*path, "else", 0), code="unreachable", message=message)

    def _never(self, condition: Condition) -> str:
        """Why a condition of a step can never be true; empty: it can."""
        asked = formula(condition)
        if not can_be_true(asked):
            return "this can never be true"
        for fact, values in self._while_enrolled().items():
            if not can_be_true(asked, {fact: values}):
                ended = (
                    "their application is closed" if "application" in fact else "it is cancelled"
                )
                return f"people leave this campaign as soon as {ended}"
        return ""

    def _while_enrolled(self) -> Mapping[str, tuple[Any, ...]]:
        """What facts can be as long as an enrollment goes on."""
        enter = self.campaign.enter
        given: dict[str, tuple[Any, ...]] = {}
        if enter.on is None or enter.once_per == "candidate":
            return given
        if enter.on not in _CLOSING and enter.once_per not in _OUTLIVING:
            given["application.status"] = ("active", MISSING)
        if enter.once_per == "interview" and enter.on != "interview.cancelled":
            given["interview.status"] = ("scheduled", "completed", MISSING)
        return given

    # --- what comes after what

    def _lists(self, steps: tuple[Step, ...], path: Place) -> Iterator[Finding]:
        """What waits below something that never ends."""
        stuck = ""
        for index, step in enumerate(steps):
            here = (*path, index)
            if stuck and step.at is None:
                yield Finding(at=here, code="unreachable", message=f"never reached: {stuck}")
                stuck = ""  # what comes below is as unreachable, and said with this
            if step.wait_for is not None:
                dead = yield from self._gate(step, here)
                if dead:
                    stuck = f'"{step.id}" on line {step.line} never opens; give it an `up_to:`'
            if step.repeat is not None and step.repeat.at_most is None and step.until is None:
                stuck = f'"{step.id}" on line {step.line} repeats for ever; give it an `at_most:`'
            if step.branch is not None:
                yield from self._lists(step.branch.then, (*here, "then"))
                yield from self._lists(step.branch.otherwise, (*here, "else"))

    def _gate(self, step: Step, path: Place) -> Generator[Finding, None, bool]:
        """Complains of events that can never open it; gives whether it stays closed for ever."""
        assert step.wait_for is not None  # noqa: S101 - asked before
        ends = self._ends()
        never = [event for event in sorted(step.wait_for.events) if event in ends]
        for event in never:
            message = f"{event} {ends[event]}, so this gate is never opened by it"
            hint = "wait for something else, or put this into a campaign that is entered by it"
            yield Finding(
                at=(*path, "wait_for"), code="never-opens", message=message, hint=hint, item=event
            )
        return len(never) == len(step.wait_for.events) and step.wait_for.up_to is None

    def _ends(self) -> Mapping[str, str]:
        """Events that end an enrollment rather than move it on."""
        enter = self.campaign.enter
        ends = dict.fromkeys(("candidate.erased", "candidate.merged"), "ends everything")
        of_application = enter.on is not None and enter.once_per != "candidate"
        if of_application and enter.on not in _CLOSING and enter.once_per not in _OUTLIVING:
            ends |= dict.fromkeys(_CLOSING, "ends this campaign by itself")
        if enter.once_per == "interview" and enter.on != "interview.cancelled":
            ends["interview.cancelled"] = "ends this campaign by itself"
        if self.kinds == {MessageClass.NURTURE}:
            ends["offer.accepted"] = "ends every nurture campaign"
        for leave in self.campaign.leave:
            ends |= dict.fromkeys(leave.on, "is in `leave:`")
        return ends

    # --- tone

    def _tone(self, step: Step, path: Place) -> Iterator[Finding]:
        if step.tone is not Tone.CHEERFUL or step.send is None:
            return
        if step.category in GRAVE_CATEGORIES:
            message = f'a cheerful mail cannot be of the category "{step.category}"'
            yield Finding(
                at=(*path, "category"), code="cheerful-bad-news", message=message, severity="error"
            )
        elif self._is_bad_news(step):
            message = f'"{step.send}" is cheerful, and this campaign begins with bad news'
            hint = "send a grave or neutral one, or let good news begin another campaign"
            yield Finding(
                at=(*path, "send"),
                code="cheerful-bad-news",
                message=message,
                hint=hint,
                severity="error",
            )

    def _is_bad_news(self, step: Step) -> bool:
        enter = self.campaign.enter
        status, stage = "application.status", "application.stage"
        asked = together((enter.condition, True), (step.condition, True))
        statuses, stages = values_when_true(asked, status), values_when_true(asked, stage)
        good = (statuses is not None and not statuses & _BAD_STATUS) or (
            stages is not None and not stages & _BAD_STAGE
        )
        if good:
            return False
        said = any(
            values and values <= bad
            for values, bad in ((statuses, _BAD_STATUS), (stages, _BAD_STAGE))
        )
        return enter.on in _BAD_NEWS or said

    # --- time

    def _moments(self, step: Step, path: Place) -> Iterator[Finding]:
        for key, moment in (("at", step.at), ("until", step.until)):
            if moment is not None and _is_behind(moment):
                what = "sent" if step.send else "done"
                message = (
                    f"{moment.anchor} lies behind us when it is known, and this before it: "
                    f"it is never {what}"
                )
                hint = f"did you mean after {moment.anchor}?"
                yield Finding(at=(*path, key), code="never-due", message=message, hint=hint)
                return

    def _in_time(self) -> Iterator[Finding]:
        """Steps that wait so long below each other that their `until` is over."""
        waited = 0.0  # hours since entering, at least
        for index, step in enumerate(self.campaign.steps):
            if step.at is not None:
                waited = max(0.0, _hours_after_entering(step.at))
                continue
            waited += step.after.amount * _HOURS[step.after.unit] if step.after else 0
            until = step.until
            if until is None or until.anchor != "entered" or until.before:
                continue
            slack = 26 if until.at is not None else 2
            # Weeks with holidays: so many business days may be more than twice as many days.
            longer = 2.5 if until.offset.unit == "business days" else 1.1
            limit = until.offset.amount * _HOURS[until.offset.unit]
            if until.offset.unit in ("months", "business days"):
                limit = limit * longer + 24 * 4
            if waited > limit + slack:
                days = f"{waited / 24:.0f} days" if waited >= 48 else f"{waited:.0f} hours"
                message = f"it is over before this is reached, {days} after entering at the soonest"
                yield Finding(at=("steps", index, "until"), code="never-due", message=message)

    def _room(self) -> Iterator[Finding]:
        places = {step.id: path for step, path in steps_with_places(self.campaign.steps)}
        for one in crowded_out(self.campaign, self.config):
            if one.by is None:
                message = "there are no contact hours between its moment and its `until`"
                hint = "move one of the two, or use a category with wider hours"
            else:
                message = (
                    f'the caps never let this through: "{one.by.id}" on line {one.by.line} '
                    "takes the room until it is too late"
                )
                hint = "send it later, remove one of the two, or give it more time with `until:`"
            yield Finding(
                at=(*places[one.step.id], "send"), code="no-room", message=message, hint=hint
            )


def _is_behind(moment: Moment) -> bool:
    """Whether it lies before an anchor that is itself in the past."""
    if moment.anchor not in _BEHIND or not moment.before or not moment.offset.amount:
        return False
    return moment.at is None or moment.offset.amount * _HOURS[moment.offset.unit] >= 48


def _hours_after_entering(moment: Moment) -> float:
    if moment.anchor != "entered" or moment.before:
        return 0.0
    return moment.offset.amount * _HOURS[moment.offset.unit]
