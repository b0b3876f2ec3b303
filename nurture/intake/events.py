"""What happened, in the one form in which all facts arrive? Described in docs/events.md.

Nested objects say only what they know: keys that are given change, `null` clears, anything else
stays. Keys that have no meaning of their own are kept as the object's custom fields.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from nurture.core import wishes
from nurture.core.hours import LATEST
from nurture.core.model import Pace
from nurture.core.warned_words import warned_word
from nurture.errors import Problem, Problems
from nurture.positions import did_you_mean

#: type -> the object it must carry. `custom.<name>` stands beside these.
TYPES = {
    "candidate.upserted": "candidate",
    "candidate.merged": "candidate",
    "candidate.erased": "candidate",
    "candidate.do_not_contact": "candidate",
    "candidate.replied": "candidate",
    "candidate.unsubscribed": "candidate",
    "candidate.paused": "candidate",
    "candidate.resumed": "candidate",
    "candidate.sensitive": "candidate",
    "candidate.confided": "candidate",
    "candidate.preferences": "candidate",
    "application.created": "application",
    "application.stage_changed": "application",
    "application.rejected": "application",
    "application.reopened": "application",
    "application.withdrawn": "application",
    "application.hired": "application",
    "application.closed": "application",
    "interview.scheduled": "interview",
    "interview.rescheduled": "interview",
    "interview.cancelled": "interview",
    "interview.completed": "interview",
    "offer.sent": "offer",
    "offer.accepted": "offer",
    "offer.declined": "offer",
    "offer.withdrawn": "offer",
    "job.closed": "job",
    "job.paused": "job",
    "contact.logged": "contact",
    "promise.made": "promise",
    "promise.kept": "promise",
    "promise.broken": "promise",
    "answer.given": "answer",
    "message.bounced": "message",
    "message.complained": "message",
    "step.skipped": "step",
    "step.hurried": "step",
    "step.snoozed": "step",
    "campaign.left": "candidate",
}

#: Top-level keys that only these types have; all but `topics` and `reason` must be there.
_DETAILS = {
    "candidate.unsubscribed": ("topics",),
    "candidate.paused": ("until",),
    "candidate.sensitive": ("until",),
    "candidate.merged": ("into",),
    "candidate.preferences": ("preferences",),
    "contact.logged": ("contact",),
    "answer.given": ("answer",),
    "message.bounced": ("message",),
    "message.complained": ("message",),
    "promise.made": ("promise",),
    "promise.kept": ("promise",),
    "promise.broken": ("promise",),
    "step.skipped": ("step",),
    "step.hurried": ("step",),
    "step.snoozed": ("step", "until"),
    "campaign.left": ("campaign",),
}
#: Of these somebody answers for it, by name and with a reason.
_BY_HAND = ("step.skipped", "step.hurried", "step.snoozed", "campaign.left")
#: What may say beside the application why it was rejected.
_REJECTIONS = ("application.rejected", "application.closed", "application.stage_changed")
#: All that is taken of an event that says somebody needs care: never why.
_SENSITIVE = ("type", "source", "id", "occurred_at", "historical", "candidate", "until", "by")
#: Names under which we keep what we made of theirs.
_OWN = ("answers", "stage_raw", "kind_raw", "kind_since")
_CUSTOM = re.compile(r"custom\.[a-z0-9][a-z0-9_.-]{0,60}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LINE_AT_MOST = 1_000_000  # characters; a longer line is no event


def _instant(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(
                f'"{value[:40]}" is not an instant: write 2026-12-01T10:00:00+01:00'
            ) from None
    if not isinstance(value, datetime):
        raise ValueError("an instant is text such as 2026-12-01T10:00:00+01:00")
    if value.tzinfo is None:
        raise ValueError(
            f"{value.isoformat()} does not say in which zone: add its offset, such as"
            f" {value.isoformat()}+01:00, or Z for UTC"
        )
    try:
        return min(value.astimezone(UTC), LATEST)  # 9999-12-31 is "never": still to reckon with
    except OverflowError:
        raise ValueError(f"{value.isoformat()} is out of range") from None


def _instant_or_day(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        return date.fromisoformat(value.strip())
    return _instant(value)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(value, available_timezones()) or "zones are named like Europe/Lisbon"
        raise ValueError(f'"{value}" is not a time zone: {hint}') from None
    return value


@lru_cache(4096)
def _valid_email(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(f'"{value}" is not an e-mail address: {error}') from None


def _email(value: Any) -> Any:
    return _valid_email(value.strip()) if isinstance(value, str) else value


def _country(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", value):
        raise ValueError(f'"{value}" is not a country: two letters of ISO 3166, such as PT')
    return value.upper()


def _locale(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", value):
        raise ValueError(f'"{value}" is not a language: write pt or pt-BR')
    return value.replace("_", "-")


def _in_words(value: Any) -> Any:
    """One wish, or a list of them."""
    return [value] if isinstance(value, str) else value


def _hours(value: str) -> str:
    wishes.parse_hours(value)
    return value


def _quiet(value: str) -> str:
    wishes.parse_quiet(value)
    return value


def _pace(value: Any) -> Any:
    return wishes.parse_pace(value) if isinstance(value, str) else value


def _weekday(value: Any) -> Any:
    return wishes.WEEKDAYS[wishes.parse_weekday(value)] if isinstance(value, str) else value


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _email_alone(value: Any) -> Any:
    return {"email": value} if isinstance(value, str) else value


def _title_alone(value: Any) -> Any:
    return {"title": value} if isinstance(value, str) else value


#: What sources call the reason of a rejection. All of it goes one way: see `_told_reason`.
_CALLED_REASON = (
    *("rejection_reason", "rejectionReason", "reject_reason", "archive_reason", "archiveReason"),
    *("disqualification_reason", "disqualify_reason", "disqualificationReason"),
)
_NAMES_OF_A_REASON = ("id", "type", "text", "name", "label", "reason", "value")
_REASON_AT_MOST, _REASONS_AT_MOST = 200, 400  # characters of a name, of all: part of an index key


def _told_reason(value: Any) -> Any:
    """The names by which a source calls why it said no, a line each: a text, a number, an object
    with an id and a text, or several of these. No complaint repeats them."""
    if value is None:
        return None
    names = "\n".join(dict.fromkeys(_names_in(value)))
    if not names:
        raise ValueError('a reason is a text, or an object with "id" and "text"')
    return names[:_REASONS_AT_MOST].rstrip()


def _names_in(value: Any) -> Iterator[str]:
    match value:
        case bool() | float() | None:
            return
        case str() | int():
            if name := " ".join(str(value).split())[:_REASON_AT_MOST]:
                yield name
        case dict():
            for key in _NAMES_OF_A_REASON:
                if not isinstance(value.get(key), list):
                    yield from _names_in(value.get(key))
        case list():
            for each in value:
                if not isinstance(each, list):
                    yield from _names_in(each)


def _advocate(value: str) -> str:
    if (word := warned_word(value)) is not None:
        raise ValueError(f'"{word}" has no place in it: say what you liked of their work')
    if "!" in value or not value:
        raise ValueError("write one plain sentence about what you liked")
    return value if value.endswith((".", "?")) else f"{value}."


Ref = Annotated[
    str,
    BeforeValidator(_number_as_text),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
]
Line = Annotated[str, AfterValidator(lambda value: " ".join(value.split()))]  # no line breaks
Instant = Annotated[datetime, BeforeValidator(_instant)]
Email = Annotated[str, BeforeValidator(_email)]


class Part(BaseModel):
    """An object as far as the event tells it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    #: What the store keeps of such an object beside its facts: no event may write there.
    own: ClassVar[frozenset[str]] = frozenset({"candidate_id"})

    @model_validator(mode="after")
    def _own_names(self) -> Self:
        for name in self.model_extra or {}:
            if name.startswith("_") or name in _OWN or name in self.own:
                raise ValueError(f'"{name}" is a name the engine keeps for itself')
        return self

    def given(self) -> dict[str, Any]:
        """What the event tells, as JSON values, without the object's own id."""
        told = self.model_dump(mode="json", exclude_unset=True)
        told.pop("id", None)
        return told


