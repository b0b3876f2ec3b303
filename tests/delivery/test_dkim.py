"""A signature is what others make of it: dkimpy and Mail::DKIM read every mail here, each with the
key in its hand, so that nothing asks the DNS."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nurture.config import load_config
from nurture.core.model import Accepted
from nurture.delivery.dkim import Signed, Signing
from nurture.delivery.outbox import Outbox
from nurture.errors import Problems, UsageError
from nurture.wiring import carrier

GOLDEN = Path(__file__).parents[1] / "rendering/golden"
SERVICE, NURTURE = (GOLDEN / "md.eml").read_bytes(), (GOLDEN / "html.eml").read_bytes()

#: Prints, for each file given, whether each of its signatures holds.
DKIMPY = """
import dkim, json, sys
def holds(raw, at):
    try:
        return bool(dkim.DKIM(raw).verify(at, dnsfunc=lambda name, timeout=5: keys.get(name)))
    except dkim.ValidationError:
        return False
keys = {name.encode() + b".": text.encode() for name, text in json.loads(sys.argv[1]).items()}
for path in sys.argv[2:]:
    raw = open(path, "rb").read()
    count = raw.partition(b"\\r\\n\\r\\n")[0].count(b"DKIM-Signature:")
    print(json.dumps([holds(raw, at) for at in range(count)]))
