"""Was every promise to a candidate kept? Judged by what was told and what the server accepted.

Written from the design's text, not from the engine: windows are counted one by one, hours are read
off the candidate's wall clock. Each checker gives sentences about what is wrong.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from tests.sim.campaigns import every_send
from tests.sim.log import Mail, Told
from tests.sim.past import Past, about, category, kind, length, moment, step_of

_A_MOMENT = timedelta(seconds=2)


def check(past: Past) -> list[str]:
    """Everything that is wrong, by all checkers that read the log alone."""
    found = []
    for checker in CHECKERS:
        found += [f"{checker.__name__}: {each}" for each in checker(past)]
    return found


# --- caps ---------------------------------------------------------------------------------------


def caps(past: Past) -> Iterator[str]:
    """No capped mail stands in a window over its cap, with all that was known when it was decided:
    what had reached the person, and uncapped mail whose instant was already fixed."""
    for mail in past.accepted:
        own = category(mail.files, mail.first.category)
        if not own["capped"]:
            continue
        others = list(_before(past, mail))
        ahead = list(_fixed_ahead(past, mail))
        for cap in mail.files.config["caps"]:
            if cap.get("class", own["class"]) != own["class"]:
                continue
            if cap.get("category", mail.first.category) != mail.first.category:
                continue
            per = length(cap["per"])
            for seen, here in ((others, mail.at), ([*others, *ahead], mail.decided_at)):
                counted = [at for at, klass, name, _ in seen if _counts(cap, klass, name)]
                if worst := _fullest(counted, here, per, cap["at_most"]):
                    yield f"{mail} breaks {cap}: {[f'{at:%a %d %H:%M:%S}' for at in worst]}"
                    break
        gap = mail.files.config["gap"]
        if gap and gap["class"] == own["class"]:
            per = length(gap["after_any"])
            near = [each for each in others if abs(each[0] - mail.at) < per]
            near += [each for each in ahead if abs(each[0] - mail.decided_at) < per]
            if near:
                yield f"{mail} is too near to {near[0][3]}"


def _before(past: Past, mail: Mail) -> Iterator[tuple[datetime, str | None, str | None, str]]:
    """What had reached the person and was known: mail, and the recruiters' own calls and mails."""
    people = past.of(mail)
    for other in past.accepted:
        known = other.seq < mail.seq and other.decided_seq < mail.decided_seq
        if known and other.to.partition("@")[0] in people:
            name = other.first.category
            yield other.at, category(other.files, name)["class"], name, str(other)
    for told in past.events(people, mail.decided_seq, "contact.logged"):
        if told.event["contact"].get("outcome") in ("no_answer", "wrong_number"):
            continue
        at = min(datetime.fromisoformat(told.event["contact"]["at"]), told.at)
        yield at, None, None, f"a recruiter's own, told #{told.seq}"


def _fixed_ahead(past: Past, mail: Mail) -> Iterator[tuple[datetime, str | None, str | None, str]]:
    """Uncapped mail that came later, at an instant that had been known: it hangs on a fact told
    before, asks no question, and nothing about the person or the house changed in between."""
    people = past.of(mail)
    for later in past.accepted:
        if later.seq <= mail.seq or later.to.partition("@")[0] not in people:
            continue
        told = [each for each in past.events(people, later.seq) if each.seq >= mail.decided_seq]
        stirred = [
            each
            for what in ("saved", "skew", "sleep", "crash", "approved")
            for each in past.notes(what)
            if mail.decided_seq <= each.seq < later.seq
        ]
        if told or stirred:
            return
        if _was_fixed(past, mail, later, people):
            name = later.first.category
            yield later.at, category(later.files, name)["class"], name, str(later)


def _was_fixed(past: Past, mail: Mail, later: Mail, people: set[str]) -> bool:
    section = later.first
    step = step_of(mail.files, section.campaign, section.step)
    file = mail.files.campaigns.get(section.campaign)
    if step is None or file is None or step not in file["steps"] or len(later.sections) > 1:
        return False
    if "at" not in step or "if" in step or "repeat" in step or file["status"] != "live":
        return False
    if category(mail.files, section.category)["capped"]:
        return False
    due = _due(past, later, step["at"], people)
    return due is not None and abs(due - later.at) < _A_MOMENT


def _due(past: Past, mail: Mail, text: str, people: set[str]) -> datetime | None:
    """The moment of an interview's step, by the interview as it was told last."""
    section = mail.first
    if not text.endswith("interview.starts_at") or not section.time.startswith("t"):
        return None
    starts_at = datetime.fromtimestamp(int(section.time[1:]), tz=UTC)
    zones = past.known(people, "timezone")
    if len(zones) > 1:
        return None
    return moment(text, starts_at, zones.pop() or mail.files.config["timezone"])


def _counts(cap: dict[str, object], klass: str | None, name: str | None) -> bool:
    return cap.get("class", klass) == klass and cap.get("category", name) == name


