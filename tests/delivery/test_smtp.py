"""What handing over by SMTP promises, against a real server."""

import asyncio
import socket
import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from pydantic import SecretStr

from nurture.core.model import Accepted, Blame, Deferred, Rejected, Unknown
from nurture.delivery.connection import Patience
from nurture.delivery.smtp import Smtp
from nurture.errors import UsageError

HERE = Path(__file__).parent
FROM = "talent@example.com"
RAW = b"Subject: Hello\r\n\r\n.leading dot\r\nZo=C3=AB\r\n..two\r\n"

RCPT = {
    "gone": "550 5.1.1 <gone@example.com>: user unknown",
    "nowhere": "550 5.1.2 no such domain",
    "full": "552 5.2.2 mailbox full",
    "policy": "550 5.7.1 rejected by policy",
    "microsoft": "550 5.7.515 Access denied, sending domain does not meet the level",
    "later": "450 4.2.1 try again",
    "slow": "421 4.7.28 Gmail has detected an unusual rate",
    "throttled": "451 4.7.0 temporary rate limit",
    "plain550": "550 No such user here",
    "blocked": "550 blocked using a blacklist",
    "plain554": "554 Transaction failed",
}
DATA = {
    "spammy": "554 5.6.0 message content refused",
    "spf": "550 5.7.26 unauthenticated sender",
    "busy": "451 4.3.0 busy",
    "toolarge": "552 5.3.4 too large",
}


class Script:
    """Answers by the recipient's name, and remembers what it took."""

    def __init__(self, pipelining=False):
        self.pipelining = pipelining
        self.taken = []
        self.connections = 0
        self.resets = 0
        self.close_after = None

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.connections += 1
        session.host_name = hostname
        if self.pipelining:
            responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_RSET(self, server, session, envelope):  # noqa: N802
        self.resets += 1
        return "250 OK"

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if address.startswith("unwanted"):
            return "550 5.1.0 not from you"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        name = address.partition("@")[0]
        if name == "dropbefore":
            server.transport.abort()
        if name in RCPT:
            return RCPT[name]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        name = envelope.rcpt_tos[0].partition("@")[0]
        if name == "dropafter":
            server.transport.abort()
            return "250 never heard"
        if name == "silent":
            await asyncio.sleep(1)
        if name in DATA:
            return DATA[name]
        self.taken.append(SimpleNamespace(to=envelope.rcpt_tos, raw=envelope.original_content))
        if self.close_after and len(self.taken) % self.close_after == 0:
            asyncio.get_running_loop().call_later(0.02, server.transport.abort)
        return "250 2.0.0 queued as 4711"


@pytest.fixture
def serve():
    running = []

    def start(tls=None, implicit=False, pipelining=False, **options):
        script = Script(pipelining)
        if implicit:
            controller = Controller(script, "127.0.0.1", free_port(), ssl_context=tls, **options)
        else:
            controller = Controller(script, "127.0.0.1", free_port(), **options)
            if tls:
                controller.factory = lambda: SMTP(
                    script, hostname="localhost", tls_context=tls, require_starttls=True, **options
                )
        controller.start()
        running.append(controller)
        script.port = controller.port
        return script

    yield start
    for controller in running:
        controller.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def settings(port, security="plain", host="127.0.0.1", password=None, **others):
    return SimpleNamespace(
        host=host,
        port=port,
        security=security,
        username="nurture" if password else None,
        password=SecretStr(password) if password else None,
        **{"connections": 1, "messages_per_connection": 100} | others,
    )


@pytest.fixture(params=[False, True], ids=["lockstep", "pipelining"])
def server(serve, request):
    return serve(pipelining=request.param)


@pytest.fixture
def smtp(server):
    transport = Smtp(settings(server.port), patience=Patience(connecting=5, command=5, content=5))
    yield transport
    transport.close()


def letter(to, sender=FROM, raw=RAW):
    return SimpleNamespace(sender=sender, to=to, raw=raw, message_id="<n1@example.com>")


def yes(_):
    return True


def give(transport, letters):
    """By the name before the @."""
    return {each.to.partition("@")[0]: said for each, said in transport.deliver(letters, yes)}


def hand(transport, name, raw=RAW):
    (outcome,) = give(transport, [letter(f"{name}@example.com", raw=raw)]).values()
    return outcome


def test_the_bytes_arrive_as_they_were(smtp, server):
    outcome = hand(smtp, "ana")
    assert outcome == Accepted(text="2.0.0 queued as 4711")
    assert server.taken[0].raw == RAW
    assert server.taken[0].to == ["ana@example.com"]


@pytest.mark.parametrize(
    ("name", "blame"),
    [
        ("gone", Blame.ADDRESS),
        ("nowhere", Blame.ADDRESS),
        ("plain550", Blame.ADDRESS),
        ("policy", Blame.SENDER),
        ("microsoft", Blame.SENDER),
        ("blocked", Blame.SENDER),
        ("plain554", Blame.SENDER),
        ("spf", Blame.SENDER),
        ("spammy", Blame.CONTENT),
        ("toolarge", Blame.CONTENT),
    ],
)
def test_a_refusal_for_good_says_whom_it_is_about(smtp, server, name, blame):
    outcome = hand(smtp, name)
    assert isinstance(outcome, Rejected)
    assert outcome.blame is blame
    assert "@" not in outcome.text
    assert server.taken == []


@pytest.mark.parametrize(
    ("name", "domain"),
    [("later", False), ("busy", False), ("full", False), ("slow", True), ("throttled", True)],
)
def test_a_refusal_for_now_says_whether_the_whole_domain_is_meant(smtp, name, domain):
    outcome = hand(smtp, name)
    assert isinstance(outcome, Deferred)
    assert outcome.domain is domain


