"""Who does a link in a mail belong to, and what does it say?

A token is the candidate's id and a 128-bit HMAC over purpose and id: 32 characters, so that the
whole List-Unsubscribe value stays under the 77 characters that mail software can fold safely. It
never expires: a link mailed last year must still unsubscribe (CASL, CAN-SPAM). The token of an
answer also says which mail asked, which question, and which option: some 45 characters.
"""

import hmac
import os
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nurture.errors import UsageError

UNSUBSCRIBE = "unsubscribe"  #: {public_url}/u/{token}
PREFERENCES = "preferences"  #: {public_url}/p/{token}
ANSWER = "answer"  #: {public_url}/a/{token}
CONFIDENCES = "confidences"  #: {public_url}/p/needs/{token}

_ID_BYTES = 8
_MAC_BYTES = 16
_TOKEN_LENGTH = 32
_KEY_LENGTH_MIN = 16
_ANSWER_LENGTH_MAX = 200
_ANSWER = re.compile(rb"([0-9a-f]{1,16})\.([0-9a-f]{1,16})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class Answer(NamedTuple):
    """What the link of one option of a question says."""

    candidate_id: int
    message_id: int  #: the row's; 0: the mail was only a preview
    question: str
    option: str


class Signer:
    """Signs with the first key; tokens of every key are read."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("a signer needs a key")
        # Begun once a key, and copied: unlike the one-shot call it never lets another thread in.
        self._macs = tuple(hmac.new(key, digestmod="sha256") for key in keys)

    def token(self, purpose: str, candidate_id: int) -> str:
        """32 characters that are safe in a URL."""
        number = candidate_id.to_bytes(_ID_BYTES, "big")
        return urlsafe_b64encode(number + self._mac(self._macs[0], purpose, number)).decode()

    def read(self, purpose: str, token: str) -> int | None:
        """Whose token this is; None for every other text. Takes the same time for all."""
        if len(token) != _TOKEN_LENGTH or not token.isascii():
            return None
        try:
            raw = urlsafe_b64decode(token)
        except ValueError:
            return None
        if urlsafe_b64encode(raw).decode() != token:
            return None  # characters that are not base64url were skipped
        number, mac = raw[:_ID_BYTES], raw[_ID_BYTES:]
        matches = [hmac.compare_digest(self._mac(key, purpose, number), mac) for key in self._macs]
        return int.from_bytes(number, "big") if any(matches) else None

    def answer_token(self, answer: Answer) -> str:
        """Characters that are safe in a URL."""
        said = f"{answer.candidate_id:x}.{answer.message_id:x}.{answer.question}.{answer.option}"
        content = said.encode("ascii")
        sealed = self._mac(self._macs[0], ANSWER, content) + content
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def read_answer(self, token: str) -> Answer | None:
        """What this token says; None for every other text."""
        if len(token) > _ANSWER_LENGTH_MAX or not token.isascii() or "=" in token:
            return None
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        if urlsafe_b64encode(raw).decode().rstrip("=") != token:
            return None
        mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        matches = [hmac.compare_digest(self._mac(key, ANSWER, content), mac) for key in self._macs]
        said = _ANSWER.fullmatch(content)
        if not any(matches) or said is None:
            return None
        return Answer(int(said[1], 16), int(said[2], 16), said[3].decode(), said[4].decode())

    def seal(self, purpose: str, content: bytes) -> str:
        """Says that `content` is ours and for this purpose: 22 characters, safe in a URL."""
        mac = self._mac(self._macs[0], purpose, content)
        return urlsafe_b64encode(mac).decode().rstrip("=")

    def holds(self, purpose: str, content: bytes, seal: str) -> bool:
        """Whether this is such a seal. Takes the same time for each."""
        given = seal.encode("utf-8", "replace")
        found = [
            hmac.compare_digest(
                urlsafe_b64encode(self._mac(key, purpose, content)).rstrip(b"="), given
            )
            for key in self._macs
        ]
        return any(found)

    @staticmethod
    def _mac(key: hmac.HMAC, purpose: str, content: bytes) -> bytes:
        mac = key.copy()
        mac.update(purpose.encode() + b"\0" + content)
        return mac.digest()[:_MAC_BYTES]


def load_secret(var: Path, env: Mapping[str, str]) -> Signer:
    """The project's signer, by its `keys`."""
    return Signer([key.encode() for key in keys(var, env)])


def keys(var: Path, env: Mapping[str, str]) -> list[str]:
    """The project's keys.

    They come from NURTURE_SECRET (separated by commas) and then from `var/secret` (one a line),
    newest first. Without either, `var/secret` is made, readable by its owner only.
    """
    path = var / "secret"
    given = [key.strip() for key in env.get("NURTURE_SECRET", "").split(",") if key.strip()]
    if not given and not path.exists():
        _make(path)
    if path.exists():
        given += path.read_text(encoding="ascii").split()
    if any(len(key) < _KEY_LENGTH_MIN for key in given):
        raise UsageError(
            f"NURTURE_SECRET and {path} need keys of {_KEY_LENGTH_MIN} characters or more"
        )
    if not given:
        raise UsageError(f"{path} is empty: remove it, or set NURTURE_SECRET")
    return given


def add_keys(var: Path, more: Sequence[str]) -> int:
    """Keys that came back from a backup are accepted from now on, after those that there are; how
    many were new."""
    path = var / "secret"
    there = path.read_text(encoding="ascii").split() if path.exists() else []
    new = [key for key in more if key not in there]
    if new:
        ours = path.with_name(f"{path.name}.{os.getpid()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(ours, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("".join(f"{key}\n" for key in (*there, *new)))
        ours.replace(path)
    return len(new)


def _make(path: Path) -> None:
    """Whole or not at all, and never over one that another process made meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ours = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(ours, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    try:
        path.hardlink_to(ours)
    except FileExistsError:
        pass
    finally:
        ours.unlink()
