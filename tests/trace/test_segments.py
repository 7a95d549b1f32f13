"""The parts of a trace: whose they are, what joins them, and what is left of them when something goes wrong."""

from __future__ import annotations

import errno
import fcntl
import itertools
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.api.copies import trace_of
from neuroport.cli import main
from neuroport.errors import InvalidInput, NotWritten
from neuroport.program.executor import Capture
from neuroport.trace import join, write
from neuroport.trace import segments as parts
from neuroport.trace.join import repair, salvage
from neuroport.trace.read import open_trace
from neuroport.trace.segments import Parts, check_trace, left, parts_folder
from neuroport.trace.write import Writer
from tests.support.checkout import ROOT
from tests.support.limits import file_size
from tests.support.traces import SOURCE, captures, killed
from tests.support.traces import write as write_trace


def refused(call: Any, path: Path, *arguments: Any, **options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        call(path, *arguments, **options)
    place, _, text = str(caught.value).partition(": ")
    assert place == str(path)
    return text


# ---------------------------------------------------------------------------------------------------- whose they are


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_trace_that_is_being_written_is_refused_until_the_end(tmp_path: Path, overwrite: bool) -> None:
    path = tmp_path / "k.h5"
    text = (
        f"another run is writing this file, with its parts in '{path}.part'; wait until it ends, or choose another name"
    )
    with Writer(path, SOURCE) as writer:
        writer.capture(captures()[0])
        writer.flush()
        before = sorted((entry.name, entry.stat().st_size) for entry in writer.folder.iterdir())
        for call in (check_trace, Parts.claim):
            assert refused(call, path, overwrite) == text
        with pytest.raises(InvalidInput):
            Writer(path, SOURCE, overwrite=overwrite)
        assert sorted((entry.name, entry.stat().st_size) for entry in writer.folder.iterdir()) == before
        writer.close(steps=100)
    assert np.array_equal(open_trace(path).spikes("a").steps, captures()[0].spikes["a"][0])
    check_trace(path, overwrite=True)


def test_a_link_is_the_same_trace(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link.h5"
    link.symlink_to("folder/k.h5")
    with Writer(tmp_path / "folder" / "k.h5", SOURCE) as writer:
        assert refused(Parts.claim, link).startswith("another run is writing this file")
        writer.close(steps=1)
    with Writer(link, SOURCE, overwrite=True) as writer:
        writer.close(steps=2)
    assert link.is_symlink() and open_trace(tmp_path / "folder" / "k.h5").steps == 2
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "k.h5", "link.h5"]


def test_parts_that_nobody_writes_any_more_are_replaced_when_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "k.h5"
    folder = killed(path)
    text = (
        f"the run that was writing this file did not end; join its parts with 'neuroport join {folder}', "
        "or replace them with --overwrite"
    )
    for call in (check_trace, Parts.claim):
        assert refused(call, path) == text
    assert len(list(folder.glob("*.h5"))) == 2
    Parts.claim(path, overwrite=True).let_go()  # a run that cannot start
    assert len(list(folder.glob("*.h5"))) == 2
    with Writer(path, SOURCE, overwrite=True) as writer:
        writer.close(steps=7)
    assert (open_trace(path).steps, len(open_trace(path).spikes("a").steps)) == (7, 0)
    assert [entry.name for entry in tmp_path.iterdir()] == ["k.h5"]


def test_parts_without_anything_recorded_are_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "k.h5"
    for content in ((), ("lock",), ("lock", "000000.h5"), ("lock", ".neuroport-0a1b2c.tmp")):
        parts_folder(path).mkdir()
        for name in content:
            (parts_folder(path) / name).touch()
        check_trace(path)
        claimed = Parts.claim(path)
        claimed.let_go()
        claimed.let_go()  # as where a signal comes while the header is written
        assert list(tmp_path.iterdir()) == []


def test_what_no_run_made_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "k.h5"
    folder = parts_folder(path)
    folder.mkdir()
    for name in ("notes.txt", "results.h5", "x.tmp", "y.tmp"):
        (folder / name).write_text("precious")
    text = f"'{folder}', where the parts of the trace would lie, holds other files (notes.txt, results.h5, x.tmp, …); "
    for call in (check_trace, Parts.claim):
        assert refused(call, path, True) == f"{text}move them away"
    assert len(list(folder.iterdir())) == 4
    shutil.rmtree(folder)
    folder.write_text("precious")
    assert refused(Parts.claim, path, True) == (
        f"'{folder}', where the parts of the trace would lie, is no folder; move it away"
    )


def test_a_file_that_is_no_trace_is_not_replaced(tmp_path: Path) -> None:
    path, text = (
        tmp_path / "k.h5",
        "is no trace, and only a trace is replaced; choose another name, or remove it yourself",
    )
    path.write_text("precious")
    assert refused(Parts.claim, path, True) == text
    with h5py.File(path, "w") as file:
        file["weights"] = [1, 2, 3]
    assert refused(Parts.claim, path, True) == text
    path.write_bytes(write_trace(tmp_path / "whole.h5").read_bytes()[:3000])  # of a disk that was full
    check_trace(path, True)
    path.write_bytes(b"")
    check_trace(path, True)


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    path = tmp_path / "k.h5"
    writer = Writer(path, SOURCE)
    assert refused(Parts.claim, path, True) == (
        f"'{writer.folder}' is there, and this file system has no locks that would say whether a run is still writing "
        f"it; when none is, join its parts with 'neuroport join {writer.folder}', or remove it"
    )
    writer.capture(captures()[0])
    writer.close(steps=100)
    assert len(open_trace(path).spikes("a").steps)
    killed(tmp_path / "other.h5")
    assert open_trace(repair(tmp_path / "other.h5.part")).steps == 100
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["k.h5", "other.h5"]


def test_a_lock_that_another_only_looked_at_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = parts_folder(tmp_path / "k.h5")
    folder.mkdir()
    look = parts.Lock(folder)
    assert look.is_free()
    monkeypatch.setattr(parts.time, "sleep", lambda _: look.release())
    Parts.claim(tmp_path / "k.h5").let_go()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_taken_away_ends_the_run(tmp_path: Path) -> None:
    path = tmp_path / "k.h5"
    first = Writer(path, SOURCE)
    shutil.rmtree(first.folder)
    second = Writer(path, SOURCE)
    first.capture(captures()[0])
    with pytest.raises(NotWritten) as caught:
        first.flush()
    assert (
        str(caught.value)
        == f"{path}: cannot be written: its parts in '{first.folder}' were removed while the run went on"
    )
    first.close(steps=100, complete=False)
    second.capture(captures()[0])
    second.close(steps=100)
    assert np.array_equal(open_trace(path).spikes("a").steps, captures()[0].spikes["a"][0])


# ------------------------------------------------------------------------------------------------ what stays, and when


def test_an_old_trace_stays_until_a_complete_one_takes_its_place(tmp_path: Path) -> None:
    path = write_trace(tmp_path / "k.h5")
    old = path.read_bytes()
    writer = Writer(path, SOURCE, overwrite=True)
    writer.capture(captures()[0])
    writer.flush()
    assert path.read_bytes() == old
    told = writer.close(steps=100, complete=False)
    lies = f"what was recorded lies in '{path}.part': join it with 'neuroport join {path}.part -o OTHER.h5'"
    assert told == f"'{path}' is as it was; {lies}" and left(path) == lies
    assert path.read_bytes() == old
    assert refused(repair, parts_folder(path)) == (
        f"cannot be joined: '{path}' exists; give another name with -o, or replace it with --overwrite"
    )
    assert repair(parts_folder(path), output=tmp_path / "other.h5") == tmp_path / "other.h5"
    assert path.read_bytes() == old and open_trace(tmp_path / "other.h5").steps == 100
    assert not parts_folder(path).exists() and left(path) == ""


def test_a_file_that_somebody_makes_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "k.h5"
    writer = Writer(path, SOURCE)
    writer.capture(captures()[0])
    path.write_text("precious")
    with pytest.raises(NotWritten) as caught:
        writer.close(steps=100)
    assert str(caught.value) == (
        f"{path}: was made by somebody else while the run went on, and is not replaced; "
        f"what was recorded lies in '{path}.part': join it with 'neuroport join {path}.part -o OTHER.h5'"
    )
    assert path.read_text() == "precious"
    assert open_trace(repair(parts_folder(path), output=tmp_path / "other.h5")).complete


@pytest.mark.parametrize("most", [0, 100, 5000, 9000, 12_000, 16_000, 18_000])
def test_a_full_disk_at_any_moment(tmp_path: Path, most: int) -> None:
    path = write_trace(tmp_path / "k.h5")
    old = path.read_bytes()
    full = "cannot be written: it would be larger than this process or file system may make a file"

    def full_run() -> None:
        with file_size(most), Writer(path, SOURCE, overwrite=True) as writer:
            for capture in captures() * 3:
                writer.capture(capture)
                writer.flush()
            writer.close(steps=600)

    with pytest.raises(NotWritten) as caught:
        full_run()
    place, _, text = str(caught.value).partition(": ")
    assert place == str(path) and path.read_bytes() == old
    assert not list(tmp_path.rglob("*.tmp"))
    recorded = len(list(tmp_path.rglob("0*.h5")))
    if recorded:
        assert text in (full, f"{full}; {left(path)}") and left(path)
        trace = open_trace(repair(parts_folder(path), output=tmp_path / "other.h5"))
        assert trace.complete == (recorded == 8)
    else:
        assert text in (full, f"{full}; nothing of the run is kept")
        assert [entry.name for entry in tmp_path.iterdir()] == ["k.h5"]


def test_a_header_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(TypeError):
        Writer(tmp_path / "k.h5", replace(SOURCE, seed=2**64))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("copies", [1, 2])
def test_a_run_whose_header_is_not_written_says_why(tmp_path: Path, copies: int) -> None:
    """The disk is full at once, or a signal comes just then: what was claimed is let go of by each who had it."""
    path = tmp_path / "k.h5"
    name = path if copies == 1 else trace_of(path, 0)

    def run() -> None:
        if copies == 1:
            neuroport.run(neuroport.load("loihi_lif"), "reference", duration=3, trace=path)
        else:
            neuroport.run_copies(neuroport.load("loihi_lif"), range(2), "reference", duration=3, trace=path)

    with file_size(0), pytest.raises(NotWritten) as caught:
        run()
    text = "cannot be written: it would be larger than this process or file system may make a file"
    assert str(caught.value) == f"{name}: {text}"
    assert list(tmp_path.iterdir()) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neuroport.trace.write._write_header", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_left_before_its_first_part_is_told(tmp_path: Path) -> None:
    parts = Parts.claim(tmp_path / "k.h5")
    (parts.folder / ".neuroport-abc.tmp").write_bytes(b"half")
    assert left(tmp_path / "k.h5") == f"'{parts.folder}' holds nothing that was recorded; remove it"
    (parts.folder / "000001.h5").write_bytes(b"another")
    assert left(tmp_path / "k.h5") == ""
    (parts.folder / "000001.h5").unlink()
    parts.let_go()
    assert left(tmp_path / "k.h5") == ""


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_parts_that_are_removed_before_a_run_fails_hide_no_reason(tmp_path: Path) -> None:
    parts = Parts.claim(tmp_path / "k.h5")
    shutil.rmtree(parts.folder)
    parts.let_go()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["mkdir", "open"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("begin", [Parts.claim, Parts.resume])
def test_where_the_folder_of_parts_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, number: int, begin: Any
) -> None:
    """A full disk is not the fault of who asked, and nothing is left: neither the folder nor half of what it has."""

    def fails(path: Path, *_: object) -> None:
        raise OSError(number, "not", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, what, fails)
        with pytest.raises((NotWritten, InvalidInput)) as refused:
            begin(tmp_path / "k.h5")
    why = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up"}
    assert str(refused.value) == (f"{tmp_path / 'k.h5'}: cannot be written: {why.get(number, 'Read-only file system')}")
    assert refused.value.exit_code == (1 if number in why else 2)
    assert list(tmp_path.iterdir()) == []


def test_a_long_run_has_few_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One every ten seconds at first; of ten days a few hundred, which are joined in a few seconds."""
    clock, flushed = SimpleNamespace(now=0.0), list[float]()
    monkeypatch.setattr(write, "time", SimpleNamespace(monotonic=lambda: clock.now))
    writer = Writer(tmp_path / "k.h5", SOURCE)

    def flush() -> None:
        flushed.append(clock.now)
        writer._flushed = clock.now

    with monkeypatch.context() as patch:
        patch.setattr(writer, "flush", flush)
        while clock.now < 10 * 86400:
            clock.now += 5.0
            writer.capture(Capture())
    assert flushed[:50] == [10.0 * k for k in range(1, 51)] and len(flushed) < 450
    assert all(later - now < 0.03 * now for now, later in itertools.pairwise(flushed[100:]))
    writer.close(steps=0)


# ------------------------------------------------------------------------------------------------------------ joining


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "k.h5", SOURCE)
    for capture in captures():
        writer.capture(capture)
        writer.flush()
    writer.parts.release()
    (writer.folder / "000001.h5").unlink()
    text = (
        "'000001.h5' is missing; join what can be read with 'neuroport join --readable', or move it and the later ones "
        "away"
    )
    assert refused(repair, writer.folder) == text
    (writer.folder / "000002.h5").rename(tmp_path / "000002.h5")
    assert open_trace(repair(writer.folder)).steps == 0


def in_pieces(folder: Path, lost: Sequence[str] = (), damaged: Sequence[str] = ()) -> Path:
    """The parts of a run of 200 steps that ended well, of which some are missing, and others are cut off."""
    writer = Writer(folder / "k.h5", SOURCE)
    for capture in captures():
        writer.capture(capture)
        writer.flush()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "join", full)
        with pytest.raises(NotWritten):
            writer.close(steps=210, digest="d")
    for name in lost:
        (writer.folder / name).unlink()
    for name in damaged:
        (writer.folder / name).write_bytes((writer.folder / name).read_bytes()[:1000])
    return writer.folder


def full(*_: object) -> None:
    raise NotWritten(None, "full")


@pytest.mark.parametrize(
    ("how", "number", "text", "missing", "lacks"),
    [
        ("missing", 1, "; of steps 0 to 99 nothing is known", ((0, 99),), "nothing is known of steps 0 to 99"),
        ("damaged", 2, "; of steps 100 to 209 nothing is known", ((100, 209),), "nothing is known of steps 100 to 209"),
        ("damaged", 3, "", (), "the run was cut off after step 199"),
    ],
)
def test_what_is_readable_is_joined_and_the_rest_is_told(
    tmp_path: Path, how: str, number: int, text: str, missing: tuple[tuple[int, int], ...], lacks: str
) -> None:
    name = f"00000{number}.h5"
    folder = in_pieces(tmp_path, **{"lost" if how == "missing" else "damaged": [name]})
    before = {path: path.read_bytes() for path in folder.iterdir()}
    path = tmp_path / "k.h5"
    done = CliRunner().invoke(main, ["join", str(folder), "--readable"])
    trace = open_trace(path)
    assert (done.exit_code, done.stdout) == (0, f"{path}: {trace.steps:,} steps, marked incomplete\n")
    assert done.stderr == f"note: {path} is without {name} ({how}){text}; all parts stay where they are\n"
    assert (trace.missing, trace.lacks, trace.digest) == (missing, lacks, "")
    assert trace.steps == (200 if number == 3 else 210)
    gone = [step for first, last in missing for step in range(first, last + 1)]
    whole = open_trace(write_trace(tmp_path / "whole.h5"))
    for population in ("a", "b"):
        steps = whole.spikes(population).steps
        assert np.array_equal(trace.spikes(population).steps, steps[~np.isin(steps, gone)])
    assert f"INCOMPLETE: {lacks}\n" in CliRunner().invoke(main, ["show", str(path)]).stdout
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(("name", "cut"), [("checkpoint.h5", True), ("000001.h5", True), ("", False)])
def test_a_run_goes_on_from_a_checkpoint_only_if_all_is_there(tmp_path: Path, name: str, cut: bool) -> None:
    """With what a damaged one would begin at, or without steps before it, it would be another run."""
    folder = killed(tmp_path / "k.h5")
    with h5py.File(folder / "checkpoint.h5", "w") as file:
        file.create_group("checkpoint/state").attrs["step"] = 100
        file["checkpoint/numbers"] = np.arange(1000)
    if cut:
        (folder / name).write_bytes((folder / name).read_bytes()[:3000])
    done = CliRunner().invoke(main, ["join", str(folder), "--readable"])
    assert (done.exit_code, f"{name} (damaged)" in done.stderr, folder.exists()) == (0, cut, cut), done.output
    with h5py.File(tmp_path / "k.h5") as trace:
        assert ("checkpoint" in trace["neuroport"]) != cut


def test_parts_of_which_all_can_be_read_are_joined_as_ever(tmp_path: Path) -> None:
    folder = in_pieces(tmp_path, [])
    done = CliRunner().invoke(main, ["join", str(folder), "--readable"])
    assert done.output == f"{tmp_path / 'k.h5'}: 210 steps, complete\n" and not folder.exists()


def test_nothing_is_joined_without_the_first_part_and_nobody_is_told_to_remove_the_others(tmp_path: Path) -> None:
    folder = in_pieces(tmp_path, [], ["000000.h5"])
    for function in (repair, salvage):
        with pytest.raises(InvalidInput) as caught:
            function(folder)
        assert str(caught.value).endswith("it says what the others are, and nothing can be joined without it")
    (folder / "000000.h5").unlink()
    for function in (repair, salvage):
        assert refused(function, folder) == (
            "holds 000001.h5, but not 000000.h5, which says what the others are; put it back there"
        )


def test_a_folder_of_another_name_needs_a_name_for_its_trace(tmp_path: Path) -> None:
    folder = killed(tmp_path / "k.h5").rename(tmp_path / "moved")
    assert refused(repair, folder) == "does not end in .part, so that its trace has no name; give it one with -o"
    (folder / "notes.txt").write_text("precious")
    assert open_trace(repair(folder, output=tmp_path / "x.h5")).steps == 100
    assert [entry.name for entry in folder.iterdir()] == ["notes.txt"]


def damaged(folder: Path, draw: random.Random) -> Path:
    """The part of which bytes were changed or cut off."""
    victim = draw.choice(sorted(folder.glob("0*.h5")))
    content = bytearray(victim.read_bytes())
    for _ in range(draw.choice((1, 4, 64))):
        content[draw.randrange(len(content))] = draw.randrange(256)
    victim.write_bytes(content[: draw.choice((*[len(content)] * 3, draw.randrange(len(content))))])
    return victim


@pytest.mark.parametrize("count", [40, pytest.param(2000, marks=pytest.mark.slow)])
def test_damaged_parts_are_sentences_and_stay(tmp_path: Path, count: int) -> None:
    """A sentence that names the part, or a trace."""
    writer = Writer(tmp_path / "k.h5", SOURCE)
    for capture in captures():
        writer.capture(capture)
        writer.metric("dkl", 5, 0.5)
        writer.flush()
    writer.parts.release()
    folder, out = tmp_path / "x.h5.part", tmp_path / "x.h5"
    draw, told, joined = random.Random(count), 0, 0
    for _ in range(count):
        shutil.copytree(writer.folder, folder)
        damaged(folder, draw)
        try:
            repair(folder)
        except InvalidInput as error:
            told += all(re.match(rf"{folder}/00000\d.h5: .*; (it|join) .*", line) for line in str(error).splitlines())
            assert (len(list(folder.glob("0*.h5"))), out.exists()) == (3, False)
            if "nothing can be joined without it" not in str(error):
                trace, left_out = open_trace(salvage(folder)[0]), salvage(folder, overwrite=True)[1]
                assert not trace.complete and len(left_out) == 1 and len(list(folder.glob("0*.h5"))) == 3
                out.unlink()
            shutil.rmtree(folder)
        else:
            joined += 1
            out.unlink()
    assert told + joined == count and told > joined > 0


MANY = """
import sys
sys.path.insert(0, {root!r})
import resource
from pathlib import Path
import numpy as np
from dataclasses import replace
from neuroport.program.executor import Capture
from neuroport.program.machine import Record
from neuroport.trace.write import Writer
from neuroport.trace import write
from tests.support.traces import PROGRAM, SOURCE

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

samples, pieces, path = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
source = replace(SOURCE, program=replace(PROGRAM, records=(Record("a.v", 1),)))
writer = Writer(path, source)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
for k in range(pieces):
    part = np.arange(samples * k // pieces, samples * (k + 1) // pieces)
    writer.capture(Capture({{"a": (part, part % 3)}}, {{"a.v": (part, np.stack([part % 1000] * 3, 1))}}))
    writer.flush()
before = peak()
writer.close(steps=samples)
print(before, peak())
"""


def many(path: Path, samples: int, pieces: int) -> tuple[int, int]:
    """Peak memory in MB before and after joining so many samples from so many parts, with 64 open files."""
    command = (sys.executable, "-c", MANY.format(root=str(ROOT)), str(samples), str(pieces), str(path))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    return before, after


@pytest.mark.dear
def test_hundreds_of_parts_are_joined_with_few_open_files(tmp_path: Path) -> None:
    many(tmp_path / "k.h5", 30_000, 300)
    trace = open_trace(tmp_path / "k.h5")
    steps = np.arange(30_000)
    assert np.array_equal(trace.record("a.v").raw[:, 2], steps % 1000)
    assert np.array_equal(trace.record("a.v").steps, steps) and np.array_equal(trace.spikes("a").neurons, steps % 3)
    with h5py.File(tmp_path / "k.h5") as file:
        assert file["report/a/data"].shape == (30_000, 3)


@pytest.mark.slow
def test_memory_at_the_join_does_not_grow_with_what_was_recorded(tmp_path: Path) -> None:
    _, little = many(tmp_path / "little.h5", 10**6, 4)
    _, much = many(tmp_path / "much.h5", 32 * 10**6, 3000)
    assert much < little + 40


def test_a_report_is_only_of_evenly_spaced_samples(tmp_path: Path) -> None:
    def reports(*pieces: list[int]) -> list[str]:
        writer = Writer(tmp_path / "k.h5", SOURCE, overwrite=True)
        for steps in pieces:
            rows = np.zeros((len(steps), 3), np.int64)
            writer.capture(Capture({}, {"a.v": (np.array(steps), rows)}))
            writer.flush()
        writer.close(steps=100)
        with h5py.File(tmp_path / "k.h5") as file:
            return list(file.get("report", ()))

    assert reports([9, 19], [29]) == reports([9]) == ["a"]
    assert reports([9, 19], [39]) == reports([9, 20]) == reports([9, 19, 30], [40]) == []


@pytest.mark.parametrize("name", ["000000.h5", "000001.h5"])
def test_what_may_be_a_part_of_a_run_is_not_removed_unasked(tmp_path: Path, name: str) -> None:
    path = tmp_path / "k.h5"
    folder = tmp_path / "k.h5.part"
    folder.mkdir()
    (folder / name).write_text("hi")
    text = f"'{folder}' holds {name}, a part of a run without a beginning that can be read; "
    assert refused(check_trace, path) == f"{text}move it away, or replace it with --overwrite"
    assert refused(Parts.claim, path) == f"{text}move it away, or replace it with --overwrite"
    assert (folder / name).read_text() == "hi"


def test_a_good_part_without_the_first_one_is_not_removed_unasked(tmp_path: Path) -> None:
    path = tmp_path / "k.h5"
    (killed(path) / "000000.h5").unlink()
    assert "holds 000001.h5" in refused(Parts.claim, path)
    assert (tmp_path / "k.h5.part" / "000001.h5").exists()
