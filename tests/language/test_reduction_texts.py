"""Sums over neurons and synapses in model texts: where they may stand, and what is said where they may not."""

from __future__ import annotations

from typing import Any

import pytest

from neuroport.errors import Place
from neuroport.language.check import check_neuron, check_synapse
from neuroport.language.syntax import parse_block, parse_expression
from neuroport.network.model import NeuronModel, State, SynapseModel

HERE = Place("m.yaml", 10, 5)
IN_A_STEP = (
    "in a step every neuron and every synapse is computed by itself; assign it to a variable in a triggered block, "
    "such as on_event: each_step, and read that"
)
OF_NEURONS = "a neuron, which has sum_population, max_population; what arrives at an input is a sum already"
OF_SYNAPSES = (
    "a synapse, which has sum_incoming, max_incoming, sum_outgoing, max_outgoing, sum_shared; let the neuron model "
    "assign it to a variable in a triggered block, and read that as pre.NAME or post.NAME"
)


def found(over: str, block: str, text: str) -> list[str]:
    """What is wrong with a text that is one block of a model with variables a and b."""
    parsed, problems = parse_block(text, HERE)
    blocks = {"on_event": (("go", parsed),)} if block == "event" else {block: parsed}
    shared: Any = "shared" if "sum_shared" in text and over == "synapse" else "own"
    states = (State(name="a", weight=over == "synapse", over_kernel=shared), State(name="b", over_copies="own"))
    if over == "neuron":
        return [str(p) for p in (*problems, *check_neuron(NeuronModel(name="m", states=states, place=HERE, **blocks)))]
    return [str(p) for p in (*problems, *check_synapse(SynapseModel(name="m", states=states, place=HERE, **blocks)))]


@pytest.mark.parametrize(
    ("over", "text"),
    [
        ("neuron", "a = a / max(sum_population(exp(a)), 1)"),
        ("neuron", "most = max_population(a)\nif a == most:\n  b = 0"),
        ("neuron", "if a == max_population(a):\n  b = 0"),
        ("neuron", "a = b / sum_population(a) if sum_population(a) > 0 else 0"),
        ("synapse", "a = a / sum_incoming(a)\nb = max_incoming(a) - max_outgoing(b * post.x) + sum_outgoing(pre.x)"),
    ],
)
def test_triggered_blocks_reduce(over: str, text: str) -> None:
    assert found(over, "event", text) == []


PROBLEMS = {
    ("neuron", "update", "a = sum_population(a)"): [f"9: sum_population is not allowed in 'update': {IN_A_STEP}"],
    ("neuron", "after", "k = max_population(a)"): [f"9: max_population is not allowed in 'after': {IN_A_STEP}"],
    ("neuron", "on_spike", "k = max_population(a)"): [
        "5: on_spike without a 'spike' condition; add one",
        f"9: max_population is not allowed in 'on_spike': {IN_A_STEP}",
    ],
    ("synapse", "step", "b = sum_incoming(a)"): [f"9: sum_incoming is not allowed in 'step': {IN_A_STEP}"],
    ("synapse", "on_pre", "a = 1\nb = max_outgoing(a)"): [f"9: max_outgoing is not allowed in 'on_pre': {IN_A_STEP}"],
    ("synapse", "on_post", "b = sum_shared(a)"): [f"9: sum_shared is not allowed in 'on_post': {IN_A_STEP}"],
    ("neuron", "event", "a = sum_incoming(a)"): [f"9: sum_incoming is not known to {OF_NEURONS}"],
    ("neuron", "event", "a = sum_shared(a)"): [f"9: sum_shared is not known to {OF_NEURONS}"],
    ("synapse", "event", "a = 2 * max_population(a)"): [f"13: max_population is not known to {OF_SYNAPSES}"],
    ("neuron", "event", "if a > 0:\n  a = sum_population(a)"): [
        "11: sum_population cannot stand under an if, because it is over all neurons, also those for which the "
        "condition does not hold; give it a name on a line before the if"
    ],
    ("synapse", "event", "if a > 0:\n  a = 1\nelif sum_incoming(a) > 1:\n  a = 2"): [
        "10: sum_incoming cannot stand under an if, because it is over all synapses, also those for which the "
        "condition does not hold; give it a name on a line before the if"
    ],
    ("neuron", "event", "a = sum_population(a - max_population(a))"): [
        "28: max_population cannot stand inside sum_population; give it a name on a line before this one"
    ],
    ("synapse", "event", "a = sum_copies(sum_incoming(a))"): [
        "20: sum_incoming cannot stand inside sum_copies or mean_copies; give it a name on a line before this one"
    ],
    ("synapse", "event", "a = sum_incoming(1 + mean_copies(a))"): [
        "26: mean_copies cannot stand inside sum_incoming; give it a name on a line before this one"
    ],
    ("neuron", "event", "a = sum_population(a > 0)"): [
        "24: a number is needed, this is a comparison; write `1 if ... else 0`"
    ],
    ("neuron", "event", "a = sum_population()"): ["9: sum_population takes 1 arguments, 0 given"],
    ("neuron", "event", "sum_population(a)"): ["5: this value is not used; assign it to a name, or send it"],
    ("neuron", "event", "a = sum(a)"): [
        "9: there is no function 'sum'; write a + b; what arrives at an input is a sum already; over all neurons or "
        "synapses there are sum_population, sum_incoming and sum_outgoing"
    ],
}


@pytest.mark.parametrize(("over", "block", "text"), PROBLEMS)
def test_a_wrong_use_is_refused(over: str, block: str, text: str) -> None:
    lines = found(over, block, text)
    assert [line.split(":", 2)[2] for line in lines] == PROBLEMS[over, block, text]
    assert {line.split(":")[0] for line in lines} == {"m.yaml"}


def test_a_spike_condition_does_not_reduce() -> None:
    condition, _ = parse_expression("sum_population(a) > 1", HERE)
    model = NeuronModel(name="m", states=(State(name="a"),), place=HERE, spike=condition)
    assert [str(p) for p in check_neuron(model)] == [
        f"m.yaml:10:5: sum_population is not allowed in 'spike': {IN_A_STEP}"
    ]


def test_a_variable_cannot_have_the_name_of_one() -> None:
    model = NeuronModel(name="m", states=(State(name="sum_incoming"),), place=HERE)
    assert [str(p) for p in check_neuron(model)] == [
        "'sum_incoming' is a word of the model language; choose another name"
    ]
