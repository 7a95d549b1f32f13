"""However a file is damaged, every command that reads it answers with sentences and exit code 2, or rightly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.damaged_cases import CASES, faults

pytestmark = pytest.mark.dear
CHUNKS = 4
FLIPPED = ["integer trace", "chip instance", "numbers"]


@pytest.mark.parametrize("name", CASES)
def test_some_damaged_files(tmp_path: Path, name: str) -> None:
    assert faults(CASES[name], tmp_path, 0, 1, CASES[name].sample) == []


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("name", CASES)
def test_many_damaged_files(tmp_path: Path, name: str, chunk: int) -> None:
    every = CASES[name].every
    assert faults(CASES[name], tmp_path, chunk * every, CHUNKS * every) == []


def _flipped(folder: Path, first: int, count: int, *names: str) -> list[str]:
    """What is wrong with the answers to files of which some bytes changed."""
    command = [sys.executable, "-m", "tests.support.flips", str(folder), str(first), str(count), *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return list(json.loads(done.stdout)) if done.returncode == 0 else [done.stderr]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutant has a process of its own, made by fork")
def test_some_bytes_that_changed(tmp_path: Path) -> None:
    """libhdf5 itself may crash, or never end: every mutant has a process of its own, with limits."""
    assert _flipped(tmp_path, 0, 12, *FLIPPED) == []


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutant has a process of its own, made by fork")
@pytest.mark.parametrize("first", range(100, 2100, 500))
@pytest.mark.parametrize("name", FLIPPED)
def test_many_bytes_that_changed(tmp_path: Path, name: str, first: int) -> None:
    assert _flipped(tmp_path, first, 500, name) == []
