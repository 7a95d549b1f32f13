"""The models that come with neuroport, those of neurons first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from neuroport.catalogue.catalogue import Catalogue
from neuroport.catalogue.networks import used
from neuroport.files import library
from neuroport.network import described
from neuroport.network.model import NeuronModel, SynapseModel
from neuroport.pages import Page
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import MapNode, parse, read_bytes

Model = NeuronModel | SynapseModel


@cache
def kinds() -> Mapping[str, library.Kind]:
    """Name -> "neuron" or "synapse"; no two models have the same name."""
    return {name: kind for name, kind, _ in library.names()}


def of_file(path: Path) -> list[Model] | None:
    """The models of a file that has nothing else, in its order; None for another file. InvalidInput for wrong ones."""
    root = parse(read_bytes(path, str(path)), str(path))
    if not isinstance(root, MapNode) or not root.entries or not set(root.entries) <= set(library.SECTIONS):
        return None
    report, found = Report(), library.Library()
    found.add(report, root)
    found.read_all(report, str(path))
    report.stop(str(path))
    return [model for model in found.read.values() if model is not None]


def _lines() -> Mapping[str, str]:
    return {name: title for name, _, title in library.names()}


def _load(name: str) -> Model:
    return library.neuron(name) if kinds()[name] == "neuron" else library.synapse(name)


def _page(name: str) -> Page:
    return described.page(_load(name), used().get((kinds()[name], name), ()))


MODELS: Catalogue[Model] = Catalogue("model", "models", _lines, _load, _page)
