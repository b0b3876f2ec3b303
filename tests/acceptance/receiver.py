"""What did the world get? A mail server that remembers, misbehaves by a seed, and can kill.

It decides by address and attempt, so what it does depends on the seed and not on who came first.
Whoever is `gone` it refuses for good.
It speaks PIPELINING and refuses bare line feeds. Whoever is in `deadly` dies at an exact moment of
a conversation: the server itself sends the SIGKILL before it does or says anything more.
"""

import os
import random
import re
import signal
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

#: The moments of a conversation at which somebody can be killed.
MOMENTS = ("greeting", "envelope", "go-ahead", "content", "dot", "answered")
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_HANG_UP = "hang up"


@dataclass
class Mail:
    """Content that began to arrive."""

    life: int  #: of the daemon that sent it, counted by the test
    to: str
    at: float
    raw: bytes = b""  #: as far as it came
    accepted: bool = False  #: the server has it, and is responsible for it from here on
    answer: str = ""  #: what was said after the final dot
    left_waiting: bool = False  #: the server hung up instead of answering

    @property
    def subject(self) -> str:
        return _header(self.raw, b"Subject")

    @property
    def message_id(self) -> str:
        return _header(self.raw, b"Message-ID")


@dataclass
class Deadly:
    """Who dies, and when."""

    pid: int
    moment: str
    n: int  #: at the n-th such moment
    struck: threading.Event = field(default_factory=threading.Event)


#: What is said to the content (or, with True, to the recipient) of an address at an attempt.
Habits = Callable[[str, int], tuple[str, float]]


def steady(_to: str, _attempt: int) -> tuple[str, float]:
    return "250 2.0.0 queued", 0.0


def moody(seed: int) -> Habits:
    """A server on a bad day."""

    def habits(to: str, attempt: int) -> tuple[str, float]:
        dice = random.Random(f"{seed} {to} {attempt}")
        delay = dice.choice((0, 0, 0, 0.001, 0.004, 0.015))
        lot = dice.random()
        if lot < 0.03:
            return "rcpt 450 4.2.1 come back later", delay
        if lot < 0.07:
            return "451 4.3.0 not now", delay
        if lot < 0.08:
            return "taken, then " + _HANG_UP, delay
        if lot < 0.09:
            return "lost, then " + _HANG_UP, delay
        if lot < 0.10:
            return "halfway " + _HANG_UP, delay
        return "250 2.0.0 queued", delay

    return habits


