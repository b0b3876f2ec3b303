"""What does an answer set in motion? All of it in one transaction, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from nurture.intake.apply import wanted_of
from nurture.intake.events import IncomingEvent, parse_event
from nurture.intake.merging import Batch
from nurture.store.changes import Known, Record, change
from nurture.store.database import Database
from nurture.store.facts import ERASED, GIVEN
from nurture.store.tables import applications, candidates

SOURCE = "answer"


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something that a person should do about an answer."""

    text: str
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What an answer makes us owe."""

    what: str
    due: date
    team: str  #: the e-mail of who owes it where no colleague is known


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer to one question of one mail, and what the question says is to follow."""

    candidate: str  #: ref
    question: str
    value: str
    message: str  #: the Message-ID of the mail that asked
    enrollment: int  #: and step and campaign: what asked
    step: str
    campaign: str
    application: str | None = None
    sets: str | None = None  #: `candidate.x` or `application.x` becomes `set_to`
    set_to: Any = None
    then: str = ""  #: as the template says it
    leaves: Sequence[int] = ()  #: enrollments that end
    pause_until: datetime | None = None
    resume: bool = False  #: ends the pause that the answer before this one began
    withdraw: bool = False
    news: bool | None = None  #: no nurture mail any more, or all of it again
    keep_until: date | None = None  #: what we hold may be kept until that day
    promise: Promised | None = None
    tasks: Sequence[Task] = ()


def take_reply(database: Database, reply: Reply, now: datetime) -> bool:
    """Take in an answer. False if it is the one that was given to this mail already: a button that
    is pressed twice does nothing the second time."""
    events = [parse_event(each) for each in _events(reply, now)]

    def work(known: Known) -> bool:
        return _take(known, reply, events, now)

    return change(database, wanted_of(events), work, now)[0]


def _take(known: Known, reply: Reply, events: list[IncomingEvent], now: datetime) -> bool:
    number = known.refs.get(reply.candidate)
    record = None if number is None else known.records[candidates].get(number)
    if record is None or ERASED in record.data:
        return False
    given = dict(record.data.get(GIVEN, {}))
    this = [reply.message, reply.value]
    if given.get(reply.question) == this:
        return False
    application = known.records[applications].get(reply.application or "")
    active = application is not None and application["status"] == "active"
    batch = Batch(known, now)
    for event in events:
        if event.type != "application.withdrawn" or active:
            batch.take(event)
    if reply.promise is not None:
        batch.take(parse_event(_promise(reply, reply.promise, application, now)))
    record.data[GIVEN] = given | {reply.question: this}
    record.touched = True
    known.new_tasks += [
        {
            "candidate_id": record.key,
            "enrollment_id": reply.enrollment,
            "step": reply.step,
            "occurrence": f"answer:{reply.question}:{now.isoformat()}:{number}",
            "campaign": reply.campaign,
            "application": reply.application,
            "text": task.text,
            "role": "recruiter",
            "assignee": application["recruiter"] if application is not None else None,
            "state": "open",
            "created_at": now,
            "due_at": task.due_at,
        }
        for number, task in enumerate(reply.tasks)
    ]
    return True


def _events(reply: Reply, now: datetime) -> list[dict[str, Any]]:
    """The answer itself, and what else is true because of it."""
    shared = {"source": SOURCE, "occurred_at": now.isoformat()}
    candidate: dict[str, Any] = {"id": reply.candidate}
    application: dict[str, Any] = {"id": reply.application}
    thing, _, name = (reply.sets or "").partition(".")
    if thing == "candidate":
        candidate[name] = reply.set_to
    elif thing == "application":
        application[name] = reply.set_to
    answer = {
        "question": reply.question,
        "value": reply.value,
        "message": reply.message,
        "leaves": list(reply.leaves),
    }
    if reply.then:
        answer["then"] = reply.then
    if reply.keep_until is not None:
        candidate["consent_until"] = reply.keep_until.isoformat()
    about = {"candidate": candidate}
    if reply.application is not None:
        about["application"] = application
    told = [{**shared, "type": "answer.given", "answer": answer, **about}]
    own = {"candidate": {"id": reply.candidate}}
    if reply.pause_until is not None:
        until = reply.pause_until.isoformat()
        told.append({**shared, "type": "candidate.paused", "until": until, **own})
    elif reply.resume:
        told.append({**shared, "type": "candidate.resumed", **own})
    if reply.news is False:
        told.append({**shared, "type": "candidate.unsubscribed", **own})
    elif reply.news:
        wanted = {"topics": {"all": True}}
        told.append({**shared, "type": "candidate.preferences", "preferences": wanted, **own})
    if reply.withdraw and reply.application is not None:
        withdrawn = {"application": {"id": reply.application}, "reason": "their answer to a mail"}
        told.append({**shared, "type": "application.withdrawn", **own, **withdrawn})
    return told


def _promise(
    reply: Reply, promised: Promised, application: Record | None, now: datetime
) -> dict[str, Any]:
    roles = ("recruiter", "coordinator", "hiring_manager")
    owners = [application[role] for role in roles] if application is not None else []
    owner = next((each for each in owners if each), promised.team)
    about = {"application": reply.application} if reply.application is not None else {}
    ref = f"p-{reply.enrollment}-{reply.step}-{reply.question}-{now:%Y%m%d%H%M%S}"
    promise = {"id": ref, "what": promised.what, "owner": owner, **about}
    due = {"due": promised.due.isoformat()}
    told = {"type": "promise.made", "source": SOURCE, "occurred_at": now.isoformat()}
    return {**told, "candidate": {"id": reply.candidate}, "promise": promise | due}
