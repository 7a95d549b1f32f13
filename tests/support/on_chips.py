"""On which of the shipped chips each model of the library runs, and what the others say: a table of docs/models.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import library

HEADER = "| model | runs on | what the others say |\n|---|---|---|"
SHORT = {r"<text>:\d+:\d+: ": "", r" \([\w.]+:\d+\)": "", r"(\. [A-Z]|; take |; give ).*$": ""}
"""What is left out of a refusal: where it is, which changes with the text of a model, and what to do."""


@dataclass(frozen=True)
class Joined:
    """What a synapse model joins in the network that is tried, and the input that it sends to.

    `twin`: model and input of its twin, if it needs one, which joins the same neurons, or leads back. `modulators`: the
    neuron model and the variable of each.
    """

    pre: str
    post: str
    input: str
    twin: tuple[str, str] | None = None
    back: bool = False
    modulators: Mapping[str, tuple[str, str]] = field(default_factory=dict)


PARTNERS = {
    "activation_alignment": Joined("alignment_tanh", "alignment_tanh", "back"),
    "adam": Joined("spike_source", "lif", "jump"),
    "delta_adam": Joined("rate_source", "gle_tanh", "ff"),
    "delta_decay": Joined("rate_source", "alignment_tanh", "ff"),
    "delta_momentum": Joined("rate_source", "gle_tanh", "ff"),
    "delta_nesterov": Joined("rate_source", "gle_tanh", "ff"),
    "delta_rmsprop": Joined("rate_source", "gle_tanh", "ff"),
    "delta_sgd": Joined("rate_source", "gle_tanh", "ff"),
    "ekdaa_down": Joined("ekdaa_softmax", "ekdaa_tanh", "err"),
    "ekdaa_up": Joined("rate_source", "ekdaa_tanh", "ff"),
    "emstdp": Joined("emstdp_input", "emstdp_hidden", "ff"),
    "emstdp_chip": Joined("emstdp_chip_input", "emstdp_chip_cell", "ff"),
    "emstdp_feedback": Joined("emstdp_output", "emstdp_hidden", "err"),
    "emstdp_plain": Joined("emstdp_input", "emstdp_hidden", "ff"),
    "emstdp_tied": Joined("emstdp_output", "emstdp_hidden", "err", ("emstdp", "ff"), back=True),
    "eprop": Joined("eprop_lif", "eprop_lif", "i"),
    "eprop_error": Joined("eprop_readout", "eprop_lif", "error"),
    "eprop_out": Joined("eprop_lif", "eprop_readout", "i"),
    "feedback_alignment": Joined("alignment_tanh", "alignment_tanh", "back"),
    "gle_adam": Joined("gle_softplus_tau_adam", "gle_softplus_tau_adam", "ff"),
    "gle_adam_first": Joined("gle_input", "gle_softplus_tau_adam", "ff"),
    "gle_batch": Joined("gle_tanh_batch", "gle_tanh_batch", "ff"),
    "gle_batch_first": Joined("gle_input", "gle_tanh_batch", "ff"),
    "gle_exp_sum": Joined("gle_softmax_adam", "gle_softmax_adam", "total"),
    "gle_fixed": Joined("gle_tanh", "gle_tanh", "ff"),
    "gle_momentum": Joined("gle_tanh", "gle_tanh", "ff"),
    "gle_momentum_first": Joined("gle_input", "gle_tanh", "ff"),
    "gle_sgd": Joined("gle_softplus_tau", "gle_softplus_tau", "ff"),
    "gle_sgd_first": Joined("gle_input", "gle_softplus_tau", "ff"),
    "graded": Joined("rate_source", "rate_source", "r_in"),
    "information_alignment": Joined("alignment_tanh", "alignment_tanh", "back"),
    "kolen_pollack": Joined("alignment_tanh", "alignment_tanh", "back"),
    "loihi_static": Joined("spike_source", "loihi_lif", "a_in"),
    "meta_down": Joined("meta_softmax", "meta_softplus", "err"),
    "meta_tied": Joined("meta_softmax", "meta_softplus", "err", ("meta_up", "ff"), back=True),
    "meta_up": Joined("meta_source", "meta_softplus", "ff"),
    "momentum": Joined("spike_source", "lif", "jump"),
    "nesterov": Joined("spike_source", "lif", "jump"),
    "nir_graded": Joined("nir_li", "nir_lif", "x"),
    "pal_cancel": Joined("pal_interneuron", "pal_pyramidal", "v_inter"),
    "pal_down": Joined("pal_pyramidal", "pal_pyramidal", "v_down"),
    "pal_predict": Joined("pal_pyramidal", "pal_interneuron", "v_d"),
    "pal_tied": Joined("pal_pyramidal", "pal_pyramidal", "v_down", ("pal_up", "v_b"), back=True),
    "pal_up": Joined("pal_input", "pal_pyramidal", "v_b"),
    "predictive_adam": Joined("predictive_fixed", "predictive_fixed", "ff"),
    "predictive_sgd": Joined("predictive_fixed", "predictive_fixed", "ff"),
    "prospective": Joined("pal_pyramidal", "pal_interneuron", "nudge"),
    "rmsprop": Joined("spike_source", "lif", "jump"),
    "sal": Joined("spike_source", "lif", "jump"),
    "sal_layer_down": Joined("sal_layer_unit", "sal_layer_unit", "dv"),
    "sal_layer_up": Joined("sal_layer_unit", "sal_layer_unit", "dv"),
    "sal_micro_copy": Joined("sal_micro_pyramidal", "sal_micro_pyramidal", "apical", ("sal_micro_up", "basal")),
    "sal_micro_down": Joined("sal_micro_output", "sal_micro_pyramidal", "apical", ("sal_micro_up", "basal"), back=True),
    "sal_micro_fixed": Joined("sal_micro_cell", "sal_micro_cell", "v"),
    "sal_micro_past_basal": Joined("sal_micro_pyramidal", "sal_micro_pyramidal", "old_basal"),
    "sal_micro_past_u": Joined("sal_micro_pyramidal", "sal_micro_pyramidal", "old_u"),
    "sal_micro_up": Joined("sal_micro_cell", "sal_micro_pyramidal", "basal"),
    "sal_net_down": Joined("sal_net_softmax", "sal_net_tanh", "back"),
    "sal_net_up": Joined("rate_source", "sal_net_tanh", "ff"),
    "sal_sampling": Joined("sampling_unit", "sampling_unit", "u_in"),
    "sal_triangular": Joined("sampling_unit", "sampling_unit", "u_in"),
    "sgd": Joined("spike_source", "lif", "jump"),
    "static": Joined("spike_source", "lif", "jump"),
    "stdp_dopamine": Joined("spike_source", "lif", "jump"),
    "stdp_modulated": Joined("spike_source", "lif", "jump", modulators={"dopamine": ("neuromodulator", "m")}),
    "stdp_inhibitory": Joined("spike_source", "lif", "jump"),
    "stdp_pair": Joined("spike_source", "lif", "jump"),
    "stdp_reward": Joined("spike_source", "lif", "jump"),
    "stdp_triplet": Joined("spike_source", "lif", "jump"),
    "stdp_triplet_nearest": Joined("spike_source", "lif", "jump"),
    "stdp_voltage": Joined("spike_source", "clopath_adex", "jump"),
    "symmetric_alignment": Joined("alignment_tanh", "alignment_tanh", "back", ("delta_decay", "ff"), back=True),
    "synaptic_scaling": Joined("spike_source", "lif", "jump"),
    "tied_feedback": Joined("alignment_tanh", "alignment_tanh", "back", ("delta_decay", "ff"), back=True),
    "tsodyks_markram": Joined("spike_source", "lif", "jump"),
    "tssl_bp": Joined("tssl_bp_input", "tssl_bp_lif", "ff"),
    "tssl_bp_loihi": Joined("spike_source", "loihi_lif", "a_in"),
    "weight_mirror": Joined("alignment_tanh", "alignment_tanh", "back"),
}


@dataclass(frozen=True)
class Outcome:
    """What the shipped chips make of a model: the sentence of each that refuses it, "" of one that takes it."""

    model: str
    refusals: dict[str, str]

    @property
    def line(self) -> str:
        """The line of the table."""
        told = {chip: why for chip, why in self.refusals.items() if why}
        taken = "all" if not told else f"all but {', '.join(f'`{chip}`' for chip in told)}"
        sentences = dict.fromkeys(short(why) for why in told.values())
        return f"| `{self.model}` | {taken} | {'; '.join(sentences)} |"


def short(sentences: str) -> str:
    """Refusals without places and remedies, each once; of the model that is tried, if one is."""
    found = sentences.splitlines()
    found = [one for one in found if "'tried'" in one] or found
    for pattern, instead in SHORT.items():
        found = [re.sub(pattern, instead, one) for one in found]
    return "; ".join(dict.fromkeys(found))


def of_neuron(name: str) -> str:
    """A network of one neuron, of which every input receives a 1 of its unit in every step."""
    text = f"populations: {{cells: {{size: 1, neuron: {name}{ranges(name)}}}}}\nstimuli:\n"
    for one in library.neuron(name).inputs:
        series = f"{{values: [{(one.unit and f'1 {one.unit}') or 1}], every: 1 ms, loop: true}}"
        text += f"  to_{one.name}: {{series: {series}, population: cells, input: {one.name}}}\n"
    return text.removesuffix("stimuli:\n")


def of_synapse(name: str) -> str:
    """A network of one synapse, and of its twin."""
    joined = PARTNERS[name]
    neurons = {"a": joined.pre, "b": joined.post, **{name: neuron for name, (neuron, _) in joined.modulators.items()}}
    sizes = ", ".join(f"{name}: {{size: 1, neuron: {neuron}{ranges(neuron)}}}" for name, neuron in neurons.items())
    seen = ", ".join(f"{name}: {name}.{variable}" for name, (_, variable) in joined.modulators.items())
    more = f"{', twin: other' if joined.twin else ''}{f', modulators: {{{seen}}}' if seen else ''}"
    text = f"populations: {{{sizes}}}\nprojections:\n  tried: {{{between('ab', joined.input, name)}{more}}}\n"
    if joined.twin:
        model, target = joined.twin
        text += f"  other: {{{between('ba' if joined.back else 'ab', target, model)}}}\n"
    return text


def ranges(neuron: str) -> str:
    """The field that gives what its model leaves without a range one."""
    names = [state.name for state in library.neuron(neuron).states if state.range is None]
    return f", ranges: {{{', '.join(f'{name}: [-8, 8]' for name in names)}}}" if names else ""


def between(ends: str, target: str, synapse: str) -> str:
    """The fields of a projection from one of the populations a, b to one of them."""
    return f"source: {ends[0]}, target: {ends[1]}, input: {target}, synapse: {synapse}, connect: one_to_one"


def refusal(text: str, chip: str) -> str:
    """Why a chip does not take a network, with the place; "" if it does."""
    network = neuroport.loads(f"neuroport: 1\nname: tried\ndt: 1 ms\n{text}")
    try:
        neuroport.compile(network, chip)
    except InvalidInput as error:
        return str(error)
    return ""


def outcome(name: str, kind: str, chips: Iterable[str]) -> Outcome:
    """What chips make of a model; kind is neuron or synapse."""
    text = of_neuron(name) if kind == "neuron" else of_synapse(name)
    return Outcome(name, {chip: refusal(text, chip) for chip in chips})


def table() -> str:
    """The table of all models of the library, neurons first."""
    return "\n".join([HEADER, *(outcome(name, kind, neuroport.chips).line for name, kind, _ in library.names())])


def written(text: str) -> str:
    """A page's text with the table as it is now."""
    before, _, rest = text.partition(HEADER)
    return before + table() + "\n\n" + rest.partition("\n\n")[2]
