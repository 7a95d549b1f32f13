"""The clients of examples/ speak to a server, and hear what a session here does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.looped import opened, served

pytestmark = pytest.mark.dear
pytest.importorskip("msgpack", reason="serving needs msgpack: pip install 'neuroport[hil]'")

NODE = shutil.which("node")


COMMANDS = pytest.mark.parametrize(
    "command",
    [
        pytest.param([sys.executable, "-I", "-S", "examples/raw_client.py"], id="python"),
        pytest.param(
            [NODE or "node", "examples/client.mjs"],
            id="node",
            marks=pytest.mark.skipif(NODE is None, reason="Node.js is not there"),
        ),
    ],
)


@COMMANDS
def test_an_example_hears_what_a_session_here_does(root: Path, tmp_path: Path, command: list[str]) -> None:
    with served(tmp_path, "plain://127.0.0.1:0") as where:
        host, _, port = where.removeprefix("plain://").rpartition(":")
        done = subprocess.run(
            [*command, host, port, "cells.drive", "0.6"], cwd=root, capture_output=True, text=True, timeout=60
        )
    with opened() as session:
        for _ in range(100):
            session.exchange({"cells.drive": 0.6})
        spikes, digest = len(session.spikes("cells")[0]), session.digest()
    assert spikes > 100
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first.startswith("neuroport ")
    assert first.endswith(": emulator of looped")
    assert second == f"{spikes} spikes of cells in 100 steps, digest {digest}"


@COMMANDS
@pytest.mark.parametrize(
    "arguments", [[], ["127.0.0.1"], ["127.0.0.1", "x"], ["127.0.0.1", "1", "name"], ["127.0.0.1", "1", "name", "x"]]
)
def test_an_example_without_its_arguments_says_how_it_is_used(
    root: Path, command: list[str], arguments: list[str]
) -> None:
    done = subprocess.run([*command, *arguments], cwd=root, capture_output=True, text=True, timeout=60)
    program = Path(command[0]).stem.rstrip("0123456789.")
    usage = f"usage: {program} {command[-1]} HOST PORT [NAME VALUE]\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", usage)


@COMMANDS
def test_an_example_says_that_nobody_answers(root: Path, command: list[str]) -> None:
    done = subprocess.run([*command, "127.0.0.1", "1"], cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("nobody answers at 127.0.0.1:1: ")