_OF_CANDIDATES = frozenset(
    (
        *("ref", "email_key", "suppressed", "paused_until", "unsubscribed", "replied_at"),
        "sensitive_until",
    )
)


Wish = Annotated[Line, StringConstraints(max_length=200)]


class CandidatePart(Part):
    own = _OF_CANDIDATES

    id: Ref | None = None
    email: Email | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    timezone: Annotated[str, AfterValidator(_zone)] | None = None
    country: Annotated[str, AfterValidator(_country)] | None = None
    subdivision: Line | None = None
    locale: Annotated[str, AfterValidator(_locale)] | None = None
    consent_until: date | None = None
    do_not_contact: bool | None = None
    phone: Line | None = None


class PersonPart(Part):
    email: Email
    name: Line | None = None
    phone: Line | None = None
    title: Line | None = None


PersonGiven = Annotated[PersonPart, BeforeValidator(_email_alone)]


class JobPart(Part):
    id: Ref | None = None
    title: Line | None = None
    status: Literal["open", "paused", "closed"] | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.id is None and not self.title:
            raise ValueError("a job needs an id or a title")
        return self

    @property
    def ref(self) -> str:
        """Its id, or one made of its title."""
        return self.id or f"j-{_short_hash((self.title or '').casefold())}"


class ApplicationPart(Part):
    id: Ref
    job: Annotated[JobPart, BeforeValidator(_title_alone)] | None = None
    stage: Line | None = None
    status: Literal["active", "rejected", "withdrawn", "hired", "closed"] | None = None
    applied_at: Instant | None = None
    stage_since: Instant | None = None
    rejected_at: Instant | None = None
    closed_at: Instant | None = None
    start_date: date | None = None
    recruiter: PersonGiven | None = None
    coordinator: PersonGiven | None = None
    hiring_manager: PersonGiven | None = None
    #: What a colleague liked about them: one sentence that stands in the mail.
    advocate_line: (
        Annotated[Line, StringConstraints(max_length=300), AfterValidator(_advocate)] | None
    ) = None
    #: Why it was rejected, a name a line. Not kept with the event, see `payload`.
    reason: Annotated[str | None, BeforeValidator(_told_reason)] = Field(default=None, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _by_one_name(cls, told: Any) -> Any:
        if not isinstance(told, dict) or told.keys().isdisjoint(_CALLED_REASON):
            return told
        rest = {name: value for name, value in told.items() if name not in _CALLED_REASON}
        said = [told[name] for name in _CALLED_REASON if told.get(name) is not None]
        return rest if "reason" in rest else {**rest, "reason": said[0] if said else None}


class InterviewPart(Part):
    id: Ref
    kind: Annotated[Line, StringConstraints(max_length=200)] | None = None  #: see kinds.py
    status: Literal["scheduled", "cancelled", "completed"] | None = None
    application: Ref | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    booked_at: Instant | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError("ends_at is not after starts_at")
        return self


class OfferPart(Part):
    id: Ref
    application: Ref | None = None
    status: Literal["sent", "accepted", "declined", "withdrawn"] | None = None
    sent_at: Instant | None = None
    expires_at: Instant | None = None
    withdrawn_at: Instant | None = None


class PreferencesPart(Part):
    """`topics` says of each topic whether it is wanted; `all` is every nurture mail. `pace` may be
    a mapping, `{every: weekly, on: thursday}`."""

    own = _OF_CANDIDATES | {
        *("id", "email", "do_not_contact", "first_name", "last_name", "country", "subdivision"),
        *("locale", "consent_until"),
    }

    channel: Literal["email", "phone"] | None = None
    phone: Line | None = None
    timezone: Annotated[str, AfterValidator(_zone)] | None = None
    language: Annotated[str, AfterValidator(_locale)] | None = None
    topics: dict[str, bool] = {}
    pause_until: Instant | None = None
    pace: Annotated[Pace, BeforeValidator(_pace)] | None = None
    pace_day: Annotated[Line, BeforeValidator(_weekday)] | None = None
    hours: (
        Annotated[
            list[Annotated[Wish, AfterValidator(_hours)]],
            BeforeValidator(_in_words),
            Field(max_length=50),
        ]
        | None
    ) = None
    quiet_days: (
        Annotated[
            list[Annotated[Wish, AfterValidator(_quiet)]],
            BeforeValidator(_in_words),
            Field(max_length=200),
        ]
        | None
    ) = None

    @model_validator(mode="before")
    @classmethod
    def _pace_on_a_day(cls, told: Any) -> Any:
        pace = told.get("pace") if isinstance(told, dict) else None
        if not isinstance(pace, dict):
            return told
        if unknown := pace.keys() - {"every", "on"}:
            raise ValueError(f'pace has "every" and "on", and no "{min(unknown)}"')
        if "every" not in pace:
            raise ValueError('pace needs "every", such as {"every": "weekly", "on": "thursday"}')
        day = {"pace_day": pace["on"]} if "on" in pace else {}
        return {**told, "pace": pace["every"], **day}


class ContactPart(Part):
    kind: Literal["call", "mail"] = "call"
    at: Instant | None = None
    person: Email | None = None
    outcome: Literal["spoke", "voicemail", "no_answer", "wrong_number"] | None = None
    task: Annotated[int, Field(ge=1, lt=2**63)] | None = (
        None  #: the call task that it is the answer to
    )
    promise: Ref | None = None  #: the promise that it keeps

    @model_validator(mode="after")
    def _only_calls_have_outcomes(self) -> Self:
        if self.kind == "mail" and self.outcome is not None:
            raise ValueError("a mail has no outcome: that is of calls")
        return self


class AnswerPart(Part):
    question: Ref
    value: Any
    message: Ref | None = None  #: the Message-ID of the mail that asked
    then: Line | None = None  #: what the question said is to follow
    leaves: list[int] = []  #: the enrollments that end with it


class PromisePart(Part):
    own = frozenset({"candidate_id", "enrollment_id", "step", "made_at", "due_at", "settled_at"})

    id: Ref
    what: Line | None = None
    due: Annotated[datetime | date, BeforeValidator(_instant_or_day)] | None = None
    owner: Email | None = None
    application: Ref | None = None
    status: Literal["open", "kept", "broken"] | None = None


class StepPart(Part):
    """One occurrence of one step, as this installation numbers it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enrollment: Annotated[int, Field(ge=1, lt=2**63)]
    id: Annotated[Line, StringConstraints(min_length=1, max_length=200)]
    occurrence: Annotated[Line, StringConstraints(min_length=1, max_length=100)]


class MessagePart(Part):
    id: Ref | None = None  #: the Message-ID header, with its angle brackets
    permanent: bool = True
    reason: Line | None = None


class IncomingEvent(BaseModel):
    """One fact, checked. `id` is never empty: without one it is derived from the content."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    envelope: ClassVar = ("type", "source", "id", "occurred_at", "historical")

    type: str
    source: Annotated[Line, StringConstraints(max_length=100)] = "manual"  # part of an index key
    id: Ref = ""
    occurred_at: Instant | None = None  #: None: when it is taken in
    historical: bool = False  #: true: told for completeness, triggers no campaign
    candidate: CandidatePart | None = None
    application: ApplicationPart | None = None
    interview: InterviewPart | None = None
    offer: OfferPart | None = None
    job: Annotated[JobPart, BeforeValidator(_title_alone)] | None = None
    reason: str | None = None
    by: Annotated[Line, StringConstraints(max_length=320)] | None = None  #: who did it, by hand
    data: dict[str, Any] | None = None  #: anything a custom event wants to say
    topics: list[Line] | None = None
    until: Instant | None = None
    into: CandidatePart | None = None
    preferences: PreferencesPart | None = None
    contact: ContactPart | None = None
    answer: AnswerPart | None = None
    message: MessagePart | None = None
    promise: PromisePart | None = None
    step: StepPart | None = None
    campaign: Annotated[Line, StringConstraints(min_length=1, max_length=200)] | None = None

    _place: tuple[str, int] = PrivateAttr(default=("", 1))

    @property
    def place(self) -> tuple[str, int]:
        """The file and line it was read from; where it came otherwise, its source."""
        file, line = self._place
        return file or self.source, line

    def read_from(self, file: str, line: int) -> Self:
        """The same, knowing where it stands."""
        self._place = (file, line)
        return self

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type not in TYPES and not _CUSTOM.fullmatch(self.type):
            hint = did_you_mean(self.type, TYPES) or "your own are named custom.<name>"
            raise ValueError(f'"{self.type}" is not a type of event: {hint}')
        wanted = [*_DETAILS.get(self.type, ()), TYPES.get(self.type, "candidate")]
        for name in dict.fromkeys(wanted):
            if getattr(self, name) is None and name != "topics" and not self._named_otherwise(name):
                if self.type == "candidate.sensitive" and name in self.model_fields_set:
                    continue  # null: not any more
                raise ValueError(f'{self.type} needs "{name}"')
        if self.type in _BY_HAND and not (self.by and (self.reason or "").strip()):
            raise ValueError(f'{self.type} needs "by" and "reason": who answers for it, and why')
        for name in {name for names in _DETAILS.values() for name in names} - set(wanted):
            if getattr(self, name) is not None:
                owner = next(type_ for type_, names in _DETAILS.items() if name in names)
                raise ValueError(f'"{name}" does not belong to {self.type}, but to {owner}')
        if not self.type.startswith("job.") and not self._names_a_candidate():
            raise ValueError("it does not say whom it is about: give candidate.id or .email")
        return self

    def _named_otherwise(self, name: str) -> bool:
        return name == "candidate" and self._names_a_candidate()

    def _names_a_candidate(self) -> bool:
        told = self.candidate
        return bool(
            (told and (told.id or told.email))
            or self.application
            or self.interview
            or self.offer
            or self.promise
            or (self.message and self.message.id)
        )

    def payload(self) -> dict[str, Any]:
        """What is kept of it with the event: all but the envelope and why somebody was rejected,
        as JSON values."""
        left_out: dict[str, Any] = dict.fromkeys(self.envelope, True)
        left_out["application"] = {"reason"}
        return self.model_dump(mode="json", exclude_unset=True, exclude=left_out)


def parse_event(told: Any, file: str = "", line: int = 1) -> IncomingEvent:
    """The event in `told` (parsed JSON). Raises Problems with everything that is wrong with it.

    Without an `id` it gets one made of its content, so the same line twice is one event.
    """
    shown = file or "event"
    if not isinstance(told, dict):
        raise Problems([_problem(shown, line, "event", "an event is a JSON object")])
    if unstorable := _unstorable(told):
        raise Problems([_problem(shown, line, "event", unstorable)])
    if told.get("type") == "candidate.sensitive":
        told = _without_why(told)
    elif told.get("type") in _REJECTIONS:
        told = _why_in_its_place(told)
    if told.get("id") in (None, ""):
        content = json.dumps(told, sort_keys=True, separators=(",", ":"))
        told = {**told, "id": f"h-{hashlib.sha256(content.encode()).hexdigest()[:24]}"}
    try:
        return IncomingEvent.model_validate(told).read_from(file, line)
    except ValidationError as error:
        found = [
            _complaint(dict(one), shown, line)
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise Problems(list(dict.fromkeys(found))) from None


def _without_why(told: dict[str, Any]) -> dict[str, Any]:
    """What may be taken in of it. Dropped before anything else looks at it: no message repeats it,
    and not even the id that is made of the content depends on it."""
    kept = {name: told[name] for name in _SENSITIVE if name in told}
    candidate = kept.get("candidate")
    if isinstance(candidate, dict):
        own = {name: candidate[name] for name in ("id", "email") if name in candidate}
        kept["candidate"] = own
    return kept


def _why_in_its_place(told: dict[str, Any]) -> dict[str, Any]:
    """A reason that stands beside the application belongs to it, where nothing repeats it."""
    application = told.get("application")
    if "reason" not in told or not isinstance(application, dict):
        return told
    rest = {name: value for name, value in told.items() if name != "reason"}
    return {**rest, "application": {"reason": told["reason"], **application}}


def read_events(stream: Iterable[str], name: str) -> Iterator[IncomingEvent | Problem]:
    """One JSON object a line. A line that is wrong becomes its problems; the rest is still read."""
    lines = iter(stream)
    number = 0
    while True:
        number += 1
        try:
            text = next(lines)
        except StopIteration:
            return
        except UnicodeDecodeError:
            yield _problem(name, number, "encoding", "not UTF-8; nothing after this line was read")
            return
        text = text.removeprefix("\ufeff").strip()
        if not text:
            continue
        try:
            yield parse_event(_json(text), name, number)
        except Problems as problems:
            yield from problems.problems
        except (ValueError, RecursionError) as error:
            said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            yield _problem(name, number, "json", f"not JSON: {said}")


def key_of(email: str) -> str:
    """An address as it is compared: one person has one, in whichever case it is typed."""
    return email.strip().casefold()


def ref_of(email: str) -> str:
    """The id of a candidate whom a source knows by address only."""
    return f"c-{_short_hash(key_of(email))}"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _json(text: str) -> Any:
    if len(text) > _LINE_AT_MOST:
        raise ValueError(f"a line of {len(text)} characters")

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not a JSON number")

    return json.loads(text, parse_constant=refuse)


def _unstorable(value: Any) -> str:
    """What no database can keep: NUL characters, half surrogates, numbers beyond all bounds."""
    if isinstance(value, str):
        found = _UNSTORABLE.search(value)
        if found is None:
            return ""
        return "a text contains a NUL character" if found[0] == "\0" else "a text is not Unicode"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "a number is out of range"
    if isinstance(value, dict):
        return next((bad for each in value.items() for bad in map(_unstorable, each) if bad), "")
    if isinstance(value, list):
        return next((bad for bad in map(_unstorable, value) if bad), "")
    return ""


def _complaint(error: dict[str, Any], file: str, line: int) -> Problem:
    kind = error["type"]
    place = ".".join(str(part) for part in error["loc"] if not str(part).startswith("function-"))
    said = str(error["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        hint = did_you_mean(place, IncomingEvent.model_fields)
        return _problem(file, line, "unknown-key", f'"{place}"', hint)
    if kind == "missing":
        return _problem(file, line, "missing-key", f'"{place}" is missing')
    if kind == "literal_error":
        said = f"must be {str(error['ctx']['expected']).replace(chr(39), '')}"
    return _problem(file, line, "invalid-value", f"{place}: {said}" if place else said)


def _problem(file: str, line: int, code: str, message: str, hint: str = "") -> Problem:
    return Problem(file=file, line=line, code=code, message=message, hint=hint)
