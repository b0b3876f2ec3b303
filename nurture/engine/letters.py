"""What exactly will this person read? The one rendering that the sender and every preview use."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from nurture.clock import Clock
from nurture.config import Config
from nurture.core.content import Shelf
from nurture.core.journey import Key
from nurture.core.model import (
    Enrollment,
    Facts,
    Interview,
    Message,
    MessageState,
    Promise,
    Subject,
)
from nurture.core.rejections import LOOKED_BACK, family_of
from nurture.core.subject import application_of, interview_of
from nurture.engine import house
from nurture.engine.choosing import Chooser
from nurture.engine.outcomes import Letter
from nurture.engine.promising import Campaigns, as_made, promised_in
from nurture.engine.recording import key_of
from nurture.errors import UsageError
from nurture.positions import did_you_mean
from nurture.rendering import mime
from nurture.rendering.broad_reasons import Phrasebook
from nurture.rendering.content import WORD
from nurture.rendering.context import context
from nurture.rendering.errors import RenderError
from nurture.rendering.invitation import Invitation, invitation
from nurture.rendering.languages import reads
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Part, Rendered, Renderer
from nurture.rendering.templates import Template
from nurture.rendering.titles import called

TRIAL = "[Test]"  #: what the subject of a trial begins with
#: How many rejections had which reason, as it was told: of a job or of its family, since when.
Rejections = Callable[[str, str | None, datetime], Mapping[str, int]]
#: Signs links that nobody's server accepts: of mails that are looked at, passed around or tried.
NOBODYS = Signer([b"links in a gallery lead nowhere."])


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A mail for one candidate, as it would go out."""

    rendered: Rendered
    raw: bytes
    category: str
    invitation: Invitation | None = None  #: what it says to calendars
    unsaid: Mapping[Key, str] = field(default_factory=dict)  #: sections it goes without, and why


