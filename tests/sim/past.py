"""Who was who, and what was known, at a point of the log?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tests.sim.campaigns import every_step
from tests.sim.log import Entry, Files, Mail, Note, Told

_UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}


def length(text: str) -> timedelta:
    """`6 days 20 hours`"""
    parts = re.findall(r"(\d+) (minute|hour|day|week)", text)
    return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))


@dataclass(frozen=True)
class Past:
    """The log, asked in the words of the checkers."""

    log: list[Entry]

    @cached_property
    def mails(self) -> list[Mail]:
        return [each for each in self.log if isinstance(each, Mail)]

    @cached_property
    def accepted(self) -> list[Mail]:
        return [each for each in self.mails if each.accepted]

    @cached_property
    def told(self) -> list[Told]:
        return [each for each in self.log if isinstance(each, Told)]

    def notes(self, what: str) -> list[Note]:
        return [each for each in self.log if isinstance(each, Note) and each.what == what]

    @cached_property
    def merges(self) -> list[tuple[int, str, str]]:
        return [
            (each.seq, each.event["candidate"]["id"], each.event["into"]["id"])
            for each in self.told
            if each.event["type"] == "candidate.merged"
        ]

    def person(self, ref: str, seq: int) -> str:
        """Who this was, as known before `seq`."""
        for at, one, into in self.merges:
            if at < seq and ref == one:
                ref = into
        return ref

    def group(self, ref: str, seq: int) -> set[str]:
        """All refs that are this person."""
        who = self.person(ref, seq)
        refs = {who} | {one for _, one, _ in self.merges} | {into for _, _, into in self.merges}
        return {each for each in refs if self.person(each, seq) == who}

    def of(self, mail: Mail) -> set[str]:
        return self.group(mail.to.partition("@")[0], mail.decided_seq)

    def events(self, refs: set[str], before: int, *types: str) -> Iterator[Told]:
        """Told about these people before that point of the log."""
        for each in self.told:
            if each.seq >= before:
                return
            who = each.event.get("candidate", {}).get("id")
            if who in refs and (not types or each.event["type"] in types):
                yield each

    def known(self, refs: set[str], key: str) -> set[str | None]:
        """What was told of a property of theirs."""
        found = set()
        for each in self.told:
            candidate = each.event.get("candidate", {})
            if candidate.get("id") in refs and each.event["type"] == "candidate.upserted":
                found.add(candidate.get(key))
        return found or {None}


def category(files: Files, name: str) -> dict[str, Any]:
    return dict(files.config["categories"][name])


def step_of(files: Files, campaign: str, step: str) -> dict[str, Any] | None:
    """As the author wrote it, in force for that process then."""
    file = files.campaigns.get(campaign, {"steps": []})
    found = [each for each in every_step(file) if each.get("send") == f"{campaign}/{step}"]
    return found[0] if found else None


def about(told: Told, name: str) -> str | None:
    """The id of an object that the event names."""
    thing = told.event.get(name)
    return thing.get("id") if isinstance(thing, dict) else None


def moment(text: str, anchor_at: datetime, zone: str) -> datetime | None:
    """The instant of `2 hours before X`, reckoned by hand; None for what takes a calendar."""
    found = re.fullmatch(r"(\d+) (minutes?|hours?|days?) (before|after) \S+", text)
    if found is None:
        return None
    amount = int(found[1]) * (-1 if found[3] == "before" else 1)
    if not found[2].startswith("day"):
        unit = timedelta(hours=1) if found[2].startswith("hour") else timedelta(minutes=1)
        return anchor_at + amount * unit
    local = anchor_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + timedelta(days=amount)
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(anchor_at.tzinfo)
