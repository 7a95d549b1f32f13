"""Elaboration: from a network file to concrete arrays, connections and bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.chips.chip import Chip, ChipInstance, Deviation
from neuroport.elaborate.network import elaborate
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.language.lower import Lowering
from neuroport.network.model import Block
from neuroport.numerics import detmath
from neuroport.program.ir import Read, Send, Store, parts
from neuroport.program.machine import Program
from neuroport.program.printer import expression
from neuroport.program.switchboard import Switchboard

IDEAL = Chip(name="ideal", arithmetic="float64")

HEAD = "neuroport: 1\nname: n\ndt: 0.5 ms\n"
CELLS = "populations:\n  a: {size: 4, neuron: lif}\n  b: {size: 3, neuron: lif}\n"


def program(tmp_path: Path, text: str, chip: Chip = IDEAL, instance: ChipInstance | None = None) -> Program:
    path = tmp_path / "n.yaml"
    path.write_text(HEAD + text, "utf-8")
    return elaborate(reader.load(path), chip, instance)


def projection(tmp_path: Path, connect: str, more: str = "", pair: str = "source: a, target: b") -> Program:
    text = CELLS + f"projections:\n  p: {{{pair}, input: jump, synapse: static, connect: {connect}{more}}}\n"
    return program(tmp_path, text)


def test_units_become_coherent_numbers_and_steps(tmp_path: Path) -> None:
    p = program(tmp_path, "populations:\n  a: {size: 2, neuron: lif, params: {tau_m: 0.02 s, t_ref: 2 ms}}\n")
    assert p.arrays["a.t_ref"].initial == 4
    assert p.arrays["a.decay"].initial == detmath.exp(-0.5 / 20)
    assert p.arrays["a.v"].initial.tolist() == [-70, -70]
    assert p.arrays["a.v"].range == (-100, 0)


def test_all_to_all_is_sorted_by_source(tmp_path: Path) -> None:
    p = projection(tmp_path, "all_to_all").projection("p")
    assert p.pre.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert p.post.tolist() == [0, 1, 2] * 4
    assert p.indptr.tolist() == [0, 3, 6, 9, 12]
    assert p.element.tolist() == list(range(12))


def test_self_connections_can_be_left_out(tmp_path: Path) -> None:
    p = projection(tmp_path, "{all_to_all: {self: false}}", pair="source: a, target: a").projection("p")
    assert p.synapses == 12
    assert not np.any(p.pre == p.post)


def test_matrix_weights_follow_their_orientation(tmp_path: Path) -> None:
    by_source = projection(
        tmp_path, "all_to_all", ", weight: {rows: source, array: [[1,2,3],[4,5,6],[7,8,9],[10,11,12]]}"
    )
    by_target = projection(
        tmp_path, "all_to_all", ", weight: {rows: target, array: [[1,4,7,10],[2,5,8,11],[3,6,9,12]]}"
    )
    assert by_source.arrays["p.w"].initial.tolist() == list(range(1, 13))
    assert by_target.arrays["p.w"].initial.tolist() == list(range(1, 13))


def test_pairs_keep_their_weights_when_sorted(tmp_path: Path) -> None:
    made = projection(tmp_path, "{pairs: [[3, 0], [0, 2], [3, 0]]}", ", weight: [3, 1, 4]")
    p = made.projection("p")
    assert (p.pre.tolist(), p.post.tolist()) == ([0, 3, 3], [2, 0, 0])
    assert made.arrays["p.w"].initial.tolist() == [1, 3, 4]
    assert p.element.tolist() == [2, 9, 9 + 12]  # the second synapse of a pair has a number of its own


def test_fixed_in_degree_is_exact_and_without_repetition(tmp_path: Path) -> None:
    p = projection(tmp_path, "{fixed_in_degree: {degree: 2, self: false}}", pair="source: a, target: a").projection("p")
    assert np.bincount(p.post, minlength=4).tolist() == [2, 2, 2, 2]
    assert len({(int(i), int(j)) for i, j in zip(p.pre, p.post, strict=True)}) == 8
    assert not np.any(p.pre == p.post)


def test_fixed_probability_draws_each_pair(tmp_path: Path) -> None:
    text = "populations:\n  a: {size: 200, neuron: lif}\nprojections:\n"
    text += "  p: {source: a, target: a, input: jump, synapse: static, connect: {fixed_probability: 0.1}}\n"
    count = program(tmp_path, text).projection("p").synapses
    assert abs(count - 4000) < 4 * (4000 * 0.9) ** 0.5


def test_adding_a_population_changes_nobody_elses_draws(tmp_path: Path) -> None:
    text = "populations:\n{}  a: {{size: 50, neuron: lif, init: {{v: {{uniform: [-60 mV, -50 mV]}}}}}}\nprojections:\n"
    text += "  p: {{source: a, target: a, input: jump, synapse: static, connect: {{fixed_probability: 0.2}}, "
    text += "weight: {{normal: [0, 1]}}}}\n"
    alone = program(tmp_path, text.format(""))
    beside = program(tmp_path, text.format("  new: {size: 9, neuron: lif, init: {v: {uniform: [-60 mV, -50 mV]}}}\n"))
    for name in ("a.v", "p.w"):
        assert alone.arrays[name].initial.tolist() == beside.arrays[name].initial.tolist()
    assert alone.projection("p").post.tolist() == beside.projection("p").post.tolist()


def test_histories_and_slots_fit_the_delays(tmp_path: Path) -> None:
    text = "synapses:\n  s:\n    state: {w: {weight: true, init: 1, range: [0, 1]}}\n"
    text += "    on_pre: |\n      send(target, w * pre.v + post.v[d] + post.v)\n"
    text += CELLS + "projections:\n  p: {source: a, target: b, input: jump, synapse: s, connect: all_to_all, "
    text += "delay: 2 ms, dendritic_delay: {rows: source, array: [[0,1,2],[3,4,5],[0,0,0],[0,0,0]], unit: steps}}\n"
    made = program(tmp_path, text)
    assert made.projection("p").delay == 4
    assert made.population("a").spike_slots == 4
    assert made.arrays["a.v"].history == 4
    assert made.arrays["b.v"].history == 6
    assert made.arrays["b.jump"].slots == 6
    lags = {r.array: r.lag for r in parts(made.projection("p").arrive) if isinstance(r, Read) and r.at == "pre"}
    assert lags == {"a.v": 3}


def test_a_model_that_sends_nothing_sends_its_weight_first(tmp_path: Path) -> None:
    text = "synapses:\n  s:\n    state: {w: {weight: true, init: 1, range: [0, 1]}}\n    on_pre: |\n      w = w * 0.5\n"
    text += CELLS + "projections:\n  p: {source: a, target: b, input: jump, synapse: s, connect: all_to_all}\n"
    first, second = program(tmp_path, text).projection("p").arrive
    assert isinstance(first, Send)
    assert isinstance(second, Store)


def test_constant_parts_are_computed_once_and_again_at_a_switch(tmp_path: Path) -> None:
    text = "neurons:\n  m:\n    params: {k: {default: 2, dynamic: true, range: [0, 4]}, c: {default: 3}}\n"
    text += "    state: {v: {init: 0, range: [-9, 9]}}\n    update: |\n      v = v + k * c * 2\n"
    made = program(tmp_path, text + "populations:\n  a: {size: 2, neuron: m}\n")
    (derived,) = made.derived
    assert made.arrays[derived.array].initial == 12

    class Taken:
        def __init__(self) -> None:
            self.written: dict[str, float] = {}

        def write(self, array: str, values: np.ndarray) -> None:
            self.written[array] = float(values)

    taken = Taken()
    Switchboard(made).set(taken, {"a.k": 0.5})  # type: ignore[arg-type]
    assert taken.written[derived.array] == 3


MISMATCH = Chip(
    name="x", arithmetic="float64", mismatch=(("bias", Deviation(sigma=0.1)), ("weight", Deviation(sigma=0.1)))
)


def test_learned_values_deviate_at_use_and_not_in_their_rule() -> None:
    made = elaborate(reader.load("networks/sal_pair.yaml"), MISMATCH, ChipInstance(MISMATCH, 3))
    plain = elaborate(reader.load("networks/sal_pair.yaml"), IDEAL)
    assert made.arrays["units.b"].initial.tolist() == plain.arrays["units.b"].initial.tolist()
    assert len(set(made.arrays["units.b$circuit"].initial.tolist())) == 2
    update = {r.array for r in parts(made.population("units").body) if isinstance(r, Read)}
    assert "units.b$circuit" in update
    event = next(e for e in made.events if e.owner == "units" and e.name == "epoch_end")
    assert "units.b$circuit" not in {r.array for r in parts(event.body) if isinstance(r, Read)}
    send = made.projection("recurrent").step[0]
    assert isinstance(send, Send)
    assert "recurrent.w$circuit" in {r.array for r in parts((send,)) if isinstance(r, Read)}


def test_the_same_circuits_serve_every_network(tmp_path: Path) -> None:
    text = "populations:\n{}  a: {{size: 2, neuron: sampling_unit}}\n"
    chip, inst = MISMATCH, ChipInstance(MISMATCH, 3)
    alone = program(tmp_path, text.format(""), chip, inst).arrays["a.b$circuit"].initial
    second = program(tmp_path, text.format("  z: {size: 2, neuron: sampling_unit}\n"), chip, inst)
    assert second.arrays["z.b$circuit"].initial.tolist() == alone.tolist()  # z now sits on the circuits that a had
    assert second.arrays["a.b$circuit"].initial.tolist() != alone.tolist()


PROBLEMS = {
    "populations:\n  a: {size: 1000000000, neuron: lif}\n": r":5:3: network 'n' needs about 74.5 GiB of "
    r"memory, most of it for population 'a', and .* has .* GiB; make it smaller, or let it take more with",
    CELLS
    + "projections:\n  p: {source: a, target: b, input: jump, synapse: static, connect: one_to_one}\n": "one_to_one",
    "populations:\n  a: {size: 99, neuron: lif, init: {v: {normal: [-60 mV, 40 mV]}}}\n": r"a.v: .* of 99 values lie "
    r"outside -100 .. 0; bound the distribution with low and high, or widen the range",
    "populations:\n  a: {size: 1, neuron: spike_source}\nprojections:\n"
    "  p: {source: a, target: a, synapse: static, connect: all_to_all, weight: 1}\n"
    "  q: {source: a, target: a, synapse: static, connect: all_to_all, weight: {same_as: p.w, scale: 30}}\n": r"q.w: 1 "
    r"of 1 values lie outside -16 .. 16; give others, or widen the range",
    "populations:\n  a: {size: 2, neuron: rate_source}\n  b: {size: 2, neuron: lif}\nprojections:\n"
    "  p: {source: a, target: b, input: jump, synapse: static, connect: all_to_all}\n": "population 'a' does not spike",
}


@pytest.mark.parametrize("text", PROBLEMS)
def test_what_does_not_fit_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match=PROBLEMS[text]):
        program(tmp_path, text)


RULE = """
neurons:
  cell:
    params:
      q: {default: 3, range: [0, 8], dynamic: true}
    inputs:
      jump: {range: [0, 64]}
    state:
      v: {range: [0, 64], init: 0}
    update: v = jump
    on_event:
      relax: v = 0
    spike: v > 1
