"""How does one event become facts? Whom it is about, what it tells of each object, what follows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any

from nurture.core import wishes
from nurture.errors import Problem
from nurture.intake import kinds, stages
from nurture.intake.events import (
    ApplicationPart,
    CandidatePart,
    IncomingEvent,
    JobPart,
    PersonPart,
    key_of,
    ref_of,
)
from nurture.intake.owing import due_at, objection
from nurture.store.calls import Rang
from nurture.store.changes import Known, Record, stamp
from nurture.store.facts import ANSWERED_AT, ERASED
from nurture.store.returns import BOUNCES, COMPLAINTS, Returned
from nurture.store.tables import (
    applications,
    candidates,
    interviews,
    jobs,
    offers,
    people,
    promises,
)

_HISTORY = "_stages"  # every stage that was told, oldest first: [instant, stage, its own name]
_STATUSES = "_statuses"  # every status that was told: [instant, status, rejected_at as it was said]
_HISTORY_AT_MOST = 60
#: Wishes that are one: a day can be named as hours or as a quiet day.
_ALIKE = ({"pace", "pace_day"}, {"hours", "quiet_days"}, {"sensitive_until"})
_WHERE = ("location", "url", "phone")
_ROLES = ("recruiter", "coordinator", "hiring_manager")
_FOLLOWING_STATUS = {
    "application.rejected": "rejected",
    "application.withdrawn": "withdrawn",
    "application.hired": "hired",
    "application.reopened": "active",
    "interview.scheduled": "scheduled",
    "interview.rescheduled": "scheduled",
    "interview.cancelled": "cancelled",
    "interview.completed": "completed",
    "offer.sent": "sent",
    "offer.accepted": "accepted",
    "offer.declined": "declined",
    "offer.withdrawn": "withdrawn",
    "promise.made": "open",
    "promise.kept": "kept",
    "promise.broken": "broken",
}


@dataclass(frozen=True)
class Taken:
    """What became of an event."""

    outcome: str  #: created (a candidate) | updated | unchanged | duplicate | refused
    candidate_id: int | None = None
    problems: tuple[Problem, ...] = ()


class Batch:
    """Takes in events one after the other on the same known facts."""

    def __init__(self, known: Known, now: datetime, *, news_only: bool = False) -> None:
        self.known = known
        self.now = now
        self.news_only = news_only

    def take(self, event: IncomingEvent) -> Taken:
        if (event.source, event.id) in self.known.events:
            found = self._find(event)
            return Taken("duplicate", None if found is None else found.key)
        taking = _Taking(self.known, self.now, event)
        if event.type.startswith("job."):
            return taking.job_event()
        candidate = self._find(event)
        if problem := self._contradiction(event, candidate):
            return Taken("refused", None, (problem,))
        if event.type == "candidate.merged":
            return taking.merged(candidate, self._named(event.into))
        return taking.candidate_event(candidate, self.news_only)

    def _find(self, event: IncomingEvent) -> Record | None:
        """By its ref, else by its address, else as the owner of what the event is about."""
        if event.candidate is not None and (named := self._named(event.candidate)):
            return named
        if event.candidate is not None and (event.candidate.id or event.candidate.email):
            return None
        for record in self._objects(event):
            return self.known.records[candidates][record["candidate_id"]]
        number = self.known.messages.get((event.message and event.message.id) or "")
        return None if number is None else self.known.records[candidates][number]

    def _named(self, told: CandidatePart | None) -> Record | None:
        if told is None:
            return None
        number = self.known.refs.get(told.id) if told.id else None
        if number is None and told.email:
            number = self.known.emails.get(key_of(told.email))
            if number is None and told.id is None:
                number = self.known.refs.get(ref_of(told.email))
        return None if number is None else self.known.records[candidates][number]

    def _objects(self, event: IncomingEvent) -> list[Record]:
        named = (
            (applications, event.application),
            (interviews, event.interview),
            (offers, event.offer),
            (promises, event.promise),
        )
        found = [self.known.records[table].get(part.id) for table, part in named if part]
        return [record for record in found if record is not None]

    def _contradiction(self, event: IncomingEvent, candidate: Record | None) -> Problem | None:
        told = event.candidate
        if candidate is None and not (told and (told.id or told.email)):
            return _problem(
                event,
                "unknown-candidate",
                "it is about nobody who is known",
                "add candidate.id or candidate.email",
            )
        for record in self._objects(event):
            if candidate is None or record["candidate_id"] != candidate.key:
                said = f'{record.table.name[:-1]} "{record.key}" belongs to another candidate'
                hint = "if the two are one person, send candidate.merged first"
                return _problem(event, "other-candidate", said, hint)
        at = min(event.occurred_at or self.now, self.now)
        if no_promise := objection(event, candidate, self.known, at):
            return _problem(event, *no_promise)
        return None


@dataclass
class _Taking:
    """One event being taken in."""

    known: Known
    now: datetime
    event: IncomingEvent
    involved: list[Record] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    was_at: str | None = None  #: when an interview was to be that this moved

    def __post_init__(self) -> None:
        # A source's clock may be ahead of ours; a fact from the future would never be corrected.
        self.at = min(self.event.occurred_at or self.now, self.now)

    # --- the three courses ---------------------------------------------------------------------

    def candidate_event(self, candidate: Record | None, news_only: bool) -> Taken:
        event, created = self.event, candidate is None
        if candidate is None:
            told = event.candidate or CandidatePart()
            candidate = self.known.new_candidate(told.id or ref_of(told.email or ""))
        else:
            candidate.changed = False
        self.involved.append(candidate)
        if ERASED in candidate.data:
            self._keep(candidate.key, told=False)
            return Taken("unchanged", candidate.key)
        kept = len(self.known.new_contacts)
        self._candidate(candidate)
        application = self._application(candidate)
        self._interview(candidate)
        self._offer(candidate)
        self._promise(candidate)
        if event.job is not None:
            self._job(event.job)
        if effect := _EFFECTS.get(event.type):
            effect(self, candidate)
        changed = any(one.changed for one in self.involved)
        changed = changed or len(self.known.new_contacts) > kept
        if news_only and not changed:
            return Taken("unchanged", candidate.key, tuple(self.problems))
        self._keep(candidate.key)
        if application is not None:
            record, before = application
            if before == "active" and record["status"] != "active":
                self._closed(record, said=event.type == "application.closed")
        if not event.historical or (changed and not candidate.new):
            self.known.rung.add(candidate.key)
        outcome = "created" if created else "updated" if changed else "unchanged"
        return Taken(outcome, candidate.key, tuple(self.problems))

    def job_event(self) -> Taken:
        """Reaches each active application of the job once, however often it is told."""
        event = self.event
        if event.job is None:  # the event was checked to have one
            return Taken("refused")
        job = self._job(event.job)
        told = f"event:{event.source}:{event.id}"  # a job has no event row of its own
        if told in job.as_of:
            return Taken("duplicate")
        job.as_of[told] = stamp(self.at)
        if not job.tell("status", event.type.removeprefix("job."), self.at):
            job.touched = True
            return Taken("unchanged")
        for record in list(self.known.records[applications].values()):
            if record["job"] != job.key or record["status"] != "active":
                continue
            candidate = record["candidate_id"]
            self._keep(candidate, source_id=f"{event.id}:{record.key}", application=record.key)
            if event.type == "job.closed" and record.tell("status", "closed", self.at):
                record.tell("closed_at", stamp(self.at), self.at)
                self._closed(record, said=False)
            if not event.historical or not self.known.records[candidates][candidate].new:
                self.known.rung.add(candidate)
        return Taken("updated")

    def merged(self, loser: Record | None, survivor: Record | None) -> Taken:
        """One person under two ids: `candidate` becomes a name of `into`."""
        event = self.event
        into = event.into or CandidatePart()
        if survivor is None:
            kept = loser or self.known.new_candidate(into.id or ref_of(into.email or ""))
        else:
            kept = survivor
        for told in (event.candidate, into):
            if told is not None and told.id:
                self.known.alias(told.id, kept.key)
        if loser is not None and survivor is not None and loser is not survivor:
            if ERASED in survivor.data:  # who was erased stays so, with all that was theirs
                self.known.erased.add(survivor.key)
            else:
                _fold(loser, survivor)
            self.known.absorbed[loser.key] = survivor.key
            for records in self.known.records.values():
                for record in records.values():
                    if record.values.get("candidate_id") == loser.key:
                        record.values["candidate_id"] = survivor.key
            del self.known.records[candidates][loser.key]
        self._keep(kept.key)
        self.known.rung.add(kept.key)
        return Taken("updated", kept.key)

    # --- what it tells of each object -----------------------------------------------------------

    def _candidate(self, candidate: Record) -> None:
        told = self.event.candidate
        if told is None:
            return
        if told.id:
            self.known.alias(told.id, candidate.key)
        given = told.given()
        if "email" in given:
            self._email(candidate, told.email)
            del given["email"]
        stop = given.pop("do_not_contact", None)
        if stop or (stop is False and self.event.type == "candidate.do_not_contact"):
            candidate.tell("do_not_contact", stop, self.at)
        self._tell(candidate, given)

    def _email(self, candidate: Record, email: str | None) -> None:
        key = None if email is None else key_of(email)
        owner = None if key is None else self.known.emails.get(key)
        if owner is not None and owner != candidate.key:
            said = f"the address {email} belongs to another candidate, so it was left as it is"
            hint = "if the two are one person, send candidate.merged"
            self.problems.append(_problem(self.event, "address-taken", said, hint, "warning"))
            return
        before = candidate["email_key"]
        if not candidate.tell("email", email, self.at) or before == key:
            return
        candidate.values["email_key"] = key
        if before is not None:
            self.known.emails.pop(before, None)
            candidate.tell("suppressed", None, self.at)  # it was the old address that failed
        if key is not None:
            self.known.emails[key] = candidate.key

    def _application(self, candidate: Record) -> tuple[Record, str] | None:
        told = self.event.application
        if told is None:
            return None
        new = told.id not in self.known.records[applications]
        record = self._record(applications, told.id, candidate_id=candidate.key, status="active")
        if new and self.event.historical:
            record.put("imported", True)
        elif not self.event.historical:
            record.put("imported", None)
        before = record["status"]
        given = told.given()
        for role in _ROLES:
            if role in given:
                person = getattr(told, role)
                given[role] = None if person is None else self._person(person)
        job = told.job if "job" in given else self.event.job
        if job is not None or "job" in given:
            given["job"] = None if job is None else self._job(job).key
        for name in ("stage", "status", "rejected_at", "closed_at", "stage_since"):
            given.pop(name, None)
        if self.event.type == "application.reopened":  # what was said of it before is no reason
            given |= {"reason": None, "advocate_line": None}
        self._tell(record, given)
        self._stage(record, told)
        self._status(record, told)
        if self.event.type == "application.created":
            _first(record, "applied_at", stamp(self.at))
        return record, before

    def _stage(self, record: Record, told: ApplicationPart) -> None:
        history: list[list[str | None]] = list(record.data.get(_HISTORY, []))
        at = stamp(self.at)
        if "stage" in told.model_fields_set:
            since = stamp(min(told.stage_since or self.at, self.at))
            name = [told.stage and stages.normalise(told.stage), told.stage]
            history += [[each, *name] for each in {since, at}]
        elif self.event.type == "application.created":
            history.append([at, "applied", None])  # nobody said so: a word of theirs before stands
        else:
            return
        record.touched = True
        record.data[_HISTORY] = history = _in_order(history)
        told_at = min((one[0] or "" for one in history if not _implied(one)), default=None)
        standing = [
            one
            for one in history
            if not _implied(one) or told_at is None or (one[0] or "") < told_at
        ]
        latest = begun = standing[-1]
        for one in reversed(standing):
            if (one[1] or one[2]) != (latest[1] or latest[2]):  # it may go by several names
                break
            begun = one
        record.put("stage", latest[1])
        record.put("stage_raw", latest[2] if latest[2] != latest[1] else None)
        record.put("stage_since", begun[0])

    def _status(self, record: Record, told: ApplicationPart) -> None:
        status = self._followed("application").get("status") or told.status
        if status is None and told.stage:
            status = stages.ENDS.get(stages.normalise(told.stage) or "")
        before = record["status"]
        if self.event.type == "application.closed":
            if before == "active":  # why it ended, told by others, says more
                record.put("status", "closed")
        elif status is not None:
            record.tell("status", status, self.at)
            self._rejected_at(record, status, told.rejected_at)
        if told.closed_at or (before != "closed" and record["status"] == "closed"):
            record.tell("closed_at", stamp(told.closed_at or self.at), self.at)

    def _rejected_at(self, record: Record, status: str, said: datetime | None) -> None:
        """As it was last said outright, else when the first of those rejections was told that
        nothing else came between: the same in whichever order they are told."""
        history: list[list[str | None]] = list(record.data.get(_STATUSES, []))
        if not history and record["rejected_at"] is not None:
            history.append([record["rejected_at"], "rejected", record["rejected_at"]])
        history.append([stamp(self.at), status, stamp(said) if said else None])
        record.touched = True
        record.data[_STATUSES] = history = _in_order(history)
        latest = list(takewhile(lambda one: one[1] == "rejected", reversed(history)))
        outright = next((one[2] for one in latest if one[2]), None)
        record.put("rejected_at", outright or (latest[-1][0] if latest else None))

    def _interview(self, candidate: Record) -> None:
        told = self.event.interview
        if told is None:
            return
        first = {"candidate_id": candidate.key, "status": "scheduled", "sequence": 0}
        record = self._record(interviews, told.id, **first)
        before = None if record.new and not record.as_of else _in_calendars(record)
        given = told.given() | self._belongs()
        for name in ("starts_at", "ends_at", "booked_at", "cancelled_at", "sequence"):
            given.pop(name, None)
        if "starts_at" in told.model_fields_set:
            record.tell("starts_at", told.starts_at, self.at)
        if told.model_fields_set & {"starts_at", "ends_at"}:
            record.tell("ends_at", told.ends_at, self.at)
        given |= self._followed("interview")
        was = record["kind"]
        if told.kind is not None:
            given["kind"] = kinds.normalise(told.kind)
        if "kind" in given:
            given["kind_raw"] = None if given["kind"] else told.kind
        self._tell(record, given)
        if was is not None and record["kind"] != was:
            record.put("kind_since", stamp(self.at))
        self._cancelled_at(record, given.get("status"))
        if told.booked_at is not None:
            record.tell("booked_at", told.booked_at, self.at)
        elif self.event.type == "interview.scheduled":
            record.tell("booked_at", self.at, self.at)
        elif self.event.type == "interview.rescheduled":
            _first(record, "booked_at", self.at)
        self._calendars_differ(record, before)
        if self.event.type == "interview.rescheduled" and before and before[1] is not None:
            self.was_at = None if before[1] == record["starts_at"] else stamp(before[1])

    def _calendars_differ(self, record: Record, before: tuple[Any, ...] | None) -> None:
        """Counts what a calendar has to hear of (RFC 5546 section 2.1.4: SEQUENCE)."""
        if before is not None and before != _in_calendars(record):
            record.put("sequence", record["sequence"] + 1)

    def _cancelled_at(self, record: Record, status: str | None) -> None:
        """Since when it is off: the first cancellation that was told with nothing else after it."""
        if status is None:
            return
        history: list[list[str | None]] = list(record.data.get(_STATUSES, []))
        history.append([stamp(self.at), status, None])
        record.touched = True
        record.data[_STATUSES] = history = _in_order(history)
        latest = list(takewhile(lambda one: one[1] == "cancelled", reversed(history)))
        record.put("cancelled_at", latest[-1][0] if latest else None)

    def _offer(self, candidate: Record) -> None:
        told = self.event.offer
        if told is None:
            return
        record = self._record(offers, told.id, candidate_id=candidate.key, status="sent")
        given = told.given() | self._belongs() | self._followed("offer")
        given.pop("withdrawn_at", None)
        self._tell(record, given)
        if told.withdrawn_at or self.event.type == "offer.withdrawn":
            record.tell("withdrawn_at", stamp(told.withdrawn_at or self.at), self.at)
        if self.event.type == "offer.sent" and "sent_at" not in record.as_of:
            record.tell("sent_at", stamp(self.at), self.at, under="sent")

    def _promise(self, candidate: Record) -> None:
        """That it was kept may be told before that it was made."""
        told = self.event.promise
        if told is None:
            return
        first = {"candidate_id": candidate.key, "what": "", "status": "open", "made_at": self.at}
        record = self._record(promises, told.id, **first)
        given = told.given() | self._belongs() | self._followed("promise")
        due = told.due
        if "due" in given:
            del given["due"]
            due = due if due is None else due_at(due, candidate["timezone"])
            record.tell("due_at", due, self.at)
        if told.owner is not None:
            given["owner"] = key_of(told.owner)
        if given.get("what") is None:
            given.pop("what", None)
        self._tell(record, given)
        if self.event.type == "promise.made":
            record.tell("made_at", self.at, self.at)
            application = self.known.records[applications].get(record["application"] or "")
            if record["owner"] is None and application is not None:
                record.put("owner", application["recruiter"])
        if record["status"] == "open":
            record.put("settled_at", None)
        elif record["settled_at"] is None:
            record.put("settled_at", self.at)

    def _job(self, told: JobPart) -> Record:
        record = self._record(jobs, told.ref, status="open")
        given = told.given()
        if given.get("status") is None:
            given.pop("status", None)
        self._tell(record, given)
        return record

    def _person(self, told: PersonPart) -> str:
        record = self._record(people, key_of(told.email))
        given = told.given()
        del given["email"]
        self._tell(record, given)
        return str(record.key)

    def _belongs(self) -> dict[str, Any]:
        return {"application": self.event.application.id} if self.event.application else {}

    def _followed(self, object_: str) -> dict[str, Any]:
        status = _FOLLOWING_STATUS.get(self.event.type)
        return {"status": status} if status and self.event.type.startswith(object_) else {}

    def _tell(self, record: Record, given: dict[str, Any]) -> None:
        for name, value in given.items():
            if name != "status" or value is not None:
                record.tell(name, value, self.at)

    def _record(self, table: Any, key: str, **first: Any) -> Record:
        record = self.known.records[table].get(key)
        if record is None:
            record = self.known.add(table, key, **first)
        elif record not in self.involved:
            record.changed = False
        self.involved.append(record)
        return record

    # --- what follows ----------------------------------------------------------------------------

    def _keep(
        self,
        candidate: int,
        *,
        source_id: str | None = None,
        application: str | None = None,
        told: bool = True,
    ) -> None:
        """The event's own row. What a candidate who was erased did is kept without its content."""
        event = self.event
        about: Record | None = None
        if event.interview is not None:
            about = self.known.records[interviews].get(event.interview.id)
        elif event.offer is not None:
            about = self.known.records[offers].get(event.offer.id)
        elif event.promise is not None:
            about = self.known.records[promises].get(event.promise.id)
        named = application
        if named is None and event.application is not None:
            named = event.application.id
        elif named is None and about is not None:
            named = about["application"]
        record = self.known.records[applications].get(named or "")
        was = {} if self.was_at is None else {"was_at": self.was_at}
        self.known.events.add((event.source, event.id))
        self.known.new_events.append(
            {
                "source": event.source,
                "source_id": source_id or event.id,
                "type": event.type,
                "candidate_id": candidate,
                "application": named,
                "interview": event.interview and event.interview.id,
                "offer": event.offer and event.offer.id,
                "job": event.job.ref if event.job else record and record["job"],
                "occurred_at": self.at,
                "received_at": self.now,
                "historical": event.historical or not told,
                "planned_at": self.now if event.historical or not told else None,
                "data": (event.payload() | was) if told else {},
            }
        )

    def _closed(self, record: Record, *, said: bool) -> None:
        """An application came to its end: the one event that ends what was begun for it."""
        if not said:
            id_ = f"closed:{record.key}:{self.event.source}:{self.event.id}"
            because = {"because": self.event.type}
            self._raise("application.closed", id_, record["candidate_id"], because, record)

    def _raise(
        self,
        type_: str,
        id_: str,
        candidate: int,
        data: dict[str, Any],
        application: Record | None = None,
    ) -> None:
        """An event that follows from this one."""
        historical = self.event.historical
        self.known.new_events.append(
            {
                "source": "nurture",
                "source_id": id_,
                "type": type_,
                "candidate_id": candidate,
                "application": application and application.key,
                "interview": None,
                "offer": None,
                "job": application and application["job"],
                "occurred_at": self.at,
                "received_at": self.now,
                "historical": historical,
                "planned_at": self.now if historical else None,
                "data": data,
            }
        )

    def do_not_contact(self, candidate: Record) -> None:
        if self.event.candidate is None or self.event.candidate.do_not_contact is None:
            candidate.tell("do_not_contact", True, self.at)

    def replied(self, candidate: Record) -> None:
        if candidate["replied_at"] is None or candidate["replied_at"] < self.at:
            candidate.put("replied_at", self.at)

    def unsubscribed(self, candidate: Record) -> None:
        self._topics(candidate, dict.fromkeys(self.event.topics or ["all"], False))

    def _topics(self, candidate: Record, topics: dict[str, bool]) -> None:
        for topic, wanted in topics.items():
            without = set(candidate["unsubscribed"]) - {topic}
            after = sorted(without if wanted else without | {topic})
            candidate.tell("unsubscribed", after, self.at, under=f"topic:{topic}")

    def paused(self, candidate: Record) -> None:
        candidate.tell("paused_until", self.event.until, self.at)

    def resumed(self, candidate: Record) -> None:
        candidate.tell("paused_until", None, self.at)

    def sensitive(self, candidate: Record) -> None:
        until = self.event.until
        candidate.tell("sensitive_until", until and stamp(until), self.at)

    def preferences(self, candidate: Record) -> None:
        told = self.event.preferences
        if told is None:
            return
        given = told.given()
        self._topics(candidate, given.pop("topics", None) or {})
        if "language" in given:
            candidate.tell("locale", given.pop("language"), self.at)
        if "pause_until" in given:
            del given["pause_until"]
            until = told.pause_until
            if candidate.tell("paused_until", until, self.at) and until is not None:
                # A pause is one event, whichever way it was asked for: campaigns start from it.
                id_ = f"paused:{self.event.source}:{self.event.id}"
                self._raise("candidate.paused", id_, candidate.key, {"until": stamp(until)})
        self._tell(candidate, given)

    def answered(self, candidate: Record) -> None:
        told = self.event.answer
        if told is not None:
            answers = dict(candidate["answers"] or {}) | {told.question: told.value}
            candidate.tell("answers", answers, self.at, under=f"answer:{told.question}")
            candidate.put(ANSWERED_AT, max(candidate[ANSWERED_AT] or "", stamp(self.at)))

    def contacted(self, candidate: Record) -> None:
        told = self.event.contact
        if told is None:
            return
        self.known.new_contacts.append(
            {
                "candidate_id": candidate.key,
                "application": self.event.application and self.event.application.id,
                "at": min(told.at or self.at, self.now),
                "kind": told.kind,
                "person": told.person and key_of(told.person),
                "outcome": told.outcome,
                "promise": told.promise,
            }
        )
        if told.kind == "call":
            application = self.event.application.id if self.event.application else None
            outcome = told.outcome or "spoke"
            self.known.rang.append(Rang(candidate.key, application, told.task, outcome, self.at))

    def bounced(self, candidate: Record) -> None:
        told = self.event.message
        if told is None:
            return
        if told.permanent:
            candidate.tell("suppressed", told.reason or "bounced", self.at)
            self._came_back(candidate, BOUNCES)
        if told.id:
            self.known.bounced.add(told.id)

    def complained(self, candidate: Record) -> None:
        """They called a mail spam: nothing goes to that address any more (RFC 6650), and no nurture
        mail to this person."""
        self._topics(candidate, {"all": False})
        candidate.tell("suppressed", "complained", self.at)
        self._came_back(candidate, COMPLAINTS)

    def _came_back(self, candidate: Record, kind: str) -> None:
        """For guardrails; what was told for completeness says nothing about today's mail."""
        if not self.event.historical:
            id_ = self.event.message.id if self.event.message else None
            self.known.returned.append(Returned(kind, id_, candidate.key))

    def erased(self, candidate: Record) -> None:
        """Nothing is left but that there was somebody who must not be written to."""
        self.known.emails.pop(candidate["email_key"] or "", None)
        for name in ("email", "email_key", "suppressed", "paused_until", "replied_at"):
            candidate.values[name] = None
        candidate.values |= {"do_not_contact": True, "unsubscribed": ["all"]}
        candidate.data, candidate.as_of = {ERASED: stamp(self.at)}, {}
        candidate.touched = candidate.changed = True
        self.known.erased.add(candidate.key)


