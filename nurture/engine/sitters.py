"""Whom are all templates shown for? Three invented people who have little in common.

Of one everything is known, as far as there are words for it. Of one nearly nothing is. The third
has the longest names, in two directions of writing, and wishes for discretion. Each of them has
been everywhere a candidate can be: an application at each stage, an interview of each kind.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from nurture.core.model import (
    Application,
    Candidate,
    Facts,
    Interview,
    Job,
    Offer,
    Person,
    Promise,
    Subject,
)

_STAGES = ("interviewing", "applied", "screening", "assessment", "final", "decision", "on_hold")
#: Applications that are at an end, or nearly: how each stands, and at which stage.
_AFTER = {"offer": "active", "hired": "hired", "rejected": "rejected", "closed": "closed"}
_KINDS = ("video", "phone", "technical", "panel", "case", "onsite", "final")


@dataclass(frozen=True, kw_only=True)
class Sitter:
    slug: str  #: in addresses and names of files
    called: str  #: as people speak of them
    said: str  #: what there is to see with them
    facts: Facts

    def subjects(self) -> Iterator[Subject]:
        """All that a mail to them could be about, the most usual first."""
        for each in self.facts.interviews.values():
            yield Subject(application=each.application, interview=each.ref)
        for application in self.facts.applications:
            yield Subject(application=application)
        for offer in self.facts.offers.values():
            yield Subject(application=offer.application, offer=offer.ref)
        for promise in self.facts.promises.values():
            yield Subject(application=promise.application, promise=promise.ref)
        yield Subject()


def sitters(now: datetime) -> tuple[Sitter, ...]:
    """The three, as they would be known at `now`."""
    return (
        Sitter(
            slug="known",
            called="Ana, of whom everything is known",
            said="every fact there are words for",
            facts=_facts(_ANA, now),
        ),
        Sitter(
            slug="unknown",
            called="Somebody of whom nearly nothing is known",
            said="an address, and the dates without which there is no mail",
            facts=_facts(_NOBODY, now),
        ),
        Sitter(
            slug="long",
            called="Noor, with long names and a wish for discretion",
            said="Arabic and umlauts in one line, rather by phone, discreet",
            facts=_facts(_NOOR, now),
        ),
    )


def of_their_own(facts: Facts) -> Sitter:
    """One of the project's own candidates."""
    candidate = facts.candidate
    names = [name for name in (candidate.first_name, candidate.last_name) if name]
    return Sitter(
        slug="own", called=" ".join(names) or candidate.ref, said="as known now", facts=facts
    )


@dataclass(frozen=True, kw_only=True)
class _Person:
    """What differs from one to the other."""

    candidate: Candidate
    job: Mapping[str, Any] | None = None
    people: tuple[Person, ...] = ()  #: recruiter, coordinator, hiring manager
    interview: Mapping[str, Any] = field(default_factory=dict)
    first: str = "video"  #: the kind of interview that is shown where any would do
    promise: str = "a decision"


_ANA = _Person(
    candidate=Candidate(
        id=1,
        ref="gallery-known",
        email="ana.silva@example.com",
        first_name="Ana",
        last_name="Silva",
        timezone="Europe/Lisbon",
        country="PT",
        fields={"phone": "+351 915 550 101", "pronouns": "she/her"},
    ),
    job={
        "title": "Data Engineer",
        "department": "Engineering",
        "location": "Lisbon or remote",
        "team": "Data Platform",
        "family": "engineering",
    },
    people=(
        Person(
            email="marco.duarte@example.com",
            name="Marco Duarte",
            phone="+351 215 550 120",
            title="Technical Recruiter",
        ),
        Person(email="ines.prata@example.com", name="Inês Prata", phone="+351 215 550 121"),
        Person(email="tomas.vale@example.com", name="Tomás Vale", title="Head of Data"),
    ),
    interview={
        "url": "https://meet.example.com/data-engineer-ana?room=4&lang=en",
        "location": "12 Rua do Ouro, Lisbon, third floor",
        "notes": "Please bring an ID for the front desk.",
        "reschedule_url": "https://calendar.example.com/move/ana",
        "interviewers": [
            {"name": "Tomás Vale", "role": "Head of Data"},
            {"name": "Rita Nunes", "role": "Data engineer"},
            {"name": "Sam Okoro", "role": "Analyst"},
        ],
        "agenda": [
            {"after": 0, "title": "Welcome", "with": ["Rita Nunes"]},
            {"after": 15, "title": "A data model", "with": ["Tomás Vale"]},
            {"after": 60, "title": "Your questions", "with": ["Sam Okoro"]},
        ],
    },
)
_NOBODY = _Person(
    candidate=Candidate(id=2, ref="gallery-unknown", email="k.7341@example.org"),
    first="",
)
_NOOR = _Person(
    candidate=Candidate(
        id=3,
        ref="gallery-long",
        email="noor.mueller-wuerttemberg@example.net",
        first_name="نور الهدى",
        last_name="Müller-Łukasiewicz von Württemberg-Hohenstein",
        timezone="Asia/Dubai",
        country="AE",
        fields={
            "phone": "+971 4 555 0199",
            "pronouns": "they/them",
            "channel": "phone",
            "discreet": True,
        },
    ),
    job={
        "title": "Senior Machine Learning Engineer, Search and Ranking",
        "department": "Forschung & Entwicklung",
        "location": "Donaudampfschifffahrtsstraße 4, Passau",
        "team": "Search <Relevance>",
        "family": "engineering",
    },
    people=(
        Person(
            email="bartholomew.featherstone-haugh@example.net",
            name="Bartholomew Featherstone-Haugh",
            phone="+44 20 7946 0018",
            title="Principal Talent Acquisition Partner, Research",
        ),
        Person(email="koordination@example.net", name="Jörg Größmann"),
        Person(email="leitung@example.net", name="Dr. Ægir Þórðarson-Sæmundsson"),
    ),
    interview={
        "phone": "+49 851 555 0144",
        "interviewers": [
            {"name": "Dr. Ægir Þórðarson-Sæmundsson", "role": "Leitung Suche & Empfehlungen"},
            {"name": "إبراهيم القاسمي"},
        ],
    },
    first="phone",
    promise="an answer about the next step",
)


