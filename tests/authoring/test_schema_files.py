"""Promises of the JSON Schema: it is current, it teaches each key, and it agrees with the check."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from nurture.authoring.campaign_keys import CampaignKeys
from nurture.authoring.schema import campaign_schema
from nurture.positions import read_yaml
from tools.config_schema import config_schema

ROOT = Path(__file__).parents[2]
CONFIG_FILE = ROOT / "schemas/config.schema.json"
CONFIG_SCHEMA = json.loads(json.dumps(config_schema()))
FILE = ROOT / "schemas/campaign.schema.json"
SCHEMA = json.loads(json.dumps(campaign_schema()))
CAMPAIGNS = sorted((ROOT / "campaigns").glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema=../schemas/campaign.schema.json"


def errors(text: str) -> list[str]:
    data, _ = read_yaml(text, "campaign.yaml")
    return [error.message for error in Draft7Validator(SCHEMA).iter_errors(data)]


def keys() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, part in {"CampaignKeys": SCHEMA, **SCHEMA["definitions"]}.items():
        for key, about in part.get("properties", {}).items():
            yield f"{name}.{key}", about


KEYS = list(keys())


def test_the_kept_schema_is_the_one_of_this_version():
    assert json.loads(FILE.read_text(encoding="utf-8")) == SCHEMA, (
        "write it anew: nurture schema > schemas/campaign.schema.json"
    )


def test_the_schema_is_one_that_editors_can_read():
    Draft7Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]) == {
        "name",
        "about",
        "owner",
        "status",
        "enter",
        "leave",
        "steps",
    }
    assert set(SCHEMA["properties"]) == set(CampaignKeys.model_fields)
    assert "null" not in json.dumps(SCHEMA)


@pytest.mark.parametrize(("key", "about"), KEYS, ids=[key for key, _ in KEYS])
def test_every_key_says_what_it_means_and_shows_an_example(key: str, about: dict[str, Any]):
    assert len(about["description"]) > 10
    chosen = {"examples", "enum", "const"} & about.keys() or about.get("type") in (
        "boolean",
        "array",
    )
    assert chosen or "allOf" in about, f"{key} has neither examples nor choices"


@pytest.mark.parametrize(("key", "about"), KEYS, ids=[key for key, _ in KEYS])
def test_every_example_fits_its_own_key(key: str, about: dict[str, Any]):
    around = {"definitions": SCHEMA["definitions"], **about}
    for example in about.get("examples", []):
        found = [error.message for error in Draft7Validator(around).iter_errors(example)]
        assert found == [], f"{key}: {example!r}"


@pytest.mark.parametrize("path", CAMPAIGNS, ids=[path.stem for path in CAMPAIGNS])
def test_every_starter_campaign_tells_its_editor_and_fits(path: Path):
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[0] == MODELINE
    assert (path.parent / MODELINE.partition("=")[2]).resolve() == FILE
    assert errors(text) == []


WHOLE = """\
name: Whole
status: live
enter: {on: promise.made, if: promise.what == "a decision", once_per: promise, again: 90 days}
leave: [{on: [promise.kept, custom.all_done]}, {if: 'answered("coming") == "no"'}]
steps:
  - send: a
    at: 2 days before promise.due
    until: promise.due
    if_expired: task
  - wait_for: [answer.given, contact.logged]
    up_to: 3 days
    since: entered
  - if: candidate.locale == "pt"
    then:
      - send: b
        repeat: {every: 1 week, at_most: 3}
    else:
      - task: {text: Call, to: manager, due: 4 hours}
        after: 0
        id: call
        was: ring
  - send: c
    promise: {what: news, within: 2 business days}
"""


def test_the_whole_language_fits():
    assert errors(WHOLE) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("status: live", "status: alive"),
        ("status: live", "state: live"),
        ("promise.made, if", "promise.mode, if"),
        ("once_per: promise", "once_per: month"),
        (
            'enter: {on: promise.made, if: promise.what == "a decision", once_per',
            "enter: {once_per",
        ),
        ("[promise.kept, custom.all_done]", "[promise.kept, costum.all_done]"),
        ("  - send: a\n    at", "  - send: a\n    task: {text: both}\n    at"),
        ("    at: 2 days", "    after: 3 days\n    at: 2 days"),
        ("if_expired: task", "if_expired: send"),
        ("since: entered", "since: ever"),
        ("    up_to: 3 days\n", "    up_to: 3 days\n    else: [{send: d}]\n"),
        ("    then:\n      - send: b\n        repeat: {every: 1 week, at_most: 3}\n", ""),
        ("at_most: 3", "at_most: 0"),
        ("to: manager", "to: boss"),
        ("promise: {what: news, within: 2 business days}", "promise: {what: news}"),
        ("  - send: c\n    promise", "  - promise"),
    ],
)
def test_what_is_wrong_is_underlined(right: str, wrong: str):
    assert WHOLE.count(right) == 1
    assert errors(WHOLE.replace(right, wrong)) != []


def config_errors(text: str) -> list[str]:
    data, _ = read_yaml(text, "config.yaml")
    return [error.message for error in Draft7Validator(CONFIG_SCHEMA).iter_errors(data)]


def test_the_kept_schema_of_the_configuration_is_current_and_fits_the_starter_file():
    assert json.loads(CONFIG_FILE.read_text(encoding="utf-8")) == CONFIG_SCHEMA, (
        "write it anew: python -m tools.config_schema > schemas/config.schema.json"
    )
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "# yaml-language-server: $schema=schemas/config.schema.json"
    assert config_errors(text) == []


def test_every_key_of_the_configuration_says_what_it_does():
    Draft7Validator.check_schema(CONFIG_SCHEMA)
    silent = [
        f"{name}.{key}"
        for name, part in {"": CONFIG_SCHEMA, **CONFIG_SCHEMA["definitions"]}.items()
        for key, about in part.get("properties", {}).items()
        if not about.get("description")
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("silence: {applied: null, final: 1 business day}", False),
        ("categories: {culture: {priority: 5}, own: {class: service, priority: 3}}", False),
        ("contact_hours: {days: [mon, tue], from: '09:00'}", False),
        ("gap: null", False),
        ("release_at_most: 1%", False),
        ("release_at_most: some", True),
        ("company: {nmae: Acme}", True),
        ("transport: {kind: smtp}", True),
        ("categories: {culture: {class: sales}}", True),
        ("caps: [{per: 5 days}]", True),
    ],
)
def test_the_configuration_is_underlined_where_it_is_wrong(text: str, wrong: bool):
    assert bool(config_errors(text)) is wrong
