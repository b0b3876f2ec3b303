"""What does an event change? Merges it into what is known, in any order, exactly once.

The later fact stands: of two events about the same key the one with the later `occurred_at` wins,
whichever arrives first. Every event is kept, and rings the alarm of whom it is about.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nurture.errors import Problem, Problems
from nurture.intake.events import IncomingEvent, key_of, ref_of
from nurture.intake.merging import Batch, Taken
from nurture.store.changes import Known, Wanted, change, load, save
from nurture.store.database import Connection, Database

_BATCH = 300  # events a transaction: short enough for others to get in between


@dataclass(frozen=True, kw_only=True)
class Applied:
    candidate_id: int | None  #: None: about a job, or a duplicate that names nobody
    duplicate: bool = False


@dataclass
class Counts:
    """What became of many events. An event that is refused is a problem; all others are kept."""

    applied: int = 0
    duplicates: int = 0
    unchanged: int = 0  #: applied, and told nothing new
    created: int = 0  #: candidates who were not known before
    problems: list[Problem] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)  #: event by event, in order


def apply(database: Database, event: IncomingEvent, now: datetime) -> Applied:
    """Take in one event. Raises Problems if it contradicts what is known."""
    (taken, *_), numbers = change(
        database, wanted_of([event]), lambda known: _take([event], known, now), now
    )
    return _applied(taken, numbers)


def apply_within(connection: Connection, event: IncomingEvent, now: datetime) -> Applied:
    """The same in the caller's transaction, with whatever else stands or falls with it. For events
    about candidates who are known: of two that add one person at once, one would fail."""
    known = load(connection, wanted_of([event]))
    (taken,) = _take([event], known, now)
    return _applied(taken, save(connection, known, now))


def _applied(taken: Taken, numbers: Mapping[int, int]) -> Applied:
    refused = [problem for problem in taken.problems if problem.severity == "error"]
    if refused:
        raise Problems(refused)
    who = taken.candidate_id
    return Applied(
        candidate_id=None if who is None else numbers.get(who, who),
        duplicate=taken.outcome == "duplicate",
    )


def apply_all(
    database: Database,
    events: Iterable[IncomingEvent | Problem],
    now: datetime,
    *,
    historical: bool = False,
    news_only: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Counts:
    """Take in many events, a few hundred in a transaction; problems among them are passed on.

    `historical`: for completeness, none of them triggers a campaign. `news_only`: events that
    change nothing are not kept either (a file that is imported again). `dry_run`: nothing is kept,
    the counts say what would be. `progress` hears how many
    were dealt with so far.
    """
    counts = Counts()
    done = 0
    for batch in _batches(iter(events)):
        good = [each for each in batch if isinstance(each, IncomingEvent)]
        counts.problems += [each for each in batch if isinstance(each, Problem)]
        if historical:
            good = [each.model_copy(update={"historical": True}) for each in good]
        if good:
            work = _work(good, now, news_only)
            results, _ = change(database, wanted_of(good), work, now, keep=not dry_run)
            for taken in results:
                _count(counts, taken)
        done += len(batch)
        if progress is not None:
            progress(done)
    return counts


def _work(
    events: list[IncomingEvent], now: datetime, news_only: bool
) -> Callable[[Known], list[Taken]]:
    return lambda known: _take(events, known, now, news_only=news_only)


def _take(
    events: list[IncomingEvent], known: Known, now: datetime, *, news_only: bool = False
) -> list[Taken]:
    batch = Batch(known, now, news_only=news_only)
    return [batch.take(event) for event in events]


def _count(counts: Counts, taken: Taken) -> None:
    counts.problems += taken.problems
    counts.taken.append(taken)
    counts.duplicates += taken.outcome == "duplicate"
    counts.created += taken.outcome == "created"
    counts.unchanged += taken.outcome == "unchanged"
    counts.applied += taken.outcome in ("created", "updated", "unchanged")


def _batches(
    events: Iterator[IncomingEvent | Problem],
) -> Iterator[list[IncomingEvent | Problem]]:
    """A few hundred at a time; a merge moves rows and goes alone."""
    batch: list[IncomingEvent | Problem] = []
    for each in events:
        alone = isinstance(each, IncomingEvent) and each.type == "candidate.merged"
        if batch and (alone or len(batch) >= _BATCH):
            yield batch
            batch = []
        batch.append(each)
        if alone:
            yield batch
            batch = []
    if batch:
        yield batch


def wanted_of(events: Iterable[IncomingEvent]) -> Wanted:
    """The names under which these events speak of things: what must be known to take them in."""
    wanted = Wanted()
    for event in events:
        wanted.events.add((event.source, event.id))
        for candidate in (event.candidate, event.into):
            if candidate is not None and candidate.email:
                wanted.emails.add(key_of(candidate.email))
                wanted.refs.add(candidate.id or ref_of(candidate.email))
            elif candidate is not None and candidate.id:
                wanted.refs.add(candidate.id)
        if event.job is not None:
            wanted.jobs.add(event.job.ref)
            if event.type.startswith("job."):
                wanted.closing.add(event.job.ref)
        _wanted_objects(wanted, event)
    return wanted


def _wanted_objects(wanted: Wanted, event: IncomingEvent) -> None:
    told = event.application
    if told is not None:
        wanted.applications.add(told.id)
        if told.job is not None:
            wanted.jobs.add(told.job.ref)
        for person in (told.recruiter, told.coordinator, told.hiring_manager):
            if person is not None:
                wanted.people.add(key_of(person.email))
    if event.interview is not None:
        wanted.interviews.add(event.interview.id)
    if event.offer is not None:
        wanted.offers.add(event.offer.id)
    if event.promise is not None:
        wanted.promises.add(event.promise.id)
        if event.promise.application:
            wanted.applications.add(event.promise.application)
        if event.promise.owner:
            wanted.people.add(key_of(event.promise.owner))
    if event.message is not None and event.message.id:
        wanted.messages.add(event.message.id)
