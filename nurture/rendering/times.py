"""How does a person write that time? In the reader's zone and language, the zone always named.

Plain English dates are written day first with a 24-hour clock ("Thursday, 3 December 2026,
10:00"); other locales, `en-US` among them, as their own conventions say.
"""

from datetime import date, datetime, tzinfo
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_location

from nurture.rendering.languages import plain
from nurture.rendering.words import zone_words

_DAY_FIRST = ("en", "en-GB", "en-IE", "en-AU", "en-NZ")


def when(instant: datetime, zone: tzinfo, locale: str) -> str:
    """`Thursday, 3 December 2026, 10:00 (Lisbon time)`."""
    return f"{day(instant, zone, locale)}, {clock(instant, zone, locale)}"


@lru_cache(maxsize=4096)  # a letter says the same time in its subject, its text and its `facts`
def day(instant: date, zone: tzinfo, locale: str) -> str:
    """`Thursday, 3 December 2026`. Takes a date as well."""
    local = instant.astimezone(zone).date() if isinstance(instant, datetime) else instant
    pattern = "EEEE, d MMMM y" if plain(locale) in _DAY_FIRST else "full"
    return format_date(local, pattern, locale=babel_locale(locale))


@lru_cache(maxsize=4096)
def clock(instant: datetime, zone: tzinfo, locale: str) -> str:
    """`10:00 (Lisbon time)`."""
    pattern = "HH:mm" if plain(locale) in _DAY_FIRST else "short"
    told = format_time(instant.astimezone(zone), pattern, locale=babel_locale(locale))
    return f"{told} ({zone_name(str(zone), locale)})"


@lru_cache(maxsize=1024)
def zone_name(key: str, locale: str) -> str:
    """`Lisbon time`, `heure de Lisbonne`: the zone by its city."""
    if key in ("UTC", "Etc/UTC", "Etc/GMT", "GMT"):
        return "UTC"
    if "/" not in key or key.startswith("Etc/"):
        return key
    city = get_timezone_location(key, locale=babel_locale(locale), return_city=True)
    return zone_words(locale).format(city=city.rpartition("/")[2])


@lru_cache(maxsize=256)
def babel_locale(tag: str) -> Locale:
    """The nearest locale that Babel knows; English for a tag that means nothing."""
    for candidate in (plain(tag), tag.partition("-")[0]):
        try:
            return Locale.parse(candidate, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")
