"""May this mail go now, or when? What `limits:` says, and what receiving servers asked of us.

The meters are rows that all processes share, so the limits are those of the whole installation.
Without limits, and with no domain slowed, a window costs one look at a tiny table.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from nurture.config import Config
from nurture.core.rates import Days, Gate, Rate, Toll, slowed_for
from nurture.store import throttles
from nurture.store.database import Connection
from nurture.store.throttles import Meter

_EVERYTHING, _WARM_UP, _DOMAIN = "everything", "warm-up", "domain:"


class Limits:
    def __init__(self, config: Config) -> None:
        self._limits = config.limits
        self._zone = ZoneInfo(config.timezone)

    def take(
        self, connection: Connection, wanted: Mapping[int, str], now: datetime
    ) -> dict[int, datetime | None]:
        """For each message, by id, with the domain it goes to, the most necessary first: None, it
        goes now and is counted; else when to ask again. Under the candidates' locks."""
        domains = {id_: domain.lower() for id_, domain in wanted.items()}
        names = self._names(connection, set(domains.values()))
        if not names:
            return dict.fromkeys(wanted)
        meters = throttles.locked(connection, names, now)
        toll = self._toll(meters, now)
        #: The same, as if those that wait had gone at their time: two do not wait for one place.
        ahead = deepcopy(toll)
        verdicts: dict[int, datetime | None] = {}
        for id_, domain in domains.items():
            if toll.opens(domain, now) <= now:
                toll.let_through(domain, now)
                ahead.let_through(domain, now)
                verdicts[id_] = None
            else:
                verdicts[id_] = at = ahead.opens(domain, now)
                ahead.let_through(domain, at)
        throttles.keep(connection, _after(meters, toll))
        return verdicts

    def slow(self, connection: Connection, domain: str, now: datetime, said: str) -> None:
        """A server of this domain asked us to slow down: all processes do, for 5 minutes, and for
        twice as long each further time. What was under way when it was said counts once."""
        name = _DOMAIN + domain.lower()
        meter = throttles.locked(connection, [name], now)[name]
        if meter.slow_until is not None and meter.slow_until > now:
            return
        times = meter.slowed + 1
        until = now + slowed_for(times)
        slower = replace(meter, slowed=times, slow_until=until, next_at=until, said=said)
        throttles.keep(connection, [slower])

    def went_well(self, connection: Connection, domains: Iterable[str], now: datetime) -> None:
        """These domains took mail: those that had asked us to slow down, and whose time is over,
        are as all others again."""
        slow = set(throttles.slowed(connection))
        names = slow & {_DOMAIN + domain.lower() for domain in domains}
        if names:
            meters = throttles.locked(connection, names, now).values()
            over = [each for each in meters if each.slow_until is None or each.slow_until <= now]
            well = [replace(each, slowed=0, slow_until=None, next_at=now) for each in over]
            throttles.keep(connection, well)

    # --- meters and what they mean ---------------------------------------------------------------

    def _names(self, connection: Connection, domains: set[str]) -> set[str]:
        """The meters that mail to these domains has to pass."""
        limits = self._limits
        named = {_DOMAIN + each for each in domains}
        names = named & set(throttles.slowed(connection))
        names |= {_DOMAIN + each for each in domains if self._rate_of(each) is not None}
        names |= {_EVERYTHING} if limits.everything else set()
        return names | ({_WARM_UP} if limits.warm_up else set())

    def _rate_of(self, domain: str) -> Rate | None:
        return self._limits.domains.get(domain, self._limits.each_domain)

    def _toll(self, meters: Mapping[str, Meter], now: datetime) -> Toll:
        gates = {
            name.removeprefix(_DOMAIN): _gate(meter, self._rate_of(name.removeprefix(_DOMAIN)))
            for name, meter in meters.items()
            if name.startswith(_DOMAIN)
        }
        everything, warm_up = meters.get(_EVERYTHING), self._limits.warm_up
        days = None
        if warm_up is not None:
            meter, today = meters[_WARM_UP], now.astimezone(self._zone).date()
            used = meter.counted if meter.next_at > now else 0
            days = Days(warm_up=warm_up, zone=self._zone, day=today, used=used)
        return Toll(
            everything=_gate(everything, self._limits.everything) if everything else None,
            domains=gates,
            days=days,
        )


def domain_of(address: str) -> str:
    """Where mail to this address goes, as envelopes say it: in ASCII."""
    domain = address.rpartition("@")[2].lower()
    try:
        return domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        return domain  # one that no mail goes to


def _gate(meter: Meter, rate: Rate | None) -> Gate:
    return Gate(rate=rate, next_at=meter.next_at, slow_until=meter.slow_until, slowed=meter.slowed)


def _after(meters: Mapping[str, Meter], toll: Toll) -> list[Meter]:
    """Those that have moved."""
    moved = []
    for name, meter in meters.items():
        if name == _WARM_UP:
            days = toll.days
            assert days is not None  # noqa: S101 - its meter is locked only for it
            after = replace(meter, counted=days.used, next_at=days.ends_at())
        else:
            gate = toll.everything if name == _EVERYTHING else toll.domains[name[len(_DOMAIN) :]]
            assert gate is not None  # noqa: S101 - as above
            after = replace(meter, next_at=gate.next_at)
        if after != meter:
            moved.append(after)
    return moved
