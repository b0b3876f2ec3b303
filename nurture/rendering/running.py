"""What does a piece of a template say to this person? Compiled once, run for each."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from jinja2 import TemplateError, nodes

from nurture.rendering.budget import TEXT_MAX
from nurture.rendering.errors import RenderError
from nurture.rendering.printing import letter_environment
from nurture.rendering.slots import Slots

_AT_ONCE = 400  # pieces until it is looked at how long a text has become


class Runner:
    """Sources are known by their file and their text."""

    def __init__(self) -> None:
        #: The second is for what follows in the same mail: see Slots.
        self._environments = tuple(letter_environment(repeats=each) for each in (True, False))
        self._compiled: dict[tuple[str, str, bool], Any] = {}

    @property
    def globals(self) -> Mapping[str, Any]:
        """What every template can call; `words` begin with them."""
        return self._environments[0].globals

    def run(
        self,
        source: str,
        words: dict[str, Any],
        file: str,
        first_line: int,
        *,
        follows: bool = False,
    ) -> str:
        """A skeleton: values are tokens. `follows`: another one's values are among the `_slots`
        already. Raises RenderError with the place in the file."""
        compiled = self._compiled.get((file, source, follows))
        environment = self._environments[follows]
        try:
            if compiled is None:
                code = environment.compile(source, filename=file)
                compiled = environment.template_class.from_code(
                    environment, code, environment.make_globals(None)
                )
                self._compiled[file, source, follows] = compiled
            # As Template.generate, without copying all words: they have the globals already.
            context = compiled.new_context(words, shared=True)
            try:
                pieces = compiled.root_render_func(context)
                written = ""
                while more := "".join(islice(pieces, _AT_ONCE)):
                    written += more
                    if len(written) > TEXT_MAX:
                        raise RenderError("the mail grew too long")
                slots: Slots = words["_slots"]
                return slots.afford(written)
            except Exception:
                environment.handle_exception()  # raises it again, with the template's lines
        except RenderError as error:
            raise self._located(error, error.why, source, file, first_line) from None
        except (
            TemplateError,
            TypeError,
            ValueError,
            ArithmeticError,
            LookupError,
            SyntaxError,  # of the Python that a template becomes
            MemoryError,
        ) as error:
            raise self._located(error, str(error), source, file, first_line) from None
        except RecursionError as error:
            raise self._located(error, "it calls itself", source, file, first_line) from None

    def _located(
        self, error: Exception, why: str, source: str, file: str, first_line: int
    ) -> RenderError:
        line = getattr(error, "lineno", None)
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == file:
                line = trace.tb_lineno
            trace = trace.tb_next
        line = line or 1
        variable = None
        if "is undefined" in why or "has no attribute" in why:
            variable = _named(self._environments[0].parse(source), why, line)
            why = f"{variable} is missing for this person"
        return RenderError(
            why, template=file, file=file, line=first_line + line - 1, variable=variable
        )


def _named(tree: nodes.Template, why: str, line: int) -> str:
    """`interview.url`, from Jinja's "'dict object' has no attribute 'url'"."""
    name = why.rpartition("'")[0].rpartition("'")[2] if "attribute" in why else why.split("'")[1]
    for node in tree.find_all(nodes.Getattr):
        if node.attr == name and node.lineno == line:
            return _dotted(node)
    return name


def _dotted(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return f"{_dotted(node.node)}.{node.attr}"
    return node.name if isinstance(node, nodes.Name) else "..."
