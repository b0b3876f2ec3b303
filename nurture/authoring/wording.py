"""What does a template say that no candidate should read?

Looks at the words as they are written, in every branch, also in those that nobody has taken yet:
false replies, banned words, unsafe links, pictures without words, and good cheer in bad news.
"""

import re
from collections.abc import Iterator

from nurture.authoring.jinja import literal
from nurture.authoring.parts import Part, at_key, parts_of
from nurture.config import Config
from nurture.core.model import Tone
from nurture.errors import Problem
from nurture.rendering.templates import Template

#: Categories in which nobody should be cheerful, whatever the template says of itself.
GRAVE_CATEGORIES = frozenset({"decision", "closure", "rejection"})

_REPLY = re.compile(
    r"(?:\A|[}\n])\s*((?:re|fwd?|fw|aw|wg|sv|vs|antw|tr|rv|rif|odp)(?:\[\d+\])?\s*:)", re.IGNORECASE
)
_LINK = re.compile(
    r"\]\(\s*<?(?P<md>[^)\s>]*)"
    r"|\b(?:href|src)\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')"
    r"|\bbutton\(\s*(?:\"[^\"]*\"|'[^']*'|[\w.]+)\s*,\s*(?P<quote>[\"'])(?P<button>.*?)(?P=quote)",
    re.IGNORECASE,
)
_GOOD_LINK = re.compile(r"https://[^\s/]|mailto:\S+@|tel:\+?[\d ()-]+|cid:\S|#\w", re.IGNORECASE)
_SCRIPT = re.compile(r"\s*(?:javascript|vbscript|data|file)\s*:", re.IGNORECASE)
_MD_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(")
_HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=", re.IGNORECASE)
_COMMENT = re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL)


def wording_problems(template: Template, config: Config) -> list[Problem]:
    """What is wrong with the words of one template, whoever reads them."""
    problems = list(_false_cheer(template))
    for part in parts_of(template):
        problems += _false_reply(part)
        problems += _banned(part, config)
        if part.name == "body":
            problems += link_problems(part)
            problems += image_problems(part)
    return problems


def _false_cheer(template: Template) -> Iterator[Problem]:
    if template.tone is Tone.CHEERFUL and template.category in GRAVE_CATEGORIES:
        message = f'a cheerful mail cannot be of the category "{template.category}"'
        hint = "write tone: grave, or choose the category of good news"
        key = "tone" if template.locale is None else "category"
        yield at_key(template, key, "cheerful-bad-news", message, hint)


def _false_reply(part: Part) -> Iterator[Problem]:
    if part.name != "subject":
        return
    for found in _REPLY.finditer(part.source):
        message = f'"{found[1]}" says that this is a reply, and it is none'
        hint = "remove it: mailbox providers call it deceptive, and so do readers"
        yield part.problem(found.start(1), "false-reply", message, hint)


def _banned(part: Part, config: Config) -> Iterator[Problem]:
    if not config.banned_words:
        return
    text = literal(part.source).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for found in words_in(text, config.banned_words):
        message = f'"{found[0]}" is one of the banned_words of config.yaml'
        hint = "say it in another way"
        yield part.problem(found.start(), "banned-word", message, hint)


def words_in(text: str, words: list[str]) -> Iterator[re.Match[str]]:
    """Each place where the text has one of these words or phrases as words of their own."""
    longest_first = sorted(words, key=len, reverse=True)
    phrases = (r"\s+".join(map(re.escape, word.split())) for word in longest_first)
    choice = "|".join(phrase for phrase in phrases if phrase)
    yield from re.finditer(rf"(?<!\w)(?:{choice})(?!\w)", text, re.IGNORECASE)


def link_problems(part: Part) -> Iterator[Problem]:
    """Links that lead nowhere, that mail programs refuse, or that anyone on the way can change."""
    for found in _LINK.finditer(_without_comments(part.source)):
        group = next(
            name for name in ("md", "double", "single", "button") if found[name] is not None
        )
        url, at = found[group], found.start(group)
        if _SCRIPT.match(url):
            if not url.lstrip().lower().startswith("data:image/"):
                message = f'a link may not begin with "{url.strip().partition(":")[0]}:"'
                yield part.problem(at, "unsafe-link", message, "link to a page: https://...")
        elif url.lower().startswith("http://"):
            message = f"{url} is not encrypted: anyone on the way can read and change it"
            yield part.problem(at, "insecure-link", message, "write https://", "warning")
        elif not url.startswith(("{{", "{%")) and not _GOOD_LINK.match(url):
            message = f'"{url}" leads nowhere in a mail' if url else "a link without an address"
            yield part.problem(at, "broken-link", message, "write the whole address: https://...")


def image_problems(part: Part) -> Iterator[Problem]:
    """Pictures that say nothing to those who cannot see them; most programs block them at first."""
    text = _without_comments(part.source)
    message = "a picture without words for those who do not see it"
    for found in _MD_IMAGE.finditer(text):
        if not found["alt"].strip():
            hint = "write them between the brackets: ![Our office in Lisbon](...)"
            yield part.problem(found.start(), "image-alt", message, hint, "warning")
    for found in _HTML_IMAGE.finditer(text):
        if not _ALT.search(found[0]):
            hint = 'add alt="...", or alt="" if it is only decoration'
            yield part.problem(found.start(), "image-alt", message, hint, "warning")


def _without_comments(source: str) -> str:
    """Comments blanked out, each offset kept."""
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)
