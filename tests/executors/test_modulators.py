"""All synapses of a projection see what one neuron has, as the last step left it, in every block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport import backends
from neuroport.backends.emulator.threads import Threads
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files.writer import to_yaml

STEPS = 30
NETWORK = """
neuroport: 1
name: modulated
dt: 1 ms
neurons:
  given: {inputs: {i: {range: [-1, 1]}}, spike: i > 0}
  dopaminergic:
    inputs: {reward: {range: [-4, 4]}}
    state: {level: {init: 0.5, range: [0, 8], class: trace}, count: {type: int, init: 3, range: [0, 50]}}
    update: |
      level = clip(0.75 * level + reward, 0, 8)
      count = (count + 7) % 50
    on_event: {burst: level = 2}
synapses:
  rule:
    modulators:
      dopamine: {}
      counted: {}
      whole: {type: int}
    state:
      w: {weight: true, init: 0, range: [-512, 512]}
      stepped: {init: 0, range: [-512, 512]}
      whole_sum: {type: int, init: 0, range: [0, 100000]}
      told: {init: 0, range: [-512, 512]}
    step: |
      stepped = stepped + dopamine
      whole_sum = whole_sum + whole
    on_pre: |
      send(target, 0 * w)
      w = w + dopamine
    on_post: w = w + 0.25 * counted
    on_event:
      each_step: told = told + dopamine
      burst: told = told + 10 * dopamine
populations:
  vta: {size: 1, neuron: dopaminergic}
  a: {size: 3, neuron: given}
  b: {size: 2, neuron: given}
projections:
  q:
    source: a
    target: b
    input: i
    synapse: rule
    connect: all_to_all
    delay: 3 steps
    dendritic_delay: 2 steps
    modulators: {dopamine: vta.level, counted: vta.count, whole: vta.count}
stimuli:
  pre: {spikes: {times: [1 steps, 4 steps, 5 steps, 20 steps], neurons: [0, 1, 2, 0]}, population: a, input: i}
  post: {spikes: {times: [2 steps, 9 steps, 17 steps], neurons: [1, 0, 1]}, population: b, input: i}
  reward: {series: {values: [0.5, 0, 0, 2, 0], every: 1 ms, loop: true}, population: vta, input: reward}
