"""The large arrays of a network, which lie beside its text in a trace (neuroport.files.apart)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from neuroport.disk.findings import Kind
from neuroport.disk.hdf5 import HIGHEST, LOWEST, NUMBERS, opened

ARRAYS = "arrays"
"""The group of them in that of neuroport."""


def network_array(path: Path, kind: Kind, name: str) -> NDArray[Any] | None:
    """The one of that name as float64 or int64; None where there is none. Raises InvalidInput for a damaged file."""
    with opened(path, kind, known=True) as root:
        data = root.find(f"/neuroport/{ARRAYS}/{name}", NUMBERS)
        if data is None:
            return None
        return data.real_numbers() if data.kind == "f" else data.whole_numbers(LOWEST, HIGHEST)
