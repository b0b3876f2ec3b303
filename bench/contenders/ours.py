"""The contender that is ours: what `nurture run --once` does, again and again in one process.

`--way signed` signs with rsa-2048. `--way second` joins the first one's database: it opens the
same, and only sends.
"""

import sys
from argparse import Namespace
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench import mailing
from bench.contenders.at_work import serve, told
from nurture import wiring
from nurture.__main__ import rest
from nurture.clock import SetClock
from nurture.engine.sender import until_idle


class Ours:
    def __init__(self, words: Namespace) -> None:
        folder = words.at / "project"
        more = _signed(words.at) if words.way == "signed" else ""
        self.project = mailing.project(folder, words.port, words.database, more)
        self.sender = wiring.sender(self.project)
        self.clock = self.project.clock
        self.alone = words.way != "second"
        rest()  # as every `nurture` command

    def prepare(self, first: int, many: int) -> None:
        assert isinstance(self.clock, SetClock)
        if self.alone:
            mailing.clear(self.project)
            mailing.enroll(self.project, self.sender, range(first, first + many))
            mailing.settle(self.project)
        self.clock.set(mailing.DUE)

    def send(self) -> None:
        until_idle(self.project.planner, self.sender)

    def sent(self) -> int:
        return mailing.sent(self.project)


def _signed(at: Path) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = at / "dkim.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    file.chmod(0o600)
    return f"dkim: {{selector: bench, key_file: {file}}}"


if __name__ == "__main__":
    sys.exit(serve(Ours(told())))
