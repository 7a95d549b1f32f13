"""Recording parts of populations: what is in the trace is what a whole recording has of these neurons."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import Network
from neuroport.trace.compare import compare
from neuroport.trace.read import Trace, open_trace
from tests.support.executors import BACKENDS

TEXT = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8
COPIES
populations:
  n: {size: 10, neuron: poisson, params: {rate: 200 Hz}}
  a: {size: 12, neuron: lif}
projections:
  p: {source: n, target: a, input: jump, synapse: static, weight: {uniform: [4, 9]}, connect: {fixed_out_degree: 6}}
protocol: [{run: 40 ms}, {run: 25 ms}]
record: RECORD
"""
WHOLE = "{spikes: [n, a], states: {a.v: 2 ms, a.ref: 1 ms}}"
PART = """{spikes: ["a[0:3, 7]", n], states: {"a.v[1, 4:6, 11]": 2 ms, "a.ref[[5]]": 1 ms}}"""
SPIKES, STATES = [0, 1, 2, 7], {"a.v": [1, 4, 5, 11], "a.ref": [5]}


def network(record: str, copies: int = 1) -> Network:
    text = TEXT.replace("RECORD", record)
    return reader.loads(text.replace("COPIES", f"copies: {copies}" if copies > 1 else ""), "n.yaml")


def traced(record: str, folder: Path, backend: str = "reference") -> Trace:
    path = folder / f"{len(list(folder.iterdir()))}.h5"
    neuroport.run(network(record), backend=backend, trace=path)
    return open_trace(path)


