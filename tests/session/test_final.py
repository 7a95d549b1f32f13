"""The state in which a run ends: in the digest by the hashes of its arrays, and read array by array."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.files import network as reader
from neuroport.program import fingerprint
from neuroport.session.session import Session
from tests.support.executors import BACKENDS
from tests.support.memory import peak

NET = """
neuroport: 1
name: n
dt: 1 ms
neurons:
  cell:
    inputs: {i: {range: [-8, 8]}}
    state: {v: {init: 0, range: [-8, 8]}}
    update: v = 0.5 * v + i
    spike: uniform() < 0.01
synapses:
  learning:
    state: {w: {weight: true, init: 0.5, range: [0, 1]}}
    on_pre: |
      send(target, w)
      w = w * 0.9
populations: {a: {size: SIZE, neuron: cell}, b: {size: SIZE, neuron: cell}}
projections:
  ab: {source: a, target: b, input: i, synapse: static, connect: all_to_all, weight: {uniform: [0, 1]}}
  ba: {source: b, target: a, input: i, synapse: learning, connect: all_to_all}
record: {spikes: none, topology: none}
"""
MANY, FEW = 700, 12
WHOLE = 8 * MANY**2
"""Bytes of the weights of a projection of MANY to MANY neurons."""


def opened(size: int = FEW, text: str = NET, **options: Any) -> Session:
    network = reader.loads(text.replace("SIZE", str(size)), "n.yaml")
    return neuroport.open(network, **{"backend": "reference", "keep": False} | options)


class Counted:
    """An executor of which is counted how often it is asked for its arrays, whole (read) and in pieces."""

    def __init__(self, executor: Any) -> None:
        self._executor = executor
        self.read_whole: Counter[str] = Counter()
        self.in_pieces: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)

    def read(self, array: str) -> Any:
        self.read_whole[array] += 1
        return self._executor.read(array)

    def pieces(self, array: str) -> Iterator[Any]:
        self.in_pieces[array] += 1
        pieces: Iterator[Any] = self._executor.pieces(array)
        return pieces


def counted(session: Session) -> tuple[Session, Counted]:
    """A session of the same program on an executor that counts."""
    executor = Counted(session.executor)
    return Session(session.program, session.plan, executor, seed=session.seed, backend="reference"), executor


def set_other(session: Session) -> None:
    session.set("ab.w", 0.25)


def write_other(session: Session) -> None:
    session.exchange({"ab.w": np.full(FEW**2, 0.25)}, steps=0)


def restore_other(session: Session) -> None:
    (another,) = session.fork()
    with another:
        another.set("ab.w", 0.25)
        session.restore(another.checkpoint())


@pytest.mark.parametrize("chip", ["ideal", "ideal32", "generic8"])
@pytest.mark.parametrize("change", [set_other, write_other, restore_other])
def test_values_have_one_digest_whatever_came_before(change: Callable[[Session], None], chip: str) -> None:
    with opened(chip=chip) as session, opened(chip=chip) as fresh:
        saved, first, values = session.checkpoint(), session.digest(), session.get("ab.w")
        change(session)
        changed = session.digest()
        fresh.set("ab.w", 0.25)
        assert changed == fresh.digest() != first
        session.set("ab.w", values)
        assert session.digest() == first
        change(session)
        assert session.digest() == changed
        session.restore(saved)
        assert session.digest() == first


def test_a_state_that_was_loaded_is_looked_at() -> None:
    """Also where nobody says that its weights were given."""
    with opened() as session:
        saved, first = session.checkpoint(), session.digest()
        state = replace(saved.state, arrays={**saved.state.arrays, "ab.w": np.zeros(FEW**2)})
        session.restore(replace(saved, state=state))
        assert session.digest() != first


@pytest.mark.parametrize("chip", ["ideal", "generic8"])
def test_the_digest_does_not_depend_on_the_size_of_pieces(chip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for size in (1, 5, 2**16):
        monkeypatch.setattr(fingerprint, "PIECE", size)
        with opened(chip=chip) as session:
            session.run(20)
            found.add(session.digest())
    assert len(found) == 1


@pytest.mark.dear
@pytest.mark.parametrize("text", [NET, NET + "copies: 3\n"], ids=["one", "copies"])
def test_executors_have_one_digest_with_weights_that_were_set(text: str) -> None:
    found = []
    for backend in (name for name, backend in BACKENDS.items() if backend.missing() is None):
        with opened(text=text, backend=backend, chip="generic8") as session:
            session.run(3)
            before = session.digest()
            session.set("ab.w", np.linspace(0, 0.9, FEW**2))
            session.run(3)
            found.append((before, session.digest()))
    assert len(set(found)) == 1, found


def test_what_nothing_changes_is_looked_at_once() -> None:
    with opened() as session:
        session, executor = counted(session)
        for _ in range(3):
            session.run(2)
            session.digest()
        assert executor.in_pieces == {"a.v": 3, "b.v": 3, "ab.w": 1, "ba.w": 3}
        session.set("ab.w", 0.5)
        session.digest()
        session.digest()
        assert executor.in_pieces["ab.w"] == 2
        assert not executor.read_whole


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_the_end_of_a_run_takes_no_memory_for_synapses(backend: str, tmp_path: Path) -> None:
    """A digest takes that of some pieces, and a trace without synapses nothing of them."""
    with opened(MANY, backend=backend, trace=tmp_path / "o.h5") as session:
        session.run(1)
        assert peak(session.digest) < 4 * 8 * fingerprint.PIECE < 0.6 * WHOLE
        assert peak(lambda: session.finish("")) < 0.5 * WHOLE


def test_a_restored_checkpoint_is_looked_at_without_a_copy() -> None:
    with opened(MANY) as session:
        saved = session.checkpoint()
        assert peak(lambda: session.restore(saved)) < 0.5 * WHOLE


def test_a_trace_takes_the_memory_of_one_array_at_a_time(tmp_path: Path) -> None:
    with opened(MANY, NET.replace("topology: none", "topology: all"), trace=tmp_path / "o.h5") as session:
        assert 2 * WHOLE < peak(session.final)
        assert peak(lambda: session.finish("")) < 1.5 * WHOLE
