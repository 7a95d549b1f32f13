"""Runs that are interrupted, killed or refused: no trace is lost, mixed or left without a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from neuroport import networks
from neuroport.cli import main
from neuroport.trace.read import open_trace
from neuroport.trace.segments import parts_folder, segments
from tests.support.checkout import ROOT
from tests.support.signals import hearing
from tests.support.traces import write as write_trace

pytestmark = pytest.mark.dear

OFTEN = """
import sys
from neuroport.trace import write
write.SEGMENT_SECONDS = 0.02
from neuroport.cli import main
main(prog_name="neuroport")
"""
ENDLESS = ("run", "loihi_lif", "--backend", "reference", "--for", "1000000000", "-q", "--overwrite")


def start(*arguments: object, script: str = OFTEN) -> subprocess.Popen[str]:
    command = (sys.executable, "-c", script, *map(str, arguments))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    streams: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, preexec_fn=hearing, **streams)


def recording(*paths: Path, run: Sequence[object] = ENDLESS, script: str = OFTEN) -> subprocess.Popen[str]:
    """A run without end of which parts of every one of these traces are on the disk."""
    output = paths[0].with_name(paths[0].name.replace(".copy0", ""))
    process = start(*run, "-o", output, script=script)
    until = time.monotonic() + 60
    while not all(len(segments(parts_folder(path))) > 2 for path in paths):
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.01)
    return process


def ended(process: subprocess.Popen[str], *signals: int) -> tuple[int, list[str]]:
    """The exit code and the lines on stderr after these signals."""
    for k, number in enumerate(signals):
        time.sleep(0.7 if k else 0)
        process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors.splitlines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_in_good_order(tmp_path: Path, number: int) -> None:
    path = tmp_path / "k.h5"
    code, lines = ended(recording(path), number)
    assert (code, lines[0]) == (128 + number, "stopping; a second signal ends it at once")
    trace = open_trace(path)
    assert lines[1:] == [
        f"interrupted after {trace.steps:,} of 1,000,000,000 steps",
        f"what was recorded until then is in {path}, marked incomplete; go on with 'neuroport run --resume {path}'",
    ]
    assert not trace.complete and trace.record("cell.v").steps[-1] == trace.steps - 1 > 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["k.h5"]


def test_an_interrupted_run_keeps_the_old_trace(tmp_path: Path) -> None:
    path = write_trace(tmp_path / "k.h5")
    old = path.read_bytes()
    code, lines = ended(recording(path), signal.SIGINT)
    resume = f"go on with 'neuroport run --resume {path}'"
    lies = (
        f"what was recorded lies in '{path}.part': {resume}, or join it with 'neuroport join {path}.part -o OTHER.h5'"
    )
    assert (code, lines[2:]) == (130, [f"'{path}' is as it was; {lies}"])
    assert path.read_bytes() == old
    other = tmp_path / "other.h5"
    joined = CliRunner().invoke(main, ["join", f"{path}.part", "-o", str(other)])
    trace = open_trace(other)
    assert joined.output == f"{other}: {trace.steps:,} steps, marked incomplete\n"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["k.h5", "other.h5"]


def test_a_second_run_is_refused_before_it_computes(tmp_path: Path) -> None:
    path = tmp_path / "k.h5"
    first = recording(path)
    second = start("run", "absent.yaml", "--seed", "2", "-o", path, "--overwrite")
    text = f"error: {path}: another run is writing this file, with its parts in '{path}.part'; wait until it ends, or "
    assert ended(second) == (2, [f"{text}choose another name"])
    assert ended(first, signal.SIGTERM)[0] == 143
    assert open_trace(path).seed == 1


def test_after_a_kill_the_next_run_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "k.h5"
    assert ended(recording(path), signal.SIGKILL) == (-9, [])
    refused = CliRunner().invoke(main, ["run", "loihi_lif", "-o", str(path)])
    assert (refused.exit_code, refused.output) == (
        2,
        f"error: {path}: the run that was writing this file did not end; join its parts with "
        f"'neuroport join {path}.part', or replace them with --overwrite\n",
    )
    joined = CliRunner().invoke(main, ["join", str(path)])
    trace = open_trace(path)
    assert joined.output == f"{path}: {trace.steps:,} steps, marked incomplete\n" and trace.steps > 0


SLOWLY = """
import time
from neuroport.trace import join
join.join = lambda *_: time.sleep(60)
"""
COPIES = ("run", "loihi_lif", "--backend", "reference", "--for", "1000000000", "-q", "--copies")


def both(path: Path) -> str:
    """What can be done with parts that have a checkpoint."""
    return f"go on with 'neuroport run --resume {path}', or join it with 'neuroport join {path}.part'"


@pytest.mark.parametrize("names", [["k.h5"], ["k.copy0.h5", "k.copy1.h5"]])
def test_a_second_signal_ends_at_once_and_says_how_to_join(tmp_path: Path, names: list[str]) -> None:
    traces = [tmp_path / name for name in names]
    process = recording(*traces, run=ENDLESS if len(names) == 1 else (*COPIES, 5), script=SLOWLY + OFTEN)
    assert ended(process, signal.SIGTERM, signal.SIGINT) == (
        143,
        [
            "stopping; a second signal ends it at once",
            "ended at once",
            *(f"what was recorded lies in '{path}.part': {both(path)}" for path in traces),
        ],
    )
    joined = CliRunner().invoke(main, ["join", *(f"{path}.part" for path in traces)])
    assert [line.partition(":")[0] for line in joined.output.splitlines()] == list(map(str, traces))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == names


def test_copies_stop_at_once_and_each_is_joined(tmp_path: Path) -> None:
    traces = [tmp_path / f"k.copy{k}.h5" for k in range(2)]
    code, lines = ended(recording(*traces, run=(*COPIES, 12)), signal.SIGINT)
    assert code == 130 and lines[1].startswith("interrupted after ")
    assert sorted(lines[2:]) == [
        f"what was recorded until then is in {path}, marked incomplete; go on with 'neuroport run --resume {path}'"
        for path in traces
    ]
    assert [open_trace(path).seed for path in traces] == [1, 2]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [path.name for path in traces]


@pytest.mark.parametrize(
    "close",
    ["exec >&-", "exec 2>&-", "exec >&- 2>&- <&-", "exec > >(head -1 >/dev/null)", "exec >/dev/full"],
)
def test_the_trace_is_whole_whoever_listens(tmp_path: Path, close: str) -> None:
    path = tmp_path / "k.h5"
    command = f"{close}; {sys.executable} {ROOT / 'cli.py'} run loihi_lif --backend reference -o {path}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert open_trace(path).complete and "Traceback" not in done.stderr and "ignored" not in done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["k.h5"]
    if "full" in close:
        assert (done.returncode, done.stderr) == (1, "error: standard output: No space left on device\n")
    elif "head" not in close:
        assert (done.returncode, done.stderr) == (0, "")


def test_what_was_computed_is_printed_where_the_trace_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neuroport.errors import NotWritten, Place
    from neuroport.trace import join

    def full(folder: Path, out: Path) -> None:
        raise NotWritten(Place(str(out)), "cannot be written: the disk is full")

    path = tmp_path / "k.h5"
    run = ("run", "loihi_lif", "--backend", "reference", "-q", "-o", str(path))
    whole = CliRunner().invoke(main, [*run[:-2], "-o", str(tmp_path / "whole.h5")]).stdout
    digest = next(line for line in whole.splitlines() if line.startswith("digest"))
    with monkeypatch.context() as patch:
        patch.setattr(join, "join", full)
        done = CliRunner().invoke(main, run)
    assert done.exit_code == 1 and digest in done.stdout and "trace" not in done.stdout
    assert done.stderr == (
        f"error: {path}: cannot be written: the disk is full; what was recorded lies in '{path}.part': join it with "
        f"'neuroport join {path}.part'\n"
    )
    assert CliRunner().invoke(main, ["join", f"{path}.part"]).output == f"{path}: 30 steps, complete\n"
    assert open_trace(path).digest == open_trace(tmp_path / "whole.h5").digest
    with monkeypatch.context() as patch:
        patch.setattr(join, "join", full)
        done = CliRunner().invoke(main, [*run, "--copies", "3"])
    assert done.exit_code == 1 and done.stdout.count(digest.split()[1][:16]) == 3
    assert [line.partition(" cannot")[0] for line in done.stderr.splitlines()] == [
        f"error: {tmp_path / f'k.copy{k}.h5'}:" for k in range(3)
    ]


def on_tmpfs(folder: Path, size: str) -> bool:
    folder.mkdir()
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False).returncode == 0


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    if os.geteuid() != 0 or not on_tmpfs(folder, "144k"):
        pytest.skip("a small file system cannot be mounted here")
    try:
        path = folder / "k.h5"
        run = start(*ENDLESS, "-o", path)
        output, errors = run.communicate(timeout=60)
        lies = f"what was recorded lies in '{path}.part': join it with 'neuroport join {path}.part'"
        assert (run.returncode, output) == (1, "")
        assert errors.splitlines() == [f"error: {path}: cannot be written: the disk is full", f"note: {lies}"]
        assert not list(folder.rglob("*.tmp"))
        assert CliRunner().invoke(main, ["join", f"{path}.part"]).output == (
            f"error: {path}: cannot be written: the disk is full\n"
        )
        other = tmp_path / "other.h5"
        assert CliRunner().invoke(main, ["join", f"{path}.part", "-o", str(other)]).exit_code == 0
        assert open_trace(other).steps > 0 and list(folder.iterdir()) == []
    finally:
        subprocess.run(["umount", folder], check=True)


# ------------------------------------------------------------------------------------------------------- -o and inputs


def refused(*arguments: object) -> str:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == 2, result.output
    return result.stderr


def test_no_command_replaces_what_it_reads(tmp_path: Path) -> None:
    net, trace = tmp_path / "net.yaml", write_trace(tmp_path / "trace.h5")
    net.write_bytes(networks.path("loihi_lif").read_bytes())
    read = "is read for this and would be replaced by what comes of it; choose another name"
    kind = "needs a name that ends in .h5 or .hdf5, such as net.yaml.h5"
    assert refused("run", net, "-o", net, "--overwrite") == f"error: {net}: a trace {kind}\n"
    assert refused("show", "generic8_mismatch10", "--chip-seed", 1, "-o", net, "--overwrite") == (
        f"error: {net}: a chip instance {kind}\n"
    )
    assert refused("export", net, "-o", net, "--overwrite") == f"error: {net}: {read}\n"
    (tmp_path / "net.png").write_bytes(trace.read_bytes())
    picture = tmp_path / "net.png"
    assert refused("plot", picture, "-o", picture, "--overwrite") == f"error: {picture}: {read}\n"
    assert net.read_bytes() == networks.path("loihi_lif").read_bytes()
    assert picture.read_bytes() == trace.read_bytes()


def test_values_that_a_network_reads_are_not_replaced(tmp_path: Path) -> None:
    """From a trace too, which a run could replace otherwise; and those of a model file that it names."""
    trace, net, models = write_trace(tmp_path / "x.h5"), tmp_path / "net.yaml", tmp_path / "models.yaml"
    models.write_text("neurons: {cell: {state: {v: {init: 0, range: [0, 9]}}, update: v = v}}")
    net.write_text(
        "neuroport: 1\nname: net\ndt: 1 ms\nmodels: [models.yaml]\n"
        "populations: {a: {size: 6, neuron: cell, init: {v: {file: x.h5, dataset: /neuroport/projections/ab/pre}}}}\n"
    )
    read = "is read for this and would be replaced by what comes of it; choose another name"
    old = trace.read_bytes()
    assert refused("run", net, "--for", 3, "-o", trace, "--overwrite") == f"error: {trace}: {read}\n"
    assert CliRunner().invoke(main, ["export", str(net), "-o", str(tmp_path / "x.yaml")]).exit_code == 0
    assert trace.read_bytes() == old  # six numbers need no file beside the network file
    assert refused("export", net, "-o", models, "--overwrite") == f"error: {models}: {read}\n"


@pytest.mark.parametrize("count", [6, pytest.param(300, marks=pytest.mark.slow)])
def test_runs_that_are_killed_at_random_moments(tmp_path: Path, count: int) -> None:
    command = (sys.executable, "-m", "tests.support.killing", str(count), "1", str(tmp_path / "hunt"))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout)


SWALLOWING = """
import ctypes, os, signal, sys
from neuroport.session import session
from neuroport.cli import main

