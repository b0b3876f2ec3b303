"""What may a template or a condition say about this person?

The context is made of plain dicts. A field without a value is absent, never None, so that a missing
fact is an error in a mail and false in a condition. Instants stay aware datetimes.

Which objects an enrollment has:

- its application is the one it was entered for; an enrollment of a candidate has one only while
  exactly one of their applications is active, because a guess could name the wrong job;
- its interview is the one it was entered for, else the application's next one still to come, else
  the latest past; its offer likewise the latest;
- its promise is the one it was entered for, else the latest that its own mails made, else the
  application's open one that is due first;
- job, recruiter, coordinator and hiring_manager are those of the application.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nurture.config import Config
from nurture.core.model import (
    Application,
    Candidate,
    Enrollment,
    Facts,
    Interview,
    Job,
    Offer,
    Promise,
    Subject,
    Wishes,
)
from nurture.core.moving import moved_from, moved_to
from nurture.core.promised import next_date, notes_in_a_row, slips
from nurture.core.subject import (
    application_of,
    in_process,
    interview_of,
    last_contact,
    offer_of,
    promise_of,
    to_be_told,
)
from nurture.core.wishes import overlapped
from nurture.rendering.broad_reasons import Phrasebook
from nurture.rendering.functions import functions

_PERSON = {"name": "text", "email": "text", "phone": "text", "title": "text"}

#: object -> field -> kind: text | instant | date | number | list | flag | enum:a,b,c. A flag is
#: there only while it is true.
#: `candidate` has the fields declared in config.candidate_fields as well: see `vocabulary`.
VOCABULARY: Mapping[str, Mapping[str, str]] = {
    "candidate": {
        "first_name": "text",
        "last_name": "text",
        "full_name": "text",
        "email": "text",
        "timezone": "text",
        "country": "text",
        "locale": "text",
        "phone": "text",
        "pronouns": "text",
        "formality": "text",
        "channel": "text",
        "discreet": "flag",
        "confided": "flag",
        "consent_until": "date",
        "last_contact_at": "instant",
        "in_process": "flag",
    },
    "application": {
        "stage": "enum:lead,applied,screening,assessment,interviewing,final,decision,offer,"
        "hired,rejected,withdrawn,on_hold",
        "status": "enum:active,rejected,withdrawn,hired,closed",
        "applied_at": "instant",
        "stage_since": "instant",
        "rejected_at": "instant",
        "start_date": "date",
        "source": "text",
        "last_contact_at": "instant",
        "next_date_at": "instant",
        "notes_in_a_row": "number",
        "to_be_told": "flag",
        "imported": "flag",
    },
    "job": {
        "title": "text",
        "department": "text",
        "location": "text",
        "team": "text",
        "status": "enum:open,paused,closed",
    },
    "interview": {
        "kind": "enum:phone,video,technical,panel,case,onsite,final",
        "unknown_kind": "text",
        "status": "enum:scheduled,cancelled,completed",
        "starts_at": "instant",
        "ends_at": "instant",
        "booked_at": "instant",
        "duration_minutes": "number",
        "location": "text",
        "url": "text",
        "phone": "text",
        "notes": "text",
        "interviewers": "list",
        "agenda": "list",
        "reschedule_url": "text",
        "conflict": "text",
        "moved_to": "instant",
        "moved_from": "instant",
    },
    "offer": {
        "sent_at": "instant",
        "expires_at": "instant",
        "status": "enum:sent,accepted,declined,withdrawn",
    },
    "recruiter": _PERSON,
    "coordinator": _PERSON,
    "hiring_manager": _PERSON,
    "promise": {
        "what": "text",
        "due": "instant",
        "made_at": "instant",
        "status": "enum:open,kept,broken",
        "owner": "text",
        "slips": "number",
    },
    "company": {"name": "text", "address": "text", "site": "text"},
}

#: Objects, each with the fields that are asked for. What costs nothing to know is there anyway.
Named = Mapping[str, Collection[str]]
#: What every mail asks for, whatever its template says: its footer, and its entry in a calendar.
_OF_EVERY_MAIL = ("candidate", "company", "job")

#: Only in templates: the links of the person who reads, and why they get this mail.
TEMPLATE_ONLY: Mapping[str, Mapping[str, str]] = {
    "links": {"unsubscribe_url": "text", "preferences_url": "text", "needs_url": "text"},
    # What is said of a decision is for whoever reads it: no condition is made of it.
    "application": {"broad_reason": "text", "advocate_line": "text"},
}
#: Single words of templates that cost something to find, each with what it is.
TEMPLATE_FINDS: Mapping[str, str] = {"why_others": "list"}

_ALWAYS = frozenset({"candidate", "company"})
_OF_APPLICATION = _ALWAYS | {
    "application",
    "job",
    "interview",
    "offer",
    "recruiter",
    "coordinator",
    "hiring_manager",
    "promise",
}


def vocabulary(config: Config) -> dict[str, dict[str, str]]:
    """VOCABULARY with the candidate fields that this project declared."""
    words = {name: dict(fields) for name, fields in VOCABULARY.items()}
    words["candidate"].update(config.candidate_fields)
    return words


def in_templates(words: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """These words, and those that only templates have."""
    return {**words, **{each: {**words.get(each, {}), **of} for each, of in TEMPLATE_ONLY.items()}}


def supplied(once_per: str, event: str | None) -> frozenset[str]:
    """Which objects an enrollment of such a campaign can have.

    Whether the object is there for this person (an application without a coordinator) is known
    only when the mail is written. For `once_per: event` the object named by the event counts. An
    application that a candidate happens to have is not counted: it is there only while it is the
    only active one.
    """
    about = (event or "").partition(".")[0] if once_per == "event" else once_per
    if about in ("application", "interview", "offer", "promise", "job"):
        return _OF_APPLICATION
    return _ALWAYS


def context(
    facts: Facts,
    subject: Subject,
    *,
    enrollment: Enrollment | None,
    config: Config,
    now: datetime,
    promise: Promise | None = None,
    named: Named = VOCABULARY,
    phrases: Phrasebook | None = None,
) -> dict[str, Any]:
    """The vocabulary filled in for one enrollment (or, without one, for a preview) as of `now`.

    `promise` is the one that the mail to be written makes: it is the one it speaks of. `named` is
    what the template asks for: see naming.py. `phrases` are the words in which it may say why
    somebody was rejected.

    `_changes` collects the instants at which a value that was asked for changes by time alone.
    `_zone` is the ZoneInfo in which this person reads times.
    """
    found = words(
        facts,
        subject,
        enrollment=enrollment,
        config=config,
        now=now,
        promise=promise,
        named=named,
        phrases=phrases,
    )
    return found.whole(named)


class Words(dict[str, Any]):
    """A context for `get`, in which each object is put together when it is first asked for: most
    conditions ask for one or two of ten, and every planning asks all conditions."""

    def __init__(
        self, known: Mapping[str, Any], objects: Mapping[str, Callable[[], dict[str, Any] | None]]
    ) -> None:
        super().__init__(known)
        self._objects = dict(objects)

    def get(self, name: str, default: Any = None) -> Any:
        if name in self._objects and (made := self._objects.pop(name)()) is not None:
            self[name] = made
        return super().get(name, default)

    def whole(self, named: Named) -> dict[str, Any]:
        """All of it that was named, as a plain dict."""
        for name in tuple(self._objects):
            if name in named or name in _OF_EVERY_MAIL:
                self.get(name)
        return dict(self)


def words(
    facts: Facts,
    subject: Subject,
    *,
    enrollment: Enrollment | None,
    config: Config,
    now: datetime,
    promise: Promise | None = None,
    named: Named = VOCABULARY,
    phrases: Phrasebook | None = None,
) -> Words:
    """The same as `context`, as conditions read it."""
    changes: list[datetime] = []
    zone = zone_of(facts.candidate, config)
    application = application_of(facts, subject)
    interview, next_from = interview_of(facts, subject, now)
    if next_from is not None:
        changes.append(next_from)

    def promised() -> dict[str, Any] | None:
        one = promise or promise_of(facts, subject, enrollment.id if enrollment else None)
        return None if one is None else _promise(one, facts, fields("promise"))

    def fields(of: str) -> Collection[str]:
        return named.get(of, ())

    objects: dict[str, Callable[[], dict[str, Any] | None]] = {
        "candidate": lambda: _candidate(facts, config, now, fields("candidate")),
        "company": lambda: _company(config),
        "offer": lambda: _offer(offer_of(facts, subject)),
        "promise": promised,
    }
    if interview is not None:
        objects["interview"] = lambda: _interview(
            interview, facts, zone, config, fields("interview")
        )
    if application is not None:
        objects |= {
            "application": lambda: _application(
                application, facts, config, now, fields("application"), phrases
            ),
            "job": lambda: _job(facts.jobs.get(application.job or "")),
            "recruiter": lambda: person(facts, application.recruiter),
            "coordinator": lambda: person(facts, application.coordinator),
            "hiring_manager": lambda: person(facts, application.hiring_manager),
        }
    known = {
        **functions(facts, enrollment, zone, now, changes),
        "_changes": changes,
        "_zone": zone,
    }
    return Words(known, objects)


def zone_of(candidate: Candidate, config: Config) -> ZoneInfo:
    """The candidate's zone; the configured one when theirs is unknown or no zone at all."""
    try:
        return ZoneInfo(candidate.timezone or config.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(config.timezone)


def person(facts: Facts, email: str | None) -> dict[str, Any] | None:
    """A recruiter or other colleague; one known only by address has nothing but that."""
    if not email:
        return None
    known = facts.people.get(email)
    if known is None:
        return {"email": email}
    return _present(name=known.name, email=known.email, phone=known.phone, title=known.title)


# --- the objects; `asked` are the fields that are worked out only where they are asked for ------


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _candidate(
    facts: Facts, config: Config, now: datetime, asked: Collection[str]
) -> dict[str, Any]:
    candidate, fields = facts.candidate, facts.candidate.fields
    full_name = " ".join(part for part in (candidate.first_name, candidate.last_name) if part)
    words = _present(
        first_name=candidate.first_name,
        last_name=candidate.last_name,
        full_name=full_name,
        email=candidate.email,
        timezone=candidate.timezone,
        country=candidate.country,
        locale=candidate.locale,
        phone=fields.get("phone"),
        pronouns=fields.get("pronouns"),
        formality=fields.get("formality"),
        channel=fields.get("channel"),
        discreet=True if fields.get("discreet") is True else None,
        confided=True if candidate.confided else None,
        consent_until=candidate.consent_until,
        last_contact_at=last_contact(facts, None, config.categories, now)
        if "last_contact_at" in asked
        else None,
        in_process=True if in_process(facts) else None,
    )
    for name, kind in config.candidate_fields.items():
        value = _of_kind(kind, fields.get(name))
        if value is not None and value != "":
            words[name] = value
    return words


def _of_kind(kind: str, value: Any) -> Any:
    """A stored field (JSON) as what it was declared to be; None if it cannot be read as that."""
    try:
        if kind == "date" and isinstance(value, str):
            return date.fromisoformat(value)
        if kind == "instant" and isinstance(value, str):
            at = datetime.fromisoformat(value)
            return at if at.tzinfo else None
        if kind == "number" and isinstance(value, str):
            return float(value) if "." in value else int(value)
    except ValueError:
        return None
    if kind == "list" and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _application(
    application: Application,
    facts: Facts,
    config: Config,
    now: datetime,
    asked: Collection[str],
    phrases: Phrasebook | None,
) -> dict[str, Any]:
    about = Subject(application=application.ref)
    said = phrases is not None and "broad_reason" in asked
    return _present(
        stage=application.stage,
        status=application.status,
        applied_at=application.applied_at,
        stage_since=application.stage_since,
        rejected_at=application.rejected_at,
        start_date=application.start_date,
        source=application.fields.get("source"),
        last_contact_at=last_contact(facts, application.ref, config.categories, now)
        if "last_contact_at" in asked
        else None,
        next_date_at=next_date(facts, about, now) if "next_date_at" in asked else None,
        notes_in_a_row=notes_in_a_row(facts, about, config.categories)
        if "notes_in_a_row" in asked
        else None,
        to_be_told=True if "to_be_told" in asked and to_be_told(facts, application) else None,
        imported=True if application.fields.get("imported") is True else None,
        broad_reason=phrases.of(application, facts, now) if said and phrases else None,
        advocate_line=application.fields.get("advocate_line")
        if application.status == "rejected"
        else None,
    )


def _company(config: Config) -> dict[str, Any]:
    company = config.company
    return _present(name=company.name, address=company.address, site=company.site)


def _job(job: Job | None) -> dict[str, Any] | None:
    if job is None:
        return None
    fields = job.fields
    return _present(
        title=job.title,
        department=fields.get("department"),
        location=fields.get("location"),
        team=fields.get("team"),
        status=job.status,
    )


def _offer(offer: Offer | None) -> dict[str, Any] | None:
    if offer is None:
        return None
    return _present(sent_at=offer.sent_at, expires_at=offer.expires_at, status=offer.status)


def _promise(promise: Promise, facts: Facts, asked: Collection[str]) -> dict[str, Any]:
    owner = person(facts, promise.owner)
    return _present(
        what=promise.what,
        due=promise.due_at,
        made_at=promise.made_at,
        status=promise.status,
        owner=owner.get("name") or owner["email"] if owner else None,
        slips=slips(promise, facts) if "slips" in asked else None,
    )


def _interview(
    interview: Interview,
    facts: Facts,
    zone: ZoneInfo,
    config: Config,
    asked: Collection[str],
) -> dict[str, Any]:
    fields = interview.fields
    hold = config.cancel_hold
    after = moved_to(facts, interview, hold) if "moved_to" in asked else None
    before = moved_from(facts, interview, hold) if "moved_from" in asked else None
    starts_at, ends_at = interview.starts_at, interview.ends_at
    if starts_at is not None and ends_at is None:
        ends_at = starts_at + timedelta(minutes=config.interview_minutes)
    minutes = None
    if starts_at is not None and ends_at is not None:
        minutes = round((ends_at - starts_at).total_seconds() / 60)
    return _present(
        kind=interview.kind,
        unknown_kind=fields.get("kind_raw"),
        status=interview.status,
        starts_at=starts_at,
        ends_at=ends_at,
        booked_at=interview.booked_at,
        duration_minutes=minutes,
        location=fields.get("location"),
        url=fields.get("url"),
        phone=fields.get("phone"),
        notes=fields.get("notes"),
        interviewers=_interviewers(fields.get("interviewers")),
        agenda=_agenda(fields.get("agenda")),
        reschedule_url=fields.get("reschedule_url"),
        conflict=_conflict(interview, ends_at, facts.candidate.wishes, zone)
        if "conflict" in asked
        else None,
        moved_to=after.starts_at if after else None,
        moved_from=before.starts_at if before else None,
    )


def _conflict(
    interview: Interview, ends_at: datetime | None, wishes: Wishes, zone: ZoneInfo
) -> str | None:
    """The wish of the candidate that a planned interview is against, in their words."""
    starts_at = interview.starts_at
    if interview.status != "scheduled" or starts_at is None or ends_at is None:
        return None
    try:
        return overlapped(wishes, starts_at.astimezone(zone), ends_at.astimezone(zone))
    except OverflowError:  # at the end of time no wish holds
        return None


def _interviewers(given: Any) -> list[dict[str, Any]] | None:
    if not isinstance(given, (list, tuple)):
        return None
    people = [
        _present(name=each.get("name"), role=each.get("role"), about=each.get("about"))
        if isinstance(each, Mapping)
        else _present(name=str(each))
        for each in given
    ]
    return [each for each in people if each.get("name")] or None


def _agenda(given: Any) -> list[dict[str, Any]] | None:
    """What is planned for the interview: each part with a title, and when and with whom if that is
    known."""
    if not isinstance(given, (list, tuple)):
        return None
    parts = [
        _present(
            starts_at=_instant(each.get("starts_at")),
            title=each["title"],
            **{"with": _names(each.get("with"))},
        )
        for each in given
        if isinstance(each, Mapping) and isinstance(each.get("title"), str) and each["title"]
    ]
    return parts or None


def _instant(given: Any) -> datetime | None:
    return _of_kind("instant", given) if isinstance(given, str) else None


def _names(given: Any) -> str | None:
    if isinstance(given, (list, tuple)):
        return ", ".join(str(each) for each in given) or None
    return None if given is None else str(given)