def _fullest(
    counted: list[datetime], here: datetime, per: timedelta, at_most: int
) -> list[datetime]:
    """The contacts of a window that holds this one and too many others."""
    every = sorted([*counted, here])
    for first in every:
        if here - per < first <= here:
            inside = [at for at in every if first <= at < first + per]
            if len(inside) > at_most:
                return inside
    return []


# --- nothing twice -------------------------------------------------------------------------------


def twice(past: Past) -> Iterator[str]:
    """No message is accepted twice, and no step reaches one person twice about the same thing."""
    seen: dict[str, Mail] = {}
    for mail in past.accepted:
        if mail.message_id in seen:
            yield f"{mail} was accepted before: {seen[mail.message_id]}"
        seen[mail.message_id] = mail
    for n, mail in enumerate(past.accepted):
        people = past.of(mail)
        for section in mail.sections:
            before = [
                (each, other)
                for other in past.accepted[:n]
                if other.to.partition("@")[0] in people
                for each in other.sections
                if (each.campaign, each.step, each.job, each.room)
                == (section.campaign, section.step, section.job, section.room)
            ]
            step = step_of(mail.files, section.campaign, section.step) or {}
            if _again_if_moved(step):
                before = [pair for pair in before if _near(pair[0].time, section.time)]
            allowed = _times(past, mail, section, people)
            repeat = step.get("repeat") or {}
            allowed *= max(repeat.get("at_most", 1), 1)
            if len(before) >= allowed:
                yield (
                    f"{mail}: {section.campaign}/{section.step} reached them before: "
                    + ", ".join(str(other) for _, other in before)
                )


def _again_if_moved(step: dict[str, object]) -> bool:
    return " before " in str(step.get("at", "")) and bool(step.get("again_if_moved", True))


def _near(one: str, other: str) -> bool:
    """Less than half an hour apart counts as not moved."""
    if not (one.startswith("t") and other.startswith("t")):
        return True
    return abs(int(one[1:]) - int(other[1:])) < 30 * 60


def _times(past: Past, mail: Mail, section: object, people: set[str]) -> int:
    """How often a person may enter a campaign about this thing: once, but for those that are
    entered by each event or by things that the mail does not name."""
    campaign, job, room = section.campaign, section.job, section.room  # type: ignore[attr-defined]
    events = list(past.events(people, mail.seq))
    match kind(campaign):
        case "moved":
            named = [each for each in events if about(each, "interview") == room]
            return sum(each.event["type"] == "interview.rescheduled" for each in named)
        case "offer":
            named = [each for each in events if about(each, "application") == job]
            return sum(each.event["type"] == "offer.sent" for each in named)
        case "owed":
            named = [each for each in events if about(each, "application") == job]
            made = sum(each.event["type"] == "promise.made" for each in named)
            return made + sum(
                "promise" in (step_of(other.files, each.campaign, each.step) or {})
                for other in past.accepted
                for each in other.sections
                if each.job == job
            )
        case _:
            return 1


# --- nothing after the end ----------------------------------------------------------------------


def exits(past: Past) -> Iterator[str]:
    """Nothing to whom said no, nothing promotional to whom unsubscribed or paused, and nothing
    about what was over, if that was told before it was decided."""
    for mail in past.accepted:
        people = past.of(mail)
        events = list(past.events(people, mail.decided_seq))
        for told in events:
            if told.event["type"] == "candidate.do_not_contact":
                yield f"{mail} after do-not-contact #{told.seq}"
        for section in mail.sections:
            own = category(mail.files, section.category)
            if own["class"] == "nurture":
                yield from _unwanted(mail, section.category, events)
            yield from _over(past, mail, section, events)


def _unwanted(mail: Mail, name: str, events: list[Told]) -> Iterator[str]:
    paused: tuple[Told, datetime] | None = None
    for told in events:
        type_ = told.event["type"]
        if type_ == "candidate.unsubscribed":
            topics = told.event.get("topics") or ["all"]
            if "all" in topics or name in topics:
                yield f"{mail} after unsubscribing #{told.seq}"
        elif type_ == "candidate.paused":
            paused = told, datetime.fromisoformat(told.event["until"])
        elif type_ == "candidate.resumed":
            paused = None
    if paused and paused[1] > mail.decided_at:
        yield f"{mail} in the pause of #{paused[0].seq} until {paused[1]:%a %d %b %H:%M}"


#: By which the end of an application is told.
_CLOSING = ("application.rejected", "application.withdrawn", "application.hired")


def _over(past: Past, mail: Mail, section: object, events: list[Told]) -> Iterator[str]:
    campaign, job, room = section.campaign, section.job, section.room  # type: ignore[attr-defined]
    which = kind(campaign)
    file = mail.files.campaigns[campaign]
    leaves = {event for each in file.get("leave", ()) for event in each["on"]}
    for told in events:
        type_ = told.event["type"]
        if type_ in _CLOSING and about(told, "application") == job and which != "no":
            yield f"{mail} after {type_} #{told.seq}"
        if type_ == "interview.cancelled" and about(told, "interview") == room and which == "meet":
            yield f"{mail} after the interview was cancelled #{told.seq}"
        if type_ not in leaves or past.merges:
            continue
        named = about(told, "interview") if which == "meet" else None
        same = named == room if named else about(told, "application") in (job, None)
        entered = {
            "apply": [e for e in events if e.event["type"] == "application.created"],
            "meet": [e for e in events if about(e, "interview") == room],
            "no": [e for e in events if e.event["type"] == "application.rejected"],
            "drip": [e for e in events if e.event["type"] == "candidate.upserted"],
        }.get(which, [])
        if which in ("apply", "no"):
            entered = [e for e in entered if about(e, "application") == job]
        if (same or which == "drip") and entered and entered[0].seq < told.seq:
            yield f"{mail} after leaving by {type_} #{told.seq}"


