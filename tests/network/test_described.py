"""What is told of a model: its own texts, and what a weight of 1 adds."""

from __future__ import annotations

import neuroport
from neuroport.files import library
from neuroport.files.network import loads
from neuroport.network.described import page, sends
from neuroport.pages.plain import text

POISSON = """\
poisson: Poisson spike source
neuron model, from kernels/neurons/poisson.yaml
source: P. Dayan & L. F. Abbott, Theoretical Neuroscience (2001), section 1.4.

equations
  At most one spike per step, independent of the past:
    P(spike in a step) = (rate + rate_in) dt
  The mean rate is exact while (rate + rate_in) dt <= 1; beyond that every step has its one spike.

  parameter  unit  default  range       set in a run  deviates as
  rate       Hz    10 Hz    0 to 1,000  yes           -

  input    unit  range       a weight of 1 adds
  rate_in  Hz    0 to 1,000  1 kHz

spikes where uniform() < (rate + rate_in) * dt
used by a, b"""

STDP = """\
  trace   of                   decays by             grows by  range
  pre.x   presynaptic spikes   exp(-dt / tau_plus)   1         0 to 15
  post.y  postsynaptic spikes  exp(-dt / tau_minus)  1         0 to 15

  variable        unit  at first  range   word    deviates as
  w (the weight)  -     0.5       0 to 1  weight  weight

  sends  to         when                              a weight of 1 adds
  w      the input  when a presynaptic spike arrives  1

What arrives counts in the unit of the input that the projection names: with lif, a weight of 1 at `jump` adds 1 mV,
  and at `i` 1 nA.
used by no network that comes with neuroport"""

ODD = """\
neuroport: 1
name: odd
dt: 1 ms
neurons:
  seeing:
    inputs: {rate: {unit: Hz}, current: {unit: pA}, voltage: {unit: V}, number: {}}
    state: {rate_: {unit: Hz}, current_: {unit: pA}, voltage_: {unit: V}, number_: {range: [-9, 9]}}
    update: |
      rate_ = rate_ + rate
      current_ = current_ + current
      voltage_ = voltage_ + voltage
      number_ = number_ + number
synapses:
  odd:
    params: {a: {type: int, default: 3}}
    state: {w: {weight: true, unit: pA, init: 0 pA}, x: {init: 2}}
    step: |
      send(target, 2 * w + x, when=pre.z != 0)
    on_pre: |
      send(target, w)
      if a > 2:
        send(target, x * w)
    on_post: |
      send_back(err, w * x)
  silent:
    state: {w: {weight: true}}
populations:
  source: {size: 1, neuron: spike_source}
  cells: {size: 1, neuron: seeing}
stimuli:
  one: {population: source, input: spike_in, spikes: {times: [1 ms], neurons: [0]}}
projections:
"""


def test_the_page_of_a_neuron_model() -> None:
    assert text(page(library.neuron("poisson"), ("a", "b")), 100) == POISSON


def test_the_page_of_a_synapse_model() -> None:
    whole = text(page(library.synapse("stdp_pair"), ()), 118)
    assert whole.endswith(STDP)
    assert "events" not in whole
    assert "events: learn\n" in text(page(library.synapse("sal_layer_down"), ()))


def test_what_a_synapse_sends() -> None:
    from neuroport.files.library import Library
    from neuroport.yaml.fields import Report
    from neuroport.yaml.nodes import parse

    report, found = Report(), Library()
    found.add(report, parse(ODD, "odd.yaml"))
    odd, silent = found.synapse(report, "odd", None), found.synapse(report, "silent", None)
    assert odd is not None and silent is not None, report.problems
    assert list(sends(odd)) == [
        ("2 * w + x", "the input", "in every step where pre.z != 0", "2 * 1 + x"),
        ("w", "the input", "when a presynaptic spike arrives", "1"),
        ("x * w", "the input", "when a presynaptic spike arrives", "x"),
        ("w * x", "err of the source", "one step after a postsynaptic spike", "x"),
    ]
    assert list(sends(silent)) == [("w", "the input", "when a presynaptic spike arrives", "1")]
    assert "a weight of 1 nA adds" in text(page(odd))


def test_a_weight_of_one_adds_what_is_told() -> None:
    """Of inputs in units that are not those of the coherent system, too."""
    inputs = ("rate", "current", "voltage", "number")
    line = "  {0}: {{source: source, target: cells, input: {0}, synapse: static, connect: all_to_all, weight: 1}}\n"
    network = loads(ODD + "".join(line.format(name) for name in inputs), "odd.yaml")
    told = page(network.population("cells").neuron)
    table = next(part.rows for part in told.parts if getattr(part, "columns", ("",))[0] == "input")
    assert {row[0]: row[-1] for row in table} == {"rate": "1 kHz", "current": "1 nA", "voltage": "1 mV", "number": "1"}
    with neuroport.open(network, "reference") as session:
        session.run(5)
        assert [session.get(f"cells.{name}_").tolist() for name in inputs] == [[1.0]] * 4
