"""Candidates are found by the beginning of what people know of them, and by index."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.store import finding
from nurture.store.database import Database
from nurture.store.ownership import owned

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
PEOPLE = {
    "c-1": ("José", "Fernández Ruiz", "jose@example.com"),
    "c-2": ("Zoë", "Müller", "zoe@example.com"),
    "c-3": ("Ana", "Silva", "Ana.Silva@example.com"),
    "x-4": ("Anabel", "Costa", "c.costa@example.com"),
}


def tell(database: Database, type_: str, ref: str, **told: Any) -> None:
    candidate = {"id": ref, **told.pop("candidate", {})}
    apply(database, parse_event({"type": type_, "candidate": candidate, **told}), NOW)


@pytest.fixture
def known(database: Database) -> Database:
    for ref, (first, last, email) in PEOPLE.items():
        about = {"first_name": first, "last_name": last, "email": email}
        tell(database, "candidate.upserted", ref, candidate=about)
    application = {"id": "a-3", "recruiter": "ida@example.com"}
    tell(database, "application.created", "c-3", application=application)
    return database


def refs(database: Database, typed: str, whose: str | None = None, limit: int = 10) -> list[str]:
    with database.read() as connection:
        narrowed = owned(whose) if whose else None
        ids = finding.found(connection, typed, narrowed, limit)
        return [row["ref"] for row in finding.these(connection, ids)]


@pytest.mark.parametrize(
    ("typed", "who"),
    [
        ("jose", ["c-1"]),
        ("JOSÉ", ["c-1"]),
        ("fernandez r", ["c-1"]),
        ("muller", ["c-2"]),
        ("Zoë  Mü", ["c-2"]),
        ("silva ana", ["c-3"]),
        ("ana", ["c-3", "x-4"]),
        ("ANA.SILVA@", ["c-3"]),
        ("c-", ["c-1", "c-2", "c-3"]),
        ("x-4", ["x-4"]),
        ("ilva", []),
        ("%", []),
        ("_", []),
        ("", []),
        ("z" * 500, []),
    ],
)
def test_by_the_beginning_of_a_name_an_address_or_an_id(
    known: Database, typed: str, who: list[str]
) -> None:
    assert refs(known, typed) == who


def test_nobody_finds_whom_they_may_not_see(known: Database) -> None:
    assert refs(known, "ana", "ida@example.com") == ["c-3"]
    assert refs(known, "c-", "ida@example.com") == ["c-3"]
    assert refs(known, "ana", "nobody@example.com") == []
    with known.read() as connection:
        assert [row["ref"] for row in finding.page(connection, owned("ida@example.com"), 9)] == [
            "c-3"
        ]


def test_a_new_name_is_found_and_the_old_one_is_not(known: Database) -> None:
    tell(known, "candidate.upserted", "c-3", candidate={"last_name": "Sousa"})
    assert refs(known, "silva") == []
    assert refs(known, "sousa") == ["c-3"]


def test_whoever_is_erased_is_found_by_nothing_of_theirs(known: Database) -> None:
    tell(known, "candidate.erased", "c-1")
    assert refs(known, "jose") == []
    assert refs(known, "fernandez") == []


def test_a_list_is_read_a_page_at_a_time(known: Database) -> None:
    with known.read() as connection:
        first = finding.page(connection, None, 3)
        rest = finding.page(connection, None, 3, after=first[-1]["id"])
    assert [row["ref"] for row in (*first, *rest)] == list(PEOPLE)


def test_no_table_is_read_through(tmp_path: Any, known: Database) -> None:
    if known.dialect != "sqlite":
        pytest.skip("SQLite tells its plan in words that can be asserted")
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, values))

    event.listen(known.engine, "before_cursor_execute", note)
    with known.read() as connection:
        for whose in (None, owned("ida@example.com")):
            ids = finding.found(connection, "ana silva", whose, 5)
            finding.these(connection, ids)
            finding.mails_of(connection, ids)
            finding.page(connection, whose, 5, after=1)
    event.remove(known.engine, "before_cursor_execute", note)
    assert len(asked) > 12
    for statement, values in asked:
        with known.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        for step in plan:
            assert "SCAN candidates" not in step[3] or "PRIMARY KEY" in step[3], (statement, plan)
            assert "SCAN messages" not in step[3]
            assert "SCAN applications" not in step[3]
            assert "SCAN candidate_refs" not in step[3]
