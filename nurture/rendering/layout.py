"""What does the page around a letter look like?

Layouts are `templates/layouts/*.html`, written in Jinja. They get the company, its fonts, its
colours (made readable whatever the accent is) and the footer's words; everything about the reader
is a token.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache

from jinja2 import Template, TemplateError
from markupsafe import Markup

from nurture.config import Config
from nurture.errors import shown
from nurture.rendering.errors import RenderError
from nurture.rendering.languages import plain
from nurture.rendering.sandbox import TemplateEnvironment
from nurture.rendering.words import words_for

_PAPER, _INK = "#ffffff", "#26241f"
_SHADE, _NIGHT_SHADE = "#f5f3ee", "#2b2925"  # the darkest by day and the lightest by night
_READABLE = 4.5  # WCAG 2.2, 1.4.3: contrast of text
_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "ur", "yi"})


class Layouts:
    """Each layout is compiled when it is first needed. `sources` are those that were read already,
    by name; another is read from its file."""

    def __init__(self, config: Config, sources: Mapping[str, str] | None = None) -> None:
        self._folder = config.templates_dir / "layouts"
        self._sources = sources or {}
        self._company = config.company
        self._compiled: dict[str, Template] = {}
        #: sha256 of those that were read already
        self.digests = {name: _digest(source) for name, source in self._sources.items()}
        self._colours = colours(config.company.brand.accent)
        # In CSS, where `'` has to stay what it is: config.py lets through nothing that harms there.
        fonts = config.company.brand.fonts.model_dump()
        self._fonts = {name: Markup(stack) for name, stack in fonts.items()}  # noqa: S704

    def page(
        self, name: str, *, body: Markup, fixed: Mapping[str, str], nurture: bool, locale: str
    ) -> str:
        """A whole HTML page, its CSS not yet inlined; with how to unsubscribe where some of it is
        nurture mail. Raises RenderError."""
        path = self._folder / f"{name}.html"
        logo = self._company.brand.logo
        try:
            if name not in self._compiled:
                source = self._sources.get(name)
                if source is None:
                    source = path.read_text(encoding="utf-8")
                self._compiled[name] = _compiled(source)
            return str(
                self._compiled[name].render(
                    body=body,
                    fixed=dict(fixed),
                    company={
                        "name": self._company.name,
                        "address": self._company.address,
                        "site": self._company.site,
                    },
                    logo=logo if logo and logo.startswith("https://") else "",
                    colours=self._colours,
                    fonts=self._fonts,
                    words=dict(words_for(locale)),
                    nurture=nurture,
                    lang=plain(locale),
                    direction="rtl" if locale.partition("-")[0] in _RIGHT_TO_LEFT else "ltr",
                )
            )
        except OSError as error:
            raise RenderError(
                f"the layout cannot be read: {error.strerror}", file=shown(path)
            ) from None
        except (UnicodeDecodeError, TemplateError, TypeError) as error:
            line = getattr(error, "lineno", None)
            raise RenderError(f"layout: {error}", file=shown(path), line=line) from None

    def plain_footer(self, fixed: Mapping[str, str], nurture: bool, locale: str) -> str:
        """What stands below the text part."""
        words, company = words_for(locale), self._company
        lines = [f"{company.name}, {company.address}", fixed["why"]]
        if nurture:
            lines.append(f"{words['preferences']}: {fixed['preferences_url']}")
            lines.append(f"{words['unsubscribe']}: {fixed['unsubscribe_url']}")
        return "\n".join(lines)


@lru_cache(maxsize=32)  # each edit of any file makes all layouts anew, mostly of the same texts
def _compiled(source: str) -> Template:
    return TemplateEnvironment().from_string(source)


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


def colours(accent: str) -> dict[str, str]:
    """The accent, and what can be read on it and in it, by day and by night."""
    on_accent = _PAPER if contrast(accent, _PAPER) >= contrast(accent, _INK) else _INK
    return {
        "accent": accent,
        "on_accent": on_accent,
        "button": readable(accent, on_accent),
        "link": readable(accent, _SHADE),
        "night_link": readable(accent, _NIGHT_SHADE),
    }


def readable(colour: str, paper: str) -> str:
    """The colour itself, or the nearest mix with black or white that can be read on the paper."""
    goal = "#000000" if _luminance(paper) > 0.18 else "#ffffff"
    for step in range(11):
        mixed = _mixed(colour, goal, step / 10)
        if contrast(mixed, paper) >= _READABLE:
            return mixed
    return goal


def contrast(one: str, other: str) -> float:
    """1 to 21, as WCAG 2.2 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [part / 255 for part in _rgb(colour)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(colour: str, goal: str, share: float) -> str:
    pairs = zip(_rgb(colour), _rgb(goal), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
