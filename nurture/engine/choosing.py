"""What does a mail bring from the content library for this reader, and is it still right?

Chosen when it is planned, from what is known of the person and what they have had; kept with the
message; and shown from there wherever the mail is written. What nobody has planned (a template that
somebody looks at) is chosen as it would be now.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

from nurture.config import Config
from nurture.core.content import Brought, Content, Shelf, Situation, is_fresh, matches, situation
from nurture.core.hours import Calendar
from nurture.core.journey import Key, Want
from nurture.core.model import Facts, Subject
from nurture.core.verdicts import story
from nurture.engine.recording import key_of
from nurture.rendering.content import Bring
from nurture.rendering.errors import RenderError
from nurture.rendering.languages import language, reads
from nurture.rendering.renderer import Renderer
from nurture.rendering.templates import Template


class Chooser:
    """The library as one candidate meets it: see core.verdicts.Choosing."""

    def __init__(
        self, shelf: Shelf, facts: Facts, calendar: Calendar, renderer: Renderer, config: Config
    ) -> None:
        self.shelf = shelf
        self.facts = facts
        self.calendar = calendar
        self.renderer = renderer
        self.config = config

    def kept(self, want: Want, had: Collection[str], at: datetime) -> tuple[str, ...] | None:
        before = self._before().get(want.key)
        template = self._template(want)
        if not before or template is None:
            return None
        known = situation(self.facts, want.enrollment.subject, at)
        day = self.calendar.local(at).date()
        asked = dict(template.content)
        fits = self.shelf.still(before, asked, known, had, day, self._is_read(template))
        return before if fits else None

    def chosen(self, want: Want, had: Collection[str], at: datetime) -> tuple[str, ...] | None:
        template = self._template(want)
        if template is None:
            return ()
        return self.choose(template, want.enrollment.subject, had, at)

    def choose(
        self, template: Template, subject: Subject, had: Collection[str], at: datetime
    ) -> tuple[str, ...] | None:
        known = situation(self.facts, subject, at)
        day, is_read = self.calendar.local(at).date(), self._is_read(template)
        return self.shelf.choose(dict(template.content), known, had, day, is_read)

    def stale_at(self, chosen: Sequence[str]) -> datetime | None:
        days = [self.shelf.items[id_].fresh_until for id_ in chosen if id_ in self.shelf.items]
        last = min((day for day in days if day is not None), default=None)
        if last is None:
            return None
        return self.calendar.instant(last + timedelta(days=1), time.min).astimezone(UTC)

    def brings(
        self, chosen: Sequence[str], template: Template, subject: Subject, at: datetime
    ) -> Bring:
        """What `content(...)` gives in a letter for which this was chosen, or nothing yet. Raises
        RenderError for what must not be sent: it is not true any more, or there is nothing."""
        ids: Sequence[str] | None = chosen
        if not ids:
            ids = self.choose(template, subject, story(self.facts).had, at)
        if ids is None:
            raise RenderError("the content library has nothing for them that they have not had")
        known = situation(self.facts, subject, at)
        found = [self._brought(id_, known, at) for id_ in ids]

        def bring(kind: str, most: int) -> Sequence[Brought]:
            return [each for each in found if each.content.kind == kind][:most]

        return bring

    def _brought(self, id_: str, known: Situation, at: datetime) -> Brought:
        item = self.shelf.items.get(id_)
        if item is None:
            raise RenderError(f'"{id_}" is not in the content library any more')
        if not is_fresh(item, self.calendar.local(at).date()):
            raise RenderError(f'"{id_}" of the content library was good until {item.fresh_until}')
        return Brought(item, matches(item, known) or (), known)

    def _before(self) -> Mapping[Key, tuple[str, ...]]:
        return {
            key_of(part): part.content
            for message in self.facts.messages
            for part in message.sections or (message,)
        }

    def _template(self, want: Want) -> Template | None:
        """The one this person reads, where it brings anything."""
        tag = reads(self.facts.candidate, self.config)
        found = self.renderer.template(want.step.send or "", tag)
        return found if found is not None and found.content else None

    def _is_read(self, template: Template) -> Callable[[Content], bool]:
        own = language(self.config.locale)
        read = language(template.locale) if template.locale else own
        return lambda item: (language(item.locale) if item.locale else own) == read
