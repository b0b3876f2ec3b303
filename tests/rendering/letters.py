"""One candidate, one project and one renderer for the tests beside this file."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from nurture.config import load_config
from nurture.core.model import (
    Application,
    Candidate,
    Facts,
    Interview,
    Job,
    Message,
    MessageState,
    Person,
    Subject,
)
from nurture.rendering.context import context
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Renderer
from nurture.rendering.templates import load_templates

LAYOUTS = Path(__file__).parents[2] / "templates" / "layouts"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def facts(**changes):
    known = {
        "id": 7,
        "ref": "c-17",
        "email": "ana@example.com",
        "first_name": "Ana",
        "timezone": "Europe/Lisbon",
    }
    return Facts(
        candidate=Candidate(**{**known, **changes}),
        applications={
            "a-9": Application(ref="a-9", candidate_id=7, job="j-1", recruiter="ida@example.com")
        },
        jobs={"j-1": Job(ref="j-1", title="Data Engineer")},
        people={"ida@example.com": Person(email="ida@example.com", name="Ida Berg")},
        interviews={
            "i-3": Interview(
                ref="i-3",
                candidate_id=7,
                application="a-9",
                kind="video",
                starts_at=datetime(2026, 12, 3, 10, tzinfo=UTC),
                fields={
                    "url": "https://meet.example.com/a_b_c?x=1&y=2",
                    "interviewers": [{"name": "Rui Costa", "role": "Team lead"}, {"name": "Mei"}],
                    "reschedule_url": "https://book.example.com/r/42",
                },
            )
        },
    )


class Project:
    """A project folder with the templates that a test needs."""

    def __init__(self, root, config=""):
        self.root = root
        (root / "config.yaml").write_text(config, encoding="utf-8")
        (root / "templates").mkdir()
        shutil.copytree(LAYOUTS, root / "templates" / "layouts")
        self.config = load_config(root / "config.yaml", {})

    def write(self, name, body, **front):
        path = self.root / "templates" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        keys = {"subject": "Hello", "category": "prep", **front}
        lines = "".join(f"{key}: {value}\n" for key, value in keys.items() if value is not None)
        path.write_text(f"---\n{lines}---\n{body}", encoding="utf-8")
        return self

    def renderer(self):
        templates, problems = load_templates(self.root)
        assert problems == []
        return Renderer(templates, self.config, Signer([b"k" * 32]))

    def context(self, about=None, now=NOW, **candidate):
        return context(
            about or facts(**candidate),
            Subject(interview="i-3"),
            enrollment=None,
            config=self.config,
            now=now,
        )

    def render(self, body, *, suffix="md", locale=None, candidate=None, words=None, **front):
        self.write(f"topic/letter.{suffix}", body, **front)
        given = words if words is not None else self.context(**(candidate or {}))
        return self.renderer().render("topic/letter", given, candidate_id=7, locale=locale)


def row(message_id="<n1.abc@example.com>", category="prep"):
    return Message(
        id=1,
        candidate_id=7,
        message_id=message_id,
        state=MessageState.QUEUED,
        campaign="interview-prep",
        template="topic/letter",
        category=category,
        enrollment_id=1,
        step="letter",
        occurrence="1",
        application="a-9",
        created_at=NOW,
    )
