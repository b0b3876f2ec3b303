"""Was everybody treated as the house's rules say? By what was told and what the server accepted.

Nothing here asks the engine: windows are counted one by one, working days by the calendar, what a
template is by its front matter, and the rules by config.yaml. Of the engine's own records only the
list of tasks is read, as a recruiter reads it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from nurture.config import Config
from tools.ninety_days.past import Mail, Past, Told
from tools.ninety_days.people import END, HOME, Life, is_workday

#: Clocks strike every half hour here, and a server may say "not now" once or twice.
GRACE = timedelta(hours=1)
_REACHED = ("spoke", "voicemail")
_SAID = {"decision", "closure"}
_ENDS = {
    "application.rejected": "rejected",
    "application.withdrawn": "over",
    "application.hired": "over",
    "offer.sent": "offer",
    "offer.accepted": "over",
}


@dataclass(frozen=True)
class Found:
    """What a checker looked at, and what was wrong with it."""

    looked_at: int
    wrong: tuple[str, ...]


Checker = Callable[[Past, Config], Iterator[str | None]]


def check(past: Past, config: Config) -> dict[str, Found]:
    """Each checker yields None for what it looked at and found right."""
    result = {}
    for name, checker in CHECKERS.items():
        verdicts = list(checker(past, config))
        result[name] = Found(len(verdicts), tuple(each for each in verdicts if each))
    return result


# --- silence --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stretch:
    """From one word to the next, or to the end of its application: all in one stage."""

    of: str
    application: str
    stage: str
    since: datetime  #: the last word
    until: datetime
    due: datetime  #: the longest that they may wait
    escalated: bool  #: a person had it as an open task when it was due

    @property
    def broken(self) -> bool:
        return self.until > self.due + GRACE and not self.escalated


def silence(past: Past, config: Config) -> Iterator[str | None]:
    """Nobody waits longer than their stage allows, unless somebody has it as a task."""
    for each in stretches(past, config):
        yield (
            None
            if not each.broken
            else (
                f"{each.of} ({past.lives[each.of].fate}) heard nothing about {each.application} in"
                f" {each.stage} from {each.since:%a %d %b %H:%M} to {each.until:%a %d %b %H:%M},"
                f" due {each.due:%a %d %b %H:%M}"
            )
        )


def stretches(past: Past, config: Config) -> Iterator[Stretch]:
    for ref, life in past.lives.items():
        told = past.told.get(ref, [])
        if any(each.event["type"] == "candidate.do_not_contact" for each in told):
            continue
        for created in told:
            if created.event["type"] == "application.created":
                yield from _of_one(past, config, life, created)


def _of_one(past: Past, config: Config, life: Life, created: Told) -> Iterator[Stretch]:
    """The course of one application, as its candidate lives it."""
    application = created.event["application"]["id"]
    job = application.rpartition("-")[2]
    course: list[tuple[datetime, str | None, bool, bool]] = []  # at, stage, a word, a decision
    for told in past.told[life.ref]:
        if told.at >= created.at:
            stage = _stage_after(told, application, job)
            word = _is_word(told, application)
            spoken = word and told.event.get("contact", {}).get("outcome") == "spoke"
            course.append((told.at, stage, word, spoken))
    for mail in past.mails.get(life.ref, []):
        about = [name for name, of in mail.parts if of in (job, None)]
        kinds = {past.kinds[name][0] for name in about}
        word = any(config.categories[each].counts_as_contact for each in kinds)
        course.append((mail.at, None, word, bool(kinds & _SAID)))
    course.append((END, None, False, False))
    course.sort(key=lambda each: each[0])
    stage, since = "applied", created.at
    for (at, new, word, decision), (then, *_) in pairwise(course):
        if stage == "rejected" and decision:
            stage = "over"
        if new is not None and stage not in ("over", "rejected"):
            stage, since = new, at if new == "rejected" else since
        limit = config.silence.get(stage)
        days = limit.amount if limit is not None else 0
        if word and stage != "rejected":
            # Three working days from a Friday at noon end after those from the Saturday that
            # follows: a word more never shortens what the one before it allowed.
            since = max(since, at, key=lambda word_at: _workdays_later(life, word_at, days))
        if limit is None or at < created.at:
            continue
        due = max(_workdays_later(life, since, days), at)
        yield Stretch(
            of=life.ref,
            application=application,
            stage=stage,
            since=since,
            until=then,
            due=due,
            escalated=_escalated(past, life.ref, application, due),
        )


def _stage_after(told: Told, application: str, job: str) -> str | None:
    event = told.event
    if event["type"] == "job.closed" and event["job"]["id"] == job:
        return "rejected"  # it is decided, and they are to be told
    if event.get("application", {}).get("id") != application:
        return None
    if event["type"] == "application.stage_changed":
        return str(event["application"]["stage"])
    return _ENDS.get(event["type"])


def _is_word(told: Told, application: str) -> bool:
    event = told.event
    if event["type"] == "candidate.replied":
        return True
    mine = event.get("application", {}).get("id") in (application, None)
    if event["type"] == "answer.given":
        return mine
    return (
        event["type"] == "contact.logged" and mine and event["contact"].get("outcome") in _REACHED
    )


def _escalated(past: Past, ref: str, application: str, due: datetime) -> bool:
    return any(
        task.application in (application, None)
        and task.made <= due + GRACE
        and (task.done is None or task.done >= due)
        for task in past.tasks.get(ref, [])
    )


def _workdays_later(life: Life, at: datetime, days: int) -> datetime:
    """So many of their working days later, at the same time of their day."""
    zone = ZoneInfo(life.zone or HOME)
    local = at.astimezone(zone).replace(tzinfo=None)
    while days:
        local += timedelta(days=1)
        days -= is_workday(life, local.date())
    return local.replace(tzinfo=zone).astimezone(UTC)


# --- caps and pace --------------------------------------------------------------------------------


def caps(past: Past, config: Config) -> Iterator[str | None]:
    """No mail with a cap goes where the window before it is full already."""
    for ref, mails in past.mails.items():
        calls = [
            (each.at, None, "")
            for each in past.told.get(ref, [])
            if each.event["type"] == "contact.logged"
            and each.event["contact"].get("outcome") in _REACHED
        ]
        kinds = [(mail.at, *kind(past, config, mail)) for mail in mails]
        for number, mail in enumerate(mails):
            klass, category = kind(past, config, mail)
            if not config.categories[category].capped:
                continue
            yield None
            before = [*kinds[: number + 1], *calls]
            for cap in config.caps:
                if cap.klass is not None and cap.klass != klass:
                    continue
                if cap.category is not None and cap.category != category:
                    continue
                counted = [
                    at
                    for at, its, name in before
                    if mail.at - cap.per < at <= mail.at
                    and (cap.klass is None or its == cap.klass)
                    and (cap.category is None or name == cap.category)
                ]
                if len(counted) > cap.at_most:
                    yield f"{ref}: {mail.first} on {mail.at:%a %d %b %H:%M} is one over {cap}"
            gap = config.gap
            if gap is not None and gap.klass == klass:
                near = [at for at, *_ in before if mail.at - gap.after_any < at < mail.at]
                if near:
                    yield f"{ref}: {mail.first} on {mail.at:%a %d %b %H:%M} is too near to another"


def pace(past: Past, config: Config) -> Iterator[str | None]:
    """Who asked for one mail a week, on Thursdays, gets no more that could wait; who asked for
    what matters only gets none."""
    for ref, mails in past.mails.items():
        traits = past.lives[ref].traits
        waits = [m for m in mails if config.categories[kind(past, config, m)[1]].capped]
        if "weekly pace" in traits:
            yield from (None for _ in waits)
            for one, other in pairwise(waits):
                if other.at - one.at < timedelta(days=6):
                    yield f"{ref}: {other.first} on {other.at:%a %d %b}, days after {one.first}"
            for mail in waits:
                day = mail.at.astimezone(past.lives[ref].clock)
                if day.weekday() != 3:
                    yield f"{ref}: {mail.first} on a {day:%A}"
        elif "only what matters" in traits:
            yield from (f"{ref}: {mail.first} does not matter that much" for mail in waits)


def kind(past: Past, config: Config, mail: Mail) -> tuple[object, str]:
    """Class and category of the whole mail: those of its most necessary part."""
    categories = [past.kinds[name][0] for name, _ in mail.parts]
    category = max(categories, key=lambda each: config.categories[each].priority)
    return config.categories[category].klass, category


# --- tone, and what nobody wants ------------------------------------------------------------------


def tone(past: Past, config: Config) -> Iterator[str | None]:
    """Nothing cheerful and nothing promotional follows bad news, in whichever application it came,
    for two weeks."""
    for ref, mails in past.mails.items():
        bad = [each.at for each in past.told.get(ref, []) if _is_bad(past, ref, each)]
        for mail in mails:
            after = [at for at in bad if timedelta(0) < mail.at - at < timedelta(days=14)]
            unfit = [name for name, _ in mail.parts if _is_unfit(past, config, name)]
            if unfit and after:
                yield f"{ref}: {unfit[0]} on {mail.at:%a %d %b} after {after[-1]:%a %d %b}"
            elif unfit or after:
                yield None


def _is_unfit(past: Past, config: Config, template: str) -> bool:
    category, tone = past.kinds[template]
    return tone == "cheerful" or str(config.categories[category].klass) == "nurture"


def _is_bad(past: Past, ref: str, told: Told) -> bool:
    type_ = told.event["type"]
    if type_ == "job.closed":
        return past.lives[ref].fate == "job closed" and _applied_for(
            past, ref, told.event["job"]["id"], told.at
        )
    return type_ in ("application.rejected", "offer.withdrawn")


def _applied_for(past: Past, ref: str, job: str, before: datetime) -> bool:
    return any(
        each.event["type"] == "application.created"
        and each.at < before
        and each.event["application"]["job"]["id"] == job
        for each in past.told.get(ref, [])
    )


def unwanted(past: Past, config: Config) -> Iterator[str | None]:
    """Nothing to whom said no; nothing promotional after unsubscribing, in a pause, or to somebody
    who needs care."""
    for ref, mails in past.mails.items():
        told = past.told.get(ref, [])
        for mail in mails:
            nurture = str(kind(past, config, mail)[0]) == "nurture"
            wrong = None
            for each in told:
                if each.at >= mail.at:
                    break
                type_, until = each.event["type"], str(each.event.get("until", ""))
                held = until != "" and datetime.fromisoformat(until) > mail.at
                if type_ == "candidate.do_not_contact":
                    wrong = "do-not-contact"
                elif nurture and type_ == "candidate.unsubscribed":
                    wrong = "unsubscribing"
                elif nurture and held and type_ in ("candidate.paused", "candidate.sensitive"):
                    wrong = type_
            yield (
                None
                if wrong is None
                else (f"{ref}: {mail.first} on {mail.at:%a %d %b} after {wrong}")
            )


def afterwards(past: Past, config: Config) -> Iterator[str | None]:
    """Nothing of a process goes on once they have withdrawn from it, but where the house's own
    system goes on, and then says no; and a no is said once."""
    for ref, mails in past.mails.items():
        gone: dict[str, datetime] = {}
        for each in past.told.get(ref, []):
            job = each.event.get("application", {}).get("id", "").rpartition("-")[2]
            if each.event["type"] == "application.withdrawn":
                gone[job] = each.at
            elif each.event["type"] == "application.rejected":
                gone.pop(job, None)
        said: set[tuple[str, str | None]] = set()
        for mail in mails:
            for name, job in mail.parts:
                category = past.kinds[name][0]
                service = str(config.categories[category].klass) == "service"
                if job in gone and gone[job] < mail.at and service and category in _PROCESS:
                    yield f"{ref}: {name} on {mail.at:%a %d %b} after they withdrew"
                elif category in _SAID and (name, job) in said:
                    yield f"{ref}: {name} about {job} twice"
                else:
                    yield None
                if category in _SAID:
                    said.add((name, job))


_PROCESS = ("prep", "help", "logistics", "holding", "decision")


def once(past: Past, _: Config) -> Iterator[str | None]:
    """No message is accepted twice."""
    for ref, mails in past.mails.items():
        seen = set()
        for mail in mails:
            yield None if mail.message_id not in seen else f"{ref}: {mail.message_id} twice"
            seen.add(mail.message_id)


CHECKERS: dict[str, Checker] = {
    "silence": silence,
    "caps": caps,
    "pace": pace,
    "tone": tone,
    "unwanted": unwanted,
    "afterwards": afterwards,
    "once": once,
}
