"""What somebody approved is sent as they saw it, or not without them."""

from nurture.store import desk
from tests.world import World

DECISION = """\
name: Decision
status: live
enter: {on: application.rejected}
steps:
  - send: status/decision
"""


def held(world: World) -> list[int]:
    query = "SELECT id FROM messages WHERE state = 'held'"
    with world.database.read() as connection:
        return [row.id for row in connection.exec_driver_sql(query)]


def approve(world: World) -> None:
    with world.database.write() as connection:
        words = world.project.letters.renderer.digests
        states = desk.approve(connection, held(world), words, world.clock.now())
    assert set(states.values()) == {"held"}


def waiting(world: World) -> None:
    """A decision about Ana, read by nobody yet."""
    world.template("status/decision", "decision")
    world.campaign("decision", DECISION)
    world.reload()
    world.tell("application.rejected", application={"id": "a1"})
    world.work()
    assert (len(held(world)), world.postman.offered) == (1, [])


def test_what_was_approved_goes_out(world: World) -> None:
    waiting(world)
    approve(world)
    world.work()
    assert [step for step, _ in world.sent()] == ["decision"]


def test_words_changed_after_an_approval_ask_for_it_again(world: World) -> None:
    waiting(world)
    approve(world)
    path = world.folder / "templates/status/decision.md"
    path.write_text(path.read_text() + "\nAnd something nobody has read.\n")
    world.reload()
    world.work()
    assert (len(held(world)), world.postman.offered) == (1, [])
    approve(world)
    world.work()
    assert [step for step, _ in world.sent()] == ["decision"]


def test_a_layout_changed_after_an_approval_asks_for_it_again(world: World) -> None:
    waiting(world)
    approve(world)
    for path in (world.folder / "templates/layouts").glob("*.html"):
        path.write_text(path.read_text().replace("</body>", "<p>New.</p></body>"))
    world.reload()
    world.work()
    assert (len(held(world)), world.postman.offered) == (1, [])


def test_words_of_another_template_leave_an_approval_as_it_is(world: World) -> None:
    waiting(world)
    world.template("status/other", "status")
    world.reload()
    approve(world)
    path = world.folder / "templates/status/other.md"
    path.write_text(path.read_text() + "\nMore.\n")
    world.reload()
    world.work()
    assert [step for step, _ in world.sent()] == ["decision"]
