"""What can an editor know of these files?"""

import json
from typing import Literal

import click

from nurture.authoring.schema import campaign_schema, content_schema
from nurture.cli.printing import say


@click.command(epilog="Example: nurture schema content > schemas/content.schema.json")
@click.argument(
    "of", metavar="[KIND]", type=click.Choice(["campaign", "content"]), default="campaign"
)
def schema(of: Literal["campaign", "content"]) -> None:
    """The JSON Schema of a campaign file, or of a file of the content library.

    With it an editor completes keys, shows what they mean and underlines what is wrong. The starter
    files name it in their first line. KIND is campaign (default) or content.
    """
    found = content_schema() if of == "content" else campaign_schema()
    say(json.dumps(found, indent=2, ensure_ascii=False))
