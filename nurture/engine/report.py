"""What does a simulation come to? Its course as figures and sentences, for tables and pages."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nurture.config import Config
from nurture.core.model import Candidate, Reason, Verdict
from nurture.core.reasons import moment, sentence
from nurture.engine.differences import Comparison, Difference
from nurture.engine.simulate import Course
from nurture.rendering.context import zone_of
from nurture.store.foretold import Foretold

#: Why something waited although its moment had come, or never came; the rest needs no telling.
CAPPED = frozenset({Reason.CAP, Reason.GAP, Reason.SLOT_RESERVED})
MOVED = frozenset({Reason.CONTACT_HOURS, Reason.CANDIDATE_PAUSED, Reason.NO_OPEN_HOURS})
EXPIRED = frozenset({Reason.EXPIRED, Reason.CROWDED_OUT, Reason.LATE})
#: What waits at the end for nothing but its turn.
_IN_ITS_TURN = frozenset({Reason.SCHEDULED, Reason.AFTER_STEP}) | CAPPED | MOVED


@dataclass(frozen=True, kw_only=True)
class Person:
    ref: str
    name: str  #: empty where nobody knows it
    zone: ZoneInfo  #: all that is said of this person is in it


@dataclass(frozen=True, kw_only=True)
class Line:
    """One verdict, for people."""

    person: Person
    at: datetime | None
    row: Mapping[str, Any]  #: of `simulate --json`
    said: str

    @property
    def day(self) -> date | None:
        """In the person's own zone."""
        return self.at.astimezone(self.person.zone).date() if self.at else None

    @property
    def within(self) -> bool:
        """Whether it comes as a part of another mail."""
        return bool(self.row["reason"] == Reason.BUNDLED)


@dataclass(frozen=True, kw_only=True)
class Held:
    """What did not come at its moment, and what became of it."""

    line: Line
    outcome: Line | None  #: None: it waits still


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Of one campaign."""

    name: str
    title: str
    people: int  #: who gets something of it
    sends: int
    tasks: int
    skips: Counter[str]  #: by reason


@dataclass(frozen=True, kw_only=True)
class Change:
    """A difference between two versions, for people."""

    difference: Difference
    person: Person
    before: Line | None
    after: Line | None


@dataclass(frozen=True, kw_only=True)
class Report:
    start: datetime
    days: int
    zone: ZoneInfo  #: of the house: in which its days are counted
    lines: tuple[Line, ...]  #: final verdicts, in time order
    per_day: tuple[tuple[date, int], ...]  #: mails, every day from the first to the last
    campaigns: tuple[Totals, ...]
    capped: tuple[Held, ...]
    moved: tuple[Held, ...]
    expired: tuple[Line, ...]
    skipped: tuple[Line, ...]  #: for any other reason
    waiting: tuple[Line, ...]  #: at the end, for somebody or something
    comparison: Comparison | None = None
    changes: tuple[Change, ...] = ()

    def count(self, verdict: str) -> int:
        """Of mails, a bundle counts as the one that it is."""
        return sum(line.row["verdict"] == verdict and not line.within for line in self.lines)

    def totals(self) -> str:
        """`60 mails, 24 tasks, 12 skipped`"""
        mails, tasks = self.count("send"), self.count("task")
        return ", ".join(
            (
                f"{mails} mail{'' if mails == 1 else 's'}",
                f"{tasks} task{'' if tasks == 1 else 's'}",
                f"{self.count('skip')} skipped",
            )
        )

    def by_person(self) -> Iterator[tuple[Person, list[Line]]]:
        """What arrives, per person: who is written to first comes first."""
        own: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line.row["verdict"] != "skip":
                own[line.person.ref].append(line)
        for lines in own.values():
            yield lines[0].person, lines


def report(
    course: Course,
    config: Config,
    people: Mapping[str, Mapping[str, Any]],
    *,
    campaign: str | None = None,
    comparison: Comparison | None = None,
) -> Report:
    """`people` are the data of candidates' rows by ref; with `campaign` only its own steps."""
    titles = {name: each.title for name, each in course.campaigns.items()}
    writer = _Writer(config, people, titles)

    def mine(found: Iterable[Foretold]) -> list[Foretold]:
        return [each for each in found if campaign in (None, each.occasion.campaign)]

    settled = mine(course.settled)
    final = {each.occasion: writer.line(each.row) for each in settled}
    lines = list(final.values())
    zone = ZoneInfo(config.timezone)
    differences = comparison.differences if comparison else ()
    return Report(
        start=course.start,
        days=(course.end - course.start).days,
        zone=zone,
        lines=tuple(lines),
        per_day=tuple(_per_day(lines, course, zone)),
        campaigns=tuple(_totals(lines, course)),
        capped=tuple(writer.held(mine(course.waited), final, CAPPED)),
        moved=tuple(writer.held(mine(course.waited), final, MOVED)),
        expired=tuple(line for line in lines if _is(line, EXPIRED)),
        skipped=tuple(
            line for line in lines if line.row["verdict"] == "skip" and not _is(line, EXPIRED)
        ),
        waiting=tuple(
            writer.line(each.row)
            for each in mine(course.open)
            if each.row["reason"] not in _IN_ITS_TURN
        ),
        comparison=comparison,
        changes=tuple(
            writer.change(each) for each in differences if campaign in (None, each.row["campaign"])
        ),
    )


