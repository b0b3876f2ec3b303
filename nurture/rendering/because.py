"""Why does this item fit this reader? A clause that goes on from "because", in their language.

It is made of the facts that the item met, and says nothing that is not one of them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from nurture.core.content import Brought, Match
from nurture.rendering import times

#: At most so many reasons: more is no reason any more.
_MOST = 2

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "team_on": "you meet the {said} team on {day}",
        "team": "you would work with the {said} team",
        "interview_on": "you have {kind} with us on {day}",
        "interview": "you have {kind} with us soon",
        "role_family": "you applied for {said}",
        "seniority": "you applied for {said}",
        "stage": "{said}",
        "country": "you live in {said}",
        "else": "you are getting to know us",
        "and": "{one}, and {other}",
        "phone": "a phone call",
        "video": "a video interview",
        "technical": "a technical interview",
        "panel": "a panel interview",
        "case": "a case interview",
        "onsite": "a day on site",
        "final": "the final interview",
        "lead": "we are in touch about working here",
        "applied": "we have your application",
        "screening": "we are reading your application",
        "assessment": "you are at the assessment",
        "interviewing": "you are at the interviews",
        "final_stage": "you are in the final round",
        "decision": "we are about to decide",
        "offer": "you have an offer from us",
        "hired": "you are joining us",
        "on_hold": "your application is on hold",
        "rejected": "you applied to us",
        "withdrawn": "you applied to us",
    },
}


def because(brought: Brought, locale: str, zone: ZoneInfo) -> str:
    """`you meet the Data team on Thursday, 3 December 2026`. A language without words here reads
    English ones."""
    words = _WORDS.get(locale.partition("-")[0].lower(), _WORDS["en"])
    interview = brought.situation.interview
    starts_at = interview.starts_at if interview is not None else None
    told: list[str] = []
    for match in brought.matches:
        if match.what == "interview" and told and starts_at is not None:
            continue  # the day is said already
        clause = _clause(match, words, starts_at, locale, zone)
        if clause not in told:
            told.append(clause)
    if not told:
        return words["else"]
    one, *others = told[:_MOST]
    return words["and"].format(one=one, other=others[0]) if others else one


def _clause(
    match: Match, words: Mapping[str, str], starts_at: datetime | None, locale: str, zone: ZoneInfo
) -> str:
    said: dict[str, Any] = {"said": match.said}
    name = match.what
    if starts_at is not None:
        said["day"] = times.day(starts_at, zone, locale)
    match name:
        case "team" if starts_at is not None:
            name = "team_on"
        case "interview":
            said["kind"] = words[match.said]
            name = "interview_on" if starts_at is not None else name
        case "stage":
            said["said"] = words["final_stage" if match.said == "final" else match.said]
        case "country":
            said["said"] = _country(match.said, locale)
    return words[name].format(**said)


def _country(code: str, locale: str) -> str:
    return str(times.babel_locale(locale).territories.get(code, code))
