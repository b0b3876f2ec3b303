"""Promises of the documents: what they name exists, and what they tell happens."""

import ast
import importlib
import importlib.util
import inspect
import re
import shlex
import shutil
from datetime import UTC, datetime
from email import message_from_bytes, policy
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from pydantic import BaseModel

from nurture import config
from nurture.authoring.check import check
from nurture.cli import main
from nurture.clock import SetClock
from nurture.config import load_config
from nurture.core.model import MessageState, Reason, Verdict
from nurture.store.database import Database
from nurture.store.reading import load
from nurture.store.tables import metadata
from tests.world import World

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/*.md", "docs/decisions/*.md") for path in ROOT.glob(pattern)
)
SHOWN = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
#: Files whose comments speak to their readers as documents do.
COMMENTED = ["config.yaml", *(f"campaigns/{path.name}" for path in ROOT.glob("campaigns/*.yaml"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
LISBON = ZoneInfo("Europe/Lisbon")


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return re.split(rf"^##+ {re.escape(title)}$", text, maxsplit=1, flags=re.MULTILINE)[1].split(
        "\n## ", 1
    )[0]


def first_column(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def blocks(text: str, language: str = r"\w*") -> list[str]:
    """The fenced blocks of a document, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "words"),
    [("Verdicts", Verdict), ("Reasons", Reason), ("States of a message", MessageState)],
)
def test_each_word_that_people_are_shown_is_explained_in_its_order_and_no_other(title, words):
    assert first_column(section(text_of("docs/reasons.md"), title)) == [
        each.value for each in words
    ]


def test_each_reason_says_what_it_means_and_what_to_do():
    for line in section(text_of("docs/reasons.md"), "Reasons").splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == 3, line
            assert all(cell.endswith(".") for cell in cells[1:]), line


def test_each_action_of_the_log_is_explained_and_no_other():
    said = set()
    for path in (ROOT / "nurture").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                said |= {
                    value.value
                    for key, value in pairs
                    if isinstance(key, ast.Constant)
                    and key.value == "action"
                    and isinstance(value, ast.Constant)
                }
    assert sorted(first_column(section(OPERATIONS, "Logs"))) == sorted(said)


def unread(model: type[BaseModel], source: str) -> set[str]:
    """Keys of a level of config.yaml that no code looks at; all of a level that nobody opens.
    What a level's own method reads counts where that method is called."""
    levels = [vars(each) for each in model.__mro__ if each.__module__ == config.__name__]
    for name, method in (pair for level in levels for pair in level.items()):
        if inspect.isfunction(method) and re.search(rf"\.{name}\(", source):
            source += inspect.getsource(method)
    return {
        field.alias or name
        for name, field in model.model_fields.items()
        if not re.search(rf"\.{name}\b", source)
    }


def test_the_keys_that_have_no_effect_yet_are_exactly_those_named_so():
    here = {ROOT / "nurture/config.py", ROOT / "nurture/core/model.py"}
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "nurture").rglob("*.py")
        if path not in here
    )
    idle = unread(config.Config, source)
    idle |= {f"categories.*.{name}" for name in unread(config.CategoryKeys, source)}
    # A word that the code uses for something else as well: `tone` is opened here or not at all.
    idle |= {"tone"} if unread(config.ToneRules, source) else set()
    named = section(OPERATIONS, "Not in this version")
    assert set(first_column(named)) == idle
    marked = r"^\| `([^`]+)` \|.*\*\*no effect yet\*\*"
    assert set(re.findall(marked, text_of("docs/configuration.md"), re.MULTILINE)) == idle


# --- commands --------------------------------------------------------------------------------


@cache
def bootstrap_commands() -> dict[str, tuple[list[str] | None, bool]]:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools/bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.COMMANDS


def command_lines(name: str) -> list[str]:
    lines = [line.strip() for block in blocks(text_of(name)) for line in block.splitlines()]
    lines = [line.removeprefix("ExecStart=") for line in lines]
    lines = [re.sub(r"^\S*/nurture ", "nurture ", line) for line in lines]
    return [line for line in lines if line.startswith(("nurture ", "python3 tools/bootstrap.py "))]


