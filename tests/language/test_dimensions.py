"""Units inside models: what is added, compared, assigned, handed to functions and sent must be of one unit."""

from __future__ import annotations

import random

import pytest

from neuroport.errors import InvalidInput, Place
from neuroport.files.network import loads
from neuroport.language import dimensions
from neuroport.language.syntax import calls, parse_block
from neuroport.network.model import NeuronModel, Parameter, State
from tests.support import random_units

NEURON = """\
neuroport: 1
name: a
dt: 1 ms
neurons:
  leaky:
    params:
      tau: {default: 20 ms, unit: ms}
      e: {default: -65 mV, unit: mV}
      r: {default: 100 MOhm, unit: MOhm}
      c: {default: 0.2 nF, unit: nF}
      f: {default: 8 Hz, unit: Hz}
      hold: {type: int, default: 5 ms, unit: step}
      k: {default: 2}
    inputs:
      i: {unit: nA}
      jump: {unit: mV}
      any: {}
    state:
      v: {unit: mV, init: -65 mV, range: [-100, 0]}
      m: {init: 0, range: [0, 1]}
"""
REST = """\
populations:
  cells: {size: 2, neuron: leaky}
protocol:
  - run: 5 steps
"""
FIRST = NEURON.count("\n") + 1
"""The line of what follows the declarations."""


def told(text: str) -> list[str]:
    """The problems of a network."""
    try:
        loads(text, "a.yaml")
    except InvalidInput as error:
        return [str(problem) for problem in error.problems]
    return []


def of_update(*lines: str) -> list[str]:
    """The problems of a model with these statements, without file and line."""
    block = "".join(f"      {line}\n" for line in lines)
    found = told(f"{NEURON}    update: |\n{block}{REST}")
    return [problem.removeprefix("a.yaml:") for problem in found]


UPDATES = {
    "v = v + dt / tau * (e - v + i)": ("27: e - v is in mV and i in nA, which cannot be added", "multiply i by MOhm"),
    "v = v + (e - v) / tau": (
        "11: v is in mV and (e - v) / tau in mV/ms, which cannot be added", "multiply (e - v) / tau by ms, such as dt",
    ),
    "v = v - i": ("11: v is in mV and i in nA, which cannot be subtracted", "multiply i by MOhm"),
    "v += i": ("7: v is in mV and i in nA, which cannot be added", "multiply i by MOhm"),
    "v *= r": ("7: v is in mV and cannot be given v * r, which is in mV^2/nA", "multiply v * r by uS"),
    "v = i": ("11: v is in mV and cannot be given i, which is in nA", "multiply i by MOhm"),
    "v = dt / tau": ("11: v is in mV and cannot be given dt / tau, which is a pure number", "multiply dt / tau by mV"),
    "v = r * i / c": ("11: v is in mV and cannot be given r * i / c, which is in mV^2/nA/ms",
        "multiply r * i / c by nF"),
    "v = v + dt / tau": (
        "11: v is in mV and dt / tau a pure number, which cannot be added", "multiply dt / tau by mV",
    ),
    "v = e if v > i else jump": ("16: v is in mV and i in nA, which cannot be compared", "multiply i by MOhm"),
    "m = 1 if e < v < i else 0": ("16: v is in mV and i in nA, which cannot be compared", "multiply i by MOhm"),
    "m = 1 if v > e and (m > 0 or not i == jump) else 0": (
        "40: i is in nA and jump in mV, which cannot be compared", "multiply jump by uS",
    ),
    "v = e if m > 0 else i": (
        "11: e is in mV and i in nA, which cannot be the two values of one choice", "multiply i by MOhm",
    ),
    "v = min(v, 0, i)": ("11: v is in mV and i in nA, which cannot be compared", "multiply i by MOhm"),
    "v = max(m, v, tau)": ("11: v is in mV and tau in ms, which cannot be compared", "multiply tau by mV/ms"),
    "v = clip(v, -100, tau)": ("11: v is in mV and tau in ms, which cannot be compared", "multiply tau by mV/ms"),
    "m = exp(v)": ("15: exp takes a pure number, and v is in mV", "divide v by mV"),
    "m = log(f)": ("15: log takes a pure number, and f is in kHz", "multiply f by ms, such as dt"),
    "m = tanh(dt * tau)": ("16: tanh takes a pure number, and dt * tau is in ms^2", "divide dt * tau by ms^2"),
    "m = sigmoid(v / r)": ("19: sigmoid takes a pure number, and v / r is in nA", "divide v / r by nA"),
    "m = softplus(-abs(v))": ("20: softplus takes a pure number, and -abs(v) is in mV", "divide -abs(v) by mV"),
    "v = sqrt(v * v) + sqrt(i * i)": (
        "11: sqrt(v * v) is in mV and sqrt(i * i) in nA, which cannot be added", "multiply sqrt(i * i) by MOhm",
    ),
    "v = relu(i)": ("11: v is in mV and cannot be given relu(i), which is in nA", "multiply relu(i) by MOhm"),
    "v = v ** 3 / e": ("11: v is in mV and cannot be given v ** 3 / e, which is in mV^2", "divide v ** 3 / e by mV"),
    "v = v + normal()": ("11: v is in mV and normal() a pure number, which cannot be added", "multiply normal() by mV"),
    "m = 1 if uniform() < f else 0": (
        "16: uniform() is a pure number and f in kHz, which cannot be compared", "multiply f by ms, such as dt",
    ),
    "m = 1 if t > tau else 0": (
        "16: t is a pure number and tau in ms, which cannot be compared", "divide tau by ms, such as dt",
    ),
    "m = 1 if t * dt > hold else 0": (
        "16: t * dt is in ms and hold a pure number, which cannot be compared", "multiply hold by ms, such as dt",
    ),
    "m = t % hold + tau": (
        "11: t % hold is a pure number and tau in ms, which cannot be added", "divide tau by ms, such as dt",
    ),
    "m = (1 if v > e else 0) * i + v": (
        "11: (1 if v > e else 0) * i is in nA and v in mV, which cannot be added", "multiply v by uS",
    ),
    "v = (e - v) * (e - v) * (e - v) * (e - v) * (e - v) / tau + tau": (
        "11: (e - v) * (e - v) * (e - v) * (e - v) * (e - v) / tau is in mV^5/ms and tau in ms, which cannot be added",
        "multiply tau by mV^5/ms^2",
    ),
    "v = (e - v) * (e - v) * (e - v) * (e - v) * (e - v) * (e - v) / tau + tau": (
        "11: (e - v) * (e - v) * (e - v) * (e - v) * (e - v) * (e - v)... is in mV^6/ms and tau in ms, which cannot be "
        "added", "multiply tau by mV^6/ms^2",
    ),
}  # fmt: skip


def whole(what: str, remedy: str, place: str = f"{FIRST + 1}:") -> str:
    """A message of a mistake and how to mend it."""
    return f"{place}{what}; {remedy.replace(' by ', ' by what is in ')}, or correct a unit"


@pytest.mark.parametrize("line", UPDATES)
def test_a_statement_is_refused(line: str) -> None:
    assert of_update(line) == [whole(*UPDATES[line])]


def test_a_remainder_is_of_one_unit_and_a_whole_quotient_of_theirs() -> None:
    text = NEURON.replace("hold: {", "n: {type: int, default: 5 ms, unit: ms}\n      hold: {")
    lines = "      m = t % n\n      m = (n // hold << 1) + v\n      m = trunc_div(n, n) + v\n"
    added = "which cannot be added"
    assert told(f"{text}    update: |\n{lines}{REST}") == [
        whole(
            "11: t is a pure number and n in ms, which cannot be divided with a remainder",
            "divide n by ms, such as dt", f"a.yaml:{FIRST + 2}:",
        ),
        whole(f"11: n // hold << 1 is in ms and v in mV, {added}", "multiply v by ms/mV", f"a.yaml:{FIRST + 3}:"),
        whole(f"11: trunc_div(n, n) is a pure number and v in mV, {added}", "divide v by mV", f"a.yaml:{FIRST + 4}:"),
    ]  # fmt: skip


