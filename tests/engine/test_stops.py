"""Kill switches: what somebody stopped does not leave, is not lost, and comes back in order."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from nurture.core.model import Accepted, Facts, Message, Outcome
from nurture.engine import stops
from nurture.engine.stops import StopList
from nurture.errors import NurtureError, OutsideError
from nurture.store import releases
from nurture.store.database import Database
from nurture.store.facts import find_candidate
from tests.world import World

WHY = "wrong date in the mail"
BY = "ida@example.com"


def pause(world: World, scope: str, ref: str | None = None) -> bool:
    now = world.clock.now()
    with world.database.write() as connection:
        return stops.pause(connection, scope, ref, why=WHY, by=BY, now=now)


def resume(world: World, scope: str, ref: str | None = None, **also: int) -> None:
    with world.database.write() as connection:
        stops.resume(connection, scope, ref, by=BY, now=world.clock.now(), **also)


def apply_for(world: World, name: str, job: str = "j-1") -> None:
    world.tell(
        "application.created",
        candidate={"id": name, "email": f"{name}@example.com"},
        application={"id": f"a-{name}", "job": {"id": job, "title": "Baker"}},
    )


@pytest.fixture
def house(world: World) -> World:
    """A receipt at once, and a letter a day later; three at once may go without a word."""
    (world.folder / "config.yaml").write_text(
        "release_at_most: 3\ncontact_hours: {holidays: none}\ncaps: []\nbundle: {at_most: 1}\n"
    )
    world.restart()
    world.template("notes/receipt", "receipt")
    world.template("notes/letter", "help")
    for name in ("welcome", "other"):
        world.campaign(
            name,
            f"name: {name}\nstatus: live\nenter: {{on: application.created}}\nsteps:\n"
            f"  - send: notes/receipt\n    id: receipt-{name}\n"
            f"  - send: notes/letter\n    id: letter-{name}\n    after: 1 day\n",
        )
    world.reload()
    return world


@pytest.mark.parametrize(
    ("scope", "ref", "goes"),
    [
        ("candidate", "c1", {"c2": 2, "c3": 2}),
        ("job", "j-1", {"c3": 2}),
        ("campaign", "welcome", {"c1": 1, "c2": 1, "c3": 1}),
        ("everything", None, {}),
    ],
)
def test_what_is_stopped_waits_says_why_and_goes_when_it_is_lifted(
    house: World, scope: str, ref: str | None, goes: dict[str, int]
) -> None:
    for name, job in (("c1", "j-1"), ("c2", "j-1"), ("c3", "j-2")):
        apply_for(house, name, job)
    assert pause(house, scope, ref)
    house.work()
    sent = {who: len(house.sent(who)) for who in ("c1", "c2", "c3") if house.sent(who)}
    assert sent == goes
    waits = house.entry("receipt-welcome", "c1")
    assert (waits.verdict, waits.reason) == ("wait", "stopped")
    assert waits.sentence.startswith("Waits: ida@example.com stopped ")
    assert waits.sentence.endswith(f"Mon 23 Nov 10:00: {WHY}")
    assert waits.detail["scope"] == scope

    resume(house, scope, ref)
    house.work()
    assert [len(house.sent(who)) for who in ("c1", "c2", "c3")] == [2, 2, 2]
    assert len({id_ for _, id_ in house.postman.offered}) == len(house.postman.offered) == 6


def test_what_is_too_late_expires_and_tasks_still_come(house: World) -> None:
    house.template("notes/soon", "receipt")
    house.campaign(
        "short",
        "name: Short\nstatus: live\nenter: {on: application.created}\nsteps:\n"
        "  - send: notes/soon\n    at: 1 hour after entered\n    until: 1 day after entered\n"
        "  - send: notes/letter\n    id: told\n    at: 1 hour after entered\n"
        "    until: 1 day after entered\n    if_expired: task\n"
        "  - task: {text: Call them, to: recruiter, due: 1 day}\n    id: call\n"
        "    at: 2 hours after entered\n",
    )
    house.reload()
    apply_for(house, "c1")
    house.work()
    pause(house, "campaign", "short")
    house.run_for(hours=3)
    assert house.entry("soon").reason == "stopped"
    assert house.entry("call").verdict == "task"
    house.run_for(days=2)
    assert (house.entry("soon").verdict, house.entry("soon").reason) == ("skip", "expired")
    assert house.entry("told").verdict == "task"


def test_lifting_a_stop_never_releases_a_flood(house: World) -> None:
    """Capped mail for more people than may get some at once is held; a receipt never is."""
    names = [f"p{n}" for n in range(5)]
    for name in names:
        apply_for(house, name)
    house.work()
    pause(house, "everything")
    house.run_for(days=2)
    apply_for(house, "late")
    house.work()
    assert len(house.postman.offered) == 2 * len(names)
    resume(house, "everything")
    house.work()
    assert [len(house.sent(name)) for name in names] == [2] * 5
    assert len(house.sent("late")) == 2, "receipts have no cap"
    assert house.entry("letter-welcome", "p1").reason == "release"
    with house.database.read() as connection:
        (row,) = releases.rows(connection)
    assert (row.campaign, row.cause, row.state) == ("resumed:everything", "resume", "held")
    assert house.project.planner.guard.listed()[0]["waiting"] == 5
    house.project.planner.guard.apply([row.campaign], by=BY, now=house.clock.now(), spread=None)
    house.run_for(days=1)
    assert [len(house.sent(name)) for name in names] == [4] * 5


@pytest.mark.parametrize(("scope", "ref"), [("campaign", "welcome"), ("job", "j-1")])
def test_lifted_for_few_it_goes_at_once_and_for_many_it_waits(
    house: World, scope: str, ref: str
) -> None:
    for count in (2, 5):
        for n in range(count):
            apply_for(house, f"q{count}{n}")
        apply_for(house, f"z{count}", "j-2")
        house.work()
        pause(house, scope, ref)
        house.run_for(days=2)
        resume(house, scope, ref)
        house.work()
        step = "letter-welcome"
        reasons = {house.entry(step, f"q{count}{n}").reason for n in range(count)}
        assert reasons == ({"due"} if count == 2 else {"release"})
        elsewhere = house.entry("letter-other", f"z{count}")
        assert elsewhere.verdict == "sent", "nobody else waits with them"


def test_a_stop_follows_a_candidate_under_another_name(house: World) -> None:
    apply_for(house, "c1")
    pause(house, "candidate", "c1")
    apply_for(house, "c2")
    house.tell("candidate.merged", candidate={"id": "c1"}, into={"id": "c2"})
    house.work()
    assert house.postman.offered == []
    with house.database.read() as connection:
        (found,) = stops.stops.active(connection)
    resume(house, "candidate", "c2", candidate_id=found.candidate_id or 0)
    house.work()
    assert house.postman.offered


def test_a_stop_holds_until_every_word_that_stopped_it_is_taken_back(house: World) -> None:
    apply_for(house, "c1")
    pause(house, "campaign", "welcome")
    pause(house, "candidate", "c1")
    house.work()
    resume(house, "campaign", "welcome")
    house.work()
    assert house.postman.offered == []
    assert house.entry("receipt-welcome").detail["scope"] == "candidate"
    resume(house, "candidate", "c1")
    house.work()
    assert len(house.postman.offered) == 2


def test_what_is_stopped_twice_keeps_the_first_word_and_what_is_not_cannot_go_on(
    house: World,
) -> None:
    assert pause(house, "everything")
    assert not pause(house, "everything")
    resume(house, "everything")
    with pytest.raises(NurtureError, match="everything is not stopped"):
        resume(house, "everything")


# --- in the middle of a window -------------------------------------------------------------------


@pytest.fixture
def window(house: World) -> list[tuple[Message, Facts]]:
    """What a sender has marked and is about to hand over: ten people's receipts."""
    names = [f"c{n}" for n in range(10)]
    for name in names:
        apply_for(house, name, job="j-1" if name < "c5" else "j-2")
    while house.project.planner.tick():
        pass
    with house.database.read() as connection:
        ids = [find_candidate(connection, name).id for name in names]  # type: ignore[union-attr]
        found = house.project.planner.read(connection, ids)
    return [
        (next(each for each in facts.messages if each.campaign == "welcome"), facts)
        for facts in found.values()
    ]


