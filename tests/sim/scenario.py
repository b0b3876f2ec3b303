"""Which world, and what happens in it? One seed gives all of it, as data that can be printed.

Nothing here knows the engine: campaigns are YAML keys, events are JSON, faults are words. Every
action stands by itself, so that any of them can be left out and the rest still makes a world.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.sim.campaigns import (
    CEILINGS,
    KINDS,
    campaign,
    ceiling,
    edited,
    every_send,
    kind_of,
    template_text,
)
from tests.sim.rules import categories

#: How long things happen; after that nothing does, and what is due must drain.
LENGTH = timedelta(days=15)
DRAIN = timedelta(days=10)

#: Zone, country, subdivision. Some know only one, or nothing, or are near the ends of the world.
PLACES = (
    ("Europe/Lisbon", "PT", None),
    ("Europe/Berlin", "DE", "BY"),
    ("Europe/London", "GB", None),
    ("America/New_York", "US", None),
    ("America/Sao_Paulo", "BR", None),
    ("Asia/Kolkata", "IN", None),
    ("Australia/Lord_Howe", "AU", "NSW"),
    ("Pacific/Auckland", "NZ", None),
    ("Pacific/Kiritimati", None, None),
    ("Africa/Casablanca", "MA", None),
    (None, None, None),
    (None, "PT", None),
)

#: Weeks that are hard: clocks change, holidays crowd, a year ends.
STARTS = (
    datetime(2026, 3, 16, 9, tzinfo=UTC),
    datetime(2026, 10, 12, 9, tzinfo=UTC),
    datetime(2026, 12, 14, 9, tzinfo=UTC),
    datetime(2027, 3, 8, 14, tzinfo=UTC),
    datetime(2026, 6, 3, 4, tzinfo=UTC),
)

#: Never sent: somebody has to ask what is answered.
ASKS = {"category": "status", "tone": "neutral", "says": (), "version": 1, "ask": "coming"}


#: Mostly one that does all; others do so together, or share the work.
_ROLES = (("run",), ("run",), ("run",), ("run", "run"), ("run", "send"), ("plan", "send"))


@dataclass(frozen=True)
class Action:
    """Something that happens at an instant of true time: `do` says what, `what` with what."""

    at: datetime
    do: str
    what: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.at:%a %d %b %H:%M:%S} {self.do} {self.what}"


@dataclass(frozen=True)
class Scenario:
    seed: int
    start: datetime
    config: dict[str, Any]
    campaigns: dict[str, dict[str, Any]]
    templates: dict[str, dict[str, Any]]  #: name -> its front matter, and `version`
    actions: tuple[Action, ...]
    roles: tuple[str, ...]  #: of the processes on the same database: run | plan | send
    lanes: int  #: so many letters a process has in hand at once
    swarm: frozenset[str]  #: kinds of faults that this seed knows at all
    shrunk: bool = False  #: something was left out, so that an event may be about nothing

    def without(self, dropped: set[int]) -> "Scenario":
        kept = tuple(each for n, each in enumerate(self.actions) if n not in dropped)
        return replace(self, actions=kept, shrunk=True)


def scenario(seed: int) -> Scenario:
    """Swarm: each seed knows some kinds of faults and events and not others, so that rare
    combinations are not drowned by common ones."""
    rng = Random(f"nurture {seed}")
    start = rng.choice(STARTS) + timedelta(hours=rng.randrange(0, 96), minutes=rng.randrange(60))
    often = rng.sample(("apply", "meet", "drip"), 2)
    others = [each for each in sorted(KINDS) if each not in often]
    kinds = [*often, *rng.sample(others, rng.randint(1, 3))]
    kinds += [each for each in CEILINGS if rng.random() < 0.45]
    config = configuration(rng)
    campaigns: dict[str, dict[str, Any]] = {}
    templates: dict[str, dict[str, Any]] = {"ask/coming": ASKS}
    for kind in kinds:
        name = f"c{len(campaigns) + 1}-{kind}"
        drawn = kind not in CEILINGS
        campaigns[name], own = campaign(rng, kind, name) if drawn else ceiling(kind, name)
        templates |= own
    swarm = frozenset(word for word in (*_FAULTS_KNOWN, "stop", "disk") if rng.random() < 0.6)
    lives = itertools.chain.from_iterable(_life(rng, n, start) for n in range(rng.randint(2, 4)))
    actions = [*lives, *_merges(rng, start), *_edits(rng, start, campaigns, templates)]
    actions += _rules(rng, start, config)
    actions += _faults(rng, start, swarm)
    actions += _looks(rng, start)
    actions += _people_look(start, swarm, config)
    asks = any(each["approval"] != "auto" for each in config["categories"].values())
    if asks or any(each.what.get("type") == "candidate.sensitive" for each in actions):
        actions += [
            Action(start + timedelta(hours=hour), "approve")
            for hour in range(5, 24 * (LENGTH + DRAIN).days, 37)
        ]
    return Scenario(
        seed=seed,
        start=start,
        config=config,
        campaigns=campaigns,
        templates=templates,
        actions=tuple(sorted(actions, key=lambda each: each.at)),
        roles=rng.choice(_ROLES),
        lanes=rng.choice((1, 1, 3)),
        swarm=swarm,
    )


def configuration(rng: Random) -> dict[str, Any]:
    """config.yaml: the house's rules, from strict to generous."""
    caps = rng.choice(
        (
            [
                {"at_most": 2, "per": "20 hours"},
                {"at_most": 1, "per": "5 days", "class": "nurture"},
            ],
            [{"at_most": 1, "per": "20 hours"}, {"at_most": 3, "per": "6 days 20 hours"}],
            [
                {"at_most": 2, "per": "20 hours"},
                {"at_most": 6, "per": "6 days 20 hours"},
                {"at_most": 1, "per": "5 days", "class": "nurture"},
                {"at_most": 2, "per": "30 days", "class": "nurture"},
            ],
            [{"at_most": 1, "per": "2 days"}, {"at_most": 1, "per": "4 days", "category": "help"}],
            [{"at_most": 1, "per": "3 hours"}],
        )
    )
    return {
        "company": {"name": "Sim Ltd", "address": "1 Sim Street, Lisbon", "site": "https://a.org"},
        "sender": {"name": "Sim", "email": "talent@sim.example", "as": "team"},
        "timezone": rng.choice(("Europe/Lisbon", "Europe/Berlin")),
        "contact_hours": {
            "days": rng.choice(("mon-fri", "mon-fri", "mon-sat")),
            "from": rng.choice(("08:30", "09:00")),
            "to": rng.choice(("18:30", "17:00")),
            "spread": rng.choice(("45 minutes", "0 minutes")),
            "holidays": rng.choice(("candidate", "candidate", "PT", "none")),
        },
        "categories": categories(rng),
        "caps": caps,
        "gap": rng.choice((None, {"class": "nurture", "after_any": "20 hours"})),
        "max_wait": rng.choice(("30 days", "6 days")),
        "release_at_most": rng.choice((1000, 1000, 1)),
        "limits": rng.choice(({}, {}, {}, {"everything": "2 per hour"})),
        "candidate_fields": {"mark": "text"},
    }


