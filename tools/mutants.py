"""Would a test notice? Breaks one law of agenda or sender at a time, in a copy; tells who saw it.

    python3 tools/bootstrap.py mutants            all, as a table of Markdown
    python3 tools/bootstrap.py mutants pace tone  those whose name holds one of these words

A mutation whose text is not found in the source any more is an error: it proved nothing. So is one
that no test notices, or a test that fails without it. Only tests with examples of their own count:
whether one with drawn examples sees it is luck.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
_COPIED = (
    *("nurture", "tests", "campaigns", "content", "templates", "sample"),
    *("config.yaml", "pyproject.toml"),
)

AGENDA = "nurture/core/agenda.py"
CAPS = "nurture/core/caps.py"
HOLDING = "nurture/core/holding.py"
LAWS = ("tests/core/test_agenda.py", "tests/core/test_agenda_laws.py", "tests/core/test_caps.py")
STORIES = ("tests/core/test_holding.py", *LAWS)
SENDER = "nurture/engine/sender.py"
WINDOWS = ("tests/engine/test_windows.py",)
SENDING = ("tests/engine/test_sending.py",)
CLOCKS = ("tests/core/test_every_clock_change.py", "tests/core/test_timing.py")


@dataclass(frozen=True)
class Mutation:
    """One law broken: a text that stands in a file exactly once, and what stands there instead."""

    law: str
    file: str
    was: str
    now: str
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "what is placed already takes no slot (no look-ahead)",
        AGENDA,
        "(self.limits.add_section if within else self.limits.add)(one)",
        "self.limits.add_section(one) if within else None",
        LAWS,
    ),
    Mutation(
        "calls and mails by people are not counted",
        CAPS,
        "self._all: list[Counted] = sorted(taken, key=_AT)",
        "self._all = sorted((one for one in taken if one.category), key=_AT)",
        LAWS,
    ),
    Mutation(
        "a cap lets one more in",
        CAPS,
        "self._tally(cap, cap.at_most, cap.per, counted, Reason.CAP)",
        "self._tally(cap, cap.at_most + 1, cap.per, counted, Reason.CAP)",
        LAWS,
    ),
    Mutation(
        "caps count calendar days",
        CAPS,
        "counted[first + at_most - 1].at, counted[first].at + per",
        "counted[first + at_most - 1].at, (counted[first].at + per).replace(hour=0, minute=0)",
        LAWS,
    ),
    Mutation(
        "a window counts what came before it only, not what is to come after",
        CAPS,
        "start = last_at - per - self.slack if ahead else last_at - per",
        "start = last_at",
        LAWS,
    ),
    Mutation(
        "the start of a full window is in it",
        CAPS,
        "            if start >= at:\n",
        "            if start > at:\n",
        ("tests/core/test_caps.py",),
    ),
    Mutation(
        "the end of a full window is in it",
        CAPS,
        "if last_at < end and at < end:",
        "if last_at < end and at <= end:",
        ("tests/core/test_caps.py",),
    ),
    Mutation(
        "a slot that is reserved has no slack in front of it",
        CAPS,
        "start = last_at - per - self.slack if ahead else last_at - per",
        "start = last_at - per",
        ("tests/core/test_caps.py",),
    ),
    Mutation(
        "what keeps the gap has no slack in front of it",
        CAPS,
        "start = one.at - self.gap.after_any - self.slack",
        "start = one.at - self.gap.after_any",
        ("tests/core/test_caps.py",),
    ),
    Mutation(
        "the gap is not kept",
        CAPS,
        "self._tally(gap, 1, gap.after_any, self._all, Reason.GAP)",
        "self._tally(gap, 99, gap.after_any, self._all, Reason.GAP)",
        LAWS,
    ),
    Mutation(
        "nothing rings when a mail's instant comes",
        AGENDA,
        "        self.alarm(at, want.truth.changes_at)\n        spite:",
        "        self.alarm(want.truth.changes_at)\n        spite:",
        (*LAWS, *CLOCKS),
    ),
    Mutation(
        "within a priority the first comes first, whatever its `until`",
        AGENDA,
        "            until is None,\n            want.moment_at if until is None else until,\n",
        "",
        ("tests/core/test_who_goes_first.py", *LAWS),
    ),
    Mutation(
        "priorities are ignored",
        AGENDA,
        "-(category.priority if category else 0),\n            until",
        "0,\n            until",
        LAWS,
    ),
    Mutation(
        "`until` is forgotten",
        AGENDA,
        "if until is not None and self.now > until:",
        "if until is not None and self.now > until and False:",
        LAWS,
    ),
    Mutation(
        "who does not want to be written to is written to",
        "nurture/core/barring.py",
        "if candidate.do_not_contact:",
        "if candidate.do_not_contact and False:",
        STORIES,
    ),
    Mutation(
        "the same text goes out twice",
        "nurture/core/barring.py",
        "if new_only(step, category) and (former",
        "if False and (former",
        STORIES,
    ),
    Mutation(
        "the house's `never` is ignored",
        HOLDING,
        "        found += hours_of_tone(self._policy.never, tone, self._recipient.calendar)\n",
        "",
        STORIES,
    ),
    Mutation(
        "cheerful mail follows bad news",
        HOLDING,
        "if end > now:",
        "if end > now and False:",
        STORIES,
    ),
    Mutation(
        "follow-ups have no ceiling",
        HOLDING,
        "if len(asked) < ceiling:",
        "if len(asked) < ceiling + 99:",
        STORIES,
    ),
    Mutation(
        "a candidate's own pace is ignored",
        AGENDA,
        "return [*self.limits.of(category.klass, category.name), *self.holding.pace(category)]",
        "return [*self.limits.of(category.klass, category.name)]",
        STORIES,
    ),
    Mutation(
        "a candidate's own hours are ignored",
        AGENDA,
        "wishes = self.candidate.wishes if own else None",
        "wishes = None",
        STORIES,
    ),
    Mutation(
        "a bundle has any number of parts",
        "nurture/core/bundling.py",
        "if len(lead.categories) >= self.rule.at_most:",
        "if len(lead.categories) >= 99:",
        ("tests/core/test_bundling.py", *LAWS),
    ),
    Mutation(
        "culture comes along within a preparation",
        "nurture/core/bundling.py",
        "if lead.klass is not category.klass:",
        "if lead.klass is None:",
        ("tests/core/test_bundling.py",),
    ),
    Mutation(
        "a mail at a ceiling may be dropped",
        "nurture/core/ceilings.py",
        "if not (dropped or closed):",
        "if not closed:",
        ("tests/core/test_ceilings.py", *LAWS),
    ),
    Mutation(
        "a promise is never due",
        "nurture/core/anchors.py",
        "found = promise.due_at",
        "found = None",
        ("tests/engine/test_promises.py",),
    ),
    Mutation(
        "a day is 24 hours, whatever the clocks do",
        "nurture/core/timing.py",
        '_EXACT = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1)}',
        '_EXACT = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1),'
        ' "days": timedelta(days=1)}',
        CLOCKS,
    ),
    Mutation(
        "an hour that the clock skips is where arithmetic puts it",
        "nurture/core/hours.py",
        "return at if shown == wall else _after_gap(wall, zone)",
        "return at",
        CLOCKS,
    ),
    Mutation(
        "who is in a campaign enters it again",
        "nurture/engine/enrolling.py",
        "    if not before:\n        return _ALWAYS\n",
        "    return _ALWAYS\n",
        ("tests/engine/test_becoming_one.py", "tests/engine/test_audience.py"),
    ),
    Mutation(
        "two who become one get twice what both were to get",
        "nurture/store/uniting.py",
        "_fold(connection, other, kept)\n            if",
        "if",
        ("tests/engine/test_becoming_one.py",),
    ),
    Mutation(
        "a mail is claimed after it was sent",
        SENDER,
        """            kept = self._mark(connection, chosen, lease, now) if chosen else set()
        self._kept |= kept
