"""What did a campaign say before? A version of a file that is gone, read again from its text.

Of its templates only their kinds matter by now: which category, tone and topic they had.
"""

from collections.abc import Mapping, Sequence

from nurture.authoring.campaign_file import Surroundings, read_campaign
from nurture.config import Config
from nurture.core.model import Campaign, Tone
from nurture.errors import Problems
from nurture.rendering.templates import Template

#: By template: category, tone and topic.
Kinds = Mapping[str, Sequence[str]]


def kinds_of(templates: Mapping[str, Template]) -> dict[str, list[str]]:
    """What these templates are; a translation is what its default is."""
    return {
        each.name: [each.category, each.tone.value, each.topic]
        for each in templates.values()
        if each.locale is None
    }


def read_former(
    name: str, text: str, kinds: Kinds, templates: Mapping[str, Template], config: Config
) -> Campaign | None:
    """The campaign of that name as this text has it, with templates of these kinds, or else of
    today's. None where today's rules no longer understand it."""
    around = Surroundings(config, {**templates, **_standing_in(kinds, config)})
    try:
        return read_campaign(text.encode(), f"campaigns/{name}.yaml", around)
    except Problems:
        return None


def _standing_in(kinds: Kinds, config: Config) -> dict[str, Template]:
    """Templates that say what they are and nothing else, so that they ask for no facts."""
    return {
        name: Template(
            name=name,
            file=f"templates/{name}.md",
            subject="",
            category=category,
            tone=Tone(tone),
            topic=topic,
            body="",
            markdown=True,
        )
        for name, (category, tone, topic) in kinds.items()
        if category in config.categories
    }
