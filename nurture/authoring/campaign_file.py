"""What does a campaign file say? YAML to `core.model.Campaign`, or every problem with it.

Its shape is campaign_keys.py, its values campaign_values.py, its steps campaign_steps.py; here is
who enters and who leaves.
"""

import hashlib
from dataclasses import replace
from pathlib import PurePath

from nurture.authoring.campaign_keys import CampaignKeys, EnterKeys, LeaveKeys, read_keys
from nurture.authoring.campaign_steps import read_steps
from nurture.authoring.campaign_values import ID, Surroundings, Values
from nurture.core.model import Campaign, Duration, Enter, Leave
from nurture.core.timing import parse_duration
from nurture.errors import Problem, Problems
from nurture.files import text_in
from nurture.positions import read_yaml
from nurture.rendering.context import supplied

__all__ = ["Surroundings", "read_campaign", "read_partly"]

_NARROWEST = {"interview": "interview", "offer": "offer", "application": "application"}
_NARROWEST |= {"job": "application", "promise": "promise"}
_CARRIED = {
    "interview": ("interview", "application", "candidate", "event"),
    "offer": ("offer", "application", "candidate", "event"),
    "application": ("application", "candidate", "event"),
    "job": ("application", "candidate", "event"),
    "promise": ("promise", "application", "candidate", "event"),
    "custom": ("interview", "offer", "application", "candidate", "event"),
}
_AUDIENCE: tuple[str, ...] = ("candidate", "application")


def read_campaign(raw: bytes, file: str, around: Surroundings) -> Campaign:
    """The campaign that the bytes of `file` describe. Raises Problems, with all there are."""
    campaign, problems = read_partly(raw, file, around)
    if problems or campaign is None:
        raise Problems(problems)
    return campaign


def read_partly(
    raw: bytes, file: str, around: Surroundings
) -> tuple[Campaign | None, list[Problem]]:
    """What can be made of a file, and what is wrong with it: for those who look for more. Raises
    Problems where too little can be read."""
    data, positions = read_yaml(text_in(raw, file), file)
    keys, wrong = read_keys(data, positions, file)
    values = Values(file, positions, around)
    values.problems += wrong
    values.misshapen = frozenset((problem.line, problem.column) for problem in wrong)
    campaign = _campaign(keys, values, hashlib.sha256(raw).hexdigest())
    return campaign, list(dict.fromkeys(values.problems))


def _campaign(keys: CampaignKeys, values: Values, digest: str) -> Campaign | None:
    name = PurePath(values.file).stem
    if not ID.fullmatch(name):
        hint = "use letters, digits, - and _"
        values.problem_at((1, 1), "file-name", f'"{name}" cannot name a campaign', hint)
    enter = _enter(keys.enter, values)
    leave = tuple(_leave(index, one, values) for index, one in enumerate(keys.leave))
    steps = read_steps(keys.steps, values)
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
        steps=steps,
        file=values.file,
        digest=digest,
    )


def _enter(keys: EnterKeys, values: Values) -> Enter | None:
    """Who enters. With it, `values.scope` becomes what that trigger can supply."""
    if keys.on is None:
        trigger, narrowest = "an audience", "candidate"
        possible = _AUDIENCE
        if keys.if_ is None:
            if not values.is_misshapen(("enter",)):
                message = "`on:` (an event) or `if:` (an audience) is expected"
                values.problem(("enter",), "on-or-if", message)
            return None
    else:
        if not values.event(("enter", "on"), keys.on):
            return None
        trigger, thing = keys.on, keys.on.partition(".")[0]
        possible = _CARRIED.get(thing, ("application", "candidate", "event"))
        narrowest = _NARROWEST.get(thing, "candidate")
    once_per = keys.once_per or narrowest
    if once_per not in possible:
        message = f"{trigger} carries no {once_per}"
        hint = f"it can be once_per: {', '.join(possible)}"
        values.problem(("enter", "once_per"), "once-per", message, hint)
        return None
    has = supplied(once_per, keys.on)
    named = f"{trigger}, once per {once_per},"
    values.scope = replace(values.scope, supplied=has, trigger=named)
    values.of_promise = (keys.on or "").startswith("promise.")
    condition = values.condition(("enter", "if"), keys.if_)
    again = _again(keys.again, once_per, values)
    return Enter(on=keys.on, condition=condition, once_per=once_per, again=again)


def _again(text: str | None, once_per: str, values: Values) -> str | Duration:
    # A booking that was cancelled and made anew prepares anew.
    usual = "when_left" if once_per == "interview" else "never"
    if text is None or text in ("never", "when_left"):
        return text or usual
    try:
        duration = parse_duration(text)
    except ValueError:
        message, hint = f'"{text}" is none', "write never, when_left, or a time such as 90 days"
        values.problem(("enter", "again"), "again", message, hint)
        return usual
    if not duration.amount:
        message, hint = "this would never end", "write how long after the last time"
        values.problem(("enter", "again"), "again", message, hint)
    return duration


def _leave(index: int, keys: LeaveKeys, values: Values) -> Leave:
    both = bool(keys.on) == (keys.if_ is not None)
    if both and not values.is_misshapen(("leave", index)):
        message = "exactly one of `on:` and `if:` is expected"
        values.problem(("leave", index), "on-or-if", message)
    for number, event in enumerate(keys.on):
        values.event(("leave", index, "on", number), event)
    condition = values.condition(("leave", index, "if"), keys.if_)
    return Leave(on=frozenset(keys.on), condition=condition)
