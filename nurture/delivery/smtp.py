"""How is a message handed to a mail server, and what did the server say?

One connection is kept and used again, with RSET between messages. A connection that the server
closed while it lay idle is opened again without any ado (Yahoo closes without a word after so many
messages). Nothing has happened until the content is offered: every failure before that is "not
now". Once the first byte of content has left, silence means that nobody knows.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from pydantic import SecretStr

from nurture.config import is_loopback
from nurture.core.model import Accepted, Blame, Deferred, Outcome, Rejected, Unknown
from nurture.delivery.replies import Stage, refusal, shown
from nurture.delivery.transport import L, one_by_one
from nurture.errors import UsageError

_ENVELOPE_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")  # printable ASCII, no space, < or >
_MESSAGES_MAX = 100  #: on one connection
_TIMEOUT_SECONDS = 60.0


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


class Smtp:
    """A transport over one SMTP connection. One a lane: it is not safe for several threads.

    `tls` replaces the system's certificate authorities (a company's own). Raises UsageError for
    plaintext to anything but this machine.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
        messages_max: int = _MESSAGES_MAX,
    ) -> None:
        if settings.security == "plain" and not is_loopback(settings.host):
            raise UsageError(
                f"plaintext SMTP to {settings.host} is refused: set security to starttls or tls"
            )
        self._settings = settings
        self._tls = tls
        self._timeout = timeout_seconds
        self._messages_max = messages_max
        self._connection: smtplib.SMTP | None = None
        self._used = 0

    def deliver(
        self, letters: Iterable[L], offer: Callable[[L], bool]
    ) -> Iterator[tuple[L, Outcome | None]]:
        """See Transport."""
        return one_by_one(
            letters,
            offer,
            lambda letter: self.hand_over(letter.sender, letter.to, letter.raw, letter.message_id),
        )

    def hand_over(self, envelope_from: str, to: str, raw: bytes, message_id: str) -> Outcome:  # noqa: ARG002
        """See Transport. `raw` is sent as it is, with dots doubled."""
        for address, blame in ((to, Blame.ADDRESS), (envelope_from, Blame.SENDER)):
            if not _ENVELOPE_ADDRESS.fullmatch(address):
                return Rejected(text="not an address that SMTP can carry", blame=blame)
        again = self._connection is not None
        while True:
            try:
                connection = self._ready()
            except _NotReady as error:
                self._drop()
                return Deferred(text=str(error), code=error.code)
            try:
                refused = self._envelope(connection, envelope_from, to)
            except (smtplib.SMTPException, OSError) as error:
                self._drop()
                if again:  # the kept connection was gone: a new one, without penalty
                    again = False
                    continue
                return Deferred(text=_lost(error))
            if refused is not None:
                return refused
            self._used += 1
            return self._content(connection, raw)

    def close(self) -> None:
        """QUIT, politely; the next message opens a new connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()

    # --- one message ---------------------------------------------------------------------------

    def _envelope(self, connection: smtplib.SMTP, envelope_from: str, to: str) -> Outcome | None:
        """Everything before the content. None: the server waits for it."""
        for stage, command, wanted in (
            (Stage.SENDER, f"MAIL FROM:<{envelope_from}>", 250),
            (Stage.RECIPIENT, f"RCPT TO:<{to}>", 250),
            (Stage.CONTENT, "DATA", 354),
        ):
            code, reply = connection.docmd(command)
            if code != wanted and not (wanted == 250 and code in (251, 252)):
                outcome = self._refused(code, reply, stage)
                if code == 421:
                    self._drop()
                return outcome
        return None

    def _content(self, connection: smtplib.SMTP, raw: bytes) -> Outcome:
        try:
            body = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
            body = body.replace(b"\r\n.", b"\r\n..")
            connection.send((b"." + body if body.startswith(b".") else body) + b".\r\n")
            code, reply = connection.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            return Unknown(text=_lost(error))
        if code == 250:
            return Accepted(text=shown(None, _text(reply)))
        if code == 421:
            self._drop()
        if code < 400:
            self._drop()
            return Unknown(text=f"an answer that means nothing here: {shown(code, _text(reply))}")
        return self._refused(code, reply, Stage.CONTENT)

    @staticmethod
    def _refused(code: int, reply: bytes, stage: Stage) -> Outcome:
        if code < 400:
            return Deferred(text=f"unexpected answer: {shown(code, _text(reply))}", code=code)
        return refusal(code, _text(reply), stage)

    # --- the connection --------------------------------------------------------------------------

    def _ready(self) -> smtplib.SMTP:
        """The kept connection if it still answers, else a new one. Raises _NotReady."""
        if self._connection is not None and self._used >= self._messages_max:
            self.close()
        if self._connection is not None:
            try:
                if self._connection.docmd("RSET")[0] == 250:
                    return self._connection
            except (smtplib.SMTPException, OSError):
                pass
            self._drop()
        try:
            self._connection = self._connect()
        except smtplib.SMTPResponseException as error:
            raise _NotReady(
                shown(error.smtp_code, _text(error.smtp_error)), error.smtp_code
            ) from None
        except ssl.SSLError as error:
            raise _NotReady(f"no safe connection to {self._place()}: {error.reason}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise _NotReady(f"{self._place()} cannot be used: {_lost(error)}") from None
        self._used = 0
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        tls = self._tls or ssl.create_default_context()
        name = _own_name()
        connection: smtplib.SMTP
        if settings.security == "tls":
            connection = smtplib.SMTP_SSL(
                settings.host, settings.port, name, timeout=self._timeout, context=tls
            )
        else:
            connection = smtplib.SMTP(settings.host, settings.port, name, timeout=self._timeout)
        try:
            connection.ehlo_or_helo_if_needed()
            if settings.security == "starttls":
                connection.starttls(context=tls)
                connection.ehlo_or_helo_if_needed()
            if settings.username and settings.password is not None:
                connection.login(settings.username, settings.password.get_secret_value())
        except BaseException:
            connection.close()
            raise
        return connection

    def _place(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _NotReady(Exception):  # noqa: N818 - never leaves this file
    """There is no connection over which a message could be offered."""

    def __init__(self, why: str, code: int | None = None) -> None:
        super().__init__(why)
        self.code = code


def _own_name() -> str:
    """For EHLO. smtplib's own way asks DNS, which can take half a minute offline."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _lost(error: Exception) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error):  # smtplib wraps it
        return "no answer in time"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the server closed the connection"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return shown(None, str(error)) or type(error).__name__


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
