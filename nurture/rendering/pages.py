"""How does a skeleton become the two parts of a mail? Laid out and inlined once, then filled in.

A skeleton is what templates became for somebody, with tokens in the place of values: see slots.py.
Everybody who has the same one shares what is made of it here.
"""

import logging
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from markupsafe import Markup

from nurture.core.model import MessageClass
from nurture.rendering.errors import RenderError
from nurture.rendering.inline import normalised
from nurture.rendering.layout import Layouts
from nurture.rendering.plain import tidy
from nurture.rendering.sections import Whole
from nurture.rendering.shapes import (
    Filled,
    Folded,
    Kept,
    Page,
    Shape,
    Written,
    chosen_to_be_tried,
    page_of,
    same,
    shape_of,
)
from nurture.rendering.slots import Slots, changed, typed

log = logging.getLogger("nurture.rendering")

_PAGES_MAX = 1_000
_BYTES_MAX = 48_000_000  # of pages, and as much of shapes


class Skeleton(NamedTuple):
    """Mails with equal ones are laid out alike."""

    files: tuple[tuple[str, str], ...]  #: the templates: key and digest of each
    layout: str
    locale: str
    klass: MessageClass
    preheader: bool  #: whether there is one
    whole: Whole


class Pages:
    """Safe to use from several threads.

    `pinned` are templates whose mails are inlined one by one since a mail that was filled in was
    not the mail inlined by itself, by the names and digests of their files: an edit frees them.
    """

    def __init__(self, layouts: Layouts, pinned: set[str] | None = None) -> None:
        self.layouts = layouts
        self.pinned = pinned if pinned is not None else set()
        self._pages: Kept[Skeleton, Page] = Kept(_PAGES_MAX, _BYTES_MAX)
        self._shapes: Kept[Hashable, Shape] = Kept(_PAGES_MAX, _BYTES_MAX)

    def parts(
        self, skeleton: Skeleton, fixed: Mapping[str, str], slots: Slots, message_id: int
    ) -> tuple[Filled | Written, Filled]:
        """HTML and text. `fixed` are the tokens of what stands around the letter. Of real mails,
        which have an id, some are compared with themselves inlined alone.

        Raises RenderError, also for a value that has no business where it is printed.
        """
        page = None if slots.personal else self._pages.get(skeleton)
        if page is None:
            page = self._page(skeleton, fixed, slots)
            if not page.alone:
                self._pages.put(skeleton, page, page.html.size + page.text.size)
        slots.make(page.numbers)
        return self._html(page, skeleton, slots.values, message_id), Folded(page.text, slots.values)

    def _page(self, skeleton: Skeleton, fixed: Mapping[str, str], slots: Slots) -> Page:
        """Markdown to HTML and its layout."""
        whole, locale = skeleton.whole, skeleton.locale
        nurture = skeleton.klass is MessageClass.NURTURE
        told = {**fixed, "preheader": fixed["preheader"] if skeleton.preheader else ""}
        body = Markup(whole.html())  # noqa: S704 - the authors' words; values are still tokens
        lay = partial(self.layouts.page, skeleton.layout, body=body, nurture=nurture, locale=locale)
        html, alone = lay(fixed=told), slots.personal
        if changed(html):  # a filter in the layout: it gets the values themselves
            slots.make(range(len(slots.values)))
            html = lay(fixed={name: slots.read(token) for name, token in told.items()})
            alone = True
        footer = self.layouts.plain_footer(fixed, nurture, locale)
        text = tidy(f"{whole.plain()}\n--\n{footer}")
        if changed(html) or changed(text):
            raise RenderError("something is done to a text that values stand in")
        return page_of(normalised(html), typed(text), alone=alone)

    def _html(
        self, page: Page, skeleton: Skeleton, values: Sequence[str], message_id: int
    ) -> Filled | Written:
        """CSS onto each element: the slow part, once for all whose values decide alike."""
        alike = None if page.alone or self._is_pinned(skeleton) else page.build.of(values)
        if alike is None:
            return Written(page.by_itself(values))
        shape = self._shapes.get((page, alike))
        if shape is None:
            shape = shape_of(page, values)
            self._shapes.put((page, alike), shape, shape.mould.size if shape.mould else 0)
        if shape.mould is None:
            return Written(page.by_itself(values))
        filled = Filled(shape.mould, values)
        filled.encoded  # noqa: B018 - what cannot be filled in is told now
        if message_id and (not shape.proven or chosen_to_be_tried(message_id)):
            itself = page.by_itself(values)
            if not same(filled.text, itself):
                self._pin(skeleton)
                return Written(itself)
            shape.proven = True
        return filled

    def _is_pinned(self, skeleton: Skeleton) -> bool:
        return bool(self.pinned) and self._pin_of(skeleton) in self.pinned

    def _pin(self, skeleton: Skeleton) -> None:
        pin = self._pin_of(skeleton)
        self.pinned.add(pin)
        log.error(
            "a mail that was filled in is not that mail inlined by itself; from now on each one "
            "is inlined by itself, which is slow",
            extra={"action": "pinned", "templates": pin},
        )

    def _pin_of(self, skeleton: Skeleton) -> str:
        layout = (f"layouts/{skeleton.layout}", self.layouts.digests.get(skeleton.layout) or "")
        return " ".join(f"{name}@{digest[:12]}" for name, digest in (*skeleton.files, layout))
