"""What GeNN can run on: this machine's processor, or a GPU for which PyGeNN was built."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
from pathlib import Path

from neuroport.backends.genn import gpus
from neuroport.backends.genn.installed import broken
from neuroport.errors import Unsupported
from neuroport.program.room import shown

CPU = "single_threaded_cpu"
GENN_NAMES = {"cpu": CPU, "cuda": "cuda", "hip": "hip"}
"""Our name of a device, and that of GeNN's backend for it."""
TOOLKITS = {"cuda": "nvcc is on the PATH and CUDA_PATH is set", "hip": "hipcc is on the PATH and HIP_PATH is set"}


def known(device: str) -> str:
    """The device, if there can be such a one; else Unsupported."""
    if device not in GENN_NAMES:
        raise Unsupported(f"there is no device '{device}'; GeNN runs on {', '.join(GENN_NAMES)}")
    return device


def default() -> str:
    """A CUDA GPU where PyGeNN was built for it and there is one, else the processor."""
    return "cuda" if built("cuda") and _has_gpu() else "cpu"


def built(device: str) -> bool:
    """Whether the PyGeNN that is installed has GeNN's backend for the device. Nothing is imported."""
    spec = importlib.util.find_spec("pygenn")
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    return any(any(Path(folder).glob(f"{GENN_NAMES[device]}_backend.*")) for folder in folders)


def missing(device: str) -> str | None:
    """A sentence saying what PyGeNN lacks for the device, or None."""
    if device == "cpu" or built(device):
        return None
    return (
        f"PyGeNN was built without GeNN's backend for {device}; build it again where {TOOLKITS[device]} "
        f"(https://genn-team.github.io), or leave the device out."
    )


def unusable(device: str) -> str | None:
    """A sentence saying why nothing can be computed on the device here, or None. PyGeNN is imported."""
    lacking = missing(device) or broken(device, GENN_NAMES[device])
    return lacking or (gpus.problem(device) if device in TOOLKITS else None)


def architectures(genn_name: str) -> tuple[str, ...]:
    """For what machines GeNN's backend of that name compiles here."""
    return gpus.architectures(genn_name) if genn_name in TOOLKITS else (platform.machine(),)


def require_room(genn_name: str, least: int) -> None:
    """Unsupported where so many bytes are more than are free on the GPU."""
    free = gpus.free_memory(genn_name) if genn_name in TOOLKITS else None
    if free is not None and least > free:
        raise Unsupported(
            f"the network needs at least {shown(least)} of the GPU's memory, of which {shown(free)} are free; take "
            f"fewer neurons, synapses or copies, or the device cpu"
        )


def _has_gpu() -> bool:
    command = shutil.which("nvidia-smi")
    if command is None:
        return False
    try:
        done = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0 and "GPU" in done.stdout