def test_a_refused_sender_is_never_the_candidates_fault(smtp):
    (outcome,) = give(smtp, [letter("ana@example.com", "unwanted@example.com")]).values()
    assert isinstance(outcome, Rejected)
    assert outcome.blame is Blame.SENDER


def test_a_connection_lost_before_the_content_means_not_now(smtp, server):
    assert isinstance(hand(smtp, "dropbefore"), Deferred)
    assert isinstance(hand(smtp, "ana"), Accepted)
    assert len(server.taken) == 1


def test_a_connection_lost_after_the_content_means_that_nobody_knows(smtp, server):
    assert isinstance(hand(smtp, "dropafter"), Unknown)
    assert isinstance(hand(smtp, "ana"), Accepted)


def test_no_answer_after_the_content_means_that_nobody_knows(server):
    transport = Smtp(settings(server.port), patience=Patience(content=0.2))
    assert hand(transport, "silent") == Unknown(text="no answer in time")
    transport.close()


def test_no_server_means_not_now():
    with_nobody = Smtp(settings(1))
    assert isinstance(hand(with_nobody, "ana"), Deferred)


def test_one_connection_carries_many_messages_with_a_reset_after_half_an_envelope(smtp, server):
    names = ("ana", "gone", "ben", "spammy", "cleo", "policy", "later")
    outcomes = give(smtp, [letter(f"{name}@example.com") for name in names])
    assert sorted(outcomes) == sorted(names)
    assert [message.to for message in server.taken] == [
        ["ana@example.com"],
        ["ben@example.com"],
        ["cleo@example.com"],
    ]
    assert server.connections == 1
    assert server.resets == 2


def test_a_connection_is_not_used_for_ever(server):
    transport = Smtp(settings(server.port, messages_per_connection=2))
    outcomes = give(transport, [letter(f"c{number}@example.com") for number in range(5)])
    assert {type(outcome) for outcome in outcomes.values()} == {Accepted}
    transport.close()
    assert server.connections == 3


def test_a_connection_closed_without_a_word_costs_nothing(smtp, server):
    """Yahoo closes after so many messages without an error."""
    server.close_after = 2
    for number in range(7):
        assert isinstance(hand(smtp, f"c{number}"), Accepted)
        if len(server.taken) % 2 == 0:
            wait_until_closed(smtp)
    assert len(server.taken) == 7
    assert server.connections == 4


def wait_until_closed(transport):
    (conversation,) = transport._lanes._conversations
    conversation._connection._socket.recv(1)  # returns when the server has closed


@pytest.mark.parametrize(
    ("to", "sender", "blame"),
    [
        ("a@b.test>\r\nRCPT TO:<c@d.test", FROM, Blame.ADDRESS),
        ("ana@exämple.com", FROM, Blame.ADDRESS),
        ("no address", FROM, Blame.ADDRESS),
        ("a@b.test", "x@y\r\nDATA", Blame.SENDER),
    ],
)
def test_nothing_but_an_address_reaches_the_conversation(smtp, server, to, sender, blame):
    (outcome,) = give(smtp, [letter(to, sender)]).values()
    assert isinstance(outcome, Rejected)
    assert outcome.blame is blame
    assert server.connections == 0


# --- safe connections ----------------------------------------------------------------------------


@pytest.fixture
def certified():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "localhost.crt", HERE / "localhost.key")
    return context


@pytest.fixture
def trusting():
    return ssl.create_default_context(cafile=str(HERE / "localhost.crt"))


def test_plaintext_is_refused_to_anything_but_this_machine():
    with pytest.raises(UsageError, match="plaintext"):
        Smtp(settings(25, host="mail.example.com"))


def test_mail_goes_through_starttls(serve, certified, trusting):
    server = serve(tls=certified)
    transport = Smtp(settings(server.port, "starttls"), tls=trusting)
    assert isinstance(hand(transport, "ana"), Accepted)
    transport.close()


def test_mail_goes_through_tls_from_the_first_byte(serve, certified, trusting):
    server = serve(tls=certified, implicit=True)
    transport = Smtp(settings(server.port, "tls"), tls=trusting)
    assert isinstance(hand(transport, "ana"), Accepted)
    transport.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_that_nobody_vouches_for_stops_everything(serve, certified, host):
    server = serve(tls=certified)
    transport = Smtp(settings(server.port, "starttls", host=host))
    outcome = hand(transport, "ana")
    assert isinstance(outcome, Deferred)
    assert "no safe connection" in outcome.text
    assert server.taken == []


def test_a_server_without_starttls_gets_no_mail(server):
    transport = Smtp(settings(server.port, "starttls"))
    outcome = hand(transport, "ana")
    assert isinstance(outcome, Deferred)
    assert "STARTTLS" in outcome.text
    assert server.taken == []


def accept_only_nurture(server, session, envelope, mechanism, data):
    right = data.login == b"nurture" and data.password == b"right"
    return AuthResult(success=right, handled=False)  # the server words the answer


@pytest.mark.parametrize(("password", "kind"), [("right", Accepted), ("wrong", Deferred)])
def test_a_login_is_used_and_a_wrong_one_harms_no_candidate(
    serve, certified, trusting, password, kind
):
    server = serve(tls=certified, authenticator=accept_only_nurture, auth_required=True)
    transport = Smtp(settings(server.port, "starttls", password=password), tls=trusting)
    outcome = hand(transport, "ana")
    assert isinstance(outcome, kind)
    assert password not in outcome.text
    transport.close()
