"""Plots: every panel that has something to show, none that has not; all that is in it can be seen, or it says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput, Unsupported
from neuroport.program.executor import Capture
from neuroport.trace.pictures import spikes
from neuroport.trace.pictures.figure import drawn, save
from neuroport.trace.pictures.view import PANELS, View
from neuroport.trace.read import Trace, open_trace
from neuroport.trace.write import Writer
from tests.support.traces import NETWORK, PROGRAM, SOURCE, array, write
from tests.support.wiring import joined

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def axes(figure: Any) -> list[Any]:
    """The axes of a figure, in the order in which they were made."""
    return [axis for part in figure.subfigs for axis in part.axes]


def titles(figure: Any) -> list[str]:
    return [title for axis in axes(figure) if (title := axis.get_title(loc="left"))]


def text(figure: Any) -> str:
    return str(figure._suptitle.get_text())


def trace_of(path: Path, **metrics: list[float]) -> Trace:
    with Writer(path, SOURCE) as writer:
        for name, values in metrics.items():
            for k, value in enumerate(values):
                writer.metric(name, 100 * k, value)
        writer.close(steps=100 * max(map(len, metrics.values()), default=1))
    return open_trace(path)


def run_of(path: Path, seed: int, chip: str = "generic8", weights: bool = False) -> Trace:
    """A trace of a run with spikes of population a in step seed, a metric that is the seed, and weights."""
    source = replace(SOURCE, seed=seed, chip=replace(SOURCE.chip, name=chip))
    with Writer(path, source) as writer:
        empty = np.zeros(0, np.int64)
        writer.capture(Capture({"a": (np.array([seed]), np.array([0])), "b": (empty, empty)}, {}))
        for step in (0, 50):
            writer.metric("loss", step, float(seed + step))
        if weights:
            for step in (0, 49):
                writer.weights("ab.w", step, np.full(6, seed))
        writer.close(steps=50)
    return open_trace(path)


def test_a_full_trace_gives_a_picture_with_all_panels(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    figure = open_trace(write(tmp_path / "a.h5")).plot()
    save(figure, out)
    assert out.read_bytes().startswith(b"\x89PNG")
    assert titles(figure) == ["spikes", "a.v", "ab.w, 6 synapses", "metric dkl", "metric rates"]
    assert all(axis.has_data() for axis in axes(figure))
    assert axes(figure)[1].get_ylabel() == "v (mV)"
    assert [axis.get_xlabel() for axis in axes(figure)] == ["", "", "", "", "time (ms)"]
    assert [len(axis.lines) for axis in axes(figure)[1:]] == [3, 6, 1, 2]


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_can_be_had_alone(panel: str, tmp_path: Path) -> None:
    figure = open_trace(write(tmp_path / "a.h5")).plot(panel)
    save(figure, tmp_path / "out.png")
    wanted = {
        "spikes": ["spikes"],
        "rates": ["rate"],
        "states": ["a.v"],
        "weights": ["ab.w, 6 synapses"],
        "metrics": ["metric dkl", "metric rates"],
        "matrix": ["ab.w at the end"],
        "distribution": ["how ab.w is spread, 6 synapses"],
    }
    assert titles(figure) == wanted[panel]


def test_panels_over_time_have_one_axis_of_time(tmp_path: Path) -> None:
    figure = open_trace(write(tmp_path / "a.h5")).plot(*PANELS)
    timed = [axis for axis in axes(figure) if axis.get_shared_x_axes().get_siblings(axis) != [axis]]
    assert len(timed) == len(PANELS)  # two metrics, and a matrix that is not over time
    assert {axis.get_xlim() for axis in timed} == {timed[0].get_xlim()}


@pytest.mark.parametrize("panel", [panel for panel in PANELS if panel != "matrix"])
@pytest.mark.parametrize("window", [{}, {"start": "1 ms"}], ids=["all", "window"])
def test_time_is_shown_from_the_beginning_to_the_end(panel: str, window: dict[str, str], tmp_path: Path) -> None:
    trace = open_trace(write(tmp_path / "a.h5"))
    start, stop = (1.0 if window else 0.0), trace.steps * trace.dt
    room = 0.005 * (stop - start)
    shown = [axis.get_xlim() for axis in axes(trace.plot(panel, **window)) if axis.get_xlabel() == "time (ms)"]
    assert shown == [pytest.approx((start - room, stop + room))]


def test_every_spike_is_drawn_in_its_band(tmp_path: Path) -> None:
    trace = open_trace(write(tmp_path / "a.h5"))
    first, second = axes(trace.plot("spikes"))[0].collections
    assert np.array_equal(first.get_offsets()[:, 0], trace.spikes("a").times)
    assert np.array_equal(second.get_offsets()[:, 1], trace.spikes("b").neurons + 3)


def test_more_spikes_than_dots_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = open_trace(write(tmp_path / "a.h5"))
    total = sum(len(trace.spikes(name).steps) for name in trace.recorded)
    monkeypatch.setattr(spikes, "MOST_DOTS", total - 1)
    axis = axes(trace.plot("spikes"))[0]
    said = f"spikes: 1 of 2 drawn, for there are {total:,}, and dots for {total - 1:,}; a shorter window shows all"
    assert axis.get_title(loc="left") == said
    assert sum(len(part.get_offsets()) for part in axis.collections) == sum(
        len(trace.spikes(name).steps[::2]) for name in trace.recorded
    )


def test_a_silent_population_has_its_band_and_says_so(tmp_path: Path) -> None:
    axis = axes(run_of(tmp_path / "a.h5", 3).plot("spikes"))[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a (3)", "b (2)"]
    assert [(note.get_text(), note.get_position()[1]) for note in axis.texts] == [("no spikes", 3.5)]


UNEVEN = """
neuroport: 1
name: uneven
dt: 1 ms
populations:
  few: {neuron: lif, size: 2}
  one: {neuron: lif, size: 1}
  two: {neuron: lif, size: 2}
  many: {neuron: poisson, size: 3000, params: {rate: 10 Hz}}
