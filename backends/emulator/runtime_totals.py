"""What generated modules have besides where events reduce over elements: its source comes after that of `runtime`.

Values of elements lie one after the other, those of all copies of an element together: `width` of each. The largest is
looked for from any value of the group on, and ends as never -0.
"""

import numpy as np

from neuroport.backends.emulator.runtime import real_max


def sum_population(values, into, width):
    """Give every neuron the sum over all."""
    if values.shape[0] == 0:
        return
    for c in range(width):
        into[c] = 0
    for first in range(0, values.shape[0], width):
        for c in range(width):
            into[c] += values[first + c]
    for k in range(width, into.shape[0]):
        into[k] = into[k - width]


def max_population(values, into, width):
    """Give every neuron the largest of all."""
    if values.shape[0] == 0:
        return
    for c in range(width):
        into[c] = values[c]
    for first in range(0, values.shape[0], width):
        for c in range(width):
            into[c] = real_max(into[c], values[first + c])
    for c in range(width):
        into[c] = into[c] + 0
    for k in range(width, into.shape[0]):
        into[k] = into[k - width]


def sum_incoming(values, into, post, width):
    """Give every neuron the sum over the synapses onto it."""
    for k in range(into.shape[0]):
        into[k] = 0
    for s in range(post.shape[0]):
        for c in range(width):
            into[np.int64(post[s]) * width + c] += values[s * width + c]


def max_incoming(values, into, post, width):
    """Give every neuron the largest of the synapses onto it."""
    for s in range(post.shape[0]):
        for c in range(width):
            into[np.int64(post[s]) * width + c] = values[s * width + c]
    for s in range(post.shape[0]):
        for c in range(width):
            k = np.int64(post[s]) * width + c
            into[k] = real_max(into[k], values[s * width + c])
    for k in range(into.shape[0]):
        into[k] = into[k] + 0


def sum_columns(values, into):
    """Give every neuron the sum over the synapses onto it, in a full matrix."""
    for k in range(into.shape[0]):
        into[k] = 0
    if into.shape[0] == 0:
        return
    for first in range(0, values.shape[0], into.shape[0]):
        for k in range(into.shape[0]):
            into[k] += values[first + k]


def max_columns(values, into):
    """Give every neuron the largest of the synapses onto it, in a full matrix."""
    if values.shape[0] == 0:
        return
    for k in range(into.shape[0]):
        into[k] = values[k]
    for first in range(0, values.shape[0], into.shape[0]):
        for k in range(into.shape[0]):
            into[k] = real_max(into[k], values[first + k])
    for k in range(into.shape[0]):
        into[k] = into[k] + 0


def sum_outgoing(values, into, rows, width):
    """Give every neuron the sum over the synapses that start from it."""
    for i in range(rows.shape[0] - 1):
        for c in range(width):
            into[i * width + c] = 0
        for s in range(rows[i], rows[i + 1]):
            for c in range(width):
                into[i * width + c] += values[s * width + c]


def max_outgoing(values, into, rows, width):
    """Give every neuron the largest of the synapses that start from it."""
    for i in range(rows.shape[0] - 1):
        if rows[i] < rows[i + 1]:
            for c in range(width):
                into[i * width + c] = values[rows[i] * width + c]
            for s in range(rows[i], rows[i + 1]):
                for c in range(width):
                    into[i * width + c] = real_max(into[i * width + c], values[s * width + c])
            for c in range(width):
                into[i * width + c] = into[i * width + c] + 0
