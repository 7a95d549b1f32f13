"""What a person sees on a terminal: tables with lines, and a bar while a run is under way."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from neuroport.cli import main
from tests.support.checkout import ROOT

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")


def on_a_terminal(*arguments: str, columns: int = 100) -> str:
    """What a command writes to the terminal on which its standard output and its messages are."""
    ours, its = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": str(columns), "LINES": "40"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "neuroport", *arguments]
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment) as process:
        os.close(its)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how Linux tells that nobody has the other end any more
                break
            if not piece:
                break
            seen += piece
    os.close(ours)
    assert process.returncode == 0, seen.decode()
    return seen.decode()


def test_a_run_shows_a_bar_and_then_tables() -> None:
    text = on_a_terminal("run", "stdp_pair", "--backend", "reference", "--for", "500 steps")
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert "\x1b[" in text
    assert re.search(r"stdp_pair [━╸╺ ]+ +\d+% [\d,]+ steps/s", plain), plain
    assert re.search(r"┏━+┳━+┳━+┓\r?\n┃ metric +┃ +value ┃ +at step ┃", plain), plain
    rows = [line.split("│")[1].strip() for line in plain.splitlines() if line.startswith("│")]
    assert rows == ["together", "alone", "rate", "source", "together", "alone", "cell"]


@pytest.mark.parametrize("arguments", [("show", "stdp_pair"), ("show", "synapse", "sal_micro_down"), ("list", "chips")])
@pytest.mark.parametrize("columns", [50, 80, 120])
def test_nothing_is_cut_off_where_a_terminal_ends(arguments: tuple[str, ...], columns: int) -> None:
    """What does not fit goes on in the next line; nothing is left out for three dots."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", on_a_terminal(*arguments, columns=columns)).replace("\r", "")
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= columns
    piped = CliRunner().invoke(main, list(arguments)).stdout
    assert letters(piped) == letters(text)


def letters(text: str) -> list[str]:
    """How often each letter is there: however a text is broken."""
    return sorted(letter for letter in text if letter.isalnum())
