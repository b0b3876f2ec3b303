"""How would a person have typed this letter? The text part of a mail, from Markdown or HTML.

Both take text in which values stand as tokens, so nothing in a value is read as markup.
"""

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

from nurture.rendering.slots import typed_url

_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def plain_from_markdown(source: str) -> str:
    """Headings and bold as plain words, lists kept, `[text](url)` as `text: url` when it ends its
    line and `text <url>` within one. Lines that belong together become one."""
    lines: list[str] = []
    _blocks(_MARKDOWN.parse(source), lines)
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
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _SILENT:
            self._silent += 1
        elif tag in _PARAGRAPHS:
            self._break(2)
        elif tag in _LINES:
            self._break(1)
            self.parts.append("- " if tag == "li" else "")
        elif tag in ("td", "th"):
            self.parts.append(" ")
        elif tag == "img":
            self.parts.append(given.get("alt") or "")
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self.parts)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _PARAGRAPHS:
            self._break(2)
        elif tag == "a" and self._links:
            url, start = self._links.pop()
            text = "".join(self.parts[start:])
            self.parts[start:] = [_link(text, url, ends_line=False) if url else text]

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        text = re.sub(r"\s+", " ", data)
        if not self.parts or self.parts[-1].endswith(("\n", " ")):
            text = text.lstrip()
        self.parts.append(text)

    def _break(self, lines: int) -> None:
        if self._silent or not "".join(self.parts).strip():
            return
        written = "".join(self.parts).rstrip(" ")
        have = len(written) - len(written.rstrip("\n"))
        self.parts.append("\n" * max(0, lines - have))
