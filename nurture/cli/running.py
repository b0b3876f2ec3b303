"""How does it run? The daemon with its pages until it is told to stop, or once what is due now."""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from typing import Any, Literal

import click

from nurture import wiring
from nurture.cli.logs import logging_as
from nurture.cli.printing import name_of, progress, say, table, when, zone_in
from nurture.cli.project import config_option, configured, opened
from nurture.config import OutboxTransport, Web
from nurture.core.model import Reason, Verdict
from nurture.core.reasons import sentence
from nurture.engine.audience import Progress
from nurture.engine.daemon import Daemon
from nurture.engine.presence import Presence
from nurture.engine.project import Project
from nurture.engine.sender import until_idle
from nurture.errors import OutsideError, shown
from nurture.intake.apply import apply_all
from nurture.intake.sample import sample_events
from nurture.store import history
from nurture.store.database import sole

log = logging.getLogger("nurture.run")

_ROWS = 40  # of each table: more is for `messages`, `agenda` and the pages
_LOOK = 0.05  # seconds between looks whether the first work is done
_REREAD = 5  # seconds between looks at edited files, where there are only pages
_PATIENCE = 5  # seconds for page requests in hand


_log_option = click.option(
    "--log",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How log lines look, on standard error.",
)


@click.command(epilog="Example: nurture run --once")
@config_option
@click.option("--once", is_flag=True, help="Do all that is due now, then stop; no pages.")
@_log_option
@click.option("--no-web", is_flag=True, help="Without the pages.")
def run(once: bool, style: Literal["text", "json"], no_web: bool) -> None:
    """The daemon with its pages, until it is stopped.

    Ctrl-C and SIGTERM finish the mails in hand and end with exit code 0. A new project begins
    with the sample candidates of sample/events.jsonl, if there are any.
    """
    with ExitStack() as stack:
        stack.enter_context(logging_as(style))
        # The port first: nothing has been touched yet if somebody else has it.
        ear = None if once or no_web else stack.enter_context(_listening(configured().web))
        project = stack.enter_context(opened())
        alone = stack.enter_context(sole(project.database))
        stop = stack.enter_context(_told_to_stop())
        _begin_with_sample(project)
        if once:
            _once(project, stop, alone)
        else:
            _all_day(project, ear, stop, alone)


@click.command(epilog="Example: nurture plan   (and `nurture send` beside it)")
@config_option
@_log_option
def plan(style: Literal["text", "json"]) -> None:
    """A process that only decides; others send. For PostgreSQL, where many share the work."""
    _part("plan", style)


@click.command(epilog="Example: nurture send   (and `nurture plan` beside it)")
@config_option
@_log_option
def send(style: Literal["text", "json"]) -> None:
    """A process that only sends what others have decided, after deciding each again under its
    lock. For PostgreSQL, where many share the work."""
    _part("send", style)


@click.command(epilog="Example: nurture web   (and `nurture run --no-web` beside it)")
@config_option
@_log_option
def web(style: Literal["text", "json"]) -> None:
    """The pages alone: nothing is planned, nothing is sent."""
    with ExitStack() as stack:
        stack.enter_context(logging_as(style))
        ear = stack.enter_context(_listening(configured().web))
        project = stack.enter_context(opened())
        stop = stack.enter_context(_told_to_stop())
        presence = Presence(project.database, project.clock, "web")
        stack.callback(presence.leave)
        _tell_where(ear, stack.enter_context(_pages(project, ear)))
        while True:
            project.reread()
            project.pulse.ticked_at = project.clock.now()
            with suppress(OutsideError):
                presence.beat()
            if stop.wait(_REREAD):
                return


def _part(kind: Literal["plan", "send"], style: Literal["text", "json"]) -> None:
    with ExitStack() as stack:
        stack.enter_context(logging_as(style))
        project = stack.enter_context(opened())
        alone = stack.enter_context(sole(project.database))
        stop = stack.enter_context(_told_to_stop())
        sender = wiring.sender(project, plans=False) if kind == "send" else None
        daemon = Daemon(project, sender, sole=alone, kind=kind)
        stack.callback(daemon.stop)
        daemon.start()
        say("at work; Ctrl-C stops")
        while not stop.wait(3600):
            pass
        log.info("stopping", extra={"action": "stopping"})


def _once(project: Project, stop: threading.Event, alone: bool) -> None:
    started = project.clock.now()
    sender = wiring.sender(project)
    project.begin()
    sender.recover(everything=alone)
    with _scans_shown(project):
        until_idle(project.planner, sender, stop.is_set)
    _tell(project, started)


@contextmanager
def _scans_shown(project: Project) -> Iterator[None]:
    """A bar while candidates are looked at for an audience that came into force; else none."""
    with ExitStack() as stack:
        advance: Callable[[float], None] | None = None

        def told(scan: Progress) -> None:
            nonlocal advance
            if advance is None:
                advance = stack.enter_context(progress("looking for audiences"))
            advance(scan.seen / max(scan.total, 1))

        project.planner.audiences.watch = told
        yield


