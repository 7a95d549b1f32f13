"""The model language: what it refuses, and how blocks become straight-line bodies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neuroport.errors import Place
from neuroport.language.check import check_neuron, check_synapse
from neuroport.language.lower import Lowering
from neuroport.language.names import Constants, NeuronNames, declared_type
from neuroport.language.syntax import parse_block, parse_expression
from neuroport.network.model import Input, NeuronModel, Parameter, SpikeTrace, State, SynapseModel
from neuroport.program.ir import Apply, Let, Random, Spike, Store, parts

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
        traces=(SpikeTrace(name="x", side="pre", decay=parse_expression("0.5", HERE)[0],
                      increment=parse_expression("1", HERE)[0]),),
        on_event=(("go", parse_block(event, HERE)[0]),) if event is not None else (),
        **parsed,
    )  # fmt: skip


NOT_AN_INT = (
    "is an int, this value is real; write int(round(...)), use //, make the variable real, or declare what is whole in "
    "it `type: int`"
)
SHIFTS = (
    "shifts go from 0 to 62: take such a literal, declare `range:` inside 0 … 62 for what the count is computed from, "
    "or write min(max(COUNT, 0), 62)"
)
NO_SIDES = ", and only synapses have pre, post and twin"
NEURON_PROBLEMS = {
    "v = 1 < 2": "m.yaml:10:5: 'v' holds a number, this is a comparison; write `1 if ... else 0`",
    "k = v": "m.yaml:10:5: 'k' " + NOT_AN_INT,
    "k = floor(v)": "m.yaml:10:5: 'k' " + NOT_AN_INT,
    "tau = 1": "m.yaml:10:5: 'tau' cannot be assigned here; this block may assign k, v and new local names",
    "before = 3": "m.yaml:10:5: 'before' is a word of the model language; choose another name",
    "post = 3": "m.yaml:10:5: 'post' is a word of the model language; choose another name",
    "i = 1": "m.yaml:10:5: 'i' cannot be assigned here; this block may assign k, v and new local names",
    "v = taux": "m.yaml:10:9: 'taux' is not known here (did you mean 'tau'?); there are T, copies, dt, i, "
    "item_step, k, n, t, tau, v",
    "v = pre.v": f"m.yaml:10:9: 'pre.v' is not known here; this block has nothing to read of pre{NO_SIDES}",
    "k = v // 2": "m.yaml:10:9: // takes ints; one side is real",
    "if v:\n  k = 1": "m.yaml:10:8: a real number is no condition; compare it with something",
    "if v > 0:\n  y = 1\nk = y": "m.yaml:12:9: 'y' has no value when the condition above is false; give it one before",
    "send(i, 1)": "m.yaml:10:5: send is not allowed in 'update'; only synapses send, in step, on_pre and (send_back) "
    "on_post",
    "k = wrap(k, n)": "m.yaml:10:9: wrap takes a literal number of bits from 1 to 62 as its second argument",
    "k = int(v > 0)": "m.yaml:10:13: a number is needed, this is a comparison; write `1 if ... else 0`",
    "k = 1 << int(v)": f"m.yaml:10:9: a shift by any number of bits; {SHIFTS}",
    "k = trunc_div(v, 2)": "m.yaml:10:9: trunc_div takes ints; one argument is real",
    "v = (v > 0) + 1": "m.yaml:10:10: a number is needed, this is a comparison; write `1 if ... else 0`",
    "y = post.v[d]": f"m.yaml:10:9: 'post.v' is not known here; this block has nothing to read of post{NO_SIDES}",
}


@pytest.mark.parametrize("text", NEURON_PROBLEMS)
def test_neuron_block_is_refused(text: str) -> None:
    model = neuron(text)
    names = NeuronNames(model, "cell", Constants("cell", {p.name: declared_type(p) for p in model.parameters}), 1.0)
    lowering = Lowering(names, "cell", "update", dendritic=True)
    lowering.block(model.update)
    assert [str(p) for p in lowering.problems] == [NEURON_PROBLEMS[text]]


SYNTAX_PROBLEMS = {
    "v = ": "m.yaml:10:9: the model language cannot read this: invalid syntax; a line is "
    "NAME = VALUE, if CONDITION: or send(INPUT, VALUE)",
    "for i in v:\n  v = 1": "m.yaml:10:5: a for loop is not part of the model language; every neuron and synapse "
    "computes its own statements once in every step",
    "v = v ** k": "m.yaml:10:9: ** takes a whole exponent from 2 to 8; write exp(y * log(x)) for a positive x",
    "v = sin(v)": "m.yaml:10:9: there is no function 'sin'; there are abs, before, ceil, clip, exp, exprel, "
    "floor, int, log, max, max_incoming, max_outgoing, max_population, mean_copies, min, normal, "
    "poisson, relu, round, saturate, sigmoid, softplus, sqrt, sum_copies, sum_incoming, "
    "sum_outgoing, sum_population, sum_shared, tanh, trunc_div, uniform, wrap",
    "v = exp(1, 2)": "m.yaml:10:9: exp takes 1 arguments, 2 given",
    "v = max(1)": "m.yaml:10:9: max takes 2 to 8 arguments, 1 given",
    "v = 'a'": "m.yaml:10:9: 'a' is not a number; write one",
    "v = True": "m.yaml:10:9: True is not a number; compare, or write 1 or 0",
    "v = a.b": "m.yaml:10:9: a dot is only allowed in pre.NAME, post.NAME and twin.NAME",
    "v = a[0]": "m.yaml:10:9: brackets are only allowed in post.NAME[d], the value one dendritic delay earlier",
    "v = ~v": "m.yaml:10:9: operator ~ is not allowed; there are - + not; write `not` before a condition",
    "v = 1 is 1": "m.yaml:10:9: this comparison is not allowed; there are < <= > >= == !=",
    "v, k = 1, 2": "m.yaml:10:5: an assignment has one plain name on its left side; write NAME = VALUE",
    "v": "m.yaml:10:5: this value is not used; assign it to a name, or send it",
    "v = send(i, 1)": "m.yaml:10:9: send is a statement; put it on a line of its own",
    "send(i)": "m.yaml:10:5: send takes the name of an input and a value, and optionally when=CONDITION",
    "send_back(i, 1, when=1)": "m.yaml:10:5: send_back does not know 'when'; it takes (input, value)",
    "v = [1]": "m.yaml:10:9: a list is not part of the model language; give functions their values "
    "one by one, such as min(a, b)",
    "pre.x = 1": "m.yaml:10:5: assignment to pre.x: many synapses share it, so the result would depend on the order in "
    "which they are processed; send to an input, or write the synapse's own variables",
    "twin.x = 1": "m.yaml:10:5: assignment to twin.x: a synapse changes its own variables only; let the other "
    "projection's model assign it",
    "v = sum_copies(1, 2)": "m.yaml:10:9: sum_copies takes 1 arguments, 2 given",
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
    ("event", "w = pre.x + post.z[d]"): "m.yaml:10:17: post.z[d] is not allowed in 'on_event go': a dendritic delay "
    "holds back what is sent, and triggered blocks send nothing; write post.z",
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


STEP_SUM = (
    "in a synapse's step a sum over copies stands as NAME = sum_copies(VALUE), outside any if, with NAME a variable "
    "that is not the weight and has over_copies: shared"
)
SHARED_PROBLEMS = {
    ("step", "s = w"): "m.yaml:10:5: 's' is shared by all copies, so only triggered blocks (on_event) assign it; in a "
    "synapse's step it may be given as s = sum_copies(VALUE)",
    ("on_pre", "s = sum_copies(w)"): "m.yaml:10:9: sum_copies is not allowed in 'on_pre'; copies are added up in "
    "triggered blocks (on_event) and in a synapse's step",
    ("step", "s = mean_copies(w)"): f"m.yaml:10:9: mean_copies: {STEP_SUM}",
    ("step", "s = 2 * sum_copies(w)"): f"m.yaml:10:13: sum_copies: {STEP_SUM}",
    ("step", "y = sum_copies(w)"): f"m.yaml:10:5: 'y': {STEP_SUM}",
    ("step", "o = sum_copies(w)"): f"m.yaml:10:5: 'o': {STEP_SUM}",
    ("step", "if w > 0:\n  s = sum_copies(w)"): f"m.yaml:11:7: 's': {STEP_SUM}",
    ("step", "s = sum_copies(sum_copies(w))"): "m.yaml:10:20: sum_copies: " + STEP_SUM,
    ("event", "s = sum_copies(1 + mean_copies(w))"): "m.yaml:10:36: sum_copies and mean_copies cannot stand inside "
    "each other; one sum is over all copies",
    ("step", "s = sum_copies(w)\ns = sum_copies(w)"): "m.yaml:11:5: step gives the sum 's' twice; give it once",
    ("step", "s = sum_copies(w)\nsend(target, s)"): "m.yaml:11:18: step cannot read 's': it is a sum over all copies, "
    "known when the step is over; read it in on_event",
    (
        "step",
        "n = sum_copies(w)",
    ): "m.yaml:10:5: 'n' " + NOT_AN_INT,
    ("event", "s = w"): "m.yaml:10:9: every copy has a 'w' of its own, and this block is computed once for all copies, "
    "because it assigns what they share or adds over them; write sum_copies(w) or mean_copies(w)",
    ("event", "y = sum_copies(w)\nif w > y:\n  w = 0"): "m.yaml:11:8: every copy has a 'w' of its own, and this block "
    "is computed once for all copies, because it assigns what they share or adds over them; write sum_copies(w) or "
    "mean_copies(w)",
    (
        "event",
        "s = sum_copies(w)\nw = w + 1",
    ): "m.yaml:11:9: every copy has a 'w' of its own, and this block is computed "
    "once for all copies, because it assigns what they share or adds over them; declare w 'over_copies: shared', or "
    "write sum_copies(w) or mean_copies(w)",
    ("event", "s = pre.x"): "m.yaml:10:9: every copy has a 'pre.x' of its own, and this block is computed once for all "
    "copies, because it assigns what they share or adds over them; write sum_copies(pre.x) or mean_copies(pre.x)",
    ("event", "w = mean_copies(w) * post.spiked"): "m.yaml:10:26: every copy has a 'post.spiked' of its own, and this "
    "block is computed once for all copies, because it assigns what they share or adds over them; write "
    "sum_copies(post.spiked) or mean_copies(post.spiked)",
    ("on_pre", "w = twin.w"): "m.yaml:10:9: twin.w is not allowed in 'on_pre'; only triggered blocks (on_event) of "
    "synapse models read twins",
    ("event", "copies = 2"): "m.yaml:10:5: 'copies' cannot be assigned here; this block may assign n, o, s, w and new "
    "local names",
}


def sharing(**blocks: str) -> SynapseModel:
    """A model with a weight w and a variable o that each copy has, and a real s and an int n that they share."""
    model = synapse(**blocks)
    common = (
        State(name="s", over_copies="shared", range=(0, 1)),
        State(name="n", type="int", over_copies="shared", range=(0, 9)),
    )
    used = (*model.on_event, ("other", parse_block("w = 0.5 * w\no = w", HERE)[0]))
    return replace(model, states=(*model.states, State(name="o"), *common), on_event=used)


@pytest.mark.parametrize(("block", "text"), SHARED_PROBLEMS)
def test_a_wrong_use_of_what_copies_share_is_refused(block: str, text: str) -> None:
    assert [str(p) for p in check_synapse(sharing(**{block: text}))] == [SHARED_PROBLEMS[block, text]]


def test_the_weight_is_no_sum_over_copies() -> None:
    model = sharing(step="w = sum_copies(o)")
    model = replace(model, states=tuple(replace(s, over_copies="shared") if s.weight else s for s in model.states))
    assert [str(p) for p in check_synapse(model)] == [
        "m.yaml:10:5: the weight 'w' cannot be a sum over copies; use another shared variable"
    ]


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ("step", "e = 2 * w\ns = sum_copies(e * pre.x)\nsend(target, w)"),
        ("event", "if n > 0:\n  s = s + mean_copies(w) / copies\nw = twin.w"),
        ("event", "w = w + s + twin.w"),
        ("event", "o = pre.x * post.r + pre.spiked"),
        ("event", "s = mean_copies(post.r * pre.x)"),
        ("event", "n = sum_copies(1 if w > s else 0)"),
        ("on_post", "w = w + s"),
    ],
)
def test_what_copies_share_may_be_used(block: str, text: str) -> None:
    assert check_synapse(sharing(**{block: text})) == ()


def test_what_only_synapses_read_may_be_a_local_name() -> None:
    assert check_neuron(neuron("target = 1\nspiked = target\nv = spiked")) == ()


def test_neurons_share_in_triggered_blocks_only() -> None:
    def problems(update: str, event: str) -> list[str]:
        model = neuron(update)
        states = tuple(replace(s, over_copies="shared") if s.name == "v" else s for s in model.states)
        blocks = (("go", parse_block(event, HERE)[0]),)
        return [str(p) for p in check_neuron(replace(model, states=states, on_event=blocks))]

    assert problems("k = 1 if v > 0 else 0", "v = mean_copies(k) + sum_copies(k * v)") == []
    assert problems("", "v = k") == [
        "m.yaml:10:9: every copy has a 'k' of its own, and this block is computed once for all copies, because it "
        "assigns what they share or adds over them; write sum_copies(k) or mean_copies(k)"
    ]
    assert problems("v = 0", "") == [
        "m.yaml:10:5: 'v' is shared by all copies, so only triggered blocks (on_event) assign it; in a synapse's step "
        "it may be given as v = sum_copies(VALUE)"
    ]
    assert problems("", "v = twin.v") == [
        f"m.yaml:10:9: 'twin.v' is not known here; this block has nothing to read of twin{NO_SIDES}"
    ]


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
    assert [s.name for s in selects] == ["y$1"]


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


def test_texts_that_are_nested_too_deeply() -> None:
    place, text = Place("net.yaml", 3, 5), "this text is nested too deeply; give parts of it names of their own"
    for wrong in ("-" * 200 + "1", "+".join("1" * 120)):
        assert [p.text for p in parse_expression(wrong, place)[1]] == [text]
        assert [p.text for p in parse_block(f"x = {wrong}", place)[1]] == [text]
    assert parse_expression("-" * 40 + "1", place)[1] == ()
