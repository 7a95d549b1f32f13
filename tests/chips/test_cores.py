"""Which cores of a chip hold what: neurons in file order, and the synapses that end at them."""

from __future__ import annotations

import numpy as np

from neuroport.chips.chip import Chip, Limits
from neuroport.chips.cores import MOST_ROWS, cores, told
from neuroport.pages import Table, Text

SIZES = {"a": 5, "b": 2, "none": 0, "c": 6}
FAN_IN = {"a": np.arange(5), "b": np.array([10, 20]), "none": np.zeros(0, np.int64), "c": np.full(6, 1)}


def test_populations_fill_cores_in_file_order() -> None:
    filled = list(cores(SIZES, FAN_IN, Limits(neurons_per_core=4)))
    assert [core.holds for core in filled] == [
        (("a", 0, 4),),
        (("a", 4, 5), ("b", 0, 2), ("c", 0, 1)),
        (("c", 1, 5),),
        (("c", 5, 6),),
    ]
    assert [core.neurons for core in filled] == [4, 4, 4, 1]
    assert [core.fan_in.tolist() for core in filled if core.fan_in is not None] == [
        [0, 1, 2, 3],
        [4, 10, 20, 1],
        [1, 1, 1, 1],
        [1],
    ]
    assert list(cores({}, {}, Limits())) == []


def test_what_is_told_of_cores() -> None:
    chip = Chip(name="small", limits=Limits(cores=8, neurons_per_core=4, synapses_per_core=20))
    used, table, more = told(SIZES, FAN_IN, chip)
    assert used == Text("4 of 8 cores of 4 neurons hold 13 neurons; too many synapses for core 1")
    assert isinstance(table, Table)
    assert table.columns == (
        *("core", "neurons", "% of 4 neurons", "synapses", "% of 20 synapses", "mean fan-in", "largest fan-in"),
        "holds",
    )
    assert table.rows == (
        (0, 4, 100.0, 6, 30.0, 1.5, 3, "a[0:4]"),
        (1, 4, 100.0, 35, 175.0, 8.75, 20, "a[4:5], b[0:2], c[0:1]"),
        (2, 4, 100.0, 4, 20.0, 1.0, 1, "c[1:5]"),
        (3, 1, 25.0, 1, 5.0, 1.0, 1, "c[5:6]"),
    )
    assert more == Text("")


def test_what_is_not_known_or_not_limited_is_a_dash() -> None:
    used, table, _ = told({"a": 3}, None, Chip(name="small", limits=Limits(neurons_per_core=4)))
    assert used == Text("1 core of 4 neurons holds 3 neurons; the chip states no limit of synapses per core")
    assert isinstance(table, Table)
    assert table.rows == ((0, 3, 75.0, "-", "-", "-", "a[0:3]"),)


def test_of_very_many_cores_the_first_are_shown() -> None:
    _, table, more = told({"a": MOST_ROWS + 2}, None, Chip(name="small", limits=Limits(neurons_per_core=1)))
    assert isinstance(table, Table)
    assert len(table.rows) == MOST_ROWS
    assert more == Text("and 2 more cores")
