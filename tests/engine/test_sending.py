"""What becomes of a message: each outcome, each crash, each change of mind, on both databases."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from nurture.core.model import Accepted, Blame, Deferred, Outcome, Rejected, Unknown
from nurture.engine import stops
from nurture.engine.journal import Fate, Journal
from nurture.store import history
from tests.world import World

RECEIPT = """\
name: Receipt
status: live
enter:
  on: application.created
  once_per: application
steps:
  - send: notes/receipt
  - send: notes/next
    after: 1 hour
"""


@pytest.fixture
def ready(world: World) -> World:
    world.template("notes/receipt", "receipt")
    world.template("notes/next", "receipt")
    world.campaign("receipt", RECEIPT)
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    return world


def states(world: World) -> dict[str, str]:
    with world.database.read() as connection:
        return {row["step"]: row["state"] for row in history.message_rows(connection)}


def test_an_accepted_mail_is_sent_once_and_the_next_step_waits_for_it(ready: World) -> None:
    ready.work()
    ready.work()
    assert len(ready.postman.offered) == 1
    assert states(ready) == {"receipt": "sent"}
    following = ready.entry("next")
    assert (following.verdict, following.reason) == ("wait", "scheduled")
    ready.run_for(hours=2)
    assert [step for step, _ in ready.sent()] == ["receipt", "next"]


def test_not_now_is_tried_again_later_with_the_same_message_id(ready: World) -> None:
    ready.postman.answers = [Deferred(code=451, text="4.3.0 later")]
    ready.work()
    waiting = ready.entry("receipt")
    assert (waiting.verdict, waiting.reason) == ("wait", "retry")
    assert states(ready) == {"receipt": "retrying"}
    ready.run_for(hours=1)
    assert [step for step, _ in ready.sent()] == ["receipt"]
    assert len(ready.postman.offered) == 2
    assert len({message_id for _, message_id in ready.postman.offered}) == 1


def test_a_mail_deferred_for_days_is_given_up(ready: World) -> None:
    ready.postman.answers = [Deferred(code=451, text="4.3.0 later")] * 200
    ready.run_for(days=6)
    assert states(ready)["receipt"] == "failed"
    assert ready.entry("receipt").reason == "refused"


def test_a_refusal_that_blames_the_address_ends_all_mail_to_it(ready: World) -> None:
    ready.postman.answers = [Rejected(code=550, text="5.1.1 unknown", blame=Blame.ADDRESS)]
    ready.run_for(hours=3)
    assert len(ready.postman.offered) == 1
    assert states(ready) == {"receipt": "failed"}
    assert ready.entry("next").reason == "undeliverable"


def test_a_refusal_that_blames_us_leaves_the_address_alone(ready: World) -> None:
    ready.postman.answers = [Rejected(code=550, text="5.7.26 unauthenticated", blame=Blame.SENDER)]
    ready.run_for(hours=3)
    for each in stops.listed(ready.database):  # by itself, until somebody has mended what is wrong
        now = ready.clock.now()
        with ready.database.write() as connection:
            stops.resume(connection, each["scope"], each["ref"], by="ida@example.com", now=now)
    ready.run_for(hours=3)
    assert sorted(step for step, _ in ready.sent()) == ["next", "receipt"]


def test_an_unanswered_mail_is_unknown_counts_and_is_never_sent_again(ready: World) -> None:
    ready.postman.answers = [Unknown(text="connection lost after the final dot")]
    ready.run_for(days=3)
    assert states(ready)["receipt"] == "unknown"
    assert "In doubt" in ready.entry("receipt").sentence
    ids = [message_id for _, message_id in ready.postman.offered]
    assert len(ids) == len(set(ids)) == 2, "the receipt once, the next step once"


class Killed(BaseException):
    """The process dies here: nothing after this line runs."""


def dies() -> Outcome:
    raise Killed


def test_a_crash_while_handing_over_leaves_one_mail_in_doubt_and_none_sent_twice(
    ready: World,
) -> None:
    ready.postman.answers = [dies]
    with pytest.raises(Killed):
        ready.work()
    assert states(ready) == {"receipt": "sending"}
    ready.restart()
    ready.sender.recover(everything=True)
    ready.run_for(days=2)
    assert states(ready)["receipt"] == "unknown"
    offered = [message_id for _, message_id in ready.postman.offered]
    assert len(offered) == len(set(offered)) == 2, "the receipt once, before; the next step after"


def test_what_the_journal_shows_was_never_offered_goes_out_after_a_crash(
    ready: World, tell_other: Callable[[World], None], tmp_path: Path
) -> None:
    tell_other(ready)
    ready.sender.journal = Journal(tmp_path / "lanes")
    ready.postman.answers = [dies]  # the first of two in one window
    with pytest.raises(Killed):
        ready.work()
    ready.restart()
    ready.sender.journal = Journal(tmp_path / "lanes")
    assert ready.sender.recover(everything=True) == 1
    with ready.database.read() as connection:
        tried = {row["state"]: row["attempts"] for row in history.message_rows(connection)}
    assert tried == {"queued": 0, "unknown": 1}, "what was not offered was not tried"
    ready.work()
    offered = [to for to, _ in ready.postman.offered]
    assert sorted(offered) == ["ana@example.com", "b@example.com"]
    first = "c1" if offered[0].startswith("ana") else "c2"
    assert ready.entry("receipt", first).reason == "unknown_outcome"


@pytest.mark.parametrize(
    ("said", "state"), [(Accepted(), "sent"), (Deferred(code=451, text="4.3.0"), "queued")]
)
def test_what_the_server_said_before_a_crash_is_known_after_it(
    ready: World,
    tell_other: Callable[[World], None],
    tmp_path: Path,
    said: Outcome,
    state: str,
) -> None:
    tell_other(ready)
    ready.sender.journal = Journal(tmp_path / "lanes")
    ready.postman.answers = [said, dies]  # two in one window: the first is answered
    with pytest.raises(Killed):
        ready.work()
    (first, _), (second, _) = ready.postman.offered
    ready.restart()
    ready.sender.journal = Journal(tmp_path / "lanes")
    assert ready.sender.recover(everything=True) == 1
    with ready.database.read() as connection:
        found = {row["ref"]: row["state"] for row in history.message_rows(connection)}
    names = {"ana@example.com": "c1", "b@example.com": "c2"}
    assert found == {names[first]: state, names[second]: "unknown"}
    ready.work()
    again = [to for to, _ in ready.postman.offered]
    assert again.count(first) == (1 if state == "sent" else 2)
    assert again.count(second) == 1


def test_a_journal_of_which_a_full_disk_took_half_a_line_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "lanes")
    lease = journal.lease()
    journal.offer(lease, 7)
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:-1]))
        with pytest.raises(OSError, match="No space"):
            journal.offer(lease, 45)
        with pytest.raises(OSError, match="No space"):
            journal.answered(lease, 7, accepted=True)
    journal.offer(lease, 46)
    told = journal.fates(lease)
    assert told is not None
    assert told.keys() == {7, 4, 46}, "4 was never offered: that is doubt, and no mail sent twice"
    assert set(told.values()) == {Fate.OFFERED}


@pytest.mark.parametrize("lost", ["another boot", "file gone", "another life"])
def test_a_journal_that_proves_nothing_is_not_believed(
    ready: World, tell_other: Callable[[World], None], tmp_path: Path, lost: str
) -> None:
    tell_other(ready)
    ready.sender.journal = Journal(tmp_path / "lanes")
    ready.postman.answers = [dies]
    with pytest.raises(Killed):
        ready.work()
    ready.restart()
    if lost != "another boot":
        Journal(tmp_path / "lanes").forget()
    if lost == "another life":  # as after a restored backup: the file is new, the leases are old
        Journal(tmp_path / "lanes").lease()
    ready.sender.journal = Journal(
        tmp_path / "lanes", "another" if lost == "another boot" else None
    )
    assert ready.sender.recover(everything=True) == 2


def test_where_others_may_be_sending_only_an_expired_lease_is_in_doubt(ready: World) -> None:
    ready.postman.answers = [dies]
    with pytest.raises(Killed):
        ready.work()
    ready.restart()
    assert ready.sender.recover(everything=False) == 0
    assert states(ready) == {"receipt": "sending"}
    ready.clock.advance(timedelta(hours=1))
    assert ready.sender.recover(everything=False) == 1
    assert states(ready) == {"receipt": "unknown"}


def test_an_answer_that_comes_after_the_lease_was_taken_away_still_counts_as_sent(
    ready: World,
) -> None:
    def slow() -> Outcome:
        ready.clock.advance(timedelta(hours=1))
        ready.sender.recover(everything=False)
        return Accepted()

    ready.postman.answers = [slow]
    ready.work()
    assert states(ready)["receipt"] == "sent"


@pytest.mark.acceptance("A3.2")
@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("candidate.do_not_contact", "do_not_contact"),
        ("application.withdrawn", "left"),
    ],
)
def test_what_comes_in_between_deciding_and_sending_is_obeyed(
    ready: World, event: str, reason: str
) -> None:
    assert ready.project.planner.tick() == 1
    assert states(ready) == {"receipt": "queued"}
    ready.clock.advance(timedelta(seconds=5))
    ready.tell(event, **({"application": {"id": "a1"}} if event.startswith("app") else {}))
    ready.work()
    assert ready.postman.offered == []
    assert states(ready) == {"receipt": "cancelled"}
    assert ready.entry("receipt").reason == reason


def test_a_mail_that_cannot_be_written_steps_aside_and_goes_when_mended(
    ready: World, tell_other: Callable[[World], None]
) -> None:
    ready.work()  # Ana's receipt needs nothing
    path = ready.folder / "templates/notes/receipt.md"
    path.write_text(path.read_text() + "\nDear {{ candidate.first_name }}\n")
    ready.reload()
    tell_other(ready)
    ready.tell(
        "application.created",
        candidate={"id": "c3", "email": "zoe@example.com", "first_name": "Zoë"},
        application={"id": "a3"},
    )
    ready.work()
    assert ready.entry("receipt", "c3").verdict == "sent"
    blocked = ready.entry("receipt", "c2")
    assert blocked.reason == "cannot_render"
    assert "first_name" in blocked.sentence
    ready.tell(
        "candidate.upserted", candidate={"id": "c2", "email": "b@example.com", "first_name": "Bo"}
    )
    ready.run_for(hours=2)
    assert "receipt" in dict(ready.sent("c2"))


@pytest.fixture
def tell_other() -> Callable[[World], None]:
    def tell(world: World) -> None:
        world.tell(
            "application.created",
            candidate={"id": "c2", "email": "b@example.com"},
            application={"id": "a2"},
        )

    return tell


def test_one_candidate_whose_planning_fails_is_set_aside_and_the_rest_goes_on(
    ready: World, tell_other: Callable[[World], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_other(ready)
    sound = ready.project.planner._decide

    def poisoned(facts: object, *rest: object) -> object:
        if getattr(facts, "candidate").ref == "c1":  # noqa: B009
            raise ZeroDivisionError("a poisoned fact")
        return sound(facts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ready.project.planner, "_decide", poisoned)
    ready.work()
    assert "receipt" in dict(ready.sent("c2"))
    with ready.database.read() as connection:
        assert "a poisoned fact" in history.counts(connection)["set_aside"]["c1"]
    monkeypatch.undo()
    ready.run_for(hours=1)
    assert "receipt" in dict(ready.sent("c1"))
    with ready.database.read() as connection:
        assert history.counts(connection)["set_aside"] == {}
