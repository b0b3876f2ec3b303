"""What does a planning know, and what does it say? The nouns around the agenda, without its rules.

Apart from the rules, so that each rule can have a module of its own that the agenda asks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from nurture.core.bundling import Together
from nurture.core.caps import Cap, Gap
from nurture.core.hours import Calendar, Never, Pattern
from nurture.core.journey import Key, Want
from nurture.core.model import (
    Call,
    Candidate,
    Category,
    Contact,
    Facts,
    Hours,
    Message,
    MessageClass,
    Reason,
    Step,
    Verdict,
)
from nurture.core.subject import in_process


@dataclass(frozen=True, kw_only=True)
class FollowUps:
    """How often somebody is asked again before they are left in peace."""

    in_process: int  #: in a row without an answer, while an application is active
    outreach: int  #: the same, of everybody else
    then_quiet: timedelta


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the house has decided: from config.yaml."""

    categories: Mapping[str, Category]
    caps: Sequence[Cap] = ()
    gap: Gap | None = None
    hours: Mapping[Hours, Pattern | None] = field(default_factory=dict)  #: None: any time
    never: Sequence[Never] = ()
    follow_ups: FollowUps | None = None
    bundle: Together | None = None  #: None: every mail goes by itself
    cheerful_after_bad_news: timedelta = timedelta(0)
    nurture_after_bad_news: timedelta = timedelta(0)
    max_wait: timedelta = timedelta(days=30)
    send_slack: timedelta = timedelta(minutes=15)
    undo_window: timedelta = timedelta(0)  #: how long an approval can be taken back


@dataclass(frozen=True, kw_only=True)
class Story:
    """What in somebody's story restrains their mail, besides what is on its way."""

    bad_news_at: datetime | None = None  #: the latest, in any of their applications
    heard_at: datetime | None = None  #: when they last replied, answered or were spoken to
    in_process: bool = False  #: an application of theirs is active, beyond a lead
    received: Mapping[str, Contact] = field(
        default_factory=dict
    )  #: by template: nurture mail, sections
    had: frozenset[str] = frozenset()  #: items of the content library, by id


def story(facts: Facts) -> Story:
    """The same for every planning of these facts."""
    applications, offers = facts.applications.values(), facts.offers.values()
    bad_news = [at for each in applications for at in (each.rejected_at, each.closed_at) if at]
    bad_news += [each.withdrawn_at for each in offers if each.withdrawn_at is not None]
    heard = [at for at in (facts.replied_at, facts.answered_at) if at is not None]
    heard += [each.at for each in facts.contacts if each.outcome == "spoke"]
    return Story(
        bad_news_at=max(bad_news, default=None),
        heard_at=max(heard, default=None),
        in_process=in_process(facts),
        received={
            each.template: each
            for each in facts.contacts
            if each.template is not None and each.klass is MessageClass.NURTURE
        }
        | {part.template: each for each in facts.contacts for part in each.sections},
        had=frozenset(
            id_
            for each in facts.contacts
            for part in each.sections or (each,)
            for id_ in part.content
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Recipient:
    candidate: Candidate
    calendar: Calendar
    story: Story = Story()
    #: By enrollment: the kill switch that keeps its mail back, as the verdict's detail tells it.
    stopped: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What has reached, or may have reached, the candidate, and what is on its way."""

    contacts: Sequence[Contact] = ()
    messages: Mapping[Key, Message] = field(default_factory=dict)
    approved: frozenset[Key] = frozenset()  #: messages that somebody has approved
    calls: Mapping[Key, Call] = field(default_factory=dict)  #: made of a step's mail
    choosing: "Choosing | None" = None  #: None: there is no content library


class Choosing(Protocol):
    """The content library, as one candidate meets it."""

    def kept(self, want: Want, had: Collection[str], at: datetime) -> tuple[str, ...] | None:
        """What was chosen for it before, where that may still be sent."""

    def chosen(self, want: Want, had: Collection[str], at: datetime) -> tuple[str, ...] | None:
        """What fits best of what they have not had; None: nothing new is left."""

    def stale_at(self, chosen: Sequence[str]) -> datetime | None:
        """From when on one of these is not true any more."""


class Item(NamedTuple):
    """One verdict, made by its keywords. `final` settles the step; `about` marks a forecast that
    reserves nothing."""

    key: Key
    campaign: str
    step: Step
    verdict: Verdict
    reason: Reason
    at: datetime | None = None
    category: Category | None = None
    until: datetime | None = None
    final: bool = False
    about: bool = False
    application: str | None = None
    moment_at: datetime | None = None
    known_at: datetime | None = None
    anchor_at: datetime | None = None
    detail: Mapping[str, Any] = MappingProxyType({})
    joins: Key | None = None  #: goes as a part of this one's mail
    content: tuple[str, ...] = ()  #: items of the content library that it brings, by id


@dataclass(frozen=True, kw_only=True)
class Agenda:
    items: tuple[Item, ...]  #: by instant, those without one last
    wake_at: datetime | None  #: the earliest instant at which it may say something new
