"""Why can this template not be read, where, and what would its writer type instead?

Jinja names the token that it expected, and a line. Here that becomes the tag, and a remedy.
"""

import re
from dataclasses import dataclass

from jinja2 import TemplateError

from nurture.rendering.habits import habit

_OPENS = re.compile(r"\{\{|\{%|\{#")
_CLOSES = {"{{": "}}", "{%": "%}", "{#": "#}"}
_TAG = re.compile(r"\{%[-+]?\s*(\w+)\b(.*?)%\}", re.DOTALL)
_CODE = re.compile(r"(?P<open>\{\{|\{%)[-+]?(?P<said>.*?)(?:\}\}|%\})", re.DOTALL)
_PAIRED = frozenset({"if", "for", "macro", "call", "filter", "with", "block"})


@dataclass(frozen=True)
class Unreadable:
    offset: int  #: the character of the source at which it is
    message: str
    hint: str = ""


def unreadable(source: str, error: TemplateError) -> Unreadable:
    """What to say instead of Jinja's complaint about `source`."""
    said = error.message or "this cannot be read"
    line = getattr(error, "lineno", None) or 1
    start = _line_start(source, line)
    return (
        _not_closed(source)
        or _unknown_tag(source, start, said)
        or _block(source, said)
        or _habit(source, start)
        or _word(source, start, said)
        or Unreadable(_tag_on(source, start), said)
    )


def _not_closed(source: str) -> Unreadable | None:
    """A tag that another one, a single bracket or the end of its line ends."""
    at = 0
    while (opened := _OPENS.search(source, at)) is not None:
        close = _CLOSES[opened[0]]
        end = source.find(close, opened.end())
        again = _OPENS.search(source, opened.end())
        between = opened[0] != "{#" and again is not None and again.start() < end
        if end < 0 or between:
            message = f"the {opened[0]} that begins here is not closed"
            return Unreadable(opened.start(), message, f"end it with {close}")
        at = end + 2
    return None


_TYPED = {
    **dict.fromkeys(("elseif", "elsif", "elif"), "write {% elif ... %}, between if and endif"),
    "end": "write it as one word: {% endif %}, {% endfor %}",
    "else": "write it between {% if ... %} and {% endif %}",
    "fi": "write {% endif %}",
    **dict.fromkeys(("unless", "ifnot"), "write {% if not ... %}"),
    **dict.fromkeys(("foreach", "each"), "write {% for person in interview.interviewers %}"),
    **dict.fromkeys(("assign", "var", "let"), "write {% set name = ... %}"),
}


def _unknown_tag(source: str, start: int, said: str) -> Unreadable | None:
    found = re.search(r"unknown tag '(\w+)'", said)
    if found is None:
        return None
    name = found[1]
    tag = re.compile(rf"\{{%[-+]?\s*{name}\b").search(source, start)
    offset = tag.start() if tag else _tag_on(source, start)
    if name.startswith("end") and name != "end":
        begun = f"{{% {name.removeprefix('end')} ... %}}"
        message = f"there is no {begun} that this {{% {name} %}} could end"
        innermost = re.search(r"closed is '(\w+)'", said)
        hint = f"write {{% end{innermost[1]} %}}" if innermost else "remove it"
        return Unreadable(offset, message, hint)
    message = f"{{% {name} %}} is not expected here"
    if name not in (*_TYPED, "else"):
        message = f'there is no tag "{name}"'
    hint = _TYPED.get(name, "a value is printed with {{ ... }}")
    return Unreadable(offset, message, hint)


def _block(source: str, said: str) -> Unreadable | None:
    """The tag that is still open at the end."""
    if "nexpected end of template" not in said:
        return None
    opened: list[re.Match[str]] = []
    for tag in _TAG.finditer(source):
        if tag[1] in _PAIRED:
            opened.append(tag)
        elif tag[1].startswith("end") and opened:
            opened.pop()
    if not opened:
        return None
    name = opened[-1][1]
    message = f"this {{% {name} %}} is never ended"
    return Unreadable(opened[-1].start(), message, f"write {{% end{name} %}} where it ends")


def _habit(source: str, start: int) -> Unreadable | None:
    """What other languages write, in the tags from that line on."""
    end = source.find("\n", start)
    for code in _CODE.finditer(source, start):
        said = code["said"]
        if 0 <= end < code.start():
            break
        if re.match(r"\s*(?:set|for|macro|call)\b", said):
            continue
        asked = re.match(r"\s*(?:if|elif)\b", said)
        skipped = asked.end() if asked else 0
        found = habit(said[skipped:])
        if found is not None:
            offset = code.start("said") + skipped + found.offset
            return Unreadable(offset, found.message, found.hint)
    return None


def _word(source: str, start: int, said: str) -> Unreadable | None:
    """The word at which Jinja gave up."""
    got = re.search(r"got '([^']+)'", said)
    if got is None:
        return None
    for code in _CODE.finditer(source, start):
        found = re.compile(rf"(?<![\w.]){re.escape(got[1])}(?!\w)").search(
            source, code.start("said"), code.end("said")
        )
        if found is not None:
            before = re.search(r"([a-z_]+)\s+$", source[code.start("said") : found.start()])
            hint = ""
            if before is not None and re.fullmatch(r"\w+", got[1]):
                hint = f"write {before[1]}.{got[1]}, if that is its field"
            if got[1] == "then":
                hint = "remove it: %} ends what is asked"
            return Unreadable(found.start(), f'"{got[1]}" is not expected here', hint)
    return None


def _tag_on(source: str, start: int) -> int:
    end = source.find("\n", start)
    tag = re.compile(r"\{[{%#]").search(source, start, len(source) if end < 0 else end)
    return tag.start() if tag else start


def _line_start(source: str, line: int) -> int:
    at = 0
    for _ in range(line - 1):
        at = source.find("\n", at) + 1 or at
    return at
