"""What somebody approved is sent as they saw it, byte for byte, or not without them."""

import shutil
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.clock import SetClock
from nurture.core.model import Accepted, Outcome
from nurture.engine.approved import digest_of
from nurture.engine.approving import (
    ChangedError,
    Read,
    approve,
    approve_together,
    decline,
    take_back,
)
from nurture.engine.unread import opened, waiting
from nurture.errors import NurtureError
from nurture.store import approvals, audit, history
from nurture.store.database import Database
from nurture.store.tables import candidates, metadata
from tests.conftest import MONDAY, REPOSITORY
from tests.world import World

IDA = "ida@example.com"
DECISION = """\
name: Decision
status: live
enter: {on: application.rejected}
steps:
  - send: status/decision
"""


def held(world: World) -> list[int]:
    query = "SELECT id FROM messages WHERE state = 'held' ORDER BY id"
    with world.database.read() as connection:
        return [row.id for row in connection.exec_driver_sql(query)]


def looked(world: World) -> bytes:
    """The one letter that waits, as whoever opens it has it before them."""
    with world.database.read() as connection:
        (id_,) = held(world)
        found = opened(world.project, connection, id_)
    assert found is not None
    assert found.letter is not None
    return found.letter.raw


def approved_of(world: World, ref: str) -> list[int]:
    """What has been approved of theirs and has not left."""
    whose = candidates.c.ref == ref
    with world.database.read() as connection:
        return [row["id"] for row in approvals.approved(connection, MONDAY, whose, 9)]


def keep_letters(world: World) -> list[bytes]:
    """Every letter that is offered to somebody from now on."""
    letters: list[bytes] = []

    def take(envelope_from: str, to: str, raw: bytes, message_id: str) -> Outcome:
        letters.append(raw)
        return Accepted()

    world.postman.hand_over = take  # type: ignore[method-assign]
    return letters


def undated(raw: bytes) -> list[bytes]:
    return [line for line in raw.split(b"\r\n") if not line.startswith(b"Date: ")]


def says(world: World, body: str, category: str = "decision", locale: str = "") -> None:
    path = world.folder / f"templates/status/decision{locale}.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"---\nsubject: Your application\npreheader: A note\ncategory: {category}\n---\n\n{body}\n"
    )


def waits(world: World, body: str = "Hello, this is about you.") -> None:
    """A decision about Ana, read by nobody yet."""
    says(world, body)
    world.campaign("decision", DECISION)
    world.reload()
    person = {"email": IDA, "name": "Ida Berg"}
    world.tell("application.created", application={"id": "a1", "recruiter": person})
    world.clock.advance(timedelta(minutes=1))
    world.tell("application.rejected", application={"id": "a1"})
    world.work()
    assert (len(held(world)), world.postman.offered) == (1, [])


def approved(world: World) -> None:
    approve(world.project, held(world), IDA)


def go_by(world: World, minutes: float = 10) -> None:
    world.run_for(minutes=minutes)


# --- byte for byte -------------------------------------------------------------------------------


@pytest.mark.acceptance("A3.3")
def test_what_was_approved_goes_out_as_it_was_read_but_for_its_date(world: World) -> None:
    waits(world)
    letters, read = keep_letters(world), looked(world)
    approved(world)
    go_by(world)
    (sent,) = letters
    assert undated(sent) == undated(read)
    assert sent != read  # it has the date of the day it went
    assert [step for step, _ in world.sent()] == ["decision"]


def test_what_it_promises_is_what_was_read_on_whatever_day_it_goes(world: World) -> None:
    promise = "    promise: {what: an answer, within: 2 business days}\n"
    says(world, "You hear from us by {{ promise.due | day }}.")
    world.campaign("decision", DECISION + promise)
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    world.tell("application.rejected", application={"id": "a1"})
    world.work()
    world.clock.set(world.clock.now().replace(hour=20))  # the hours are over
    letters, read = keep_letters(world), looked(world)
    approved(world)
    go_by(world, minutes=24 * 60)
    assert [undated(each) for each in letters] == [undated(read)]
    with world.database.read() as connection:
        (row,) = connection.exec_driver_sql("SELECT made_at, due_at FROM promises").all()
    assert "25 November" in read.decode()
    assert str(row.due_at)[:10] == "2026-11-25"
    assert str(row.made_at)[:10] == "2026-11-24"  # a debt since it was told


