"""What is known about these candidates? All facts of a batch, in a handful of set queries."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, case, select

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
from nurture.store import facts, tables
from nurture.store.tables import CALL, NOBODY, OF_CALL

#: States whose mail has reached, or may have reached, the candidate.
CONTACTED = (MessageState.SENDING, MessageState.SENT, MessageState.UNKNOWN, MessageState.BOUNCED)
#: States in which nothing more can become of a message's step.
SETTLED = (MessageState.SENT, MessageState.UNKNOWN, MessageState.BOUNCED, MessageState.FAILED)

#: Enum members by their stored word: a third of the cost of calling the enum.
_STATES = {each.value: each for each in StepState}
_VERDICTS = {None: None} | {each.value: each for each in Verdict}
_REASONS = {None: None} | {each.value: each for each in Reason}


def load(
    connection: Connection, ids: Collection[int], heard: Collection[str] = ()
) -> dict[int, Facts]:
    """The facts of each of these candidates, by id. Unknown ids are left out.

    `heard`: the types of events that are read although they were planned on already.
    """
    rows = _Rows(connection, ids)
    candidates = {
        row["id"]: row
        for row in rows.of(select(tables.candidates).where(tables.candidates.c.id.in_(ids)))
    }
    applications = rows.grouped(tables.applications)
    jobs = rows.named(
        tables.jobs, tables.jobs.c.ref, {row["job"] for row in _flat(applications) if row["job"]}
    )
    interviews = rows.grouped(tables.interviews)
    offers = rows.grouped(tables.offers)
    promises = rows.grouped(tables.promises)
    owners = {row["owner"] for row in _flat(promises) if row["owner"]}
    people = rows.named(tables.people, tables.people.c.email, _emails(applications) | owners)
    enrollments = rows.grouped(tables.enrollments)
    steps = rows.records()
    human = rows.grouped(tables.contacts)
    mails = rows.mails()
    events = rows.events()
    known = rows.heard(heard)
    calls = rows.calls()
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
            contacts=_contacts(human[id_], mails[id_]),
            messages=tuple(
                message_from_row(each) for each in mails[id_] if each.row["state"] not in SETTLED
            ),
            events=tuple(events[id_]),
            heard=tuple(known[id_]),
            replied_at=row["replied_at"],
            answered_at=facts.answered_at(row),
            calls=tuple(call_from_row(each) for each in calls[id_]),
        )
    return found


class _Rows:
    """Reads rows of these candidates, grouped by candidate."""

    def __init__(self, connection: Connection, ids: Collection[int]) -> None:
        self.connection = connection
        self.ids = ids

    def of(self, query: Select[Any]) -> Sequence[RowMapping]:
        return self.connection.execute(query).mappings().all()

    def grouped(self, table: Any) -> Mapping[int, list[RowMapping]]:
        order = table.primary_key.columns.values()
        query = select(table).where(table.c.candidate_id.in_(self.ids)).order_by(*order)
        return self._group(query)

    def named(self, table: Any, key: Any, names: Collection[str]) -> dict[str, Any]:
        read = facts.job_from_row if table is tables.jobs else facts.person_from_row
        if not names:
            return {}
        return {row[key.name]: read(row) for row in self.of(select(table).where(key.in_(names)))}

    def records(self) -> Mapping[int, list[StepRecord]]:
        """By far the most rows, so only what a decision reads, and nothing looked up by name."""
        steps = tables.steps.c
        query = (
            select(
                steps.candidate_id,
                steps.enrollment_id,
                steps.step,
                steps.occurrence,
                steps.anchor_at,
                steps.moment_at,
                steps.known_at,
                steps.state,
                steps.settled_at,
                steps.verdict,
                steps.reason,
                steps.at,
                case((steps.reason == Reason.CHOSEN, steps.detail["chosen"].as_string())),
            )
            .where(steps.candidate_id.in_(self.ids))
            .order_by(steps.enrollment_id, steps.step, steps.occurrence)
        )
        groups: defaultdict[int, list[StepRecord]] = defaultdict(list)
        for (
            owner,
            enrollment_id,
            step,
            occurrence,
            anchor_at,
            moment_at,
            known_at,
            state,
            *last,
        ) in self.connection.execute(query):
            settled_at, verdict, reason, at, chosen = last
            groups[owner].append(
                StepRecord(
                    enrollment_id=enrollment_id,
                    step=step,
                    occurrence=occurrence,
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

    def mails(self) -> Mapping[int, list["_Mail"]]:
        messages, own = tables.messages, tables.message_steps
        of_section = [own.c[name].label(f"section_{name}") for name in _OF_SECTION]
        query = (
            select(messages, own.c.enrollment_id, own.c.step, own.c.occurrence, *of_section)
            .join(own, own.c.message_id == messages.c.id)
            .where(messages.c.candidate_id.in_(self.ids))
            .order_by(messages.c.id, own.c.position)
        )
        found: defaultdict[int, list[_Mail]] = defaultdict(list)
        for row in self.of(query):
            mails = found[row["candidate_id"]]
            if not mails or mails[-1].row["id"] != row["id"]:
                mails.append(_Mail(row, []))
            if row["section_campaign"] is not None:
                mails[-1].said.append(_section(row))
        return found

    def calls(self) -> Mapping[int, list[RowMapping]]:
        tasks = tables.tasks
        return self._group(
            select(tasks)
            .where(tasks.c.candidate_id.in_(self.ids), tasks.c.kind == CALL)
            .order_by(tasks.c.id)
        )

    def events(self) -> Mapping[int, list[Event]]:
        return self._events(tables.events.c.planned_at.is_(None))

    def heard(self, types: Collection[str]) -> Mapping[int, list[Event]]:
        if not types:
            return defaultdict(list)
        events = tables.events.c
        return self._events(events.planned_at.is_not(None), events.type.in_(types))

    def _events(self, *which: ColumnElement[bool]) -> Mapping[int, list[Event]]:
        events = tables.events
        rows = self._group(
            select(events)
            .where(events.c.candidate_id.in_(self.ids), *which)
            .order_by(events.c.occurred_at, events.c.id)
        )
        read = {id_: [facts.event_from_row(row) for row in own] for id_, own in rows.items()}
        return defaultdict(list, read)

    def _group(self, query: Select[Any]) -> Mapping[int, list[RowMapping]]:
        groups: defaultdict[int, list[RowMapping]] = defaultdict(list)
        for row in self.of(query):
            groups[row["candidate_id"]].append(row)
        return groups


class _Mail(NamedTuple):
    """A message's row with its first step, and what it says of each where that is several."""

    row: RowMapping
    said: list[Section]

    @property
    def sections(self) -> tuple[Section, ...]:
        return tuple(self.said) if len(self.said) > 1 else ()


