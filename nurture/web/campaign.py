"""What does one campaign do, who stands where in it, and what came of its mail?"""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from nurture.engine.effect import effects
from nurture.engine.picture import picture
from nurture.engine.project import Project
from nurture.engine.tally import AHEAD, PAST, PERIODS, Tallies
from nurture.store.funnel import ANSWERS_WITHIN, Outcomes
from nurture.store.stops import CAMPAIGN, EVERYTHING, active
from nurture.web import holding, marked, rights
from nurture.web.looks import Looks

_LOOK = ["GET", "HEAD"]
#: Of fewer people a share says nothing; of fewer answers their median.
_PEOPLE, _ANSWERS = 30, 5


def routes(project: Project, looks: Looks, tallies: Tallies) -> APIRouter:
    router = APIRouter()

    @router.api_route("/campaigns/{name}", methods=_LOOK)
    def campaign(request: Request, name: str, days: str = "", said: str = "") -> Response:
        viewer = rights.viewer(request)
        if name not in marked.named(project):
            return looks.notice(request, 404, "There is no campaign of this name.")
        found = project.library.campaigns.get(name)
        source = marked.marked(project, name)
        if found is None:
            return looks.page(request, "campaign_broken", stem=name, source=source)
        tally = tallies.of(found)
        with project.database.read() as connection:
            halts = [
                holding.stopped(project, connection, each)
                for each in active(connection)
                if (each.scope, each.ref) in ((CAMPAIGN, name), (EVERYTHING, None))
            ]
            held = [
                holding.held(project, connection, each, viewer)
                for each in effects(project, connection, name)
            ]
        period = next((each for each in PERIODS if str(each) == days), PERIODS[0])
        file = marked.problems_of(project, name)
        return looks.page(
            request,
            "campaign",
            campaign=found,
            tally=tally,
            picture=picture(found, tally.census if tally else None),
            stops=halts,
            held=held,
            source=source,
            problems=file,
            stale=any(each.severity == "error" for each in file),
            templates=marked.sent(project, found),
            period=period,
            periods=PERIODS,
            came=came(tally.outcomes[period]) if tally else None,
            span=(PAST, AHEAD),
            within=ANSWERS_WITHIN.days,
            can_pause=rights.may(viewer, "pause-campaign"),
            can_release=rights.may(viewer, "release"),
            said=holding.SAID.get(said),
        )

    return router


def came(told: Outcomes) -> dict[str, Any]:
    """Outcomes as a page tells them: each with what it is, and of few people no shares."""
    lines = [
        ("Answered a question", told.answered, "of a mail, by its buttons"),
        ("Wrote back", told.replied, "in their own words"),
        ("Withdrew", told.withdrew, "their application"),
        ("Opted out", told.opted_out, "of a topic or of all, or complained"),
        ("Bounced", told.bounced, "mail came back for good"),
    ]
    enough = told.reached >= _PEOPLE
    return {
        "told": told,
        "lines": [
            {
                "what": what,
                "people": people,
                "about": about,
                "share": people / told.reached if enough else None,
            }
            for what, people, about in lines
        ],
        "enough": enough,
        "median": _length(told.median) if told.median and told.median_of >= _ANSWERS else "",
        "people": _PEOPLE,
        "answers": _ANSWERS,
    }


def _length(time: timedelta) -> str:
    """`40 minutes`, `5 hours`, `3 days`: as exact as a median is."""
    minutes = time / timedelta(minutes=1)
    if minutes < 90:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 48 * 60 else f"{minutes / 1440:.0f} days"
