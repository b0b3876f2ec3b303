"""Who vouches for a mail? Our domain, by a DKIM signature over its body and its headers (RFC 6376).

`c=relaxed/simple`: headers may be folded anew on the way, which relays do (under `simple` a folded
List-Unsubscribe fails); the body is quoted-printable with short lines, which nothing rewrites, and
so is hashed as it is, at a twentieth of the cost.

The signature goes on last, in the lane that hands the mail over: it takes longer than all the rest
of a mail together, and the library lets go of the interpreter meanwhile.
"""

import hashlib
import os
import stat
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Generic, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from nurture.config import Config, DkimKey
from nurture.core.lines import Lines
from nurture.core.model import Outcome
from nurture.delivery.transport import L, Transport, unheard
from nurture.errors import UsageError

RSA_BITS_MIN = 2048  #: Google's advice; RFC 8301 section 3.2 asks for 1024 at least
RSA_BITS_MAX = 4096  #: verifiers need not read longer ones (RFC 8301 section 3.2)

#: What is signed where it is there, in this order.
SIGNED = (
    *("from", "reply-to", "to", "subject", "date", "message-id", "in-reply-to", "references"),
    *("list-unsubscribe", "list-unsubscribe-post", "feedback-id"),
    *("content-language", "mime-version", "content-type"),
)
#: Named once more than they are there, so that nobody can add another (RFC 6376 section 8.15).
OVERSIGNED = frozenset(
    {"from", "reply-to", "to", "subject", "date", "list-unsubscribe", "list-unsubscribe-post"}
)
_LINE = 72


class Signing:
    """Signs whole messages. Safe to use from several threads.

    Raises UsageError where a key cannot be read, is too weak, or can be read by others.
    """

    def __init__(self, config: Config) -> None:
        dkim = config.dkim
        if dkim is None:
            raise UsageError("config.yaml has no `dkim:`, so there is no key to sign with")
        domain = (dkim.domain or config.sender.email.rpartition("@")[2]).lower()
        self.domain = domain.encode("idna").decode() if not domain.isascii() else domain
        given = [("dkim", dkim), *([("dkim.second", dkim.second)] if dkim.second else [])]
        self._keys = [_read(where, key, config.root) for where, key in given]

    def sign(self, raw: bytes) -> bytes:
        """`raw` (RFC 5322, CRLF) with a signature by each key on top."""
        end = raw.index(b"\r\n\r\n")
        body_hash = b64encode(hashlib.sha256(_body(raw, end + 4)).digest())
        found = _relaxed(raw[:end])
        named = _named(tuple(name for name in SIGNED if name in found))
        signed = b"".join([found[name] for name in SIGNED if name in found])
        whole = b"".join((*(self._by(key, body_hash, named, signed) for key in self._keys), raw))
        return Lines(whole) if isinstance(raw, Lines) else whole

    def records(self) -> list[tuple[str, str]]:
        """What has to stand in the DNS as TXT: name and content."""
        return [
            (f"{key.selector}._domainkey.{self.domain}", f"v=DKIM1; k={key.kind}; p={key.public}")
            for key in self._keys
        ]

    def _by(self, key: "_Key", body_hash: bytes, named: str, signed: bytes) -> bytes:
        own = (
            f"v=1; a={key.kind}-sha256; c=relaxed/simple; d={self.domain};\r\n"
            f" s={key.selector}; bh={body_hash.decode()};\r\n"
            f" h={named};\r\n b="
        )
        relaxed = f"dkim-signature:{own}".replace("\r\n", "").encode()
        value = b64encode(key.sign(signed + relaxed)).decode()
        lines = [value[at : at + _LINE] for at in range(0, len(value), _LINE)]
        return b"DKIM-Signature: %b\r\n" % (own + "\r\n ".join(lines)).encode()


class Signed:
    """A transport whose letters leave signed. Each is signed where its bytes are first asked for:
    in the lane that hands it over."""

    def __init__(self, inner: Transport, signing: Signing) -> None:
        self._inner = inner
        self._signing = signing

    def deliver(
        self,
        letters: Iterable[L],
        offer: Callable[[L], bool],
        heard: Callable[[L, Outcome], None] = unheard,
    ) -> Iterator[tuple[L, Outcome | None]]:
        """See Transport."""
        unsigned = (_Signed(each, self._signing) for each in letters)
        for each, outcome in self._inner.deliver(
            unsigned,
            lambda each: offer(each.letter),
            lambda each, outcome: heard(each.letter, outcome),
        ):
            yield each.letter, outcome

    def close(self) -> None:
        self._inner.close()


