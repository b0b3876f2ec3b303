"""Was a text cut short by a # that its author meant?

YAML takes a # after a space for the beginning of a comment, and says nothing. Only a guess is
possible, so these are warnings: in text for people, a # that looks like a number or stands where no
comment would.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ruamel.yaml.nodes import ScalarNode

from nurture.config import Config
from nurture.errors import Problem, Problems, shown
from nurture.files import read_bytes, text_in
from nurture.positions import Positions, read_yaml
from nurture.rendering.templates import LAYOUTS
from nurture.traps import cut_texts as cuts


def cut_texts(config: Config) -> Iterator[Problem]:
    """Warnings about campaigns, the front matter of templates, and config.yaml."""
    yield from _of_file(config.root / "config.yaml")
    for folder in (config.campaigns_dir, config.content_dir):
        for path in sorted(folder.glob("*.yaml")):
            yield from _of_file(path)
    for path in sorted(config.templates_dir.rglob("*")):
        below = path.relative_to(config.templates_dir)
        if path.suffix in (".md", ".html") and below.parts[0] != LAYOUTS:
            yield from _of_file(path, front_matter=True)


def _of_file(path: Path, *, front_matter: bool = False) -> Iterator[Problem]:
    file = shown(path)
    try:
        text = text_in(read_bytes(path, file), file).replace("\r\n", "\n").replace("\r", "\n")
        if front_matter:
            text = text.removeprefix("---").partition("\n---")[0]
        slips = list(cuts(text))
        positions = read_yaml(text, file)[1] if slips else Positions("")
    except (OSError, Problems):
        return  # told where it is read
    for slip in slips:
        if _ends_before(positions, slip.index):
            yield replace(positions.problem(slip, file), severity="warning")


def _ends_before(positions: Positions, index: int) -> bool:
    """Whether a plain text ends before that #: it does not where the # is within a longer one."""
    return any(
        isinstance(node, ScalarNode)
        and not node.style
        and node.end_mark.index <= index
        and not positions.text[node.end_mark.index : index].strip(" ")
        for node in positions.values.values()
    )
