"""Chip descriptions, what fits on a chip, and manufactured instances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neuroport
from neuroport.chips import description as chips
from neuroport.chips import instance
from neuroport.chips.chip import CLASSES, Chip, Deviation, Limits, WordRule
from neuroport.chips.limits import check_limits
from neuroport.chips.mismatch import deviation, with_mismatch
from neuroport.errors import InvalidInput, Place
from neuroport.program.ir import Int, Read, Send, Store
from neuroport.program.machine import Array, Population, Program, Projection
from tests.support.wiring import joined

WORDS = "\n".join(f"  {kind}: {{bits: 16}}" for kind in CLASSES)
SMALL = f"name: small\nwords:\n{WORDS}\n"


def problems(text):
    with pytest.raises(InvalidInput) as caught:
        chips.read(text, "c.yaml")
    return [str(p) for p in caught.value.problems]


def test_every_shipped_chip_loads_and_reads_back_equal():
    assert {"ideal", "ideal32", "generic8", "generic16", "loihi1", "generic8_mismatch10"} <= set(chips.names())
    for name in chips.names():
        chip = chips.load(name)
        assert chip.name == name and chip.title
        assert chips.read(chips.to_yaml(chip), "again.yaml") == chip


def test_the_shipped_chips_have_the_words_that_their_names_promise():
    def bits(name):
        return {kind: rule.bits for kind, rule in chips.load(name).words}

    assert (bits("generic8")["weight"], bits("generic8")["plastic"], bits("generic8")["state"]) == (8, 32, 16)
    assert (bits("generic16")["weight"], bits("generic16")["plastic"], bits("generic16")["state"]) == (16, 32, 32)
    loihi = chips.load("loihi1")
    assert loihi.word("state") == WordRule(bits=24, rounding="toward_zero")
    assert loihi.word("weight").sign == "per_projection" and not loihi.limits.plasticity
    assert [chips.load(n).arithmetic for n in ("ideal", "ideal32")] == ["float64", "float32"]


def test_a_chip_is_loaded_from_a_path(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    assert chips.load(path) == chips.load(str(path))
    assert chips.load(path).word("trace") == WordRule(bits=16)


def test_an_unknown_chip_is_refused_with_a_guess():
    with pytest.raises(InvalidInput) as caught:
        chips.load("generik8")
    assert str(caught.value) == (
        f"there is no chip 'generik8'; did you mean 'generic8'? chips are {', '.join(chips.names())}, "
        f"or the path of a .yaml file"
    )


def test_problems_of_a_description_are_told_with_their_places():
    text = SMALL.replace("  state: {bits: 16}", "  state: {bits: 99, rounding: up}") + "colour: red\n"
    assert problems(text) == [
        "c.yaml:3:17: words.state.bits must be at most 63; found 99",
        "c.yaml:3:31: words.state.rounding cannot be 'up'; allowed are toward_zero, floor, nearest, nearest_even, "
        "stochastic, floor_min_step",
        "c.yaml:9:1: unknown key 'colour' in a chip description; allowed are name, title, source, arithmetic, words, "
        "tables, limits, mismatch",
    ]


def test_a_description_without_words_is_refused():
    assert problems("name: x\n") == [
        "c.yaml:1:1: an integer chip needs `words` with the classes state, weight, plastic, trace, accumulator, "
        "coefficient"
    ]
    assert problems("name: x\nwords:\n  state: {bits: 8}\n") == [
        "c.yaml:3:3: words lacks weight, plastic, trace, accumulator, coefficient; "
        "an integer chip needs a rule for each class"
    ]
    assert problems("") == ["c.yaml: the chip description is empty; it needs at least `name` and `words`"]


def test_only_weights_may_have_a_sign_per_projection():
    text = SMALL.replace("  trace: {bits: 16}", "  trace: {bits: 16, sign: per_projection}")
    assert problems(text) == ["c.yaml:6:27: words.trace.sign cannot be 'per_projection'; only words.weight can"]


def test_deviations_are_read_and_merged():
    assert deviation("weight=10%") == ("weight", Deviation(sigma=0.1))
    assert deviation("weight = 0.1") == ("weight", Deviation(sigma=0.1))
    assert deviation("duration=1 step") == ("duration", Deviation(steps=1))
    chip = with_mismatch(chips.load("generic8_mismatch10"), {"bias": Deviation(), "gain": Deviation(sigma=0.2)})
    assert [kind for kind, _ in chip.mismatch] == ["weight", "amplitude", "gain"]


@pytest.mark.parametrize("text", ["weight", "=0.1", "weight=-1", "weight=x", "duration=1.5 steps", "weight=nan"])
def test_a_wrong_deviation_is_refused(text):
    with pytest.raises(InvalidInput) as caught:
        deviation(text)
    assert str(caught.value) == (
        f"'{text}' is no deviation; write KIND=SIGMA with a relative sigma from 0 to 2 (weight=0.1 or weight=10%), "
        f"or KIND=N steps (duration=1 step)"
    )


# ---------------------------------------------------------------------------------------------------------- limits


def network(delay=1, dendritic=None, step=(), arrive=()):
    steps = Array("n.refractory_steps", "n", "scalar", "parameter", Int(0, 100), np.array(65))
    weight = Array("p.w", "p", "synapse", "weight", Int(0, 255), np.array([5]))
    late = None if dendritic is None else np.array([dendritic])
    one = joined(np.zeros(1, np.int64), np.zeros(1, np.int64), 300, 300)
    projection = Projection("p", "n", "n", 300, 300, delay, one, late, tuple(step), tuple(arrive), ())
    return Program(
        name="t",
        dt=1.0,
        seed=1,
        chip="",
        integer=False,
        precision="float64",
        arrays={a.name: a for a in (steps, weight)},
        populations=(Population("n", 300, (), (), True, 1),),
        projections=(projection,),
        events=(),
        readouts=(),
        records=(),
        injections=(),
        series=(),
        tables={},
        derived=(),
    )


ADEX = """\
neuroport: 1
name: n
dt: 1 ms
neurons:
  like_adex:
    params: {tau: {default: 20, range: [1, 100], dynamic: true}}
    inputs: {i: {range: [-8, 8]}}
    state: {v: {range: [-8, 8]}, a: {range: [-8, 8]}}
    update: |
      gap = 4 - v
      v = v * exp(-dt / tau) + exp(v - 1) / 8 + i - a / tau
      a = UPDATE
