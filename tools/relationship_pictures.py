"""Draws the pictures of docs/relationship, one for each of the ten steps; some from the files that
they are about, so that they say what is shipped.

python -m tools.relationship_pictures
"""

import re
from collections.abc import Callable
from pathlib import Path

from nurture.config import Config, load_config
from nurture.core.model import Duration
from tools.sheet import WIDTH, Sheet

ROOT = Path(__file__).parents[1]
HERE = ROOT / "docs/relationship"


def transparency(config: Config) -> Sheet:
    """The longest silence of each stage, from config.yaml."""
    ceilings = {name: each for name, each in config.silence.items() if name != "rejected"}
    told = ", ".join(f"{_stage(name)} {_days(each)}" for name, each in ceilings.items())
    sheet = Sheet(104 + 34 * len(ceilings), "The longest anybody waits without a word", told + ".")
    day, left = 48, 150
    for number, (name, each) in enumerate(ceilings.items()):
        y = 58 + 34 * number
        sheet.text(left - 12, y + 16, _stage(name), "end")
        sheet.rect(left, y, day * each.amount, 22, "green pale")
        sheet.dot(left + day * each.amount - 10, y + 11, "green")
        sheet.small(left + day * each.amount + 10, y + 16, _days(each))
    y = sheet.height - 22
    sheet.dot(26, y - 4, "green")
    sheet.small(40, y, "four hours before: a true note with a date, or a person's task")
    return sheet


def communication(config: Config) -> Sheet:
    hours = _days(config.fallback_after)
    sheet = Sheet(
        214,
        "One message, by the way they chose",
        "Who prefers mail gets the mail. Who prefers the phone becomes a call on the recruiter's "
        f"list, with the same words as talking points; the mail goes if nobody answers twice, or "
        f"nobody rang within {hours}.",
    )
    sheet.box(20, 96, 130, "There is news", "“status”")
    sheet.arrow(150, 112, 214, 78)
    sheet.arrow(150, 126, 214, 160)
    sheet.box(214, 54, 150, "Prefers mail")
    sheet.arrow(364, 77, 414, 77)
    sheet.box(414, 54, 150, "The mail", "in their hours", "blue")
    sheet.box(214, 138, 150, "Prefers the phone")
    sheet.arrow(364, 161, 414, 161)
    sheet.box(414, 138, 150, "A call to make", "with what to say", "green")
    sheet.arrow(564, 161, 610, 161)
    sheet.box(610, 138, 130, "The mail", "if it fails twice", "blue")
    sheet.small(WIDTH - 20, 204, f"or if nobody rang within {hours}", "end")
    return sheet


def trust(config: Config) -> Sheet:
    minutes = f"{int(config.undo_window.total_seconds() // 60)} minutes"
    steps = (
        ("Written", "by a file you can read", ""),
        ("Read", "by a recruiter: a, s or x", "green"),
        ("Can be undone", f"for {minutes}", ""),
        ("Looked at again", "is it still true?", "amber"),
        ("Sent", "byte for byte as read", "blue"),
    )
    sheet = Sheet(
        170,
        "A decision on its way to somebody",
        " Then: ".join(f"{words}, {more}." for words, more, _ in steps)
        + " A reply reaches a person.",
    )
    for number, (words, more, kind) in enumerate(steps):
        x = 20 + 146 * number
        sheet.box(x, 58, 132, words, "", kind)
        sheet.small(x + 66, 122, more, "mid")
        if number:
            sheet.arrow(x - 14, 81, x, 81)
    sheet.small(20, 152, "Every mail is from a person, and a reply reaches one.")
    return sheet


def openness(_: Config) -> Sheet:
    answers = (
        ("Yes", "somebody's task within a working day", "green"),
        ("Not now, in 3 months", "quiet until then, then one question", "amber"),
        ("Not this role", "nothing more about it; others stay possible", "amber"),
        ("I withdraw", "all of it ends in the same moment", "red"),
        ("No more mail", "never again, with no win-back", "red"),
    )
    sheet = Sheet(
        82 + 44 * len(answers),
        "Every answer is welcome, and does what it says",
        " ".join(f"{answer}: {does}." for answer, does, _ in answers),
    )
    for number, (answer, does, kind) in enumerate(answers):
        y = 54 + 44 * number
        sheet.rect(20, y, 200, 32, kind, 6)
        sheet.text(120, y + 21, answer, "on mid")
        sheet.arrow(220, y + 16, 268, y + 16)
        sheet.text(280, y + 21, does)
    sheet.small(20, sheet.height - 14, "Opening a link answers nothing; pressing its button does.")
    return sheet


