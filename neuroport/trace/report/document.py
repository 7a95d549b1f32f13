"""A report as one HTML file: tables, and figures in it, whose colours are those of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from neuroport.disk.output import check_output, write_bytes
from neuroport.errors import InvalidInput
from neuroport.pages import Page
from neuroport.pages.html import parts
from neuroport.trace.read import Trace
from neuroport.trace.report.figures import svg, variables
from neuroport.trace.report.onchip import arithmetic, drift, mapping
from neuroport.trace.report.pages import comparison, provenance, results

ENDINGS = (".html", ".htm")
STYLE = (
    f"""
:root {{ color-scheme: light dark; --ground: #fff; --ink: #1b1b1b; --faint: #666; --line: #ccc; --code: #f4f4f4;
  {variables(dark=False)} }}
@media screen and (prefers-color-scheme: dark) {{
  :root {{ --ground: #000; --ink: #e6e6e6; --faint: #a0a0a0; --line: #444; --code: #1c1c1c;
    {variables(dark=True)} }}
  svg image {{ filter: invert(1) hue-rotate(180deg) }}
}}
"""
    + """
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line) }
h3 { font-size: 1rem }
.wide, figure { overflow-x: auto } figure { margin: 1rem 0 }
svg { width: 100%; max-width: 48rem; min-width: 30rem; height: auto; fill: currentColor }
table { border-collapse: collapse; margin: .8rem 0; font-size: .87rem; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .55rem; border-bottom: 1px solid var(--line); vertical-align: top }
td { white-space: nowrap } td:last-child { white-space: normal; overflow-wrap: break-word }
pre { background: var(--code); padding: .6rem; overflow-x: auto; font-size: .82rem }
.faint { color: var(--faint) }
@media print {
  body { margin: 0; font-size: 10pt } figure, tr { break-inside: avoid } svg { min-width: 0 }
  pre { white-space: pre-wrap; overflow-wrap: anywhere }
  th, td { white-space: normal; overflow-wrap: anywhere; padding: .15rem .3rem }
  table { font-size: .75em }
}
"""
)


@dataclass(frozen=True, slots=True)
class Beside:
    """What a report tells besides traces, of a file of another kind."""

    path: Path
    name: str
    pages: tuple[Page, ...]


def write(traces: Sequence[Trace], path: str | Path, overwrite: bool = False, beside: Sequence[Beside] = ()) -> None:
    """Write a report of traces, and what is told beside them, to an HTML file.

    InvalidInput, Unsupported without matplotlib, NotWritten.
    """
    check_output(
        path, overwrite, "a report", ENDINGS, [*(one.path for one in traces), *(one.path for one in beside)], is_report
    )
    write_bytes(path, document(traces, beside).encode())


def is_report(path: Path) -> bool:
    """Whether a file is empty, or a report."""
    with path.open("rb") as file:
        start = file.read(200)
    return not start or b"neuroport report" in start


def document(traces: Sequence[Trace], beside: Sequence[Beside] = ()) -> str:
    """The report of traces, in the order in which they are given, and then of what is told beside them."""
    names = [*(trace.name for trace in traces), *(other.name for other in beside)]
    one = len(names) == 1
    title = names[0] if one else f"{len(names)} runs"
    body = [f"<h1>{escape(title)}</h1>"]
    if len(traces) > 1:
        body += [_section(comparison(traces), 2), *_figures(traces, f"{len(traces)} runs over each other", "all")]
    for k, trace in enumerate(traces):
        body += _headed(trace.path, one, _of(trace, traces, 2 if one else 3, f"run{k}"))
    for other in beside:
        body += _headed(other.path, one, (_section(page, 2 if one else 3) for page in other.pages))
    head = f'<meta charset="utf-8"><meta name="generator" content="neuroport report"><title>{escape(title)}</title>'
    wide = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}{wide}<style>{STYLE}</style></head>\n<body>'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _headed(path: Path, one: bool, parts: Iterable[str]) -> Iterator[str]:
    """What is told of a file, below its name where it is one of several."""
    if not one:
        yield f"<h2>{escape(path.name)}</h2>"
    yield from parts


def _of(trace: Trace, traces: Sequence[Trace], level: int, key: str) -> Iterator[str]:
    """All that is told of one of some traces."""
    yield _section(results(trace), level)
    yield from _figures([trace], f"{trace.name} on {trace.chip}", key)
    for page in (arithmetic(trace), drift(trace, traces), mapping(trace), provenance(trace)):
        yield _section(page, level)


def _section(page: Page, level: int) -> str:
    """A page below a heading; nothing of one that has nothing."""
    if not page.filled:
        return ""
    inner = "".join(f'<div class="wide">{part}</div>' for part in parts(page))
    return f"<section><h{level}>{escape(page.heading)}</h{level}>{inner}</section>"


def _figures(traces: Sequence[Trace], told: str, key: str) -> Iterator[str]:
    """What can be drawn of traces; where that is nothing, a line that says so."""
    try:
        yield f"<figure>{svg(traces, told, key)}</figure>"
    except InvalidInput as error:
        yield f'<p class="faint">{escape(str(error))}</p>'
