"""What is somebody looking at? A template, a mail to come or one that left, for one candidate.

Nothing is written and nothing is sent. The letter is made by the sender's own rendering, with links
that lead nowhere: whoever looks at a candidate's mail cannot answer or unsubscribe for them by it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from nurture.core.agenda import Item
from nurture.core.caps import Counted, Taken
from nurture.core.model import Category, Facts, Message, MessageState, Subject, Verdict
from nurture.core.reasons import rule
from nurture.engine.letters import NOBODYS, Letters, Preview, names_in
from nurture.engine.outlook import Entry, lines, told
from nurture.engine.planner import Planned
from nurture.engine.project import Project
from nurture.engine.recording import by_key
from nurture.engine.sections import section_of
from nurture.rendering.context import zone_of
from nurture.rendering.errors import RenderError
from nurture.rendering.languages import reads
from nurture.rendering.mime import message_id_for
from nurture.rendering.renderer import Renderer
from nurture.rendering.templates import Template, chosen_for, template_in
from nurture.store import mails, revisions
from nurture.store.database import Connection
from nurture.store.mails import Mail

#: Writes the letter for these facts: the candidate's, or under the address of who tries it, and
#: then with the name of the trial.
Writes = Callable[[Facts, str], Preview]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit on such mail, and what it counts around this one."""

    rule: str  #: `at most 2 mails or calls a day`
    before: int  #: within its time before this mail
    after: int


@dataclass(frozen=True, kw_only=True)
class Sight:
    facts: Facts
    zone: ZoneInfo  #: the candidate's: all sentences are in it
    template: str  #: `a`, or `a+b` of several that are one mail
    at: datetime  #: as of when the letter is written
    write: Writes
    message: Message | None = None  #: what is on record of it, or will be; None: of a template only
    entry: Entry | None = None  #: what the agenda says of it, or the record where it left
    wanted: tuple[Entry, ...] = ()  #: of a template: what the agenda wants to send of it
    had: tuple[tuple[datetime, int], ...] = ()  #: of a template: when they got it, in which message
    coming: tuple[Entry, ...] = ()  #: every mail that is to come for them, the next first
    limits: tuple[Limit, ...] = ()
    category: Category | None = None
    unlike: tuple[str, ...] = ()  #: why a mail that left may have read otherwise


def template_for(
    project: Project, connection: Connection, template: str, candidate_id: int
) -> Sight | None:
    """A template as it would go to them now. It is about what a campaign wants to send it about,
    or else about their latest interview or application."""
    planned = project.planner.view(connection, candidate_id)
    if planned is None:
        return None
    facts, entries = planned.facts, lines(project, planned)
    wanted = tuple(
        (item, entry)
        for item, entry in zip(planned.agenda.items, entries, strict=True)
        if entry.template is not None and template in (entry.template, entry.mail)
    )
    about = next((_subject(facts, item) for item, _ in wanted if _is_to_come(item)), None)
    letters, now = project.letters.inert(), project.clock.now()
    sight = Sight(
        facts=facts,
        zone=zone_of(facts.candidate, project.config),
        template=template,
        at=now,
        write=lambda readers, trial: letters.preview(template, readers, about, trial=trial),
        wanted=tuple(entry for _, entry in wanted),
        had=tuple(
            (each.at, each.message_id)
            for each in facts.contacts
            if each.message_id is not None
            and template in {each.template, *(part.template for part in each.sections)}
        ),
        coming=_coming(planned, entries),
    )
    return _with_limits(project, planned, sight, _category_of(project, template, facts), None)


def step_to_come(
    project: Project, connection: Connection, enrollment_id: int, step: str
) -> Sight | None:
    """What a step of an enrollment will send, as it is planned now."""
    owner = mails.whose_step(connection, enrollment_id)
    planned = None if owner is None else project.planner.view(connection, owner)
    if planned is None:
        return None
    for item in planned.agenda.items:
        if (item.key.enrollment_id, item.key.step) == (enrollment_id, step) and item.step.send:
            return _to_come(project, planned, item)
    return None


