"""How many mails is that? Counted from what the server accepted, by fate and in certain weeks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from nurture.config import Config
from tools.ninety_days.checks import kind
from tools.ninety_days.past import Mail, Past
from tools.ninety_days.people import DAYS, END, FATES, Life

_WEEK = timedelta(days=7)
WEEKS = DAYS // 7


@dataclass(frozen=True)
class Middle:
    """Of so many, the middle and the most."""

    of: int
    median: float
    most: float


@dataclass(frozen=True)
class Fate:
    name: str
    people: int
    mails: Middle
    fullest_week: Middle  #: of each person, the seven days with the most mail
    calls: int  #: that somebody was asked to make
    weeks: tuple[dict[str, float], ...]  #: by week since they applied: mails a person, by kind


@dataclass(frozen=True)
class Figures:
    people: int
    mails: int
    tasks: int
    open_tasks: int
    refused: int
    interview_week: Middle
    silver_medalist: Middle
    fates: tuple[Fate, ...]


def figures(past: Past, config: Config) -> Figures:
    tasks = [task for own in past.tasks.values() for task in own]
    return Figures(
        people=len(past.lives),
        mails=sum(map(len, past.mails.values())),
        tasks=len(tasks),
        open_tasks=sum(task.done is None for task in tasks),
        refused=sum(past.refused.values()),
        interview_week=_middle(list(_interview_weeks(past))),
        silver_medalist=_middle(list(_silver_medalists(past))),
        fates=tuple(_fate(past, config, name) for name in FATES),
    )


def _middle(numbers: list[float]) -> Middle:
    return Middle(len(numbers), round(median(numbers or [0]), 2), round(max(numbers or [0]), 2))


def _written_to(life: Life) -> bool:
    """By mail, and for all that we know it arrives."""
    return not life.traits & {"phone first", "dead address", "wants no contact"}


def _interview_weeks(past: Past) -> Iterator[float]:
    """Mails in the week that ends a day after an interview: of interviews that stayed where they
    were, of people who have no other near."""
    for ref, life in past.lives.items():
        if not _written_to(life):
            continue
        met: dict[str, datetime] = {}
        moved = set()
        for told in past.told.get(ref, []):
            if told.event["type"].startswith("interview."):
                about = told.event["interview"]
                if about["id"] in met and told.event["type"] != "interview.completed":
                    moved.add(about["id"])
                elif "starts_at" in about:
                    met[about["id"]] = datetime.fromisoformat(about["starts_at"])
        for which, starts_at in met.items():
            near = [at for at in met.values() if abs(at - starts_at) < timedelta(days=8)]
            end = starts_at + timedelta(days=1)
            if which not in moved and len(near) == 1 and end < END:
                yield len([m for m in past.mails.get(ref, []) if end - _WEEK <= m.at < end])


def _silver_medalists(past: Past) -> Iterator[float]:
    """Mails a week from the day after they were told on, of those who are watched for a month."""
    for ref, life in past.lives.items():
        if life.fate != "silver medalist" or not _written_to(life):
            continue
        mails = past.mails.get(ref, [])
        said = [m.at for m in mails if past.kinds[m.first][0] == "decision"]
        if said and END - said[-1] > 4 * _WEEK:
            after = [m for m in mails if m.at > said[-1] + timedelta(days=1)]
            yield len(after) / ((END - said[-1]) / _WEEK)


def _fate(past: Past, config: Config, name: str) -> Fate:
    who = [ref for ref, life in past.lives.items() if life.fate == name]
    sent = {ref: past.mails.get(ref, []) for ref in who}
    weeks: list[dict[str, float]] = [{} for _ in range(WEEKS)]
    for ref, mails in sent.items():
        begun = past.told[ref][0].at
        for mail in mails:
            week = (mail.at - begun) // _WEEK
            if week < WEEKS:
                which = kind_of(past, config, mail)
                weeks[week][which] = weeks[week].get(which, 0) + 1
    # Of those who applied late, the later weeks are beyond the ninety days.
    seen = [sum(END - past.told[ref][0].at > (n + 1) * _WEEK for ref in who) for n in range(WEEKS)]
    return Fate(
        name=name,
        people=len(who),
        mails=_middle([len(each) for each in sent.values()]),
        fullest_week=_middle([_fullest([m.at for m in mails]) for mails in sent.values()]),
        calls=sum(task.call for ref in who for task in past.tasks.get(ref, [])),
        weeks=tuple(
            {which: round(n / max(of, 1), 2) for which, n in sorted(week.items())}
            for week, of in zip(weeks, seen, strict=True)
        ),
    )


def kind_of(past: Past, config: Config, mail: Mail) -> str:
    """free: never held back by a cap; service: about their own process; nurture."""
    klass, category = kind(past, config, mail)
    return str(klass) if config.categories[category].capped else "free"


def _fullest(at: list[datetime]) -> int:
    return max((sum(one <= each < one + _WEEK for each in at) for one in at), default=0)
