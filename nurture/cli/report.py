"""How does a simulation look as a page that can be mailed around? One file, nothing loaded.

No script, no address, one style sheet in the page; it can be read on a phone, in the dark, by a
screen reader and on paper. Its size is bounded: calendars of the first `CALENDARS` people, the
others in a line each; of each list of what was held up the first `LISTED`, the others counted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from html import escape

from nurture.cli.report_style import STYLE
from nurture.core.reasons import moment
from nurture.engine.differences import Comparison
from nurture.engine.report import Change, Held, Line, Person, Report, Totals

CALENDARS = 500
LISTED = 50
_OPEN = 12  #: calendars that are open when the page is
_WEEK = timedelta(days=7)


def page(report: Report, *, about: str = "") -> str:
    """The whole page; `about` says what was simulated, where that is not everything."""
    parts = [
        _head(report, about),
        *_comparison(report),
        *_days(report),
        *_campaigns(report.campaigns),
        *_held("Capped", _CAPPED, report.capped),
        *_held("Moved to open hours", _MOVED, report.moved),
        *_lines("Expired", _EXPIRED, report.expired),
        *_lines("Waiting at the end", _WAITING, report.waiting),
        *_calendars(report),
    ]
    body = "\n".join(parts)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Nurture: the next {report.days} days</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


_CAPPED = "Their moment had come, but a limit or a more necessary message held them up."
_MOVED = "Their moment fell outside the hours of their kind of message, or into a pause."
_EXPIRED = "Too late to be of use: these do not go out any more."
_WAITING = "Waiting for a person or a fact, not for time."


def _head(report: Report, about: str) -> str:
    people = len(list(report.by_person()))
    tiles = (
        (report.count("send"), "mails"),
        (report.count("task"), "tasks"),
        (people, "people"),
        (len(report.capped), "capped"),
        (len(report.expired), "expired"),
        (len(report.skipped), "not wanted"),
    )
    shown = "".join(f"<li><b>{number:,}</b> {word}</li>" for number, word in tiles)
    what = f" {escape(about)}." if about else ""
    return (
        f"<header><h1>The next {report.days} days</h1>"
        f"<p>From {escape(moment(report.start, report.zone))} in {report.start.year}.{what}"
        f" Simulated: nothing was written and nothing was sent.</p>"
        f'<ul class="tiles">{shown}</ul></header>'
    )


# --- what differs --------------------------------------------------------------------------------


def _comparison(report: Report) -> Iterator[str]:
    seen = report.comparison
    if seen is None:
        return
    counts = Counter(each.difference.change for each in report.changes)
    said = ", ".join(f"{counts[word]} {word}" for word in _CHANGES if counts[word])
    yield _section("What differs", f"The working files, against {escape(seen.against)}.")
    yield f"<p>{escape(files(seen))}</p>"
    yield f"<p><b>{escape(said or 'The same people get the same at the same times')}.</b>"
    if seen.reworded:
        yield f" {seen.reworded:,} mails go out as before with other words."
    yield "</p>"
    yield from _table(
        ("who", "step", "change", "before", "after"),
        [_changed(change) for change in report.changes[:LISTED]],
        "changes",
    )
    yield _more(
        f"{change.difference.row['campaign']} / {change.difference.row['step']}"
        f" ({change.difference.change})"
        for change in report.changes[LISTED:]
    )
    yield "</section>"


_CHANGES = ("added", "removed", "moved", "changed")


def files(seen: Comparison) -> str:
    """`Files that differ: campaigns culture (changed); templates none.`"""

    def named(changes: Iterable[tuple[str, str]]) -> str:
        return ", ".join(f"{name} ({change})" for name, change in changes) or "none"

    return (
        f"Files that differ: campaigns {named(seen.campaigns.items())};"
        f" templates {named(seen.templates.items())}."
    )


def _changed(change: Change) -> Sequence[str]:
    row = change.difference.row
    word = change.difference.change
    return (
        _who(change.person),
        _step(row["campaign"], row["step"]),
        f'<span class="chip {word}">{word}</span>',
        _said(change.before),
        _said(change.after),
    )


def _said(line: Line | None) -> str:
    return '<span class="quiet">nothing</span>' if line is None else escape(line.said)


# --- days and campaigns --------------------------------------------------------------------------


def _days(report: Report) -> Iterator[str]:
    most = max((count for _, count in report.per_day), default=0)
    yield _section("Mails a day", f"Days of {escape(report.zone.key)}.")
    if most:
        day = next(day for day, count in report.per_day if count == most)
        yield f'<p class="quiet">Most on {_day(day)}: {most:,}.</p>'
        bars = "".join(
            f'<i style="height:{100 * count / most:.1f}%" title="{_day(day)}: {count}"'
            f"{' class=w' if day.weekday() > 4 else ''}></i>"
            for day, count in report.per_day
        )
        yield f'<div class="bars" aria-hidden="true">{bars}</div>'
        first, last = report.per_day[0][0], report.per_day[-1][0]
        middle = first + (last - first) / 2
        marks = "".join(f"<span>{_day(day)}</span>" for day in (first, middle, last))
        yield f'<div class="marks" aria-hidden="true">{marks}</div>'
    weeks: Counter[date] = Counter()
    for day, count in report.per_day:
        weeks[_monday(day)] += count
    yield "<details><summary>By week</summary>"
    yield from _table(
        ("week from", "mails"), [(_day(monday), f"{count:,}") for monday, count in weeks.items()]
    )
    yield "</details></section>"


def _campaigns(campaigns: Sequence[Totals]) -> Iterator[str]:
    yield _section("Campaigns", "")
    yield from _table(
        ("campaign", "people", "mails", "tasks", "skipped, and why"),
        [
            (
                f'<b>{escape(each.title)}</b><br><span class="quiet">{escape(each.name)}</span>',
                f"{each.people:,}",
                f"{each.sends:,}",
                f"{each.tasks:,}",
                escape(
                    ", ".join(f"{reason} {count:,}" for reason, count in each.skips.most_common())
                )
                or '<span class="quiet">nothing</span>',
            )
            for each in campaigns
        ],
        "numbers",
    )
    yield "</section>"


# --- what did not come at its moment -------------------------------------------------------------


def _held(title: str, why: str, held: Sequence[Held]) -> Iterator[str]:
    if not held:
        return
    yield _section(f"{title}: {len(held):,}", why)
    yield from _table(
        ("who", "step", "why", "what became of it"),
        [
            (
                _who(each.line.person),
                _step(each.line.row["campaign"], each.line.row["step"]),
                escape(each.line.said),
                escape(each.outcome.said) if each.outcome else "waits still",
            )
            for each in held[:LISTED]
        ],
    )
    yield _more(_of(each.line) for each in held[LISTED:])
    yield "</section>"


def _lines(title: str, why: str, lines: Sequence[Line]) -> Iterator[str]:
    if not lines:
        return
    yield _section(f"{title}: {len(lines):,}", why)
    yield from _table(
        ("who", "step", "why"),
        [
            (
                _who(line.person),
                _step(line.row["campaign"], line.row["step"]),
                escape(line.said),
            )
            for line in lines[:LISTED]
        ],
    )
    yield _more(_of(line) for line in lines[LISTED:])
    yield "</section>"


def _of(line: Line) -> str:
    return f"{line.row['campaign']} / {line.row['step']}"


# --- calendars -----------------------------------------------------------------------------------


def _calendars(report: Report) -> Iterator[str]:
    people = list(report.by_person())
    if not people:
        return
    yield _section(
        f"Calendars: {len(people):,}",
        "What arrives, in each person's own zone. Weeks in which nothing does are left out.",
    )
    for number, (person, lines) in enumerate(people[:CALENDARS]):
        opened = " open" if number < _OPEN else ""
        yield f"<details{opened}><summary>{_who(person)}"
        about = f"· {escape(person.zone.key)}: {_counted(lines)}"
        yield f' <span class="quiet">{about}</span></summary>'
        yield from _calendar(lines)
        yield "</details>"
    rest = people[CALENDARS:]
    if rest:
        yield f"<h3>And {len(rest):,} more, without a calendar</h3>"
        yield from _table(
            ("who", "what", "first", "last"),
            [
                (_who(person), _counted(lines), _shown(lines[0]), _shown(lines[-1]))
                for person, lines in rest
            ],
        )
    yield "</section>"


def _calendar(lines: Sequence[Line]) -> Iterator[str]:
    days: dict[date, list[Line]] = {}
    for line in lines:
        if line.day is not None:
            days.setdefault(line.day, []).append(line)
    heads = "".join(f'<th scope="col">{name}</th>' for name in _WEEKDAYS)
    yield f'<table class="cal"><thead><tr>{heads}</tr></thead><tbody>'
    for monday in sorted({_monday(day) for day in days}):
        cells = []
        for offset in range(7):
            day = monday + timedelta(days=offset)
            number = f"{day.day} {day:%b}" if not offset or day.day == 1 else f"{day.day}"
            own = "".join(_item(line) for line in days.get(day, ()))
            # The full date is for the phone, where a week is a list.
            cells.append(
                f'<td data-day="{_day(day)}">{own}</td>' if own else f'<td class="no">{number}</td>'
            )
            if own:
                cells[-1] = cells[-1].replace(">", f"><small>{number}</small>", 1)
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table>"


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _item(line: Line) -> str:
    assert line.at is not None  # noqa: S101 - it stands on a day
    clock = f"{line.at.astimezone(line.person.zone):%H:%M}"
    task = line.row["verdict"] == "task"
    kind = "task" if task else "mail"
    word = "task: " if task else ""
    title = escape(f"{line.row['campaign']}, {line.row['category'] or 'task'}")
    return f'<p class="{kind}" title="{title}"><b>{clock}</b> {word}{escape(line.row["step"])}</p>'


# --- small things --------------------------------------------------------------------------------


def _section(title: str, text: str) -> str:
    said = f'<p class="quiet">{text}</p>' if text else ""
    return f"<section><h2>{escape(title)}</h2>{said}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> Iterator[str]:
    """Cells are HTML already. On a phone each row is a block with the columns' names before it."""
    if not rows:
        return
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    yield f'<table class="list {kind}"><thead><tr>{heads}</tr></thead><tbody>'
    for row in rows:
        cells = "".join(
            f'<td data-name="{escape(column)}">{cell}</td>'
            for column, cell in zip(columns, row, strict=True)
        )
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table>"


def _more(rest: Iterable[str]) -> str:
    counts = Counter(rest)
    if not counts:
        return ""
    said = "; ".join(f"{escape(what)} {count:,}" for what, count in counts.most_common())
    return f'<p class="quiet">And {sum(counts.values()):,} more: {said}.</p>'


def _who(person: Person) -> str:
    if not person.name:
        return escape(person.ref)
    return f'{escape(person.name)} <span class="quiet ref">{escape(person.ref)}</span>'


def _step(campaign: str, step: str) -> str:
    return f'{escape(step)}<br><span class="quiet ref">{escape(campaign)}</span>'


def _counted(lines: Sequence[Line]) -> str:
    count = Counter(line.row["verdict"] for line in lines if not line.within)
    words = [
        f"{count[verdict]} {word}{'' if count[verdict] == 1 else 's'}"
        for verdict, word in (("send", "mail"), ("task", "task"))
        if count[verdict]
    ]
    return ", ".join(words)


def _shown(line: Line) -> str:
    return escape(moment(line.at, line.person.zone)) if line.at else ""


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
