"""Where tests lie: in the folder of what they test, each with a name of its own, and none imported by another."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from tests.support.checkout import ROOT

TESTS = ROOT / "tests"
WHOLE = {"test_docs", "test_floors", "test_import_time", "test_layout", "test_packaging"}
"""Tests of the checkout as a whole; they lie at the top."""


def imported(file: Path) -> set[str]:
    """The last parts of the names of all modules, and of what is taken from them, that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or "", *(name.name for name in node.names)}
    return {name.rpartition(".")[2] for name in names}


def test_no_test_module_is_imported() -> None:
    modules = {file.stem for file in TESTS.rglob("test_*.py")}
    found = {file.relative_to(TESTS).as_posix(): imported(file) & modules for file in TESTS.rglob("*.py")}
    assert {file: names for file, names in found.items() if names} == {}


def test_names_of_test_modules_differ() -> None:
    assert [name for name, n in Counter(file.stem for file in TESTS.rglob("test_*.py")).items() if n > 1] == []


def test_what_looks_at_a_part_lies_in_a_folder() -> None:
    assert {file.stem for file in TESTS.glob("test_*.py")} == WHOLE
