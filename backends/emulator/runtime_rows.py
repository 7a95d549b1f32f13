"""What generated modules have besides where synapses are not stored: rows drawn anew for every spike.

Their numbers are those that `program.laws` draws, to the bit; the source of this comes after that of `runtime`.
law: the key of the draws, targets, the first one that is wanted, the one before which these end, 1 if a neuron may be
its own target, and how many targets a neuron has where that is fixed.
"""

import numpy as np

from neuroport.backends.emulator.native.words import as_bits, as_real, inline
from neuroport.backends.emulator.runtime import FRACTION, GAMMA, SHIFT_12, SHIFT_32, mix, select


@inline
def log_below_one(x):
    """The natural logarithm of a normal x below 1, to the bit that of `numerics.detmath`."""
    bits = as_bits(x)
    m = as_real((bits & FRACTION) | (1022 << 52))
    low = m < 0.7071067811865476
    k = np.float64((bits >> 52) - 1022) - select(low, 1.0, 0.0)
    f = select(low, m + m, m) - 1.0
    square = f * f
    split = f * 134217729.0
    high = split - (split - f)
    rest = f - high
    square_rest = ((high * high - square) + high * rest + rest * high) + rest * rest
    half = 0.5 * square
    s = f / (2.0 + f)
    z = s * s
    p = 2.0 / 25.0
    p = p * z + 2.0 / 23.0
    p = p * z + 2.0 / 21.0
    p = p * z + 2.0 / 19.0
    p = p * z + 2.0 / 17.0
    p = p * z + 2.0 / 15.0
    p = p * z + 2.0 / 13.0
    p = p * z + 2.0 / 11.0
    p = p * z + 2.0 / 9.0
    p = p * z + 2.0 / 7.0
    p = p * z + 2.0 / 5.0
    p = p * z + 2.0 / 3.0
    series = s * (half + z * p)
    of_k = k * 0.6931471803691238
    one = of_k + f
    back = one - of_k
    error = (of_k - (one - back)) + (f - back)
    two = one - half
    back = two - one
    error = error + ((one - (two - back)) + (-half - back))
    low_part = error + ((series - 0.5 * square_rest) + k * 1.9082149292705877e-10)
    return two + low_part


def redraw_jumps(i, law, divisor, gaps, drawn):
    """List the targets of row i, each of which has the same probability; how many there are."""
    key = mix(np.uint64(law[0]) + GAMMA * np.uint64(i + 1))
    targets = law[1]
    first = law[2]
    last = law[3]
    itself = i if law[4] == 0 else -1
    most = np.float64(targets)
    count = 0
    at = -1
    jump = 1
    while at < last:
        for k in range(gaps.shape[0]):
            word = mix(key + GAMMA * np.uint64(jump + k))
            times = log_below_one((np.float64(np.int64(word >> SHIFT_12)) + 0.5) * 2.220446049250313e-16) / divisor[0]
            gaps[k] = np.int64(times if times < most else most)
        for k in range(gaps.shape[0]):
            at = at + 1 + gaps[k]
            drawn[count] = at - first
            count += 1 if (at >= first) & (at < last) & (at != itself) else 0
        jump += gaps.shape[0]
    return count


def redraw_choice(i, law, chosen, seen, drawn):
    """List the targets of row i, which are so many, drawn without replacement; how many there are."""
    stream = np.uint64(law[0])
    first = law[2]
    last = law[3]
    itself = i if law[4] == 0 else law[1]
    among = law[1] - 1 + law[4]
    degree = law[5]
    few = chosen.shape[0]
    key = mix(stream + GAMMA)
    element = np.uint64(i) * np.uint64(few) + np.uint64(1)
    for c in range(few):
        word = mix(key + GAMMA * (element + np.uint64(c)))
        chosen[c] = ((word >> SHIFT_32) * np.uint64(among)) >> SHIFT_32
    again = 1
    attempt = 1
    while again != 0:
        again = 0
        attempt += 1
        key = mix(stream + GAMMA * np.uint64(attempt))
        for c in range(few):
            value = np.int64(chosen[c])
            bit = np.int64(1) << (value & 63)
            if (seen[value >> 6] & bit) != 0:
                word = mix(key + GAMMA * (element + np.uint64(c)))
                chosen[c] = ((word >> SHIFT_32) * np.uint64(among)) >> SHIFT_32
                again = 1
            else:
                seen[value >> 6] = seen[value >> 6] | bit
        if again != 0:
            for word_of in range(seen.shape[0]):
                seen[word_of] = 0
    count = 0
    if degree == few:
        for c in range(few):
            value = np.int64(chosen[c])
            seen[value >> 6] = 0
            at = value + (1 if value >= itself else 0)
            drawn[count] = at - first
            count += 1 if (at >= first) & (at < last) else 0
    else:
        for other in range(among):
            place = other + (1 if other >= itself else 0)
            drawn[count] = place - first
            left = (seen[other >> 6] >> (other & 63)) & 1
            count += 1 if (left == 0) & (place >= first) & (place < last) else 0
        for word_of in range(seen.shape[0]):
            seen[word_of] = 0
    return count