def messages(record: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        network(record)
    return [str(problem) for problem in caught.value.problems]


def check(part: Trace, whole: Trace) -> None:
    assert part.digest == whole.digest
    assert part.neurons("a").tolist() == SPIKES
    assert whole.neurons("a").tolist() == list(range(12))
    ours, theirs = part.spikes("a"), whole.spikes("a")
    chosen = np.isin(theirs.neurons, SPIKES)
    assert 0 < np.count_nonzero(chosen) < len(chosen)
    assert np.array_equal(ours.neurons, theirs.neurons[chosen])
    assert np.array_equal(ours.steps, theirs.steps[chosen])
    assert np.array_equal(part.spikes("n").steps, whole.spikes("n").steps)
    for name, neurons in STATES.items():
        found, every = part.record(name), whole.record(name)
        assert found.neurons is not None
        assert found.neurons.tolist() == neurons
        assert np.array_equal(found.steps, every.steps)
        assert np.array_equal(found.raw, every.raw[:, neurons])
        assert len(np.unique(found.raw)) > 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_part_is_what_the_whole_has_of_it(backend: str, tmp_path: Path) -> None:
    check(traced(PART, tmp_path, backend), traced(WHOLE, tmp_path))


def test_a_session_has_the_part_of_a_state_and_all_spikes() -> None:
    with neuroport.open(network(PART), "reference") as session:
        session.run_protocol()
        found, spikes = session.records("a.v")[1], session.spikes("a")[1]
    with neuroport.open(network(WHOLE), "reference") as session:
        session.run_protocol()
        assert np.array_equal(found, session.records("a.v")[1][:, STATES["a.v"]])
        assert np.array_equal(spikes, session.spikes("a")[1])


def test_a_session_takes_names_without_a_part() -> None:
    with neuroport.open(network(PART), "reference") as session:
        for call, name in (
            (session.records, "a.v"),
            (session.spikes, "a"),
            (session.get, "a.v"),
            (lambda wanted: session.exchange({}, 1, [wanted]), "a.v"),
        ):
            with pytest.raises(InvalidInput, match=f"; write '{name}', without brackets$"):
                call(f"{name}[1, 4:6, 11]")


@pytest.mark.parametrize("other", [PART, WHOLE, PART.replace("4:6", "4, 6")])
def test_a_checkpoint_keeps_what_is_recorded_of_the_same_part(other: str, tmp_path: Path) -> None:
    with neuroport.open(network(PART), "reference") as session:
        session.run(30)
        session.checkpoint(tmp_path / "c.h5")
        session.run(10)
        steps, values = session.records("a.v")
        first = session.take("a.ref")["a.ref"]
    with neuroport.open(network(other), "reference") as session:
        session.restore(tmp_path / "c.h5")
        session.run(10)
        mine = session.records("a.v")
        then = session.take("a.ref")["a.ref"]
    if other == PART:
        assert np.array_equal(mine[0], steps)
        assert np.array_equal(mine[1], values)
    else:
        assert mine[0].tolist() == [31, 33, 35, 37, 39]
    assert np.array_equal(then[1], first[1]) == (other != WHOLE)


@pytest.mark.parametrize("record", [PART, WHOLE, '{states: {"a.v[3:]": 1 ms}}', '{spikes: ["a[:4]"]}'])
def test_what_is_written_comes_back_equal(record: str) -> None:
    made = network(record)
    assert reader.loads(writer.to_yaml(made), "again.yaml") == made


def test_all_neurons_are_no_part() -> None:
    assert network('{spikes: ["a[0:5, 5:12]"], states: {"a.v[:]": 1 ms}}') == network(
        "{spikes: [a], states: {a.v: 1 ms}}"
    )


def test_a_part_is_recorded_of_a_network_in_python() -> None:
    made = neuroport.Network.of(network("{}"))
    made.record(spikes=["a[0:3, 7]", "n"], states={"a.v[1, 4:6, 11]": "2 ms", "a.ref[5]": "1 ms"})
    assert made.build() == network(PART)


def test_traces_of_other_neurons_differ(tmp_path: Path) -> None:
    part, other = traced(PART, tmp_path), traced(PART.replace("0:3", "1:4").replace("4:6", "5:7"), tmp_path)
    assert compare(part, traced(PART, tmp_path)).identical
    assert [difference.text for difference in compare(part, other).differences] == [
        "other neurons of 'a' are recorded in the second than in the first",
        "other neurons of 'a.v' are recorded in the second than in the first",
    ]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            '{spikes: ["a[0:13]"]}',
            "n.yaml:13:19: spikes of record: '[0:13]' is outside of the population, whose neurons are 0 to 11",
        ),
        ('{spikes: ["b[0:3]"]}', "n.yaml:13:19: unknown population 'b'; allowed are n, a"),
        ('{spikes: ["a[0]", "a[1]"]}', "n.yaml:13:27: spikes of record names 'a' twice; name all of its neurons once"),
        ('{spikes: ["a[3:1]"]}', "n.yaml:13:19: spikes of record: 3:1 has no neurons; write the smaller number first"),
        ('{spikes: ["a[3:3]"]}', "n.yaml:13:19: spikes of record: 3:3 has no neurons; for one of them write 3"),
        (
            '{states: {"a[0:3].v": 1 ms}}',
            "n.yaml:13:19: states of record: which neurons are meant stands last; write 'a.v[0:3]'",
        ),
        (
            '{spikes: ["a[-1]"]}',
            "n.yaml:13:19: spikes of record: neurons are numbers and ranges such as [3, 5], [0:10] (0 "
            "to 9) or [0:10:2] (every second one); found '[-1]', and they count from 0",
        ),
        (
            '{spikes: ["a[\uff11]"]}',
            "n.yaml:13:19: spikes of record: neurons are numbers and ranges such as [3, 5], [0:10] (0 "
            "to 9) or [0:10:2] (every second one); found '[\uff11]'",
        ),
        (
            '{spikes: ["a[]"]}',
            "n.yaml:13:19: spikes of record: neurons are numbers and ranges such as [3, 5], [0:10] (0 "
            "to 9) or [0:10:2] (every second one); found '[]'",
        ),
        (
            '{spikes: ["a[x]"]}',
            "n.yaml:13:19: spikes of record: neurons are numbers and ranges such as [3, 5], [0:10] (0 "
            "to 9) or [0:10:2] (every second one); found '[x]'",
        ),
        (
            '{spikes: ["a[::0]"]}',
            "n.yaml:13:19: spikes of record: '[::0]' has the step 0; give a step from 1, such as 0:12:2",
        ),
        (
            '{spikes: ["a[0:6][0:2]"]}',
            "n.yaml:13:19: spikes of record: '[0:6][0:2]' is a part of a part; name its neurons by their numbers in "
            "the population",
        ),
        (
            '{spikes: ["a[0:6:2, 3]"]}',
            "n.yaml:13:19: spikes of record: '[0:6:2, 3]' must name each neuron once, in ascending order",
        ),
        (
            '{spikes: ["a[2, 1]"]}',
            "n.yaml:13:19: spikes of record: '[2, 1]' must name each neuron once, in ascending order",
        ),
        (
            '{states: {"a.v[1, 1]": 1 ms}}',
            "n.yaml:13:19: states of record: '[1, 1]' must name each neuron once, in ascending order",
        ),
        (
            '{states: {"a.v[0:4]": 1 ms, "a.v[6]": 2 ms}}',
            "n.yaml:13:37: states of record has 'a.v' twice; name all of its neurons once, such as a.v[0:3, 7]",
        ),
        (
            '{states: {"a.w[0:4]": 1 ms}}',
            "n.yaml:13:19: states of record: population 'a' has no variable 'w'; did you mean 'a.v'? allowed "
            "are a.v, a.ref",
        ),
        (
            '{weights: {"p.w[0:4]": 1 ms}}',
            "n.yaml:13:20: weights of record: a part is one of a population's neurons; record 'p.w' whole",
        ),
    ],
)
def test_misuse_is_refused_with_its_place_and_what_to_do(record: str, expected: str) -> None:
    assert messages(record) == [expected]


