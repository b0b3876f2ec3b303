"""What was once in force can be read for ever."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from nurture.store import revisions
from nurture.store.database import Database
from nurture.store.revisions import Revision

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def revision(content: str, name: str = "welcome", kind: str = "campaign") -> Revision:
    return Revision(kind, name, hashlib.sha256(content.encode()).hexdigest(), content)


@pytest.mark.parametrize(
    "content", ["name: Olá ☂\n", "\ufeffwith a mark\r\nand carriage returns\r"]
)
def test_a_file_is_read_back_to_the_byte(database: Database, content: str) -> None:
    row = revision(content)
    with database.write() as connection:
        revisions.keep(connection, [row], NOW)
    with database.read() as connection:
        found = revisions.content(connection, row.kind, row.name, row.digest)
    assert found is not None
    assert hashlib.sha256(found.encode()).hexdigest() == row.digest


def test_the_same_once_more_changes_nothing_and_says_when_it_was_first(database: Database) -> None:
    first, second = revision("one"), revision("two")
    with database.write() as connection:
        revisions.keep(connection, [first], NOW)
        revisions.keep(connection, [first, second, second], NOW + timedelta(days=1))
    with database.read() as connection:
        found = [revisions.kept(connection, *each[:3]) for each in (first, second)]
    assert [row and row["kept_at"] for row in found] == [NOW, NOW + timedelta(days=1)]


def test_two_processes_may_keep_the_same_at_the_same_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = revision("one")
    monkeypatch.setattr(revisions, "_known", lambda *_: [])  # neither sees the other's row
    for later in (0, 1):
        with database.write() as connection:
            revisions.keep(connection, [row], NOW + timedelta(days=later))
    with database.read() as connection:
        kept = revisions.kept(connection, *row[:3])
    assert kept is not None
    assert kept["kept_at"] == NOW


def test_nothing_is_kept_under_a_digest_that_is_not_its_own(database: Database) -> None:
    with database.write() as connection, pytest.raises(ValueError, match="not the campaign"):
        revisions.keep(connection, [revision("one")._replace(content="two")], NOW)


def test_a_template_is_found_by_its_name_in_whichever_language_it_was_sent(
    database: Database,
) -> None:
    german, other = (
        revision("Hallo", "prep/kit.de.md", "template"),
        revision("Hallo", "prep/kits.de.md", "template"),
    )
    with database.write() as connection:
        revisions.keep(connection, [other, german], NOW)
        assert revisions.content(connection, "template", "prep/kit", german.digest) == "Hallo"
        assert revisions.content(connection, "template", "prep/ki", german.digest) is None
        assert revisions.content(connection, "campaign", "prep/kit", german.digest) is None


def test_hundreds_are_kept_at_once(database: Database) -> None:
    rows = [revision(f"words {number}", f"t{number}", "template") for number in range(1200)]
    with database.write() as connection:
        revisions.keep(connection, rows, NOW)
        revisions.keep(connection, rows, NOW)
        assert revisions.content(connection, *rows[-1][:3]) == "words 1199"
