"""A backup brings everything back but yesterday's mail, from and to both kinds of database."""

import json
import shutil
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from nurture.core.model import Unknown
from nurture.engine.backup import Restored, back_up, fingerprint, restore
from nurture.engine.project import Project
from nurture.engine.settling import doubts, settle
from nurture.engine.stops import listed, resume
from nurture.errors import NurtureError, OutsideError
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.store import dump, tables
from nurture.store.database import Connection, Database
from nurture.store.dump import TABLES
from tests.world import World

IDA = "ida@example.com"
WEEK = """\
name: Week
status: live
enter:
  on: application.created
  once_per: application
steps:
  - send: notes/welcome
  - send: notes/tuesday
    after: 1 day
  - send: notes/thursday
    after: 2 days
  - send: notes/friday
    at: 4 days after entered
"""
AUDIENCE = """\
name: Waiting
status: live
enter:
  if: days_since(application.applied_at) > 1 and application.stage == "applied"
  once_per: application
steps:
  - send: notes/waiting
"""


@pytest.fixture
def week(world: World) -> World:
    """Monday: Ana applied, and has been welcomed."""
    for name in ("welcome", "tuesday", "thursday", "friday", "waiting"):
        world.template(f"notes/{name}", "receipt")
    world.campaign("week", WEEK)
    world.campaign("waiting", AUDIENCE)
    world.reload()
    world.project.begin()
    applies(world, "c1")
    world.work()
    assert [step for step, _ in world.sent()] == ["welcome"]
    return world


def applies(world: World, who: str) -> None:
    candidate = {"id": who, "email": f"{who}@example.com", "first_name": who}
    now = world.clock.now().isoformat()
    about = {"id": f"a-{who}", "stage": "applied", "applied_at": now}
    world.tell("application.created", candidate=candidate, application=about)


def backed_up(world: World, name: str = "monday.nurture") -> Path:
    file = world.folder / name
    back_up(world.project, file, ["ours"], None)
    return file


def put_back(world: World, file: Path, tell: Callable[..., None] | None = None) -> Restored:
    """As a new process would, and the stop lifted at once by a careless person."""
    safety = world.folder / f"before-{world.clock.now():%H%M%S%f}.nurture"
    given = {} if tell is None else {"tell": tell}
    found = restore(world.project, file, ["ours"], by=IDA, safety=safety, **given)
    world.restart()
    world.project.begin()
    (stop,) = listed(world.database)
    assert (stop["scope"], stop["cause"], stop["by"]) == ("everything", "restored", IDA)
    before = len(world.postman.offered)
    world.work()
    assert len(world.postman.offered) == before, "it comes up stopped"
    with world.database.write() as connection:
        resume(connection, "everything", None, by=IDA, now=world.clock.now())
    return found


def offered(world: World) -> Counter[str]:
    return Counter(header for _, header in world.postman.offered)


def test_nobody_gets_tuesdays_mail_twice_and_the_later_ones_go_on(week: World) -> None:
    file = backed_up(week)
    week.run_for(days=2)
    assert len(week.postman.offered) == 3, "welcome, tuesday, waiting"
    found = put_back(week, file)
    assert found.doubtful == 2
    (first, second) = doubts(week.project)
    assert {first.step, second.step} == {"tuesday", "waiting"}
    assert {first.message_id, second.message_id} <= offered(week).keys(), "the log can tell"
    assert "a backup of 2026-11-23T10:00Z" in first.said
    week.run_for(days=6)
    assert set(offered(week).values()) == {1}
    assert [step for step, _ in week.sent()][-2:] == ["thursday", "friday"]
    settle(week.project, [first.id, second.id], sent=True, by=IDA)
    week.run_for(days=6)
    assert set(offered(week).values()) == {1}
    assert len(week.postman.offered) == 5


def test_what_never_left_goes_once_a_person_said_so(week: World) -> None:
    file = backed_up(week)
    week.clock.set(week.clock.now() + timedelta(days=2))  # nothing ran since
    put_back(week, file)
    week.work()
    assert len(week.postman.offered) == 1
    for doubt in doubts(week.project):
        settle(week.project, [doubt.id], sent=False, by=IDA)
    week.run_for(days=6)
    assert set(offered(week).values()) == {1}
    steps = Counter(step for step, _ in week.sent())
    assert steps == dict.fromkeys(("welcome", "tuesday", "waiting", "thursday", "friday"), 1)


