"""The emulated chip in the loop: a link that delays and loses, a server of sessions, and its client (docs/hil.md).

from neuroport import hil
with hil.connect("tcp://127.0.0.1:5555") as session:
    answer = session.exchange({"observation": [0.1, 0.2]}, 20, ["action"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["connect"]

if TYPE_CHECKING:
    from neuroport.hil.client import connect


def __getattr__(name: str) -> Any:
    """Import the client when it is first used, so that `import neuroport.hil` stays quick."""
    if name != "connect":
        raise AttributeError(f"module 'neuroport.hil' has no attribute '{name}'")
    from neuroport.hil.client import connect

    return connect
