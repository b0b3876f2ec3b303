"""Which words do we use? Frozen values and closed enums that every room shares.

Instants are aware datetimes in UTC and end in `_at`; durations are timedeltas. The enum values are
the words users see in the database, the logs, the JSON and the pages.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property
from typing import Any


class MessageClass(StrEnum):
    """What law, caps and tone go by. Declared by a template's category, never inferred."""

    SERVICE = "service"  # about this person's own process
    NURTURE = "nurture"  # culture, pools, news: always with an unsubscribe link
    PRIVACY = "privacy"  # consent, retention, erasure


class Tone(StrEnum):
    CHEERFUL = "cheerful"
    NEUTRAL = "neutral"
    GRAVE = "grave"


class Hours(StrEnum):
    """In which hours a category may arrive, in the candidate's zone."""

    CONTACT = "contact"  # the configured contact hours
    WIDE = "wide"  # 07:00-21:00, every day
    ANY = "any"


class Approval(StrEnum):
    AUTO = "auto"
    BATCH = "batch"
    EACH = "each"


class Pace(StrEnum):
    """How much a candidate wants of what could wait: a further cap, chosen by them."""

    AS_IT_HAPPENS = "as_it_happens"
    TWICE_A_WEEK = "twice_a_week"
    WEEKLY = "weekly"
    ONLY_WHAT_MATTERS = "only_what_matters"


class ByPhone(StrEnum):
    """What a category's mail becomes for somebody who prefers the phone."""

    MAIL = "mail"  # stays a mail
    BOTH = "both"  # a call task, and the mail
    CALL = "call"  # a call task; the mail only if nobody got through


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"


class MessageState(StrEnum):
    PLANNED = "planned"  # decided once, waits again
    QUEUED = "queued"  # goes out in the next window
    HELD = "held"  # waits for approval
    SENDING = "sending"  # being handed over
    SENT = "sent"  # accepted by the transport
    RETRYING = "retrying"  # not now, again later
    FAILED = "failed"  # refused for good
    BOUNCED = "bounced"  # accepted, then returned
    UNKNOWN = "unknown"  # offered, and no answer came: counted, never sent again by itself
    CANCELLED = "cancelled"  # the reason to send it is gone


class StepState(StrEnum):
    """Where one occurrence of a step stands for one enrollment."""

    OPEN = "open"
    SENT = "sent"  # its message is sent or in doubt
    DONE = "done"  # its task was handed to a person, its branch chosen, its gate opened
    SKIPPED = "skipped"
    FAILED = "failed"


class Verdict(StrEnum):
    SEND = "send"  # goes out now
    TASK = "task"  # becomes a person's task now
    WAIT = "wait"  # `at` says until when, if that is known
    SKIP = "skip"  # will not happen
    SENT = "sent"  # happened
    DONE = "done"  # a branch was chosen, or a gate opened: nothing goes out by it


class Reason(StrEnum):
    """Why a verdict is what it is: one word each, documented in docs/reasons.md."""

    DUE = "due"
    SCHEDULED = "scheduled"
    CONTACT_HOURS = "contact_hours"
    CAP = "cap"
    GAP = "gap"
    SLOT_RESERVED = "slot_reserved"
    CANDIDATE_PAUSED = "candidate_paused"
    OWN_HOURS = "own_hours"
    PACE = "pace"
    FOLLOW_UPS = "follow_ups"
    TONE = "tone"
    SENSITIVE = "sensitive"
    BUNDLED = "bundled"
    PHONE_FIRST = "phone_first"
    CALLED = "called"
    ASKED_FOR = "asked_for"
    SNOOZED = "snoozed"
    SKIPPED = "skipped"
    CAMPAIGN_PAUSED = "campaign_paused"
    STOPPED = "stopped"
    CAMPAIGN_MISSING = "campaign_missing"
    AFTER_STEP = "after_step"
    WAIT_FOR = "wait_for"
    OPENED = "opened"
    WAITED = "waited"
    CHOSEN = "chosen"
    NOT_CHOSEN = "not_chosen"
    NO_ANCHOR = "no_anchor"
    CONDITION = "condition"
    APPROVAL = "approval"
    APPROVED = "approved"
    DECLINED = "declined"
    RELEASE = "release"
    RETRY = "retry"
    THROTTLED = "throttled"
    NO_OPEN_HOURS = "no_open_hours"
    LATE = "late"
    EXPIRED = "expired"
    CROWDED_OUT = "crowded_out"
    MOVED = "moved"
    LEFT = "left"
    STEP_REMOVED = "step_removed"
    ALREADY_SENT = "already_sent"
    NOTHING_NEW = "nothing_new"
    STALE = "stale"
    TO_BE_TOLD = "to_be_told"
    UNSUBSCRIBED = "unsubscribed"
    DO_NOT_CONTACT = "do_not_contact"
    UNDELIVERABLE = "undeliverable"
    CANNOT_RENDER = "cannot_render"
    REFUSED = "refused"
    UNKNOWN_OUTCOME = "unknown_outcome"
    SETTLED = "settled"


