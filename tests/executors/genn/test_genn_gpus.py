"""What is asked of the runtime library of a GPU, and what is told where it, a driver or memory is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest

import neuroport
from neuroport.backends.genn import Genn, cache, devices, gpus
from neuroport.backends.genn.flags import GENN
from neuroport.errors import Unsupported
from tests.support.checkout import ROOT
from tests.support.executors import needs_genn
from tests.support.gpu_libraries import answering
from tests.support.small_programs import rich

RUN = [sys.executable, "-m", "neuroport", "run", "sal_pair", "--backend", "genn", "--for", "3 steps"]
ENDS = """
import ctypes, sys
from neuroport.backends.genn.ending import told

with told(lambda: "it is " + sys.argv[1], 2):
    if sys.argv[1] == "inside":
        ctypes.CDLL(None).exit(1)
with told(lambda: "second", 2):
    pass
if sys.argv[1] == "after":
    ctypes.CDLL(None).exit(7)
"""


def put(monkeypatch: pytest.MonkeyPatch, device: str, library: Path) -> None:
    """Let PyGeNN's library for a device be this one."""
    module = ModuleType(f"pygenn.{device}_backend")
    module.__file__ = str(library)
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_code_is_compiled_for_the_architectures_of_all_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for device, found in {"cuda": ("sm_80", "sm_90"), "hip": ("9.0 Card", "9.1 Card")}.items():
        put(monkeypatch, device, answering(tmp_path / f"{device}.so", device, count=2))
        assert devices.architectures(device) == gpus.architectures(device) == found
        put(monkeypatch, device, answering(tmp_path / f"{device}_without.so", device, code=35))
        assert gpus.architectures(device) == ()
        put(monkeypatch, device, answering(tmp_path / f"other_{device}.so", "other"))
        assert gpus.architectures(device) == ()
    (machine,) = devices.architectures("single_threaded_cpu")
    assert machine


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"count": 1}, None),
        ({"count": 0}, "no GPU answers as {}: there is none; install the {} driver for the GPU of this machine, or "),
        ({"code": 35}, "no GPU answers as {}: driver version is insufficient; install the {} driver for the GPU of "),
    ],
)
@pytest.mark.parametrize(("device", "maker"), [("cuda", "NVIDIA"), ("hip", "AMD")])
def test_a_driver_or_gpu_that_is_missing(
    answers: dict[str, int], sentence: str | None, device: str, maker: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    put(monkeypatch, device, answering(tmp_path / "library.so", device, **answers))
    said = gpus.problem(device)
    assert said == sentence or (said is not None and said.startswith(str(sentence).format(device, maker)))


def test_a_library_that_tells_nothing_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, "hip", tmp_path / "none.so")
    assert (gpus.problem("hip"), gpus.architectures("hip"), gpus.free_memory("hip")) == (None, (), None)
    devices.require_room("hip", 2**50)


def test_a_network_that_the_gpu_has_no_memory_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, "cuda", answering(tmp_path / "library.so", "cuda", free=2**30))
    assert gpus.free_memory("cuda") == 2**30
    devices.require_room("cuda", 2**30)
    devices.require_room("single_threaded_cpu", 2**50)
    with pytest.raises(Unsupported) as told:
        devices.require_room("cuda", 5 * 2**30)
    assert str(told.value) == (
        "the network needs at least 5.0 GiB of the GPU's memory, of which 1.0 GiB are free; take fewer neurons, "
        "synapses or copies, or the device cpu"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="it is told with glibc")
