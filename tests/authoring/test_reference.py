"""Promises of the reference: what an author can write or be told is documented, no more."""

import ast
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from nurture.authoring.campaign_keys import EVENTS, CampaignKeys
from nurture.authoring.check import check
from nurture.authoring.codes import CATALOGUE
from nurture.config import load_config
from nurture.core.timing import ANCHORS
from nurture.rendering.context import TEMPLATE_ONLY, VOCABULARY
from nurture.rendering.functions import FUNCTIONS

ROOT = Path(__file__).parents[2]
CAMPAIGNS = (ROOT / "docs/campaigns.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.split(f"## {title}", 1)[1].split("\n## ", 1)[0]


def first_column(text: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def keys_of(model: type[BaseModel], before: str = "", around: tuple[type, ...] = ()) -> set[str]:
    """Every key by its path; steps within steps have the keys that steps have."""
    names: set[str] = set()
    for name, about in model.model_fields.items():
        path = before + (about.alias or name)
        names.add(path)
        for part in (about.annotation, *getattr(about.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel) and part not in around:
                names |= keys_of(part, f"{path}.", (*around, model))
    return names


def test_every_key_is_documented():
    assert first_column(section(CAMPAIGNS, "Keys of a campaign")) == keys_of(CampaignKeys)


def test_every_anchor_is_documented():
    documented = first_column(section(CAMPAIGNS, "Moments"))
    assert documented == ANCHORS | {"candidate.<field>"}


def test_every_event_is_documented():
    documented = set(re.findall(r"`([a-z]+\.[a-z_]+)`", section(CAMPAIGNS, "Events")))
    assert documented == EVENTS


def test_every_word_of_conditions_is_documented():
    text = section(CAMPAIGNS, "Conditions")
    missing = [
        f"{thing}.{field}"
        for thing, fields in VOCABULARY.items()
        for field in fields
        if not re.search(rf"^\|[^|]*`{thing}`[^|]*\|.*`{field}`", text, re.MULTILINE)
    ]
    missing += [name for name in FUNCTIONS if f"`{name}(" not in text]
    missing += [f"{k}.{f}" for k, fs in TEMPLATE_ONLY.items() for f in fs if f"{k}.{f}" not in text]
    assert missing == []


REPORTERS = {"Problem", "Complaint", "problem", "problem_at", "_problem", "_add", "_refuse"}
REPORTERS |= {"_parsed", "problem_key"}


def codes_in(path: Path) -> set[str]:
    """Problem codes in a module: given as `code=`, or in the place where a reporter takes one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            values += node.args[1:3]
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if values and name in REPORTERS:
                found |= {
                    part.value
                    for value in values
                    for part in ast.walk(value)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                }
        elif isinstance(node, ast.Assign) and "code" in ast.unparse(node.targets[0]):
            value = node.value
            first = value.elts[0] if isinstance(value, ast.Tuple) else value
            found |= {first.value} if isinstance(first, ast.Constant) else set()
    return {text for text in found if re.fullmatch(r"[a-z]+(-[a-z]+)*", text)}


def test_every_problem_code_is_in_the_catalogue():
    files = sorted((ROOT / "nurture/authoring").glob("*.py"))
    files += [ROOT / "nurture/positions.py", ROOT / "nurture/config.py"]
    files.append(ROOT / "nurture/rendering/templates.py")
    used = {code for path in files for code in codes_in(path)}
    assert used - set(CATALOGUE) == set()
    listed = first_column(section(CONFIGURATION, "Problem codes of config.yaml"))
    assert listed - set(CATALOGUE) == set()


def test_the_first_example_is_a_campaign_without_problems(project):
    example = re.findall(r"```yaml\n(.*?)```", CAMPAIGNS, re.DOTALL)[0]
    project.template("interview-prep/what-to-expect")
    project.write("campaigns/first.yaml", example)
    assert check(project.config) == []


EXAMPLES = re.findall(r"```(?:yaml|markdown)\n(.*?)```", CAMPAIGNS, re.DOTALL)
ASKED = 'ask: [{id: ID, text: "Well?", options: {"yes": "Yes", "no": "No"}}]'


def whole(example: str) -> str:
    """A campaign that has this part of one."""
    if "steps:" not in example:
        steps = re.findall(r"^if: .*$", example, re.MULTILINE) if "enter:" not in example else []
        keys = example if "enter:" in example else ""
        tasks = [f"  - task: {{text: Call {n}}}\n    {step}\n" for n, step in enumerate(steps)]
        example = f"{keys}steps:\n{''.join(tasks) or '  - task: {text: Call}'}\n"
    if "enter:" not in example:
        about = next((each for each in ("offer", "interview") if each in example), "application")
        trigger = {"offer": "offer.sent", "interview": "interview.scheduled"}.get(about)
        example = f"enter: {{on: {trigger or 'application.created'}}}\n{example}"
    return example if "name:" in example else f"name: x\n{example}"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_without_problems(project, example):
    for name in re.findall(r"send: (\S+)", example):
        project.template(name)
    for question in ("remote", "coming"):
        asked = ASKED.replace("ID", question)
        project.template(f"asks/{question}", f'{{{{ ask("{question}") }}}}', subject=f"Hi\n{asked}")
    if example.startswith("---"):
        project.write("templates/prep/example.md", example)
        example = "steps:\n  - send: prep/example\n    at: 1 day before interview.starts_at"
    elif example.startswith("ask:"):
        project.template("asks/coming", '{{ ask("coming") }}', subject=f"Hi\n{example}")
        example = "steps:\n  - send: asks/coming"
    project.write("campaigns/example.yaml", whole(example))
    problems = [each for each in check(project.config) if each.severity == "error"]
    assert [str(problem) for problem in problems] == []


def test_a_wrong_example_would_be_seen(project):
    project.write("campaigns/example.yaml", whole('if: interview.kind == "pannel"\n'))
    assert [each.code for each in check(project.config)] == ["unknown-value"]


def test_the_shipped_campaigns_and_templates_have_no_problems():
    assert check(load_config(ROOT / "config.yaml", {})) == []
