"""docs/library.md: all that comes with neuroport on one page, from the texts that `neuroport show` shows.

`python -m neuroport.catalogue.book docs/library.md` writes the page anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from neuroport.catalogue import ALL
from neuroport.catalogue.models import kinds
from neuroport.pages import Table
from neuroport.pages.markdown import escaped, markdown, table

START = """\
# The library

What comes with neuroport: neuron and synapse models, chips, networks, and what a network file may have of metrics,
connections, stimuli and data sets. `neuroport list models` (chips, networks, datasets, metrics, connections, stimuli)
has a line for each, `neuroport show NAME` what stands below, and in Python `print(neuroport.models["lif"])`,
`neuroport.chips["generic8"]` and the like have the same. How models are written says [language.md](language.md).

This page is made of the texts of what it tells of: `python -m neuroport.catalogue.book docs/library.md` makes it anew.
"""
COLUMNS = """\
Of a parameter or variable, *unit* is the one in which a network file gives it (- or 1: a pure number), *range* is in
that unit, *set in a run* says whether the protocol and hosts may change it, and *deviates as* is the kind of mismatch
of a chip that acts on it. *word* is the class of the chip's words that holds a variable. Inside models numbers are in
ms, mV, nA, MOhm, uS, nF and kHz: so a weight of 1 at an input in Hz adds 1 kHz.
"""
SECTIONS = {
    "networks": "Networks",
    "metrics": "Metrics",
    "connections": "Connections",
    "stimuli": "Stimuli",
    "datasets": "Data sets",
}


def book() -> str:
    """The page."""
    return "\n".join([START, *_models(), *_chips(), *_lists()])


def _models() -> Iterator[str]:
    for kind in ("neuron", "synapse"):
        yield f"## {kind.capitalize()} models\n"
        if kind == "neuron":
            yield COLUMNS
        names = [name for name, of in kinds().items() if of == kind]
        yield "".join(f"- [`{name}`](#{name}): {escaped(ALL['models'].titles[name])}\n" for name in names)
        for name in names:
            yield markdown(ALL["models"].page(name))


def _chips() -> Iterator[str]:
    yield "## Chips\n"
    for name in ALL["chips"]:
        yield markdown(ALL["chips"].page(name))


def _lists() -> Iterator[str]:
    for what, title in SECTIONS.items():
        yield f"## {title}\n"
        rows = tuple((f"`{name}`", text) for name, text in ALL[what].titles.items())
        yield table(Table((ALL[what].each, "what it is"), rows))
        yield ""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(book(), "utf-8")