@dataclass(frozen=True, kw_only=True)
class Category:
    name: str
    klass: MessageClass
    priority: int  #: higher goes first
    capped: bool = True  #: False: counted against caps, never blocked by one
    hours: Hours = Hours.CONTACT
    approval: Approval = Approval.AUTO
    counts_as_contact: bool = True  #: whether a sent mail ends a silence
    at_least_once: bool = False  #: after a crash in doubt, send again
    by_phone: ByPhone = ByPhone.MAIL
    follow_up: bool = False  #: asks again: counted against the ceiling on follow-ups
    bundle: bool = True  #: may share a mail with others that are due at about the same time
    holding: bool = False  #: says that there is no news yet: a word, which keeps no promise


# --- facts -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class WeekHours:
    """Hours of the week on the candidate's own wall clock."""

    days: frozenset[int]  #: Monday is 0
    from_: time
    to: time | None  #: None: until midnight
    text: str = ""  #: as they said it


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a candidate asked of us, beside their topics: what the agenda keeps to."""

    pace: Pace = Pace.AS_IT_HAPPENS
    pace_day: int | None = None  #: the weekday of a weekly pace; None: one of the engine's choosing
    phone_first: bool = False  #: they would rather be rung, and there is a number
    only: tuple[WeekHours, ...] = ()  #: on the days these name, in these hours and no others
    not_in: tuple[WeekHours, ...] = ()  #: never in these
    quiet_days: tuple[tuple[date, date], ...] = ()  #: first and last day of each stretch
    sensitive_until: datetime | None = None  #: set by a person; why is kept nowhere


@dataclass(frozen=True, kw_only=True)
class Candidate:
    id: int
    ref: str  #: the first id by which a source named this person
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    timezone: str | None = None  #: IANA name; None: config.timezone
    country: str | None = None  #: ISO 3166-1 alpha-2, for public holidays
    subdivision: str | None = None  #: ISO 3166-2 part after the hyphen
    locale: str | None = None  #: BCP 47 language, `pt` or `pt-BR`
    do_not_contact: bool = False
    suppressed: str | None = None  #: why the address must not be tried again
    paused_until: datetime | None = None
    unsubscribed: frozenset[str] = frozenset()  #: topics; "all" is every nurture mail
    consent_until: date | None = None
    wishes: Wishes = Wishes()
    confided: bool = False  #: somebody here was told in confidence what they need: never what
    #: by question, the Message-ID of the mail in which it was answered
    answered_in: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)  #: phone, pronouns and declared fields


@dataclass(frozen=True, kw_only=True)
class Job:
    ref: str
    title: str | None = None
    status: str = "open"  #: open | paused | closed
    fields: Mapping[str, Any] = field(default_factory=dict)  #: department, location, ...


@dataclass(frozen=True, kw_only=True)
class Person:
    """A recruiter, coordinator or hiring manager."""

    email: str
    name: str | None = None
    phone: str | None = None
    title: str | None = None


@dataclass(frozen=True, kw_only=True)
class Application:
    ref: str
    candidate_id: int
    status: str = "active"  #: active | rejected | withdrawn | hired | closed
    stage: str | None = None
    job: str | None = None  #: job ref
    recruiter: str | None = None  #: e-mail of a Person; so are the next two
    coordinator: str | None = None
    hiring_manager: str | None = None
    applied_at: datetime | None = None
    stage_since: datetime | None = None
    rejected_at: datetime | None = None
    closed_at: datetime | None = None  #: when its job was closed under it
    start_date: date | None = None
    silence_due_at: datetime | None = None  #: by when they must hear from us, as last written down
    reached: str | None = None  #: the last stage on its way, also where it has come to its end
    #: Why it was rejected, as its source said it, a name a line. It maps to a broad reason
    #: (rendering/broad_reasons.py) and is printed nowhere, not even here.
    told_reason: str | None = field(default=None, repr=False)
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Interview:
    ref: str
    candidate_id: int
    application: str | None = None  #: application ref
    kind: str | None = None  #: phone | video | technical | panel | case | onsite | final
    status: str = "scheduled"  #: scheduled | cancelled | completed
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    booked_at: datetime | None = None
    cancelled_at: datetime | None = None  #: since when it is off; None while it is not
    sequence: int = 0  #: how often its time, its place or whether it is on has changed
    fields: Mapping[str, Any] = field(default_factory=dict)  #: location, url, phone, interviewers


@dataclass(frozen=True, kw_only=True)
class Offer:
    ref: str
    candidate_id: int
    application: str | None = None
    status: str = "sent"  #: sent | accepted | declined | withdrawn
    sent_at: datetime | None = None
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None  #: taken back by us
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What somebody was told would happen, and by when: a debt until it is kept."""

    ref: str
    candidate_id: int
    application: str | None = None
    what: str = ""  #: as the sentence goes on: "a decision"
    owner: str | None = None  #: who owes it: e-mail of a Person
    made_at: datetime
    due_at: datetime | None = None  #: None: of one that was settled before anybody told of it
    status: str = "open"  #: open | kept | broken
    enrollment_id: int | None = None  #: whose mail made it, where it was a mail
    step: str | None = None
    settled_at: datetime | None = None  #: since when it is kept or broken
    #: what keeps it: categories and templates of mail, or `contact`, a colleague's own word;
    #: empty: being told of a decision
    kept_by: tuple[str, ...] = ()
    replaced_by: str | None = None  #: the promise with a later date that took its place


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact as it was stored: the canonical form is in docs/events.md."""

    id: int
    type: str
    candidate_id: int
    occurred_at: datetime
    received_at: datetime
    source: str = "manual"
    historical: bool = False
    application: str | None = None
    interview: str | None = None
    offer: str | None = None
    job: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def promise(self) -> str | None:
        """The promise it is about, by ref."""
        told = self.data.get("promise")
        return told.get("id") if isinstance(told, Mapping) else None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What an enrollment is about. Objects are named by ref."""

    application: str | None = None
    interview: str | None = None
    offer: str | None = None
    promise: str | None = None


