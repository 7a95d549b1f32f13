"""Copies of a network on a GPU, in a process of its own: python -m tests.support.on_a_gpu DEVICE NET CHIP STEPS.

Prints what they compute and what single runs do on the emulator, as JSON: a list of pairs.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import neuroport
from neuroport.api.run import Run

SEEDS, CHIP_SEEDS = (5, 6, 11), (0, 1, 2)


def pairs(device: str, name: str, chip: str, steps: str) -> list[tuple[list[Any], list[Any]]]:
    """What each copy came to, and its single run."""
    network, lasts = neuroport.load(name), f"{steps} steps"
    chip_seeds = CHIP_SEEDS if "mismatch" in chip else None
    copies = neuroport.run_copies(network, SEEDS, "genn", chip, chip_seeds=chip_seeds, duration=lasts, device=device)
    single = [
        neuroport.run(network, "emulator", chip, seed=seed, chip_seed=chip_seed, duration=lasts)
        for seed, chip_seed in zip(SEEDS, chip_seeds or (None, None, None), strict=True)
    ]
    return [(_outcome(a), _outcome(b)) for a, b in zip(copies, single, strict=True)]


def _outcome(run: Run) -> list[Any]:
    return [run.digest, run.spikes, run.overflows, run.seed, run.chip_seed]


if __name__ == "__main__":
    print(json.dumps(pairs(*sys.argv[1:])))
