"""How does mail leave by a mail server? Over a few kept connections, several letters at once."""

import ssl
from collections.abc import Callable, Iterable, Iterator

from nurture.config import is_loopback
from nurture.core.model import Outcome
from nurture.delivery.connection import Patience, Settings, connect
from nurture.delivery.conversation import Conversation
from nurture.delivery.lanes import Lanes
from nurture.delivery.transport import L, unheard
from nurture.errors import UsageError


class Smtp:
    """A transport over the mail server of config.yaml.

    `tls` replaces the system's certificate authorities (a company's own). Raises UsageError for
    plaintext to anything but this machine.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        tls: ssl.SSLContext | None = None,
        patience: Patience = Patience(),  # noqa: B008 - frozen
    ) -> None:
        if settings.security == "plain" and not is_loopback(settings.host):
            raise UsageError(
                f"plaintext SMTP to {settings.host} is refused: set security to starttls or tls"
            )
        self._lanes = Lanes(
            [
                Conversation(
                    lambda: connect(settings, tls, patience),
                    settings.messages_per_connection,
                    patience,
                )
                for _ in range(settings.connections)
            ]
        )

    def deliver(
        self,
        letters: Iterable[L],
        offer: Callable[[L], bool],
        heard: Callable[[L, Outcome], None] = unheard,
    ) -> Iterator[tuple[L, Outcome | None]]:
        """See Transport."""
        return self._lanes.deliver(letters, offer, heard)

    def close(self) -> None:
        """QUIT, politely; the next letter opens new connections."""
        self._lanes.close()