def test_a_sum_over_copies_has_the_unit_of_its_parts() -> None:
    events = "    on_event:\n      now: |\n        m = sum_copies(v) + mean_copies(e - v) + tau\n"
    what = "13: sum_copies(v) + mean_copies(e - v) is in mV and tau in ms, which cannot be added"
    place = f"a.yaml:{FIRST + 2}:"
    assert told(f"{NEURON}{events}{REST}") == [whole(what, "multiply tau by mV/ms", place)]


def test_all_mistakes_of_a_line_are_told() -> None:
    assert of_update("m = log(f) + exp(v)") == [
        whole(*UPDATES["m = log(f)"]),
        whole("24: exp takes a pure number, and v is in mV", "divide v by mV"),
    ]


FITTING = (
    "v = v + dt / tau * (e - v + r * i) + jump",
    "v = v + dt / c * ((e - v) / r + i)",
    "v = v + dt * (e - v + r * i) * f",
    "v = 40 + v - 1.5",
    "v = v + k + m + any",
    "v = v + k * i + m * tau + any / f",
    "v = v + 0.5 * i + 3 / tau",
    "m = exp((v + 40) / 10)",
    "m = exp((v - e) / k) + log(m) + tanh(v / e)",
    "v = (0.04 * v + 5) * v + 140 - m + i * 2",
    "v = v + e * normal() * sqrt(dt / tau)",
    "v = v + k * sqrt(dt) * normal()",
    "v = min(v, 0) if v > -60 else -70",
    "v = v + exp(m)",
    "m = 1 if uniform() < f * dt else 0",
    "m = 1 if t >= hold and t * dt < tau else 0",
    "m = (t - hold) // hold % hold",
    "v = e * (1 if m > 0 else 0) + v * (t % hold)",
    "v = abs(v) - relu(v) + -v + +v",
    "v = 0",
    "m = v",
    "v = m",
    "m = 1 - exp(-dt / tau) + v",
)
"""What is of one unit, or may be."""


@pytest.mark.parametrize("line", FITTING[:-1])
def test_a_statement_is_taken(line: str) -> None:
    assert of_update(line) == []


def test_what_an_exponential_of_known_units_gives_is_a_pure_number() -> None:
    what = "11: 1 - exp(-dt / tau) is a pure number and v in mV, which cannot be added"
    assert of_update(FITTING[-1]) == [whole(what, "divide v by mV")]


def test_a_local_name_has_the_unit_of_its_value() -> None:
    what = "11: v is in mV and y in mV/ms, which cannot be added"
    found = of_update("x = r * i", "y = x - v", "y = y / tau", "v = v + y")
    assert found == [whole(what, "multiply y by ms, such as dt", f"{FIRST + 4}:")]


@pytest.mark.parametrize(
    ("then", "otherwise", "refused"),
    [("x = i", "x = i", True), ("x = i", "x = 0", True), ("x = 0", "x = i", True), ("x = v", "x = i", False),
     ("x = k", "x = m", False)],
)  # fmt: skip
def test_after_a_condition_a_local_name_has_the_unit_that_its_branches_agree_on(
    then: str, otherwise: str, refused: bool
) -> None:
    found = of_update("if v > e:", f"  {then}", "else:", f"  {otherwise}", "v = v + x")
    what = whole("11: v is in mV and x in nA, which cannot be added", "multiply x by MOhm", f"{FIRST + 5}:")
    assert found == [what] * refused


