"""What does a campaign look like, and how many people are where?"""

from pathlib import PurePath

import click

from nurture.authoring.library import Library
from nurture.cli.printing import complain, json_line, say
from nurture.cli.project import config_option, configured, json_option, opened
from nurture.core.model import Campaign
from nurture.engine.flowchart import flowchart
from nurture.engine.picture import Node, Picture, picture, sides, totals, whereabouts
from nurture.engine.versions import SHORT
from nurture.errors import NurtureError, OutsideError
from nurture.positions import did_you_mean
from nurture.store.census import census


@click.command(epilog="Example: nurture show interview-preparation")
@config_option
@click.argument("campaign")
@click.option("--mermaid", is_flag=True, help="A flowchart that GitHub and many wikis draw.")
@json_option
def show(campaign: str, mermaid: bool, as_json: bool) -> None:
    """A campaign as it is in force, and how many people are where.

    CAMPAIGN is the name of its file, without .yaml.
    """
    if mermaid and as_json:
        raise click.UsageError("--mermaid or --json, not both")
    seen = _seen(campaign)
    if as_json:
        json_line(seen.as_json())
    elif mermaid:
        click.echo(flowchart(seen), nl=False)
    else:
        _draw(seen)


def _seen(name: str) -> Picture:
    """Where the database is away, the campaign alone: nobody is counted."""
    try:
        with opened() as project:
            found = _campaign(project.library, name)
            with project.database.read() as connection:
                return picture(found, census(connection, found.name))
    except OutsideError as error:
        found = _campaign(Library(configured()), name)
        complain(f"nurture: {error}: nobody is counted")
        return picture(found)


def _campaign(library: Library, name: str) -> Campaign:
    stem = PurePath(name).name.removesuffix(".yaml")
    found = library.campaigns.get(stem)
    if found is None:
        names = sorted(library.campaigns)
        hint = did_you_mean(stem, names) or (f"there are {', '.join(names)}" if names else "none")
        raise NurtureError(f'there is no good campaign "{stem}": {hint} (see `nurture check`)')
    return found


def _draw(seen: Picture) -> None:
    campaign = seen.campaign
    say(f"{campaign.title} ({campaign.name}, {campaign.status.value})")
    say(f"{campaign.file} as of {campaign.digest[:SHORT]}")
    say(f"{totals(seen.census)}\n")
    say(f"enter {seen.enters}")
    _steps(seen.nodes, "")
    for each in seen.leaves:
        say(f"leave {each}")
    for step, place in seen.gone.items():
        say(f"no longer in the file: {step}: {place.sent} sent, {place.done} done")


def _steps(nodes: tuple[Node, ...], margin: str) -> None:
    for index, node in enumerate(nodes):
        last = index == len(nodes) - 1
        below = f"{margin}{'   ' if last else '│  '}"
        say(f"{margin}{'└─ ' if last else '├─ '}{node.title()}  [{node.id}]")
        rail = f"{below}{'│  ' if node.kind == 'branch' else '   '}"
        say(f"{rail}{'; '.join((node.when, *node.limits))}")
        if said := whereabouts(node):
            say(f"{rail}{'; '.join(said)}")
        if node.kind == "branch":
            for number, (title, inner) in enumerate(sides(node)):
                end = number == 1
                say(f"{below}{'└─ ' if end else '├─ '}{title}{'' if inner else ': nothing'}")
                _steps(inner, f"{below}{'   ' if end else '│  '}")
