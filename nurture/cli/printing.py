"""How does a value look: on a terminal, in a pipe, as JSON?"""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from nurture.config import Config
from nurture.core.model import Candidate
from nurture.core.reasons import moment
from nurture.rendering.context import zone_of

_ENDLESS = 100_000  # columns: in a pipe nothing is wrapped
_LEAST = 24  # columns of a terminal that the text at the end of a row keeps


def say(text: str) -> None:
    click.echo("\n".join(clean(line) for line in text.split("\n")))


def complain(text: str) -> None:
    click.echo(clean(text), err=True)


def json_line(value: Mapping[str, Any]) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=_as_json))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Framed on a terminal, where the last column wraps; plain, wide and without colours elsewhere.

    Nothing at all where there are no rows.
    """
    cells = [[Text(clean(_shown(value))) for value in row] for row in rows]
    if not cells:
        return
    terminal = Console().is_terminal
    console = Console() if terminal else Console(width=_ENDLESS, color_system=None)
    drawn = Table(
        box=box.SIMPLE_HEAD if terminal else None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="bold" if terminal else "",
    )
    for name in columns[:-1]:
        drawn.add_column(name, no_wrap=True)
    drawn.add_column(columns[-1], overflow="fold", min_width=_LEAST)
    for row in cells:
        drawn.add_row(*row)
    with console.capture() as captured:
        console.print(drawn)
    click.echo("\n".join(line.rstrip() for line in captured.get().rstrip().split("\n")))


def clean(text: str) -> str:
    """Without what would steer a terminal: names come from outside."""
    if text.isprintable():
        return text
    return "".join(
        "�" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") else char
        for char in text
    )


def when(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else moment(at, zone)


def name_of(facts: Mapping[str, Any]) -> str:
    """`Ana Sousa`, from a candidate's row data."""
    return " ".join(str(facts[key]) for key in ("first_name", "last_name") if facts.get(key))


def zone_in(row: Any, config: Config) -> ZoneInfo:
    """The zone of the candidate of a row that has their `ref` and `data`."""
    told = row["data"].get("timezone")
    return zone_of(Candidate(id=0, ref=row["ref"], timezone=told), config)


@contextmanager
def progress(what: str) -> Iterator[Callable[[float], None]]:
    """A bar on standard error where that is a terminal; hears what share is done, 0 to 1."""
    done = TextColumn("{task.percentage:.0f}%")
    with _bar(done) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=min(share, 1.0))


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """The same where nobody knows yet how much there is; hears how many are done."""
    with _bar(TextColumn("{task.completed:.0f}")) as bar:
        task = bar.add_task(what, total=None)
        yield lambda count: bar.update(task, completed=count)


def _bar(done: TextColumn) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), done)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _as_json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
