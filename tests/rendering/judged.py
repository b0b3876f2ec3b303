"""Every shipped template in each language for the three of the gallery: what the judges look at.

Laid out once a run: the first who asks does it, and leaves it in a file for all other processes.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import pytest

from nurture.clock import SetClock
from nurture.core.model import MessageClass
from nurture.engine.gallery import portrait
from nurture.engine.project import Project
from nurture.engine.sitters import Sitter, sitters
from nurture.rendering.inline import normalised
from nurture.rendering.templates import Template
from nurture.wiring import open_project
from tests.conftest import MONDAY, REPOSITORY, made_once

#: The signs of a company that sends real mail.
IDENTITY = """
company: {name: Ribeira, address: "12 Rua do Ouro, Lisbon", site: https://ribeira.example}
sender: {name: Ribeira Talent Team, email: talent@ribeira.example}
web: {public_url: https://careers.ribeira.example}
"""
OURS = "https://careers.ribeira.example"
_OF_A_PROJECT = ("campaigns", "templates", "content", "reasons.yaml")


@dataclass(frozen=True, kw_only=True)
class Mail:
    template: str  #: its key
    name: str  #: the same without the language
    locale: str  #: of the words
    layout: str
    source: str = ""  #: the file
    klass: MessageClass
    sitter: str
    subject: str
    preheader: str
    html: str
    text: str
    raw: bytes
    loose: str = ""  #: the page before its CSS was inlined
    again: bool = True  #: whether it reads the same after others have read theirs

    def __str__(self) -> str:
        return f"{self.template} for {self.sitter}"

    @property
    def words(self) -> int:
        """Of the letter itself: no footer, and no addresses of pages."""
        body = self.text.partition("Ribeira, 12 Rua do Ouro")[0]
        words = (word for word in body.split() if any(map(str.isalnum, word)))
        return sum(not word.startswith(("http", "<http")) for word in words)


@dataclass(frozen=True, kw_only=True)
class Judged:
    mails: Sequence[Mail]
    missing: Sequence[str]  #: what cannot be written for somebody, and why


def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    found: Judged = made_once(
        tmp_path_factory, "judged", lambda: _written(tmp_path_factory.mktemp("judged"))
    )
    return found


def _written(root: Path) -> Judged:
    for name in _OF_A_PROJECT:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, root / name)
        elif (REPOSITORY / name).is_file():
            shutil.copy(REPOSITORY / name, root / name)
    (root / "config.yaml").write_text(IDENTITY)
    project = open_project(root / "config.yaml", SetClock(MONDAY), env={})
    with mock.patch("nurture.rendering.shapes.inline", normalised):
        before = open_project(root / "config.yaml", SetClock(MONDAY), env={})
        loose = {each.template: each.html for each in _mails(before, loosely=True)[0]}
        before.close()
    mails, missing = _mails(project)
    project.close()
    shown = (
        replace(each, loose=loose.get(each.template, "") if each.sitter == "known" else "")
        for each in mails
    )
    return Judged(mails=list(shown), missing=missing)


def _mails(project: Project, *, loosely: bool = False) -> tuple[list[Mail], list[str]]:
    """One person after the other for each template, and the first once more: what one has left
    behind, the next would read. `loosely`: the first person, and the default language, alone."""
    mails, missing = [], []
    for key in sorted(project.library.templates):
        template = project.library.templates[key]
        people = _people(template)[:1] if loosely else _people(template)
        if loosely and template.locale is not None:
            continue
        written: dict[str, Mail] = {}
        for sitter in [*people, *people[: not loosely]]:
            found = portrait(project, template, sitter)
            if found.preview is None:
                missing.append(f"{key} for {sitter.slug}: {found.why_not}")
                continue
            rendered = found.preview.rendered
            mail = Mail(
                **_about(project, template, sitter),
                klass=project.config.categories[found.preview.category].klass,
                subject=rendered.subject,
                preheader=rendered.preheader,
                html=rendered.html,
                text=rendered.text,
                raw=found.preview.raw,
            )
            once = written.setdefault(sitter.slug, mail)
            written[sitter.slug] = replace(once, again=once == mail)
        mails += written.values()
    return mails, missing


def _people(template: Template) -> Sequence[Sitter]:
    """Everybody for what is written by default. Translations have the same places for values: two
    read the formal one, and one the other."""
    known, unknown, long = sitters(MONDAY)
    if template.locale is None:
        return (known, unknown, long)
    return (known,) if template.locale.endswith("-informal") else (known, long)


def _about(project: Project, template: Template, sitter: Sitter) -> dict[str, str]:
    return {
        "template": template.key,
        "name": template.name,
        "locale": template.locale or project.config.locale,
        "layout": template.layout,
        "source": template.source,
        "sitter": sitter.slug,
    }


def faults(mails: Iterable[tuple[Mail, str]]) -> list[str]:
    """For a message that says which mail it is about."""
    return [f"{mail}: {said}" for mail, said in mails]