def _all_day(
    project: Project, ear: socket.socket | None, stop: threading.Event, alone: bool
) -> None:
    started = project.clock.now()
    daemon = Daemon(project, wiring.sender(project), sole=alone)
    with ExitStack() as stack:
        stack.callback(daemon.stop)
        daemon.start()
        if ear is not None:
            _tell_where(ear, stack.enter_context(_pages(project, ear)))
        while project.pulse.idle_at is None and not stop.wait(_LOOK):
            pass
        if not stop.is_set():
            _tell(project, started)
            say("at work; Ctrl-C stops")
        while not stop.wait(3600):
            pass
        log.info("stopping", extra={"action": "stopping"})


def _tell_where(ear: socket.socket, opener: str | None) -> None:
    host, port = ear.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    say(f"pages: {address}")
    if opener is not None:
        say(f"       {address}/sign-in/{opener} lets one browser in, once")


def _begin_with_sample(project: Project) -> None:
    """The first start of a new project. Real mail servers never hear of invented people."""
    path = project.config.root / "sample/events.jsonl"
    if not path.exists() or not isinstance(project.config.transport, OutboxTransport):
        return
    with project.database.read() as connection:
        if history.candidate_rows(connection, limit=1):
            return
    now = project.clock.now()
    counts = apply_all(project.database, sample_events(path, now), now)
    say(f"a new project: {counts.created} sample candidates from {shown(path)}")


def _tell(project: Project, since: datetime) -> None:
    """Who got what, what waits until when and why, tasks, and where the mails are."""
    with project.database.read() as connection:
        sent = history.sent_rows(connection, since, _ROWS)
        waiting = history.waiting_rows(connection, _ROWS)
        tasks = history.task_rows(connection)[:_ROWS]
        states = history.counts(connection)["messages"]
    config = project.config
    say(f"\nsent: {len(sent) if len(sent) < _ROWS else f'the first {_ROWS}'}")
    table(
        ("candidate", "name", "template", "sent"),
        [
            (row["ref"], _first_name(row), row["template"], _when(row["sent_at"], row, project))
            for row in sent
        ],
    )
    say(f"\nwaiting: {len(waiting) if len(waiting) < _ROWS else f'the next {_ROWS}'}")
    table(
        ("candidate", "name", "campaign", "step", "why"),
        [
            (row["ref"], _first_name(row), row["campaign"], row["step"], _why(row, project))
            for row in waiting
        ],
    )
    if tasks:
        say("\ntasks for recruiters")
        table(
            ("candidate", "name", "due", "task"),
            [
                (
                    row["ref"],
                    name_of(row["data"]),
                    _when(row["due_at"], row, project),
                    row["text"].partition("\n")[0],
                )
                for row in tasks
            ],
        )
    for state in ("held", "retrying", "failed", "unknown"):
        if states.get(state):
            say(f"\n{states[state]} {state}: nurture messages --state {state}")
    if isinstance(config.transport, OutboxTransport):
        say(f"\nthe mails are in {shown(config.root / config.transport.dir)}")


def _first_name(row: Any) -> str:
    return row["data"].get("first_name") or ""


def _when(at: datetime, row: Any, project: Project) -> str:
    return when(at, zone_in(row, project.config))


def _why(row: Any, project: Project) -> str:
    reason, zone = Reason(row["reason"]), zone_in(row, project.config)
    titles = project.library.titles
    return sentence(Verdict.WAIT, reason, row["detail"], at=row["at"], zone=zone, titles=titles)


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Set by SIGTERM or Ctrl-C; the second one ends the process at once."""
    stop = threading.Event()
    before: dict[signal.Signals, Any] = {}

    def told(_number: int, _frame: object) -> None:
        stop.set()
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, told)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _listening(web: Web) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as ear:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            ear.bind((web.host, web.port))
            ear.listen(128)
        except OSError as error:
            raise OutsideError(
                f"pages: {web.host}:{web.port}: {error.strerror}; is another `nurture run` there?"
                " Choose another web.port, or run with --no-web"
            ) from error
        yield ear


@contextmanager
def _pages(project: Project, ear: socket.socket) -> Iterator[str | None]:
    """The pages, served from a thread of their own until the block ends; the token that lets one
    browser in, where there are no accounts."""
    import uvicorn  # noqa: PLC0415 - a third of a second that no other command needs

    app = wiring.pages(project)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            proxy_headers=False,  # whose word is taken is the guard's to say
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE,
        )
    )
    thread = threading.Thread(target=server.run, args=([ear],), name="pages", daemon=True)
    thread.start()
    try:
        yield app.state.door.opener()
    finally:
        server.should_exit = True
        thread.join(2 * _PATIENCE)
