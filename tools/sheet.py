"""A card to draw on: boxes, bars and arrows as SVG, readable by day and by night."""

from html import escape

WIDTH = 760
STYLE = """
  text { font-family: system-ui, "Segoe UI", sans-serif; font-size: 13px; fill: #26241f }
  .card { fill: #fff } .quiet { fill: #67625a; font-size: 12px } .title { font-weight: 600 }
  .end { text-anchor: end } .mid { text-anchor: middle } .rule { stroke: #d9d4c8 }
  .box { fill: #f5f3ee; stroke: #d9d4c8 } .open { fill: #e2eee7 }
  .green { fill: #1c6847; stroke: #1c6847 } .blue { fill: #2c5a8c; stroke: #2c5a8c }
  .amber { fill: #b4620a; stroke: #b4620a } .red { fill: #a3302b; stroke: #a3302b }
  .pale { fill-opacity: .16; stroke-opacity: .5 } .hollow { fill: none; stroke-width: 2 }
  .on { fill: #fff; font-weight: 600 } .way { fill: none; stroke: #67625a; stroke-width: 1.5 }
  .dotted { stroke-dasharray: 2 4; stroke-width: 2; fill: none } .tip { fill: #67625a }
  @media (prefers-color-scheme: dark) {
    text { fill: #ece8df } .card { fill: #211f1c } .quiet { fill: #b5afa4 }
    .rule { stroke: #45413a } .box { fill: #2c2925; stroke: #4a463f } .open { fill: #26382f }
    .green { fill: #5fbf93; stroke: #5fbf93 } .blue { fill: #7fb0e3; stroke: #7fb0e3 }
    .amber { fill: #e9a55c; stroke: #e9a55c } .red { fill: #ef8d86; stroke: #ef8d86 }
    .hollow { fill: none } .on { fill: #171614 } .way { stroke: #b5afa4 } .tip { fill: #b5afa4 }
  }
"""


class Sheet:
    """A card to draw on, and what it shows for those who do not see it."""

    def __init__(self, height: int, title: str, told: str) -> None:
        self.height = height
        self.title = title
        self.told = told
        self.lines: list[str] = []

    def text(self, x: float, y: float, words: str, kind: str = "") -> None:
        self.lines.append(f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>')

    def small(self, x: float, y: float, words: str, kind: str = "") -> None:
        self.text(x, y, words, f"quiet {kind}".strip())

    def rect(self, x: float, y: float, w: float, h: float, kind: str, round_: int = 4) -> None:
        place = f'x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}"'
        self.lines.append(f'<rect class="{kind}" {place} rx="{round_}"/>')

    def dot(self, x: float, y: float, kind: str) -> None:
        self.lines.append(f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="6"/>')

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str = "rule") -> None:
        ends = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
        self.lines.append(f'<line class="{kind}" {ends}/>')

    def arrow(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self.line(x1, y1, x2 - 7, y2, "way")
        self.lines.append(f'<path class="tip" d="M{x2 - 8:g} {y2 - 4:g}l8 4l-8 4z"/>')

    def box(self, x: float, y: float, w: float, words: str, more: str = "", kind: str = "") -> None:
        """One or two lines in a frame 46 high, or a filled one for what it comes to."""
        self.rect(x, y, w, 46, kind or "box", 6)
        on = "on mid" if kind else "title mid"
        self.text(x + w / 2, y + (20 if more else 28), words, on)
        if more:
            self.text(x + w / 2, y + 37, more, "on mid" if kind else "quiet mid")

    def __str__(self) -> str:
        size = f'viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" height="{self.height}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d">',
                f'<title id="t">{escape(self.title)}</title>',
                f'<desc id="d">{escape(self.told)}</desc>',
                f"<style>{STYLE}</style>",
                f'<rect class="card" width="{WIDTH}" height="{self.height}" rx="10"/>',
                f'<text class="title" x="20" y="30">{escape(self.title)}</text>',
                *self.lines,
                "</svg>\n",
            ]
        )
