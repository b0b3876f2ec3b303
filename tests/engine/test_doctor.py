"""What the doctor finds, and that it finds nothing where all is well."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import insert, text, update

from nurture.config import Config, load_config
from nurture.core.model import Unknown
from nurture.delivery.connection import NotReady, Offers
from nurture.delivery.dkim import Signing
from nurture.delivery.names import CannotAsk
from nurture.engine import doctor
from nurture.engine.doctor import Finding, Level
from nurture.store import tables
from nurture.store.database import Database
from tests.world import World

SMTP = """\
sender: {name: Ours Talent, email: talent@jobs.ours.test}
transport: {kind: smtp, host: 127.0.0.1, port: PORT, security: plain}
"""


class Zone:
    """The DNS as a test has it; None: nobody answers."""

    def __init__(self, records: dict[str, list[str]] | None) -> None:
        self.records = records

    def txt(self, name: str) -> list[str]:
        if self.records is None:
            raise CannotAsk("LifetimeTimeout")
        return self.records.get(name, [])

    mx = txt


def config(tmp_path: Path, text_: str = SMTP, port: int = 2525) -> Config:
    (tmp_path / "config.yaml").write_text(text_.replace("PORT", str(port)))
    return load_config(tmp_path / "config.yaml", {})


def by_check(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {each.check: each for each in findings}


GOOD = {"v=spf1 include:relay.test -all", "v=spf1 ip4:192.0.2.1 ~all", "v=spf1 redirect=relay.test"}


@pytest.mark.parametrize(
    ("records", "level"),
    [
        *(([record], Level.OK) for record in sorted(GOOD)),
        (["google-site-verification=x", "v=spf1 -all"], Level.OK),
        ([], Level.PROBLEM),
        (["v=spf1 a -all", "v=spf1 mx -all"], Level.PROBLEM),
        (["v=spf1 +all"], Level.PROBLEM),
        (["v=spf1 all"], Level.PROBLEM),
        (["v=spf1 mx ?all"], Level.WARNING),
        (["v=spf10 -all"], Level.PROBLEM),
    ],
)
def test_spf(tmp_path: Path, records: list[str], level: Level) -> None:
    found = by_check(doctor.of_domain(config(tmp_path), Zone({"jobs.ours.test": records})))
    assert found["SPF"].level is level
    assert bool(found["SPF"].hint) == (level is not Level.OK)


@pytest.mark.parametrize(
    ("records", "level"),
    [
        ({"_dmarc.jobs.ours.test": ["v=DMARC1; p=reject"]}, Level.OK),
        ({"_dmarc.ours.test": ["v=DMARC1;p=quarantine; rua=mailto:x@ours.test"]}, Level.OK),
        ({"_dmarc.ours.test": ["v=DMARC1; p=none"]}, Level.WARNING),
        ({"_dmarc.ours.test": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, Level.PROBLEM),
        ({"_dmarc.test": ["v=DMARC1; p=reject"]}, Level.PROBLEM),
        ({}, Level.PROBLEM),
    ],
)
def test_dmarc_of_the_domain_or_of_the_one_above_it(tmp_path: Path, records, level: Level) -> None:
    assert by_check(doctor.of_domain(config(tmp_path), Zone(records)))["DMARC"].level is level


@pytest.mark.parametrize(
    ("hosts", "level"),
    [(["mx1.ours.test."], Level.OK), (["."], Level.PROBLEM), ([], Level.WARNING)],
)
def test_mx(tmp_path: Path, hosts: list[str], level: Level) -> None:
    zone = Zone({"jobs.ours.test": hosts})
    assert by_check(doctor.of_domain(config(tmp_path), zone))["MX"].level is level


def test_offline_it_says_that_it_could_not_ask(tmp_path: Path) -> None:
    found = by_check(doctor.of_domain(config(tmp_path), Zone(None)))
    assert {found[check].level for check in ("SPF", "DMARC", "MX")} == {Level.WARNING}
    assert "could not ask" in found["SPF"].said


def test_the_published_key_is_the_one_we_sign_with(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "dkim.pem").write_bytes(pem)
    (tmp_path / "dkim.pem").chmod(0o600)
    signs = config(tmp_path, SMTP + "dkim: {selector: s1, key_file: dkim.pem}\n")
    ((name, content),) = Signing(signs).records()
    another = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    for published, level in (
        ([content], Level.OK),
        ([f"t=y; {content}"], Level.WARNING),
        ([another], Level.PROBLEM),
        (["v=DKIM1; p="], Level.PROBLEM),
        ([], Level.PROBLEM),
    ):
        found = by_check(doctor.of_domain(signs, Zone({name: published})))["DKIM"]
        assert found.level is level
        assert "PRIVATE" not in f"{found}"
        assert (content in found.hint) == (level is Level.PROBLEM), "what to publish"
    unsigned = by_check(doctor.of_domain(config(tmp_path), Zone({})))["DKIM"]
    assert (unsigned.level, "List-Unsubscribe" in unsigned.hint) == (Level.WARNING, True)
    (tmp_path / "dkim.pem").chmod(0o644)
    config(tmp_path, SMTP + "dkim: {selector: s1, key_file: dkim.pem}\n")
    assert by_check(doctor.of_domain(signs, Zone({})))["DKIM"].level is Level.PROBLEM


# --- the mail server ----


class Nothing:
    """A server that is to be given no mail."""

    given = 0

    async def handle_MAIL(self, *_: object) -> str:  # noqa: N802
        type(self).given += 1
        return "550 nothing was to be sent"


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    running: list[Controller] = []

    def start(**options: object) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(Nothing(), "127.0.0.1", port, **options)
        controller.start()
        running.append(controller)
        return port

    yield start
    for controller in running:
        controller.stop()


def test_a_server_is_greeted_and_left(tmp_path: Path, serve) -> None:
    port = serve(data_size_limit=30_000_000, enable_SMTPUTF8=True)
    first = next(doctor.of_transport(config(tmp_path, port=port)))
    assert (first.level, first.check) == (Level.OK, "smtp")
    for word in ("SIZE 30 MB", "8BITMIME", "SMTPUTF8", "without login"):
        assert word in first.said
    assert Nothing.given == 0


def test_a_refused_login_and_a_server_that_is_away_are_parts_outside(tmp_path: Path, serve) -> None:
    port = serve(
        authenticator=lambda *_: AuthResult(success=False, handled=False),
        auth_require_tls=False,
    )
    login = SMTP.replace("plain}", "plain, username: us, password: hunter22}")
    (refused,) = doctor.of_transport(config(tmp_path, login, port))
    assert (refused.level, refused.outside) == (Level.PROBLEM, True)
    assert "535" in refused.said
    assert "hunter22" not in f"{refused}"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        (away,) = doctor.of_transport(config(tmp_path, port=closed.getsockname()[1]))
    assert (away.level, away.outside) == (Level.PROBLEM, True)


def test_pipelining_is_missed_and_a_rehearsal_is_told(tmp_path: Path) -> None:
    rehearsal = config(tmp_path, SMTP + "deliver_only_to: [me@ours.test]\n")
    bare = by_check(doctor.of_transport(rehearsal, lambda _: Offers()))
    assert "PIPELINING" in bare["smtp"].said
    assert bare["deliver_only_to"].level is Level.WARNING
    full = list(doctor.of_transport(config(tmp_path), lambda _: Offers(pipelining=True)))
    assert [each.level for each in full] == [Level.OK]

    def unsafe(_: object) -> Offers:
        raise NotReady("no safe connection to 127.0.0.1:25: self-signed certificate")

    (found,) = doctor.of_transport(config(tmp_path), unsafe)
    assert "self-signed" in found.said
    (folder,) = doctor.of_transport(config(tmp_path, ""))
    assert folder.level is Level.WARNING


# --- this machine ----


def test_links_need_a_public_https_address(tmp_path: Path) -> None:
    own = config(tmp_path)
    assert doctor.of_public_url(own).level is Level.WARNING
    for url, level in (("https://hello.ours.test", Level.OK), ("http://ours.test", Level.PROBLEM)):
        web = own.web.model_copy(update={"public_url": url})
        assert doctor.of_public_url(own.model_copy(update={"web": web})).level is level


def test_the_secret_is_its_owners(tmp_path: Path) -> None:
    assert doctor.of_secret(tmp_path, given=True).level is Level.OK
    assert doctor.of_secret(tmp_path, given=False).level is Level.WARNING
    (tmp_path / "secret").write_text("k" * 32)
    (tmp_path / "secret").chmod(0o640)
    found = doctor.of_secret(tmp_path, given=False)
    assert (found.level, "kkk" in f"{found}") == (Level.PROBLEM, False)
    (tmp_path / "secret").chmod(0o600)
    assert doctor.of_secret(tmp_path, given=False).level is Level.OK


def test_nobody_at_work_is_said(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        web = f"web: {{port: {closed.getsockname()[1]}}}\n"
        assert doctor.of_daemon(config(tmp_path, web)).level is Level.WARNING


# --- the database ----


def test_a_database_in_order_has_nothing_to_say(world: World) -> None:
    world.work()
    found = by_check(doctor.of_database(world.database, world.clock.now()))
    assert "writable" in found["database"].said
    assert {each.level for name, each in found.items() if name != "disk"} == {Level.OK}
    with world.database.read() as connection:
        assert (
            connection.execute(text("SELECT count(*) FROM marks WHERE name = 'doctor'")).scalar()
            == 0
        )


def test_what_wants_a_look_is_counted(world: World) -> None:
    world.template("notes/hello", "receipt")
    world.campaign(
        "hello",
        "name: Hello\nstatus: live\nenter:\n  on: application.created\n  once_per: application\n"
        "steps:\n  - send: notes/hello\n",
    )
    world.reload()
    for number, stage in enumerate(["Kaffeerunde", "Kaffeerunde", "applied"]):
        who = {"id": f"c{number}", "email": f"c{number}@example.com"}
        world.tell(
            "application.created", candidate=who, application={"id": f"a{number}", "stage": stage}
        )
    soon = (world.clock.now() + timedelta(days=3)).isoformat()
    told = {"id": "i0", "kind": "Kaffee", "starts_at": soon}
    world.tell("interview.scheduled", candidate={"id": "c0"}, interview=told)
    world.postman.answers = [Unknown(text="no answer")]
    world.work()
    now = world.clock.now()
    with world.database.write() as connection:
        messages = tables.messages
        sent = connection.execute(messages.select().where(messages.c.state == "sent")).first()
        assert sent is not None
        lost = {"state": "sending", "lease": "x", "lease_until": now - timedelta(minutes=1)}
        connection.execute(update(messages).where(messages.c.id == sent.id).values(**lost))
        aside = update(tables.candidates).where(tables.candidates.c.ref == "c2")
        connection.execute(aside.values(problem="ValueError"))
        row = {"scope": "everything", "cause": "person", "why": "w", "since": now}
        connection.execute(insert(tables.stops), row)
    found = by_check(doctor.of_database(world.database, now))
    assert found["stages"].said == 'stages that are none of ours: "Kaffeerunde" (2)'
    assert found["interviews"].said == 'kinds of interview that are none of ours: "Kaffee" (1)'
    for check, level in (
        ("stuck", Level.PROBLEM),
        *((c, Level.WARNING) for c in ("in doubt", "set aside", "stopped")),
    ):
        assert found[check].level is level
        assert found[check].said.startswith("1 ")


def test_a_clock_behind_what_is_known_is_a_problem(world: World) -> None:
    world.tell("application.created", application={"id": "a1"})
    early = world.clock.now() - timedelta(hours=2)
    assert by_check(doctor.of_database(world.database, early))["clock"].level is Level.PROBLEM


def test_several_at_work_on_one_file_is_a_problem(world: World) -> None:
    now = world.clock.now()
    row = {"kind": "run", "host": "h", "pid": 1, "started_at": now, "seen_at": now}
    with world.database.write() as connection:
        connection.execute(insert(tables.processes), [row | {"id": "a"}, row | {"id": "b"}])
    found = by_check(doctor.of_database(world.database, now))["processes"]
    assert found.level is (Level.PROBLEM if world.database.dialect == "sqlite" else Level.OK)


def test_a_database_of_another_version_or_away_is_told(
    database_url: str, tmp_path: Path, clock
) -> None:
    database = Database(database_url)
    (found,) = doctor.of_database(database, clock.now())
    assert found.level is (Level.WARNING if database.dialect == "sqlite" else Level.PROBLEM)
    assert database.file is None or not database.file.exists(), "the doctor makes nothing"
    database.close()
    (tmp_path / "folder.db").mkdir()
    away = Database(f"sqlite:///{tmp_path}/folder.db")
    (found,) = doctor.of_database(away, clock.now())
    assert (found.level, found.outside) == (Level.PROBLEM, True)
    away.close()


def test_a_full_disk_is_seen_before_it_is_full(world: World, monkeypatch) -> None:
    disk = doctor.store.Disk(size=10**9, wal=10**9, free=10**9)
    monkeypatch.setattr(doctor.store, "disk", lambda _: disk)
    findings = list(doctor.of_database(world.database, world.clock.now()))
    assert [each.level for each in findings if each.check == "disk"] == [Level.WARNING] * 2
    monkeypatch.setattr(doctor.store, "disk", lambda _: replace(disk, free=10**6, wal=0))
    findings = list(doctor.of_database(world.database, world.clock.now()))
    assert [each.level for each in findings if each.check == "disk"] == [Level.PROBLEM]