synapses:
  rule:
    params:
      q: {default: 3, range: [0, 8], dynamic: true}
      r: {default: 2, range: [0, 8]}
    state:
      w: {weight: true, range: [0, 64], init: 2}
    step: |
      w = w + 1 / (q * r)
    on_pre: |
      send(target, w)
      w = w - 1 / (q * r)
    on_post: |
      send_back(jump, w)
    on_event:
      settle: |
        w = q * r + 1 / (q * r)
populations:
  a: {size: 2, neuron: cell}
projections:
  p: {source: a, target: a, input: jump, synapse: rule, connect: all_to_all}
"""


def test_equal_constants_of_an_object_are_one_array(tmp_path: Path) -> None:
    made = program(tmp_path, RULE)
    assert [(d.array, expression(d.value)) for d in made.derived] == [
        ("p.$const1", "(1.0 / (p.q * p.r))"),
        ("p.$const2", "((p.q * p.r) + (1.0 / (p.q * p.r)))"),
    ]


def test_every_text_is_lowered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "n.yaml").write_text(HEAD + RULE, "utf-8")
    network = reader.load(tmp_path / "n.yaml")
    lowered: list[tuple[str, str]] = []
    block = Lowering.block

    def noted(self: Lowering, text: Block, *more: Any, **named: Any) -> None:
        lowered.append((self.owner, text.text.strip()))
        block(self, text, *more, **named)

    monkeypatch.setattr(Lowering, "block", noted)
    elaborate(network, IDEAL)
    written = [text for text in lowered if text[1]]
    assert len(written) == len(set(written)) == 6


def test_a_range_of_the_network_file_holds_for_all_that_may_have_one(tmp_path: Path) -> None:
    text = """\
