"""How does somebody type an instant? As a day or in ISO 8601."""

from datetime import UTC, datetime
from typing import Any

import click


class Instant(click.ParamType[datetime]):
    """A day or an instant; without an offset it is UTC."""

    name = "when"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f'"{value}" is not like 2026-11-22 or 2026-11-22T09:00+01:00', param, ctx)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
