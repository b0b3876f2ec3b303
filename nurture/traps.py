"""What did they mean who wrote this? The traps of YAML, told with what to type instead.

YAML's own complaints speak of tokens and block ends, often at the line after the mistake. Here they
become a place, a code and a remedy. Indexes count characters of the text from 0.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import Node

#: Keys whose values are text for people: what they say is theirs, as long as all of it arrives.
PROSE = frozenset(
    {"name", "about", "owner", "text", "subject", "preheader", "title", "what", "label", "address"}
)


@dataclass(frozen=True)
class Slip:
    """One mistake in a text: where it is, and what to type instead."""

    index: int
    code: str
    message: str
    hint: str = ""


_ODD = "\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff"
_ODD_SPACE = re.compile(
    rf"^ *(?:- *)*(?:[\w.-]+(?=[{_ODD}]+:)|[\w.-]+: *)?(?P<odd>[{_ODD}]+)", re.MULTILINE
)
_IN_BRACES_ODD = re.compile(rf"(?<=:)(?P<odd>[{_ODD}]+)")
_ENTRY = re.compile(r"(?P<indent> *)(?P<dashes>(?:- +)*)(?P<key>[\w.-]+):(?: +(?P<value>.*))?$")
_BRACES = re.compile(r"(?:^ *(?:- +)*|: +|[,{\[] *)(?P<at>\{\{)")
_STEP_WORDS = frozenset(
    [
        "send",
        "task",
        "at",
        "after",
        "if",
        "until",
        "id",
        "wait_for",
        "up_to",
        "then",
        "else",
        "category",
    ]
)
_WRAPPED = re.compile(r"^[“”„‟«»‘’‚‹›].*[“”„‟«»‘’‚‹›]$", re.DOTALL)
_COMMENT = re.compile(
    rf"^ *(?:- +)*(?:{'|'.join(sorted(PROSE))}): +(?![\"'|>&*!\[{{#])(?P<value>\S.*?)"
    r"(?P<gap> +)#(?P<rest>.*)$",
    re.MULTILINE,
)


def explained(error: MarkedYAMLError, text: str) -> list[Slip]:
    """What to say instead of YAML's complaint: one slip, or each space that is none."""
    odd = odd_spaces(text)
    if odd:
        return odd
    problem = error.problem or error.context or "it cannot be read"
    mark, context = error.problem_mark or error.context_mark, error.context_mark
    index = min(mark.index if mark is not None else 0, len(text))
    opened = min(context.index, len(text)) if context is not None else index
    for attempt in (_tab, _braces, _colon, _missing_colon, _quote, _bracket, _character, _indent):
        slip = attempt(problem, text, index, opened)
        if slip is not None:
            return [slip]
    parts = (part for part in (error.context, error.problem) if part)
    said = " ".join(", ".join(parts).split()) or problem
    hint = ""
    if "but found another document" in said:
        hint = "one file holds one document: remove the second ---"
    return [Slip(index, "yaml", f"not YAML: {said}", hint)]


def odd_spaces(text: str) -> list[Slip]:
    """Spaces that are none to YAML where it needs one: before a key, after its colon or a dash."""
    return [
        Slip(found.start("odd"), "odd-space", "this is not an ordinary space", "type a space here")
        for found in _ODD_SPACE.finditer(text)
    ]


def valueless(key: str, index: int, before: str, value: object) -> Slip:
    """A key between braces that has no value: nearly always text that a comma cut in two.

    `before` and `value` are the key before it and what that one has.
    """
    odd = _IN_BRACES_ODD.search(key)
    if odd is not None:
        message, hint = "this is not an ordinary space", "type a space here"
        return Slip(index + odd.start("odd"), "odd-space", message, hint)
    if not before or not isinstance(value, str | int | float):
        message = f'"{key}" has no value'
        name, colon, rest = key.partition(":")
        hint = f"put a space after the colon: {name}: {rest}" if colon else f"write {key}: ..."
        return Slip(index, "missing-key" if not colon else "yaml", message, hint)
    message = f'the comma before "{key}" ends "{before}"'
    if before in PROSE:
        return Slip(index, "comma-in-value", message, f"write {quoted_entry(before, value, key)}")
    hint = f"write {before}: {value} {key}, or put the value in quotes if the comma is meant"
    return Slip(index, "comma-in-value", message, hint)


def empty(text: str, key: Node) -> Slip:
    """A key on a line of its own without a value: often one that a # made a comment."""
    name, index = str(key.value), key.start_mark.index
    line = text[index : (text.find("\n", index) + 1 or len(text) + 1) - 1]
    cut = re.match(r"[^:]*: +(#\S.*)$", line)
    message, hint = f'"{name}" has no value', f"write {name}: ..., or remove the line"
    if cut is not None:
        message += ": a # after a space begins a comment"
        hint = f"write {name}: {quoted(cut[1].split('  ')[0].rstrip())}"
    return Slip(index, "missing-key", message, hint)


def quoted_entry(key: str, value: object, rest: str) -> str:
    return f"{key}: {quoted(f'{value}, {rest}')}"


