"""How is a verdict told to people? One sentence for each reason, times in a named zone."""

from collections.abc import Callable, Mapping
from datetime import datetime
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
) -> str:
    """`Waits until Tue 3 Dec 09:00 (Lisbon): at most 1 nurture mail in 5 days; ...`"""
    why = _WHY[reason](detail, zone)
    doomed = detail.get("will_expire")
    if verdict is Verdict.WAIT:
        until = f"until {moment(at, zone)}" if at else "with no date yet"
        start = f"About {moment(at, zone)}" if about and at else f"Waits {until}"
        if doomed:
            start = f"Will probably not go, for it is only good until {_at(doomed, zone)}"
        return f"{start}: {why}"
    when = f" {moment(at, zone)}" if at else ""
    match verdict:
        case Verdict.SEND:
            return f"Goes out now: {why}"
        case Verdict.SENT:
            return f"Sent{when}" if reason is Reason.DUE else f"In doubt{when}: {why}"
        case Verdict.TASK:
            return f"Became a task{when}{'' if reason is Reason.DUE else ': ' + why}"
        case Verdict.DONE:
            return f"Went on{when}: {why}"
        case _:
            return f"Not sent: {why}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`Tue 3 Dec 09:00 (Lisbon)`: people need the weekday, and which clock is meant."""
    local = at.astimezone(zone)
    place = zone.key.rpartition("/")[2].replace("_", " ")
    return f"{local:%a} {local.day} {local:%b %H:%M} ({place})"


def _rule(detail: Detail, zone: ZoneInfo) -> str:
    by = ", ".join(
        f"{each.get('label') or 'a call or mail of a colleague'} on {_at(each['at'], zone)}"
        for each in detail.get("by", ())
    )
    return f"{detail.get('rule', 'the limit on mail')}{'; taken by ' + by if by else ''}"


def _reserved(detail: Detail, zone: ZoneInfo) -> str:
    return f"it would take the place of a more necessary message: {_rule(detail, zone)}"


def _at(iso: str, zone: ZoneInfo) -> str:
    return moment(datetime.fromisoformat(iso), zone)


def _fixed(text: str) -> Callable[[Detail, ZoneInfo], str]:
    return lambda _detail, _zone: text


_WHY: Mapping[Reason, Callable[[Detail, ZoneInfo], str]] = {
    Reason.DUE: _fixed("its moment has come"),
    Reason.SCHEDULED: _fixed("its moment has not come"),
    Reason.CONTACT_HOURS: lambda detail, _: (
        f"outside the hours for this kind of message ({detail.get('closed', 'closed')})"
    ),
    Reason.CAP: _rule,
    Reason.GAP: _rule,
    Reason.SLOT_RESERVED: _reserved,
    Reason.CANDIDATE_PAUSED: _fixed("the candidate asked for a pause"),
    Reason.CAMPAIGN_PAUSED: lambda detail, _: f"its campaign is {detail.get('status', 'paused')}",
    Reason.CAMPAIGN_MISSING: _fixed("its campaign's file is gone"),
    Reason.AFTER_STEP: lambda detail, _: f"comes after the step {detail.get('step', 'above')}",
    Reason.WAIT_FOR: lambda detail, _: (
        f"it waits for {' or '.join(detail.get('events', ['an event']))}"
        f"{', and no longer' if 'until' in detail else ''}"
    ),
    Reason.OPENED: lambda detail, _: f"{detail.get('event', 'its event')} came",
    Reason.WAITED: lambda detail, _: (
        f"nothing came within {detail['up_to']}" if "up_to" in detail else "nothing came"
    ),
    Reason.CHOSEN: lambda detail, _: (
        f"its `if` was {'true' if detail.get('chosen') == 'then' else 'not true'}"
    ),
    Reason.NOT_CHOSEN: _fixed("the candidate went another way through the campaign"),
    Reason.NO_ANCHOR: lambda detail, _: f"{detail.get('anchor', 'its anchor')} is not known yet",
    Reason.CONDITION: _fixed("its `if` is not true"),
    Reason.APPROVAL: _fixed("somebody has to approve it"),
    Reason.RELEASE: lambda detail, _: (
        "nobody was running when its moment came, and much is due at once"
        if detail.get("cause") == "stop"
        else "an edit made more mail due at once than goes out without a word from a person"
    ),
    Reason.RETRY: lambda detail, _: (
        f"the mail server said not now ({detail.get('attempts', 1)} tries so far)"
    ),
    Reason.NO_OPEN_HOURS: _fixed("no open hour within 400 days"),
    Reason.LATE: _fixed("its moment was already past when it became known"),
    Reason.EXPIRED: lambda detail, zone: (
        f"it was only good until {_at(detail['until'], zone)}"
        if "until" in detail
        else "its time is over"
    ),
    Reason.CROWDED_OUT: _fixed("more necessary messages took its places for too long"),
    Reason.MOVED: _fixed("what it hangs on has moved; it is planned anew"),
    Reason.LEFT: lambda detail, _: f"the candidate left the campaign ({detail.get('event', '')})",
    Reason.STEP_REMOVED: _fixed("its author removed the step"),
    Reason.UNSUBSCRIBED: _fixed("the candidate unsubscribed from this"),
    Reason.DO_NOT_CONTACT: _fixed("the candidate must not be contacted"),
    Reason.UNDELIVERABLE: _fixed("there is no address that works"),
    Reason.CANNOT_RENDER: lambda detail, _: (
        f"it cannot be written: {detail.get('said', 'a fact or its template is wanting')}"
    ),
    Reason.REFUSED: lambda detail, _: f"the mail server refused it: {detail.get('said', '')}",
    Reason.UNKNOWN_OUTCOME: _fixed("it was handed over and no answer came; it is not sent again"),
}
