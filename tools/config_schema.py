"""Prints the JSON Schema of config.yaml: its keys from the code, what they do from the documents.

python -m tools.config_schema > schemas/config.schema.json
"""

import json
import re
from pathlib import Path
from typing import Any

from nurture.authoring.schema import DRAFT, plain
from nurture.config import Settings

ROOT = Path(__file__).parents[1]


def config_schema() -> dict[str, Any]:
    schema = Settings.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    schema["definitions"] = schema.pop("$defs")
    _without_defaults(schema)
    plain(schema)
    schema.pop("description", None)
    for part in schema["definitions"].values():
        part.pop("description", None)
    # What the file leaves out of a category that exists stays as it was; null lifts a ceiling.
    schema["definitions"]["CategoryKeys"].pop("required")
    silence = schema["properties"]["silence"]["additionalProperties"]
    silence["type"] = [silence["type"], "null"]
    schema["properties"]["transport"].pop("discriminator")
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    for path, does in re.findall(r"^\| `([\w.*]+)` \|[^|]*\| (.*?) \|$", text, re.MULTILINE):
        _describe(schema, schema, path.split("."), _plain_text(does))
    return {"$schema": DRAFT, "title": "config.yaml of Nurture", **schema}


def _describe(schema: dict[str, Any], part: dict[str, Any], path: list[str], does: str) -> None:
    """Say what the key of this path does, in every kind of object that can have it."""
    first, *rest = path
    if first == "*":  # a name that people choose, or a place in a list
        _describe(schema, part, rest, does)
        return
    for each in _objects(schema, part):
        about = each.get("properties", {}).get(first)
        if about is None:
            continue
        if rest:
            _describe(schema, about, rest, does)
        else:
            if "$ref" in about:  # a description beside it would not be read
                about["allOf"] = [{"$ref": about.pop("$ref")}]
            about["description"] = does


def _objects(schema: dict[str, Any], part: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that a value may be, with what it refers to in their place."""
    found = [part]
    if "$ref" in part:
        found += _objects(schema, schema["definitions"][part["$ref"].rpartition("/")[2]])
    for inner in (*part.get("allOf", ()), *part.get("anyOf", ()), *part.get("oneOf", ())):
        found += _objects(schema, inner)
    for inner in (part.get("items"), *part.get("patternProperties", {}).values()):
        found += _objects(schema, inner) if inner else []
    return found


def _without_defaults(schema: Any) -> None:
    """A default is in the documents as people write it, here it would be as Python keeps it."""
    if isinstance(schema, dict):
        schema.pop("default", None)
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list):
            _without_defaults(part)


def _plain_text(markdown: str) -> str:
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "").replace("\\|", "|")


if __name__ == "__main__":
    print(json.dumps(config_schema(), indent=2, ensure_ascii=False))
