"""Every shipped network on every integer chip that takes it: do all executors compute the same bits?

    python benchmarks/verify_all.py [NETWORK ...] [--chip CHIP ...] [--against BACKEND ...] [--steps N] [--workers N]

Runs `neuroport verify` for each pair, two at a time, and prints a Markdown table. `verify` shortens protocols: a
repeat is done at most 3 times, a run lasts at most N steps (1,000). What is shortened further stands in SHORTER and in
the last column. Chips that deviate are specimen 1. The exit code is 1 when anything differs or fails; a chip that
refuses a network does neither. With `--chip ideal`, executors are also the same where they differ by less than what the
network makes of its own last bits, and the table says by how much.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from neuroport import networks
from neuroport.chips import description as chips

ROOT = Path(__file__).resolve().parent.parent
SHORTER = {
    "gle_mnist1d": ("--steps", "300", "--set", "copies=8"),
    "gle_lagline_batch": ("--set", "copies=8"),
    "sal_layers_1600": ("--steps", "100"),
}
HEADER = "| network | chip | steps | executors | verdict | seconds | shortened further |\n|---|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Pair:
    """A network on a chip, and the arguments of `verify` for it."""

    network: str
    chip: str
    arguments: tuple[str, ...]

    @property
    def shorter(self) -> str:
        """What is shortened beyond what `verify` does by itself."""
        return " ".join(SHORTER.get(self.network, ()))


@dataclass(frozen=True)
class Verdict:
    """A row of the table."""

    pair: Pair
    steps: str
    executors: str
    text: str
    seconds: float
    good: bool

    def __str__(self) -> str:
        pair = self.pair
        cells = (pair.network, pair.chip, self.steps, self.executors, self.text, f"{self.seconds:.0f}", pair.shorter)
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def pairs(arguments: argparse.Namespace) -> Iterator[Pair]:
    """All pairs that were asked for."""
    for network in arguments.networks or networks.names():
        for chip in arguments.chip or [name for name in chips.names() if chips.load(name).integer]:
            seed = ("--chip-seed", "1") if chips.load(chip).mismatch else ()
            against = [text for name in arguments.against for text in ("--against", name)]
            steps = ("--steps", str(arguments.steps))
            yield Pair(network, chip, (*against, *seed, *steps, *SHORTER.get(network, ())))


def verdict(pair: Pair) -> Verdict:
    """What `verify` says of a pair."""
    command = [sys.executable, str(ROOT / "cli.py"), "verify", pair.network, "--chip", pair.chip, "--json"]
    started = time.monotonic()
    done = subprocess.run([*command, *pair.arguments], capture_output=True, text=True, cwd=ROOT, check=False)
    seconds = time.monotonic() - started
    if done.returncode not in (0, 1) or not done.stdout.strip():
        lines = [line for line in done.stderr.splitlines() if line.startswith("error:")] or done.stderr.splitlines()
        why = lines[-1] if lines else f"ended with code {done.returncode}"
        refused = done.returncode == 2
        return Verdict(pair, "", "", f"{'refused' if refused else '**failed**'}: {why}", seconds, refused)
    found = json.loads(done.stdout)
    skipped = "".join(f"; without {name}: {why}" for name, why in found["skipped"].items())
    return Verdict(
        pair, f"{found['steps']:,}", ", ".join(found["executors"]), _told(found) + skipped, seconds, found["identical"]
    )


def _told(found: dict[str, object]) -> str:
    if found["identical"]:
        sensitivity = found["sensitivity"]
        if isinstance(sensitivity, dict):
            return f"equal within its own sensitivity: {sensitivity['text']}"
        return "identical" if found["arithmetic"] == "integer" else "equal within the tolerance"
    first = found["first_difference"]
    return f"**different**: {first['text']}" if isinstance(first, dict) else "**different**"


def main(given: Sequence[str] | None = None) -> int:
    """Print the table; 1 if anything differs or fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK")
    parser.add_argument("--chip", action="append", default=[])
    parser.add_argument("--against", action="append", default=[])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args(given)
    print(HEADER, flush=True)
    found: list[Verdict] = []
    with ThreadPoolExecutor(arguments.workers) as pool:
        for row in pool.map(verdict, list(pairs(arguments))):
            found.append(row)
            print(row, flush=True)
    bad = [row for row in found if not row.good]
    refused = sum(row.text.startswith("refused") for row in found)
    same = len(found) - len(bad) - refused
    print(f"\n{same} the same on all executors, {refused} refused by the chip, {len(bad)} different or failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
