"""How is a verdict told to people? One sentence for each reason, times in a named zone.

The sentences are made of the verdict's `detail` alone, whose keys docs/reasons.md lists. They never
say what befell a candidate, and never name an application: they are read over shoulders.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from nurture.core.model import Reason, Verdict

Detail = Mapping[str, Any]


def sentence(
    verdict: Verdict,
    reason: Reason,
    detail: Detail,
    *,
    at: datetime | None,
    zone: ZoneInfo,
    about: bool = False,
    titles: Mapping[str, str] | None = None,
) -> str:
    """`Waits until Tue 3 Dec 09:00 (Lisbon): at most 1 nurture mail a week, and the last was ...`

    `titles` are those of campaigns, by name; one that is not there goes by its name.
    """
    told = _Told(detail, zone, titles or {})
    why = _WHY[reason](told)
    if "broke" in detail:
        why += f"; it cannot wait for the hours they asked for ({detail['broke']})"
    doomed = detail.get("will_expire")
    if verdict is Verdict.WAIT:
        until = f"until {moment(at, zone)}" if at else "with no date yet"
        start = f"About {moment(at, zone)}" if about and at else f"Waits {until}"
        if reason in (Reason.STOPPED, Reason.APPROVAL):
            start = "Waits"  # for a person, and not for an hour
        if doomed:
            start = f"Will probably not go, for it is only good until {told.at(doomed)}"
        return f"{start}: {why}"
    when = f" {moment(at, zone)}" if at else ""
    match verdict:
        case Verdict.SEND:
            return f"Goes out now: {why}"
        case Verdict.SENT if reason is Reason.UNKNOWN_OUTCOME:
            return f"In doubt{when}: {why}"
        case Verdict.SENT:
            approved = told.particular("approved_by", ", approved by {}")
            return f"Sent{when}{approved}{'' if reason is Reason.DUE else ': ' + why}"
        case Verdict.TASK:
            return f"Became a task{when}{'' if reason is Reason.DUE else ': ' + why}"
        case Verdict.DONE:
            return f"Went on{when}: {why}"
        case _:
            return f"Not sent: {why}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`Tue 3 Dec 09:00 (Lisbon)`: people need the weekday, and which clock is meant."""
    return f"{_day(at, zone)} {at.astimezone(zone):%H:%M} ({_place(zone)})"


@dataclass(frozen=True)
class _Told:
    """What is known of a verdict, and how it is said in this zone."""

    detail: Detail
    zone: ZoneInfo
    titles: Mapping[str, str] = field(default_factory=dict)

    def get(self, key: str, default: str = "") -> Any:
        return self.detail.get(key, default)

    def particular(self, key: str, words: str) -> str:
        """`words` around the value of this key, or nothing where it has none."""
        value = self.detail.get(key)
        return words.format(value) if value else ""

    def at(self, iso: str) -> str:
        return moment(datetime.fromisoformat(iso), self.zone)

    def until(self) -> str:
        """` until Tue 3 Dec 09:00 (Lisbon)`, if it is known."""
        return f" until {self.at(self.detail['until'])}" if "until" in self.detail else ""

    def mail(self, of: Detail) -> str:
        """`Company culture (culture/our-week)`: the campaign as its readers call it."""
        name, label = of.get("campaign"), str(of.get("label") or of.get("template") or "")
        if name is None:
            return label if "/" in label else f"a colleague's {label or 'call or mail'}"
        title = self.titles.get(name, name)
        return f"{title} ({label})" if label else title

    def taker(self, of: Detail) -> str:
        return f"{self.mail(of)} on {self.clock(of['at'])}"

    def clock(self, iso: str) -> str:
        """`Mon 30 Nov 09:00`: whose clock it is, the sentence says already."""
        at = datetime.fromisoformat(iso)
        return f"{_day(at, self.zone)} {at.astimezone(self.zone):%H:%M}"

    @property
    def by(self) -> Sequence[Detail]:
        found: Sequence[Detail] = self.detail.get("by", ())
        return found


def _limit(told: _Told) -> str:
    return f"{rule(told.detail)}{_and_taken(told)}"


def _and_taken(told: _Told) -> str:
    """`, and the last was Company culture (culture/our-week) on Mon 30 Nov 09:00`"""
    if not told.by:
        return ""
    start = "the last was" if len(told.by) == 1 else "there were"
    return f", and {start} {_listed([told.taker(each) for each in told.by])}"


def _reserved(told: _Told) -> str:
    if not told.by:
        return "its place is kept for a more necessary message"
    *others, kept = told.by
    beside = f", beside {_listed([told.taker(each) for each in others])}" if others else ""
    why = f"{rule(told.detail)}{beside}"
    return f"its place is kept for {told.taker(kept)}, which is more necessary: {why}"


def _approval(told: _Told) -> str:
    changed = told.detail.get("changed", {})
    if not changed:
        return "somebody has to approve it"
    return (
        f"it changed since {changed.get('by', 'somebody')} approved it: it has to be approved again"
    )


