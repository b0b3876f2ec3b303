"""Was every promise to a candidate kept? Judged by what was told and what the server accepted.

Written from the design's text, not from the engine: windows are counted one by one, hours are read
off the candidate's wall clock. Each checker gives sentences about what is wrong.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from tests.sim.campaigns import every_send, kind_of
from tests.sim.log import Mail, Note, Told
from tests.sim.past import Past, about, category, length, moment, step_of

_A_MOMENT = timedelta(seconds=2)
#: When, of which class (None: a person's own), of which categories, and what to call it.
Contact = tuple[datetime, str | None, frozenset[str], str]


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
            if cap.get("category", mail.first.category) not in mail.categories:
                continue
            per = length(cap["per"])
            for seen, here in ((others, mail.at), ([*others, *ahead], mail.decided_at)):
                counted = [at for at, klass, names, _ in seen if _counts(cap, klass, names)]
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


def _before(past: Past, mail: Mail) -> Iterator[Contact]:
    """What had reached the person and was known: mail, and the recruiters' own calls and mails."""
    people = past.of(mail)
    for other in past.accepted:
        known = other.seq < mail.seq and other.decided_seq < mail.decided_seq
        if known and other.to.partition("@")[0] in people:
            klass = category(other.files, other.first.category)["class"]
            yield other.at, klass, other.categories, str(other)
    for told in past.events(people, mail.decided_seq, "contact.logged"):
        if told.event["contact"].get("outcome") in ("no_answer", "wrong_number"):
            continue
        at = min(datetime.fromisoformat(told.event["contact"]["at"]), told.at)
        yield at, None, frozenset(), f"a recruiter's own, told #{told.seq}"


def _fixed_ahead(past: Past, mail: Mail) -> Iterator[Contact]:
    """Uncapped mail that came later, at an instant that had been known: it hangs on an interview
    that was told before and did not move since, and asks no question."""
    people = past.of(mail)
    for later in past.accepted:
        if later.seq <= mail.seq or later.to.partition("@")[0] not in people:
            continue
        put_right = [n for n in past.notes("skew") if mail.decided_seq <= n.seq < later.seq]
        if put_right or _stirred(past, mail, later, people):
            continue
        if _was_fixed(past, mail, later, people):
            klass = category(later.files, later.first.category)["class"]
            yield later.at, klass, later.categories, str(later)


#: What cannot move the mail of an interview, whatever is told of it.
_HARMLESS = {"contact.logged", "candidate.replied", "candidate.unsubscribed", "answer.given"}


def _stirred(past: Past, mail: Mail, later: Mail, people: set[str]) -> bool:
    """Whether something told in between may have moved the later one, or made it theirs."""
    if any(mail.decided_seq <= seq < later.seq for seq, _, _ in past.merges):
        return True
    for told in past.events(people, later.seq):
        if told.seq < mail.decided_seq or told.event["type"] in _HARMLESS:
            continue
        if about(told, "interview") in (None, later.first.room):
            return True
    return False


def _was_fixed(past: Past, mail: Mail, later: Mail, people: set[str]) -> bool:
    section = later.first
    step = step_of(mail.files, section.campaign, section.step)
    file = mail.files.campaigns.get(section.campaign)
    if step is None or file is None or step not in file["steps"] or len(later.sections) > 1:
        return False
    if file != later.files.campaigns[section.campaign] or mail.files.config != later.files.config:
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