_EFFECTS: dict[str, Callable[[_Taking, Record], None]] = {
    "candidate.do_not_contact": _Taking.do_not_contact,
    "candidate.replied": _Taking.replied,
    "candidate.unsubscribed": _Taking.unsubscribed,
    "candidate.paused": _Taking.paused,
    "candidate.resumed": _Taking.resumed,
    "candidate.sensitive": _Taking.sensitive,
    "candidate.preferences": _Taking.preferences,
    "candidate.erased": _Taking.erased,
    "answer.given": _Taking.answered,
    "contact.logged": _Taking.contacted,
    "message.bounced": _Taking.bounced,
    "message.complained": _Taking.complained,
}


def _in_calendars(interview: Record) -> tuple[Any, ...]:
    """What of an interview stands in a calendar: when, where, and whether it is on."""
    off = interview["status"] == "cancelled"
    return (off, *(interview[name] for name in ("starts_at", "ends_at", *_WHERE)))


def _implied(stage: list[str | None]) -> bool:
    """Whether it was concluded from an application that began, and not told."""
    return stage[1] is not None and stage[2] is None


def _first(record: Record, name: str, value: Any) -> None:
    """The earliest of what was concluded, where nobody told it outright."""
    if name not in record.as_of and (record[name] is None or value < record[name]):
        record.put(name, value)


