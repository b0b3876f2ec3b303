"""What do we hold about a candidate, why and until when, and what can they ask of us about it?

A page of their own. It tells what they know already or may know: not how their application stands,
because a decision is told by a person or in a mail and never by a list.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from nurture.core.model import Candidate
from nurture.engine.project import Project
from nurture.rendering.links import PREFERENCES
from nurture.rendering.questions import Question
from nurture.rendering.templates import chosen_for
from nurture.rendering.times import babel_locale, when, zone_name
from nurture.store import confidences, requests
from nurture.store.database import Connection
from nurture.store.dossier import (
    applications_of,
    contacts_of,
    interviews_of,
    mails_of,
    name_of_person,
    promises_of,
)
from nurture.web.choices import wishes_words
from nurture.web.looks import Looks
from nurture.web.phrases import Phrases
from nurture.web.public import ALL, leave, topic_words
from nurture.web.reader import Reader, reader_of

SHOWN = 20  #: mails on the page; a copy names all
SOURCE = "data"

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    def shown(request: Request, token: str, done: str = "") -> Response:
        reader = reader_of(project, request, PREFERENCES, token)
        if reader.candidate is None:
            return looks.notice(request, 404, reader.say("page.not_whole"))
        with project.database.read() as connection:
            values = _values(project, connection, reader, reader.candidate)
        return reader.page(looks, request, "held", token=token, done=done, **values)

    @router.api_route("/p/{token}/data", methods=_LOOK)
    def look(request: Request, token: str) -> Response:
        return shown(request, token)

    @router.post("/p/{token}/data/{wish}")
    def ask(request: Request, token: str, wish: str) -> Response:
        """`copy` or `deletion`; `keep`: not the deletion after all."""
        reader = reader_of(project, request, PREFERENCES, token)
        if reader.candidate is not None:
            if wish not in (*requests.KINDS, "keep"):
                return looks.notice(request, 404)
            _decide(project, reader.candidate, wish)
        return shown(request, token, done=wish)

    return router


def _decide(project: Project, candidate: Candidate, wish: str) -> None:
    """Who asks to be deleted gets no news from that moment on, whoever is slow to delete them."""
    now = project.clock.now()
    if wish == requests.DELETION:
        leave(project, candidate, source=SOURCE)
    with project.database.write() as connection:
        if wish == "keep":
            requests.take_back(connection, candidate.id, requests.DELETION, now)
        else:
            requests.ask(connection, candidate.id, wish, now)


# --- what the page shows --------------------------------------------------------------------------


def _values(
    project: Project, connection: Connection, reader: Reader, candidate: Candidate
) -> dict[str, Any]:
    say, now = reader.say, project.clock.now()
    id_, config = candidate.id, project.config
    mails = mails_of(connection, id_, limit=SHOWN + 1)
    told = confidences.told(connection, id_, now)
    return {
        "you": _you(candidate, reader),
        "fields": _declared(project, candidate),
        "applications": applications_of(connection, id_),
        "interviews": [_interview(each, reader) for each in interviews_of(connection, id_)],
        "mails": [_mail(each, say) for each in mails[:SHOWN]],
        "more": len(mails) > SHOWN,
        "contacts": contacts_of(connection, id_)[:SHOWN],
        "promises": promises_of(connection, id_)[-SHOWN:],
        "answers": _answers(project, candidate),
        "wishes": _wishes(candidate, reader, now) + wishes_words(project, candidate, reader),
        "confidences": [(each.told_at, name_of(connection, project, each.person)) for each in told],
        "consent_until": candidate.consent_until,
        "email": config.sender.email,
        "instant": datetime.fromisoformat,
        **_requests(connection, candidate),
    }


def name_of(connection: Connection, project: Project, person: str) -> str:
    """A colleague as candidates read it: by name, or by the team's name, never by an address that
    is only known from a column."""
    return name_of_person(connection, person) or project.config.sender.name


def _you(candidate: Candidate, reader: Reader) -> list[tuple[str, str]]:
    say, fields = reader.say, candidate.fields
    locale = babel_locale(say.locale)
    names = (candidate.first_name, candidate.last_name)
    zone, country = candidate.timezone, candidate.country
    found: Mapping[str, Any] = {
        "name": " ".join(name for name in names if name),
        "address": candidate.email,
        "phone": fields.get("phone"),
        "pronouns": fields.get("pronouns"),
        "language": candidate.locale and babel_locale(candidate.locale).get_display_name(locale),
        "zone": zone and zone_name(zone, say.locale),
        "country": country and locale.territories.get(country, country),
    }
    return [(say(f"data.{name}"), str(value)) for name, value in found.items() if value]


def _declared(project: Project, candidate: Candidate) -> list[tuple[str, str]]:
    """What the company asked for besides, in its own words. Other fields may be a colleague's
    notes."""
    found = []
    for name in project.config.candidate_fields:
        value = candidate.fields.get(name)
        if value not in (None, "", []):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            found.append((name.replace("_", " "), shown))
    return found


def _interview(row: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    say = reader.say
    starts_at = row.get("starts_at")
    return {
        "kind": say.get(f"kind.{row.get('kind')}", say("data.interview")),
        "when": starts_at and when(starts_at, reader.zone, say.locale),
        "off": row["status"] == "cancelled",
    }


def _mail(row: Mapping[str, Any], say: Phrases) -> dict[str, Any]:
    category, template = row["category"], row["template"].rpartition("/")[2]
    words = category.replace("_", " ").replace("-", " ")
    return {
        "at": row["sent_at"],
        "about": say.get(f"category.{category}", words),
        "template": template.replace("_", " ").replace("-", " "),
    }


def _answers(project: Project, candidate: Candidate) -> list[tuple[str, str]]:
    """Question and answer, in the words of the templates of now."""
    given = candidate.fields.get("answers")
    if not isinstance(given, dict):
        return []
    templates = project.library.templates
    asked: dict[str, Question] = {}
    for name in dict.fromkeys(each.name for each in templates.values() if each.ask):
        template = chosen_for(templates, name, candidate, project.config)
        asked.update({each.id: each for each in (template.ask if template else ())})
    return [
        (asked[id_].text, asked[id_].options.get(str(value), str(value)))
        if id_ in asked
        else (id_, str(value))
        for id_, value in sorted(given.items())
    ]


def _wishes(candidate: Candidate, reader: Reader, now: datetime) -> list[str]:
    say, found = reader.say, []
    if candidate.do_not_contact:
        found.append(say("data.silent"))
    if ALL in candidate.unsubscribed:
        found.append(say("data.gone"))
    elif candidate.unsubscribed:
        topics = ", ".join(topic_words(say, each) for each in sorted(candidate.unsubscribed))
        found.append(say("data.less", topics=topics))
    if candidate.paused_until is not None and candidate.paused_until > now:
        found.append(say("data.paused", day=reader.day(candidate.paused_until)))
    return found


def _requests(connection: Connection, candidate: Candidate) -> dict[str, Any]:
    """Those that are open, by kind, each with the day by which it is answered; and the others that
    a person has answered."""
    rows = requests.of_candidate(connection, candidate.id)
    waiting = {row["kind"]: row for row in rows if row["done_at"] is None}
    return {
        **{
            f"{kind}_asked": kind in waiting
            and {
                "at": waiting[kind]["asked_at"],
                "due": requests.due_at(waiting[kind]["asked_at"]),
            }
            for kind in requests.KINDS
        },
        "answered": [
            row for row in rows if row["done_at"] is not None and row["done_by"] != requests.BACK
        ],
    }