def test_a_date_that_has_gone_by_is_promised_to_nobody(world: World) -> None:
    promise = "    promise: {what: an answer, within: 1 business day}\n"
    says(world, "You hear from us by {{ promise.due | day }}.")
    world.campaign("decision", DECISION + promise)
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    world.tell("application.rejected", application={"id": "a1"})
    world.work()
    approved(world)
    world.clock.advance(timedelta(days=4))
    world.work()
    assert (len(held(world)), world.postman.offered) == (1, [])


def test_other_mail_about_the_application_leaves_an_approved_letter_as_it_is(
    world: World,
) -> None:
    """Its thread is the one that was read."""
    waits(world)
    world.template("notes/one", "receipt")
    world.campaign(
        "note", "name: Note\nstatus: live\nenter: {on: custom.note}\nsteps: [{send: notes/one}]\n"
    )
    world.reload()
    letters, read = keep_letters(world), looked(world)
    approved(world)
    world.tell("custom.note", application={"id": "a1"})
    world.work()
    assert len(letters) == 1
    go_by(world)
    assert undated(letters[1]) == undated(read)


def rename(world: World) -> None:
    person = {"email": IDA, "name": "Ida Holm"}
    world.tell("application.created", application={"id": "a1", "recruiter": person})


def move(world: World) -> None:
    interview = {"id": "i1", "starts_at": "2026-11-27T10:00:00+00:00"}
    world.tell("interview.scheduled", application={"id": "a1"}, interview=interview)


def speak(world: World) -> None:
    ana = {"id": "c1", "email": "ana@example.com", "locale": "de"}
    world.tell("candidate.upserted", candidate=ana)


def word(world: World) -> None:
    says(world, "Hello, this is something nobody has read.")
    world.reload()


def frame(world: World) -> None:
    for path in (world.folder / "templates/layouts").glob("*.html"):
        path.write_text(path.read_text().replace("</body>", "<p>New.</p></body>"))
    world.reload()


@pytest.mark.acceptance("A3.3")
@pytest.mark.parametrize("change", [rename, move, speak, word, frame])
def test_whatever_has_changed_since_asks_for_an_approval_again(world: World, change: Any) -> None:
    says(world, "Hallo, es geht um Sie.", locale=".de")
    waits(world, "Hello{% if interview %}, {{ interview.starts_at | when }}{% endif %}.")
    approved(world)
    change(world)
    go_by(world)
    assert (len(held(world)), world.postman.offered) == (1, [])
    entry = world.entry("decision")
    assert entry.reason == "approval"
    assert "changed since ida@example.com approved it" in entry.sentence
    letters, read = keep_letters(world), looked(world)
    approved(world)
    go_by(world)
    assert [undated(each) for each in letters] == [undated(read)]


def test_an_hour_that_has_passed_is_another_letter_where_it_says_how_many(world: World) -> None:
    waits(world, "You told us {{ hours_since(application.applied_at) }} hours ago.")
    applied = (world.clock.now() - timedelta(minutes=55)).isoformat()
    world.tell("application.created", application={"id": "a1", "applied_at": applied})
    world.work()
    approved(world)
    go_by(world)
    assert (len(held(world)), world.postman.offered) == (1, [])


def test_words_of_another_template_leave_an_approval_as_it_is(world: World) -> None:
    waits(world)
    world.template("status/other", "status")
    world.reload()
    approved(world)
    path = world.folder / "templates/status/other.md"
    path.write_text(path.read_text() + "\nMore.\n")
    world.reload()
    go_by(world)
    assert [step for step, _ in world.sent()] == ["decision"]


def test_another_template_for_the_step_asks_again(world: World) -> None:
    waits(world)
    approved(world)
    world.template("status/other", "decision")
    world.campaign("decision", DECISION.replace("status/decision", "status/other, id: decision"))
    world.campaign(
        "decision",
        DECISION.replace("- send: ", "- id: decision\n    send: ").replace(
            "status/decision", "status/other"
        ),
    )
    world.reload()
    go_by(world)
    assert (len(held(world)), world.postman.offered) == (1, [])


def test_what_has_changed_while_it_was_read_is_not_approved(world: World) -> None:
    waits(world)
    with world.database.read() as connection:
        found = opened(world.project, connection, held(world)[0])
    assert found is not None
    assert found.digest is not None
    world.clock.advance(timedelta(minutes=3))
    rename(world)
    read = Read(as_of=found.as_of, digest=found.digest)
    with pytest.raises(ChangedError):
        approve(world.project, held(world), IDA, read=read)
    assert len(held(world)) == 1
    assert digest_of(looked(world)) != found.digest


def some_time(world: World) -> None:
    go_by(world, 4)


