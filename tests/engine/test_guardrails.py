"""A campaign that does harm stops itself, once, and only a person lets it go on."""

from datetime import timedelta

import pytest

from nurture.core.model import (
    Blame,
    Message,
    MessageState,
    Outcome,
    Rejected,
)
from nurture.core.outcome import Consequence, Halts, consequence
from nurture.engine import stops
from nurture.intake.apply import apply_all
from nurture.intake.events import parse_event
from nurture.store.tables import messages
from tests.conftest import MONDAY
from tests.world import World


@pytest.fixture
def house(world: World) -> World:
    """A receipt for everybody who applies; ten mails are enough to judge by."""
    (world.folder / "config.yaml").write_text("guardrails: {at_least: 10, complaints: 5%}\n")
    world.restart()
    world.template("notes/receipt", "receipt")
    world.campaign(
        "welcome",
        "name: Welcome\nstatus: live\nenter: {on: application.created}\nsteps:\n"
        "  - send: notes/receipt\n",
    )
    world.reload()
    return world


def mailed(world: World, count: int, first: int = 0) -> list[str]:
    """So many people who have got their receipt."""
    now = world.clock.now()
    names = [f"p{n}" for n in range(first, first + count)]
    events = [
        {
            "type": "application.created",
            "source": "test",
            "id": f"{name} applied",
            "occurred_at": now.isoformat(),
            "candidate": {"id": name, "email": f"{name}@example.com"},
            "application": {"id": f"a-{name}"},
        }
        for name in names
    ]
    apply_all(world.database, [parse_event(event) for event in events], now)
    world.work()
    return names


def came_back(world: World, kind: str, names: list[str], **about: object) -> None:
    for name in names:
        world.tell(
            f"message.{kind}",
            id=f"{kind} {name} {about!r}",
            candidate={"id": name},
            message={**about},
        )
    world.work()


def listed(world: World) -> list[tuple[str, str | None, str]]:
    return [(each["scope"], each["ref"], each["cause"]) for each in stops.listed(world.database)]


@pytest.mark.parametrize(("kind", "cause"), [("bounced", "bounces"), ("complained", "complaints")])
def test_too_much_that_comes_back_stops_its_campaign_until_a_person_lets_it_go_on(
    house: World, kind: str, cause: str
) -> None:
    names = mailed(house, 20)
    came_back(house, kind, names[:1])
    came_back(house, kind, names[:1], id="<unknown@example.com>")
    assert listed(house) == [], "one of twenty is five percent, and not more"
    came_back(house, kind, names[1:2])
    assert listed(house) == [("campaign", "welcome", cause)]
    mailed(house, 1, first=50)
    entry = house.entry("receipt", "p50")
    assert (entry.verdict, entry.reason) == ("wait", "stopped")
    assert "a guardrail stopped campaign welcome" in entry.sentence
    assert "2 of 20 mails" in entry.sentence

    now = house.clock.now()
    with house.database.write() as connection:
        stops.resume(connection, "campaign", "welcome", by="ida@example.com", now=now)
    house.clock.advance(timedelta(minutes=1))
    house.work()
    assert len(house.sent("p50")) == 1
    came_back(house, kind, names[2:6])
    assert listed(house) == [], "what was sent before counts no more"


def test_few_mails_and_old_ones_say_nothing(house: World) -> None:
    names = mailed(house, 9)
    came_back(house, "bounced", names[:5])
    assert listed(house) == []
    house.clock.advance(timedelta(days=8))
    names = mailed(house, 9, first=20)
    came_back(house, "bounced", names[:1])
    assert listed(house) == []


def test_a_mailbox_that_is_full_and_a_bounce_of_long_ago_count_for_nothing(house: World) -> None:
    names = mailed(house, 12)
    came_back(house, "bounced", names[:5], permanent=False)
    now = house.clock.now()
    old = {
        "type": "message.bounced",
        "source": "test",
        "id": "old",
        "occurred_at": now.isoformat(),
        "historical": True,
        "candidate": {"id": names[6]},
        "message": {},
    }
    apply_all(house.database, [parse_event(old)], now)
    house.work()
    assert listed(house) == []


