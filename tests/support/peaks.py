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
given = json.loads(sys.argv[1])
def peak():
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])
network = neuroport.loads(given["text"])
base = peak()
with neuroport.open(network, given["backend"], chip_seed=given["chip_seed"], threads=given["threads"]) as session:
    session.run(20)
    taken = peak() - base
backend = backends.load(given["backend"], threads=given["threads"])
found = foresee.foreseen(network, *run.specimen(network, None, given["chip_seed"]), [backend])
print(json.dumps([taken, found.size]))
"""


def taken_and_foreseen(
    text: str, cache: Path, backend: str = "emulator", chip_seed: int | None = None, threads: int = 1
) -> tuple[float, float]:
    """Bytes above those of the interpreter that building and running a network takes at its peak, and the estimate."""
    given: dict[str, Any] = {"text": text, "backend": backend, "chip_seed": chip_seed, "threads": threads}
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
