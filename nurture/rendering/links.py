"""Who does a link in a mail belong to?

A token is the candidate's id and a 128-bit HMAC over purpose and id: 32 characters, so that the
whole List-Unsubscribe value stays under the 77 characters that mail software can fold safely. It
never expires: a link mailed last year must still unsubscribe (CASL, CAN-SPAM).
"""

import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from nurture.errors import UsageError

UNSUBSCRIBE = "unsubscribe"  #: {public_url}/u/{token}
PREFERENCES = "preferences"  #: {public_url}/p/{token}

_ID_BYTES = 8
_MAC_BYTES = 16
_TOKEN_LENGTH = 32
_KEY_LENGTH_MIN = 16


class Signer:
    """Signs with the first key; tokens of every key are read."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("a signer needs a key")
        self._keys = tuple(keys)

    def token(self, purpose: str, candidate_id: int) -> str:
        """32 characters that are safe in a URL."""
        number = candidate_id.to_bytes(_ID_BYTES, "big")
        return urlsafe_b64encode(number + self._mac(self._keys[0], purpose, number)).decode()

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
        matches = [hmac.compare_digest(self._mac(key, purpose, number), mac) for key in self._keys]
        return int.from_bytes(number, "big") if any(matches) else None

    @staticmethod
    def _mac(key: bytes, purpose: str, number: bytes) -> bytes:
        return hmac.digest(key, purpose.encode() + b"\0" + number, "sha256")[:_MAC_BYTES]


def load_secret(var: Path, env: Mapping[str, str]) -> Signer:
    """The project's signer.

    Keys come from NURTURE_SECRET (separated by commas) and then from `var/secret` (one a line),
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
    return Signer([key.encode() for key in given])


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