def _in_order(history: list[list[str | None]]) -> list[list[str | None]]:
    """By time. When it grows too long, what only repeats its neighbours goes first."""
    history = sorted(history, key=lambda one: one[0] or "")
    if len(history) <= _HISTORY_AT_MOST:
        return history
    inner = zip(history, history[1:], history[2:], strict=False)
    told = [one for before, one, after in inner if not before[1:] == one[1:] == after[1:]]
    return [history[0], *told, history[-1]][-_HISTORY_AT_MOST:]


def _fold(loser: Record, survivor: Record) -> None:
    """What only the one knew is now known of the other; the stricter wish stands."""
    answers = {**(loser["answers"] or {}), **(survivor["answers"] or {})}
    if answers != (survivor["answers"] or {}):
        survivor.put("answers", answers)
    together = _wishes_together(loser, survivor)
    for name, value in loser.data.items():
        if name not in survivor.data and name != ERASED:
            survivor.put(name, value)
    for name, value in together.items():
        survivor.put(name, value)
    if survivor["email"] is None:
        for name in ("email", "email_key", "suppressed"):
            survivor.put(name, loser[name])
    if loser["do_not_contact"]:
        survivor.put("do_not_contact", True)
    survivor.put("unsubscribed", sorted({*survivor["unsubscribed"], *loser["unsubscribed"]}))
    for name in ("paused_until", "replied_at"):
        both = [at for at in (loser[name], survivor[name]) if at is not None]
        survivor.put(name, max(both, default=None))


def _wishes_together(loser: Record, survivor: Record) -> dict[str, Any]:
    """Those wishes about which both have said something; the last answer of either."""
    both = (loser.data.keys(), survivor.data.keys())
    stricter = wishes.stricter(wishes.wishes_of(survivor.data), wishes.wishes_of(loser.data))
    told = wishes.data_of(stricter)
    together = {
        name: told.get(name)
        for names in _ALIKE
        if all(not names.isdisjoint(each) for each in both)
        for name in names
    }
    answered = [each[ANSWERED_AT] for each in (loser, survivor) if each[ANSWERED_AT]]
    return together | ({ANSWERED_AT: max(answered)} if answered else {})


def _problem(
    event: IncomingEvent, code: str, said: str, hint: str, severity: str = "error"
) -> Problem:
    file, line = event.place
    message = f"{event.type} {event.id}: {said}"
    return Problem(file=file, line=line, code=code, message=message, hint=hint, severity=severity)
