"""Which concrete parts does a project run with? The only place that names them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nurture.authoring.library import Library
from nurture.clock import Clock, SystemClock
from nurture.config import Config, OutboxTransport, load_config
from nurture.engine.journal import Journal
from nurture.engine.morning import Morning
from nurture.engine.project import Project
from nurture.engine.sender import Sender
from nurture.rendering.links import load_secret
from nurture.store import schema
from nurture.store.database import Database

if TYPE_CHECKING:
    from fastapi import FastAPI  # a framework that only `run` needs

    from nurture.delivery.transport import Transport


def open_project(
    config_path: Path, clock: Clock | None = None, env: Mapping[str, str] | None = None
) -> Project:
    """Everything but the mail's way out: enough to look, preview, explain and simulate.

    An SQLite database is made, or brought up to date after a copy to var/backups/.
    """
    clock = clock or SystemClock()
    env = os.environ if env is None else env
    config = load_config(config_path, env)
    database = open_database(config)
    try:
        schema.prepare(database, var(config) / "backups", clock.now())
        return Project(
            config=config,
            clock=clock,
            database=database,
            library=Library(config),
            signer=load_secret(var(config), env),
        )
    except BaseException:
        database.close()
        raise


def open_database(config: Config) -> Database:
    return Database(config.database, config.root)


def var(config: Config) -> Path:
    """Where the project keeps what it makes: database, secret, backups, outbox."""
    return config.root / "var"


def sender(project: Project, *, plans: bool = True) -> Sender:
    way, journal = carrier(project.config), Journal(var(project.config) / "lanes")
    made = Sender(
        project.database,
        project.planner,
        project.clock,
        project.letters.write,
        way,
        journal,
        plans=plans,
    )
    made.aside = Morning(project, way, journal)
    return made


def carrier(config: Config) -> "Transport":
    """The configured transport, with signed mail where there is a key. In a rehearsal everybody
    else's mail goes to the outbox folder."""
    if config.dkim is None:
        return _transport(config)
    from nurture.delivery.dkim import Signed, Signing  # noqa: PLC0415

    return Signed(_transport(config), Signing(config))


def _transport(config: Config) -> "Transport":
    # Imported here, so that what only looks and previews never loads what can send.
    from nurture.delivery.outbox import Outbox  # noqa: PLC0415

    if isinstance(config.transport, OutboxTransport):
        return Outbox(config.root / config.transport.dir)
    from nurture.delivery.smtp import Smtp  # noqa: PLC0415
    from nurture.delivery.transport import Rehearsal  # noqa: PLC0415

    server = Smtp(config.transport)
    if config.deliver_only_to:
        folder = Outbox(config.root / OutboxTransport().dir)
        return Rehearsal(server, folder, config.deliver_only_to)
    return server


def pages(project: Project) -> "FastAPI":
    """The recruiters' and the candidates' pages. `state.door.opener()` lets the first one in."""
    from nurture.web.app import create_app  # noqa: PLC0415

    return create_app(project, lambda: carrier(project.config))