def _facts(who: _Person, now: datetime) -> Facts:
    applications = list(_applications(who, now))
    interviews = list(_interviews(who, now))
    promises = [_promise(who, each.ref, now) for each in applications if each.status == "active"]
    offers = [_offer(who, stage, now) for stage in ("offer", "hired")]
    jobs = []
    if who.job is not None:
        fields = {name: value for name, value in who.job.items() if name != "title"}
        open_, closed = (_job_of(who, stage) for stage in ("interviewing", "closed"))
        jobs.append(Job(ref=open_, title=who.job["title"], fields=fields))
        jobs.append(Job(ref=closed, title=who.job["title"], status="closed", fields=fields))
    return Facts(
        candidate=replace(who.candidate, consent_until=(now + timedelta(days=30)).date()),
        applications={each.ref: each for each in applications},
        interviews={each.ref: each for each in interviews},
        offers={each.ref: each for each in offers},
        promises={each.ref: each for each in promises},
        jobs={each.ref: each for each in jobs},
        people={each.email: each for each in who.people},
    )


def _job_of(who: _Person, stage: str) -> str:
    return f"{who.candidate.ref}-{'closed' if stage == 'closed' else 'open'}"


def _named(who: _Person, what: str) -> str:
    return f"{who.candidate.ref}-{what}"


def _applications(who: _Person, now: datetime) -> Iterator[Application]:
    emails: list[str | None] = [each.email for each in who.people]
    recruiter, coordinator, manager = emails or [None] * 3
    known = who.job is not None
    for stage in (*_STAGES, *_AFTER):
        status = _AFTER.get(stage, "active")
        yield Application(
            ref=_named(who, stage),
            candidate_id=who.candidate.id,
            status=status,
            stage="interviewing" if stage == "closed" else stage,
            job=_job_of(who, stage) if known else None,
            recruiter=recruiter,
            coordinator=coordinator,
            hiring_manager=manager,
            applied_at=now - timedelta(days=12) if known else None,
            stage_since=now - timedelta(days=2) if known else None,
            rejected_at=now - timedelta(hours=2) if status == "rejected" else None,
            closed_at=now - timedelta(hours=2) if status == "closed" else None,
            told_reason="skills_depth" if known and status == "rejected" else None,
            reached="interviewing" if status == "rejected" else None,
            start_date=_morning(now, 30).date() if stage in ("offer", "hired") else None,
            fields={"source": "careers page"} if known else {},
        )


def _interviews(who: _Person, now: datetime) -> Iterator[Interview]:
    """One of each kind, the usual one first and, of whom little is known, one of no kind; then one
    that is over and one that is off."""
    starts_at = _morning(now, 7)
    for each in (who.first, *(one for one in _KINDS if one != who.first)):
        yield _interview(who, each or "any", now, kind=each or None, starts_at=starts_at)
    kind = who.first or None
    yield _interview(
        who, "over", now, kind=kind, status="completed", starts_at=now - timedelta(hours=4)
    )
    off = _interview(who, "off", now, kind=kind, status="cancelled", starts_at=starts_at)
    yield replace(off, cancelled_at=now - timedelta(hours=3), application=_named(who, "final"))


def _interview(
    who: _Person,
    name: str,
    now: datetime,
    *,
    kind: str | None,
    starts_at: datetime,
    status: str = "scheduled",
) -> Interview:
    fields = dict(who.interview)
    if kind in ("phone", "onsite"):
        fields.pop("url", None)
    if kind != "onsite":
        fields.pop("location", None)
    if kind != "phone":
        fields.pop("phone", None)
    if "agenda" in fields:
        fields["agenda"] = [
            {**each, "starts_at": (starts_at + timedelta(minutes=each["after"])).isoformat()}
            for each in fields["agenda"]
        ]
    return Interview(
        ref=_named(who, f"interview-{name}"),
        candidate_id=who.candidate.id,
        application=_named(who, "interviewing"),
        kind=kind,
        status=status,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=75) if fields else None,
        booked_at=now - timedelta(hours=1),
        fields=fields,
    )


def _offer(who: _Person, stage: str, now: datetime) -> Offer:
    return Offer(
        ref=_named(who, f"letter-{stage}"),
        candidate_id=who.candidate.id,
        application=_named(who, stage),
        status="accepted" if stage == "hired" else "sent",
        sent_at=now - timedelta(days=1),
        expires_at=_morning(now, 9),
    )


def _promise(who: _Person, application: str, now: datetime) -> Promise:
    return Promise(
        ref=f"{application}-promise",
        candidate_id=who.candidate.id,
        application=application,
        what=who.promise,
        owner=who.people[0].email if who.people else None,
        made_at=now - timedelta(days=3),
        due_at=_morning(now, 4),
    )


def _morning(now: datetime, days: int) -> datetime:
    """About so many days from now, at ten in the morning of a working day (UTC)."""
    at = (now + timedelta(days=days)).replace(hour=10, minute=0, second=0, microsecond=0)
    return at + timedelta(days=max(0, 7 - at.weekday()) if at.weekday() > 4 else 0)
