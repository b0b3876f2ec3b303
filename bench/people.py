"""Whom are the measurements made with? Projects of the starter files, with as many as needed."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nurture import wiring
from nurture.clock import SetClock
from nurture.engine.project import Project
from nurture.intake.apply import apply_all
from nurture.intake.events import IncomingEvent, parse_event

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)  # a Monday, in everybody's contact hours but one's
ROOT = Path(__file__).resolve().parent.parent
_ZONES = (("Europe/Lisbon", "PT"), ("Europe/Berlin", "DE"), ("Asia/Kolkata", "IN"))


def folder(at: Path) -> Path:
    """A fresh project folder as `make run` finds it. Its config.yaml."""
    for name in ("campaigns", "content", "templates", "sample"):
        shutil.copytree(ROOT / name, at / name)
    return Path(shutil.copy(ROOT / "config.yaml", at))


def project(at: Path, port: int | None = None) -> Project:
    """Opened at `NOW`; mail goes to the outbox, or to a server on this machine."""
    config = folder(at)
    if port is not None:
        # Everything else has its default, which is what config.yaml says too.
        server = f"{{kind: smtp, host: 127.0.0.1, port: {port}, security: plain}}"
        config.write_text(f"transport: {server}\n", encoding="utf-8")
    return wiring.open_project(config, SetClock(NOW), env={})


def book(into: Project, numbers: Iterable[int]) -> None:
    """These candidates have an interview in seven to sixteen days: eleven steps, one due now."""
    apply_all(into.database, [_booked(number) for number in numbers], NOW)


def _booked(number: int) -> IncomingEvent:
    zone, country = _ZONES[number % 3]
    starts_at = NOW + timedelta(days=7 + number % 10, minutes=number % 500)
    return parse_event(
        {
            "type": "interview.scheduled",
            "source": "bench",
            "id": f"e-{number}",
            "occurred_at": NOW.isoformat(),
            "candidate": {
                "id": f"c-{number}",
                "email": f"c{number}@example.com",
                "first_name": f"Ana{number}",
                "timezone": zone,
                "country": country,
            },
            "application": {
                "id": f"a-{number}",
                "stage": "interviewing",
                "job": {"id": "j-1", "title": "Data Engineer"},
                "recruiter": {"email": "ida@example.com", "name": "Ida"},
            },
            "interview": {"id": f"i-{number}", "kind": "video", "starts_at": starts_at.isoformat()},
        }
    )
