"""Which texts are out of date, or soon will be, and whose task is that?"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from nurture.authoring.parts import at_key
from nurture.core.model import Campaign
from nurture.errors import Problem
from nurture.rendering.templates import Template

#: So long before its last good day an author is told.
AHEAD = timedelta(days=14)


def stale_texts(
    templates: Iterable[Template], campaigns: Iterable[Campaign], today: date
) -> Iterator[Problem]:
    """Errors for texts whose `fresh_until` is over, warnings for those it soon is for.

    The hint names whoever owns the campaigns that send them.
    """
    campaigns = list(campaigns)
    for template in templates:
        last = template.fresh_until
        if last is None or template.locale is not None or last - AHEAD > today:
            continue
        over = last < today
        when = f"{last.day} {last:%B %Y}"
        message = f"its text was good until {when}" if over else f"its text is good until {when}"
        hint = "read it again, then give it a later day"
        if owners := _owners(template, campaigns):
            hint = f"{owners}: {hint}"
        problem = at_key(template, "fresh_until", "stale-text", message, hint)
        yield problem if over else replace(problem, severity="warning")


def _owners(template: Template, campaigns: Iterable[Campaign]) -> str:
    sending = [
        each for each in campaigns if any(step.send == template.name for step in each.every_step())
    ]
    return ", ".join(dict.fromkeys(each.owner for each in sending if each.owner))
