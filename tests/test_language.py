"""The model language: what it refuses, and how blocks become straight-line bodies."""

from __future__ import annotations

import pytest

from neuroport.errors import Place
from neuroport.language import check_neuron, check_synapse, parse_block, parse_expression
from neuroport.lowering import Lowering
from neuroport.model import Input, NeuronModel, Parameter, State, SynapseModel, Trace
from neuroport.naming import Constants, NeuronNames, declared_type
from neuroport.program import Apply, Let, Random, Spike, Store, parts

HERE = Place("m.yaml", 10, 5)


def neuron(update: str = "", spike: str | None = None, **blocks: str) -> NeuronModel:
    expression = parse_expression(spike, HERE)[0] if spike is not None else None
    parsed = {name: parse_block(text, HERE)[0] for name, text in blocks.items()}
    return NeuronModel(
        name="cell",
        parameters=(Parameter(name="tau"), Parameter(name="n", type="int")),
        states=(State(name="v", range=(-1, 1)), State(name="k", type="int", range=(0, 9))),
        inputs=(Input(name="i"),),
        update=parse_block(update, HERE)[0],
        spike=expression,
        **parsed,
    )


def synapse(**blocks: str) -> SynapseModel:
    event = blocks.pop("event", None)
    parsed = {name: parse_block(text, HERE)[0] for name, text in blocks.items()}
    return SynapseModel(
        name="rule",
        states=(State(name="w", weight=True, range=(0, 1)),),
        traces=(Trace(name="x", side="pre", decay=parse_expression("0.5", HERE)[0],
                      increment=parse_expression("1", HERE)[0]),),
        on_event=(("go", parse_block(event, HERE)[0]),) if event is not None else (),
        **parsed,
    )  # fmt: skip


NEURON_PROBLEMS = {
    "v = 1 < 2": "m.yaml:10:5: 'v' holds a number, this is a comparison; write `1 if ... else 0`",
    "k = v": "m.yaml:10:5: 'k' is an int, this value is real; use // or make the variable real",
    "tau = 1": "m.yaml:10:5: 'tau' cannot be assigned here; this block may assign k, v and new local names",
    "i = 1": "m.yaml:10:5: 'i' cannot be assigned here; this block may assign k, v and new local names",
    "v = taux": "m.yaml:10:9: 'taux' is not known here (did you mean 'tau'?); there are T, dt, i, item_step, k, n, "
    "t, tau, v",
    "v = pre.v": "m.yaml:10:9: 'pre.v' is not known here; there are none",
    "k = v // 2": "m.yaml:10:9: // takes ints; one side is real",
    "if v:\n  k = 1": "m.yaml:10:8: a real number is no condition; compare it with something",
    "if v > 0:\n  y = 1\nk = y": "m.yaml:12:9: 'y' has no value when the condition above is false; give it one before",
    "send(i, 1)": "m.yaml:10:5: send is not allowed in 'update'; only synapses send, in step, on_pre and (send_back) "
    "on_post",
    "k = wrap(k, n)": "m.yaml:10:9: wrap takes a literal number of bits from 1 to 62 as its second argument",
    "k = trunc_div(v, 2)": "m.yaml:10:9: trunc_div takes ints; one argument is real",
    "v = (v > 0) + 1": "m.yaml:10:10: a number is needed, this is a comparison; write `1 if ... else 0`",
    "y = post.v[d]": "m.yaml:10:9: 'post.v' is not known here; there are none",
}


@pytest.mark.parametrize("text", NEURON_PROBLEMS)
def test_neuron_block_is_refused(text: str) -> None:
    model = neuron(text)
    names = NeuronNames(model, "cell", Constants("cell", {p.name: declared_type(p) for p in model.parameters}), 1.0)
    lowering = Lowering(names, "cell", "update", dendritic=True)
    lowering.block(model.update)
    assert [str(p) for p in lowering.problems] == [NEURON_PROBLEMS[text]]


SYNTAX_PROBLEMS = {
    "v = ": "m.yaml:10:9: the model language cannot read this: invalid syntax",
    "for i in v:\n  v = 1": "m.yaml:10:5: a for loop is not part of the model language; it has assignments, "
    "if/elif/else, send and send_back",
    "v = v ** 2": "m.yaml:10:9: operator ** is not allowed; there are + - * / // % << >>",
    "v = sin(v)": "m.yaml:10:9: there is no function 'sin'; there are abs, clip, exp, log, max, min, normal, relu, "
    "saturate, sigmoid, softplus, sqrt, tanh, trunc_div, uniform, wrap",
    "v = exp(1, 2)": "m.yaml:10:9: exp takes 1 arguments, 2 given",
    "v = max(1)": "m.yaml:10:9: max takes 2 to 8 arguments, 1 given",
    "v = 'a'": "m.yaml:10:9: 'a' is not a number",
    "v = True": "m.yaml:10:9: True is not a number; compare, or write 1 or 0",
    "v = a.b": "m.yaml:10:9: a dot is only allowed in pre.NAME and post.NAME",
    "v = a[0]": "m.yaml:10:9: brackets are only allowed in post.NAME[d], the value one dendritic delay earlier",
    "v = ~v": "m.yaml:10:9: operator ~ is not allowed; there are - + not",
    "v = 1 is 1": "m.yaml:10:9: this comparison is not allowed; there are < <= > >= == !=",
    "v, k = 1, 2": "m.yaml:10:5: an assignment has one plain name on its left side; write NAME = VALUE",
    "v": "m.yaml:10:5: this value is not used; assign it to a name, or send it",
    "v = send(i, 1)": "m.yaml:10:9: send is a statement; put it on a line of its own",
    "send(i)": "m.yaml:10:5: send takes the name of an input and a value, and optionally when=CONDITION",
    "send_back(i, 1, when=1)": "m.yaml:10:5: send_back does not know 'when'; it takes (input, value)",
    "v = [1]": "m.yaml:10:9: a list is not part of the model language",
    "pre.x = 1": "m.yaml:10:5: assignment to pre.x: many synapses share it, so the result would depend on the order in "
    "which they are processed; send to an input, or write the synapse's own variables",
}


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("text", SYNTAX_PROBLEMS)
def test_syntax_is_refused(text: str) -> None:
    block, problems = parse_block(text, HERE)
    assert [str(p) for p in problems] == [SYNTAX_PROBLEMS[text]]
    assert block.tree == ()


