"""Synapses of which only the postsynaptic neurons are kept say the same as a list of pairs."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

import neuroport
from neuroport.api.compile import on_chip, specimen
from neuroport.elaborate.network import elaborate
from neuroport.files import network as reader
from neuroport.program import rows as kept_rows
from neuroport.program.rows import Rows, gathered
from neuroport.program.wiring import Pairs
from tests.support.memory import peak
from tests.support.wiring import joined

SOURCES, TARGETS = 40, 30


def forms() -> tuple[Rows, Pairs]:
    """The same synapses in both forms, some rows without any."""
    matrix = np.random.default_rng(3).random((SOURCES, TARGETS)) < np.linspace(0, 1, SOURCES)[:, None]
    matrix[17] = False
    pre, post = np.nonzero(matrix)
    indptr = np.concatenate([[0], np.cumsum(matrix.sum(axis=1))])
    return Rows(indptr, post.astype(np.uint16), TARGETS), joined(pre, post, SOURCES, TARGETS)


@pytest.fixture(autouse=True, params=[7, 10**6])
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "PIECE", request.param)


def test_both_forms_say_the_same():
    rows, pairs = forms()
    for one, other in ((rows, pairs), (rows.keyed_from(1 << 40), pairs.keyed_from(1 << 40))):
        for name in ("pre", "post", "indptr", "element", "synapses"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
            assert getattr(getattr(one, name), "dtype", None) == getattr(getattr(other, name), "dtype", None), name
        assert np.array_equal(one.incoming(TARGETS + 2), other.incoming(TARGETS + 2))
        assert np.array_equal(one.outgoing(SOURCES), other.outgoing(SOURCES))
        assert one.joins_like(other)
        assert other.joins_like(one)
    assert not rows.joins_like(replace(rows, stored=rows.kept[::-1]))


def test_pieces_are_all_of_it_in_order():
    rows, pairs = forms()
    assert np.array_equal(np.concatenate([kept for _, _, kept in rows.pieces()]), pairs.post)
    assert [row for row, _, _ in rows.pieces()][1:] == [end for _, end, _ in rows.pieces()][:-1]
    assert np.array_equal(np.concatenate(list(rows.elements())), pairs.element)


@pytest.mark.parametrize(("first", "last"), [(0, TARGETS), (0, 11), (11, TARGETS), (5, 5)])
def test_those_onto_some_neurons(first, last):
    rows, pairs = forms()
    chosen = (pairs.post >= first) & (pairs.post < last)
    part = rows.onto(first, last)
    assert np.array_equal(part.pre, pairs.pre[chosen])
    assert np.array_equal(part.post, pairs.post[chosen] - first)
    assert np.array_equal(part.element, pairs.element[chosen])


def test_they_are_gathered_whatever_is_expected():
    rows, _ = forms()
    counts = np.diff(rows.indptr)
    for expected in (0.0, 3.0, float(rows.synapses), 1e4):
        drawn = (
            (counts[a:b], rows.kept[rows.indptr[a] : rows.indptr[b]]) for a, b in ((0, 13), (13, 13), (13, SOURCES))
        )
        made = gathered(drawn, SOURCES, expected, TARGETS)
        assert made.joins_like(rows)
        assert made.kept.dtype == np.uint16


def test_building_takes_few_bytes_for_each_synapse(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept_rows, "PIECE", 20_000)
    text = (
        "neuroport: 1\nname: n\ndt: 1 ms\npopulations:\n  a: {size: 2000, neuron: lif}\nprojections:\n  p: {source: a, "
    )
    text += "target: a, input: jump, synapse: static, weight: 0.1 mV, connect: {fixed_probability: 0.5}}\n"
    tracemalloc.start()
    program = neuroport.compile(reader.loads(text, "n.yaml"), "generic8")
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 8 * program.projections[0].synapses


@pytest.mark.parametrize("stored", ["true", "false"])
def test_a_weight_that_all_have_in_common_is_fitted_once(stored: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept_rows, "PIECE", 20_000)
    text = (
        "neuroport: 1\nname: n\ndt: 1 ms\nchip: generic8\npopulations:\n  a: {size: 1500, neuron: lif}\nprojections:\n"
        "  p: {source: a, target: a, input: jump, synapse: static, weight: 0.1 mV, "
    )
    text += f"connect: {{fixed_probability: 0.5, stored: {stored}}}}}\n"
    network = reader.loads(text, "n.yaml")
    chip, one = specimen(network)
    real = elaborate(network, chip, one)
    on_chip(real, network, chip)
    assert peak(lambda: on_chip(real, network, chip)) < real.projections[0].synapses // 2
