"""Nurture: the email nurture campaign engine for recruiting."""

import zoneinfo

__version__ = "0.1.0"  # also in pyproject.toml; a clone runs without being installed

# The pinned `tzdata` package, not the machine's own zone files: those can be years behind, and an
# interview reminder must not depend on which machine sends it.
zoneinfo.reset_tzpath(to=())
