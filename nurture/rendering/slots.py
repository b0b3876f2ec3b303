"""Where does each person's value go in a mail that was laid out once for all?

While a template is rendered, every printed value leaves a token in the text and is remembered. What
comes out is the mail's skeleton: the same for everyone who takes the same branches. It is turned
from Markdown into HTML and laid out once; afterwards values are only filled in, each escaped for
the place where it lands. A value can therefore never act as Markdown or HTML.
"""

import re
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from operator import itemgetter
from string import ascii_lowercase
from typing import Literal, NamedTuple, TypeVar, get_args
from urllib.parse import quote

from nurture.rendering.encoded import piece
from nurture.rendering.errors import RenderError

# Letters and digits only: nothing that Markdown, HTML or a URL would change. Nobody can write one
# into a template or a name, because each process has its own.
NONCE = "".join(secrets.choice(ascii_lowercase) for _ in range(8))
_TOKEN = re.compile(rf"qz{NONCE}v(\d{{4}})zq")
LINE_TOKEN = re.compile(rf"qz{NONCE}[vl](\d{{4}})(?:x(\d+))?zq")
_IN_URL = re.compile(rf"qz{NONCE}u(\d{{4}})zq")  # a value within a link of the text part
_TOUCHED = re.compile(NONCE, re.IGNORECASE)
_WHOLE = re.compile(rf"qz{NONCE}[uv]\d{{4}}zq")
REPEATED_MAX = 100  #: expressions of one template that have a token of their own: see repeated.py
_SLOTS_MAX = 5_000
TOKENS = tuple(f"qz{NONCE}v{number:04d}zq" for number in range(REPEATED_MAX + _SLOTS_MAX))
_VALUE_MAX = 50_000
_VALUES_MAX = 500_000  # characters of all together: a mail with more is no letter
_SHORT, _REMEMBERED_MAX = 100, 8_192  # characters; values of each place


# Everything invisible that can harm: C0 and C1 controls but tab and line feed, text direction
# overrides, halves of surrogate pairs, which no encoding can carry, and what is no character.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)

_TAG = r"<[a-zA-Z/!?](?:\"[^\"]*\"|'[^']*'|[^'\">])*>"
HTML_PIECE = re.compile(rf"<!--.*?-->|<style\b.*?</style\s*>|{_TAG}", re.DOTALL | re.IGNORECASE)
#: What a value may be where it decides on looks.
_NAMES = re.compile(r"[A-Za-z0-9 _-]*")
_LOOKS = re.compile(r"[A-Za-z0-9 _#%.,-]*")
_BARE_HOST = re.compile(r"[\w-]+(\.[\w-]+)+([/?#]|$)")
WEB_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_NUMBERED = {character: f"&#{ord(character)};" for character in "&<>\"'"}
_BACKSLASHED = {character: f"\\{character}" for character in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}


V = TypeVar("V")


class Slots:
    """The values that one rendering printed. The first numbers are those of repeated values, which
    their template knows; each other printed value has the next one."""

    def __init__(self) -> None:
        self.values: list[str] = [""] * REPEATED_MAX
        self.personal = False  #: whether a value stands in the text itself, and not as a token
        self.within = "line"  #: what is being rendered: a `line`, `markdown` or `html`
        self._length = 0
        self._longest = 1  # of the repeated values
        self._later: dict[int, Callable[[], str]] = {}

    def put(self, value: str) -> str:
        """The token that stands for this value from now on."""
        number = len(self.values)
        if number >= len(TOKENS):
            raise RenderError(f"more than {_SLOTS_MAX} values are printed")
        self.values.append(self._taken(value))
        return TOKENS[number]

    def put_later(self, make: Callable[[], str]) -> str:
        """The token of a value that is made only for a mail that shows it: see `make`."""
        token = self.put("")
        self._later[len(self.values) - 1] = make
        return token

    def make(self, shown: Collection[int]) -> None:
        """What was put off, of what is shown."""
        for number in self._later.keys() & shown:
            self.values[number] = self._later.pop(number)()

    def say(self, number: int, value: str) -> None:
        """What the token of that number stands for, wherever it stands."""
        self.values[number] = value = self._taken(value)
        self._longest = max(self._longest, len(value))

    def _taken(self, value: str) -> str:
        length = len(value)
        self._length += length
        if length > _VALUE_MAX:
            raise RenderError(f"a value is longer than {_VALUE_MAX} characters")
        if self._length > _VALUES_MAX:
            raise _too_long()
        if value.isprintable():
            return value
        return _HARMFUL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))

    def afford(self, skeleton: str) -> str:
        """The same text. Raises RenderError where its values are too many, or together too long: a
        repeated one counts in each of its places."""
        most = len(skeleton) // len(TOKENS[0])
        if most > _SLOTS_MAX or most * self._longest > _VALUES_MAX:
            numbers = [int(found) for found in _TOKEN.findall(skeleton)]
            if len(numbers) > _SLOTS_MAX:
                raise RenderError(f"more than {_SLOTS_MAX} values are printed")
            if sum(len(self.values[number]) for number in numbers) > _VALUES_MAX:
                raise _too_long()
        return skeleton

    def read(self, text: str) -> str:
        """Rendered text as it is read, with the values in the place of their tokens."""
        return _TOKEN.sub(lambda found: self.values[int(found[1])], text)

    def written(self, text: str) -> str:
        """The same as a piece of what is being rendered, in which values are still only values.
        From here on the text is one person's. Raises RenderError for a value in a tag."""
        if not _TOKEN.search(text):
            return text
        html = self.within == "html"
        if html and any(_TOKEN.search(tag[0]) for tag in HTML_PIECE.finditer(text)):
            raise RenderError("a filter is put over a tag with a value in it; put it on the value")
        self.personal = True
        characters = {"markdown": _BACKSLASHED, "html": _NUMBERED}.get(self.within, {})

        def value(found: re.Match[str]) -> str:
            words = " ".join(self.values[int(found[1])].split())
            return "".join(characters.get(each, each) for each in words)

        return _TOKEN.sub(value, text)


