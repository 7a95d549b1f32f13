"""What `benchmarks/rules.py` says of wrong options, folders and files, of what fails, and how it ends."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput, NeuroportError, Unsupported
from tests.support import needs
from tests.support.checkout import ROOT

sys.path.insert(0, str(ROOT))

from benchmarks import rules as bench
from benchmarks.rivals import counting, entries, figures, page, rates, running, store
from benchmarks.rivals.cases import Case
from benchmarks.rivals.entries import Rule

NAME = "digits-feedback_alignment-ideal-seed1-"
"""What the name of one run begins with."""
BITS: dict[str, Any] = {"generic16": {"visible": 16.0}, "generic8": {"visible": 8.0}}
KILLING = pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system cannot kill")


def result(last: float = 90.0, **more: Any) -> dict[str, Any]:
    """What a run left."""
    told = {"test": [last], "updates": [[60.0, 30.0, 0.0]], "overflows": {}, "not_finite": {}, "spikes": {}}
    return told | {"steps": 1000, "copies": 20, "build_s": 0.1, "run_s": 0.5} | more


@pytest.fixture(autouse=True)
def docs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page and figures in the place of the published ones; runs and counts take no time."""
    made = tmp_path_factory.mktemp("docs")
    for name in ("bench.md", "bench.png", "bench_chips.png"):
        (made / name).write_text("<!-- bench: digits -->\npublished\n<!-- end of digits -->\n")
    monkeypatch.setattr(page, "PAGE", made / "bench.md")
    monkeypatch.setattr(figures, "FOLDER", made)
    monkeypatch.setattr(bench, "run", lambda *_: result())
    monkeypatch.setattr(counting, "counted", lambda *_: {"operations": {"steps": 1, "spiked": {}}, "bits": BITS})
    return made


