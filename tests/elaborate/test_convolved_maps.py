"""Convolutions: which neurons they join by which entries of their kernel, and what is said of those that do not fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neuroport
from neuroport.connections.convolution import Convolution, wiring
from neuroport.connections.windows import Windows
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer

SHAPES = [
    Windows((5, 4), (3, 3), padding="same"),
    Windows((5, 4), (3, 2)),
    Windows((6, 5), (3, 2), (2, 3), (1, 0)),
    Windows((7, 6), (2, 3), (1, 2), "same", (3, 2)),
    Windows((2, 3), (3, 1), (1, 1), (4, 2)),
    Windows((4, 4), (4, 4)),
]
CHANNELS = [((2, 3), 1), ((4, 6), 2), ((3, 3), 3)]


def slid(rule: Convolution) -> dict[tuple[int, int], int]:
    """(lower, upper) neuron -> entry, by sliding the kernel over every place."""
    windows, (ins, outs), groups = rule.windows, rule.channels, rule.groups
    (_, width), (rows, columns), (high, wide) = windows.shape, windows.outputs, windows.kernel
    found = {}
    for y, x, down, across, o, c in np.ndindex(rows, columns, high, wide, outs, ins // groups):
        row = y * windows.stride[0] - windows.rows.before + down * windows.dilation[0]
        column = x * windows.stride[1] - windows.columns.before + across * windows.dilation[1]
        if 0 <= row < windows.shape[0] and 0 <= column < width:
            lower = (row * width + column) * ins + o // (outs // groups) * (ins // groups) + c
            entry = ((down * wide + across) * (ins // groups) + c) * outs + o
            found[lower, (y * columns + x) * outs + o] = entry
    return found


@pytest.mark.parametrize(("channels", "groups"), CHANNELS)
@pytest.mark.parametrize("windows", SHAPES)
def test_pairs_and_entries_are_those_of_a_kernel_that_slides(
    windows: Windows, channels: tuple[int, int], groups: int
) -> None:
    rule = Convolution(windows=windows, channels=channels, groups=groups)
    expected = slid(rule)
    for back in (False, True):
        made = wiring(replace(rule, transposed=back))
        ends = (made.post, made.pre) if back else (made.pre, made.post)
        pairs = zip(*(numbers.tolist() for numbers in ends), strict=True)
        assert dict(zip(pairs, made.entry.tolist(), strict=True)) == expected
        assert made.synapses == len(expected)
        assert (np.diff(made.pre * made.targets + made.post) > 0).all()
        assert np.array_equal(made.incoming(made.targets), np.bincount(made.post, minlength=made.targets))
        assert np.array_equal(made.outgoing(made.sources), np.bincount(made.pre, minlength=made.sources))
        assert np.array_equal(made.uses(), np.bincount(made.entry, minlength=made.entries))


def test_what_a_kernel_is_grows_with_neurons_not_with_synapses() -> None:
    made = wiring(Convolution(windows=Windows((28, 28), (3, 3), padding="same"), channels=(8, 16)))
    assert made.synapses == (3 * 28 - 2) ** 2 * 8 * 16
    assert made.entries == 3 * 3 * 8 * 16
    assert len(made.first) - 1 == 4  # within, at a border of rows, of columns, and of both
    assert sum(numbers.nbytes for numbers in made.numbers()) < 13 * 28 * 28 * 8


TEXT = """
neuroport: 1
name: n
dt: 1 ms
synapses:
  learned:
    params: {rate: {default: 0.1}}
    state: STATE
    step: |
      send(target, w * pre.r)
    on_event:
      learn: |
        BLOCK
populations:
  a: {size: SIZE, neuron: rate_source}
  b: {size: 64, neuron: rate_source}
projections:
  p: {source: a, target: b, synapse: static, WEIGHT, connect: {convolution: {CONNECT}}}
