"""Who gets what, when, by one version of the files and not by another? Two courses compared."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nurture.core.model import Campaign
from nurture.engine.simulate import Course
from nurture.rendering.templates import Template
from nurture.store.foretold import Foretold, Occasion

_ARRIVES = ("send", "task")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One step for one person. `before` is by the other version, `after` by the working files;
    each is a row of `simulate --json`, a waiting one (verdict `wait`), or None."""

    change: str  #: added | removed | moved | changed
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def row(self) -> Mapping[str, Any]:
        """The one that arrives, by whichever version."""
        for row in (self.after, self.before):
            if row is not None and row["verdict"] in _ARRIVES:
                return row
        raise ValueError("nothing arrives by either version")

    def as_json(self) -> dict[str, Any]:
        row = self.row
        what = {name: row[name] for name in ("candidate", "application", "campaign", "step")}
        return {"change": self.change, **what, "before": self.before, "after": self.after}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    against: str  #: what people called the other version
    campaigns: Mapping[str, str]  #: by name: added | removed | changed
    templates: Mapping[str, str]  #: by key; a template with another layout is changed
    differences: tuple[Difference, ...]
    reworded: int  #: mails that go to the same people at the same times with other words


def compare(before: Course, after: Course, against: str) -> Comparison:
    """What becomes of people by `after` and not by `before`, in time order.

    Tasks and mails are compared, not what is skipped for another reason. A step that was renamed
    with `was` is the same step.
    """
    renamed = _renamed(after.campaigns)
    templates = _changed(_words_of(before), _words_of(after))
    found, same = _paired(before, after, renamed)
    names = {key.partition(".")[0] for key, change in templates.items() if change == "changed"}
    return Comparison(
        against=against,
        campaigns=_changed(_digests(before.campaigns), _digests(after.campaigns)),
        templates=templates,
        differences=tuple(sorted(found, key=_by_time)),
        reworded=sum(row["verdict"] == "send" and row["template"] in names for row in same),
    )


def _paired(
    before: Course, after: Course, renamed: Mapping[tuple[str, str], str]
) -> tuple[list[Difference], list[Mapping[str, Any]]]:
    """Differences, and rows that are alike. First the same occasions are put side by side; of what
    is left (an anchor that moved makes another occasion) the first with the first of its step."""
    old = _arriving(before.settled, renamed)
    new = _arriving(after.settled, {})
    found: list[Difference] = []
    same: list[Mapping[str, Any]] = []
    pairs = [(old.pop(key), new.pop(key)) for key in list(new) if key in old]
    left = defaultdict(list)
    for key, row in old.items():
        left[key[:5]].append(row)
    pairs += [(left[key[:5]].pop(0), new.pop(key)) for key in list(new) if left[key[:5]]]
    for was, now in pairs:
        change = _change(was, now)
        if change is None:
            same.append(now)
        else:
            found.append(Difference(change=change, before=was, after=now))
    instead = _otherwise(after, {})
    found += [
        Difference(change="removed", before=row, after=instead.get(_person(row)))
        for rows in left.values()
        for row in rows
    ]
    instead = _otherwise(before, renamed)
    found += [
        Difference(change="added", before=instead.get(_person(row)), after=row)
        for row in new.values()
    ]
    return found, same


def _arriving(
    settled: Sequence[Foretold], renamed: Mapping[tuple[str, str], str]
) -> dict[Occasion, Mapping[str, Any]]:
    found: dict[Occasion, Mapping[str, Any]] = {}
    for each in settled:
        if each.row["verdict"] in _ARRIVES:
            step = renamed.get((each.occasion.campaign, each.occasion.step), each.occasion.step)
            found[each.occasion._replace(step=step)] = {**each.row, "step": step}
    return found


def _otherwise(
    course: Course, renamed: Mapping[tuple[str, str], str]
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """What becomes of steps that do not arrive: skipped, or still waiting at the end."""
    return {
        _person({**each.row, "step": renamed.get((each.row["campaign"], each.row["step"]))})
        if (each.row["campaign"], each.row["step"]) in renamed
        else _person(each.row): each.row
        for each in (*course.open, *course.settled)
        if each.row["verdict"] not in _ARRIVES
    }


def _person(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["candidate"], row["application"], row["campaign"], row["step"]


def _change(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    if before["at"] != after["at"]:
        return "moved"
    kind = ("verdict", "template", "category")
    return None if all(before[name] == after[name] for name in kind) else "changed"


def _renamed(campaigns: Mapping[str, Campaign]) -> dict[tuple[str, str], str]:
    return {
        (name, step.was): step.id
        for name, campaign in campaigns.items()
        for step in campaign.every_step()
        if step.was is not None
    }


def _digests(campaigns: Mapping[str, Campaign]) -> dict[str, object]:
    return {name: each.digest for name, each in campaigns.items()}


def _words_of(course: Course) -> dict[str, object]:
    def words(template: Template) -> object:
        return template.digest, course.layouts.get(template.layout)

    return {key: words(each) for key, each in course.templates.items()}


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, str]:
    def changes() -> Iterator[tuple[str, str]]:
        for name in sorted(before.keys() | after.keys()):
            if name not in before:
                yield name, "added"
            elif name not in after:
                yield name, "removed"
            elif before[name] != after[name]:
                yield name, "changed"

    return dict(changes())


def _by_time(difference: Difference) -> tuple[Any, ...]:
    row = difference.row
    return row["at"], row["candidate"], row["campaign"], row["step"], difference.change
