"""What neuroport does on a GPU: whether all is the same, and how fast it is beside PyGeNN by hand and the emulator.

    python benchmarks/gpu.py [--minutes 6] [--device cuda|hip] [--json FILE] [--write]

Rows are measured in their order, each in a process of its own, until the minutes are over; the rest is marked "budget
spent". Comparing takes at most two fifths of the time. Times are those of the clock, building and steps apart.

Without a GPU nothing is measured, and the same rows are tried in small on the processor, or on the device that is
named, if there is a PyGeNN: a toolkit that only stands in for one of HIP tells no architecture, and counts as no GPU.
--write puts the table into docs/speed.md; it needs a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.peers import on_gpu  # noqa: E402
from benchmarks.peers.measuring import machine  # noqa: E402
from neuroport import networks  # noqa: E402
from neuroport.backends.genn import Genn, devices, gpus  # noqa: E402

PAGE = ROOT / "docs" / "speed.md"
BEGIN, END = "<!-- python benchmarks/gpu.py --write -->", "<!-- end of what a GPU does -->"
COMPARING = 0.4
"""The share of the time that comparing may take."""
SIZES = (4_000, 20_000, 100_000, 1_000_000)
WAYS = ((False, ("post", "pre:8", "pre:32", "pre:128")), (True, ("post", "pre:32")))
"""Without and with learning, how spikes are dealt out where not by the rule."""
COPIES = (1, 10, 100, 1_000, 10_000)
VERIFY = "verify "
STEPS = "200"
"""Of each item of a protocol that is compared."""
COLUMNS = ("by hand", "generated, integers", "generated, ideal32", "emulator")
CHECKED = ("loihi_lif", "sal_pair", "stdp_pair")
NAMES = networks.names()
NOT_MEASURED, SPENT, FAILED = "not measured", "budget spent", "failed"


@dataclass(frozen=True)
class Row:
    """What is done: a comparison of a network, or a function of `on_gpu` with its arguments, and these in small."""

    what: str
    function: str
    given: tuple[Any, ...]
    small: tuple[Any, ...] | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class Found:
    """What came of a row. state: "measured", or why there is nothing."""

    what: str
    state: str
    found: dict[str, Any] = field(default_factory=dict)
    note: str = ""


def rows() -> list[Row]:
    """All rows, in their order."""
    compared = [Row(f"{VERIFY}{name}", "verify", (name,), (name,) if name in CHECKED else None) for name in NAMES]
    few = {"rounds": 1}
    speeds = [
        Row(_named(size, stdp), "spiking", (size, stdp), (400, stdp), few) for size in SIZES for stdp in (False, True)
    ]
    ways = [
        Row(f"{_named(SIZES[1], stdp)}, {way}", "dealt", (SIZES[1], stdp, way), _last(stdp, way, several))
        for stdp, several in WAYS
        for way in several
    ]
    chips = [
        Row(
            f"{count:,} chip{'s' if count > 1 else ''} of sal_sampling",
            "copies",
            ("sal_sampling", count),
            ("sal_sampling", min(count, 2)),
        )
        for count in COPIES
    ]
    batches = [
        Row("100 copies of pal_backward", "copies", ("pal_backward", 100)),
        Row("100 copies that share, gle_lagline_batch", "batch", ("gle_lagline_batch", 100, "generic16"),
            ("gle_lagline_batch", 3, "generic16")),
    ]  # fmt: skip
    return [*compared, *speeds[:4], *ways, *speeds[4:], *chips, *batches]


def _last(stdp: bool, way: str, ways: Sequence[str]) -> tuple[Any, ...] | None:
    """The last of several ways in small."""
    return (400, stdp, way) if way == ways[-1] else None


def _named(size: int, stdp: bool) -> str:
    return f"{size:,} neurons{', pair STDP' if stdp else ''}"


def in_small(device: str) -> list[Row]:
    """What is tried without a GPU: each kind of row once. A processor has no threads to which spikes are dealt out."""
    tried: dict[tuple[Any, ...], Row] = {}
    for row in rows():
        if row.small is not None and (row.function != "dealt" or device != "cpu"):
            more = row.more or ({} if row.function == "verify" else {"steps": 20})
            what = row.what if row.function == "verify" else f"{row.function} {row.small}, in small"
            tried.setdefault((row.function, row.small), Row(what, row.function, row.small, more=more))
    return list(tried.values())


def gpu(device: str | None) -> tuple[str, str | None]:
    """The device, and why there is no GPU to measure on, or None."""
    chosen = device or devices.default()
    if chosen == "cpu":
        return chosen, Genn(device="cpu").missing() or "there is no GPU that PyGeNN was built for"
    if missing := Genn(device=chosen).missing():
        return chosen, missing
    return chosen, None if gpus.architectures(chosen) else f"nothing tells what GPU there is for {chosen}"


def measured(row: Row, device: str, seconds: float) -> Found:
    """A row, in a process of its own that may take so long."""
    command = [sys.executable, __file__, "--device", device, "--row", json.dumps([row.function, row.given, row.more])]
    if row.function == "verify":
        against = ["--against", "emulator", "--against", "genn", "--device", device, "--steps", STEPS]
        command = [sys.executable, "-m", "neuroport", "verify", *row.given, *against, "--json"]
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env=os.environ | {"PYTHONPATH": paths}
        )
    except subprocess.TimeoutExpired:
        return Found(row.what, SPENT)
    if not done.stdout.strip():
        return Found(row.what, FAILED, note=(done.stderr.strip().splitlines() or [f"code {done.returncode}"])[-1])
    found = json.loads(done.stdout)
    if row.function != "verify":
        return Found(row.what, "measured", found)
    same = ("identical" if found["arithmetic"] == "integer" else "equal") if found["identical"] else "DIFFERENT"
    return Found(row.what, "measured", {"same": same}, "; ".join(found["not_promised"].values()))


def all_measured(chosen: Sequence[Row], device: str, minutes: float) -> list[Found]:
    """The rows one after the other, until the time is over."""
    started, told = time.monotonic(), []
    for row in chosen:
        share = COMPARING if row.function == "verify" else 1.0
        left = started + 60 * minutes * share - time.monotonic()
        found = measured(row, device, left) if left > 0 else Found(row.what, SPENT)
        print(f"{row.what}: {found.state}", file=sys.stderr, flush=True)
        told.append(found)
    return told


def table(found: Iterable[Found]) -> str:
    """The table, in Markdown: milliseconds of 1,000 steps and seconds of building in brackets; what was compared."""
    rows_ = list(found)
    lines = [f"| what | {' | '.join(COLUMNS)} | |", "|" + "---|" * (len(COLUMNS) + 2)]
    for row in (row for row in rows_ if not row.what.startswith(VERIFY)):
        cells = [_cell(row.found.get(name)) for name in COLUMNS]
        lines.append(f"| {row.what} | {' | '.join(cells)} | {_ratio(row) or row.state} |")
    return "\n".join([*lines, "", *_compared(row for row in rows_ if row.what.startswith(VERIFY))])


def _compared(found: Iterable[Found]) -> list[str]:
    """A line for everything that came of comparing, with the networks of which it did."""
    names: dict[str, list[str]] = {}
    for row in found:
        names.setdefault(str(row.found.get("same", row.state)), []).append(row.what.removeprefix(VERIFY))
    return [f"- {what}: {len(of)} ({', '.join(of)})" for what, of in names.items()]


def _cell(took: dict[str, float] | None) -> str:
    return "-" if took is None else f"{took['ms_per_1000']:.3g} ({took['build_s']:.3g} s)"


def _ratio(row: Found) -> str:
    """How many times as long as by hand ours took, else as long as ours the emulator."""
    ours = row.found.get("generated, integers")
    if ours is None:
        return ""
    if "by hand" in row.found:
        return f"{ours['ms_per_1000'] / row.found['by hand']['ms_per_1000']:.2f} x by hand"
    if "emulator" not in row.found:
        return ""
    return f"emulator {row.found['emulator']['ms_per_1000'] / ours['ms_per_1000']:.2f} x"


def written(page: str, text: str) -> str:
    """The page with another table."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}"


