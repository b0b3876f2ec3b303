"""Who is due, and what was decided for them? Claims rung candidates, plans each, writes it down."""

import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from nurture.authoring.library import Library
from nurture.clock import Clock
from nurture.config import Config
from nurture.core import by_hand, calling
from nurture.core.agenda import Agenda, Item, Ledger, Recipient, plan
from nurture.core.anchors import Ground, silence_due
from nurture.core.hours import Calendar
from nurture.core.journey import Key, Standstill, Want, awaited, stand
from nurture.core.model import (
    Application,
    Campaign,
    Candidate,
    Enrollment,
    Event,
    Facts,
    Message,
    Reason,
    Subject,
    Verdict,
)
from nurture.core.promised import with_kept
from nurture.core.release import AnyGate, held
from nurture.core.renames import Renames, read_as_now, renames
from nurture.core.timing import shift
from nurture.engine import house, soon
from nurture.engine.audience import Audiences
from nurture.engine.choosing import Chooser
from nurture.engine.enrolling import Around, Roll, enroll
from nurture.engine.guard import OPEN, Gates, Guard
from nurture.engine.recording import Decided, by_key, changes, new_messages
from nurture.engine.stops import NOTHING
from nurture.engine.truths import Truths
from nurture.errors import NurtureError
from nurture.rendering.content import WORD
from nurture.rendering.context import VOCABULARY, context
from nurture.rendering.languages import reads
from nurture.rendering.renderer import Renderer
from nurture.rendering.talking_points import talking_points
from nurture.rendering.titles import called
from nurture.store import notices, planning, promises, silence
from nurture.store.database import Connection, Database
from nurture.store.reading import load

log = logging.getLogger("nurture.planner")

BATCH = 200
#: A candidate whose planning fails is looked at again after this, doubled each time, at most a day.
FIRST_BACK_OFF = timedelta(minutes=1)
LONGEST_BACK_OFF = timedelta(days=1)
#: A mail or task that cannot be worded is looked at again after this, if nothing is told before.
MEND_AFTER = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One candidate's facts and what was decided from them."""

    facts: Facts
    agenda: Agenda
    new: Mapping[Key, Message] = field(default_factory=dict)  #: written just now


@dataclass
class _Wanted:
    recipient: Recipient
    wanted: list[Want | Standstill] = field(default_factory=list)
    held: frozenset[Key] = frozenset()
    alarms: list[datetime] = field(default_factory=list)


