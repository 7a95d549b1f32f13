"""What stands between neurons: every linear node, alone and after others, beside loops over its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport
from neuroport.nir.connect import order
from tests.oracles.nir_steps import Meaning, machine

nir = pytest.importorskip("nir", reason="graphs are made by the package nir")
RNG = np.random.default_rng(8)


def conv2d(weight: Sequence[int], stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    outs = weight[0]
    return nir.Conv2d(None, RNG.normal(size=weight), stride, padding, dilation, groups, RNG.normal(size=outs))


def conv1d(weight: Sequence[int], stride: int = 1, padding: Any = 0, dilation: int = 1, groups: int = 1) -> Any:
    return nir.Conv1d(None, RNG.normal(size=weight), stride, padding, dilation, groups, RNG.normal(size=weight[0]))


def pool(kind: str, kernel: Any, stride: Any, padding: Any = (0, 0)) -> Any:
    return getattr(nir, kind)(*(np.array(value) for value in (kernel, stride, padding)))


def affine(outs: int, ins: int) -> Any:
    return nir.Affine(RNG.normal(size=(outs, ins)), RNG.normal(size=outs))


def flatten(start: int = 0, end: int = -1) -> Any:
    return nir.Flatten({"input": None}, start, end)


def applied(node: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a linear node makes of values."""
    return np.asarray(machine(node, Meaning(1.0)).step(x))


CASES: dict[str, tuple[tuple[int, ...], list[Any], str]] = {
    "affine": ((5,), [affine(3, 5)], "AllToAll"),
    "linear": ((5,), [nir.Linear(RNG.normal(size=(3, 5)))], "AllToAll"),
    "two matrices": ((5,), [affine(4, 5), affine(3, 4)], "AllToAll"),
    "scale": ((5,), [nir.Scale(RNG.normal(size=5))], "OneToOne"),
    "scale and matrix": (
        (5,),
        [nir.Scale(RNG.normal(size=5)), affine(3, 5), nir.Scale(RNG.normal(size=3))],
        "AllToAll",
    ),
    "nothing": ((5,), [], "OneToOne"),
    "maps scaled": ((2, 3, 4), [nir.Scale(RNG.normal(size=(2, 3, 4)))], "OneToOne"),
    "conv": ((2, 5, 6), [conv2d((3, 2, 3, 3))], "Convolution"),
    "conv with everything": ((4, 9, 8), [conv2d((6, 2, 3, 2), (2, 1), (1, 2), (2, 1), 2)], "Convolution"),
    "conv same": ((2, 5, 6), [conv2d((3, 2, 3, 3), padding="same")], "Convolution"),
    "conv same, even": ((2, 5, 6), [conv2d((3, 2, 2, 4), padding="same")], "Convolution"),
    "conv valid": ((2, 5, 6), [conv2d((3, 2, 2, 2), padding="valid")], "Convolution"),
    "conv by channel": ((3, 5, 5), [conv2d((3, 1, 3, 3), padding=1, groups=3)], "Convolution"),
    "conv 1d": ((2, 9), [conv1d((3, 2, 3), 2, 1)], "Convolution"),
    "conv 1d, groups": ((4, 9), [conv1d((2, 2, 3), 1, "same", 2, 2)], "Convolution"),
    "sum pool": ((3, 6, 4), [pool("SumPool2d", [2, 2], [2, 2])], "Pool"),
    "mean pool": ((3, 6, 5), [pool("AvgPool2d", [3, 2], [1, 2], [1, 0])], "Pool"),
    "pool and conv": ((2, 8, 8), [pool("SumPool2d", 2, 2, 0), conv2d((3, 2, 3, 3), 1, 1)], "Convolution"),
    "pool, odd, and conv": ((2, 7, 7), [pool("SumPool2d", 2, 2, 0), conv2d((3, 2, 2, 2))], "Convolution"),
    "pool, odd, and padded conv": ((2, 7, 7), [pool("SumPool2d", 2, 2, 0), conv2d((3, 2, 2, 2), 1, 1)], "Listed"),
    "conv and pool": ((2, 8, 7), [conv2d((4, 1, 3, 3), 1, 0, 1, 2), pool("AvgPool2d", 2, 2, 0)], "Convolution"),
    "conv and conv": ((2, 9, 9), [conv2d((3, 2, 3, 3), 2, 0, 1), conv2d((2, 3, 2, 2), 1, 0, 2)], "Convolution"),
    "conv, padded in between": ((1, 6, 6), [conv2d((2, 1, 3, 3)), conv2d((1, 2, 3, 3), 1, 1)], ""),
    "scaled channels and conv": (
        (2, 5, 5),
        [nir.Scale(np.broadcast_to(RNG.normal(size=(2, 1, 1)), (2, 5, 5)).copy()), conv2d((3, 2, 3, 3))],
        "Convolution",
    ),
    "scaled places and conv": ((2, 5, 5), [nir.Scale(RNG.normal(size=(2, 5, 5))), conv2d((3, 2, 3, 3))], ""),
    "flat": ((2, 3, 4), [flatten()], "Listed"),
    "partly flat": ((2, 3, 4), [flatten(1, 2)], "OneToOne"),
    "flat and matrix": ((2, 3, 4), [flatten(), affine(5, 24)], "AllToAll"),
    "conv, flat": ((2, 4, 4), [conv2d((3, 2, 2, 2)), flatten()], ""),
    "pool, flat and matrix": ((2, 4, 4), [pool("SumPool2d", 2, 2, 0), flatten(), affine(5, 8)], "AllToAll"),
}


