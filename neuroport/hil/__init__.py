"""The emulated chip in the loop: a link that delays and loses, a server of sessions, and its client (docs/hil.md).

from neuroport import hil
with hil.connect("tcp://127.0.0.1:5555") as session:
    answer = session.exchange({"observation": [0.1, 0.2]}, 20, ["action"])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["Linked", "connect", "serve"]

if TYPE_CHECKING:
    from neuroport.hil.client import connect
    from neuroport.hil.hosting import serve
    from neuroport.hil.linked import Linked

_HOMES = {"Linked": "linked", "connect": "client", "serve": "hosting"}


def __getattr__(name: str) -> Any:
    """Import what is used when it is first used, so that `import neuroport.hil` stays quick."""
    if name not in __all__:
        raise AttributeError(f"module 'neuroport.hil' has no attribute '{name}'")
    return getattr(import_module(f"neuroport.hil.{_HOMES[name]}"), name)
