"""A project of many campaigns and templates, as a large company would have after some years."""

from pathlib import Path
from tempfile import TemporaryDirectory

from bench.rounds import spent
from nurture.authoring.check import check_all

LAYOUT = Path(__file__).parents[1] / "templates" / "layouts" / "letter.html"

_TEMPLATE = """\
---
subject: Your interview {number} with {{{{ company.name }}}}
preheader: What to know before we talk about {{{{ job.title | default("the role") }}}}
category: {category}
tone: neutral
---
Hello {{{{ candidate.first_name | default("there") }}}},

{{% if interview and interview.starts_at %}}
You meet us on **{{{{ interview.starts_at | when }}}}**, for about
{{{{ interview.duration_minutes | default(60) }}}} minutes.
{{% else %}}
We will write as soon as there is a time.
{{% endif %}}

{{% if interview and interview.interviewers %}}
- Who:
{{% for person in interview.interviewers %}}
  {{{{ person.name }}}}{{% if person.role %}} ({{{{ person.role }}}}){{% endif %}}
{{% endfor %}}
{{% endif %}}
- Bring two questions of your own.
- Say if the time does not suit you, and [choose another](https://example.com/times).

{{% if recruiter and recruiter.phone %}}
Ring {{{{ recruiter.name }}}} at {{{{ recruiter.phone }}}} whenever something is unclear.
{{% endif %}}

{{{{ recruiter.name if recruiter and recruiter.name else "The hiring team" }}}},
{{{{ company.name }}}}
"""

_CAMPAIGN = """\
# Campaign {number} of a generated project.
name: Campaign {number}
about: What a candidate gets around one interview.
owner: Talent Marketing
status: live

enter:
  on: interview.scheduled
  if: interview.kind in ("video", "panel", "onsite") and application.stage == "interviewing"
  once_per: interview
leave:
  - on: [offer.accepted, application.rejected]
  - if: days_since(application.last_contact_at) > 60

steps:
  - send: {folder}/{first}
    at: 3 business days before interview.starts_at
    if: not sent("{folder}/{second}")
    if_late: send
    until: 2 hours before interview.starts_at
  - send: {folder}/{second}
    at: 2 business days before interview.starts_at at 10:00
    if: interview.kind != "onsite"
    until: 20 hours before interview.starts_at
  - task:
      text: >-
        Ring {{{{ candidate.first_name | default("this candidate") }}}} about
        {{{{ job.title | default("the role") }}}}
      to: recruiter
      due: 1 business day
    id: ring
    at: 1 day before interview.starts_at at 15:00
    if: application.status == "active"
  - send: {folder}/{first}
    id: once-more
    at: 3 hours after interview.ends_at
    until: 2 business days after interview.ends_at
  - send: {folder}/{second}
    id: later
    after: 2 weeks
"""


def write_project(root: Path, campaigns: int = 200, templates: int = 400) -> Path:
    """A project folder with so many good campaigns and templates, each used; no mistake in it."""
    (root / "campaigns").mkdir(parents=True)
    (root / "templates" / "layouts").mkdir(parents=True)
    (root / "templates" / "layouts" / "letter.html").write_bytes(LAYOUT.read_bytes())
    (root / "config.yaml").write_text("locale: en\n", encoding="utf-8")
    categories = ("prep", "logistics", "help", "culture")
    for number in range(templates):
        folder = root / "templates" / f"topic-{number // 20}"
        folder.mkdir(exist_ok=True)
        text = _TEMPLATE.format(number=number, category=categories[number % 4])
        (folder / f"mail-{number}.md").write_text(text, encoding="utf-8")
    for number in range(campaigns):
        first = number * 2 % templates
        text = _CAMPAIGN.format(
            number=number,
            folder=f"topic-{first // 20}",
            first=f"mail-{first}",
            second=f"mail-{(first + 1) % templates}",
        )
        (root / "campaigns" / f"campaign-{number}.yaml").write_text(text, encoding="utf-8")
    return root


def checking(quick: bool) -> dict[str, float]:
    """How long does `nurture check` take over 200 campaigns and 400 templates, in seconds?"""
    campaigns, templates = (20, 40) if quick else (200, 400)
    with TemporaryDirectory() as folder:
        config = write_project(Path(folder) / "project", campaigns, templates) / "config.yaml"
        first = spent(lambda: check_all(config, {}))
        again = spent(lambda: check_all(config, {}))
    return {
        f"first, {campaigns} and {templates}, s": first.wall,
        "first, processor, s": first.cpu,
        "again in the same process, s": again.wall,
        "again, processor, s": again.cpu,
    }