def test_who_complains_gets_nothing_more_at_that_address(house: World) -> None:
    (name,) = mailed(house, 1)
    came_back(house, "complained", [name])
    house.tell(
        "application.created",
        candidate={"id": name},
        application={"id": "another"},
    )
    house.work()
    assert len(house.sent(name)) == 1
    assert house.entry("receipt", name).reason == "undeliverable"


# --- what the mail server says -------------------------------------------------------------------


def meant(outcome: Outcome) -> Consequence:
    return consequence(
        outcome, message_id="<m@example.com>", attempts=1, created_at=MONDAY, now=MONDAY
    )


@pytest.mark.parametrize(
    ("said", "halts"),
    [
        *((f"550 5.7.{n} no", Halts.EVERYTHING) for n in (25, 26, 27, 29, 30, 32, 40, 515)),
        ("535 5.7.8 bad credentials", Halts.EVERYTHING),
        ("553 5.1.8 sender domain", Halts.EVERYTHING),
        ("550 5.7.28 unsolicited mail", Halts.CAMPAIGN),
        ("550 5.7.1 policy", Halts.CAMPAIGN),
        ("554 [TSS09] deferred", Halts.CAMPAIGN),
    ],
)
def test_a_refusal_of_us_says_how_much_must_stop_and_loses_no_mail(said: str, halts: Halts) -> None:
    found = meant(Rejected(code=550, text=said, blame=Blame.SENDER))
    assert found.halts is halts
    assert found.suppress is None
    assert found.state is MessageState.RETRYING


def test_refused_content_stops_its_campaign_and_a_dead_address_nothing() -> None:
    assert meant(Rejected(code=554, text="554 spam", blame=Blame.CONTENT)).halts is Halts.CAMPAIGN
    assert meant(Rejected(code=550, text="550 5.1.1", blame=Blame.ADDRESS)).halts is None


def record(world: World, name: str, result: Consequence) -> None:
    """What the sender does with what came of a hand-over."""
    with world.database.write() as connection:
        row = connection.execute(messages.select().where(messages.c.message_id == name)).one()
        message = Message(
            id=row.id,
            candidate_id=row.candidate_id,
            message_id=row.message_id,
            campaign=row.campaign,
            enrollment_id=1,
            step="receipt",
            occurrence="1",
            template=row.template,
            category=row.category,
            state=MessageState.SENDING,
            created_at=row.created_at,
        )
        rails = world.project.planner.guard.rails
        rails.after(connection, [(message, result)], world.clock.now())


def test_addresses_that_are_refused_at_the_door_are_bounces(house: World) -> None:
    mailed(house, 20)
    dead = Consequence(state=MessageState.FAILED, suppress="550 5.1.1", text="550 5.1.1")
    for _, message_id in house.postman.offered[:2]:
        assert listed(house) == []
        record(house, message_id, dead)
    assert listed(house) == [("campaign", "welcome", "bounces")]


@pytest.mark.parametrize(
    ("halts", "stopped"),
    [
        (Halts.CAMPAIGN, ("campaign", "welcome", "refused")),
        (Halts.EVERYTHING, ("everything", None, "refused")),
    ],
)
def test_one_refusal_that_blames_us_is_enough_and_is_quoted(
    house: World, halts: Halts, stopped: tuple[str, str | None, str]
) -> None:
    mailed(house, 1)
    (_, message_id) = house.postman.offered[0]
    text = "550 5.7.26 unauthenticated"
    refused = Consequence(state=MessageState.RETRYING, halts=halts, text=text)
    record(house, message_id, refused)
    record(house, message_id, refused)
    assert listed(house) == [stopped]
    assert text in stops.stop_line(stops.listed(house.database)[0])
