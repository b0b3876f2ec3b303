"""What has this person had, what will they get, and why? For `agenda`, `explain` and the pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nurture.core.agenda import Item
from nurture.core.journey import Key
from nurture.core.model import Campaign, Candidate, Event, Facts, Reason, StepState, Verdict
from nurture.core.reasons import sentence
from nurture.engine.planner import Planned
from nurture.engine.project import Project
from nurture.engine.versions import Version, versions
from nurture.rendering.context import zone_of
from nurture.rendering.titles import title_of
from nurture.store import history
from nurture.store.database import Connection
from nurture.store.facts import find_candidate

AHEAD = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a candidate's agenda. `sentence` is for people, the rest is `agenda --json`."""

    at: datetime | None
    candidate: str
    application: str | None
    campaign: str
    step: str
    template: str | None
    category: str | None
    verdict: Verdict
    reason: Reason
    sentence: str
    about: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)
    recorded_at: datetime | None = None  #: of what is on record: since when this is said
    message: int | None = None  #: of what was sent: the number of its message
    version: Version | None = None  #: and the files it was sent by
    mail: str | None = None  #: the templates of the mail that it is a part of: `a+b`
    enrollment: int | None = None  #: None: of what is to come, and is not on record yet
    occurrence: str | None = None  #: of its step: what a person may decide about
    task: str | None = None  #: what a person has to do; … for what is not known yet

    def as_json(self) -> dict[str, Any]:
        """The documented object; `about` marks a forecast."""
        return {
            "at": self.at.isoformat() if self.at else None,
            "candidate": self.candidate,
            "application": self.application,
            "campaign": self.campaign,
            "step": self.step,
            "template": self.template,
            "category": self.category,
            "verdict": self.verdict.value,
            "reason": self.reason.value,
            "detail": {**self.detail, **({"about": True} if self.about else {})},
        }


@dataclass(frozen=True, kw_only=True)
class Outlook:
    candidate: Candidate
    facts: Facts
    zone: ZoneInfo  #: the candidate's: all sentences are in it
    past: tuple[Entry, ...]  #: settled, oldest first
    ahead: tuple[Entry, ...]  #: by instant, those without one last


def outlook(
    project: Project,
    who: str,
    ahead: timedelta | None = AHEAD,
    *,
    supposing: Sequence[Event] = (),
) -> Outlook | None:
    """Everything settled and everything wanted within `ahead` (None: all) for one candidate, by
    ref, e-mail or number. None: there is no such candidate. Writes nothing. `supposing`: as if
    these had just come in."""
    with project.database.read() as connection:
        candidate = find_candidate(connection, who)
        if candidate is None:
            return None
        planned = project.planner.view(connection, candidate.id, supposing)
        if planned is None:
            return None
        zone = zone_of(candidate, project.config)
        titles = project.library.titles
        settled = history.settled_rows(connection, candidate.id)
        past = told(connection, settled, zone, titles)
    horizon = project.clock.now() + ahead if ahead is not None else None
    coming = [
        entry
        for entry in lines(project, planned)
        if entry.at is None or horizon is None or entry.at <= horizon
    ]
    coming += _frozen(planned.facts, project.library.campaigns, zone)
    return Outlook(
        candidate=candidate, facts=planned.facts, zone=zone, past=tuple(past), ahead=tuple(coming)
    )


def lines(project: Project, planned: Planned) -> list[Entry]:
    """A line for each item of this agenda, in its order."""
    candidate = planned.facts.candidate
    zone, titles = zone_of(candidate, project.config), project.library.titles
    mails = _together(planned.agenda.items)
    return [
        replace(_entry(item, candidate, zone, titles), mail=mails.get(item.joins or item.key))
        for item in planned.agenda.items
    ]


def _together(items: Sequence[Item]) -> dict[Key, str]:
    """The templates of each bundle, by the key of its first part."""
    found: dict[Key, list[str]] = {}
    for item in items:
        if item.joins is not None:
            found.setdefault(item.joins, []).append(item.step.send or "")
    first = {item.key: item.step.send or "" for item in items if item.key in found}
    return {key: "+".join([first[key], *found[key]]) for key in first}


def told(
    connection: Connection,
    rows: Sequence[Mapping[Any, Any]],
    zone: ZoneInfo,
    titles: Mapping[str, str],
) -> list[Entry]:
    """What these rows of `history` say, in their order."""
    entries = []
    for row, version in zip(rows, versions(connection, rows), strict=True):
        verdict, reason, at = Verdict(row["verdict"]), Reason(row["reason"]), row["at"]
        detail = dict(row["detail"])
        about = detail.pop("about", False)
        said = sentence(verdict, reason, detail, at=at, zone=zone, about=about, titles=titles)
        own = {
            **history.as_object(row),
            "at": at,
            "verdict": verdict,
            "reason": reason,
            "detail": detail,
            "about": about,
            "sentence": said,
            "recorded_at": row["recorded_at"],
            "enrollment": row["enrollment_id"],
            "occurrence": row["occurrence"],
            "task": row["task"],
        }
        entries.append(Entry(**own, message=row["message"], version=version))
    sent: dict[int | None, list[str]] = {}
    for entry in sorted(entries, key=lambda entry: entry.reason is Reason.BUNDLED):
        sent.setdefault(entry.message, []).append(entry.template or "")
    return [
        replace(entry, mail="+".join(sent[entry.message])) if entry.message else entry
        for entry in entries
    ]


def _frozen(facts: Facts, campaigns: Mapping[str, Campaign], zone: ZoneInfo) -> list[Entry]:
    """Steps that were wanted when their campaign's file was last there."""
    of = {each.id: each for each in facts.enrollments}
    return [
        Entry(
            at=None,
            candidate=facts.candidate.ref,
            application=of[record.enrollment_id].subject.application,
            campaign=of[record.enrollment_id].campaign,
            step=record.step,
            template=None,
            category=None,
            verdict=Verdict.WAIT,
            reason=Reason.CAMPAIGN_MISSING,
            sentence=sentence(Verdict.WAIT, Reason.CAMPAIGN_MISSING, {}, at=None, zone=zone),
        )
        for record in facts.records
        if record.state is StepState.OPEN and of[record.enrollment_id].campaign not in campaigns
    ]


def _entry(item: Item, candidate: Candidate, zone: ZoneInfo, titles: Mapping[str, str]) -> Entry:
    return Entry(
        at=item.at,
        candidate=candidate.ref,
        application=item.application,
        campaign=item.campaign,
        step=item.step.id,
        template=item.step.send,
        category=item.category.name if item.category else None,
        verdict=item.verdict,
        reason=item.reason,
        sentence=sentence(
            item.verdict,
            item.reason,
            item.detail,
            at=item.at,
            zone=zone,
            about=item.about,
            titles=titles,
        ),
        about=item.about,
        detail=item.detail,
        task=title_of(item.step.task.text) if item.step.task else None,
        enrollment=item.key.enrollment_id if item.key.enrollment_id > 0 else None,
        occurrence=item.key.occurrence or None,
    )
