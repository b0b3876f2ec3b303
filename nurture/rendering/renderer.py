"""What will this person read? One template and one person's facts become subject, HTML and text.

Rendered once per shape (see slots.py): the branches that a template takes decide how the mail is
laid out, the values are filled in afterwards. The preview is this and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from nurture.config import Config
from nurture.core.model import Category, MessageClass
from nurture.rendering.broad_reasons import Reasons
from nurture.rendering.context import VOCABULARY, Named
from nurture.rendering.errors import RenderError
from nurture.rendering.languages import plain, reading, written
from nurture.rendering.layout import Layouts
from nurture.rendering.links import CONFIDENCES, PREFERENCES, UNSUBSCRIBE, Answer, Signer
from nurture.rendering.naming import named_in
from nurture.rendering.pages import Pages, Skeleton
from nurture.rendering.plain import plain_from_html, plain_from_markdown, tidy
from nurture.rendering.running import Runner
from nurture.rendering.sections import Whole, alone, together
from nurture.rendering.shapes import Rendered
from nurture.rendering.slots import Slots, typed
from nurture.rendering.templates import Template, choose
from nurture.rendering.words import why, words_for

__all__ = ["Asked", "Draft", "Part", "Rendered", "Renderer"]

#: How each link that a layout may show is made.
Links = Mapping[str, Callable[[], str]]
#: Their pages, and what their tokens are good for.
_PAGES = {
    "unsubscribe_url": ("u", UNSUBSCRIBE),
    "preferences_url": ("p", PREFERENCES),
    "needs_url": ("p/needs", CONFIDENCES),
}
#: By question: its words, and the label and link of each option.
Asked = dict[str, tuple[str, list[tuple[str, str]]]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One letter of a mail that may have several."""

    template: str  #: its name
    context: Mapping[str, Any]
    category: Category | None = None  #: of the message, where it is not the template's own


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a template says to somebody, before it is laid out."""

    subject: str
    preheader: str
    text: str  #: the text part, without its footer
    missing: tuple[int, ...]  #: which of the template's `facts` the text does not say


@dataclass
class _Letter:
    """A part, with what was found for it."""

    template: Template
    context: Mapping[str, Any]
    klass: MessageClass
    words: dict[str, Any] = field(default_factory=dict)
    subject: str = ""


class Renderer:
    """Make a new one when templates or layouts have changed. Safe to use from several threads.

    `layouts` are the layouts' texts, by name; those that are not given are read from their files.
    `pinned`: see pages.Pages.
    """

    def __init__(
        self,
        templates: Mapping[str, Template],
        config: Config,
        signer: Signer,
        layouts: Mapping[str, str] | None = None,
        pinned: set[str] | None = None,
        reasons: Reasons | None = None,
    ) -> None:
        self._templates = templates
        self.reasons = reasons or Reasons()
        #: Asked twice a mail; there are as many answers as templates and languages.
        self._own = written(config)
        self._choose = lru_cache(maxsize=4096)(partial(choose, templates, own=self._own))
        self._named = lru_cache(maxsize=4096)(self._names)
        self._config = config
        self._signer = signer
        self._pages = Pages(Layouts(config, layouts), pinned)
        self._runner = Runner()

    def signed_by(self, signer: Signer) -> "Renderer":
        """The same, and as fast, whose links somebody else signs."""
        other = copy(self)
        other._signer = signer  # noqa: SLF001 - a copy of our own
        return other

    @property
    def pinned(self) -> set[str]:
        return self._pages.pinned

    @property
    def templates(self) -> Mapping[str, Template]:
        """By key: see templates.load_templates."""
        return self._templates

    def template(self, name: str, locale: str | None) -> Template | None:
        """The one that `render` would take for this reader."""
        return self._choose(name, locale or self._own)

    def digests(self, name: str, locale: str | None) -> tuple[str | None, str | None]:
        """Which files `render` would take for this reader: the sha256 of the template's bytes and
        of its layout's. None where there is no such file, or its text is not known."""
        template = self.template(name, locale)
        if template is None:
            return None, None
        return template.digest or None, self._pages.layouts.digests.get(template.layout)

    def named(self, name: str, locale: str | None) -> Named:
        """What the context for this template and this reader has to hold; all there is, where
        there is no such template."""
        return self._named(name, locale or self._own)

    def _names(self, name: str, locale: str) -> Named:
        template = self._choose(name, locale)
        return VOCABULARY if template is None else named_in(template)

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
        """The mail in the words of `locale` (a tag: see languages.py), their language, or the
        default. `message_id` is the row's that asks its questions; without it they can be looked
        at and not be answered.

        `context` is what `context.context` gives. `category` is the message's, where it is not
        the template's own. Raises RenderError; never leaves a blank.
        """
        part = Part(template=name, context=context, category=category)
        return self.bundle([part], candidate_id=candidate_id, locale=locale, message_id=message_id)

    def bundle(
        self,
        parts: Sequence[Part],
        *,
        candidate_id: int,
        locale: str | None,
        message_id: int = 0,
    ) -> Rendered:
        """Several letters of one class as one mail, most necessary first: it has the first one's
        subject and layout, and a heading over each. One letter is a mail as `render` gives it.

        Raises RenderError, whose `part` is the number of the letter that cannot be written.
        """
        letters = []
        for number, part in enumerate(parts):
            try:
                letters.append(self._letter(part, locale))
            except RenderError as error:
                error.part = number
                raise
        return self._render(letters, candidate_id, message_id, locale)

    def _letter(self, part: Part, locale: str | None) -> _Letter:
        template = self.template(part.template, locale)
        if template is None:
            raise RenderError(f'there is no template "{part.template}"', template=part.template)
        category = part.category or self._config.categories.get(template.category)
        if category is None:
            raise RenderError(
                f'config.yaml has no category "{template.category}"',
                template=part.template,
                file=template.file,
                line=1,
            )
        return _Letter(template, part.context, category.klass)

    def line(self, source: str, context: Mapping[str, Any], *, locale: str | None = None) -> str:
        """One line of a campaign file (a task's text) with the same vocabulary."""
        words = self._words(context, locale or self._own, markdown=False)
        return self._line(source, words, "task", 1)

    def draft(
        self, template: Template, context: Mapping[str, Any], *, asked: Asked | None = None
    ) -> Draft:
        """As `render` in the template's own language, without the slow part: quick enough to try
        every template on somebody. `asked` takes the place of its questions. Raises RenderError."""
        locale = template.locale or self._own
        category = self._config.categories.get(template.category)
        words = self._words(context, locale, template.markdown)
        words["links"] = _made(self._links(0))
        words["why"] = why(category.klass if category else MessageClass.SERVICE, context, locale)
        words["_asked"] = asked if asked is not None else self._asked(template, 0, 0)
        slots = Slots()
        body = self._body(template, words, slots)
        unfilled = plain_from_markdown(body) if template.markdown else plain_from_html(body)
        text = typed(tidy(unfilled)).fill(slots.values)
        read = " ".join(text.split())
        facts = [
            self._line(fact, words, template.file, template.facts_line) for fact in template.facts
        ]
        return Draft(
            subject=self._line(template.subject, words, template.file, template.subject_line),
            preheader=self._line(template.preheader, words, template.file, template.preheader_line),
            text=text,
            missing=tuple(number for number, fact in enumerate(facts) if fact not in read),
        )

    def _render(
        self,
        letters: Sequence[_Letter],
        candidate_id: int,
        message_id: int,
        locale: str | None,
    ) -> Rendered:
        first = letters[0]
        read_in = self._reading(first.template, locale)
        links = self._links(candidate_id)
        for number, letter in enumerate(letters):
            with _Of(letter.template, number):
                if letter.klass is not first.klass:
                    raise RenderError(f"{letter.klass} mail never joins {first.klass} mail")
                if (own := self._reading(letter.template, locale)) != read_in:
                    raise RenderError(f"what is in {own} never joins what is in {read_in}")
                self._find_words(letter, links, locale)
                letter.words["_asked"] = self._asked(letter.template, candidate_id, message_id)
                of, line = letter.template, letter.template.subject_line
                letter.subject = self._line(of.subject, letter.words, of.file, line)
        with _Of(first.template, 0):
            preheader = self._preheader(letters, read_in)
        # Subject and footer are values like any other.
        slots = Slots()
        fixed = {
            "subject": slots.put(first.subject),
            "preheader": slots.put(preheader),
            "why": slots.put(first.words["why"]),
            **{name: slots.put_later(make) for name, make in links.items()},
        }
        skeleton = Skeleton(
            files=tuple((letter.template.key, letter.template.digest) for letter in letters),
            layout=first.template.layout,
            locale=read_in,
            klass=first.klass,
            preheader=bool(preheader),
            whole=self._whole(letters, slots),
        )
        with _Of(first.template, 0):
            html, text = self._pages.parts(skeleton, fixed, slots, message_id)
        rendered = Rendered(
            subject=first.subject,
            preheader=preheader,
            html_part=html,
            text_part=text,
            locale=plain(read_in),
            link=links["unsubscribe_url"],
        )
        for number, letter in enumerate(letters):
            with _Of(letter.template, number):
                self._require(letter, rendered)
        return rendered

    def _find_words(self, letter: _Letter, links: Links, locale: str | None) -> None:
        template = letter.template
        read_in = self._reading(template, locale)
        letter.words = self._words(letter.context, read_in, template.markdown)
        if "links" in self.named(template.name, locale):
            letter.words["links"] = _made(links)
        letter.words["why"] = why(letter.klass, letter.context, read_in)

    def _preheader(self, letters: Sequence[_Letter], locale: str) -> str:
        """The template's own; of several letters, what there is besides the first."""
        first, *others = letters
        if others:
            return f"{words_for(locale)['also']}: {'; '.join(each.subject for each in others)}"
        template = first.template
        return self._line(template.preheader, first.words, template.file, template.preheader_line)

    def _whole(self, letters: Sequence[_Letter], slots: Slots) -> Whole:
        several = len(letters) > 1
        headings = [slots.put(letter.subject) for letter in letters if several]
        bodies = []
        for number, letter in enumerate(letters):
            template = letter.template
            with _Of(template, number):
                bodies.append(self._body(template, letter.words, slots, follows=number > 0))
        if not several:
            return alone(bodies[0], markdown=letters[0].template.markdown)
        markdown = [letter.template.markdown for letter in letters]
        return together(bodies, markdown, headings, slots.values)

    def _body(
        self, template: Template, words: dict[str, Any], slots: Slots, *, follows: bool = False
    ) -> str:
        slots.within = "markdown" if template.markdown else "html"
        words["_slots"] = slots
        return self._runner.run(
            template.body, words, template.file, template.first_line, follows=follows
        )

    def _reading(self, template: Template, locale: str | None) -> str:
        return reading(template.locale or self._own, locale or self._own)

    def _words(self, context: Mapping[str, Any], locale: str, markdown: bool) -> dict[str, Any]:
        return {
            **self._runner.globals,
            **context,
            "_locale": locale,
            "_markdown": markdown,
        }

    def _links(self, candidate_id: int) -> Links:
        """Of this person's own pages. Few mails show them, and signing takes a moment."""
        return {name: partial(self._link, name, candidate_id) for name in _PAGES}

    def _link(self, name: str, candidate_id: int) -> str:
        public, (path, purpose) = self._config.web.public_url.rstrip("/"), _PAGES[name]
        return f"{public}/{path}/{self._signer.token(purpose, candidate_id)}"

    def _asked(self, template: Template, candidate_id: int, message_id: int) -> Asked:
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

    def _line(self, source: str, words: dict[str, Any], file: str, line: int) -> str:
        """One line, as it is read."""
        if "{" not in source:
            return " ".join(source.split())
        words["_slots"] = slots = Slots()
        return " ".join(slots.read(self._runner.run(source, words, file, line)).split())

    def _require(self, letter: _Letter, rendered: Rendered) -> None:
        """What a mail must not lack, whoever wrote its template and its layout."""
        template = letter.template

        def refuse(why: str, line: int) -> None:
            raise RenderError(why, template=template.name, file=template.file, line=line)

        if not letter.subject:
            refuse("the subject is empty", template.subject_line)
        if letter.klass is MessageClass.NURTURE and not rendered.says(rendered.unsubscribe_url):
            refuse(f'layout "{template.layout}" has no unsubscribe link', 1)
        for fact in template.facts:
            wanted = self._line(fact, letter.words, template.file, template.facts_line)
            if wanted not in rendered.text and wanted not in " ".join(rendered.text.split()):
                refuse(f"the text does not say what `facts` promises: {fact}", template.facts_line)


class _Of:
    """Whatever goes wrong in here is this template's, which is that part of the mail."""

    def __init__(self, template: Template, part: int) -> None:
        self._template, self._part = template, part

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if not isinstance(error, RenderError):
            return
        error.part = self._part
        if error.file is None:
            raise RenderError(
                error.why,
                template=self._template.name,
                file=self._template.file,
                line=self._template.first_line,
                part=self._part,
            ) from None


def _made(links: Links) -> dict[str, str]:
    return {name: make() for name, make in links.items()}
