"""Who applies, and what happens to them? Lives of mixed fates, all from one number.

A life is what an applicant system would tell of somebody, with the instants at which it tells it.
What people do when they are written to, and what recruiters do about their tasks, is in house.py.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tools.ninety_days.people import (
    END,
    FATES,
    GRID,
    HOME,
    JOBS,
    PLACES,
    START,
    TRAITS,
    Happening,
    Job,
    Life,
    is_workday,
    on_grid,
)

_FIRST = (
    *("Ana", "Jörg", "Aoife", "Mei", "Chloé", "Marcus", "Luíza"),
    *("Ximena", "Arjun", "Elif", "Camille", "Noor", "Tomás", "Ingrid"),
)
_LAST = (
    *("Silva", "Weber", "Byrne", "Chen", "Lefèvre", "Bell", "Araújo"),
    *("Ortega", "Nair", "Şahin", "Roy", "Haddad", "Vale", "Lund"),
)

#: What somebody writes of each whom they turn down, as the letter to a finalist asks for.
_LIKED = "You asked what happens when the queue is full."


def lives(seed: int, people: int) -> list[Life]:
    """Everybody, the same for the same numbers."""
    return [_life(Random(f"ninety days {seed} {number}"), number) for number in range(people)]


def _life(rng: Random, number: int) -> Life:
    zone, country, subdivision, _ = rng.choices(PLACES, [each[3] for each in PLACES])[0]
    (fate,) = rng.choices(list(FATES), list(FATES.values()))
    traits = frozenset(name for name, share in TRAITS.items() if rng.random() * 100 < share)
    life = Life(
        ref=f"p{number:03d}",
        first_name=_FIRST[number % len(_FIRST)],
        zone=zone,
        country=country,
        subdivision=subdivision,
        fate=fate,
        traits=traits,
    )
    _Story(rng, life, number).told()
    life.happenings.sort(key=lambda each: each.at)
    return life


class _Story:
    """Tells one life: `at` is how far it has come."""

    def __init__(self, rng: Random, life: Life, number: int) -> None:
        self.rng = rng
        self.life = life
        self.number = number
        self.at = START
        self.application = ""
        self.interviews = 0

    def told(self) -> None:
        fate, life = self.life.fate, self.life
        closing = [job for job in JOBS if job.closes_on is not None]
        staying = [job for job in JOBS if job.closes_on is None]
        job = self.rng.choice(closing if fate == "job closed" else staying)
        latest = 55 if job.closes_on is None else job.closes_on - 2
        begun = START + timedelta(days=self.rng.randrange(latest), hours=self.rng.randrange(24))
        self.at = begun + GRID * self.rng.randrange(2)
        self._tell("candidate.upserted", candidate=self._who())
        self._wishes()
        self._applies(job)
        self._FATES[fate](self)
        self._by_the_way(begun)
        if "second application" in life.traits:
            other = self.rng.choice([each for each in staying if each is not job])
            self.at = self._workday(begun, self.rng.randint(4, 15))
            self._applies(other)
            self.rng.choice((_Story._rejected_early, _Story._interviewed))(self)

    # --- fates

    def _rejected_early(self) -> None:
        self._wait(1, self.rng.choice((3, 6, 18)))  # some houses are slow
        if self.rng.random() < 0.4:
            self._stage("screening")
            self._wait(1, 7)
        self._rejected("must_have_missing")

    def _nobody_decides(self) -> None:
        if self.rng.random() < 0.6:
            self._wait(2, 5)
            self._stage(self.rng.choice(("screening", "assessment")))
        if self.rng.random() < 0.4:
            self._meets(("video",))
            self._wait(1, 2)
            self._stage("decision")

    def _interviewed(self) -> None:
        self._to_the_interviews()
        self._wait(2, self.rng.choice((5, 14)))
        self._rejected(self.rng.choice(("skills_depth", "experience_level", "stronger_match")))

    def _silver_medalist(self) -> None:
        self._to_the_interviews()
        self._final_round()
        self._rejected("stronger_match")
        self._would_like_to_stay()

    def _hired(self) -> None:
        self._to_the_interviews()
        self._final_round()
        self._offered()
        self._wait(2, 6)
        self._settles("offer.accepted")
        starts_on = (self.at + timedelta(days=self.rng.randint(14, 45))).date()
        self._wait(0, 1)
        about = {"id": self.application, "start_date": starts_on.isoformat()}
        self._tell("application.hired", application=about)

    def _offer_declined(self) -> None:
        self._to_the_interviews()
        self._final_round()
        self._offered()
        self._wait(1, 5)
        self._settles("offer.declined")
        self._tell_of_it("application.withdrawn", reason="another offer")

    def _offer_withdrawn(self) -> None:
        self._to_the_interviews()
        self._final_round()
        self._offered()
        self._wait(1, 3)
        self._settles("offer.withdrawn")
        self._wait(0, 2)
        self._rejected("role_changed")

    def _withdrew(self) -> None:
        self._wait(1, 6)
        if self.rng.random() < 0.6:
            self._to_the_interviews()
        self._wait(0, 6)
        self._tell_of_it("application.withdrawn", reason=self.rng.choice(("pay", "another offer")))

    def _job_closed(self) -> None:
        if self.rng.random() < 0.7:
            self._to_the_interviews()

    def _on_hold(self) -> None:
        self._wait(2, 6)
        self._stage("screening")
        self._wait(2, 5)
        self._stage("on_hold")
        self._wait(8, 30)
        if self.rng.random() < 0.5:
            self._to_the_interviews()
            self._wait(2, 6)
        self._rejected("role_changed")

    _FATES: dict[str, Callable[["_Story"], None]] = {
        "rejected early": _rejected_early,
        "nobody decides": _nobody_decides,
        "interviewed, then no": _interviewed,
        "silver medalist": _silver_medalist,
        "hired": _hired,
        "offer declined": _offer_declined,
        "offer withdrawn": _offer_withdrawn,
        "withdrew": _withdrew,
        "job closed": _job_closed,
        "on hold": _on_hold,
    }

    # --- stretches of a life

    def _to_the_interviews(self) -> None:
        self._wait(1, 5)
        self._stage("screening")
        self._wait(0, 2)
        self._meets(("phone",))
        self._wait(1, 4)
        self._stage("interviewing")
        self._wait(0, 2)
        self._meets(("video", "technical", "panel", "case", "onsite"))

    def _final_round(self) -> None:
        self._wait(1, 3)
        self._stage("final")
        self._wait(0, 2)
        self._meets(("final", "onsite"))
        self._wait(1, 3)
        if self.rng.random() < 0.5:
            self._stage("decision")
            self._wait(1, 3)

    def _meets(self, kinds: tuple[str, ...]) -> None:
        """An interview, which may be moved, or cancelled and booked anew."""
        kind = self.rng.choice(kinds)
        starts_at = self._slot()
        about = self._booked("interview.scheduled", kind, starts_at)
        fate = self.rng.random()
        halfway = on_grid(self.at + (starts_at - self.at) * self.rng.uniform(0.2, 0.8))
        if fate < 0.12:
            self.at = halfway
            starts_at = self._slot()
            self._booked("interview.rescheduled", kind, starts_at, about["id"])
        elif fate < 0.17:
            self.at = halfway
            self._tell(
                "interview.cancelled",
                application={"id": self.application},
                interview={"id": about["id"]},
            )
            self._wait(1, 2)
            starts_at = self._slot()
            about = self._booked("interview.scheduled", kind, starts_at)
        self.at = starts_at + timedelta(hours=1)
        if self.rng.random() < 0.5:  # many systems never say that it is over
            done = {"id": about["id"]}
            self._tell("interview.completed", application={"id": self.application}, interview=done)

    def _slot(self) -> datetime:
        """An hour of theirs on one of their working days, some days ahead."""
        zone = self.life.clock
        ahead = self.rng.choice((1, 2, 3, 4, 5, 6, 8))
        day = self.at.astimezone(zone).date()
        while ahead:
            day += timedelta(days=1)
            ahead -= is_workday(self.life, day)
        clock = time(self.rng.randint(9, 16), self.rng.choice((0, 30)))
        return datetime.combine(day, clock, zone).astimezone(UTC)

    def _booked(
        self, type_: str, kind: str, starts_at: datetime, ref: str | None = None
    ) -> dict[str, Any]:
        if ref is None:
            self.interviews += 1
            ref = f"{self.life.ref}-i{self.interviews}"
        about: dict[str, Any] = {
            "id": ref,
            "kind": kind,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
            "interviewers": [{"name": "Rita Gomes", "role": "Data Engineer"}],
        }
        if kind in ("onsite", "panel"):
            about["location"] = "1 Example Street, Lisbon"
        elif kind != "phone":
            about["url"] = f"https://meet.example.com/{ref}"
        self._tell(type_, application={"id": self.application}, interview=about)
        return about

    def _offered(self) -> None:
        self._wait(1, 3)
        self._stage("offer")
        offer = {
            "id": f"{self.life.ref}-o1",
            "expires_at": self._workday(self.at, 7).isoformat(),
        }
        self._tell("offer.sent", application={"id": self.application}, offer=offer)

    def _settles(self, type_: str) -> None:
        offer = {"id": f"{self.life.ref}-o1"}
        self._tell(type_, application={"id": self.application}, offer=offer)

    def _would_like_to_stay(self) -> None:
        """Two of three who nearly made it are glad to hear from us again."""
        if self.rng.random() < 0.67:
            self._wait(0, 4)
            days = self.rng.choice((35, 365))  # some agreed to a short time only
            until = (self.at + timedelta(days=days)).date().isoformat()
            self._tell(
                "candidate.upserted",
                candidate={"id": self.life.ref, "consent_until": until},
            )

    def _wishes(self) -> None:
        traits, wish = self.life.traits, {}
        if "phone first" in traits:
            wish |= {"channel": "phone", "phone": f"+351 21 556 {self.number:04d}"}
        if "weekly pace" in traits:
            wish |= {"pace": "weekly", "pace_day": "thursday"}
        elif "only what matters" in traits:
            wish |= {"pace": "only_what_matters"}
        if "own hours" in traits:
            wish |= {"hours": [self.rng.choice(("not 08:00-09:15", "after 12:00"))]}
        if "discreet" in traits:
            wish |= {"discreet": True}
        if wish:
            self._tell("candidate.preferences", preferences=wish)

    def _by_the_way(self, begun: datetime) -> None:
        """What comes at any time, whatever the application is doing."""
        traits = self.life.traits

        def some_day() -> datetime:
            return on_grid(begun + timedelta(days=self.rng.uniform(2, 40)))

        if "pauses" in traits:
            self.at = some_day()
            until = self.at + timedelta(days=self.rng.choice((14, 30, 90)))
            self._tell("candidate.paused", until=until.isoformat())
        if "needs care" in traits:
            self.at = some_day()
            until = self.at + timedelta(days=21)
            self._tell("candidate.sensitive", until=until.isoformat())
        if "wants no contact" in traits:
            self.at = some_day()
            self._tell("candidate.do_not_contact")
        if "replies" in traits:
            for _ in range(2):
                self.at = some_day()
                self._tell("candidate.replied")
        if "is asked for a good time" in traits:
            self.at = some_day()
            self._tell("custom.good_time", application={"id": self.application})
        if "unsubscribes" in traits:
            self.at = some_day()
            self._tell("candidate.unsubscribed")

    # --- small things

    def _who(self) -> dict[str, Any]:
        life = self.life
        known = {
            "first_name": life.first_name,
            "last_name": _LAST[self.number // 3 % len(_LAST)],
            "timezone": life.zone,
            "country": life.country,
            "subdivision": life.subdivision,
        }
        who = {"id": life.ref, "email": f"{life.ref}@people.example"}
        return who | {key: value for key, value in known.items() if value is not None}

    def _applies(self, job: Job) -> None:
        self.application = f"{self.life.ref}-{job.ref}"
        about = {
            "id": self.application,
            "job": {"id": job.ref, "title": job.title, "department": job.manager["title"]},
            "stage": "applied",
            "source": "careers page",
            "recruiter": job.recruiter,
            "hiring_manager": job.manager,
        }
        self._tell("application.created", application=about)

    def _stage(self, stage: str) -> None:
        self._tell(
            "application.stage_changed", application={"id": self.application, "stage": stage}
        )

    def _rejected(self, reason: str) -> None:
        about = {"id": self.application, "advocate_line": _LIKED}
        self._tell("application.rejected", application=about, reason=reason)

    def _tell_of_it(self, type_: str, **more: Any) -> None:
        self._tell(type_, application={"id": self.application}, **more)

    def _tell(self, type_: str, **about: Any) -> None:
        if self.at < END:
            event = {"type": type_, "candidate": {"id": self.life.ref}, **about}
            self.life.happenings.append(Happening(self.at, event))

    def _wait(self, least: int, most: int) -> None:
        self.at = self._workday(self.at, self.rng.randint(least, most))

    def _workday(self, at: datetime, days: int) -> datetime:
        """In the office hours of Lisbon so many weekdays later, and later than that instant."""
        local = at.astimezone(ZoneInfo(HOME))
        day = local.date()
        while days or day.weekday() > 4:
            day += timedelta(days=1)
            days -= days > 0 and day.weekday() <= 4
        clock = time(self.rng.randint(9, 17), 30 * self.rng.randrange(2))
        then = datetime.combine(day, clock, ZoneInfo(HOME)).astimezone(UTC)
        return then if then > at else on_grid(at + timedelta(minutes=20))
