"""What was laid out once, and whom does it serve? Pages and their shapes, and how they are kept.

A *page* is what one skeleton (the same templates, the same branches, as many rows) becomes in its
layout, not yet inlined. Its *shapes* are the inlined forms: one for nearly everybody, others where
values decide on elements or looks. A shape serves whoever's page differs only in what is filled in.

Filling in a shape gives what inlining each mail by itself gives. Where that cannot be had, a mail
is inlined by itself, which is slow and always right; that both are the same is tried in tests, and
in production for the first mail of each shape and for one in a thousand.
"""

import html
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html.parser import HTMLParser
from threading import Lock
from typing import Generic, TypeVar
from zlib import crc32

from nurture.rendering.encoded import encoded
from nurture.rendering.folded import folded
from nurture.rendering.inline import inline
from nurture.rendering.places import Build, build, built, laid_out
from nurture.rendering.slots import Mould, tokens_in

_TRIED_ONE_IN = 1_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, eq=False)
class Page:
    """A mail laid out, its values still tokens and its CSS not yet inlined."""

    html: Mould
    text: Mould
    build: Build
    alone: bool  #: each mail is inlined by itself: somebody's values stand in the text itself

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Which values it shows."""
        return self.html.numbers | self.text.numbers

    def by_itself(self, values: Sequence[str]) -> str:
        """The slow way: this one mail, filled in and then inlined."""
        return inline(self.html.fill(values))


@dataclass(eq=False)
class Shape:
    """An inlined page; without a mould where tokens were lost on the way, and so each mail has to
    be inlined by itself. `proven` once a mail that was filled in was compared with that."""

    mould: Mould | None
    proven: bool = False


@dataclass(frozen=True, eq=False)
class Filled:
    """One part of a mail: a mould and one person's values. Put together when it is asked for."""

    mould: Mould
    values: Sequence[str]

    @cached_property
    def text(self) -> str:
        return self.mould.fill(self.values)

    @cached_property
    def encoded(self) -> bytes:
        return self.mould.encode(self.values)


class Folded(Filled):
    """The text part: its lines are broken where the values have made them long."""

    @cached_property
    def text(self) -> str:
        return folded(self.mould.fill(self.values))

    @cached_property
    def encoded(self) -> bytes:
        return encoded(self.text)


@dataclass(frozen=True, eq=False)
class Written:
    """One part of a mail that was written out."""

    text: str

    @cached_property
    def encoded(self) -> bytes:
        return encoded(self.text)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rendered:
    """What a person reads: as text, whose line ends are LF, and as the lines of a mail."""

    subject: str
    preheader: str
    html_part: Filled | Written
    text_part: Filled | Written
    locale: str  #: of the words: the Content-Language
    link: Callable[[], str]  #: this person's to unsubscribe, whether or not the mail shows it

    def __eq__(self, other: object) -> bool:
        """Whether they read the same, however they were made."""
        return isinstance(other, Rendered) and self._read() == other._read()

    __hash__ = None  # type: ignore[assignment]

    @property
    def unsubscribe_url(self) -> str:
        return self.link()

    def _read(self) -> tuple[str, ...]:
        return (self.subject, self.preheader, self.html, self.text, self.unsubscribe_url)

    @property
    def html(self) -> str:
        return self.html_part.text

    @property
    def text(self) -> str:
        return self.text_part.text

    @property
    def encoded_html(self) -> bytes:
        """Quoted-printable, with CRLF."""
        return self.html_part.encoded

    @property
    def encoded_text(self) -> bytes:
        return self.text_part.encoded

    def says(self, url: str) -> bool:
        """Whether the HTML leads there."""
        part = self.html_part
        known = isinstance(part, Filled) and any(
            part.values[number] == url for number in part.mould.numbers
        )
        return known or url in self.html


def page_of(page: str, text: Mould, *, alone: bool) -> Page:
    """`page` is normalised HTML. Raises RenderError: see places.laid_out."""
    mould = laid_out(page)
    return Page(html=mould, text=text, build=build(page, mould), alone=alone)


def shape_of(page: Page, values: Sequence[str]) -> Shape:
    """Inlined once for all whose values decide alike."""
    return _inlined(built(page.html, page.build, values))


@lru_cache(maxsize=128)  # a project that is read anew has mostly the same pages as before
def _inlined(page: str) -> Shape:
    done = inline(page)
    whole = tokens_in(done) == tokens_in(page)
    return Shape(laid_out(done) if whole else None)


def chosen_to_be_tried(message_id: int) -> bool:
    """One mail in a thousand, always the same ones."""
    return crc32(b"%d" % message_id) % _TRIED_ONE_IN == 0


def same(one: str, other: str) -> bool:
    """Whether two pages are one to every reader: the same elements, attributes and words. How
    their quotes were written does not count."""
    return one == other or _read(one) == _read(other)


def _read(page: str) -> list[object]:
    reader = _Reader(convert_charrefs=True)
    reader.feed(page)
    reader.close()
    return reader.seen


class _Reader(HTMLParser):
    def __init__(self, *, convert_charrefs: bool) -> None:
        super().__init__(convert_charrefs=convert_charrefs)
        self.seen: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.seen.append(f"={data}")

    def handle_comment(self, data: str) -> None:
        self.seen.append(f"!{html.unescape(data)}")


class Kept(Generic[K, V]):
    """What was used lately: at most so many, and at most so many bytes together. Safe to use from
    several threads."""

    def __init__(self, at_most: int, bytes_at_most: int) -> None:
        self._at_most = at_most
        self._bytes_at_most = bytes_at_most
        self._bytes = 0
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        with self._lock:
            _, before = self._kept.pop(key, (None, 0))
            self._kept[key] = value, size
            self._bytes += size - before
            while len(self._kept) > self._at_most or self._bytes > self._bytes_at_most:
                _, (_, freed) = self._kept.popitem(last=False)
                self._bytes -= freed