""",
        """        if chosen:
            self._hand_over(chosen, lease, now)
            with self.database.write() as connection:
                self._mark(connection, chosen, lease, now)
            self.outcomes.record()
            chosen = []
""",
        WINDOWS,
    ),
    Mutation(
        "a mail is handed over before its mark is durable",
        SENDER,
        """            kept = self._mark(connection, chosen, lease, now) if chosen else set()
        self._kept |= kept
""",
        """            kept = self._mark(connection, chosen, lease, now) if chosen else set()
            if chosen:
                self._hand_over(chosen, lease, now)
                chosen = []
        self.outcomes.record()
        self._kept |= kept
""",
        WINDOWS,
    ),
    Mutation(
        "who has what in hand is forgotten when outcomes are recorded",
        "nurture/store/planning.py",
        "mine = and_(messages.c.state == MessageState.SENDING, messages.c.lease == lease)",
        "mine = messages.c.state == MessageState.SENDING",
        WINDOWS,
    ),
    Mutation(
        "what another process is just sending is taken from it",
        "nurture/store/planning.py",
        "        query = query.where(messages.c.lease_until < now)\n",
        "        pass\n",
        SENDING,
    ),
    Mutation(
        "a window goes on after its lease",
        SENDER,
        "        if self.over() or self._stops.forbids(message):",
        "        if self._stops.forbids(message):",
        WINDOWS,
    ),
    Mutation(
        "leases are not renewed",
        SENDER,
        "                planning.renew(connection, self._lease, now + LEASE)\n",
        "",
        WINDOWS,
    ),
    Mutation(
        "a mail is decided, and marked in another transaction",
        SENDER,
        "            chosen = self._paced(connection, planned.values(), now)\n",
        "        with self.database.write() as connection:\n"
        "            chosen = self._paced(connection, planned.values(), now)\n",
        WINDOWS,
    ),
    Mutation(
        "queued mail is decided again without a lock",
        "nurture/store/planning.py",
        """    .limit(_MOST)
    .with_for_update(skip_locked=True)
)
_ENTER""",
        """    .limit(_MOST)
)
_ENTER""",
        WINDOWS,
    ),
    Mutation(
        "nobody is asked right before a mail leaves",
        SENDER,
        "        if self.over() or self._stops.forbids(message):",
        "        if self.over():",
        ("tests/engine/test_stops.py",),
    ),
    Mutation(
        "the journal has its line after the mail has left",
        SENDER,
        "                self._journal.offer(self._lease, message.id)\n",
        "                pass\n",
        WINDOWS,
    ),
    Mutation(
        "what was offered and not answered goes again after a crash",
        "nurture/engine/recovery.py",
        "if fates[row.id] is Fate.OFFERED and not sent_twice_rather(row.category)",
        "if fates[row.id] is Fate.OFFERED and sent_twice_rather(row.category)",
        SENDING,
    ),
    Mutation(
        "a journal of another boot is believed",
        "nurture/engine/journal.py",
        "            return None  # of another boot or machine, or somebody removed it",
        "            return {}",
        SENDING,
    ),
    Mutation(
        "what was sent is sent again when an edit hangs it on another fact",
        "nurture/core/past.py",
        "if mine and (not step.again_if_moved or _hung_elsewhere(record, step)):",
        "if mine and not step.again_if_moved:",
        ("tests/engine/test_edit_table.py",),
    ),
)


def main(words: Sequence[str]) -> int:
    """Prints the table. 1: a mutation lives; 2: one proves nothing."""
    chosen = [each for each in MUTATIONS if not words or any(word in each.law for word in words)]
    lost = list(not_found(chosen))
    for each in lost:
        print(f"{each.file}: not found, so it proves nothing: {each.was!r}", file=sys.stderr)
    if lost:
        return 2
    alive = 0
    print("| Broken law | Seen by |\n| --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(prefix="nurture-mutants-") as folder:
        copy = Path(folder)
        for name in _COPIED:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, copy / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, copy / name)
        for each in chosen:
            seen = killer(each, copy)
            alive += seen is None
            print(f"| {each.law} | {seen or 'NOBODY'} |", flush=True)
    return 1 if alive else 0


def not_found(mutations: Iterable[Mutation]) -> Iterable[Mutation]:
    """Those whose text is not in the source exactly once."""
    for each in mutations:
        if (ROOT / each.file).read_text(encoding="utf-8").count(each.was) != 1:
            yield each


def killer(mutation: Mutation, copy: Path) -> str | None:
    """The first test that fails by it."""
    file = copy / mutation.file
    sound = file.read_text(encoding="utf-8")
    for tests in mutation.tests:
        file.write_text(sound.replace(mutation.was, mutation.now), encoding="utf-8")
        try:
            seen = _failing(tests, copy)
        finally:
            file.write_text(sound, encoding="utf-8")
        if seen is not None:
            seen = seen.partition("[")[0]
            if _failing(seen, copy) is not None:
                raise SystemExit(f"{seen} fails without any mutation: it proves nothing")
            return f"`{seen}`"
    return None


def _failing(tests: str, copy: Path) -> str | None:
    words = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "not postgresql"]
    words += ["-m", "not hypothesis", tests]  # what a drawn example sees, the next draw may not
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode in (0, 5):  # 5: all of them draw their examples
        return None
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if found is None:
        raise SystemExit(f"{tests} could not be run:\n{done.stdout}{done.stderr}")
    return found[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
