"""Draws the week of docs/agenda.md: what docs/examples/week does to one candidate, by simulation.

python -m tools.week_picture > docs/week.svg
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nurture.authoring.library import Library
from nurture.clock import SetClock
from nurture.config import load_config
from nurture.core.model import Category, Reason
from nurture.engine.project import Project
from nurture.engine.simulate import simulate
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.rendering.links import Signer
from nurture.store.database import Database
from nurture.store.facts import find_candidate
from nurture.store.tables import metadata

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs/examples/week"
LISBON = ZoneInfo("Europe/Lisbon")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FIRST = datetime(2026, 11, 23, tzinfo=LISBON)
DAYS = 7
INTERVIEW = (MONDAY + timedelta(days=3, hours=1), MONDAY + timedelta(days=3, hours=2))


@dataclass(frozen=True, kw_only=True)
class Mail:
    step: str
    campaign: str
    category: Category
    wanted_at: datetime  #: by its campaign
    sent_at: datetime  #: by the simulation
    reason: Reason  #: of the wait between, as the agenda gave it on Monday
    detail: Mapping[str, Any]
    title: str  #: its subject

    @property
    def kind(self) -> str:
        return "free" if not self.category.capped else self.category.klass.value

    def why(self, subjects: Mapping[str, str]) -> str:
        """What is between the two instants, in few words; nothing where they are one."""
        if self.reason is Reason.BUNDLED:
            return f"inside “{subjects[self.detail['with']['step']]}”"
        if self.wanted_at == self.sent_at:
            return ""
        if "at_most" in self.detail:
            number, kind, days = (self.detail[key] for key in ("at_most", "kind", "hours"))
            return f"at most {number} {kind} mail in {days // 24} days"
        return f"{self.detail['hours']} hours from any other mail"


def week() -> list[Mail]:
    """What the simulation sends, in the order in which it was wanted."""
    with tempfile.TemporaryDirectory() as folder, closing(Database("sqlite://")) as database:
        project = _project(Path(folder), database)
        while project.planner.tick():
            pass
        sent = {
            row["step"]: datetime.fromisoformat(row["at"])
            for row in simulate(project, 2 * DAYS)
            if row["verdict"] == "send"
        }
        with database.read() as connection:
            candidate = find_candidate(connection, "ana")
            assert candidate is not None
            planned = project.planner.view(connection, candidate.id)
            assert planned is not None
    found = [
        Mail(
            step=item.step.id,
            campaign=project.library.titles[item.campaign],
            category=item.category,
            wanted_at=item.moment_at,
            sent_at=sent[item.step.id],
            reason=item.reason,
            detail=item.detail,
            title=project.library.templates[item.step.send].subject,
        )
        for item in planned.agenda.items
        if item.category and item.moment_at and item.step.send
    ]
    return sorted(found, key=lambda mail: (mail.wanted_at, mail.sent_at))


def _project(folder: Path, database: Database) -> Project:
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    shutil.copytree(ROOT / "templates/layouts", folder / "templates/layouts")
    (folder / "config.yaml").write_text("", encoding="utf-8")  # the rules as they are shipped
    with database.write() as connection:
        metadata.create_all(connection)
    config = load_config(folder / "config.yaml", {})
    library = Library(config)
    if library.problems:
        raise SystemExit("\n".join(map(str, library.problems)))
    for line in (EXAMPLE / "events.jsonl").read_text(encoding="utf-8").splitlines():
        apply(database, parse_event(json.loads(line)), MONDAY)
    return Project(
        config=config,
        clock=SetClock(MONDAY),
        database=database,
        library=library,
        signer=Signer([b"k" * 32]),
    )


# --- the drawing ---------------------------------------------------------------------------------

LEFT, DAY, ROW, TOP = 200, 108, 44, 84
RIGHT = LEFT + DAYS * DAY
WIDTH = RIGHT + 24
STYLE = """
  text { font-family: system-ui, "Segoe UI", sans-serif; font-size: 13px; fill: #26241f }
  .quiet { fill: #67625a; font-size: 11.5px } .title { font-weight: 600 } .end { text-anchor: end }
  .mid { text-anchor: middle } .open { fill: #eef4f0 } .rule { stroke: #e4dfd6 }
  .meeting { fill: #2c5a8c; opacity: .2 } .wait { stroke-width: 2; stroke-dasharray: 2 4 }
  .free { fill: #2c5a8c; stroke: #2c5a8c } .service { fill: #1c6847; stroke: #1c6847 }
  .nurture { fill: #b4620a; stroke: #b4620a } .wanted { fill: #fff; stroke-width: 2 }
"""


def svg(mails: list[Mail]) -> str:
    bottom = TOP + ROW * len(mails)
    return "\n".join(
        [
            _start(bottom + 64),
            '<title id="t">A week of one candidate</title>',
            f'<desc id="d">{escape(_told(mails))}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{bottom + 64}" rx="10" fill="#fff"/>',
            *_days(bottom),
            *(line for number, mail in enumerate(mails) for line in _mail(number, mail, mails)),
            *_legend(bottom + 36),
            "</svg>\n",
        ]
    )


def _start(height: int) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d">'


def _x(at: datetime) -> float:
    return round(LEFT + DAY * ((at - FIRST) / timedelta(days=1)), 1)


def _days(bottom: int) -> Iterator[str]:
    """The week, with the hours in which mail may arrive and the interview."""
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        x = LEFT + number * DAY
        yield f'<text class="title mid" x="{x + DAY / 2}" y="42">{day:%a} {day.day} {day:%b}</text>'
        yield f'<line class="rule" x1="{x}" x2="{x}" y1="{TOP - 24}" y2="{bottom}"/>'
        if day.weekday() < 5:
            opens, closes = _x(day.replace(hour=8, minute=30)), _x(day.replace(hour=18, minute=30))
            yield (
                f'<rect class="open" x="{opens}" y="{TOP - 24}" width="{closes - opens:.1f}" '
                f'height="{bottom - TOP + 24}"/>'
            )
    start, end = map(_x, INTERVIEW)
    yield (
        f'<rect class="meeting" x="{start}" y="{TOP - 24}" width="{end - start:.1f}" '
        f'height="{bottom - TOP + 24}"/>'
    )
    yield f'<text class="quiet mid" x="{(start + end) / 2:.1f}" y="{TOP - 8}">interview</text>'


def _mail(number: int, mail: Mail, mails: list[Mail]) -> Iterator[str]:
    y = TOP + ROW * number + ROW / 2
    wanted, sent = _x(mail.wanted_at), _x(mail.sent_at)
    outside = sent > RIGHT
    yield f'<line class="rule" x1="16" x2="{RIGHT}" y1="{y + ROW / 2}" y2="{y + ROW / 2}"/>'
    yield f'<text class="title" x="16" y="{y - 2}">{escape(mail.title)}</text>'
    yield f'<text class="quiet" x="16" y="{y + 14}">{mail.campaign}, {mail.category.name}</text>'
    if wanted != sent:
        end = RIGHT + 6 if outside else sent
        yield f'<line class="wait {mail.kind}" x1="{wanted}" x2="{end}" y1="{y}" y2="{y}"/>'
        yield f'<circle class="wanted {mail.kind}" cx="{wanted}" cy="{y}" r="5"/>'
    if outside:
        yield f'<path class="{mail.kind}" d="M{RIGHT + 6} {y - 6}l10 6l-10 6z"/>'
    else:
        yield f'<circle class="{mail.kind}" cx="{sent}" cy="{y}" r="6"/>'
    local = mail.sent_at.astimezone(LISBON)
    why = mail.why({each.step: each.title for each in mails})
    day = f"{local:%a} {local.day} {local:%b}" if outside else f"{local:%a}"
    said = f"{day} {local:%H:%M}" + (f", {why}" if why else "")
    left, right = min(wanted, sent), max(wanted, sent)
    if right < LEFT + 3.4 * DAY:
        yield f'<text class="quiet" x="{right + 12}" y="{y + 4}">{escape(said)}</text>'
    else:
        yield f'<text class="quiet end" x="{left - 12}" y="{y + 4}">{escape(said)}</text>'


def _legend(y: int) -> Iterator[str]:
    x = 16
    for kind, words, width in (
        ("free", "never held back by a cap", 178),
        ("service", "about their own process", 172),
        ("nurture", "nurture", 76),
    ):
        yield f'<circle class="{kind}" cx="{x + 6}" cy="{y - 4}" r="6"/>'
        yield f'<text class="quiet" x="{x + 18}" y="{y}">{words}</text>'
        x += width
    yield f'<circle class="service wanted" cx="{x + 6}" cy="{y - 4}" r="5"/>'
    yield f'<text class="quiet" x="{x + 18}" y="{y}">when its campaign wanted it</text>'
    x += 206
    yield f'<rect class="open" x="{x}" y="{y - 11}" width="14" height="14"/>'
    yield f'<text class="quiet" x="{x + 20}" y="{y}">contact hours</text>'


def _told(mails: list[Mail]) -> str:
    """The same for those who do not see it."""
    subjects = {each.step: each.title for each in mails}
    said = []
    for mail in mails:
        wanted, sent = (at.astimezone(LISBON) for at in (mail.wanted_at, mail.sent_at))
        why = mail.why(subjects)
        said.append(
            f"{mail.title}: wanted {wanted:%A %H:%M}, sent {sent:%A} {sent.day} {sent:%B %H:%M}"
            f"{f' ({why})' if why else ''}."
        )
    return " ".join(said)


if __name__ == "__main__":
    print(svg(week()), end="")
