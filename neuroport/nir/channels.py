"""Maps of neurons, (height, width, channels) here, as NIR has them for its convolutions: (channels, height, width).

A population is a map in a graph where all convolutions that begin or end in it agree on its shape, and nothing else
leads to it: NIR can make a vector of a map, but no map of a vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.connections.convolution import Convolution
from neuroport.network.objects import Projection
from neuroport.nir.forms import nir

Plane = tuple[int, int, int]
"""Height, width, channels."""


def window(projection: Projection) -> Convolution | None:
    """The convolution that a projection is, if NIR (nir 1.0.8) has one like it: square, in one group, padded alike."""
    one = projection.connect
    if not isinstance(one, Convolution) or one.transposed or one.groups != 1 or projection.dendritic is not None:
        return None
    if (projection.source_part, projection.target_part) != (None, None):
        return None
    rows, columns = one.windows.rows, one.windows.columns
    alike = rows.kernel == columns.kernel and rows.before == rows.after and columns.before == columns.after
    return one if alike else None


def planes(
    projections: Iterable[Projection], able: Callable[[Projection, Plane], bool]
) -> tuple[dict[str, Plane], dict[str, Convolution]]:
    """The populations that are maps, and the projections that are convolutions between them.

    `able`: whether a projection to a map of that shape can be one otherwise.
    """
    every = list(projections)
    found = {one.name: made for one in every if (made := window(one)) and able(one, _ends(made)[1])}
    while True:
        shapes: dict[str, Plane] = {}
        flat = {one.target for one in every if one.name not in found}
        for one in every:
            if one.name in found:
                for name, shape in zip((one.source, one.target), _ends(found[one.name]), strict=True):
                    if shapes.setdefault(name, shape) != shape:
                        flat.add(name)
        left = {one.name: found[one.name] for one in every if one.name in found and not {one.source, one.target} & flat}
        if len(left) == len(found):
            return shapes, found
        found = left


def _ends(one: Convolution) -> tuple[Plane, Plane]:
    return (*one.windows.shape, one.channels[0]), (*one.windows.outputs, one.channels[1])


def convolution(one: Convolution, kernel: NDArray[np.float64], bias: NDArray[np.float64] | None) -> Any:
    """The node of a convolution. `kernel`: its entries; `bias`: of the neurons behind it, alike in a channel."""
    rows, columns = one.windows.rows, one.windows.columns
    added = np.zeros(one.channels[1]) if bias is None else bias.reshape(-1, one.channels[1])[0]
    return nir().Conv2d(
        input_shape=one.windows.shape,
        weight=np.ascontiguousarray(kernel.reshape(one.axes).transpose(3, 2, 0, 1)),
        stride=one.windows.stride,
        padding=(rows.before, columns.before),
        dilation=one.windows.dilation,
        groups=1,
        bias=added,
    )


def arrange(nodes: dict[str, Any], edges: list[tuple[str, str]], shapes: dict[str, Plane]) -> None:
    """Give nodes the shapes of maps, and make vectors of these where matrices follow. `shapes`: of some of them."""
    kinds = {name: type(node).__name__ for name, node in nodes.items()}
    known = 0
    while known < len(shapes):
        known = len(shapes)
        for start, end in edges:
            if end in shapes and kinds[start] in ("Input", "Scale"):
                shapes.setdefault(start, shapes[end])
            if start in shapes and kinds[end] in ("Output", "Delay"):
                shapes.setdefault(end, shapes[start])
    for name, shape in shapes.items():
        nodes[name] = _arranged(nodes[name], shape)
    for k, (start, end) in enumerate(list(edges)):
        if start in shapes and kinds[end] in ("Linear", "Affine"):
            flat, (height, width, channels) = f"{start}.flat", shapes[start]
            if flat not in nodes:
                nodes[flat] = nir().Flatten(input_type=np.array([channels, height, width]), start_dim=0, end_dim=-1)
                edges.append((start, flat))
            edges[k] = (flat, end)
            order = _channels_first(np.arange(height * width * channels), shapes[start]).reshape(-1)
            nodes[end].weight = np.ascontiguousarray(nodes[end].weight[:, order])


def _arranged(node: Any, shape: Plane) -> Any:
    """A node of a vector as that of a map."""
    first = np.array([shape[2], *shape[:2]])
    if type(node).__name__ in ("Input", "Output"):
        return type(node)(first)
    given = {one.name: getattr(node, one.name) for one in fields(node) if one.init and one.name != "metadata"}
    return type(node)(**{name: _channels_first(values, shape) for name, values in given.items()})


def _channels_first(values: NDArray[Any], shape: Plane) -> NDArray[Any]:
    """Numbers by neuron, by channel, row and column."""
    return np.ascontiguousarray(values.reshape(shape).transpose(2, 0, 1))
