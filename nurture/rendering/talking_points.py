"""What would a mail say, for somebody who says it on the phone?"""

from collections.abc import Mapping
from typing import Any

from nurture.rendering.errors import RenderError
from nurture.rendering.renderer import Asked, Renderer


def talking_points(
    renderer: Renderer, name: str, context: Mapping[str, Any], *, locale: str
) -> str:
    """Its subject, a blank line, and its text without the footer; of each question the answers
    that there are. Raises RenderError, as the mail would."""
    template = renderer.template(name, locale)
    if template is None:
        raise RenderError(f'there is no template "{name}"', template=name)
    asked: Asked = {
        each.id: (f"{each.text} ({' / '.join(each.options.values())})", []) for each in template.ask
    }
    draft = renderer.draft(template, context, asked=asked)
    return f"{draft.subject}\n\n{draft.text}".strip()
