"""What a first and a second signal do to a run, phase by phase: its exit code, what it says, and what there is then."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tests.support.phases import FIRST, PHASES, SECOND

pytestmark = pytest.mark.dear

STOPPING = "stopping; a second signal ends it at once"
ENDS = "the run has computed all its steps and ends by itself; a second signal ends it at once"
PRINTING = "the run has come to its end; a second signal ends the printing of what came out"
AT_ONCE = "ended at once"
LATER = "interrupted before the first step"
EMPTY = "'{0}.part' holds nothing that was recorded; remove it"
TRACE = "what was recorded until then is in {0}, marked incomplete; go on with 'neuroport run --resume {0}'"
PARTS = (
    "what was recorded lies in '{0}.part': go on with 'neuroport run --resume {0}', or join it with 'neuroport join "
    "{0}.part'"
)
WHOLE = "'{0}' is complete; remove '{0}.part', of which it was made"
HUP, TERM = 128 + FIRST, 128 + SECOND
Expected = tuple[int, str, bool, list[str]]
NOTHING = "nothing"
STOPS: tuple[Expected, Expected] = (
    (HUP, "incomplete", False, [STOPPING, "interrupted after {1} of 400 steps", TRACE]),
    (HUP, "parts", False, [STOPPING, AT_ONCE, PARTS]),
)
FINISHES: tuple[Expected, Expected] = (
    (0, "complete", True, [ENDS]),
    (HUP, "parts", False, [ENDS, AT_ONCE, PARTS]),
)
STARTS: tuple[Expected, Expected] = (
    (HUP, NOTHING, False, [LATER]),
    (HUP, NOTHING, False, [AT_ONCE, EMPTY]),
)
"""Exit code, what there is, whether results are printed, and what is said, after one signal and after two."""
EXPECTED: dict[str, tuple[Expected, Expected]] = {
    "reading": ((HUP, NOTHING, False, ["error: interrupted"]), (TERM, NOTHING, False, ["error: interrupted"])),
    "compiling": STARTS,
    "building": STARTS,
    "before the first piece": (
        (HUP, "incomplete", False, [STOPPING, LATER, TRACE]),
        (HUP, NOTHING, False, [STOPPING, AT_ONCE, EMPTY]),
    ),
    "a piece": STOPS,
    "flushing": STOPS,
    "a checkpoint": STOPS,
    "told": STOPS,
    "the last piece": FINISHES,
    "the end": FINISHES,
    "joining": FINISHES,
    "removing parts": (FINISHES[0], (HUP, "complete", False, [ENDS, AT_ONCE, WHOLE])),
    "printing": (
        (0, "complete", True, [PRINTING]),
        (HUP, "complete", False, [PRINTING, f"{AT_ONCE}; the run had come to its end"]),
    ),
    "after printing": ((0, "complete", True, []),) * 2,
    "leaving": ((0, "complete", True, []),) * 2,
}


def outcomes(folder: Path) -> dict[str, dict[str, Any]]:
    """All runs of `tests.support.phases`."""
    arguments = (sys.executable, "-m", "tests.support.phases", str(folder))
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def test_what_signals_do_in_every_phase_of_a_run(tmp_path: Path) -> None:
    found = outcomes(tmp_path / "runs")
    assert found.keys() == {f"{phase}, {n}" for phase in PHASES for n in (1, 2)} | {"building, dropped"}
    (digest,) = {run["digest"] for run in found.values()} - {None}
    for name, run in found.items():
        phase, _, number = name.partition(", ")
        code, left, is_printed, said = EXPECTED[phase][number == "2"]
        lines = [line.format(run["path"], run["steps"]) for line in said]
        errors = [line for line in run["errors"] if not line.startswith("notice:")]
        assert (run["code"], run["left"], run["is_printed"], errors) == (code, left, is_printed, lines), name
        assert run["digest"] == (None if left == NOTHING else digest), name
