"""Where on a page does a value stand, and does it decide on the page itself?

Most values stand in text or in a link, and a page that was inlined without them is the same page.
Some bring elements (an address that becomes a link, several lines), and some decide on looks.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from nurture.rendering.errors import RenderError
from nurture.rendering.slots import (
    HTML_PIECE,
    LINE_TOKEN,
    NONCE,
    TOKENS,
    WEB_URL,
    Mould,
    Place,
    Remembered,
    Slot,
    cut,
    shown,
)

_LINES_MAX = 200  # of one value that is laid out for all who have as many
#: What Outlook alone reads: HTML within a comment.
_FOR_OUTLOOK = re.compile(r"(<!--\[if[^\]]*\]>)(.*)(<!\[endif\]-->)", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]+)=(?:"([^"]*)"|'([^']*)')""")
_URL_ATTRIBUTES = frozenset({"href", "src", "action", "background", "cite"})
#: Attributes that decide how a page is laid out or written, whatever its style sheet says:
#: premailer reads the first four, and `name` is percent-encoded in an <a> and nowhere else.
_STRUCTURAL = frozenset({"class", "id", "style", "data-premailer", "name"})
_ASKED_FOR = re.compile(r"\[\s*([\w-]+)")  # by a style sheet: a[href^="https:"]
_STYLE_SHEET = re.compile(r"<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE)


def laid_out(page: str) -> Mould:
    """A mould for a whole HTML page. Raises RenderError for a value in a place that no escaping
    makes safe: in CSS, in a comment that nobody reads, in the name of a tag."""
    pieces: list[str | Slot] = []
    position, links, title = 0, 0, False
    for match in HTML_PIECE.finditer(page):
        pieces += cut(page[position : match.start()], _text_place(links, title), LINE_TOKEN)
        tag = match[0].lower()
        pieces += _tag(match[0])
        links = max(0, links + (tag.startswith(("<a ", "<a>")) - tag.startswith("</a")))
        title = tag.startswith("<title") or (title and not tag.startswith("</title"))
        position = match.end()
    pieces += cut(page[position:], "text", LINE_TOKEN)
    return Mould(tuple(_merged(pieces)))


@dataclass(frozen=True)
class Build:
    """Which values of a page decide on its elements and their looks."""

    deciding: tuple[Slot, ...]  #: in class=, in attributes that a style sheet asks for
    bearing: tuple[Slot, ...]  #: in text, where a link or several lines become elements

    def of(self, values: Sequence[str]) -> tuple[str, ...] | None:
        """Alike for all whose pages differ only in what is filled in. None: nobody else's page is
        like this one, and it is not laid out for others."""
        found = [kinds[values[number]] for kinds, number in self._bearing]
        if "alone" in found:
            return None
        return (*found, *(values[each.number] for each in self.deciding))

    @cached_property
    def _bearing(self) -> list[tuple[Remembered[str], int]]:
        return [(_KINDS[each.place], each.number) for each in self.bearing]


def build(page: str, mould: Mould) -> Build:
    sheets = " ".join(_STYLE_SHEET.findall(page))
    asked_for = _STRUCTURAL | {name.lower() for name in _ASKED_FOR.findall(sheets)}
    slots = [each for each in dict.fromkeys(mould.pieces) if isinstance(each, Slot)]
    return Build(
        deciding=tuple(each for each in slots if each.attribute in asked_for),
        bearing=tuple(each for each in slots if each.place in ("text", "linked")),
    )


def built(mould: Mould, of: Build, values: Sequence[str]) -> str:
    """The page with the elements that these values bring; the rest is tokens again."""
    return "".join(
        each
        if isinstance(each, str)
        else shown(each.place, values[each.number])
        if each in of.deciding
        else _elements(each, values[each.number])
        for each in mould.pieces
    )


def _kind_in_text(value: str) -> str:
    return "link" if WEB_URL.fullmatch(value) else _kind_in_link(value)


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


_KINDS = {"text": Remembered(_kind_in_text), "linked": Remembered(_kind_in_link)}


def _elements(slot: Slot, value: str) -> str:
    token = TOKENS[slot.number]
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
        f"qz{NONCE}l{slot.number:04d}x{number}zq" if said == "1" else ""
        for number, said in enumerate(kind)
    )


# --- places ---------------------------------------------------------------------------------------


def _text_place(links: int, title: bool) -> Place:
    return "plain" if title else "linked" if links else "text"


def _tag(tag: str) -> list[str | Slot]:
    if not LINE_TOKEN.search(tag):
        return [tag]
    if outlook := _FOR_OUTLOOK.fullmatch(tag):
        opening, inner, closing = outlook.groups()
        pieces = laid_out(inner).pieces
        hidden = (
            each._replace(place="hidden")
            if isinstance(each, Slot) and each.place in ("text", "linked")
            else each
            for each in pieces
        )
        return [_outside(opening), *hidden, closing]
    if tag.startswith(("<!--", "<style", "<STYLE")):
        raise RenderError("a value is printed inside a comment or CSS")
    return list(_attributes(tag))


_PLACES: dict[str, Place] = {"class": "names", "id": "names", "style": "looks"}


def _attributes(tag: str) -> Iterator[str | Slot]:
    position = 0
    for match in _ATTRIBUTE.finditer(tag):
        name, group = match[1].lower(), 2 if match[2] is not None else 3
        if not LINE_TOKEN.search(match[group]):
            continue
        if name.startswith("on"):
            raise RenderError(f"a value is printed inside {name}=")
        yield _outside(tag[position : match.start(group)])
        place = "url-part" if name in _URL_ATTRIBUTES else _PLACES.get(name, "attribute")
        pieces = cut(match[group], place, LINE_TOKEN)
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
    if LINE_TOKEN.search(text):
        raise RenderError("a value is printed inside a tag but outside quotes")
    return text


def _merged(pieces: Sequence[str | Slot]) -> list[str | Slot]:
    merged: list[str | Slot] = []
    for each in pieces:
        if isinstance(each, str) and merged and isinstance(merged[-1], str):
            merged[-1] += each
        else:
            merged.append(each)
    return merged
