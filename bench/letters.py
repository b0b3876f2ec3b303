"""What does one letter cost, from what is known of somebody to the bytes that leave?"""

import re
import shutil
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from premailer import Premailer

from bench import mailing
from bench.rounds import loop, median, spent
from nurture.config import Config
from nurture.core.model import (
    Application,
    Candidate,
    Facts,
    Job,
    Message,
    MessageState,
    Person,
    Subject,
)
from nurture.rendering import mime
from nurture.rendering.context import context
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Part, Rendered, Renderer
from nurture.rendering.templates import load_templates

_NAME = "bench/letter"


def letters(quick: bool) -> dict[str, float]:
    """What does it cost to write one letter of 28 KB?

    Ours: templates and MIME, its words known. Beside it premailer and EmailMessage for each letter,
    their page written already, and a loop of a million turns.
    """
    many, few, rounds = (100, 2, 5) if quick else (500, 4, 15)
    with TemporaryDirectory() as folder:
        desk = _Desk(Path(folder))
        people = [desk.words(_facts(number)) for number in range(1, many + 1)]
        first, *_ = [desk.write(*person) for person in people]  # as in a daemon at work
        page = desk.rendered(*people[0])
        rows = []
        for _ in range(rounds):
            before = loop()
            ours = spent(lambda: [desk.write(*person) for person in people]).cpu / many
            half = spent(lambda: [desk.rendered(*person) for person in people]).cpu / many
            theirs = spent(lambda: [_inlined_alone(page) for _ in range(few)]).cpu / few
            rows.append((ours, half, theirs, (before + loop()) / 2))
    return {
        "bytes of a letter": len(first),
        "us a letter": median(ours * 1e6 for ours, *_ in rows),
        "us of it in templates": median(half * 1e6 for _, half, *_ in rows),
        "turns of the loop": median(ours / turn * 1e6 for ours, _, _, turn in rows),
        "premailer and EmailMessage: us a letter": median(theirs * 1e6 for _, _, theirs, _ in rows),
        "times as fast": median(theirs / ours for ours, _, theirs, _ in rows),
    }


class _Desk:
    """Where letters are written, with nothing else around."""

    def __init__(self, at: Path) -> None:
        shutil.copytree(mailing.ROOT / "templates/layouts", at / "templates/layouts")
        (at / "templates/bench").mkdir()
        (at / f"templates/{_NAME}.md").write_text(mailing.letter(), encoding="utf-8")
        self.config = Config(root=at)
        templates, problems = load_templates(at)
        assert not problems
        self.category = self.config.categories[templates[_NAME].category]
        self.renderer = Renderer(templates, self.config, Signer([b"k" * 32]))

    def words(self, facts: Facts) -> tuple[Facts, dict[str, Any]]:
        about = Subject(application="a-1")
        now = mailing.DUE
        return facts, context(facts, about, enrollment=None, config=self.config, now=now)

    def rendered(self, facts: Facts, words: dict[str, Any]) -> Rendered:
        return self.renderer.bundle(
            [Part(template=_NAME, context=words, category=self.category)],
            candidate_id=facts.candidate.id,
            locale="en",
            message_id=facts.candidate.id,
        )

    def write(self, facts: Facts, words: dict[str, Any]) -> bytes:
        return mime.message(
            self.rendered(facts, words),
            message=_message(facts.candidate.id),
            facts=facts,
            category=self.category,
            config=self.config,
            at=mailing.DUE,
        )


def _inlined_alone(letter: Rendered) -> bytes:
    """What most mailers do for each message, from the page on."""
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = "Example Talent Team <talent@example.com>"
    message["To"] = "ana@example.com"
    message.set_content(letter.text)
    page = re.sub(r' style="[^"]*"', "", letter.html)
    inlined = Premailer(page, allow_network=False, keep_style_tags=True).transform()
    message.add_alternative(inlined, subtype="html")
    return message.as_bytes()


def _facts(number: int) -> Facts:
    return Facts(
        candidate=Candidate(
            id=number,
            ref=f"c-{number}",
            email=f"c{number}@example.com",
            first_name=f"Ana{number}",
            timezone="Europe/Lisbon",
        ),
        applications={
            "a-1": Application(
                ref="a-1",
                candidate_id=number,
                job="j-1",
                stage="applied",
                recruiter="ida@example.com",
                applied_at=mailing.BEFORE - timedelta(minutes=number),
                fields={"source": "a friend"} if number % 3 else {},
            )
        },
        jobs={"j-1": Job(ref="j-1", title="Data Engineer", fields=_JOB)},
        people={"ida@example.com": Person(email="ida@example.com", name="Ida Berg")},
    )


_JOB = {"location": "Lisbon", "department": "Platform"}


def _message(number: int) -> Message:
    return Message(
        id=number,
        candidate_id=number,
        message_id=f"<n{number}.abcdefghijklmnopqrstuvwx@example.com>",
        state=MessageState.SENDING,
        campaign="letters",
        template=_NAME,
        category="help",
        enrollment_id=number,
        step="letter",
        occurrence="1",
        application="a-1",
        created_at=mailing.BEFORE,
    )
