"""What may an editor offer while somebody writes? JSON Schemas of campaign and content files."""

from typing import Any

from nurture.authoring.campaign_keys import EVENTS, CampaignKeys
from nurture.authoring.content_keys import ContentKeys
from nurture.core.timing import ANCHORS

#: What editors' YAML support understands best; 2020-12 is not known to all of them.
DRAFT = "http://json-schema.org/draft-07/schema#"


def campaign_schema() -> dict[str, Any]:
    """JSON Schema (draft 7) of a campaign file: keys, choices, and examples of the rest.

    It knows less than `nurture check`, which also reads expressions, moments and templates. Keys
    without a value are all that it refuses and `check` accepts.
    """
    schema = CampaignKeys.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    schema["definitions"] = schema.pop("$defs")
    plain(schema)
    parts = schema["definitions"]
    custom = {"type": "string", "pattern": r"^custom\.[a-z][a-z0-9_]*$"}
    parts["Event"] = {"anyOf": [{"enum": sorted(EVENTS)}, custom]}
    event = {"$ref": "#/definitions/Event"}
    several = {"anyOf": [event, {"type": "array", "items": event, "minItems": 1}]}
    enter, step = parts["EnterKeys"], parts["StepKeys"]
    _say(enter, "on", {"allOf": [event]})
    enter["anyOf"] = [{"required": ["on"]}, {"required": ["if"]}]
    _say(parts["LeaveKeys"], "on", several)
    parts["LeaveKeys"]["oneOf"] = [{"required": ["on"]}, {"required": ["if"]}]
    _say(step, "wait_for", several)
    for key in ("after", "up_to"):
        _say(step, key, {"type": ["string", "integer"]})
    for key in ("at", "until"):
        seen = step["properties"][key]["examples"]
        anchors = {example.split()[-1] for example in seen}
        seen += [f"2 days before {anchor}" for anchor in sorted(ANCHORS - anchors)]
    step["oneOf"] = [{"required": [key]} for key in ("send", "task", "wait_for")]
    step["oneOf"].append({"required": ["if", "then"]})
    step["not"] = {"required": ["at", "after"]}
    step["dependencies"] = {"else": ["then"], "up_to": ["wait_for"], "since": ["wait_for"]}
    title = "A campaign of Nurture"
    return {"$schema": DRAFT, "title": title, **schema}


def content_schema() -> dict[str, Any]:
    """The same of a file of the content library."""
    schema = ContentKeys.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    schema["definitions"] = schema.pop("$defs")
    plain(schema)
    for key in ("team", "interview", "role_family", "seniority", "stage", "country"):
        about = schema["definitions"]["ItemKeys"]["properties"][key]
        one = about["items"]
        _say(
            schema["definitions"]["ItemKeys"],
            key,
            {"anyOf": [one, {"type": "array", "items": one}]},
        )
    title = "A file of Nurture's content library"
    return {"$schema": DRAFT, "title": title, **schema}


def plain(schema: Any) -> None:
    """Take out what a model says of itself and no author writes: titles, null for what is left out.

    A description beside `$ref` would not be read, so the reference goes into an `allOf`.
    """
    if isinstance(schema, list):
        for part in schema:
            plain(part)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("title"), str):
        del schema["title"]
    if schema.get("default", "") is None:
        del schema["default"]
        given = [part for part in schema.get("anyOf", []) if part != {"type": "null"}]
        if len(given) == 1:
            del schema["anyOf"]
            schema.update(given[0])
    if "$ref" in schema and len(schema) > 1:
        schema["allOf"] = [{"$ref": schema.pop("$ref")}]
    for part in schema.values():
        plain(part)


def _say(part: dict[str, Any], key: str, content: dict[str, Any]) -> None:
    """Say what one key may hold, and keep its description and examples."""
    about = part["properties"][key]
    kept = {word: about[word] for word in ("description", "examples") if word in about}
    part["properties"][key] = {**kept, **content}
