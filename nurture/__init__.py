"""Nurture: the email nurture campaign engine for recruiting."""

import zoneinfo

# The pinned `tzdata` package, not the machine's own zone files: those can be years behind, and an
# interview reminder must not depend on which machine sends it.
zoneinfo.reset_tzpath(to=())