def _counts(cap: dict[str, object], klass: str | None, names: frozenset[str]) -> bool:
    """A mail of several parts counts once, by its first; for a cap on a category, by any."""
    if "category" in cap:
        return cap["category"] in names
    return cap.get("class", klass) == klass


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
            if kind_of(section.campaign) == "hush":  # each time that the silence grows long anew
                before = [pair for pair in before if mail.at - pair[1].at < timedelta(hours=20)]
            elif _again_if_moved(step):
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
    match kind_of(campaign):
        case "moved":
            named = [each for each in events if about(each, "interview") == room]
            return sum(each.event["type"] == "interview.rescheduled" for each in named)
        case "offer":
            named = [each for each in events if about(each, "application") == job]
            return sum(each.event["type"] == "offer.sent" for each in named)
        case "owed" | "debt":
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
    which = kind_of(campaign)
    file = mail.files.campaigns[campaign]
    leaves = {event for each in file.get("leave", ()) for event in each["on"]}
    again = [told.seq for told in events if _is(told, "application.reopened", job)]
    for told in events:
        type_ = told.event["type"]
        over = type_ in _CLOSING and about(told, "application") == job and which != "no"
        if over and told.seq > max(again, default=-1):
            yield f"{mail} after {type_} #{told.seq}"
        ended = type_ == "job.closed" and about(told, "job") == _job_of(past, job)
        if ended and told.seq > max(again, default=-1):
            yield f"{mail} after {type_} #{told.seq}"
        if (
            type_ == "interview.cancelled"
            and about(told, "interview") == room
            and which in ("meet", "pair")
        ):
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


def _is(told: Told, type_: str, application: str) -> bool:
    return told.event["type"] == type_ and about(told, "application") == application


def _job_of(past: Past, application: str) -> str | None:
    """The job that somebody applied for."""
    for told in past.told:
        if _is(told, "application.created", application):
            return str(told.event["application"]["job"]["id"])
    return None


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
        kinds = {category(mail.files, each.category)["hours"] for each in mail.sections}
        places = [
            (zone or config["timezone"], country, subdivision)
            for zone in past.known(people, "timezone")
            for country in past.known(people, "country")
            for subdivision in past.known(people, "subdivision")
        ]
        local = [mail.decided_at.astimezone(ZoneInfo(zone)) for zone, _, _ in places]
        for each in sorted(kinds):
            if not any(_open(each, config, mail.decided_at, *place) for place in places):
                yield f"{mail} at {local[0]:%a %H:%M} there is outside {each} hours"
        friday = all(at.weekday() == 4 and at.hour >= 15 for at in local)
        if "grave" in _tones(mail) and friday:
            yield f"{mail} is grave, on a Friday afternoon"


def tone(past: Past) -> Iterator[str]:
    """Nothing cheerful for two weeks after bad news in any application, and no promotional words
    that this person has had before."""
    for n, mail in enumerate(past.accepted):
        people = past.of(mail)
        if "cheerful" in _tones(mail):
            again = {
                about(told, "application"): told.seq
                for told in past.events(people, mail.decided_seq, "application.reopened")
            }
            for told in past.events(people, mail.decided_seq, *_BAD_NEWS):
                if told.seq < again.get(about(told, "application"), -1):
                    continue  # it was taken back
                # By the machine's clock, where that was behind.
                if mail.decided_at - min(told.occurred_at, told.at) < timedelta(days=14):
                    yield f"{mail} is cheerful after {told.event['type']} #{told.seq}"
        for section in mail.sections:
            if category(mail.files, section.category)["class"] != "nurture":
                continue
            step = step_of(mail.files, section.campaign, section.step) or {}
            if section.category == "check-in" or "repeat" in step:
                continue
            for other in past.accepted[:n]:
                same = (section.campaign, section.step) in {
                    (each.campaign, each.step) for each in other.sections
                }
                known = other.decided_seq < mail.decided_seq
                if same and known and other.to.partition("@")[0] in people:
                    yield f"{mail} says again what {other} said"


_BAD_NEWS = ("application.rejected", "offer.withdrawn")


def _tones(mail: Mail) -> set[str]:
    names = [f"{each.campaign}/{each.step}" for each in mail.sections]
    return {mail.files.templates[name]["tone"] for name in names}


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
    off = whose is not None and is_holiday(
        whose, subdivision if whose == country else None, local.date()
    )
    return local.weekday() <= last and from_ <= local.time() <= to and not off


@cache
def is_holiday(country: str, subdivision: str | None, day: date) -> bool:
    try:
        return day in holidays.country_holidays(country, subdiv=subdivision, years=day.year)
    except NotImplementedError:  # of two people who became one, this part of that country
        return subdivision is not None and is_holiday(country, None, day)


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


