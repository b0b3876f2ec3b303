"""What might authors write? Campaign files drawn from a grammar, and edits of them.

A mail says itself what it is, in words that survive any layout:
`Mark CAMPAIGN STEP vVERSION CATEGORY JOB ROOM TIME End`.
"""

import copy
import itertools
from random import Random
from typing import Any

#: kind of campaign: how people get in, what it may mention, its anchors, its kinds of mail.
KINDS: dict[str, dict[str, Any]] = {
    "apply": {
        "enter": {"on": "application.created"},
        "says": ("job",),
        "anchors": ("application.applied_at", "application.stage_since", "entered"),
        "mail": ("receipt", "status", "help", "culture", "check-in", "privacy"),
    },
    "meet": {
        "enter": {"on": "interview.scheduled"},
        "says": ("job", "interview"),
        "anchors": (
            "interview.starts_at",
            "interview.starts_at",
            "interview.ends_at",
            "interview.booked_at",
        ),
        "mail": ("logistics", "logistics", "prep", "help", "help", "receipt", "culture"),
    },
    "drip": {
        "enter": {"on": "candidate.upserted", "once_per": "candidate"},
        "says": (),
        "anchors": ("entered", "entered", "candidate.last_contact"),
        "mail": ("culture", "check-in", "digest", "help"),
    },
    "moved": {
        "enter": {"on": "interview.rescheduled", "once_per": "event"},
        "says": ("job", "interview"),
        "anchors": ("entered", "interview.starts_at"),
        "mail": ("logistics", "receipt"),
    },
    "off": {
        "enter": {"on": "interview.cancelled"},
        "says": ("job", "interview"),
        "anchors": ("entered",),
        "mail": ("logistics", "status"),
    },
    "no": {
        "enter": {"on": "application.rejected"},
        "says": ("job",),
        "anchors": ("application.rejected_at", "entered"),
        "mail": ("decision", "closure", "culture", "digest"),
    },
    "offer": {
        "enter": {"on": "offer.sent"},
        "says": ("job",),
        "anchors": ("offer.sent_at", "offer.expires_at"),
        "mail": ("offer", "logistics", "help"),
    },
    "pool": {
        "enter": {"if": 'application.stage == "on_hold"', "once_per": "application"},
        "says": ("job",),
        "anchors": ("application.stage_since", "entered"),
        "mail": ("status", "culture", "digest"),
    },
    "owed": {
        "enter": {"on": "promise.made", "once_per": "promise"},
        "says": ("job",),
        "anchors": ("promise.due",),
        "mail": ("status", "help"),
    },
}
_LEAVES = {
    "apply": (["application.rejected"], ["interview.scheduled"], ["candidate.replied"]),
    "meet": (["offer.accepted", "application.rejected"], ["interview.completed"]),
    "drip": (["candidate.replied"], ["application.created"], ["offer.accepted"]),
    "moved": (["interview.rescheduled"],),
    "off": (["interview.scheduled"],),
    "no": (["candidate.replied"],),
    "offer": (["offer.accepted", "offer.declined", "offer.withdrawn"],),
    "pool": (["application.stage_changed"],),
    "owed": (["promise.kept", "promise.broken"],),
}
_STEPS_MAX = 9


