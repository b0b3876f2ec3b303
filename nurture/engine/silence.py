"""Who has waited longest for word from us, what do we owe, and can we prove what the law asks?"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TextIO

from nurture.core import timing
from nurture.core.hours import Calendar
from nurture.core.model import Application, Candidate, Duration
from nurture.core.subject import decided_at
from nurture.engine.project import Project
from nurture.errors import UsageError
from nurture.store import silence
from nurture.store.facts import application_from_row

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One application whose silence has an end by our own rules."""

    candidate: str
    person: Mapping[str, Any]
    application: str
    stage: str | None
    owner: str | None
    last_contact_at: datetime | None
    due_at: datetime
    hours: float  #: until the ceiling is broken; below zero: since it was
    to_be_told: bool  #: decided, and nobody has told them
    tasks: int  #: open, about this application


def waiting(project: Project) -> list[Waiting]:
    """Everybody who waits, worst first. The same instants as the anchor application.silence_due,
    by set queries: this is asked of a hundred thousand."""
    now, config = project.clock.now(), project.config
    counting = [name for name, each in config.categories.items() if each.counts_as_contact]
    calendars = _Calendars(project)
    found = []
    with project.database.read() as connection:
        heard = silence.heard(connection, counting)
        tasks = silence.open_tasks(connection)
        for row in silence.waiting(connection):
            application = application_from_row(row)
            last = _last(application, row, heard, now)
            since, ceiling = _since(application, last, heard, config.silence)
            if since is None or ceiling is None:
                continue
            due_at = timing.shift(since, ceiling, calendars.of(row))
            found.append(
                Waiting(
                    candidate=row["candidate"],
                    person=row["person"],
                    application=application.ref,
                    stage=application.stage,
                    owner=application.recruiter,
                    last_contact_at=last,
                    due_at=due_at,
                    hours=round((due_at - now) / _HOUR, 1),
                    to_be_told=application.status != "active",
                    tasks=tasks.get(application.ref, 0),
                )
            )
    return sorted(found, key=lambda each: (each.due_at, each.application))


def _since(
    application: Application,
    last: datetime | None,
    heard: silence.Heard,
    ceilings: Mapping[str, Duration],
) -> tuple[datetime | None, Duration | None]:
    """Since when they wait, and how long they may."""
    if application.status == "active":
        since = last or application.applied_at or application.stage_since
        return since, ceilings.get(application.stage or "")
    decided = decided_at(application)
    if decided is None or application.fields.get("imported") is True:
        return None, None
    told = [
        heard.latest(kind, application.candidate_id, application.ref)
        for kind in (heard.telling, heard.spoken)
    ]
    if any(at is not None and at >= decided for at in told):
        return None, None
    return decided, ceilings.get("rejected")


def _last(
    application: Application, row: Any, heard: silence.Heard, now: datetime
) -> datetime | None:
    latest = heard.latest(heard.counting, application.candidate_id, application.ref)
    instants = [at for at in (latest, row["replied_at"]) if at is not None and at <= now]
    return max(instants) if instants else None


class _Calendars:
    """Calendars of rows that have their candidate's `person` (data): for reckoning with days, which
    everybody in a place does alike. Whose hours are spread how is not asked of them."""

    def __init__(self, project: Project) -> None:
        self._calendars = project.planner.calendars
        self._of: dict[tuple[str | None, str | None, str | None], Calendar] = {}

    def of(self, row: Any) -> Calendar:
        get = row["person"].get
        place = (get("timezone"), get("country"), get("subdivision"))
        known = self._of.get(place)
        if known is None:
            timezone, country, subdivision = place
            anybody = Candidate(
                id=0, ref="", timezone=timezone, country=country, subdivision=subdivision
            )
            known = self._of[place] = self._calendars.of(anybody)
        return known


# --- promises ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Owed:
    """One promise, and how it stands."""

    ref: str
    candidate: str
    person: Mapping[str, Any]
    application: str | None
    job: str | None  #: its title, else its ref
    what: str
    owner: str | None
    made_at: datetime
    due_at: datetime
    status: str  #: open | slipped | kept | broken
    settled_at: datetime | None
    hours: float  #: until it is due; below zero: since it was


def promised(project: Project, *, everything: bool = False) -> list[Owed]:
    """What we owe, worst first: what is open, and with `everything` what was settled too.

    - kept: on its day or before it, in the candidate's zone;
    - slipped: its day passed first, whether it was kept later, got a new date, or is still open;
    - broken: somebody said so before it was due. One that got a new date before that is left out,
      and so is one whose candidate has withdrawn or is hired.
    """
    now, calendars = project.clock.now(), _Calendars(project)
    found = []
    with project.database.read() as connection:
        for row in silence.owed(connection, everything=everything):
            status = _status(row, calendars.of(row), now) if row["due_at"] else None
            if status is None:
                continue
            job = row["job_data"] or {}
            found.append(
                Owed(
                    ref=row["ref"],
                    candidate=row["candidate"],
                    person=row["person"],
                    application=row["application"],
                    job=job.get("title") or row["job"],
                    what=row["what"],
                    owner=row["owner"],
                    made_at=row["made_at"],
                    due_at=row["due_at"],
                    status=status,
                    settled_at=row["settled_at"],
                    hours=round((row["due_at"] - now) / _HOUR, 1),
                )
            )
    return sorted(found, key=lambda each: (each.settled_at is not None, each.due_at, each.ref))


