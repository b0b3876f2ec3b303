"""Which approved words say why somebody was rejected, and when may they be said?

`reasons.yaml` beside config.yaml: for each reason a sentence for the person concerned and one for
those who come after, per language, with the stages and circumstances in which it may be given; and
a map from the names that sources have for reasons. A source's own text leads to one of these
sentences or to none. It is never part of a mail.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from nurture.config import Config
from nurture.core.model import Application, Facts
from nurture.core.rejections import MENTIONED, interviews_held, shared
from nurture.core.warned_words import warned_word
from nurture.errors import Problem, Problems, shown
from nurture.files import read_bytes, text_in
from nurture.positions import Place, Positions, read_yaml, validate
from nurture.rendering.templates import Template

FILE = "reasons.yaml"

# fmt: off
ReasonType = Literal[
    "skills_depth", "experience_level", "must_have_missing", "language_or_certificate",
    "availability_or_start", "location_or_work_permit", "pay_range_gap", "role_changed",
    "role_closed", "stronger_match", "withdrew", "no_response", "duplicate",
]
Stage = Literal[
    "lead", "applied", "screening", "assessment", "interviewing", "final", "decision", "offer",
]
# fmt: on
TYPES: tuple[str, ...] = get_args(ReasonType)
#: What must not be so where a reason is given.
Circumstance = Literal["no_interview", "job_open", "job_closed"]


def _plain(value: str) -> str:
    said = " ".join(value.split())
    if "{" in said or "}" in said:
        raise ValueError("it is printed as it stands: write it without braces")
    if not said.endswith((".", "!", "?")) or said.endswith("!"):
        raise ValueError("write a whole sentence, with a full stop")
    return said


Sentence = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300),
    AfterValidator(_plain),
]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phrases(_Strict):
    """What one reason says, and when it may."""

    candidate: dict[Language, Sentence]
    coaching: dict[Language, Sentence] = {}
    stages: list[Stage]
    forbidden_when: list[Circumstance] = []


class _File(_Strict):
    reasons: dict[ReasonType, Phrases]
    map: dict[Pattern, ReasonType] = {}


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """The approved list in force. An empty one knows no reason, so no mail says any."""

    phrases: Mapping[str, Phrases] = field(default_factory=dict)
    map: Mapping[str, str] = field(default_factory=dict)  #: glob -> type, the first that fits wins
    digest: str = ""  #: sha256 of the file's bytes

    @cached_property
    def _globs(self) -> tuple[tuple[str, str], ...]:
        return tuple((_compared(glob), type_) for glob, type_ in self.map.items())

    def type_of(self, told: str | None) -> str | None:
        """Which reason a source means by these names, a line each. None: no approved one."""
        names = [_compared(name) for name in (told or "").split("\n") if name]
        for name in names:
            if (own := name.replace(" ", "_")) in self.phrases:
                return own
        for glob, type_ in self._globs:
            if type_ in self.phrases and any(fnmatchcase(name, glob) for name in names):
                return type_
        return None

    def in_words_of(self, template: Template | None, config: Config) -> "Phrasebook":
        """For this template: in its own language, whichever its reader's is."""
        tag = (template.locale if template is not None else None) or config.locale
        return Phrasebook(reasons=self, language=tag.partition("-")[0].lower())

    def sentence(
        self, application: Application, facts: Facts, now: datetime, language: str
    ) -> str | None:
        """The approved sentence for this person; None where there is none, where it may not be
        said of somebody who came as far as they did, or where it is not in their language."""
        type_ = self.type_of(application.told_reason)
        if type_ is None or application.status != "rejected":
            return None
        phrases = self.phrases[type_]
        if application.reached not in phrases.stages:
            return None
        job = facts.jobs.get(application.job or "")
        so = {
            "no_interview": not interviews_held(facts, application, now),
            "job_open": job is None or job.status != "closed",
            "job_closed": job is not None and job.status == "closed",
        }
        if any(so[each] for each in phrases.forbidden_when):
            return None
        return phrases.candidate.get(language)

    def coaching(self, told: Mapping[str, int], language: str) -> list[str]:
        """What others stumbled on, the commonest first: of reasons that enough rejections share.
        `told` counts rejections by what their sources said."""
        counted: dict[str, int] = {}
        for names, many in told.items():
            if (type_ := self.type_of(names)) is not None:
                counted[type_] = counted.get(type_, 0) + many
        said = (self.phrases[type_].coaching.get(language) for type_ in shared(counted))
        return [each for each in said if each is not None][:MENTIONED]

    def unmapped(self, told: Mapping[str, int]) -> dict[str, int]:
        """What of it leads to no reason."""
        return {names: many for names, many in told.items() if self.type_of(names) is None}


