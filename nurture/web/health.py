"""Is it alive? For a service manager or a monitor on this machine."""

from datetime import datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from nurture.engine.project import Project
from nurture.errors import OutsideError
from nurture.store import planning

LATE = timedelta(seconds=60)  #: due for so long without a tick: nobody is at work


def routes(project: Project) -> APIRouter:
    router = APIRouter()

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    def healthz() -> JSONResponse:
        """200 while the database answers and the daemon works, else 503.

        `oldest_due` is the earliest alarm that has rung and waits to be planned. `trouble` is the
        last failure of a part outside (the mail server, say); it does not make the answer a 503,
        because a restart would not help.
        """
        now = project.clock.now()
        pulse = project.pulse
        database, due = "ok", None
        try:
            with project.database.read() as connection:
                alarm = planning.next_alarm(connection)
            due = alarm if alarm is not None and alarm <= now else None
        except OutsideError as error:
            database = str(error)
        silent = now - (pulse.ticked_at or pulse.started_at) > LATE
        healthy = database == "ok" and not (silent and due is not None)
        return JSONResponse(
            {
                "status": "ok" if healthy else "failing",
                "database": database,
                "last_tick": _iso(pulse.ticked_at),
                "oldest_due": _iso(due),
                "trouble": pulse.trouble,
            },
            status_code=200 if healthy else 503,
        )

    return router


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
