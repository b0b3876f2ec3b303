"""How does a simulation look as a page that can be mailed around? One file, nothing loaded."""

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2327; margin: 2rem; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; }
th, tr + tr { border-bottom: 1px solid #d8dee4; }
tr.skip { color: #59636e; }
"""


def page(days: int, columns: Sequence[str], rows: Iterable[Sequence[str]], totals: str) -> str:
    """`rows` as a table; the column `verdict` is each row's class."""
    verdict = list(columns).index("verdict")
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "\n".join(
        f'<tr class="{escape(row[verdict])}">'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nurture: the next {days} days</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>The next {days} days</h1>
<p>{escape(totals)}. Simulated: nothing was written and nothing was sent.</p>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</body>
</html>
"""
