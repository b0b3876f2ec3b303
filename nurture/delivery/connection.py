"""How is a mail server reached safely, and how are words exchanged with it?

smtplib greets, starts TLS and logs in, because these differ from server to server and happen once.
What is said for every message goes over its socket directly: a write is one system call, and
several replies that arrive together are read together.
"""

import re
import smtplib
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import Protocol

from pydantic import SecretStr

from nurture.delivery.replies import shown

#: A TLS record: a send of so much has left whole, or not at all.
_RECORD = 16_384
_LINE_MAX = 8_192  # of a reply; RFC 5321 4.5.3.1.5 allows 512
_LINES_MAX = 200
#: QUIT is a courtesy: nobody waits for its answer for long.
_FAREWELL_SECONDS = 2.0


class Settings(Protocol):
    """What `transport:` in config.yaml says for `kind: smtp`."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def security(self) -> str: ...
    @property
    def username(self) -> str | None: ...
    @property
    def password(self) -> SecretStr | None: ...
    @property
    def connections(self) -> int: ...
    @property
    def messages_per_connection(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Patience:
    """For how many seconds a server may be silent. RFC 5321 4.5.3.2 allows it 2 to 10 minutes, but
    a silent server must not hold up everybody else's mail for so long."""

    connecting: float = 30.0  #: connecting, TLS and each word of the greeting
    command: float = 30.0  #: the answer to MAIL, RCPT, DATA; and taking a piece of the content
    content: float = 120.0  #: after the final dot, when it may look for viruses and spam


@dataclass(frozen=True, kw_only=True)
class Offers:
    """What the server said it can do (the keywords after EHLO)."""

    pipelining: bool = False
    eight_bit: bool = False
    utf8: bool = False
    size_max: int | None = None  #: bytes


class NotReady(Exception):  # noqa: N818 - never leaves this room
    """There is no connection over which a message could be offered."""

    def __init__(self, why: str, code: int | None = None) -> None:
        super().__init__(why)
        self.code = code


class Lost(Exception):  # noqa: N818 - never leaves this room
    """The connection is of no use any more. `written`: so many bytes of what was to be written had
    been given to the network, at most."""

    def __init__(self, why: str, written: int = 0) -> None:
        super().__init__(why)
        self.written = written


class Connection:
    """A session that is greeted, safe and logged in."""

    def __init__(self, server: socket.socket, offers: Offers, patience: Patience) -> None:
        self.offers = offers
        self._socket = server
        self._patience = patience
        self._piece = _RECORD if isinstance(server, ssl.SSLSocket) else None
        self._lines: deque[bytes] = deque()
        self._rest = b""  # the beginning of a line
        # A small write must not wait for the answer to the one before.
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> None:
        """Raises Lost, which says how much had left."""
        written, piece = 0, self._piece or len(data)
        try:
            self._socket.settimeout(self._patience.command)
            while written < len(data):
                part = data if piece >= len(data) and not written else data[written:][:piece]
                written += self._socket.send(part)
        except OSError as error:
            raise Lost(lost(error), written) from None

    def reply(self, seconds: float) -> tuple[int, bytes]:
        """The next whole reply: its code and its words, a line each. Raises Lost where none comes
        in time, or something that is no SMTP."""
        until = monotonic() + seconds
        words: list[bytes] = []
        while True:
            line = self._line(until)
            separator = line[3:4]
            if not line[:3].isdigit() or separator not in (b" ", b"-", b""):
                raise Lost(f"an answer that is no SMTP: {shown(None, _text(line[:80]))}")
            words.append(line[4:])
            if separator != b"-":
                return int(line[:3]), b"\n".join(words)
            if len(words) > _LINES_MAX:
                raise Lost("an answer without an end")

    def _line(self, until: float) -> bytes:
        while not self._lines:
            try:
                self._socket.settimeout(max(until - monotonic(), 0.001))
                data = self._socket.recv(65_536)
            except OSError as error:
                raise Lost(lost(error)) from None
            if not data:
                raise Lost("the server closed the connection")
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._lines.extend(lines)
            if len(self._rest) > _LINE_MAX:
                raise Lost("an answer without an end")
        return self._lines.popleft().rstrip(b"\r")

    def leave(self) -> None:
        """QUIT, politely."""
        try:
            self.write(b"QUIT\r\n")
            self.reply(_FAREWELL_SECONDS)
        except Lost:
            pass
        self.close()

    def close(self) -> None:
        self._socket.close()


def connect(settings: Settings, tls: ssl.SSLContext | None, patience: Patience) -> Connection:
    """A new connection. Raises NotReady; never goes on without the TLS that was asked for."""
    place = f"{settings.host}:{settings.port}"
    try:
        session = _session(settings, tls, patience)
    except smtplib.SMTPResponseException as error:
        said = _text(error.smtp_error)
        if error.smtp_code < 200:  # smtplib's -1
            raise NotReady(f"{place} does not speak SMTP: {shown(None, said)}") from None
        raise NotReady(shown(error.smtp_code, said), error.smtp_code) from None
    except ssl.SSLError as error:
        detail = getattr(error, "verify_message", "") or error.reason or "TLS failed"
        raise NotReady(f"no safe connection to {place}: {detail}") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotReady(f"{place} cannot be used: {lost(error)}") from None
    server = session.sock
    if session.file is not None:
        session.file.close()  # smtplib's reader; this socket has another from here on
    assert isinstance(server, socket.socket)  # noqa: S101 - smtplib says so only in words
    return Connection(server, _offers(session), patience)


@cache
def _trusted() -> ssl.SSLContext:
    """The system's certificate authorities: reading them takes longer than sending a hundred
    messages, so it is done once."""
    return ssl.create_default_context()


def _session(settings: Settings, tls: ssl.SSLContext | None, patience: Patience) -> smtplib.SMTP:
    name, seconds = _own_name(), patience.connecting
    if settings.security != "plain":
        tls = tls or _trusted()
    session: smtplib.SMTP
    if settings.security == "tls":
        session = smtplib.SMTP_SSL(settings.host, settings.port, name, timeout=seconds, context=tls)
    else:
        session = smtplib.SMTP(settings.host, settings.port, name, timeout=seconds)
    try:
        session.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            session.starttls(context=tls)
            session.ehlo_or_helo_if_needed()
        if settings.username and settings.password is not None:
            session.login(settings.username, settings.password.get_secret_value())
    except BaseException:
        session.close()
        raise
    return session


def _offers(session: smtplib.SMTP) -> Offers:
    keywords = session.esmtp_features
    size = re.match(r"\d{1,15}", keywords.get("size", ""))
    return Offers(
        pipelining="pipelining" in keywords,
        eight_bit="8bitmime" in keywords,
        utf8="smtputf8" in keywords,
        size_max=int(size[0]) or None if size else None,  # 0: no limit (RFC 1870)
    )


def _own_name() -> str:
    """For EHLO. smtplib's own way asks DNS, which can take half a minute offline."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def lost(error: Exception) -> str:
    """What became of a connection, in words that hold no address."""
    if isinstance(error, TimeoutError) or "timed out" in str(error):  # smtplib wraps it
        return "no answer in time"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the server closed the connection"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return shown(None, str(error)) or type(error).__name__


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