class Planner:
    """Plans candidates: for the daemon in transactions, for the pages without a trace."""

    def __init__(
        self,
        database: Database,
        library: Library,
        config: Config,
        clock: Clock,
        renderer: Callable[[], Renderer],
    ) -> None:
        self.database = database
        self.library = library
        self.config = config
        self.clock = clock
        self.renderer = renderer
        self.policy = house.policy(config)
        self.calendars = house.Calendars(config)
        self.audiences = Audiences(database, library, config, clock)
        self.guard = Guard(database, library, config)
        self.guard.scanning = self.audiences.unfinished
        self._renames: tuple[Any, Renames] = (None, {})

    def tick(self) -> int:
        """Plan one batch of candidates whose alarm has rung, and do the chores. How much was done;
        0: nothing is left for now."""
        now = self.clock.now()
        with self.database.write() as connection:
            ids = planning.rung(connection, now, BATCH)
            if ids:
                self.plan_locked(connection, ids, now)
            self.guard.ticked(connection, now)
        if ids:
            log.info("planned", extra={"action": "planned", "candidates": len(ids)})
        return len(ids) + self.chores()

    def chores(self) -> int:
        """Look at one batch for an audience that came into force, and count one of those whom an
        edit makes due, each in a transaction of its own. How much was done."""
        return self.audiences.scan() + self.guard.work(self.newly_due, self.clock.now())

    def plan_locked(
        self, connection: Connection, ids: Collection[int], now: datetime
    ) -> dict[int, Planned]:
        """Plan these candidates, whose rows the caller has locked, and write what was decided.

        1. Today's events make and end enrollments; the new ones are stored, so they have ids.
        2. Each candidate is planned by itself. One that raises is set aside, with the reason and a
           back-off, and the rest goes on.
        3. All that changed is written in bulk, and which promises are kept by now.
        """
        gates = self.guard.gates(connection, now, lock=True)
        everyone = self._load(connection, ids, now)
        rolls: dict[int, Roll] = {}
        for id_, facts in everyone.items():
            with self._set_aside(connection, id_, now):
                rolls[id_] = self._enroll(facts, now)
        self._store_entered(connection, rolls)
        decided: dict[int, Decided] = {}
        for id_, roll in rolls.items():
            with self._set_aside(connection, id_, now):
                decided[id_] = self._decide(everyone[id_], roll, now, gates)
        rows: list[planning.Changes] = []
        for id_, each in decided.items():
            with self._set_aside(connection, id_, now):
                rows.append(changes(each, now))
        refused = planning.write(connection, rows, now)
        for id_, why in refused.items():
            with self._set_aside(connection, id_, now):
                raise NurtureError(why)
        written = {row.candidate_id: row for row in rows if row.candidate_id not in refused}
        self._keep_promises(connection, [decided[id_].facts for id_ in sorted(written)], now)
        self._keep_silences(connection, [decided[id_] for id_ in sorted(written)], now)
        self._tell_of_near(connection, [decided[id_].facts for id_ in sorted(written)], now)
        return {
            id_: Planned(
                facts=decided[id_].facts, agenda=decided[id_].agenda, new=new_messages(row)
            )
            for id_, row in written.items()
        }

    def _keep_promises(
        self, connection: Connection, everyone: Collection[Facts], now: datetime
    ) -> None:
        owed = [promise for facts in everyone for promise in facts.promises.values()]
        promises.keep(connection, [each for each in owed if each.status == "kept"], now)

    def _keep_silences(
        self, connection: Connection, everyone: Collection[Decided], now: datetime
    ) -> None:
        """By when each application must hear from us is written beside it, where it has changed."""
        changed = {}
        for each in everyone:
            ground = self._ground(each.facts, each.calendar, now)
            for application in each.facts.applications.values():
                due = silence_due(application, ground)
                if due != application.silence_due_at:
                    changed[application.ref] = due
        silence.keep(connection, changed)

    def _tell_of_near(
        self, connection: Connection, everyone: Collection[Facts], now: datetime
    ) -> None:
        """Our own people hear at once of what happens to an interview that is near."""
        if self.config.morning.to == "off":
            return
        sender = self.config.sender.email
        found = [
            soon.occasion(sender, person, notices.SOON, about)
            for facts in everyone
            if facts.events
            for person, about in soon.near(facts, now)
        ]
        notices.add(connection, found, now)

    def _load(
        self, connection: Connection, ids: Collection[int], now: datetime
    ) -> Mapping[int, Facts]:
        """The facts of all; where somebody's rows cannot be read, of all others."""
        try:
            return self.read(connection, ids)
        except (ValueError, TypeError, LookupError, AttributeError):
            everyone: dict[int, Facts] = {}
            for id_ in ids:
                with self._set_aside(connection, id_, now):
                    everyone |= self.read(connection, [id_])
            return everyone

    def read(self, connection: Connection, ids: Collection[int]) -> dict[int, Facts]:
        """What is stored, by the ids that steps have now, and with each promise kept that
        something since has kept."""
        found = load(connection, ids, awaited(self.library.campaigns.values()) | by_hand.TYPES)
        campaigns, names = self._renames
        if campaigns is not self.library.campaigns:
            names = renames(self.library.campaigns.values())
            self._renames = (self.library.campaigns, names)
        kept = {id_: with_kept(facts, self.policy.categories) for id_, facts in found.items()}
        if not names:
            return kept
        return {id_: read_as_now(facts, names) for id_, facts in kept.items()}

    def view(
        self, connection: Connection, candidate_id: int, supposing: Collection[Event] = ()
    ) -> Planned | None:
        """The same decision, written nowhere: for previews and explanations. `supposing`: as if
        these had just come in."""
        now = self.clock.now()
        facts = self.read(connection, [candidate_id]).get(candidate_id)
        if facts is None:
            return None
        if supposing:
            facts = replace(facts, events=(*facts.events, *supposing))
        gates = self.guard.gates(connection, now)
        decided = self._decide(facts, self._enroll(facts, now), now, gates)
        return Planned(facts=decided.facts, agenda=decided.agenda)

    def newly_due(
        self, connection: Connection, ids: Collection[int], gate: AnyGate, now: datetime
    ) -> list[int]:
        """Those of these people who would be sent something at once if this gate were not."""
        found = self.read(connection, ids)
        due = []
        for id_, facts in found.items():
            with suppress(Exception):  # planning sets them aside, with the reason
                if self.holds(facts, gate, now):
                    due.append(id_)
        return due

    def holds(self, facts: Facts, gate: AnyGate, now: datetime) -> bool:
        """Whether this gate alone holds anything of what is due for this person."""
        gates = Gates.of_all([gate], NOTHING)
        return bool(self._wanted(facts, self._enroll(facts, now), now, gates).held)

    def foresee(self, facts: Facts, campaigns: Mapping[str, Campaign], now: datetime) -> Agenda:
        """What would be decided for this person by these campaigns, if nothing were held and
        nobody entered or left."""
        active = [each for each in facts.enrollments if each.ended_at is None]
        roll = Roll(truths=Truths(facts, self.config, now), active=active)
        found = self._wanted(facts, roll, now, OPEN, campaigns)
        return plan(found.recipient, found.wanted, self._ledger(facts), self.policy, now)

    def _enroll(self, facts: Facts, now: datetime) -> Roll:
        around = Around(
            campaigns=self.library.campaigns,
            policy=self.policy,
            truths=Truths(facts, self.config, now),
            now=now,
            later=lambda at, length: shift(at, length, self.calendars.of(facts.candidate)),
            narrowed=self.audiences.narrowed,
        )
        return enroll(facts, around)

    def _wanted(
        self,
        facts: Facts,
        roll: Roll,
        now: datetime,
        gates: Gates,
        campaigns: Mapping[str, Campaign] | None = None,
    ) -> "_Wanted":
        """What every campaign wants for this person, and what of it is held."""
        campaigns = self.library.campaigns if campaigns is None else campaigns
        anyway = self.calendars.recipient(facts)
        recipient = gates.stops.told(anyway, facts, roll.active)
        ground = self._ground(facts, recipient.calendar, now)
        found = _Wanted(recipient)
        for enrollment in roll.active:
            campaign = campaigns.get(enrollment.campaign)
            if campaign is None:
                continue
            truth = roll.truths.of(enrollment)
            wanted = stand(campaign, enrollment, ground, truth)
            for gate in gates.of(enrollment, facts):
                former = gate.compared(enrollment)
                before = stand(former, enrollment, ground, truth) if former else []
                # What a restore holds is in doubt already, whether it is stopped or not.
                whom = anyway if gate.cause == "restore" else recipient
                result = held(wanted, before, gate, whom, self.policy, now)
                wanted = result.wanted
                found.held |= result.held
                found.alarms += result.alarms
            found.wanted += wanted
        return found

    def _ground(self, facts: Facts, calendar: Calendar, now: datetime) -> Ground:
        law = self.config.legal_silence
        return Ground(
            facts=facts,
            calendar=calendar,
            now=now,
            known_at=min((event.received_at for event in facts.events), default=now),
            interview_minutes=self.config.interview_minutes,
            silence=self.config.silence,
            legal=law.ceiling if law else None,
            categories=self.config.categories,
        )

    def _decide(self, facts: Facts, roll: Roll, now: datetime, gates: Gates = OPEN) -> Decided:
        if roll.entered:
            facts = replace(facts, enrollments=(*facts.enrollments, *roll.entered))
        found = self._wanted(facts, roll, now, gates)
        agenda = plan(found.recipient, found.wanted, self._ledger(facts), self.policy, now)
        if alarms := [*roll.alarms, *found.alarms]:
            alarms += [agenda.wake_at] if agenda.wake_at else []
            agenda = replace(agenda, wake_at=min(alarms))
        tasks, agenda = self._tasks(facts, agenda, now)
        calls, agenda = self._calls(facts, agenda, now)
        return Decided(
            facts=facts,
            agenda=agenda,
            calendar=found.recipient.calendar,
            ended=tuple(roll.ended),
            tasks=tasks,
            calls=calls,
            fallback_after=self.config.fallback_after,
            campaigns=self.library.campaigns,
            domain=self.config.sender.email.partition("@")[2],
        )

    def _ledger(self, facts: Facts) -> Ledger:
        """What has reached this candidate, and what is on its way. Whether a letter is still the
        one that somebody approved is asked once, when it is written to be sent."""
        messages = by_key(facts.messages)
        return Ledger(
            contacts=facts.contacts,
            messages=messages,
            calls=by_key(facts.calls),
            approved=frozenset(
                key for key, each in messages.items() if each.approved_at is not None
            ),
            choosing=self._chooser(facts),
        )

    def _chooser(self, facts: Facts) -> Chooser:
        calendar = self.calendars.of(facts.candidate)
        return Chooser(self.library.content, facts, calendar, self.renderer(), self.config)

    def _tasks(
        self, facts: Facts, agenda: Agenda, now: datetime
    ) -> tuple[Mapping[Key, tuple[str, str | None]], Agenda]:
        """Text and assignee of each task that is due, in the words of its campaign. One that
        lacks a fact waits for it, and nothing else of this person waits with it."""
        due: dict[Key, tuple[str, str | None]] = {}
        unsaid: dict[Key, str] = {}
        for item in agenda.items:
            if item.verdict is Verdict.TASK and item.final:
                enrollment = next(
                    each for each in facts.enrollments if each.id == item.key.enrollment_id
                )
                words = self._words(facts, enrollment, now)
                application = facts.applications.get(enrollment.subject.application or "")
                if item.step.task is None:
                    text = _to_tell(item, facts, self.renderer())
                    due[item.key] = (text, _assignee(application, "recruiter"))
                    continue
                try:
                    text = self.renderer().line(item.step.task.text, words)
                except NurtureError as error:
                    unsaid[item.key] = str(error)
                else:
                    due[item.key] = (text, _assignee(application, item.step.task.to))
        if unsaid:
            agenda = _put_off(agenda, unsaid, now + MEND_AFTER)
        return due, agenda

    def _calls(
        self, facts: Facts, agenda: Agenda, now: datetime
    ) -> tuple[Mapping[Key, tuple[str, str | None]], Agenda]:
        """What to say in each call that is due, and who is to make it: instead of a mail, or beside
        one that goes now or waits to be approved."""
        due: dict[Key, tuple[str, str | None]] = {}
        unsaid: dict[Key, str] = {}
        known = by_key(facts.calls)
        for item in agenda.items:
            instead = item.verdict is Verdict.TASK and not item.final
            beside = item.category is not None and calling.rung_as_well(
                facts.candidate, item.category
            )
            beside = beside and (item.verdict is Verdict.SEND or item.reason is Reason.APPROVAL)
            if not (instead or beside) or item.key in known or item.step.send is None:
                continue
            enrollment = next(
                each for each in facts.enrollments if each.id == item.key.enrollment_id
            )
            words = self._words(facts, enrollment, now, item.step.send)
            application = facts.applications.get(enrollment.subject.application or "")
            try:
                locale = reads(facts.candidate, self.config)
                self._bring(words, item, facts, enrollment.subject, now)
                text = talking_points(self.renderer(), item.step.send, words, locale=locale)
            except NurtureError as error:
                if instead:
                    unsaid[item.key] = str(error)
            else:
                text = f"Ring {_name(facts.candidate)}: {text}"
                due[item.key] = (text, _assignee(application, "recruiter"))
        if unsaid:
            agenda = _put_off(agenda, unsaid, now + MEND_AFTER)
        return due, agenda

    def _bring(
        self, words: dict[str, Any], item: Item, facts: Facts, subject: Subject, now: datetime
    ) -> None:
        """What is said of the content library, where the mail would bring something."""
        tag = reads(facts.candidate, self.config)
        template = self.renderer().template(item.step.send or "", tag)
        if template is not None and template.content:
            words[WORD] = self._chooser(facts).brings(item.content, template, subject, now)

    def _words(
        self, facts: Facts, enrollment: Enrollment, now: datetime, letter: str = ""
    ) -> dict[str, Any]:
        """As conditions and tasks have them, or as this letter would."""
        tag, renderer = reads(facts.candidate, self.config), self.renderer()
        template = renderer.template(letter, tag)
        return context(
            facts,
            enrollment.subject,
            enrollment=enrollment,
            config=self.config,
            now=now,
            named=VOCABULARY if template is None else renderer.named(letter, tag),
            phrases=renderer.reasons.in_words_of(template, self.config),
        )

    def _store_entered(self, connection: Connection, rolls: Mapping[int, Roll]) -> None:
        entered = [each for roll in rolls.values() for each in roll.entered]
        ids = planning.enter(connection, [_row(each) for each in entered])
        stored = {
            (each.candidate_id, each.id): replace(each, id=id_)
            for each, id_ in zip(entered, ids, strict=True)
        }
        for candidate_id, roll in rolls.items():

            def now_stored(each: Enrollment, owner: int = candidate_id) -> Enrollment:
                return stored.get((owner, each.id), each)

            roll.entered = [now_stored(each) for each in roll.entered]
            roll.active = [now_stored(each) for each in roll.active]
            roll.ended = [(now_stored(each), why) for each, why in roll.ended]

    def _set_aside(self, connection: Connection, id_: int, now: datetime) -> "_SetAside":
        return _SetAside(connection, id_, now)


