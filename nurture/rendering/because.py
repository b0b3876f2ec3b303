"""Why does this item fit this reader? A clause that goes on from "because", in their language.

It is made of the facts that the item met, and says nothing that is not one of them. In German it
goes on from "weil", in French from "parce que".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from nurture.core.content import Brought, Match
from nurture.rendering import times
from nurture.rendering.languages import language
from nurture.rendering.words import in_address

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
        "country": "your country is {said}",
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
    "de": {
        "team_on": "Sie am {day} das Team {said} treffen",
        "team": "Sie mit dem Team {said} arbeiten würden",
        "interview_on": "Sie am {day} {kind} bei uns haben",
        "interview": "Sie bald {kind} bei uns haben",
        "role_family": "Sie sich als {said} beworben haben",
        "seniority": "Sie sich als {said} beworben haben",
        "stage": "{said}",
        "country": "wir als Ihr Land {said} kennen",
        "else": "Sie uns gerade kennenlernen",
        "and": "{one} und weil {other}",
        "phone": "ein Telefongespräch",
        "video": "ein Videogespräch",
        "technical": "ein Fachgespräch",
        "panel": "ein Gespräch mit mehreren von uns",
        "case": "ein Gespräch mit Fallaufgabe",
        "onsite": "einen Tag vor Ort",
        "final": "das abschließende Gespräch",
        "lead": "wir über eine Mitarbeit in Kontakt sind",
        "applied": "uns Ihre Bewerbung vorliegt",
        "screening": "wir gerade Ihre Bewerbung lesen",
        "assessment": "Sie an der Arbeitsprobe sitzen",
        "interviewing": "Sie in den Gesprächen sind",
        "final_stage": "Sie in der letzten Runde sind",
        "decision": "wir bald entscheiden",
        "offer": "Sie ein Angebot von uns haben",
        "hired": "Sie bei uns anfangen",
        "on_hold": "Ihre Bewerbung gerade ruht",
        "rejected": "Sie sich bei uns beworben haben",
        "withdrawn": "Sie sich bei uns beworben haben",
    },
    "de-informal": {
        "team_on": "du am {day} das Team {said} triffst",
        "team": "du mit dem Team {said} arbeiten würdest",
        "interview_on": "du am {day} {kind} bei uns hast",
        "interview": "du bald {kind} bei uns hast",
        "role_family": "du dich als {said} beworben hast",
        "seniority": "du dich als {said} beworben hast",
        "country": "wir als dein Land {said} kennen",
        "else": "du uns gerade kennenlernst",
        "applied": "uns deine Bewerbung vorliegt",
        "screening": "wir gerade deine Bewerbung lesen",
        "assessment": "du an der Arbeitsprobe sitzt",
        "interviewing": "du in den Gesprächen bist",
        "final_stage": "du in der letzten Runde bist",
        "offer": "du ein Angebot von uns hast",
        "hired": "du bei uns anfängst",
        "on_hold": "deine Bewerbung gerade ruht",
        "rejected": "du dich bei uns beworben hast",
        "withdrawn": "du dich bei uns beworben hast",
    },
    "fr": {
        "team_on": "vous rencontrez l’équipe {said} le {day}",
        "team": "vous travailleriez avec l’équipe {said}",
        "interview_on": "vous avez {kind} avec nous le {day}",
        "interview": "vous avez bientôt {kind} avec nous",
        "role_family": "vous avez postulé au poste de {said}",
        "seniority": "vous avez postulé au poste de {said}",
        "stage": "{said}",
        "country": "votre pays est, pour nous, {said}",
        "else": "vous faites notre connaissance",
        "and": "{one} et que {other}",
        "phone": "un entretien téléphonique",
        "video": "un entretien en vidéo",
        "technical": "un entretien technique",
        "panel": "un entretien avec plusieurs d’entre nous",
        "case": "un entretien avec étude de cas",
        "onsite": "une journée sur place",
        "final": "l’entretien final",
        "lead": "nous sommes en contact au sujet d’un emploi",
        "applied": "nous avons votre candidature",
        "screening": "nous lisons votre candidature",
        "assessment": "vous en êtes à l’exercice pratique",
        "interviewing": "vous en êtes aux entretiens",
        "final_stage": "vous en êtes au dernier tour",
        "decision": "nous allons bientôt décider",
        "offer": "vous avez une offre de notre part",
        "hired": "vous commencez bientôt chez nous",
        "on_hold": "votre candidature est en pause",
        "rejected": "vous avez postulé chez nous",
        "withdrawn": "vous avez postulé chez nous",
    },
    "fr-informal": {
        "team_on": "tu rencontres l’équipe {said} le {day}",
        "team": "tu travaillerais avec l’équipe {said}",
        "interview_on": "tu as {kind} avec nous le {day}",
        "interview": "tu as bientôt {kind} avec nous",
        "role_family": "tu as postulé au poste de {said}",
        "seniority": "tu as postulé au poste de {said}",
        "country": "ton pays est, pour nous, {said}",
        "else": "tu fais notre connaissance",
        "applied": "nous avons ta candidature",
        "screening": "nous lisons ta candidature",
        "assessment": "tu en es à l’exercice pratique",
        "interviewing": "tu en es aux entretiens",
        "final_stage": "tu en es au dernier tour",
        "offer": "tu as une offre de notre part",
        "hired": "tu commences bientôt chez nous",
        "on_hold": "ta candidature est en pause",
        "rejected": "tu as postulé chez nous",
        "withdrawn": "tu as postulé chez nous",
    },
}


def because(brought: Brought, locale: str, zone: ZoneInfo) -> str:
    """`you meet the Data team on Thursday, 3 December 2026`. A language without words here reads
    English ones."""
    locale = locale if language(locale) in _WORDS else "en"  # dates follow the words
    words = in_address(_WORDS, locale)
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
