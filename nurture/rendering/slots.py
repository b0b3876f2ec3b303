"""Where does each person's value go in a mail that was laid out once for all?

While a template is rendered, every printed value leaves a token in the text and is remembered. What
comes out is the mail's shape: the same for everyone who takes the same branches. The shape is
turned from Markdown into HTML, laid out and inlined once; afterwards values are only filled in,
each escaped for the place where it lands. A value can therefore never act as Markdown or HTML.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import quote

from nurture.rendering.errors import RenderError

_TOKEN = re.compile(r"qzv(\d{4})vzq")
_IN_URL = re.compile(r"qzu(\d{4})uzq")  # a value within a link of the text part
_LOOKALIKE = re.compile(r"qzv\d{4}vzq", re.IGNORECASE)
_SLOTS_MAX = 5_000
_VALUE_MAX = 50_000
_VALUES_MAX = 500_000  # characters of all together: a mail with more is no letter

# Everything invisible that can harm: C0 and C1 controls but tab and line feed, text direction
# overrides, and halves of surrogate pairs, which no encoding can carry.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

_HTML_PIECE = re.compile(r"<!--.*?-->|<style\b.*?</style\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]+)=(?:"([^"]*)"|'([^']*)')""")
_URL_ATTRIBUTES = frozenset({"href", "src", "action", "background", "cite"})
_BARE_HOST = re.compile(r"[\w-]+(\.[\w-]+)+([/?#]|$)")
_WEB_URL = re.compile(r"https?://\S+", re.IGNORECASE)


class Slots:
    """The values that one rendering printed, in order."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._length = 0

    def put(self, value: str) -> str:
        """The token that stands for this value from now on."""
        if len(self.values) >= _SLOTS_MAX:
            raise RenderError(f"more than {_SLOTS_MAX} values are printed")
        if len(value) > _VALUE_MAX:
            raise RenderError(f"a value is longer than {_VALUE_MAX} characters")
        self._length += len(value)
        if self._length > _VALUES_MAX:
            raise RenderError(f"more than {_VALUES_MAX} characters of values are printed")
        text = value.replace("\r\n", "\n").replace("\r", "\n")
        self.values.append(_HARMFUL.sub("", text))
        return f"qzv{len(self.values) - 1:04d}vzq"


@dataclass(frozen=True)
class _Slot:
    number: int
    place: str  #: text | linked | plain | url | url-part | attribute | typed | typed-url-part


@dataclass(frozen=True)
class Mould:
    """Text laid out once, with the places that values are filled into."""

    pieces: tuple[str | _Slot, ...]
    link_style: str = ""

    def fill(self, values: Sequence[str]) -> str:
        return "".join(
            piece if isinstance(piece, str) else self._value(piece.place, values[piece.number])
            for piece in self.pieces
        )

    def _value(self, place: str, value: str) -> str:
        match place:
            case "typed":
                return value
            case "text" if _WEB_URL.fullmatch(value):
                shown = escape(value)
                return f'<a href="{_url(value)}" style="{self.link_style}">{shown}</a>'
            case "text" | "linked":
                return escape(value).replace("\n", "<br>")
            case "url":
                return _url(value)
            case "url-part" | "typed-url-part":
                return quote(value, safe="")
            case _:
                return escape(" ".join(value.split()))


def typed(text: str) -> Mould:
    """A mould for plain text: values as they are."""
    _refuse_changed(text)
    pieces: list[str | _Slot] = []
    for piece in _cut(text, "typed"):
        if isinstance(piece, str):
            pieces += _cut(piece, "typed-url-part", _IN_URL)
        else:
            pieces.append(piece)
    return Mould(tuple(pieces))


def typed_url(url: str) -> str:
    """A link for the text part: values within it are percent-encoded; one that begins it is not,
    because it is the link."""
    first = _TOKEN.match(url)
    start = first.end() if first else 0
    return url[:start] + _TOKEN.sub(r"qzu\1uzq", url[start:])


def laid_out(page: str, link_style: str) -> Mould:
    """A mould for a whole HTML page. Raises RenderError for a value in a place that no escaping
    makes safe: in CSS, in a comment, in the name of a tag."""
    _refuse_changed(page)
    pieces: list[str | _Slot] = []
    position, links, title = 0, 0, False
    for match in _HTML_PIECE.finditer(page):
        pieces += _cut(page[position : match.start()], _text_place(links, title))
        tag = match[0].lower()
        pieces += _tag(match[0])
        links = max(0, links + (tag.startswith("<a ") - tag.startswith("</a")))
        title = tag.startswith("<title") or (title and not tag.startswith("</title"))
        position = match.end()
    pieces += _cut(page[position:], "text")
    return Mould(tuple(_merged(pieces)), link_style)


def _text_place(links: int, title: bool) -> str:
    return "plain" if title else "linked" if links else "text"


def _tag(tag: str) -> list[str | _Slot]:
    if not _TOKEN.search(tag):
        return [tag]
    if tag.startswith(("<!--", "<style", "<STYLE")):
        raise RenderError("a value is printed inside a comment or CSS")
    pieces: list[str | _Slot] = []
    position = 0
    for match in _ATTRIBUTE.finditer(tag):
        name, group = match[1].lower(), 2 if match[2] is not None else 3
        value = match[group]
        if not _TOKEN.search(value):
            continue
        if name in ("style", "class", "id") or name.startswith("on"):
            raise RenderError(f"a value is printed inside {name}=")
        pieces.append(_outside(tag[position : match.start(group)]))
        if name in _URL_ATTRIBUTES:
            pieces += _url_pieces(value)
        else:
            pieces += _cut(value, "attribute")
        position = match.end(group)
    pieces.append(_outside(tag[position:]))
    return pieces


def _outside(text: str) -> str:
    if _TOKEN.search(text):
        raise RenderError("a value is printed inside a tag but outside quotes")
    return text


def _url_pieces(value: str) -> list[str | _Slot]:
    pieces = _cut(value, "url-part")
    first = next(piece for piece in pieces if piece != "")
    if isinstance(first, _Slot):
        pieces[pieces.index(first)] = _Slot(first.number, "url")
    return pieces


def _url(value: str) -> str:
    """A link as it stands in an attribute. Only schemes that do what a reader expects."""
    url = value.strip()
    if _BARE_HOST.match(url):
        url = f"https://{url}"
    if not url.lower().startswith(("https://", "http://", "mailto:", "tel:")):
        raise RenderError("a link must begin with https://")
    return escape(quote(url, safe="%/:=&?~#+!$,;'@()*[]"))


def _cut(text: str, place: str, token: re.Pattern[str] = _TOKEN) -> list[str | _Slot]:
    parts = token.split(text)  # literal, number, literal, number, ...
    return [
        _Slot(int(part), place) if index % 2 else part
        for index, part in enumerate(parts)
        if index % 2 or part
    ]


def _merged(pieces: list[str | _Slot]) -> list[str | _Slot]:
    merged: list[str | _Slot] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged


def _refuse_changed(text: str) -> None:
    for match in _LOOKALIKE.finditer(unescape(text)):
        if not _TOKEN.fullmatch(match[0]):
            raise RenderError("a filter is put over a macro's text; put it on each value instead")
