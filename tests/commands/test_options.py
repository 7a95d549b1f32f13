"""What is said below the commands is said to users of Python, too: it names no option of the command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

HOME = ROOT / "neuroport"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
OF_OTHERS = {"--eval", "--query-gpu", "--format", "--force-reinstall", "--fmad"}
"""Options of other programs."""
OF_STYLES = {"--ground", "--ink", "--faint", "--line", "--code", "--colour-"}
"""Variables of the styles of a page."""
IN_COMMANDS = re.compile(r"\bneuroport \w+ [^;]*|on the command line [^,;)]*")
"""Where a whole command is told, or that it is one."""
PLACES = {"--set", "--mismatch", "--overwrite"}
"""What is changed by such an option has it as its place; how to replace a file is told by the option's name."""


def _said(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every text but docstrings, with its line."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.lineno, node.value


def faults(text: str) -> list[str]:
    """The options that a module of the package names, each with its line."""
    found = []
    for line, said in _said(ast.parse(text)):
        options = set(OPTION.findall(IN_COMMANDS.sub("", said))) - OF_OTHERS - OF_STYLES - PLACES
        found += [f"{line}: {option}" for option in sorted(options)]
    return found


ROOMS = [p for p in sorted(HOME.iterdir()) if p.is_dir() and p.name != "commands"]
FILES = [path for room in ROOMS for path in sorted(room.rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(HOME)))
def test_no_option_is_named_below_the_commands(path: Path) -> None:
    assert faults(path.read_text("utf-8")) == []


def test_options_are_found() -> None:
    assert faults('f"leave --device out, {x}"') == ["1: --device"]
    assert faults('"write it again with: neuroport show CHIP --chip-seed N"') == []
    assert faults('"""Of `--device`."""') == []
