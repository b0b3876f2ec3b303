"""Which mail waits because an edit made it due? What the version before would not have sent now.

The new version of a campaign is in force at once; a gate holds back of its mail what is due by it
and was not due by the version before. Service mail of uncapped categories and tasks pass always.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nurture.core.agenda import Policy, Recipient, asking
from nurture.core.journey import Key, Standstill, Want
from nurture.core.model import (
    Approval,
    Branch,
    Campaign,
    CampaignStatus,
    Category,
    Enrollment,
    MessageClass,
    Reason,
    Step,
    Verdict,
)
from nurture.core.renames import dead_ids

_JUST_AFTER = timedelta(seconds=1)
_PARTS = 2**64

_Made = Callable[[Step], Step]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """An edit of one campaign that nobody has let through yet."""

    campaign: str
    before: Campaign | None = None  #: as `former` gives it; None: nothing was due before
    cause: str = "edit"  #: edit | resume | audience
    #: From when to when candidates are let through, one after another.
    spread: tuple[datetime, datetime] | None = None
    #: Who entered since then did so because of the edit: nothing of theirs was due before.
    newcomers_since: datetime | None = None

    def compared(self, enrollment: Enrollment) -> Campaign | None:
        """The version before, for those who were in it."""
        since = self.newcomers_since
        return None if since is not None and enrollment.entered_at >= since else self.before

    def keeps(self, want: Want, category: Category, now: datetime) -> bool:  # noqa: ARG002
        """Whether it concerns this want, if it was not due before. What has a cap may be held."""
        return category.capped and want.campaign.name == self.campaign


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A time in which nobody planned: nurture mail whose moment came then waits.

    After a restore, the time since the backup: somebody planned, and what they sent is not known
    any more. Every mail that could have gone by its end waits, of whatever category.
    """

    since: datetime
    until: datetime
    campaign: str = "*"
    cause: str = "stop"  #: stop | restore
    spread: tuple[datetime, datetime] | None = None
    passed: frozenset[Key] = frozenset()  #: let through, one by one

    def compared(self, _enrollment: Enrollment) -> Campaign | None:
        return None

    def keeps(self, want: Want, category: Category, now: datetime) -> bool:
        if self.cause == "restore":
            entered = want.enrollment.entered_at <= self.until
            came = now <= self.until or want.moment_at <= self.until
            return entered and came and want.key not in self.passed
        came = self.since < want.moment_at <= self.until
        return category.capped and category.klass is MessageClass.NURTURE and came


@dataclass(frozen=True, kw_only=True)
class Lifted:
    """A kill switch over more than one campaign that was lifted: what it kept back is due at once.
    One over a single campaign is a `Gate` with nothing before it."""

    campaign: str  #: of its row: `resumed:everything`
    job: str | None = None  #: it was about this job only
    cause: str = "resume"
    spread: tuple[datetime, datetime] | None = None

    def compared(self, _enrollment: Enrollment) -> Campaign | None:
        return None

    def keeps(self, want: Want, category: Category, now: datetime) -> bool:  # noqa: ARG002
        return category.capped


AnyGate = Gate | Stop | Lifted


@dataclass(frozen=True, kw_only=True)
class Held:
    wanted: list[Want | Standstill]  #: the same, with what is held turned into standstills
    held: frozenset[Key] = frozenset()
    alarms: tuple[datetime, ...] = ()  #: when to look again at what is held


def held(
    wanted: Sequence[Want | Standstill],
    before: Sequence[Want | Standstill],
    gate: AnyGate,
    recipient: Recipient,
    policy: Policy,
    now: datetime,
) -> Held:
    """Turn those wants into waiting standstills that are due now, have a cap, and were not due by
    `before`, what the version before wants at the same instant.

    Due is what asks for its mail now, whatever hours and caps say: an edit in the night makes as
    much mail due as one at noon. What is refused anyway (past its `until`, unsubscribed, its `if`
    not true) is left to the agenda, which says why.
    """
    asked = asking(recipient, wanted, policy, now)
    asked_before = asking(recipient, before, policy, now)
    former: dict[tuple[int, str], Want] = {
        (want.key.enrollment_id, want.key.step): want for want in before if isinstance(want, Want)
    }
    through = through_at(gate, recipient.candidate.id)
    kept: list[Want | Standstill] = []
    keys: set[Key] = set()
    alarms: list[datetime | None] = []
    for want in wanted:
        category = policy.categories.get(want.step.category or "")
        if (
            not isinstance(want, Want)
            or category is None
            or not gate.keeps(want, category, now)
            or not _due(want, asked, now)
            or (through is not None and through <= now)
        ):
            kept.append(want)
            continue
        was = former.get((want.key.enrollment_id, want.key.step))
        if (
            was is not None
            and _due(was, asked_before, now)
            and not _spared_approval(was, category, policy)
        ):
            kept.append(want)
            continue
        keys.add(want.key)
        kept.append(_waiting(want, gate, through))
        alarms += [through, want.truth.changes_at, _end(want, category, policy)]
        if was is not None:
            alarms += [asked_before.get(was.key, was.moment_at), was.truth.changes_at]
    return Held(
        wanted=kept,
        held=frozenset(keys),
        alarms=tuple(at for at in alarms if at is not None and at > now),
    )


