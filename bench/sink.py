"""Who takes the mail of a measurement? Postfix's smtp-sink where there is one, else ours.

Ours answers 250 to all and keeps nothing; it looks for nothing but the ends of commands and the
final dot. It can write a line for each mail it took: when, for whom, how many bytes.
"""

import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_GREETING = b"220 sink ESMTP\r\n"
_OFFER = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"


@dataclass(frozen=True)
class Taken:
    at: float  #: seconds since the epoch, when the 250 went out
    to: str
    size: int  #: bytes of its content, without the final dot


@dataclass(frozen=True)
class Sink:
    name: str
    port: int
    count: Callable[[], int]

    def has_taken(self, many: int, since: int) -> bool:
        """Whether it took exactly so many; the last of them may still be on its way."""
        end = time.monotonic() + 5
        while self.count() - since < many and time.monotonic() < end:
            time.sleep(0.01)
        return self.count() - since == many


@contextmanager
def running() -> Iterator[int]:
    """Ours; its port on this machine."""
    with _ours() as port:
        yield port


@contextmanager
def fastest() -> Iterator[Sink]:
    """The sink of a comparison."""
    program = shutil.which("smtp-sink", path=os.environ.get("PATH", "") + ":/usr/sbin")
    with TemporaryDirectory() as folder:
        if program is None:
            log = Path(folder) / "taken"
            with _ours(log) as port:
                yield Sink("bench/sink.py, as there is no smtp-sink here", port, _lines(log))
            return
        with _smtp_sink(program, Path(folder) / "counters") as sink:
            yield sink


@contextmanager
def watched() -> Iterator[tuple[int, Callable[[], list[Taken]]]]:
    """Ours, with what it took so far."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "taken"
        with _ours(log) as port:
            yield port, lambda: [_read(line) for line in log.read_text().splitlines()]


@contextmanager
def _smtp_sink(program: str, counters: Path) -> Iterator[Sink]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to work as root
    command = [program, *user, "-c", f"127.0.0.1:{port}", "1024"]
    with counters.open("wb") as file, subprocess.Popen(command, stdout=file) as process:
        try:
            _answers(port, process)
            yield Sink("smtp-sink", port, lambda: _mesg(counters))
        finally:
            process.terminate()


def _answers(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("smtp-sink does not start") from None
            time.sleep(0.02)


def _mesg(counters: Path) -> int:
    """It writes `sess=1 quit=0 mesg=17` over and over, a carriage return before each."""
    with counters.open("rb") as file:
        file.seek(max(0, counters.stat().st_size - 200))
        found = re.findall(rb"mesg=(\d+)(?=\s)", file.read() + b" ")
    return int(found[-1]) if found else 0


def _lines(log: Path) -> Callable[[], int]:
    return lambda: log.read_bytes().count(b"\n")


def _read(line: str) -> Taken:
    at, to, size = line.split("\t")
    return Taken(at=float(at), to=to, size=int(size))


@contextmanager
def _ours(log: Path | None = None) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.sink", *([str(log)] if log else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        yield int(process.stdout.readline())
        process.stdin.close()


class _Session(socketserver.BaseRequestHandler):
    """Commands may come several at once (RFC 2920); replies go in their order."""

    server: "_Sink"
    _rest = b""
    _to = ""

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        self.request.sendall(_GREETING)
        while command := self._until(b"\r\n"):
            word = command[:4].upper()
            if word == b"EHLO":
                self.request.sendall(_OFFER)
            elif word == b"DATA":
                self._content()
            else:
                if word == b"RCPT":
                    self._to = command[command.find(b"<") + 1 : command.find(b">")].decode()
                self.request.sendall(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return

    def _content(self) -> None:
        self.request.sendall(b"354 go on\r\n")
        self._rest = b"\r\n" + self._rest  # so that a lone dot is found too
        content = self._until(b"\r\n.\r\n")
        if content:
            self.server.note(self._to, len(content) - 5)
            self.request.sendall(b"250 ok\r\n")

    def _until(self, mark: bytes) -> bytes:
        """The next bytes up to this mark, which they end with; none when the other side is gone."""
        found, rest = -1, self._rest
        seen = 0
        while (found := rest.find(mark, seen)) < 0:
            seen = max(0, len(rest) - len(mark) + 1)
            try:
                more = self.request.recv(65536)
            except ConnectionError:
                return b""
            if not more:
                return b""
            rest += more
        end = found + len(mark)
        self._rest = rest[end:]
        return rest[:end]


class _Sink(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64
    log = None
    _one_at_a_time = threading.Lock()

    def note(self, to: str, size: int) -> None:
        if self.log is not None:
            with self._one_at_a_time:
                self.log.write(f"{time.time():.6f}\t{to}\t{size}\n")
                self.log.flush()


def main() -> None:
    with _Sink(("127.0.0.1", 0), _Session) as server:
        if len(sys.argv) > 1:
            server.log = Path(sys.argv[1]).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
