"""Was anybody left in silence, or with a promise that was forgotten?

By the log, and by the tasks that were made for people: a ceiling ends as sent or as a task.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from nurture.store.tables import candidate_refs, tasks
from tests.sim.campaigns import kind_of
from tests.sim.checkers import is_holiday
from tests.sim.log import Mail
from tests.sim.machine import Machine
from tests.sim.past import Past, about, category, step_of

#: The longest silence of each stage, in business days of the candidate.
_SILENCE = {"applied": 7, "screening": 5, "interviewing": 3, "final": 2}
#: What nights, outages and a mail server that defers may add: business days, and hours.
_MORE_DAYS = 2
_TOLERANCE = timedelta(hours=36)
_WORDS = ("contact.logged", "candidate.replied")
#: Mail that says what was decided: it keeps a promise of "a decision".
_DECISIONS = frozenset({"decision", "offer", "closure"})
_OVER = (
    *("application.rejected", "application.withdrawn", "application.hired"),
    *("candidate.do_not_contact", "offer.accepted"),
)


def ceilings(machine: Machine, past: Past) -> list[str]:
    kinds = {kind_of(name): name for name in machine.saved.campaigns}
    if past.merges:
        return []  # whose silence it is then is looked at in tests of its own
    found: list[str] = []
    with machine.database.read() as connection:
        of = {row.candidate_id: row.ref for row in connection.execute(candidate_refs.select())}
        made = [
            (of[row.candidate_id], row.campaign, row.created_at)
            for row in connection.execute(tasks.select())
        ]
    for told in past.told:
        ref = about(told, "candidate")
        job = about(told, "application")
        if ref is None or job is None:
            continue
        if any(past.events({ref}, len(past.log), "candidate.sensitive")):
            continue  # each of their mails waits for somebody who looks at it
        if told.event["type"] == "application.created" and "hush" in kinds:
            by_tasks = [at for who, _, at in made if who == ref]
            found += _silences(machine, past, ref, job, by_tasks)
        if told.event["type"] == "promise.made" and "debt" in kinds:
            by_tasks = [at for who, name, at in made if who == ref and name == kinds["debt"]]
            due = datetime.fromisoformat(told.event["promise"]["due"])
            if told.at < due:
                found += _forgotten(machine, past, ref, job, told.at, due, by_tasks)
    return [f"ceilings: {each}" for each in found]


def _silences(
    machine: Machine, past: Past, ref: str, job: str, by_tasks: list[datetime]
) -> Iterator[str]:
    """Stretches without a word, in one stage, that were longer than the stage allows."""
    heard: list[tuple[datetime, str | None]] = []  # when, and the stage since then if it is another
    words = [
        mail.at for mail in past.accepted if mail.to.startswith(f"{ref}@") and _counts(mail, job)
    ]
    words += [
        each.at
        for each in past.events({ref}, len(past.log), *_WORDS)
        if each.event.get("contact", {}).get("outcome") != "no_answer"
        and about(each, "application") in (job, None)
    ]
    for told in past.events({ref}, len(past.log)):
        another = None
        closed = told.event["type"] == "job.closed" and str(about(told, "job")).endswith(job)
        if closed or (told.event["type"] in _OVER and about(told, "application") in (job, None)):
            another = "over"
        elif about(told, "application") == job:
            another = told.event["application"].get("stage")
        heard.append((told.at, another))
    # Of a mail in doubt nobody knows that it ended the silence: a task stands.
    doubtful = {mail.at for mail in past.accepted if not mail.certain}
    known = [at for at in words if at not in doubtful]
    heard += [(at, None) for at in (*words, *by_tasks)]
    heard.sort(key=lambda each: each[0])
    heard.append((machine.clock.now(), None))
    stage = ""
    for (at, another), (then, _) in pairwise(heard):
        stage = stage if another is None or stage == "over" else another
        # A task is a person's: until somebody says a word, it goes on being theirs.
        task = max((each for each in by_tasks if each <= at), default=None)
        theirs = task is not None and not any(task < each <= at for each in known)
        limit = None if theirs else _SILENCE.get(stage)
        if limit is not None and then > _later(machine, past, ref, at, limit):
            yield f"{ref} heard nothing about {job} ({stage}) from {at} to {then}"


def _counts(mail: Mail, job: str) -> bool:
    """Whether it tells them how this application goes: else it ends no silence."""
    return any(
        category(mail.files, each.category)["counts_as_contact"] and each.job in (job, "none")
        for each in mail.sections
    )


def _forgotten(
    machine: Machine,
    past: Past,
    ref: str,
    job: str,
    made: datetime,
    due: datetime,
    by_tasks: list[datetime],
) -> Iterator[str]:
    late = _later(machine, past, ref, due, 0)
    if late > machine.clock.now():
        return
    if any(past.events({ref}, len(past.log), *_OVER, "job.closed")):
        return
    early = due - timedelta(hours=30)
    written = [
        (mail.at, each, step_of(mail.files, each.campaign, each.step) or {})
        for mail in past.accepted
        if mail.to.startswith(f"{ref}@") and mail.at <= late
        for each in mail.sections
        if each.job == job
    ]
    told = any(each.category in _DECISIONS and at > made for at, each, _ in written)
    owned_up = [
        at
        for at, each, step in written
        if kind_of(each.campaign) == "debt" or "promise" in step  # which names another date
    ]
    if not told and not any(early <= at <= late for at in (*owned_up, *by_tasks)):
        yield f"{ref} was promised something about {job} by {due}, and nobody came back to it"


def _later(machine: Machine, past: Past, ref: str, at: datetime, days: int) -> datetime:
    """So many business days after an instant, where the candidate is, and what is tolerated."""
    days += _MORE_DAYS
    zone = next(iter(past.known({ref}, "timezone"))) or machine.saved.config["timezone"]
    country = next(iter(past.known({ref}, "country")))
    rule = machine.saved.config["contact_hours"]["holidays"]
    whose = {"candidate": country, "none": None}.get(rule, rule)
    subdivision = next(iter(past.known({ref}, "subdivision")))
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    while days:
        local += timedelta(days=1)
        off = whose is not None and is_holiday(whose, subdivision, local.date())
        days -= local.weekday() < 5 and not off
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) + _TOLERANCE
