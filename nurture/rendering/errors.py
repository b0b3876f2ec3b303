"""Why could a mail not be written?"""

from nurture.errors import NurtureError


class RenderError(NurtureError):
    """This template cannot become a mail for this person.

    The sentence names the template's file and line and what is missing; never a name or address
    of the candidate.
    """

    def __init__(
        self,
        why: str,
        *,
        template: str | None = None,
        file: str | None = None,
        line: int | None = None,
        variable: str | None = None,
        part: int = 0,
    ) -> None:
        self.why = why
        self.template = template
        self.file = file
        self.line = line
        self.variable = variable
        self.part = part  #: of a mail of several letters: which of them
        place = ":".join(str(part) for part in (file, line) if part is not None)
        super().__init__(f"{place}: {why}" if place else why)
