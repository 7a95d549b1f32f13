"""Runs that are stopped and gone on with: from signals, kills and checkpoints, by the command line and in Python."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.cli import main
from neuroport.commands import run as command
from neuroport.session import record
from neuroport.session.session import Session
from neuroport.trace import write
from neuroport.trace.compare import compare
from neuroport.trace.join import repair
from neuroport.trace.read import Trace, open_trace
from neuroport.trace.segments import CHECKPOINT, LOCK, Parts, parts_folder, segments
from tests.support.checkout import ROOT
from tests.support.counted import NET, STEPS
from tests.support.signals import heard


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "counted.yaml"
    path.write_text(NET)
    return path


def run_(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["run", "-q", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def whole(net: Path) -> Trace:
    path = net.parent / "whole.h5"
    if not path.exists():
        assert run_(net, "--backend", "reference", "-o", path)[0] == 0
    return open_trace(path)


class Killed(BaseException):
    """What ends a run without a word, as `kill -9` does."""


def pieces_of_seven() -> Any:
    return SimpleNamespace(steps=7, learn=lambda *_: None)


def killed(
    net: Path, path: Path, *options: object, at: int, every: int = 1, first: bool = True, seconds: float = 0.0
) -> None:
    """A run that wrote a segment after every piece of 7 steps, or after so many seconds, and was killed at a step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "SEGMENT_SECONDS", seconds)
        patch.setattr(record, "_Pace", pieces_of_seven)
        patch.setattr(Session, "_save", lambda *_: None)

        def tell(bar: Any, done: int, total: int) -> None:
            if done >= at:
                raise Killed

        patch.setattr(command.Progress, "__call__", tell)
        patch.setattr(write.Writer, "close", lambda self, **_: self.parts.release())
        begin = (net, "--backend", "reference", "-o", path) if first else ("--resume", path)
        with pytest.raises(Killed):
            CliRunner().invoke(
                main,
                ["run", "-q", *map(str, begin), "--checkpoint-every", str(every), *map(str, options)],
                catch_exceptions=False,
            )


def same(path: Path, expected: Trace) -> None:
    found = open_trace(path)
    assert found.complete and found.digest == expected.digest
    assert compare(found, expected).differences == () and found.metrics == expected.metrics
    assert (found.spike_counts, found.overflows, found.steps) == (expected.spike_counts, expected.overflows, STEPS)
    assert {name: found.setting(name).tolist() for name in found.settings} == {"a.gain": 0.5, "b.gain": 0.5}
    assert not parts_folder(path).exists()
    with h5py.File(path) as file:
        assert "checkpoint" not in file["neuroport"]


@pytest.mark.parametrize("every", [1, 40, 150])
@pytest.mark.parametrize("joins", [False, True], ids=["parts", "joined"])
@pytest.mark.parametrize("seconds", [0.0, 1e9], ids=["many", "few"])
def test_a_run_that_is_killed_goes_on_from_its_last_checkpoint(
    net: Path, every: int, joins: bool, seconds: float
) -> None:
    """Also where nearly all that was recorded is in no segment, but in the checkpoint."""
    path = net.parent / "k.h5"
    killed(net, path, at=170, every=every, seconds=seconds)
    for at in (200, 333):
        if joins and not path.exists():
            repair(path)
        killed(net, path, at=at, every=every, first=False, seconds=seconds)
    if joins and not path.exists():
        repair(path)
    code, out, err = run_("--resume", path)
    assert code == 0 and "error" not in err and f"digest     {whole(net).digest}" in out and f"trace      {path}" in out
    same(path, whole(net))


def test_checkpoints_make_no_parts(net: Path) -> None:
    """However many there are: what was recorded until the last is in it, looked at like a part, and joined like one."""
    path = net.parent / "k.h5"
    killed(net, path, at=170, seconds=1e9)
    folder = parts_folder(path)
    assert sorted(entry.name for entry in folder.iterdir()) == ["000000.h5", CHECKPOINT, LOCK]
    with h5py.File(folder / CHECKPOINT) as file:
        step = file["checkpoint/state"].attrs["step"]
    assert 160 < step <= 174 and open_trace(repair(path, output=net.parent / "copy.h5")).steps == step
    killed(net, path, at=170, seconds=1e9)
    with h5py.File(folder / CHECKPOINT, "r+") as file:
        file["recorded/spikes/a/neurons"][0] = 77
    assert refused("--resume", path) == (
        f"error: {folder / CHECKPOINT}: this part of a trace is damaged: /recorded/spikes/a/neurons holds 77; it must "
        f"hold numbers from 0 to 2; join what can be read with 'neuroport join --readable', or move it and the later "
        f"ones away\n"
    )


