"""Which item of the content library fits this person best, that they have not had yet?

An item says for whom it is. What it names must be known of the reader and fit; what it does not
name fits everybody. The one that names most comes first, then the freshest, then by id, so that the
same facts always give the same item. No item reaches anybody twice, whatever mail brings it.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import NamedTuple

from nurture.core.model import Facts, Interview, Job, Subject
from nurture.core.subject import application_of, interview_of

#: How many items of each kind a mail asks for.
Asked = Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Content:
    """One item of the library, as its file says it."""

    id: str
    kind: str
    title: str
    text: str  #: Markdown
    url: str | None = None
    minutes: int | None = None  #: what it takes to read what is behind `url`, or to try it
    listens_for: str | None = None  #: of a question: what the answer shows
    owner: str = ""
    fresh_until: date | None = None  #: the last day on which it is true
    locale: str | None = None  #: None: the company's own language
    team: tuple[str, ...] = ()
    interview: tuple[str, ...] = ()
    role_family: tuple[str, ...] = ()
    seniority: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    file: str = ""
    line: int = 1
    fresh_spot: tuple[int, int] = (1, 1)  #: line and column of `fresh_until`

    @cached_property
    def named(self) -> Sequence[tuple[str, tuple[str, ...]]]:
        """For whom it is: each key that it has, the most telling first."""
        every = (
            ("team", self.team),
            ("interview", self.interview),
            ("role_family", self.role_family),
            ("seniority", self.seniority),
            ("stage", self.stage),
            ("country", self.country),
        )
        return [each for each in every if each[1]]


class Situation(NamedTuple):
    """What is known of a reader, and of what the mail is about, at the instant they read it."""

    job: Job | None
    stage: str | None
    country: str | None
    interview: Interview | None  #: one that is still to come


class Match(NamedTuple):
    """Something that an item names and that fits: the name of the key, and the fact it met."""

    what: str  #: team | interview | role_family | seniority | stage | country
    said: str


class Brought(NamedTuple):
    """An item in a mail, and why it is there."""

    content: Content
    matches: tuple[Match, ...]
    situation: Situation


def situation(facts: Facts, subject: Subject, at: datetime) -> Situation:
    application = application_of(facts, subject)
    interview, _ = interview_of(facts, subject, at)
    if interview is not None and (
        interview.status != "scheduled"
        or (interview.starts_at is not None and interview.starts_at <= at)
    ):
        interview = None
    return Situation(
        job=facts.jobs.get(application.job or "") if application is not None else None,
        stage=application.stage if application is not None else None,
        country=facts.candidate.country,
        interview=interview,
    )


def matches(content: Content, known: Situation) -> tuple[Match, ...] | None:
    """What fits, the most telling first; None: something that the item names does not."""
    found = []
    for what, named in content.named:
        said = _said(what, named, known)
        if said is None:
            return None
        found.append(Match(what, said))
    return tuple(found)


class Shelf:
    """The items in force, by id."""

    def __init__(self, items: Iterable[Content] = ()) -> None:
        self.items: Mapping[str, Content] = {each.id: each for each in items}
        kinds: dict[str, list[Content]] = {}
        for each in self.items.values():
            kinds.setdefault(each.kind, []).append(each)
        self.kinds: Mapping[str, Sequence[Content]] = kinds

    def choose(
        self,
        asked: Asked,
        known: Situation,
        had: Collection[str],
        day: date,
        is_read: Callable[[Content], bool],
    ) -> tuple[str, ...] | None:
        """The ids of the best of each kind, as many as are asked for or there are; None: of one
        kind there is nothing left. `is_read`: whether it is in a language that the mail is in."""
        chosen: list[str] = []
        for kind, most in asked.items():
            ranked = []
            for each in self.kinds.get(kind, ()):
                if each.id in had or not is_fresh(each, day) or not is_read(each):
                    continue
                fits = matches(each, known)
                if fits is not None:
                    fresh = each.fresh_until.toordinal() if each.fresh_until else 0
                    ranked.append((-len(fits), -fresh, each.id))
            if not ranked:
                return None
            chosen += [id_ for _, _, id_ in sorted(ranked)[:most]]
        return tuple(chosen)

    def still(
        self,
        chosen: Sequence[str],
        asked: Asked,
        known: Situation,
        had: Collection[str],
        day: date,
        is_read: Callable[[Content], bool],
    ) -> bool:
        """Whether what was chosen before may still be sent: better things may have come since."""
        left = dict(asked)
        for id_ in chosen:
            one = self.items.get(id_)
            if one is None or id_ in had or left.get(one.kind, 0) < 1:
                return False
            if not is_fresh(one, day) or not is_read(one) or matches(one, known) is None:
                return False
            left[one.kind] -= 1
        return all(left[kind] < most for kind, most in asked.items())


EMPTY = Shelf()


def is_fresh(content: Content, day: date) -> bool:
    return content.fresh_until is None or day <= content.fresh_until


def _said(what: str, named: Sequence[str], known: Situation) -> str | None:
    """The fact that one of the named values meets, in the words of the fact."""
    if what in ("stage", "country"):
        fact = getattr(known, what)
        return fact if fact in named else None
    if what == "interview":
        kind = known.interview.kind if known.interview is not None else None
        return kind if kind in named else None
    job = known.job
    if job is None:
        return None
    for name in _OF_JOB[what]:
        fact = job.title if name == "title" else job.fields.get(name)
        if isinstance(fact, str) and any(_says(fact, each) for each in named):
            return fact if what == "team" else job.title or fact
    return None


#: Where a job says it.
_OF_JOB: Mapping[str, tuple[str, ...]] = {
    "team": ("team", "department"),
    "role_family": ("family", "department", "team", "title"),
    "seniority": ("seniority", "title"),
}


@lru_cache(maxsize=16_384)  # there are as many as words in the library and titles of jobs
def _says(fact: str, named: str) -> bool:
    """Whether these words stand in it, whole: "data" in "Data Engineer", not in "database"."""
    pattern = rf"(?<!\w){re.escape(named.casefold())}(?!\w)"
    return re.search(pattern, fact.casefold()) is not None
