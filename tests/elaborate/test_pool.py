"""Pools: each neuron has its window of the map, in its own channel, as plain loops say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer

TEXT = """
neuroport: 1
name: n
dt: 1 ms
populations:
  map: {size: MAP, neuron: rate_source, ranges: {r_in: [-8, 8], r: [-8, 8]}}
  pooled: {size: POOLED, neuron: rate_source, ranges: {r_in: [-8, 8], r: [-8, 8]}}
projections:
  p: {source: map, target: pooled, input: r_in, synapse: graded, weight: WEIGHT, connect: {pool: OPTIONS}}
"""


def text(options: str, sizes: tuple[int, int], weight: float = 1) -> str:
    made = TEXT.replace("OPTIONS", options).replace("WEIGHT", str(weight))
    return made.replace("MAP", str(sizes[0])).replace("POOLED", str(sizes[1]))


def looped(shape: Any, kernel: Any, stride: Any, before: Any, outputs: Any, channels: int, dilation: int = 1) -> Any:
    """The pairs by plain loops."""
    found = []
    for row in range(outputs[0]):
        for column in range(outputs[1]):
            for down in range(kernel[0]):
                for across in range(kernel[1]):
                    y = row * stride[0] - before[0] + down * dilation
                    x = column * stride[1] - before[1] + across * dilation
                    if 0 <= y < shape[0] and 0 <= x < shape[1]:
                        places = (y * shape[1] + x, row * outputs[1] + column)
                        found += [tuple(place * channels + c for place in places) for c in range(channels)]
    return sorted(found)


@pytest.mark.parametrize(
    ("options", "sizes", "expected"),
    [
        ("{shape: [4, 6], kernel: 2, channels: 3}", (72, 18), looped((4, 6), (2, 2), (2, 2), (0, 0), (2, 3), 3)),
        (
            "{shape: [5, 4], kernel: [3, 2], stride: [2, 1], channels: 1}",
            (20, 6),
            looped((5, 4), (3, 2), (2, 1), (0, 0), (2, 3), 1),
        ),
        (
            "{shape: [4, 4], kernel: 3, stride: 2, padding: 1, channels: 2}",
            (32, 8),
            looped((4, 4), (3, 3), (2, 2), (1, 1), (2, 2), 2),
        ),
        (
            "{shape: [5, 5], kernel: 3, stride: 2, padding: same, channels: 2}",
            (50, 18),
            looped((5, 5), (3, 3), (2, 2), (1, 1), (3, 3), 2),
        ),
        (
            "{shape: [5, 5], kernel: 2, stride: 1, dilation: 2, channels: 1}",
            (25, 9),
            looped((5, 5), (2, 2), (1, 1), (0, 0), (3, 3), 1, 2),
        ),
    ],
)
def test_the_pairs_are_those_of_plain_loops(options: str, sizes: tuple[int, int], expected: Any) -> None:
    program = neuroport.compile(reader.loads(text(options, sizes), "n.yaml"))
    made = program.projection("p")
    assert list(zip(made.pre.tolist(), made.post.tolist(), strict=True)) == expected


def test_the_mean_of_windows() -> None:
    """Average pooling of the library's rates by a weight of one over the size of the window."""
    values = np.random.default_rng(1).uniform(-1, 1, (4, 6, 2))
    network = reader.loads(text("{shape: [4, 6], kernel: 2, channels: 2}", (48, 12), 0.25), "n.yaml")
    with neuroport.open(network, "reference") as session:
        session.set("map.r", values.reshape(-1))
        session.run(1)
        found = session.get("pooled.r").reshape(2, 3, 2)
    assert found == pytest.approx(values.reshape(2, 2, 3, 2, 2).mean(axis=(1, 3)), abs=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        "{shape: [4, 6], kernel: 2, channels: 3}",
        "{shape: [8, 4], kernel: [3, 1], stride: [2, 2], padding: [1, 0], channels: 2}",
    ],
)
def test_what_is_written_comes_back_equal(options: str) -> None:
    sizes = (72, 18) if "[4, 6]" in options else (64, 16)
    network = reader.loads(text(options, sizes), "n.yaml")
    assert reader.loads(writer.to_yaml(network), "again.yaml") == network


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            "{shape: [4, 6], kernel: 2, channels: 2}",
            ["n.yaml:9:93: pool of projection 'p' needs a source of 4 x 6 x 2 = 48 neurons, and population 'map' has "
             "72; give it 'size: 48', or correct shape and channels",
             "n.yaml:9:93: pool of projection 'p' needs a target of 2 x 3 x 2 = 12 neurons, and population 'pooled' "
             "has 18; give it 'size: 12', or correct shape and channels"],
        ),
        (
            "{shape: [4, 6], kernel: 5, channels: 3}",
            ["n.yaml:9:117: kernel of pool of projection 'p' covers 5 rows and there are 4 with the padding; take a "
             "smaller kernel or dilation, or more padding"],
        ),
        (
            "{shape: [4, 6], channels: [3, 3]}",
            ["n.yaml:9:93: pool of projection 'p' lacks 'kernel'; add it",
             "n.yaml:9:119: channels of pool of projection 'p' must be a whole number; found a list"],
        ),
        (
            "{shape: [4, 6], size: 2, kernel: 2, channels: 3}",
            ["n.yaml:9:109: unknown key 'size' in pool of projection 'p'; did you mean 'stride'? allowed are shape, "
             "kernel, stride, padding, dilation, channels"],
        ),
        (
            "{shape: [4, 6], kernel: 2, channels: 0}",
            ["n.yaml:9:130: channels of pool of projection 'p' must be at least 1; found 0"],
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(options: str, told: list[str]) -> None:
    with pytest.raises(InvalidInput) as error:
        reader.loads(text(options, (72, 18)), "n.yaml")
    assert [str(problem) for problem in error.value.problems] == told


def test_a_pool_without_a_window_is_told() -> None:
    with pytest.raises(InvalidInput) as error:
        reader.loads(text("{}", (72, 18)).replace("{pool: {}}", "pool"), "n.yaml")
    assert "n.yaml:9:86: connect of projection 'p' must have the keys shape, kernel, channels" in str(error.value)
