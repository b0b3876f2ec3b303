"""Is what we draw a Mermaid flowchart, whatever stands in the file?

The grammar here is the part of Mermaid's that we write, and stricter. What it accepts was drawn by
Mermaid 11 once, every character as it stood in the file.
"""

import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurture.core.model import Branch, Campaign, Enter, Leave, Step, TaskText, Truth, WaitFor
from nurture.engine.flowchart import flowchart
from nurture.engine.picture import picture

#: Of a label: nothing that could end it, begin a directive, a comment, Markdown or HTML.
LABEL = r"(?:[^\"#<>`%\[\]{}|;&\\*~^\n]|#\d+;|<br/>)*"
NODE = re.compile(
    rf'  (?P<name>[a-z]+\d*)(?P<open>\[/|\(\[|\[|\{{)"(?P<label>{LABEL})"(?P<close>/\]|\]\)|\]|\}})'
)
ARROW = re.compile(
    rf'  (?P<start>[a-z]+\d*) (?:-->|-\.->)(?:\|"(?P<label>{LABEL})"\|)? (?P<end>[a-z]+\d*)'
)
BRACKETS = {"[": "]", "[/": "/]", "([": "])", "{": "}"}


@dataclass
class Drawn:
    nodes: dict[str, str] = field(default_factory=dict)  #: labels as a reader sees them
    arrows: list[tuple[str, str, str]] = field(default_factory=list)


def parsed(text: str) -> Drawn:
    first, *lines = text.removesuffix("\n").split("\n")
    assert first == "flowchart TD"
    drawn = Drawn()
    for line in lines:
        if node := NODE.fullmatch(line):
            assert BRACKETS[node["open"]] == node["close"], line
            assert node["name"] not in drawn.nodes, line
            assert node["name"] not in ("end", "graph", "subgraph", "style", "class"), line
            drawn.nodes[node["name"]] = shown(node["label"])
        else:
            arrow = ARROW.fullmatch(line)
            assert arrow, line
            drawn.arrows.append((arrow["start"], arrow["end"], shown(arrow["label"] or "")))
    ends = {name for start, end, _ in drawn.arrows for name in (start, end)}
    assert ends <= drawn.nodes.keys()
    return drawn


def shown(label: str) -> str:
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label)


def drawn(*steps: Step, title: str = "Title") -> Drawn:
    enter = Enter(on="application.created")
    leave = (Leave(on=frozenset({"offer.accepted"})),)
    campaign = Campaign(name="x", title=title, enter=enter, leave=leave, steps=steps)
    return parsed(flowchart(picture(campaign)))


HOSTILE = [
    '"] --> x["',
    "%%{init: {}}%%",
    "#35; #quot;",
    "`**md**`",
    "<script>alert(1)</script> & <b>",
    "{{ candidate.first_name }} | end",
    "1. one\n2. two",
    "subgraph end; graph",
    "C:\\path ~ ^",
    "Olá ☂ 你好 🎉",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_stands_in_a_file_is_a_label_and_nothing_else(text: str) -> None:
    found = drawn(Step(id="a", task=TaskText(text=text)), title=text)
    words = " ".join(text.split())
    assert found.nodes["enter"].startswith(words)
    assert found.nodes["s1"].startswith(f"task {words}")


@given(st.text(max_size=60))
def test_any_text_is_a_label(text: str) -> None:
    drawn(Step(id="a", task=TaskText(text=text)))


def test_a_very_long_text_is_cut() -> None:
    found = drawn(Step(id="a", task=TaskText(text='"' * 5000)))
    assert len(found.nodes["s1"]) < 300


class Written:
    def __init__(self, source: str) -> None:
        self.source = source

    def __call__(self, _context: object) -> Truth:
        return Truth(value=True)


def test_a_gate_and_an_empty_side_lead_on() -> None:
    found = drawn(
        Step(id="gate", wait_for=WaitFor(events=frozenset({"b.done", "a.done"}))),
        Step(
            id="fork",
            branch=Branch(
                condition=Written('x == "1"'), then=(Step(id="t", task=TaskText(text="t")),)
            ),
        ),
        Step(id="after", task=TaskText(text="last")),
    )
    assert found.nodes["s1"].startswith("wait for a.done or b.done")
    assert found.nodes["s2"].startswith('if x == "1"')
    arrows = {(start, end): label for start, end, label in found.arrows}
    assert arrows["s2", "s3"] == "then (0)"
    assert arrows["s2", "s4"] == "else (0)"
    assert arrows["s3", "s4"] == ""
