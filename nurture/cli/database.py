"""How do the tables come up to date?"""

import click

from nurture.cli.printing import say
from nurture.cli.project import clock, config_option, configured
from nurture.store import schema
from nurture.wiring import open_database, var


@click.group(epilog="Example: nurture db upgrade")
def db() -> None:
    """Care of the database."""


@db.command(epilog="Example: nurture db upgrade")
@config_option
def upgrade() -> None:
    """Bring the tables up to this version.

    SQLite is copied to var/backups/ first; make a backup of PostgreSQL yourself before this.
    """
    config = configured()
    database = open_database(config)
    try:
        if database.dialect == "sqlite":
            schema.prepare(database, var(config) / "backups", clock().now())
        else:
            schema.upgrade(database)
    finally:
        database.close()
    say(f"the database is at version {schema.head()}")
