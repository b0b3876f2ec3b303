"""How wide is the text part? Narrow enough for a terminal, and for an answer that quotes it."""

import re

WIDTH = 72
_LEAD = re.compile(r"(?:> )*(?:\s*(?:- |\d+\. ))?\s*")
_ADDRESS = ("http://", "https://", "<http://", "<https://")
_BULLET = re.compile(r"- |\d+\. ")


def folded(text: str) -> str:
    """The same with lines of at most WIDTH characters, broken between words. The address of a page
    stays whole, and behind its label where that is one line. Lists and quotations go on below their
    first word."""
    return "\n".join(line if len(line) <= WIDTH else _folded(line) for line in text.split("\n"))


def _folded(line: str) -> str:
    lead = _LEAD.match(line)
    begin = lead[0] if lead is not None else ""
    follows = _BULLET.sub(lambda found: " " * len(found[0]), begin)
    lines: list[str] = []
    rest, before = line[len(begin) :], begin
    while len(before) + len(rest) > WIDTH:
        cut = rest.rfind(" ", 0, WIDTH - len(before) + 1)
        labelled = not lines and rest.startswith(_ADDRESS, cut + 1)
        if cut <= 0 or (labelled and " " not in rest[cut + 1 :]):
            cut = rest.find(" ", cut + 1)
        if cut <= 0:
            break
        lines.append(before + rest[:cut].rstrip(" "))
        rest, before = rest[cut:].lstrip(" "), follows
    return "\n".join([*lines, before + rest])
