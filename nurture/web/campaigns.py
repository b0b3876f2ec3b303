"""What does each campaign do, to how many people, and what holds it?"""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from nurture.core.model import Campaign
from nurture.engine import stops
from nurture.engine.flowchart import flowchart
from nurture.engine.held import held_line
from nurture.engine.picture import Picture, picture, whereabouts
from nurture.engine.project import Project
from nurture.engine.stops import stop_line
from nurture.errors import Problem
from nurture.store import history
from nurture.store.census import Census, census
from nurture.store.stops import CAMPAIGN, EVERYTHING
from nurture.web.looks import Looks

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/campaigns", methods=_LOOK)
    def campaigns(request: Request) -> Response:
        with project.database.read() as connection:
            enrolled = history.counts(connection)["enrolled"]
        return looks.page(request, "campaigns", enrolled=enrolled, **campaign_cards(project))

    @router.api_route("/campaigns/{name}", methods=_LOOK)
    def campaign(request: Request, name: str) -> Response:
        found = project.library.campaigns.get(name)
        if found is None:
            return looks.notice(request, 404, "There is no good campaign of this name.")
        with project.database.read() as connection:
            counted = census(connection, name)
        return looks.page(
            request,
            "campaign",
            held=held_lines(project, name),
            card=_card(project, found, counted),
            mermaid=flowchart(picture(found, counted)),
            whereabouts=whereabouts,
        )

    return router


@dataclass(frozen=True, kw_only=True)
class Card:
    picture: Picture
    problems: tuple[Problem, ...]
    stale: bool  #: the file as it is now has errors: the last good version is in force


def held_lines(project: Project, campaign: str | None = None) -> list[str]:
    """What is stopped, and edits that wait for a word from a person or are being counted: of all
    campaigns, or one."""
    halts = stops.listed(project.database)
    about = (None, campaign)
    told = [
        stop_line(each)
        for each in halts
        if campaign is None or (each["scope"] in (CAMPAIGN, EVERYTHING) and each["ref"] in about)
    ]
    listed = project.planner.guard.listed()
    return told + [held_line(each) for each in listed if campaign in (None, each["campaign"])]


def campaign_cards(project: Project) -> dict[str, Any]:
    """What is in force, and which files are not: every problem is shown where it belongs."""
    library = project.library
    cards = [_card(project, campaign) for campaign in library.campaigns.values()]
    told = {problem for card in cards for problem in card.problems}
    others = [each for each in library.problems if each not in told]
    missing = sorted(library.missing)
    return {"cards": cards, "others": others, "missing": missing, "held": held_lines(project)}


def _card(project: Project, campaign: Campaign, census: Census | None = None) -> Card:
    own = tuple(each for each in project.library.problems if each.file == campaign.file)
    return Card(
        picture=picture(campaign, census),
        problems=own,
        stale=any(each.severity == "error" for each in own),
    )
