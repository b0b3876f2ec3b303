"""Which words does somebody read? Their language and how they wish to be addressed, as one tag.

`de` is German with Sie, `de-informal` German with du; `fr` is French with vous, `fr-informal` with
tu. What a template or the footer has no informal words for is said in the formal ones. Outside of
our own words (HTML, headers, dates) a language is written without that mark.
"""

from collections.abc import Iterator

from nurture.config import Config
from nurture.core.model import Candidate

INFORMAL = "informal"
_MARK = f"-{INFORMAL}"


def reads(candidate: Candidate, config: Config) -> str:
    """What this candidate reads, as far as it is known, and otherwise what the company writes."""
    formality = candidate.fields.get("formality")
    return tag_of(candidate.locale, formality if isinstance(formality, str) else None, config)


def tag_of(locale: str | None, formality: str | None, config: Config) -> str:
    """The same of a language and a form of address."""
    known = formality if formality in ("formal", INFORMAL) else config.formality
    language = (locale or config.locale).replace("_", "-")
    return f"{language}{_MARK}" if known == INFORMAL else language


def written(config: Config) -> str:
    """What templates without a language in their name are written in."""
    return tag_of(None, None, config)


def is_informal(tag: str) -> bool:
    return tag.endswith(_MARK)


def plain(tag: str) -> str:
    """`de-AT` of `de-AT-informal`: as the world knows it."""
    return tag.removesuffix(_MARK)


def language(tag: str) -> str:
    """`de` of `de-AT-informal`."""
    return tag.partition("-")[0].lower()


def shortened(tag: str) -> str:
    """`de-informal` of `de-AT-informal`."""
    return f"{language(tag)}{_MARK}" if is_informal(tag) else language(tag)


def alternatives(tag: str) -> Iterator[str]:
    """From the best to the last that is still this language. How somebody is addressed goes before
    where they live: `de-AT-informal`, `de-informal`, `de-AT`, `de`."""
    if is_informal(tag):
        yield from (tag, shortened(tag))
    yield from (plain(tag), language(tag))


def reading(words: str, reader: str) -> str:
    """Of words in the one tag for a reader of the other. Dates follow the words: `pt-BR` dates in a
    Portuguese mail, never German ones in English. So does the address, in all that stands around
    them."""
    place = plain(reader if language(reader) == language(words) else words)
    return f"{place}{_MARK}" if is_informal(words) else place
