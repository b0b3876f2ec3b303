"""How do several letters read as one? One greeting, a heading over each, one signature.

What is put together here are skeletons, see slots.py: values are still tokens, so a bundle is laid
out once for all who take the same branches in the same letters. Of a body written in Markdown the
greeting and a signature that others share are taken out; nothing is left unsaid, it is said once.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from nurture.rendering.markdown import MARKDOWN
from nurture.rendering.plain import plain_from_html, plain_from_markdown
from nurture.rendering.slots import typed

_BETWEEN = re.compile(r"\n(?:[ \t]*\n)+")
_GREETING_MAX = 80  #: characters of a line that greets


class Whole(NamedTuple):
    """The inside of a mail, as skeletons. Those that are equal are laid out alike."""

    bodies: tuple[str, ...]
    markdown: tuple[bool, ...]
    headings: tuple[str, ...] = ()  #: none: a mail of one letter
    greeting: str = ""
    closing: str = ""

    def html(self) -> str:
        parts = [MARKDOWN.render(self.greeting)] if self.greeting else []
        for number, body in enumerate(self.bodies):
            if self.headings:
                parts.append("<hr>\n" if number else "")
                parts.append(f"<h2>{self.headings[number]}</h2>\n")
            parts.append(MARKDOWN.render(body) if self.markdown[number] else body)
        if self.closing:
            parts += ["<hr>\n", MARKDOWN.render(self.closing)]
        return "".join(parts)

    def plain(self) -> str:
        parts = [plain_from_markdown(self.greeting)] if self.greeting else []
        for number, body in enumerate(self.bodies):
            if self.headings:
                parts.append(f"— {self.headings[number]} —\n")
            plain = plain_from_markdown if self.markdown[number] else plain_from_html
            parts.append(plain(body))
        if self.closing:
            parts.append(plain_from_markdown(self.closing))
        return "\n".join(parts)


def alone(body: str, *, markdown: bool) -> Whole:
    return Whole((body,), (markdown,))


def together(
    bodies: Sequence[str], markdown: Sequence[bool], headings: Sequence[str], values: Sequence[str]
) -> Whole:
    """Several letters in one mail, in this order. `values` are what the tokens stand for: whether
    two letters greet alike is seen in the words that are read."""
    letters = [
        _paragraphs(body) if is_markdown else [body]
        for body, is_markdown in zip(bodies, markdown, strict=True)
    ]
    greeting = ""
    for paragraphs in letters:
        if len(paragraphs) > 1 and _greets(paragraphs[0], greeting, values):
            greeting = greeting or paragraphs[0]
            del paragraphs[0]
    closing = _shared_closing(letters, values)
    return Whole(
        bodies=tuple("\n\n".join(paragraphs) for paragraphs in letters),
        markdown=tuple(markdown),
        headings=tuple(headings),
        greeting=greeting,
        closing=closing,
    )


def _paragraphs(body: str) -> list[str]:
    return _BETWEEN.split(body.strip("\n"))


def _greets(paragraph: str, said: str, values: Sequence[str]) -> bool:
    """One short line that ends as a greeting does in every language; or the one that was said."""
    read = _read(paragraph, values)
    if said and read == _read(said, values):
        return True
    ends = "," if said else (",", "!")
    return "\n" not in read and len(read) <= _GREETING_MAX and read.endswith(ends)


def _shared_closing(letters: Sequence[list[str]], values: Sequence[str]) -> str:
    """The last paragraph that most letters end with alike, taken out of them; nothing where each
    has its own."""
    lasts = [_read(each[-1], values) if len(each) > 1 else "" for each in letters]
    shared = max(lasts, key=lasts.count, default="")
    if not shared or lasts.count(shared) < 2:
        return ""
    closing = letters[lasts.index(shared)][-1]
    for paragraphs, last in zip(letters, lasts, strict=True):
        if last == shared:
            del paragraphs[-1]
    return closing


def _read(paragraph: str, values: Sequence[str]) -> str:
    return typed(paragraph.strip()).fill(values)
