"""Whose candidates are found, however the facts came in."""

from datetime import UTC, datetime
from typing import Any

from alembic import command
from sqlalchemy import column, select, table, text

from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.store import dump, schema
from nurture.store.database import Database
from nurture.store.ownership import owned
from nurture.store.tables import candidates

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def told(database: Database, type_: str, **objects: Any) -> None:
    apply(database, parse_event({"type": type_, "source": "test", **objects}), NOW)


def of(database: Database, email: str) -> list[str]:
    query = select(candidates.c.ref).where(owned(email)).order_by(candidates.c.id)
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def test_each_of_the_three_roles_makes_them_ones_own_and_no_other(database: Database) -> None:
    for ref, role in (("a", "recruiter"), ("b", "coordinator"), ("c", "hiring_manager")):
        told(
            database,
            "application.created",
            candidate={"id": ref, "email": f"{ref}@example.com"},
            application={"id": f"app-{ref}", role: {"email": "Ida@Example.com"}},
        )
    told(database, "candidate.upserted", candidate={"id": "d", "email": "d@example.com"})
    assert of(database, " ida@EXAMPLE.com ") == ["a", "b", "c"]
    assert of(database, "ida@example.co") == of(database, "") == of(database, "%") == []


def test_who_hands_an_application_over_owns_it_no_longer(database: Database) -> None:
    for recruiter in ("ida@example.com", "rui@example.com"):
        told(
            database,
            "application.created" if recruiter.startswith("ida") else "application.stage_changed",
            candidate={"id": "a", "email": "a@example.com"},
            application={"id": "app", "stage": "screening", "recruiter": {"email": recruiter}},
        )
    assert of(database, "ida@example.com") == []
    assert of(database, "rui@example.com") == ["a"]


def test_nobody_owns_who_was_erased(database: Database) -> None:
    told(
        database,
        "application.created",
        candidate={"id": "a", "email": "a@example.com"},
        application={"id": "app", "recruiter": {"email": "ida@example.com"}},
    )
    told(database, "candidate.erased", candidate={"id": "a"})
    assert of(database, "ida@example.com") == []


def test_a_list_of_ones_own_looks_at_no_other_candidate(database: Database) -> None:
    query = select(candidates.c.ref).where(owned("x"), candidates.c.id > 7).limit(50)
    compiled = query.compile(database.engine, compile_kwargs={"literal_binds": True})
    if database.dialect == "sqlite":
        with database.read() as connection:
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
        told_of = [row[3] for row in plan]
        assert not [line for line in told_of if line.startswith("SCAN")], told_of


def test_a_backup_of_a_version_without_the_columns_is_owned_as_well(database: Database) -> None:
    person = (
        b'{"id": 1, "ref": "a", "do_not_contact": false, "unsubscribed": [], "data": {},'
        b' "failures": 0, "created_at": "2026-11-23T10:00:00+00:00"}\n'
    )
    line = (
        b'{"ref": "app", "candidate_id": 1, "status": "active",'
        b' "data": {"recruiter": "ida@example.com"}}\n'
    )
    with database.write() as connection:
        dump.take(connection, "candidates", [person])
        dump.take(connection, "applications", [line])
    assert of(database, "ida@example.com") == ["a"]


def test_a_database_that_is_older_is_owned_after_its_migration(database_url: str) -> None:
    database = Database(database_url)
    older = schema._alembic()
    with database.write() as connection:
        older.attributes["connection"] = connection
        command.upgrade(older, "0004")
    with database.write() as connection:
        row = {"id": 1, "ref": "a", "do_not_contact": False, "unsubscribed": "[]", "data": "{}"}
        row |= {"failures": 0, "created_at": NOW.replace(tzinfo=None)}
        connection.execute(table("candidates", *map(column, row)).insert(), row)
        connection.execute(
            text(
                "INSERT INTO applications (ref, candidate_id, status, data)"
                """ VALUES ('app', 1, 'active', '{"recruiter": "ida@example.com"}')"""
            )
        )
    schema.upgrade(database)
    assert of(database, "ida@example.com") == ["a"]
    database.close()
