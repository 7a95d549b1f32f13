"""What --copies, --seed and --chip-seed of `neuroport run` say together: which runs on which specimens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from neuroport.errors import InvalidInput
from neuroport.numerics.given import LARGEST_SEED

if TYPE_CHECKING:
    from neuroport.network.network import Network

Seeds = int | Sequence[int]


def chosen_copies(
    network: Network, copies: int | None, seed: int | range | None, chip_seed: int | range | None
) -> tuple[Seeds, Seeds | None] | None:
    """The seeds and chip seeds of independent copies as `run_copies` takes them; None where one run is meant.

    A range says how many copies there are, one for each of its seeds, and what is one number is the same for all. Only
    where no range says what the copies differ in do they differ in the seed of the run: copy k adds k.
    """
    ranges = {"--seed": seed, "--chip-seed": chip_seed}
    counts = {option: len(seeds) for option, seeds in ranges.items() if isinstance(seeds, range)}
    if copies is not None:
        counts["--copies"] = copies
    if len(set(counts.values())) > 1:
        said = " and ".join(f"{option} asks for {count:,} copies" for option, count in counts.items())
        raise click.UsageError(f"{said}; make the numbers equal, or leave one out.")
    count = next(iter(counts.values()), network.copies)
    first = network.seed if seed is None else seed
    if isinstance(first, range) or isinstance(chip_seed, range):
        return first, chip_seed
    if first + count - 1 > LARGEST_SEED:
        text = f"{count:,} copies from the seed {first} on would need seeds above 2**63 - 1; give a smaller seed"
        raise InvalidInput.one(None, text)
    return None if count == 1 else (range(first, first + count), chip_seed)


def sharing(network: Network, copies: int | None, seed: object, chip_seed: object) -> Network:
    """The network with that many copies, which share what they learn: they are one run on one chip."""
    from neuroport.network.network import MOST_COPIES, with_copies

    for option, given in (("--seed", seed), ("--chip-seed", chip_seed)):
        if isinstance(given, range):
            text = f"copies that share what they learn are one run on one chip: {option} takes one number."
            raise click.UsageError(text)
    if copies is None:
        return network
    if copies > MOST_COPIES:
        raise InvalidInput.one(None, f"--copies must be at most {MOST_COPIES:,}; found {copies:,}")
    return with_copies(network, copies)
