"""What do conditions say of this person now? Each is asked once of each enrollment."""

from collections.abc import Callable
from datetime import datetime

from nurture.config import Config
from nurture.core.model import Condition, Enrollment, Facts, Subject, Truth
from nurture.rendering.context import Words, words


class Truths:
    """The answers of one planning: the facts and the clock stand still."""

    def __init__(self, facts: Facts, config: Config, now: datetime) -> None:
        self._facts = facts
        self._config = config
        self._now = now
        # Enrollments not stored yet have no number of their own.
        self._of: dict[tuple[int, Subject, datetime], Callable[[Condition], Truth]] = {}

    def of(self, enrollment: Enrollment) -> Callable[[Condition], Truth]:
        """Conditions as they are of this enrollment."""
        which = (enrollment.id, enrollment.subject, enrollment.entered_at)
        known = self._of.get(which)
        if known is None:
            known = self._of[which] = self._asked(enrollment)
        return known

    def _asked(self, enrollment: Enrollment) -> Callable[[Condition], Truth]:
        answers: dict[Condition, Truth] = {}
        said: Words | None = None  # some campaigns ask nothing

        def ask(condition: Condition) -> Truth:
            nonlocal said
            answer = answers.get(condition)
            if answer is None:
                if said is None:
                    said = self._words(enrollment)
                answer = answers[condition] = condition(said)
            return answer

        return ask

    def _words(self, enrollment: Enrollment) -> Words:
        return words(
            self._facts,
            enrollment.subject,
            enrollment=enrollment,
            config=self._config,
            now=self._now,
        )
