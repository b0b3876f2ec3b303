"""How far had somebody come when we said no, and among whom are such answers counted?"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from nurture.core.model import Application, Facts, Interview

#: Stages in which nobody is on their way any more, or for now: they say nothing of how far it went.
_NO_WAY = frozenset({"rejected", "withdrawn", "hired", "on_hold"})
#: Whoever came this far is told one thing that we liked.
_LAST_STAGES = frozenset({"final", "decision", "offer"})
_FAMILY_AT_MOST = 200  # characters: part of an index key
_LAST_INTERVIEWS = frozenset({"onsite", "final"})
#: So long ago a rejection still says something about the next interview.
LOOKED_BACK = timedelta(days=365)
#: So many rejections share a reason before others are told of it: fewer could be recognised.
AT_LEAST = 5
MENTIONED = 2  #: reasons of others in one mail


def shared(counted: Mapping[str, int]) -> list[str]:
    """The reasons that enough of these rejections share, the commonest first."""
    enough = sorted((-many, type_) for type_, many in counted.items() if many >= AT_LEAST)
    return [type_ for _, type_ in enough]


def last_stage(history: Sequence[Sequence[str | None]]) -> str | None:
    """The last stage on the way, of all that were told: [instant, stage, its own name], in order.
    Sources move whom they reject into a stage of that name."""
    stages = (one[1] for one in reversed(history))
    return next((each for each in stages if each is not None and each not in _NO_WAY), None)


def interviews_held(facts: Facts, application: Application, now: datetime) -> list[Interview]:
    """What has begun and was not called off."""
    return [
        each
        for each in facts.interviews.values()
        if each.application == application.ref
        and each.status != "cancelled"
        and each.starts_at is not None
        and each.starts_at <= now
    ]


def is_finalist(facts: Facts, application: Application, now: datetime) -> bool:
    """Whether a rejection ends a long way: somebody at its last stages, or who came to us."""
    if application.status != "rejected":
        return False
    held = interviews_held(facts, application, now)
    return application.reached in _LAST_STAGES or any(
        each.kind in _LAST_INTERVIEWS for each in held
    )


def family_of(job: Mapping[str, Any]) -> str | None:
    """Of a job's own fields: the family whose rejections are counted together, as it is compared.
    Where nobody names a family, its department is one."""
    for name in ("family", "department"):
        said = job.get(name)
        if isinstance(said, str) and said.strip():
            return " ".join(said.casefold().split())[:_FAMILY_AT_MOST]
    return None
