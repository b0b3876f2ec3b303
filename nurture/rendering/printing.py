"""What can a template print and call? Values become tokens; times follow reader and zone."""

from datetime import date, datetime
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from nurture.rendering import times
from nurture.rendering.captured import LetterEnvironment
from nurture.rendering.content import content
from nurture.rendering.errors import RenderError
from nurture.rendering.letter_parts import functions
from nurture.rendering.markdown import BUTTON_CLOSES, BUTTON_OPENS
from nurture.rendering.repeated import LetterContext
from nurture.rendering.slots import Slots


def letter_environment(*, repeats: bool) -> LetterEnvironment:
    environment = LetterEnvironment(_printed, _said, repeats=repeats)
    environment.filters.update(when=_when, day=_day, clock=_clock, join=_join(environment))
    environment.globals.update(button=_button, ask=_ask, content=content, **functions())
    return environment


@pass_context
def _printed(context: Context, value: Any) -> str:
    """The token of a printed value; markup made by a macro stays as it is."""
    if isinstance(value, Markup):
        return value
    slots: Slots = context.parent["_slots"]
    return slots.put(value if type(value) is str else _shown(context, value))


def _said(context: LetterContext, number: int, value: Any) -> None:
    """The value of an expression that has a token already: see repeated.py."""
    slots: Slots = context.parent["_slots"]
    slots.say(number, value if type(value) is str else _shown(context, value))
    context.said |= 1 << number


def _shown(context: Context, value: Any) -> str:
    match value:
        case Undefined() | str():
            return str(value)  # an undefined one raises here, by its name
        case bool() | None:
            raise RenderError("a yes-or-no or empty value is printed; use {% if %}")
        case datetime():
            return _when(context, value)
        case date():
            return _day(context, value)
        case int():
            return str(value)
        case float():
            return f"{value:.6f}".rstrip("0").rstrip(".")
        case list() | tuple():
            return ", ".join(_shown(context, each) for each in value)
    raise RenderError("this is not a value that can be printed; name one of its fields")


def _join(environment: LetterEnvironment) -> Any:
    original = environment.filters["join"]

    @pass_context
    def join(context: Context, value: Any, d: str = "", attribute: Any = None) -> Any:
        """Beside rendered text, a value is printed as a value, as by `~`."""
        items = list(value)
        if attribute is None and any(isinstance(each, Markup) for each in items):
            items = [Markup(_printed(context, each)) for each in items]  # noqa: S704 - tokens
        return original(context, items, d, attribute)

    return join


@pass_context
def _when(context: Context, value: Any) -> str:
    if not isinstance(value, datetime):
        return _day(context, value)
    return times.when(value, context.parent["_zone"], context.parent["_locale"])


@pass_context
def _day(context: Context, value: Any) -> str:
    _require_time(value, date)
    return times.day(value, context.parent["_zone"], context.parent["_locale"])


@pass_context
def _clock(context: Context, value: Any) -> str:
    _require_time(value, datetime)
    return times.clock(value, context.parent["_zone"], context.parent["_locale"])


def _require_time(value: Any, kind: type) -> None:
    if isinstance(value, Undefined):
        str(value)  # raises with the name that is missing
    if not isinstance(value, kind):
        raise RenderError("| when, | day and | clock show times only")


@pass_context
def _button(context: Context, text: Any, url: Any) -> Markup:
    """`{{ button("Choose a time", interview.reschedule_url) }}`: the one thing to do."""
    label, link = _printed(context, text), _printed(context, url)
    if context.parent["_markdown"]:
        return Markup(f'[{label}]({link} "button")')  # noqa: S704 - tokens
    return Markup(f'<a class="button" href="{link}">{label}</a>')  # noqa: S704 - tokens


@pass_context
def _ask(context: Context, question: Any) -> Markup:
    """`{{ ask("coming") }}`: the question, and a button for each option."""
    asked = context.parent.get("_asked", {}).get(question)
    if asked is None:
        raise RenderError(f'this template does not ask "{question}"')
    text, options = asked
    said = _printed(context, text)
    buttons = [_button(context, label, url) for label, url in options]
    if context.parent["_markdown"]:
        return Markup("\n\n".join([f"**{said}**", *buttons]))  # noqa: S704 - tokens
    rows = "".join(f"{BUTTON_OPENS}{button}{BUTTON_CLOSES}" for button in buttons)
    return Markup(f"<p><strong>{said}</strong></p>{rows}")  # noqa: S704 - tokens