def graph(shape: tuple[int, ...], nodes: list[Any], outs: tuple[int, ...]) -> Any:
    """From values to integrators, through nodes."""
    named = {"in": nir.Input(np.array(shape)), **{f"n{k}": node for k, node in enumerate(nodes)}}
    named |= {"sums": nir.I(np.ones(outs)), "out": nir.Output(np.array(outs))}
    names = list(named)
    return nir.NIRGraph(named, list(pairwise(names)), type_check=False)


@pytest.mark.parametrize("case", CASES)
def test_maps(case: str) -> None:
    shape, nodes, kind = CASES[case]
    x = RNG.normal(size=shape)
    expected = reduce(lambda value, node: applied(node, value), nodes, x)
    outs = expected.shape
    made = neuroport.from_nir(graph(shape, nodes, outs))
    found = _sums(made, x, shape, outs)
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-12)
    ((projection,), populations) = (made.network.projections, [p.name for p in made.network.populations])
    assert populations == ["in", "sums"]
    assert not kind or type(projection.connect).__name__ == kind


def _sums(made: Any, x: NDArray[np.float64], shape: tuple[int, ...], outs: tuple[int, ...]) -> NDArray[np.float64]:
    """What integrators have after the first step in which they see x, in the order of NIR."""
    with neuroport.open(made.network, "reference") as session:
        session.inject("in.x", None, x.reshape(-1)[order(shape)])
        session.run(2)
        numbered = session.get("sums.v")
    found = np.empty(len(numbered))
    found[order(outs)] = numbered
    return found.reshape(outs)


def test_a_way_with_biases_at_several_places() -> None:
    """What is added in the middle goes on through what follows, once for all ways through it."""
    one, two, three = affine(3, 2), affine(3, 2), affine(2, 3)
    nodes = {"a": nir.Input(np.array([2])), "b": nir.Input(np.array([2])), "one": one, "two": two, "three": three}
    nodes |= {"sums": nir.I(np.ones(2)), "out": nir.Output(np.array([2]))}
    edges = [pair.split() for pair in ("a one", "b two", "one three", "two three", "three sums", "sums out")]
    made = neuroport.from_nir(nir.NIRGraph(nodes, [(a, b) for a, b in edges], type_check=False))
    x, y = RNG.normal(size=(2, 2))
    with neuroport.open(made.network, "reference") as session:
        session.inject("a.x", None, x)
        session.inject("b.x", None, y)
        session.run(2)
        found = session.get("sums.v")
    assert np.allclose(found, applied(three, applied(one, x) + applied(two, y)))
    assert [p.name for p in made.network.projections] == ["a_to_sums", "b_to_sums"]
