"""A server for the time of a block, for hosts in other processes, and for trying out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import neuroport.networks as networks
from neuroport.disk.paths import exists
from neuroport.hil.address import parsed
from neuroport.hil.server import Offer, serving
from neuroport.numerics.given import PATH, TEXT, takes


@contextmanager
@takes(network=PATH, at=TEXT)
def serve(network: str | Path, at: str = "tcp://127.0.0.1:0", **defaults: Any) -> Iterator[str]:
    """Serve sessions of a network file, or of a network that comes with neuroport, until the block is left.

    Gives the address at which it listens: `with serve("sal_sampling") as address: ...`. `defaults`: how sessions are
    opened where their hosts say nothing (backend, chip, chip_seed, seed, keep; see neuroport.open).
    """
    path = Path(network)
    if not exists(path) and str(network) in networks.names():
        path = networks.path(str(network))
    with serving(parsed(at), Offer(networks={path.stem: path.resolve()}, defaults=defaults)) as address:
        yield address