def _too_long() -> RenderError:
    return RenderError(f"more than {_VALUES_MAX} characters of values are printed")


Place = Literal[
    "text", "linked", "plain", "hidden", "url", "url-part", "attribute", "names", "looks",
    "typed", "typed-url-part",
]  # fmt: skip


class Slot(NamedTuple):
    number: int
    place: Place
    line: int | None = None  #: of the value, where its lines were laid out one by one
    attribute: str = ""  #: the one it stands in


@dataclass(frozen=True)
class Mould:
    """Text with the places that values are filled into."""

    pieces: tuple[str | Slot, ...]

    def fill(self, values: Sequence[str]) -> str:
        return "".join(
            piece if isinstance(piece, str) else shown(piece.place, _part(piece, values))
            for piece in self.pieces
        )

    def encode(self, values: Sequence[str]) -> bytes:
        """The same as quoted-printable lines: see encoded.py. Each piece is looked up once, in
        however many places it stands."""
        literals, slots, order = self._encoding
        filled = [_ENCODED[each.place][_part(each, values)] for each in slots]
        return b"".join(order(literals + filled))

    @cached_property
    def _encoding(self) -> tuple[list[bytes], list[Slot], Callable[[list[bytes]], Sequence[bytes]]]:
        """The distinct literals, encoded; the distinct slots; and what puts these in order."""
        distinct = dict.fromkeys(self.pieces)
        literals = [each for each in distinct if isinstance(each, str)]
        slots = [each for each in distinct if isinstance(each, Slot)]
        at = {each: number for number, each in enumerate(("", *literals, *slots))}
        # Nothing, twice: of a single number an itemgetter gives no sequence.
        order = itemgetter(*(at[each] for each in self.pieces), 0, 0)
        return [b"", *map(piece, literals)], slots, order

    @property
    def size(self) -> int:
        """About how many bytes it takes, twice over."""
        return 2 * sum(len(each) for each in self.pieces if isinstance(each, str))

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Which values it says."""
        return frozenset(each.number for each in self.pieces if isinstance(each, Slot))


def typed(text: str) -> Mould:
    """A mould for plain text: values as they are."""
    pieces: list[str | Slot] = []
    for each in cut(text, "typed"):
        if isinstance(each, str):
            pieces += cut(each, "typed-url-part", _IN_URL)
        else:
            pieces.append(each)
    return Mould(tuple(pieces))


def typed_url(url: str) -> str:
    """A link for the text part: values within it are percent-encoded; one that begins it is not,
    because it is the link."""
    first = _TOKEN.match(url)
    start = first.end() if first else 0
    return url[:start] + _TOKEN.sub(rf"qz{NONCE}u\1zq", url[start:])


def changed(text: str) -> bool:
    """Whether something was done to a token: it can be filled in no more."""
    return len(_TOUCHED.findall(text)) != len(_WHOLE.findall(text))


def tokens_in(text: str) -> list[str]:
    """All tokens, sorted: what must be the same before and after."""
    return sorted(found[0] for found in LINE_TOKEN.finditer(text))


def _part(slot: Slot, values: Sequence[str]) -> str:
    value = values[slot.number]
    return value if slot.line is None else value.split("\n")[slot.line]


def shown(place: Place, value: str) -> str:
    """A value as it stands in that place."""
    match place:
        case "typed":
            return value
        case "text" if WEB_URL.fullmatch(value):
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


class Remembered(dict[str, V]):
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


def _encoded_as(place: Place) -> Remembered[bytes]:
    return Remembered(lambda value: piece(shown(place, value)))


_ENCODED = {place: _encoded_as(place) for place in get_args(Place)}


def _url(value: str) -> str:
    """A link as it stands in an attribute. Only schemes that do what a reader expects."""
    url = value.strip()
    if _BARE_HOST.match(url):
        url = f"https://{url}"
    if not url.lower().startswith(("https://", "http://", "mailto:", "tel:")):
        raise RenderError("a link must begin with https://")
    return escape(quote(url, safe="%/:=&?~#+!$,;'@()*[]"))


def cut(text: str, place: Place, token: re.Pattern[str] = _TOKEN) -> list[str | Slot]:
    pieces: list[str | Slot] = []
    position = 0
    for found in token.finditer(text):
        if found.start() > position:
            pieces.append(text[position : found.start()])
        line = found[2] if token is LINE_TOKEN else None
        pieces.append(Slot(int(found[1]), place, None if line is None else int(line)))
        position = found.end()
    return [*pieces, text[position:]] if position < len(text) else pieces