def message_of(project: Project, connection: Connection, number: int) -> Sight | None:
    """A message by its number: as it will go, or in the words by which it went."""
    found = mails.mail(connection, number)
    if found is None:
        return None
    message = found.message
    planned = project.planner.view(connection, message.candidate_id)
    if planned is None:
        return None
    if message.sent_at is None:
        items = planned.agenda.items
        key = (message.enrollment_id, message.step, message.occurrence)
        item = next((each for each in items if tuple(each.key) == key and each.step.send), None)
        if item is not None:
            return _to_come(project, planned, item)
    return _gone(project, connection, planned, found)


# --- what is to come ------------------------------------------------------------------------------


def _to_come(project: Project, planned: Planned, item: Item) -> Sight:
    facts, items = planned.facts, planned.agenda.items
    leader = next((each for each in items if each.key == item.joins), item)
    message = _message(project, planned, leader)
    entries = dict(zip((each.key for each in items), lines(project, planned), strict=True))
    now = project.clock.now()
    at = max(leader.at or now, now)
    letters, entry = project.letters.inert(), entries[leader.key]
    sight = Sight(
        facts=facts,
        zone=zone_of(facts.candidate, project.config),
        template=entry.mail or leader.step.send or "",
        at=at,
        write=lambda readers, trial: letters.foresee(message, readers, at, trial=trial),
        message=message,
        entry=entry,
        coming=_coming(planned, list(entries.values())),
    )
    return _with_limits(project, planned, sight, leader.category, leader)


def _message(project: Project, planned: Planned, item: Item) -> Message:
    """The message of this step with the sections it has now, as the sender would take it."""
    known = by_key(planned.facts.messages).get(item.key)
    joined = [each for each in planned.agenda.items if each.joins == item.key]
    sections = tuple(section_of(each) for each in (item, *joined)) if joined else ()
    said: dict[str, Any] = {
        "template": item.step.send or "",
        "category": item.category.name if item.category else "",
        "sections": sections,
        "content": item.content,
    }
    if known is not None:
        return replace(known, **said)
    return Message(
        **item.key._asdict(),
        **said,
        id=0,
        candidate_id=planned.facts.candidate.id,
        message_id=message_id_for(*item.key, project.config.sender.email.partition("@")[2]),
        state=MessageState.PLANNED,
        campaign=item.campaign,
        application=item.application,
        created_at=project.clock.now(),
        until=item.until,
    )


# --- what stands around it ------------------------------------------------------------------------


def _with_limits(
    project: Project, planned: Planned, sight: Sight, category: Category | None, own: Item | None
) -> Sight:
    """The limits on such mail, and how much of each is used up around its instant."""
    if category is None or not category.capped:
        return replace(sight, category=category)
    placed = [
        Taken(item.at, item.category.klass, item.category.name)
        for item in planned.agenda.items
        if _is_to_come(item)
        and item.joins is None
        and item is not own
        and not item.about
        and item.at is not None
        and item.category is not None
    ]
    counted: list[Counted] = [*planned.facts.contacts, *placed]
    policy, limits = project.planner.policy, []
    for cap in policy.caps:
        if cap.matches(category.klass, category.name):
            those = [each for each in counted if cap.matches(each.klass, each.category)]
            limits.append(_limit(cap.explained(), cap.per, those, sight.at))
    gap = policy.gap
    if gap is not None and gap.klass is category.klass:
        limits.append(_limit(gap.explained(), gap.after_any, counted, sight.at))
    return replace(sight, category=category, limits=tuple(limits))


def _limit(
    explained: Mapping[str, object], per: timedelta, counted: Sequence[Counted], at: datetime
) -> Limit:
    return Limit(
        rule=rule(explained),
        before=sum(at - per < each.at <= at for each in counted),
        after=sum(at < each.at < at + per for each in counted),
    )


def _category_of(project: Project, template: str, facts: Facts) -> Category | None:
    """Of a template; of several that are one mail, the most necessary of theirs."""
    templates, categories = project.library.templates, project.config.categories
    names = names_in(template, templates)
    found = [chosen_for(templates, name, facts.candidate, project.config) for name in names]
    known = [categories[each.category] for each in found if each and each.category in categories]
    return max(known, key=lambda each: each.priority, default=None)


