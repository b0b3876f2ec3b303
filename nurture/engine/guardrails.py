"""Does a campaign do harm? Then it stops itself, and only a person lets it go on.

Too many bounces or complaints, in so many mails of the last days, stop a campaign; so does a mail
server that says it is us it refuses, or what we wrote. What every mail of ours would be refused
for stops everything.
"""

import logging
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from nurture.config import Guardrails as Limits
from nurture.core.model import Message
from nurture.core.outcome import Consequence, Halts
from nurture.store import returns, stops
from nurture.store.database import Connection, Database
from nurture.store.returns import BOUNCES, COMPLAINTS
from nurture.store.stops import CAMPAIGN, EVERYTHING, REFUSED

log = logging.getLogger("nurture.guardrails")

_EVER = datetime.min.replace(tzinfo=UTC)


class Guardrails:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def after(
        self,
        connection: Connection,
        recorded: Iterable[tuple[Message, Consequence]],
        now: datetime,
    ) -> None:
        """What came of a window of hand-overs, in the transaction that records it."""
        touched = set[str]()
        for message, result in recorded:
            if result.halts is not None:
                self._refused(connection, message, result, now)
            if result.suppress is not None:
                about = (message.id, message.candidate_id, message.campaign)
                returns.note(connection, *about, BOUNCES, now)
                touched.add(message.campaign)
        self.weigh(connection, sorted(touched), now)

    def look(self, database: Database, now: datetime) -> int:
        """Weigh what events have told since: by who plans. How many campaigns were looked at."""
        with database.read() as connection:
            campaigns = sorted(returns.unweighed(connection))
        if campaigns:
            with database.write() as connection:
                self.weigh(connection, campaigns, now)
        return len(campaigns)

    def weigh(self, connection: Connection, campaigns: Sequence[str], now: datetime) -> None:
        for campaign in campaigns:
            for kind, share in (
                (BOUNCES, self.limits.bounces),
                (COMPLAINTS, self.limits.complaints),
            ):
                why = self._too_many(connection, campaign, kind, share, now)
                if why is not None:
                    _stop(connection, CAMPAIGN, campaign, kind, why, now)
        if campaigns:
            returns.weigh(connection, campaigns)

    def _too_many(
        self, connection: Connection, campaign: str, kind: str, share: float, now: datetime
    ) -> str | None:
        """In words, if it is more than this share. A person who lets a campaign go on begins the
        count anew: what they know of need not be told twice."""
        since = max(now - self.limits.within, stops.last_lifted(connection, campaign) or _EVER)
        back, at_the_door = returns.counted(connection, campaign, kind, since)
        if not back:
            return None
        bound = max(self.limits.at_least, math.ceil(back / share))
        sent = returns.sent(connection, campaign, since, bound) + at_the_door
        if sent < self.limits.at_least or back <= share * sent:
            return None
        what = "bounced" if kind == BOUNCES else "were complained about"
        return f"{back} of {sent} mails {what} ({back / sent:.2%}, and {share:.2%} is the most)"

    @staticmethod
    def _refused(
        connection: Connection, message: Message, result: Consequence, now: datetime
    ) -> None:
        everything = result.halts is Halts.EVERYTHING
        scope, ref = (EVERYTHING, None) if everything else (CAMPAIGN, message.campaign)
        why = f"the mail server refuses us: {result.text}"
        _stop(connection, scope, ref, REFUSED, why, now)


def _stop(
    connection: Connection, scope: str, ref: str | None, cause: str, why: str, now: datetime
) -> None:
    if stops.put(connection, scope, ref, cause=cause, why=why, by=None, now=now):
        told = {"action": "stopped", "scope": scope, "ref": ref, "cause": cause}
        log.warning("stopped by itself: see `nurture pause`", extra=told)