@dataclass(frozen=True, kw_only=True)
class Phrasebook:
    """The approved list, in the language of one letter."""

    reasons: Reasons
    language: str

    def of(self, application: Application, facts: Facts, now: datetime) -> str | None:
        return self.reasons.sentence(application, facts, now, self.language)


def load_reasons(root: Path, languages: Collection[str]) -> tuple[Reasons | None, list[Problem]]:
    """The list of a project and what is wrong with its file; None where that cannot be in force.
    Without a file it is an empty one. `languages`: those in which each sentence should be there."""
    path = root / FILE
    file = shown(path)
    try:
        raw = read_bytes(path, file)
    except FileNotFoundError:
        return Reasons(), []
    except Problems as unreadable:
        return None, unreadable.problems
    try:
        data, positions = read_yaml(text_in(raw, file), file)
        read = validate(_File, data, positions, file)
    except Problems as found:
        return None, found.problems
    problems = [
        *_unfair(read, positions, file),
        *_untranslated(read, languages, positions, file),
        *_unused(read, positions, file),
    ]
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    digest = hashlib.sha256(raw).hexdigest()
    phrases = {str(type_): each for type_, each in read.reasons.items()}
    return Reasons(phrases=phrases, map=read.map, digest=digest), problems


def _unfair(read: _File, positions: Positions, file: str) -> Iterator[Problem]:
    for type_, phrases in read.reasons.items():
        for name in ("candidate", "coaching"):
            for language, said in getattr(phrases, name).items():
                if (word := warned_word(said, (language,))) is None:
                    continue
                place = ("reasons", type_, name, language)
                message = f'"{word}" has no place in a reason'
                hint = "say what the job needed, and nothing of the person"
                yield _problem(positions, file, place, "invalid-value", message, hint)


def _untranslated(
    read: _File, languages: Collection[str], positions: Positions, file: str
) -> Iterator[Problem]:
    for type_, phrases in read.reasons.items():
        for name in ("candidate", "coaching"):
            said: Mapping[str, str] = getattr(phrases, name)
            for language in sorted(set(languages) - said.keys()) if said else ():
                yield _problem(
                    positions,
                    file,
                    ("reasons", type_, name),
                    "missing-key",
                    f'"{language}" is missing',
                    "whoever reads this language is told nothing, rather than another language",
                    severity="warning",
                )


def _unused(read: _File, positions: Positions, file: str) -> Iterator[Problem]:
    for glob, type_ in read.map.items():
        if type_ not in read.reasons:
            hint = "give it its sentences under reasons:, or remove this line"
            message = f'"{type_}" has no sentences here'
            yield _problem(positions, file, ("map", glob), "invalid-value", message, hint)


def _problem(
    positions: Positions,
    file: str,
    place: Place,
    code: str,
    message: str,
    hint: str,
    severity: str = "error",
) -> Problem:
    line, column = positions.key(place) if code == "missing-key" else positions.at(place)
    return Problem(
        file=file,
        line=line,
        column=column,
        code=code,
        message=message,
        hint=hint,
        severity=severity,
    )


def _compared(name: str) -> str:
    """Without case, words apart by one space."""
    return " ".join(name.casefold().split())