populations: {p: {size: 2, neuron: like_adex}}
"""


def told(update, chip):
    from neuroport.api.compile import lower
    from neuroport.files import network as reader

    try:
        lower(reader.loads(ADEX.replace("UPDATE", update), "n.yaml"), chip, None, quantised=False)
    except InvalidInput as error:
        return [str(p) for p in error.problems]
    return []


def test_a_chip_says_which_functions_it_has():
    def wants(what, line, has):
        return [
            f"n.yaml:13:15: population 'p' calculates {what} of what changes during a run (n.yaml:{line}); chip "
            f"{has}. Use another model or another chip"
        ]

    def chip(*functions):
        return Chip(name="c", limits=Limits(functions=functions))

    assert told("a", chips.load("loihi1")) == wants("exp", 11, "'loihi1' has no tables for that")
    assert told("a / 2 + tanh(v)", chip()) == wants("exp, tanh", 11, "'c' has no tables for that")
    assert told("a / 2 + tanh(v)", chip("exp")) == wants("tanh", 12, "'c' has of these only exp")
    assert told("a / (2 + v)", chip("exp", "tanh")) == wants("/", 12, "'c' has of these only exp, tanh")
    assert told("a / gap", chip("exp")) == wants("/", 12, "'c' has of these only exp")
    assert told("a / gap + tanh(v)", chip("exp", "tanh", "/")) == []
    assert told("a / gap + tanh(v)", Chip(name="c")) == []


def test_functions_of_a_chip_are_read_and_written(tmp_path):
    def read(text):
        (tmp_path / "c.yaml").write_text(f"name: c\narithmetic: float64\nlimits: {{functions: {text}}}\n")
        return chips.load(str(tmp_path / "c.yaml"))

    assert read("[]").limits.functions == ()
    both = read("[exp, /]")
    assert both.limits.functions == ("exp", "/")
    (tmp_path / "again.yaml").write_text(chips.to_yaml(both))
    assert chips.load(str(tmp_path / "again.yaml")) == both
    with pytest.raises(InvalidInput) as caught:
        read("[exq]")
    assert str(caught.value) == (
        f"{tmp_path / 'c.yaml'}:3:22: one of limits.functions cannot be 'exq'; did you mean 'exp'? allowed are exp, "
        "exprel, log, sqrt, tanh, sigmoid, softplus, /"
    )


def test_everything_that_does_not_fit_is_told():
    limits = Limits(
        cores=1,
        max_axonal_delay=62,
        max_dendritic_delay=3,
        max_refractory=64,
        plasticity=False,
        graded=False,
        models=("lif",),
    )
    weight = Read("p.w", "own", Int(0, 255))
    made = network(delay=63, dendritic=4, step=[Send("n.i", weight)], arrive=[Store("p.w", weight)])
    assert [p.text for p in check_limits(made, Chip(name="c", limits=limits), {"n": "izhikevich"})] == [
        "the network has 300 neurons, which need 2 cores of 256; chip 'c' has 1 cores. "
        "Make it smaller or choose another chip",
        "population 'n' has neurons of model 'izhikevich'; chip 'c' has only lif",
        "projection 'p' has a delay of 63 steps; chip 'c' allows at most 62. Shorten it or use a longer dt",
        "projection 'p' has a dendritic delay of 4 steps; chip 'c' allows at most 3. Shorten it or use a longer dt",
        "projection 'p' changes p.w; chip 'c' has static synapses only. Use the synapse model 'static' or another chip",
        "projection 'p' sends in every step, not only at spikes; chip 'c' sends spikes only. "
        "Send in on_pre, or choose another chip",
        "n.refractory_steps is 65 steps; chip 'c' allows at most 64. Shorten it or use a longer dt",
    ]


def test_synapses_are_counted_where_the_chip_has_a_limit():
    made = replace(network(), projections=(network().projections[0],) * 3)
    limits = Limits(cores=2, synapses_per_core=1)
    assert [p.text for p in check_limits(made, Chip(name="c", limits=limits))] == [
        "the network has 3 synapses; chip 'c' has room for 2. Connect fewer pairs"
    ]


def test_a_chip_without_limits_takes_everything():
    weight = Read("p.w", "own", Int(0, 255))
    made = network(delay=1000, dendritic=1000, step=[Send("n.i", weight)], arrive=[Store("p.w", weight)])
    assert check_limits(made, chips.load("generic8"), {"n": "izhikevich"}) == ()


# ------------------------------------------------------------------------------------------------------- instances

MANY = np.arange(20_000)
GOLDEN = ["0x1.0cc85962fb0abp+0", "0x1.f9ec8e75de5d2p-1", "0x1.07578eb75f98bp+0"]


def made(seed=1, **kinds):
    return instance.manufacture(Chip(name="c", arithmetic="float64", mismatch=tuple(kinds.items())), seed)


def test_factors_have_mean_one_and_the_given_spread():
    for distribution in ("lognormal", "normal"):
        factors = instance.factor(made(weight=Deviation(distribution=distribution, sigma=0.1)), "weight", MANY)
        assert factors.mean() == pytest.approx(1, abs=4 * 0.1 / np.sqrt(len(MANY)))
        assert factors.std() == pytest.approx(0.1, rel=0.03)


def test_a_lognormal_factor_never_changes_sign_and_a_normal_one_stops_at_zero():
    wide = made(a=Deviation(sigma=1.0), b=Deviation(distribution="normal", sigma=1.0))
    assert instance.factor(wide, "a", MANY).min() > 0
    assert instance.factor(wide, "b", MANY).min() == 0 and instance.factor(wide, "b", MANY).max() == 4


def test_a_circuit_is_the_same_whoever_asks():
    chip = made(weight=Deviation(sigma=0.1))
    assert instance.factor(chip, "weight", MANY[5:9]).tolist() == instance.factor(chip, "weight", MANY)[5:9].tolist()
    assert (
        instance.factor(chip, "weight", MANY).tolist()
        != instance.factor(made(2, weight=Deviation(sigma=0.1)), "weight", MANY).tolist()
    )


def test_kinds_deviate_independently_and_others_not_at_all():
    chip = made(weight=Deviation(sigma=0.1), bias=Deviation(sigma=0.1))
    a, b = (instance.factor(chip, kind, MANY) for kind in ("weight", "bias"))
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(len(MANY))
    assert instance.factor(chip, "threshold", MANY[:3]).tolist() == [1, 1, 1]


def test_offsets_are_uniform_whole_steps():
    offsets = instance.offset(made(duration=Deviation(steps=1)), "duration", MANY)
    assert sorted(set(offsets.tolist())) == [-1, 0, 1]
    assert np.bincount(offsets + 1) / len(MANY) == pytest.approx(np.full(3, 1 / 3), abs=0.015)
    assert instance.offset(made(), "duration", MANY[:2]).tolist() == [0, 0]


def test_first_factors_of_seed_1_do_not_change():
    """Golden: a new generator or quantile would change every published chip."""
    factors = instance.factor(made(weight=Deviation(sigma=0.1)), "weight", MANY[:3])
    assert [f.hex() for f in factors] == GOLDEN


def test_synapse_circuits_are_apart_from_neuron_circuits():
    circuits = instance.synapse_circuits(np.array([0, 0, 1]), np.array([0, 1, 0]))
    assert circuits.tolist() == [2**24, 2**24 + 1, 2**25]


def test_an_instance_survives_its_file(tmp_path):
    path = tmp_path / "chip.h5"
    chip = instance.manufacture(chips.load("generic8_mismatch10_steps"), 3)
    instance.save(chip, path)
    again = instance.load(path)
    assert again.chip == chip.chip and again.seed == 3
    for kind in ("weight", "bias", "amplitude"):
        assert instance.factor(again, kind, MANY).tolist() == instance.factor(chip, kind, MANY).tolist()
    assert instance.offset(again, "duration", MANY).tolist() == instance.offset(chip, "duration", MANY).tolist()
    assert instance.is_instance(path)


def test_saved_values_replace_drawn_ones(tmp_path):
    chip = made(weight=Deviation(sigma=0.1))
    measured = replace(chip, factors={"weight": np.array([[3.0, 7.0], [0.5, 1.5]])})
    instance.save(measured, tmp_path / "m.h5", {"weight": np.array([1])})
    again = instance.load(tmp_path / "m.h5")
    assert again.factors["weight"][0].tolist() == [1, 3, 7]
    drawn, seen = (instance.factor(c, "weight", np.arange(9)) for c in (chip, again))
    assert seen[[3, 7]].tolist() == [0.5, 1.5]
    assert np.delete(seen, [3, 7]).tolist() == np.delete(drawn, [3, 7]).tolist()


def test_an_instance_file_is_not_overwritten(tmp_path):
    path = tmp_path / "chip.h5"
    instance.save(made(), path)
    with pytest.raises(InvalidInput) as caught:
        instance.save(made(), path)
    assert str(caught.value) == f"{path}: exists already; choose another name, or replace it with --overwrite"
    instance.save(made(), path, overwrite=True)


def test_other_files_are_no_instances(tmp_path):
    import h5py

    text, other, part = (tmp_path / n for n in ("a.txt", "b.h5", "c.h5"))
    text.write_text("hello")
    h5py.File(other, "w").close()
    with h5py.File(part, "w") as file:
        file.attrs["format"] = "neuroport-chip-instance"
    found = []
    for path in (text, other, part):
        with pytest.raises(InvalidInput) as caught:
            instance.load(path)
        assert {problem.place for problem in caught.value.problems} == {Place(str(path))}
        found.append([problem.text for problem in caught.value.problems])
    assert found[0] == [
        "cannot be read as a chip instance (file signature not found); it is damaged, cut off, or another kind of file"
    ]
    assert found[1] == [
        "this HDF5 file holds no chip instance; write one with: neuroport show CHIP --chip-seed N -o FILE.h5"
    ]
    advice = "write it again with: neuroport show CHIP --chip-seed N -o FILE.h5"
    assert found[2] == [
        f"this chip instance is damaged: the attribute '{name}' of / is missing; {advice}"
        for name in ("version", "chip", "seed")
    ]
    assert not instance.is_instance(text) and not instance.is_instance(other)


def test_an_instance_can_be_shown():
    lines = instance.describe(made(weight=Deviation(sigma=0.1), duration=Deviation(steps=1)), circuits=3)
    assert lines[0] == "chip instance: c, chip seed 1"
    assert lines[1].startswith("  weight: lognormal, sigma 0.1 (first 1000 circuits: sd 0.")
    assert lines[2].startswith("    factors of circuits 0..2: ")
    assert lines[3] == "  duration: offset of up to 1 step"
    assert instance.describe(made())[1] == "  no parameter deviates"


def test_a_network_names_a_chip_description_beside_it(tmp_path):
    (tmp_path / "mine.yaml").write_text(chips.to_yaml(replace(chips.load("generic8"), name="mine")), "utf-8")
    text = "neuroport: 1\nname: n\ndt: 1 ms\nchip: mine.yaml\npopulations: {a: {size: 1, neuron: lif}}\n"
    (tmp_path / "n.yaml").write_text(text, "utf-8")
    assert neuroport.compile(neuroport.load(tmp_path / "n.yaml")).chip == "mine"


@pytest.mark.parametrize(
    ("kind", "circuits", "values", "text"),
    [
        ("bias", [0, 1], [1.0, 1.0], "holds values of 'bias', of which no circuit of chip 'c' deviates; it has weight, "
         "duration.steps; remove values/bias"),
        ("weight.steps", [0], [1.0], "holds values of 'weight.steps', of which no circuit of chip 'c' deviates; it has "
         "weight, duration.steps; remove values/weight.steps"),
        ("weight", [3, 1, 3], [1.0, 1.0, 1.0], "values/weight names circuit 3 twice; give it one value"),
        ("weight", [0, 1], [1.0, np.nan], "values/weight has nan for circuit 1; give factors from 0 to 1000"),
        ("duration.steps", [5], [0.5], "values/duration.steps has 0.5 for circuit 5; give whole numbers of steps "
         "from -1 to 1"),
        ("duration.steps", [5], [2.0], "values/duration.steps has 2 for circuit 5; give whole numbers of steps "
         "from -1 to 1"),
        ("weight", [0, 1], [1e9, -1.0], "values/weight has 1e+09 for circuit 0; give factors from 0 to 1000"),
        ("weight", [0, 1], [1.0, -1.0], "values/weight has -1 for circuit 1; give factors from 0 to 1000"),
    ],
)  # fmt: skip
def test_an_edited_instance_that_no_chip_can_be_is_refused(tmp_path, kind, circuits, values, text):
    import h5py

    path = tmp_path / "m.h5"
    instance.save(made(weight=Deviation(sigma=0.1), duration=Deviation(steps=1)), path)
    with h5py.File(path, "r+") as file:
        if f"values/{kind}" in file:
            del file[f"values/{kind}"]
        file[f"values/{kind}/circuit"], file[f"values/{kind}/value"] = circuits, values
    with pytest.raises(InvalidInput) as caught:
        instance.load(path)
    assert str(caught.value) == f"{path}: {text}"


def test_the_circuits_of_an_edited_instance_may_stand_in_any_order(tmp_path):
    import h5py

    path = tmp_path / "m.h5"
    instance.save(made(weight=Deviation(sigma=0.1)), path, {"weight": np.array([0])})
    with h5py.File(path, "r+") as file:
        del file["values/weight"]
        file["values/weight/circuit"], file["values/weight/value"] = [7, 3, 5], [0.7, 0.3, 0.5]
    assert instance.factor(instance.load(path), "weight", [3, 5, 7]).tolist() == [0.3, 0.5, 0.7]


def test_a_table_over_one_power_of_two_needs_512_intervals():
    text = chips.to_yaml(chips.load("generic8")).replace("intervals: 1024", "intervals: 64")
    with pytest.raises(InvalidInput) as caught:
        chips.read(text, "c.yaml")
    assert [p.text for p in caught.value.problems] == [
        "tables.kind 'normalised' needs at least 512 intervals; this chip has 64: give more, or write kind: uniform"
    ]
    assert chips.read(text.replace("  kind: normalised\n", ""), "c.yaml").tables == "uniform"
