"""How are a million candidates made, and an audience of them scanned, on either database?"""

import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import delete, text, update

from bench import people, postgres
from bench.rounds import Spent, median, spent
from nurture.authoring.expressions import Scope, compile_condition
from nurture.authoring.library import Library
from nurture.clock import SetClock
from nurture.config import Config, load_config
from nurture.core.model import Campaign, CampaignStatus, Enter, Step
from nurture.engine.audience import Audiences
from nurture.rendering.context import supplied, vocabulary
from nurture.rendering.functions import FUNCTIONS
from nurture.store import schema, tables
from nurture.store.database import Database

#: What SQL can say whole, and what only the compiled condition can decide.
CONDITIONS = {
    "in SQL": 'candidate.country in ("PT", "DE") and consents("culture")',
    "by rows": 'candidate.country not in ("FR",) and days_since(candidate.consent_until) > 30',
}
#: Per turn of five: two in Portugal, one each in Germany, France and India; half know a date.
_PEOPLE = {
    "sqlite": """
        WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)
        INSERT INTO candidates (id, ref, email, email_key, do_not_contact, unsubscribed, data,
                                failures, created_at)
        SELECT n, 'c-' || n, 'c' || n || '@example.com', 'c' || n || '@example.com', 0, '[]',
               {data}, 0, '2026-11-23 10:00:00.000000' FROM numbers""",
    "postgresql": """
        INSERT INTO candidates (id, ref, email, email_key, do_not_contact, unsubscribed, data,
                                failures, created_at)
        SELECT n, 'c-' || n, 'c' || n || '@example.com', 'c' || n || '@example.com', false, '[]',
               ({data})::json, 0, '2026-11-23 10:00:00Z' FROM generate_series(1, :many) AS n""",
}
_DATA = """'{"first_name": "Ana' || n || '", "last_name": "Silva", "timezone": "'
    || CASE n % 5 WHEN 2 THEN 'Europe/Berlin' WHEN 4 THEN 'Asia/Kolkata' ELSE 'Europe/Lisbon' END
    || '", "country": "' || CASE n % 5 WHEN 2 THEN 'DE' WHEN 3 THEN 'FR' WHEN 4 THEN 'IN'
    ELSE 'PT' END || '", "locale": "pt", "phone": "+351 912 345 678"'
    || CASE n % 2 WHEN 0 THEN ', "consent_until": "2026-0' || (1 + n % 9) || '-15"' ELSE '' END
    || ', "_as_of": {"2026-11-22T09:00:00.000000Z": ["first_name", "last_name", "timezone"]}}'"""
_BARE = """
    INSERT INTO enrollments (candidate_id, campaign, subject, number, entered_at)
    SELECT id, 'bare', 'candidate:' || id, 1, created_at FROM candidates"""


def audience(quick: bool) -> dict[str, float]:
    """How long until a new audience has looked at everybody, beside a bare INSERT .. SELECT?"""
    many, rounds = (20_000, 2) if quick else (1_000_000, 1)
    answers: dict[str, float] = {"candidates": many}
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(people.folder(Path(folder) / "project"), {})
        for kind, address in (("SQLite", f"sqlite:///{folder}/people.db"), ("PostgreSQL", "")):
            with _database(address) as database:
                _doing(f"{kind}: making {many:,} candidates")
                _fill(database, many)
                for _ in range(rounds):
                    bare = _bare(database)
                for name, condition in CONDITIONS.items():
                    _doing(f"{kind}, {name}: who is in it?")
                    rows = [_scan(database, config, condition, many) for _ in range(rounds)]
                    label = f"{kind}, {name}"
                    answers |= {
                        f"{label}: entered": rows[0][0],
                        f"{label}: seconds": median(cost.wall for _, cost, _ in rows),
                        f"{label}: CPU us a candidate": median(
                            cost.cpu * 1e6 / many for _, cost, _ in rows
                        ),
                        f"{label}: times a bare INSERT": median(
                            cost.wall / bare.wall for _, cost, _ in rows
                        ),
                        f"{label}: MB more at the peak": max(grown for _, _, grown in rows),
                    }
                answers[f"{kind}, a bare INSERT: seconds"] = bare.wall
    return answers


def _doing(what: str) -> None:
    """A million of anything takes minutes: nobody should wonder whether it still runs."""
    print(f"  {what}", file=sys.stderr, flush=True)


@contextmanager
def _database(address: str) -> Iterator[Database]:
    if address:
        database = Database(address)
        schema.upgrade(database)
        yield database
        database.close()
        return
    with postgres.server() as server:
        database = Database(server.new())
        schema.upgrade(database)
        yield database
        database.close()


def _fill(database: Database, many: int) -> None:
    with database.write() as connection:
        query = _PEOPLE[database.dialect].format(data=_DATA)
        connection.execute(text(query), {"many": many})
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("ANALYZE"))


def _bare(database: Database) -> Spent:
    """Everybody in one statement that asks nothing and keeps nothing beside."""

    def enter() -> None:
        with database.write() as connection:
            connection.execute(text(_BARE))

    cost = spent(enter)
    _forget(database)
    return cost


def _scan(database: Database, config: Config, source: str, many: int) -> tuple[int, Spent, float]:
    """How many entered, what it cost, and by how many MB this process grew meanwhile."""
    words = vocabulary(config)
    condition, _ = compile_condition(source, Scope(words, FUNCTIONS, supplied("candidate", None)))
    library = Library(config)
    library.campaigns = {
        "pool": Campaign(
            name="pool",
            title="Pool",
            status=CampaignStatus.LIVE,
            enter=Enter(condition=condition),
            steps=(Step(id="hello", send="hello"),),
        )
    }
    audiences = Audiences(database, library, config, SetClock(people.NOW))
    seen, before = 0, _peak()

    def scan() -> None:
        nonlocal seen
        while found := audiences.scan():
            seen += found

    cost = spent(scan)
    grown = _peak() - before
    assert seen == many
    with database.read() as connection:
        entered = connection.execute(text("SELECT count(*) FROM enrollments")).scalar()
    _forget(database)
    return int(entered or 0), cost, grown


def _forget(database: Database) -> None:
    with database.write() as connection:
        connection.execute(delete(tables.enrollments))
        connection.execute(delete(tables.marks))
        connection.execute(update(tables.candidates).values(wake_at=None, rearm_at=None))
    if database.dialect == "postgresql":
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("VACUUM FULL ANALYZE"))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
