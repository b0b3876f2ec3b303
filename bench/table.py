"""Where do the figures go? `python -m bench --json > figures.jsonl`, then
`python -m bench.table figures.jsonl` prints them as tables, and with `--into FILE ...` puts each
between its marks in these pages: `<!-- bench: PART -->` and `<!-- /bench -->`.
"""

import argparse
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.race import BASES

Figures = Mapping[str, float]

_FACTORS = (*BASES.values(), "of smtp-source")
#: What was aimed at: part, label, and at least or at most how much.
_AIMS: tuple[tuple[str, str, str, float], ...] = (
    *(
        ("mailing", f"nurture, {database}: {factor}", "at least", aim)
        for factor, aim in (
            ("times django-post-office", 7),
            ("times sensible", 30),
            ("times naive", 75),
            ("of smtp-source", 0.35),
        )
        for database in ("SQLite", "PostgreSQL")
    ),
    ("mailing", "nurture, two processes, PostgreSQL: times django-post-office", "at least", 10),
    ("mailing", "nurture, two processes, PostgreSQL: of smtp-source", "at least", 0.5),
    ("mailing", "nurture, SQLite: CPU us a mail", "at most", 500),
    ("mailing", "nurture, PostgreSQL: CPU us a mail", "at most", 500),
    ("mailing", "nurture, signed by rsa-2048, SQLite: of the unsigned rate", "at least", 0.5),
    ("mailing", "nurture, signed by rsa-2048, PostgreSQL: of the unsigned rate", "at least", 0.5),
    ("idle", "SQLite: idle tick, many to few", "at most", 1.2),
    ("idle", "PostgreSQL: idle tick, many to few", "at most", 1.2),
    ("deciding", "SQLite: many to few", "at most", 1.2),
    ("deciding", "PostgreSQL: many to few", "at most", 1.2),
    ("pages", "the slowest page: ms, 95th percentile", "at most", 100),
    ("memory", "SQLite: MB at the peak", "at most", 300),
    ("memory", "PostgreSQL: MB at the peak", "at most", 300),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.table", description=__doc__)
    parser.add_argument("figures", type=Path, nargs="+", help="later ones win")
    parser.add_argument("--into", type=Path, nargs="+", default=[])
    told = parser.parse_args()
    where: dict[str, Any] = {}
    parts: dict[str, Figures] = {}
    for file in told.figures:
        for line in file.read_text(encoding="utf-8").splitlines():
            figures = json.loads(line)
            if part := figures.pop("part", None):
                parts[part] = figures
            else:
                where = figures
    tables = {"aims": _aims(parts)}
    if where:
        tables["where"] = _where(where)
    tables |= {
        part: _race(figures) if part == "mailing" else _list(figures)
        for part, figures in parts.items()
    }
    for page in told.into:
        page.write_text(_filled(page.read_text(encoding="utf-8"), tables), encoding="utf-8")
    if not told.into:
        print("\n\n".join(f"{name}\n\n{table}" for name, table in tables.items()))


def _filled(page: str, tables: Mapping[str, str]) -> str:
    def between(found: re.Match[str]) -> str:
        table = tables.get(found[1])
        return (
            found[0] if table is None else f"<!-- bench: {found[1]} -->\n{table}\n<!-- /bench -->"
        )

    return re.sub(r"<!-- bench: ([a-z ]+) -->\n.*?<!-- /bench -->", between, page, flags=re.DOTALL)


def _race(figures: Figures) -> str:
    """A row for each contender, as they stand in the figures."""
    labels = [key.removesuffix(": mails a second") for key in figures if "mails a second" in key]
    fast = sorted(labels, key=lambda label: figures[f"{label}: mails a second"])
    head = ["contender", "mails a second", "CPU a mail, ms", "bytes", *_FACTORS]
    return _table(head, (_row(figures, label) for label in fast))


def _row(figures: Figures, label: str) -> list[str]:
    cells = [
        label,
        _number(figures[f"{label}: mails a second"]),
        f"{figures[f'{label}: CPU us a mail'] / 1000:.2f}",
        _number(figures.get(f"{label}: bytes of a letter")),
    ]
    for factor in _FACTORS:
        key = f"{label}: {factor}"
        cell = _number(figures.get(key))
        if f"{key}, least" in figures:
            least, most = figures[f"{key}, least"], figures[f"{key}, most"]
            cell = f"**{cell}** ({_number(least)}-{_number(most)})"
        cells.append(cell)
    return cells


def _aims(parts: Mapping[str, Figures]) -> str:
    rows = []
    for part, label, side, aim in _AIMS:
        measured = parts.get(part, {}).get(label)
        if measured is None:
            held = "not measured"
        else:
            held = "yes" if (measured >= aim if side == "at least" else measured <= aim) else "no"
        rows.append([f"{part}: {label}", f"{side} {_number(aim)}", _number(measured), held])
    return _table(["", "aim", "measured", "reached"], rows)


def _list(figures: Figures) -> str:
    return _table(["", ""], ([label, _number(number)] for label, number in figures.items()))


def _where(where: Mapping[str, Any]) -> str:
    quick = " (`--quick`: small numbers, one round: a smoke run)" if where.get("quick") else ""
    return (
        f"Measured on {where['measured_at']}{quick} on {where['cores']} cores ({where['machine']},"
        f" {where['system']}), Python {where['python']}, SQLite {where['sqlite']}."
    )


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(number: float | None) -> str:
    if number is None:
        return ""
    if number >= 100 or number == int(number):
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"


if __name__ == "__main__":
    main()
