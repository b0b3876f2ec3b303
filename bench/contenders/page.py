"""Which letter do the other contenders write? Ours, turned back into templates for plain Jinja.

The engine writes it once with words that stand for the values; in their place are put `[[ name ]]`
and the one branch that the letter has. `letter.html` is as it was before its CSS was inlined,
`inlined.html` after, `letter.txt` the text beside it, `subject.txt` the subject.
"""

import re
from pathlib import Path
from typing import Any

from bench import mailing
from bench.workload import BEFORE, COMMON, DUE, Reader
from nurture.core.model import Subject
from nurture.intake.apply import apply_all
from nurture.rendering.context import context
from nurture.store.reading import load

#: Letters only, and of one case: they come through URLs, escaping and inlining as they are.
_STANDS_FOR = {name: f"ZQ{name.replace('_', '').upper()}QZ" for name in (*COMMON, "first_name")}
_BRANCH = "You came to us by a friend."


def write(at: Path, scratch: Path) -> None:
    """The four files into the folder `at`."""
    project = mailing.project(scratch, port=9)
    who = Reader(number=1, first_name="Ana", email="c1@example.com", source="a friend")
    apply_all(project.database, [mailing.applied("1", who, BEFORE)], BEFORE)
    with project.database.read() as connection:
        facts = load(connection, [1])[1]
    about = Subject(application="a-1")
    known = context(facts, about, enrollment=None, config=project.config, now=DUE)
    words = _with_stand_ins(known, {**COMMON, "first_name": "Ana"})
    letter = project.letters.renderer.render("bench/letter", words, candidate_id=1, locale="en")
    project.close()
    at.mkdir()
    for name, text in (
        ("inlined.html", letter.html),
        ("letter.html", re.sub(r""" style=("[^"]*"|'[^']*')""", "", letter.html)),
        ("letter.txt", letter.text),
        ("subject.txt", letter.subject),
    ):
        (at / name).write_text(_as_template(text), encoding="utf-8")


def _with_stand_ins(known: Any, values: dict[str, str]) -> Any:
    """Wherever a whole value is one of these, the word that stands for it."""
    if isinstance(known, dict):
        return {key: _with_stand_ins(value, values) for key, value in known.items()}
    names = [name for name, value in values.items() if known == value]
    return _STANDS_FOR[names[0]] if names else known


def _as_template(text: str) -> str:
    assert _BRANCH in text or "ZQ" in text
    for name, word in _STANDS_FOR.items():
        text = text.replace(word, f"[[ {name} ]]")
    branch = "[% if source %]You came to us by [[ source ]].[% endif %]"
    return text.replace(_BRANCH, branch)