class Receiver:
    """Listens on a port of its own until it is stopped, and again there when it is begun again."""

    def __init__(self, habits: Habits = steady) -> None:
        self.habits = habits
        self.life = 0
        self.deadly: Deadly | None = None
        self.mails: list[Mail] = []
        self.announced: Counter[str] = Counter()  #: recipients whose envelope was heard
        self.port = 0
        self.tls: ssl.SSLContext | None = None  #: with it, STARTTLS is offered
        self.patience = threading.Event()  #: set: who was stalled in the middle is hung up on
        self._attempts: Counter[str] = Counter()
        self._moments: Counter[str] = Counter()  #: of this life
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.begin()

    @property
    def accepted(self) -> list[Mail]:
        with self._lock:
            return [each for each in self.mails if each.accepted]

    def begin(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._run(self._accept, self._listener)

    def stop(self) -> None:
        """As if killed: whoever is connected hears no more."""
        self.patience.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._sockets.clear()

    def new_life(self) -> None:
        with self._lock:
            self.life += 1
            self.deadly = None
            self._moments.clear()

    def aim(self, pid: int, moment: str, n: int) -> Deadly:
        deadly = Deadly(pid, moment, n)
        with self._lock:
            self.deadly = deadly
            if self._moments[moment] >= n:  # it was fast
                deadly.n = self._moments[moment] + 1
        return deadly

    def reach(self, moment: str) -> None:
        """Here we are; and here somebody may die."""
        with self._lock:
            self._moments[moment] += 1
            deadly = self.deadly
            if deadly is None or (deadly.moment, deadly.n) != (moment, self._moments[moment]):
                return
            self.deadly = None
        with suppress(ProcessLookupError):
            os.kill(deadly.pid, signal.SIGKILL)
        deadly.struck.set()

    def attempt(self, to: str) -> tuple[str, float]:
        with self._lock:
            self._attempts[to] += 1
            self.announced[to] += 1
            if to.startswith("gone"):
                return "rcpt 550 5.1.1 no such mailbox", 0.0
            return self.habits(to, self._attempts[to])

    def begun(self, to: str, life: int) -> Mail:
        mail = Mail(life, to, time.time())
        with self._lock:
            self.mails.append(mail)
        return mail

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.append(client)
            self._run(self._converse, client)

    def _converse(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            _Conversation(self, client).run()

    def _run(self, target: Callable[[socket.socket], None], of: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(of,), daemon=True)
        self._threads.append(thread)
        thread.start()


class _Conversation:
    def __init__(self, server: Receiver, client: socket.socket) -> None:
        self.server, self.client = server, client
        self.life = server.life
        self.unread, self.unsaid = b"", b""

    def run(self) -> None:
        self.server.reach("greeting")
        self.unsaid += b"220 ready\r\n"
        to, plan, delay, well = "", "", 0.0, False
        while (line := self.until(b"\r\n")) is not None:
            verb = line[:4].upper()
            if verb == b"EHLO":
                offered = "250-STARTTLS\r\n" if self.server.tls else ""
                self.say("250-hello\r\n250-PIPELINING\r\n" + offered + "250 8BITMIME")
            elif verb == b"STAR" and self.server.tls:
                self.say("220 go on")
                self.flush()
                self.client = self.server.tls.wrap_socket(self.client, server_side=True)
            elif verb == b"RCPT":
                to = line.partition(b"<")[2].partition(b">")[0].decode()
                self.server.reach("envelope")
                plan, delay = self.server.attempt(to)
                well = not plan.startswith("rcpt ")
                self.say("250 2.1.5 Ok" if well else plan.removeprefix("rcpt "))
            elif verb == b"DATA" and well:
                self.server.reach("go-ahead")
                self.say("354 go on")
                if not self.content(to, plan, delay):
                    return
                well = False
            elif verb == b"DATA":
                self.say("503 5.5.1 for nobody?")
            elif verb == b"QUIT":
                self.say("221 bye")
                self.flush()
                return
            else:
                self.say("250 2.0.0 Ok")

    def content(self, to: str, plan: str, delay: float) -> bool:
        """Whether the conversation goes on."""
        self.flush()
        mail = self.server.begun(to, self.life)
        while b"\r\n.\r\n" not in self.unread:
            data = self.client.recv(4096)
            mail.raw = self.unread = self.unread + data
            self.server.reach("content")
            if plan.startswith("stall"):
                self.server.patience.wait(60)
            if not data or plan.startswith(("halfway", "stall")):
                mail.left_waiting = bool(data)
                return False
        mail.raw, _, self.unread = self.unread.partition(b"\r\n.\r\n")
        self.server.reach("dot")
        time.sleep(delay)
        if _BARE.search(mail.raw):
            plan = "550 5.6.11 bare line feed"
        mail.accepted = plan.startswith(("250", "taken"))
        if plan.endswith(_HANG_UP):
            mail.left_waiting = True
            return False
        self.say(plan)
        self.flush()
        mail.answer = plan
        self.server.reach("answered")
        return True

    def say(self, words: str) -> None:
        self.unsaid += words.encode("latin-1") + b"\r\n"

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
            self.client.sendall(self.unsaid)
            self.unsaid = b""


def _header(raw: bytes, name: bytes) -> str:
    head = raw.partition(b"\r\n\r\n")[0]
    found = re.search(rb"(?mi)^" + name + rb": ((?:.|\r\n[ \t])*?)\r$", head + b"\r\n")
    return re.sub(r"\s+", " ", found[1].decode()).strip() if found else ""


@contextmanager
def receiving(habits: Habits = steady) -> Iterator[Receiver]:
    receiver = Receiver(habits)
    try:
        yield receiver
    finally:
        receiver.stop()
