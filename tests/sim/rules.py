"""What may the simulated house be like? Its categories: the design's defaults, and beside them."""

from random import Random
from typing import Any

#: name: class, priority, capped, hours, approval, from DESIGN section 9.
_DEFAULTS: dict[str, tuple[str, int, bool, str, str]] = {
    "receipt": ("service", 95, False, "any", "auto"),
    "logistics": ("service", 100, False, "wide", "auto"),
    "offer": ("service", 92, False, "contact", "each"),
    "decision": ("service", 90, False, "contact", "each"),
    "closure": ("service", 85, False, "contact", "batch"),
    "status": ("service", 80, False, "contact", "auto"),
    "prep": ("service", 70, False, "contact", "auto"),
    "privacy": ("privacy", 65, False, "contact", "auto"),
    "help": ("service", 50, True, "contact", "auto"),
    "check-in": ("nurture", 40, True, "contact", "auto"),
    "culture": ("nurture", 20, True, "contact", "auto"),
    "digest": ("nurture", 10, True, "contact", "auto"),
}


def categories(rng: Random) -> dict[str, dict[str, Any]]:
    """Every category with every key that the checkers ask, so that nothing is left to defaults."""
    asked = rng.random() < 0.2
    any_hours = rng.random() < 0.3  # then look-ahead can be judged to the minute
    return {
        name: {
            "class": klass,
            "priority": priority,
            "capped": capped,
            "counts_as_contact": klass != "nurture",
            "hours": "any" if any_hours and name in ("logistics", "prep", "status") else hours,
            "approval": approval if asked else "auto",
        }
        for name, (klass, priority, capped, hours, approval) in _DEFAULTS.items()
    }
