"""In which languages does a campaign write, and which of its letters are not in them?"""

from collections.abc import Iterable, Iterator, Mapping

from nurture.config import Config
from nurture.core.model import Campaign
from nurture.errors import Problem
from nurture.rendering.languages import shortened, written
from nurture.rendering.templates import Template, choose


def untranslated(
    templates: Mapping[str, Template], campaigns: Iterable[Campaign], config: Config
) -> Iterator[Problem]:
    """A warning for each letter that a campaign sends and that lacks a language (or an address)
    in which another letter of that campaign is. A country's own wording is no language."""
    own, told = written(config), set[tuple[str, str]]()
    for campaign in campaigns:
        sent = (step.send or "" for step in campaign.every_step())
        names = {name for name in sent if name in templates}
        tongues = {each.locale for each in templates.values() if each.name in names}
        for name in sorted(names):
            for tag in sorted({shortened(each) for each in tongues if each} - {shortened(own)}):
                found = choose(templates, name, tag, own)
                if found is None or (name, tag) in told:
                    continue
                if shortened(found.locale or own) != tag:
                    told.add((name, tag))
                    yield _warning(templates[name], found, tag, campaign)


def _warning(default: Template, found: Template, tag: str, campaign: Campaign) -> Problem:
    wanted = default.path.replace(default.name, f"{default.name}.{tag}")
    return Problem(
        file=default.file,
        code="untranslated",
        message=f'"{campaign.title}" also writes in {tag}, and this is not in it',
        hint=f"write {wanted}; until there is one, its readers get {found.path}",
        severity="warning",
    )
