"""The part of every generated module of several copies that comes after the general prelude."""

from __future__ import annotations

from neuroport.backends.emulator.prelude import RESERVED, defined
from neuroport.copies.axis import LANES


def lane_sum(signature: str, doc: str, term: str) -> str:
    """A function that sums a term over copies in LANES lanes: copy c in lane c mod LANES; {k}: how far from the first.

    Lanes are added as pairs, pairs of pairs, and halves, and those of copies that there are not add nothing.
    """
    lanes = range(LANES)
    lines = [
        f"def {signature}:",
        f'    """{doc}"""',
        "    blocks = (copies - 1) >> 3",
        "    rest = copies - 8 * blocks",
        *(f"    sum_{k} = real(0)" for k in lanes),
        "    for block in range(blocks):",
        "        c = 8 * block",
        *(f"        sum_{k} += {term.format(k=k)}" for k in lanes),
        "    c = 8 * blocks",
        *(f"    sum_{k} += {term.format(k=k)} if rest > {k} else real(0)" for k in lanes),
        "    return ((sum_0 + sum_1) + (sum_2 + sum_3)) + ((sum_4 + sum_5) + (sum_6 + sum_7))",
    ]
    return "\n".join(lines)


BATCH = f'''

{lane_sum("sum_lanes(terms, copies)", "The sum of the terms of all copies.", "terms[c + {k}]")}


{
    lane_sum(
        "sum_products(a, at_a, b, at_b, copies)",
        "The sum over all copies of a[at_a + c] * b[at_b + c].",
        "a[at_a + c + {k}] * b[at_b + c + {k}]",
    )
}


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
'''


BATCH_RESERVED = RESERVED | defined(BATCH) | {"c"}
"""Names that a generated identifier must not have in a program of several copies."""