def rapport(config: Config) -> Sheet:
    days = config.tone.cheerful_after_bad_news.days
    sheet = Sheet(
        212,
        f"After a no: {days} days without cheer",
        f"On day 0 they are rejected. Cheerful mail of any campaign waits until day {days}; mail "
        "about another process of theirs goes on.",
    )
    left, day = 190, 34
    end = left + day * days
    for number in range(0, days + 2, 2):
        sheet.small(left + day * number, 58, f"day {number}", "mid")
    rows = (
        ("The no itself", "read by a recruiter first"),
        ("Cheerful mail", "waits"),
        ("An interview elsewhere", "its dates go on"),
    )
    for number, (words, more) in enumerate(rows):
        y = 74 + 44 * number
        sheet.line(20, y + 40, WIDTH - 20, y + 40)
        sheet.text(20, y + 16, words, "title")
        sheet.small(20, y + 32, more)
    sheet.dot(left, 94, "blue")
    sheet.rect(left, 124, end - left, 22, "amber pale")
    sheet.dot(left + 3 * day, 135, "amber hollow")
    sheet.line(left + 3 * day + 6, 135, end - 6, 135, "amber dotted")
    sheet.dot(end, 135, "amber")
    for at in (2, 5, 6, 9):
        sheet.dot(left + at * day, 182, "blue")
    return sheet


def knowledge(_: Config) -> Sheet:
    rows = (
        (
            "Three facts on how we decide",
            "fresh, not read yet",
            "this one, in the next mail",
            "green",
        ),
        ("A day in the data team", "read in March", "never the same twice", "quiet"),
        ("Our benefits 2025", "stale since January", "never sent; its owner is told", "red"),
    )
    sheet = Sheet(
        66 + 48 * len(rows),
        "What to show somebody next",
        " ".join(f"{what}: {state}, {then}." for what, state, then, _ in rows),
    )
    for number, (what, state, then, kind) in enumerate(rows):
        y = 50 + 48 * number
        sheet.rect(20, y, 450, 38, "box" if kind != "green" else "green pale", 6)
        sheet.text(34, y + 24, what, "title")
        sheet.small(456, y + 24, state, "end")
        sheet.arrow(470, y + 19, 510, y + 19)
        sheet.text(520, y + 24, then, "" if kind == "green" else "quiet")
    return sheet


#: The same axis as the campaign: where each of its moments stands.
_PLACES = {"3 business days before": 200, "2 business days before": 320, "1 day before": 440}


def time(_: Config) -> Sheet:
    """When the mails of an interview come, and from when on they would be useless."""
    text = (ROOT / "campaigns/interview-preparation.yaml").read_text(encoding="utf-8")
    lasts = {
        "how to prepare": ("3 business days before", 540),
        "sample questions": ("2 business days before", 470),
        "the day before": ("1 day before", 540),
    }
    missing = [
        words for words, _ in lasts.values() if f"at: {words} interview.starts_at" not in text
    ]
    if missing:
        raise SystemExit(f"the campaign has no step at {missing}: draw it anew")
    sheet = Sheet(
        250,
        "Each mail of an interview, and until when it helps",
        "Each goes at its moment or in the open hours after it, as long as there is time to use "
        "it; past the end of its bar it is dropped.",
    )
    start = 600
    for words, x in {"3 days": 200, "2 days": 320, "1 day": 440, "2 hours": 540}.items():
        sheet.small(x, 58, words, "mid")
        sheet.line(x, 66, x, 214)
    sheet.rect(start, 66, 60, 148, "blue pale", 2)
    sheet.small(start + 30, 58, "interview", "mid")
    for number, (what, (words, until)) in enumerate(lasts.items()):
        y = 78 + 34 * number
        sheet.text(20, y + 15, what, "title")
        sheet.rect(_PLACES[words], y, until - _PLACES[words], 20, "green pale")
        sheet.dot(_PLACES[words], y + 10, "green")
    sheet.text(20, 195, "time and link", "title")
    sheet.dot(540, 190, "green")
    sheet.small(20, 238, "Moved? All of it moves. Cancelled? None of it goes.")
    return sheet


def tailoring(config: Config) -> Sheet:
    hours = config.contact_hours
    opens, closes = (each.hour + each.minute / 60 for each in (hours.from_, hours.to))
    sheet = Sheet(
        266,
        "The house's hours, and theirs on top",
        f"The house writes from {hours.from_:%H:%M} to {hours.to:%H:%M}. Somebody who takes the "
        "children to school is not written to before 09:15, and hears of what can wait on "
        "Thursdays. An interview at 08:00 is shown to the recruiter before it is confirmed.",
    )
    left, top, hour, day = 130, 70, 40, 34

    def x(at: float) -> float:
        return left + (at - 7) * hour

    for at in range(8, 20, 2):
        sheet.small(x(at), 60, f"{at:02}:00", "mid")
    for number, name in enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")):
        y = top + number * day
        sheet.text(118, y + 19, name, "end")
        sheet.rect(x(opens), y + 4, x(closes) - x(opens), day - 8, "open")
        sheet.rect(x(8), y + 4, x(9.25) - x(8), day - 8, "red pale", 2)
    sheet.dot(x(8), top + day + 17, "red hollow")
    sheet.text(x(8) - 16, top + day + 21, "!", "title end")
    sheet.dot(x(10), top + 3 * day + 17, "green")
    sheet.text(x(10) + 14, top + 3 * day + 21, "their weekly mail, all in one")
    sheet.rect(x(8), top + 5 * day + 4, 14, 14, "red pale", 2)
    sheet.small(x(8) + 22, top + 5 * day + 15, "“not 08:00-09:15”: an interview there is a warning")
    return sheet


