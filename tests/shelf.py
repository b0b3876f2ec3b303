"""What a letter brings from the shipped content library, for tests that write letters by hand."""

from datetime import datetime
from typing import Any

from nurture.authoring.content_file import ContentFiles
from nurture.config import Config
from nurture.core.model import Facts, Subject
from nurture.engine import house
from nurture.engine.choosing import Chooser
from nurture.rendering.content import WORD
from nurture.rendering.renderer import Renderer
from tests.conftest import REPOSITORY

SHIPPED = ContentFiles()
SHIPPED.reload(REPOSITORY / "content")


def with_content(
    words: dict[str, Any],
    name: str,
    facts: Facts,
    subject: Subject,
    renderer: Renderer,
    config: Config,
    now: datetime,
) -> dict[str, Any]:
    """These words, with what fits best where the template asks for it."""
    template = renderer.template(name, facts.candidate.locale)
    if template is not None and template.content:
        calendar = house.Calendars(config).of(facts.candidate)
        chooser = Chooser(SHIPPED.shelf, facts, calendar, renderer, config)
        words[WORD] = chooser.brings((), template, subject, now)
    return words
