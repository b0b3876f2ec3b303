"""What do our own people read? The morning's list, and word of an interview that is near.

They are written in the words of templates/notices/ where a project has files there, else in the
standard ones beside this module, laid out as candidates' mail is. Their vocabulary is their own.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

from nurture.config import Config
from nurture.core.model import Category, MessageClass
from nurture.errors import Problem, Problems
from nurture.rendering.headers import address, address_header, header, text_header
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Renderer
from nurture.rendering.templates import NOTICES, Template, read_template

MORNING, SOON = "notices/morning", "notices/soon"
STANDARD = Path(__file__).parent / "standard"
_CATEGORY = Category(name="notice", klass=MessageClass.SERVICE, priority=0)

_QUOTED = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
_PAGES = dict.fromkeys(
    ("today", "promises", "silence", "tasks", "approvals", "confidences"), "text"
)
_COMMON = {
    "person": {"name": "text", "email": "text"},
    "company": {"name": "text", "address": "text", "site": "text"},
    "pages": _PAGES,
}
#: Objects and their fields, and single words, that each of them has.
VOCABULARY: Mapping[str, tuple[Mapping[str, Mapping[str, str]], frozenset[str]]] = {
    MORNING: (
        {
            **_COMMON,
            "today": {
                **dict.fromkeys(
                    ("promises", "silences", "calls", "tasks", "news", "requests"), "list"
                ),
                "approvals": "number",
                "confidences": "number",
            },
        },
        frozenset({"day", "summary", "button"}),
    ),
    SOON: (
        {
            **_COMMON,
            "candidate": {"name": "text", "link": "text"},
            "interview": {"when": "text", "kind": "text", "job": "text", "off": "text"},
        },
        frozenset({"news", "button"}),
    ),
}
#: What each entry of a list of the morning has, as text; empty where there is nothing to say.
ITEM = ("name", "link", "what", "job", "owner", "when", "left", "phone", "best")


@cache
def standard_notices() -> Mapping[str, Template]:
    """The words of a project that has none of its own."""
    return {each.key: each for each in _read(STANDARD)[0]}


def load_notices(root: Path) -> tuple[dict[str, Template], list[Problem]]:
    """The words in force by key: a project's own that can be read, else the standard ones. And what
    is wrong with the project's."""
    found = dict(standard_notices())
    own, problems = _read(root / "templates")
    for template in own:
        if template.name in VOCABULARY:
            found[template.key] = template
        else:
            names = " and ".join(name.partition("/")[2] for name in VOCABULARY)
            problems.append(
                Problem(
                    file=template.file,
                    code="template-name",
                    message=f'there is no notice "{template.name.partition("/")[2]}"',
                    hint=f"there are {names}; mail to candidates belongs into another folder",
                )
            )
    return found, problems


def _read(templates: Path) -> tuple[list[Template], list[Problem]]:
    read: list[Template] = []
    problems: list[Problem] = []
    for path in sorted((templates / NOTICES).glob("*")):
        if path.suffix not in (".md", ".html") or path.name.startswith("."):
            continue
        try:
            read.append(read_template(path, templates))
        except Problems as wrong:
            problems += wrong.problems
    return read, problems


class Notices:
    """Writes them."""

    def __init__(
        self,
        config: Config,
        signer: Signer,
        templates: Mapping[str, Template],
        layouts: Mapping[str, str] | None = None,
    ) -> None:
        self._config = config
        named = {key: _laid_out(each) for key, each in templates.items()}
        self._renderer = Renderer(named, config, signer, layouts)

    def write(
        self,
        name: str,
        words: Mapping[str, Any],
        *,
        to: tuple[str, str],
        message_id: str,
        at: datetime,
    ) -> bytes:
        """The bytes of one of VOCABULARY for somebody, by name and e-mail. Raises RenderError."""
        company = self._config.company
        about = {"name": company.name, "address": company.address, "site": company.site}
        reason = f"You are receiving this because you look after candidates of {company.name}."
        rendered = self._renderer.render(
            name,
            {**words, "company": about, "why": reason},
            candidate_id=0,
            locale=self._config.locale,
            category=_CATEGORY,
        )
        sender = address(self._config.sender.name, self._config.sender.email)
        boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:24]
        headers = [
            header("From", address_header(sender)),
            header("To", address_header(address(*to)), utf8=not to[1].isascii()),
            header("Subject", text_header(rendered.subject)),
            f"Date: {format_datetime(at.astimezone(UTC))}",
            header("Message-ID", message_id),
            "Auto-Submitted: auto-generated",  # RFC 3834: nobody is asked to answer
            header("Content-Language", rendered.locale),
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{boundary}"',
        ]
        pieces = ["\r\n".join(headers).encode(), b"\r\n"]
        for subtype, encoded in (("plain", rendered.encoded_text), ("html", rendered.encoded_html)):
            kind = f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
            pieces += [f"\r\n{kind}".encode(), _QUOTED, encoded]
        return b"".join((*pieces, f"\r\n--{boundary}--\r\n".encode()))


def _laid_out(template: Template) -> Template:
    return template if template.layout else replace(template, layout="letter")
