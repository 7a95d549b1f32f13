"""The version of the integer arithmetic: traces carry it, and what spans two versions says so in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import pytest
from click.testing import CliRunner, Result

from neuroport.cli import main
from neuroport.program.fixed import VERSION
from neuroport.trace.read import open_trace

OLD = (
    f"the first was computed with version 1 of the integer arithmetic, the second with version {VERSION}: equal runs "
    "have other bits in another version; run both with one neuroport"
)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def run(path: Path, *more: str) -> Path:
    command = ("run", "sal_pair", "-o", path, "--backend", "reference", "--for", "300 steps", "-q", *more)
    assert call(*command).exit_code == 0
    return path


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return run(tmp_path / "new.h5")


def made_old(path: Path, version: int | None = None) -> Path:
    """A trace as an earlier neuroport wrote it: with that version, or without one."""
    with h5py.File(path, "r+") as file:
        del file["neuroport"].attrs["arithmetic_version"]
        if version is not None:
            file["neuroport"].attrs["arithmetic_version"] = version
    return path


def test_a_trace_carries_the_version_and_show_tells_it(new: Path) -> None:
    with h5py.File(new) as file:
        assert file["neuroport"].attrs["arithmetic_version"] == VERSION
    assert f"version {VERSION} of the integer arithmetic" in call("show", new).stdout.splitlines()


def test_a_trace_without_a_version_is_of_the_first(new: Path) -> None:
    assert open_trace(made_old(new)).arithmetic_version == 1
    assert "version 1 of the integer arithmetic" in call("show", new).stdout.splitlines()
    assert open_trace(run(new.with_name("next.h5"))).arithmetic_version == VERSION > 1


def test_parts_of_a_killed_run_carry_the_version(tmp_path: Path) -> None:
    from neuroport.trace.join import repair
    from neuroport.trace.write import Writer
    from tests.support.traces import SOURCE

    writer = Writer(tmp_path / "x.h5", SOURCE)
    writer.flush()
    writer.parts.release()
    assert open_trace(repair(tmp_path / "x.h5.part")).arithmetic_version == VERSION


def test_run_tells_the_version_of_integers_only(tmp_path: Path) -> None:
    def told(*more: str) -> Any:
        done = call("run", "sal_pair", "--backend", "reference", "--for", "20 steps", "-q", "--json", *more)
        return json.loads(done.stdout)["arithmetic_version"]

    assert told() == VERSION
    assert told("--chip", "ideal") is None
    assert "integer arithmetic" not in call("show", run(tmp_path / "x.h5", "--chip", "ideal")).stdout


def test_a_difference_between_versions_is_explained(tmp_path: Path, new: Path) -> None:
    other = made_old(run(tmp_path / "other.h5", "--seed", "2"))
    done = call("compare", other, new)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == f"note: {OLD}"
    assert json.loads(call("compare", other, new, "--json").stdout)["note"] == OLD


def test_equal_bits_of_two_versions_are_identical_without_a_word(tmp_path: Path, new: Path) -> None:
    old = made_old(run(tmp_path / "old.h5"))
    done = call("compare", old, new)
    assert done.exit_code == 0 and "note" not in done.stdout and done.stdout.startswith("identical: ")
    assert json.loads(call("compare", old, new, "--json").stdout)["note"] is None


def test_nothing_is_said_within_one_version_or_of_real_numbers(tmp_path: Path, new: Path) -> None:
    other = ("--seed", "2")
    same = run(tmp_path / "same.h5", *other)
    real = run(tmp_path / "real.h5", "--chip", "ideal")
    old_real = made_old(run(tmp_path / "old_real.h5", "--chip", "ideal", *other))
    for pair in ((same, new), (real, old_real), (old_real, new)):
        done = call("compare", *pair)
        assert done.exit_code == 1 and "note:" not in done.stdout


def test_an_exported_network_of_another_version_is_told(tmp_path: Path, new: Path) -> None:
    assert call("export", new, "-o", tmp_path / "a.yaml").stderr == ""
    made_old(new, 7)
    done = call("export", new, "-o", tmp_path / "b.yaml")
    assert done.exit_code == 0
    assert done.stderr == (
        f"note: '{new}' was computed with version 7 of the integer arithmetic, and this neuroport has version "
        f"{VERSION}: it goes on from the same values, but with other bits\n"
    )
    real = made_old(run(tmp_path / "real.h5", "--chip", "ideal"))
    assert call("export", real, "-o", tmp_path / "c.yaml").stderr == ""