SYNAPSE_PROBLEMS = {
    ("on_post", "send(target, w)"): "m.yaml:10:5: send is not allowed in 'on_post'; on a postsynaptic spike only "
    "send_back is possible",
    ("event", "send(target, w)"): "m.yaml:10:5: send is not allowed in 'on_event go'; triggered blocks touch nothing "
    "in flight",
    ("event", "w = pre.x"): "m.yaml:10:9: 'pre.x' is not known here; there are none",
    ("on_pre", "send(target, w, when=pre.z > 0)"): "m.yaml:10:5: when= is only allowed in the last statement of "
    "'step', outside any if",
    ("step", "send(target, w, when=w > 0)"): "m.yaml:10:5: when= may depend on the presynaptic or on the postsynaptic "
    "neuron's state only",
    ("step", "send(target, w, when=pre.z > 0)\nw = 1"): "m.yaml:11:5: send(..., when=...) must be the last statement "
    "of its block",
    ("on_pre", "tot = w\ndt = 2"): "m.yaml:11:5: 'dt' cannot be assigned here; this block may assign w and new local "
    "names",
}


@pytest.mark.parametrize(("block", "text"), SYNAPSE_PROBLEMS)
def test_synapse_block_is_refused(block: str, text: str) -> None:
    assert [str(p) for p in check_synapse(synapse(**{block: text}))] == [SYNAPSE_PROBLEMS[block, text]]


def test_a_synapse_model_needs_one_weight() -> None:
    model = SynapseModel(name="rule", states=(State(name="a"), State(name="b")), place=HERE)
    assert [str(p) for p in check_synapse(model)] == [
        "m.yaml:10:5: synapse model 'rule' marks none as its weight; mark exactly one variable `weight: true`"
    ]


def test_on_spike_needs_a_condition() -> None:
    assert [str(p) for p in check_neuron(neuron(on_spike="v = 0"))] == [
        "m.yaml:10:5: on_spike without a 'spike' condition; add one"
    ]


def test_names_must_differ_and_not_be_words_of_the_language() -> None:
    model = NeuronModel(name="cell", parameters=(Parameter(name="dt", place=HERE),),
                        states=(State(name="v"), State(name="v", place=HERE)))  # fmt: skip
    assert [str(p) for p in check_neuron(model)] == [
        "m.yaml:10:5: 'dt' is a word of the model language; choose another name",
        "m.yaml:10:5: 'v' is declared twice in model 'cell'; names must differ",
    ]


def lowered(text: str, spike: str | None = None, on_spike: str = "") -> tuple[object, ...]:
    model = neuron(text, spike, on_spike=on_spike)
    assert check_neuron(model) == ()
    names = NeuronNames(model, "cell", Constants("cell", {p.name: declared_type(p) for p in model.parameters}), 1.0)
    lowering = Lowering(names, "cell", "update")
    lowering.block(model.update)
    fired = lowering.spike(model.spike) if model.spike else None
    lowering.block(model.on_spike, fired)
    assert lowering.problems == []
    return lowering.finish()


def test_if_becomes_guards_for_variables_and_selects_for_locals() -> None:
    body = lowered("y = 1.0\nif v > 0:\n  y = 2.0\n  v = y\nelse:\n  k = 3\nv = v + y")
    stores = [s for s in body if isinstance(s, Store)]
    assert [s.array for s in stores] == ["cell.v", "cell.k", "cell.v"]
    assert stores[0].guard is not None
    assert stores[1].guard is not None
    assert stores[2].guard is None
    selects = [s for s in body if isinstance(s, Let) and isinstance(s.value, Apply) and s.value.fn == "select"]
    assert [s.name for s in selects] == ["y_1"]


def test_a_local_given_in_both_branches_may_be_used() -> None:
    body = lowered("if v > 0:\n  y = 2.0\nelif v < -0.5:\n  y = 1.0\nelse:\n  y = 0.0\nv = y")
    assert isinstance(body[-1], Store)


def test_on_spike_is_guarded_by_the_spike() -> None:
    body = lowered("v = v + i", "v > 0.5", "v = 0")
    spike = next(s for s in body if isinstance(s, Spike))
    store = body[-1]
    assert isinstance(store, Store)
    assert store.guard == spike.condition


def test_every_random_site_has_its_own_stream() -> None:
    body = lowered("v = uniform() + uniform()\nv = normal()")
    streams = {part.stream for part in parts(body) if isinstance(part, Random)}
    assert len(streams) == 4  # two uniform sites, and two words for the eight numbers of a normal


def test_chained_comparison_and_ints_as_conditions() -> None:
    body = lowered("k = 1 if 0 < k < 9 and n else 0")
    assert isinstance(body[0], Store)

