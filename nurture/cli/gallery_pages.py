"""What stands on the pages of the gallery? An index of cards, and a page a template.

Frames run nothing, and each mail's own page forbids it to load anything: a look must never count as
the reader's.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from zoneinfo import ZoneInfo

from nurture.cli.gallery_style import STYLE
from nurture.core.reasons import moment
from nurture.engine.gallery import Portrait, senders
from nurture.engine.project import Project
from nurture.engine.sitters import Sitter
from nurture.rendering.templates import Template

DESK, PHONE = 640, 320  #: pixels
_NOTHING_LOADED = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
    " style-src 'unsafe-inline'; img-src data:\">"
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One template in all its languages, for all who sit."""

    name: str
    versions: tuple[Template, ...]
    portraits: tuple[Portrait, ...]

    @property
    def page(self) -> str:
        """Its file, from the gallery's folder on."""
        return f"{self.name.replace('/', '-')}.html"

    @property
    def best(self) -> Portrait:
        """The one for the index: the first that there is."""
        return next((each for each in self.portraits if each.preview), self.portraits[0])


def mail(each: Portrait, kind: str) -> str:
    """The file of one mail, from the gallery's folder on: by `light`, by `dark`, or its text."""
    ending = {"light": "html", "dark": "dark.html", "txt": "txt"}[kind]
    return f"mails/{each.template.key}.{each.sitter.slug}.{ending}"


def quiet(html: str) -> str:
    """The mail's page with a rule that nothing is loaded."""
    head = _HEAD.search(html)
    if head is None:
        return f"{_NOTHING_LOADED}{html}"
    return f"{html[: head.end()]}{_NOTHING_LOADED}{html[head.end() :]}"


def index(project: Project, people: Sequence[Sitter], every: Sequence[Shown]) -> str:
    now = moment(project.clock.now(), ZoneInfo(project.config.timezone))
    whom = "; ".join(f"{each.called}: {each.said}" for each in people)
    cards = "\n".join(_card(each) for each in every)
    return _whole(
        "Every template",
        f"""<header><h1>Every template</h1>
<p>{len(every)} templates as of {escape(now)}, for {escape(whom)}.</p>
<p class="quiet">Nothing was sent; links in these mails lead nowhere.</p></header>
<ul class="cards">
{cards}
</ul>""",
    )


def page(project: Project, shown: Shown, every: Sequence[Shown]) -> str:
    at = list(every).index(shown)
    beside = [
        f'<a href="{escape(each.page)}" rel="{rel}">{escape(label.format(each.name))}</a>'
        for each, rel, label in (
            (every[at - 1] if at else None, "prev", "← {}"),
            (every[at + 1] if at + 1 < len(every) else None, "next", "{} →"),
        )
        if each is not None
    ]
    versions = "".join(
        f'<li><a href="#{_anchor(each)}">{escape(_named(each))}</a></li>'
        for each in shown.portraits
    )
    sent = ", ".join(each.title for each in senders(project, shown.name).values())
    by = f"Sent by {escape(sent)}." if sent else "No campaign sends it."
    parts = "\n".join(part for each in shown.portraits for part in _part(each))
    return _whole(
        shown.name,
        f"""<nav class="ways" aria-label="Gallery"><a href="index.html">Every template</a>
{" ".join(beside)}</nav>
<header><h1>{escape(shown.name)}</h1>
<p>{_chips(shown)} {by}</p>
<nav aria-label="On this page"><ul class="versions">{versions}</ul></nav></header>
{parts}""",
    )


def _whole(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)} · Gallery</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _card(shown: Shown) -> str:
    best, where = shown.best, escape(shown.page)
    small = f'<p class="quiet">It cannot be written for anybody here: {escape(best.why_not)}</p>'
    subject = shown.name
    if best.preview is not None:
        subject = best.preview.rendered.subject
        small = (
            f'<div class="small"><iframe src="{escape(mail(best, "light"))}" title=""'
            f' width="{DESK}" height="800" sandbox loading="lazy" tabindex="-1"></iframe></div>'
        )
    return (
        f'<li class="card"><div aria-hidden="true">{small}</div>'
        f'<h2><a href="{where}">{escape(subject)}</a></h2>'
        f'<p class="quiet">{escape(shown.name)}</p><p>{_chips(shown)}</p></li>'
    )


def _chips(shown: Shown) -> str:
    words = [shown.versions[0].category, shown.versions[0].tone.value]
    words += [each.locale for each in shown.versions if each.locale]
    missing = sum(each.preview is None for each in shown.portraits)
    if missing:
        words.append(f"{missing} cannot be written")
    return " ".join(f'<span class="chip">{escape(word)}</span>' for word in words)


def _part(each: Portrait) -> Iterator[str]:
    name = escape(_named(each))
    yield f'<section id="{_anchor(each)}"><h2>{name}</h2>'
    if each.preview is None:
        yield f"<p><b>It cannot be written for them.</b> {escape(each.why_not)}</p></section>"
        return
    rendered = each.preview.rendered
    yield (
        f'<p class="subject"><b>{escape(rendered.subject)}</b>'
        f' <span class="quiet">{escape(rendered.preheader)}</span></p>'
        f'<p class="quiet">Subject of {len(rendered.subject)} characters; '
        f"{len(each.preview.raw) / 1024:.0f} KB in all;"
        f" <code>{escape(each.template.file)}</code></p>"
    )
    yield '<div class="frames">'
    for label, scheme, width in (
        ("At a desk", "light", DESK),
        ("On a phone", "light", PHONE),
        ("At a desk, dark", "dark", DESK),
        ("On a phone, dark", "dark", PHONE),
    ):
        yield (
            f"<figure><figcaption>{label}, {width} px</figcaption>"
            f'<iframe src="{escape(mail(each, scheme))}" title="{name}: {label.lower()}"'
            f' class="{scheme}" width="{width}" height="760" sandbox loading="lazy"></iframe>'
            "</figure>"
        )
    yield "</div>"
    yield f"<details><summary>Plain text</summary><pre>{escape(rendered.text)}</pre></details>"
    yield "</section>"


def _named(each: Portrait) -> str:
    return (
        f"{each.template.locale}: {each.sitter.called}"
        if each.template.locale
        else each.sitter.called
    )


def _anchor(each: Portrait) -> str:
    return escape(f"{each.template.locale or 'default'}-{each.sitter.slug}")
