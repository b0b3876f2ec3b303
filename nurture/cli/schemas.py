"""What can an editor know of these files?"""

import json

import click

from nurture.authoring.schema import campaign_schema
from nurture.cli.printing import say


@click.command(epilog="Example: nurture schema > schemas/campaign.schema.json")
def schema() -> None:
    """The JSON Schema of a campaign file.

    With it an editor completes keys, shows what they mean and underlines what is wrong. The starter
    campaigns name it in their first line.
    """
    say(json.dumps(campaign_schema(), indent=2, ensure_ascii=False))
