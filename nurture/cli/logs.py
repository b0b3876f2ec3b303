"""What does the daemon say while it works? One line a batch on standard error, ids only."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from nurture.cli.printing import clean

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def logging_as(style: Literal["text", "json"]) -> Iterator[None]:
    """Our own lines from INFO on, those of the libraries below us from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if style == "json" else _Text())
    root, own = logging.getLogger(), logging.getLogger("nurture")
    before = own.level
    root.addHandler(handler)
    own.setLevel(logging.INFO)
    # It warns when a look falls into a long piece of work, which is as it should be.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.removeHandler(handler)
        own.setLevel(before)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        extras = "".join(f" {key}={value}" for key, value in _extras(record).items())
        return clean(f"{_ts(record)} {record.levelname.lower()} {_said(record)}{extras}")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "ts": _ts(record),
            "level": record.levelname.lower(),
            "action": getattr(record, "action", record.name),
            "message": _said(record),
            **_extras(record),
        }
        return json.dumps(line, ensure_ascii=False, default=str)


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {
        key: value for key, value in vars(record).items() if key not in _OWN and key != "action"
    }


def _said(record: logging.LogRecord) -> str:
    """One line; of an exception its kind and words, without the trace."""
    said = " ".join(record.getMessage().split())
    error = record.exc_info[1] if record.exc_info else None
    return said if error is None else f"{said}: {type(error).__name__}: {error}"


def _ts(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
