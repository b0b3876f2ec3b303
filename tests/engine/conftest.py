"""Worlds to test the engine in."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nurture.clock import SetClock
from nurture.store.database import Database
from nurture.store.tables import metadata
from tests.conftest import REPOSITORY
from tests.world import World


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    """A project folder with layouts and no campaign."""
    folder = tmp_path / "project"
    shutil.copytree(REPOSITORY / "templates/layouts", folder / "templates/layouts")
    (folder / "campaigns").mkdir()
    (folder / "config.yaml").write_text("")
    return folder


@pytest.fixture
def world(empty_folder: Path, database: Database, clock: SetClock) -> World:
    """An empty project on each kind of database."""
    return World(empty_folder, database, clock)


@pytest.fixture
def starter(folder: Path, clock: SetClock) -> Iterator[World]:
    """The starter project without its sample candidates, in memory."""
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    yield World(folder, database, clock)
    database.close()