# --- what happens to people -----------------------------------------------------------------


def _life(rng: Random, number: int, start: datetime) -> list[Action]:
    """What is told of one candidate: an application, and then whatever comes."""
    ref = f"p{number}"
    zone, country, subdivision = rng.choice(PLACES)
    who = {"id": ref, "email": f"{ref}@people.example", "first_name": f"P{number}"}
    who |= {"timezone": zone} if zone else {}
    who |= {"country": country} if country else {}
    who |= {"subdivision": subdivision} if subdivision else {}
    life = _Life(rng, ref)
    at = start + timedelta(minutes=rng.randrange(0, 3 * 24 * 60))
    told = [Action(at, "tell", {"type": "candidate.upserted", "candidate": who})]
    at += timedelta(minutes=rng.choice((0, 0, 5, 600)))
    told.append(Action(at, "tell", life.applies()))
    # Of calm lives more can be said beforehand: what is known to come is what comes.
    hours = rng.choice(((3, 40), (3, 40), (20, 90)))
    while True:
        at += timedelta(minutes=round(rng.expovariate(1 / (rng.choice(hours) * 60))))
        if at > start + LENGTH:
            return told
        event = life.next(at)
        if event is not None:
            told.append(Action(at, "tell", event))


class _Life:
    """Remembers just enough to tell things that make sense; what is dropped by shrinking is then
    told of nothing, which the intake must bear too."""

    def __init__(self, rng: Random, ref: str) -> None:
        self.rng = rng
        self.ref = ref
        self.applications: list[str] = []
        self.closed: set[str] = set()
        self.rejected: set[str] = set()
        self.jobs: dict[str, str] = {}  # application -> job
        self.booked: dict[str, tuple[str, datetime]] = {}  # interview -> application, start
        self.offers: dict[str, str] = {}
        self.count = itertools.count(1)

    def next(self, at: datetime) -> dict[str, Any] | None:
        kinds = {
            self.books: 6,
            self.moves: 5,
            self.cancels: 2,
            self.completes: 2,
            self.advances: 3,
            self.is_rung: 5,
            self.replies: 3,
            self.answers: 2,
            self.pauses: 1.5,
            self.resumes: 1,
            self.unsubscribes: 0.7,
            self.wishes_nothing: 0.25,
            self.is_closed: 1.2,
            self.gets_offer: 1,
            self.settles_offer: 1,
            self.applies_again: 0.7,
            self.is_promised: 1,
            self.wishes: 1.2,
            self.needs_care: 0.5,
            self.job_closes: 0.5,
            self.reopens: 0.8,
        }
        (act,) = self.rng.choices(list(kinds), list(kinds.values()))
        told = act(at)
        return {"candidate": {"id": self.ref}, **told} if told else None

    def applies(self) -> dict[str, Any]:
        ref = f"{self.ref}-a{len(self.applications) + 1}"
        self.applications.append(ref)
        job = {"id": f"j{self.rng.randrange(3)}-{ref}", "title": ref}
        self.jobs[ref] = job["id"]
        about = {"id": ref, "job": job, "stage": "applied", "recruiter": "ida@sim.example"}
        return {
            "type": "application.created",
            "candidate": {"id": self.ref},
            "application": about,
        }

    def applies_again(self, _at: datetime) -> dict[str, Any] | None:
        return self.applies() if len(self.applications) < 2 else None

    def _one(self) -> str | None:
        live = [each for each in self.applications if each not in self.closed]
        return self.rng.choice(live) if live else None

    def books(self, at: datetime) -> dict[str, Any] | None:
        application = self._one()
        if application is None or len(self.booked) > 3:
            return None
        ref = f"{self.ref}-i{next(self.count)}"
        return self._interview("interview.scheduled", ref, application, at)

    def moves(self, at: datetime) -> dict[str, Any] | None:
        open_ = [each for each, (_, start) in self.booked.items() if start > at]
        if not open_:
            return None
        ref = self.rng.choice(open_)
        application, start = self.booked[ref]
        if self.rng.random() < 0.25:
            start += timedelta(minutes=self.rng.choice((-20, 10, 29)))
            return self._interview("interview.rescheduled", ref, application, at, start)
        return self._interview("interview.rescheduled", ref, application, at)

    def _interview(
        self,
        type_: str,
        ref: str,
        application: str,
        at: datetime,
        starts_at: datetime | None = None,
    ) -> dict[str, Any]:
        hours = self.rng.choice((3, 20, 26, 48, 75, 120, 200))
        starts_at = starts_at or (at + timedelta(hours=hours, minutes=self.rng.randrange(60)))
        starts_at = starts_at.replace(second=0)
        self.booked[ref] = (application, starts_at)
        about = {
            "id": ref,
            "kind": self.rng.choice(("video", "onsite", "phone")),
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(minutes=60)).isoformat(),
            "location": ref,
            "notes": f"t{int(starts_at.timestamp())}",
        }
        return {"type": type_, "application": {"id": application}, "interview": about}

    def cancels(self, at: datetime) -> dict[str, Any] | None:
        open_ = [each for each, (_, start) in self.booked.items() if start > at]
        if not open_:
            return None
        ref = self.rng.choice(open_)
        application, _ = self.booked.pop(ref)
        return {
            "type": "interview.cancelled",
            "application": {"id": application},
            "interview": {"id": ref},
        }

    def completes(self, at: datetime) -> dict[str, Any] | None:
        over = [each for each, (_, start) in self.booked.items() if start <= at]
        if not over:
            return None
        application, _ = self.booked.pop(over[0])
        return {
            "type": "interview.completed",
            "application": {"id": application},
            "interview": {"id": over[0]},
        }

    def advances(self, _at: datetime) -> dict[str, Any] | None:
        application = self._one()
        stage = self.rng.choice(("screening", "interviewing", "final", "on_hold"))
        told = {"type": "application.stage_changed"}
        return application and {**told, "application": {"id": application, "stage": stage}}

    def is_rung(self, at: datetime) -> dict[str, Any] | None:
        """A recruiter's own call or mail, told at once or days later."""
        application = self._one()
        late = self.rng.choice((0, 0, 1, 7, 30, 70))
        contact = {
            "kind": self.rng.choice(("call", "mail")),
            "at": (at - timedelta(hours=late)).isoformat(),
        }
        if contact["kind"] == "call" and self.rng.random() < 0.4:
            contact["outcome"] = self.rng.choice(("spoke", "voicemail", "no_answer"))
        told: dict[str, Any] = {"type": "contact.logged", "contact": contact}
        return {**told, "application": {"id": application}} if application else told

    def replies(self, _at: datetime) -> dict[str, Any]:
        return {"type": "candidate.replied"}

    def answers(self, _at: datetime) -> dict[str, Any]:
        value = self.rng.choice(("yes", "no"))
        return {"type": "answer.given", "answer": {"question": "coming", "value": value}}

    def pauses(self, at: datetime) -> dict[str, Any]:
        until = at + timedelta(hours=self.rng.choice((5, 60, 300)))
        return {"type": "candidate.paused", "until": until.isoformat()}

    def resumes(self, _at: datetime) -> dict[str, Any]:
        return {"type": "candidate.resumed"}

    def unsubscribes(self, _at: datetime) -> dict[str, Any]:
        topics = self.rng.choice((None, ["culture"], ["all"]))
        return {"type": "candidate.unsubscribed", **({"topics": topics} if topics else {})}

    def wishes_nothing(self, _at: datetime) -> dict[str, Any]:
        return {"type": "candidate.do_not_contact"}

    def wishes(self, _at: datetime) -> dict[str, Any]:
        """How often, when and by what they would like to hear from us."""
        wish = self.rng.choice(
            (
                {"pace": "twice_a_week"},
                {"pace": "weekly", "pace_day": "wednesday"},
                {"pace": "only_what_matters"},
                {"pace": "as_it_happens"},
                {"hours": ["not 08:00-11:15"]},
                {"hours": ["not 15:00-18:00"]},
                {"quiet_days": ["Fridays"]},
                {"quiet_days": ["Mondays"]},
                {"channel": "phone", "phone": "+351 210 000 000"},
            )
        )
        return {"type": "candidate.preferences", "preferences": wish}

    def is_closed(self, _at: datetime) -> dict[str, Any] | None:
        application = self._one()
        if application is None:
            return None
        self.closed.add(application)
        how = self.rng.choice(("rejected", "rejected", "withdrawn", "hired"))
        if how != "hired":
            self.rejected.add(application)
        return {"type": f"application.{how}", "application": {"id": application}}

    def job_closes(self, _at: datetime) -> dict[str, Any] | None:
        application = self._one()
        if application is None:
            return None
        self.closed.add(application)
        return {"type": "job.closed", "job": {"id": self.jobs[application]}}

    def reopens(self, _at: datetime) -> dict[str, Any] | None:
        if not self.rejected:
            return None
        application = self.rng.choice(sorted(self.rejected))
        self.rejected.discard(application)
        self.closed.discard(application)
        return {"type": "application.reopened", "application": {"id": application}}

    def needs_care(self, at: datetime) -> dict[str, Any]:
        until = at + timedelta(hours=self.rng.choice((30, 90)))
        return {"type": "candidate.sensitive", "until": until.isoformat()}

    def gets_offer(self, at: datetime) -> dict[str, Any] | None:
        application = self._one()
        if application is None:
            return None
        ref = f"{self.ref}-o{next(self.count)}"
        self.offers[ref] = application
        until = at + timedelta(days=self.rng.randint(2, 8))
        offer = {"id": ref, "expires_at": until.isoformat(), "mark": ref}
        return {"type": "offer.sent", "application": {"id": application}, "offer": offer}

    def settles_offer(self, _at: datetime) -> dict[str, Any] | None:
        if not self.offers:
            return None
        ref, application = self.offers.popitem()
        how = self.rng.choice(("accepted", "declined", "withdrawn"))
        return {
            "type": f"offer.{how}",
            "application": {"id": application},
            "offer": {"id": ref},
        }

    def is_promised(self, at: datetime) -> dict[str, Any] | None:
        application = self._one()
        if application is None:
            return None
        due = at + timedelta(hours=self.rng.choice((20, 60, 130)))
        promise = {"id": f"{self.ref}-w{next(self.count)}", "what": "a decision"}
        return {
            "type": "promise.made",
            "application": {"id": application},
            "promise": {**promise, "due": due.isoformat()},
        }


