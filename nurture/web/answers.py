"""What does a candidate see who follows the link of an answer? The choice, and a button.

Mail scanners open every link: looking changes nothing, only the button answers. Every option is a
form of its own, so an answer can be changed on the same page, and no script is needed.
"""

from fastapi import APIRouter, Request, Response

from nurture.engine.answering import Choice, choice_of, confidant, give, until
from nurture.engine.project import Project
from nurture.web.looks import Looks
from nurture.web.reader import known, stranger

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/a/{token}", methods=_LOOK)
    def look(request: Request, token: str) -> Response:
        return _shown(request, project, looks, choice_of(project, token), given=False)

    @router.post("/a/{token}")
    def answer(request: Request, token: str) -> Response:
        """The address says all: no body is read."""
        choice = choice_of(project, token)
        if choice is not None:
            give(project, choice)
        return _shown(request, project, looks, choice, given=True)

    return router


def _shown(
    request: Request, project: Project, looks: Looks, choice: Choice | None, *, given: bool
) -> Response:
    if choice is None:
        said = stranger(project, request).say("answer.not_whole")
        return looks.notice(request, 404, said)
    now = project.clock.now()
    chosen = choice.answer.option
    reader = known(project, choice.candidate)
    day = until(project, choice, now)
    return reader.page(
        looks,
        request,
        "answer",
        state="preview" if choice.asked is None else "given" if given else "ask",
        question=choice.question,
        language=choice.locale,
        chosen={"key": chosen, "label": choice.label, "token": _token(project, choice, chosen)},
        others=[
            {"key": key, "label": label, "token": _token(project, choice, key)}
            for key, label in choice.question.options.items()
            if key != chosen
        ],
        before=choice.question.options.get(choice.given or ""),
        then=choice.then.kind if choice.then else "",
        for_job=choice.asked is not None and choice.asked.application is not None,
        until=reader.day(day) if day else "",
        to=confidant(project, choice).name if choice.question.confidential else "",
    )


def _token(project: Project, choice: Choice, option: str) -> str:
    return project.signer.answer_token(choice.answer._replace(option=option))