class Letters:
    """Writes mails. `renderer` is replaced when templates or layouts change; `campaigns` are those
    in force, whose steps say what a mail promises; `rejections` are asked where a letter says what
    others stumbled on."""

    def __init__(
        self,
        config: Config,
        renderer: Renderer,
        clock: Clock,
        campaigns: Callable[[], Campaigns],
        rejections: Rejections,
        content: Callable[[], Shelf] = Shelf,
    ) -> None:
        self.config = config
        self.renderer = renderer
        self.clock = clock
        self.campaigns = campaigns
        self.rejections = rejections
        self.content = content
        self.calendars = house.Calendars(config)

    def title(self, name: str) -> str:
        """What people here call the letter of this name."""
        return called(self.renderer, name)

    def inert(self) -> "Letters":
        """The same words with links that lead nowhere: their tokens are as long, and nobody's."""
        return self.by(self.renderer.signed_by(NOBODYS))

    def by(self, renderer: Renderer) -> "Letters":
        """The same, in the words that this one has."""
        other = copy(self)
        other.renderer = renderer
        return other

    def write(self, message: Message, facts: Facts, now: datetime) -> Letter:
        """The bytes of a message. Raises RenderError where a fact or a template is wanting; a
        bundle goes without the sections that want something, unless it is the first."""
        written = self._whole(message, facts, now)
        return Letter(
            message=message,
            sender=mime.envelope_sender(self.config),
            to=mime.envelope_recipient(facts),
            raw=written.raw,
            invite=written.invitation.told if written.invitation else None,
            promises=written.promises,
            unsaid=written.unsaid,
        )

    def foresee(self, message: Message, facts: Facts, at: datetime, *, trial: str = "") -> Preview:
        """The same as it will read when it goes at that instant, if nothing else comes in."""
        if trial:
            message = replace(message, id=0, message_id=self._name_of(trial))
        written = self._whole(message, facts, at, trial=bool(trial))
        return _shown(written, message)

    def _whole(
        self, message: Message, facts: Facts, now: datetime, *, trial: bool = False
    ) -> "_Written":
        parts = [self._part(one, facts, now) for one in each_alone(message)]
        unsaid: dict[Key, str] = {}
        while True:
            try:
                written = self._render(message, facts, parts, now, trial=trial)
                break
            except RenderError as error:
                if error.part == 0:
                    raise
                unsaid[key_of(parts.pop(error.part).message)] = str(error)
        promises = tuple(
            replace(each.promise, made_at=now) for each in parts if each.promise is not None
        )
        return replace(written, promises=promises, unsaid=unsaid)

    def _part(self, message: Message, facts: Facts, now: datetime) -> "_Part":
        enrollment = next(each for each in facts.enrollments if each.id == message.enrollment_id)
        return self._worded(message, facts, enrollment.subject, enrollment, now)

    def _worded(
        self,
        message: Message,
        facts: Facts,
        subject: Subject,
        enrollment: Enrollment | None,
        now: datetime,
    ) -> "_Part":
        promise = self._promise(message, facts, subject, now)
        named = self.renderer.named(message.template, self._tag(facts))
        template = self.renderer.template(message.template, self._tag(facts))
        phrases = self.renderer.reasons.in_words_of(template, self.config)
        words = context(
            facts,
            subject,
            enrollment=enrollment,
            config=self.config,
            now=now,
            promise=promise,
            named=named,
            phrases=phrases,
        )
        if "why_others" in named and (said := self._why_others(facts, subject, phrases, now)):
            words["why_others"] = said
        self.bring(words, message, facts, subject, now)
        category = self.config.categories[message.category]
        part = Part(template=message.template, context=words, category=category)
        interview, _ = interview_of(facts, subject, now)
        return _Part(message=message, part=part, promise=promise, interview=interview)

    def _why_others(
        self, facts: Facts, subject: Subject, phrases: Phrasebook, now: datetime
    ) -> list[str]:
        """What enough others of this job's family stumbled on, in approved words."""
        application = application_of(facts, subject)
        if application is None or application.job is None:
            return []
        job = facts.jobs.get(application.job)
        family = family_of(job.fields) if job is not None else None
        told = self.rejections(application.job, family, now - LOOKED_BACK)
        return phrases.reasons.coaching(told, phrases.language)

    def bring(
        self,
        words: dict[str, Any],
        message: Message,
        facts: Facts,
        subject: Subject,
        now: datetime,
    ) -> None:
        """What it brings from the content library, where its template asks for that."""
        template = self.renderer.template(message.template, self._tag(facts))
        if template is not None and template.content:
            calendar = self.calendars.of(facts.candidate)
            chooser = Chooser(self.content(), facts, calendar, self.renderer, self.config)
            words[WORD] = chooser.brings(message.content, template, subject, now)

    def preview(
        self, template: str, facts: Facts, subject: Subject | None = None, *, trial: str = ""
    ) -> Preview:
        """The same for any template and candidate: sends nothing, writes nothing. `a+b` are two
        templates as one mail.

        Without a subject it is about the candidate's latest interview or application. A `trial`
        has a name of its own, says so in its subject, and nothing to calendars.
        """
        now = self.clock.now()
        names = names_in(template, self.renderer.templates)
        categories = {name: self._category_of(name, facts) for name in names}
        priorities = {name: self.config.categories[categories[name]].priority for name in names}
        first, *others = sorted(names, key=lambda name: -priorities[name])
        about = subject or likely_subject(facts)
        application = application_of(facts, about)
        message = Message(
            id=0,
            candidate_id=facts.candidate.id,
            message_id=self._name_of(trial or "preview"),
            state=MessageState.PLANNED,
            campaign="preview",
            template=first,
            category=categories[first],
            enrollment_id=0,
            step=first,
            occurrence="1",
            application=application.ref if application else None,
            created_at=now,
        )
        each = [
            replace(message, template=name, category=categories[name], step=name)
            for name in (first, *others)
        ]
        parts = [self._worded(one, facts, about, None, now) for one in each]
        written = self._render(message, facts, parts, now, trial=bool(trial))
        return _shown(written, message)

    def _tag(self, facts: Facts) -> str:
        return reads(facts.candidate, self.config)

    def _name_of(self, mail: str) -> str:
        return f"<{mail}@{self.config.sender.email.partition('@')[2]}>"

    def _promise(
        self, message: Message, facts: Facts, subject: Subject, now: datetime
    ) -> Promise | None:
        promised = promised_in(self.campaigns(), message)
        if promised is None:
            return None
        calendar, team = self.calendars.of(facts.candidate), self.config.sender.email
        if message.approved_as_of is not None:  # by the date that somebody has read, if it is ahead
            then = message.approved_as_of
            read = as_made(promised, message, facts, subject, calendar, then, team)
            if read.due_at is not None and read.due_at > now:
                return read
        return as_made(promised, message, facts, subject, calendar, now, team)

    def _render(
        self,
        message: Message,
        facts: Facts,
        parts: Sequence["_Part"],
        now: datetime,
        *,
        trial: bool = False,
    ) -> "_Written":
        rendered = self.renderer.bundle(
            [each.part for each in parts],
            candidate_id=facts.candidate.id,
            message_id=message.id,
            locale=self._tag(facts),
        )
        entry = self._invitation(parts[0], rendered, facts, now) if len(parts) == 1 else None
        if trial:
            rendered, entry = replace(rendered, subject=f"{TRIAL} {rendered.subject}"), None
        raw = mime.message(
            rendered,
            message=message,
            facts=facts,
            category=self.config.categories[message.category],
            config=self.config,
            at=now,
            invitation=entry,
        )
        return _Written(rendered=rendered, raw=raw, invitation=entry)

    def _invitation(
        self, one: "_Part", rendered: Rendered, facts: Facts, now: datetime
    ) -> Invitation | None:
        """What the mail says to calendars, where its template wants that and there is something
        to say."""
        template = self.renderer.template(one.part.template, self._tag(facts))
        if template is None or template.calendar is None:
            return None
        return invitation(
            template.calendar,
            one.interview,
            facts,
            organizer=mime.sender_of(one.message, facts, self.config),
            attendee=mime.recipient(facts),
            context=one.part.context,
            config=self.config,
            locale=rendered.locale,
            at=one.message.approved_as_of or now,
        )

    def _category_of(self, name: str, facts: Facts) -> str:
        template = self.renderer.template(name, self._tag(facts))
        if template is None:
            names = sorted(self.renderer.templates)
            hint = did_you_mean(name, names) or f"there are {', '.join(names)}"
            raise UsageError(f'there is no template "{name}": {hint}')
        return template.category


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One section, worded for its reader."""

    message: Message  #: as if it were a mail of its own
    part: Part
    promise: Promise | None
    interview: Interview | None  #: the one it speaks of


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A mail of one or several sections, whole."""

    rendered: Rendered
    raw: bytes
    invitation: Invitation | None
    promises: tuple[Promise, ...] = ()
    unsaid: Mapping[Key, str] = field(default_factory=dict)


def _shown(written: _Written, message: Message) -> Preview:
    return Preview(
        rendered=written.rendered,
        raw=written.raw,
        category=message.category,
        invitation=written.invitation,
        unsaid=written.unsaid,
    )


def names_in(template: str, known: Mapping[str, Template]) -> list[str]:
    """The templates that `a+b` names."""
    return [template] if template in known else [name.strip() for name in template.split("+")]


def each_alone(message: Message) -> list[Message]:
    """Each section of a message as a message of one step."""
    return [replace(message, **vars(part), sections=()) for part in message.sections] or [message]


def likely_subject(facts: Facts) -> Subject:
    """What a preview is about when nobody says: the interview booked last, else the application."""
    interviews = sorted(
        (each for each in facts.interviews.values() if each.status != "cancelled"),
        key=lambda each: (each.starts_at is not None, each.starts_at, each.ref),
    )
    offers = list(facts.offers.values())
    offer = offers[-1].ref if offers else None
    if interviews:
        return Subject(
            application=interviews[-1].application, interview=interviews[-1].ref, offer=offer
        )
    applications = list(facts.applications.values())
    return Subject(application=applications[-1].ref if applications else None, offer=offer)
