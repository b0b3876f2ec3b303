"""What do the candidates' pages say, in their language?

One file a language in languages/, all with the same keys. Whoever reads another language reads
English; `lang` then says so.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "languages"
ENGLISH = "en"


@dataclass(frozen=True)
class Phrases:
    """The phrases of one language, by `page.name`."""

    language: str  #: of the words: `de`
    locale: str  #: of dates and the like: `de-AT`, where the reader's is that
    texts: Mapping[str, str]

    def __call__(self, phrase: str, /, **values: Any) -> str:
        """With these values in its braces. It is text: whoever prints it as HTML escapes it."""
        return self.texts[phrase].format(**values)

    def get(self, phrase: str, otherwise: str) -> str:
        """Of names that companies choose (topics, categories): theirs where we have no word."""
        return self.texts.get(phrase, otherwise)


def phrases_for(locale: str) -> Phrases:
    """The phrases for a reader of `locale` (`de`, `de-AT`)."""
    language = locale.partition("-")[0].lower()
    if language not in languages():
        return Phrases(ENGLISH, ENGLISH, texts_of(ENGLISH))
    return Phrases(language, locale, texts_of(language))


def spoken(accepted: str, otherwise: str) -> str:
    """The first language of a browser's Accept-Language header that we have; without one,
    `otherwise`. For pages on which nobody knows who reads."""
    for part in accepted.split(",")[:20]:
        tag = part.partition(";")[0].strip()
        known = tag.partition("-")[0].lower() in languages()
        if known and re.fullmatch(r"[A-Za-z]{2}(-[A-Za-z0-9]{2,8})*", tag):
            return tag
    return otherwise


@cache
def languages() -> tuple[str, ...]:
    """Those that there is a file of: `de`, `en`, `fr`."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def texts_of(language: str) -> Mapping[str, str]:
    text = (FOLDER / f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flat(tomllib.loads(text)))


def _flat(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