def quoted(value: str) -> str:
    """The text in quotes, as one would type it."""
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def is_wrapped(value: str) -> bool:
    """Whether the whole text stands in typographic quotes."""
    return len(value) > 1 and _WRAPPED.match(value) is not None


def cut_texts(text: str) -> Iterator[Slip]:
    """Prose that a # may have cut short. Two spaces and `# ` are taken for a comment."""
    for found in _COMMENT.finditer(text):
        if len(found["gap"]) > 1 and found["rest"][:1] in ("", " "):
            continue
        whole = f"{found['value']}{found['gap']}#{found['rest']}".rstrip()
        message = f'the text ends at "{found["value"][-30:]}": a # after a space begins a comment'
        hint = f"if it is part of the text, write {quoted(whole)}; else put two spaces before it"
        yield Slip(found.end("gap"), "comment-in-text", message, hint)


# --- YAML's complaints, one after the other ------------------------------------------------------


def _tab(problem: str, text: str, index: int, opened: int) -> Slip | None:
    for at in (index, opened):
        start, line = _line(text, at)
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent:
            hint = "indent with spaces, not with tabs"
            return Slip(start + indent.index("\t"), "tab", "a tab cannot indent", hint)
    if "\\t" in problem or "\t" in problem:
        return Slip(index, "tab", "a tab cannot stand here", "use spaces, not tabs")
    return None


def _braces(_: str, text: str, index: int, opened: int) -> Slip | None:
    for at in (opened, index):
        slip = braces_on(text, at)
        if slip is not None:
            return slip
    return None


def braces_on(text: str, index: int) -> Slip | None:
    """A value that begins with `{{` on the line of the character at `index`."""
    start, line = _line(text, index)
    found = _BRACES.search(line)
    if found is None:
        return None
    entry = _ENTRY.match(line)
    value = entry["value"] if entry and entry.start("value") == found.start("at") else None
    write = f"{entry['key']}: {quoted(value.rstrip())}" if entry and value else '"{{ ... }}"'
    message = "to YAML, text that begins with {{ is no text"
    return Slip(start + found.start("at"), "braces", message, f"put it in quotes: {write}")


def _colon(problem: str, text: str, index: int, _: int) -> Slip | None:
    if "mapping values are not allowed" not in problem:
        return None
    start, line = _line(text, index)
    entry = _ENTRY.match(line)
    if entry is not None and entry["value"] and index > start + entry.start("value"):
        word = re.search(r"([\w.-]+) *$", line[: index - start])
        if word is not None and word[1] in _STEP_WORDS:
            hint = f'put "{word[1]}:" on a line of its own, below "{entry["key"]}:"'
        else:
            hint = f"write {entry['key']}: {quoted(entry['value'].rstrip())}"
        message = "text with a colon and a space in it needs quotes"
        return Slip(index, "colon-in-text", message, hint)
    above = _above(text, start)
    if entry is None or above is None:
        hint = "put text that contains a colon in quotes"
        return Slip(index, "colon-in-text", "a colon is not expected here", hint)
    before, said = above
    depth = len(said) - len(said.lstrip())
    glued = re.match(r"(?: *(?:- +)*)([\w.-]+):(\S.*)$", said)
    if glued is not None and not said.strip().startswith(('"', "'")):
        hint = f"write {glued[1]}: {glued[2]}"
        return Slip(before + glued.end(1), "yaml", "a space is missing after the colon", hint)
    if ":" not in said and depth == len(entry["indent"]):
        first, rest = [*said.split(maxsplit=1), ""][:2]
        hint = f"write {first}: {rest}".rstrip()
        return Slip(before + depth, "yaml", f'a colon is missing after "{first}"', hint)
    key = _ENTRY.match(said)
    name = key["key"] if key else said.split()[0]
    message = f'this line is indented deeper than "{name}", so it is read as part of its text'
    hint = f"indent it as far as the line above ({depth} spaces), or put the text in quotes"
    return Slip(start + len(entry["indent"]), "yaml", message, hint)


def _missing_colon(problem: str, text: str, index: int, opened: int) -> Slip | None:
    if "could not find expected ':'" not in problem:
        return None
    quote = _open_quote(text, index)
    if quote is not None:
        return quote
    start, line = _line(text, opened)
    said = line.strip()
    glued = re.match(r"(?:- +)*([\w.-]+):(\S.*)$", said)
    if glued is not None:
        hint = f"put a space after the colon: {glued[1]}: {glued[2]}"
        return Slip(start + line.index(":"), "yaml", "a space is missing after the colon", hint)
    hint = 'a key and its value look like "name: Interview preparation"'
    return Slip(max(opened, start), "yaml", f'a colon is missing after "{said[:30]}"', hint)


def _quote(problem: str, text: str, index: int, opened: int) -> Slip | None:
    if "unexpected end of stream" in problem or "unexpected document separator" in problem:
        return Slip(opened, "yaml", "the quote that begins here is never closed", "close it")
    if "unknown escape character" in problem:
        hint = "write \\\\ for a backslash, or use single quotes"
        return Slip(index, "yaml", "between double quotes, \\ means something else", hint)
    if "expected <block end>" in problem and "scalar" in problem:
        quote = _open_quote(text, index)
        if quote is not None:
            return quote
        message = "the text goes on after its closing quote"
        hint = 'put all of it in quotes; inside double quotes write \\" for a quote'
        return Slip(index, "yaml", message, hint)
    return None