def test_tables_and_pictures_have_the_numbers_of_the_neurons(tmp_path: Path) -> None:
    trace = traced(PART, tmp_path)
    figure = trace.plot("spikes", "states")
    raster, v, ref = figure.axes
    assert [label.get_text() for label in raster.get_yticklabels()] == ["n (10)", "a (4)"]
    assert [line.get_label() for line in v.get_lines()] == ["1", "4", "5", "11"]
    assert [line.get_label() for line in ref.get_lines()] == ["5"]
    chosen = trace.plot("spikes", "states", populations=["a"], neurons=[2, 3, 7, 11])
    assert [label.get_text() for label in chosen.axes[0].get_yticklabels()] == ["2", "7"]
    assert [line.get_label() for line in chosen.axes[1].get_lines()] == ["11"]


def test_xarray_has_the_numbers_of_the_neurons(tmp_path: Path) -> None:
    pytest.importorskip("xarray", reason="arrays with names need xarray")
    found = traced(PART, tmp_path).to_xarray("a.v")
    assert found.neuron.values.tolist() == STATES["a.v"]


def test_neo_has_trains_of_recorded_neurons_alone(tmp_path: Path) -> None:
    pytest.importorskip("neo", reason="blocks need Neo")
    segment = traced(PART, tmp_path).to_neo().segments[0]
    of_a = [train for train in segment.spiketrains if train.annotations["population"] == "a"]
    assert [train.annotations["neuron"] for train in of_a] == SPIKES
    signal = next(signal for signal in segment.analogsignals if signal.name == "a.v")
    assert signal.array_annotations["neuron"].tolist() == STATES["a.v"]


def test_sonata_has_the_numbers_of_the_neurons(tmp_path: Path) -> None:
    trace = traced(PART, tmp_path)
    with h5py.File(trace.path) as file:
        assert file["report/a.v/mapping/node_ids"][()].tolist() == STATES["a.v"]
        assert file["neuroport/parts/a"][()].tolist() == SPIKES


def test_what_was_cut_off_goes_on(tmp_path: Path) -> None:
    whole, path = traced(PART, tmp_path), tmp_path / "cut.h5"

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        neuroport.run(network(PART), backend="reference", trace=path, progress=stop)
    assert not open_trace(path).complete
    assert neuroport.resume(path).digest == whole.digest
    check(open_trace(path), traced(WHOLE, tmp_path))


METRICS = """
metrics:
  some: {rate: "a[0:3, 7]"}
  every: {rate: a}
  mean: {mean: "a.v[1, 4:6]"}
  sd: {sd: "a.v[1, 4:6]"}
  least: {min: "a.v[1, 4:6]"}
  most: {max: "a.v[1, 4:6]"}
  values: {values: "a.v[1, 4:6]"}
"""


def measured(copies: int = 1) -> Network:
    made = TEXT.replace("RECORD", WHOLE) + METRICS
    made = made.replace("[{run: 40 ms}, {run: 25 ms}]", "[{run: 40 ms}, {measure: []}, {run: 25 ms}, {measure: []}]")
    return reader.loads(made.replace("COPIES", f"copies: {copies}"), "n.yaml")


