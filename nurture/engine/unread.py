"""Which letters wait for somebody to read them, and what does each say?"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from nurture.core.model import Approval, Category, Facts, Message, MessageState
from nurture.engine.advocates import line_of
from nurture.engine.approved import digest_of
from nurture.engine.letters import Preview
from nurture.engine.picture import Node, picture
from nurture.engine.project import Project
from nurture.errors import NurtureError
from nurture.rendering.context import context
from nurture.rendering.errors import RenderError
from nurture.rendering.languages import reads, tag_of
from nurture.store import approvals
from nurture.store.approvals import Place
from nurture.store.database import Connection

#: Whether whoever acts may say something of this letter: of whom it is, and how it is looked at.
Allowed = Callable[[Facts, Category, Approval], bool]
SCREENFUL = 16  # each costs all that is known about a person; what is approved makes way for more
_NOBODY: Mapping[int, Facts] = {}
_TOGETHER = 1_000  # letters that are approved as one batch


def anybody(_facts: Facts, _category: Category, _how: Approval) -> bool:
    """For who works at the command line."""
    return True


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A letter that waits, as a list shows it."""

    id: int
    candidate: str
    facts: Facts
    subject: str
    campaign: str
    step: str
    template: str
    category: str
    how: Approval  #: batch: with others of its kind; each: by itself
    since: datetime
    until: datetime | None  #: after which it does not go
    promised_at: datetime | None  #: the first open promise about its application
    silent_at: datetime | None  #: by when the candidate has to hear from us
    why: str  #: why now: its campaign, and what its moment hangs on
    changed: Mapping[str, Any]  #: who had approved it, and when, before it changed; or nothing
    place: Place


def how_to(category: Category, facts: Facts, now: datetime) -> Approval:
    """How letters of this kind to this person are looked at. Where somebody asked for special
    care, each by itself."""
    careful = facts.candidate.wishes.sensitive_until
    if category.approval is Approval.BATCH and not (careful is not None and careful > now):
        return Approval.BATCH
    return Approval.EACH


def waiting(
    project: Project,
    connection: Connection,
    allowed: Allowed = anybody,
    *,
    whose: Any = None,
    categories: Collection[str] | None = None,
    after: Place | None = None,
    limit: int = SCREENFUL,
) -> tuple[list[Waiting], Place | None]:
    """What waits, the worst first, and where the next screenful begins behind. `whose` and
    `categories` narrow in SQL what `allowed` decides."""
    rows = approvals.waiting(connection, whose, categories=categories, after=after, limit=limit + 1)
    more = approvals.place_of(rows[limit - 1]) if len(rows) > limit else None
    rows = rows[:limit]
    found = seen(project, connection, rows, allowed).values()
    steps = {(each.row["campaign"], each.row["step"]) for each in found}
    why = {each: why_now(project, *each) for each in steps}  # many wait at the same
    return [
        _line(project, each.row, each.facts, each.how, why[each.row["campaign"], each.row["step"]])
        for each in found
    ], more


def _line(project: Project, row: Any, facts: Facts, how: Approval, why: str) -> Waiting:
    place = approvals.place_of(row)
    return Waiting(
        id=row["id"],
        candidate=row["ref"],
        facts=facts,
        subject=_subject(project, row["id"], facts) or row["template"],
        campaign=row["campaign"],
        step=row["step"],
        template=row["template"],
        category=row["category"],
        how=how,
        since=row["created_at"],
        until=row["until"],
        promised_at=row["promised_at"],
        silent_at=place.silent_at if approvals.is_set(place.silent_at) else None,
        why=why,
        changed=row["detail"].get("changed") or {},
        place=place,
    )


def why_now(project: Project, campaign: str, step: str) -> str:
    """`Decision: right after entering`"""
    title = project.library.titles.get(campaign, campaign)
    found = project.library.campaigns.get(campaign)
    node = _node(picture(found).nodes, step) if found is not None else None
    return f"{title}: {node.when}" if node is not None else title


def _node(nodes: Sequence[Node], step: str) -> Node | None:
    for each in nodes:
        inner = each if each.id == step else _node((*each.then, *each.otherwise), step)
        if inner is not None:
            return inner
    return None


def _subject(project: Project, id_: int, facts: Facts) -> str | None:
    """What its subject says; None: that is to be found in the whole letter only."""
    message = next((each for each in facts.messages if each.id == id_), None)
    renderer = project.letters.renderer
    locale = reads(facts.candidate, project.config)
    template = renderer.template(message.template, locale) if message else None
    if message is None or template is None:
        return None
    enrollment = next(each for each in facts.enrollments if each.id == message.enrollment_id)
    words = context(
        facts,
        enrollment.subject,
        enrollment=enrollment,
        config=project.config,
        now=project.clock.now(),
        named=renderer.named(message.template, locale),
    )
    try:
        about, now = enrollment.subject, project.clock.now()
        project.letters.bring(words, message, facts, about, now)
        return renderer.line(template.subject, words, locale=locale)
    except NurtureError:
        return None