opened = session.opened

def opening(*args):
    ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), signal.SIGINT))()  # as in a callback of a compiler
    return opened(*args)

import neuroport.api.calibrate, neuroport.api.drift
neuroport.api.calibrate.opened = neuroport.api.drift.opened = opening
main(prog_name="neuroport")
"""


@pytest.mark.parametrize(
    "command",
    [
        ("calibrate", "loihi_lif", "--for", "100000", "-o", "new.yaml", "-q"),
        ("drift", "loihi_lif", "--backend", "reference", "--for", "100000", "-q"),
    ],
    ids=["calibrate", "drift"],
)
def test_an_interrupt_that_a_callback_swallows_is_not_lost(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, lines = ended(start(*command, script=SWALLOWING))
    assert (code, lines[-1]) == (130, "error: interrupted") and os.listdir() == []


def test_a_signal_while_modules_are_imported_ends_a_command_without_a_word(tmp_path: Path) -> None:
    """The import of click stands for any: it ends as it does for a Ctrl-C just then."""
    (tmp_path / "click.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    for command in ((ROOT / "cli.py",), ("-m", "neuroport")):
        done = subprocess.run(
            (sys.executable, *map(str, command), "list"), env=environment, preexec_fn=hearing, capture_output=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


COMPILING = """
import os, signal
from neuroport.backends.emulator import cache

compiled, signals = cache.machine_code, [signal.SIGTERM]

def compiling(text):
    while signals:
        os.kill(os.getpid(), signals.pop())
    return compiled(text)

cache.machine_code = compiling
from neuroport.cli import main
main(prog_name="neuroport")
"""
SMALL = """
neuroport: 1
name: small
dt: 1 ms
chip: generic8
neurons: {cell: {state: {v: {init: 1, range: [0, 2]}}, update: v = 0.5 * v}}
populations: {a: {size: 3, neuron: cell}}
protocol: [{run: 3 steps}]
"""


@pytest.mark.parametrize(
    "command",
    ["run", "calibrate", pytest.param("drift", marks=pytest.mark.slow), pytest.param("verify", marks=pytest.mark.slow)],
)
def test_a_signal_while_code_is_compiled_is_told_and_not_lost(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    monkeypatch.setenv("NEUROPORT_CACHE", str(tmp_path / "cache"))
    code, lines = ended(start(command, tmp_path / "small.yaml", script=COMPILING))
    said = "interrupted before the first step" if command == "run" else "error: interrupted"
    assert (code, lines) == (128 + signal.SIGTERM, [said])
