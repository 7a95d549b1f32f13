"""neuroport: a network with its learning rule, written once, run bit-exactly on emulated neuromorphic chips.

import neuroport
network = neuroport.load("networks/sal_pair.yaml")
run = neuroport.run(network, backend="emulator", chip="generic8", trace="pair.h5")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["InvalidInput", "NeuroportError", "RunFailed", "Unsupported", "compile", "load", "open", "run", "run_copies"]

if TYPE_CHECKING:
    from neuroport.api.api import compile, load, open, run
    from neuroport.api.copies import run_copies
    from neuroport.errors import InvalidInput, NeuroportError, RunFailed, Unsupported


def __getattr__(name: str) -> Any:
    """Import the public functions when they are first used, so that `import neuroport` stays quick."""
    if name == "run_copies":
        from neuroport.api.copies import run_copies

        return run_copies
    if name in ("compile", "load", "open", "run"):
        from neuroport.api import api

        return getattr(api, name)
    if name in __all__:
        from neuroport import errors

        return getattr(errors, name)
    raise AttributeError(f"module 'neuroport' has no attribute '{name}'")
