"""A small network that has of everything that a run records, and draws: for runs that are stopped and gone on with."""

from __future__ import annotations

NET = """
neuroport: 1
name: counted
dt: 0.5 ms
seed: 5
chip: generic8
neurons:
  cell:
    params: {gain: {default: 1, dynamic: true, range: [0, 2]}}
    inputs: {i: {range: [-4, 4]}}
    state: {v: {init: 0, range: [-8, 8]}, n: {type: int, init: 0, range: [0, 30000]}}
    update: |
      v = v * 0.75 + gain * i
      n = n + 1
    spike: uniform() < 0.3
synapses:
  fixed: {state: {w: {weight: true, range: [0, 1]}}, on_pre: "send(target, w)\\nw = w * 0.99"}
populations: {a: {size: 3, neuron: cell}, b: {size: 2, neuron: cell}}
projections: {ab: {source: a, target: b, input: i, synapse: fixed, connect: all_to_all, delay: 5 steps, weight: 0.5}}
metrics: {level: {mean: b.v}, rate: {rate: a}, each: {values: a.n}}
protocol:
  - repeat: 4
    do: [{run: 60 steps}, {measure: [level, rate]}, {set: {"*.gain": 0.5}}, {run: 40 steps}]
  - measure: [each]
record: {spikes: [a], states: {b.v: 3 steps}, weights: {ab.w: 50 steps}}
"""
STEPS = 400
