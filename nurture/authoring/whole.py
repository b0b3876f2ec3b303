"""Do the parts of a project fit together? Campaigns, templates, translations, layouts, config.yaml.

What one file alone cannot know: who sends a template, what a translation forgot, whether a layout
lets a reader unsubscribe.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from markupsafe import Markup

from nurture.authoring.findings import Finding, located, steps_with_places
from nurture.authoring.jinja import Called, Named, read_text
from nurture.authoring.library import Library
from nurture.authoring.parts import Part, parts_of
from nurture.authoring.slow import slow_layout, slow_mails
from nurture.authoring.trial import Trial
from nurture.authoring.wording import image_problems, link_problems
from nurture.config import Config
from nurture.core.model import Campaign, Condition, MessageClass
from nurture.errors import Problem, Problems, shown
from nurture.positions import Place, Positions, did_you_mean, read_yaml
from nurture.rendering.context import TEMPLATE_ONLY, VOCABULARY
from nurture.rendering.errors import RenderError
from nurture.rendering.layout import Layouts
from nurture.rendering.templates import LAYOUTS, Template

#: What a layout may name, and the fields of each.
LAYOUT_WORDS: Mapping[str, frozenset[str]] = {
    "body": frozenset(),
    "fixed": frozenset({"subject", "preheader", "why", "unsubscribe_url", "preferences_url"}),
    "company": frozenset({"name", "address", "site"}),
    "colours": frozenset({"accent", "on_accent", "button", "link", "night_link"}),
    "fonts": frozenset({"body", "heading"}),
    "words": frozenset({"unsubscribe", "preferences"}),
    "logo": frozenset(),
    "nurture": frozenset(),
    "lang": frozenset(),
    "direction": frozenset(),
    "range": frozenset(),
}
_MARK = "https://unsubscribe.invalid/"
#: What only people of one language are asked about.
_OF_LANGUAGE = frozenset({"candidate.formality", "candidate.pronouns", "candidate.locale"})
#: Which of them people are greeted by is the language's: "Hello Ana", "Guten Tag Ana Silva".
_NAMES = frozenset({"candidate.first_name", "candidate.last_name", "candidate.full_name"})


class Whole:
    """One look at everything that is in force, for what only shows in its connections."""

    def __init__(self, config: Config, library: Library) -> None:
        self.config = config
        self.library = library
        unfit = library.unfit_campaigns
        self.campaigns = {**library.campaigns, **{name: one for name, (one, _) in unfit.items()}}
        self.sources = {**library.sources, **{name: text for name, (_, text) in unfit.items()}}
        self.templates = library.templates
        self.layouts = library.layouts
        self.unsubscribes = {name: self._unsubscribes(name) for name in self.layouts}

    def problems(self) -> list[Problem]:
        found = [*self._layouts(), *self._unsent()]
        every = {**self.library.unfit, **self.templates}
        trial = Trial(every, self.layouts, self.config)
        for key, template in every.items():
            tried = list(trial.problems(template))
            if key in self.library.unfit:  # why it cannot be written is told already
                tried = [problem for problem in tried if problem.code != "cannot-render"]
            found += tried
            found += slow_mails(template, trial.renderer, trial.words)
            found += self._called(template)
            found += self._translation(template)
            found += self._unsubscribe(template)
        for campaign in self.campaigns.values():
            findings = [*self._asked(campaign), *self._promotion(campaign)]
            found += located(campaign.file, self.sources[campaign.name], findings)
        return found

    def _unsent(self) -> Iterator[Problem]:
        """Templates that no campaign sends, nor a campaign file that cannot be read yet."""
        unread = [
            path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(self.config.campaigns_dir.glob("*.yaml"))
            if path.is_file() and path.stem not in self.campaigns
        ]
        if not self.campaigns and not unread:
            return
        steps = (step for one in self.campaigns.values() for step in one.every_step())
        sent = {step.send for step in steps}
        own = [template for template in self.templates.values() if template.locale is None]
        unsent = [
            template
            for template in own
            if template.name not in sent and not any(template.name in text for text in unread)
        ]
        if 2 * len(unsent) > len(own):  # a stock to choose from, not one that was forgotten
            return
        for template in unsent:
            yield Problem(
                file=template.file,
                code="unsent-template",
                message="no campaign sends this template",
                hint=f"write send: {template.name} in a step, or remove the file",
                severity="warning",
            )

    # --- what is asked by name

    @cached_property
    def _known(self) -> Mapping[str, Collection[str]]:
        """What can be asked about, by the function that asks."""
        steps = (step.id for one in self.campaigns.values() for step in one.every_step())
        topics = (template.topic for template in self.templates.values())
        return {
            "sent": {*steps, *(template.name for template in self.templates.values())},
            "consents": {"all", *topics},
        }

    def _unknown(self, call: Called) -> tuple[str, str] | None:
        known = self._known.get(call.name)
        if known is None or call.first is None or call.first in known:
            return None
        what = "template or step" if call.name == "sent" else "topic"
        message = f'there is no {what} "{call.first}", so this is always the same'
        return message, did_you_mean(call.first, known)

    def _called(self, template: Template) -> Iterator[Problem]:
        for part in parts_of(template):
            for call in read_text(part.source).called:
                if (wrong := self._unknown(call)) is not None:
                    at, code = call.first_offset, _code(call)
                    yield part.problem(at, code, wrong[0], wrong[1], "warning")

    def _asked(self, campaign: Campaign) -> Iterator[Finding]:
        for condition, at in _conditions(campaign):
            source = str(getattr(condition, "source", ""))
            for call in read_text(f"{{{{{source}}}}}").called:
                if (wrong := self._unknown(call)) is not None:
                    yield Finding(
                        at=at,
                        code=_code(call),
                        message=wrong[0],
                        hint=wrong[1],
                        offset=call.first_offset - 2,
                    )

    # --- translations

    def _translation(self, template: Template) -> Iterator[Problem]:
        default = self.templates.get(template.name)
        if template.locale is None or default is None:
            return
        own, other = _printed(template), _printed(default)
        asked = {one.name for part in parts_of(template) for one in _named(part)}
        if _NAMES & own.keys():
            asked |= _NAMES
        body = parts_of(template)[-1]
        for name in sorted(other.keys() - own.keys() - asked):
            part = next(
                (part for part in parts_of(template) if part.name == other[name][0].name), body
            )
            if part.name == "facts":
                part = body
            message = f"{default.file} says {name}, and this translation does not"
            yield part.problem(0, "translation-lacks", message, "say it here too", "warning")
        elsewhere = {one.name for part in parts_of(default) for one in _named(part)}
        for name in sorted(own.keys() - other.keys() - elsewhere - _OF_LANGUAGE - _NAMES):
            part, one = own[name]
            message = f"this translation says {name}, and {default.file} does not"
            hint = "say it there too, or in neither"
            yield part.problem(one.offset, "translation-adds", message, hint, "warning")

    # --- layouts and unsubscribing

    def _layouts(self) -> Iterator[Problem]:
        for name, source in sorted(self.layouts.items()):
            path = self.config.templates_dir / LAYOUTS / f"{name}.html"
            yield from layout_problems(path, source)
            for line, message in slow_layout(source):
                file = shown(path)
                yield Problem(
                    file=file, line=line, code="slow-mail", message=message, severity="warning"
                )

    def _unsubscribes(self, layout: str) -> bool:
        fixed = dict.fromkeys(LAYOUT_WORDS["fixed"], "") | {"unsubscribe_url": _MARK}
        try:
            page = Layouts(self.config, self.layouts).page(
                layout,
                body=Markup(""),
                fixed=fixed,
                nurture=True,
                locale=self.config.locale,
            )
        except RenderError:  # why is told where the layout itself is looked at
            return "unsubscribe_url" in self.layouts[layout]
        return _MARK in page

    def _can_leave(self, template: Template) -> bool:
        """Whether a reader of this template is given a way to unsubscribe."""
        if self.unsubscribes.get(template.layout, True):
            return True
        named = read_text(template.body).named
        return any(one.name == "links.unsubscribe_url" and one.printed for one in named)

    def _unsubscribe(self, template: Template) -> Iterator[Problem]:
        category = self.config.categories.get(template.category)
        if category is None or category.klass is not MessageClass.NURTURE:
            return
        if not self._can_leave(template):
            message, hint = _no_way_out(template)
            body = parts_of(template)[-1]
            yield body.problem(0, "no-unsubscribe", message, hint)

    def _promotion(self, campaign: Campaign) -> Iterator[Finding]:
        """Steps that make a nurture mail of a template which was none."""
        for step, place in steps_with_places(campaign.steps):
            template = self.templates.get(step.send or "")
            category = self.config.categories.get(step.category or "")
            if template is None or category is None or step.category == template.category:
                continue
            if category.klass is MessageClass.NURTURE and not self._can_leave(template):
                message, hint = _no_way_out(template)
                yield Finding(
                    at=(*place, "category"),
                    code="no-unsubscribe",
                    message=message,
                    hint=hint,
                    severity="error",
                )


def layout_problems(path: Path, source: str) -> Iterator[Problem]:
    """What is wrong with one layout, whatever is written into it."""

    def where(offset: int) -> tuple[int, int]:
        start = source.rfind("\n", 0, offset) + 1
        return source.count("\n", 0, offset) + 1, offset - start + 1

    part = Part("layout", source, shown(path), where)
    text = read_text(source)
    for wrong in text.complaints:
        yield part.problem(wrong.offset, wrong.code, wrong.message, wrong.hint)
    for one in text.named:
        yield from _unknown_in_layout(part, one)
    if text.complaints:
        return
    names = {one.thing for one in text.named} | {one.name for one in text.named}
    if "body" not in names:
        message = "the letter itself is nowhere in this layout"
        yield part.problem(0, "layout-body", message, "put {{ body }} where it belongs")
    if "company.address" not in names:
        message = "the company's postal address is nowhere in this layout"
        hint = "put {{ company.address }} into its footer: the law asks for it in many countries"
        yield part.problem(0, "layout-address", message, hint, "warning")
    yield from link_problems(part)
    yield from image_problems(part)


def stage_problems(config: Config) -> Iterator[Problem]:
    """Stages under `silence:` that no application is ever in."""
    known = VOCABULARY["application"]["stage"].removeprefix("enum:").split(",")
    unknown = [stage for stage in config.silence if stage not in known]
    if not unknown:
        return
    path = config.root / "config.yaml"
    try:
        positions = read_yaml(path.read_text(encoding="utf-8"), shown(path))[1]
    except (OSError, UnicodeDecodeError, Problems):
        positions = Positions("")
    for stage in unknown:
        line, column = positions.key(("silence", stage))
        yield Problem(
            file=shown(path),
            line=line,
            column=column,
            code="unknown-value",
            message=f'"{stage}" is no stage of an application',
            hint=did_you_mean(stage, known) or f"known: {', '.join(known)}",
        )


def _unknown_in_layout(part: Part, one: Named) -> Iterator[Problem]:
    if one.of:
        return
    fields = LAYOUT_WORDS.get(one.thing)
    if fields is None:
        hint = did_you_mean(one.thing, LAYOUT_WORDS) or f"known: {', '.join(LAYOUT_WORDS)}"
        hint = "a layout says the letter with {{ body }}" if one.thing == "content" else hint
        message = f'there is no "{one.thing}" in a layout'
        yield part.problem(one.offset, "unknown-name", message, hint)
    elif one.attrs and one.attrs[0] not in fields:
        hint = did_you_mean(one.attrs[0], fields) or f"known: {', '.join(sorted(fields))}"
        message = f'{one.thing} has no field "{one.attrs[0]}" in a layout'
        yield part.problem(one.offset, "unknown-name", message, hint)


def _no_way_out(template: Template) -> tuple[str, str]:
    message = f'layout "{template.layout}" shows no unsubscribe link, and a nurture mail needs one'
    hint = "put {{ fixed.unsubscribe_url }} into its footer, or use another layout"
    return message, hint


def _conditions(campaign: Campaign) -> Iterator[tuple[Condition, Place]]:
    if campaign.enter.condition is not None:
        yield campaign.enter.condition, ("enter", "if")
    for index, leave in enumerate(campaign.leave):
        if leave.condition is not None:
            yield leave.condition, ("leave", index, "if")
    for step, place in steps_with_places(campaign.steps):
        condition = step.branch.condition if step.branch is not None else step.condition
        if condition is not None:
            yield condition, (*place, "if")


def _named(part: Part) -> Iterator[Named]:
    """The objects' fields; a misspelt object is told by itself."""
    things = {**VOCABULARY, **TEMPLATE_ONLY}
    named = read_text(part.source).named
    return (one for one in named if not one.of and one.attrs and one.thing in things)


def _printed(template: Template) -> dict[str, tuple[Part, Named]]:
    """Every field that the template shows to a reader, and where first."""
    found: dict[str, tuple[Part, Named]] = {}
    for part in parts_of(template):
        for one in _named(part):
            if one.printed:
                found.setdefault(one.name, (part, one))
    return found


def _code(call: Called) -> str:
    return "unknown-sent" if call.name == "sent" else "unknown-topic"