@dataclass(frozen=True, kw_only=True)
class Enrollment:
    id: int
    candidate_id: int
    campaign: str
    subject: Subject
    about: str  #: the object of `once_per`: "interview:i-3"
    number: int = 1
    entered_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """What is stored of one occurrence of one step of one enrollment."""

    enrollment_id: int
    step: str
    occurrence: str  #: the anchor value (ISO, UTC) or "1" for steps that wait for the one above
    anchor: str | None = None  #: what it hung on; None: on the step above, or nobody knows
    anchor_at: datetime | None = None
    moment_at: datetime | None = None  #: as last derived
    known_at: datetime  #: since when the moment has this value: earlier moments are late
    state: StepState = StepState.OPEN
    settled_at: datetime | None = None
    verdict: Verdict | None = None
    reason: Reason | None = None
    at: datetime | None = None
    chosen: str | None = None  #: of a settled branch: then | else


@dataclass(frozen=True, kw_only=True)
class Contact:
    """Something that reached, or may have reached, the candidate. What caps count."""

    at: datetime
    category: str | None = None  #: None: a human's own call or mail
    klass: MessageClass | None = None
    label: str = ""  #: what to call it in a reason sentence
    campaign: str | None = None
    template: str | None = None
    step: str | None = None
    application: str | None = None
    message_id: int | None = None
    header: str | None = None  #: of a mail: its Message-ID
    invite: str | None = None  #: of a mail: what it told calendars, see rendering/invitation.py
    sections: "tuple[Section, ...]" = ()  #: of a bundle, all; its category is its first one's
    enrollment_id: int | None = None  #: of a mail: for which its first section speaks
    content: tuple[str, ...] = ()  #: items of the library that it brought; of a bundle, its first
    human: bool = False
    outcome: str | None = None  #: of a call: spoke | voicemail | no_answer | wrong_number
    keeps: str | None = None  #: the promise that it keeps, by ref, where the person said so
    arrived: bool = True  #: False: in doubt or bounced; counted against caps, no end of a silence