def shut(past: Past) -> Iterator[str]:
    """No step that its file does not have (any more), nothing of a paused campaign, in the words
    of now and about the interview as it is."""
    for mail in past.accepted:
        for section in mail.sections:
            file = mail.files.campaigns[section.campaign]
            name = f"{section.campaign}/{section.step}"
            if file["status"] != "live":
                yield f"{mail}: its campaign is {file['status']}"
            if name not in every_send(file):
                yield f"{mail}: its file has no such step"
            version = mail.files.templates[name]["version"]
            if section.version != version:
                yield f"{mail} has the words v{section.version} of v{version}"
            if section.room != "none":
                yield from _of_now(past, mail, section.room, section.time)


def _of_now(past: Past, mail: Mail, room: str, time_: str) -> Iterator[str]:
    found = [
        (told.seq, told.event["interview"]["notes"])
        for told in past.told
        if about(told, "interview") == room and "notes" in told.event["interview"]
    ]
    before = [notes for seq, notes in found if seq < mail.decided_seq][-1:]
    since = [notes for seq, notes in found if mail.decided_seq <= seq < mail.seq]
    if time_ not in (*before, *since):
        yield f"{mail} says {time_}, the interview is at {before}"


# --- hours ---------------------------------------------------------------------------------------


def hours(past: Past) -> Iterator[str]:
    """Everything in the hours of its kind, on the candidate's own wall clock."""
    for mail in past.accepted:
        people = past.of(mail)
        config = mail.files.config
        own = category(mail.files, mail.first.category)
        places = [
            (zone or config["timezone"], country, subdivision)
            for zone in past.known(people, "timezone")
            for country in past.known(people, "country")
            for subdivision in past.known(people, "subdivision")
        ]
        local = [mail.decided_at.astimezone(ZoneInfo(zone)) for zone, _, _ in places]
        if not any(_open(own["hours"], config, mail.decided_at, *place) for place in places):
            yield f"{mail} at {local[0]:%a %H:%M} there is outside {own['hours']} hours"
        tone = mail.files.templates[f"{mail.first.campaign}/{mail.first.step}"]["tone"]
        friday = all(at.weekday() == 4 and at.hour >= 15 for at in local)
        if tone == "grave" and friday:
            yield f"{mail} is grave, on a Friday afternoon"


def _open(
    kind_: str,
    config: dict[str, dict[str, str]],
    at: datetime,
    zone: str,
    country: str | None,
    subdivision: str | None,
) -> bool:
    local = at.astimezone(ZoneInfo(zone))
    if kind_ == "any":
        return True
    if kind_ == "wide":
        return time(7) <= local.time() <= time(21)
    rule = config["contact_hours"]
    last = {"mon-fri": 4, "mon-sat": 5}[rule["days"]]
    from_, to = (time.fromisoformat(rule[key]) for key in ("from", "to"))
    whose = {"candidate": country, "none": None}.get(rule["holidays"], rule["holidays"])
    off = whose is not None and _is_holiday(
        whose, subdivision if whose == country else None, local.date()
    )
    return local.weekday() <= last and from_ <= local.time() <= to and not off


@cache
def _is_holiday(country: str, subdivision: str | None, day: date) -> bool:
    try:
        return day in holidays.country_holidays(country, subdiv=subdivision, years=day.year)
    except NotImplementedError:  # of two people who became one, this part of that country
        return subdivision is not None and _is_holiday(country, None, day)


# --- what was foretold, and what an alarm forgot ------------------------------------------------


def foretold(past: Past) -> Iterator[str]:
    """A dry run of a quiet stretch is what then happens, to the second."""
    for note in past.notes("foretold"):
        said = {
            (row["at"], row["campaign"], row["step"], row["candidate"])
            for row in note.detail["rows"]
            if row["verdict"] == "send"
        }
        was = {
            (mail.at.isoformat(), each.campaign, each.step, mail.to.partition("@")[0])
            for mail in past.mails
            if note.detail["since"] <= mail.seq < note.seq
            for each in mail.sections
        }
        if said != was:
            yield f"foretold only: {sorted(said - was)}; happened only: {sorted(was - said)}"


def alarms(past: Past) -> Iterator[str]:
    """When everything is done, planning everybody anew finds nothing that was forgotten."""
    for note in past.notes("swept"):
        for mail in past.mails:
            if note.detail["since"] <= mail.seq < note.seq:
                yield f"{mail} was forgotten until everybody was looked at"


CHECKERS = (caps, twice, exits, shut, hours, foretold, alarms)
