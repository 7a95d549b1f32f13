"""What comes with neuroport, by name: models, chips, networks, and the kinds of things that a network file may have.

What is told of each stands in its own text: a model's and a chip's YAML, the docstring of a kind. The command line, the
mappings of the package (neuroport.models, neuroport.chips, …) and docs/library.md show the same.
"""

from __future__ import annotations

from typing import Any

from neuroport.catalogue.catalogue import Catalogue
from neuroport.catalogue.chips import CHIPS
from neuroport.catalogue.kinds import CONNECTIONS, DATASETS, METRICS, STIMULI
from neuroport.catalogue.models import MODELS
from neuroport.catalogue.networks import NETWORKS

__all__ = ["ALL", "Catalogue"]

ALL: dict[str, Catalogue[Any]] = {
    found.several: found for found in (MODELS, CHIPS, NETWORKS, DATASETS, METRICS, CONNECTIONS, STIMULI)
}
