"""How is a held edit told in one line?"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from nurture.core.reasons import moment

_UTC = ZoneInfo("UTC")
_WHY = {
    "edit": "an edit",
    "resume": "it is live again",
    "audience": "an audience became live",
    "stop": "nobody was running",
    "restore": "a restore",
}


def about(held: Mapping[str, Any]) -> str:
    """`welcome`, or what the line `*` means."""
    name = str(held["campaign"])
    return f"all campaigns ({name})" if name in ("*", "resumed:everything") else name


def held_line(held: Mapping[str, Any], zone: ZoneInfo = _UTC, *, how: bool = True) -> str:
    """`held: welcome (an edit, since Tue 1 Dec 09:00 (UTC)): mail for 51 people waits`, and `how`
    to let it go by a command."""
    since = f"{_WHY[held['cause']]}, since {moment(held['since'], zone)}"
    start = f"{held['state']}: {about(held)} ({since})"
    match held["state"]:
        case "counting":
            counted = f"{held['scanned']} of {held['total']} people counted"
            return f"{start}: {counted}, {held['due']} of them with mail due at once"
        case "spreading":
            until = moment(held["spread_until"], zone)
            return f"{start}: until {until}, by {held['by']}; {held['waiting']} people wait"
        case _:
            many = max(held["waiting"], held["due"])
            by = " for `nurture apply --release` or --spread" if how else ""
            return f"{start}: mail for {many} people waits{by}"
