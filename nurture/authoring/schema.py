"""What may an editor offer while somebody writes a campaign? The JSON Schema of a campaign file."""

from typing import Any

from nurture.authoring.campaign_keys import EVENTS, CampaignKeys
from nurture.core.timing import ANCHORS


def campaign_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a campaign file: keys, choices, and examples of the rest.

    It knows less than `nurture check`, which also reads expressions, moments and templates.
    """
    schema = CampaignKeys.model_json_schema(by_alias=True)
    parts = schema["$defs"]
    event = {
        "anyOf": [
            {"enum": sorted(EVENTS)},
            {"type": "string", "pattern": r"^custom\.[a-z][a-z0-9_]*$"},
        ]
    }
    _merge(parts["EnterKeys"], "on", event)
    parts["EnterKeys"]["anyOf"] = [{"required": ["on"]}, {"required": ["if"]}]
    again = {"anyOf": [{"enum": ["never", "when_left"]}, {"type": "string"}]}
    _merge(parts["EnterKeys"], "again", {**again, "examples": ["90 days"]})
    several = {"type": "array", "items": event, "minItems": 1}
    _merge(parts["LeaveKeys"], "on", {"anyOf": [*event["anyOf"], several]})
    step = parts["StepKeys"]
    step["oneOf"] = [{"required": [key]} for key in ("send", "task", "wait_for")]
    step["oneOf"].append({"required": ["if", "then"]})
    step["not"] = {"required": ["at", "after"]}
    step["dependentRequired"] = {"else": ["then"], "up_to": ["wait_for"], "since": ["wait_for"]}
    _merge(step, "wait_for", {"anyOf": [*event["anyOf"], several]})
    moments = [f"2 days before {anchor}" for anchor in sorted(ANCHORS)]
    _merge(step, "at", {"type": "string", "examples": moments})
    _merge(step, "until", {"type": "string", "examples": moments})
    _merge(step, "after", {"type": ["string", "integer"], "examples": ["3 business days", 0]})
    _merge(step, "up_to", {"type": "string", "examples": ["5 business days", "2 weeks"]})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _merge(part: dict[str, Any], key: str, content: dict[str, Any]) -> None:
    """Say more of one key, and keep its description."""
    description = part["properties"][key].get("description", "")
    part["properties"][key] = {"description": description, **content}
