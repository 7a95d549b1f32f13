"""The linear nodes of NIR, one output at a time, as PyTorch defines its layers of these names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


def _two(value: Any) -> tuple[int, int]:
    numbers = [int(n) for n in np.asarray(value).reshape(-1)]
    return (numbers[0], numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def _padding(value: Any, kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Before and after, for rows and columns; of an odd `same` the larger part is after."""
    if isinstance(value, str):
        spans = [(k - 1) * d if value == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
        return tuple((span // 2, span - span // 2) for span in spans)
    return tuple((n, n) for n in _two(value))


def _places(x: Real, kernel: tuple[int, int], node: Any, dilation: tuple[int, int]) -> Iterator[tuple[int, int, Real]]:
    """Row and column of every output, with what the kernel sees there: (channels, *kernel)."""
    stride = _two(node.stride)
    padded = np.pad(x, ((0, 0), *_padding(node.padding, kernel, dilation)))
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    for row, top in enumerate(range(0, padded.shape[1] - spans[0] + 1, stride[0])):
        for column, left in enumerate(range(0, padded.shape[2] - spans[1] + 1, stride[1])):
            ends = top + spans[0], left + spans[1]
            yield row, column, padded[:, top : ends[0] : dilation[0], left : ends[1] : dilation[1]]


def _gathered(values: dict[tuple[int, int], Real]) -> Real:
    rows, columns = (max(place[k] for place in values) + 1 for k in (0, 1))
    return np.array([[values[row, column] for column in range(columns)] for row in range(rows)]).transpose(2, 0, 1)


def conv2d(node: Any, x: Real) -> Real:
    outs, part, *size = node.weight.shape
    kernel, dilation, groups = (size[0], size[1]), _two(node.dilation), int(node.groups)
    found = {}
    for row, column, seen in _places(x, kernel, node, dilation):
        values = []
        for out in range(outs):
            first = out // (outs // groups) * part
            values.append(float((node.weight[out] * seen[first : first + part]).sum()) + node.bias[out])
        found[row, column] = np.array(values)
    return _gathered(found)


def conv1d(node: Any, x: Real) -> Real:
    """The convolution of one row."""

    class Flat:
        weight, bias, groups = node.weight[:, :, None], node.bias, node.groups
        stride, dilation = (1, int(node.stride)), (1, int(node.dilation))
        padding = node.padding if isinstance(node.padding, str) else (0, int(node.padding))

    return conv2d(Flat, x[:, None])[:, 0]


def pool(node: Any, x: Real, mean: bool) -> Real:
    """Sums, or means, of windows; what is around a map counts as 0 in both."""
    kernel = _two(node.kernel_size)
    found = {(r, c): seen.sum(axis=(1, 2)) for r, c, seen in _places(x, kernel, node, (1, 1))}
    return _gathered(found) / (kernel[0] * kernel[1] if mean else 1)


def flatten(node: Any, x: Real) -> Real:
    first, last = (n % x.ndim for n in (node.start_dim, node.end_dim))
    return x.reshape(*x.shape[:first], -1, *x.shape[last + 1 :])


def applied(node: Any, x: Real) -> Real:
    match type(node).__name__:
        case "Affine" | "Linear":
            return np.array([row @ x for row in node.weight]) + getattr(node, "bias", 0.0)
        case "Scale":
            return x * node.scale
        case "Conv1d":
            return conv1d(node, x)
        case "Conv2d":
            return conv2d(node, x)
        case "SumPool2d" | "AvgPool2d":
            return pool(node, x, type(node).__name__ == "AvgPool2d")
        case "Flatten":
            return flatten(node, x)
    raise AssertionError(node)
