"""How is each campaign doing, and what is stopped or held?"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from nurture.core.model import Campaign
from nurture.engine import stops
from nurture.engine.effect import Effect, effects
from nurture.engine.held import held_line
from nurture.engine.picture import enters
from nurture.engine.project import Project
from nurture.engine.stops import stop_line
from nurture.engine.tally import Overview, Tallies
from nurture.errors import Problem
from nurture.store.stops import CAMPAIGN, EVERYTHING, Halt, active
from nurture.web import campaign, holding, marked, rights
from nurture.web.looks import Looks

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()
    tallies = Tallies(project)

    @router.api_route("/campaigns", methods=_LOOK)
    def campaigns(request: Request, said: str = "") -> Response:
        viewer = rights.viewer(request)
        tally = tallies.overview()
        with project.database.read() as connection:
            halts = active(connection)
            held = effects(project, connection)
            wide = [
                holding.stopped(project, connection, halt)
                for halt in halts
                if halt.scope != CAMPAIGN or halt.ref not in project.library.campaigns
            ]
            others = [
                holding.held(project, connection, each, viewer)
                for each in held
                if each.row.campaign not in project.library.campaigns
            ]
        return looks.page(
            request,
            "campaigns",
            cards=_cards(project, halts, held, tally),
            tally=tally,
            stops=wide,
            everything=any(each.scope == EVERYTHING for each in halts),
            held=others,
            broken=_broken(project),
            others=_others(project),
            missing={name: tally.enrolled.get(name, 0) for name in sorted(project.library.missing)},
            can_pause=rights.may(viewer, "pause-campaign"),
            can_release=rights.may(viewer, "release"),
            said=holding.SAID.get(said),
        )

    router.include_router(campaign.routes(project, looks, tallies))
    router.include_router(holding.routes(project))
    return router


@dataclass(frozen=True, kw_only=True)
class Card:
    """One campaign of the list, and how it is."""

    campaign: Campaign
    enters: str
    enrolled: int
    sent: int  #: in seven days
    bounced: int  #: of these
    share: float | None  #: that bounced; None: so few mails say nothing
    too_many: bool
    errors: int
    stale: bool  #: the file as it is now has errors: the last good version is in force
    warnings: int
    halt: Halt | None
    held: Effect | None


def _cards(
    project: Project, halts: Sequence[Halt], held: Sequence[Effect], tally: Overview
) -> list[Card]:
    """Those that mail first, then drafts, then what is over: each by name."""
    rails = project.config.guardrails
    found = []
    for each in project.library.campaigns.values():
        mails, back = tally.went.get(each.name, (0, 0))
        file = marked.problems_of(project, each.name)
        own = [*file, *(one for sent in marked.sent(project, each) for one in sent.problems)]
        found.append(
            Card(
                campaign=each,
                enters=enters(each.enter),
                enrolled=tally.enrolled.get(each.name, 0),
                sent=mails,
                bounced=back,
                share=back / mails if mails >= rails.at_least else None,
                too_many=mails >= rails.at_least and back > rails.bounces * mails,
                errors=sum(problem.severity == "error" for problem in own),
                stale=any(problem.severity == "error" for problem in file),
                warnings=sum(problem.severity == "warning" for problem in own),
                halt=next(
                    (halt for halt in halts if (halt.scope, halt.ref) == (CAMPAIGN, each.name)),
                    None,
                ),
                held=next((edit for edit in held if edit.row.campaign == each.name), None),
            )
        )
    order = {"live": 0, "paused": 1, "draft": 2}
    return sorted(found, key=lambda card: order.get(card.campaign.status.value, 3))


def _broken(project: Project) -> dict[str, tuple[Problem, ...]]:
    """Campaign files of which there never was a good version."""
    return {
        name: marked.problems_of(project, name)
        for name in marked.named(project)
        if name not in project.library.campaigns
    }


def _others(project: Project) -> list[Problem]:
    """Problems in files that belong to no campaign."""
    told = {each for name in marked.named(project) for each in marked.problems_of(project, name)}
    for known in project.library.campaigns.values():
        told |= {each for one in marked.sent(project, known) for each in one.problems}
    return [each for each in project.library.problems if each not in told]


def held_lines(project: Project, zone: ZoneInfo) -> list[str]:
    """What is stopped, and edits that wait for a word from a person or are being counted."""
    told = [stop_line(each, zone, how=False) for each in stops.listed(project.database)]
    return told + [held_line(each, zone, how=False) for each in project.planner.guard.listed()]
