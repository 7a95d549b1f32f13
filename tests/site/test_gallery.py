"""Every program of the gallery runs, draws, is short, and has its page."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

GALLERY = ROOT / "docs" / "gallery"
PROGRAMS = sorted(GALLERY.glob("*.py"))
LONG = {"pal_aligns", "sal_learns"}
"""They take more than a few seconds."""


def drawn(program: Path, folder: Path) -> str:
    """The picture that a program draws."""
    style = ROOT / "docs" / "site" / "matplotlibrc"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MATPLOTLIBRC": str(style), "PYTHONWARNINGS": "error"}
    command = [sys.executable, str(ROOT / "docs" / "site" / "draw.py"), str(program), str(folder / "picture.svg")]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return (folder / "picture.svg").read_text("utf-8")


@pytest.mark.dear
@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="there is no matplotlib (extra plot)")
@pytest.mark.parametrize(
    "program", [pytest.param(p, id=p.stem, marks=[pytest.mark.slow] if p.stem in LONG else []) for p in PROGRAMS]
)
def test_a_program_draws(program: Path, tmp_path: Path) -> None:
    picture = drawn(program, tmp_path)
    assert "#24292f" in picture, "the ink that dark pages replace"
    assert len(picture) < 400_000


def test_programs_are_short_and_have_pages() -> None:
    assert len(PROGRAMS) >= 10
    index = (GALLERY / "index.md").read_text("utf-8")
    for program in PROGRAMS:
        lines = program.read_text("utf-8").splitlines()
        assert 10 <= len(lines) <= 50, program.name
        assert f"```{{example}} {program.name}\n" in program.with_suffix(".md").read_text("utf-8")
        assert len(re.findall(rf"^{program.stem}$", index, re.MULTILINE)) == 2, (
            "a card and a place in the table of contents"
        )
