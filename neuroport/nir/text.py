"""The network file of a NIR graph: short, with what was guessed at its head, and numbers in an HDF5 file beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.build.network import Network
from neuroport.files.writer import plain
from neuroport.network.values import Frozen
from neuroport.nir.network import Made
from neuroport.yaml import text as emit
from neuroport.yaml.arrays import Sink

INLINE = 4
"""So many numbers stay in the network file."""


class _Short(Sink):
    """Leaves few numbers inside."""

    def array(self, values: Frozen, at: str) -> Any:
        """See Sink."""
        if values.array.size > INLINE and values.array.ndim > 0:
            kind = np.float64 if values.array.dtype.kind == "f" else np.int64
            self.arrays[at] = values.array.astype(kind)
            return {"file": self.beside, "dataset": f"/{at}"}
        return super().array(values, at)


def text(network: Network, made: Made, path: Path, source: str) -> tuple[str, dict[str, NDArray[Any]]]:
    """The text of the network file at `path`, and the arrays for the file beside it, of a graph that `source` names."""
    written = network.build()
    sink = _Short(written.folder, path.with_suffix(".h5").name, path.parent)
    data = tidy(plain(written, sink))
    return "\n".join([*_head(made, source), emit.document(data)]), sink.arrays


def on_chip(text: str, chip: str) -> str:
    """The text of a network file that names a chip, after its step; as it is where that is none, or the one it has."""
    if chip in ("", "ideal"):
        return text
    lines = text.split("\n")
    at = next(k for k, line in enumerate(lines) if line.startswith("dt:"))
    return "\n".join([*lines[: at + 1], f"chip: {emit.scalar(chip)}", *lines[at + 1 :]])


def tidy(data: dict[str, Any]) -> dict[str, Any]:
    """The same network without what a file has anyway."""
    data = {key: value for key, value in data.items() if (key, value) not in (("seed", 1), ("chip", "ideal"))}
    for name, projection in data.get("projections", {}).items():
        kept = {key: value for key, value in projection.items() if (key, value) != ("delay", "1 step")}
        data["projections"][name] = kept
    return {key: _shorter(value) for key, value in data.items()}


def _shorter(value: Any) -> Any:
    """Arrays of files and kernels that are squares in their short forms."""
    if isinstance(value, list):
        return [_shorter(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if list(value) == ["array"] and isinstance(value["array"], Mapping):
        return dict(value["array"])
    kernel = value.get("kernel")
    if isinstance(kernel, list) and len(kernel) == 2 and kernel[0] == kernel[1]:
        value = {**value, "kernel": kernel[0]}
    return {key: _shorter(inner) for key, inner in value.items()}


def _head(made: Made, source: str) -> Iterable[str]:
    """What was guessed, and what is otherwise than in NIR, as comments."""
    guesses = made.choices.guesses
    yield f"# Made of {source} by neuroport import." + (" NIR leaves open, and this was taken:" if guesses else "")
    wide = max((len(guess.value) for guess in guesses), default=0)
    for guess in guesses:
        yield f"#   {guess.name:<10} {guess.value:<{wide}}  {guess.why}"
    changed = [line for line in made.lines if line.status == "changed"]
    if changed:
        yield "# Otherwise than in NIR:"
    for line in changed:
        for told in made.told.get(line.node, ()):
            yield f"#   {line.node}: {told}"
