"""What every generated module has besides its own functions: its source stands before them.

It is written in the language of `native.translate`, in which `words` are known.
"""

import numpy as np

from neuroport.backends.emulator.native.words import (
    as_bits,
    as_real,
    cycles,
    floor,
    fmod,
    inline,
    leading_zeros,
    prefetch,
    trailing_zeros,
)

real = np.float64
ONE = np.uint64(1)
GAMMA = np.uint64(0x9E3779B97F4A7C15)
MULTIPLY_1 = np.uint64(0xBF58476D1CE4E5B9)
MULTIPLY_2 = np.uint64(0x94D049BB133111EB)
LOW_16 = np.uint64(0xFFFF)
SHIFT_0 = np.uint64(0)
SHIFT_12 = np.uint64(12)
SHIFT_16 = np.uint64(16)
SHIFT_27 = np.uint64(27)
SHIFT_30 = np.uint64(30)
SHIFT_31 = np.uint64(31)
SHIFT_32 = np.uint64(32)
SHIFT_40 = np.uint64(40)
SHIFT_48 = np.uint64(48)
NONE = 9223372036854775807
FRACTION = 4503599627370495


def prefetch_row(values, rows, i):
    """Ask for the cache lines of row i."""
    end = rows[np.int64(i) + 1]
    for s in range(rows[i], end, 64 // values.itemsize):
        prefetch(values, s)
    prefetch(values, end - 1)


@inline
def mix(z):
    """The finaliser of splitmix64."""
    z = (z ^ (z >> SHIFT_30)) * MULTIPLY_1
    z = (z ^ (z >> SHIFT_27)) * MULTIPLY_2
    return z ^ (z >> SHIFT_31)


@inline
def step_key(key, t):
    """The key of step t of a random stream."""
    return mix(key + GAMMA * np.uint64(t + 1))


@inline
def random_word(key, element):
    """The 64 random bits of an element."""
    return mix(key + GAMMA * (element + ONE))


@inline
def floordiv(a, b):
    """Python's a // b, or 0 when b is 0."""
    return a // (b if b != 0 else 1) if b != 0 else 0


@inline
def mod(a, b):
    """Python's a % b, or 0 when b is 0. Processors fail at the lowest number % -1."""
    return a % (b if (b != 0) & (b != -1) else 1)


@inline
def trunc_div(a, b):
    """The quotient rounded toward zero, or 0 when b is 0."""
    quotient = floordiv(a, b) + np.int64((mod(a, b) != 0) & ((a < 0) != (b < 0)))
    return quotient if b != 0 else 0


@inline
def round_div(a, b):
    """The quotient rounded to the nearest integer, half away from zero, or 0 when b is 0."""
    rest = mod(a, b)
    more = b - rest
    half = (rest == more) & ((a < 0) == (b < 0))
    quotient = floordiv(a, b) + np.int64(half | ((rest > more) if b > 0 else (rest < more)))
    return quotient if b != 0 else 0


@inline
def bit_length(x):
    """The number of bits of |x|."""
    return 64 - leading_zeros(np.uint64(x if x >= 0 else -x))


@inline
def real_floordiv(a, b):
    """Python's a // b of real numbers, or 0 when b is 0."""
    return real(0) if b == 0 else real(a // b)


@inline
def float_mod(a, b):
    """Python's a % b of floats."""
    rest = fmod(a, b)
    return rest + b if (rest != 0.0) & ((rest < 0.0) != (b < 0.0)) else rest


@inline
def float_floordiv(a, b):
    """Python's a // b of floats: the quotient of what the rest leaves is nearly whole."""
    rest = fmod(a, b)
    below = (rest != 0.0) & ((rest < 0.0) != (b < 0.0))
    quotient = (a - rest) / b - (1.0 if below else 0.0)
    whole = floor(quotient)
    return whole + 1.0 if quotient - whole > 0.5 else whole


@inline
def real_mod(a, b):
    """Python's a % b of real numbers, or 0 when b is 0."""
    return real(0) if b == 0 else real(a % b)


@inline
def real_min(a, b):
    """The smaller number; not-a-number if one is."""
    return a if (a < b) | (a != a) else b


@inline
def real_max(a, b):
    """The larger number; not-a-number if one is."""
    return a if (a > b) | (a != a) else b


@inline
def select(condition, a, b):
    """Give a where the condition holds, otherwise b."""
    return a if condition else b


@inline
def power_of_two(shifted, more):
    """2**(k + more) for shifted = k + 1.5 * 2**52, made from its bits."""
    return as_real((as_bits(shifted) + (1023 + more)) << 52)


@inline
def exponent(x):
    """The whole k for which a normal x > 0 lies between 2**k and 2**(k + 1)."""
    return np.float64((as_bits(x) >> 52) - 1023)


@inline
def significand(x):
    """A normal x > 0 divided by 2**exponent(x)."""
    return as_real((as_bits(x) & FRACTION) | (1023 << 52))


def remember(t, values, past):
    """Keep the values after step t."""
    slot = t & (past.shape[0] - 1)
    for i in range(values.shape[0]):
        past[slot, i] = values[i]


def collect(t, words, spikes, spike_count, ctl, total):
    """List the neurons whose flag is set, a byte of a word each; eight silent neurons cost one comparison."""
    slot = t & (spikes.shape[0] - 1)
    count = 0
    for word in range(words.shape[0]):
        rest = words[word]
        while rest != 0:
            spikes[slot, count] = 8 * word + (trailing_zeros(rest) >> 3)
            count += 1
            rest = rest & (rest - ONE)
    spike_count[slot] = count
    ctl[total] += count


def keep(t, spikes, spike_count, steps, neurons, ctl, filled, pause):
    """Record the spikes of step t, if they are recorded; ask for a pause before there is no room for a step."""
    if steps.shape[0] == 0:
        return
    slot = t & (spikes.shape[0] - 1)
    at = ctl[filled]
    for q in range(spike_count[slot]):
        steps[at + q] = t
        neurons[at + q] = spikes[slot, q]
    at += spike_count[slot]
    ctl[filled] = at
    if at + spikes.shape[1] > steps.shape[0]:
        ctl[pause] = 1


def due(t, ctl, next_time, every):
    """Whether something happens after step t that happens again after so many steps."""
    now = t == ctl[next_time]
    if now:
        ctl[next_time] += every
    return now


def lap(laps, number, since):
    """Add the cycles since then to a part of the step."""
    now = cycles()
    laps[number] += now - since
    return now


def sample(t, values, steps, samples, ctl, next_time, every, filled, pause):
    """Record an array after step t, if it is due; ask for a pause before there is no room."""
    if not due(t, ctl, next_time, every):
        return
    at = ctl[filled]
    steps[at] = t
    for i in range(values.shape[0]):
        samples[at, i] = values[i]
    ctl[filled] = at + 1
    if at + 1 == steps.shape[0]:
        ctl[pause] = 1


def sample_some(chosen, t, values, steps, samples, ctl, next_time, every, filled, pause):
    """Record some elements of an array after step t, if it is due; ask for a pause before there is no room."""
    if not due(t, ctl, next_time, every):
        return
    at = ctl[filled]
    steps[at] = t
    for i in range(chosen.shape[0]):
        samples[at, i] = values[chosen[i]]
    ctl[filled] = at + 1
    if at + 1 == steps.shape[0]:
        ctl[pause] = 1


def inject(t, accumulator, steps, neurons, values, ctl, pointer):
    """Add the values that are due at step t."""
    slot = t & (accumulator.shape[0] - 1)
    at = ctl[pointer]
    while at < steps.shape[0] and steps[at] <= t:
        if steps[at] == t:
            accumulator[slot, neurons[at]] += values[at]
        at += 1
    ctl[pointer] = at


def add_row(t, accumulator, table, row):
    """Add one row of a table."""
    slot = t & (accumulator.shape[0] - 1)
    for i in range(table.shape[1]):
        accumulator[slot, i] += table[row, i]


def add_series(t, accumulator, table, hold, loop, start):
    """Add the row of a series that belongs to step t."""
    row = start + t // hold
    if loop != 0:
        row %= table.shape[0]
    if row < table.shape[0]:
        add_row(t, accumulator, table, row)


def add_scheduled(t, item_step, accumulator, table, hold, frames, schedule):
    """Add the row of a series that the running item shows: a frame of a pattern."""
    at = item_step // hold
    if at < schedule.shape[0]:
        add_row(t, accumulator, table, schedule[at] * frames + (item_step % hold) // (hold // frames))
