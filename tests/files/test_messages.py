"""Every message of the reader, whole: what was found, what is allowed, what to do, and where."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from neuroport.errors import InvalidInput
from neuroport.files import library
from neuroport.files import network as reader


def models(kind: str, own: str) -> str:
    """All models that the file below can name: those that come with neuroport and its own."""
    shipped = [name for name, of, _ in library.names() if of == kind]
    return ", ".join(sorted([*shipped, own]))


BASE = """\
neuroport: 1
name: test
dt: 1 ms
seed: 1
neurons:
  unit:
    params:
      tau: {type: int, default: 50 steps, unit: step, range: [1, 100]}
      gain: {default: 1, dynamic: true, range: [0, 4]}
      v_th: {default: -50 mV, unit: mV}
    inputs: {u: {}, i: {unit: nA}}
    state: {x: {type: int, init: 0, range: [0, 127]}, b: {init: 0.5, range: [-2, 2]}}
    update: |
      x = min(x + 1, 127)
    spike: x > tau
    on_event: {blank: x = 0}
synapses:
  line: {state: {w: {weight: true, range: [0, 2]}}}
populations:
  a: {size: 3, neuron: unit, params: {tau: 20 ms}, init: {b: 1}}
  c: {size: 4, neuron: unit}
projections:
  p: {source: a, target: a, input: u, synapse: line, connect: all_to_all, delay: 2 ms, weight: 0.5}
  q: {source: a, target: c, input: u, synapse: line, connect: all_to_all, weight: 1}
stimuli:
  drive: {spikes: {times: [11 steps], neurons: [0]}, population: a, input: u}
  digits: {patterns: {values: [[0, 1, 0]], hold: 10 ms}, population: a, input: u}
targets:
  goal: {boltzmann: {weights: [[0, 1], [1, 0]], biases: [0, 1]}}
readouts:
  states: {histogram: {population: a, state: x < 50, every: 5 steps}}
metrics:
  w: {mean: p.w}
protocol:
  - repeat: 8
    as: epoch
    do:
      - if: epoch % 2 == 0
        then: [{event: blank}]
      - {run: 20 ms, readout: [states]}
  - set: {a.gain: 2}
  - reset: [a]
  - {present: digits, count: 10}
  - measure: [w]
