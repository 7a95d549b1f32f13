"""A network with its learning rule, written once, run bit-exactly on emulated neuromorphic chips.

Read a network, or one that comes with neuroport by its name, and run it as its file says:

    import neuroport
    network = neuroport.load("sal_pair")
    run = neuroport.run(network, chip="generic8", trace="pair.h5")
    run.metrics, run.rates, run.digest

Run it by hand, looking and changing on the way:

    with neuroport.open(network, chip="generic8") as session:
        session.run("100 ms")
        steps, neurons = session.spikes("units")
        weights = session.get("recurrent.w")

What there is, as mappings from names to what these functions take; `print(neuroport.models["lif"])` tells all of it:

    neuroport.models, neuroport.chips, neuroport.networks, neuroport.datasets,
    neuroport.metrics, neuroport.connections, neuroport.stimuli

Write a network here, or go on with one (neuroport.Network.of); the functions take it as they take a loaded one:

    net = neuroport.Network(dt="1 ms")
    exc = net.population("exc", 80, "lif", tau_m="15 ms")
    net.project(exc, exc, "static", input="jump", connect={"fixed_probability": 0.1}, weight=0.2)

Functions: load and loads read, compile makes a program of a network, run and run_copies run it, resume goes on with a
run that was stopped, open gives a Session, calibrate finds the ranges that chips need, sweep runs all points of a grid
in processes of their own, from_nir takes the graphs of other tools, and to_nir makes one. neuroport.hil has the chip in
the loop of another process. Whatever is wrong raises a NeuroportError whose text says where, what and what to do:
InvalidInput, Unsupported or RunFailed. The documentation lies in docs/ of the source; `neuroport --help` has the
command line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neuroport.version import __version__ as __version__

__all__ = [
    "Exchange",
    "InvalidInput",
    "Network",
    "NeuroportError",
    "RunFailed",
    "Unsupported",
    "Write",
    "calibrate",
    "chips",
    "compile",
    "connections",
    "datasets",
    "from_nir",
    "hil",
    "load",
    "loads",
    "metrics",
    "models",
    "networks",
    "open",
    "resume",
    "run",
    "run_copies",
    "stimuli",
    "sweep",
    "to_nir",
]

if TYPE_CHECKING:
    from neuroport import hil as hil
    from neuroport.api.calibrate import calibrate
    from neuroport.api.compile import compile
    from neuroport.api.copies import run_copies
    from neuroport.api.load import load, loads
    from neuroport.api.nir import from_nir
    from neuroport.api.resume import resume
    from neuroport.api.run import open, run
    from neuroport.api.to_nir import to_nir
    from neuroport.build.network import Network
    from neuroport.catalogue import Catalogue
    from neuroport.catalogue.models import Model
    from neuroport.chips.chip import Chip
    from neuroport.connections.rule import Rule
    from neuroport.datasets.dataset import DataSet
    from neuroport.errors import InvalidInput, NeuroportError, RunFailed, Unsupported
    from neuroport.metrics.metric import Metric
    from neuroport.network.network import Network as Written
    from neuroport.session.exchange import Exchange, Write
    from neuroport.stimuli.kind import Kind
    from neuroport.sweeps.sweep import sweep

    models: Catalogue[Model]
    chips: Catalogue[Chip]
    connections: Catalogue[Rule[Any]]
    datasets: Catalogue[DataSet]
    metrics: Catalogue[type[Metric]]
    networks: Catalogue[Written]
    stimuli: Catalogue[Kind[Any]]

_HOMES = {
    "Exchange": "neuroport.session.exchange",
    "Network": "neuroport.build.network",
    "Write": "neuroport.session.exchange",
    "calibrate": "neuroport.api.calibrate",
    "compile": "neuroport.api.compile",
    "from_nir": "neuroport.api.nir",
    "load": "neuroport.api.load",
    "loads": "neuroport.api.load",
    "open": "neuroport.api.run",
    "resume": "neuroport.api.resume",
    "run": "neuroport.api.run",
    "run_copies": "neuroport.api.copies",
    "sweep": "neuroport.sweeps.sweep",
    "to_nir": "neuroport.api.to_nir",
}
_ROOMS = ("chips", "connections", "datasets", "hil", "metrics", "networks", "stimuli")


def __getattr__(name: str) -> Any:
    """Import what is public when it is first used, so that `import neuroport` stays quick."""
    if name not in __all__:
        raise AttributeError(f"module 'neuroport' has no attribute '{name}'")
    if name == "models":
        return import_module("neuroport.catalogue").ALL[name]
    if name in _ROOMS:
        return import_module(f"neuroport.{name}")
    return getattr(import_module(_HOMES.get(name, "neuroport.errors")), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted([*__all__, "__version__"])