@pytest.mark.parametrize("joins", [False, True], ids=["parts", "joined"])
def test_how_long_a_run_took_is_the_sum_of_its_parts(net: Path, joins: bool) -> None:
    """What a checkpoint tells goes on from what the one before told, also where the parts were joined in between."""
    path = net.parent / "k.h5"
    told = list[float]()
    for at in (100, 200, 300):
        killed(net, path, at=at, first=at == 100)
        with h5py.File(parts_folder(path) / CHECKPOINT) as file:
            told.append(float(file.attrs["run_s"]))
        if joins:
            repair(path, overwrite=True)
            assert open_trace(path).run_s == told[-1]
    assert 0 < told[0] < told[1] < told[2]
    done = neuroport.resume(path)
    assert done.run_s == open_trace(path).run_s > told[2]


def test_nothing_that_was_flushed_is_lost(net: Path) -> None:
    """Also what came after the last checkpoint: show and join have it, and the run goes on from the checkpoint."""
    path = net.parent / "k.h5"
    killed(net, path, at=170, every=100)
    assert CliRunner().invoke(main, ["show", str(path)]).exit_code == 0
    trace, expected = open_trace(path), whole(net)
    assert 160 < trace.steps <= 174 and not trace.complete
    steps = expected.record("b.v").steps
    assert trace.record("b.v").steps.tolist() == steps[steps < trace.steps].tolist()
    with h5py.File(path) as file:
        assert 100 <= file["neuroport/checkpoint/state"].attrs["step"] < 120
    assert run_("--resume", path)[0] == 0
    same(path, expected)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_run_that_goes_on(net: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path, steps = net.parent / "k.h5", []

    def tell(bar: Any, done: int, total: int) -> None:
        bar.done, bar.total = done, total
        steps.append(done)
        if 0 < done < total and len(steps) < 4:
            signal.raise_signal(number)

    with monkeypatch.context() as patch, heard():
        patch.setattr(record, "_Pace", pieces_of_seven)
        patch.setattr(command.Progress, "__call__", tell)
        code, out, err = run_(net, "--backend", "reference", "-o", path)
    assert (code, out) == (128 + number, "")
    assert err.splitlines()[-2:] == [
        f"interrupted after {steps[-1]} of 400 steps",
        f"what was recorded until then is in {path}, marked incomplete; go on with 'neuroport run --resume {path}'",
    ]
    trace = open_trace(path)
    assert trace.steps == steps[-1] and not trace.complete and not parts_folder(path).exists()
    assert run_("--resume", path)[0] == 0
    same(path, whole(net))


def test_python_goes_on_too_and_on_another_executor(net: Path) -> None:
    path = net.parent / "k.h5"

    def stop(done: int, total: int) -> None:
        if done > 150:
            raise KeyboardInterrupt

    network = neuroport.load(net)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "_Pace", pieces_of_seven)
        with pytest.raises(KeyboardInterrupt):
            neuroport.run(network, "reference", trace=path, progress=stop)
    told: list[int] = []
    done = neuroport.resume(path, network, progress=lambda done, total: told.append(done))
    assert told[0] > 150 and done.steps == STEPS and done.backend == "reference" and done.trace == str(path)
    same(path, whole(net))


def test_a_chip_specimen_is_the_one_of_the_run(net: Path) -> None:
    path, other = net.parent / "k.h5", net.parent / "other.h5"
    options = ("--chip", "generic8_mismatch10", "--chip-seed", 4)
    assert run_(net, "--backend", "reference", "-o", other, *options)[0] == 0
    killed(net, path, *options, at=99)
    assert run_("--resume", path)[0] == 0
    found = open_trace(path)
    assert (found.digest, found.chip_seed) == (open_trace(other).digest, 4) != (whole(net).digest, None)


# ------------------------------------------------------------------------------------------------------------- refusals


def refused(*arguments: object) -> str:
    code, out, err = run_(*arguments)
    assert (code, out) == (2, ""), (code, out, err)
    return "".join(line for line in err.splitlines(keepends=True) if not line.startswith("notice:"))


