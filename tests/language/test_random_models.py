"""Random model texts are what their text says: on `ideal` exactly, on chips of 32- and 48-bit words to 1e-4.

The truth is an evaluator of its own (support/text_evaluator.py). A failure prints the smallest program found to fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from neuroport import backends
from neuroport.chips import description as chips
from neuroport.chips.chip import Chip
from tests.support import random_models, text_trials
from tests.support.random_models import Case, case
from tests.support.text_evaluator import Evaluator
from tests.support.text_shrinking import shrink
from tests.support.text_trials import Finding, trials, wide

BLOCK = 50
USUAL, SLOW = 5, 80
"""Blocks of programs in the usual run, and with --slow."""
BLOCKS = [*range(USUAL), *(pytest.param(b, marks=pytest.mark.slow) for b in range(USUAL, SLOW))]
REFUSED = 1 / 3
"""More programs than this must not be refused."""


def findings(seeds: Sequence[int], on: Sequence[Chip]) -> list[Finding]:
    reference = backends.load("reference")
    return [finding for seed in seeds for finding in trials(case(seed), on, reference)]


def told(finding: Finding, chip: Chip) -> str:
    """A program that fails, made small, with what is wrong."""
    reference, allowed = backends.load("reference"), outside(finding.case)

    def fails(smaller: Case) -> bool:
        same = outside(smaller) <= allowed
        return same and any(f.wrong[:12] == finding.wrong[:12] for f in trials(smaller, [chip], reference))

    small = shrink(finding.case, fails, 80)
    wrong = trials(small, [chip], reference)[0].wrong
    return f"{finding.chip}: {wrong}\n{random_models.text(random_models.network([small]))}"


def outside(tried: Case) -> set[str]:
    """The variables that some assignment brings beyond their range."""
    evaluator = Evaluator(random_models.network([tried]))
    text_trials.drive(tried, evaluator)
    return evaluator.outside


@pytest.mark.dear
@pytest.mark.parametrize("block", BLOCKS)
def test_a_random_program_is_what_its_text_says(block: int) -> None:
    on = {chip.name: chip for chip in (chips.load("ideal"), wide(32), wide(48))}
    found = findings(range(block * BLOCK, (block + 1) * BLOCK), list(on.values()))
    wrong = [f for f in found if f.wrong]
    listed = "\n".join(f"case {f.case.seed} on {f.chip}: {f.wrong}" for f in wrong)
    assert not wrong, f"{listed}\n\n{told(wrong[0], on[wrong[0].chip])}"
    assert sum(bool(f.refused) for f in found) < REFUSED * len(found)


def test_most_values_are_compared() -> None:
    found = findings(range(60), [chips.load("ideal")])
    assert sum(f.compared for f in found) > 0.8 * len(random_models.RUNS) * len(found)


def test_a_wrong_evaluation_is_noticed() -> None:
    """A case of another text than the one that was run differs."""
    tried = next(c for c in map(case, range(100)) if "v = " in str(c.neurons))
    program = {name: {**model, "update": model["update"] + "v = v / 2\n"} for name, model in tried.neurons.items()}
    truth = text_trials.right(replace(tried, neurons=program), saturate=False)
    found = text_trials.run(tried, chips.load("ideal"), backends.load("reference"))
    assert text_trials.differences(found, truth, exact=True)
