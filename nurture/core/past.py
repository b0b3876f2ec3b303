"""What of a campaign is behind an enrollment? Which steps are settled, and what was known when."""

from datetime import datetime, timedelta

from nurture.core.anchors import Ground
from nurture.core.model import (
    Campaign,
    Enrollment,
    MessageState,
    Step,
    StepRecord,
    StepState,
)
from nurture.core.subject import news_at

#: Anchor values closer than this are the same occasion: a room change is not a new interview.
SAME_OCCASION = timedelta(minutes=30)


class Past:
    """The records of one enrollment, with those of earlier ones for the same object."""

    def __init__(self, campaign: Campaign, enrollment: Enrollment, ground: Ground) -> None:
        self.enrollment = enrollment
        self.ground = ground
        facts, about = ground.facts, enrollment.about
        siblings = {
            other.id
            for other in facts.enrollments
            if other.about == about and other.campaign == enrollment.campaign
        }
        self.is_new = True
        self.records: dict[str, list[StepRecord]] = {}
        for record in facts.records:
            if record.enrollment_id in siblings:
                self.records.setdefault(record.step, []).append(record)
            if record.enrollment_id == enrollment.id:
                self.is_new = False
        self.in_flight = {
            (part.step, part.occurrence)
            for message in facts.messages
            if message.state is MessageState.SENDING
            for part in message.sections or (message,)
            if part.enrollment_id == enrollment.id
        }
        self.places = campaign.places
        self.last_settled = self._last_settled(campaign.steps)

    def own(self, step: Step, occurrence: str) -> StepRecord | None:
        """How this enrollment settled that occurrence, if it has."""
        for record in self.records.get(step.id, ()):
            mine = record.enrollment_id == self.enrollment.id and record.occurrence == occurrence
            if mine and record.state is not StepState.OPEN:
                return record
        return None

    def settled(self, step: Step, occurrence: str, anchor_at: datetime | None) -> datetime | None:
        """When this step was settled for this anchor value, or None. What is being handed over is
        settled now, also where its occasion moved a little meanwhile or it was edited."""
        if (step.id, occurrence) in self.in_flight:
            return self.ground.now
        for record in self.records.get(step.id, ()):
            mine = record.enrollment_id == self.enrollment.id
            flies = mine and (step.id, record.occurrence) in self.in_flight
            if record.state is StepState.OPEN and not flies:
                continue
            settled_at = record.settled_at or self.ground.now
            if mine and record.occurrence == occurrence:
                return settled_at
            if record.state is StepState.SKIPPED or (anchor_at is None and not mine):
                continue
            if same_occasion(record, anchor_at):
                return settled_at
            if mine and (not step.again_if_moved or _hung_elsewhere(record, step)):
                return settled_at
        return None

    def ahead(self, step: Step) -> bool:
        """Whether a waiting step is still to come: what is above a settled one was passed over."""
        return self.places[step.id] > self.last_settled

    def before(self, step: Step, anchor_at: datetime | None) -> list[StepRecord]:
        """Settled occurrences, in their order, with an earlier enrollment's for the same anchor
        value."""
        found = [
            record
            for record in self.records.get(step.id, ())
            if record.state is not StepState.OPEN
            and (
                record.enrollment_id == self.enrollment.id
                or (record.state is not StepState.SKIPPED and same_occasion(record, anchor_at))
            )
        ]
        return sorted(found, key=_by_settling)

    def counted(self, step: Step, before: list[StepRecord]) -> int:
        """How many occurrences `at_most` counts: of a step that follows what is sent, those in a
        row, which is since there last were news."""
        since = None
        if step.repeat is not None and step.repeat.every is None:
            since = news_at(self.ground.facts, self.enrollment.subject)
        return sum(
            record.state is not StepState.SKIPPED
            and (since is None or record.settled_at is None or record.settled_at > since)
            for record in before
        )

    def known_at(
        self,
        step: Step,
        occurrence: str,
        moment_at: datetime,
        chosen_at: datetime | None,
        last: datetime | None = None,
    ) -> datetime:
        """Since when the moment has been where it is: what was past by then is late.

        `chosen_at`: when the branch was chosen that the step is in; `last`: when the occurrence
        before was settled, from which on this one was to be expected.
        """
        this, any_of_mine = None, False
        for record in self.records.get(step.id, ()):
            if record.enrollment_id == self.enrollment.id and record.moment_at is not None:
                any_of_mine = True
                if record.occurrence == occurrence:
                    this = record
                    break
        if this is not None and this.moment_at == moment_at:
            return this.known_at
        if this is None and last is not None:
            return last
        known_at = self.ground.known_at
        # Nothing is recorded yet of who was entered by a scan and is planned only now.
        if not any_of_mine and (self.enrollment.entered_at >= known_at or self.is_new):
            known_at = self.enrollment.entered_at
        return known_at if chosen_at is None else max(known_at, chosen_at)

    def _last_settled(self, steps: tuple[Step, ...]) -> int:
        """The place of the last waiting step that is settled, in the lists that were taken."""
        last = -1
        for step in steps:
            if step.at is not None:
                continue
            if step.repeat is not None:
                settled = bool(self.before(step, None))
            else:
                settled = self.settled(step, "1", None) is not None
            if settled:
                last = max(last, self.places[step.id])
            if settled and step.branch is not None:
                record = self.own(step, "1")
                taken = {"then": step.branch.then, "else": step.branch.otherwise}
                inner = taken.get((record and record.chosen) or "", ())
                last = max(last, self._last_settled(inner))
        return last


def same_occasion(record: StepRecord, anchor_at: datetime | None) -> bool:
    if record.anchor_at is None or anchor_at is None:
        return False
    return abs(record.anchor_at - anchor_at) < SAME_OCCASION


def anchor_of(step: Step) -> str | None:
    """What it hangs on; None: on the step above."""
    return step.at.anchor if step.at is not None else None


def _hung_elsewhere(record: StepRecord, step: Step) -> bool:
    """Whether it was settled when it had another moment than its file gives it now: an edit makes
    nobody read it again. (Of old records it is not known what they hung on.)"""
    known = record.anchor is not None or record.anchor_at is None
    return known and record.anchor != anchor_of(step)


def _by_settling(record: StepRecord) -> tuple[bool, datetime, str]:
    return record.settled_at is not None, record.settled_at or record.known_at, record.occurrence
