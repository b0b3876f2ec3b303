"""Two candidates turn out to be one person: nothing is sent twice, and what either got counts."""

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from nurture.clock import SetClock
from nurture.core.model import Unknown
from nurture.store.database import Database
from nurture.store.tables import enrollments, message_steps, messages, metadata, steps
from tests.conftest import MONDAY
from tests.world import World

ANA = {"id": "c1", "email": "ana@example.com"}
BO = {"id": "c2", "email": "bo@example.com"}
WELCOME = """\
name: Welcome
status: live
enter:
  on: {event}
  once_per: candidate
leave:
  - on: [candidate.replied]
steps:
{steps}"""
THREE = """\
  - send: notes/one
  - send: notes/two
    after: 2 days
  - send: notes/three
    at: 6 days after entered
"""


class Mail(NamedTuple):
    campaign: str
    step: str
    klass: str
    at: datetime


@pytest.fixture
def open_house(world: World) -> World:
    """No caps and every hour open, so that only the enrollments decide."""
    (world.folder / "config.yaml").write_text("caps: []\ngap: null\nbundle: {at_most: 1}\n")
    world.restart()
    for name in ("one", "two", "three"):
        world.template(f"notes/{name}", "receipt")
    world.campaign("welcome", WELCOME.format(event="custom.known", steps=THREE))
    world.reload()
    return world


def merge(world: World, loser: dict[str, str] = BO, into: dict[str, str] = ANA) -> None:
    world.tell("candidate.merged", candidate={"id": loser["id"]}, into={"id": into["id"]})


def mails(world: World) -> list[Mail]:
    """What everybody was sent, oldest first."""
    query = (
        select(messages.c.campaign, message_steps.c.step, messages.c.klass, messages.c.sent_at)
        .join(message_steps, message_steps.c.message_id == messages.c.id)
        .where(messages.c.state.in_(("sent", "unknown")))
        .order_by(messages.c.sent_at)
    )
    with world.database.read() as connection:
        return [Mail(*row) for row in connection.execute(query)]


def of_steps(world: World) -> list[str]:
    return [mail.step for mail in mails(world)]


def rolls(world: World) -> list[tuple[str, int, datetime, str | None]]:
    table = enrollments.c
    query = select(table.subject, table.number, table.entered_at, table.end_reason)
    with world.database.read() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(table.number))]


@pytest.mark.parametrize(("loser", "into"), [(BO, ANA), (ANA, BO)], ids=["newer", "older"])
def test_the_older_enrollment_goes_on_whoever_survives(
    open_house: World, loser: dict[str, str], into: dict[str, str]
) -> None:
    world = open_house
    world.tell("custom.known", candidate=ANA)
    world.run_for(days=1)
    world.tell("custom.known", candidate=BO)
    world.work()
    merge(world, loser, into)
    world.run_for(days=20)
    # Bo's own first mail is history; from then on the one person has one journey: Ana's.
    assert of_steps(world) == ["one", "one", "two", "three"]
    at = [mail.at - MONDAY for mail in mails(world)]
    assert [each.days for each in at] == [0, 1, 2, 6]
    (kept, merged) = rolls(world)
    assert kept[2:] == (MONDAY, None)
    assert merged[3] == "merged"
    assert kept[0] == merged[0]
    assert (kept[1], merged[1]) == (1, 2)


def test_what_only_the_newer_one_got_is_not_sent_again_by_the_older(open_house: World) -> None:
    world = open_house
    for name in ("one", "two", "three"):
        world.template(f"notes/{name}", "culture")
    world.reload()
    until = MONDAY + timedelta(days=15)
    world.tell("candidate.paused", candidate=ANA, until=until.isoformat())
    world.tell("custom.known", candidate=ANA)
    world.run_for(hours=1)
    world.tell("custom.known", candidate=BO)
    world.run_for(days=10)
    assert of_steps(world) == ["one", "two", "three"]  # Bo's: Ana's own wait
    merge(world)
    world.run_for(days=40)
    assert of_steps(world) == ["one", "two", "three"]
    (kept, _) = _enrolled(world)
    with world.database.read() as connection:
        settled = select(steps.c.step).where(
            steps.c.enrollment_id == kept.id, steps.c.state == "sent"
        )
        assert {*connection.execute(settled).scalars()} == {"one", "two", "three"}


def _enrolled(world: World) -> list[Any]:
    with world.database.read() as connection:
        return list(connection.execute(select(enrollments).order_by(enrollments.c.id)).all())


def test_a_mail_that_is_being_handed_over_while_they_become_one_is_the_kept_ones(
    open_house: World,
) -> None:
    world = open_house
    world.tell("custom.known", candidate=ANA)
    world.run_for(hours=1)
    world.tell("custom.known", candidate=BO)

    def answer() -> Any:
        merge(world)
        return Unknown(text="no answer")

    world.postman.answers = [answer]
    world.work()
    world.run_for(days=20)
    assert of_steps(world) == ["one", "one", "two", "three"]
    assert len({id_ for _, id_ in world.postman.offered}) == len(world.postman.offered) == 4


def test_who_left_by_one_name_has_left_by_both(open_house: World) -> None:
    world = open_house
    world.tell("custom.known", candidate=ANA)
    world.tell("custom.known", candidate=BO)
    world.work()
    world.tell("candidate.replied", candidate=BO)
    world.work()
    merge(world)
    world.run_for(days=20)
    assert of_steps(world) == ["one", "one"]
    assert rolls(world)[0][3] == "candidate.replied"


def test_contacts_of_both_count_and_the_stricter_wish_stands(world: World) -> None:
    (world.folder / "config.yaml").write_text(
        "caps: [{at_most: 2, per: 6 days}]\ngap: null\n"
        'contact_hours: {days: mon-sun, from: "00:00", to: "23:59", spread: 0 minutes}\n'
    )
    world.restart()
    for name in ("one", "two", "three"):
        world.template(f"notes/{name}", "help")
    world.campaign("first", WELCOME.format(event="custom.first", steps="  - send: notes/one\n"))
    world.campaign("then", WELCOME.format(event="custom.then", steps="  - send: notes/two\n"))
    world.reload()
    world.tell("custom.first", candidate=ANA)
    world.tell("custom.first", candidate=BO)
    world.work()
    world.tell("candidate.paused", candidate=BO, until="2027-01-01T00:00:00Z")
    world.tell("candidate.unsubscribed", candidate=BO, topics=["news"])
    world.tell("candidate.preferences", candidate=BO, preferences={"pace": "twice_a_week"})
    merge(world)
    world.tell("custom.then", candidate=ANA)
    world.run_for(days=20)
    assert [mail.step for mail in mails(world)] == ["one", "one", "two"]
    first, _, last = [mail.at for mail in mails(world)]
    assert last - first >= timedelta(days=6)
    with world.database.read() as connection:
        (person,) = connection.execute(select(metadata.tables["candidates"])).mappings()
    assert person["unsubscribed"] == ["news"]
    assert person["paused_until"].year == 2027
    assert person["data"]["pace"] == "twice_a_week"


# --- any two histories ---------------------------------------------------------------------------

MANY = {
    "known": ("receipt", "  - send: {name}/one\n  - send: {name}/two\n    after: 3 days\n"),
    "pool": (
        "culture",
        "  - send: {name}/one\n  - send: {name}/two\n    at: 9 days after entered\n",
    ),
    "asked": ("help", "  - send: {name}/one\n    repeat: {{every: 5 days, at_most: 3}}\n"),
}
CAPS = {None: (3, timedelta(days=4)), "nurture": (1, timedelta(days=5))}


@pytest.fixture
def histories(database: Database, empty_folder: Path) -> World:
    """Three campaigns of different kinds, under two caps."""
    (empty_folder / "config.yaml").write_text(
        "caps: [{at_most: 3, per: 4 days}, {at_most: 1, per: 5 days, class: nurture}]\n"
        "gap: null\nbundle: {at_most: 1}\n"
        'contact_hours: {days: mon-sun, from: "00:00", to: "23:59", spread: 0 minutes}\n'
    )
    world = World(empty_folder, database, SetClock(MONDAY))
    for name, (category, text) in MANY.items():
        for step in ("one", "two"):
            world.template(f"{name}/{step}", category)
        world.campaign(name, WELCOME.format(event=f"custom.{name}", steps=text.format(name=name)))
    world.reload()
    return world


@pytest.mark.acceptance("A3.5")
@pytest.mark.parametrize("seed", range(4))
def test_in_sum_one_person_gets_nothing_twice_and_every_cap_holds(
    histories: World, seed: int
) -> None:
    chance, world = Random(seed), histories
    for _ in range(chance.randint(3, 8)):
        who = chance.choice([ANA, BO])
        world.tell(f"custom.{chance.choice([*MANY])}", candidate=who)
        if chance.random() < 0.3:
            world.tell("contact.logged", candidate=who, contact={"kind": "call"})
        world.run_for(hours=chance.randint(0, 60))
    before = mails(world)
    merged_at = world.clock.now()
    merge(world, *chance.sample([ANA, BO], 2))
    world.run_for(days=30)
    after = mails(world)[len(before) :]
    got = {mail[:2] for mail in before}
    assert not [mail for mail in after if mail[:2] in got and mail.campaign != "asked"]
    assert len({mail[:2] for mail in after if mail.campaign != "asked"}) == len(
        [mail for mail in after if mail.campaign != "asked"]
    )
    asked = [mail for mail in (*before, *after) if mail.campaign == "asked"]
    assert len(asked) <= max(3, len([mail for mail in asked if mail.at <= merged_at]))
    contacts = [(mail.at, mail.klass) for mail in (*before, *after)]
    with world.database.read() as connection:
        called = connection.execute(select(metadata.tables["contacts"].c.at)).scalars()
        contacts += [(at, "call") for at in called]
    for mail in after:
        for klass, (at_most, per) in CAPS.items():
            if mail.campaign == "known" or klass not in (None, mail.klass):
                continue  # a receipt is counted, and never waits
            within = [
                at for at, of in contacts if mail.at - per < at <= mail.at and klass in (None, of)
            ]
            assert len(within) <= at_most, (klass, mail)
    assert len({row.subject for row in _enrolled(world)}) <= 1
    still_open = [row.campaign for row in _enrolled(world) if row.ended_at is None]
    assert len(still_open) == len(set(still_open))
