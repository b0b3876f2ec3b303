"""When the faults have stopped: is all that was due sent, or is there a stored reason?

This one may read verdicts, beside the log: what the engine says must be there, and be true.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from nurture.core.model import MessageState, Reason, Verdict
from nurture.engine.outlook import Entry as Line
from nurture.engine.outlook import outlook
from nurture.store.tables import messages
from tests.sim.campaigns import kind_of
from tests.sim.machine import Machine
from tests.sim.past import Past

#: What may be waited for without an instant: a fact, a person, an operator, another step.
_OPEN = {
    Reason.NO_ANCHOR,
    Reason.AFTER_STEP,
    Reason.WAIT_FOR,
    Reason.APPROVAL,
    Reason.CAMPAIGN_PAUSED,
    Reason.NO_OPEN_HOURS,
    Reason.CONDITION,
    Reason.NOT_CHOSEN,
}
#: By which each kind of campaign is entered, without a question.
_ENTRY = {
    "apply": "application.created",
    "meet": "interview.scheduled",
    "drip": "candidate.upserted",
    "moved": "interview.rescheduled",
    "off": "interview.cancelled",
    "no": "application.rejected",
    "offer": "offer.sent",
}


def drained(machine: Machine, past: Past) -> list[str]:
    found = [f"set aside: {each}" for each in machine.problems()]
    refs = {each.event["candidate"]["id"] for each in past.told if "candidate" in each.event}
    end = len(past.log)
    for ref in sorted(refs):
        if past.person(ref, end) == ref:
            found += _of(machine, past, ref)
    found += doubts(machine, past)
    return [f"drained: {each}" for each in found]


def _of(machine: Machine, past: Past, ref: str) -> Iterator[str]:
    seen = outlook(machine.processes[0].project, ref, ahead=None)
    if seen is None:
        yield f"{ref} is not known"
        return
    now = machine.clock.now()
    for line in seen.ahead:
        waits = line.verdict is Verdict.WAIT and line.reason not in _OPEN
        if line.verdict in (Verdict.SEND, Verdict.TASK):
            yield f"{_name(ref, line)} is due, and not sent"
        elif waits and line.at is None and "will_expire" not in line.detail:
            yield f"{_name(ref, line)} waits for nothing: {line.reason}"
        elif waits and line.at is not None and line.at <= now - timedelta(minutes=1):
            yield f"{_name(ref, line)} waits for {line.at}, which is past: {line.reason}"
    people = past.group(ref, len(past.log))
    own = [each for each in past.accepted if each.to.partition("@")[0] in people]
    said = _said(seen.past)
    was = Counter((each.campaign, each.step) for mail in own for each in mail.sections)
    for which in was - said:
        yield f"{ref} was sent {which}, which is nowhere told"
    for which in _said(seen.past, certain=True) - was:
        yield f"{ref} is said to have been sent {which}, which was never accepted"
    spoken = {(line.campaign, line.step) for line in (*seen.past, *seen.ahead)}
    yield from _silent(machine, past, ref, people, spoken)


def doubts(machine: Machine, past: Past) -> Iterator[str]:
    """In doubt is only what was offered, and of which nobody can know what came of it."""
    unanswered = {mail.message_id for mail in past.mails if not mail.certain}
    with machine.database.read() as connection:
        rows = connection.execute(messages.select().where(messages.c.sent_at.is_not(None))).all()
    for row in rows:
        excused = row.id in machine.doubtful or row.message_id in unanswered
        if row.state == MessageState.UNKNOWN and not excused:
            yield f"{row.message_id} ({row.campaign}) is in doubt for no reason"
        if row.state == MessageState.SENDING:
            yield f"{row.message_id} ({row.campaign}) is in nobody's hand, and not settled"


def _said(past: Sequence[Line], *, certain: bool = False) -> Counter[tuple[str, str]]:
    """How often each step is said to have been sent. One that was in doubt, and then known to be
    sent, is told of twice. `certain`: without those in doubt."""
    of: dict[tuple[int | None, str, str], Counter[bool]] = {}
    for line in past:
        if line.verdict is Verdict.SENT:
            told = of.setdefault((line.message, line.campaign, line.step), Counter())
            told[line.reason is Reason.UNKNOWN_OUTCOME] += 1
    found: Counter[tuple[str, str]] = Counter()
    for (_, campaign, step), told in of.items():
        found[campaign, step] += told[False] if certain else max(told.values())
    return found


def _silent(
    machine: Machine, past: Past, ref: str, people: set[str], spoken: set[tuple[str, str]]
) -> Iterator[str]:
    """A step about which nothing was ever said, though the person entered its campaign: told after
    the file came to be as it is, and it was live then."""
    for name, file in machine.saved.campaigns.items():
        which = _ENTRY.get(kind_of(name))
        if which is None or file != machine.scenario.campaigns[name] or file["status"] != "live":
            continue
        if any(each.what.get("name") == name for each in machine.scenario.actions):
            continue
        entered = list(past.events(people, len(past.log), which))
        if past.merges or any(past.events(people, len(past.log), *_ends(file))):
            continue  # who left before a step had a moment was never due it
        fixed = [
            step["send"]
            for step in file["steps"]
            if "send" in step and "at" in step and "last_contact" not in step["at"]
        ]
        for template in sorted(fixed):
            campaign, _, step = template.partition("/")
            if entered and (campaign, step) not in spoken:
                yield f"{ref} entered {name} by #{entered[0].seq}; of {step} nothing was ever said"


def _ends(file: dict[str, Any]) -> set[str]:
    """The events by which somebody may leave it."""
    closing = {f"application.{how}" for how in ("rejected", "withdrawn", "hired")}
    named = {each for leave in file.get("leave", ()) for each in leave["on"]}
    return {*closing, *named, "interview.cancelled", "offer.accepted", "candidate.do_not_contact"}


def _name(ref: str, line: Line) -> str:
    return f"{ref} {line.campaign}/{line.step}"