def _merges(rng: Random, start: datetime) -> list[Action]:
    if rng.random() < 0.7:
        return []
    one, other = rng.sample(range(2), 2)
    at = start + LENGTH * rng.uniform(0.2, 0.9)
    told = {
        "type": "candidate.merged",
        "candidate": {"id": f"p{one}"},
        "into": {"id": f"p{other}"},
    }
    return [Action(at, "tell", told)]


# --- what authors and operators do ------------------------------------------------------------


def _edits(
    rng: Random,
    start: datetime,
    campaigns: dict[str, dict[str, Any]],
    templates: dict[str, dict[str, Any]],
) -> list[Action]:
    """Files saved while people are under way. Each holds the whole file as it is then."""
    found: list[Action] = []
    now = dict(campaigns)
    words = dict(templates)
    instants = sorted(start + LENGTH * rng.random() for _ in range(rng.choice((0, 2, 5))))
    for at in instants:
        # The ceilings stay as they are, so that it can be said what they owe.
        name = rng.choice(sorted(each for each in now if kind_of(each) not in CEILINGS))
        if rng.random() < 0.25 and every_send(now[name]):
            which = rng.choice(sorted(every_send(now[name])))
            words[which] = {**words[which], "version": words[which]["version"] + 1}
            found.append(Action(at, "template", {"name": which, "front": words[which]}))
        else:
            now[name] = edited(rng, now[name], name, words)
            found.append(Action(at, "campaign", {"name": name, "file": now[name]}))
    return found