"""
MAIL_DKIM = """
use JSON::PP; use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::RR;
my $keys = decode_json(shift @ARGV);
no warnings 'redefine';
*Mail::DKIM::DNS::query_async = sub {
    my ($name, $type, %prms) = @_;
    my @found = defined $keys->{$name}
        ? Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => $keys->{$name}) : ();
    my $answer = $prms{Callbacks}->{Success}->(@found);
    return sub { $answer };
};
*Mail::DKIM::DNS::query = sub { return () };
for my $path (@ARGV) {
    open(my $mail, '<:raw', $path) or die;
    my $dkim = Mail::DKIM::Verifier->new();
    $dkim->load($mail);
    print encode_json([map { $_->result eq 'pass' ? JSON::PP::true : JSON::PP::false }
        $dkim->signatures]), "\\n";
}
"""


def pem(key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


RSA = pem(rsa.generate_private_key(65537, 2048))
ED25519 = pem(Ed25519PrivateKey.generate())


def signing(folder: Path, text: str, **env: str) -> Signing:
    (folder / "config.yaml").write_text(text)
    return Signing(load_config(folder / "config.yaml", {"RSA": RSA, "ED": ED25519, **env}))


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Signing:
    return signing(tmp_path_factory.mktemp("one"), "dkim: {selector: s1, key: '${RSA}'}\n")


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Signing:
    text = "dkim: {selector: s1, key: '${RSA}', second: {selector: s2, key: '${ED}'}}\n"
    return signing(tmp_path_factory.mktemp("two"), text)


def folded(raw: bytes) -> bytes:
    """As a relay may hand it on: long headers over several lines, with tabs."""
    head, _, body = raw.partition(b"\r\n\r\n")
    for name in (b"List-Unsubscribe", b"Subject", b"To", b"From"):
        head = head.replace(b"\r\n" + name + b": ", b"\r\n" + name + b":\r\n\t")
    assert b":\r\n\t" in head
    return head + b"\r\n\r\n" + body


def cases(one: Signing, two: Signing) -> Iterator[tuple[str, bytes, list[bool]]]:
    service, nurture, both = one.sign(SERVICE), one.sign(NURTURE), two.sign(NURTURE)
    yield "service", service, [True]
    yield "nurture", nurture, [True]
    yield "two signatures", both, [True, True]
    yield "folded on the way", folded(nurture), [True]
    yield "headers on top of it", b"Received: from x by y\r\nX-Spam: 0\r\n" + nurture, [True]
    yield "empty lines at the end", one.sign(NURTURE + b"\r\n\r\n"), [True]
    yield "no body", one.sign(NURTURE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"), [True]
    yield (
        "eight bits in a header",
        one.sign(NURTURE.replace(b"<ana@", "<zoë@".encode())),
        [True],
    )
    long = NURTURE.replace(
        b"\r\nMIME-V", b"\r\nReferences:" + b" <n1.a@x.test>\r\n" * 9 + b"MIME-V"
    )
    yield "many references", one.sign(long), [True]
    for name, old, new in (
        ("body changed", b"stories", b"storeys"),
        ("From changed", b"From: ", b"From: Not "),
        ("To changed", b"<ana@", b"<eva@"),
        ("Subject changed", b"Subject: ", b"Subject: Not "),
        ("Date changed", b"Date: Sun", b"Date: Mon"),
        ("Message-ID changed", b"Message-ID: <", b"Message-ID: <1"),
        ("List-Unsubscribe changed", b"List-Unsubscribe: <http", b"List-Unsubscribe: <xttp"),
        ("Feedback-ID changed", b"Feedback-ID: ", b"Feedback-ID: not-"),
        ("a second From", b"\r\nMIME-Version", b"\r\nFrom: x@evil.test\r\nMIME-Version"),
        ("a second Subject", b"\r\nMIME-Version", b"\r\nSubject: x\r\nMIME-Version"),
    ):
        assert old in both
        yield name, both.replace(old, new, 1), [False, False]
    for name in (b"List-Unsubscribe", b"List-Unsubscribe-Post", b"Reply-To", b"Feedback-ID"):
        without, times = re.subn(rb"\r\n" + name + rb": [^\r]*(?:\r\n [^\r]*)*", b"", nurture)
        assert times == 1
        yield f"no {name.decode()}", without, [False]
    added = service.replace(b"\r\nMIME-V", b"\r\nList-Unsubscribe: <https://evil.test>\r\nMIME-V")
    yield "a List-Unsubscribe that was none", added, [False]


@pytest.fixture(scope="module")
def mails(one, two) -> dict[str, tuple[bytes, list[bool]]]:
    return {name: (raw, wanted) for name, raw, wanted in cases(one, two)}


def said_by(command: list[str], mails, two: Signing, folder: Path) -> dict[str, list[bool]]:
    paths = []
    for number, (raw, _) in enumerate(mails.values()):
        paths.append(folder / f"{number}.eml")
        paths[-1].write_bytes(raw)
    keys = json.dumps(dict(two.records()))
    said = subprocess.run([*command, keys, *paths], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return dict(zip(mails, map(json.loads, said.stdout.splitlines()), strict=True))


def needs(command: list[str], package: str) -> None:
    """Loud where it is missing; where CI promises it, an error."""
    found = shutil.which(command[0])
    if found is None or subprocess.run(command, capture_output=True, check=False).returncode:
        told = f"without {package} nobody but ourselves has read our signatures: install it"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)


def test_dkimpy_takes_what_we_signed_and_nothing_that_was_changed(mails, two, tmp_path):
    python = "/usr/bin/python3"
    needs([python, "-c", "import dkim, nacl"], "python3-dkim and python3-nacl")
    found = said_by([python, "-c", DKIMPY], mails, two, tmp_path)
    assert found == {name: wanted for name, (_, wanted) in mails.items()}


def test_so_does_perls_mail_dkim_which_reads_rsa(mails, two, tmp_path):
    needs(["perl", "-MMail::DKIM", "-e", "1"], "libmail-dkim-perl")
    found = said_by(["perl", "-e", MAIL_DKIM], mails, two, tmp_path)
    # It knows no ed25519 and calls it invalid: only the signature that it understands counts.
    wanted = {
        name: [True, False] if wanted == [True, True] else wanted
        for name, (_, wanted) in mails.items()
    }
    assert found == wanted


def test_the_algorithm_is_never_the_forbidden_one_and_lines_are_short(mails):
    for raw, _ in mails.values():
        head = raw.partition(b"\r\n\r\n")[0]
        assert b"sha1" not in head
        own = re.findall(rb"DKIM-Signature: (?:[^\r]|\r\n[ \t])*", head)
        assert own
        for each in own:
            assert re.search(rb"a=(rsa|ed25519)-sha256; c=relaxed/simple; d=example.com;", each)
            assert max(map(len, each.split(b"\r\n"))) <= 76


def test_what_says_how_to_unsubscribe_is_signed_and_from_twice(one):
    signed = re.search(rb"\sh=([^;]*);", one.sign(NURTURE))[1]
    names = re.sub(rb"\s", b"", signed).split(b":")
    assert {b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id"} <= set(names)
    assert names.count(b"from") == 2


def test_the_mail_itself_is_left_as_it_was_and_several_threads_may_sign(one):
    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(one.sign, [NURTURE] * 12))
    [signed] = found  # rsa makes the same of the same
    assert signed.endswith(b"\r\n" + NURTURE)


def test_a_key_may_be_one_line_of_an_environment_or_a_file_of_its_owner(one, tmp_path):
    line = "".join(RSA.split("\n")[1:-2])
    for key in (line, RSA.replace("\n", "\\n")):
        again = signing(tmp_path, "dkim: {selector: s1, key: '${RSA}'}\n", RSA=key)
        assert again.sign(NURTURE) == one.sign(NURTURE)
    path = tmp_path / "dkim.pem"
    path.write_text(RSA)
    path.chmod(0o600)
    assert signing(tmp_path, "dkim: {selector: s1, key_file: dkim.pem}\n").records() == (
        one.records()
    )
    path.chmod(0o640)
    with pytest.raises(UsageError, match="others can read"):
        signing(tmp_path, "dkim: {selector: s1, key_file: dkim.pem}\n")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("nonsense", "no private key"),
        ("", "no private key"),
        ("-----BEGIN PRIVATE KEY-----", "no private key"),
        (pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
    ],
)
def test_a_key_that_cannot_be_used_is_told_in_one_line_without_it(tmp_path, key, said):
    with pytest.raises(UsageError, match=said) as told:
        signing(tmp_path, "dkim: {selector: s1, key: '${RSA}'}\n", RSA=key)
    assert "\n" not in str(told.value)
    assert not key or key[30:60] not in str(told.value) or len(key) < 40


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        signing(tmp_path, "dkim: {selector: s1, key_file: var/none.pem}\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dkim: {selector: s1}\n", "either"),
        ("dkim: {selector: s1, key: x, key_file: y}\n", "either"),
        ("dkim: {key: x}\n", "selector"),
        ("dkim: {selector: 'a b', key: x}\n", "selector"),
        ("dkim: {selector: s1, key: x, domain: other.example}\n", "says nothing about mail from"),
    ],
)
def test_what_could_not_be_verified_is_refused_with_the_configuration(tmp_path, text, said):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(Problems, match=said):
        load_config(tmp_path / "config.yaml", {})


@dataclass(frozen=True)
class Letter:
    number: int
    raw: bytes = NURTURE
    sender: str = "talent@example.com"
    to: str = "ana@example.com"

    @property
    def message_id(self) -> str:
        return f"<{self.number}@example.com>"


def test_a_transport_carries_signed_letters_and_gives_back_the_ones_it_was_given(one, tmp_path):
    letters = [Letter(1), Letter(2), Letter(3)]
    transport = Signed(Outbox(tmp_path / "outbox"), one)
    results = list(transport.deliver(iter(letters), lambda letter: letter.number != 2))
    transport.close()
    assert [letter for letter, _ in results] == letters
    assert [isinstance(outcome, Accepted) for _, outcome in results] == [True, False, True]
    written = [path.read_bytes() for path in (tmp_path / "outbox").glob("*.eml")]
    assert written == [one.sign(NURTURE)] * 2


def test_the_configured_transport_signs_where_there_is_a_key(one, tmp_path):
    text = "dkim: {selector: s1, key: '${RSA}'}\n"
    (tmp_path / "config.yaml").write_text(text)
    transport = carrier(load_config(tmp_path / "config.yaml", {"RSA": RSA}))
    assert [outcome for _, outcome in transport.deliver([Letter(1)], lambda _: True)]
    [path] = (tmp_path / "var/outbox").glob("*.eml")
    assert path.read_bytes() == one.sign(NURTURE)


@pytest.mark.parametrize("domain", ["example.com", "mail.example.com"])
def test_a_domain_above_or_below_that_of_the_sender_signs_for_it(tmp_path, domain):
    text = f"dkim: {{selector: s1, key: '${{RSA}}', domain: {domain}}}\n"
    text += "sender: {email: jobs@example.com}\n"
    found = signing(tmp_path, text)
    assert f"d={domain};".encode() in found.sign(NURTURE)
    assert found.records()[0][0] == f"s1._domainkey.{domain}"
