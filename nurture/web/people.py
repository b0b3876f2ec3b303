"""What do we call somebody on a page, and what must be known before anybody writes to them?"""

from collections.abc import Collection
from datetime import datetime

from nurture.core.model import Candidate
from nurture.store.database import Connection
from nurture.store.reading import load


def name_of(candidate: Candidate) -> str:
    """What to call somebody on a page."""
    name = " ".join(part for part in (candidate.first_name, candidate.last_name) if part)
    return name or candidate.email or candidate.ref


def badges(candidate: Candidate, now: datetime) -> list[tuple[str, str]]:
    """What everybody must know before they write to somebody: a tone and a word for each."""
    found = []
    if candidate.do_not_contact:
        found.append(("stop", "do not contact"))
    if candidate.suppressed:
        found.append(("stop", f"address does not work: {candidate.suppressed}"))
    if "all" in candidate.unsubscribed:
        found.append(("calm", "unsubscribed"))
    elif candidate.unsubscribed:
        found.append(
            (
                "calm",
                "unsubscribed from " + ", ".join(map(topic_name, sorted(candidate.unsubscribed))),
            )
        )
    if candidate.paused_until is not None and candidate.paused_until > now:
        found.append(
            ("calm", f"paused until {candidate.paused_until.day} {candidate.paused_until:%b %Y}")
        )
    if not candidate.email:
        found.append(("stop", "no address"))
    return found


def topic_name(topic: str) -> str:
    """What to call what somebody does not want."""
    return "any mail that is not about them" if topic == "all" else topic.replace("_", " ")


def names(connection: Connection, ids: Collection[int]) -> dict[int, str]:
    """What to call each of these candidates, by number."""
    return {id_: name_of(each.candidate) for id_, each in load(connection, ids).items()}
