"""What there is by name: mappings of the package, the texts of what comes with it, and the page made of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import neuroport
from neuroport.catalogue import ALL
from neuroport.catalogue.book import book
from neuroport.catalogue.networks import used
from neuroport.errors import UnknownKey
from neuroport.network.model import NeuronModel, SynapseModel
from neuroport.pages import Table
from tests.support.checkout import ROOT

EVERY = [(what, name) for what, catalogue in ALL.items() for name in catalogue]


def test_the_page_of_the_library_is_up_to_date(root: Path) -> None:
    stored = (root / "docs" / "library.md").read_text("utf-8")
    assert stored == book(), "make it anew: python -m neuroport.catalogue.book docs/library.md"


@pytest.mark.parametrize("what", ALL)
def test_the_package_has_a_mapping_of_each_kind(what: str) -> None:
    shelf = getattr(neuroport, what)
    assert isinstance(shelf, Mapping)
    names = list(ALL[what])
    assert list(shelf) == list(shelf.keys()) == [name for name, _ in shelf.items()] == names
    assert len(shelf) == len(names) == len(list(shelf.values())) and bool(shelf)
    assert names[0] in shelf and "nosuch" not in shelf
    assert shelf.get("nosuch", 7) == 7
    assert repr(shelf) == f"<{len(names)} {what}: {', '.join(names)}>"
    assert shelf._repr_html_().count("<tr>") == len(names) + 1


def test_a_module_that_is_a_mapping_is_a_module_all_the_same() -> None:
    """It can be a key and be asked whether it is there, without a look at what is in it."""
    program = (
        "import sys, neuroport.chips as chips; assert chips and {chips: 1}[chips] and chips == chips != sys; "
        "print('neuroport.catalogue' in sys.modules, chips.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False neuroport.chips\n"


def test_what_a_mapping_has_is_what_functions_take() -> None:
    run = neuroport.run(neuroport.networks["sal_pair"], "reference", neuroport.chips["generic16"], duration=3)
    assert (run.network, run.chip, run.steps) == ("sal_pair", "generic16", 3)
    neuron, synapse = neuroport.models["lif"], neuroport.models["stdp_pair"]
    assert isinstance(neuron, NeuronModel) and isinstance(synapse, SynapseModel)
    assert neuroport.metrics["rate"].kind == "rate"
    assert neuroport.datasets["yin_yang"].sizes["test"] == 900


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(UnknownKey) as caught:
        neuroport.chips["generic"]
    names = ", ".join(neuroport.chips)
    assert str(caught.value) == f"there is no chip 'generic'; did you mean 'generic8'? chips are {names}"
    assert isinstance(caught.value, KeyError) and isinstance(caught.value, neuroport.InvalidInput)


def test_models_have_names_of_their_own() -> None:
    """A mapping has one thing of a name, so that no neuron model may be called like a synapse model."""
    from neuroport.files import library

    assert len(ALL["models"]) == len(library.names())


@pytest.mark.parametrize(("what", "name"), EVERY, ids=lambda value: str(value))
def test_everything_tells_what_it_is(what: str, name: str) -> None:
    title = ALL[what].titles[name]
    assert title and "\n" not in title and not title.endswith(".")
    page = ALL[what].page(name)
    assert (page.name, page.title) == (name, title) or what == "networks"
    assert page.filled
    assert all(len(row) == len(part.columns) for part in page.parts if isinstance(part, Table) for row in part.rows)


@pytest.mark.parametrize("name", ALL["models"])
def test_every_model_has_its_texts(name: str) -> None:
    """What a user is told comes from the YAML of the model: nothing may be missing there."""
    model = neuroport.models[name]
    assert model.title and model.source and model.equations
    assert all(parameter.default is not None for parameter in model.parameters)


@pytest.mark.parametrize("name", ALL["networks"])
def test_which_networks_use_a_model_is_read_from_them(name: str) -> None:
    """Found in their texts; here in what is read of them."""
    network = neuroport.networks[name]
    models = {("neuron", p.neuron.name) for p in network.populations}
    models |= {("synapse", p.synapse.name) for p in network.projections}
    assert {model for model, networks in used().items() if name in networks} == models
