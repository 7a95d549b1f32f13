"""No command replaces a file of another kind, be it the one that -o names or one that is written beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

from neuroport.cli import main
from tests.support.traces import write as write_trace

NET = """
neuroport: 1
name: net
dt: 1 ms
chip: generic8
neurons:
  cell: {state: {v: {init: 1, range: [0, 2]}}, update: v = 0.5 * v}
populations: {a: {size: 70, neuron: cell, init: {v: VALUES}}}
record: {states: {a.v: 1 ms}}
protocol: [{run: 3 steps}]
""".replace("VALUES", str([k / 64 for k in range(70)]))
REFERENCE = ("--backend", "reference", "-q")
COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("run", "net.yaml", *REFERENCE, "-o", "out.h5"),
    "copies": ("run", "net.yaml", *REFERENCE, "--copies", "2", "-o", "out.h5"),
    "drift": ("drift", "net.yaml", *REFERENCE, "-o", "out.h5"),
    "chips": ("drift", "net.yaml", *REFERENCE, "--chip", "generic8_mismatch10", "--chip-seed", "0:2", "-o", "out.h5"),
    "calibrate": ("calibrate", "net.yaml", *REFERENCE, "-o", "out.yaml"),
    "export": ("export", "net.yaml", "-o", "out.yaml"),
    "learned": ("export", "trace.h5", "-o", "out.yaml"),
    "plot": ("plot", "trace.h5", "-o", "out.png"),
    "report": ("report", "trace.h5", "-o", "out.html"),
    "show": ("show", "generic8_mismatch10", "--chip-seed", "1", "-o", "out.h5"),
    "join": ("join", "killed.h5.part", "-o", "out.h5"),
}
WHAT = {
    "run": "trace",
    "copies": "trace",
    "drift": "trace",
    "chips": "trace",
    "join": "trace",
    "calibrate": "network file",
    "export": "network file",
    "learned": "network file",
    "plot": "picture",
    "report": "report",
    "show": "chip instance",
}


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the commands read."""
    from tests.support.traces import killed

    folder = tmp_path_factory.mktemp("outputs")
    (folder / "net.yaml").write_text(NET)
    done = call("run", str(folder / "net.yaml"), *REFERENCE, "-o", str(folder / "trace.h5"))
    assert done.exit_code == 0, done.output
    killed(folder / "killed.h5")
    return folder


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory, files: Path) -> dict[str, bytes]:
    """Files of every kind."""
    folder = tmp_path_factory.mktemp("kinds")
    call("show", "generic8_mismatch10", "--chip-seed", "2", "-o", str(folder / "chip.h5"))
    with h5py.File(folder / "values.h5", "w") as file:
        file["v"] = np.linspace(0, 2, 70)
    call("export", str(files / "net.yaml"), "-o", str(folder / "net.yaml"))
    return {
        "trace": write_trace(folder / "trace.h5").read_bytes(),
        "chip instance": (folder / "chip.h5").read_bytes(),
        "file of exported numbers": (folder / "net.h5").read_bytes(),
        "network file": (folder / "net.yaml").read_bytes(),
        "values": (folder / "values.h5").read_bytes(),
        "chip": b"name: mine\nwords: {state: {bits: 16}}\n",
        "models": b"neurons: {cell: {state: {v: {init: 0}}, update: v = v}}\n",
        "picture": b"\x89PNG\r\n\x1a\n",
        "report": b'<!doctype html>\n<html lang="en"><head><meta name="generator" content="neuroport report">',
        "notes": b"about neuroport\n",
    }


@pytest.fixture
def fresh(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Go into a new folder with what the commands read."""
    count = iter(range(1000))

    def go() -> None:
        here = tmp_path / str(next(count))
        shutil.copytree(files, here)
        monkeypatch.chdir(here)

    return go


def listed() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", COMMANDS)
def test_only_files_of_their_kind_are_replaced(name: str, fresh: Callable[[], None], kinds: dict[str, bytes]) -> None:
    if name in ("plot", "report"):
        pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    fresh()
    before = listed()
    assert call(*COMMANDS[name]).exit_code == 0
    made = sorted(listed().keys() - before.keys())
    assert made
    for output in made:
        what = "file of exported numbers" if output == "out.h5" and "export" in COMMANDS[name] else WHAT[name]
        for kind, content in kinds.items():
            fresh()
            Path(output).write_bytes(content)
            before = listed()
            done = call(*COMMANDS[name], "--overwrite")
            if kind == what:
                assert done.exit_code == 0, (output, kind, done.output)
                continue
            text = f"is no {what}, and only a {what} is replaced; choose another name, or remove it yourself"
            assert (done.exit_code, done.stderr) == (2, f"error: {output}: {text}\n"), (output, kind)
            assert listed() == before, (output, kind)


def test_a_network_without_many_numbers_needs_no_file_beside_it(tmp_path: Path) -> None:
    """So that the trace of a run that was named like its network does not stand in its way."""
    (tmp_path / "small.yaml").write_text(
        NET.replace("size: 70", "size: 7").partition(", init: ")[0] + "}}\nprotocol: [{run: 3 steps}]\n"
    )
    trace = write_trace(tmp_path / "small2.h5")
    old = trace.read_bytes()
    done = call("export", str(tmp_path / "small.yaml"), "-o", str(tmp_path / "small2.yaml"))
    assert (done.exit_code, done.output) == (0, f"{tmp_path / 'small2.yaml'}\n")
    assert trace.read_bytes() == old


def test_numbers_that_are_read_are_not_replaced_beside_what_is_named(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(NET)
    for name, out in (("net.yaml", "copy.yaml"), ("copy.yaml", "copy.yml")):
        done = call("export", str(tmp_path / name), "-o", str(tmp_path / out), "--overwrite")
    text = "is read for this and would be replaced by what comes of it; choose another name"
    assert (done.exit_code, done.stderr) == (2, f"error: {tmp_path / 'copy.h5'}: {text}\n")
