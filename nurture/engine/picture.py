"""What does a campaign's journey look like, and how many people are where?

The words of the file, as it was understood: moments, conditions, branches, ends. For `nurture show`
and the pages.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nurture.core.model import Campaign, Condition, Enter, Leave, Step
from nurture.core.timing import show_duration, show_moment
from nurture.engine.promising import in_words
from nurture.store.census import Census, Place

_NOBODY = Place()


@dataclass(frozen=True, kw_only=True)
class Node:
    """One step, as people say it, with those who are at it and past it."""

    id: str
    kind: str  #: send | task | wait_for | branch
    what: str  #: a template's name, a task's text, events, or a condition
    when: str
    limits: tuple[str, ...]  #: if, until, if_late and the like, one phrase each
    stands_alone: bool  #: hangs on a fact; else it waits for the step above
    place: Place
    then: "tuple[Node, ...]" = ()
    otherwise: "tuple[Node, ...]" = ()

    def title(self) -> str:
        """`send interview-prep/kit`, `wait for interview.completed`"""
        verb = {"wait_for": "wait for", "branch": "if"}.get(self.kind, self.kind)
        return f"{verb} {self.what}"

    def as_json(self) -> dict[str, Any]:
        place = self.place
        branch = {
            "chosen": {side: place.chosen.get(side, 0) for side in ("then", "else")},
            "then": [each.as_json() for each in self.then],
            "else": [each.as_json() for each in self.otherwise],
        }
        return {
            "step": self.id,
            "kind": self.kind,
            "what": self.what,
            "when": self.when,
            "limits": list(self.limits),
            **_place_json(place),
            **(branch if self.kind == "branch" else {}),
        }


@dataclass(frozen=True, kw_only=True)
class Picture:
    campaign: Campaign
    enters: str
    leaves: tuple[str, ...]
    nodes: tuple[Node, ...]
    census: Census
    gone: Mapping[str, Place]  #: steps with a history that the file has no more

    def as_json(self) -> dict[str, Any]:
        campaign, census = self.campaign, self.census
        return {
            "campaign": campaign.name,
            "title": campaign.title,
            "status": campaign.status.value,
            "file": campaign.file,
            "digest": campaign.digest,
            "enter": self.enters,
            "leave": list(self.leaves),
            "entered": census.entered,
            "active": census.active,
            "finished": census.finished,
            "left": census.left,
            "steps": [node.as_json() for node in self.nodes],
            "gone": {step: _place_json(place) for step, place in self.gone.items()},
        }


def picture(campaign: Campaign, census: Census | None = None) -> Picture:
    """Without a census nobody is anywhere."""
    census = census or Census()
    there = {step.id for step in campaign.every_step()}
    return Picture(
        campaign=campaign,
        enters=enters(campaign.enter),
        leaves=tuple(_leaves(each) for each in campaign.leave),
        nodes=_nodes(campaign.steps, census, "entering"),
        census=census,
        gone={step: place for step, place in census.places.items() if step not in there},
    )


def enters(enter: Enter) -> str:
    """`on interview.scheduled, if ..., once per interview`"""
    parts = [f"on {enter.on}" if enter.on else "", _if(enter.condition)]
    parts.append(f"once per {enter.once_per}")
    if not isinstance(enter.again, str):
        parts.append(f"again {show_duration(enter.again)} after the last began")
    elif enter.again == "when_left":
        parts.append("again when left")
    return ", ".join(part for part in parts if part)


def _leaves(leave: Leave) -> str:
    on = f"on {', '.join(sorted(leave.on))}" if leave.on else ""
    return " ".join(part for part in (on, _if(leave.condition)) if part)


def _nodes(steps: tuple[Step, ...], census: Census, above: str) -> tuple[Node, ...]:
    aboves = (above, *("the step above" for _ in steps))
    return tuple(_node(step, census, each) for step, each in zip(steps, aboves, strict=False))


def _node(step: Step, census: Census, above: str) -> Node:
    kind, what = _kind(step)
    branch = step.branch
    return Node(
        id=step.id,
        kind=kind,
        what=what,
        when=_when(step, above),
        limits=tuple(_limits(step)),
        stands_alone=step.at is not None,
        place=census.places.get(step.id, _NOBODY),
        then=_nodes(branch.then, census, "the choice") if branch else (),
        otherwise=_nodes(branch.otherwise, census, "the choice") if branch else (),
    )


def _kind(step: Step) -> tuple[str, str]:
    if step.task is not None:
        return "task", step.task.text
    if step.wait_for is not None:
        return "wait_for", " or ".join(sorted(step.wait_for.events))
    if step.branch is not None:
        return "branch", _source(step.branch.condition)
    return "send", step.send or ""


def _when(step: Step, above: str) -> str:
    if step.at is not None:
        return f"at {show_moment(step.at)}"
    if step.after is not None and step.after.amount:
        return f"{show_duration(step.after)} after {above}"
    return "on entering" if above == "entering" else f"right after {above}"


def _limits(step: Step) -> Iterator[str]:
    if step.condition is not None:
        yield _if(step.condition)
    if step.wait_for is not None and step.wait_for.up_to is not None:
        yield f"up to {show_duration(step.wait_for.up_to)}"
    if step.wait_for is not None and step.wait_for.since_entered:
        yield "since entering"
    if step.until is not None:
        yield f"until {show_moment(step.until)}"
    if step.if_late == "send":
        yield "sent at once if it is late"
    if step.if_expired == "task":
        yield "a task if it expires"
    if step.again_if_moved:
        yield "again if it moves"
    if step.repeat is not None:
        every = step.repeat.every
        yield f"every {show_duration(every)}" if every else "each time its anchor moves on"
        if step.repeat.at_most is not None:
            yield f"at most {step.repeat.at_most} times"
    if step.promise is not None:
        yield f"promises {in_words(step.promise)}"
    if step.task is not None:
        yield f"for the {step.task.to.replace('_', ' ')}"
        yield f"due in {show_duration(step.task.due)}"


def _if(condition: Condition | None) -> str:
    return f"if {_source(condition)}" if condition is not None else ""


def _source(condition: Condition) -> str:
    """As it was written. One that was made otherwise has no words."""
    return " ".join(str(getattr(condition, "source", "...")).split())


# --- counts in words -----------------------------------------------------------------------------


def sides(node: Node) -> tuple[tuple[str, tuple[Node, ...]], tuple[str, tuple[Node, ...]]]:
    """Both ways from a branch, each with how many took it: `then (12)`."""
    chosen = node.place.chosen
    return (
        (f"then ({chosen.get('then', 0)})", node.then),
        (f"else ({chosen.get('else', 0)})", node.otherwise),
    )


def whereabouts(node: Node) -> list[str]:
    """`12 sent`, `3 waiting (2 scheduled, 1 cap)`, `1 skipped (late)`: what there is of each."""
    place = node.place
    said = []
    if place.waiting:
        said.append(f"{sum(place.waiting.values())} waiting ({_by_reason(place.waiting)})")
    if place.sent:
        said.append(f"{place.sent} sent")
    if place.done and node.kind != "branch":  # whose sides say it
        said.append(f"{place.done} {'passed' if node.kind == 'wait_for' else 'done'}")
    if place.skipped:
        said.append(f"{sum(place.skipped.values())} skipped ({_by_reason(place.skipped)})")
    if place.failed:
        said.append(f"{place.failed} failed")
    return said


def totals(census: Census) -> str:
    """`12 in it now, 8 finished, 3 left (2 offer.accepted, 1 interview.cancelled); 23 entered`"""
    left = f" ({_by_reason(census.left)})" if census.left else ""
    return (
        f"{census.active} in it now, {census.finished} finished,"
        f" {sum(census.left.values())} left{left}; {census.entered} entered"
    )


def _by_reason(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    words = [(count, reason.replace("_", " ")) for reason, count in ordered]
    if len(words) == 1:
        return words[0][1]
    return ", ".join(f"{count} {reason}" for count, reason in words)


def _place_json(place: Place) -> dict[str, Any]:
    return {
        "waiting": place.waiting,
        "next_at": place.next_at.isoformat() if place.next_at else None,
        "to_come": place.to_come,
        "sent": place.sent,
        "done": place.done,
        "failed": place.failed,
        "skipped": place.skipped,
    }
