"""neuroport: a network with its learning rule, written once, run bit-exactly on emulated neuromorphic chips.

    import neuroport
    network = neuroport.load("networks/sal_pair.yaml")
    run = neuroport.run(network, backend="emulator", chip="generic8", trace="pair.h5")

The functions are described where they stand: neuroport.api.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neuroport.version import __version__ as __version__

__all__ = [
    "Exchange",
    "InvalidInput",
    "NeuroportError",
    "RunFailed",
    "Unsupported",
    "Write",
    "calibrate",
    "compile",
    "load",
    "open",
    "resume",
    "run",
    "run_copies",
]

if TYPE_CHECKING:
    from neuroport.api.calibrate import calibrate
    from neuroport.api.compile import compile
    from neuroport.api.copies import run_copies
    from neuroport.api.load import load
    from neuroport.api.resume import resume
    from neuroport.api.run import open, run
    from neuroport.errors import InvalidInput, NeuroportError, RunFailed, Unsupported
    from neuroport.session.exchange import Exchange, Write

_HOMES = {
    "Exchange": "neuroport.session.exchange",
    "Write": "neuroport.session.exchange",
    "calibrate": "neuroport.api.calibrate",
    "compile": "neuroport.api.compile",
    "load": "neuroport.api.load",
    "open": "neuroport.api.run",
    "resume": "neuroport.api.resume",
    "run": "neuroport.api.run",
    "run_copies": "neuroport.api.copies",
}


def __getattr__(name: str) -> Any:
    """Import the public functions when they are first used, so that `import neuroport` stays quick."""
    if name not in __all__:
        raise AttributeError(f"module 'neuroport' has no attribute '{name}'")
    return getattr(import_module(_HOMES.get(name, "neuroport.errors")), name)