def test_statements_under_conditions_are_read() -> None:
    found = of_update("if v > i:", "  v = i", "elif v > e:", "  v = tau", "else:", "  v = r")
    assert [problem.partition(";")[0] for problem in found] == [
        f"{FIRST + 1}:10: v is in mV and i in nA, which cannot be compared",
        f"{FIRST + 2}:13: v is in mV and cannot be given i, which is in nA",
        f"{FIRST + 4}:13: v is in mV and cannot be given tau, which is in ms",
        f"{FIRST + 6}:13: v is in mV and cannot be given r, which is in MOhm",
    ]


def test_a_mistake_is_told_once() -> None:
    """What follows from it is not: x, and all that is computed with it, is left alone."""
    found = of_update("x = v + i", "y = x + tau if x > e else x", "v = exp(y) + v + i * x", "m = min(y, x)")
    assert found == [whole("11: v is in mV and i in nA, which cannot be added", "multiply i by MOhm")]


def test_every_text_of_a_neuron_model_is_read() -> None:
    texts = """\
    derived:
      gain: r + tau
      other: exp(e)
      follows: gain + c if gain > e else other
    spike: v > i
    on_spike: |
      v = tau
    after: |
      v = v + x
    on_event:
      now: |
        v = v + r
    update: |
      x = i
"""
    assert told(f"{NEURON}{texts}{REST}") == [
        whole("22:13: r is in MOhm and tau in ms, which cannot be added", "divide tau by nF", "a.yaml:"),
        whole("23:18: exp takes a pure number, and e is in mV", "divide e by mV", "a.yaml:"),
        whole("25:12: v is in mV and i in nA, which cannot be compared", "multiply i by MOhm", "a.yaml:"),
        whole("27:11: v is in mV and cannot be given tau, which is in ms", "multiply tau by mV/ms", "a.yaml:"),
        whole("29:11: v is in mV and x in nA, which cannot be added", "multiply x by MOhm", "a.yaml:"),
        whole("32:13: v is in mV and r in MOhm, which cannot be added", "multiply r by nA", "a.yaml:"),
    ]


def test_a_derived_constant_has_the_unit_of_its_value() -> None:
    text = f"{NEURON}    derived:\n      gain: r * (1 - exp(-dt / tau))\n    update: |\n      v = v + gain\n{REST}"
    what = "24:11: v is in mV and gain in MOhm, which cannot be added"
    assert told(text) == [whole(what, "multiply gain by nA", "a.yaml:")]


SYNAPSES = """\
synapses:
  rule:
    params:
      tau: {default: 20 ms, unit: ms}
      a: {default: 0.1 mV, unit: mV}
      w_max: {default: 2 nA, unit: nA}
    state:
      w: {weight: true, init: 1 nA, unit: nA, range: [0, 4]}
      s: {init: 0, range: [0, 4]}
"""
JOINED = """\
populations:
  cells: {size: 2, neuron: leaky}
projections:
  all: {source: cells, target: cells, synapse: rule, input: i, connect: all_to_all}
protocol:
  - run: 5 steps
"""
SPIKING = f"{NEURON}    spike: v > e\n"
START = (SPIKING + SYNAPSES).count("\n") + 1


def of_synapse(texts: str, joined: str = JOINED) -> list[str]:
    """The problems of a synapse model with these texts, without file and line."""
    return [problem.removeprefix("a.yaml:") for problem in told(f"{SPIKING}{SYNAPSES}{texts}{joined}")]