@pytest.mark.parametrize("backend", BACKENDS)
def test_metrics_of_a_part_are_those_of_its_neurons(backend: str) -> None:
    with neuroport.open(measured(), backend) as session:
        for _ in range(2):
            session.run(30)
            session.measure()
        steps, neurons = session.spikes("a")
        values = session.get("a.v")[[1, 4, 5]]
        found = session.results
    chosen = np.isin(neurons, SPIKES)
    for k, (step, rate) in enumerate(found["some"]):
        inside = chosen & (steps >= 30 * k) & (steps < 30 * k + 30)
        assert step == 30 * k + 30
        assert rate == np.count_nonzero(inside) / 4 / 30 * 1000 > 0
    assert found["every"][1][1] != found["some"][1][1]
    assert found["values"][1][1] == values.tolist()
    last = {name: found[name][1][1] for name in ("mean", "sd", "least", "most")}
    assert last == {"mean": values.mean(), "sd": values.std(), "least": values.min(), "most": values.max()}


def test_the_rate_of_a_part_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    with neuroport.open(measured(), "reference") as session:
        session.run(20)
        session.measure("some")
        session.run(15)
        session.checkpoint(tmp_path / "c.h5")
        fork = session.fork()[0]
        session.run(15)
        session.measure("some")
        wanted = session.results["some"]
        fork.run(15)
        fork.measure("some")
        assert fork.results["some"] == wanted
    with neuroport.open(measured(), "reference") as session:
        session.run(3)
        session.restore(tmp_path / "c.h5")
        session.run(15)
        session.measure("some")
        assert session.results["some"] == wanted


def test_copies_have_the_rate_of_a_part_each() -> None:
    alone = [neuroport.run(measured(), backend="reference", seed=seed).metrics["some"] for seed in (5, 6)]
    assert alone[0] != alone[1]
    together = neuroport.run_copies(measured(), [5, 6], backend="reference")
    assert [run.metrics["some"] for run in together] == alone


def test_metrics_of_parts_are_written_and_told() -> None:
    made = measured()
    assert reader.loads(writer.to_yaml(made), "again.yaml") == made
    assert [metric.shown for metric in made.metrics[:3]] == ["a[0:3, 7]", "a", "a.v[1, 4:6]"]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (
            '{rate: "a[12]"}',
            "n.yaml:15:13: rate of metric 'm': '[12]' is outside of the population, whose neurons are 0 to 11",
        ),
        (
            '{mean: "a.v[0:13]"}',
            "n.yaml:15:13: mean of metric 'm': '[0:13]' is outside of the population, whose neurons are 0 to 11",
        ),
        (
            '{mean: "p.w[0:3]"}',
            "n.yaml:15:13: mean of metric 'm': a part is one of a population's neurons; name 'p.w' alone",
        ),
        (
            '{asymmetry: "a.v[0:3]"}',
            "n.yaml:15:18: asymmetry of metric 'm' needs a projection from a population to itself; found 'a.v[0:3]'",
        ),
        ('{rate: "c[0]"}', "n.yaml:15:13: unknown population 'c'; allowed are n, a"),
    ],
)
def test_misuse_in_metrics_is_refused(metric: str, expected: str) -> None:
    text = TEXT.replace("RECORD", "{}").replace("COPIES", "") + f"metrics:\n  m: {metric}\n"
    with pytest.raises(InvalidInput) as caught:
        reader.loads(text, "n.yaml")
    assert [str(problem) for problem in caught.value.problems] == [expected]


@pytest.mark.parametrize(
    ("record", "place", "name"),
    [("{spikes: [a[0:3]]}", "n.yaml:13:20", "a"), ("{states: {a.v[3]: 1 ms}}", "n.yaml:13:22", "a.v")],
)
def test_brackets_inside_of_brackets_need_quotes(record: str, place: str, name: str) -> None:
    (text,) = messages(record)
    assert text.startswith(f"{place}: this is not YAML: ")
    assert text.endswith(f'; inside of {{ }} and [ ] write names with brackets in quotes: "{name}[…]"')