def published(docs: Path) -> bool:
    """Whether the page and the figures are as they were."""
    return all("published" in file.read_text("latin-1") for file in docs.iterdir())


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What the bench says that ends with exit code 2, or another one, and prints nothing."""

    def ended(*given: str | Path, code: int = 2) -> str:
        with pytest.raises(SystemExit) as stopped:
            bench.main([str(one) for one in given])
        out, said = capsys.readouterr()
        assert (stopped.value.code, out) == (code, "") and "Traceback" not in said
        return said.strip().splitlines()[-1]

    return ended


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("--jobs 0", "--jobs: '0' is not a whole number of at least 1"),
        ("--jobs -1", "--jobs: '-1' is not a whole number of at least 1"),
        ("--jobs abc", "--jobs: 'abc' is not a whole number of at least 1"),
        ("--only (", "--only: '(' is no regular expression: missing ), unterminated subpattern"),
        ("--only nosuch", "--only: 'nosuch' is in none of the "),
        ("--only nosuch --list", "--only: 'nosuch' is in none of the "),
        ("--only quick", "--only: 'quick' is in none of the "),
        ("--quick --short", "not allowed with"),
        ("--quick --tune", "not allowed with"),
        ("--short --tune", "not allowed with"),
        ("--table --list", "--table is of all runs that are there; it does not go with --list"),
        ("--table --tune", "it does not go with --tune"),
        ("--figure --short", "--figure is of all runs that are there; it does not go with --short"),
        ("--write --jobs 2", "--write is of all runs that are there; it does not go with --jobs"),
        ("--write --only digits", "it does not go with --only"),
        ("--write --quick", "--write is of whole runs"),
    ],
)
def test_options_are_looked_at_first(refused: Callable[..., str], tmp_path: Path, given: str, word: str) -> None:
    assert word in refused("--out", tmp_path / "new", *given.split())
    assert not (tmp_path / "new").exists()


def test_a_folder_has_a_name(refused: Callable[..., str]) -> None:
    assert "--out: '' is no name of a folder" in refused("--out", "")


@pytest.mark.parametrize("given", ["", "--list", "--quick --table", "--figure", "--write", "--tune"])
def test_a_file_is_no_folder(refused: Callable[..., str], tmp_path: Path, given: str) -> None:
    (tmp_path / "file").write_text("mine")
    assert f"{tmp_path / 'file'}: is a file; --out is a folder" in refused("--out", tmp_path / "file", *given.split())
    said = refused("--out", tmp_path / "file" / "a" / "b", *given.split())
    assert f"'{tmp_path / 'file'}' is a file; --out is a folder" in said
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="this system has no folder that takes nothing")
def test_a_folder_that_takes_nothing_is_told_before_anything_runs(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "run", None)
    assert "/proc/results: cannot be written: " in refused("--out", "/proc/results")


def test_a_full_disk_is_told(refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "cannot be written: the disk is full" in refused("--out", tmp_path / "new", "--only", NAME)
    assert list((tmp_path / "new").iterdir()) == []


def test_help_has_a_text_for_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--help"])
    _, _, listed = capsys.readouterr().out.partition("\noptions:\n")
    texts = re.findall(r"^  (?:-h, )?(--\w+)(?: [A-Z]+)?(?:  +|\n {10,})\S", listed, re.MULTILINE)
    assert texts == re.findall(r"^  (?:-h, )?(--\w+)", listed, re.MULTILINE) and len(texts) == 11


# ------------------------------------------------------------------------------------------------- tables and figures


@pytest.mark.parametrize("given", ["--table", "--figure", "--write", "--table --figure", "--quick --table"])
@pytest.mark.parametrize("folder", ["missing", "empty", "other"])
def test_nothing_is_made_of_nothing(
    refused: Callable[..., str], docs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, folder: str
) -> None:
    out = tmp_path / "results"
    if folder == "other":
        bench.main(["--out", str(out), "--only", NAME if "quick" in given else "^digits.*quick"]
                   + ([] if "quick" in given else ["--quick"]))  # fmt: skip
        capsys.readouterr()
    elif folder == "empty":
        out.mkdir()
    there = sorted(out.iterdir()) if out.exists() else None
    kind = "quick" if "quick" in given else "whole"
    said = refused("--out", out, *given.split())
    assert f"{out}: there is no {kind} run of the present settings here; make some: python benchmarks/rules.py" in said
    assert published(docs) and (sorted(out.iterdir()) if out.exists() else None) == there


def test_pages_are_written_of_all_rules_only(
    refused: Callable[..., str], docs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.main(["--out", str(tmp_path / "results"), "--only", NAME])
    capsys.readouterr()
    number = sum(len(tasks) for tasks in rates.known().values()) - 1
    said = refused("--out", tmp_path / "results", "--write")
    assert f"{number} of the rules and tasks that have a learning rate have no run in floating point" in said
    assert f"python benchmarks/rules.py --out {tmp_path / 'results'} --short" in said and published(docs)


def test_only_write_writes_the_page(docs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    out = tmp_path / "results"
    bench.main(["--out", str(out), "--short", "--only", "ideal-seed1-|needs-"])
    capsys.readouterr()
    bench.main(["--out", str(out), "--table"])
    assert "| feedback alignment | 90.0 |" in capsys.readouterr().out
    bench.main(["--out", str(out), "--figure"])
    assert capsys.readouterr().out.split() == [str(out / "bench.png"), str(out / "bench_chips.png")]
    assert all((out / name).read_bytes()[1:4] == b"PNG" for name in ("bench.png", "bench_chips.png"))
    assert published(docs)
    bench.main(["--out", str(out), "--write"])
    assert (docs / "bench.md").read_text().count("| feedback alignment | 90.0 |") == 1
    assert all((docs / name).read_bytes() == (out / name).read_bytes() for name in ("bench.png", "bench_chips.png"))


def test_figures_need_matplotlib(
    refused: Callable[..., str],
    docs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench.main(["--out", str(tmp_path / "results"), "--short", "--only", "ideal-seed1-|needs-"])
    capsys.readouterr()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for given in ("--figure", "--write"):
        assert "figures need matplotlib; install it with: " in refused("--out", tmp_path / "results", given)
    assert published(docs)


def test_a_task_without_runs_has_no_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    panels, png = [], figures._png
    monkeypatch.setattr(figures, "_png", lambda figure: panels.append(len(figure.axes)) or png(figure))
    for task, drawn in (("digits", [1, 2]), ("yinyang", [2])):
        out = tmp_path / task
        bench.main(["--out", str(out), "--quick", "--only", f"{task}-feedback_alignment-ideal-seed"])
        bench.main(["--out", str(out), "--quick", "--figure"])
        assert panels == drawn and (out / "bench.png").exists() == (task == "digits")
        panels.clear()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"test": [90.0], "upd',
        b"[]",
        b"90",
        b"{}",
        b"\xff\xfe\x00",
        json.dumps(result(test=[])).encode(),
        json.dumps(result(updates=[[]])).encode(),
        json.dumps(result(steps="many")).encode(),
        json.dumps({"error": "Unsupported: the data set 'digits' comes with scikit-learn"}).encode(),
        None,
    ],
)
def test_a_damaged_result_is_named(
    refused: Callable[..., str], docs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    bench.main(["--out", str(tmp_path / "results"), "--only", NAME])
    capsys.readouterr()
    (file,) = (tmp_path / "results").iterdir()
    file.unlink()
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    said = refused("--out", tmp_path / "results", "--write")
    assert f"{file}: " in said and said.endswith("; delete it, and the bench runs it again")
    assert published(docs)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"a": 1}', b'{"a": {"digits": {"chosen": "x"}}}', None]
)
def test_damaged_rates_are_named(
    refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    file, known = tmp_path / "rates.json", rates.known
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    monkeypatch.setattr(rates, "known", lambda: known(file))
    for given in ("", "--list", "--table", "--write", "--tune"):
        assert f"{file}: " in refused("--out", tmp_path / "results", *given.split())
    assert not (tmp_path / "results").exists()


def test_without_rates_there_is_nothing_to_do(
    refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "known", dict)
    assert "no rule has a learning rate; --tune chooses them" in refused("--out", tmp_path / "new")


# ----------------------------------------------------------------------------------------------------- what is a fault


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (
            Unsupported("the data set 'digits' comes with scikit-learn, which is not installed"),
            "comes with scikit-learn",
        ),
        (InvalidInput.one(None, "there is no network 'x'"), "there is no network 'x'"),
        (RuntimeError("no compiler"), "RuntimeError: no compiler"),
        (ValueError("no value"), "ValueError: no value"),
        (ImportError("no module"), "ImportError: no module"),
        (OverflowError("of a setting"), "OverflowError: of a setting"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_faults_that_are_not_the_rules_end_the_bench(
    refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, word: str
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(bench, "run", running.run)
    monkeypatch.setattr(neuroport, "load", failing)
    said = refused("--out", tmp_path / "new", "--only", NAME)
    assert NAME in said and word in said and list((tmp_path / "new").iterdir()) == []


def test_arithmetic_that_fails_is_the_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Session:
        def __enter__(self) -> Session:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def run_protocol(self) -> None:
            raise OverflowError("too large\nfor a number")

    needs.digits()
    monkeypatch.setattr(bench, "run", running.run)
    monkeypatch.setattr(neuroport, "open", lambda *_, **__: Session())
    bench.main(["--out", str(tmp_path / "new"), "--only", NAME])
    assert capsys.readouterr().out.endswith(": OverflowError: too large\n")
    (file,) = (tmp_path / "new").iterdir()
    assert json.loads(file.read_text())["error"] == "OverflowError: too large"
    bench.main(["--out", str(tmp_path / "new"), "--table"])
    assert "| feedback alignment | 0.0 (1 failed) |" in capsys.readouterr().out


@pytest.mark.dear
def test_weights_of_a_host_that_are_no_numbers_are_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    needs.digits()
    from examples import tssl_bp

    def diverging(weights: Any, *_: object) -> None:
        weights.layers[0][:] = value

    monkeypatch.setattr(tssl_bp, "train", diverging)
    sets = ('data="digits"', "layers=[64, 12, 10]", "epochs=1", "in_loop=true")
    setup = dataclasses.replace(entries.rules()["tssl_bp"].setups["digits"], sets=sets)
    rule = Rule("host", "HOST", "some", "some.md", {"digits": setup})
    value = np.nan
    assert running.run(rule, Case("digits", "host"), 0.01)["error"] == "FloatingPointError: weights are not finite"
    value = 1e9
    with pytest.raises(NeuroportError):
        running.run(rule, Case("digits", "host"), 0.01)


# -------------------------------------------------------------------------------------------------------------- files


def test_halves_of_a_bench_that_runs_stay(tmp_path: Path) -> None:
    old, new = tmp_path / f"{store.HALF}old", tmp_path / f"{store.HALF}new"
    for half in (old, new):
        half.write_text("{")
    then = time.time() - 3600
    os.utime(old, (then, then))
    bench.main(["--out", str(tmp_path), "--only", NAME])
    assert new.exists() and not old.exists()


@pytest.mark.skipif(os.name != "posix", reason="this system has no umask")
def test_results_can_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        store.keep(tmp_path, "a.json", {})
    finally:
        os.umask(before)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640


def test_results_of_others_are_left_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    assert not store.keep(tmp_path, "a.json", {}) and [file.name for file in tmp_path.iterdir()] == ["a.json"]


# ----------------------------------------------------------------------------------------------------------- processes

PROGRAM = """
import os, signal, sys, time
from pathlib import Path