class _Signed(Generic[L]):
    def __init__(self, letter: L, signing: Signing) -> None:
        self.letter = letter
        self.sender, self.to, self.message_id = letter.sender, letter.to, letter.message_id
        self._signing = signing

    @cached_property
    def raw(self) -> bytes:
        return self._signing.sign(self.letter.raw)


def _body(raw: bytes, start: int) -> memoryview | bytes:
    """As RFC 6376 section 3.4.3 writes it: without the empty lines at its end."""
    end = len(raw)
    while raw.endswith(b"\r\n\r\n", start, end):
        end -= 2
    whole = raw.endswith(b"\r\n", start, end)
    return memoryview(raw)[start:end] if whole else raw[start:end] + b"\r\n"


def _relaxed(head: bytes) -> Mapping[str, bytes]:
    """Headers as RFC 6376 section 3.4.2 writes them, each with its CRLF; of several of one name,
    the last."""
    found: dict[str, bytes] = {}
    for line in head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n"):
        name, _, value = line.partition(b":")
        name = name.rstrip().lower()
        found[name.decode("ascii")] = b"%b:%b\r\n" % (name, b" ".join(value.split()))
    return found


@lru_cache(maxsize=64)
def _named(present: Sequence[str]) -> str:
    """`h=` of a mail with these headers, folded: there are about as many as kinds of mail."""
    names = [name for name in SIGNED for _ in range((name in present) + (name in OVERSIGNED))]
    lines = [names[0]]
    for name in names[1:]:
        if len(lines[-1]) + len(name) + 2 > _LINE:
            lines.append(name)
        else:
            lines[-1] += f":{name}"
    return ":\r\n ".join(lines)


# --- keys ---------------------------------------------------------------------------------------


class _Sign(Protocol):
    def __call__(self, data: bytes, /) -> bytes: ...


@dataclass(frozen=True)
class _Key:
    selector: str
    kind: str  #: rsa | ed25519: so it stands in `a=` and in the DNS
    public: str  #: base64, for the DNS
    sign: _Sign


def _read(where: str, given: DkimKey, root: Path) -> _Key:
    text = _text(where, given, root)
    key = _private(where, text)
    if isinstance(key, Ed25519PrivateKey):
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

        def sign_hash(data: bytes) -> bytes:
            return key.sign(hashlib.sha256(data).digest())  # RFC 8463 section 3

        return _Key(given.selector, "ed25519", b64encode(public).decode(), sign_hash)
    if not RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
        raise UsageError(
            f"{where}: an RSA key of {key.key_size} bits; {RSA_BITS_MIN} to {RSA_BITS_MAX} are "
            "fit for mail: openssl genrsa 2048"
        )
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    padding, digest = PKCS1v15(), SHA256()

    def sign(data: bytes) -> bytes:
        return key.sign(data, padding, digest)

    return _Key(given.selector, "rsa", b64encode(public).decode(), sign)


def _text(where: str, given: DkimKey, root: Path) -> bytes:
    if given.key is not None:
        return given.key.get_secret_value().replace("\\n", "\n").strip().encode()
    path = root / (given.key_file or "")
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077 and os.name == "posix":
            raise UsageError(f"{where}.key_file: others can read {path}; chmod 600 it")
        return path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"{where}.key_file: {path} cannot be read: {error.strerror}") from None


def _private(where: str, text: bytes) -> RSAPrivateKey | Ed25519PrivateKey:
    """From PEM, or from the base64 between its lines: an environment variable is one line."""
    try:
        if text.startswith(b"-----"):
            key = load_pem_private_key(text, None)
        else:
            key = load_der_private_key(b64decode(b"".join(text.split()), validate=True), None)
    except (ValueError, TypeError, UnsupportedAlgorithm, NotBase64):
        # Never the library's own words: they may hold a piece of the key.
        raise UsageError(f"{where}: no private key that can be read, in PEM and unlocked") from None
    if isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        return key
    raise UsageError(f"{where}: the key is neither RSA nor Ed25519, and DKIM knows no others")