def humanise(_: Config) -> Sheet:
    """Which kit goes before which kind of interview, from the campaign."""
    kits = kits_of((ROOT / "campaigns/interview-preparation.yaml").read_text(encoding="utf-8"))
    sheet = Sheet(
        76 + 32 * len(kits),
        "Before each interview, what helps in that one",
        " ".join(f"{kind}: {template}." for kind, template in kits.items()),
    )
    for number, (kind, template) in enumerate(kits.items()):
        y = 48 + 32 * number
        sheet.rect(20, y, 140, 24, "blue pale", 5)
        sheet.text(90, y + 17, kind, "mid")
        sheet.arrow(160, y + 12, 208, y + 12)
        sheet.text(220, y + 17, template, "title")
    y = sheet.height - 12
    sheet.small(20, y, "Format, length, names, topics, what we can adjust, how to move it.")
    return sheet


def kits_of(campaign: str) -> dict[str, str]:
    """Kind of interview to the template that goes some days before it."""
    found: dict[str, str] = {}
    days = r"at: \d business days before interview\.starts_at"
    steps = re.findall(rf"- send: (\S+)\n +{days}\n(?: +#.*\n)* +if: (.+)", campaign)
    for template, condition in steps:
        named = re.findall(r'"(\w+)"', condition)
        kinds = ["any other"] if "not" in condition.split() else named
        found |= dict.fromkeys(kinds, template)
    return dict(sorted(found.items(), key=lambda pair: (pair[0] == "any other", pair[0])))


def balance(config: Config) -> Sheet:
    """Four wishes of one morning, and what reaches the inbox."""
    cap = config.caps[0]
    sheet = Sheet(
        236,
        "What campaigns want on one morning, and what arrives",
        f"A preparation, sample questions and a note on the team become one mail. A culture mail "
        f"keeps its distance and goes on another day. At most {cap.at_most} mails in "
        f"{cap.per.total_seconds() / 3600:g} hours.",
    )
    wishes = (
        ("How to prepare", "prep", "blue"),
        ("Sample questions", "help", "green"),
        ("The team", "help", "green"),
        ("How we decide", "culture", "amber"),
    )
    for number, (what, category, kind) in enumerate(wishes):
        y = 56 + 38 * number
        sheet.rect(20, y, 230, 28, f"{kind} pale", 6)
        sheet.text(34, y + 19, what, "title")
        sheet.small(238, y + 19, category, "end")
    for number in range(3):
        sheet.arrow(250, 70 + 38 * number, 370, 108)
    sheet.rect(370, 72, 160, 72, "blue", 6)
    sheet.text(450, 102, "one mail,", "on mid")
    sheet.text(450, 122, "three parts", "on mid")
    sheet.small(546, 112, "this morning")
    sheet.line(250, 184, 600, 184, "amber dotted")
    sheet.dot(610, 184, "amber")
    sheet.small(626, 188, "next week")
    sheet.small(
        20, 224, f"At most {cap.at_most} a day and {config.caps[1].at_most} a week, calls included."
    )
    return sheet


def _stage(name: str) -> str:
    return name.replace("_", " ")


def _days(each: Duration) -> str:
    noun = each.unit.removesuffix("s") if each.amount == 1 else each.unit
    return f"{each.amount} {noun}"


PICTURES: dict[str, Callable[[Config], Sheet]] = {
    "1-transparency": transparency,
    "2-communication": communication,
    "3-trust": trust,
    "4-openness": openness,
    "5-rapport": rapport,
    "6-knowledge": knowledge,
    "7-time": time,
    "8-tailoring": tailoring,
    "9-humanise": humanise,
    "10-balance": balance,
}


def drawn() -> dict[str, str]:
    """Each picture's text, by its name."""
    config = load_config(ROOT / "config.yaml", {})
    return {name: str(draw(config)) for name, draw in PICTURES.items()}


if __name__ == "__main__":
    for name, text in drawn().items():
        (HERE / f"{name}.svg").write_text(text, encoding="utf-8")
