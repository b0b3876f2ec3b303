"""Does an edit make more mail due at once than anybody expects? Then it waits for a person.

A changed campaign is in force at once, behind a gate: what it makes due, and the version before
would not have, is held while its people are counted. Few: the gate goes. Many: it stays until
somebody lets them through, with `nurture apply`.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from nurture.authoring.former import Kinds, read_former
from nurture.authoring.library import Library
from nurture.config import Config
from nurture.core.model import Campaign, Enrollment, Facts
from nurture.core.release import AnyGate, Gate, Lifted, Stop, can_release, former, only_words
from nurture.core.renames import dead_ids
from nurture.engine.guardrails import Guardrails
from nurture.engine.recording import key_of
from nurture.engine.stops import NOTHING, Stops, finish, job_of
from nurture.store import planning, releases, renaming, restored, revisions, stops
from nurture.store.database import Connection, Database
from nurture.store.releases import COUNTING, EVERY, HELD, RELEASED, SPREADING, Release

log = logging.getLogger("nurture.guard")

#: People counted in one go: so long new facts wait.
BATCH = 200
#: Nobody planned for so long: what came due meanwhile is looked at before it goes.
STOPPED = timedelta(days=1)
TICKED = "last-tick"  #: the mark of when somebody planned last
_TICK = timedelta(minutes=1)

#: Who of these people has mail that only this gate holds.
Finds = Callable[[Connection, Collection[int], AnyGate, datetime], Collection[int]]


@dataclass(frozen=True, kw_only=True)
class Gates:
    """All edits that are held, and all that is stopped, as one planning sees them."""

    by_campaign: Mapping[str, Gate] = field(default_factory=dict)
    wide: Sequence[Stop | Lifted] = ()  #: about more than one campaign
    restored: Stop | None = None
    stops: Stops = NOTHING

    @classmethod
    def of_all(cls, gates: Collection[AnyGate], stops: Stops) -> "Gates":
        return cls(
            by_campaign={each.campaign: each for each in gates if isinstance(each, Gate)},
            wide=[each for each in gates if not isinstance(each, Gate)],
            stops=stops,
        )

    def of(self, enrollment: Enrollment, facts: Facts) -> list[AnyGate]:
        own = self.by_campaign.get(enrollment.campaign)
        found: list[AnyGate] = [own] if own is not None else []
        for each in self.wide:
            job = each.job if isinstance(each, Lifted) else None
            if job is None or job == job_of(facts, enrollment.subject.application):
                found.append(each)
        since = self.restored
        if since is not None and enrollment.entered_at <= since.until:
            # What a person said had not left has been tried, and is on its way again.
            tried = frozenset(
                key_of(part)
                for each in facts.messages
                if each.attempts
                for part in each.sections or (each,)
            )
            found.append(replace(since, passed=tried))
        return found


OPEN = Gates()  #: nothing is held


class Guard:
    """Keeps the rows of `releases`. `scanning` says whether people still enter a campaign because
    it came into force: until then it is not counted to the end."""

    def __init__(self, database: Database, library: Library, config: Config) -> None:
        self.database = database
        self.library = library
        self.config = config
        self.rails = Guardrails(config.guardrails)
        self.scanning: Callable[[Connection, str], bool] = lambda _connection, _campaign: False
        self._former: dict[tuple[str, str | None, str], Campaign | None] = {}
        self._ticked: datetime | None = None
        self._restored: tuple[Stop | None, ...] = ()  # read once: who restores is alone

    # --- what is held

    def gates(self, connection: Connection, now: datetime, *, lock: bool = False) -> Gates:
        """Read once a batch. Nothing more is read unless something is held."""
        halts = stops.active(connection, lock=lock)
        holding = [row for row in releases.rows(connection, lock=lock) if _holds(row, now)]
        if not self._restored:
            self._restored = (_since_backup(connection),)
        (since_backup,) = self._restored
        if not (halts or holding or since_backup):
            return OPEN
        found = [gate for row in holding if (gate := self.gate(connection, row)) is not None]
        return replace(Gates.of_all(found, Stops.of(halts)), restored=since_backup)

    def gate(self, connection: Connection, row: Release) -> AnyGate | None:
        """None where there is no such campaign any more: nothing of it can become due."""
        spread = None
        if row.state == SPREADING and row.decided_at and row.spread_until:
            spread = (row.decided_at, row.spread_until)
        if row.campaign == EVERY:
            return Stop(since=_instant(row.detail["from"]), until=row.since, spread=spread)
        if releases.is_resumed(row.campaign):
            job = releases.job_in(row.campaign)
            return Lifted(campaign=row.campaign, job=job, spread=spread)
        after = self.library.campaigns.get(row.campaign)
        if after is None:
            return None
        before = self.version(connection, row.campaign, row.before, row.detail.get("kinds", {}))
        return Gate(
            campaign=row.campaign,
            before=before and former(before, after),
            cause=row.cause,
            spread=spread,
            newcomers_since=self._newcomers_since(row, before, after),
        )

    @staticmethod
    def _newcomers_since(row: Release, before: Campaign | None, after: Campaign) -> datetime | None:
        """Another audience is entered by others, who were due nothing; an event enters as ever."""
        if after.enter.on is not None or before is None:
            return None
        same = (before.enter, before.leave) == (after.enter, after.leave)
        return None if same else _instant(row.detail["since"])

    def version(
        self, connection: Connection, name: str, digest: str | None, kinds: Kinds
    ) -> Campaign | None:
        """A campaign as it was in force, None where there was none or it cannot be read."""
        key = (name, digest, repr(sorted(kinds.items())))
        if key not in self._former:
            text = digest and revisions.content(connection, "campaign", name, digest)
            read = text and read_former(name, text, kinds, self.library.templates, self.config)
            self._former[key] = read or None
        return self._former[key]

    # --- what comes into force

    def edited(
        self,
        connection: Connection,
        name: str,
        digest: str | None,
        kinds: Kinds,
        now: datetime,
        *,
        first: bool = False,
    ) -> None:
        """A campaign is another than it was by `digest` and the kinds of its templates then.
        `first`: nobody has planned on this database before, so nobody is surprised."""
        after = self.library.campaigns.get(name)
        rows = {row.campaign: row for row in releases.rows(connection) if row.state != RELEASED}
        open_ = rows.get(name)
        if after is None or not can_release(after):
            releases.drop(connection, name)  # it makes nothing due, and is an edit when it does
            return
        if open_ is not None:  # a further edit is compared with the first version too
            digest, kinds = open_.before, open_.detail.get("kinds", {})
        before = self.version(connection, name, digest, kinds)
        people = releases.enrolled(connection, name)
        audience = after.enter.on is None
        if (before is not None and only_words(before, after)) or not (people or audience):
            releases.drop(connection, name)
            return
        if first and not audience:
            return
        row = Release(
            campaign=name,
            before=digest,
            cause=_cause(before, after),
            since=now,
            state=COUNTING,
            total=people,
            detail={
                "since": open_.detail["since"] if open_ else now.isoformat(),
                "kinds": {each: kinds[each] for each in _sent(before) if each in kinds},
            },
        )
        releases.put(connection, row)

    def renamed(self, connection: Connection, names: Collection[str]) -> None:
        """Rows of steps that have another id now get it."""
        for name in names:
            campaign = self.library.campaigns.get(name)
            for dead, new in dead_ids(campaign).items() if campaign else ():
                renaming.rename_step(connection, name, dead, new)

    def ticked(self, connection: Connection, now: datetime) -> None:
        """Somebody is planning. Written once a minute."""
        if self._ticked is None or now - self._ticked >= _TICK:
            planning.set_mark(connection, TICKED, now.isoformat())
            self._ticked = now

    def started(self, connection: Connection, now: datetime) -> None:
        """If nobody planned for long, hold what came due meanwhile until it is counted."""
        mark = planning.mark(connection, TICKED)
        self._ticked = None
        self.ticked(connection, now)
        if mark is None or now - _instant(mark) <= STOPPED:
            return
        since = _instant(mark)
        for row in releases.rows(connection):
            if row.campaign == EVERY and row.state in (COUNTING, HELD):
                since = min(since, _instant(row.detail["from"]))
        row = Release(
            campaign=EVERY,
            before=None,
            cause="stop",
            since=now,
            state=COUNTING,
            total=releases.missed(connection, since, now),
            detail={"since": now.isoformat(), "from": since.isoformat()},
        )
        releases.put(connection, row)

    # --- counting

    def work(self, finds: Finds, now: datetime) -> int:
        """Count one batch for the first edit that is not counted yet, and finish what was decided.
        How much was done; 0: nothing is left."""
        if done := finish(self.database, now) + self.rails.look(self.database, now):
            return done
        with self.database.read() as connection:
            for row in releases.rows(connection):
                if row.state != COUNTING:
                    if _unfinished(row, now):
                        break
                    continue
                people = self._next(connection, row)
                if people or not self.scanning(connection, row.campaign):
                    gate = self.gate(connection, row)
                    due = finds(connection, people, gate, now) if gate and people else ()
                    limit = self._limit(connection, row)
                    break
            else:
                return 0
        if row.state != COUNTING:
            self.finish(row, now)
            return 1
        found = row.due + len(due)
        if found > limit:
            self._hold(row, found, people)
        elif people:
            self._progress(row, found, people)
        else:
            self._pass(row, now)
        return max(len(people), 1)

    def _limit(self, connection: Connection, row: Release) -> int:
        of = None if row.campaign == EVERY else row.campaign
        return self.config.release_limit(releases.enrolled(connection, of))

    def _next(self, connection: Connection, row: Release) -> list[int]:
        if row.campaign == EVERY:
            since = _instant(row.detail["from"])
            return releases.who_missed(connection, since, row.since, row.scanned_to, BATCH)
        if releases.is_resumed(row.campaign):
            since, name = _instant(row.detail["from"]), row.campaign
            return releases.who_was_kept_back(
                connection, name, since, row.since, row.scanned_to, BATCH
            )
        return releases.in_campaign(connection, row.campaign, row.scanned_to, BATCH)

    def _progress(self, row: Release, due: int, people: list[int]) -> None:
        scanned = row.scanned + len(people)
        with self.database.write() as connection:
            releases.counted(
                connection,
                row,
                scanned_to=people[-1],
                scanned=scanned,
                total=max(row.total, scanned),
                due=due,
            )

    def _hold(self, row: Release, due: int, people: list[int]) -> None:
        """More than may go without a word. There is nothing to be counted any more."""
        with self.database.write() as connection:
            mine = releases.counted(
                connection, row, state=HELD, due=due, scanned=row.scanned + len(people)
            )
        if mine:
            numbers = {"campaign": row.campaign, "due": due, "cause": row.cause}
            log.warning("held: see `nurture apply`", extra={"action": "held", **numbers})

    def _pass(self, row: Release, now: datetime) -> None:
        with self.database.write() as connection:
            mine = releases.counted(connection, row, state=RELEASED, decided_at=now)
        if mine:
            self.finish(replace(row, state=RELEASED), now)

    def finish(self, row: Release, now: datetime) -> None:
        """Everybody who waited is planned again, after every planning that saw them held."""
        with self.database.write() as connection:
            releases.rearm_waiting(connection, row.campaign, now)
            releases.drop(connection, row.campaign)
        numbers = {"campaign": row.campaign, "due": row.due, "cause": row.cause}
        log.info("let through", extra={"action": "let-through", **numbers})

    # --- a person's word

    def listed(self) -> list[dict[str, Any]]:
        """Everything that is held or being counted, for `apply`, `status` and the pages: what
        `apply --json` prints."""
        with self.database.read() as connection:
            rows = [row for row in releases.rows(connection) if row.state != RELEASED]
            waiting = releases.waiting(connection) if rows else {}
        return [
            {
                "campaign": row.campaign,
                "cause": row.cause,
                "state": row.state,
                "since": _instant(row.detail["since"]),
                "waiting": waiting.get(row.campaign, 0),
                "scanned": row.scanned,
                "total": row.total,
                "due": row.due,
                "spread_until": row.spread_until,
                "by": row.decided_by,
                "decided_at": row.decided_at,
            }
            for row in rows
        ]

    def apply(
        self, campaigns: Collection[str], *, by: str, now: datetime, spread: timedelta | None
    ) -> None:
        """Let these go: at once, or each candidate at an instant of their own within `spread`."""
        until = now + spread if spread is not None else None
        with self.database.write() as connection:
            releases.decide(connection, campaigns, by=by, at=now, spread_until=until)
        with self.database.write() as connection:
            for name in campaigns:
                releases.rearm_waiting(connection, name, now)
        for name in campaigns:
            numbers = {"campaign": name, "by": by}
            log.info("let through", extra={"action": "let-through", **numbers})


def _since_backup(connection: Connection) -> Stop | None:
    lost = restored.lost(connection)
    return lost and Stop(since=lost.since, until=lost.until, cause="restore")


def _holds(row: Release, now: datetime) -> bool:
    return row.state != RELEASED and not _over(row, now)


def _over(row: Release, now: datetime) -> bool:
    return row.state == SPREADING and row.spread_until is not None and row.spread_until <= now


def _unfinished(row: Release, now: datetime) -> bool:
    return row.state in (COUNTING, RELEASED) or _over(row, now)


def _cause(before: Campaign | None, after: Campaign) -> str:
    live = before is not None and can_release(before)
    if after.enter.on is None and not live:
        return "audience"
    return "resume" if before is not None and not live else "edit"


def _sent(campaign: Campaign | None) -> list[str]:
    return sorted({each.send for each in campaign.every_step() if each.send}) if campaign else []


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