class _Writer:
    def __init__(
        self, config: Config, people: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]
    ) -> None:
        self.config = config
        self.titles = titles
        self.data = people
        self.people: dict[str, Person] = {}

    def person(self, ref: str) -> Person:
        if ref not in self.people:
            data = self.data.get(ref, {})
            name = " ".join(str(data[key]) for key in _NAME if data.get(key))
            one = Candidate(id=0, ref=ref, timezone=data.get("timezone"))
            self.people[ref] = Person(ref=ref, name=name, zone=zone_of(one, self.config))
        return self.people[ref]

    def line(self, row: Mapping[str, Any]) -> Line:
        person = self.person(row["candidate"])
        at = datetime.fromisoformat(row["at"]) if row["at"] else None
        verdict = Verdict(row["verdict"])
        if at is not None and verdict in _COMING:  # nothing of this has happened yet
            said = f"{_COMING[verdict]} {moment(at, person.zone)}"
        else:
            said = sentence(
                verdict,
                Reason(row["reason"]),
                row["detail"],
                at=at,
                zone=person.zone,
                titles=self.titles,
            )
        return Line(person=person, at=at, row=row, said=said)

    def held(
        self, waited: Sequence[Foretold], final: Mapping[Any, Line], reasons: frozenset[Reason]
    ) -> Iterator[Held]:
        """Each occasion once, with the first that was said of it."""
        first: dict[Any, Foretold] = {}
        for each in waited:
            if each.row["reason"] in reasons:
                first.setdefault(each.occasion, each)
        for occasion, each in first.items():
            yield Held(line=self.line(each.row), outcome=final.get(occasion))

    def change(self, difference: Difference) -> Change:
        before, after = difference.before, difference.after
        return Change(
            difference=difference,
            person=self.person(difference.row["candidate"]),
            before=self.line(before) if before is not None else None,
            after=self.line(after) if after is not None else None,
        )


_COMING = {Verdict.SEND: "Goes out", Verdict.TASK: "Becomes a task"}
_NAME = ("first_name", "last_name")


def _is(line: Line, reasons: frozenset[Reason]) -> bool:
    return line.row["verdict"] == "skip" and line.row["reason"] in reasons


def _per_day(lines: Sequence[Line], course: Course, zone: ZoneInfo) -> Iterator[tuple[date, int]]:
    sent = Counter(
        line.at.astimezone(zone).date()
        for line in lines
        if line.at is not None and line.row["verdict"] == "send" and not line.within
    )
    day, last = course.start.astimezone(zone).date(), course.end.astimezone(zone).date()
    while day <= last:
        yield day, sent[day]
        day += timedelta(days=1)


def _totals(lines: Sequence[Line], course: Course) -> Iterator[Totals]:
    own: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        own[line.row["campaign"]].append(line)
    for name in sorted(own):
        verdicts = Counter(line.row["verdict"] for line in own[name])
        arrives = {line.person.ref for line in own[name] if line.row["verdict"] != "skip"}
        skips = [line.row["reason"] for line in own[name] if line.row["verdict"] == "skip"]
        campaign = course.campaigns.get(name)
        yield Totals(
            name=name,
            title=campaign.title if campaign else name,
            people=len(arrives),
            sends=verdicts["send"],
            tasks=verdicts["task"],
            skips=Counter(skips),
        )
