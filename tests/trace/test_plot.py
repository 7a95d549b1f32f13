"""Plots: every panel that has something to show, none that has not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.errors import InvalidInput, Unsupported
from neuroport.trace.plot import plot
from neuroport.trace.read import Trace, open_trace
from neuroport.trace.write import Writer
from tests.support.traces import SOURCE, write

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The axes of every figure that is saved."""
    from matplotlib.figure import Figure

    seen: list[Any] = []
    save = Figure.savefig

    def savefig(self: Figure, *arguments: Any, **options: Any) -> None:
        save(self, *arguments, **options)
        seen.extend(axis for part in self.subfigs for axis in part.axes)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return seen


def trace_of(path: Path, **metrics: list[float]) -> Trace:
    with Writer(path, SOURCE) as writer:
        for name, values in metrics.items():
            for k, value in enumerate(values):
                writer.metric(name, 100 * k, value)
        writer.close(steps=100 * max(map(len, metrics.values()), default=1))
    return open_trace(path)


def test_a_full_trace_gives_a_picture_with_all_panels(tmp_path: Path, drawn: list[Any]) -> None:
    out = tmp_path / "out.png"
    plot(open_trace(write(tmp_path / "a.h5")), out)
    assert out.read_bytes().startswith(b"\x89PNG")
    titles = [axis.get_title(loc="left") for axis in drawn]
    assert titles == ["spikes", "a.v", "ab.w, 6 synapses", "metric dkl", "metric rates"]
    assert all(axis.has_data() for axis in drawn)
    assert drawn[1].get_ylabel() == "v (mV)"
    assert [axis.get_xlabel() for axis in drawn] == ["", "time (ms)", "", "", "time (ms)"]
    assert [len(axis.lines) for axis in drawn[1:]] == [3, 6, 1, 2]


def test_every_spike_is_drawn_in_its_band(tmp_path: Path, drawn: list[Any]) -> None:
    trace = open_trace(write(tmp_path / "a.h5"))
    plot(trace, tmp_path / "out.png")
    first, second = drawn[0].collections
    assert np.array_equal(first.get_offsets()[:, 0], trace.spikes("a").times)
    assert np.array_equal(second.get_offsets()[:, 1], trace.spikes("b").neurons + 3)


def test_only_final_weights_become_a_histogram(tmp_path: Path, drawn: list[Any]) -> None:
    with Writer(tmp_path / "a.h5", SOURCE) as writer:
        writer.close(steps=10, final={"ab.w": np.arange(6)})
    plot(open_trace(tmp_path / "a.h5"), tmp_path / "out.png")
    assert [axis.get_title(loc="left") for axis in drawn] == ["ab.w at the end, 6 synapses"]


def test_positive_metrics_over_decades_are_logarithmic(tmp_path: Path, drawn: list[Any]) -> None:
    trace = trace_of(
        tmp_path / "a.h5", wide=[10.0, 0.01], narrow=[1.0, 0.1], signed=[-1.0, 100.0], nothing=[float("nan")] * 2
    )
    plot(trace, tmp_path / "out.png")
    assert {axis.get_ylabel(): axis.get_yscale() for axis in drawn} == {
        "wide": "log",
        "narrow": "linear",
        "signed": "linear",
    }


def test_a_metric_measured_once_stands_in_the_title(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    titles: list[str] = []
    monkeypatch.setattr(Figure, "suptitle", lambda self, text, **_: titles.append(text))
    plot(trace_of(tmp_path / "a.h5", rate=[10.041], loss=[3.0, 2.0]), tmp_path / "out.png")
    assert titles == ["small on generic8 (chip seed 7), integer, seed 3, 200 steps (0.1 s)\nrate 10.04"]


def test_many_synapses_become_mean_and_range(tmp_path: Path, drawn: list[Any]) -> None:
    from tests.support.traces import PROGRAM, array

    many = replace(
        PROGRAM,
        arrays={"ab.w": array("ab.w", "synapse", "weight", 100, 8, 0)},
        projections=(replace(PROGRAM.projections[0], pre=np.zeros(100, np.int64), post=np.arange(100)),),
        records=(),
    )
    with Writer(tmp_path / "a.h5", replace(SOURCE, program=many)) as writer:
        for step in (0, 50, 99):
            writer.weights("ab.w", step, np.arange(100) - step)
        writer.close(steps=100)
    plot(open_trace(tmp_path / "a.h5"), tmp_path / "out.png")
    assert [text.get_text() for text in drawn[0].get_legend().get_texts()] == ["range", "middle 90 %", "mean"]
    assert drawn[0].lines[0].get_ydata().tolist() == [49.5, -0.5, -49.5]


def test_a_window_shows_only_its_spikes(tmp_path: Path, drawn: list[Any]) -> None:
    plot(open_trace(write(tmp_path / "a.h5")), tmp_path / "out.png", 20.0, 40.0)
    times = np.concatenate([part.get_offsets()[:, 0] for part in drawn[0].collections])
    assert times.min() >= 20
    assert times.max() < 40


def test_messages_of_plots_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    nothing = trace_of(path, once=[1.0])
    with pytest.raises(InvalidInput) as caught:
        plot(nothing, tmp_path / "out.png")
    assert str(caught.value) == (
        f"{path}: there is nothing to draw in it: no spikes, no sampled states, no weights that differ or change, "
        "no metric measured more than once; 'neuroport show' prints what there is"
    )
    full = open_trace(write(tmp_path / "b.h5"))
    with pytest.raises(InvalidInput) as caught:
        plot(full, tmp_path / "out.png", 50.0, 20.0)
    assert str(caught.value) == f"{full.path}: the window from 50 to 20 ms is empty; the run lasts 100 ms"
    with pytest.raises(InvalidInput) as caught:
        plot(full, tmp_path / "out.xyz")
    assert str(caught.value).startswith(f"{tmp_path / 'out.xyz'}: the picture cannot be written: Format 'xyz' is not")


def test_without_matplotlib_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    trace = open_trace(write(tmp_path / "a.h5"))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(Unsupported) as caught:
        plot(trace, tmp_path / "out.png")
    assert str(caught.value) == "plots need matplotlib; install it with: pip install 'neuroport[plot]'"
