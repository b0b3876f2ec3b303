"""Where does each person's value go in a mail that was laid out once for all?

While a template is rendered, every printed value leaves a token in the text and is remembered. What
comes out is the mail's skeleton: the same for everyone who takes the same branches. It is turned
from Markdown into HTML and laid out once; afterwards values are only filled in, each escaped for
the place where it lands. A value can therefore never act as Markdown or HTML.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from string import ascii_lowercase
from typing import Literal, NamedTuple, TypeVar, get_args
from urllib.parse import quote

from nurture.rendering.encoded import piece
from nurture.rendering.errors import RenderError

# Letters and digits only: nothing that Markdown, HTML or a URL would change. Nobody can write one
# into a template or a name, because each process has its own.
_NONCE = "".join(secrets.choice(ascii_lowercase) for _ in range(8))
_TOKEN = re.compile(rf"qz{_NONCE}v(\d{{4}})zq")
_LINE_TOKEN = re.compile(rf"qz{_NONCE}[vl](\d{{4}})(?:x(\d+))?zq")
_IN_URL = re.compile(rf"qz{_NONCE}u(\d{{4}})zq")  # a value within a link of the text part
_TOUCHED = re.compile(_NONCE, re.IGNORECASE)
_WHOLE = re.compile(rf"qz{_NONCE}[uv]\d{{4}}zq")
_SLOTS_MAX = 5_000
_TOKENS = tuple(f"qz{_NONCE}v{number:04d}zq" for number in range(_SLOTS_MAX))
_VALUE_MAX = 50_000
_VALUES_MAX = 500_000  # characters of all together: a mail with more is no letter
_SHORT, _REMEMBERED_MAX = 100, 8_192  # characters; values of each place
_LINES_MAX = 200  # of one value that is laid out for all who have as many

# Everything invisible that can harm: C0 and C1 controls but tab and line feed, text direction
# overrides, halves of surrogate pairs, which no encoding can carry, and what is no character.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)

_TAG = r"<[a-zA-Z/!?](?:\"[^\"]*\"|'[^']*'|[^'\">])*>"
_HTML_PIECE = re.compile(rf"<!--.*?-->|<style\b.*?</style\s*>|{_TAG}", re.DOTALL | re.IGNORECASE)
#: What Outlook alone reads: HTML within a comment.
_FOR_OUTLOOK = re.compile(r"(<!--\[if[^\]]*\]>)(.*)(<!\[endif\]-->)", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]+)=(?:"([^"]*)"|'([^']*)')""")
_URL_ATTRIBUTES = frozenset({"href", "src", "action", "background", "cite"})
#: Attributes that decide how a page is laid out or written, whatever its style sheet says:
#: premailer reads the first four, and `name` is percent-encoded in an <a> and nowhere else.
_STRUCTURAL = frozenset({"class", "id", "style", "data-premailer", "name"})
_ASKED_FOR = re.compile(r"\[\s*([\w-]+)")  # by a style sheet: a[href^="https:"]
_STYLE_SHEET = re.compile(r"<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE)
#: What a value may be where it decides on looks.
_NAMES = re.compile(r"[A-Za-z0-9 _-]*")
_LOOKS = re.compile(r"[A-Za-z0-9 _#%.,-]*")
_BARE_HOST = re.compile(r"[\w-]+(\.[\w-]+)+([/?#]|$)")
_WEB_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_NUMBERED = {character: f"&#{ord(character)};" for character in "&<>\"'"}
_BACKSLASHED = {character: f"\\{character}" for character in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}


V = TypeVar("V")


class Slots:
    """The values that one rendering printed, in order."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self.personal = False  #: whether a value stands in the text itself, and not as a token
        self.within = "line"  #: what is being rendered: a `line`, `markdown` or `html`
        self._length = 0

    def begin(self) -> None:
        """What was printed so far was read; the text proper begins."""
        self.values.clear()
        self.personal = False

    def put(self, value: str) -> str:
        """The token that stands for this value from now on."""
        number, length = len(self.values), len(value)
        self._length += length
        if length > _VALUE_MAX:
            raise RenderError(f"a value is longer than {_VALUE_MAX} characters")
        if self._length > _VALUES_MAX:
            raise RenderError(f"more than {_VALUES_MAX} characters of values are printed")
        if number >= _SLOTS_MAX:
            raise RenderError(f"more than {_SLOTS_MAX} values are printed")
        if not value.isprintable():
            value = value.replace("\r\n", "\n").replace("\r", "\n")
            value = _HARMFUL.sub("", value)
        self.values.append(value)
        return _TOKENS[number]

    def read(self, text: str) -> str:
        """Rendered text as it is read, with the values in the place of their tokens."""
        return _TOKEN.sub(lambda found: self.values[int(found[1])], text)

    def written(self, text: str) -> str:
        """The same as a piece of what is being rendered, in which values are still only values.
        From here on the text is one person's. Raises RenderError for a value in a tag."""
        if not _TOKEN.search(text):
            return text
        html = self.within == "html"
        if html and any(_TOKEN.search(tag[0]) for tag in _HTML_PIECE.finditer(text)):
            raise RenderError("a filter is put over a tag with a value in it; put it on the value")
        self.personal = True
        characters = {"markdown": _BACKSLASHED, "html": _NUMBERED}.get(self.within, {})

        def value(found: re.Match[str]) -> str:
            words = " ".join(self.values[int(found[1])].split())
            return "".join(characters.get(each, each) for each in words)

        return _TOKEN.sub(value, text)


Place = Literal[
    "text", "linked", "plain", "hidden", "url", "url-part", "attribute", "names", "looks",
    "typed", "typed-url-part",
]  # fmt: skip


class _Slot(NamedTuple):
    number: int
    place: Place
    line: int | None = None  #: of the value, where its lines were laid out one by one
    attribute: str = ""  #: the one it stands in


@dataclass(frozen=True)
class Mould:
    """Text with the places that values are filled into."""

    pieces: tuple[str | _Slot, ...]

    def fill(self, values: Sequence[str]) -> str:
        return "".join(
            piece if isinstance(piece, str) else _shown(piece.place, _part(piece, values))
            for piece in self.pieces
        )

    def encode(self, values: Sequence[str]) -> bytes:
        """The same as quoted-printable lines: see encoded.py."""
        pieces = self._literals.copy()
        for position, encoded, number in self._holes:
            pieces[position] = encoded[values[number]]
        for position, slot in self._lines:
            pieces[position] = _ENCODED[slot.place][_part(slot, values)]
        return b"".join(pieces)

    @cached_property
    def _literals(self) -> list[bytes]:
        return [piece(each) if isinstance(each, str) else b"" for each in self.pieces]

    @cached_property
    def _holes(self) -> list[tuple[int, "_Remembered[bytes]", int]]:
        return [
            (position, _ENCODED[each.place], each.number)
            for position, each in enumerate(self.pieces)
            if isinstance(each, _Slot) and each.line is None
        ]

    @cached_property
    def _lines(self) -> list[tuple[int, _Slot]]:
        return [
            (position, each)
            for position, each in enumerate(self.pieces)
            if isinstance(each, _Slot) and each.line is not None
        ]

    @property
    def size(self) -> int:
        """About how many bytes it takes, twice over."""
        return 2 * sum(len(each) for each in self.pieces if isinstance(each, str))

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Which values it says."""
        return frozenset(each.number for each in self.pieces if isinstance(each, _Slot))


def typed(text: str) -> Mould:
    """A mould for plain text: values as they are."""
    pieces: list[str | _Slot] = []
    for each in _cut(text, "typed"):
        if isinstance(each, str):
            pieces += _cut(each, "typed-url-part", _IN_URL)
        else:
            pieces.append(each)
    return Mould(tuple(pieces))


def typed_url(url: str) -> str:
    """A link for the text part: values within it are percent-encoded; one that begins it is not,
    because it is the link."""
    first = _TOKEN.match(url)
    start = first.end() if first else 0
    return url[:start] + _TOKEN.sub(rf"qz{_NONCE}u\1zq", url[start:])


def laid_out(page: str) -> Mould:
    """A mould for a whole HTML page. Raises RenderError for a value in a place that no escaping
    makes safe: in CSS, in a comment that nobody reads, in the name of a tag."""
    pieces: list[str | _Slot] = []
    position, links, title = 0, 0, False
    for match in _HTML_PIECE.finditer(page):
        pieces += _cut(page[position : match.start()], _text_place(links, title), _LINE_TOKEN)
        tag = match[0].lower()
        pieces += _tag(match[0])
        links = max(0, links + (tag.startswith(("<a ", "<a>")) - tag.startswith("</a")))
        title = tag.startswith("<title") or (title and not tag.startswith("</title"))
        position = match.end()
    pieces += _cut(page[position:], "text", _LINE_TOKEN)
    return Mould(tuple(_merged(pieces)))


def changed(text: str) -> bool:
    """Whether something was done to a token: it can be filled in no more."""
    return len(_TOUCHED.findall(text)) != len(_WHOLE.findall(text))


def tokens_in(text: str) -> list[str]:
    """All tokens, sorted: what must be the same before and after."""
    return sorted(found[0] for found in _LINE_TOKEN.finditer(text))


def _part(slot: _Slot, values: Sequence[str]) -> str:
    value = values[slot.number]
    return value if slot.line is None else value.split("\n")[slot.line]


def _shown(place: Place, value: str) -> str:
    """A value as it stands in that place."""
    match place:
        case "typed":
            return value
        case "text" if _WEB_URL.fullmatch(value):
            return f'<a href="{_url(value)}">{escape(value)}</a>'
        case "text" | "linked" | "hidden":
            return escape(value).replace("\n", "<br>")
        case "url":
            return _url(value)
        case "url-part" | "typed-url-part":
            return quote(value, safe="")
        case "names" | "looks":
            if not (_NAMES if place == "names" else _LOOKS).fullmatch(value):
                raise RenderError("a value in class=, id= or style= may be a plain word only")
            return value
        case _:
            return escape(" ".join(value.split()))


class _Remembered(dict[str, V]):
    """What was made of values lately: most of what is printed is printed for many. Long ones are
    few people's, and would fill the memory."""

    def __init__(self, make: Callable[[str], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: str) -> V:
        made = self._make(value)
        if len(value) <= _SHORT:
            if len(self) >= _REMEMBERED_MAX:
                self.clear()
            self[value] = made
        return made


def _encoded_as(place: Place) -> _Remembered[bytes]:
    return _Remembered(lambda value: piece(_shown(place, value)))


_ENCODED = {place: _encoded_as(place) for place in get_args(Place)}


# --- what decides how a page is laid out --------------------------------------------------------


@dataclass(frozen=True)
class Build:
    """Which values of a page decide on its elements and their looks."""

    deciding: tuple[_Slot, ...]  #: in class=, in attributes that a style sheet asks for
    bearing: tuple[_Slot, ...]  #: in text, where a link or several lines become elements

    def of(self, values: Sequence[str]) -> tuple[str, ...] | None:
        """Alike for all whose pages differ only in what is filled in. None: nobody else's page is
        like this one, and it is not laid out for others."""
        found = [kinds[values[number]] for kinds, number in self._bearing]
        if "alone" in found:
            return None
        return (*found, *(values[each.number] for each in self.deciding))

    @cached_property
    def _bearing(self) -> list[tuple[_Remembered[str], int]]:
        return [(_KINDS[each.place], each.number) for each in self.bearing]


def build(page: str, mould: Mould) -> Build:
    sheets = " ".join(_STYLE_SHEET.findall(page))
    asked_for = _STRUCTURAL | {name.lower() for name in _ASKED_FOR.findall(sheets)}
    slots = [each for each in mould.pieces if isinstance(each, _Slot)]
    return Build(
        deciding=tuple(each for each in slots if each.attribute in asked_for),
        bearing=tuple(each for each in slots if each.place in ("text", "linked")),
    )


def built(mould: Mould, of: Build, values: Sequence[str]) -> str:
    """The page with the elements that these values bring; the rest is tokens again."""
    return "".join(
        each
        if isinstance(each, str)
        else _shown(each.place, values[each.number])
        if each in of.deciding
        else _elements(each, values[each.number])
        for each in mould.pieces
    )


def _kind_in_text(value: str) -> str:
    return "link" if _WEB_URL.fullmatch(value) else _kind_in_link(value)


def _kind_in_link(value: str) -> str:
    """Which elements a value brings."""
    if not value.strip():
        return "alone" if value else "empty"
    if "\n" not in value:
        return ""
    lines = value.split("\n")
    if len(lines) > _LINES_MAX or any(each and not each.strip() for each in lines):
        return "alone"
    return "".join("1" if each else "0" for each in lines)


_KINDS = {"text": _Remembered(_kind_in_text), "linked": _Remembered(_kind_in_link)}


def _elements(slot: _Slot, value: str) -> str:
    token = _TOKENS[slot.number]
    if slot.place not in ("text", "linked"):
        return token
    kind = _KINDS[slot.place][value]
    match kind:
        case "":
            return token
        case "empty":
            return ""
        case "link":
            return f'<a href="{token}">{token}</a>'
    return "<br>".join(
        f"qz{_NONCE}l{slot.number:04d}x{number}zq" if said == "1" else ""
        for number, said in enumerate(kind)
    )


# --- places ---------------------------------------------------------------------------------------


def _text_place(links: int, title: bool) -> Place:
    return "plain" if title else "linked" if links else "text"


def _tag(tag: str) -> list[str | _Slot]:
    if not _LINE_TOKEN.search(tag):
        return [tag]
    if outlook := _FOR_OUTLOOK.fullmatch(tag):
        opening, inner, closing = outlook.groups()
        pieces = laid_out(inner).pieces
        hidden = (
            each._replace(place="hidden")
            if isinstance(each, _Slot) and each.place in ("text", "linked")
            else each
            for each in pieces
        )
        return [_outside(opening), *hidden, closing]
    if tag.startswith(("<!--", "<style", "<STYLE")):
        raise RenderError("a value is printed inside a comment or CSS")
    return list(_attributes(tag))


_PLACES: dict[str, Place] = {"class": "names", "id": "names", "style": "looks"}


def _attributes(tag: str) -> Iterator[str | _Slot]:
    position = 0
    for match in _ATTRIBUTE.finditer(tag):
        name, group = match[1].lower(), 2 if match[2] is not None else 3
        if not _LINE_TOKEN.search(match[group]):
            continue
        if name.startswith("on"):
            raise RenderError(f"a value is printed inside {name}=")
        yield _outside(tag[position : match.start(group)])
        place = "url-part" if name in _URL_ATTRIBUTES else _PLACES.get(name, "attribute")
        pieces = _cut(match[group], place, _LINE_TOKEN)
        for number, each in enumerate(pieces):
            if isinstance(each, str):
                yield each
            elif each.place == "url-part" and number == 0:
                yield each._replace(place="url", attribute=name)
            else:
                yield each._replace(attribute=name)
        position = match.end(group)
    yield _outside(tag[position:])


def _outside(text: str) -> str:
    if _LINE_TOKEN.search(text):
        raise RenderError("a value is printed inside a tag but outside quotes")
    return text


def _url(value: str) -> str:
    """A link as it stands in an attribute. Only schemes that do what a reader expects."""
    url = value.strip()
    if _BARE_HOST.match(url):
        url = f"https://{url}"
    if not url.lower().startswith(("https://", "http://", "mailto:", "tel:")):
        raise RenderError("a link must begin with https://")
    return escape(quote(url, safe="%/:=&?~#+!$,;'@()*[]"))


def _cut(text: str, place: Place, token: re.Pattern[str] = _TOKEN) -> list[str | _Slot]:
    pieces: list[str | _Slot] = []
    position = 0
    for found in token.finditer(text):
        if found.start() > position:
            pieces.append(text[position : found.start()])
        line = found[2] if token is _LINE_TOKEN else None
        pieces.append(_Slot(int(found[1]), place, None if line is None else int(line)))
        position = found.end()
    return [*pieces, text[position:]] if position < len(text) else pieces


def _merged(pieces: Sequence[str | _Slot]) -> list[str | _Slot]:
    merged: list[str | _Slot] = []
    for each in pieces:
        if isinstance(each, str) and merged and isinstance(merged[-1], str):
            merged[-1] += each
        else:
            merged.append(each)
    return merged