def _pace(told: _Told) -> str:
    wish = {
        "twice_a_week": "the candidate wants at most two such mails a week",
        "weekly": "the candidate wants such mail once a week",
        "only_what_matters": "the candidate wants only what matters, and this could wait",
    }
    return f"{wish.get(told.get('pace'), 'the candidate chose a slower pace')}{_and_taken(told)}"


def _own_hours(told: _Told) -> str:
    return f"outside the hours that the candidate asked for{told.particular('wish', ' ({})')}"


def _follow_ups(told: _Told) -> str:
    asked = told.detail.get("asked")
    times = "often enough" if asked is None else "once" if asked == 1 else f"{asked} times"
    return f"they were asked {times} and have not answered"


def _bundled(told: _Told) -> str:
    leader = told.detail.get("with")
    return f"as a part of {told.mail(leader)}, in one mail" if leader else "as a part of one mail"


def _phone_first(told: _Told) -> str:
    why = "the candidate would rather be called"
    if last := _CALLS.get(told.get("outcome")):
        tries = told.detail.get("tries", 1)
        why += f" ({'' if tries == 1 else f'{tries} tries, '}{last})"
    if "fallback_at" in told.detail:
        why += f"; the mail goes on {told.at(told.detail['fallback_at'])} if nobody gets through"
    return why


_CALLS = {
    "spoke": "they were spoken to",
    "voicemail": "a message was left",
    "no_answer": "nobody answered",
    "wrong_number": "the number is wrong",
}


def _asked_for(told: _Told) -> str:
    """`ida@example.com asked for it at once: they rang. That passes over: outside the hours`"""
    said = f"{told.get('by', 'somebody')} asked for it at once{told.particular('why', ': {}')}"
    over = "; ".join(passed_over(told.detail, told.zone, told.titles))
    return f"{said}. That passes over: {over}" if over else said


def passed_over(detail: Detail, zone: ZoneInfo, titles: Mapping[str, str]) -> list[str]:
    """Each rule of the house that a mail breaks which somebody wants at once."""
    return [
        f"its moment has not come ({moment(datetime.fromisoformat(each['moment']), zone)})"
        if "moment" in each
        else _WHY[Reason(each["reason"])](_Told(each, zone, titles))
        for each in detail.get("passed_over", ())
    ]


def _snoozed(told: _Told) -> str:
    return f"{told.get('by', 'somebody')} put it off{told.particular('why', ': {}')}"


def _already_sent(told: _Told) -> str:
    when = f" on {told.clock(told.detail['at'])}" if "at" in told.detail else ""
    of = f" from {told.mail(told.detail)}" if "campaign" in told.detail else ""
    return f"they had the same text{of}{when}"


def _stale(told: _Told) -> str:
    if "fresh_until" not in told.detail:
        return "its text is out of date"
    day = date.fromisoformat(told.detail["fresh_until"])
    return f"its text was only good until {day.day} {day:%b %Y}"


def _to_be_told(told: _Told) -> str:
    when = f" on {told.clock(told.detail['decided_at'])}" if "decided_at" in told.detail else ""
    return f"it was decided{when} and the candidate does not know yet: tell them"


def _stopped(told: _Told) -> str:
    """`ida@example.com stopped campaign welcome on Mon 23 Nov 10:00: wrong date in the mail`"""
    what = {
        "candidate": "all mail to this person",
        "job": f"all mail about job {told.get('ref')}",
        "campaign": f"campaign {told.get('ref')}",
    }.get(told.get("scope"), "all mail")
    when = f" on {told.clock(told.detail['since'])}" if "since" in told.detail else ""
    who = told.get("by") if told.get("cause", "person") == "person" else "a guardrail"
    return f"{who or 'somebody'} stopped {what}{when}{told.particular('why', ': {}')}"


#: Why mail is held, by `cause`.
_RELEASES = {
    "stop": "nobody was running when its moment came, and much is due at once",
    "restore": "it may have gone out after the backup that was restored",
    "resume": "it goes on after a stop, with more mail due at once than goes out without a word"
    " from a person",
    "edit": "an edit made more mail due at once than goes out without a word from a person",
}


def rule(detail: Detail) -> str:
    """`at most 1 nurture mail a week`; as it is written down where its numbers are not kept."""
    if "hours" not in detail:
        return str(detail.get("rule", "the limit on mail"))
    number, kind = detail.get("at_most"), detail.get("kind")
    if number is None:
        return f"{kind or 'such'} mail keeps {_span(detail['hours'])} from any other mail or call"
    plural = "" if number == 1 else "s"
    noun = f"{kind} mail{plural}" if kind else f"mail{plural} or call{plural}"
    return f"at most {number} {noun} {_often(detail['hours'])}"


def _often(hours: float) -> str:
    """People say `a day` of 20 hours and `a week` of 6 days 20 hours: the tolerance that keeps a
    daily mail daily is nobody's concern."""
    for length, tolerance, word in ((24, 4, "a day"), (168, 8, "a week")):
        if length - tolerance <= hours <= length:
            return word
    return f"in {_span(hours)}"