def wrong_with(line: str) -> str | None:
    """Why nobody can type this; None where everybody can."""
    words = shlex.split(line, comments=True)
    if words[0] == "python3":
        known = words[2] in bootstrap_commands()
        return None if known else f"no command {words[2]}"
    try:
        command, context, rest = main, click.Context(main, info_name="nurture"), words[1:]
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            name, found, rest = command.resolve_command(context, rest)
            command, context = found, click.Context(found, info_name=name, parent=context)
        command.make_context(context.info_name, list(rest), parent=context.parent)
    except click.exceptions.Exit:
        return None  # --help, --version
    except click.ClickException as error:
        return error.format_message()
    return None


@pytest.fixture
def every_file_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of examples need not exist; all else is read as the command line reads it."""
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _param, _context: value)


@pytest.mark.usefixtures("every_file_is_there")
@pytest.mark.parametrize("name", SHOWN)
def test_each_command_that_is_shown_can_be_typed(name):
    wrong = {line: why for line in command_lines(name) if (why := wrong_with(line))}
    assert wrong == {}


@pytest.mark.usefixtures("every_file_is_there")
@pytest.mark.parametrize(
    "line",
    [
        "nurture fly",
        "nurture check --hastily",
        "nurture tasks undo 3",
        "nurture preview a/b",
        "nurture run --log yaml",
        "nurture status extra",
        "python3 tools/bootstrap.py fly",
    ],
)
def test_a_command_that_cannot_be_typed_is_seen(line):
    assert wrong_with(line)


def test_commands_are_found_in_the_documents():
    lines = [line for name in SHOWN for line in command_lines(name)]
    assert "python3 tools/bootstrap.py run" in lines
    assert "python3 tools/bootstrap.py test" in lines
    assert len([line for line in lines if line.startswith("nurture ")]) > 10


@pytest.mark.parametrize("name", [*SHOWN, *COMMENTED])
def test_each_command_spoken_of_exists(name):
    spoken = re.findall(r"`nurture ([a-z][a-z-]*)", text_of(name))
    assert {word for word in spoken if word not in main.commands} == set()


# --- what a document says of the world -----------------------------------------------------------


@pytest.mark.parametrize("name", SHOWN)
def test_each_link_leads_somewhere(name):
    here = ROOT / name
    text = re.sub(r"```.*?```", "", text_of(name), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = (here.parent / path).resolve() if path else here
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            broken.append(target)
    assert broken == []


@cache
def anchors_of(file: Path) -> set[str]:
    """How GitHub names the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.name != "README.md"])
def test_each_document_is_reached_from_a_list_of_them(path):
    listed = README if path.parent.name != "decisions" else text_of("docs/decisions/README.md")
    assert f"({path.relative_to(ROOT)})" in listed or f"({path.name})" in listed


@pytest.mark.parametrize("name", SHOWN)
def test_no_document_names_a_place_of_one_machine(name):
    elsewhere = r"(?:/home/|/root/|/tmp/|/Users/|C:\\\\)\S*"
    assert re.findall(elsewhere, text_of(name)) == []


ROOMS = {path.name for path in (ROOT / "nurture").iterdir() if (path / "__init__.py").exists()}


def names_in_the_code(text: str) -> set[str]:
    """Dotted names that begin with a room: `core.agenda.plan`."""
    found = re.findall(r"`((?:nurture\.)?(\w+)\.[\w.]+)(?:\(.*?\))?`", text)
    return {name.removeprefix("nurture.") for name, room in found if room in ROOMS}


def exists(name: str) -> bool:
    parts = ["nurture", *name.split(".")]
    if parts[-1] == "py":
        return False
    for cut in range(len(parts), 1, -1):
        try:
            thing = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        return all((thing := getattr(thing, part, None)) is not None for part in parts[cut:])
    return False


