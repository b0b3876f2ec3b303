"""A project folder to write campaigns and templates into."""

import textwrap
from pathlib import Path

import pytest

from nurture.authoring.library import Library
from nurture.config import Config
from nurture.errors import Problem

TEMPLATE = """\
---
subject: {subject}
category: {category}
---
{body}
"""

LAYOUT = """\
<html><body>{{ body }}<p>{{ company.address }}
{% if nurture %}<a href="{{ fixed.unsubscribe_url }}">{{ words.unsubscribe }}</a>{% endif %}
</p></body></html>
"""


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "campaigns").mkdir()
        self.write("templates/layouts/letter.html", LAYOUT)

    @property
    def config(self) -> Config:
        return Config(root=self.root)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def campaign(self, text: str, name: str = "prep") -> Path:
        return self.write(f"campaigns/{name}.yaml", textwrap.dedent(text).lstrip("\n"))

    def template(
        self, name: str, body: str = "Hello.", category: str = "prep", subject: str = "Hi"
    ) -> Path:
        text = TEMPLATE.format(subject=subject, category=category, body=body)
        return self.write(f"templates/{name}.md", text)

    def library(self) -> Library:
        return Library(self.config)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@pytest.fixture
def told():
    """Problems as short lines that tests compare: `file:line:column code`."""

    def told(problems: list[Problem] | tuple[Problem, ...]) -> list[str]:
        return [f"{Path(p.file).name}:{p.line}:{p.column} {p.code}" for p in problems]

    return told