def test_what_happened_since_is_told_again_without_mailing_it_again(week: World) -> None:
    """Ben applied on Tuesday and was welcomed; the backup has never heard of him."""
    file = backed_up(week)
    week.run_for(days=1)
    applies(week, "c2")
    told_at = week.clock.now()
    week.run_for(days=1)
    welcomes = len(week.postman.offered)

    put_back(week, file, lambda project: again(project, told_at))
    week.work()
    assert len(week.postman.offered) == welcomes
    assert {each.candidate for each in doubts(week.project)} == {"c1", "c2"}


def test_what_is_told_even_later_is_held_too_until_a_person_settles_it(week: World) -> None:
    file = backed_up(week)
    week.run_for(days=1)
    told_at = week.clock.now()
    applies(week, "c2")
    week.run_for(days=1)
    put_back(week, file)
    week.run_for(hours=3)
    before = len(week.postman.offered)
    again(week.project, told_at)
    week.run_for(hours=1)
    assert len(week.postman.offered) == before
    assert (week.entry("welcome", "c2").reason, week.sent("c2")) == ("release", [])
    (doubt,) = (each for each in doubts(week.project) if each.candidate == "c2")
    settle(week.project, [doubt.id], sent=False, by=IDA)
    week.run_for(hours=1)
    assert len(week.postman.offered) == before + 1
    assert week.sent("c2")[0][0] == "welcome"


def again(project: Project, told_at: datetime) -> None:
    """The event of then, told to the restored project."""
    candidate = {"id": "c2", "email": "c2@example.com", "first_name": "c2"}
    about = {"id": "a-c2", "stage": "applied", "applied_at": told_at.isoformat()}
    event = {
        "type": "application.created",
        "source": "test",
        "id": "again",
        "occurred_at": told_at.isoformat(),
        "candidate": candidate,
        "application": about,
    }
    apply(project.database, parse_event(event), project.clock.now())


def test_what_was_on_its_way_when_the_backup_was_made_is_in_doubt(week: World) -> None:
    week.run_for(hours=23)
    with week.database.write() as connection:
        message = dict(connection.execute(select(tables.messages)).mappings().one())
        connection.execute(update(tables.messages).values(state="sending", lease="x:y"))
    file = backed_up(week)
    put_back(week, file)
    week.work()
    (doubt,) = doubts(week.project)
    assert doubt.message_id == message["message_id"]
    assert len(week.postman.offered) == 1


