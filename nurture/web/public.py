"""What may a candidate decide by the unsubscribe link of a mail? To leave, and to come back.

Mail scanners open every link, so GET only shows a form and POST decides (RFC 8058). The address
says all: which button was pressed is in the path and no body is read, so a mail provider's
one-click request works in whatever form it comes.
"""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from nurture.core.model import Candidate, MessageClass
from nurture.engine.project import Project
from nurture.rendering.links import UNSUBSCRIBE
from nurture.web.looks import Looks
from nurture.web.phrases import Phrases
from nurture.web.reader import Reader, reader_of, tell

ALL = "all"  #: the topic that is every nurture mail
SOURCE = "unsubscribe"

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    """All answers are the same for a token that is ours and one that is not, but for the language:
    nothing is learned by trying."""
    router = APIRouter()

    def shown(
        request: Request, reader: Reader, token: str, state: str, topic: str = ""
    ) -> Response:
        named = [(each, topic_words(reader.say, each)) for each in topics_of(project)]
        return reader.page(
            looks,
            request,
            "unsubscribe",
            token=token,
            state=state,
            topic=topic,
            topic_words=topic_words(reader.say, topic),
            topics=named,
        )

    @router.api_route("/u/{token}", methods=_LOOK)
    def ask(request: Request, token: str) -> Response:
        return shown(request, _reader(project, request, token), token, "ask")

    @router.post("/u/{token}")
    def unsubscribe(request: Request, token: str) -> Response:
        """Ends all nurture mail, mail already queued included. 200 and no redirect (RFC 8058)."""
        reader = _reader(project, request, token)
        if reader.candidate is not None:
            leave(project, reader.candidate, source=SOURCE)
        return shown(request, reader, token, "gone")

    @router.post("/u/{token}/undo")
    def undo(request: Request, token: str) -> Response:
        reader = _reader(project, request, token)
        if reader.candidate is not None:
            come_back(project, reader.candidate, [ALL], source=SOURCE)
        return shown(request, reader, token, "back")

    @router.post("/u/{token}/{way}/{topic:path}")
    def of_one(request: Request, token: str, way: str, topic: str) -> Response:
        """`only`: no more of one topic; `undo`: that one again."""
        if way not in ("only", "undo") or topic not in topics_of(project):
            return looks.notice(request, 404)
        reader = _reader(project, request, token)
        if reader.candidate is not None:
            if way == "undo":
                come_back(project, reader.candidate, [topic], source=SOURCE)
            elif topic not in reader.candidate.unsubscribed:
                tell(project, reader.candidate, "candidate.unsubscribed", SOURCE, topics=[topic])
        return shown(request, reader, token, "less" if way == "only" else "back", topic)

    return router


def leave(project: Project, candidate: Candidate, *, source: str) -> None:
    """No nurture mail any more, in one transaction; saying it again changes nothing."""
    if ALL not in candidate.unsubscribed:
        tell(project, candidate, "candidate.unsubscribed", source)


def come_back(
    project: Project, candidate: Candidate, topics: Sequence[str], *, source: str
) -> None:
    """These topics are wanted again, as far as they were not."""
    wanted = {topic: True for topic in topics if topic in candidate.unsubscribed}
    if wanted:
        tell(project, candidate, "candidate.preferences", source, preferences={"topics": wanted})


def topics_of(project: Project) -> list[str]:
    """What one can unsubscribe from by itself: what the nurture templates are about."""
    categories = project.config.categories
    return sorted(
        {
            template.topic
            for template in project.library.templates.values()
            if categories[template.category].klass is MessageClass.NURTURE
        }
    )


def topic_words(say: Phrases, topic: str) -> str:
    """A topic as people read it; one of the company's own in the company's words."""
    return say.get(f"topic.{topic}", topic.replace("_", " ").replace("-", " "))


def _reader(project: Project, request: Request, token: str) -> Reader:
    return reader_of(project, request, UNSUBSCRIBE, token)