"""
NAMES = ("w", "stepped", "whole_sum", "told")


def network(text: str = NETWORK) -> Any:
    return reader.loads(text.encode(), "modulated.yaml")


def found(session: Any) -> dict[str, list[float]]:
    return {name: session.get(f"q.{name}").tolist() for name in NAMES}


def expected() -> dict[str, Any]:
    """The same by an independent program."""
    pre, post = {1: 0, 4: 1, 5: 2, 20: 0}, {2: 1, 9: 0, 17: 1}
    made = {name: np.zeros((3, 2)) for name in NAMES}
    level, count = 0.5, 3
    for t in range(STEPS):
        made["stepped"] += level
        made["whole_sum"] += count
        if t - 3 in pre:
            made["w"][pre[t - 3]] += level
        if t - 1 in post:
            made["w"][:, post[t - 1]] += 0.25 * count
        level = min(max(0.75 * level + (0.5, 0, 0, 2, 0)[t % 5], 0), 8)
        count = (count + 7) % 50
        made["told"] += level
    return made


def test_every_block_sees_what_an_independent_program_says(backend: Any) -> None:
    """What the neuron has now, whatever the delays of the projection are."""
    with neuroport.open(network(), backend=backend.name) as session:
        session.run(STEPS)
        for name, right in expected().items():
            assert session.get(f"q.{name}").reshape(3, 2) == pytest.approx(right, abs=1e-12), name


def driven(session: Any) -> list[Any]:
    """What is found after all that a host may do between steps."""
    session.run(3)
    session.trigger("burst")
    session.run(4)
    session.set("vta.level", 1.5)
    session.run(2)
    session.inject("vta.reward", [0], 0.25)
    session.run(2)
    session.reset("vta")
    session.trigger("burst")
    return [found(session)]


def test_bits_are_the_same_on_a_chip_whatever_a_host_does_between_steps(backend: Any) -> None:
    digests = []
    for name in (backend.name, "reference"):
        with neuroport.open(network(), backend=name, chip="generic16") as session:
            digests.append(driven(session))
    assert digests[0] == digests[1]
    told = digests[0][0]["told"][0]
    with neuroport.open(network(), backend="reference", chip="ideal") as session:
        driven(session)
        assert session.get("q.told")[0] == pytest.approx(told, abs=0.05)


def test_a_checkpoint_goes_on_with_it(backend: Any) -> None:
    digests = []
    for name in (backend.name, "reference"):
        with (
            neuroport.open(network(), backend=name, chip="generic16") as session,
            neuroport.open(network(), backend=name, chip="generic16") as other,
        ):
            session.run(11)
            other.restore(session.checkpoint())
            for one in (session, other):
                one.trigger("burst")
                one.run(8)
                digests.append(found(one))
    assert digests[0] == digests[1] == digests[2] == digests[3]


BATCH = NETWORK.replace("dt: 1 ms", "dt: 1 ms\ncopies: 3").replace(
    "update: |\n      level = clip(0.75 * level + reward, 0, 8)",
    "update: |\n      level = clip(0.75 * level + reward + uniform(), 0, 8)",
)


def test_each_copy_has_its_own(backend: Any) -> None:
    """Copies that share a weight: what each has of its own is read within sums only."""
    text = BATCH.replace(
        "w: {weight: true,", "shared: {over_copies: shared, range: [-64, 64]}\n      w: {weight: true,"
    )
    text = text.replace("burst: told = told + 10 * dopamine", "burst: shared = mean_copies(dopamine * pre.level)")
    text = text.replace("source: a\n", "source: vta\n").replace(
        "on_pre: |\n      send(target, 0 * w)\n", "on_event_: |\n"
    )
    text = text.replace("    on_event_: |\n      w = w + dopamine\n", "")
    text = text.replace("whole_sum = whole_sum + whole", "whole_sum = whole_sum + whole\n      send(target, 0 * w)")
    text = text.replace("on_event: {burst: level = 2}", "").replace("\n    delay: 3 steps", "\n    delay: 1 steps")
    seen = []
    for name in (backend.name, "reference"):
        with neuroport.open(network(text), backend=name, chip="generic16") as session:
            session.run(5)
            session.trigger("burst")
            levels = session.get("vta.level")
            seen.append([session.get("q.shared").tolist(), session.get("q.told").tolist(), levels.tolist()])
    assert seen[0] == seen[1]
    assert len(set(np.ravel(seen[0][2]))) == 3
    assert np.ravel(seen[0][0])[0] == pytest.approx(np.mean(np.square(seen[0][2])), abs=0.01)


@pytest.mark.parametrize("name", ["reference", "emulator", pytest.param("genn", marks=pytest.mark.dear)])
def test_independent_copies_have_the_bits_of_single_runs(name: str) -> None:
    text = NETWORK.replace("level + reward, 0, 8)", "level + reward + uniform(), 0, 8)")
    text += "protocol: [{run: 12 steps}, {measure: [stepped]}]\nmetrics: {stepped: {values: q.stepped}}\n"
    runs = neuroport.run_copies(network(text), [1, 2, 3], name, "generic16")
    single = [neuroport.run(network(text), backend=name, chip="generic16", seed=seed) for seed in (1, 2, 3)]
    results = [tuple(run.metrics["stepped"][0][1]) for run in runs]
    assert results == [tuple(run.metrics["stepped"][0][1]) for run in single]
    assert len(set(results)) == 3


@pytest.mark.dear
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_have_the_bits_of_one(threads: int) -> None:
    text = NETWORK.replace("{size: 3, neuron: given}", "{size: 30, neuron: given}")
    text = text.replace("{size: 2, neuron: given}", "{size: 40, neuron: given}")
    program = neuroport.compile(network(text), "generic16")
    one = backends.load("emulator").open(program, 1, [])
    other = Threads(program, 1, [], threads, smallest=8)
    for machine in (one, other):
        machine.advance(7)
        machine.trigger("burst")
        machine.advance(9)
        machine.reset("vta")
        machine.write("vta.level", machine.read("vta.level") + 1)
        machine.advance(10)
    for name in NAMES:
        assert np.array_equal(one.read(f"q.{name}"), other.read(f"q.{name}")), name
    other.close()


def test_a_file_is_written_as_it_was_read() -> None:
    read = network()
    assert reader.loads(to_yaml(read).encode(), "again.yaml") == read


def test_a_network_of_python_has_it_too() -> None:
    net = neuroport.Network("1 ms")
    for name, size, neuron in (("a", 2, "spike_source"), ("b", 2, "lif"), ("vta", 1, "neuromodulator")):
        net.population(name, size, neuron)
    net.project("a", "b", "stdp_modulated", connect="all_to_all", input="jump", modulators={"dopamine": "vta.m"})
    with neuroport.open(net, "reference") as session:
        session.inject("vta.release", [0], 1)
        session.run(2)
        assert session.get("vta.m")[0] > 0.9


# ----------------------------------------------------------------------------------------------------- what is refused

LINE = "modulators: {dopamine: vta.level, counted: vta.count, whole: vta.count}"


@pytest.mark.parametrize(
    ("instead", "told"),
    [
        (
            "modulators: {dopamine: vta.level, counted: vta.count}",
            "modulated.yaml:40:3: projection 'q' lacks modulator 'whole' of synapse model 'rule'; add 'modulators: "
            "{whole: POPULATION.VARIABLE}', of a population of one neuron",
        ),
        (
            LINE.replace("vta.level", "vta.levle"),
            "modulated.yaml:48:28: modulator 'dopamine' of projection 'q': population 'vta' has no variable 'levle'; "
            "did you mean 'vta.level'? allowed are vta.level, vta.count",
        ),
        (
            LINE.replace("vta.level", "q.w"),
            "modulated.yaml:48:28: unknown population 'q' as modulator 'dopamine' of projection 'q'; allowed are vta, "
            "a, b",
        ),
        (
            LINE.replace("vta.level", "level"),
            "modulated.yaml:48:28: modulator 'dopamine' of projection 'q' must be written OBJECT.NAME, such as units.x"
            "; found 'level'",
        ),
        (
            LINE.replace("vta.level", "b.v"),
            "modulated.yaml:48:28: modulator 'dopamine' of projection 'q': population 'b' has no variable 'v'; there "
            "are none",
        ),
        (
            LINE.replace("vta.level", "vat.level"),
            "modulated.yaml:48:28: unknown population 'vat' as modulator 'dopamine' of projection 'q'; did you mean "
            "'vta'? allowed are vta, a, b",
        ),
        (
            LINE.replace("whole: vta.count", "whole: vta.level"),
            "modulated.yaml:48:66: modulator 'whole' of projection 'q' is an int, and vta.level is real; declare the "
            "variable `type: int`, or the modulator without it",
        ),
        (
            LINE.replace("whole: vta.count", "whole: 'vta.count[1]'"),
            "modulated.yaml:48:66: modulator 'whole' of projection 'q': '[1]' is outside of the population, whose "
            "neurons are 0 to 0",
        ),
        (
            LINE.replace("counted:", "numbered:"),
            "modulated.yaml:40:3: projection 'q' lacks modulator 'counted' of synapse model 'rule'; add 'modulators: "
            "{counted: POPULATION.VARIABLE}', of a population of one neuron\n"
            "modulated.yaml:48:39: modulators of projection 'q': synapse model 'rule' has no modulator 'numbered'; "
            "allowed are dopamine, counted, whole",
        ),
    ],
)
def test_a_wrong_source_is_told(instead: str, told: str) -> None:
    assert problems(NETWORK.replace(LINE, instead)) == told


def test_the_only_neuron_may_be_a_part() -> None:
    assert network(NETWORK.replace("whole: vta.count", "whole: 'vta.count[0]'")) == network(NETWORK)


def test_a_source_of_several_neurons_or_another_unit_is_told() -> None:
    several = NETWORK.replace("vta: {size: 1,", "vta: {size: 2,").replace(", counted: vta.count, whole: vta.count", "")
    several = several.replace("      counted: {}\n      whole: {type: int}\n", "").replace("0.25 * counted", "0")
    several = several.replace("whole_sum = whole_sum + whole", "whole_sum = 1")
    assert problems(several) == (
        "modulated.yaml:46:28: modulator 'dopamine' of projection 'q' cannot be vta.level: population 'vta' has 2 "
        "neurons, and all synapses see one number; name a population of size 1, to which these neurons can send"
    )
    assert problems(several.replace("dopamine: vta.level", "dopamine: 'vta.level[0]'")) == problems(several)
    unlike = NETWORK.replace("dopamine: {}", "dopamine: {unit: nA}").replace(
        "level: {init: 0.5,", "level: {unit: mV, init: 0.5 mV,"
    )
    assert problems(unlike) == (
        "modulated.yaml:48:28: modulator 'dopamine' of projection 'q' is in nA, and vta.level is in mV; name a "
        "variable of the same unit, or correct a unit"
    )


def test_a_modulator_is_not_assigned_and_has_a_name_of_its_own() -> None:
    assert problems(NETWORK.replace("whole_sum = whole_sum + whole", "dopamine = 0")) == (
        "modulated.yaml:27:7: 'dopamine' cannot be assigned here; this block may assign stepped, told, w, whole_sum "
        "and new local names"
    )
    assert problems(NETWORK.replace("counted: {}", "w: {}").replace("counted", "w")) == (
        "modulated.yaml:18:7: 'w' is declared twice in model 'rule'; names must differ"
    )


def problems(text: str) -> str:
    with pytest.raises(InvalidInput) as error:
        neuroport.compile(network(text))
    return str(error.value)


# ------------------------------------------------------------------------------------------------------- with kernels

KERNEL = """
neuroport: 1
name: kernel
dt: 1 ms
neurons:
  cell:
    inputs: {i: {range: [-8, 8], reduce: REDUCE}}
    state: {r: {init: {uniform: [-1, 1]}, range: [-8, 8]}}
    update: r = 0.5 * r + 0.25 * i + 0.25 * (uniform() - 0.5)
  drawing: {state: {level: {init: 0.5, range: [0, 1]}}, update: level = uniform()}