def campaign(rng: Random, kind: str, name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A campaign file, and the front matter of every template that it may ever send."""
    of = KINDS[kind]
    templates = {
        f"{name}/s{n}": {
            "category": rng.choice(of["mail"]),
            "tone": rng.choice(("neutral", "neutral", "cheerful")),
            "says": of["says"],
            "version": 1,
        }
        for n in range(1, _STEPS_MAX + 1)
    }
    for front in templates.values():
        if kind == "no":  # cheerful bad news is refused where the file is read
            front["tone"] = rng.choice(("grave", "neutral"))
    file: dict[str, Any] = {"name": name, "status": "live", "enter": dict(of["enter"])}
    if rng.random() < 0.6:
        file["leave"] = [{"on": rng.choice(_LEAVES[kind])}]
    numbers = itertools.count(1)
    steps = [
        step
        for _ in range(rng.randint(2, 4))
        for step in _some_steps(rng, kind, name, numbers, templates)
    ]
    file["steps"] = steps or [{"send": f"{name}/s1"}]
    used = every_send(file)
    spare = [each for each in templates if each not in used][:2]
    return file, {each: templates[each] for each in (*sorted(used), *spare)}


def _some_steps(
    rng: Random,
    kind: str,
    name: str,
    numbers: Any,
    templates: dict[str, dict[str, Any]],
    depth: int = 0,
) -> list[dict[str, Any]]:
    """A step, or a gate, or a branch with steps of its own."""
    chance = rng.random()
    if depth == 0 and chance < 0.1:
        events = (
            ["candidate.replied"] if kind == "drip" else ["interview.scheduled", "answer.given"]
        )
        return [{"wait_for": events, "up_to": rng.choice(("2 days", "20 hours")), "id": _id(rng)}]
    if depth == 0 and chance < 0.2:
        then = _some_steps(rng, kind, name, numbers, templates, 1)
        other = _some_steps(rng, kind, name, numbers, templates, 1)
        if then and other:
            ask = 'answered("coming") == "yes"'
            branch = {"if": ask, "id": _id(rng), "then": then, "else": other}
            return [{**branch, "after": rng.choice(("1 day", "2 hours"))}]
    if chance < 0.27:
        task = {"text": "Ring {{ candidate.first_name }}", "to": "recruiter"}
        return [{"task": task, "id": _id(rng), **_moment(rng, kind)}]
    number = next(numbers)
    if number > _STEPS_MAX:
        return []
    step = {"send": f"{name}/s{number}", **_moment(rng, kind)}
    _options(rng, kind, step)
    return [step]


def _id(rng: Random) -> str:
    return f"x{rng.randrange(10**6)}"


def _moment(rng: Random, kind: str) -> dict[str, Any]:
    chance = rng.random()
    if chance < 0.35:
        return {"after": rng.choice(("0 minutes", "2 hours", "1 day", "3 days", "2 business days"))}
    anchor = rng.choice(KINDS[kind]["anchors"])
    if anchor in ("interview.starts_at", "offer.expires_at", "promise.due"):
        side = "before" if rng.random() < 0.75 else "after"
    else:
        side = "after"
    amount = rng.choice(
        ("30 minutes", "2 hours", "5 hours", "1 day", "2 days", "1 business day", "4 days")
    )
    moment = f"{amount} {side} {anchor}"
    if amount.endswith(("day", "days")) and rng.random() < 0.35:
        moment += f" at {rng.choice(('09:00', '15:00', '02:30', '10:00'))}"
    return {"at": moment}


def _options(rng: Random, kind: str, step: dict[str, Any]) -> None:
    moment = step.get("at", "")
    if moment and rng.random() < 0.4:
        step["if_late"] = "send"
    if "before" in moment and rng.random() < 0.3:
        step["again_if_moved"] = rng.random() < 0.5
    soon = moment.startswith("30 minutes")
    if "before interview.starts_at" in moment and not soon and rng.random() < 0.4:
        step["until"] = "1 hour before interview.starts_at"
    if moment.startswith(("1 day", "2 days", "4 days")) and "entered" in moment:
        if rng.random() < 0.3:
            step["repeat"] = {"every": rng.choice(("3 days", "1 week")), "at_most": 3}
    elif not moment and rng.random() < 0.1:
        step["repeat"] = {"every": "2 days", "at_most": 2}
    if rng.random() < 0.12:
        step["if"] = rng.choice(('answered("coming") != "no"', "not replied()", "sent_count() < 4"))
    if kind in ("apply", "meet") and rng.random() < 0.08:
        step["promise"] = {
            "what": "a decision",
            "within": rng.choice(("2 days", "3 business days")),
        }


#: Always as they are written here. Nobody is left without a word, and a promise is remembered.
CEILINGS: dict[str, dict[str, Any]] = {
    "hush": {
        "enter": {
            "if": 'application.stage in ("applied", "screening", "interviewing", "final")',
            "once_per": "application",
        },
        "anchor": "4 hours before application.silence_due",
    },
    "debt": {"enter": {"on": "promise.made", "once_per": "promise"}, "anchor": "promise.due"},
    # What could wait, soon before what cannot: here looking ahead tells.
    "pair": {
        "enter": {"on": "interview.scheduled"},
        "mail": (
            ("help", {"after": "2 hours"}),
            ("receipt", {"at": "20 hours before interview.starts_at"}),
            ("receipt", {"at": "2 hours before interview.starts_at"}),
            ("help", {"at": "4 hours before interview.starts_at"}),
        ),
    },
}


def ceiling(kind: str, name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A holding note, and after two of them in a row without news a task; or mails as given."""
    of = CEILINGS[kind]
    if "mail" in of:
        steps = [{"send": f"{name}/s{n}", **at} for n, (_, at) in enumerate(of["mail"], 1)]
        file = {"name": name, "status": "live", "enter": dict(of["enter"]), "steps": steps}
        fronts = (
            {"category": each, "tone": "neutral", "says": ("job", "interview"), "version": 1}
            for each, _ in of["mail"]
        )
        return file, {step["send"]: front for step, front in zip(steps, fronts, strict=True)}
    note: dict[str, Any] = {"send": f"{name}/s1", "at": of["anchor"]}
    steps = [note]
    if kind == "hush":
        note |= {"if": "application.notes_in_a_row < 2", "again_if_moved": True}
        task = {"text": "Decide on {{ candidate.first_name }}", "to": "recruiter"}
        enough = {"if": "application.notes_in_a_row >= 2", "again_if_moved": True}
        steps.append({"task": task, "id": "decide", "at": of["anchor"], **enough})
    file = {"name": name, "status": "live", "enter": dict(of["enter"]), "steps": steps}
    front = {"category": "status", "tone": "neutral", "says": ("job",), "version": 1}
    return file, {f"{name}/s1": front}


def kind_of(name: str) -> str:
    return name.partition("-")[2]


# --- edits ------------------------------------------------------------------------------------


def edited(
    rng: Random, file: dict[str, Any], name: str, templates: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """The file after one edit of the kinds in the design's table."""
    new = copy.deepcopy(file)
    kind = name.partition("-")[2]
    steps = new["steps"]
    if new["status"] == "paused":
        new["status"] = "live"
        return new
    what = rng.choice(("moment", "moment", "add", "remove", "pause", "order"))
    plain = [each for each in steps if "send" in each]
    if what == "moment" and plain:
        step = rng.choice(plain)
        kept = {"send": step["send"]}
        step.clear()
        step |= {**kept, **_moment(rng, kind)}
        _options(rng, kind, step)
    elif what == "add":
        used = every_send(new)
        spare = [each for each in sorted(templates) if each.startswith(f"{name}/")]
        spare = [each for each in spare if each not in used]
        if spare:
            step = {"send": spare[0], **_moment(rng, kind)}
            _options(rng, kind, step)
            steps.insert(rng.randrange(len(steps) + 1), step)
    elif what == "remove" and len(plain) > 1:
        steps.remove(rng.choice(plain))
    elif what == "order" and len(steps) > 1:
        steps.append(steps.pop(0))
    else:
        new["status"] = "paused"
    return new


def every_send(file: dict[str, Any]) -> set[str]:
    return {step["send"] for step in every_step(file) if "send" in step}


def every_step(file: dict[str, Any]) -> list[dict[str, Any]]:
    """Those in branches too."""
    found: list[dict[str, Any]] = []
    todo = list(file["steps"])
    while todo:
        step = todo.pop(0)
        found.append(step)
        todo += [*step.get("then", ()), *step.get("else", ())]
    return found


def template_text(name: str, front: dict[str, Any]) -> str:
    """The file of a template."""
    campaign_name, _, step = name.partition("/")
    says = front["says"]
    job = '{{ job.title | default("none") }}' if "job" in says else "none"
    room = '{{ interview.location | default("none") }}' if "interview" in says else "none"
    time = '{{ interview.notes | default("none") }}' if "interview" in says else "none"
    words = f"{campaign_name} {step} v{front['version']} {front['category']} {job} {room} {time}"
    ask = front.get("ask")
    asks = f"ask: [{{id: {ask}, text: Are you, options: {{yes: Yes, no: No}}}}]\n" if ask else ""
    return (
        f"---\nsubject: Mail {campaign_name} {step}\npreheader: A short note about this\n"
        f"category: {front['category']}\ntone: {front['tone']}\n{asks}---\n\nMark {words} End\n"
        + (f'\n{{{{ ask("{ask}") }}}}\n' if ask else "")
    )