def doubt(world: World) -> None:
    """Taken back, if it can be."""
    with world.database.read() as connection:
        ids = [row["id"] for row in history.message_rows(connection)]
    with suppress(NurtureError):
        take_back(world.project, ids[:1], IDA)


DEEDS = (rename, move, speak, word, frame, some_time, doubt, None)


@given(st.lists(st.sampled_from(DEEDS), min_size=2, max_size=7))
@settings(max_examples=12, deadline=None)
def test_nothing_leaves_that_nobody_has_read_whatever_happens_meanwhile(deeds: list[Any]) -> None:
    """`None` is that somebody reads what waits, and approves it."""
    with TemporaryDirectory() as folder, closing(Database("sqlite://")) as database:
        shutil.copytree(REPOSITORY / "templates/layouts", Path(folder) / "templates/layouts")
        (Path(folder) / "campaigns").mkdir()
        (Path(folder) / "config.yaml").write_text("")
        with database.write() as connection:
            metadata.create_all(connection)
        world = World(Path(folder), database, SetClock(MONDAY))
        says(world, "Hallo, es geht um Sie.", locale=".de")
        waits(world, "Hello{% if interview %}, {{ interview.starts_at | when }}{% endif %}.")
        letters, read = keep_letters(world), list[bytes]()
        for deed in deeds:
            if deed is not None:
                deed(world)
            elif held(world):
                read.append(looked(world))
                approved(world)
            world.work()
        go_by(world, 30)
        assert [undated(each) for each in letters] in ([], [undated(each) for each in read[-1:]])


# --- the window to take it back ------------------------------------------------------------------


def test_an_approved_mail_waits_until_nobody_can_take_it_back(world: World) -> None:
    waits(world)
    approved(world)
    world.work()
    entry = world.entry("decision")
    assert (entry.verdict, entry.reason) == ("wait", "approved")
    assert entry.at == world.clock.now() + timedelta(minutes=10)
    assert "ida@example.com approved it" in entry.sentence
    go_by(world, 9)
    assert world.postman.offered == []
    go_by(world, 1)
    assert len(world.postman.offered) == 1


def test_what_is_taken_back_waits_for_an_approval_again(world: World) -> None:
    waits(world)
    ids = held(world)
    approved(world)
    world.work()
    assert held(world) == []
    assert approved_of(world, "c1") == ids
    assert approved_of(world, "somebody-else") == []
    take_back(world.project, ids, IDA)
    assert approved_of(world, "c1") == []
    assert held(world) == ids
    go_by(world, 60)
    assert (held(world), world.postman.offered) == (ids, [])
    approved(world)
    go_by(world)
    assert len(world.postman.offered) == 1
    with pytest.raises(NurtureError, match="it is sent"):
        take_back(world.project, ids, IDA)


def test_without_a_window_it_goes_at_once(world: World) -> None:
    (world.folder / "config.yaml").write_text("undo_window: 0 minutes\n")
    world.restart()
    waits(world)
    approved(world)
    world.work()
    assert len(world.postman.offered) == 1


def test_what_would_be_too_late_after_the_window_goes_at_once(world: World) -> None:
    says(world, "Hello.")
    world.campaign("decision", DECISION + "    until: 30 minutes after entered\n")
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    world.tell("application.rejected", application={"id": "a1"})
    world.work()
    go_by(world, 25)
    approved(world)
    world.work()
    assert len(world.postman.offered) == 1


def test_an_approval_that_comes_too_late_sends_nothing(world: World) -> None:
    says(world, "Hello.")
    world.campaign("decision", DECISION + "    until: 30 minutes after entered\n")
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    world.tell("application.rejected", application={"id": "a1"})
    world.work()
    world.clock.advance(timedelta(minutes=31))
    approved(world)
    world.work()
    assert world.postman.offered == []
    assert world.entry("decision").reason == "expired"


def test_a_letter_can_be_read_at_night_and_goes_in_the_morning(world: World) -> None:
    world.clock.set(world.clock.now().replace(hour=21))
    waits(world)
    approved(world)
    go_by(world, 60)
    assert world.postman.offered == []
    assert world.entry("decision").reason == "contact_hours"
    go_by(world, 12 * 60)
    assert len(world.postman.offered) == 1


# --- who said so ---------------------------------------------------------------------------------


@pytest.mark.acceptance("A3.4")
def test_who_approved_stands_in_the_timeline_and_in_the_audit(world: World) -> None:
    waits(world)
    (id_,) = held(world)
    approved(world)
    take_back(world.project, [id_], "bo@example.com")
    approved(world)
    go_by(world)
    assert "approved by ida@example.com" in world.entry("decision").sentence
    with world.database.read() as connection:
        deeds = audit.rows(connection, limit=10)
    assert [(row["who"], row["action"], row["about"]) for row in reversed(deeds)] == [
        (IDA, "approve", f"message:{id_}"),
        ("bo@example.com", "take-back", f"message:{id_}"),
        (IDA, "approve", f"message:{id_}"),
    ]


