"""Comparison of traces: identical, or the first difference by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from neuroport.program.executor import Capture
from neuroport.trace.compare import compare
from neuroport.trace.read import open_trace
from neuroport.trace.write import Writer
from tests.support.traces import CHIP, PROGRAM, SOURCE, array, captures, write


def differences(tmp_path: Path, change: object) -> list[str]:
    a = write(tmp_path / "a.h5")
    b = write(tmp_path / "b.h5", change)  # type: ignore[arg-type]
    return [str(d) for d in compare(open_trace(a), open_trace(b)).differences]


def test_equal_runs_are_identical(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.h5"), write(tmp_path / "b.h5", source=replace(SOURCE, backend="reference"))
    result = compare(open_trace(a), open_trace(b))
    assert result.identical
    assert result.compared == (
        "spikes of a",
        "spikes of b",
        "samples of a.v",
        "weights of ab.w",
        "final values of a.v",
        "final values of b.v",
        "final values of ab.w",
    )


def test_one_spike_more_is_found_and_named(tmp_path: Path) -> None:
    def change(capture: Capture) -> None:
        steps, neurons = capture.spikes["b"]
        assert (150, 1) not in zip(steps.tolist(), neurons.tolist(), strict=True)
        at = int(np.searchsorted(steps, 150))
        capture.spikes["b"] = (np.insert(steps, at, 150), np.insert(neurons, at, 1))

    assert differences(tmp_path, change) == ["spikes of population 'b': at step 150 neuron 1 spikes only in the second"]


def test_a_missing_last_spike_is_found(tmp_path: Path) -> None:
    steps, neurons = captures()[1].spikes["a"]

    def change(capture: Capture) -> None:
        capture.spikes["a"] = (steps[:-1], neurons[:-1])

    assert differences(tmp_path, change) == [
        f"spikes of population 'a': at step {steps[-1]} neuron {neurons[-1]} spikes only in the first"
    ]


def test_one_unit_in_a_state_is_found(tmp_path: Path) -> None:
    def change(capture: Capture) -> None:
        values = capture.records["a.v"][1].copy()
        values[3, 2] += 1
        capture.records["a.v"] = (capture.records["a.v"][0], values)

    # step 139, raw 278 against 279, four binary places
    assert differences(tmp_path, change) == [
        "state 'a.v': after step 139 element 2 is 17.375 in the first, 17.4375 in the second"
    ]


def test_one_unit_in_a_weight_is_found_and_the_earliest_comes_first(tmp_path: Path) -> None:
    def change(capture: Capture) -> None:
        weights = capture.records["ab.w"][1].copy()
        weights[1, 5] += 1
        capture.records["ab.w"] = (capture.records["ab.w"][0], weights)
        states = capture.records["a.v"][1].copy()
        states[-1, 0] += 16
        capture.records["a.v"] = (capture.records["a.v"][0], states)

    assert differences(tmp_path, change) == [
        "state 'a.v': after step 199 element 0 is 12.4375 in the first, 13.4375 in the second",
        "weight 'ab.w': after step 199 element 5 is 0.1875 in the first, 0.21875 in the second",
    ]


def test_other_sampling_steps_are_told_after_equal_ones(tmp_path: Path) -> None:
    def sampled(name: str, *samples: tuple[int, int]) -> Path:
        path = tmp_path / f"{name}.h5"
        with Writer(path, SOURCE) as writer:
            for step, value in samples:
                writer.weights("ab.w", step, np.full(6, value))
            # the last weights are another matter: an event after the last step may change them
            writer.close(steps=200, final={"ab.w": np.full(6, 3 if name == "a" else 1)})
        return path

    a = open_trace(sampled("a", (49, 1), (99, 1), (149, 1)))
    final = "'ab.w': at the end element 0 is 0.09375 in the first, 0.03125 in the second"
    for name, samples, wanted in (
        ("b", [(49, 1), (99, 1), (149, 1)], []),
        ("c", [(49, 1), (99, 1)], ["weight 'ab.w': only the first has a sample after step 149"]),
        ("d", [(49, 1), (79, 1), (149, 1)], ["weight 'ab.w': only the second has a sample after step 79"]),
    ):
        texts = [str(d) for d in compare(a, open_trace(sampled(name, *samples))).differences]
        assert texts == [*wanted, final]
    changed = open_trace(sampled("e", (49, 2), (79, 1)))
    assert [str(d) for d in compare(a, changed).differences] == [
        "weight 'ab.w': after step 49 element 0 is 0.03125 in the first, 0.0625 in the second",
        final,
    ]


def test_an_early_value_comes_before_a_late_sample(tmp_path: Path) -> None:
    for name, value, samples in (("a", 16, (49, 99)), ("b", 32, (49,))):
        with Writer(tmp_path / f"{name}.h5", SOURCE) as writer:
            writer.capture(Capture({}, {"a.v": (np.array([9]), np.full((1, 3), value))}))
            for step in samples:
                writer.weights("ab.w", step, np.zeros(6, dtype=np.int64))
            writer.close(steps=200)
    result = compare(open_trace(tmp_path / "a.h5"), open_trace(tmp_path / "b.h5"))
    assert [str(d) for d in result.differences] == [
        "state 'a.v': after step 9 element 0 is 1.0 in the first, 2.0 in the second",
        "weight 'ab.w': only the first has a sample after step 99",
    ]


def test_final_values_and_lengths_are_compared(tmp_path: Path) -> None:
    for name, values, steps in (("a", [1, 2, 3], 10), ("b", [1, 2, 4], 11)):
        with Writer(tmp_path / f"{name}.h5", SOURCE) as writer:
            writer.close(steps=steps, final={"a.v": np.array(values)})
    result = compare(open_trace(tmp_path / "a.h5"), open_trace(tmp_path / "b.h5"))
    assert [str(d) for d in result.differences] == [
        "the runs have 10 and 11 steps",
        "'a.v': at the end element 2 is 0.1875 in the first, 0.25 in the second",
    ]
    assert [d.kind for d in result.differences] == ["content", "states"]


def test_integers_and_reals_with_the_same_values_are_identical(tmp_path: Path) -> None:
    from neuroport.program.ir import REAL

    floating = replace(
        PROGRAM, integer=False, arrays={"a.v": replace(array("a.v", "neuron", "state", 3, 8, 0), type=REAL)}
    )
    with Writer(tmp_path / "a.h5", SOURCE) as writer:
        writer.close(steps=1, final={"a.v": np.array([16, 8, -4])})
    with Writer(tmp_path / "b.h5", replace(SOURCE, program=replace(floating, records=()), chip=CHIP)) as writer:
        writer.close(steps=1, final={"a.v": np.array([1.0, 0.5, -0.25])})
    assert compare(open_trace(tmp_path / "a.h5"), open_trace(tmp_path / "b.h5")).identical


def test_what_only_one_holds_is_a_difference(tmp_path: Path) -> None:
    a = write(tmp_path / "a.h5")
    with Writer(tmp_path / "b.h5", SOURCE) as writer:
        writer.close(steps=200, final={"a.v": np.array([5, 6, 7])})
    texts = [str(d) for d in compare(open_trace(a), open_trace(tmp_path / "b.h5")).differences]
    assert "only the first holds samples of 'a.v'" in texts
    assert "only the first holds weight snapshots of 'ab.w'" in texts
    assert "only the first holds final values of 'b.v'" in texts