def test_copies_that_learn_together_have_the_part_of_each(tmp_path: Path) -> None:
    text = TEXT.replace("RECORD", PART).replace("synapse: static", "synapse: common")
    text += "synapses:\n  common:\n    state: {w: {weight: true, range: [0, 10], over_copies: shared}}\n"
    text += "    on_pre: |\n      send(target, w)\n    on_event: {teach: w = w + 0}\n"
    runs = []
    for record in (PART, WHOLE):
        batch = reader.loads(text.replace(PART, record).replace("COPIES", "copies: 3"), "n.yaml")
        neuroport.run(batch, backend="reference", trace=tmp_path / f"{len(runs)}.h5")
        runs.append(open_trace(tmp_path / f"{len(runs)}.h5"))
    part, whole = runs
    assert part.neurons("a").tolist() == [i * 3 + c for i in SPIKES for c in range(3)]
    assert np.array_equal(part.spikes("a").neurons, [i for i in whole.spikes("a").neurons if i // 3 in SPIKES])
    neurons = [i * 3 + c for i in STATES["a.v"] for c in range(3)]
    found = part.record("a.v")
    assert found.neurons is not None
    assert found.neurons.tolist() == neurons
    assert np.array_equal(found.raw, whole.record("a.v").raw[:, neurons])


SAMPLED = """
readouts:
  some: {samples: {of: "a.v[2:5, 9]", every: 3 steps, reduce: sum}}
  all: {samples: {of: a.v, every: 3 steps, reduce: sum}}
metrics: {some: {values: some}, all: {values: all}, mean: {mean: some}}
"""


def sampled() -> str:
    text = TEXT.replace("RECORD", "{}").replace("COPIES", "") + SAMPLED
    return text.replace("{run: 25 ms}", "{run: 24 ms, readout: [some, all]}")


@pytest.mark.parametrize("backend", BACKENDS)
def test_samples_of_a_part_are_those_of_its_neurons(backend: str) -> None:
    with neuroport.open(reader.loads(sampled(), "n.yaml"), backend) as session:
        session.run_protocol()
        (_, some), (_, every), (_, mean) = (session.results[name][0] for name in ("some", "all", "mean"))
    assert some == [every[i] for i in (2, 3, 4, 9)]
    assert mean == np.mean(some)
    assert len(set(every)) > 6


def test_samples_of_a_part_are_written() -> None:
    made = reader.loads(sampled(), "n.yaml")
    assert reader.loads(writer.to_yaml(made), "again.yaml") == made


def test_labels_and_targets_are_as_many_as_the_cells_of_a_part() -> None:
    text = sampled().replace("mean: {mean: some}", "error: {squared_error: some, target: goal}")
    text += "stimuli: {goal: {patterns: {values: [[1, 2, 3]], hold: 24 ms}, population: three, input: r_in}}\n"
    text = text.replace("projections:", "  three: {size: 3, neuron: rate_source}\nprojections:")
    with pytest.raises(InvalidInput) as caught:
        reader.loads(text, "n.yaml")
    assert "readout 'some' has 4 cells and 'goal' 3; the numbers must be equal" in str(caught.value.problems[0])


@pytest.mark.parametrize(
    ("name", "values", "text"),
    [
        ("a", [0, 1, 2, 12], "/neuroport/parts/a holds 12; it must hold numbers from 0 to 11"),
        ("a", [0, 2, 1, 7], "/neuroport/parts/a is not in ascending order"),
        ("a", [0, 1, 1, 7], "/neuroport/parts/a does not name some neurons, each once"),
        ("a.v", [1, 4, 5], "/neuroport/records/a.v/raw has the shape (32, 4); it must be (32, 3)"),
        ("c", [1, 4, 5], "/neuroport/parts/c is of no population of the trace"),
    ],
)
def test_a_part_that_does_not_fit_is_a_damage(name: str, values: list[int], text: str, tmp_path: Path) -> None:
    path = traced(PART, tmp_path).path
    with h5py.File(path, "r+") as file:
        if name in file["neuroport/parts"]:
            del file[f"neuroport/parts/{name}"]
        file[f"neuroport/parts/{name}"] = values
    with pytest.raises(InvalidInput) as caught:
        open_trace(path)
    assert text in str(caught.value.problems[0])


def test_a_spike_of_a_neuron_that_is_not_recorded_is_a_damage(tmp_path: Path) -> None:
    path = traced(PART, tmp_path).path
    with h5py.File(path, "r+") as file:
        file["spikes/a/node_ids"][0] = 5
    with pytest.raises(InvalidInput, match="holds a spike of neuron 5, which is none of those that are recorded"):
        open_trace(path).spikes("a")


@pytest.mark.parametrize("name", ["n.rate", "*.rate"])
def test_anneal_is_of_all_neurons(name: str) -> None:
    anneal = f'{{anneal: {{parameter: "{name}[0:2]", by: 0.5, when: every}}}}'
    text = TEXT.replace("RECORD", "{}").replace("COPIES", "").replace("{run: 25 ms}", anneal) + METRICS
    with pytest.raises(InvalidInput) as caught:
        reader.loads(text, "n.yaml")
    assert [str(problem) for problem in caught.value.problems] == [
        f"n.yaml:12:47: parameter of anneal is of all elements, and '{name}[0:2]' of some; write '{name}'"
    ]