def care(past: Past) -> Iterator[str]:
    """Who needs care gets neither promotion nor cheer, and nothing that nobody looked at."""
    for mail in past.accepted:
        told = list(past.events(past.of(mail), mail.decided_seq, "candidate.sensitive"))
        if not told or datetime.fromisoformat(told[-1].event["until"]) <= mail.decided_at:
            continue
        if category(mail.files, mail.first.category)["class"] == "nurture":
            yield f"{mail} to somebody who needs care since #{told[-1].seq}"
        if "cheerful" in _tones(mail):
            yield f"{mail} is cheerful to somebody who needs care since #{told[-1].seq}"
        looked = [note.seq for note in past.notes("approved") if note.seq < mail.decided_seq]
        if not looked:
            yield f"{mail} was approved by nobody, though they need care since #{told[-1].seq}"


def wishes(past: Past) -> Iterator[str]:
    """What can wait keeps to the candidate's own pace, hours and quiet days; whoever would rather
    be rung gets nothing promotional."""
    for mail in past.accepted:
        own = category(mail.files, mail.first.category)
        people = past.of(mail)
        if own["class"] == "nurture" and _wish(past, mail, people, "channel") == "phone":
            yield f"{mail} to somebody who would rather be rung"
        if not own["capped"] or past.merges:
            continue
        zone = next(iter(past.known(people, "timezone"))) or mail.files.config["timezone"]
        local = mail.decided_at.astimezone(ZoneInfo(zone))
        quiet = _wish(past, mail, people, "quiet_days") or [""]
        if f"{local:%A}s" in quiet:
            yield f"{mail} on a {local:%A}, which is to be quiet"
        for words in _wish(past, mail, people, "hours") or ():
            from_, _, to = words.removeprefix("not ").partition("-")
            if time.fromisoformat(from_) < local.time() < time.fromisoformat(to):
                yield f"{mail} at {local:%H:%M}, though {words}"
        pace = _wish(past, mail, people, "pace")
        if pace == "only_what_matters":
            yield f"{mail} does not matter that much"
        elif pace in _PACES:
            at_most, per = _PACES[pace]
            capped = [at for at, _, names, _ in _before(past, mail) if _can_wait(mail, names)]
            if worst := _fullest(capped, mail.at, per, at_most):
                yield f"{mail} is more than {pace}: {[f'{at:%a %d %H:%M}' for at in worst]}"
        if pace == "weekly" and f"{local:%A}" != "Wednesday":
            yield f"{mail} on a {local:%A}, not on Wednesday"


_PACES = {"twice_a_week": (2, timedelta(days=6, hours=20)), "weekly": (1, timedelta(days=4))}


def _can_wait(mail: Mail, names: frozenset[str]) -> bool:
    """Whether all of a mail that came before was of capped kinds."""
    return bool(names) and all(category(mail.files, each)["capped"] for each in names)


def _wish(past: Past, mail: Mail, people: set[str], key: str) -> Any:
    """What they said last of this."""
    told = past.events(people, mail.decided_seq, "candidate.preferences")
    said = [each.event["preferences"][key] for each in told if key in each.event["preferences"]]
    return said[-1] if said else None


def stopped(past: Past) -> Iterator[str]:
    """Nothing of what a kill switch stops leaves more than a second after it was pulled."""
    for note in past.notes("stopped"):
        ended = [
            each.seq for each in past.notes("lifted") if each.seq > note.seq and _same(each, note)
        ]
        for mail in past.mails:
            after = note.seq < mail.offered_seq < min(ended, default=len(past.log))
            known = note.seq < mail.decided_seq or mail.offered_at - note.at > timedelta(seconds=1)
            if after and known and _stops(past, note, mail):
                yield f"{mail} in spite of #{note.seq}: {note.detail}"


def _same(one: Note, other: Note) -> bool:
    return one.detail == other.detail


def _stops(past: Past, note: Note, mail: Mail) -> bool:
    ref = note.detail["ref"]
    match note.detail["scope"]:
        case "campaign":
            return any(each.campaign == ref for each in mail.sections)
        case "candidate":
            return ref in past.of(mail)
        case "job":
            return any(_job_of(past, each.job) == ref for each in mail.sections)
    return True


CHECKERS = (caps, twice, exits, shut, hours, wishes, tone, care, stopped, foretold, alarms)
