"""Which mails that are due at about the same time arrive as one?

A mail is placed with its caps first, the most necessary before the others. One of the same class
that is less necessary then joins it where that spares the candidate a mail of its own: it goes at
the first one's instant, within the first one's contact. So a bundle is one contact, in the class
and the category of its first section, and breaks no cap that this one alone would not have broken;
a cap on a single category counts the sections of that category too.

Classes never mix: promotion makes a service mail promotion as a whole before the law, and what goes
within a mail of another class would pass by the caps of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nurture.core.journey import Key, Want
from nurture.core.model import Approval, Category, Message, MessageClass, MessageState, Tone


@dataclass(frozen=True, kw_only=True)
class Together:
    """How near to each other mails must be wanted to become one, and how many at most."""

    within: timedelta
    at_most: int


@dataclass(slots=True)
class Lead:
    """A mail that is placed, and what has joined it so far."""

    want: Want
    at: datetime
    klass: MessageClass  #: of all its sections
    categories: list[str]
    only: frozenset[Key] | None  #: of a mail that was tried before: the sections it had then

    @property
    def named(self) -> dict[str, str | None]:
        """What a sentence calls it."""
        step = self.want.step
        return {"campaign": self.want.campaign.name, "step": step.id, "template": step.send}


@dataclass
class Bundles:
    """The mails of one planning that others may join, in the order in which they were placed."""

    rule: Together | None
    messages: Mapping[Key, Message]
    leads: list[Lead] = field(default_factory=list)

    def offer(self, want: Want, category: Category, at: datetime) -> None:
        """This one goes at `at`: others may join it."""
        if self.rule is None or self.rule.at_most < 2 or not _shares(want, category):
            return
        message = self.messages.get(want.key)
        only = frozenset(_keys(message)) if message is not None and tried(message) else None
        if only is None or only:
            self.leads.append(Lead(want, at, category.klass, [category.name], only))

    def join(
        self,
        want: Want,
        category: Category,
        start: datetime,
        alone_at: datetime | None,
        until: datetime | None,
        fits: Callable[[Lead], bool],
    ) -> Lead | None:
        """The first mail that this one becomes a section of, or None.

        `start` is where it is wanted, `alone_at` where it would go by itself. It waits for a mail
        that goes later than that for `within` at most, and goes earlier than it is wanted by
        `within` at most: not where its `if` may turn out otherwise by then. `fits` says whether it
        may be there at all.
        """
        if not self.leads or self.rule is None or not _shares(want, category):
            return None
        message = self.messages.get(want.key)
        if message is not None and tried(message):
            return None  # it is on its way by itself
        changes_at = want.truth.changes_at
        for lead in sorted(self.leads, key=_at):
            if lead.klass is not category.klass:
                continue
            if start > lead.at + self.rule.within:
                continue
            if alone_at is not None and lead.at > alone_at + self.rule.within:
                continue
            if until is not None and lead.at > until:
                continue
            if start > lead.at and changes_at is not None and changes_at <= start:
                continue
            if len(lead.categories) >= self.rule.at_most:
                continue
            if lead.only is not None and want.key not in lead.only:
                continue
            if fits(lead):
                lead.categories.append(category.name)
                return lead
        return None


def tried(message: Message) -> bool:
    """Whether it was offered to somebody, or could not be written: it goes again as it was."""
    return (
        message.attempts > 0
        or message.next_attempt_at is not None
        or message.state is MessageState.RETRYING
    )


def _shares(want: Want, category: Category) -> bool:
    """Whether this kind of mail ever shares one: nothing grave, nothing that a person has to see
    first, nothing whose instant is only a forecast, nothing that speaks to calendars."""
    return (
        category.bundle
        and category.approval is Approval.AUTO
        and want.step.tone is not Tone.GRAVE
        and not want.step.alone
        and want.firm
    )


def _keys(message: Message) -> list[Key]:
    return [
        Key(enrollment_id=each.enrollment_id, step=each.step, occurrence=each.occurrence)
        for each in message.sections
    ]


def _at(lead: Lead) -> datetime:
    return lead.at
