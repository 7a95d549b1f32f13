"""The commands and code blocks of README.md and docs/ do what the pages say.

In a page, a yaml block whose first line is `# file: NAME` is written to NAME; `console` blocks hold commands after `$ `
and, where given, the lines that they print (`...` stands for anything, on a line of its own for any number of lines);
`# exit code N` after a command states how it ends, and the lines below such a command are also what it says on stderr.
Of other commands stderr is not compared: what a long run says of its progress depends on the machine. python blocks are
run. All blocks of a page share a folder, in order. Blocks that need an extra, or another package, are run where that is
installed.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import neuroport
from tests.support.checkout import ROOT

pytestmark = pytest.mark.dear

PAGES = [p for p in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if p.exists()]
BLOCK = re.compile(r"^```(yaml|console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


TABLES = re.compile(r"\.to_(pandas|xarray|neo)\(")
HAS_TABLES = all(importlib.util.find_spec(name) for name in ("pandas", "xarray"))
HIL = re.compile(r"^\$ neuroport hil |^from neuroport import hil$", re.MULTILINE)
NIR = re.compile(r"\.nir\b|^import nir$", re.MULTILINE)
HAS_NIR = importlib.util.find_spec("nir") is not None
OPTUNA = re.compile(r"^import optuna$", re.MULTILINE)
HAS_OPTUNA = importlib.util.find_spec("optuna") is not None
HAS_HIL = all(importlib.util.find_spec(name) for name in ("msgpack", "zmq"))
NEEDS = {"nir.md": "nir"}
"""Pages all of whose blocks need a package."""


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "NO_COLOR": "1"}
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def pattern(expected: str) -> str:
    """The regular expression of the lines that a page shows."""
    lines = [re.escape(line).replace(re.escape("..."), ".*?") + "\n" for line in expected.strip().split("\n")]
    return "".join("(?:.*\n)?" if line == ".*?\n" else line for line in lines)


def check_console(text: str, folder: Path) -> None:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, expected = part.partition("\n")
        command, _, note = line.partition("  # ")
        wanted = int(match.group(1)) if (match := re.search(r"exit code (\d)", note)) else 0
        words = shlex.split(command)
        assert words[0] == "neuroport", f"only neuroport commands can be run here: {line}"
        done = run([sys.executable, "-m", "neuroport", *words[1:]], folder)
        assert done.returncode == wanted, f"$ {line}\n{done.stdout}{done.stderr}"
        if expected.strip():
            printed = done.stdout if wanted == 0 else done.stdout + done.stderr
            assert re.fullmatch(pattern(expected), printed.strip() + "\n", re.DOTALL), (
                f"$ {line}\n{printed}\n≠\n{expected}"
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix().removeprefix("docs/"))
def test_page(page: Path, tmp_path: Path) -> None:
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name], reason=f"{page.name} makes its files with it")
    for kind, text in BLOCK.findall(page.read_text("utf-8")):
        if (HIL.search(text) and not HAS_HIL) or (TABLES.search(text) and not HAS_TABLES):
            continue
        if (NIR.search(text) and not HAS_NIR) or (OPTUNA.search(text) and not HAS_OPTUNA):
            continue
        if kind == "yaml":
            first = text.split("\n", 1)[0]
            if first.startswith("# file: "):
                (tmp_path / first.removeprefix("# file: ")).write_text(text, "utf-8")
        elif kind == "console":
            check_console(text, tmp_path)
        else:
            done = run([sys.executable, "-c", text], tmp_path)
            assert done.returncode == 0, f"{text}\n{done.stderr}"


NOT_SPIKING = {
    ("hil.md", "reflex.yaml"): "a host drives it",
    ("speed.md", "many.yaml"): "its weights are small on purpose: what is measured is the delivery of spikes",
}


def silent(text: str, folder: Path) -> list[str]:
    """The populations of a network that could spike and do not, in the run that its file says."""
    (folder / "network.yaml").write_text(text, "utf-8")
    run = neuroport.run(neuroport.load(folder / "network.yaml"), backend="emulator")
    return [population for population, spikes in run.spikes.items() if spikes == 0]


def shown(page: str) -> dict[str, str]:
    """The network files of a page that say how long they run, by their names."""
    blocks = [text for kind, text in BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")) if kind == "yaml"]
    files = {text.split("\n", 1)[0].removeprefix("# file: "): text for text in blocks if text.startswith("# file: ")}
    return {name: text for name, text in files.items() if "\nprotocol:" in text and "\npopulations:" in text}


def test_the_tour_of_a_network_file_spikes(tmp_path: Path) -> None:
    assert silent(shown("network.md")["tour.yaml"], tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("page", [page.name for page in PAGES if page.parent.name == "docs"])
def test_what_a_page_shows_spikes(page: str, tmp_path: Path) -> None:
    found = {}
    for name, text in shown(page).items():
        if (page, name) in NOT_SPIKING:
            continue
        try:
            found[name] = silent(text, tmp_path)
        except neuroport.InvalidInput:
            continue  # shown for what is said of it, or made of what other blocks of the page write
    assert {name: populations for name, populations in found.items() if populations} == {}