MORE
projections:
  full: {source: many, target: one, synapse: static, input: jump, connect: all_to_all, weight: 0.1}
  none: {source: many, target: one, synapse: static, input: jump, connect: {pairs: []}, weight: 0.1}
record: {spikes: all, weights: {full.w: 5 ms, none.w: 5 ms}}
protocol: [{run: 10 ms}]
"""


def uneven(folder: Path, more: str = "") -> Trace:
    neuroport.run(neuroport.loads(UNEVEN.replace("MORE", more)), "reference", "ideal", trace=folder / "u.h5")
    return open_trace(folder / "u.h5")


@pytest.mark.parametrize("more", [0, 60])
def test_names_of_populations_do_not_cover_each_other(more: int, tmp_path: Path) -> None:
    silent = "\n".join(f"  p{k}: {{neuron: lif, size: 1}}" for k in range(more))
    figure = uneven(tmp_path, silent).plot("spikes")
    figure.draw_without_rendering()
    (axis,) = axes(figure)
    boxes = [label.get_window_extent() for label in axis.get_yticklabels()]
    assert len(boxes) == 4 + more
    assert all(below.y1 <= above.y0 + 1 for below, above in pairwise(boxes))
    assert [label.get_text() for label in axis.get_yticklabels()[:4:2]] == ["few (2), no spikes", "two (2), no spikes"]
    assert not axis.texts


def test_a_projection_without_synapses_has_no_panel(tmp_path: Path) -> None:
    trace = uneven(tmp_path)
    shown = ["full.w, 3,000 synapses", "full.w at the end\nmeans of 2 x 2 neurons"]
    assert titles(trace.plot("weights", "matrix")) == shown
    assert titles(trace.plot("weights", beside=[trace])) == ["full.w, mean of all synapses"]


@pytest.mark.parametrize("rows", [1, 2, 60, 61, 1000, 10_000])
def test_one_spike_can_be_seen_in_any_number_of_rows(rows: int, tmp_path: Path) -> None:
    cells = replace(PROGRAM.populations[0], name="many", size=rows)
    program = replace(PROGRAM, populations=(cells,), arrays={}, projections=(), records=())
    of = replace(NETWORK.populations[0], name="many", size=rows)
    network = replace(NETWORK, populations=(of,), projections=(), record=replace(NETWORK.record, spikes=("many",)))
    with Writer(tmp_path / "a.h5", replace(SOURCE, program=program, network=network)) as writer:
        writer.capture(Capture({"many": (np.array([50]), np.array([rows // 2]))}, {}))
        writer.close(steps=100)
    figure = open_trace(tmp_path / "a.h5").plot("spikes")
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)
    blue = (pixels[..., 2] - pixels[..., 0] > 60).sum()
    assert blue >= 2


def test_neurons_and_populations_are_chosen(tmp_path: Path) -> None:
    trace = open_trace(write(tmp_path / "a.h5"))
    axis = axes(trace.plot("spikes", populations=["a"], neurons="1:3"))[0]
    assert axis.get_ylabel() == "neuron of a"
    assert [label.get_text() for label in axis.get_yticklabels()] == ["1", "2"]
    (part,) = axis.collections
    mine = trace.spikes("a").neurons
    assert np.array_equal(part.get_offsets()[:, 1], mine[mine >= 1] - 1)
    (states,) = axes(trace.plot("states", neurons=2))
    assert np.array_equal(states.lines[0].get_ydata(), trace.record("a.v").values[:, 2])


def test_a_recorded_part_says_which_neurons_it_shows(tmp_path: Path) -> None:
    network = neuroport.Network(dt="1 ms")
    network.population("a", 12, "lif")
    network.record(states={"a.v[1, 4:6]": "1 ms", "a.ref[7]": "1 ms"})
    neuroport.run(network, backend="reference", duration="20 ms", trace=tmp_path / "a.h5")
    some, one = axes(open_trace(tmp_path / "a.h5").plot("states"))
    assert [label.get_text() for label in some.get_legend().get_texts()] == ["1", "4", "5"]
    assert one.get_title(loc="left") == "a.ref, neuron 7"


def test_rates_are_spikes_per_neuron_and_second(tmp_path: Path) -> None:
    trace = open_trace(write(tmp_path / "a.h5"))
    for start, stop in ((None, None), (10.0, 73.5)):
        lines = axes(trace.plot("rates", start=start, stop=stop))[0].lines
        begin, end = start or 0.0, stop or trace.steps * trace.dt
        for name, line in zip(trace.recorded, lines, strict=True):
            times = trace.spikes(name).times
            many = int(((times >= begin) & (times < end)).sum())
            middles, values = line.get_data()
            widths = np.diff(np.concatenate([[begin], begin + 2 * np.cumsum(_alternating(middles - begin))]))
            assert np.sum(values * widths) * trace.populations[name] / 1000 == pytest.approx(many)


def _alternating(middles: Any) -> Any:
    """Half the widths of bins that lie beside each other, from their middles."""
    halves = []
    edge = 0.0
    for middle in middles:
        halves.append(middle - edge)
        edge = 2 * middle - edge
    return np.array(halves)


def test_only_final_weights_become_a_histogram(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", SOURCE) as writer:
        writer.close(steps=10, final={"ab.w": np.arange(6)})
    assert titles(open_trace(tmp_path / "a.h5").plot("weights")) == ["ab.w at the end, 6 synapses"]


def test_a_matrix_has_every_weight_in_its_place(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", SOURCE) as writer:
        writer.close(steps=10, final={"ab.w": np.arange(6)})
    trace = open_trace(tmp_path / "a.h5")
    axis = axes(trace.plot("matrix"))[0]
    last = trace.weights("ab")
    cells = axis.images[0].get_array()
    assert cells.shape == (3, 2)
    assert np.array_equal(cells[last.pre, last.post], last.values)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("postsynaptic neuron", "presynaptic neuron")


def test_positive_metrics_over_decades_are_logarithmic(tmp_path: Path) -> None:
    trace = trace_of(
        tmp_path / "a.h5", wide=[10.0, 0.01], narrow=[1.0, 0.1], signed=[-1.0, 100.0], nothing=[float("nan")] * 2
    )
    assert {axis.get_ylabel(): axis.get_yscale() for axis in axes(trace.plot("metrics"))} == {
        "wide": "log",
        "narrow": "linear",
        "signed": "linear",
    }


def test_metrics_have_their_units(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        """
neuroport: 1
name: small
dt: 1 ms
populations: {cells: {neuron: lif, size: 2}}
metrics: {rate: {rate: cells}, v: {mean: cells.v}}
protocol: [{run: 10 ms}, {measure: [rate, v]}, {run: 10 ms}, {measure: [rate, v]}]
"""
    )
    neuroport.run(neuroport.load(path), "reference", "generic16", trace=tmp_path / "a.h5")
    every = axes(open_trace(tmp_path / "a.h5").plot("metrics"))
    assert [axis.get_ylabel() for axis in every] == ["rate (Hz)", "v (mV)"]


def test_a_metric_measured_once_stands_in_the_title(tmp_path: Path) -> None:
    figure = trace_of(tmp_path / "a.h5", rate=[10.041], loss=[3.0, 2.0]).plot()
    assert text(figure) == "small on generic8 (chip seed 7), integer, seed 3, 200 steps (0.1 s)\nrate 10.04"


def test_a_metric_in_the_title_has_its_unit(tmp_path: Path) -> None:
    text_of = UNEVEN.replace("MORE", "metrics: {r: {rate: many}, v: {max: few.v}}")
    neuroport.run(neuroport.loads(text_of), "reference", "ideal", trace=tmp_path / "a.h5")
    trace = open_trace(tmp_path / "a.h5")
    assert text(trace.plot()).endswith(f"\nr {trace.metrics['r'][0][1]:.4g} Hz, v -70 mV")


def test_many_synapses_become_mean_and_range(tmp_path: Path) -> None:
    many = replace(
        PROGRAM,
        arrays={"ab.w": array("ab.w", "synapse", "weight", 100, 8, 0)},
        projections=(replace(PROGRAM.projections[0], wiring=joined(np.zeros(100, np.int64), np.arange(100), 1, 100)),),
        records=(),
    )
    with Writer(tmp_path / "a.h5", replace(SOURCE, program=many)) as writer:
        for step in (0, 50, 99):
            writer.weights("ab.w", step, np.arange(100) - step)
        writer.close(steps=100)
    axis = axes(open_trace(tmp_path / "a.h5").plot("weights"))[0]
    assert [entry.get_text() for entry in axis.get_legend().get_texts()] == ["mean", "middle 90 %", "range"]
    assert axis.lines[0].get_ydata().tolist() == [49.5, -0.5, -49.5]


def test_a_legend_covers_nothing(tmp_path: Path) -> None:
    figure = open_trace(write(tmp_path / "a.h5")).plot("rates", "weights")
    figure.canvas.draw()
    for axis in axes(figure):
        assert axis.get_legend().get_window_extent().x0 >= axis.get_window_extent().x1


def test_a_window_is_that_of_all_panels(tmp_path: Path) -> None:
    trace = open_trace(write(tmp_path / "a.h5"))
    every = axes(trace.plot("spikes", "states", "weights", start=20.0, stop="40 ms"))
    times = np.concatenate([part.get_offsets()[:, 0] for part in every[0].collections])
    assert times.min() >= 20
    assert times.max() < 40
    for axis in every[1:]:
        for line in axis.lines:
            assert ((line.get_xdata() >= 20) & (line.get_xdata() <= 40)).all()


def test_runs_of_one_network_and_chip_are_mean_and_sd(tmp_path: Path) -> None:
    first, *others = (run_of(tmp_path / f"{seed}.h5", seed, weights=True) for seed in (1, 2, 6))
    ideal = run_of(tmp_path / "ideal.h5", 4, chip="ideal", weights=True)
    figure = first.plot(beside=[*others, ideal])
    assert titles(figure) == ["rate of a", "rate of b", "ab.w, mean of all synapses", "metric loss"]
    axis = axes(figure)[-1]
    assert [entry.get_text() for entry in axis.get_legend().get_texts()] == ["generic8: mean ± sd of 3", "ideal"]
    mean = next(line for line in axis.lines if str(line.get_label()).startswith("generic8"))
    assert mean.get_ydata().tolist() == [3.0, 53.0]
    band = axis.collections[0].get_paths()[0].vertices[:, 1]
    sd = np.std([1, 2, 6], ddof=1)
    assert (band.min(), band.max()) == (pytest.approx(3 - sd), pytest.approx(53 + sd))
    assert text(figure) == "small on generic8, ideal, 4 runs"


def test_incomplete_traces_say_so_in_the_title(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", SOURCE) as writer:
        writer.metric("loss", 0, 1.0)
        writer.metric("loss", 10, 2.0)
        writer.close(steps=20, complete=False)
    cut = open_trace(tmp_path / "a.h5")
    assert text(cut.plot()).endswith("incomplete: the run was cut off after step 19")
    assert text(cut.plot(beside=[run_of(tmp_path / "b.h5", 3)])).endswith("incomplete: a.h5")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"panels": ["spike"]}, "there is no panel 'spike'; did you mean 'spikes'? there are: " + ", ".join(PANELS)),
        ({"populations": ["c"]}, "there is no population 'c'; there are: a, b"),
        ({"neurons": 3}, "there is no neuron 3; the largest population that is shown has 3"),
        ({"neurons": "1-3"}, "neurons are numbers and ranges such as 3,7 or 0:10 (0 to 9); found '1-3'"),
        ({"neurons": [1.5]}, "neurons are whole numbers, or a text such as '0:10'; found [1.5]"),
        ({"size": (0, 3)}, "size is a width and a height in inches, each from 1 to 100; found (0, 3)"),
        ({"start": "soon"}, "start 'soon': "),
        ({"style": "drak"}, "there is no style 'drak'; did you mean 'dark'? there are light, dark, "),
        ({"start": 50.0, "stop": 20.0}, ": the window from 50 to 20 ms is empty; the run lasts 100 ms"),
        ({"panels": ["spike"], "populations": ["c"]}, "there is no population 'c'"),
    ],
)
def test_what_is_not_there_ends_in_a_sentence(arguments: dict[str, Any], said: str, tmp_path: Path) -> None:
    trace = open_trace(write(tmp_path / "a.h5"))
    with pytest.raises(InvalidInput) as caught:
        trace.plot(*arguments.pop("panels", []), **arguments)
    assert said in str(caught.value)


def test_messages_of_plots_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with pytest.raises(InvalidInput) as caught:
        trace_of(path, once=[1.0]).plot("states", "weights", "metrics")
    assert str(caught.value) == (
        f"{path}: there is nothing to draw in it: no sampled states, no weights that differ or change, no metric "
        "measured more than once; 'neuroport show' prints what there is"
    )
    full = open_trace(write(tmp_path / "b.h5"))
    for ending in (".xyz", ".pgf", ".raw"):
        with pytest.raises(InvalidInput) as caught:
            save(full.plot(), tmp_path / f"out{ending}")
        said = f"no picture is written as '{ending}'; give a name that ends in .png, .pdf or .svg"
        assert str(caught.value) == f"{tmp_path / 'out'}{ending}: {said}"


@pytest.mark.parametrize("style", ["light", "dark", "ggplot"])
def test_styles_stay_with_their_picture(style: str, tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    figure = drawn([open_trace(write(tmp_path / "a.h5"))], View(style=style, size=(5.0, 9.0)))
    assert tuple(figure.get_size_inches()) == (5.0, 9.0)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("make", [lambda path: open_trace(write(path)).plot])
def test_without_matplotlib_the_message_says_what_to_install(
    make: Callable[[Path], Callable[[], Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    plot = make(tmp_path / "a.h5")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(Unsupported) as caught:
        plot()
    assert str(caught.value) == "plots need matplotlib; install it with: pip install 'neuroport[plot]'"


def test_neurons_have_whole_numbers_however_few_they_are(tmp_path: Path) -> None:
    network = neuroport.loads(
        "neuroport: 1\nname: one\ndt: 1 ms\npopulations: {a: {size: 1, neuron: lif}, b: {size: 2, neuron: lif}}\n"
        "projections: {ab: {source: a, target: b, synapse: static, input: i, connect: all_to_all, weight: 1}}\n"
        "record: {spikes: all}\nprotocol: [{run: 20 ms}]\n"
    )
    neuroport.run(network, "reference", "ideal", trace=tmp_path / "a.h5")
    trace = open_trace(tmp_path / "a.h5")
    matrix = next(axis for axis in axes(trace.plot("matrix")) if axis.get_ylabel() == "presynaptic neuron")
    raster = axes(trace.plot("spikes", populations=["a"]))[0]
    for axis in (matrix.xaxis, matrix.yaxis, raster.yaxis):
        ticks = axis.get_major_locator()()
        assert len(ticks)
        assert all(float(tick).is_integer() for tick in ticks)