neurons:
  cell:
    params: {k: {default: 1, range: [0, 9], dynamic: true}}
    inputs: {i: {range: [-9, 9]}}
    state: {v: {range: [-9, 9], init: 0}}
    update: v = k * v + i
    spike: v > 3
synapses:
  line:
    params: {a: {default: 1, range: [0, 9], dynamic: true}}
    traces: {x: {of: pre, decay: 0.5, range: [0, 9]}, y: {of: post, decay: 0.5, range: [0, 9]}}
    state: {w: {weight: true, init: 0.5, range: [0, 9]}, c: {range: [0, 9], init: 0}}
    on_pre: w = w + a * (pre.x + post.y + c)
    on_post: c = 0.5 * c
populations:
  cells: {size: 2, neuron: cell, ranges: {v: [-1, 1], i: [-2, 2], k: [0, 3]}}
projections:
  p: {source: cells, target: cells, input: i, synapse: line, connect: all_to_all,
      ranges: {w: [0, 4], c: [0, 5], x: [0, 6], y: [0, 7], a: [0, 8]}}
"""
    found = {n: a.range for n, a in program(tmp_path, text).arrays.items() if a.range is not None and "$" not in n}
    given = {"cells.v": (-1, 1), "cells.i": (-2, 2), "cells.k": (0, 3)}
    assert found == given | {"p.w": (0, 4), "p.c": (0, 5), "p.x": (0, 6), "p.y": (0, 7), "p.a": (0, 8)}


def test_triggered_blocks_of_synapses_read_their_neurons(tmp_path: Path) -> None:
    """What has come to the synapse of a source; spikes and traces, too, if nothing else reads them."""
    text = RULE.replace("all_to_all", "all_to_all, delay: 1.5 ms")
    text = text.replace("    step: |", "    traces: {x: {of: post, decay: 0.5, range: [0, 2]}}\n    step: |")
    text = text.replace("w = q * r + 1 / (q * r)", "w = pre.v * post.x + post.q * pre.spiked")
    made = program(tmp_path, text)
    (event,) = (e for e in made.events if e.owner == "p")
    assert {(r.array, r.at, r.lag) for r in parts(event.body) if isinstance(r, Read)} == {
        *(("a.v", "pre", 2), ("p.x", "post", 0), ("a.q", "scalar", 0), ("a.spiked", "pre", 2)),
    }
    assert {n: a.history for n, a in made.arrays.items() if a.history} == {"a.v": 3, "a.spiked": 3}
    with pytest.raises(InvalidInput) as caught:
        program(tmp_path, text.replace("post.q ", "post.qq "))
    where, _, said = str(caught.value).partition(" ")
    assert where.endswith("n.yaml:34:30:")
    assert said == "'post.qq' is not known here (did you mean 'q'?); there are q, spiked, v, x"


@pytest.mark.parametrize(
    ("chip", "change", "said"),
    [
        (
            "generic8_mismatch10_all",
            "record.spikes=all",
            "on chip 'generic8_mismatch10_all' '{}' deviates from circuit to circuit (time); take a chip of which that "
            "does not deviate, or give the projection `mismatch: false`",
        ),
        ("generic8", "together_to_cell.{}={{uniform: [10 ms, 20 ms]}}", "'{}' has a value for each; give one for all"),
    ],
)
def test_what_synapses_must_share_is_named_with_why_they_do_not(chip: str, change: str, said: str) -> None:
    for trace, parameter in (("x", "tau_plus"), ("y", "tau_minus")):
        network = neuroport.load("stdp_pair", [change.format(parameter)])
        with pytest.raises(InvalidInput) as refused:
            neuroport.compile(network, chip=chip)
        head = f"trace '{trace}' of projection 'together_to_cell' needs parameters that all synapses share, and "
        assert head + said.format(parameter) in [problem.text for problem in refused.value.problems]