def test_a_declined_letter_never_goes_and_says_why(world: World) -> None:
    waits(world)
    decline(world.project, held(world)[0], IDA, "he knows it from me", task=False)
    go_by(world, 3 * 24 * 60)
    assert (held(world), world.postman.offered) == ([], [])
    entry = world.entry("decision")
    assert (entry.verdict, entry.reason) == ("skip", "declined")
    assert "ida@example.com declined it: he knows it from me" in entry.sentence
    assert tasks(world) == []


def test_a_declined_letter_becomes_a_task_where_somebody_is_to_say_it(world: World) -> None:
    waits(world)
    decline(world.project, held(world)[0], IDA, "too harsh", task=True)
    go_by(world, 3 * 24 * 60)
    assert world.postman.offered == []
    (task,) = tasks(world)
    assert (task["assignee"], task["state"]) == (IDA, "open")
    assert "too harsh" in task["text"]
    assert (world.entry("decision").verdict, world.entry("decision").reason) == ("task", "declined")


def test_what_is_at_a_ceiling_is_never_declined_into_silence(world: World) -> None:
    says(world, "No news yet.", "status")
    (world.folder / "config.yaml").write_text("categories: {status: {approval: each}}\n")
    world.restart()
    world.campaign(
        "still",
        "name: Still\nstatus: live\nenter: {on: application.created}\nsteps:\n"
        "  - {send: status/decision, at: application.silence_due}\n",
    )
    world.reload()
    application = {"id": "a1", "stage": "interviewing", "applied_at": "2026-11-20T09:00:00Z"}
    world.tell("application.created", application=application)
    world.run_for(days=6)
    assert decline(world.project, held(world)[0], IDA, "no", task=False)
    assert len(tasks(world)) == 1


def test_what_waits_for_nothing_is_not_declined(world: World) -> None:
    waits(world)
    ids = held(world)
    approved(world)
    go_by(world)
    with pytest.raises(NurtureError, match="it is sent"):
        decline(world.project, ids[0], IDA, "no", task=False)


def tasks(world: World) -> list[Any]:
    with world.database.read() as connection:
        return list(history.task_rows(connection))


# --- many ----------------------------------------------------------------------------------------


def many(world: World, people: Iterable[int]) -> None:
    for number in people:
        who = {"id": f"c{number}", "email": f"c{number}@example.com"}
        world.tell("application.created", candidate=who, application={"id": f"a{number}"})
        world.tell("application.rejected", candidate=who, application={"id": f"a{number}"})
    world.work()


def test_letters_in_the_same_words_can_be_approved_together(world: World) -> None:
    says(world, "Hello {{ candidate.email }}.", "closure")
    says(world, "Hallo {{ candidate.email }}.", "closure", ".de")
    world.campaign("decision", DECISION)
    world.reload()
    many(world, range(1, 5))
    speaker = {"id": "c4", "email": "c4@example.com", "locale": "de"}
    world.tell("candidate.upserted", candidate=speaker)
    world.work()
    first, second, third, fourth = held(world)
    with world.database.read() as connection:
        found = opened(world.project, connection, first)
    assert found is not None
    assert found.alike == (second, third), "the fourth reads other words"
    letters = keep_letters(world)
    assert approve_together(world.project, [first, *found.alike], IDA) == [first, second, third]
    go_by(world)
    assert len(letters) == 3
    assert held(world) == [fourth]


def test_what_waits_is_listed_by_key_with_the_worst_first(world: World) -> None:
    says(world, "Hello.")
    world.campaign("decision", DECISION)
    world.campaign(
        "soon",
        "name: Soon\nstatus: live\nenter: {on: custom.soon}\nsteps:\n"
        "  - {send: status/decision, until: 5 hours after entered}\n",
    )
    world.reload()
    many(world, range(1, 6))
    world.tell("custom.soon", candidate={"id": "c9", "email": "c9@example.com"})
    world.work()
    seen: list[str] = []
    place = None
    with world.database.read() as connection:
        for _ in range(3):
            found, place = waiting(world.project, connection, after=place, limit=2)
            seen += [each.candidate for each in found]
    assert seen == ["c9", "c1", "c2", "c3", "c4", "c5"]
    assert place is None
    assert found[0].subject == "Your application"