class _SetAside:
    """A block that may fail for one candidate without failing for the others."""

    def __init__(self, connection: Connection, candidate_id: int, now: datetime) -> None:
        self.connection = connection
        self.candidate_id = candidate_id
        self.now = now

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, _trace: Any) -> bool:
        if not isinstance(error, Exception):
            return False
        before = planning.failures(self.connection, [self.candidate_id])
        doubled = min(before.get(self.candidate_id, 0), 20)  # beyond is no timedelta
        wait = min(FIRST_BACK_OFF * 2**doubled, LONGEST_BACK_OFF)
        problem = f"{type(error).__name__}: {error}"
        planning.set_aside(self.connection, self.candidate_id, problem, self.now + wait)
        log.error(
            "set aside",
            extra={"action": "set-aside", "candidate": self.candidate_id},
            exc_info=False,
        )
        return True


def _put_off(agenda: Agenda, unsaid: Mapping[Key, str], until: datetime) -> Agenda:
    """The same, with these tasks waiting."""
    items = tuple(
        item._replace(
            verdict=Verdict.WAIT,
            reason=Reason.CANNOT_RENDER,
            at=until,
            final=False,
            detail={"said": unsaid[item.key]},
        )
        if item.key in unsaid
        else item
        for item in agenda.items
    )
    return Agenda(items=items, wake_at=min(until, agenda.wake_at or until))


