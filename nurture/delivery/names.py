"""What does the DNS say about a domain? Asked for the doctor, never while mail is on its way."""

from typing import Protocol

import dns.exception
import dns.resolver

#: For all tries of one question: offline, an answer is not worth waiting for.
_SECONDS = 3.0


class CannotAsk(Exception):  # noqa: N818 - a state: what the domain says is not known
    """Nobody answered."""


class Names(Protocol):
    """Answers about names; nothing where there is no such record. Raises CannotAsk."""

    def txt(self, name: str) -> list[str]: ...
    def mx(self, name: str) -> list[str]: ...


class Dns:
    """Asks the resolvers of this machine."""

    def txt(self, name: str) -> list[str]:
        """Each record whole: what is long is published in pieces."""
        records = self._ask(name, "TXT")
        return [b"".join(each.strings).decode("utf-8", "replace") for each in records]

    def mx(self, name: str) -> list[str]:
        """Hosts that take its mail, the preferred first; `.` says that it takes none (RFC 7505)."""
        records = sorted(self._ask(name, "MX"), key=lambda each: int(each.preference))
        return [str(each.exchange) for each in records]

    @staticmethod
    def _ask(name: str, kind: str) -> list:  # type: ignore[type-arg]
        try:
            return list(dns.resolver.resolve(name, kind, lifetime=_SECONDS, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise CannotAsk(type(error).__name__) from error
