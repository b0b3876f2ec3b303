"""What is in a mail that was written? Its headers, links, calendar entry and size, for people.

Nothing is loaded, and nothing that a link says is asked for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from nurture.rendering.invitation import Invitation

#: Gmail shows no more of a mail's HTML than this many bytes.
CLIPPED_AT = 102 * 1024
#: About so many characters of a subject are seen on a phone that is held upright.
ON_A_PHONE = 40

_ADDRESS = re.compile(r"https?://[^\s<>\"]+|mailto:[^\s<>\"]+")
_AFTER = ".,;:!?)]'"  # ends a sentence around an address
_OUTSIDE = re.compile(r"url\(\s*['\"]?(https?://[^'\")]+)|@import\s+['\"](https?://[^'\"]+)")
_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.DOTALL | re.IGNORECASE)
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_META = re.compile(
    r"(<meta\s[^>]*name=[\"'](?:color-scheme|supported-color-schemes)[\"'][^>]*content=[\"'])"
    r"[^\"']*",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Header:
    name: str
    said: str  #: decoded
    raw: str  #: as it goes, folded


@dataclass(frozen=True, kw_only=True)
class Link:
    label: str  #: what one sees and presses; in the text part nothing
    target: str  #: where it leads; of an address of ours without its token
    purpose: str = ""  #: of an address of ours, the first part of its path: `u`, `p`, `a`
    token: str = field(default="", repr=False)  #: whose it is can be read; not to be shown
    in_html: bool = False
    in_text: bool = False

    @property
    def kind(self) -> str:
        """`ours` | `web` | `plain` (not encrypted) | `mail` | `phone` | `other`"""
        if self.purpose:
            return "ours"
        scheme = self.target.partition(":")[0].lower()
        kinds = {"https": "web", "http": "plain", "mailto": "mail", "tel": "phone"}
        return kinds.get(scheme, "other")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a mail does to its reader's calendar."""

    method: str  #: REQUEST | CANCEL
    summary: str
    starts_at: datetime
    ends_at: datetime | None
    location: str
    description: str
    organizer: str
    attendee: str
    uid: str
    sequence: int
    raw: str


def headers(raw: bytes) -> list[Header]:
    """Each header of a message, in its order."""
    head = raw.partition(b"\r\n\r\n")[0]
    lines = re.split(r"\r\n(?![ \t])", head.decode("utf-8", "replace"))
    said = [str(value) for value in message_from_bytes(head, policy=policy.default).values()]
    return [
        Header(name=line.partition(":")[0], said=value, raw=line.replace("\r\n", "\n"))
        for line, value in zip(lines, said, strict=True)
    ]


def links(html: str, text: str, ours: str) -> list[Link]:
    """Where each link of the two parts leads, in the order of the HTML part. `ours`: the address of
    our own pages, whose tokens are not shown."""
    found: dict[tuple[str, str], Link] = {}
    reader = _read(html)
    for label, target in reader.links:
        key = (label, target)
        found.setdefault(key, replace(_link(target, ours), label=label, in_html=True))
    for target in _in_text(text):
        same = [key for key in found if key[1] == target] or [("", target)]
        for key in same:
            known = found.get(key) or _link(target, ours)
            found[key] = replace(known, in_text=True)
    return list(found.values())


def pictures(html: str) -> list[str]:
    """The addresses of what a mail program would load from elsewhere, each once."""
    styles = (one or other for one, other in _OUTSIDE.findall(html))
    return list(dict.fromkeys([*_read(html).loaded, *styles]))


def entry_in(invitation: Invitation) -> Entry:
    # Imported here: a quarter of a second that only mail about interviews pays.
    from icalendar import Calendar  # noqa: PLC0415

    whole: Any = Calendar.from_ical(invitation.body)
    event = whole.walk("VEVENT")[0]
    ends = event.get("dtend")
    return Entry(
        method=invitation.method,
        summary=str(event.get("summary", "")),
        starts_at=event["dtstart"].dt,
        ends_at=None if ends is None else ends.dt,
        location=str(event.get("location", "")),
        description=str(event.get("description", "")),
        organizer=_person(event.get("organizer")),
        attendee=_person(event.get("attendee")),
        uid=str(event["uid"]),
        sequence=int(event.get("sequence", 0)),
        raw=invitation.body.decode("utf-8", "replace").replace("\r\n", "\n"),
    )


def in_scheme(html: str, scheme: str) -> str:
    """The page as it looks to somebody who reads by `light` or by `dark`, whatever the machine that
    shows it prefers: its questions for the one or the other are answered."""

    def answered(found: re.Match[str]) -> str:
        return "(min-width: 0)" if found[1].lower() == scheme else "(max-width: 0)"

    def style(found: re.Match[str]) -> str:
        return found[1] + _SCHEME.sub(answered, found[2]) + found[3]

    return _META.sub(lambda found: found[1] + f"only {scheme}", _STYLE.sub(style, html))


def has_night(html: str) -> bool:
    """Whether it says how it looks by dark."""
    return any("dark" in _SCHEME.findall(style[1].lower()) for style in _STYLE.findall(html))


def _in_text(text: str) -> Iterator[str]:
    for found in _ADDRESS.finditer(text):
        yield found[0].rstrip(_AFTER)


def _link(target: str, ours: str) -> Link:
    if not target.startswith(f"{ours}/"):
        return Link(label="", target=target)
    purpose, slash, token = (
        urlsplit(target).path.removeprefix(urlsplit(ours).path)[1:].partition("/")
    )
    if not slash or not token:
        return Link(label="", target=target)
    return Link(label="", target=f"{ours}/{purpose}/…", purpose=purpose, token=token)


def _person(value: Any) -> str:
    if value is None:
        return ""
    address = str(value).removeprefix("mailto:")
    name = value.params.get("CN", "")
    return f"{name} <{address}>" if name else address


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, str]] = []
        self.loaded: list[str] = []
        self._target: str | None = None
        self._label: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: (value or "").strip() for name, value in attrs}
        if tag in ("a", "area") and told.get("href"):
            self._end()
            self._target = told["href"]
        elif tag == "img":
            self._label.append(told.get("alt", ""))
        for name in ("src", "background", "poster"):
            if told.get(name, "").startswith(("http:", "https:", "//")):
                self.loaded.append(told[name])

    def handle_data(self, data: str) -> None:
        if self._target is not None:
            self._label.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end()

    def close(self) -> None:
        super().close()
        self._end()

    def _end(self) -> None:
        if self._target is not None:
            self.links.append((" ".join("".join(self._label).split()), self._target))
        self._target, self._label = None, []


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader
