"""A mail server that does what it is told, byte by byte, and counts its round trips."""

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace

from nurture.delivery.connection import Patience
from nurture.delivery.smtp import Smtp

#: What a server can do instead of answering.
HANG_UP, HANG = "hang up", "hang"

FROM = "talent@example.com"
RAW = b"Subject: Hello\r\n\r\n.leading dot\r\nZo=C3=AB\r\n..two\r\n"
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_USUAL = {
    "EHLO": "",
    "HELO": "250 hello",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 go on",
    "CONTENT": "250 2.0.0 queued",
    "RSET": "250 2.0.0 Ok",
    "QUIT": "221 bye",
}


class Scripted:
    """`script` is asked for each verb (also `GREETING`, `READING` after
    a 354 and `CONTENT` after a final dot) with the
    name before the @ of the recipient, as far as known, and the number of the connection. What it
    gives is said instead of the usual; HANG_UP and HANG are done. Answers to what came together
    leave together. It refuses bare line feeds, as strict servers do."""

    def __init__(
        self,
        script: Callable[[str, str, int], str | None] = lambda *_: None,
        keywords: str = "PIPELINING, 8BITMIME",
    ) -> None:
        self.script = script
        self.keywords = keywords.split(", ")
        self.taken: list[tuple[str, bytes]] = []
        self.heard: list[str] = []  #: commands, of all connections
        self.connections = 0
        self.open_at_most = 0
        self.turns = 0  #: how often it answered, and waited for more
        self.release = threading.Event()  #: lets those go on that hang
        self.transports: list[Smtp] = []  #: closed when it stops
        self._open = 0
        self._sessions: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    @property
    def names(self) -> list[str]:
        return [to.partition("@")[0] for to, _ in self.taken]

    def stop(self) -> None:
        self.release.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for transport in self.transports:
            transport.close()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for session in self._sessions:
            session.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(client)
            session = threading.Thread(target=self._serve, args=(client, self.connections))
            self._sessions.append(session)
            session.start()

    def _serve(self, client: socket.socket, number: int) -> None:
        self._open += 1
        self.open_at_most = max(self.open_at_most, self._open)
        try:
            _Session(self, client, number).run()
        except OSError:
            pass
        finally:
            self._open -= 1
            client.close()


class _Session:
    def __init__(self, server: Scripted, client: socket.socket, number: int) -> None:
        self.server, self.client, self.number = server, client, number
        self.unread, self.unsaid = b"", b""
        self.to = ""

    def run(self) -> None:
        if not self.answer("GREETING", "220 ready"):
            return
        while (line := self.until(b"\r\n")) is not None:
            command = line.decode()
            self.server.heard.append(command)
            verb = command[:4].upper()
            if verb == "RCPT":
                self.to = command.partition("<")[2].partition(">")[0]
            usual = _USUAL.get(verb, "500 what?")
            if verb == "EHLO":
                *more, last = ["hello", *self.server.keywords]
                usual = "\r\n".join([*(f"250-{each}" for each in more), f"250 {last}"])
            if not self.answer(verb, usual):
                return
            if verb == "QUIT":
                self.flush()
                return
            if self.last.startswith("354") and not self.content():
                return

    def content(self) -> bool:
        if self.says("READING", "") and not self.answer("READING", ""):
            return False
        self.unread = b"\r\n" + self.unread  # a lone dot is an end as well
        raw = self.until(b"\r\n.\r\n")
        if raw is None:
            return False
        raw = raw[2:]
        if _BARE.search(raw):
            return self.answer("CONTENT", "550 5.6.11 bare line feed")
        usual = _USUAL["CONTENT"] if raw else "554 5.5.1 no recipients"
        if raw and self.says("CONTENT", usual).startswith(("250", HANG_UP)):
            self.server.taken.append((self.to, re.sub(rb"(?m)^\.", b"", raw + b"\r\n")))
        return self.answer("CONTENT", usual)

    def says(self, verb: str, usual: str) -> str:
        return self.server.script(verb, self.to.partition("@")[0], self.number) or usual

    def answer(self, verb: str, usual: str) -> bool:
        """Whether the session goes on."""
        said = self.last = self.says(verb, usual)
        if said == HANG:
            self.flush()
            self.server.release.wait(20)
            return False
        if said.endswith(HANG_UP):
            self.unsaid += said.removesuffix(HANG_UP).encode()
            self.flush()
            self.client.shutdown(socket.SHUT_RDWR)
            return False
        self.unsaid += said.encode() + b"\r\n"
        return True

    def until(self, end: bytes) -> bytes | None:
        while end not in self.unread:
            self.flush()
            data = self.client.recv(65_536)
            if not data:
                return None
            self.unread += data
        found, _, self.unread = self.unread.partition(end)
        return found

    def flush(self) -> None:
        if self.unsaid:
            self.server.turns += 1
            self.client.sendall(self.unsaid)
            self.unsaid = b""


def settings(port: int, **others: object) -> SimpleNamespace:
    usual = {
        "host": "127.0.0.1",
        "port": port,
        "security": "plain",
        "username": None,
        "password": None,
        "connections": 1,
        "messages_per_connection": 100,
    }
    return SimpleNamespace(**usual | others)


def smtp(server: Scripted, patience: Patience | None = None, **others: object) -> Smtp:
    patience = patience or Patience(connecting=5, command=5, content=5)
    server.transports.append(Smtp(settings(server.port, **others), patience=patience))
    return server.transports[-1]


def letter(name: str, raw: bytes = RAW, sender: str = FROM) -> SimpleNamespace:
    to = name if "@" in name else f"{name}@example.com"
    return SimpleNamespace(sender=sender, to=to, raw=raw, message_id=f"<{name}>")