def _rules(rng: Random, start: datetime, config: dict[str, Any]) -> list[Action]:
    """Another policy, with the restart that it takes."""
    if rng.random() < 0.7:
        return []
    other = configuration(rng)
    same = ("timezone", "categories")  # of these, templates and people depend
    new = {**other, **{key: config[key] for key in same}}
    return [Action(start + LENGTH * rng.uniform(0.2, 0.9), "config", {"config": new})]


def _faults(rng: Random, start: datetime, swarm: frozenset[str]) -> list[Action]:
    """Of each kind that this seed knows, a few."""
    found: list[Action] = []
    for word, (how_many, make) in _FAULTS.items():
        if word.partition(" ")[0] in swarm:
            for _ in range(rng.randint(1, how_many)):
                do, what = make(rng)
                found.append(Action(start + LENGTH * rng.random(), do, what))
    return found


def _people_look(start: datetime, swarm: frozenset[str], config: dict[str, Any]) -> list[Action]:
    """Somebody looks after what was stopped or held, every day and a half."""
    words = ["lift"] if swarm & {"transport", "stop"} else []
    words += ["release"] if config["release_at_most"] < 1000 else []
    return [
        Action(start + timedelta(hours=hour), word)
        for word in words
        for hour in range(17, 24 * LENGTH.days, 31)
    ]