def _open_quote(text: str, index: int) -> Slip | None:
    """The nearest value above, or on this line, whose quote is not closed on its line."""
    start, line = _line(text, index)
    for _ in range(20):
        entry = _ENTRY.match(line)
        value = (entry["value"] or "") if entry else ""
        if value[:1] == '"' and value.count('"') - value.count('\\"') == 1:
            at = start + (entry.start("value") if entry else 0)
            return Slip(at, "yaml", "the quote that begins here is not closed", 'end it with "')
        if value[:1] == "'" and value.count("'") % 2 == 1:
            at = start + (entry.start("value") if entry else 0)
            message = "the quote that begins here is not closed"
            hint = "end it with '; inside single quotes an apostrophe is written ''"
            return Slip(at, "yaml", message, hint)
        above = _above(text, start)
        if above is None:
            return None
        start, line = above
    return None


def _bracket(problem: str, text: str, index: int, opened: int) -> Slip | None:
    found = re.search(r"expected ',' or '([\]}])'", problem)
    if found is not None or "expected the node content, but found '<stream end>'" in problem:
        opened = _unclosed(text, index) if found is None else opened
        close = {"[": "]", "{": "}"}.get(text[opened : opened + 1], "")
        if close and (text.count("\n", opened, index) or index >= len(text)):
            message = f"the {text[opened]} that begins here is not closed"
            return Slip(opened, "yaml", message, f"end it with {close}")
        if text[index : index + 1] == ":":
            hint = "put text that contains a colon in quotes"
            return Slip(index, "colon-in-text", "text with a colon in it needs quotes", hint)
        if close:
            message = f"a comma or {close} is expected here"
            hint = f"text with quotes, commas or {close} in it needs quotes around all of it"
            return Slip(index, "yaml", message, hint)
    stray = text[index : index + 1]
    if "expected <block end>" in problem and stray in ("]", "}", ","):
        return Slip(index, "yaml", f"there is nothing that this {stray} could end", "remove it")
    return None


def _character(problem: str, text: str, index: int, opened: int) -> Slip | None:
    char = text[index : index + 1]
    start, line = _line(text, opened)
    entry = _ENTRY.match(line)
    value = (entry["value"] or "").rstrip() if entry else ""
    write = f"{entry['key']}: {quoted(value)}" if entry and value else "it in quotes"
    if "cannot start any token" in problem:
        message = f"text cannot begin with {char} unless it is in quotes"
        start, line = _line(text, index)
        entry = _ENTRY.match(line)
        value = (entry["value"] or "").rstrip() if entry else ""
        write = f"{entry['key']}: {quoted(value)}" if entry and value else quoted(line.strip())
        return Slip(index, "yaml", message, f"write {write}")
    if "alias" in problem or "anchor" in problem or "expected alphabetic or numeric" in problem:
        at = start + entry.start("value") if entry and entry["value"] else opened
        message = "to YAML, text that begins with * or & is a reference"
        return Slip(at, "yaml", message, f"write {write}")
    if "chomping or indentation" in problem or "expected a comment or a line break" in problem:
        message = "after | or > the text begins on the next line"
        return Slip(index, "yaml", message, f"move it there, or write {write}")
    return None


def _indent(problem: str, text: str, index: int, opened: int) -> Slip | None:
    if "expected <block end>" not in problem and "expected '-'" not in problem:
        return None
    start, line = _line(text, index)
    depth = len(line) - len(line.lstrip())
    first, other = _line(text, opened)
    wanted = opened - first
    if other.strip().startswith("-") and not line.strip().startswith("-") and depth <= wanted:
        message = "an item of this list begins with a dash"
        hint = f'write "- {line.strip()[:40]}", or indent it by {wanted + 2} spaces'
        return Slip(start + depth, "yaml", message, hint)
    message = f"this line is indented by {depth} spaces, those it belongs to by {wanted}"
    return Slip(start + depth, "yaml", message, "line up what belongs together")


def _unclosed(text: str, index: int) -> int:
    """The last bracket before `index` that was opened and not closed; `index` if none is."""
    opened = []
    for found in re.finditer(r"[\[\]{}]", text[:index]):
        if found[0] in "[{":
            opened.append(found.start())
        elif opened:
            opened.pop()
    return opened[-1] if opened else index


def _line(text: str, index: int) -> tuple[int, str]:
    """Where the line of the character at `index` begins, and what is on it."""
    start = text.rfind("\n", 0, index) + 1
    end = text.find("\n", start)
    return start, text[start : end if end >= 0 else None]


def _above(text: str, start: int) -> tuple[int, str] | None:
    """The nearest line above the one that begins at `start` that says anything."""
    while start > 0:
        start, line = _line(text, start - 1)
        if line.strip() and not line.lstrip().startswith("#"):
            return start, line
    return None