def test_what_cannot_be_gone_on_with(net: Path) -> None:
    path = net.parent / "k.h5"
    assert (
        refused("--resume", path)
        == f"error: {path}: there is neither a trace nor the parts of an interrupted run here\n"
    )
    expected = whole(net)
    text = f"error: {expected.path}: is the trace of a run that came to its end after 400 steps\n"
    assert refused("--resume", expected.path) == text and not parts_folder(expected.path).exists()
    path.write_text("precious")
    assert "cannot be read as a trace" in refused("--resume", path) and path.read_text() == "precious"
    assert sorted(entry.name for entry in net.parent.iterdir()) == ["counted.yaml", "k.h5", "whole.h5"]


def test_a_run_that_was_killed_while_it_removed_its_parts(net: Path) -> None:
    """It had come to its end: that is said, and the parts are gone."""
    path = net.parent / "k.h5"
    killed(net, path, at=99)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Parts, "remove", lambda parts: parts.release())
        assert run_("--resume", path)[0] == 0
    assert parts_folder(path).exists()
    text = f"error: {path}: is the trace of a run that came to its end after 400 steps\n"
    assert refused("--resume", path) == text
    same(path, whole(net))


def test_a_run_that_was_killed_before_anything_was_written(net: Path) -> None:
    path = net.parent / "k.h5"
    parts = parts_folder(path)
    for names in ((), (LOCK,), (LOCK, "000000.tmp")):
        parts.mkdir()
        for name in names:
            (parts / name).touch()
        text = "its run was stopped before it had recorded anything; run it again"
        assert refused("--resume", path) == f"error: {path}: {text}\n"
        assert not parts.exists()
    parts.mkdir()
    (parts / "mine").touch()
    text = f"'{parts}', where the parts of the trace would lie, holds other files (mine); move them away"
    assert refused("--resume", path) == f"error: {path}: {text}\n"
    assert (parts / "mine").exists()


def test_parts_without_a_checkpoint(net: Path) -> None:
    path = net.parent / "k.h5"
    killed(net, path, at=99, every=10**6)
    assert refused("--resume", path) == (
        f"error: {path}: its run left parts in '{path}.part', but no checkpoint to go on from; join them with "
        f"'neuroport join {path}.part', and run it again\n"
    )
    repair(path)
    assert refused("--resume", path) == (
        f"error: {path}: is incomplete, and has no checkpoint to go on from; run its network again\n"
    )
    assert not parts_folder(path).exists()


def test_a_run_that_was_killed_at_once(net: Path) -> None:
    path = net.parent / "k.h5"
    killed(net, path, at=0)
    text = f"error: {path}: its run was stopped before it had recorded anything; run it again\n"
    assert refused("--resume", path) == text and not parts_folder(path).exists()


def test_the_next_run_says_what_to_do(net: Path) -> None:
    path = net.parent / "k.h5"
    killed(net, path, at=99)
    assert refused(net, "-o", path) == (
        f"error: {path}: the run that was writing this file did not end; go on with 'neuroport run --resume {path}', "
        f"join its parts with 'neuroport join {path}.part', or replace them with --overwrite\n"
    )


def test_another_network_is_refused_by_name_and_nothing_is_lost(net: Path) -> None:
    path, changed = net.parent / "k.h5", net.parent / "changed.yaml"
    killed(net, path, at=99)
    before = sorted((p.name, p.stat().st_size) for p in parts_folder(path).iterdir())
    changed.write_text(NET.replace("v: {init: 0,", "v: {init: 1,"))
    assert refused(changed, "--resume", path) == (
        "error: the checkpoint of 'counted' at step 100 is one of another program: 'a.v' has other initial values; "
        "compile the network as it was, for chip 'generic8'\n"
    )
    changed.write_text(NET.replace("spikes: [a]", "spikes: [b]"))
    assert refused(changed, "--resume", path) == (
        f"error: {path}: its run records something else than 'counted' does now; leave the network out\n"
    )
    assert before == sorted((p.name, p.stat().st_size) for p in parts_folder(path).iterdir())
    repair(path)
    assert "leave the network out" in refused(changed, "--resume", path)
    assert not parts_folder(path).exists()
    assert run_(net, "--resume", path)[0] == 0
    same(path, whole(net))


def test_a_run_that_records_nothing(net: Path) -> None:
    """It has a checkpoint and nothing else: the trace is as long as what was computed, and is gone on with."""
    net.write_text(NET[: NET.index("record:")] + "record: {spikes: none}\n")
    path = net.parent / "k.h5"
    killed(net, path, at=50)
    assert "go on with" in refused(net, "-o", path)
    repair(path)
    assert (open_trace(path).steps, open_trace(path).resumable) == (56, True)
    assert run_("--resume", path)[0] == 0
    same(path, whole(net))


