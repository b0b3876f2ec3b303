"""How does a mail arrive in a real mailbox? A preview that is sent, to one's own address.

It is addressed to nobody else, says `[Test]` in its subject, invites nobody to anything, and its
links lead nowhere: nothing that is done with it happens to a candidate. It is in no record.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nurture.config import Config, OutboxTransport
from nurture.core.model import Facts, Outcome
from nurture.delivery.transport import Transport
from nurture.engine.invented import with_invented_people
from nurture.engine.letters import Preview
from nurture.engine.project import Project
from nurture.errors import NurtureError
from nurture.rendering import mime
from nurture.rendering.errors import RenderError
from nurture.store import history
from nurture.store.reading import load

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
    letters = project.letters.inert()
    return addressed(
        project.config,
        facts,
        to,
        lambda readers, trial: letters.preview(template, readers, trial=trial),
    )


def addressed(
    config: Config, facts: Facts, to: str, write: Callable[[Facts, str], Preview]
) -> Trial:
    """A mail about this candidate that goes to somebody who tries it. `write` is given their facts
    under the other address, and the name of the trial."""
    readers = replace(facts, candidate=replace(facts.candidate, email=to))
    name = f"test.{secrets.token_hex(6)}"
    seen = write(readers, name)
    return Trial(
        sender=mime.envelope_sender(config),
        to=mime.envelope_recipient(readers),
        raw=seen.raw,
        message_id=f"<{name}@{config.sender.email.partition('@')[2]}>",
        about=facts.candidate.ref,
    )


def kept_in(config: Config, to: str) -> Path | None:
    """The folder in which a mail to this address is put, where no server gets it."""
    if isinstance(config.transport, OutboxTransport):
        return config.root / config.transport.dir
    only = [address.strip().lower() for address in config.deliver_only_to]
    if only and to.lower() not in only:
        return config.root / OutboxTransport().dir
    return None
