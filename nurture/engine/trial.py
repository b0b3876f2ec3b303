"""How does a mail arrive in a real mailbox? A preview that is sent, to one's own address.

It is addressed to nobody else, says `[Test]` in its subject, invites nobody to anything, and its
links lead nowhere: nothing that is done with it happens to a candidate. It is in no record.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

from nurture.core.model import Facts, Outcome
from nurture.delivery.transport import Transport
from nurture.engine.invented import with_invented_people
from nurture.engine.project import Project
from nurture.errors import NurtureError
from nurture.rendering import mime
from nurture.rendering.errors import RenderError
from nurture.rendering.links import Signer
from nurture.store import history
from nurture.store.reading import load

#: Signs links that nobody's server accepts.
NOBODYS = Signer([b"links in a gallery lead nowhere."])
_LOOKED_AT = 200  #: candidates among whom somebody is looked for whom the template fits


@dataclass(frozen=True, kw_only=True)
class Trial:
    """As a transport takes it."""

    sender: str
    to: str
    raw: bytes
    message_id: str
    about: str  #: whose data it shows


def trial(project: Project, template: str, to: str, facts: Facts | None = None) -> Trial:
    """The mail as this candidate would get it now; without one, an invented person whom it fits,
    or whoever it fits. Raises RenderError where it cannot be written."""
    if facts is not None:
        return _written(project, template, facts, to)
    if (project.config.root / "sample" / "events.jsonl").is_file():
        with with_invented_people(project) as invented:
            return _for_anybody(invented, template, to)
    return _for_anybody(project, template, to)


def carried(carrier: Transport, letter: Trial) -> Outcome | None:
    """Hand it over, and say what came of it."""
    ((_, outcome),) = carrier.deliver([letter], lambda _: True)
    return outcome


def _for_anybody(project: Project, template: str, to: str) -> Trial:
    why = "there are no candidates"
    for facts in _people(project):
        try:
            return _written(project, template, facts, to)
        except RenderError as error:
            why = str(error)
    raise NurtureError(f'"{template}" fits nobody here: {why}; name somebody with --candidate')


def _people(project: Project) -> Iterator[Facts]:
    with project.database.read() as connection:
        ids = [row["id"] for row in history.candidate_rows(connection, limit=_LOOKED_AT)]
        yield from load(connection, ids).values()


def _written(project: Project, template: str, facts: Facts, to: str) -> Trial:
    letters = replace(project, signer=NOBODYS).letters
    addressed = replace(facts, candidate=replace(facts.candidate, email=to))
    name = f"test.{secrets.token_hex(6)}"
    seen = letters.preview(template, addressed, trial=name)
    return Trial(
        sender=mime.envelope_sender(project.config),
        to=mime.envelope_recipient(addressed),
        raw=seen.raw,
        message_id=f"<{name}@{project.config.sender.email.partition('@')[2]}>",
        about=facts.candidate.ref,
    )
