"""Which step is that, now that its author has given it another id? `was:` says so.

Rows under a dead id are read as the new id's, until they are renamed in the store as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from nurture.core.model import Campaign, Facts

#: By campaign: dead id -> the id it has now.
Renames = Mapping[str, Mapping[str, str]]


def dead_ids(campaign: Campaign) -> dict[str, str]:
    """What steps were called before, and are called now."""
    return {step.was: step.id for step in campaign.every_step() if step.was is not None}


def renames(campaigns: Iterable[Campaign]) -> Renames:
    """Those campaigns in which a step has been renamed."""
    return {each.name: names for each in campaigns if (names := dead_ids(each))}


def read_as_now(facts: Facts, names: Renames) -> Facts:
    """The same facts, with rows of dead ids under the ids that the steps have now.

    What is stored under the new id already is believed before what is stored under the dead one.
    """
    if not names:
        return facts
    of = {each.id: names[each.campaign] for each in facts.enrollments if each.campaign in names}
    if not of:
        return facts

    def now(enrollment_id: int, step: str) -> str:
        return of.get(enrollment_id, {}).get(step, step)

    own = {(each.enrollment_id, each.step, each.occurrence) for each in facts.records}
    records = []
    for each in facts.records:
        step = now(each.enrollment_id, each.step)
        if step == each.step:
            records.append(each)
        elif (each.enrollment_id, step, each.occurrence) not in own:
            records.append(replace(each, step=step))
    messages = tuple(
        replace(
            each,
            step=now(each.enrollment_id, each.step),
            sections=tuple(
                replace(part, step=now(part.enrollment_id, part.step)) for part in each.sections
            ),
        )
        for each in facts.messages
    )
    calls = tuple(replace(each, step=now(each.enrollment_id, each.step)) for each in facts.calls)
    return replace(facts, records=tuple(records), messages=messages, calls=calls)
