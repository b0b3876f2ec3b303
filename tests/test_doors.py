"""May this room know of that one? The laws on imports, on time and on chance, held over the AST.

The checker reads a mapping of module names to sources, so that the tests below can show it small
worlds in which a law is broken, and see it object, before it is shown Nurture.
"""

import ast
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "nurture"

#: Beside the rooms; every room but core may use them, and they know of core only.
COMMON = {"config", "clock", "errors", "files", "misfits", "positions", "traps"}

#: Which rooms and modules each may know of. Doors open downwards, floor by floor; rooms on one
#: floor do not know each other. `wiring` names the concrete classes, so whoever knows of it has all
#: of delivery in hand: only cli does, and starts the pages through it.
GROUND = COMMON | {"core"}
FIRST = GROUND | {"rendering", "store", "delivery"}
SECOND = FIRST | {"authoring", "intake"}
THIRD = SECOND | {"engine"}
KNOWS: dict[str, set[str]] = {
    "": set(),
    "core": set(),
    **dict.fromkeys(COMMON, GROUND),
    **dict.fromkeys(("rendering", "store", "delivery"), GROUND),
    **dict.fromkeys(("authoring", "intake"), FIRST),
    "engine": SECOND,
    "web": THIRD,
    "wiring": THIRD | {"web"},
    "cli": THIRD | {"wiring"},
    "__main__": {"cli"},
}

#: What core may have of the standard library: data and pure functions.
PURE = {
    *("abc", "bisect", "calendar", "collections", "dataclasses", "datetime", "decimal", "difflib"),
    *("enum", "fractions", "functools", "hashlib", "heapq", "itertools", "math", "operator", "re"),
    *("statistics", "string", "types", "typing", "unicodedata", "zoneinfo"),
}

#: Third parties and the rooms that may know them.
KNOWN_ONLY_TO = {
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "jinja2": {"rendering", "authoring"},
    "smtplib": {"delivery"},
}

#: What asks the machine for the time of day, also by the back door.
CLOCK_READERS = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "time.ctime",
    "email.utils.localtime",
    "email.utils.make_msgid",
}
#: Stopwatches tell how long, not when: allowed where something real is waited for.
STOPWATCHES = {"time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns"}
STOPWATCH_ROOMS = {"engine", "delivery"}

#: Nothing here may lead to the module that sends, however long the way.
CANNOT_SEND = ("nurture.web", "nurture.engine.simulate")
SENDS = {"nurture.delivery.smtp", "nurture.delivery.connection"}


@dataclass(frozen=True)
class Import:
    target: str  #: dotted, as far as it may be a module: `from a import b` is both a and a.b
    line: int
    on_loading: bool  #: happens when the module is loaded: not in a function, not for types only


def objections(sources: Mapping[str, str]) -> list[str]:
    """Every broken law, as `module:line: sentence`."""
    trees = {name: ast.parse(source) for name, source in sources.items()}
    found: list[str] = []
    needs = {module: list(imports(module, tree, sources)) for module, tree in trees.items()}
    for module, tree in trees.items():
        for imported in needs[module]:
            said = door_objections(module, imported.target)
            found += [f"{module}:{imported.line}: {sentence}" for sentence in said]
        if module != "nurture.clock":
            found += [f"{module}:{line}: {said}" for line, said in chance_and_time(module, tree)]
    return sorted({*found, *ways_to_send(needs)})