def left(
    world: World, window: list[tuple[Message, Facts]], happens: Callable[[World], None]
) -> int:
    """How many of a window leave by a carrier that takes a second for each, where something happens
    in another process while the third is in its hand."""
    listed = StopList(world.database, world.clock, window)
    taken = 0
    for message, _ in window:
        if listed.forbids(message):
            continue
        taken += 1
        world.clock.advance(timedelta(seconds=1))
        if taken == 3:
            address = world.database.engine.url.render_as_string(hide_password=False)
            other = Database(address)
            happens(World(world.folder, other, world.clock))
            other.close()
    return taken


@pytest.mark.parametrize(
    ("happens", "leave"),
    [
        (lambda other: pause(other, "everything"), 3),
        (lambda other: pause(other, "campaign", "welcome"), 3),
        (lambda other: pause(other, "campaign", "nothing of these"), 10),
        (lambda other: pause(other, "job", "j-2"), 5),
        (lambda other: pause(other, "candidate", "c7"), 9),
        (lambda other: other.tell("candidate.unsubscribed", candidate={"id": "c7"}), 9),
        (lambda other: other.tell("candidate.do_not_contact", candidate={"id": "c2"}), 10),
        (lambda other: other.tell("candidate.erased", candidate={"id": "c8"}), 9),
        (
            lambda other: other.tell("candidate.merged", candidate={"id": "c9"}, into={"id": "c1"}),
            9,
        ),
    ],
)
def test_what_comes_while_a_window_is_sent_is_obeyed_before_the_next_mail(
    house: World,
    window: list[tuple[Message, Facts]],
    happens: Callable[[World], None],
    leave: int,
) -> None:
    assert left(house, window, happens) == leave