#: Why a mail became a person's task, as the text of the task goes on.
_NOT_SENT = {
    Reason.LATE: "would have been due before we knew",
    Reason.UNDELIVERABLE: "has no address to go to",
    Reason.UNKNOWN_OUTCOME: "may not have arrived",
    Reason.REFUSED: "was refused by the mail server",
    Reason.SKIPPED: "was skipped by hand",
}


def _to_tell(item: Item, facts: Facts, renderer: Renderer) -> str:
    """What to do about a mail that did not reach them, or must not."""
    whom = _name(facts.candidate)
    if item.reason is Reason.TO_BE_TOLD:
        return f"Tell {whom} what was decided; until they know, nothing else goes out"
    why = _NOT_SENT.get(item.reason, "did not go out in time")
    return f'"{called(renderer, item.step.send or "")}" {why}; tell {whom} yourself'


def _name(person: Candidate) -> str:
    name = " ".join(part for part in (person.first_name, person.last_name) if part)
    return name or person.email or person.ref


def _assignee(application: Application | None, role: str) -> str | None:
    if application is None:
        return None
    people = {
        "recruiter": application.recruiter,
        "coordinator": application.coordinator,
        "hiring_manager": application.hiring_manager,
    }
    return people.get(role) or application.recruiter


def _row(enrollment: Enrollment) -> dict[str, Any]:
    return {
        "candidate_id": enrollment.candidate_id,
        "campaign": enrollment.campaign,
        "subject": enrollment.about,
        "number": enrollment.number,
        "application": enrollment.subject.application,
        "interview": enrollment.subject.interview,
        "offer": enrollment.subject.offer,
        "promise": enrollment.subject.promise,
        "entered_at": enrollment.entered_at,
    }
