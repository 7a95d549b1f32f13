"""Figures of a report: drawn once, as SVG in the page, whose colours the styles of the page give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from io import StringIO

from neuroport.trace.pictures.figure import COLOURS, ON_BLACK, drawn
from neuroport.trace.pictures.view import View
from neuroport.trace.read import Trace

_NAMED = {"#000000": "currentColor", "#ffffff": "var(--ground)"} | {
    colour.lower(): f"var(--colour-{k})" for k, colour in enumerate(COLOURS)
}
_COLOUR = re.compile(r"(?<=: )#[0-9a-f]{6}\b")
_ID = re.compile(r'(?<= id=")|(?<=href="#)|(?<=url\(#)')
"""Where a name begins that must be that of one element of the page."""
_BEFORE = re.compile(r"^.*?(?=<svg )|<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)


def svg(traces: Sequence[Trace], told: str, key: str) -> str:
    """A figure as an element of a page: lines and texts stay sharp, many dots are pixels. `key`: its own in the page.

    InvalidInput where there is nothing to draw; Unsupported without matplotlib.
    """
    from matplotlib import rc_context

    figure, written = drawn(traces, View()), StringIO()
    with rc_context({"svg.hashsalt": "report"}):
        figure.savefig(written, format="svg", metadata={"Date": None})
    text = _COLOUR.sub(lambda found: _NAMED.get(found[0], found[0]), _BEFORE.sub("", written.getvalue()))
    return _ID.sub(f"{key}-", text).replace("<svg ", f'<svg role="img" aria-label="{escape(told)}" ', 1)


def variables(dark: bool) -> str:
    """The colours of figures as variables of a style."""
    return " ".join(f"--colour-{k}: {colour};" for k, colour in enumerate(ON_BLACK if dark else COLOURS))
