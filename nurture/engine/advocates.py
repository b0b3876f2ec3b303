"""What did somebody here like about a person whom we turn down at the end?

Whoever came far is told one true thing, and nobody but a colleague can write it. A letter that has
a place for it cannot be approved without.
"""

from datetime import datetime

from nurture.core.model import Facts, Message
from nurture.core.rejections import is_finalist
from nurture.engine.project import Project
from nurture.rendering.languages import reads


def line_of(project: Project, message: Message, facts: Facts, now: datetime) -> str | None:
    """What has been written; empty where it is wanting. None: this letter needs none."""
    application = facts.applications.get(message.application or "")
    if application is None or not is_finalist(facts, application, now):
        return None
    tag = reads(facts.candidate, project.config)
    named = project.letters.renderer.named(message.template, tag)
    if "advocate_line" not in named.get("application", ()):
        return None
    return str(application.fields.get("advocate_line") or "")