@pytest.mark.parametrize(
    ("when", "code", "said"), [("inside", 2, "error: it is inside\n"), ("after", 7, ""), ("never", 0, "")]
)
def test_a_library_that_ends_the_process_leaves_a_sentence(when: str, code: int, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", ENDS, when], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("backend.cc: 300: cuda runtime error 2: out of memory\n", "cuda runtime error 2: out of memory; take fewer"),
        ("x.h: 3: hip runtime error 100: no device\n", "hip runtime error 100: no device; see whether the GPU"),
        ("", "it does not say why; see whether the GPU and its driver work, or take the device cpu"),
    ],
)
def test_the_last_words_of_genn(words: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(words)
    assert cache._ended(tmp_path / "log", "loaded").startswith(
        f"GeNN ended the program while the network was loaded: {told}"
    )


@pytest.mark.dear
@pytest.mark.parametrize(
    ("words", "compiler", "needed"),
    [
        ("/bin/sh: 1: /opt/bin/hipcc: not found", "/opt/bin/hipcc", "hipcc is on the PATH and HIP_PATH is set"),
        ("bash: line 1: nvcc: command not found", "nvcc", "nvcc is on the PATH and CUDA_PATH is set"),
        ("make: /cuda/bin/nvcc: No such file or directory", "/cuda/bin/nvcc", "nvcc is on the PATH"),
        ("make: g++: Permission denied", "g++", "a C++ compiler is on the PATH"),
    ],
)
def test_a_compiler_that_cannot_be_run(words: str, compiler: str, needed: str, tmp_path: Path) -> None:
    def fail() -> None:
        os.write(1, words.encode())
        raise subprocess.CalledProcessError(2, "make")

    with pytest.raises(Unsupported) as told:
        cache.build(tmp_path, fail, GENN)
    said = f"'{compiler}', which compiles what is generated for GeNN, cannot be run; see that {needed}"
    assert str(told.value).startswith(said)


def test_a_gpu_that_fails_while_a_network_is_loaded(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("runner.cc: 12: HIP error 2: out of memory")

    with pytest.raises(Unsupported) as told:
        cache.load(tmp_path, tmp_path, fail)
    assert str(told.value) == (
        "the GPU failed while the network was loaded: HIP error 2: out of memory; take fewer neurons, synapses or "
        "copies, or take the device cpu"
    )


@pytest.mark.dear
def test_memory_of_this_machine_that_is_not_there(tmp_path: Path) -> None:
    def fail() -> None:
        raise MemoryError

    for call in (lambda: cache.build(tmp_path, fail, GENN), lambda: cache.load(tmp_path, tmp_path, fail)):
        with pytest.raises(Unsupported, match="too little memory for the network with GeNN; take fewer neurons, "):
            call()


# --------------------------------------------------------------------------------------------------- with PyGeNN


def without(device: str) -> str:
    return (
        f"backend 'genn': PyGeNN was built without GeNN's backend for {device}; build it again where "
        f"{devices.TOOLKITS[device]} (https://genn-team.github.io), or leave the device out."
    )


@needs_genn
@pytest.mark.parametrize("device", ["cuda", "hip"])
def test_a_device_that_pygenn_was_built_without(device: str) -> None:
    if devices.built(device):
        pytest.skip(f"PyGeNN was built with {device}")
    done = subprocess.run([*RUN, "--device", device], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {without(device)}\n")
    with pytest.raises(Unsupported) as told:
        neuroport.run(neuroport.load("sal_pair"), backend="genn", device=device)
    assert str(told.value) == without(device)
    with pytest.raises(Unsupported) as told:
        Genn(device=device).open(rich(), 1, ())
    assert str(told.value) == without(device)


@needs_genn
@pytest.mark.parametrize("device", ["cuda", "hip"])
def test_a_library_of_pygenn_that_lacks_another(device: str, tmp_path: Path) -> None:
    """PyGeNN as it is installed, beside a library for the device that was linked with one which is gone."""
    found = util.find_spec("pygenn")
    assert found is not None and found.origin is not None
    package = tmp_path / "site" / "pygenn"
    package.mkdir(parents=True)
    for file in Path(found.origin).parent.iterdir():
        (package / file.name).symlink_to(file)
    gone = answering(tmp_path / "libgone.so", device)
    library = package / f"{device}_backend.so"
    library.unlink(missing_ok=True)
    linked = ["-Wl,--no-as-needed", f"-L{tmp_path}", "-lgone"]
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", os.devnull, "-o", str(library), *linked], check=True)
    gone.unlink()
    paths = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [*RUN, "--device", device], capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        f"error: backend 'genn': PyGeNN's library for {device} cannot be loaded: libgone.so: cannot open shared object "
    )
    assert "Traceback" not in done.stderr
