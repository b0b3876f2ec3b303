"""How is the Markdown of a letter read? CommonMark without HTML, with buttons and tables.

A table whose head is empty is one of facts: the first column says of each row what it is. With two
columns it is told as `When: ...` in the text part, with more as `10:00 – Welcome – Rui`.
"""

from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

#: Classes of tables: facts with their names, rows that begin with what they are, any other.
FACTS, ROWS, GRID = "facts", "rows", "grid"
#: For mail programs that know no CSS of tables.
TABLE = {"width": "100%", "cellpadding": "0", "cellspacing": "0", "border": "0"}


_LAID_OUT = 'cellpadding="0" cellspacing="0" border="0"'
#: Around a button that is a paragraph of its own: Outlook colours and pads cells, and no links.
BUTTON_OPENS = (
    f'<table role="presentation" class="action" {_LAID_OUT}><tr><td class="room">'
    f'<table role="presentation" {_LAID_OUT}><tr><td class="push">'
)
BUTTON_CLOSES = "</td></tr></table></td></tr></table>\n"


class _LetterHtml(RendererHTML):
    """`[Choose a time](url "button")` is a button."""

    def paragraph_open(
        self, tokens: list[Token], index: int, options: OptionsDict, env: EnvType
    ) -> str:
        if _is_button(tokens[index + 1]):
            return BUTTON_OPENS
        return self.renderToken(tokens, index, options, env)

    def paragraph_close(
        self, tokens: list[Token], index: int, options: OptionsDict, env: EnvType
    ) -> str:
        if _is_button(tokens[index - 1]):
            return BUTTON_CLOSES
        return self.renderToken(tokens, index, options, env)

    def link_open(self, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[index]
        if token.attrs.get("title") == "button":
            token = replace(token, attrs={"href": token.attrs["href"], "class": "button"})
        return self.renderToken([token], 0, options, env)


def _is_button(inline: Token) -> bool:
    """Whether a paragraph is that and nothing else."""
    match inline.children:
        case [Token(type="link_open") as link, *between, Token(type="link_close")]:
            alone = all(not each.type.startswith("link") for each in between)
            return alone and link.attrs.get("title") == "button"
    return False


def _tables(state: StateCore) -> None:
    """Each table gets its class; one without words in its head loses the head."""
    kept: list[Token] = []
    table: Token | None = None
    head_at = cells = row = 0
    for token in state.tokens:
        kept.append(token)
        match token.type:
            case "table_open":
                table, cells = token, 0
                token.attrs = {"class": GRID, **TABLE}
            case "thead_open":
                head_at = len(kept) - 1
            case "th_open":
                cells += 1
                token.attrs = {"scope": "col", **token.attrs}
            case "thead_close" if table is not None:
                if not any(each.content.strip() for each in kept[head_at:]):
                    del kept[head_at:]
                    table.attrs["class"] = FACTS if cells == 2 else ROWS
            case "tr_open":
                row = 0
            case "td_open" | "td_close" if table is not None and table.attrs["class"] != GRID:
                row += token.type == "td_open"
                if row == 1:
                    token.tag = "th"
                    token.attrs = {"scope": "row"} if token.type == "td_open" else {}
    state.tokens = kept


def _letter_markdown() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}, renderer_cls=_LetterHtml).enable("table")
    reader.core.ruler.after("block", "letter_tables", _tables)
    return reader


MARKDOWN = _letter_markdown()