def test_the_list_of_stops_is_as_cheap_as_it_is_quick(
    house: World, window: list[tuple[Message, Facts]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within half a second nothing is asked of the database."""
    listed = StopList(house.database, house.clock, window)
    pause(house, "everything")
    monkeypatch.setattr(house.database, "read", None)
    house.clock.advance(timedelta(seconds=0.49))
    assert not any(listed.forbids(message) for message, _ in window)
    monkeypatch.undo()
    house.clock.advance(timedelta(seconds=0.01))
    assert all(listed.forbids(message) for message, _ in window)


def test_nothing_leaves_while_nobody_can_say_whether_it_may(
    house: World, window: list[tuple[Message, Facts]], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = StopList(house.database, house.clock, window)

    def gone() -> None:
        raise OutsideError("database: gone")

    monkeypatch.setattr(house.database, "read", gone)
    house.clock.advance(timedelta(seconds=1))
    assert all(listed.forbids(message) for message, _ in window)
    monkeypatch.undo()
    assert not any(listed.forbids(message) for message, _ in window)


def test_a_stop_in_the_middle_of_a_window_lets_only_the_mail_in_hand_out(house: World) -> None:
    names = [f"c{n}" for n in range(100)]
    for name in names:
        apply_for(house, name)

    def slow() -> Outcome:
        house.clock.advance(timedelta(seconds=1))
        if len(house.postman.offered) == 5:
            pause(house, "everything")
        return Accepted()

    house.postman.answers = [slow] * 300
    house.work()
    assert len(house.postman.offered) == 5
    resume(house, "everything")
    house.work()
    offered = [message_id for _, message_id in house.postman.offered]
    assert len(offered) == len(set(offered)) == 200, "each got both receipts, once"