def test_a_backup_of_one_kind_of_database_is_restored_into_the_other(
    week: World, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    week.run_for(days=1)
    week.postman.answers = [Unknown(text="no answer")]
    applies(week, "c2")
    week.work()
    file = backed_up(week)
    with other_kind(week.database, tmp_path, request) as other:
        before, week.database = week.database, other
        week.restart()
        found = restore(week.project, file, ["ours"], by=IDA)
        assert found.safety_copy is None
        assert not found.other_config
        for name, table in TABLES.items():
            if name in ("stops", "marks", "releases"):
                continue
            with before.read() as old, other.read() as new:
                rows = [list(map(dict, c.execute(select(table)).mappings())) for c in (old, new)]
            key = table.primary_key.columns.keys()
            old_rows, new_rows = (
                sorted(each, key=lambda r: [str(r[k]) for k in key]) for each in rows
            )
            if name == "candidates":
                for row in (*old_rows, *new_rows):
                    del row["wake_at"], row["rearm_at"]
            assert new_rows == old_rows, name
        week.restart()
        applies(week, "c3")
        week.work()
        with other.read() as connection:
            ids = connection.execute(select(tables.candidates.c.id)).scalars().all()
        assert max(ids) > 1_000_000, "a number given since the backup is never given again"


def other_kind(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> closing[Database]:
    if database.dialect == "postgresql":
        shutil.copy(request.getfixturevalue("with_tables"), tmp_path / "other.db")
        return closing(Database(f"sqlite:///{tmp_path}/other.db"))
    make = request.getfixturevalue("new_postgres")
    return closing(Database(make(request.getfixturevalue("postgres_with_tables"))))


def test_a_backup_is_for_its_owner_and_says_what_it_holds(starter: World) -> None:
    file = starter.folder / "b.nurture"
    manifest = back_up(starter.project, file, [fingerprint("k" * 32)], "k" * 32 + "\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        said = json.loads(archive.read("manifest.json"))
        assert archive.read("secret") == b"k" * 32 + b"\n"
    assert (said["secret"], said["rows"]["candidates"]) == (True, 0)
    assert "kkkk" not in json.dumps(said)
    assert manifest.keys == said["keys"]
    with pytest.raises(NurtureError, match="is there already"):
        back_up(starter.project, file, [], None)


def test_what_is_there_is_not_written_over_without_a_word_and_a_copy(starter: World) -> None:
    empty = starter.folder / "empty.nurture"
    back_up(starter.project, empty, [], None)
    applies(starter, "c1")
    with pytest.raises(NurtureError, match="not empty"):
        restore(starter.project, empty, [], by=None)
    safety = starter.folder / "var/backups/before.nurture"
    restore(starter.project, empty, [], by=None, safety=safety)
    starter.restart()
    assert starter.project.planner.tick() == 0
    restore(starter.project, safety, [], by=None, safety=starter.folder / "second.nurture")
    starter.restart()
    assert starter.agenda("c1") is not None


def test_a_backup_is_of_one_instant_while_others_go_on_writing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    applies(world, "c1")
    lines, told = dump.lines, []

    def slowly(connection: Connection, table: str) -> Iterator[bytes]:
        if not told:
            told.append(table)
            applies(world, "c2")
        return lines(connection, table)

    monkeypatch.setattr(dump, "lines", slowly)
    file = world.folder / "b.nurture"
    rows = back_up(world.project, file, [], None).rows
    assert (rows["candidates"], rows["candidate_refs"], rows["applications"]) == (1, 1, 1)
    assert world.agenda("c2") is not None, "and nobody waited for it"


@pytest.mark.parametrize("spoilt", ["empty", "text", "half", "flipped", "row missing"])
def test_what_is_no_whole_backup_changes_nothing(starter: World, spoilt: str) -> None:
    applies(starter, "c1")
    file = starter.folder / "b.nurture"
    back_up(starter.project, file, [], None)
    raw = file.read_bytes()
    if spoilt == "row missing":
        short = starter.folder / "short.nurture"
        with zipfile.ZipFile(file) as whole, zipfile.ZipFile(short, "w") as less:
            for name in whole.namelist():
                less.writestr(name, b"" if name == "candidates.jsonl" else whole.read(name))
        raw = short.read_bytes()
    place = raw.index(b"candidates.jsonl") + 60
    flipped = raw[:place] + bytes([raw[place] ^ 255]) + raw[place + 1 :]
    broken = {"empty": b"", "text": b"hello", "half": raw[: len(raw) // 2], "flipped": flipped}
    file.write_bytes(broken.get(spoilt, raw))
    with pytest.raises(NurtureError):
        restore(starter.project, file, [], by=None, safety=starter.folder / "safety.nurture")
    assert starter.agenda("c1") is not None
    with starter.database.read() as connection:
        assert connection.execute(select(tables.stops)).all() == []


def test_a_newer_backup_is_refused(starter: World) -> None:
    file = starter.folder / "b.nurture"
    back_up(starter.project, file, [], None)
    newer = starter.folder / "newer.nurture"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(newer, "w") as new:
        said = json.loads(old.read("manifest.json")) | {"schema": "9999"}
        new.writestr("manifest.json", json.dumps(said))
    with pytest.raises(OutsideError, match="newer"):
        restore(starter.project, newer, [], by=None)


@pytest.fixture
def at_work(week: World) -> World:
    with week.database.write() as connection:
        now = week.clock.now()
        row = {"id": "x", "kind": "run", "host": "h", "pid": 1, "started_at": now, "seen_at": now}
        connection.execute(tables.processes.insert(), row)
    return week


def test_a_restore_beneath_a_running_process_is_refused(at_work: World) -> None:
    file = backed_up(at_work)
    with pytest.raises(OutsideError, match="stop them first"):
        restore(at_work.project, file, [], by=None, safety=at_work.folder / "s")


@pytest.mark.parametrize(("made_after", "lost_for"), [(0, 80), (20, 3), (26, 60), (75, 3)])
def test_whenever_it_is_made_and_put_back_nothing_goes_twice(
    starter: World, made_after: int, lost_for: int
) -> None:
    """The starter's campaigns, an interview week, any two instants of it."""
    now = starter.clock.now()
    starter.project.begin()
    candidate = {"id": "c1", "email": "ana@example.com", "first_name": "Ana"}
    job = {"id": "j1", "title": "Cook"}
    application = {"id": "a1", "stage": "interviewing", "job": job, "recruiter": IDA}
    starter.tell("application.created", candidate=candidate, application=application)
    starts = now + timedelta(days=3, hours=1)
    interview = {"id": "i1", "kind": "video", "starts_at": starts.isoformat()}
    starter.tell(
        "interview.scheduled", candidate=candidate, application=application, interview=interview
    )
    starter.run_for(hours=made_after)
    file = backed_up(starter)
    starter.run_for(hours=lost_for)
    put_back(starter, file)
    starter.run_for(days=20)
    assert set(offered(starter).values()) == {1}
    assert len(starter.postman.offered) > 3
