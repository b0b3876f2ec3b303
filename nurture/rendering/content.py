"""What does a template get of the content library, and why is it there?

`content("culture")` is the one item that was chosen for this reader, `content("question", 6)` a
list of at most so many. What was chosen is decided with the plan and kept with the message; here it
is only shown.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from nurture.core.content import Brought
from nurture.rendering.because import because
from nurture.rendering.errors import RenderError
from nurture.rendering.markdown import MARKDOWN

#: The fields that an item has in a template.
FIELDS = frozenset({"title", "text", "url", "minutes", "listens_for", "because"})
MOST = 20  #: of one kind in one mail
#: What a template asks: the kind, and how many. It is in the context under this name.
Bring = Callable[[str, int], Sequence[Brought]]
WORD = "_content"

#: What Markdown would make something of; other text is printed as any value is.
_MARKED = re.compile(r"[\n*_`\[\]<>&\\#|~]|^\s*(?:[-+]|\d+[.)])\s|https?:|&")


def content_asked(tree: nodes.Template) -> Iterator[tuple[str | None, int | None, int]]:
    """The kind, the number and the line of each `content(...)`; None for what is reckoned, or is
    none."""
    for call in tree.find_all(nodes.Call):
        if not isinstance(call.node, nodes.Name) or call.node.name != "content":
            continue
        first, second = (*call.args, None, None)[:2]
        kind = first.value if isinstance(first, nodes.Const) else None
        most: Any = 1 if second is None else None
        if isinstance(second, nodes.Const) and type(second.value) is int:
            most = second.value if 1 <= second.value <= MOST else None
        if len(call.args) > 2 or call.kwargs or call.dyn_args or call.dyn_kwargs:
            most = None
        yield kind if isinstance(kind, str) else None, most, call.lineno


@pass_context
def content(context: Context, kind: Any, number: Any = None) -> Any:
    """As templates call it. Raises RenderError for what was not chosen."""
    bring: Bring | None = context.parent.get(WORD)
    if bring is None:
        raise RenderError("nothing was chosen from the content library for this")
    found = [_shown(each, context) for each in bring(kind, 1 if number is None else number)]
    if not found:
        raise RenderError(f'nothing of the kind "{kind}" was chosen from the content library')
    return found[0] if number is None else found


def _shown(brought: Brought, context: Context) -> dict[str, Any]:
    """The item as a template sees it. What it does not say is absent, as any fact."""
    item = brought.content
    reason = because(brought, context.parent["_locale"], context.parent["_zone"])
    fields = {
        "title": item.title,
        "text": _text(item.text, context.parent["_markdown"]),
        "url": item.url,
        "minutes": item.minutes,
        "listens_for": item.listens_for,
        "because": reason,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _text(text: str, in_markdown: bool) -> str:
    """Words that our own people wrote, in the markup of the template. A plain sentence is a value
    like any other, so that mails which differ in nothing else are laid out once for all."""
    if not _MARKED.search(text):
        return text
    if in_markdown:
        return Markup(text)  # noqa: S704 - checked when it was read; the Markdown allows no HTML
    return Markup(MARKDOWN.render(text))  # noqa: S704 - as above
