"""Who is in an audience that came into force? A scan of all candidates, a batch at a time.

Whoever is planned anyway enters by that (enrolling.py). The scan is for everybody else, once each
time an audience campaign becomes live or says something else: SQL leaves out whom the condition
cannot be true of, and enters people by itself where it can say all of it; the compiled condition
decides on the rest, from single rows where those are enough. Those whom only time can bring in get
their alarm. How far it came is kept with each batch.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nurture.authoring.library import Library
from nurture.authoring.narrowing import Narrowed, narrow
from nurture.clock import Clock
from nurture.config import Config
from nurture.core.audience import All, Among, Not, is_exact
from nurture.core.model import Campaign, Condition, Truth
from nurture.engine.enrolling import STATUS, admission, is_open_audience, newcomer
from nurture.rendering.context import context, vocabulary
from nurture.rendering.glance import Glance, Row, readable
from nurture.store import audience as store
from nurture.store.database import Connection, Database
from nurture.store.reading import load

#: Candidates a transaction: by what is read of each. Each is a fraction of a second.
BATCH_IN_SQL = 10_000
BATCH_OF_ROWS = 5_000
BATCH_OF_FACTS = 200

#: An audience of applications that speaks of none of these is of active ones.
_ENDS = frozenset({("application", "status"), ("application", "rejected_at")})


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a scan came, counted in candidates."""

    campaign: str
    seen: int
    total: int