def _due(want: Want, asked: Mapping[Key, datetime], now: datetime) -> bool:
    at = asked.get(want.key)
    return at is not None and at <= now


def _spared_approval(was: Want, category: Category, policy: Policy) -> bool:
    """Whether an edit took the need of an approval away: then it was not due before."""
    before = policy.categories.get(was.step.category or "")
    needed = before is not None and before.approval is not Approval.AUTO
    return needed and category.approval is Approval.AUTO


def _waiting(want: Want, gate: AnyGate, through: datetime | None) -> Standstill:
    return Standstill(
        key=want.key,
        campaign=want.campaign,
        step=want.step,
        enrollment=want.enrollment,
        verdict=Verdict.WAIT,
        reason=Reason.RELEASE,
        moment_at=want.moment_at,
        known_at=want.known_at,
        anchor_at=want.anchor_at,
        at=through,
        detail={"cause": gate.cause, "gate": gate.campaign},
    )


def _end(want: Want, category: Category, policy: Policy) -> datetime | None:
    """When it has to be looked at to be dropped."""
    until = want.until
    if until is None and category.klass is MessageClass.NURTURE:
        until = want.moment_at + policy.max_wait
    return until and until + _JUST_AFTER


def through_at(gate: AnyGate, candidate_id: int) -> datetime | None:
    """When a spreading gate lets this candidate through: the same instant whoever asks; None while
    nobody has decided. The candidates' instants are spread evenly."""
    if gate.spread is None:
        return None
    start, end = gate.spread
    digest = hashlib.sha256(f"{gate.campaign}:{candidate_id}".encode()).digest()
    return start + (end - start) * (int.from_bytes(digest[:8]) / _PARTS)


# --- versions of a campaign ----------------------------------------------------------------------


def former(before: Campaign, after: Campaign) -> Campaign:
    """The version before, as it can be compared with the one after it: by today's ids of renamed
    steps, and late for nothing, because lateness is reckoned from when today's moments are known.
    """

    def made(step: Step) -> Step:
        return replace(step, if_late="send", was=None)

    return replace(before, steps=_each(by_todays_ids(before, after).steps, made))


def by_todays_ids(before: Campaign, after: Campaign) -> Campaign:
    """The version before, with the ids that its steps have after they were renamed."""
    names = dead_ids(after)
    own = {step.id for step in before.every_step()}

    def renamed(step: Step) -> Step:
        new = names.get(step.id, step.id)
        return step if new in own else replace(step, id=new)

    return replace(before, steps=_each(before.steps, renamed)) if names else before


def essence(campaign: Campaign) -> Campaign:
    """What decides who gets what and when: two versions with the same differ in words only."""

    def made(step: Step) -> Step:
        task = step.task and replace(step.task, text="")
        return replace(step, line=1, was=None, task=task)

    bare = replace(campaign, title="", about="", owner="", file="", digest="")
    return replace(bare, steps=_each(campaign.steps, made))


def only_words(before: Campaign, after: Campaign) -> bool:
    """Whether nobody's mail can come sooner, later or to somebody else by this edit."""
    return essence(by_todays_ids(before, after)) == essence(after)


def can_release(campaign: Campaign) -> bool:
    """Whether it can make any mail due."""
    return campaign.status is CampaignStatus.LIVE


def _each(steps: Iterable[Step], made: _Made) -> tuple[Step, ...]:
    return tuple(_deep(step, made) for step in steps)


def _deep(step: Step, made: _Made) -> Step:
    new = made(step)
    if new.branch is None:
        return new
    branch = Branch(
        condition=new.branch.condition,
        then=_each(new.branch.then, made),
        otherwise=_each(new.branch.otherwise, made),
    )
    return replace(new, branch=branch)