# --- one letter ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A letter as it would be sent, for somebody to read."""

    row: Any
    facts: Facts
    message: Message
    category: Category
    how: Approval
    as_of: datetime  #: as of when it is written
    letter: Preview | None
    digest: str | None  #: of exactly this letter
    wrong: RenderError | None  #: why it cannot be written
    alike: tuple[int, ...]  #: others of its kind that could be approved with it
    #: What somebody here liked about them, as it stands in it; empty: to be written first. None: it
    #: has no place for that.
    advocate: str | None = None


def opened(
    project: Project,
    connection: Connection,
    id_: int,
    allowed: Allowed = anybody,
    *,
    whose: Any = None,
    as_of: datetime | None = None,
    known: Mapping[int, Facts] = _NOBODY,
) -> Opened | None:
    """A letter that waits. None: there is none of this number, or none that may be seen. `known`:
    by candidate, facts that were read in this transaction."""
    row = approvals.letter(connection, id_)
    found = seen(project, connection, [row] if row is not None else [], allowed, known).get(id_)
    if found is None or found.message is None or found.row["state"] != MessageState.HELD:
        return None
    message, about, now = found.message, found.facts, project.clock.now()
    as_of = as_of if as_of is not None and as_of <= now else now
    letter, wrong = None, None
    try:
        letter = written(project, message, about, as_of, now)
    except RenderError as error:
        wrong = error
    alike: tuple[int, ...] = ()
    if found.how is Approval.BATCH:
        alike = tuple(_alike(project, connection, message, about, allowed, whose))
    return Opened(
        row=found.row,
        facts=about,
        message=message,
        category=found.category,
        how=found.how,
        as_of=as_of,
        letter=letter,
        digest=digest_of(letter.raw) if letter is not None else None,
        wrong=wrong,
        alike=alike,
        advocate=line_of(project, message, about, now),
    )


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A letter of which whoever acts may say something."""

    row: Any
    facts: Facts
    category: Category
    how: Approval
    message: Message | None  #: None: it is at its end


def seen(
    project: Project,
    connection: Connection,
    rows: Collection[Any],
    allowed: Allowed,
    known: Mapping[int, Facts] = _NOBODY,
) -> dict[int, Seen]:
    """By their ids; the others are left out, as if there were none."""
    new = {row["candidate_id"] for row in rows} - known.keys()
    everyone = {**known, **project.planner.read(connection, new)}
    now, found = project.clock.now(), dict[int, Seen]()
    for row in rows:
        facts = everyone.get(row["candidate_id"])
        category = project.config.categories.get(row["category"])
        if facts is None or category is None:
            continue
        how = how_to(category, facts, now)
        message = next((each for each in facts.messages if each.id == row["id"]), None)
        if allowed(facts, category, how):
            found[row["id"]] = Seen(
                row=row, facts=facts, category=category, how=how, message=message
            )
    return found


def written(
    project: Project, message: Message, facts: Facts, as_of: datetime, now: datetime
) -> Preview:
    """By itself, as all that is looked at goes."""
    alone = replace(message, sections=(), approved_as_of=as_of)
    return project.letters.foresee(alone, facts, now)


def legible(project: Project, found: Opened) -> str:
    """The letter's HTML for a screen: the same words, and links that lead nowhere."""
    alone = replace(found.message, sections=(), approved_as_of=found.as_of)
    shown = project.letters.inert().foresee(alone, found.facts, project.clock.now())
    return shown.rendered.html


def _alike(
    project: Project,
    connection: Connection,
    message: Message,
    facts: Facts,
    allowed: Allowed,
    whose: Any,
) -> list[int]:
    """Letters in the same words to others: of one template, in one revision."""
    digests = project.letters.renderer.digests

    def tag(data: Mapping[str, Any]) -> str:
        return tag_of(data.get("locale"), data.get("formality"), project.config)

    words = digests(message.template, reads(facts.candidate, project.config))
    rows = approvals.waiting(
        connection,
        whose,
        categories=[message.category],
        template=message.template,
        limit=_TOGETHER,
    )
    others = [row for row in rows if row["id"] != message.id]
    same = [row for row in others if digests(message.template, tag(row["data"])) == words]
    found = seen(project, connection, same, allowed)
    return [id_ for id_, each in found.items() if each.how is Approval.BATCH]