#: Where a process may die. Most of them are in the sender's window.
_PLACES = (
    *("statement", "before commit", "after commit", "mark", "after mark", "drawn", "before line"),
    *("after line", "hand-over", "after hand-over", "before answer", "after answer", "renewal"),
)
_FAULTS_KNOWN = ("crash", "transport", "refuse", "clock", "nested", "reboot", "slow")


def _stop(rng: Random) -> tuple[str, dict[str, Any]]:
    scope = rng.choice(("everything", "campaign", "candidate", "job"))
    who = f"p{rng.randrange(3)}"
    of_all = {"candidate": who, "job": f"j{rng.randrange(3)}-{who}-a1", "everything": None}
    ref = of_all.get(scope, f"c{rng.randint(1, 3)}-{rng.choice(('apply', 'meet', 'drip'))}")
    hours, after = rng.choice((0.1, 3, 11)), rng.choice((0, 1, 2))
    return "stop", {"scope": scope, "ref": ref, "hours": hours, "after": after}


def _crash(rng: Random) -> tuple[str, dict[str, Any]]:
    where = rng.choice(_PLACES)
    most = {"statement": 60, "before commit": 8, "after commit": 8, "renewal": 1}.get(where, 4)
    after = rng.randint(1, most)
    down = rng.choice((0, 0, 3, 12, 300, 1800))
    return "crash", {"where": where, "after": after, "down": down}


