"""What a process has taken at most, measured in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.checkout import ROOT

CODE = """
import json, sys
from pathlib import Path
import neuroport
from neuroport import api, backends
from neuroport.api import foresee, run
from neuroport.numerics.processors import processors
given = json.loads(sys.argv[1])
def peak():
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])
network = neuroport.load(given["name"]) if given["name"] else neuroport.loads(given["text"])
how = {"backend": given["backend"], "chip_seed": given["chip_seed"], "threads": given["threads"]}
base = peak()
runs = foresee.Runs(trace=bool(given["trace"]))
if given["copies"]:
    many, network = given["copies"], run.lasting(network, given["steps"])
    seeds = {"seeds": 1, "chip_seeds": range(many)} if given["specimens"] else {"seeds": range(many)}
    neuroport.run_copies(network, backend=given["backend"], **seeds)
    taken = peak() - base
    at_once = many if given["backend"] == "genn" else min(many, processors())
    runs = foresee.Runs(many, at_once, many if given["specimens"] else 1)
elif given["trace"]:
    network = run.lasting(network, given["steps"])
    neuroport.run(network, trace=given["trace"], **how)
    taken = peak() - base
else:
    with neuroport.open(network, keep=given["keep"], **how) as session:
        session.run(given["steps"])
        taken = peak() - base
backend = backends.load(given["backend"], threads=given["threads"])
specimen = run.specimen(network, None, given["chip_seed"])
found = foresee.foreseen(network, *specimen, [backend] * runs.at_once, runs)
print(json.dumps([taken, found.size]))
"""


def taken_and_foreseen(
    cache: Path,
    text: str = "",
    name: str = "",
    backend: str = "emulator",
    chip_seed: int | None = None,
    threads: int = 1,
    steps: int = 20,
    trace: bool = False,
    keep: bool = True,
    copies: int = 0,
    specimens: bool = False,
) -> tuple[float, float]:
    """Bytes above those of the interpreter that building and running a network takes at its peak, and the estimate.

    cache: an empty folder, where compiled code and the trace go; text, name: of a network, one or the other; steps: how
    long it runs; keep: whether what is recorded stays; copies: run so many, with specimens each on one of its own.
    """
    given: dict[str, Any] = {"text": text, "name": name, "backend": backend, "chip_seed": chip_seed, "threads": threads}
    given |= {"steps": steps, "trace": str(cache / "trace.h5") if trace else "", "keep": keep}
    given |= {"copies": copies, "specimens": specimens}
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(given)],
        env={**os.environ, "NEUROPORT_CACHE": str(cache), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    taken, foreseen = json.loads(done.stdout)
    return taken, foreseen
