"""A report as one HTML file: tables, and figures as pictures in it, once for light and once for dark."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO
from pathlib import Path

from neuroport.disk.output import check_output, write_bytes
from neuroport.errors import InvalidInput
from neuroport.pages import Page
from neuroport.pages.html import parts
from neuroport.trace.pictures.figure import drawn
from neuroport.trace.pictures.view import View
from neuroport.trace.read import Trace
from neuroport.trace.report.pages import arithmetic, comparison, provenance, results

ENDINGS = (".html", ".htm")
STYLES = ("light", "dark")
STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid } h3 { font-size: 1rem }
.wide { overflow-x: auto } figure { margin: 1rem 0 } img { max-width: 100%; height: auto }
table { border-collapse: collapse; margin: .8rem 0; font-size: .87rem; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .7rem; border-bottom: 1px solid; vertical-align: top }
h2, th, td { border-color: #ccc }
td { overflow-wrap: anywhere } td:first-child { overflow-wrap: normal }
pre { background: #f4f4f4; padding: .6rem; overflow-x: auto; font-size: .82rem }
.faint { color: #666 }
@media screen and (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #000 } h2, th, td { border-color: #444 } pre { background: #1c1c1c }
  .faint { color: #a0a0a0 } img.light { display: none }
}
@media print, (prefers-color-scheme: light) { img.dark { display: none } }
@media print { figure, tr { break-inside: avoid } pre { white-space: pre-wrap } }
"""


def write(traces: Sequence[Trace], path: str | Path, overwrite: bool = False) -> None:
    """Write a report of traces to an HTML file. InvalidInput, Unsupported without matplotlib, NotWritten."""
    check_output(path, overwrite, "a report", ENDINGS, [trace.path for trace in traces], is_report)
    write_bytes(path, document(traces).encode())


def is_report(path: Path) -> bool:
    """Whether a file is empty, or a report."""
    with path.open("rb") as file:
        start = file.read(200)
    return not start or b"neuroport report" in start


def document(traces: Sequence[Trace]) -> str:
    """The report of traces, in the order in which they are given."""
    one = len(traces) == 1
    title = traces[0].name if one else f"{len(traces)} runs"
    body = [f"<h1>{escape(title)}</h1>"]
    if not one:
        body += [_section(comparison(traces), 2), *_figures(traces, f"{len(traces)} runs over each other")]
    for trace in traces:
        body += _of(trace, 2 if one else 3)
    head = f'<meta charset="utf-8"><meta name="generator" content="neuroport report"><title>{escape(title)}</title>'
    wide = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}{wide}<style>{STYLE}</style></head>\n<body>'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _of(trace: Trace, level: int) -> Iterator[str]:
    """All that is told of a trace."""
    if level > 2:
        yield f"<h2>{escape(trace.path.name)}</h2>"
    yield _section(results(trace), level)
    yield from _figures([trace], f"{trace.name} on {trace.chip}")
    yield _section(arithmetic(trace), level)
    yield _section(provenance(trace), level)


def _section(page: Page, level: int) -> str:
    """A page below a heading; nothing of one that has nothing."""
    if not page.filled:
        return ""
    inner = "".join(f'<div class="wide">{part}</div>' for part in parts(page))
    return f"<section><h{level}>{escape(page.heading)}</h{level}>{inner}</section>"


def _figures(traces: Sequence[Trace], told: str) -> Iterator[str]:
    """What can be drawn of traces; where that is nothing, a line that says so."""
    try:
        pictures = [_picture(traces, style, told) for style in STYLES]
    except InvalidInput as error:
        yield f'<p class="faint">{escape(str(error))}</p>'
        return
    yield f"<figure>{''.join(pictures)}</figure>"


def _picture(traces: Sequence[Trace], style: str, told: str) -> str:
    """A figure as a picture in the page: lines and texts stay sharp, many dots are pixels."""
    written = BytesIO()
    drawn(traces, View(style=style)).savefig(written, format="svg")
    data = base64.b64encode(written.getvalue()).decode()
    return f'<img class="{style}" alt="{escape(told)}" src="data:image/svg+xml;base64,{data}">'
