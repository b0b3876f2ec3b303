"""What is known about these candidates? All facts of a batch, in a handful of set queries."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, Select

from nurture.core.model import (
    Application,
    Call,
    Contact,
    Enrollment,
    Event,
    Facts,
    Message,
    MessageClass,
    MessageState,
    Reason,
    Section,
    StepRecord,
    StepState,
    Subject,
    Verdict,
)
from nurture.store import facts, statements
from nurture.store.tables import NOBODY, OF_CALL

#: Enum members by their stored word: a third of the cost of calling the enum.
_STATES = {each.value: each for each in StepState}
_VERDICTS = {None: None} | {each.value: each for each in Verdict}
_REASONS = {None: None} | {each.value: each for each in Reason}
_CLASSES = {each.value: each for each in MessageClass}
_AT = attrgetter("at")

_Named = TypeVar("_Named")


def load(
    connection: Connection, ids: Collection[int], heard: Collection[str] = ()
) -> dict[int, Facts]:
    """The facts of each of these candidates, by id. Unknown ids are left out.

    `heard`: the types of events that are read although they were planned on already.
    """
    if not ids:
        return {}
    rows = _Rows(connection, ids)
    candidates = {row["id"]: row for row in rows.of(statements.CANDIDATES)}
    applications = rows.grouped(statements.APPLICATIONS)
    named = {row["job"] for row in _flat(applications) if row["job"]}
    jobs = rows.named(statements.JOBS, facts.job_from_row, named)
    interviews = rows.grouped(statements.INTERVIEWS)
    offers = rows.grouped(statements.OFFERS)
    promises = rows.grouped(statements.PROMISES)
    owners = {row["owner"] for row in _flat(promises) if row["owner"]}
    people = rows.named(statements.PEOPLE, facts.person_from_row, _emails(applications) | owners)
    enrollments = rows.grouped(statements.ENROLLMENTS)
    steps = rows.records()
    contacts = rows.contacts()
    messages = rows.messages()
    events = rows.events(statements.NEW_EVENTS)
    known = rows.events(statements.HEARD, types=list(heard)) if heard else defaultdict(list)
    calls = rows.grouped(statements.CALLS)
    found = {}
    for id_, row in candidates.items():
        own = [facts.application_from_row(each) for each in applications[id_]]
        found[id_] = Facts(
            candidate=facts.candidate_from_row(row),
            applications={each.ref: each for each in own},
            interviews={each["ref"]: facts.interview_from_row(each) for each in interviews[id_]},
            offers={each["ref"]: facts.offer_from_row(each) for each in offers[id_]},
            promises={each["ref"]: facts.promise_from_row(each) for each in promises[id_]},
            jobs={each.job: jobs[each.job] for each in own if each.job in jobs},
            people={
                email: people[email]
                for email in [
                    *(email for each in own for email in _staff(each)),
                    *(row["owner"] for row in promises[id_]),
                ]
                if email in people
            },
            enrollments=tuple(_enrollment(each) for each in enrollments[id_]),
            records=tuple(steps[id_]),
            contacts=tuple(contacts[id_]),
            messages=tuple(messages[id_]),
            events=tuple(events[id_]),
            heard=tuple(known[id_]),
            replied_at=row["replied_at"],
            answered_at=facts.answered_at(row),
            calls=tuple(call_from_row(each) for each in calls[id_]),
        )
    return found


class _Rows:
    """Reads rows of these candidates, grouped by candidate. The statements are made once."""

    def __init__(self, connection: Connection, ids: Collection[int]) -> None:
        self.connection = connection
        self.ids = {"ids": list(ids)}

    def of(self, query: Select[Any], **values: Any) -> Sequence[RowMapping]:
        return self.connection.execute(query, self.ids | values).mappings().all()

    def grouped(self, query: Select[Any], **values: Any) -> Mapping[int, list[RowMapping]]:
        groups: defaultdict[int, list[RowMapping]] = defaultdict(list)
        for row in self.of(query, **values):
            groups[row["candidate_id"]].append(row)
        return groups

    def named(
        self, query: Select[Any], read: Callable[[RowMapping], _Named], names: Collection[str]
    ) -> dict[str, _Named]:
        """By the first column."""
        if not names:
            return {}
        found = self.connection.execute(query, {"names": list(names)}).mappings()
        return {next(iter(row.values())): read(row) for row in found}

    def records(self) -> Mapping[int, list[StepRecord]]:
        """By far the most rows, so only what a decision reads, and nothing looked up by name."""
        groups: defaultdict[int, list[StepRecord]] = defaultdict(list)
        for (
            owner,
            enrollment_id,
            step,
            occurrence,
            anchor,
            anchor_at,
            moment_at,
            known_at,
            state,
            settled_at,
            verdict,
            reason,
            at,
            chosen,
        ) in self.connection.execute(statements.STEPS, self.ids).all():
            groups[owner].append(
                StepRecord(
                    enrollment_id=enrollment_id,
                    step=step,
                    occurrence=occurrence,
                    anchor=anchor,
                    anchor_at=anchor_at,
                    moment_at=moment_at,
                    known_at=known_at,
                    state=_STATES[state],
                    settled_at=settled_at,
                    verdict=_VERDICTS[verdict],
                    reason=_REASONS[reason],
                    at=at,
                    chosen=chosen,
                )
            )
        return groups

    def contacts(self) -> Mapping[int, list[Contact]]:
        """Calls and mails by people, and what the engine sent; a bundle's row counts once. A call
        that nobody took is no contact."""
        found = self._mailed()
        for row in self.of(statements.HUMAN):
            if row["outcome"] in NOBODY:
                continue
            found[row["candidate_id"]].append(
                Contact(
                    at=row["at"],
                    label=row["kind"],
                    application=row["application"],
                    human=True,
                    outcome=row["outcome"],
                    keeps=row["promise"],
                )
            )
        for each in found.values():
            each.sort(key=_AT)
        return found

    def _mailed(self) -> defaultdict[int, list[Contact]]:
        found: defaultdict[int, list[Contact]] = defaultdict(list)
        bundles: dict[int, list[Section]] = {}
        for (
            owner,
            id_,
            state,
            category,
            klass,
            template,
            campaign,
            application,
            sent_at,
            header,
            invite,
            content,
            step,
            *section,
        ) in self.connection.execute(statements.MAILED, self.ids).all():
            if section[2] is not None:
                part = _section(content, step, *section)
                if id_ in bundles:
                    bundles[id_].append(part)
                    continue
                bundles[id_] = [part]
            found[owner].append(
                Contact(
                    at=sent_at,
                    category=category,
                    klass=_CLASSES[klass],
                    label=template,
                    campaign=campaign,
                    template=template,
                    step=step,
                    application=application,
                    message_id=id_,
                    enrollment_id=section[0],
                    header=header,
                    invite=invite,
                    content=tuple(content or ()),
                    arrived=state == MessageState.SENT,
                )
            )
        several = {id_ for id_, said in bundles.items() if len(said) > 1}
        if several:
            for owner, own in found.items():
                found[owner] = [
                    replace(each, sections=tuple(bundles[each.message_id]))
                    if each.message_id in several
                    else each
                    for each in own
                ]
        return found

    def messages(self) -> Mapping[int, list[Message]]:
        """Those of which something can become still."""
        found: defaultdict[int, list[Message]] = defaultdict(list)
        rows: dict[int, list[RowMapping]] = {}
        for row in self.of(statements.MESSAGES):
            rows.setdefault(row["id"], []).append(row)
        for said in rows.values():
            found[said[0]["candidate_id"]].append(_message(said))
        return found

    def events(self, query: Select[Any], **values: Any) -> Mapping[int, list[Event]]:
        rows = self.grouped(query, **values)
        read = {id_: [facts.event_from_row(row) for row in own] for id_, own in rows.items()}
        return defaultdict(list, read)


def _section(
    content: Sequence[str] | None,
    step: str,
    enrollment_id: int,
    occurrence: str,
    campaign: str,
    template: str,
    category: str,
    application: str | None,
) -> Section:
    return Section(
        enrollment_id=enrollment_id,
        step=step,
        occurrence=occurrence,
        campaign=campaign,
        template=template,
        category=category,
        application=application,
        content=tuple(content or ()),
    )


def _message(said: Sequence[RowMapping]) -> Message:
    """Of its row with each step that it has."""
    row = said[0]
    sections = tuple(
        _section(
            each["content"],
            each["step"],
            each["enrollment_id"],
            each["occurrence"],
            *(each[f"section_{name}"] for name in statements.OF_SECTION),
        )
        for each in said
        if each["section_campaign"] is not None
    )
    return Message(
        id=row["id"],
        candidate_id=row["candidate_id"],
        message_id=row["message_id"],
        state=MessageState(row["state"]),
        campaign=row["campaign"],
        template=row["template"],
        category=row["category"],
        enrollment_id=row["enrollment_id"],
        step=row["step"],
        occurrence=row["occurrence"],
        application=row["application"],
        created_at=row["created_at"],
        approved_at=row["approved_at"],
        approved_by=row["approved_by"],
        approved_digest=row["approved_digest"],
        approved_as_of=row["approved_as_of"],
        sections=sections if len(sections) > 1 else (),
        content=tuple(row["content"] or ()),
        until=row["until"],
        sent_at=row["sent_at"],
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        reason=Reason(row["reason"]) if row["reason"] else None,
        detail=row["detail"],
    )


def call_from_row(row: RowMapping) -> Call:
    return Call(
        task_id=row["id"],
        enrollment_id=row["enrollment_id"],
        step=row["step"],
        occurrence=row["occurrence"].removeprefix(OF_CALL),
        created_at=row["created_at"],
        fallback_at=row["fallback_at"],
        state=row["state"],
        outcome=row["outcome"],
        tries=row["tries"],
        done_at=row["done_at"],
    )


def _enrollment(row: RowMapping) -> Enrollment:
    return Enrollment(
        id=row["id"],
        candidate_id=row["candidate_id"],
        campaign=row["campaign"],
        subject=Subject(
            application=row["application"],
            interview=row["interview"],
            offer=row["offer"],
            promise=row["promise"],
        ),
        about=row["subject"],
        number=row["number"],
        entered_at=row["entered_at"],
        ended_at=row["ended_at"],
    )


def _emails(applications: Mapping[int, list[RowMapping]]) -> set[str]:
    roles = ("recruiter", "coordinator", "hiring_manager")
    rows = _flat(applications)
    return {row["data"][role] for row in rows for role in roles if row["data"].get(role)}


def _staff(application: Application) -> tuple[str | None, ...]:
    return (application.recruiter, application.coordinator, application.hiring_manager)


def _flat(groups: Mapping[int, list[RowMapping]]) -> list[RowMapping]:
    return [row for group in groups.values() for row in group]
