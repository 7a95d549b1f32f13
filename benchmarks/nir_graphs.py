"""Graphs of the NIR paper on chips: which share of the spikes of floating point each layer has at the same step.

    python benchmarks/nir_graphs.py PAPER

PAPER is the folder `paper` of the NIR repository. The input is random, the same for all chips, and ranges are found in
it: the data sets of the paper are not there.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.api.nir import Imported
from tests.support.nir_graphs import same, spikes

GRAPHS: tuple[tuple[str, tuple[int, ...], float, dict[str, Any]], ...] = (
    ("01_lif/lif_norse.nir", (1000, 1), 0.034, {}),
    ("03_rnn/braille_noDelay_bias_zero.nir", (256, 12), 0.15, {}),
    ("03_rnn/braille_noDelay_noBias_subtract.nir", (256, 12), 0.15, {"reset": "subtract"}),
    ("02_cnn/cnn_sinabs.nir", (100, 2, 34, 34), 0.1, {}),
)
CHIPS = ("ideal", "generic16", "generic8", "loihi1")


def imported(file: Path, shape: tuple[int, ...], density: float, said: Mapping[str, Any], out: Path) -> Imported:
    """The network of a graph, calibrated with random spikes."""
    x = (np.random.default_rng(5).random(shape) < density).astype(float)
    return neuroport.from_nir(file, samples=x, output=out, **said)


def main() -> None:
    """Print a table."""
    paper = Path(sys.argv[1])
    print("| graph | chip | spikes by layer | at the same step as in floating point | import, run |")
    print("|---|---|---|---|---|")
    for name, shape, density, said in GRAPHS:
        with tempfile.TemporaryDirectory() as folder:
            start = time.process_time()
            made = imported(paper / name, shape, density, said, Path(folder) / "net.yaml")
            took, ideal = time.process_time() - start, {}
            for chip in CHIPS:
                start = time.process_time()
                found = spikes(made, chip, "emulator")
                found.pop("input", None)
                run = time.process_time() - start
                ideal = ideal or found
                counts = ", ".join(f"{int(rows.sum()):,}" for rows in found.values())
                shares = ", ".join(f"{100 * share:.0f} %" for share in same(ideal, found).values())
                print(
                    f"| `{Path(name).stem}` | `{chip}` | {counts} | {shares} | {took:.1f} s, {run:.1f} s |", flush=True
                )


if __name__ == "__main__":
    main()