synapses:
  rule:
    modulators: {d: {}}
    state: {w: {weight: true, init: {uniform: [-1, 1]}, range: [-2, 2], over_kernel: shared}}
    step: send(target, w * pre.r)
    on_event: {each_step: "w = clip(w + 0.0625 * d * sum_shared(post.r * pre.r), -2, 2)"}
populations: {a: {size: 30, neuron: cell}, b: {size: 16, neuron: cell}, vta: {size: 1, neuron: drawing}}
projections:
  q: {source: a, target: b, input: i, synapse: rule, modulators: {d: vta.level},
      connect: {convolution: {shape: [5, 6], kernel: [2, 3], channels: [1, 1]}}}
"""


@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_kernels_learn_with_a_modulator(backend: Any, reduce: str) -> None:
    """What entries share is learned with it; with largest values on the executors that take them."""
    made = network(KERNEL.replace("REDUCE", reduce))
    if backend.check(neuroport.compile(made, "generic16")):
        assert (backend.name, reduce) == ("genn", "max")
        return
    found = []
    for name in (backend.name, "reference"):
        with neuroport.open(made, name, "generic16") as session:
            before = session.get("q.w")
            session.run(20)
            found.append(session.get("q.w"))
    assert np.array_equal(found[0], found[1])
    assert (found[0] != before).all()
