"""Copies beside each other stop together, however they are run, and the traces of all are told."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import neuroport
from neuroport.backends.reference import Reference
from neuroport.errors import InvalidInput, NotWritten, Place
from neuroport.network.network import Network
from neuroport.trace import join
from neuroport.trace.read import open_trace
from neuroport.trace.write import Writer
from tests.support.traces import SOURCE


@pytest.fixture(params=["side by side", "unrolled"])
def network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Network:
    monkeypatch.setattr(Reference, "unrolls", request.param == "unrolled", raising=False)
    return neuroport.load("loihi_lif")


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def notes(error: BaseException) -> list[str]:
    """Without how to go on: copies that run side by side can, unrolled ones cannot."""
    return sorted(note.partition("; go on with ")[0] for note in getattr(error, "__notes__", ()))


def kept(path: Path) -> str:
    return f"what was recorded until then is in {path}, marked incomplete"


def test_an_interrupt_that_one_copy_hears_is_for_all(network: Network, tmp_path: Path) -> None:
    def progress(done: int, total: int) -> None:
        if done > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        neuroport.run_copies(network, range(2), "reference", duration=10**9, trace=tmp_path / "k.h5", progress=progress)
    paths = [tmp_path / f"k.copy{k}.h5" for k in range(2)]
    assert notes(caught.value) == [kept(path) for path in paths]
    assert [(open_trace(path).complete, open_trace(path).seed) for path in paths] == [(False, 0), (False, 1)]
    assert sorted(tmp_path.iterdir()) == paths


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_while_copies_are_waited_for(network: Network, tmp_path: Path) -> None:
    sent = threading.Event()

    def progress(done: int, total: int) -> None:
        if done > 100 and not sent.is_set():
            sent.set()
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        neuroport.run_copies(network, range(2), "reference", duration=10**9, trace=tmp_path / "k.h5", progress=progress)
    assert notes(caught.value) == [kept(tmp_path / f"k.copy{k}.h5") for k in range(2)]
    assert threading.active_count() == 1


def test_all_copies_are_given_back_when_one_cannot_be_written(network: Network, tmp_path: Path) -> None:
    other = Writer(tmp_path / "k.copy2.h5", SOURCE)
    for overwrite in (False, True):
        with pytest.raises(InvalidInput, match="another run is writing this file"):
            neuroport.run_copies(network, range(3), "reference", trace=tmp_path / "k.h5", overwrite=overwrite)
        assert [path.name for path in tmp_path.iterdir()] == ["k.copy2.h5.part"]
    other.close(steps=1)


def test_what_all_copies_came_to_is_there_when_traces_are_not(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = join.join

    def full(folder: Path, out: Path) -> None:
        if "copy1" in out.name:
            joined(folder, out)
        else:
            raise NotWritten(Place(str(out)), "cannot be written: the disk is full")

    monkeypatch.setattr(join, "join", full)
    with pytest.raises(NotWritten) as caught:
        neuroport.run_copies(network, range(3), "reference", trace=tmp_path / "k.h5")
    alone = [neuroport.run(network, "reference", seed=seed).digest for seed in range(3)]
    assert [run.digest for run in caught.value.results] == alone
    paths = [tmp_path / f"k.copy{k}.h5" for k in range(3)]
    assert str(caught.value) == "\n".join(
        f"{path}: cannot be written: the disk is full; what was recorded lies in '{path}.part': "
        f"join it with 'neuroport join {path}.part'"
        for path in (paths[0], paths[2])
    )
    assert open_trace(paths[1]).complete


def test_a_run_that_fails_says_where_its_trace_is(tmp_path: Path) -> None:
    def failing(session: neuroport.Session) -> None:
        session.run(50)
        session.set("nothing.at.all", 1)

    path = tmp_path / "k.h5"
    with (
        pytest.raises(InvalidInput) as caught,
        neuroport.open(neuroport.load("loihi_lif"), "reference", trace=path) as session,
    ):
        failing(session)
    assert notes(caught.value) == [kept(path)]
    assert (open_trace(path).steps, open_trace(path).complete) == (50, False)
