"""Where does a mail's CSS go? Onto each element, because many mail clients read it only there.

The one place that knows premailer. The <style> block stays as well: media queries (phones, dark
mode) live only in it.
"""

import logging
import re
from functools import lru_cache
from threading import Lock

from premailer import Premailer

_DOCTYPE = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
_one_at_a_time = Lock()  # the CSS parser beneath keeps its state in module globals


@lru_cache(maxsize=64)  # a project that is read anew has mostly the same pages as before
def inline(html: str) -> str:
    """A whole HTML page with its CSS on each element. Takes milliseconds: once per shape."""
    page = _DOCTYPE.sub("", html, count=1)
    with _one_at_a_time:
        done = Premailer(
            page,
            allow_network=False,
            strip_important=False,
            keep_style_tags=True,
            disable_validation=True,
            cssutils_logging_level=logging.CRITICAL,
            cache_css_parsing=True,
        ).transform(pretty_print=False)
    # premailer loses a lower-case doctype, and lxml writes the oldest one for none at all.
    return "<!DOCTYPE html>\n" + str(_DOCTYPE.sub("", done, count=1)).lstrip()
