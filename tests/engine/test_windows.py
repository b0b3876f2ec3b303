"""What holds in a sender's window, whenever its process dies: marked, noted, then handed over."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import event
from sqlalchemy.dialects import postgresql

from nurture.core.model import Accepted, MessageState, Outcome
from nurture.engine.journal import Fate, Journal
from nurture.engine.sender import LEASE
from nurture.store import history, planning
from nurture.store.database import Database
from nurture.store.tables import messages
from tests.world import World

CAMPAIGN = """\
name: Receipt
status: live
enter:
  on: application.created
  once_per: application
steps:
  - send: notes/receipt
"""


@pytest.fixture
def ready(world: World) -> World:
    world.template("notes/receipt", "receipt")
    world.campaign("receipt", CAMPAIGN)
    world.reload()
    return world


def applies(world: World, *names: str) -> None:
    for name in names:
        candidate = {"id": name, "email": f"{name}@example.com"}
        world.tell("application.created", candidate=candidate, application={"id": f"a-{name}"})


def seen_by_others(world: World) -> list[tuple[str, str | None]]:
    """State and lease of each message, as another process sees them now."""
    other = Database(world.database.engine.url.render_as_string(hide_password=False))
    with other.read() as connection:
        rows = connection.execute(messages.select()).all()
    other.close()
    return [(row.state, row.lease) for row in rows]


def test_everybody_sees_that_it_is_being_sent_before_it_leaves(ready: World) -> None:
    seen: list[tuple[str, str | None]] = []

    def look() -> Outcome:
        seen.extend(seen_by_others(ready))
        return Accepted()

    applies(ready, "c1")
    ready.postman.answers = [look]
    ready.work()
    ((state, lease),) = seen
    assert (state, bool(lease)) == ("sending", True)


def test_deciding_and_marking_are_one_transaction(ready: World) -> None:
    """Else something could come in between that is not obeyed."""
    applies(ready, "c1")
    at_commits: list[list[str]] = []
    engine = ready.database.engine
    commit = engine.dialect.do_commit

    def commits(connection: object) -> None:
        commit(connection)  # type: ignore[arg-type]
        at_commits.append([state for state, _ in seen_by_others(ready)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.dialect, "do_commit", commits)
        ready.sender.window()
    assert ["sending"] in at_commits
    assert ["queued"] not in at_commits


def test_whom_to_work_for_is_chosen_under_a_lock_that_others_pass_by(world: World) -> None:
    chosen: list[str] = []

    def note(_connection: object, statement: object, *_: object) -> None:
        chosen.append(str(statement.compile(dialect=postgresql.dialect())))  # type: ignore[attr-defined]

    event.listen(world.database.engine, "before_execute", note)
    try:
        with world.database.write() as connection:
            planning.rung(connection, world.clock.now(), 5)
            planning.with_mail(connection, 5)
    finally:
        event.remove(world.database.engine, "before_execute", note)
    assert len(chosen) == 3
    assert all("FOR UPDATE SKIP LOCKED" in each for each in chosen)


def test_the_journal_has_it_before_the_server_and_the_answer_before_the_database(
    ready: World, tmp_path: Path
) -> None:
    ready.sender.journal = journal = Journal(tmp_path / "lanes")
    told: list[tuple[str | None, dict[int, Fate]]] = []

    def look() -> Outcome:
        ((state, lease), *_) = seen_by_others(ready)
        told.append((state, dict(journal.fates(lease or "") or {})))
        return Accepted()

    applies(ready, "c1")
    ready.postman.answers = [look]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ready.sender.outcomes, "write", lambda *_: None)
        ready.work()
    ((state, fates),) = told
    assert (state, list(fates.values())) == ("sending", [Fate.OFFERED])
    ((_, lease),) = seen_by_others(ready)
    assert list((journal.fates(lease or "") or {}).values()) == [Fate.ACCEPTED]


@pytest.mark.parametrize("drawn", ["one by one", "all at once"])
def test_who_is_slow_hands_over_nothing_more_than_its_lease_covers(
    ready: World, drawn: str
) -> None:
    """What is left goes back, and on with a new lease: others might have it by then."""
    applies(ready, "c1", "c2", "c3")
    began = ready.clock.now()
    offered_at: list[timedelta] = []

    def slow() -> Outcome:
        offered_at.append(ready.clock.now() - began)
        ready.clock.advance(LEASE)
        return Accepted()

    ready.postman.answers = [slow]
    if drawn == "all at once":
        deliver = ready.postman.deliver
        lanes = SimpleNamespace(deliver=lambda letters, *then: deliver(list(letters), *then))
        ready.sender.carrier = lanes  # type: ignore[assignment]
    ready.sender.window()
    assert offered_at == [timedelta(0)]
    assert sorted(state for state, _ in seen_by_others(ready)) == ["queued", "queued", "sent"]


def test_who_is_heard_of_keeps_its_lease(ready: World) -> None:
    """A window that takes longer than a lease is nobody else's while answers come in."""
    applies(ready, *(f"c{n}" for n in range(10)))
    taken: list[int] = []

    def answers() -> Outcome:
        ready.clock.advance(timedelta(minutes=2))
        taken.append(ready.sender.recover(everything=False))
        return Accepted()

    ready.postman.answers = [answers] * 10
    ready.sender.window()
    assert len(taken) == 10, "one window, twenty minutes"
    assert sum(taken) == 0
    assert {state for state, _ in seen_by_others(ready)} == {"sent"}


def test_an_outcome_is_recorded_only_by_who_has_it_in_hand(ready: World) -> None:
    """It may be another's by now, whose answer is still to come."""
    found: list[object] = []

    def look() -> Outcome:
        ((_, lease),) = seen_by_others(ready)
        with ready.database.read() as connection:
            (row,) = history.message_rows(connection)
            for whose in (lease, "former:lease"):
                outcomes = {row["id"]: MessageState.RETRYING}
                mine = planning.in_hand(connection, whose or "", outcomes)
                found.append(set(mine) == {row["id"]})
        return Accepted()

    applies(ready, "c1")
    ready.postman.answers = [look]
    ready.work()
    assert found == [True, False]