def imports(module: str, tree: ast.Module, sources: Mapping[str, str]) -> Iterator[Import]:
    package = module if is_package(module, sources) else module.rpartition(".")[0]
    for node, on_loading in every_node(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                parts = parts[: len(parts) - node.level + 1]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
            targets = [base, *(name for name in names if name in sources)]
            if base == "nurture":
                targets = [name for name in names if not name.endswith("__")]  # not __version__
        else:
            continue
        for target in targets:
            yield Import(target, node.lineno, on_loading)


def every_node(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """And whether it is run when loading."""
    waiting = deque[tuple[ast.AST, bool]]([(tree, True)])
    while waiting:
        node, on_loading = waiting.popleft()
        yield node, on_loading
        on_loading = on_loading and not is_later(node)
        waiting.extend((child, on_loading) for child in ast.iter_child_nodes(node))


def is_later(node: ast.AST) -> bool:
    """Functions, and `if TYPE_CHECKING:`; what stands in them is not run when loading."""
    if isinstance(node, ast.If):
        return any(
            "TYPE_CHECKING" in (getattr(each, "id", ""), getattr(each, "attr", ""))
            for each in ast.walk(node.test)
        )
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def is_package(module: str, sources: Mapping[str, str]) -> bool:
    return any(name.startswith(module + ".") for name in sources)


def room_of(module: str) -> str:
    """The part below `nurture`; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def door_objections(module: str, target: str) -> Iterator[str]:
    room, other = room_of(module), room_of(target)
    top = target.partition(".")[0]
    if top == "nurture":
        if room not in KNOWS:
            yield f"{room} has no floor yet: give it one in this test"
        elif other not in {room, ""} and other not in KNOWS[room]:
            yield f"{room} may not import {other}"
        return
    if room == "core" and top not in PURE:
        yield f"core is pure and may not import {target}"
    if top in KNOWN_ONLY_TO and room not in KNOWN_ONLY_TO[top]:
        yield f"only {' and '.join(sorted(KNOWN_ONLY_TO[top]))} may import {top}"


def chance_and_time(module: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Uses of the clock, and of chance without a seed, whatever they were imported as."""
    aliases = names_of_imports(tree)
    nodes = list(ast.walk(tree))
    called = {id(node.func): node for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name = full_name(node, aliases)
        call = called.get(id(node))
        bare = call is not None and not (call.args or call.keywords)
        if name in CLOCK_READERS or (name == "email.utils.formatdate" and bare):
            yield node.lineno, f"only nurture/clock.py may read the time ({name})"
        elif name in STOPWATCHES and room_of(module) not in STOPWATCH_ROOMS:
            yield node.lineno, f"only engine and delivery may use a stopwatch ({name})"
        elif name == "random.Random":
            if bare:
                yield node.lineno, "chance needs a seed: random.Random(seed)"
        elif name.startswith("random."):
            yield node.lineno, f"chance needs a seed: random.Random(seed), not {name}"


def names_of_imports(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: `from datetime import datetime as dt`, dt."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def full_name(node: ast.expr, aliases: Mapping[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        base = full_name(node.value, aliases)
        return f"{base}.{node.attr}" if base else ""
    return aliases.get(node.id, "") if isinstance(node, ast.Name) else ""


def ways_to_send(needs: Mapping[str, list[Import]]) -> Iterator[str]:
    """From each module that cannot send, the way by which it can after all."""
    for start in needs:
        if not start.startswith(CANNOT_SEND):
            continue
        for imported in needs[start]:
            if imported.target in SENDS:
                yield f"{start}:{imported.line}: must not be able to send: {imported.target}"
        came_from: dict[str, str] = {start: ""}
        waiting = [start]
        while waiting:
            module = waiting.pop()
            targets = [imported.target for imported in needs[module] if imported.on_loading]
            for target in targets:
                for loaded in (*packages_above(target), target):
                    if loaded in needs and loaded not in came_from:
                        came_from[loaded] = module
                        waiting.append(loaded)
        for reached in came_from.keys() & SENDS:
            way = [reached]
            while came_from[way[-1]]:
                way.append(came_from[way[-1]])
            yield f"{start}:1: must not be able to send: {' -> '.join(reversed(way))}"


def packages_above(module: str) -> list[str]:
    """Loading a.b.c loads a and a.b first."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def nurture() -> dict[str, str]:
    sources = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sources[name] = path.read_text("utf-8")
    return sources


def test_the_house_keeps_its_laws() -> None:
    assert objections(nurture()) == []


def test_every_room_of_the_house_was_looked_at() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == THIRD - COMMON | {"web", "cli"}
    assert {room_of(module) for module in nurture()} >= rooms


BROKEN = {
    "a floor upwards": (
        "nurture.store.x",
        "from nurture.engine import planner",
        "may not import engine",
    ),
    "the same floor": (
        "nurture.store.x",
        "import nurture.delivery.outbox",
        "may not import delivery",
    ),
    "relative": ("nurture.store.x", "from ..authoring import library", "authoring"),
    "inside a function": ("nurture.intake.x", "def f():\n    import nurture.web.app", "import web"),
    "for types only": (
        "nurture.core.x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from nurture.store import a",
        "may not import store",
    ),
    "core and config": ("nurture.core.x", "from nurture.config import Config", "import config"),
    "core and the clock": ("nurture.core.x", "from nurture import clock", "import clock"),
    "core and the world": ("nurture.core.x", "import os", "core is pure"),
    "core and chance": ("nurture.core.x", "import random", "core is pure"),
    "core and a third party": ("nurture.core.x", "import pydantic", "core is pure"),
    "common and a room": ("nurture.config", "import nurture.store", "may not import store"),
    "wiring and cli": ("nurture.wiring", "import nurture.cli", "may not import cli"),
    "web and wiring": ("nurture.web.x", "from nurture import wiring", "may not import wiring"),
    "sqlalchemy": ("nurture.engine.x", "from sqlalchemy import text", "only store"),
    "sqlalchemy in wiring": ("nurture.wiring", "import sqlalchemy.engine", "only store"),
    "alembic": ("nurture.cli.x", "import alembic.command", "only store"),
    "jinja2": ("nurture.web.x", "import jinja2", "only authoring and rendering"),
    "a new room": ("nurture.reports.x", "from nurture import errors", "no floor yet"),
    "pages and commands": ("nurture.cli.x", "import nurture.web", "may not import web"),
    "smtplib": ("nurture.web.x", "import smtplib", "only delivery"),
    "now": ("nurture.web.x", "from datetime import datetime\ndatetime.now()", "read the time"),
    "now, renamed": ("nurture.web.x", "import datetime as d\nd.datetime.utcnow()", "read the time"),
    "now, handed on": (
        "nurture.store.x",
        "from datetime import datetime as dt\nstamp = dt.now",
        "read the time",
    ),
    "today": ("nurture.core.x", "from datetime import date\ndate.today()", "read the time"),
    "time": ("nurture.engine.x", "from time import time as t\nt()", "read the time"),
    "formatdate": (
        "nurture.rendering.x",
        "from email.utils import formatdate\nformatdate()",
        "read the time",
    ),
    "make_msgid": ("nurture.rendering.x", "import email.utils\nemail.utils.make_msgid()", "time"),
    "a stopwatch": ("nurture.store.x", "import time\ntime.monotonic()", "a stopwatch"),
    "chance": ("nurture.engine.x", "import random\nrandom.random()", "needs a seed"),
    "chance, renamed": ("nurture.web.x", "from random import choice as c\nc([1])", "needs a seed"),
    "no seed": ("nurture.delivery.x", "import random\nrandom.Random()", "needs a seed"),
    "sending, late": (
        "nurture.engine.simulate",
        "def f():\n    from nurture.delivery import smtp",
        "must not be able to send",
    ),
}
SOME_MODULES = dict.fromkeys(
    ("nurture", "nurture.delivery", "nurture.delivery.smtp", "nurture.delivery.outbox"), ""
)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_law_is_seen(case: str) -> None:
    module, source, said = BROKEN[case]
    found = objections({**SOME_MODULES, module: source})
    assert found, case
    assert all(objection.startswith(f"{module}:") and said in objection for objection in found)


ALLOWED = {
    "nurture.core.a": "import hashlib\nfrom nurture.core import model\nfrom . import model as m",
    "nurture.config": "from nurture.core import model\nfrom nurture import errors",
    "nurture.store.a": "from sqlalchemy import text\nfrom nurture.config import Config",
    "nurture.rendering.a": "import jinja2\nfrom email.utils import formatdate\nformatdate(0)",
    "nurture.engine.a": "import time, random\ntime.monotonic()\nrandom.Random(7).random()",
    "nurture.web.a": "from nurture.delivery import outbox\nfrom datetime import datetime, time\n"
    "datetime.fromisoformat('2026-01-01')\ntime(8)\nclock = None\nclock.now()",
    "nurture.wiring": "from nurture.web import a\nfrom nurture.delivery import smtp",
    "nurture.cli.a": "from nurture import __version__, wiring\nimport nurture.engine.a",
    "nurture.clock": "from datetime import datetime\ndatetime.now()",
}


def test_what_is_allowed_is_not_objected_to() -> None:
    assert objections({**SOME_MODULES, **ALLOWED}) == []


def test_a_long_way_to_the_module_that_sends_is_found_and_told() -> None:
    sources = {
        **SOME_MODULES,
        "nurture.web.a": "import nurture.engine.b",
        "nurture.engine.b": "import nurture.delivery.outbox",
        "nurture.delivery": "from .smtp import Smtp",  # run when any module of its room is loaded
    }
    (objection,) = objections(sources)
    assert objection.endswith(
        "nurture.web.a -> nurture.engine.b -> nurture.delivery -> nurture.delivery.smtp"
    )
    sources["nurture.delivery"] = "def late():\n    from .smtp import Smtp"
    assert objections(sources) == []
