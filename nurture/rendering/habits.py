"""What did they mean who wrote this condition in another language's way?

Spreadsheets, SQL, JavaScript and plain English have their own words for what a condition says. A
condition that cannot be read is looked through for them, so that its writer hears what to type and
not which token a parser had expected.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Habit:
    """A way of writing that is not this language's, and where it stands."""

    offset: int
    message: str
    hint: str


_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.DOTALL)
_TESTS = "(?:un)?defined|none|string|number|mapping|iterable|sequence|odd|even|true|false"
_OPENING = {")": "(", "]": "[", "}": "{"}

Say = Callable[[re.Match[str]], tuple[str, str]]


def _not_expected(hint: str) -> Say:
    return lambda found: (f'"{found["it"]}" is not expected here', hint)


def _small(found: re.Match[str]) -> tuple[str, str]:
    return f'"{found["it"]}" is not expected here', f"write {found['it'].lower()}"


def _without_braces(_: re.Match[str]) -> tuple[str, str]:
    return "a condition stands without {{ }}", "remove the braces: interview.kind == ..."


def _is(found: re.Match[str]) -> tuple[str, str]:
    sign = "!=" if " not" in " ".join(found["it"].split()) else "=="
    return f'"{" ".join(found["it"].split())}" does not compare', f"to compare, write {sign}"


def _unit(found: re.Match[str]) -> tuple[str, str]:
    message = f'"{found["it"]}" is not expected here: a number has no unit'
    return message, "days_since(...) counts days, hours_since(...) hours"


def _ends(found: re.Match[str]) -> tuple[str, str]:
    return f'nothing follows "{found["it"]}"', "a # begins a comment, unless it stands in quotes"


#: In this order, because the first often contains a later one.
_HABITS: tuple[tuple[str, Say], ...] = (
    (r"(?P<it>\{\{|\}\}|\{%|%\})", _without_braces),
    (
        r"^\s*(?P<it>if|If|IF)\b",
        _not_expected("the key says `if` already: begin with what it asks"),
    ),
    (r"(?P<it>[“”„‘’«»])", _not_expected('write straight quotes: "..."')),
    (r"(?P<it>!==|<>|=!)", _not_expected("to compare, write !=")),
    (r"(?P<it>===)", _not_expected("to compare, write ==")),
    (r"(?P<it>=>)", _not_expected("to compare, write >=")),
    (r"(?P<it>=<)", _not_expected("to compare, write <=")),
    (r"(?<![=!<>])(?P<it>=)(?!=)", _not_expected("to compare, write ==")),
    (r"(?P<it>&&?|\|\||(?<!\|)!(?!=))", _not_expected("write and, or, not")),
    (r"(?<![\w.])(?P<it>AND|OR|NOT|IN|And|Or|Not|In)(?![\w.(])", _small),
    (
        r"(?<![\w.])(?P<it>contains|includes|startswith|endswith|starts|ends|has|like|matches|LIKE|CONTAINS)(?![\w.])",
        _not_expected('to look into a text or list, write "..." in job.title'),
    ),
    (
        r"(?<![\w.])(?P<it>before|after|between|equals?|than|greater|less)(?![\w.])",
        _not_expected("compare with ==, !=, <, <=, > or >="),
    ),
    (rf"(?<![\w.])(?P<it>is(?: +not)?)(?= +(?!(?:not +)?(?:{_TESTS})\b)\S)", _is),
    (r"(?<=\d)\s*(?P<it>(?:minute|hour|day|week|month|year)s?|h|d|%)(?!\w)", _unit),
    (r"(?P<it>==|!=|<=|>=|<|>|\band|\bor|\bnot|\bin)\s*$", _ends),
)


def habit(source: str) -> Habit | None:
    """The first such thing in a condition that cannot be read."""
    quiet = _STRING.sub(lambda text: f'"{"." * (len(text[0]) - 2)}"', source)
    for pattern, say in _HABITS:
        found = re.search(pattern, quiet)
        if found is not None:
            return Habit(found.start("it"), *say(found))
    return _open_quote(quiet) or _bracket(quiet)


def _open_quote(quiet: str) -> Habit | None:
    rest = _STRING.sub(lambda text: " " * len(text[0]), quiet)
    found = re.search("[\"']", rest)
    if found is None:
        return None
    return Habit(
        found.start(), "the quote that begins here is not closed", f"end it with {found[0]}"
    )


def _bracket(quiet: str) -> Habit | None:
    """A bracket that is not closed, or closes nothing."""
    opened: list[int] = []
    for found in re.finditer(r"[()\[\]{}]", quiet):
        if found[0] in "([{":
            opened.append(found.start())
        elif opened and quiet[opened[-1]] == _OPENING[found[0]]:
            opened.pop()
        else:
            return Habit(
                found.start(), f"there is nothing that this {found[0]} closes", "remove it"
            )
    if not opened:
        return None
    bracket = quiet[opened[-1]]
    close = next(end for end, begin in _OPENING.items() if begin == bracket)
    return Habit(
        opened[-1], f"the {bracket} that begins here is not closed", f"end it with {close}"
    )
