"""What is written otherwise in a campaign? Two versions of a file compared, in the file's words."""

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import NamedTuple

from nurture.core.model import Campaign, Condition, Leave, Step
from nurture.core.timing import show_duration, show_moment
from nurture.engine.promising import in_words


class Change(NamedTuple):
    """One thing that is written otherwise. `was` and `now` are in the file's words."""

    what: str  #: added | removed | renamed | moved | at | if | until | send | words | status | ...
    step: str | None
    was: str
    now: str

    @property
    def text(self) -> str:
        of = f"step {self.step}: " if self.step else ""
        match self.what:
            case "new" | "deleted":
                return f"the file is {self.what}"
            case "added":
                return f"{of}added, {self.now}"
            case "removed":
                return f"{of}removed, was {self.was}"
            case "renamed":
                return f"{of}renamed, was {self.was}"
            case "moved":
                return f"{of}moved from after {self.was} to after {self.now}"
            case "words":
                return f"{of}other words in {self.now}"
        return f"{of}{self.what}: {self.was or 'nothing'} -> {self.now or 'nothing'}"


def changes(before: Campaign | None, after: Campaign | None, reworded: set[str]) -> list[Change]:
    """What is written otherwise, in the order of the file."""
    if before is None or after is None:
        return [Change("new" if before is None else "deleted", None, "", "")]
    found = [
        Change(what, None, was, now)
        for what, was, now in zip(_HEAD, head(before), head(after), strict=True)
        if was != now
    ]
    names = {step.was: step.id for step in after.every_step() if step.was}
    old = {names.get(step.id, step.id): step for step in before.every_step()}
    new = {step.id: step for step in after.every_step()}
    moved = _moved(before, after, names)
    for id_, step in new.items():
        was = old.get(id_)
        if was is None:
            found.append(Change("added", id_, "", _said(step)))
            continue
        if was.id != id_:
            found.append(Change("renamed", id_, was.id, id_))
        if id_ in moved:
            found.append(Change("moved", id_, *moved[id_]))
        found += [
            Change(what, id_, written(was)[what], said)
            for what, said in written(step).items()
            if written(was)[what] != said
        ]
        if was.send == step.send and step.send in reworded:
            found.append(Change("words", id_, step.send, step.send))
    found += [
        Change("removed", id_, _said(step), "") for id_, step in old.items() if id_ not in new
    ]
    return found


_HEAD = ("name", "about", "owner", "status", "enter", "leave")


def head(campaign: Campaign) -> tuple[str, ...]:
    enter = campaign.enter
    again = enter.again if isinstance(enter.again, str) else show_duration(enter.again)
    entered = [
        f"on {enter.on}" if enter.on else "",
        _if(enter.condition),
        f"once per {enter.once_per}",
        f"again {again}",
    ]
    return (
        campaign.title,
        campaign.about,
        campaign.owner,
        campaign.status.value,
        ", ".join(part for part in entered if part),
        "; ".join(_leave(each) for each in campaign.leave),
    )


def _leave(leave: Leave) -> str:
    on = f"on {', '.join(sorted(leave.on))}" if leave.on else ""
    return " ".join(part for part in (on, _if(leave.condition)) if part)


def written(step: Step) -> dict[str, str]:
    """The keys of a step as they are written."""
    said = {
        "send": step.send or "",
        "task": step.task.text if step.task else "",
        "moment": _when(step),
        "if": _if(step.condition).removeprefix("if "),
        "until": show_moment(step.until) if step.until else "",
        "if_late": step.if_late,
        "if_expired": step.if_expired or "",
        "again_if_moved": "true" if step.again_if_moved else "false",
        "category": step.category or "",
        "tone": step.tone.value,
        "repeat": "",
        "promise": "",
        "wait_for": "",
    }
    if step.repeat is not None:
        every = f"every {show_duration(step.repeat.every)}" if step.repeat.every else "as it moves"
        most = f", at most {step.repeat.at_most}" if step.repeat.at_most else ""
        said["repeat"] = every + most
    if step.promise is not None:
        said["promise"] = in_words(step.promise)
    if step.wait_for is not None:
        up_to = f", up to {show_duration(step.wait_for.up_to)}" if step.wait_for.up_to else ""
        said["wait_for"] = " or ".join(sorted(step.wait_for.events)) + up_to
    if step.branch is not None:
        said["if"] = _if(step.branch.condition).removeprefix("if ")
    return said


def _when(step: Step) -> str:
    if step.at is not None:
        return show_moment(step.at)
    return f"after {show_duration(step.after)}" if step.after else "after the step above"


def _said(step: Step) -> str:
    """`send notes/second, 2 days before interview.starts_at`"""
    words = written(step)
    if step.branch is not None:
        return f"if {words['if']}"
    if step.wait_for is not None:
        return f"wait for {words['wait_for']}"
    what = f"send {step.send}" if step.send else f"task {words['task']}"
    return f"{what}, {_when(step)}"


def _if(condition: Condition | None) -> str:
    return f"if {getattr(condition, 'source', condition)}" if condition is not None else ""


def _moved(
    before: Campaign, after: Campaign, names: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """Steps that have another place: after which step they came, and come."""
    old = _places(before.steps, "the start")
    new = _places(after.steps, "the start")
    was = {names.get(id_, id_): (names.get(up, up), side) for id_, (up, side) in old.items()}
    common = [id_ for id_ in was if id_ in new]
    order = [id_ for id_ in new if id_ in was]
    matcher = SequenceMatcher(None, common, order, autojunk=False)
    kept = {
        id_ for block in matcher.get_matching_blocks() for id_ in common[block.a :][: block.size]
    }
    return {
        id_: (was[id_][0], new[id_][0])
        for id_ in order
        if id_ not in kept or was[id_][1] != new[id_][1]
    }


def _places(steps: tuple[Step, ...], above: str, side: str = "") -> dict[str, tuple[str, str]]:
    """By id: the step above, and in which branch."""
    found: dict[str, tuple[str, str]] = {}
    for step in steps:
        found[step.id] = (above, side)
        if step.branch is not None:
            found |= _places(step.branch.then, step.id, f"{step.id} then")
            found |= _places(step.branch.otherwise, step.id, f"{step.id} else")
        above = step.id
    return found