"""
STATE = "{w: {weight: true, init: 0, range: [-1, 1], over_kernel: shared}, e: {init: 0, range: [-1, 1]}}"
FITS = "shape: [4, 4], kernel: 3, padding: same, channels: [2, 4]"


def text(
    connect: str = FITS,
    size: int = 32,
    weight: str = "weight: 1",
    state: str = STATE,
    block: str = "w = w - rate * sum_shared(post.r * pre.r)",
    synapse: str = "static",
) -> str:
    made = TEXT.replace("CONNECT", connect).replace("SIZE", str(size)).replace("WEIGHT", weight)
    return made.replace("STATE", state).replace("BLOCK", block).replace("synapse: static", f"synapse: {synapse}")


def messages(given: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        neuroport.compile(reader.loads(given, "n.yaml"))
    return [problem.text for problem in caught.value.problems]


WITHOUT_PADDING = FITS.replace(", padding: same", "")
OF = "of convolution of projection 'p'"
UNFIT = {
    (
        FITS,
        33,
    ): "convolution of projection 'p' needs a source of 4 x 4 x 2 = 32 neurons, and population 'a' has 33; give "
    "it 'size: 32', or correct shape and channels",
    (WITHOUT_PADDING, 32): "convolution of projection 'p' needs a target of 2 x 2 x 4 = 16 neurons, and population 'b' "
    "has 64; give it 'size: 16', or correct shape and channels",
    (f"{FITS}, transposed: true", 32): "convolution of projection 'p' needs a target of 4 x 4 x 2 = 32 neurons, and "
    "population 'b' has 64; give it 'size: 32', or correct shape and channels",
    (
        WITHOUT_PADDING.replace("3", "[3, 6]"),
        32,
    ): f"kernel {OF} covers 6 columns and there are 4 with the padding; take "
    "a smaller kernel or dilation, or more padding",
    (f"{FITS}, groups: 3", 32): f"groups {OF} must divide 2 and 4, its channels; found 3",
    (FITS.replace("[2, 4]", "2"), 32): f"channels {OF} must be two numbers, [channels in, channels out]; found 2",
    (
        FITS.replace("[4, 4]", "[4, 4, 2]"),
        32,
    ): f"shape {OF} must be a number or two, for rows and columns; found a list",
    (FITS.replace("same", "full"), 32): f"padding {OF} must be same, valid, a number or two, for rows and "
    "columns; found the text 'full'",
    ("shape: [4, 4], kernel: 3", 32): "convolution of projection 'p' lacks 'channels'; add it",
    (f"{FITS}, stride: 0", 32): f"stride {OF} must be at least 1; found 0",
}


@pytest.mark.parametrize(("connect", "size"), UNFIT)
def test_what_does_not_fit_is_told_with_what_would(connect: str, size: int) -> None:
    assert UNFIT[connect, size] in messages(text(connect, size))


def test_values_are_of_the_kernels_entries() -> None:
    assert messages(text(weight="weight: [1, 2, 3]")) == [
        "weight of projection 'p' has the shape (3,); it must be (72,) or (3, 3, 2, 4): height and width of the "
        "kernel, channels in of a group, channels out"
    ]


def test_a_part_of_a_population_has_no_size_to_be_given() -> None:
    assert messages(text(FITS).replace("source: a,", 'source: "a[0:16]",')) == [
        "convolution of projection 'p' needs a source of 4 x 4 x 2 = 32 neurons, and part 'a[0:16]' has 16; name 32 "
        "neurons, or correct shape and channels"
    ]


SAME = """
neuroport: 1
name: same
dt: 1 ms
synapses: {s: {state: {w: {weight: true, range: [-8, 8]}}, step: "send(target, w * pre.r)"}}
populations: {a: {size: 4, neuron: rate_source}, b: {size: 3, neuron: rate_source}}
projections:
  up: {source: a, target: b, input: r_in, synapse: s, weight: 0.5, connect: {convolution: {shape: [1, 4],
       kernel: [1, 2], channels: [1, 1]}}}
  dense: {source: a, target: b, input: r_in, synapse: s, weight: 0.5, connect: all_to_all}
  p: {source: a, target: "b[0:2]", input: r_in, synapse: s, weight: {same_as: OTHER}, connect: CONNECT}
"""
INSTEAD = "; connect both in one way, or give this one a value of its own"


@pytest.mark.parametrize(
    ("other", "connect", "found"),
    [
        ("up.w", "all_to_all", "p.w is of synapses and 'up.w' of a kernel of 1 x 2 x 1 x 1"),
        (
            *("up.w", "{convolution: {shape: [1, 4], kernel: [1, 3], channels: [1, 1]}}"),
            "p.w is of a kernel of 1 x 3 x 1 x 1 and 'up.w' of a kernel of 1 x 2 x 1 x 1",
        ),
        (
            *("dense.w", "{convolution: {shape: [1, 4], kernel: [1, 3], channels: [1, 1]}}"),
            "p.w is of a kernel of 1 x 3 x 1 x 1 and 'dense.w' of synapses",
        ),
    ],
)
def test_the_same_is_of_the_same_kernel(other: str, connect: str, found: str) -> None:
    assert messages(SAME.replace("OTHER", other).replace("CONNECT", connect)) == [found + INSTEAD]


@pytest.mark.parametrize("connect", [FITS, FITS + ", stride: [1, 1], groups: 2, dilation: [1, 2]"])
def test_a_convolution_is_written_as_it_is_read(connect: str) -> None:
    network = reader.loads(text(connect), "n.yaml")
    again = reader.loads(writer.to_yaml(network), "n.yaml")
    assert again.projections[0].connect == network.projections[0].connect


ONCE = (
    "and this block is computed once for each entry of a kernel, because it assigns what the synapses of one share or "
    "adds over them; "
)
BAD_BLOCKS = {
    "w = w - post.r": f"every synapse has a 'post.r' of its own, {ONCE}write sum_shared(post.r)",
    "w = w - e": f"every synapse has a 'e' of its own, {ONCE}write sum_shared(e)",
    "e = sum_shared(e)": f"each synapse has a 'e' of its own, {ONCE}assign 'e' in another block, or declare it "
    "'over_kernel: shared'",
    "w = w - sum_incoming(w)": f"sum_incoming adds up over a neuron's synapses, {ONCE}use sum_shared, or sum_incoming "
    "in another block",
}


@pytest.mark.parametrize("block", BAD_BLOCKS)
def test_what_each_synapse_has_of_its_own_stands_in_a_sum(block: str) -> None:
    learns_e = "\n      other: e = 0.5 * e"
    assert BAD_BLOCKS[block] in messages(text(block=block + learns_e))


@pytest.mark.parametrize("line", ["w = 0.5 * w", "g = sum_copies(pre.r)"])
def test_shared_variables_are_assigned_when_something_is_triggered(line: str) -> None:
    state = STATE.replace("e: {", "g: {init: 0, over_kernel: shared, over_copies: shared}, e: {")
    given = text(state=state).replace("send(target, w * pre.r)", f"send(target, w * pre.r)\n      {line}")
    assert messages(given) == [
        f"'{line[0]}' is shared by all synapses of a kernel's entry, so only triggered blocks (on_event) assign it, "
        "such as on_event: each_step"
    ]


def test_a_weight_that_each_synapse_learns_is_not_shared() -> None:
    found = messages(text(synapse="learned", state=STATE.replace(", over_kernel: shared", ""), block="w = 0.5 * w"))
    assert found == [
        "projection 'p' shares its weights, and synapse model 'learned' lets each synapse change 'w' for itself; "
        "declare it 'over_kernel: shared' and change it in on_event with sum_shared(...), or connect by 'pairs'"
    ]
