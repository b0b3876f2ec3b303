"""Where does a mail's CSS go? Onto each element, because many mail clients read it only there.

The one place that knows premailer. The <style> block stays as well: media queries (phones, dark
mode) live only in it.
"""

import logging
import re
from threading import Lock

from lxml import etree
from premailer import Premailer

from nurture.rendering.errors import RenderError

_DOCTYPE = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
_one_at_a_time = Lock()  # the CSS parser beneath keeps its state in module globals


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
    return _with_doctype(done)


def normalised(html: str) -> str:
    """The page as the inliner reads it: each tag closed, each attribute in quotes, `&` as
    `&amp;`. Its CSS is still where it was. Raises RenderError for a page of nothing."""
    try:
        root = etree.fromstring(_DOCTYPE.sub("", html, count=1).strip(), etree.HTMLParser())
    except etree.XMLSyntaxError:
        raise RenderError("there is no page around the letter") from None
    return _with_doctype(etree.tostring(root, method="html", encoding="utf-8").decode())


def _with_doctype(page: str) -> str:
    """premailer loses a lower-case doctype, and lxml writes the oldest one for none at all."""
    return "<!DOCTYPE html>\n" + _DOCTYPE.sub("", page, count=1).lstrip()