def _span(hours: float) -> str:
    minutes = round(hours * 60)
    parts = [(minutes // 1440, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute")]
    return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n) or "0 minutes"


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _day(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}"


def _place(zone: ZoneInfo) -> str:
    return zone.key.rpartition("/")[2].replace("_", " ")


def _fixed(text: str) -> Callable[[_Told], str]:
    return lambda _told: text


_WHY: Mapping[Reason, Callable[[_Told], str]] = {
    Reason.DUE: _fixed("its moment has come"),
    Reason.SCHEDULED: _fixed("its moment has not come"),
    Reason.CONTACT_HOURS: lambda told: (
        f"outside the hours for this kind of message ({told.get('closed', 'closed')})"
    ),
    Reason.CAP: _limit,
    Reason.GAP: _limit,
    Reason.SLOT_RESERVED: _reserved,
    Reason.CANDIDATE_PAUSED: _fixed("the candidate asked for a pause"),
    Reason.OWN_HOURS: _own_hours,
    Reason.PACE: _pace,
    Reason.FOLLOW_UPS: _follow_ups,
    Reason.TONE: _fixed("it is no time for a mail in this tone"),
    Reason.SENSITIVE: _fixed("somebody asked for special care with this person"),
    Reason.BUNDLED: _bundled,
    Reason.PHONE_FIRST: _phone_first,
    Reason.CALLED: _fixed("they were told on the phone"),
    Reason.ASKED_FOR: _asked_for,
    Reason.SNOOZED: _snoozed,
    Reason.SKIPPED: lambda told: (
        f"{told.get('by', 'somebody')} skipped it{told.particular('why', ': {}')}"
    ),
    Reason.CAMPAIGN_PAUSED: lambda told: f"its campaign is {told.get('status', 'paused')}",
    Reason.STOPPED: _stopped,
    Reason.CAMPAIGN_MISSING: _fixed("its campaign's file is gone"),
    Reason.AFTER_STEP: lambda told: f"comes after the step {told.get('step', 'above')}",
    Reason.WAIT_FOR: lambda told: (
        f"it waits for {' or '.join(told.detail.get('events', ['an event']))}"
        f"{', and no longer' if 'until' in told.detail else ''}"
    ),
    Reason.OPENED: lambda told: f"{told.get('event', 'its event')} came",
    Reason.WAITED: lambda told: (
        f"nothing came within {told.detail['up_to']}" if "up_to" in told.detail else "nothing came"
    ),
    Reason.CHOSEN: lambda told: (
        f"its `if` was {'true' if told.get('chosen') == 'then' else 'not true'}"
    ),
    Reason.NOT_CHOSEN: _fixed("the candidate went another way through the campaign"),
    Reason.NO_ANCHOR: lambda told: f"{told.get('anchor', 'its anchor')} is not known yet",
    Reason.CONDITION: _fixed("its condition does not hold"),
    Reason.APPROVAL: _approval,
    Reason.APPROVED: lambda told: (
        f"{told.get('by', 'somebody')} approved it, and can take that back until then"
    ),
    Reason.DECLINED: lambda told: (
        f"{told.get('by', 'somebody')} declined it{told.particular('why', ': {}')}"
    ),
    Reason.RELEASE: lambda told: _RELEASES.get(told.get("cause"), _RELEASES["edit"]),
    Reason.RETRY: lambda told: (
        f"the mail server said not now ({told.detail.get('attempts', 1)} tries so far)"
    ),
    Reason.THROTTLED: _fixed("mail leaves no faster than its limits and its receivers allow"),
    Reason.NO_OPEN_HOURS: _fixed("no open hour within 400 days"),
    Reason.LATE: _fixed("its moment was already past when it became known"),
    Reason.EXPIRED: lambda told: (
        f"it was only good{told.until()}" if "until" in told.detail else "its time is over"
    ),
    Reason.CROWDED_OUT: _fixed("more necessary messages took its places for too long"),
    Reason.MOVED: _fixed("what it hangs on has moved; it is planned anew"),
    Reason.LEFT: lambda told: f"the candidate left the campaign{told.particular('event', ' ({})')}",
    Reason.STEP_REMOVED: _fixed("its author removed the step"),
    Reason.ALREADY_SENT: _already_sent,
    Reason.NOTHING_NEW: _fixed("the content library has nothing for them that they have not had"),
    Reason.STALE: _stale,
    Reason.TO_BE_TOLD: _to_be_told,
    Reason.UNSUBSCRIBED: _fixed("the candidate unsubscribed from this"),
    Reason.DO_NOT_CONTACT: _fixed("the candidate must not be contacted"),
    Reason.UNDELIVERABLE: _fixed("there is no address that works"),
    Reason.CANNOT_RENDER: lambda told: (
        f"it cannot be written: {told.get('said', 'a fact or its template is wanting')}"
    ),
    Reason.REFUSED: lambda told: f"the mail server refused it{told.particular('said', ': {}')}",
    Reason.UNKNOWN_OUTCOME: _fixed("it was handed over and no answer came; it is not sent again"),
    Reason.SETTLED: lambda told: (
        f"it was in doubt, and {told.get('by', 'somebody')} found that it"
        f" {'arrived' if told.get('said') == 'sent' else 'never left'}"
    ),
}
