"""neuroport list, and neuroport show of all that it names: one thing of a name, and several that are told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from neuroport.catalogue import ALL
from neuroport.cli import main
from neuroport.commands.things import things
from neuroport.pages.plain import text


def said(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 2, result.output
    return result.stderr.rstrip("\n")


@pytest.mark.parametrize("what", ALL)
def test_a_list_has_a_line_for_each(what: str) -> None:
    lines = said("list", what).splitlines()
    assert lines[0].split()[0] == "name" and lines[0].split()[-1] == "title"
    assert len(lines) == len(ALL[what]) + 1
    for line, (name, title) in zip(lines[1:], ALL[what].titles.items(), strict=True):
        assert line.split()[0] == name and line.endswith(title)
    rows = json.loads(said("list", what, "--json"))[what]
    assert [(row["name"], row["title"]) for row in rows] == list(ALL[what].titles.items())


def test_lists_have_what_tells_most_beside_the_title() -> None:
    rows = {what: {row["name"]: row for row in json.loads(said("list", what, "--json"))[what]} for what in ALL}
    assert rows["models"]["lif"]["kind"] == "neuron" and rows["models"]["static"]["kind"] == "synapse"
    assert rows["chips"]["ideal32"]["arithmetic"] == "float32"
    assert rows["networks"]["balanced"]["chip"] == "generic16"


@pytest.mark.parametrize(
    ("words", "what", "name"),
    [
        (["lif"], "models", "lif"),
        (["model", "lif"], "models", "lif"),
        (["synapse", "stdp_pair"], "models", "stdp_pair"),
        (["neuron", "izhikevich"], "models", "izhikevich"),
        (["generic8"], "chips", "generic8"),
        (["chip", "loihi1"], "chips", "loihi1"),
        (["rate"], "metrics", "rate"),
        (["connection", "file"], "connections", "file"),
        (["patterns"], "stimuli", "patterns"),
        (["dataset", "digits"], "datasets", "digits"),
        (["network", "stdp_pair"], "networks", "stdp_pair"),
    ],
    ids=" ".join,
)
def test_show_of_a_name(words: list[str], what: str, name: str) -> None:
    assert said("show", *words) == text(ALL[what].page(name), None) + "\n"


def test_things_of_one_name_are_told_apart() -> None:
    assert said("show", "stdp_pair").startswith(
        "stdp_pair is a network (neuroport show network stdp_pair) and a synapse model (neuroport show synapse "
        "stdp_pair); below is the network\n\nstdp_pair: Pair STDP strengthens the inputs that fire together\n"
    )
    both = said("show", "model", "izhikevich")
    assert both == said("show", "neuron", "izhikevich")


def test_every_name_that_is_listed_stands_for_something() -> None:
    for catalogue in ALL.values():
        for name in catalogue:
            found = things(name)
            assert catalogue in [thing.catalogue for thing in found]
            assert len(found) == sum(name in other for other in ALL.values())
            assert all(things(name, thing.kind) == [thing] for thing in found)


def test_a_name_of_nothing() -> None:
    end = "`neuroport list models|chips|networks|datasets|metrics|connections|stimuli` names what there is"
    start = "there is no such file, and nothing of that name comes with neuroport"
    assert refused("show", "lfi") == f"error: lfi: {start}; did you mean 'lif'? {end}"
    assert refused("show", "x_x_x") == f"error: x_x_x: {start}; {end}"
    rows = json.loads(said("list", "models", "--json"))["models"]
    neurons = ", ".join(row["name"] for row in rows if row["kind"] == "neuron")
    assert refused("show", "neuron", "stdp_pair") == (
        "error: stdp_pair: there is no neuron model of that name; it is a network, a synapse model; there are: "
        + neurons
    )
    assert refused("show", "stimulus", "serie") == (
        "error: serie: there is no stimulus of that name; did you mean 'series'? there are: spikes, series, patterns"
    )
    text = "error: the name is empty; give a file, or the name of what `neuroport list` has"
    assert refused("show", "") == refused("show", "network", "") == text


def test_what_a_network_has() -> None:
    """Its own models, too, and objects with what the network gives them."""
    head = "relay: source to spike_in of together by relay, delay 1 step\n\nrelay: Passes spikes on, one for one\n"
    assert said("show", "stdp_pair", "relay").startswith(head)
    assert said("show", "stdp_pair", "stdp_pair") == said("show", "synapse", "stdp_pair").partition("used by")[0]
    assert said("show", "balanced", "exc").startswith(
        "exc: 3,200 neurons of cuba_lif, v_rest -46 mV, v_reset -60 mV, v_th -50 mV, v at first uniform(low=-60 mV, "
        "high=-50 mV)\n\ncuba_lif: Leaky integrate-and-fire neuron with exponential synaptic currents\n"
    )
    assert refused("show", "balanced", "ecx") == (
        "error: network 'balanced' has no model, population or projection 'ecx'; did you mean 'exc'? there are: "
        "cuba_lif, static, exc, inh, exc_to_exc, exc_to_inh, inh_to_exc, inh_to_inh"
    )


@pytest.mark.parametrize("words", [("neurone", "lif"), ("neuron", "lif", "lif")])
def test_too_many_words(words: tuple[str, ...]) -> None:
    assert refused("show", *words).endswith(
        "\n\nError: show takes one NAME or FILE, or a NAME after a NET or a KIND; KIND is one of network, neuron, "
        f"synapse, model, chip, dataset, metric, connection, stimulus; found '{' '.join(words)}'."
    )


def test_show_of_a_file_of_models(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "neurons:\n  bare: {title: Nothing at all, state: {v: {}}}\nsynapses:\n  wire: {state: {w: {weight: true}}}\n"
    )
    assert said("show", mine) == (
        f"bare: Nothing at all\nneuron model, from {mine}\n\n"
        "  variable  unit  at first  range  word   deviates as\n  v         -     0         -      state  -\n\n"
        f"does not spike\n\nwire\nsynapse model, from {mine}\n\n"
        "  variable        unit  at first  range  word    deviates as\n"
        "  w (the weight)  -     0         -      weight  -\n\n"
        "  sends  to         when                              a weight of 1 adds\n"
        "  w      the input  when a presynaptic spike arrives  1\n\n"
        "What arrives counts in the unit of the input that the projection names: with lif, a weight of 1 at `jump` "
        "adds 1 mV, and at `i` 1 nA.\n"
    )
    mine.write_text("neurons:\n  bare: {tilte: x}\n")
    assert refused("show", mine).startswith(f"error: {mine}:2:10: unknown key 'tilte' in neuron model 'bare'; ")


def test_a_path_goes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lif").write_text("neurons:\n  mine: {state: {}}\n")
    assert said("show", "lif").startswith("mine\nneuron model, from lif\n")
    assert said("show", "neuron", "lif").startswith("lif: Leaky integrate-and-fire neuron\n")
