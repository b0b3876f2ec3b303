"""/healthz: what a service manager acts on."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text


@pytest.fixture
def idle(populated):
    """Nothing is due."""
    with populated.database.write() as connection:
        connection.execute(text("UPDATE candidates SET wake_at = NULL, rearm_at = NULL"))
    populated.pulse.ticked_at = populated.clock.now()
    return populated


def due(project) -> None:
    with project.database.write() as connection:
        at = project.clock.now().replace(tzinfo=None) - timedelta(seconds=5)
        connection.execute(
            text("UPDATE candidates SET wake_at = :at WHERE id = 1"),
            {"at": at.isoformat(sep=" ", timespec="microseconds")},
        )


def test_a_working_daemon_is_healthy(client, idle) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": "ok",
        "last_tick": "2026-11-23T10:00:00+00:00",
        "oldest_due": None,
        "trouble": "",
    }


def test_due_work_with_a_recent_tick_is_healthy_and_said(client, idle) -> None:
    due(idle)
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["oldest_due"] == "2026-11-23T09:59:55+00:00"


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (61, 503)])
def test_due_work_that_nobody_does_is_unhealthy_after_a_minute(
    client, idle, seconds, status
) -> None:
    due(idle)
    idle.clock.advance(timedelta(seconds=seconds))
    assert client.get("/healthz").status_code == status


def test_a_quiet_day_without_ticks_is_healthy_while_nothing_is_due(client, idle) -> None:
    idle.clock.advance(timedelta(hours=5))
    assert client.get("/healthz").status_code == 200


def test_a_daemon_that_never_ticked_is_unhealthy_once_something_is_due(client, idle) -> None:
    idle.pulse.ticked_at = None
    due(idle)
    assert client.get("/healthz").status_code == 200  # it has only just started
    idle.clock.advance(timedelta(minutes=2))
    assert client.get("/healthz").status_code == 503


def test_a_database_that_fails_is_unhealthy(client, idle) -> None:
    with idle.database.write() as connection:
        connection.execute(text("ALTER TABLE candidates RENAME TO gone"))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"].startswith("database: ")


def test_trouble_outside_is_told_and_is_no_reason_to_restart(client, idle) -> None:
    idle.pulse.trouble = "SMTP: connection refused"
    answer: httpx.Response = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["trouble"] == "SMTP: connection refused"
