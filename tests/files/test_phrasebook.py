"""Every row of docs/phrasebook.md does what it says: its last column is put into the network, run, or executed."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import neuroport
from neuroport.cli import main
from tests.support.checkout import ROOT

pytestmark = pytest.mark.dear
PAGE = (ROOT / "docs" / "phrasebook.md").read_text("utf-8")
NET, PYTHON = re.findall(r"^```(?:yaml|python)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ROWS = dict(re.findall(r"^\| ([^|]+?) \| .+ \| (`.+`.*) \|$", PAGE, re.MULTILINE))
SECTIONS = {*yaml.safe_load(NET), "copies", "metrics", "neurons", "stimuli", "synapses"}


def merged(net: Any, more: Any) -> Any:
    """A mapping with what another one adds or says otherwise."""
    if not (isinstance(net, dict) and isinstance(more, dict)):
        return more
    return {key: merged(net.get(key), more[key]) if key in more else net[key] for key in {**net, **more}}


def phrases(row: str) -> Iterator[tuple[str, Any]]:
    """What stands in the last column of a row, in order: each with what it is."""
    for text in re.findall(r"`([^`]+)`", ROWS[row]):
        if text.startswith("neuroport "):
            yield "command", text
        elif text.partition(":")[0] in SECTIONS:
            yield "file", yaml.safe_load(text)
        else:
            yield "python", text


def test_the_page_has_rows() -> None:
    assert 30 <= len(ROWS) == len(re.findall(r"^\| [^-|]", PAGE, re.MULTILINE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phrasebook")
    (folder / "net.yaml").write_text(NET, "utf-8")
    return folder


@pytest.fixture(scope="module")
def recorded(folder: Path) -> Path:
    """The folder with the trace that a row writes and others read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert CliRunner().invoke(main, ["run", "net.yaml", "-o", "run.h5"]).exit_code == 0
    return folder


@pytest.mark.parametrize("row", ROWS)
def test_row(row: str, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recorded)
    net = yaml.safe_load(NET)
    names: dict[str, Any] = {}
    python: list[str] = []
    for kind, said in phrases(row):
        if kind == "file":
            net = merged(net, said)
        elif kind == "python":
            python.append(said)
        elif not (".nir" in said and importlib.util.find_spec("nir") is None):
            more = ["--overwrite"] if " -o " in said and " sweep " not in said else []
            done = CliRunner().invoke(main, [*shlex.split(said)[1:], *more])
            assert done.exit_code == 0, done.output
    if net != yaml.safe_load(NET):
        network = neuroport.loads(yaml.safe_dump(net))
        neuroport.run(network, backend="reference", duration="20 ms")
    if python:
        exec(PYTHON.replace('"net.yaml")', '"net.yaml"), "reference"'), names)
        for said in sorted(python, key=lambda text: not text.startswith("net = ")):
            exec(said, names)