def test_every_text_of_a_synapse_model_is_read() -> None:
    texts = """\
    derived:
      part: tau + a
    traces:
      x: {of: pre, decay: -dt, increment: a, range: [0, 1]}
      y: {of: post, decay: exp(-dt / tau), increment: exp(tau), range: [0, 1]}
    step: |
      s = exp(tau)
      send(target, w + a)
    on_pre: |
      w = w + pre.x
    on_post: |
      w = clip(w, 0, a)
    on_event:
      now: |
        w = a
"""
    decay = f"{START + 3}:27: decay of trace 'x' is a factor, and -dt is in ms; write what is a number"
    exponential = "exp takes a pure number, and tau is in ms", "divide tau by ms, such as dt"
    assert of_synapse(texts) == [
        whole("13: tau is in ms and a in mV, which cannot be added", "multiply a by ms/mV", f"{START + 1}:"),
        f"{decay}, such as exp(-dt / tau)",
        whole(*exponential, f"{START + 4}:59: "),
        whole(*exponential, f"{START + 6}:15: "),
        whole("20: w is in nA and a in mV, which cannot be added", "multiply a by uS", f"{START + 7}:"),
        whole("11: w is in nA and pre.x in mV, which cannot be added", "multiply pre.x by uS", f"{START + 9}:"),
        whole("11: w is in nA and a in mV, which cannot be compared", "multiply a by uS", f"{START + 11}:"),
        whole("13: w is in nA and cannot be given a, which is in mV", "multiply a by uS", f"{START + 14}:"),
    ]


BETWEEN = "pre is 'leaky' and post 'leaky' in projection 'all' (a.yaml:{}:3)"


def test_what_a_synapse_reads_of_neurons_is_known_where_a_projection_joins_them() -> None:
    texts = """\
    on_pre: |
      send(target, w)
      w = w + post.v
      w = w + post.m
      s = exp(post.v[d] / pre.tau)
      s = s * post.spiked + pre.hold + pre.r
    on_post: |
      w = w_max if pre.v > w_max else 0
    on_event:
      now: |
        w = w + pre.v
"""
    line = START + texts.count("\n") + 3
    between = f"; {BETWEEN.format(line)}"
    added = "which cannot be added"
    assert of_synapse(texts, JOINED.replace("connect:", "dendritic_delay: 1 step, connect:")) == [
        whole(f"11: w is in nA and post.v in mV, {added}", "multiply post.v by uS", f"{START + 2}:") + between,
        whole(
            "15: exp takes a pure number, and post.v[d] / pre.tau is in mV/ms", "multiply post.v[d] / pre.tau by ms/mV",
            f"{START + 4}:",
        ) + between,
        whole(
            "11: s * post.spiked + pre.hold is a pure number and pre.r in MOhm, which cannot be added",
            "multiply pre.r by uS", f"{START + 5}:",
        ) + between,
        whole(
            "20: pre.v is in mV and w_max in nA, which cannot be compared", "multiply w_max by MOhm", f"{START + 7}:"
        ) + between,
        whole(f"13: w is in nA and pre.v in mV, {added}", "multiply pre.v by uS", f"{START + 10}:") + between,
    ]  # fmt: skip


def test_a_mistake_of_a_rule_is_told_once_for_all_projections_between_the_same_models() -> None:
    more = "  more: {source: cells, target: cells, synapse: rule, input: i, connect: all_to_all}\nprotocol:"
    assert len(of_synapse("    on_pre: |\n      w = w + post.v\n", JOINED.replace("protocol:", more))) == 1


SENDS = {
    "": ("jump", "w, which is in nA (a.yaml:{model}:3)", "'jump' of 'cells', which is in mV"),
    "    on_pre: send(target, w)\n": (
        "jump", "w, which is in nA (a.yaml:{text}:26)", "'jump' of 'cells', which is in mV",
    ),
    "    on_pre: send(i, a)\n": ("jump", "a, which is in mV (a.yaml:{text}:21)", "'i' of 'cells', which is in nA"),
    "    on_pre: send(i, dt / tau)\n": (
        "jump", "dt / tau, which is a pure number (a.yaml:{text}:21)", "'i' of 'cells', which is in nA",
    ),
    "    on_pre: send(i, w * post.r)\n": (
        "jump", "w * post.r, which is in mV (a.yaml:{text}:21)", "'i' of 'cells', which is in nA",
    ),
    "    on_post: send_back(jump, w)\n": (
        "i", "w, which is in nA (a.yaml:{text}:30)", "'jump' of 'cells', which is in mV",
    ),
}  # fmt: skip