def _status(row: Any, calendar: Calendar, now: datetime) -> str | None:
    """How a promise stands; None: it is nobody's debt any more."""
    due, settled = row["due_at"], row["settled_at"]
    if row["status"] == "open":
        if row["application_status"] in ("withdrawn", "hired"):
            return None
        return "slipped" if due <= now else "open"
    in_time = settled is None or calendar.local(settled).date() <= calendar.local(due).date()
    if row["status"] == "kept":
        return "kept" if in_time else "slipped"
    if row["data"].get("replaced_by"):
        return "slipped" if settled is not None and settled >= due else None
    return "broken" if in_time else "slipped"


@dataclass(kw_only=True)
class Score:
    """How the promises of one recruiter for one job came out."""

    owner: str
    job: str
    open: int = 0
    slipped: int = 0
    kept: int = 0
    broken: int = 0


def scores(owed: Iterable[Owed]) -> list[Score]:
    """One line a recruiter and job, those with most that slipped first."""
    found: dict[tuple[str, str], Score] = {}
    for each in owed:
        key = (each.owner or "", each.job or "")
        score = found.setdefault(key, Score(owner=key[0], job=key[1]))
        setattr(score, each.status, getattr(score, each.status) + 1)
    return sorted(found.values(), key=lambda one: (-one.slipped, -one.open, one.owner, one.job))


# --- the law -----------------------------------------------------------------------------------

PROOF = (
    *("application", "candidate", "job", "status", "last_interview", "deadline"),
    *("told_at", "how", "met"),
)


def proof(project: Project) -> Iterator[dict[str, str]]:
    """For each application with an interview that took place: by when they had to be told, and
    when and how they were. `met` is yes, no, or open while there is time. Raises UsageError where
    config.yaml sets no legal ceiling."""
    law = project.config.legal_silence
    if law is None:
        raise UsageError("config.yaml sets no legal_silence, such as `{preset: ontario}`")
    now, calendars = project.clock.now(), _Calendars(project)
    hour = timedelta(minutes=project.config.interview_minutes)
    last: dict[str, tuple[datetime, Any]] = {}
    with project.database.read() as connection:
        for row in silence.interviewed(connection, now):
            ended = row["ends_at"] or row["starts_at"] + hour
            before = last.get(row["ref"])
            if ended <= now and (before is None or before[0] < ended):
                last[row["ref"]] = (ended, row)
        words = silence.words(connection)
    for ref in sorted(last):
        ended, row = last[ref]
        calendar = calendars.of(row)
        application = application_from_row(row)
        word = _told(application, words.get(row["candidate_id"], []), ended)
        deadline = timing.shift(ended, law.ceiling, calendar)
        on_time = word.at <= deadline if word else None
        yield {
            "application": ref,
            "candidate": row["candidate"],
            "job": (row["job_data"] or {}).get("title") or row["job"] or "",
            "status": application.status,
            "last_interview": _local(ended, calendar),
            "deadline": _local(deadline, calendar),
            "told_at": _local(word.at, calendar) if word else "",
            "how": word.how if word else "",
            "met": _met(on_time, application, deadline, now),
        }


def _told(
    application: Application, words: Iterable[silence.Word], ended: datetime
) -> silence.Word | None:
    """The first word that told them: a mail since the interview, a colleague once it is decided."""
    decided = decided_at(application)
    for word in words:
        since = decided if word.human else ended
        mine = word.application in (None, application.ref)
        if mine and since is not None and word.at >= since:
            return word
    return None


def _met(on_time: bool | None, application: Application, deadline: datetime, now: datetime) -> str:
    if on_time is not None:
        return "yes" if on_time else "no"
    if application.status in ("withdrawn", "hired"):
        return "not asked"  # they ended it themselves, or they know
    return "no" if now > deadline else "open"


def _local(at: datetime, calendar: Calendar) -> str:
    return calendar.local(at).isoformat(timespec="minutes")


def write_proof(rows: Iterable[Mapping[str, str]], file: TextIO) -> int:
    """Rows of `proof` as CSV; how many. What a spreadsheet would take for a formula is text."""
    writer = csv.DictWriter(file, PROOF)
    writer.writeheader()
    count = 0
    for row in rows:
        writer.writerow({name: plain(value) for name, value in row.items()})
        count += 1
    return count


def plain(cell: str) -> str:
    """A cell that no spreadsheet runs: OWASP, CSV injection."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
