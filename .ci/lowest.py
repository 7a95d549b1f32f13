"""Whether neuroport works with the lowest versions that pyproject.toml allows of what it needs.

    python .ci/lowest.py [--extra NAME ...] [--with PACKAGE==VERSION ...] [--folder FOLDER] [-- PYTEST ARGUMENTS]

Installs into a fresh virtual environment of the interpreter at hand the lowest version of every dependency, and of
those of the extras plot, data, hil and test, exactly; what these need themselves pip chooses. Then the quick tests run
on this checkout, and, because they compile nothing, the emulator beside the reference. `--with` takes other versions of
some, to find out where a bound lies. The exit code is that of the first step that fails.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("plot", "data", "hil", "test")
BOUND = re.compile(r"([A-Za-z0-9._-]+)>=([A-Za-z0-9.]+)")


def lowest(project: Path, extras: Sequence[str]) -> dict[str, str]:
    """The lowest version of every direct dependency, by name."""
    table = tomllib.loads(project.read_text("utf-8"))["project"]
    wanted = list(table["dependencies"]) + [r for extra in extras for r in table["optional-dependencies"][extra]]
    found = {}
    for requirement in wanted:
        match = BOUND.fullmatch(requirement)
        if match is None:
            raise SystemExit(f"'{requirement}' in {project} does not say PACKAGE>=VERSION")
        found[match[1]] = match[2]
    return found


def installed(folder: Path, versions: dict[str, str]) -> Path:
    """The interpreter of a fresh environment with these versions."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    exact = [f"{name}=={version}" for name, version in versions.items()]
    run(python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", *exact)
    return python


def run(*command: object, **environment: str) -> None:
    """Do one step in the checkout; end where it fails."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env={**os.environ, **environment})
    if done.returncode:
        raise SystemExit(done.returncode)


def main() -> None:
    """Install, test, and say with what."""
    parser = argparse.ArgumentParser(description="Test with the lowest versions that pyproject.toml allows.")
    parser.add_argument("--extra", action="append", default=[], help="also that of another extra, such as dev")
    parser.add_argument("--with", dest="others", action="append", default=[], metavar="PACKAGE==VERSION")
    parser.add_argument("--folder", type=Path, help="keep the environment there, and what it compiled")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    given = parser.parse_args()
    versions = lowest(ROOT / "pyproject.toml", (*EXTRAS, *given.extra))
    versions |= dict(other.split("==", 1) for other in given.others)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        python = installed(folder / "environment", versions)
        cache = str(folder / "cache")
        run(python, "-m", "pytest", "-m", "quick", *given.pytest, NEUROPORT_CACHE=cache)
        run(python, "-m", "neuroport", "verify", "stdp_pair", "--steps", "200", NEUROPORT_CACHE=cache)
    print(f"Python {sys.version.split()[0]}: " + ", ".join(f"{n} {v}" for n, v in versions.items()))


if __name__ == "__main__":
    main()
