"""What does a page tell of one letter? Its line in the inbox, its parts in words, and its why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from typing import Any

from nurture.core.model import Campaign, Candidate
from nurture.engine.letters import NOBODYS, Preview
from nurture.engine.looking import Sight
from nurture.engine.outlook import Entry
from nurture.engine.picture import Node, enters, picture
from nurture.rendering import anatomy
from nurture.rendering.anatomy import CLIPPED_AT, ON_A_PHONE, Link
from nurture.rendering.links import PREFERENCES, UNSUBSCRIBE
from nurture.web.people import name_of

LETTER = "letter"
#: Each view of a letter by its name in addresses, and as people read it.
VIEWS = {
    LETTER: "Desktop",
    "phone": "Phone",
    "dark": "Dark",
    "text": "Text",
    "links": "Links",
    "headers": "Headers",
    "calendar": "Calendar",
    "source": "Source",
}
_FIRST_WORDS = 140  # of a letter without a preheader, as the inbox shows them


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """The line by which a letter is found."""

    sender: str
    initial: str
    subject: str
    beside: str  #: the preheader, or what a mail program shows where there is none
    own: bool  #: whether that is a preheader
    long: bool  #: whether a phone cuts the subject off


@dataclass(frozen=True, kw_only=True)
class Size:
    """In bytes."""

    html: int
    whole: int
    limit: int = CLIPPED_AT

    @property
    def share(self) -> int:
        """Of what Gmail shows, in percent."""
        return round(100 * self.html / self.limit)

    @property
    def clipped(self) -> bool:
        return self.html > self.limit


@dataclass(frozen=True, kw_only=True)
class Why:
    """A line of the agenda, with the step that it comes from."""

    entry: Entry
    title: str
    enters: str  #: in the campaign's words; empty where its file is gone
    since: datetime | None  #: when they entered
    when: str  #: the step's moment, in its words
    limits: tuple[str, ...]


def inbox(letter: Preview) -> Inbox:
    head = message_from_bytes(letter.raw.partition(b"\r\n\r\n")[0], policy=policy.default)
    first = head["From"].addresses[0]
    sender = first.display_name or first.addr_spec
    preheader = letter.rendered.preheader
    words = " ".join(letter.rendered.text.split())
    return Inbox(
        sender=sender,
        initial=next((each for each in sender if each.isalnum()), "?").upper(),
        subject=letter.rendered.subject,
        beside=preheader or words[:_FIRST_WORDS],
        own=bool(preheader),
        long=len(letter.rendered.subject) > ON_A_PHONE,
    )


def size(letter: Preview) -> Size:
    return Size(html=len(letter.rendered.html.encode()), whole=len(letter.raw))


def views(letter: Preview) -> dict[str, str]:
    """Those that this letter has."""
    return {n: said for n, said in VIEWS.items() if n != "calendar" or letter.invitation}


def parts(letter: Preview, view: str, ours: str, candidate: Candidate) -> dict[str, Any]:
    """What one view shows beside the letter itself. `ours`: the address of our own pages."""
    rendered = letter.rendered
    match view:
        case "links":
            return {
                "links": anatomy.links(rendered.html, rendered.text, ours),
                "leads": lambda link: leads(link, candidate),
                "pictures": anatomy.pictures(rendered.html),
            }
        case "headers":
            return {"headers": anatomy.headers(letter.raw)}
        case "calendar" if letter.invitation is not None:
            return {"calendar": anatomy.entry_in(letter.invitation)}
        case "dark" | "phone":
            return {"has_night": anatomy.has_night(rendered.html)}
        case "source":
            head, _, body = letter.raw.decode("utf-8", "replace").partition("\r\n\r\n")
            return {"head": head.replace("\r\n", "\n"), "body": body.replace("\r\n", "\n")}
    return {}


def leads(link: Link, candidate: Candidate) -> str:
    """What a link of ours does, and for whom: by its own token."""
    name = name_of(candidate)
    if link.purpose == "a":
        answer = NOBODYS.read_answer(link.token)
        if answer is not None and answer.candidate_id == candidate.id:
            return f"answers “{answer.question}” with “{answer.option}” for {name}"
    for part, (purpose, what) in _PURPOSES.items():
        if link.purpose == part and NOBODYS.read(purpose, link.token) == candidate.id:
            return what.format(name=name)
    return "a page of ours that says nothing of them"


#: What links of ours do, by the first part of their path.
_PURPOSES = {
    "u": (UNSUBSCRIBE, "stops mail to {name}, of some kind or of all"),
    "p": (PREFERENCES, "{name}’s own choices"),
}


# --- why this person, why now ---------------------------------------------------------------------


def reasons(sight: Sight, campaigns: Mapping[str, Campaign]) -> list[Why]:
    """Of what is looked at: its own line, or each by which the agenda wants such a template."""
    own = [sight.entry] if sight.entry is not None else []
    return [_why(each, sight, campaigns) for each in (*own, *sight.wanted)]


def _why(entry: Entry, sight: Sight, campaigns: Mapping[str, Campaign]) -> Why:
    number = entry.enrollment or (sight.message.enrollment_id if sight.message else None)
    enrolled = next((each for each in sight.facts.enrollments if each.id == number), None)
    campaign = campaigns.get(entry.campaign)
    nodes = list(_every(picture(campaign).nodes)) if campaign is not None else []
    node = next((each for each in nodes if each.id == entry.step), None)
    return Why(
        entry=entry,
        title=campaign.title if campaign is not None else entry.campaign,
        enters=enters(campaign.enter) if campaign is not None else "",
        since=enrolled.entered_at if enrolled is not None else None,
        when=node.when if node is not None else "",
        limits=node.limits if node is not None else (),
    )


def _every(nodes: Iterable[Node]) -> Iterable[Node]:
    for node in nodes:
        yield node
        yield from _every(node.then)
        yield from _every(node.otherwise)


@dataclass(frozen=True, kw_only=True)
class Around:
    """The mails that are to come, and where among them one is."""

    listed: tuple[Entry, ...]
    more: int  #: how many are not listed
    here: Entry | None  #: the one that is looked at
    before: Entry | None
    after: Entry | None  #: of none of them: the next that goes


_LISTED = 8


def around(sight: Sight) -> Around:
    coming = sight.coming
    key = (sight.entry.enrollment, sight.entry.step) if sight.entry else None
    at = next((n for n, e in enumerate(coming) if (e.enrollment, e.step) == key), -1)
    start = max(min(at - _LISTED // 2, len(coming) - _LISTED), 0)
    listed = coming[start : start + _LISTED]
    return Around(
        listed=listed,
        more=len(coming) - len(listed),
        here=coming[at] if at >= 0 else None,
        before=coming[at - 1] if at > 0 else None,
        after=coming[at + 1] if at + 1 < len(coming) else None,
    )
