"""How does a page look? Autoescaped templates, the brand's colours, times in words."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from nurture.config import Config
from nurture.core import reasons
from nurture.rendering.layout import colours, readable
from nurture.web.phrases import phrases_for, spoken
from nurture.web.rights import CSRF

PAGES = Path(__file__).parent / "pages"
_NIGHT = "#1b1a17"  # the page's paper by night, as in static/nurture.css

#: The candidates' own pages.
_CANDIDATES = ("/u/", "/p/", "/a/")

_NOTICES: Mapping[int, tuple[str, str]] = {
    403: (
        "This is not open to you",
        "Candidates’ data are here, so these pages open only where they are meant to.",
    ),
    400: ("This cannot be read", "Something in it is not as our pages send it."),
    401: ("Please sign in", "Nobody is signed in here, or it has been too long ago."),
    404: ("There is nothing here", "The address may be mistyped, or what it named is gone."),
    413: ("This is too much", "Please send less at once."),
    415: ("This cannot be read", "It is no form of our pages."),
    429: ("Too many tries", "Please wait a few minutes, then try again."),
    405: ("That cannot be done here", "This page can only be read."),
    503: (
        "A part outside is not answering",
        "Most likely it is the database. Nothing is lost; try again in a moment.",
    ),
    500: (
        "Something went wrong on our side",
        "Nothing was changed. The log says where it happened; please try again.",
    ),
}


class Looks:
    """Renders pages. Everything that varies goes through autoescape."""

    def __init__(self, config: Config, called: Callable[[str], str] = str) -> None:
        """`called`: what people call the letter of this name."""
        self.company = config.company
        self.locale = config.locale
        self.house = ZoneInfo(config.timezone)  #: the recruiters' clock
        self._css = _brand_css(config.company.brand.accent)
        self._templates = Jinja2Templates(directory=PAGES)
        self._templates.env.trim_blocks = self._templates.env.lstrip_blocks = True
        self._templates.env.globals["csrf_token"] = CSRF.get
        filters = {"clock": _clock, "place": _place, "words": _words, "called": called}
        self._templates.env.filters |= filters

    def page(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        """`pages/<name>.html` with these values."""
        shared = {
            "company": self.company,
            "house": self.house,
            "path": request.url.path,
            "viewer": request.scope.get("state", {}).get("viewer"),
        }
        template = self._templates.get_template(f"{name}.html")
        context = template.new_context({**shared, **values})
        try:
            return HTMLResponse("".join(template.root_render_func(context)), status)
        finally:
            # A page's macros and its context hold each other, and with them all that was shown:
            # let go of it here, where the garbage collector would have thousands of it to find.
            context.parent.clear()

    def notice(self, request: Request, status: int, said: str = "") -> Response:
        """A page that says, without a traceback, why there is no other."""
        path = request.url.path
        if path.startswith(_CANDIDATES):
            return self._to_candidates(request, status, said)
        title, text = _NOTICES.get(status, _NOTICES[500 if status >= 500 else 404])
        known = request.scope.get("state", {}).get("viewer") is not None
        frame = "public" if status in (401, 403) and not known else "base"
        return self.page(
            request, "notice", status, title=title, text=said or text, frame=f"{frame}.html"
        )

    def _to_candidates(self, request: Request, status: int, said: str) -> Response:
        """The same on their own pages, in a language that their browser asks for."""
        say = phrases_for(spoken(request.headers.get("accept-language", ""), self.locale))
        name = "trouble" if status >= 500 else "nothing" if status == 404 else "not_here"
        told = {"title": say(f"page.{name}"), "text": said or say(f"page.{name}_what")}
        return self.page(request, "notice", status, frame="reader.html", lang=say.language, **told)

    def brand(self) -> Response:
        """The company's accent, made readable by day and by night, as CSS variables."""
        return Response(self._css, media_type="text/css", headers={"cache-control": "no-cache"})


def _brand_css(accent: str) -> str:
    found = colours(accent)
    night = readable(accent, _NIGHT)
    return (
        f":root {{ --accent: {found['accent']}; --on-accent: {found['on_accent']};"
        f" --link: {found['link']}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --link: {night}; }} }}\n"
    )


def _clock(at: datetime, zone: ZoneInfo) -> str:
    """`Tue 3 Dec 09:00`; the place is written beside it."""
    return reasons.moment(at, zone).rpartition(" (")[0]


def _place(zone: ZoneInfo) -> str:
    """`Lisbon`: a zone by its city."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def _words(name: str) -> str:
    """`do_not_contact` as people read it."""
    return name.replace("_", " ").replace("-", " ")
