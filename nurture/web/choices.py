"""What can candidates choose about the mail they get? One page, and a form for each thing.

Each form says one `candidate.preferences`, which counts for mail already queued as well. What is
asked for is stored in the words of docs/events.md and shown in the reader's language.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import get_day_names, get_timezone_location
from fastapi import APIRouter, Depends, Request, Response

from nurture.core import wishes
from nurture.core.model import Candidate, Duration, Pace
from nurture.core.timing import shift
from nurture.engine.project import Project
from nurture.errors import Problems
from nurture.rendering.languages import plain
from nurture.rendering.links import CONFIDENCES, PREFERENCES
from nurture.rendering.times import babel_locale
from nurture.store.dossier import wishes_data
from nurture.web.looks import Looks
from nurture.web.phrases import Phrases, languages
from nurture.web.public import ALL, come_back, leave, topic_words, topics_of
from nurture.web.reader import Reader, reader_of, tell
from nurture.web.rights import form_of

SOURCE = "preferences"
MONTHS = (1, 2, 3, 6, 12)  #: how long a pause may be
USUAL = 3
DAYS = ("", "mon-fri", "sat, sun", *(name[:3] for name in wishes.WEEKDAYS))
#: One for each clock that many people live by; whoever lives by another one has it offered too.
ZONES = (
    *("Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver"),
    *("America/Phoenix", "America/Chicago", "America/Mexico_City", "America/New_York"),
    *("America/Bogota", "America/Halifax", "America/Santiago", "America/St_Johns"),
    *("America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Atlantic/Azores", "Europe/London"),
    *("Europe/Dublin", "Europe/Lisbon", "Africa/Casablanca", "Europe/Madrid", "Europe/Paris"),
    *("Europe/Brussels", "Europe/Amsterdam", "Europe/Berlin", "Europe/Zurich", "Europe/Vienna"),
    *("Europe/Rome", "Europe/Copenhagen", "Europe/Oslo", "Europe/Stockholm", "Europe/Warsaw"),
    *("Europe/Prague", "Europe/Budapest", "Africa/Lagos", "Europe/Athens", "Europe/Bucharest"),
    *("Europe/Helsinki", "Europe/Kyiv", "Africa/Cairo", "Africa/Johannesburg", "Asia/Jerusalem"),
    *("Europe/Istanbul", "Africa/Nairobi", "Asia/Riyadh", "Asia/Tehran", "Asia/Dubai"),
    *("Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka", "Asia/Bangkok"),
    *("Asia/Jakarta", "Asia/Singapore", "Asia/Hong_Kong", "Asia/Shanghai", "Asia/Manila"),
    *("Australia/Perth", "Asia/Tokyo", "Asia/Seoul", "Australia/Adelaide", "Australia/Brisbane"),
    *("Australia/Sydney", "Pacific/Auckland"),
)

_LOOK = ["GET", "HEAD"]
_NUMBER_AT_MOST = 40  # characters of a phone number

Form = Annotated[tuple[tuple[str, str], ...], Depends(form_of)]


class NotSavedError(Exception):
    """What was sent says nothing that could be kept; carries the phrase that says so."""


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    def shown(
        request: Request, reader: Reader, token: str, done: str = "", wrong: str = ""
    ) -> Response:
        if reader.candidate is None:
            return looks.notice(request, 404, reader.say("page.not_whole"))
        values = _values(project, reader.candidate, reader)
        status = 422 if wrong else 200
        return reader.page(
            looks, request, "choices", status=status, token=token, done=done, wrong=wrong, **values
        )

    @router.api_route("/p/{token}", methods=_LOOK)
    def look(request: Request, token: str) -> Response:
        return shown(request, reader_of(project, request, PREFERENCES, token), token)

    @router.post("/p/{token}/{wish}")
    def decide(request: Request, token: str, wish: str, form: Form) -> Response:
        reader = reader_of(project, request, PREFERENCES, token)
        if reader.candidate is None:
            return shown(request, reader, token)
        deed = _DEEDS.get(wish)
        if deed is None:
            return looks.notice(request, 404)
        try:
            deed(project, reader.candidate, form)
        except NotSavedError as said:
            return shown(request, reader, token, done=wish, wrong=str(said))
        except Problems:
            return shown(request, reader, token, done=wish, wrong="ways.wrong")
        return shown(request, reader_of(project, request, PREFERENCES, token), token, done=wish)

    return router


# --- what each form does --------------------------------------------------------------------------


def _prefer(project: Project, candidate: Candidate, **preferences: Any) -> None:
    tell(project, candidate, "candidate.preferences", SOURCE, preferences=preferences)


def _leave(project: Project, candidate: Candidate, form: Form) -> None:  # noqa: ARG001
    leave(project, candidate, source=SOURCE)


def _again(project: Project, candidate: Candidate, form: Form) -> None:  # noqa: ARG001
    come_back(project, candidate, sorted(candidate.unsubscribed), source=SOURCE)


def _pause(project: Project, candidate: Candidate, form: Form) -> None:
    months = dict(form).get("months", str(USUAL))
    if months not in map(str, MONTHS):
        raise NotSavedError("ways.wrong")
    until = pause_until(project, candidate, int(months))
    tell(project, candidate, "candidate.paused", SOURCE, until=until.isoformat())


def _resume(project: Project, candidate: Candidate, form: Form) -> None:  # noqa: ARG001
    tell(project, candidate, "candidate.resumed", SOURCE)


def _topics(project: Project, candidate: Candidate, form: Form) -> None:
    wanted = {value for name, value in form if name == "topic"}
    asked = {each: each in wanted for each in _offered(project, candidate)}
    news = {each: yes for each, yes in asked.items() if yes == (each in candidate.unsubscribed)}
    if news:
        _prefer(project, candidate, topics=news)


def _pace(project: Project, candidate: Candidate, form: Form) -> None:
    told = dict(form)
    pace, day = told.get("pace", ""), told.get("pace_day", "")
    if pace not in list(Pace) or day not in ("", *wishes.WEEKDAYS):
        raise NotSavedError("ways.wrong")
    _prefer(project, candidate, pace=pace, pace_day=day or None)


def _hours(project: Project, candidate: Candidate, form: Form) -> None:
    told = dict(form)
    kept = _kept(project, candidate, "hours", form)
    days, from_, to = (told.get(name, "").strip() for name in ("days", "from", "to"))
    if days or from_ or to:
        if days not in DAYS:
            raise NotSavedError("hours.refused")
        clock = f"{from_}-{to}" if from_ and to else f"after {from_}" if from_ else f"before {to}"
        mode = "not" if told.get("mode") == "not" else "only" if days else ""
        text = " ".join(each for each in (mode, days, clock if from_ or to else "") if each)
        try:
            wishes.parse_hours(text)
        except ValueError:
            raise NotSavedError("hours.refused") from None
        kept = list(dict.fromkeys([*kept, text]))
    _prefer(project, candidate, hours=kept)


def _quiet(project: Project, candidate: Candidate, form: Form) -> None:
    told = dict(form)
    kept = _kept(project, candidate, "quiet_days", form)
    first, last = (told.get(name, "").strip() for name in ("from", "to"))
    if first or last:
        text = f"{first}..{last}" if last and last != first else first
        try:
            if isinstance(wishes.parse_quiet(text), frozenset):
                raise NotSavedError("quiet.refused")
        except ValueError:
            raise NotSavedError("quiet.refused") from None
        kept = list(dict.fromkeys([*kept, text]))
    _prefer(project, candidate, quiet_days=kept)


def _ways(project: Project, candidate: Candidate, form: Form) -> None:
    told, now = dict(form), _ways_now(project, candidate)
    news: dict[str, Any] = {
        name: told[name].strip()
        for name in ("channel", "phone", "language", "formality", "timezone")
        if name in told and told[name].strip() != now[name]
    }
    number = told.get("phone", now["phone"]).strip()
    if told.get("channel") == "phone" and not number:
        raise NotSavedError("ways.refused")
    if len(number) > _NUMBER_AT_MOST or news.get("formality", "") not in ("", "formal", "informal"):
        raise NotSavedError("ways.wrong")
    for name in ("phone", "formality"):
        if news.get(name) == "":
            news[name] = None
    discreet = "discreet" in told
    if discreet != now["discreet"]:
        news["discreet"] = discreet
    if news:
        _prefer(project, candidate, **news)


_DEEDS = {
    "unsubscribe": _leave,
    "resubscribe": _again,
    "pause": _pause,
    "resume": _resume,
    "topics": _topics,
    "pace": _pace,
    "hours": _hours,
    "quiet": _quiet,
    "ways": _ways,
}


def pause_until(project: Project, candidate: Candidate, months: int) -> datetime:
    """The same day so many months from now, by their calendar."""
    calendar = project.planner.calendars.of(candidate)
    return shift(project.clock.now(), Duration(amount=months, unit="months"), calendar)


def _kept(project: Project, candidate: Candidate, name: str, form: Form) -> list[str]:
    """Of what they had asked for, what is still ticked."""
    ticked = {value for field, value in form if field == "keep"}
    return [text for text in _said(project, candidate)[name] if text in ticked]


# --- what the page shows --------------------------------------------------------------------------


def _values(project: Project, candidate: Candidate, reader: Reader) -> dict[str, Any]:
    now, say = project.clock.now(), reader.say
    said, paused = _said(project, candidate), candidate.paused_until
    local = now.astimezone(reader.zone)
    names = get_day_names("wide", locale=babel_locale(say.locale))
    return {
        "silent": candidate.do_not_contact,
        "gone": ALL in candidate.unsubscribed,
        "topics": [
            (each, topic_words(say, each), each not in candidate.unsubscribed)
            for each in _offered(project, candidate)
        ],
        "less": bool(candidate.unsubscribed - {ALL}),
        "paused": paused if paused is not None and paused > now else None,
        "months": [
            (each, say("choose.month") if each == 1 else say("choose.months", many=each))
            for each in MONTHS
        ],
        "usual": USUAL,
        "paces": [(each.value, say(f"pace.{each.value}")) for each in Pace],
        "pace": candidate.wishes.pace.value,
        "pace_day": candidate.wishes.pace_day,
        "weekdays": [(name, names[day]) for day, name in enumerate(wishes.WEEKDAYS)],
        "place": _place(reader.zone.key, say),
        "clock": f"{local:%H:%M}",
        "hours": [(text, hours_words(text, say)) for text in said["hours"]],
        "days": [(each, _days_words(_days_of(each), say)) for each in DAYS],
        "quiet": quiet_words(said["quiet_days"], reader, local.date()),
        "today": local.date().isoformat(),
        "ways": _ways_now(project, candidate),
        "number_at_most": _NUMBER_AT_MOST,
        "languages": _languages(project, candidate),
        "zones": _zones(reader.zone.key, now, say),
        "needs": project.signer.token(CONFIDENCES, candidate.id),
    }


def wishes_words(project: Project, candidate: Candidate, reader: Reader) -> list[str]:
    """What they asked for besides topics, in their language: how it is shown where it is not
    changed."""
    say, told = reader.say, _said(project, candidate)
    today = project.clock.now().astimezone(reader.zone).date()
    found = []
    if candidate.wishes.pace is not Pace.AS_IT_HAPPENS:
        found.append(f"{say('pace.title')}: {say(f'pace.{candidate.wishes.pace}')}")
    found += [hours_words(text, say) for text in told["hours"]]
    found += [words for _, words in quiet_words(told["quiet_days"], reader, today)]
    if candidate.wishes.phone_first:
        found.append(f"{say('ways.channel')}: {say('ways.phone')}")
    if candidate.fields.get("discreet") is True:
        found.append(say("ways.discreet"))
    return found


def _said(project: Project, candidate: Candidate) -> Mapping[str, Sequence[str]]:
    """Hours and days in the words in which they are stored."""
    with project.database.read() as connection:
        data = wishes_data(connection, candidate.id)
    found = {name: data.get(name, []) for name in ("hours", "quiet_days")}
    return {name: [value] if isinstance(value, str) else value for name, value in found.items()}


def _offered(project: Project, candidate: Candidate) -> list[str]:
    return sorted({*topics_of(project), *candidate.unsubscribed} - {ALL})


def _ways_now(project: Project, candidate: Candidate) -> dict[str, Any]:
    fields, config = candidate.fields, project.config
    return {
        "channel": "phone" if fields.get("channel") == "phone" else "email",
        "phone": str(fields.get("phone") or ""),
        "language": candidate.locale or config.locale,
        "formality": str(fields.get("formality") or ""),
        "discreet": fields.get("discreet") is True,
        "timezone": candidate.timezone or config.timezone,
    }


def _languages(project: Project, candidate: Candidate) -> list[tuple[str, str]]:
    """Those in which there are mails or these pages, each by its own name."""
    config, templates = project.config, project.library.templates.values()
    own = _ways_now(project, candidate)["language"]
    spoken = {own.partition("-")[0]} if own != own.partition("-")[0] else set()
    written = {plain(each.locale) for each in templates if each.locale}
    tags = {own, config.locale, *languages(), *written}
    named = [(tag, _tongue(tag)) for tag in tags - spoken]
    return sorted(named, key=lambda each: each[1].casefold())


def _tongue(tag: str) -> str:
    name = babel_locale(tag).get_display_name() or tag
    return name[:1].upper() + name[1:]


def _zones(own: str, now: datetime, say: Phrases) -> list[tuple[str, str]]:
    """From west to east, with the hour that it is there."""
    there = [now.astimezone(ZoneInfo(key)) for key in dict.fromkeys((own, *ZONES))]
    there.sort(key=lambda at: at.replace(tzinfo=None))
    return [(str(at.tzinfo), f"{at:%H:%M} {_place(str(at.tzinfo), say)}") for at in there]


def _place(key: str, say: Phrases) -> str:
    """`Lisbon`, `Lissabon`: a zone by its city."""
    if "/" not in key or key.startswith("Etc/"):
        return key
    locale: Locale = babel_locale(say.locale)
    city: str = get_timezone_location(key, locale=locale, return_city=True)
    return city.rpartition("/")[2]


def hours_words(text: str, say: Phrases) -> str:
    """A wish about hours in the reader's language; one that came from elsewhere and cannot be read
    as it was said."""
    try:
        said = wishes.parse_hours(text)
    except ValueError:
        return text
    told = []
    for hours in said.hours:
        whole = hours.from_ == hours.from_.min and hours.to is None
        daily = len(hours.days) == len(wishes.WEEKDAYS)
        way = "never" if said.excluded else "only" if said.alone or daily else "only_hours"
        name = f"{way}_days" if whole else f"{way}_daily" if daily else way
        values = {
            "days": _days_words(hours.days, say),
            "from_": f"{hours.from_:%H:%M}",
            "to": f"{hours.to:%H:%M}" if hours.to else say("hours.midnight"),
        }
        told.append(say(f"hours.{name}", **values))
    return "; ".join(told)


def _days_of(text: str) -> frozenset[int]:
    if not text:
        return frozenset(range(len(wishes.WEEKDAYS)))
    found = wishes.parse_quiet(text)
    return found if isinstance(found, frozenset) else frozenset()


def _days_words(days: frozenset[int], say: Phrases) -> str:
    for known, name in ((range(7), "every_day"), (range(5), "weekdays"), ((5, 6), "weekend")):
        if days == frozenset(known):
            return say(f"hours.{name}")
    names = get_day_names("wide", locale=babel_locale(say.locale))
    return ", ".join(names[day] for day in sorted(days))


def quiet_words(said: Sequence[str], reader: Reader, today: date) -> list[tuple[str, str]]:
    """Quiet days that are still to come."""
    found = []
    for text in said:
        try:
            days = wishes.parse_quiet(text)
        except ValueError:
            continue
        if isinstance(days, frozenset):
            words = reader.say("hours.never_days", days=_days_words(days, reader.say))
            found.append((text, words))
        elif days[1] >= today:
            first, last = (reader.day(each) for each in days)
            both = reader.say("quiet.days", first=first, last=last)
            found.append((text, first if days[0] == days[1] else both))
    return found