class Audiences:
    """Scans that are still to be done, and what is known of each audience beforehand."""

    def __init__(self, database: Database, library: Library, config: Config, clock: Clock) -> None:
        self.database = database
        self.library = library
        self.config = config
        self.clock = clock
        #: Told after each batch, if anybody wants to know.
        self.watch: Callable[[Progress], None] | None = None
        self._words = vocabulary(config)
        self._narrowed: dict[str, tuple[Campaign, Narrowed]] = {}
        self._looked_at: Mapping[str, Campaign] | None = None  # when the marks were last compared
        self._pending: list[str] = []

    def narrowed(self, campaign: Campaign) -> Narrowed:
        """Who is in an audience, as far as a database can say: `enter.if`, and no `leave.if`.

        One of applications is of active ones, unless its condition itself speaks of their end.
        """
        known = self._narrowed.get(campaign.name)
        if known is not None and known[0] is campaign:
            return known[1]
        entry = narrow(campaign.enter.condition, self._words)
        left = [narrow(one.condition, self._words) for one in campaign.leave if one.condition]
        parts = (entry.tree, *(Not(each.tree) for each in left))
        if campaign.enter.once_per == "application" and not entry.fields & _ENDS:
            parts = (*parts, Among(STATUS, frozenset({"active"})))
        found = Narrowed(
            tree=All(parts),
            fields=entry.fields.union(*(each.fields for each in left)),
            functions=entry.functions.union(*(each.functions for each in left)),
        )
        self._narrowed[campaign.name] = (campaign, found)
        return found

    def under_way(self) -> list[Progress]:
        """The scans that are not at their end, by campaign."""
        with self.database.read() as connection:
            scans = store.scans(connection)
        return [
            Progress(campaign=name, seen=scan.seen, total=scan.total)
            for name, scan in sorted(scans.items())
            if not scan.done
        ]

    def unfinished(self, connection: Connection, name: str) -> bool:
        """Whether people are still to enter this campaign because of what it says now."""
        campaign = self.library.campaigns.get(name)
        if campaign is None or not is_open_audience(campaign):
            return False
        scan = store.scans(connection).get(name)
        return scan is None or not scan.done or scan.of != self._of(campaign)

    def scan(self) -> int:
        """One batch of one audience that is not scanned to its end. How many were looked at; 0:
        there is nothing to scan, or it is in another process's hand."""
        if self.library.campaigns is not self._looked_at:
            self._compare()
        for name in list(self._pending):
            campaign = self.library.campaigns[name]
            with self.database.write() as connection:
                scan = store.claim(connection, name, self._of(campaign))
                if scan is None:
                    continue
                seen = 0 if scan.done else self._batch(connection, campaign, scan)
            if seen:
                return seen
            self._pending.remove(name)
        return 0

    def _compare(self) -> None:
        """Which audiences are not scanned as they are now? Those no more in force are forgotten."""
        campaigns = self.library.campaigns
        live = {name: self._of(each) for name, each in campaigns.items() if is_open_audience(each)}
        with self.database.read() as connection:
            scans = store.scans(connection)
        if gone := scans.keys() - live.keys():
            with self.database.write() as connection:
                store.forget(connection, gone)
        done = {name: scan.of for name, scan in scans.items() if scan.done}
        self._pending = [name for name, of in live.items() if done.get(name) != of]
        self._looked_at = campaigns

    def _batch(self, connection: Connection, campaign: Campaign, scan: store.Scan) -> int:
        now = self.clock.now()
        narrowed = self.narrowed(campaign)
        by_rows = readable(narrowed.fields, narrowed.functions, self.config)
        in_sql = is_exact(narrowed.tree)
        size = BATCH_IN_SQL if in_sql else BATCH_OF_ROWS if by_rows else BATCH_OF_FACTS
        stretch, many = store.stretch(connection, scan.to, size)
        whom = store.Whom(
            campaign=campaign.name,
            tree=narrowed.tree,
            of_applications=campaign.enter.once_per == "application",
        )
        if in_sql:
            store.enter_all(connection, whom, stretch, now)
        elif many:
            topics = "consents" in narrowed.functions
            rows = store.newcomers(connection, whom, stretch, rows=by_rows, topics=topics)
            truths = self._by_rows if by_rows else self._by_facts
            keys: list[Any] = []
            alarms: dict[int, datetime] = {}
            for row, truth in truths(connection, campaign, narrowed, rows, now):
                if truth.value:
                    keys.append(row.ref if whom.of_applications else row.id)
                elif truth.changes_at is not None:
                    alarms[row.id] = min(truth.changes_at, alarms.get(row.id, truth.changes_at))
            store.enter(connection, whom, keys, now)
            store.wake(connection, alarms)
        if campaign.enter.again != "never":
            store.plan_again(connection, whom, stretch, now)
        after = store.Scan(
            of=scan.of,
            to=stretch.to,
            seen=scan.seen + many,
            total=max(scan.total, scan.seen + many),
            done=many < size,
        )
        store.advance(connection, campaign.name, after)
        if self.watch is not None:
            self.watch(Progress(campaign=campaign.name, seen=after.seen, total=after.total))
        return many

    def _by_rows(
        self,
        _connection: Connection,
        campaign: Campaign,
        narrowed: Narrowed,
        rows: Iterable[Any],
        now: datetime,
    ) -> Iterable[tuple[Any, Truth]]:
        glance = Glance(narrowed.fields, self.config, now)
        of_applications = campaign.enter.once_per == "application"
        for row in rows:
            words = glance.words(
                Row(
                    data=row.data,
                    email=row.email,
                    unsubscribed=row.unsubscribed or (),
                    replied_at=row.replied_at,
                    application=row.application if of_applications else None,
                    status=row.status if of_applications else None,
                )
            )
            yield row, admission(campaign, _in(words))

    def _by_facts(
        self,
        connection: Connection,
        campaign: Campaign,
        _narrowed: Narrowed,
        rows: Iterable[Any],
        now: datetime,
    ) -> Iterable[tuple[Any, Truth]]:
        rows = list(rows)
        everyone = load(connection, {row.id for row in rows})
        of_applications = campaign.enter.once_per == "application"
        for row in rows:
            new = newcomer(campaign, row.id, row.ref if of_applications else None, now)
            words = context(
                everyone[row.id], new.subject, enrollment=new, config=self.config, now=now
            )
            yield row, admission(campaign, _in(words))

    def _of(self, campaign: Campaign) -> str:
        """Changes whenever somebody else may be in the audience by what the campaign says, or by
        what the project says of its candidates."""
        conditions = [campaign.enter.condition, *(each.condition for each in campaign.leave)]
        sources = [getattr(each, "source", None) or repr(each) for each in conditions]
        about = (campaign.enter.once_per, campaign.enter.again, sources)
        house = (sorted(self.config.candidate_fields.items()), self.config.timezone)
        return hashlib.sha256(repr((about, house)).encode()).hexdigest()


def _in(words: Mapping[str, Any]) -> Callable[[Condition], Truth]:
    return lambda condition: condition(words)
