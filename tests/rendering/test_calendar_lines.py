"""An entry is written as icalendar would write it, and read by it as it was meant."""

from datetime import UTC, datetime, timedelta, timezone

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.rendering.calendar_lines import component, instant, line, quoted, text

# What an invitation leaves of any value: no control but the line feed.
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=300
)
#: icalendar reads a backslash in a name as an escape, which RFC 5545 does not have there.
NAMES = WORDS.map(lambda words: words.replace("\\", "/"))
LINES = st.lists(WORDS, max_size=4).map("\n".join)


def event(summary, name):
    """The same by icalendar."""
    whole, entry = icalendar.Calendar(), icalendar.Event()
    entry.add("summary", summary)
    person = icalendar.vCalAddress("mailto:ana@example.com")
    person.params["CN"] = name.replace('"', "'")
    entry.add("organizer", person)
    whole.add_component(entry)
    return whole


def ours(summary, name):
    organizer = line("ORGANIZER", "mailto:ana@example.com", CN=quoted(name))
    inside = component("VEVENT", [line("SUMMARY", text(summary)), organizer])
    return component("VCALENDAR", [inside])


@settings(deadline=None)
@given(LINES, NAMES)
def test_whatever_is_said_reads_as_it_was_meant_and_fits_on_lines(summary, name):
    raw = ours(summary, f"x{name}")
    for each in raw.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(each) <= 75
        assert not {*b"\r\n"} & {*each}
        each.decode()  # no character is cut
    [entry] = icalendar.Calendar.from_ical(raw).walk("VEVENT")
    assert entry["summary"] == summary
    assert entry["organizer"].params["CN"] == f"x{name}".replace('"', "'")


@pytest.mark.parametrize(
    "words",
    [
        "Interview: Data Engineer, Example Ltd",
        "a, b; c \\ d",
        "x" * 400,
        "\\" * 200,
        "日本語 ü 👩🏽‍💻 " * 30,
        "one\ntwo\n\nthree",
        "x" * 66 + "," + "y" * 80,
        *("x" * (60 + more) for more in range(10)),
    ],
)
def test_bytes_are_those_of_icalendar(words):
    name = words.partition("\n")[0].replace("\\", "/")
    assert ours(words, name) == event(words, name).to_ical()
    assert ours(words, "Ana") == event(words, "Ana").to_ical()


def test_an_instant_is_said_in_utc():
    at = datetime(2026, 12, 3, 10, 5, 7, 999, timezone(timedelta(hours=-5)))
    assert instant(at) == "20261203T150507Z"
    assert instant(datetime(1, 1, 1, tzinfo=UTC)) == "00010101T000000Z"
