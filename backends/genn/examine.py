"""What GeNN needs on this machine, part by part: PyGeNN, a C++ compiler and make, and for a GPU CUDA and its driver."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from neuroport.backends.genn.installed import OLDEST, broken, version
from neuroport.program.executor import Part

CUDA = "only needed to run on a GPU"


def parts() -> list[Part]:
    """Everything that GeNN needs; nothing is compiled."""
    return [_pygenn(), _program("C++ compiler", ("g++",)), _program("make", ("make",)), _cuda(), _driver()]


def _pygenn() -> Part:
    if importlib.util.find_spec("pygenn") is None:
        text = "is not installed; it is not on PyPI, see https://genn-team.github.io for how to install it"
        return Part("pygenn", False, text)
    try:
        shown = metadata.version("pygenn")
    except metadata.PackageNotFoundError:
        return Part("pygenn", True, "installed, of unknown version")
    found = version()
    if found is not None and found < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        text = f"{shown} is too old; install {wanted} or newer, see https://genn-team.github.io for how"
        return Part("pygenn", False, text)
    unusable = broken("cpu", "single_threaded_cpu")
    return Part("pygenn", unusable is None, unusable or shown)


def _program(name: str, programs: tuple[str, ...]) -> Part:
    for program in programs:
        where = shutil.which(program)
        if where is not None:
            return Part(name, True, where)
    return Part(name, False, f"{programs[0]} is not on the PATH; install it with your system's packages")


def _cuda() -> Part:
    """The CUDA toolkit: GeNN looks for it in CUDA_PATH."""
    given = os.environ.get("CUDA_PATH")
    on_path = shutil.which("nvcc")
    if given:
        nvcc = Path(given) / "bin" / "nvcc"
        if nvcc.exists():
            return Part("CUDA toolkit", True, f"{nvcc} (CUDA_PATH)")
        return Part("CUDA toolkit", False, f"CUDA_PATH is {given}, where there is no bin/nvcc; correct it ({CUDA})")
    if on_path:
        folder = Path(on_path).resolve().parent.parent
        value = f"={folder}" if (folder / "include" / "cuda.h").exists() else " to the folder of its toolkit"
        text = f"CUDA_PATH is not set, but there is {on_path}; set CUDA_PATH{value} ({CUDA})"
        return Part("CUDA toolkit", False, text)
    text = f"neither CUDA_PATH nor nvcc is there; install the CUDA toolkit and set CUDA_PATH ({CUDA})"
    return Part("CUDA toolkit", False, text)


def _driver() -> Part:
    """The driver and the GPUs that it sees."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return Part("GPU driver", False, f"nvidia-smi is not on the PATH; install the NVIDIA driver ({CUDA})")
    query = [command, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return Part("GPU driver", False, f"nvidia-smi fails; repair the NVIDIA driver ({CUDA})")
    gpus = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if not gpus:
        return Part("GPU driver", False, f"nvidia-smi sees no GPU ({CUDA})")
    return Part("GPU driver", True, "; ".join(gpus))
