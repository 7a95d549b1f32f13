"""Every notebook runs from its first cell to its last, and is kept without outputs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LONG = {"hundred_chips", "own_rule"}
LACKING = [name for name in ("nbclient", "ipykernel", "sphinx", "matplotlib") if importlib.util.find_spec(name) is None]


@pytest.mark.dear
@pytest.mark.skipif(bool(LACKING), reason=f"there is no {', '.join(LACKING)} (extra docs)")
@pytest.mark.parametrize(
    "notebook", [pytest.param(n, id=n.stem, marks=[pytest.mark.slow] if n.stem in LONG else []) for n in NOTEBOOKS]
)
def test_a_notebook_runs(notebook: Path) -> None:
    command = [sys.executable, str(ROOT / "docs" / "site" / "notebooks.py"), str(notebook)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr


def test_notebooks_are_kept_without_outputs() -> None:
    assert [notebook.stem for notebook in NOTEBOOKS] == ["first_network", "hundred_chips", "own_rule"]
    for notebook in NOTEBOOKS:
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []
