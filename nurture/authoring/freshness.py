"""Which texts are out of date, or soon will be, and whose task is that?"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import partial

from nurture.authoring.parts import Front, Spot
from nurture.core.content import Content
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
        if template.locale is None:
            spot = partial(Front(template).value, "fresh_until")
            owners = _owners(template, campaigns)
            yield from _stale(template.fresh_until, today, template.file, spot, owners)


def stale_content(items: Iterable[Content], today: date) -> Iterator[Problem]:
    """The same of the items of the content library; the hint names each one's owner."""
    for item in items:
        spot = partial(getattr, item, "fresh_spot")
        yield from _stale(item.fresh_until, today, item.file, spot, item.owner, f'"{item.id}"')


def _stale(
    last: date | None,
    today: date,
    file: str,
    spot: Callable[[], Spot],
    owners: str,
    what: str = "its text",
) -> Iterator[Problem]:
    if last is None or last - AHEAD > today:
        return
    over = last < today
    when = f"{last.day} {last:%B %Y}"
    hint = "read it again, then give it a later day"
    line, column = spot()
    yield Problem(
        file=file,
        line=line,
        column=column,
        code="stale-text",
        message=f"{what} was good until {when}" if over else f"{what} is good until {when}",
        hint=f"{owners}: {hint}" if owners else hint,
        severity="error" if over else "warning",
    )


def _owners(template: Template, campaigns: Iterable[Campaign]) -> str:
    sending = [
        each for each in campaigns if any(step.send == template.name for step in each.every_step())
    ]
    return ", ".join(dict.fromkeys(each.owner for each in sending if each.owner))
