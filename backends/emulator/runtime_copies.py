"""What generated modules of several copies have besides that: its source comes after that of `runtime`.

Sums are made in lanes: copy c adds to lane c mod 8. Lanes are added as pairs, pairs of pairs, and halves, and those of
copies that there are not add nothing (`neuroport.copies.axis.sum_over_copies`).
"""

from neuroport.backends.emulator.runtime import real


def sum_lanes(terms, copies):
    """The sum of the terms of all copies."""
    blocks = (copies - 1) >> 3
    rest = copies - 8 * blocks
    sum_0 = real(0)
    sum_1 = real(0)
    sum_2 = real(0)
    sum_3 = real(0)
    sum_4 = real(0)
    sum_5 = real(0)
    sum_6 = real(0)
    sum_7 = real(0)
    for block in range(blocks):
        c = 8 * block
        sum_0 += terms[c + 0]
        sum_1 += terms[c + 1]
        sum_2 += terms[c + 2]
        sum_3 += terms[c + 3]
        sum_4 += terms[c + 4]
        sum_5 += terms[c + 5]
        sum_6 += terms[c + 6]
        sum_7 += terms[c + 7]
    c = 8 * blocks
    sum_0 += terms[c + 0] if rest > 0 else real(0)
    sum_1 += terms[c + 1] if rest > 1 else real(0)
    sum_2 += terms[c + 2] if rest > 2 else real(0)
    sum_3 += terms[c + 3] if rest > 3 else real(0)
    sum_4 += terms[c + 4] if rest > 4 else real(0)
    sum_5 += terms[c + 5] if rest > 5 else real(0)
    sum_6 += terms[c + 6] if rest > 6 else real(0)
    sum_7 += terms[c + 7] if rest > 7 else real(0)
    return ((sum_0 + sum_1) + (sum_2 + sum_3)) + ((sum_4 + sum_5) + (sum_6 + sum_7))


def sum_products(a, at_a, b, at_b, copies):
    """The sum over all copies of a[at_a + c] * b[at_b + c]."""
    blocks = (copies - 1) >> 3
    rest = copies - 8 * blocks
    sum_0 = real(0)
    sum_1 = real(0)
    sum_2 = real(0)
    sum_3 = real(0)
    sum_4 = real(0)
    sum_5 = real(0)
    sum_6 = real(0)
    sum_7 = real(0)
    for block in range(blocks):
        c = 8 * block
        sum_0 += a[at_a + c + 0] * b[at_b + c + 0]
        sum_1 += a[at_a + c + 1] * b[at_b + c + 1]
        sum_2 += a[at_a + c + 2] * b[at_b + c + 2]
        sum_3 += a[at_a + c + 3] * b[at_b + c + 3]
        sum_4 += a[at_a + c + 4] * b[at_b + c + 4]
        sum_5 += a[at_a + c + 5] * b[at_b + c + 5]
        sum_6 += a[at_a + c + 6] * b[at_b + c + 6]
        sum_7 += a[at_a + c + 7] * b[at_b + c + 7]
    c = 8 * blocks
    sum_0 += a[at_a + c + 0] * b[at_b + c + 0] if rest > 0 else real(0)
    sum_1 += a[at_a + c + 1] * b[at_b + c + 1] if rest > 1 else real(0)
    sum_2 += a[at_a + c + 2] * b[at_b + c + 2] if rest > 2 else real(0)
    sum_3 += a[at_a + c + 3] * b[at_b + c + 3] if rest > 3 else real(0)
    sum_4 += a[at_a + c + 4] * b[at_b + c + 4] if rest > 4 else real(0)
    sum_5 += a[at_a + c + 5] * b[at_b + c + 5] if rest > 5 else real(0)
    sum_6 += a[at_a + c + 6] * b[at_b + c + 6] if rest > 6 else real(0)
    sum_7 += a[at_a + c + 7] * b[at_b + c + 7] if rest > 7 else real(0)
    return ((sum_0 + sum_1) + (sum_2 + sum_3)) + ((sum_4 + sum_5) + (sum_6 + sum_7))


def add_to_copy(t, accumulator, table, row, copy, copies):
    """Add one row of a table to the inputs of one copy."""
    slot = t & (accumulator.shape[0] - 1)
    for i in range(table.shape[1]):
        accumulator[slot, i * copies + copy] += table[row, i]


def add_series_of_copies(t, accumulator, table, hold, loop, starts):
    """Add the row of a series that belongs to step t, counted from where each copy starts."""
    for c in range(starts.shape[0]):
        row = starts[c] + t // hold
        if loop != 0:
            row %= table.shape[0]
        if row < table.shape[0]:
            add_to_copy(t, accumulator, table, row, c, starts.shape[0])


def add_scheduled_of_copies(t, item_step, accumulator, table, hold, frames, schedule):
    """Add the row of a series that the running item shows to each copy."""
    at = item_step // hold
    if at < schedule.shape[0]:
        frame = (item_step % hold) // (hold // frames)
        for c in range(schedule.shape[1]):
            add_to_copy(t, accumulator, table, schedule[at, c] * frames + frame, c, schedule.shape[1])