@pytest.mark.parametrize("texts", SENDS)
def test_what_is_sent_to_an_input_of_another_unit_is_refused(texts: str) -> None:
    named, what, to = SENDS[texts]
    line = START + texts.count("\n") + 3
    what = what.format(model=START - 8, text=START)
    found = of_synapse(texts, JOINED.replace("input: i", f"input: {named}"))
    assert found == [
        f"{line}:3: projection 'all' sends {what}, to input {to}; send to an input of the same unit, or correct a unit"
    ]


@pytest.mark.parametrize(
    ("texts", "named"),
    [("", "i"), ("", "any"), ("    on_pre: send(jump, w * post.r)\n", "i"), ("    on_pre: send(jump, 0.5 * w)\n", "i"),
     ("    on_pre: send(target, s)\n", "jump"), ("    on_pre: send(target, w * pre.m)\n", "jump"),
     ("    on_pre: send(target, 1)\n", "jump")],
)  # fmt: skip
def test_what_is_sent_in_the_unit_of_the_input_or_in_none_is_taken(texts: str, named: str) -> None:
    assert of_synapse(texts, JOINED.replace("input: i", f"input: {named}")) == []


def test_a_twin_has_units() -> None:
    twin = "synapse: twin, input: any, connect: all_to_all, twin: all}\nprotocol:"
    model = """\
  twin:
    params: {b: {default: 1 mV, unit: mV}}
    state: {w: {weight: true, init: 0, range: [0, 4]}}
    on_event:
      each_step: w = twin.w + b + twin.s
"""
    joined = JOINED.replace("protocol:", f"  back: {{source: cells, target: cells, {twin}")
    line = START + model.count("\n") + 4
    what = "22: twin.w is in nA and b in mV, which cannot be added"
    between = BETWEEN.replace("all", "back").format(line)
    assert of_synapse(model, joined) == [f"{whole(what, 'multiply b by uS', f'{START + 4}:')}; {between}"]


def test_nothing_else_is_told_of_a_network_whose_model_is_refused() -> None:
    stimuli = """\
stimuli:
  shown: {patterns: {values: {array: [[1, 2]], unit: nA}, hold: 2 ms}, population: cells, input: i}
  beside: {patterns: {values: 0 nA, beside: shown}, population: cells, input: i}
  rows: {series: {values: [1, 2], every: 1 ms}, population: cells, input: i}
  chance: {spikes: {times: [0 ms], neurons: [0]}, population: cells}
metrics: {level: {mean: cells.v}}
readouts: {sampled: {samples: {of: cells.v, every: 1 ms}}}
record: {states: {cells.v: 1 ms}}
"""
    found = told(f"{SPIKING}    update: v = i\n{SYNAPSES}{JOINED.replace('protocol:', f'{stimuli}protocol:')}")
    assert [problem.partition(";")[0] for problem in found] == [
        f"a.yaml:{FIRST + 1}:17: v is in mV and cannot be given i, which is in nA"
    ]


def test_every_function_of_the_language_has_a_rule() -> None:
    assert set(calls()) == set(dimensions.RULES)


def computing(line: str) -> list[str]:
    """The problems of a neuron model that computes this."""
    names = {name: unit for name, unit in random_units.NAMES.items() if name != "dt"}
    parameters = tuple(Parameter(name=name, unit=unit) for name, unit in names.items())
    block, problems = parse_block(line, Place("a.yaml", 1, 1))
    assert not problems
    model = NeuronModel(name="cell", parameters=parameters, states=(State(name="v", unit="mV"),), update=block)
    return [str(problem) for problem in dimensions.of_neuron(model)]


@pytest.mark.parametrize("seed", range(40))
def test_random_expressions_of_one_unit_are_taken_and_one_wrong_name_is_told_once(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(10):
        line = f"v = {random_units.expression(draw, (1, 0, 0), 4)}"
        line = f"{line} if {random_units.compared(draw, 3)} else e"
        assert computing(line) == []
        wrong = random_units.with_wrong_name(draw, line)
        assert len(computing(wrong)) == 1, wrong