record: {spikes: all, states: {a.x: 10 steps}, weights: {p.w: 5 steps}}
"""

MANY_KEYS = (
    "neuroport, name, title, dt, seed, copies, chip, models, neurons, synapses, populations, projections, stimuli, "
    "ports, targets, readouts, metrics, protocol, record"
)

# a piece of the valid file above, what it is replaced by, and all that the reader then says
EDITS = [
    (
        "gain: {default: 1,",
        "gain: {default: 1e-400,",
        "net.yaml:9:23: default of parameter 'gain' of neuron model 'unit': the number is too small; write 0, or at "
        "least 5e-324",
    ),
    (
        "v_th: {default: -50 mV,",
        "v_th: {default: -0.5e-999 mV,",
        "net.yaml:10:23: default of parameter 'v_th' of neuron model 'unit': the number is too small; write 0, or at "
        "least 5e-324",
    ),
    (
        "values: [[0, 1, 0]]",
        "values: [[0, 1e-400, 0]]",
        "net.yaml:27:36: a value of values of stimulus 'digits': the number is too small; write 0, or at least 5e-324",
    ),
    (
        "i: {unit: nA}",
        "i: {unit: nA, range: [-1e308 uA, 0]}",
        "net.yaml:11:43: range of input 'i' of neuron model 'unit': the number is too large; found -1e+308 uA",
    ),
    (
        "i: {unit: nA}",
        "i: {unit: A, range: [0, 1e308]}",
        "net.yaml:11:45: range of input 'i' of neuron model 'unit': the number is too large; found 1e+308",
    ),
    (
        "neuroport: 1",
        "neuroport: 2",
        "net.yaml:1:12: the version of the file format must be 1; found 2",
    ),
    (
        "name: test\n",
        "",
        "net.yaml:1:1: a network file lacks 'name'; add it",
    ),
    (
        "name: test",
        "name: two words",
        "net.yaml:2:7: name must be of letters, digits, '_', '-' and '.'; found 'two words'",
    ),
    (
        "dt: 1 ms",
        "dt: 1",
        "net.yaml:3:5: dt needs a unit; found 1; write it with its unit, such as '5 ms'",
    ),
    (
        "dt: 1 ms",
        "dt: 1 mV",
        "net.yaml:3:5: dt must be a time (ms), but 1 mV is in mV",
    ),
    (
        "dt: 1 ms",
        "dt: 0 ms",
        "net.yaml:3:5: dt must be above zero; found 0 ms",
    ),
    (
        "dt: 1 ms",
        "dt: 1 mx",
        (
            "net.yaml:3:5: dt: unknown unit 'mx'; known are ms, s, us, mV, V, nA, pA, uA, MOhm, GOhm, uS, nS, "
            "pS, nF, pF, pC, Hz, kHz, step, steps and products such as mV/ms"
        ),
    ),
    (
        "dt: 1 ms",
        "dt: one ms",
        "net.yaml:3:5: dt: 'one ms' is not a number with a unit such as '20 ms'",
    ),
    (
        "seed: 1",
        "seed: -1",
        "net.yaml:4:7: seed must be at least 0; found -1",
    ),
    (
        "seed: 1",
        "sed: 1",
        (
            "net.yaml:4:1: unknown key 'sed' in a network file; did you mean 'seed'? allowed are neuroport, "
            "name, title, dt, seed, copies, chip, models, neurons, synapses, populations, projections, stimuli, "
            "ports, targets, readouts, metrics, protocol, record"
        ),
    ),
    (
        "seed: 1",
        "seed: 1\nseed: 2",
        "net.yaml:5:1: the key 'seed' was given before, at line 4, column 1; keep one of the two",
    ),
    (
        "seed: 1",
        "seed: !big 1",
        "net.yaml:4:7: the tag '!big' means nothing here; leave it out",
    ),
    (
        "seed: 1",
        "models: [none.yaml]",
        "net.yaml:4:10: there is no file 'none.yaml'; check the path",
    ),
    (
        "seed: 1",
        "models: [taken.yaml]",
        (
            "taken.yaml:2:3: the neuron model 'lif' exists already in neuroport's own library, at "
            "kernels/neurons/lif.yaml:2:3; choose another name"
        ),
    ),
    (
        "seed: 1",
        "models: [broken.yaml]",
        (
            "broken.yaml:2:11: unknown key 'stat' in neuron model 'other'; did you mean 'state'? allowed are "
            "base, title, source, notice, equations, params, derived, inputs, state, update, spike, spike_count, "
            "on_spike, after, on_event"
        ),
    ),
    (
        "seed: 1",
        "seed: [1",
        "net.yaml:5:8: this is not YAML: did not find expected ',' or ']' while parsing a flow sequence",
    ),
    (
        "size: 3",
        "size: -3",
        "net.yaml:20:13: size of population 'a' must be at least 1; found -3",
    ),
    (
        "size: 3",
        "size: 2.5",
        "net.yaml:20:13: size of population 'a' must be a whole number; found 2.5",
    ),
    (
        "size: 3",
        "sise: 3",
        (
            "net.yaml:20:6: population 'a' lacks 'size'; add it\n"
            "net.yaml:20:7: unknown key 'sise' in population 'a'; did you mean 'size'? allowed are size, neuron, "
            "params, init, ranges, mismatch"
        ),
    ),
    (
        "neuron: unit}",
        "neuron: unit, mismatch: 1}",
        "net.yaml:21:40: mismatch of population 'c' must be true or false; found 1",
    ),
    (
        "state: {w: {weight: true, range: [0, 2]}}",
        "state: {w: {weight: true, range: [0, 2], over_copies: all}}",
        "net.yaml:18:64: over_copies of variable 'w' of synapse model 'line' cannot be 'all'; allowed are own, shared",
    ),
    (
        "connect: all_to_all, weight: 1}",
        "connect: all_to_all, weight: 1, twin: p}",
        (
            "net.yaml:24:92: twin of projection 'q' has no meaning: synapse model 'line' reads no twin.NAME; "
            "leave it out"
        ),
    ),
    (
        "line: {state: {w: {weight: true, range: [0, 2]}}}",
        "line: {state: {w: {weight: true, range: [0, 2]}}, on_event: {tie: w = twin.w}}",
        (
            "net.yaml:23:3: projection 'p' lacks 'twin': synapse model 'line' reads twin.w; add 'twin: PROJECTION'\n"
            "net.yaml:24:3: projection 'q' lacks 'twin': synapse model 'line' reads twin.w; add 'twin: PROJECTION'"
        ),
    ),
    (
        "size: 3",
        "size: .nan",
        "net.yaml:20:13: size of population 'a' must be a whole number; found .nan",
    ),
    (
        "neuron: unit}",
        "neuron: unitt}",
        (f"net.yaml:21:24: unknown neuron model 'unitt'; did you mean 'unit'? allowed are {models('neuron', 'unit')}"),
    ),
    (
        "tau: 20 ms",
        "tau: 20",
        (
            "net.yaml:20:44: parameter 'tau' of population 'a' needs a unit; found 20; write it with its unit, "
            "such as '5 steps'"
        ),
    ),
    (
        "tau: 20 ms",
        "tau: 20.5 ms",
        (
            "net.yaml:20:44: parameter 'tau' of population 'a' must be a whole number of steps; found 20.5 ms; "
            "20.5 ms is 20.5 steps of 1 ms"
        ),
    ),
    (
        "tau: 20 ms",
        "tau: 2.5 steps",
        "net.yaml:20:44: parameter 'tau' of population 'a' must be a whole number of steps; found 2.5 steps",
    ),
    (
        "tau: 20 ms",
        "tau: 20 mV",
        ("net.yaml:20:44: parameter 'tau' of population 'a' must be a number of steps or a time, but 20 mV is in mV"),
    ),
    (
        "tau: 20 ms",
        "tau: 200 ms",
        "net.yaml:20:44: parameter 'tau' of population 'a' must be from 1 to 100 steps; found 200 ms",
    ),
    (
        "tau: 20 ms",
        "v_th: 20 ms",
        "net.yaml:20:45: parameter 'v_th' of population 'a' must be a voltage (mV), but 20 ms is in ms",
    ),
    (
        "tau: 20 ms",
        "taau: 20 ms",
        ("net.yaml:20:39: population 'a' has no parameter 'taau'; did you mean 'tau'? allowed are tau, gain, v_th"),
    ),
    (
        "tau: 20 ms",
        "tau: '20'",
        (
            "net.yaml:20:44: parameter 'tau' of population 'a' must be a number; found the text '20'; write it without "
            "quotes"
        ),
    ),
    (
        "tau: 20 ms",
        "tau: true",
        (
            "net.yaml:20:44: parameter 'tau' of population 'a' must be a number, with its unit where it has one; "
            "found true"
        ),
    ),
    (
        "tau: 20 ms",
        "gain: 1 mV",
        ("net.yaml:20:45: parameter 'gain' of population 'a' is a pure number, but 1 mV is in mV; leave the unit out"),
    ),
    (
        "tau: 20 ms",
        "gain: .inf",
        "net.yaml:20:45: parameter 'gain' of population 'a' must be a finite number; found .inf",
    ),
    (
        "init: {b: 1}",
        "init: {b: 3}",
        "net.yaml:20:62: initial 'b' of population 'a' must be from -2 to 2; found 3",
    ),
    (
        "init: {b: 1}",
        "init: {b: [0, 1]}",
        ("net.yaml:20:62: initial 'b' of population 'a' has the shape (2,); it must be (3,), one value per neuron"),
    ),
    (
        "init: {b: 1}",
        "init: {b: [0, 1, 3]}",
        "net.yaml:20:62: initial 'b' of population 'a' must be from -2 to 2; found 3 at [2]",
    ),
    (
        "init: {b: 1}",
        "init: {b: [0, .nan, 1]}",
        ("net.yaml:20:62: initial 'b' of population 'a' has values that are not finite; every value must be a number"),
    ),
    (
        "init: {b: 1}",
        "init: {b: [0, one, 1]}",
        ("net.yaml:20:66: a value of initial 'b' of population 'a': 'one' is not a number with a unit such as '20 ms'"),
    ),
    (
        "init: {b: 1}",
        "init: {b: [[0, 1], [2]]}",
        "net.yaml:20:62: the rows of initial 'b' of population 'a' must have the same length",
    ),
    (
        "init: {b: 1}",
        "init: {x: 0.5}",
        "net.yaml:20:62: initial 'x' of population 'a' must be a whole number; found 0.5",
    ),
    (
        "init: {b: 1}",
        "init: {y: 0}",
        "net.yaml:20:59: population 'a' has no variable 'y'; allowed are x, b",
    ),
    (
        "init: {b: 1}",
        "init: {b: {normal: [0]}}",
        "net.yaml:20:71: normal of initial 'b' of population 'a' takes 2 numbers: mean, sd; found 1",
    ),
    (
        "init: {b: 1}",
        "init: {b: {normal: {mean: 0, sd: -1}}}",
        "net.yaml:20:71: sd of initial 'b' of population 'a' must be zero or more; found -1",
    ),
    (
        "init: {b: 1}",
        "init: {b: {gaussian: [0, 1]}}",
        (
            "net.yaml:20:62: initial 'b' of population 'a' must be a number, a list or one of these forms: "
            "uniform, normal, lognormal, beta, array, file, data, from; found a mapping with 'gaussian'"
        ),
    ),
    (
        "init: {b: 1}",
        "init: {b: {uniform: [1, 0]}}",
        "net.yaml:20:72: low of initial 'b' of population 'a' must be below high; found 1 and 0",
    ),
    (
        "init: {b: 1}",
        "init: {b: {from: aim.m}}",
        "net.yaml:20:69: unknown target 'aim'; allowed are goal",
    ),
    (
        "init: {b: 1}",
        "init: {b: {from: goal.x}}",
        "net.yaml:20:69: the target has no field 'x'; allowed are goal.c, goal.m, goal.p",
    ),
    (
        "init: {b: 1}",
        "init: {b: {from: goal.m}}",
        ("net.yaml:20:69: initial 'b' of population 'a' has the shape (2,); it must be (3,), one value per neuron"),
    ),
    (
        "init: {b: 1}",
        "init: {b: {file: none.h5, dataset: /b}}",
        (
            "net.yaml:20:69: initial 'b' of population 'a': there is no file 'none.h5'; paths start at the "
            "folder of the network file"
        ),
    ),
    (
        "init: {b: 1}",
        "init: {b: {file: data.h5, dataset: /c}}",
        "net.yaml:20:69: unknown data set '/c' in 'data.h5'; allowed are /b, /text",
    ),
    (
        "init: {b: 1}",
        "init: {b: {file: data.h5, dataset: /b}}",
        ("net.yaml:20:62: initial 'b' of population 'a' has the shape (2,); it must be (3,), one value per neuron"),
    ),
    (
        "init: {b: 1}",
        "init: {b: {file: data.h5, dataset: /text}}",
        "net.yaml:20:69: initial 'b' of population 'a': 'data.h5': this file of numbers is damaged: '/text' is of "
        "kind text; it must hold numbers; write it again",
    ),
    (
        "init: {b: 1}",
        "init: {b: {file: broken.yaml, dataset: /b}}",
        "net.yaml:20:69: initial 'b' of population 'a': 'broken.yaml' cannot be read as a file of "
        "numbers (file signature not found); it is damaged, cut off, or another kind of file",
    ),
    (
        "init: {b: 1}",
        "ranges: {tau: [1, 1e30]}",
        (
            "net.yaml:20:66: range of 'tau' of population 'a' must lie between -2^63 and 2^63 - 1, which 64 bits hold; "
            "found [1, 1e+30]"
        ),
    ),
    (
        "init: {b: 1}",
        "ranges: {tau: [1, 99.5]}",
        "net.yaml:20:66: range of 'tau' of population 'a' must have whole numbers as ends; found [1, 99.5]",
    ),
    (
        "init: {b: 1}",
        "ranges: {b: [2, 1]}",
        "net.yaml:20:64: range of 'b' of population 'a' must have its lower end first; found [2, 1]",
    ),
    (
        "init: {b: 1}",
        "ranges: {b: [1, 2]}",
        "net.yaml:20:64: initial 'b' of population 'a', from the model, must be from 1 to 2; found 0.5",
    ),
    (
        "source: a, target: a",
        "source: aa, target: a",
        "net.yaml:23:15: unknown population 'aa'; did you mean 'a'? allowed are a, c",
    ),
    (
        "source: a, target: a, input: u",
        "source: a, target: a, input: v",
        "net.yaml:23:36: unknown input 'v'; allowed are u, i",
    ),
    (
        "source: a, target: a, input: u",
        "source: a, target: a",
        ("net.yaml:23:3: projection 'p' lacks 'input', and neuron model 'unit' has the inputs u, i; name one of them"),
    ),
    (
        "synapse: line, connect: all_to_all, delay",
        "synapse: lin, connect: all_to_all, delay",
        (f"net.yaml:23:48: unknown synapse model 'lin'; did you mean 'line'? allowed are {models('synapse', 'line')}"),
    ),
    (
        "delay: 2 ms",
        "delay: 0 ms",
        "net.yaml:23:82: delay of projection 'p' must be at least 1 step; found 0 ms",
    ),
    (
        "delay: 2 ms",
        "delay: 2.5 ms",
        (
            "net.yaml:23:82: delay of projection 'p' must be a whole number of steps; found 2.5 ms; 2.5 ms is "
            "2.5 steps of 1 ms"
        ),
    ),
    (
        "delay: 2 ms",
        "dendritic_delay: -1 steps",
        "net.yaml:23:92: dendritic_delay of projection 'p' must be at least 0 steps; found -1 steps",
    ),
    (
        "all_to_all, delay",
        "all_to_many, delay",
        (
            "net.yaml:23:63: connect of projection 'p' cannot be 'all_to_many'; did you mean 'all_to_all'? "
            "allowed are all_to_all, all_to_all_but_same, one_to_one, fixed_probability, fixed_in_degree, "
            "fixed_out_degree, distance_dependent, convolution, pool, pairs, file"
        ),
    ),
    (
        "all_to_all, delay",
        "fixed_probability, delay",
        "net.yaml:23:63: connect of projection 'p' must say how many: write 'fixed_probability: NUMBER'",
    ),
    (
        "all_to_all, delay",
        "pairs, delay",
        "net.yaml:23:63: connect of projection 'p' must list its pairs: write 'pairs: [[0, 1], [1, 0]]'",
    ),
    (
        "all_to_all, delay",
        "file, delay",
        "net.yaml:23:63: connect of projection 'p' must name its file: write 'file: pairs.h5' and 'dataset: /pairs'",
    ),
    (
        "all_to_all, delay",
        "{fixed_probability: 1.5}, delay",
        "net.yaml:23:83: probability of projection 'p' must be from 0 to 1; found 1.5",
    ),
    (
        "all_to_all, delay",
        "{fixed_in_degree: 4}, delay",
        "net.yaml:23:81: degree of projection 'p' must be at most 3, the neurons of its source; found 4",
    ),
    (
        "all_to_all, delay",
        "{fixed_in_degree: {degree: 3, self: false}}, delay",
        "net.yaml:23:90: degree of projection 'p' must be at most 2, the other neurons of its source; found 3",
    ),
    (
        "all_to_all, delay",
        "{pairs: [[0, 3]]}, delay",
        ("net.yaml:23:71: pairs of projection 'p': [0, 3] at 0 is outside of population 'a', whose neurons are 0 to 2"),
    ),
    (
        "all_to_all, delay",
        "{pairs: [0, 1]}, delay",
        ("net.yaml:23:71: pairs of projection 'p' has the shape (2,); it must be (n, 2), rows of source and target"),
    ),
    (
        "all_to_all, weight",
        "one_to_one, weight",
        "net.yaml:24:63: one_to_one of projection 'q' needs populations of equal size; found 3 and 4",
    ),
    (
        "all_to_all, weight",
        "{all_to_all: {self: false}}, weight",
        ("net.yaml:24:83: self of connect of projection 'q' has no meaning between two populations; leave it out"),
    ),
    (
        "weight: 0.5",
        "weight: 5",
        "net.yaml:23:96: weight of projection 'p' must be from 0 to 2; found 5",
    ),
    (
        "weight: 0.5",
        "weight: [[1, 1], [1, 1]]",
        ("net.yaml:23:96: weight of projection 'p' has the shape (2, 2); it must be (3, 3), one row per source neuron"),
    ),
    (
        ", weight: 0.5",
        "",
        "net.yaml:23:3: projection 'p' lacks 'weight', and synapse model 'line' has no initial weight; add it",
    ),
    (
        "weight: 0.5",
        "weight: 0.5, init: {w: 1}",
        ("net.yaml:23:96: projection 'p' gives its weight twice, as 'weight' and in 'init'; keep one of the two"),
    ),
    (
        "times: [11 steps]",
        "times: [11]",
        (
            "net.yaml:26:27: times of stimulus 'drive' needs a unit; found an array without one; write it with "
            "its unit, such as '5 steps'"
        ),
    ),
    (
        "times: [11 steps]",
        "times: [0.5 ms]",
        "net.yaml:26:27: times of stimulus 'drive' must be a whole number of steps; found 0.5 ms at [0]; "
        "round: true puts each spike into the nearest step",
    ),
    (
        "times: [11 steps]",
        "times: [1 ms, 2 steps]",
        "net.yaml:26:27: the values of times of stimulus 'drive' must have the same unit; found ms, steps",
    ),
    (
        "times: [11 steps]",
        "times: [1 ms, 2 ms]",
        "net.yaml:26:50: stimulus 'drive' has 2 times but 1 neurons; give one neuron per time",
    ),
    (
        "neurons: [0]",
        "neurons: [3]",
        "net.yaml:26:48: neurons of stimulus 'drive' must be from 0 to 2; found 3 at [0]",
    ),
    (
        "values: [[0, 1, 0]]",
        "values: [[0, 1]]",
        ("net.yaml:27:31: values of stimulus 'digits' has the shape (1, 2); it must be (n, 3), one row per pattern"),
    ),
    (
        "spikes: {times: [11 steps], neurons: [0]}",
        "spike: {}",
        (
            "net.yaml:26:3: stimulus 'drive' must have one of the keys spikes, series, patterns; found none\n"
            "net.yaml:26:11: unknown key 'spike' in stimulus 'drive'; did you mean 'spikes'? allowed are spikes, "
            "series, patterns, population, input"
        ),
    ),
    (
        "[[0, 1], [1, 0]]",
        "[[0, 1], [2, 0]]",
        "net.yaml:29:31: weights of target 'goal' must be symmetric; the values at [0, 1] and [1, 0] differ",
    ),
    (
        "biases: [0, 1]",
        "biases: [0, 1, 2]",
        "net.yaml:29:31: weights of target 'goal' has the shape (2, 2); it must be (3, 3)",
    ),
    (
        "x < 50",
        "y < 50",
        ("net.yaml:31:46: unknown variable 'y' in the state of readout 'states'; allowed are x, b, tau, gain, v_th"),
    ),
    (
        "x < 50",
        "x <",
        "net.yaml:31:49: the model language cannot read this: invalid syntax; write one value",
    ),
    (
        "mean: p.w",
        "mean: p.v",
        ("net.yaml:33:13: mean of metric 'w': projection 'p' has no variable 'v'; did you mean 'p.w'? allowed are p.w"),
    ),
    (
        "mean: p.w",
        "mean: w",
        "net.yaml:33:13: mean of metric 'w' must be written OBJECT.NAME, such as units.x; found 'w'",
    ),
    (
        "mean: p.w",
        "meen: p.w",
        (
            "net.yaml:33:6: metric 'w' must have one of the keys dkl, asymmetry, angle, update_angle, distance, rate, "
            "accuracy, cross_entropy, squared_error, mean, sd, min, max, values; found a mapping with 'meen'; "
            "did you mean 'mean'?"
        ),
    ),
    (
        "mean: p.w",
        "asymmetry: q.w",
        "net.yaml:33:18: asymmetry of metric 'w' needs a projection from a population to itself; found 'q.w'",
    ),
    (
        "mean: p.w",
        "angle: p.w, to: q.w",
        "net.yaml:33:23: angle of metric 'w' needs two projections between the same populations, in either direction, "
        "or variables of as many neurons each",
    ),
    (
        "mean: p.w",
        "dkl: states, target: goal.p",
        (
            "net.yaml:33:28: metric 'w' compares 3 neurons of readout 'states' with 2 units of target 'goal'; "
            "the numbers must be equal"
        ),
    ),
    (
        "mean: p.w",
        "dkl: states, target: goal.c",
        "net.yaml:33:28: unknown target 'goal.c' of metric 'w'; did you mean 'goal.p'? allowed are goal.p",
    ),
    (
        "repeat: 8",
        "repeat: 0",
        "net.yaml:35:13: repeat must be at least 1; found 0",
    ),
    (
        "run: 20 ms",
        "run: 1e300 s",
        "net.yaml:40:15: run must be at most 2**62 steps; found 1e+300 s",
    ),
    (
        "every: 5 steps",
        "every: 5 steps, phase: 5 ms",
        "net.yaml:31:77: phase of readout 'states' must be shorter than every; found 5 ms and 5 steps",
    ),
    (
        "every: 5 steps",
        "every: 1e30 ms",
        "net.yaml:31:61: every of readout 'states' must be at most 2**62 steps; found 1e+30 ms",
    ),
    (
        "p.w: 5 steps",
        "p.w: 1e300 s",
        "net.yaml:45:63: the interval of 'p.w' in weights of record must be at most 2**62 steps; found 1e+300 s",
    ),
    (
        "delay: 2 ms",
        "delay: 9e18 steps",
        "net.yaml:23:82: delay of projection 'p' must be at most 2**62 steps; found 9e+18 steps",
    ),
    (
        "epoch % 2 == 0",
        "epoc % 2 == 0",
        "net.yaml:38:13: unknown variable 'epoc' in a condition; did you mean 'epoch'? allowed are epoch",
    ),
    (
        "epoch % 2 == 0",
        "epoch / 2 == 0",
        (
            "net.yaml:38:13: the condition 'epoch / 2 == 0' is not allowed; use repeat variables, whole numbers, "
            "+ - * // %, comparisons, and, or, not"
        ),
    ),
    (
        "event: blank",
        "event: blnk",
        "net.yaml:39:24: unknown event 'blnk'; did you mean 'blank'? allowed are blank",
    ),
    (
        "event: blank",
        "event: each_step",
        "net.yaml:39:24: the event 'each_step' happens by itself at the end of every step; leave the item out",
    ),
    (
        "run: 20 ms",
        "run: 20.5 ms",
        "net.yaml:40:15: run must be a whole number of steps; found 20.5 ms; 20.5 ms is 20.5 steps of 1 ms",
    ),
    (
        "run: 20 ms",
        "run: 0 steps",
        "net.yaml:40:15: run must be at least 1 step; found 0 steps",
    ),
    (
        "run: 20 ms",
        "walk: 20 ms",
        (
            "net.yaml:40:9: a protocol item must have one of the keys repeat, run, present, if, event, set, "
            "reset, measure, capture, anneal; found a mapping with 'walk', 'readout'"
        ),
    ),
    (
        "readout: [states]",
        "readout: [state]",
        "net.yaml:40:32: unknown readout 'state'; did you mean 'states'? allowed are states",
    ),
    (
        "a.gain: 2",
        "a.gain: 5",
        "net.yaml:41:19: parameter 'gain' of population 'a' must be from 0 to 4; found 5",
    ),
    (
        "a.gain: 2",
        "a.tau: 2 steps",
        (
            "net.yaml:41:11: parameter 'tau' of population 'a' cannot be switched, because its model does not "
            "declare it dynamic; dynamic are a.gain"
        ),
    ),
    (
        "a.gain: 2",
        "b.gain: 2",
        "net.yaml:41:11: unknown population or projection 'b'; allowed are a, c, p, q",
    ),
    (
        "a.gain: 2",
        "a.gane: 2",
        (
            "net.yaml:41:11: 'set': population 'a' has no parameter 'gane'; did you mean 'a.gain'? allowed are "
            "a.tau, a.gain, a.v_th"
        ),
    ),
    (
        "reset: [a]",
        "reset: [b]",
        "net.yaml:42:13: unknown population 'b'; allowed are a, c",
    ),
    (
        "present: digits",
        "present: drive",
        "net.yaml:43:15: unknown patterns 'drive'; allowed are digits",
    ),
    (
        "count: 10",
        "count: many",
        "net.yaml:43:30: count of present must be a whole number; found the text 'many'",
    ),
    (
        "count: 10",
        "take: next",
        "net.yaml:43:29: 'take: next' of present needs 'count', how many patterns are taken; add it, such as count: 1",
    ),
    (
        "count: 10",
        "count: 10, take: other",
        "net.yaml:43:40: take of present cannot be 'other'; allowed are next",
    ),
    (
        "count: 10",
        "count: 10, take: next",
        (
            "net.yaml:43:5: 'take: next' shows the patterns of 'digits' that come after those of an earlier item or "
            "round, and there is neither; put the item into a 'repeat', or leave 'take' out"
        ),
    ),
    (
        "count: 10",
        "each: []",
        (
            "net.yaml:43:29: 'each' of present lists nothing; say what to do in every pattern, such as {at: end, "
            "event: learn}, or leave it out"
        ),
    ),
    (
        "count: 10",
        "each: {at: end, event: blank}",
        "net.yaml:43:29: 'each' of present must be a list; found a mapping",
    ),
    (
        "count: 10",
        "each: [{at: end, measure: [w]}]",
        (
            "net.yaml:43:30: what is done in a pattern must have one of the keys event, set, reset beside 'at', such "
            "as {at: end, event: learn}; found 'measure'; do it between two 'present' items, with 'take: next' if they "
            "shall go on"
        ),
    ),
    (
        "count: 10",
        "each: [{at: end, event: blank, reset: [a]}]",
        (
            "net.yaml:43:30: what is done in a pattern must have one of the keys event, set, reset beside 'at', such "
            "as {at: end, event: learn}; found 'event', 'reset'; write an entry for each of them"
        ),
    ),
    (
        "count: 10",
        "each: [{at: , event: blank}]",
        (
            "net.yaml:43:35: at of 'event' in a pattern must be a time in it, such as 10 steps or 5 ms, or end; "
            "found nothing"
        ),
    ),
    (
        "count: 10",
        "each: [{at: true, event: blank}]",
        (
            "net.yaml:43:35: at of 'event' in a pattern must be a time in it, such as 10 steps or 5 ms, or end; "
            "found true"
        ),
    ),
    (
        "count: 10",
        "each: [{at: [5 ms], event: blank}]",
        (
            "net.yaml:43:35: at of 'event' in a pattern must be a time in it, such as 10 steps or 5 ms, or end; "
            "found a list"
        ),
    ),
    (
        "count: 10",
        "each: [{at: end, reset: []}]",
        "net.yaml:43:47: 'reset' names no population; list those that it is for, such as [NAME], or leave it out",
    ),
    (
        "count: 10",
        "each: [{at: end, reset: {populations: , keep: learned}}]",
        "net.yaml:43:61: 'reset' names no population; list those that it is for, such as [NAME], or leave it out",
    ),
    (
        "count: 10",
        "each: [blank]",
        (
            "net.yaml:43:30: what is done in a pattern must have one of the keys event, set, reset beside 'at', such "
            "as {at: end, event: learn}; found the text 'blank'"
        ),
    ),
    (
        "count: 10",
        "each: [{event: blank}]",
        "net.yaml:43:30: 'event' in a pattern lacks 'at'; add it",
    ),
    (
        "count: 10",
        "each: [{at: end, event: blank, count: 3}]",
        "net.yaml:43:54: unknown key 'count' in 'event' in a pattern; allowed are at, event",
    ),
    (
        "count: 10",
        "each: [{at: 11 ms, event: blank}, {at: end, reset: [a]}]",
        (
            "net.yaml:43:35: at of 'event' in a pattern is 11 ms, and a pattern lasts 10 ms; write a time up to that, "
            "or end"
        ),
    ),
    (
        "count: 10",
        "each: [{at: -1 steps, event: blank}]",
        "net.yaml:43:35: at of 'event' in a pattern must be at least 0 steps; found -1 steps",
    ),
    (
        "count: 10",
        "each: [{at: 2.5 ms, event: blank}]",
        (
            "net.yaml:43:35: at of 'event' in a pattern must be a whole number of steps; found 2.5 ms; 2.5 ms is 2.5 "
            "steps of 1 ms"
        ),
    ),
    (
        "count: 10",
        "each: [{at: begin, event: blank}]",
        (
            "net.yaml:43:35: at of 'event' in a pattern must be a time in it, such as 10 steps or 5 ms, or end; found "
            "the text 'begin'"
        ),
    ),
    (
        "count: 10",
        "each: [{at: end, event: blank}, {at: 4 ms, event: blank}, {at: 5 ms, reset: [a]}]",
        (
            "net.yaml:43:55: what is done in a pattern must stand in the order of time; found 4 ms behind end; put it "
            "before that"
        ),
    ),
    (
        "count: 10",
        "each: [{at: end, event: blink}]",
        "net.yaml:43:47: unknown event 'blink'; did you mean 'blank'? allowed are blank",
    ),
    (
        "count: 10",
        "each: [{at: end, set: {a.tau: 2 steps}}]",
        (
            "net.yaml:43:46: parameter 'tau' of population 'a' cannot be switched, because its model does not "
            "declare it dynamic; dynamic are a.gain"
        ),
    ),
    (
        "count: 10",
        "each: [{at: end, set: {a.gain: 5}}]",
        "net.yaml:43:54: parameter 'gain' of population 'a' must be from 0 to 4; found 5",
    ),
    (
        "count: 10",
        "each: [{at: end, reset: [b]}]",
        "net.yaml:43:48: unknown population 'b'; allowed are a, c",
    ),
    (
        "measure: [w]",
        "measure: [v]",
        "net.yaml:44:15: unknown metric 'v'; allowed are w",
    ),
    (
        "measure: [w]",
        "measure: [w, w]",
        "net.yaml:44:18: the metric 'w' is listed twice; keep one",
    ),
    (
        "spikes: all",
        "spikes: [b]",
        "net.yaml:45:19: unknown population 'b'; allowed are a, c",
    ),
    (
        "a.x: 10 steps",
        "a.y: 10 steps",
        (
            "net.yaml:45:32: states of record: population 'a' has no variable 'y'; did you mean 'a.x'? allowed "
            "are a.x, a.b"
        ),
    ),
    (
        "spikes: all",
        "topology: some",
        "net.yaml:45:20: topology of record cannot be 'some'; allowed are all, none",
    ),
    (
        "spikes: all",
        "topology: 0",
        "net.yaml:45:20: topology of record must be one of all, none; found 0",
    ),
    (
        "spikes: all",
        "topology: none",
        "net.yaml:45:20: topology of record leaves all synapses out of the trace, and 'weights' samples some of them; "
        "leave one of the two out",
    ),
    (
        "a.x: 10 steps",
        "p.w: 10 steps",
        "net.yaml:45:32: states of record takes variables of a population; move 'p.w' to 'weights'",
    ),
    (
        "p.w: 5 steps",
        "p.w: 0.5 ms",
        (
            "net.yaml:45:63: the interval of 'p.w' in weights of record must be a whole number of steps; found "
            "0.5 ms; 0.5 ms is 0.5 steps of 1 ms"
        ),
    ),
    (
        "dynamic: true, range: [0, 4]",
        "dynamic: true",
        (
            "net.yaml:9:7: parameter 'gain' of neuron model 'unit' is dynamic and lacks a range; add 'range: "
            "[low, high]'"
        ),
    ),
    (
        "dynamic: true, range",
        "dynamic: yes, range",
        (
            "net.yaml:9:35: dynamic of parameter 'gain' of neuron model 'unit' must be true or false; found the "
            "text 'yes'"
        ),
    ),
    (
        "unit: mV}",
        "unit: mv}",
        (
            "net.yaml:10:23: default of parameter 'v_th' of neuron model 'unit' is a pure number, but -50 mV is "
            "in mV; leave the unit out\n"
            "net.yaml:10:37: unit of parameter 'v_th' of neuron model 'unit': unknown unit 'mv'; did you mean "
            "'mV'? known are ms, s, us, mV, V, nA, pA, uA, MOhm, GOhm, uS, nS, pS, nF, pF, pC, Hz, kHz, step, "
            "steps and products such as mV/ms"
        ),
    ),
    (
        "type: int, default",
        "type: integer, default",
        (
            "net.yaml:8:19: type of parameter 'tau' of neuron model 'unit' cannot be 'integer'; did you mean "
            "'int'? allowed are real, int"
        ),
    ),
    (
        "range: [1, 100]",
        "range: [1, 2, 3]",
        (
            "net.yaml:8:62: range of parameter 'tau' of neuron model 'unit' must be a list of two numbers [low, "
            "high]; found a list of 3"
        ),
    ),
    (
        "range: [1, 100]",
        "range: [1, 100.5]",
        (
            "net.yaml:8:62: range of parameter 'tau' of neuron model 'unit' must have whole numbers as ends; "
            "found [1, 100.5]"
        ),
    ),
    (
        "range: [1, 100]",
        "range: [1, 9223372036854775808]",
        (
            "net.yaml:8:62: range of parameter 'tau' of neuron model 'unit' must lie between -2^63 and 2^63 - 1, which "
            "64 bits hold; found [1, 9.22337e+18]"
        ),
    ),
    (
        "default: -50 mV",
        "default: -50 ms",
        (
            "net.yaml:10:23: default of parameter 'v_th' of neuron model 'unit' must be a voltage (mV), but -50 "
            "ms is in ms"
        ),
    ),
    (
        "x = min(x + 1, 127)",
        "y = x +",
        "net.yaml:14:14: the model language cannot read this: invalid syntax; a line is NAME = VALUE, if CONDITION: or "
        "send(INPUT, VALUE)",
    ),
    (
        "x = min(x + 1, 127)",
        "for x in x: pass",
        (
            "net.yaml:14:7: a for loop is not part of the model language; every neuron and synapse computes its own "
            "statements once in every step"
        ),
    ),
    (
        "on_event: {blank: x = 0}",
        "on_evnt: {blank: x = 0}",
        (
            "net.yaml:16:5: unknown key 'on_evnt' in neuron model 'unit'; did you mean 'on_event'? allowed are "
            "base, title, source, notice, equations, params, derived, inputs, state, update, spike, spike_count, "
            "on_spike, after, on_event"
        ),
    ),
    (
        "weight: true, range",
        "range",
        ("net.yaml:18:3: synapse model 'line' marks none as its weight; mark exactly one variable `weight: true`"),
    ),
    (
        "    update: |\n      x = min(x + 1, 127)",
        "    update: [1]",
        "net.yaml:13:13: update of neuron model 'unit' must be a text of statements; found a list",
    ),
    (
        "params:\n      tau",
        "params: 3\n    derived:\n      tau",
        (
            "net.yaml:7:13: params of neuron model 'unit' must be a mapping from names to parameters; found 3\n"
            "net.yaml:9:12: derived constant 'tau' of neuron model 'unit' must be an expression; found a mapping "
            "with 'type', 'default', 'unit', 'range'\n"
            "net.yaml:10:13: derived constant 'gain' of neuron model 'unit' must be an expression; found a "
            "mapping with 'default', 'dynamic', 'range'\n"
            "net.yaml:11:13: derived constant 'v_th' of neuron model 'unit' must be an expression; found a "
            "mapping with 'default', 'unit'"
        ),
    ),
]

# a whole file and all that the reader says about it
FILES = [
    (b"", "net.yaml: this file is empty; a network file starts with 'neuroport: 1'"),
    (b"# a comment\n", "net.yaml: this file is empty; a network file starts with 'neuroport: 1'"),
    (b"a\0b", "net.yaml: this is a binary file, not YAML text; give a network or model file (.yaml)"),
    (b"\x89HDF\r\n\0", "net.yaml: this is an HDF5 file, not YAML text; give a network or model file (.yaml)"),
    (b"name: \xff\n", "net.yaml:1:7: byte 0xff is not UTF-8 text; save the file as UTF-8"),
    (b"- 1\n", "net.yaml:1:1: a network file must be a mapping that starts with 'neuroport: 1'; found a list"),
    (
        b"just text\n",
        "net.yaml:1:1: a network file must be a mapping that starts with 'neuroport: 1'; found the text 'just text'",
    ),
    (
        b"foo: 1\n",
        "net.yaml:1:1: this is no network file; a network file has 'neuroport: 1', 'dt' and 'populations'",
    ),
    (b"a: *b\n", "net.yaml:1:4: this is not YAML: there is no anchor '&b' before this alias"),
    (b"a: &a [*a]\n", "net.yaml:1:8: this is not YAML: the alias '*a' contains itself"),
    (b"[" * 100, "net.yaml:1:61: this is not YAML: nested more than 60 levels deep"),
    (b"a: 1\n---\nb: 2\n", "net.yaml:2:1: this is not YAML: a second document starts here; one file holds one"),
    (b"{[1]: 2}\n", "net.yaml:1:2: a key must be a name; found a list or mapping"),
    (b"a: \x07\n", "net.yaml: this is not YAML: it contains a control character that text must not have"),
    (
        b"a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 10)) for c in range(98, 106)),
        "net.yaml: this is not YAML: more than 5000000 values; put large arrays into an HDF5 file",
    ),
]

SETS = [
    (
        "a.tua=3 steps",
        "--set a.tua: population 'a' has no parameter 'tua'; did you mean 'tau'? allowed are tau, gain, v_th",
    ),
    (
        "sed=1",
        f"--set sed: unknown name 'sed'; did you mean 'seed'? allowed are {MANY_KEYS}, "
        "a, c, p, q, drive, digits, goal, states, w",
    ),
    ("protocol.9.repeat=3", "--set protocol.9.repeat: '9' is no item of this list; allowed are 0 to 4"),
    ("seed.x=3", "--set seed.x: 'x' cannot be set inside 1"),
    ("seed", "--set seed: write PATH=VALUE, such as recurrent.eta_s=0 or seed=3"),
    ("a.size=-1", "--set a.size: size of population 'a' must be at least 1; found -1"),
    ("a.size=", "--set a.size: size of population 'a' must be a whole number; found nothing"),
    (
        "a.size={",
        "--set a.size: this is not YAML: did not find expected node content while parsing a flow node",
    ),
    (
        "p.connect={fixed_probability: 2}",
        "--set p.connect: probability of projection 'p' must be from 0 to 1; found 2",
    ),
    (
        "record.states.a.q=5 steps",
        "--set record.states.a.q: states of record: population 'a' has no variable 'q'; did you mean 'a.x'? "
        "allowed are a.x, a.b",
    ),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with h5py.File("data.h5", "w") as file:
        file["b"], file["text"] = np.zeros(2), "numbers"
    Path("taken.yaml").write_text("neurons:\n  lif: {state: {x: {}}}\n")
    Path("broken.yaml").write_text("neurons:\n  other: {stat: {x: {}}}\n")


def said(text: str | bytes, sets: tuple[str, ...] = ()) -> str:
    Path("net.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInput) as caught:
        reader.load("net.yaml", sets)
    return str(caught.value)


def test_the_base_file_is_valid() -> None:
    Path("net.yaml").write_text(BASE)
    assert reader.load("net.yaml").name == "test"


@pytest.mark.parametrize(("old", "new", "message"), EDITS, ids=[new[:40] for _, new, _ in EDITS])
def test_a_mistake_gets_its_sentence(old: str, new: str, message: str) -> None:
    assert old in BASE
    assert said(BASE.replace(old, new, 1)) == message


@pytest.mark.parametrize(("data", "message"), FILES, ids=range(len(FILES)))
def test_a_file_that_is_no_network_gets_one_sentence(data: bytes, message: str) -> None:
    assert said(data) == message


@pytest.mark.parametrize(("change", "message"), SETS, ids=[change for change, _ in SETS])
def test_a_wrong_change_gets_its_sentence(change: str, message: str) -> None:
    assert said(BASE, (change,)) == message


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none.yaml", "none.yaml: there is no file 'none.yaml'; check the path"),
        (".", ".: '.' is a folder; give a YAML file"),
    ],
)
def test_a_path_that_is_no_file(path: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        reader.load(path)
    assert str(caught.value) == message


def test_all_problems_come_at_once_in_file_order() -> None:
    text = BASE.replace("seed: 1", "seed: x").replace("size: 3", "size: 0").replace("repeat: 8", "repeat: -1")
    assert said(text).split("\n") == [
        "net.yaml:4:7: seed must be a whole number; found the text 'x'",
        "net.yaml:20:13: size of population 'a' must be at least 1; found 0",
        "net.yaml:35:13: repeat must be at least 1; found -1",
    ]


TIED = BASE.replace("weight: true, range: [0, 2]}}}", "weight: true, range: [0, 2]}}, on_event: {tie: w = twin.w}}")


def tied(of_p: str, of_q: str) -> str:
    text = TIED.replace("weight: 0.5}", f"weight: 0.5, twin: {of_p}}}")
    return text.replace("weight: 1}", f"weight: 1, twin: {of_q}}}")


@pytest.mark.parametrize(
    ("of_p", "of_q", "message"),
    [
        (
            "q",
            "r",
            "net.yaml:23:107: twin of projection 'p' must lead between populations of the same sizes, 3 to 3; 'q' "
            "leads from 3 neurons to 4; name a projection that fits\n"
            "net.yaml:24:92: unknown projection 'r' as twin of projection 'q'; allowed are p",
        ),
        (
            "p",
            "{of: p, transposed: true}",
            "net.yaml:23:107: twin of projection 'p' cannot be the projection itself: the result would depend on the "
            "order of its synapses; name another projection\n"
            "net.yaml:24:97: twin of projection 'q' must lead between populations of the same sizes, 4 to 3; 'p' leads "
            "from 3 neurons to 3; name a projection that fits",
        ),
        (
            "{of: p, transpose: true}",
            "{transposed: true}",
            "net.yaml:23:115: unknown key 'transpose' in twin of projection 'p'; did you mean 'transposed'? allowed "
            "are of, transposed\n"
            "net.yaml:24:92: twin of projection 'q' lacks 'of'; add it",
        ),
        (
            "[p]",
            "{of: p, transposed: 2}",
            "net.yaml:23:107: twin of projection 'p' must be a name of letters, digits and _; found a list\n"
            "net.yaml:24:112: transposed of the twin of projection 'q' must be true or false; found 2",
        ),
    ],
)
def test_a_wrong_twin_gets_its_sentence(of_p: str, of_q: str, message: str) -> None:
    assert said(tied(of_p, of_q)) == message


def test_there_are_many_distinct_messages() -> None:
    messages = {message for *_, message in [*EDITS, *FILES, *SETS]}
    assert len(messages) >= 100