@dataclass(frozen=True, kw_only=True)
class Section:
    """One step's part of a message that speaks for several: a bundle has 2..n, most urgent first;
    the message's own step is its first."""

    enrollment_id: int
    step: str
    occurrence: str
    campaign: str
    template: str
    category: str
    application: str | None = None
    content: tuple[str, ...] = ()  #: items of the library that it brings, by id


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call task made of a step's mail, for somebody who prefers the phone."""

    task_id: int
    enrollment_id: int
    step: str
    occurrence: str
    created_at: datetime
    fallback_at: datetime  #: when the mail goes if nobody got through by then
    state: str = "open"  #: open | done | dropped: the mail went, or nothing is to be said any more
    outcome: str | None = None  #: the last: spoke | voicemail | no_answer | wrong_number
    tries: int = 0
    done_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message row: for life, whatever happens to it."""

    id: int
    candidate_id: int
    message_id: str  #: the Message-ID header, with its angle brackets
    state: MessageState
    campaign: str
    template: str
    category: str
    enrollment_id: int
    step: str
    occurrence: str
    application: str | None = None
    created_at: datetime
    approved_at: datetime | None = None
    approved_by: str | None = None
    approved_digest: str | None = None  #: of the letter that they approved, but for its Date
    #: The instant as of which they read it: what it promises is counted from there.
    approved_as_of: datetime | None = None
    sections: tuple[Section, ...] = ()  #: of a bundle, all; empty: a mail of one step
    content: tuple[str, ...] = ()  #: items of the library that it brings, by id; as of `sections`
    until: datetime | None = None
    sent_at: datetime | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    reason: Reason | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that is known about one candidate: what every decision and every page is derived from."""

    candidate: Candidate
    applications: Mapping[str, Application] = field(default_factory=dict)  #: by ref; so all below
    interviews: Mapping[str, Interview] = field(default_factory=dict)
    offers: Mapping[str, Offer] = field(default_factory=dict)
    promises: Mapping[str, Promise] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)  #: by e-mail
    enrollments: tuple[Enrollment, ...] = ()  #: in the order they were entered
    records: tuple[StepRecord, ...] = ()
    contacts: tuple[Contact, ...] = ()  #: oldest first
    messages: tuple[Message, ...] = ()  #: those not yet at an end: planned, queued, held, ...
    events: tuple[Event, ...] = ()  #: not yet planned on, oldest first
    heard: tuple[Event, ...] = ()  #: planned on already, of the types that some step waits for
    replied_at: datetime | None = None
    answered_at: datetime | None = None  #: when they last answered a question in a mail
    calls: tuple[Call, ...] = ()


# --- what marketing staff wrote, compiled -----------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A condition's value and the earliest instant at which it can change by time alone."""

    value: bool
    changes_at: datetime | None = None


#: A condition, compiled and checked by `authoring`: reads the context vocabulary of an enrollment.
Condition = Callable[[Mapping[str, Any]], Truth]


@dataclass(frozen=True, kw_only=True)
class Duration:
    """`3 business days`, `90 minutes`. Days and weeks keep the wall clock; smaller units do not."""

    amount: int
    unit: str  #: minutes | hours | days | weeks | months | business days


@dataclass(frozen=True, kw_only=True)
class Moment:
    """`2 days before interview.starts_at at 09:00`."""

    offset: Duration
    before: bool
    anchor: str
    at: time | None = None  #: wall-clock time in the candidate's zone


@dataclass(frozen=True, kw_only=True)
class TaskText:
    text: str  #: a template line, rendered with the same vocabulary
    to: str = "recruiter"  #: recruiter | coordinator | hiring_manager | manager
    due: Duration = Duration(amount=1, unit="business days")