def _coming(planned: Planned, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """One line a mail, by its first part; those without a date last."""
    found = [
        entry
        for item, entry in zip(planned.agenda.items, entries, strict=True)
        if _is_to_come(item) and item.joins is None and entry.enrollment is not None
    ]
    return tuple(sorted(found, key=lambda entry: (entry.at is None, entry.at)))


def _is_to_come(item: Item) -> bool:
    return item.step.send is not None and item.verdict in (Verdict.SEND, Verdict.WAIT)


def _subject(facts: Facts, item: Item) -> Subject | None:
    mine = (each for each in facts.enrollments if each.id == item.key.enrollment_id)
    return next((each.subject for each in mine), None)


# --- what left ------------------------------------------------------------------------------------


def _gone(project: Project, connection: Connection, planned: Planned, found: Mail) -> Sight:
    message, facts = found.message, planned.facts
    at = message.sent_at or message.created_at
    zone = zone_of(facts.candidate, project.config)
    as_then = replace(facts, contacts=tuple(each for each in facts.contacts if each.at < at))
    letters, unlike = _words_of(project, connection, found, facts)
    said = told(connection, found.verdicts, zone, project.library.titles)
    names = [part.template for part in message.sections] or [message.template]

    def write(readers: Facts, trial: str) -> Preview:
        lost = _lost(project, message, facts)
        if lost:
            raise RenderError(lost)
        return letters.foresee(
            message, replace(readers, contacts=as_then.contacts), at, trial=trial
        )

    return Sight(
        facts=facts,
        zone=zone,
        template="+".join(names),
        at=at,
        write=write,
        message=message,
        entry=said[0] if said else None,
        coming=_coming(planned, lines(project, planned)),
        unlike=unlike,
        category=project.config.categories.get(message.category),
    )


def _lost(project: Project, message: Message, facts: Facts) -> str:
    """Why it cannot be written again; empty: it can."""
    there = {each.id for each in facts.enrollments}
    for one in message.sections or (message,):
        if one.category not in project.config.categories:
            return f"config.yaml knows no category {one.category} any more"
        if one.enrollment_id not in there:
            return "what it was about is not on record any more"
    return ""


def _words_of(
    project: Project, connection: Connection, found: Mail, facts: Facts
) -> tuple[Letters, tuple[str, ...]]:
    """Who writes it in the words by which it went, and what about that is not certain."""
    now = project.letters.inert()
    digests = {name: digest for name, digest in found.templates.items() if digest is not None}
    if found.layout is None or len(digests) < len(found.templates):
        return now, ("It went before the words of mails were kept: these are today's.", _FACTS)
    locale = reads(facts.candidate, project.config)
    if all(
        now.renderer.digests(name, locale) == (digest, found.layout)
        for name, digest in digests.items()
    ):
        return now, (_FACTS,)
    kept = revisions.by_digest(connection, {*digests.values(), found.layout})
    layout = kept.get(("layout", None, found.layout))
    texts = [(name, kept.get(("template", name, digest))) for name, digest in digests.items()]
    if layout is None or any(row is None for _, row in texts):
        return now, ("Its words were not kept: these are today's.", _FACTS)
    templates = {name: _as_it_was(project, name, row, layout["name"]) for name, row in texts if row}
    layouts = {layout["name"]: layout["content"]}
    old = Renderer(templates, project.config, project.signer, layouts).signed_by(NOBODYS)
    return now.by(old), ("Its words have been edited since; these are those it went by.", _FACTS)


_FACTS = "What is known about them is as of now: what changed since then reads as it is today."


def _as_it_was(project: Project, name: str, row: Mapping[Any, Any], layout: str) -> Template:
    """A template as its file was then. What a translation left to the default one is today's."""
    path = row["name"]
    read = template_in(row["content"].encode(), PurePosixPath(path), f"templates/{path}")
    today = project.letters.renderer.templates.get(name)
    category = read.category or (today.category if today else "")
    topic = read.topic or (today.topic if today else category)
    return replace(read, category=category, topic=topic, layout=layout)