from benchmarks import rules as bench
from neuroport.errors import Unsupported

DIR = Path(sys.argv[2])

def slow(case):
    (DIR / f"began{case.seed}").touch()
    time.sleep(600)

def failing(case):
    if case.seed != 1:
        slow(case)
    while not (DIR / "began2").exists():
        time.sleep(0.01)
    WHAT

bench.run = lambda rule, case, chosen: ENDING(case)
if __name__ == "__main__":
    bench.main(sys.argv[1:])
"""
SEEDS = "^digits-feedback_alignment-ideal-seed"


def program(folder: Path, jobs: int, ending: str, what: str = "") -> subprocess.Popen[str]:
    """A bench of three runs that go on for ten minutes, or of which one ends otherwise."""
    (folder / "results").mkdir()
    text = PROGRAM.replace("ENDING", ending).replace("WHAT", what)
    (folder / "program.py").write_text(text)
    given = ["--out", str(folder / "results"), "--jobs", str(jobs), "--only", SEEDS]
    return subprocess.Popen(
        [sys.executable, str(folder / "program.py"), *given],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def begun(folder: Path, process: subprocess.Popen[str], seed: int) -> None:
    """Wait until that run has begun."""
    until = time.monotonic() + 200
    while not (folder / "results" / f"began{seed}").exists():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)


@KILLING
@pytest.mark.skipif(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, reason="Ctrl-C is ignored here")
@pytest.mark.dear
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_says_that_the_command_goes_on(tmp_path: Path, jobs: int) -> None:
    with program(tmp_path, jobs, "slow") as process:
        begun(tmp_path, process, jobs)
        os.killpg(process.pid, signal.SIGINT)
        out, said = process.communicate(timeout=200)
    assert process.returncode == 130 and out == ""
    assert said == "program.py: interrupted; what is done is kept, and the same command goes on\n"


@KILLING
@pytest.mark.dear
@pytest.mark.parametrize(
    ("what", "word"),
    [
        ("raise Unsupported('no such package')", ": no such package"),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "error: a process of the bench was killed, perhaps because memory was",
        ),
    ],
)
def test_what_ends_one_of_several_ends_all_at_once(tmp_path: Path, what: str, word: str) -> None:
    with program(tmp_path, 2, "failing", what) as process:
        out, said = process.communicate(timeout=200)
    assert process.returncode == 2 and out == "" and word in said and said.count("\n") == 1
    assert [file.name for file in (tmp_path / "results").glob("*.json")] == []


@KILLING
@pytest.mark.dear
def test_no_process_outlives_a_bench_that_is_killed(tmp_path: Path) -> None:
    with program(tmp_path, 2, "slow") as process:
        begun(tmp_path, process, 2)
        process.kill()
        process.communicate(timeout=200)  # comes to its end when the last of them has closed what it writes to
    assert process.returncode == -signal.SIGKILL