@pytest.mark.parametrize(
    "name", [name for name in SHOWN if "ARCHITECTURE" in name or "/00" in name]
)
def test_each_function_and_file_that_explains_the_code_is_there(name):
    text = text_of(name)
    assert {each for each in names_in_the_code(text) if not exists(each)} == set()
    classes = "\n".join(path.read_text() for path in (ROOT / "nurture").rglob("*.py"))
    for owner, method in re.findall(r"`([A-Z]\w+)\.(\w+)`", text):
        assert f"class {owner}" in classes, owner
        assert f"def {method}" in classes, method
    for path in re.findall(r"`((?:tests|tools|nurture)/[\w/.-]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_picture_of_rooms_names_each_of_them():
    rooms = section(text_of("docs/ARCHITECTURE.md"), "Rooms")
    assert {room for room in ROOMS if f"`{room}/`" not in rooms} == set()


# --- the example on the first page ---------------------------------------------------------------

EXAMPLE = blocks(README, "yaml")[0]
ANA = {
    "id": "c1",
    "email": "ana@example.com",
    "first_name": "Ana",
    "timezone": "Europe/Lisbon",
    "country": "PT",
}


@pytest.fixture
def world(tmp_path: Path):
    """The example alone, with the shipped templates, on the day on which Ana is booked."""
    folder = tmp_path / "project"
    for name in ("templates", "content"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "campaigns").mkdir()
    (folder / "config.yaml").write_text("")
    (folder / "campaigns/interview.yaml").write_text(EXAMPLE)
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    world = World(folder, database, SetClock(lisbon(2026, 11, 26, 9)))
    tell(world, "interview.scheduled", kind="video", starts_at=lisbon(2026, 12, 3, 11).isoformat())
    yield world
    database.close()


def lisbon(year: int, month: int, day: int, hour: int) -> datetime:
    return datetime(year, month, day, hour, tzinfo=LISBON).astimezone(UTC)


def tell(world: World, type_: str, **interview: str) -> None:
    world.tell(
        type_,
        candidate=ANA,
        application={"id": "a1", "stage": "interviewing", "job": {"title": "Data Engineer"}},
        interview={"id": "i1", **interview},
    )


def test_the_example_is_ten_lines_without_a_problem(world):
    assert len(EXAMPLE.splitlines()) == 10
    assert check(load_config(world.folder / "config.yaml", {})) == []


def test_the_example_does_what_the_first_page_says(world):
    world.run_until(lisbon(2026, 12, 2, 15))
    tell(world, "interview.rescheduled", starts_at=lisbon(2026, 12, 4, 14).isoformat())
    world.run_until(lisbon(2026, 12, 20, 12))
    told = {step: at.astimezone(LISBON) for step, at in world.sent()}
    assert len(world.sent()) == 3
    assert list(told) == ["what-to-expect", "two-hours-before", "thank-you"]
    page = " ".join(README.split())
    for at in told.values():
        assert f"**{at:%A} {at.day} {at:%B}, {at:%H:%M}**" in page


def test_without_the_move_the_mails_are_those_of_thursday(world):
    world.run_until(lisbon(2026, 12, 20, 12))
    assert [at for _, at in world.sent()] == [
        lisbon(2026, 11, 30, 10),
        lisbon(2026, 12, 3, 9),
        lisbon(2026, 12, 3, 15),
    ]


def test_what_was_previewed_is_what_is_sent(world, monkeypatch):
    sent = []
    take = world.postman.hand_over
    monkeypatch.setattr(
        world.postman, "hand_over", lambda *letter: sent.append(letter[2]) or take(*letter)
    )
    world.work()
    with world.database.read() as connection:
        (facts,) = load(connection, [1]).values()
    world.run_until(lisbon(2026, 11, 30, 10))
    previewed = world.project.letters.preview("interview-prep/what-to-expect", facts)
    assert [parts(raw) for raw in sent] == [parts(previewed.raw)]


def parts(raw: bytes) -> list[str]:
    """What a reader sees of a mail."""
    mail = message_from_bytes(raw, policy=policy.default)
    bodies = [mail.get_body([kind]).get_content() for kind in ("plain", "html")]
    return [str(mail["From"]), str(mail["To"]), str(mail["Subject"]), *bodies]


def test_a_cancelled_interview_ends_the_example_with_the_words_of_the_first_page(world):
    world.run_until(lisbon(2026, 12, 2, 15))
    tell(world, "interview.cancelled")
    world.run_until(lisbon(2026, 12, 20, 12))
    assert [step for step, _ in world.sent()] == ["what-to-expect"]
    for step in ("two-hours-before", "thank-you"):
        assert world.entry(step).sentence in " ".join(README.split())
