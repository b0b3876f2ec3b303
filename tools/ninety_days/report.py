"""What came of the ninety days? A page in words and numbers, and its picture."""

from collections.abc import Iterator, Mapping
from html import escape

from tools.ninety_days.checks import Found
from tools.ninety_days.figures import WEEKS, Fate, Figures
from tools.ninety_days.people import START

#: What each checker holds, in a recruiter's words.
HOLDS = {
    "silence": "Nobody waits longer than their stage allows, unless it is somebody's open task",
    "caps": "No mail with a cap goes where the days before it are full",
    "pace": "Who asked for one mail a week, or for what matters only, gets it so",
    "tone": "Nothing cheerful and nothing promotional within 14 days of bad news",
    "unwanted": "Nothing promotional after unsubscribing, in a pause, or in a hard time; "
    "nothing at all to whom asked for none",
    "afterwards": "Nothing of a process after they withdrew; a no is said once",
    "once": "No message twice",
}


def page(seed: int, parts: int, found: Mapping[str, Found], figures: Figures, picture: str) -> str:
    """The report, in Markdown."""
    return "\n".join(_lines(seed, parts, found, figures, picture))


def _lines(
    seed: int, parts: int, found: Mapping[str, Found], figures: Figures, picture: str
) -> Iterator[str]:
    yield "# Ninety days, and what everybody got"
    yield ""
    yield (
        f"{figures.people} invented people of mixed fates, the starter campaigns as they are "
        f"shipped, ninety days from {START:%A}, {START.day} {START:%B %Y}. Clocks change, "
        'holidays come, interviews move, servers say "not now". Of the recruiters two do their '
        "tasks in the morning, one when he finds the time, and one never."
    )
    yield ""
    yield f"![Mails a person and week, by what became of them]({picture})"
    yield ""
    yield "## What was checked"
    yield ""
    yield (
        "By what the mail server accepted and by the list of tasks; the engine was not asked. "
        "Each line says how often there was something to look at, and how often it was wrong."
    )
    yield ""
    yield "| Rule | Looked at | Wrong |"
    yield "|---|---:|---:|"
    for name, each in found.items():
        yield f"| {HOLDS[name]} | {each.looked_at:,} | {len(each.wrong)} |"
    yield ""
    wrong = [line for each in found.values() for line in each.wrong]
    if wrong:
        yield "What was wrong:"
        yield ""
        yield from (f"- {line}" for line in wrong)
        yield ""
    yield from _how_much(figures)
    yield "## See it again"
    yield ""
    yield (
        "The same numbers come of the same seed and the same files. `tests/acceptance/"
        "test_ninety_days.py` runs fewer people with each change."
    )
    yield ""
    yield "```sh"
    yield (
        f"python -m tools.ninety_days --seed {seed} --people {figures.people} --parts {parts} "
        "--out docs/relationship/ninety-days"
    )
    yield "```"
    yield ""


def _how_much(figures: Figures) -> Iterator[str]:
    yield "## How much that is"
    yield ""
    yield "| | People or weeks | Median | Most |"
    yield "|---|---:|---:|---:|"
    week, silver = figures.interview_week, figures.silver_medalist
    yield (
        f"| Mails in a normal interview week (the seven days that end the day after) "
        f"| {week.of} | {week.median:g} | {week.most:g} |"
    )
    yield (
        f"| Mails a week to a silver medalist, from the day after the no "
        f"| {silver.of} | {silver.median:g} | {silver.most:g} |"
    )
    yield ""
    yield (
        f"{figures.mails:,} mails were accepted; {figures.tasks:,} tasks were made for people, of "
        f"which {figures.open_tasks:,} are still open: those of the one who never does any, "
        "and the latest. "
        f"{figures.refused:,} mails were refused, all to addresses that there are none of."
    )
    yield ""
    yield "## By what became of them"
    yield ""
    yield "| Fate | People | Mails, median | most | Fullest week, median | most | Calls to make |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for fate in figures.fates:
        yield (
            f"| {fate.name} | {fate.people} | {fate.mails.median:g} | {fate.mails.most:g} "
            f"| {fate.fullest_week.median:g} | {fate.fullest_week.most:g} | {fate.calls} |"
        )
    yield ""


