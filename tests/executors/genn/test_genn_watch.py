"""A GPU that fails while a network runs: what is told, and that nothing is told where it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from neuroport.backends.genn import watch
from neuroport.backends.genn.watch import Watch
from neuroport.errors import RunFailed
from tests.support.checkout import ROOT
from tests.support.gpu_libraries import answering

ENDS = """
import ctypes, sys
from neuroport.backends.genn import gpus
from neuroport.backends.genn.watch import Watch

gpus.settled = lambda device: lambda: None
watched = Watch("hip")
with watched.computing(lambda: 7):
    if sys.argv[1] == "inside":
        ctypes.CDLL(None).exit(3)
if sys.argv[1] == "closed":
    watched.close()
    ctypes.CDLL(None).exit(4)
if sys.argv[1] == "dropped":
    del watched
    ctypes.CDLL(None).exit(5)
"""
ENDED = (
    "error: GeNN ended the program in step 7 or later, for the reason that it has given; what was written until then "
    "is there, as after a kill; see whether the GPU and its driver work, or take the device cpu\n"
)


def watching(library: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    module = ModuleType("pygenn.hip_backend")
    module.__file__ = str(library)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return Watch("hip")


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        ("a.cc: 3: HIP error 700: an illegal memory access", "HIP error 700: an illegal memory access", watch.SEE),
        ("a.cc: 3: cuda error 2: out of memory", "cuda error 2: out of memory", watch.FEWER),
        ("h: cuda runtime error 46: busy\nh: hip runtime error 719: a", "hip runtime error 719: a", watch.SEE),
        ("a.cc: 3: cuda error 77: memory access", "cuda error 77: memory access", watch.SEE),
        ("an error of ours", None, watch.SEE),
    ],
)
def test_what_a_text_says_of_a_gpu(text: str, reason: str | None, remedy: str) -> None:
    assert watch.reason(text) == reason
    assert watch.remedy(text) == f"{remedy}, or take the device cpu"


def test_generated_code_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched, step = watching(tmp_path / "none.so", monkeypatch), iter((5, 9))
    with pytest.raises(RuntimeError, match=r"^other$"), watched.computing(lambda: 1):
        raise RuntimeError("other")
    assert not watched.failed
    with pytest.raises(RunFailed) as told, watched.computing(lambda: next(step)):
        raise RuntimeError("a.cc: 3: HIP error 700: an illegal memory access")
    assert str(told.value) == (
        "the GPU failed by step 9: HIP error 700: an illegal memory access; see whether the GPU and its driver work, "
        "or take the device cpu"
    )
    assert watched.failed
    watched.close()


def test_it_is_asked_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = watching(answering(tmp_path / "well.so", "hip"), monkeypatch)
    watched.settle(3)
    assert not watched.failed
    watched.close()
    watched = watching(answering(tmp_path / "ill.so", "hip", code=35), monkeypatch)
    with pytest.raises(RunFailed, match=r"^the GPU failed by step 3: driver version is insufficient; see whether "):
        watched.settle(3)
    assert watched.failed
    watched.close()


@pytest.mark.skipif(sys.platform != "linux", reason="it is told with glibc")
@pytest.mark.parametrize(
    ("when", "code", "said"), [("inside", 1, ENDED), ("closed", 4, ""), ("dropped", 5, ""), ("never", 0, "")]
)
def test_a_process_that_genn_ends_leaves_a_sentence(when: str, code: int, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", ENDS, when], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)