def _answers(rng: Random) -> tuple[str, dict[str, Any]]:
    words = {"accept": 3, "defer": 5, "lost": 4, "vanished": 2, "refuse-content": 1, "raise": 1}
    words["refuse-address"] = 0.3
    answers = rng.choices(list(words), list(words.values()), k=rng.randint(1, 5))
    return "answers", {"answers": answers}


def _nested(rng: Random) -> tuple[str, dict[str, Any]]:
    where = rng.choice(("hand-over", "commit"))
    return "nested", {"where": where, "after": rng.randint(1, 6), "take": rng.randint(1, 2)}


#: The first word is the kind: at most so many of it, and what each is.
_FAULTS: dict[str, tuple[int, Callable[[Random], tuple[str, dict[str, Any]]]]] = {
    "crash": (5, _crash),
    "reboot": (1, lambda _: ("reboot", {})),
    "refuse": (
        4,
        lambda rng: ("refuse", {"after": rng.randint(0, 40), "times": rng.choice((1, 3, 12))}),
    ),
    "transport": (6, _answers),
    "slow": (3, lambda rng: ("answers", {"answers": [f"slow {rng.choice((1, 4, 11, 25))}"]})),
    "clock skew": (3, lambda rng: ("skew", {"seconds": rng.choice((-240, -30, 90, 240))})),
    "clock sleep": (1, lambda rng: ("sleep", {"hours": rng.choice((2, 9, 20))})),
    "nested": (6, _nested),
    "stop": (4, _stop),
    "disk full": (
        2,
        lambda rng: ("full_disk", {"after": rng.randint(1, 5), "times": rng.choice((1, 2, 5))}),
    ),
    "disk lost": (
        1,
        lambda rng: ("lose_journal", {"where": rng.choice(_PLACES), "after": rng.randint(1, 4)}),
    ),
    "transport early": (2, lambda rng: ("no_room", {"times": rng.randint(1, 3)})),
}


def _looks(rng: Random, start: datetime) -> list[Action]:
    """Quiet stretches whose course is foretold first."""
    if rng.random() < 0.5:
        return []
    return [Action(start + LENGTH * rng.uniform(0.2, 0.8), "foretell", {"days": rng.randint(2, 5)})]


__all__ = ["DRAIN", "LENGTH", "Action", "Scenario", "scenario", "template_text"]
