"""How do all templates look, side by side? A folder of pages with an index, to look at anywhere.

Each mail is shown in a frame as wide as a mail program and in one as wide as a phone. Frames run
nothing, and each mail's own page forbids it to load anything: a look must never count as the
reader's.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from nurture.cli.gallery_style import STYLE
from nurture.core.reasons import moment
from nurture.engine.fitting import Fitting
from nurture.engine.project import Project
from nurture.errors import OutsideError, shown
from nurture.rendering.context import zone_of

WIDTHS = (640, 320)
_MAILS = "mails"
_NOTHING_LOADED = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
    " style-src 'unsafe-inline'; img-src data:\">"
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


def write(project: Project, fittings: Iterable[Fitting], folder: Path) -> tuple[Path, int, int]:
    """Index and mails below `folder`. Gives the index, how many are shown, and how many cannot be.

    Raises OutsideError where the folder cannot be written.
    """
    seen = []
    try:
        for fitting in fittings:
            seen.append(fitting)
            if fitting.preview is not None:
                name = folder / _MAILS / fitting.template.key
                name.parent.mkdir(parents=True, exist_ok=True)
                rendered = fitting.preview.rendered
                _write(name.with_name(f"{name.name}.html"), _quiet(rendered.html))
                _write(name.with_name(f"{name.name}.txt"), rendered.text)
        folder.mkdir(parents=True, exist_ok=True)
        index = folder / "index.html"
        _write(index, _index(project, seen))
    except OSError as error:
        raise OutsideError(f"{shown(folder)} cannot be written: {error.strerror}") from error
    shown_ones = sum(each.preview is not None for each in seen)
    return index, shown_ones, len(seen) - shown_ones


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _quiet(html: str) -> str:
    """The mail's page with a rule that nothing is loaded."""
    head = _HEAD.search(html)
    if head is None:
        return f"{_NOTHING_LOADED}{html}"
    return f"{html[: head.end()]}{_NOTHING_LOADED}{html[head.end() :]}"


def _index(project: Project, seen: Sequence[Fitting]) -> str:
    missing = [each for each in seen if each.preview is None]
    now = moment(project.clock.now(), ZoneInfo(project.config.timezone))
    said = f"{len(seen)} templates" + (
        f", {len(missing)} of which nobody can be shown" if missing else ""
    )
    links = "".join(f"<li>{_link(each)}</li>" for each in seen)
    parts = "\n".join(part for each in seen for part in _part(project, each))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Nurture: every template</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header><h1>Every template</h1>
<p>{said}, as of {escape(now)}. Nothing was sent; links in these mails lead nowhere.</p>
<nav aria-label="Templates"><ul>{links}</ul></nav></header>
{parts}
</main>
</body>
</html>
"""


def _part(project: Project, each: Fitting) -> Iterator[str]:
    key = escape(each.template.key)
    language = f" in {escape(each.template.locale)}" if each.template.locale else ""
    chip = f'<span class="chip">{escape(each.template.category)}</span>'
    yield f'<section id="{_anchor(each)}"><h2>{key}</h2>'
    if each.preview is None or each.candidate is None:
        yield f"<p>{chip} <b>Nobody can be shown.</b> {escape(each.why_not)}</p></section>"
        return
    rendered = each.preview.rendered
    names = (each.candidate.first_name, each.candidate.last_name)
    who = " ".join(name for name in names if name) or each.candidate.ref
    zone = zone_of(each.candidate, project.config)
    yield (
        f'<p class="subject"><b>{escape(rendered.subject)}</b>'
        f' <span class="quiet">{escape(rendered.preheader)}</span></p>'
        f'<p class="quiet">{chip} For {escape(who)} ({escape(each.candidate.ref)},'
        f" {escape(zone.key)}){language}.</p>"
    )
    source = escape(f"{_MAILS}/{each.template.key}.html")
    yield '<div class="frames">'
    for width in WIDTHS:
        yield (
            f"<figure><figcaption>{width} pixels</figcaption>"
            f'<iframe src="{source}" title="{key}, {width} pixels wide" width="{width}"'
            f' height="720" sandbox loading="lazy"></iframe></figure>'
        )
    yield "</div>"
    yield f"<details><summary>Plain text</summary><pre>{escape(rendered.text)}</pre></details>"
    yield "</section>"


def _link(each: Fitting) -> str:
    mark = "" if each.preview is not None else " (nobody fits)"
    return f'<a href="#{_anchor(each)}">{escape(each.template.key)}</a>{mark}'


def _anchor(each: Fitting) -> str:
    return escape(each.template.key.replace("/", "-"))