_OF_SECTION = ("campaign", "template", "category", "application")


def _section(row: RowMapping) -> Section:
    return Section(
        enrollment_id=row["enrollment_id"],
        step=row["step"],
        occurrence=row["occurrence"],
        **{name: row[f"section_{name}"] for name in _OF_SECTION},
    )


def message_from_row(mail: _Mail) -> Message:
    row = mail.row
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
        words=(row["template_digest"], row["layout_digest"]),
        sections=mail.sections,
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


def _contacts(human: Sequence[RowMapping], mails: Sequence[_Mail]) -> tuple[Contact, ...]:
    """Calls and mails by people, and what the engine sent; a bundle's row counts once. A call that
    nobody took is no contact."""
    calls = [
        Contact(
            at=row["at"],
            label=row["kind"],
            application=row["application"],
            human=True,
            outcome=row["outcome"],
            keeps=row["promise"],
        )
        for row in human
        if row["outcome"] not in NOBODY
    ]
    sent = [
        Contact(
            at=row["sent_at"],
            category=row["category"],
            klass=MessageClass(row["klass"]),
            label=row["template"],
            campaign=row["campaign"],
            template=row["template"],
            step=row["step"],
            application=row["application"],
            message_id=row["id"],
            sections=mail.sections,
            arrived=row["state"] == MessageState.SENT,
        )
        for mail in mails
        for row in (mail.row,)
        if row["state"] in CONTACTED and row["sent_at"] is not None
    ]
    return tuple(sorted([*calls, *sent], key=lambda contact: contact.at))


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