@dataclass(frozen=True, kw_only=True)
class WaitFor:
    """A gate: what waits below it waits for one of these events, or until `up_to` has passed."""

    events: frozenset[str]
    up_to: Duration | None = None  #: since the step above was settled
    since_entered: bool = False  #: events from before the step above was settled count too


@dataclass(frozen=True, kw_only=True)
class Branch:
    """Chosen once, when reached, and stored; a forecast before that."""

    condition: Condition
    then: "tuple[Step, ...]" = ()
    otherwise: "tuple[Step, ...]" = ()


@dataclass(frozen=True, kw_only=True)
class Repeat:
    every: Duration | None = None  #: None: each time its anchor has moved on
    at_most: int | None = None


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What a mail promises when it is sent, and within how long."""

    what: str | None  #: None: what was promised before, to which this mail gives a new date
    within: Duration
    kept_by: tuple[str, ...] = ()  #: as in `Promise`


@dataclass(frozen=True, kw_only=True)
class Step:
    id: str
    send: str | None = None  #: template name; exactly one of send, task, wait_for and branch
    task: TaskText | None = None
    wait_for: WaitFor | None = None
    branch: Branch | None = None
    at: Moment | None = None  #: stands on its own
    after: Duration | None = None  #: waits for the step above; both None means after 0 minutes
    condition: Condition | None = None
    until: Moment | None = None
    if_late: str = "skip"  #: skip | send
    if_expired: str | None = None  #: "task": a person is told that it could not go out in time
    again_if_moved: bool = False
    repeat: Repeat | None = None
    promise: Promised | None = None
    was: str | None = None  #: the id it had before, which no other step has now
    category: str | None = None  #: of the template, or the more restrained one named here
    tone: Tone = Tone.NEUTRAL
    topic: str | None = None  #: what a candidate unsubscribes from; default the category
    fresh_until: date | None = None  #: of the template: after this day its content is stale
    alone: bool = False  #: its mail holds a calendar entry, and shares with no other mail
    content: bool = False  #: it brings something from the library, which is chosen for each reader
    line: int = 1


@dataclass(frozen=True, kw_only=True)
class Enter:
    on: str | None = None  #: an event; None: an audience, entered by `condition` alone
    condition: Condition | None = None
    once_per: str = "candidate"  #: candidate | application | interview | offer | promise | event
    #: When a new, numbered enrollment may follow: never | when_left | so long after the last began
    again: str | Duration = "never"


@dataclass(frozen=True, kw_only=True)
class Leave:
    on: frozenset[str] = frozenset()
    condition: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Campaign:
    name: str  #: the file's name without .yaml: what the store refers to
    title: str
    about: str = ""
    owner: str = ""
    status: CampaignStatus = CampaignStatus.DRAFT
    enter: Enter
    leave: tuple[Leave, ...] = ()
    steps: tuple[Step, ...] = ()
    file: str = ""
    digest: str = ""  #: sha256 of the file's bytes

    def every_step(self) -> Iterator[Step]:
        """All steps in file order, those within branches after their branch."""
        return _flat(self.steps)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each step stands in file order, by its id."""
        return {step.id: place for place, step in enumerate(self.every_step())}


def _flat(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        if step.branch is not None:
            yield from _flat(step.branch.then)
            yield from _flat(step.branch.otherwise)


# --- how a hand-over ended ---------------------------------------------------------------------


class Blame(StrEnum):
    """Whom an SMTP refusal is about (RFC 3463, provider tables)."""

    ADDRESS = "address"
    SENDER = "sender"
    CONTENT = "content"
    SERVER = "server"  # this mail server cannot carry it: nobody's fault


@dataclass(frozen=True, kw_only=True)
class Accepted:
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Deferred:
    """Not now: 4xx, or the server could not be reached before any content left."""

    text: str
    code: int | None = None
    domain: bool = False  #: the whole receiving domain asks us to slow down


@dataclass(frozen=True, kw_only=True)
class Rejected:
    text: str
    code: int | None = None
    blame: Blame = Blame.CONTENT


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """The content was offered and no answer came."""

    text: str


Outcome = Accepted | Deferred | Rejected | Unknown
