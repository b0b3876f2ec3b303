"""How would a person have typed this letter? The text part of a mail, from Markdown or HTML.

Both take text in which values stand as tokens, so nothing in a value is read as markup.
"""

import re
from html.parser import HTMLParser

from markdown_it.token import Token

from nurture.rendering.markdown import FACTS, GRID, MARKDOWN, ROWS
from nurture.rendering.slots import typed_url


def plain_from_markdown(source: str) -> str:
    """Headings and bold as plain words, lists kept, `[text](url)` as `text: url` when it ends its
    line and `text <url>` within one. Lines that belong together become one, and the rows of tables
    too: see markdown.py."""
    lines: list[str] = []
    _blocks(MARKDOWN.parse(source), lines)
    return tidy("\n".join(lines))


def plain_from_html(source: str) -> str:
    """The same for an HTML body; styles, scripts and comments are left out."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return tidy("".join(reader.parts))


def tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


# --- Markdown ----------------------------------------------------------------------------------


def _blocks(tokens: list[Token], lines: list[str]) -> None:  # noqa: C901, PLR0912 - a case a token
    indent: list[str] = []  # what stands before each line, from the outermost block inwards
    marker = ""  # the bullet that the next line begins with
    counters: list[int] = []
    row: _Row | None = None  # of a table
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                counters.append(0)
            case "ordered_list_open":
                counters.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                counters.pop()
                if not counters:
                    lines.append("")
            case "list_item_open":
                marker = f"{counters[-1]}. " if counters[-1] else "- "
                counters[-1] += 1 if counters[-1] else 0
                indent.append(" " * len(marker))
            case "list_item_close" | "blockquote_close":
                indent.pop()
            case "blockquote_open":
                indent.append("> ")
            case "table_open":
                row = _Row(str(token.attrs["class"]))
            case "inline" if row is not None:
                row.cell(_inline(token.children or []).replace("\n", " "), _alone(token.children))
            case "tr_close" if row is not None:
                lines.append("".join(indent) + row.end())
            case "table_close":
                row = None
                lines.append("".join(indent).rstrip())
            case "inline":
                for text in _inline(token.children or []).split("\n"):
                    lead = "".join(indent[:-1] if marker else indent)
                    lines.append(f"{lead}{marker}{text}")
                    marker = ""
            case "paragraph_close" | "heading_close":
                if not token.hidden:
                    lines.append("".join(indent).rstrip())
            case "fence" | "code_block":
                lines += ["".join(indent) + "    " + text for text in token.content.splitlines()]
                lines.append("")
            case "hr":
                lines += ["---", ""]


def _inline(tokens: list[Token]) -> str:
    written: list[str] = []
    links: list[tuple[str, int]] = []  # where each open link leads and where its text begins
    for position, token in enumerate(tokens):
        match token.type:
            case "text" | "code_inline":
                written.append(token.content)
            case "softbreak":
                written.append(" ")
            case "hardbreak":
                written.append("\n")
            case "image":
                written.append(token.content)
            case "link_open":
                links.append((str(token.attrs.get("href", "")), len(written)))
            case "link_close":
                url, start = links.pop()
                following = tokens[position + 1 :]
                ends = all(not each.content and "break" not in each.type for each in following)
                written[start:] = [_link("".join(written[start:]), url, ends)]
    return "".join(written)


def _alone(tokens: list[Token] | None) -> str:
    """Where a text leads that is a link and nothing else."""
    match tokens:
        case [Token(type="link_open") as link, Token(), Token(type="link_close")]:
            return typed_url(str(link.attrs.get("href", "")))
    return ""


class _Row:
    """A row of a table as a line: `When: ...` of facts, `10:00 – Welcome – Rui` of others."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._cells: list[str] = []

    def cell(self, text: str, url: str) -> None:
        """`url`: where it leads, if the cell is one link."""
        text = " ".join(text.split())
        if text:
            self._cells.append(url if url and self.kind == FACTS else text)

    def end(self) -> str:
        first, *others = self._cells or [""]
        self._cells = []
        if self.kind == FACTS:
            return " ".join((f"{first.rstrip(':')}:", *others) if others else (first,))
        return " – ".join((first, *others))


def _link(text: str, url: str, ends_line: bool) -> str:
    text, url = text.strip(), typed_url(url)
    if not text or text in (url, url.removeprefix("mailto:"), url.removeprefix("tel:")):
        return text or url
    if ends_line:
        return f"{text.rstrip(':')}: {url}"
    return f"{text} <{url}>"


# --- HTML --------------------------------------------------------------------------------------

_PARAGRAPH_TAGS = (
    "address article blockquote div dl fieldset figure footer h1 h2 h3 h4 h5 h6 header hr main ol "
    "p pre section table ul"
)
_PARAGRAPHS = frozenset(_PARAGRAPH_TAGS.split())
_LINES = frozenset({"br", "dd", "dt", "li", "tr"})
_SILENT = frozenset({"head", "script", "style", "template", "title"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0
        self._rows: list[_Row] = []  # of the tables we are in that have a kind
        self._cell: int | None = None  # where the cell of such a table begins that we are in
        self._last = "", ""  # link, as it is written, and where it leads
        self._links: list[tuple[str, int]] = []
        self._counters: list[int] = []  # of the lists we are in: the next number, 0 for bullets

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _SILENT:
            self._silent += 1
        elif tag in _PARAGRAPHS:
            self._break(2)
            kinds = {FACTS, ROWS, GRID} & set((given.get("class") or "").split())
            if tag == "table" and kinds:
                self._rows.append(_Row(kinds.pop()))
            elif tag in ("ol", "ul"):
                self._counters.append(int(tag == "ol"))
        elif tag in _LINES:
            self._break(1)
            if tag == "li":
                self.parts.append(self._mark())
        elif tag in ("td", "th"):
            if self._rows:
                self._cell = len(self.parts)
            elif self.parts and not self.parts[-1].endswith("\n"):
                self.parts.append(" ")
        elif tag == "img":
            self.parts.append(given.get("alt") or "")
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self.parts)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in ("td", "th") and self._rows and self._cell is not None:
            text = "".join(self.parts[self._cell :]).strip()
            del self.parts[self._cell :]
            written, url = self._last
            self._rows[-1].cell(text, url if text == written else "")
            self._cell = None
        elif tag == "tr" and self._rows:
            self.parts.append(self._rows[-1].end())
        elif tag in _PARAGRAPHS:
            self._break(2)
            if tag == "table" and self._rows:
                self._rows.pop()
            elif tag in ("ol", "ul") and self._counters:
                self._counters.pop()
        elif tag == "a" and self._links:
            url, start = self._links.pop()
            text = "".join(self.parts[start:])
            written = _link(text, url, ends_line=False) if url else text
            self.parts[start:] = [written]
            self._last = written.strip(), typed_url(url)

    def handle_data(self, data: str) -> None:
        if self._silent or (self._rows and self._cell is None):
            return
        text = re.sub(r"\s+", " ", data)
        if not self.parts or self.parts[-1].endswith(("\n", " ")):
            text = text.lstrip()
        if text:
            self.parts.append(text)

    def _mark(self) -> str:
        if not self._counters or not self._counters[-1]:
            return "- "
        self._counters[-1] += 1
        return f"{self._counters[-1] - 1}. "

    def _break(self, lines: int) -> None:
        if self._silent or not "".join(self.parts).strip():
            return
        written = "".join(self.parts).rstrip(" ")
        have = len(written) - len(written.rstrip("\n"))
        if lines > have:
            self.parts.append("\n" * (lines - have))
