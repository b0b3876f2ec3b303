"""How is a journey drawn where Markdown is read? Mermaid's flowchart, as GitHub shows it.

Whatever comes from a file stands in a quoted label, and every character of it that could mean
something to Mermaid or to HTML is written as a numeric entity (`#34;` is a quote).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from nurture.engine.picture import Node, Picture, sides, totals, whereabouts

#: Besides letters and digits.
_PLAIN = frozenset(" .,:/()-_'+=!?")
_LONGEST = 200  # characters of one line of a label: a diagram is looked at, not read

#: Where arrows start: nodes, each with what is written on its arrow.
Ends = list[tuple[str, str]]

#: How each kind of step is drawn: the shape's brackets.
_SHAPES = {
    "send": ("[", "]"),
    "task": ("[/", "/]"),
    "wait_for": ("([", "])"),
    "branch": ("{", "}"),
}


def flowchart(picture: Picture) -> str:
    """Ends with a line end. Solid arrows are what waits, dotted ones what stands on its own."""
    return _Drawing(picture).text()


@dataclass
class _Drawing:
    picture: Picture
    lines: list[str] = field(default_factory=lambda: ["flowchart TD"])
    steps: int = 0

    def text(self) -> str:
        picture = self.picture
        about = [picture.campaign.title, picture.enters, totals(picture.census)]
        self.node("enter", "([", about, "])")
        ends = self.walk(picture.nodes, "enter")
        self.node("finished", "([", [f"{picture.census.finished} finished"], "])")
        for end, label in ends:
            self.arrow(end, "finished", label)
        if picture.leaves:
            left = f"{sum(picture.census.left.values())} left"
            self.node("left", "([", [*(f"leave {each}" for each in picture.leaves), left], "])")
            self.lines.append("  enter -.-> left")
        return "\n".join(self.lines) + "\n"

    def walk(self, nodes: tuple[Node, ...], above: str, side: str = "") -> Ends:
        """Draw a list of steps below `above`, on that side of it where it is a branch; what the
        next step after the list waits for."""
        ends = waiting = [(above, side)]
        for node in nodes:
            self.steps += 1
            name = f"s{self.steps}"
            opening, closing = _SHAPES[node.kind]
            about = [node.title(), node.when, *node.limits, *whereabouts(node)]
            self.node(name, opening, about, closing)
            if node.stands_alone:
                self.arrow(above, name, side, "-.->")
                ends = [(name, "")]  # though what comes next in the list waits for it
                continue
            for end, label in ends:
                self.arrow(end, name, label)
            ends = waiting = [(name, "")]
            if node.kind == "branch":
                below = [self.walk(inner, name, each) for each, inner in sides(node)]
                ends = waiting = [end for each in below for end in each]
        return waiting if side else ends

    def node(self, name: str, opening: str, about: list[str], closing: str) -> None:
        label = "<br/>".join(_escaped(each) for each in about if each)
        self.lines.append(f'  {name}{opening}"{label}"{closing}')

    def arrow(self, start: str, end: str, label: str, line: str = "-->") -> None:
        written = f'|"{label}"|' if label else ""
        self.lines.append(f"  {start} {line}{written} {end}")


def _escaped(text: str) -> str:
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return "".join(_characters(" ".join(text.split())))


def _characters(text: str) -> Iterator[str]:
    for char in text:
        yield char if char.isalnum() or char in _PLAIN else f"#{ord(char)};"