@pytest.mark.parametrize("seed", [5, 9], ids=["whole", "another"])
def test_a_trace_that_was_there_is_not_replaced_unasked(net: Path, seed: int) -> None:
    path = net.parent / "k.h5"
    other = whole(net).path.read_bytes()
    path.write_bytes(other)
    killed(net, path, "--overwrite", "--seed", seed, at=99)
    assert refused("--resume", path) == (
        f"error: {path}: is a trace of another run, which the one that left parts here was to replace; add --overwrite "
        f"to go on\n"
    )
    assert path.read_bytes() == other
    assert run_("--resume", path, "--overwrite")[0] == 0
    assert open_trace(path).seed == seed and open_trace(path).complete


def test_two_runs_never_write_one_file(net: Path) -> None:
    path = net.parent / "k.h5"
    killed(net, path, at=99)
    claimed = Parts.resume(path)
    text = f"error: {path}: another run is writing this file, with its parts in '{path}.part'; wait until it ends, or "
    assert refused("--resume", path) == f"{text}choose another name\n"
    claimed.release()
    assert run_("--resume", path)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "Missing argument 'NET'."),
        (("--resume", "k.h5", "-o", "x.h5"), "--resume goes on with the run as it was; leave -o out."),
        (
            ("--resume", "k.h5", "--seed", "1", "--chip", "ideal"),
            "--resume goes on with the run as it was; leave --chip, --seed out.",
        ),
        (("--resume", "k.h5", "--for", "3"), "--for says which network NET is; leave it out, or give NET too."),
        (
            ("--resume", "k.h5", "--for", "3", "--set", "a=1"),
            "--set and --for say which network NET is; leave them out, or give NET too.",
        ),
        (
            ("sal_pair", "--checkpoint-every", "3"),
            "--checkpoint-every writes into the trace; say where that is, with -o FILE.h5.",
        ),
        (
            ("sal_pair", "-o", "k.h5", "--copies", "2", "--checkpoint-every", "3"),
            "--checkpoint-every goes with one run; copies that are interrupted are begun again.",
        ),
    ],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...], text: str) -> None:
    assert refused(*arguments).splitlines()[-1] == f"Error: {text}"


@pytest.mark.parametrize("every", ["0", "-1", "x", "10 ms", "0 s", "1e3", "nan min", "99999999999999999999999"])
def test_how_often_is_said_in_steps_or_by_the_clock(every: str) -> None:
    assert refused("sal_pair", "-o", "k.h5", "--checkpoint-every", every) == (
        f"error: --checkpoint-every '{every}' must be a number of steps, such as 100000, or a time by the clock, such "
        f"as '30 s', '10 min' or '2 h'\n"
    )


# ----------------------------------------------------------------------------------------------------------- damage


def damaged(net: Path, joins: bool) -> Path:
    path = net.parent / "k.h5"
    killed(net, path, at=99, every=50)
    return repair(path) if joins else parts_folder(path) / CHECKPOINT


@pytest.mark.parametrize("joins", [False, True], ids=["parts", "joined"])
def test_a_checkpoint_that_is_damaged(net: Path, joins: bool) -> None:
    path = damaged(net, joins)
    with h5py.File(path, "r+") as file:
        group = file["neuroport/checkpoint" if joins else "checkpoint"]
        group["state/arrays/a.v"][0] += 1
        where = group.name
    kind = ("trace", "take a copy of it that is whole, or run its network again")
    if not joins:
        kind = (
            "part of a trace",
            "join what can be read with 'neuroport join --readable', or move it and the later ones away",
        )
    assert refused("--resume", net.parent / "k.h5") == (
        f"error: {path}: this {kind[0]} is damaged: {where} does not hold what was written there; {kind[1]}\n"
    )


def test_a_part_that_is_missing(net: Path) -> None:
    folder = damaged(net, False).parent
    segments(folder)[3].unlink()
    assert refused("--resume", net.parent / "k.h5") == (
        f"error: {folder}: '000003.h5' is missing, so that the run cannot be gone on with; run it again\n"
    )


@pytest.mark.dear
@pytest.mark.parametrize("count", [4, pytest.param(150, marks=pytest.mark.slow)])
def test_runs_that_are_killed_at_random_moments_and_gone_on_with(tmp_path: Path, count: int) -> None:
    arguments = (sys.executable, "-m", "tests.support.resuming", str(count), "1", str(tmp_path / "hunt"))
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