def main(given: list[str] | None = None) -> int:
    """Print the table; 1 if something failed or differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--device", choices=tuple(devices.GENN_NAMES))
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--write", action="store_true", help="put the table into docs/speed.md")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    args = parser.parse_args(given)
    if args.row:
        function, arguments, more = json.loads(args.row)
        print(json.dumps(getattr(on_gpu, function)(*arguments, args.device, **more)))
        return 0
    device, missing = gpu(args.device)
    if missing and args.write:
        parser.error(f"--write needs a GPU: {missing}")
    if missing:
        print(f"{NOT_MEASURED}: {missing}")
        found = [Found(row.what, NOT_MEASURED) for row in rows()]
        on = next((name for name in (device, "cpu") if Genn(device=name).missing() is None), None)
        checks = [] if on is None else all_measured(in_small(on), on, args.minutes)
    else:
        found, checks = all_measured(rows(), device, args.minutes), []
    where = f"Nothing was measured: {missing}" if missing else f"Measured on {', '.join(gpus.architectures(device))}"
    text = f"{where}. {machine()}.\n\n{table([*found, *checks])}"
    print(text)
    if args.json:
        told = {"device": None if missing else device, "machine": machine(), "missing": missing}
        told |= {"rows": [asdict(row) for row in found], "checks": [asdict(row) for row in checks]}
        Path(args.json).write_text(json.dumps(told, indent=1), "utf-8")
    if args.write:
        PAGE.write_text(written(PAGE.read_text("utf-8"), text), "utf-8")
    wrong = [row for row in (*found, *checks) if row.state == FAILED or row.found.get("same") == "DIFFERENT"]
    for row in wrong:
        print(f"{row.what}: {row.note or row.found['same']}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
