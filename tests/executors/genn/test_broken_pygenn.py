"""A PyGeNN that is installed and does not work is told as what it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from neuroport.backends.genn import Genn, cache, devices, installed
from neuroport.backends.genn.flags import GENN
from neuroport.cli import main
from neuroport.errors import RunFailed

NO_LIBRARY = "libamdhip64.so.6: cannot open shared object file: No such file or directory"
Fake = Callable[..., None]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Puts a PyGeNN of these modules in the place of that which is installed."""

    def put(**modules: str) -> None:
        (tmp_path / "pygenn").mkdir()
        for name, text in {"__init__": "", **modules}.items():
            (tmp_path / "pygenn" / f"{name}.py").write_text(text)
        for name in [name for name in sys.modules if name.split(".")[0] == "pygenn"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(installed.metadata, "version", lambda name: "5.4.0")
        monkeypatch.setattr("shutil.which", lambda name: name)
        monkeypatch.setattr(devices, "_has_gpu", lambda: True)

    yield put
    for name in [name for name in sys.modules if name.split(".")[0] == "pygenn"]:
        del sys.modules[name]


def test_a_gpu_library_that_cannot_be_loaded(fake: Fake) -> None:
    fake(hip_backend=f"raise ImportError({NO_LIBRARY!r})", single_threaded_cpu_backend="")
    sentence = (
        f"PyGeNN's library for hip cannot be loaded: {NO_LIBRARY}; install the AMD driver and the ROCm toolkit that it "
        "was built with, or take the device cpu"
    )
    assert Genn().on("hip").missing() == sentence
    assert Genn().missing() is None
    result = CliRunner().invoke(main, ["run", "sal_pair", "--backend", "genn", "--device", "hip", "--for", "3 steps"])
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, f"error: backend 'genn': {sentence}")


def test_the_device_that_is_taken_by_itself_is_looked_at_too(fake: Fake) -> None:
    fake(cuda_backend="raise ImportError('libcuda.so.1: no')", single_threaded_cpu_backend="")
    assert Genn().missing() == (
        "PyGeNN's library for cuda cannot be loaded: libcuda.so.1: no; install the NVIDIA driver and the CUDA toolkit "
        "that it was built with, or take the device cpu"
    )


@pytest.mark.parametrize(
    "error", ["ImportError('no symbol')", "RuntimeError('ABI\\nof NumPy')", "KeyError()", "SystemExit(3)"]
)
def test_a_pygenn_that_cannot_be_imported(error: str, fake: Fake) -> None:
    fake(__init__=f"raise {error}")
    reason = {"I": "no symbol", "R": "ABI of NumPy", "K": "KeyError", "S": "it ends the program with 3"}[error[0]]
    sentence = (
        f"PyGeNN is installed and cannot be imported: {reason}; install PyGeNN again: https://genn-team.github.io"
    )
    assert Genn().missing() == sentence
    (part,) = [part for part in Genn().examine() if part.name == "GeNN: pygenn"]
    assert (part.found, part.text) == (False, sentence)


def test_a_pygenn_without_the_processors_library(fake: Fake) -> None:
    fake()
    assert Genn().missing() == (
        "PyGeNN's library for cpu cannot be loaded: No module named 'pygenn.single_threaded_cpu_backend'; install "
        "PyGeNN again: https://genn-team.github.io"
    )


def test_code_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    def load() -> None:
        raise RuntimeError("runner.so: no\nsuch file")

    with pytest.raises(RunFailed) as told:
        cache.load(tmp_path, tmp_path, load)
    assert str(told.value) == (
        f"the code compiled for GeNN could not be loaded: runner.so: no such file; it is in {tmp_path}; remove that "
        "folder to have it compiled again"
    )


@pytest.mark.dear
def test_an_exception_without_a_compilers_word_says_of_what_kind_it_is(tmp_path: Path) -> None:
    def compile_there() -> None:
        raise KeyError("hip")

    with pytest.raises(RunFailed) as told:
        cache.build(tmp_path, compile_there, GENN)
    assert str(told.value).startswith("the code generated for GeNN could not be compiled: KeyError: 'hip'; the text ")
