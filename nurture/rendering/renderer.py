"""What will this person read? One template and one person's facts become subject, HTML and text.

Rendered once per shape (see slots.py): the branches that a template takes decide how the mail is
laid out, the values are filled in afterwards. The preview is this and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from jinja2 import TemplateError, nodes
from markupsafe import Markup

from nurture.config import Config
from nurture.core.model import Category, MessageClass
from nurture.rendering.budget import TEXT_MAX
from nurture.rendering.errors import RenderError
from nurture.rendering.inline import inline
from nurture.rendering.layout import Layouts
from nurture.rendering.links import PREFERENCES, UNSUBSCRIBE, Answer, Signer
from nurture.rendering.plain import plain_from_html, plain_from_markdown, tidy
from nurture.rendering.printing import MARKDOWN, letter_environment
from nurture.rendering.slots import Mould, Slots, laid_out, typed
from nurture.rendering.templates import Template, choose
from nurture.rendering.words import why, words_for

_SHAPES_MAX = 1_000


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a person reads. Line ends are LF; `mime` makes them CRLF."""

    subject: str
    preheader: str
    html: str
    text: str
    locale: str  #: of the words: the Content-Language
    unsubscribe_url: str  #: this person's, whether or not the mail shows it


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a template says to somebody, before it is laid out."""

    subject: str
    preheader: str
    text: str  #: the text part, without its footer
    missing: tuple[int, ...]  #: which of the template's `facts` the text does not say


@dataclass(frozen=True)
class _Shape:
    html: Mould
    text: Mould


class Renderer:
    """Make a new one when templates or layouts have changed. Safe to use from several threads.

    `layouts` are the layouts' texts, by name; those that are not given are read from their files.
    """

    def __init__(
        self,
        templates: Mapping[str, Template],
        config: Config,
        signer: Signer,
        layouts: Mapping[str, str] | None = None,
    ) -> None:
        self._templates = templates
        #: Asked twice a mail; there are as many answers as templates and languages.
        self._choose = lru_cache(maxsize=4096)(partial(choose, templates))
        self._config = config
        self._signer = signer
        self._layouts = Layouts(config, layouts)
        self._environment = letter_environment()
        self._compiled: dict[tuple[str, str], Any] = {}
        self._shapes: dict[tuple[Any, ...], _Shape] = {}

    @property
    def templates(self) -> Mapping[str, Template]:
        """By key: see templates.load_templates."""
        return self._templates

    def digests(self, name: str, locale: str | None) -> tuple[str | None, str | None]:
        """Which files `render` would take for this reader: the sha256 of the template's bytes and
        of its layout's. None where there is no such file, or its text is not known."""
        template = self._choose(name, locale or self._config.locale)
        if template is None:
            return None, None
        return template.digest or None, self._layouts.digests.get(template.layout)

    def render(
        self,
        name: str,
        context: Mapping[str, Any],
        *,
        candidate_id: int,
        locale: str | None,
        category: Category | None = None,
        message_id: int = 0,
    ) -> Rendered:
        """The mail in the reader's locale, their language, or the default. `message_id` is the
        row's that asks its questions; without it they can be looked at and not be answered.

        `context` is what `context.context` gives. `category` is the message's, where it is not
        the template's own. Raises RenderError; never leaves a blank.
        """
        template = self._choose(name, locale or self._config.locale)
        if template is None:
            raise RenderError(f'there is no template "{name}"', template=name)
        category = category or self._config.categories.get(template.category)
        if category is None:
            raise RenderError(
                f'config.yaml has no category "{template.category}"',
                template=name,
                file=template.file,
                line=1,
            )
        try:
            return self._render(template, context, candidate_id, message_id, locale, category.klass)
        except RenderError as error:
            if error.file is not None:
                raise
            raise RenderError(
                error.why, template=name, file=template.file, line=template.first_line
            ) from None

    def line(self, source: str, context: Mapping[str, Any], *, locale: str | None = None) -> str:
        """One line of a campaign file (a task's text) with the same vocabulary."""
        slots = Slots()
        words = self._words(context, slots, locale or self._config.locale, markdown=False)
        text = self._run(source, words, "task", 1)
        return " ".join(typed(text).fill(slots.values).split())

    def draft(self, template: Template, context: Mapping[str, Any]) -> Draft:
        """As `render` in the template's own language, without the slow part: quick enough to try
        every template on somebody. Raises RenderError."""
        locale = template.locale or self._config.locale
        category = self._config.categories.get(template.category)
        slots = Slots()
        words = self._words(context, slots, locale, template.markdown)
        words["links"] = self._links(0)
        words["why"] = why(category.klass if category else MessageClass.SERVICE, context, locale)
        words["_asked"] = self._asked(template, 0, 0)
        body = self._run(template.body, words, template.file, template.first_line)
        plain = plain_from_markdown(body) if template.markdown else plain_from_html(body)
        text = typed(tidy(plain)).fill(slots.values)
        read = " ".join(text.split())
        facts = [
            self._one_line(template, fact, template.facts_line, words, slots)
            for fact in template.facts
        ]
        return Draft(
            subject=self._one_line(template, template.subject, template.subject_line, words, slots),
            preheader=self._one_line(
                template, template.preheader, template.preheader_line, words, slots
            ),
            text=text,
            missing=tuple(number for number, fact in enumerate(facts) if fact not in read),
        )

    def _render(
        self,
        template: Template,
        context: Mapping[str, Any],
        candidate_id: int,
        message_id: int,
        locale: str | None,
        klass: MessageClass,
    ) -> Rendered:
        reading = _reading_locale(template.locale or self._config.locale, locale)
        slots = Slots()
        words = self._words(context, slots, reading, template.markdown)
        links = self._links(candidate_id)
        reason = why(klass, context, reading)
        words["links"], words["why"] = links, reason
        words["_asked"] = self._asked(template, candidate_id, message_id)
        subject = self._one_line(template, template.subject, template.subject_line, words, slots)
        preheader = self._one_line(
            template, template.preheader, template.preheader_line, words, slots
        )
        # Subject and footer are values like any other: the first numbers are theirs.
        slots.values.clear()
        fixed = {
            "subject": slots.put(subject),
            "preheader": slots.put(preheader),
            "why": slots.put(reason),
            **{name: slots.put(url) for name, url in links.items()},
        }
        body = self._run(template.body, words, template.file, template.first_line)
        key = (template.key, template.digest, reading, klass, bool(preheader), body)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shape(template, body, fixed, klass, reading, bool(preheader))
            if len(self._shapes) >= _SHAPES_MAX:
                self._shapes.clear()
            self._shapes[key] = shape
        rendered = Rendered(
            subject=subject,
            preheader=preheader,
            html=shape.html.fill(slots.values),
            text=shape.text.fill(slots.values),
            locale=reading,
            unsubscribe_url=links["unsubscribe_url"],
        )
        self._require(template, rendered, words, slots, klass)
        return rendered

    def _shape(
        self,
        template: Template,
        body: str,
        fixed: Mapping[str, str],
        klass: MessageClass,
        locale: str,
        preheader: bool,
    ) -> _Shape:
        """Markdown to HTML, layout and inlined CSS: the slow part, once."""
        html_body = MARKDOWN.render(body) if template.markdown else body
        page = self._layouts.page(
            template.layout,
            body=Markup(html_body),  # noqa: S704 - the author's words; values are still tokens
            fixed={**fixed, "preheader": fixed["preheader"] if preheader else ""},
            klass=klass,
            locale=locale,
        )
        plain = plain_from_markdown(body) if template.markdown else plain_from_html(body)
        footer = self._plain_footer(fixed, klass, locale)
        return _Shape(
            html=laid_out(inline(page), self._layouts.link_style),
            text=typed(tidy(f"{plain}\n--\n{footer}")),
        )

    def _plain_footer(self, fixed: Mapping[str, str], klass: MessageClass, locale: str) -> str:
        words, company = words_for(locale), self._config.company
        lines = [f"{company.name}, {company.address}", fixed["why"]]
        if klass is MessageClass.NURTURE:
            lines.append(f"{words['preferences']}: {fixed['preferences_url']}")
            lines.append(f"{words['unsubscribe']}: {fixed['unsubscribe_url']}")
        return "\n".join(lines)

    def _words(
        self, context: Mapping[str, Any], slots: Slots, locale: str, markdown: bool
    ) -> dict[str, Any]:
        return {
            **context,
            "_slots": slots,
            "_locale": locale,
            "_markdown": markdown,
        }

    def _links(self, candidate_id: int) -> dict[str, str]:
        public = self._config.web.public_url.rstrip("/")
        return {
            "unsubscribe_url": f"{public}/u/{self._signer.token(UNSUBSCRIBE, candidate_id)}",
            "preferences_url": f"{public}/p/{self._signer.token(PREFERENCES, candidate_id)}",
        }

    def _asked(
        self, template: Template, candidate_id: int, message_id: int
    ) -> dict[str, tuple[str, list[tuple[str, str]]]]:
        """Each question of the template: its words, and the label and link of each option."""
        public = self._config.web.public_url.rstrip("/")

        def url(question: str, option: str) -> str:
            answer = Answer(candidate_id, message_id, question, option)
            return f"{public}/a/{self._signer.answer_token(answer)}"

        return {
            each.id: (
                each.text,
                [(label, url(each.id, key)) for key, label in each.options.items()],
            )
            for each in template.ask
        }

    def _one_line(
        self, template: Template, source: str, line: int, words: dict[str, Any], slots: Slots
    ) -> str:
        skeleton = self._run(source, words, template.file, line)
        return " ".join(typed(skeleton).fill(slots.values).split())

    def _require(
        self,
        template: Template,
        rendered: Rendered,
        words: dict[str, Any],
        slots: Slots,
        klass: MessageClass,
    ) -> None:
        """What a mail must not lack, whoever wrote its template and its layout."""

        def refuse(why: str, line: int) -> None:
            raise RenderError(why, template=template.name, file=template.file, line=line)

        if not rendered.subject:
            refuse("the subject is empty", template.subject_line)
        if klass is MessageClass.NURTURE and rendered.unsubscribe_url not in rendered.html:
            refuse(f'layout "{template.layout}" has no unsubscribe link', 1)
        read = " ".join(rendered.text.split())
        for fact in template.facts:
            wanted = self._one_line(template, fact, template.facts_line, words, slots)
            if wanted not in read:
                refuse(f"the text does not say what `facts` promises: {fact}", template.facts_line)

    def _run(self, source: str, words: dict[str, Any], file: str, first_line: int) -> str:
        compiled = self._compiled.get((file, source))
        try:
            if compiled is None:
                code = self._environment.compile(source, filename=file)
                compiled = self._environment.template_class.from_code(
                    self._environment, code, self._environment.make_globals(None)
                )
                self._compiled[file, source] = compiled
            written, length = [], 0
            for piece in compiled.generate(words):
                written.append(piece)
                length += len(piece)
                if length > TEXT_MAX:
                    raise RenderError("the mail grew too long")
            return "".join(written)
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
            variable = _named(self._environment.parse(source), why, line)
            why = f"{variable} is missing for this person"
        return RenderError(
            why, template=file, file=file, line=first_line + line - 1, variable=variable
        )


def _reading_locale(words: str, reader: str | None) -> str:
    """Dates follow the words: `pt-BR` dates in a Portuguese mail, never German ones in English."""
    wanted = (reader or "").replace("_", "-")
    return wanted if wanted.partition("-")[0] == words.partition("-")[0] else words


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