# --- the picture ----------------------------------------------------------------------------------

_LEFT, _WEEK, _ROW, _TOP = 190, 56, 58, 76
_WIDTH = _LEFT + WEEKS * _WEEK + 24
_HIGH = 42  #: of so many mails a week
_MOST = 6
_KINDS = {
    "free": "never held back: receipts, dates, preparation, decisions",
    "service": "help with their own process",
    "nurture": "culture, check-ins, talent pool",
}
STYLE = """
  text { font-family: system-ui, "Segoe UI", sans-serif; font-size: 13px; fill: #26241f }
  .card { fill: #fff } .quiet { fill: #67625a; font-size: 11.5px } .title { font-weight: 600 }
  .mid { text-anchor: middle } .rule { stroke: #e4dfd6 }
  .free { fill: #2c5a8c } .service { fill: #1c6847 } .nurture { fill: #b4620a }
  @media (prefers-color-scheme: dark) {
    text { fill: #ece8df } .card { fill: #211f1c } .quiet { fill: #aba69b }
    .rule { stroke: #45413a }
    .free { fill: #7fb0e3 } .service { fill: #5fbf93 } .nurture { fill: #e9a55c }
  }
"""


def svg(figures: Figures) -> str:
    """Mails a person and week since they applied, one row a fate."""
    height = _TOP + _ROW * len(figures.fates) + 48
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d">',
            '<title id="t">Mails a person and week, by what became of them</title>',
            f'<desc id="d">{escape(_told(figures))}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="card" width="{_WIDTH}" height="{height}" rx="10"/>',
            '<text class="title" x="16" y="30">Mails a person and week since they applied</text>',
            *_scale(),
            *(
                line
                for number, fate in enumerate(figures.fates)
                for line in _row(fate, _TOP + _ROW * (number + 1))
            ),
            *_legend(height - 20),
            "</svg>\n",
        ]
    )


def _scale() -> Iterator[str]:
    for week in range(WEEKS):
        x = _LEFT + week * _WEEK + _WEEK / 2
        yield f'<text class="quiet mid" x="{x:g}" y="56">week {week + 1}</text>'


def _row(fate: Fate, bottom: int) -> Iterator[str]:
    yield f'<line class="rule" x1="16" x2="{_WIDTH - 16}" y1="{bottom}" y2="{bottom}"/>'
    yield f'<text class="title" x="16" y="{bottom - 26}">{escape(fate.name)}</text>'
    yield f'<text class="quiet" x="16" y="{bottom - 9}">{fate.people} people</text>'
    for number, week in enumerate(fate.weeks):
        x, top = _LEFT + number * _WEEK + 10, float(bottom)
        for kind in _KINDS:
            tall = _HIGH * min(week.get(kind, 0), _MOST) / _MOST
            if tall >= 0.5:
                top -= tall
                box = f'x="{x}" y="{top:.1f}" width="{_WEEK - 20}" height="{tall:.1f}"'
                yield f'<rect class="{kind}" {box}/>'
        total = sum(week.values())
        if total >= 0.05:
            middle = f'x="{_LEFT + number * _WEEK + _WEEK / 2:g}" y="{top - 3:.1f}"'
            yield f'<text class="quiet mid" {middle}>{total:.1f}</text>'


def _legend(y: int) -> Iterator[str]:
    x = 16
    for kind, words in _KINDS.items():
        yield f'<rect class="{kind}" x="{x}" y="{y - 10}" width="12" height="12"/>'
        yield f'<text class="quiet" x="{x + 18}" y="{y}">{words}</text>'
        x += 40 + round(6.3 * len(words))


def _told(figures: Figures) -> str:
    """The same for those who do not see it."""
    return " ".join(
        f"{fate.name} ({fate.people} people): "
        + ", ".join(f"{sum(week.values()):.1f}" for week in fate.weeks)
        + "."
        for fate in figures.fates
    )
