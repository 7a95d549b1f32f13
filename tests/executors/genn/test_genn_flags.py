"""How code for each device is compiled, what its place in the cache holds, and which bits a GPU promises."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from neuroport.backends.genn import Genn, build, cache, devices, emit, order
from neuroport.backends.genn.flags import GENN, flags, strict
from neuroport.backends.reference import Reference
from neuroport.cli import main
from neuroport.program.ir import REAL, Read, Send
from neuroport.program.machine import Population, Program
from tests.support.everything import real_program
from tests.support.executors import needs_genn
from tests.support.programs import array, pairs, program
from tests.support.small_programs import rich

NVCC = shutil.which("nvcc")

MAKEFILE = """
CXXFLAGS := -c -fPIC -O3 -ffast-math
NVCCFLAGS := -x cu -arch sm_90 -O3
HIPCCFLAGS := -fPIC --offload-arch=gfx90a

all: cpu.o cuda.o hip.o

%.d: %.cc
\t@touch $@

cpu.o: cpu.cc
\t@echo cpu $(CXXFLAGS)
cuda.o: cuda.cc cuda.d
\t@echo cuda $(NVCCFLAGS)
hip.o: hip.cc hip.d
\t@echo hip $(HIPCCFLAGS)
"""
"""Rules as those of GeNN's makefiles for its three backends; what would be compiled is told."""


KERNEL = """
extern "C" __global__ void kernel(double *a, const double *b) {
    const int i = threadIdx.x;
    a[i] = a[i] * b[i] + 3.0 * a[i];
}
"""


def real_star(fan_in: int, precision: str = "float64", times: int = 1) -> Program:
    """Neurons send a real number to one."""
    sent = tuple(Send("q.i", Read("w.w", "own", REAL)) for _ in range(times))
    made = program(
        arrays=(
            array("p.x", "neuron", "state", REAL, [0.0] * fan_in),
            array("q.i", "neuron", "input", REAL, [0.0]),
            array("w.w", "synapse", "weight", REAL, [0.5] * fan_in),
        ),
        populations=(Population("p", fan_in, (), (), False, 1), Population("q", 1, (), ("q.i",), False, 0)),
        projections=(pairs("w", "p", "q", (fan_in, 1), [(i, 0) for i in range(fan_in)], arrive=sent),),
    )
    return replace(made, precision=precision, integer=False)


def test_only_float64_is_compiled_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIP_PLATFORM", raising=False)
    assert [strict(p) for p in (rich(), real_program("float32"), real_program("float64"))] == [False, False, True]
    for backend in devices.GENN_NAMES.values():
        assert flags(rich(), backend) == flags(real_program("float32"), backend) == GENN
    strictly = {name: flags(real_program(), backend) for name, backend in devices.GENN_NAMES.items()}
    assert {name: (f.optimised, f.variable, f.added) for name, f in strictly.items()} == {
        "cpu": (True, "CXXFLAGS", "-fno-fast-math -ffp-contract=off"),
        "cuda": (False, "NVCCFLAGS", "-O3 --fmad=false"),
        "hip": (False, "HIPCCFLAGS", "-O3 -ffp-contract=off"),
    }
    monkeypatch.setenv("HIP_PLATFORM", "nvidia")
    assert flags(real_program(), "hip").added == "-O3 --fmad=false"


def test_make_adds_the_flags_after_those_of_the_makefile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIP_PLATFORM", raising=False)
    monkeypatch.setenv("MAKEFLAGS", "--no-print-directory")
    (tmp_path / "Makefile").write_text(MAKEFILE)
    for name in devices.GENN_NAMES:
        (tmp_path / f"{name}.cc").touch()
    usual = {
        "cpu": "cpu -c -fPIC -O3 -ffast-math",
        "cuda": "cuda -x cu -arch sm_90 -O3",
        "hip": "hip -fPIC --offload-arch=gfx90a",
    }
    for name, backend in devices.GENN_NAMES.items():
        for p in (rich(), real_program()):
            chosen = flags(p, backend)
            with cache._make_flags(chosen):
                said = subprocess.run(["make", "-C", tmp_path, f"{name}.o"], capture_output=True, text=True, check=True)
            assert f"{usual[name]} {chosen.added}".strip() in said.stdout.splitlines()


@pytest.mark.dear
@pytest.mark.skipif(NVCC is None, reason="nvcc is not there")
def test_nvcc_contracts_nothing_where_code_is_strict(tmp_path: Path) -> None:
    (tmp_path / "kernel.cu").write_text(KERNEL)
    found = {}
    for name, given in {"usual": "-O3 -use_fast_math", "strict": flags(real_program(), "cuda").added}.items():
        subprocess.run([str(NVCC), *given.split(), "-ptx", "kernel.cu", "-o", name], cwd=tmp_path, check=True)
        found[name] = (tmp_path / name).read_text()
    assert "fma.rn.f64" in found["usual"] and "fma" not in found["strict"]
    assert {"mul.rn.f64", "add.rn.f64"} <= set(found["strict"].split())


def key(p: Program, device: str) -> str:
    return build._key(emit.emit(p), p, device, flags(p, device))


@needs_genn
def test_a_place_in_the_cache_holds_flags_and_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, tuple[str, ...]] = {"cuda": ("sm_80",), "single_threaded_cpu": ("x86_64",)}
    monkeypatch.setattr(devices, "architectures", lambda device: seen[device])
    p = real_program()
    found = {key(p, "cuda"), key(p, "single_threaded_cpu")}
    seen["cuda"] = ("sm_80", "sm_90")
    found.add(key(p, "cuda"))
    seen["single_threaded_cpu"] = ("aarch64",)
    found.add(key(p, "single_threaded_cpu"))
    chosen = replace(flags(p, "cuda"), added="-O3")
    found.add(build._key(emit.emit(p), p, "cuda", chosen))
    found.add(build._key(emit.emit(p), p, "cuda", replace(chosen, optimised=True)))
    assert len(found) == 6
    assert key(p, "cuda") in found


def test_more_than_two_real_numbers_have_no_one_sum_in_every_order() -> None:
    assert order.unordered(real_star(2)) == ()
    assert order.unordered(real_star(3)) == ("q.i",)
    assert order.unordered(real_star(1, times=2)) == ()
    assert order.unordered(real_star(2, times=2)) == ("q.i",)
    assert order.unordered(rich()) == ()


def test_what_a_gpu_does_not_promise() -> None:
    cuda = Genn(device="cuda")
    assert cuda.not_promised(rich()) is None
    assert cuda.not_promised(real_star(2)) is None
    assert cuda.not_promised(real_star(3)) == (
        "on cuda what synapses send is added up in no order: the last bits of q.i, and what follows from them, are not "
        "promised, from run to run neither"
    )
    text = cuda.not_promised(real_star(2, "float32"))
    assert text is not None and text.startswith("on cuda float32 is compiled with fast mathematics: ")
    assert Genn(device="cpu").not_promised(real_star(3)) is None


@pytest.mark.dear
def test_verify_tells_what_is_not_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reference, "not_promised", lambda self, program: f"bits of {program.name}", raising=False)
    command = ["verify", "loihi_lif", "--against", "emulator", "--steps", "5"]
    text = CliRunner().invoke(main, command).stdout
    assert text.splitlines()[1:] == ["  reference: bits of loihi_lif"]
    found = json.loads(CliRunner().invoke(main, [*command, "--json"]).stdout)
    assert found["not_promised"] == {"reference": "bits of loihi_lif"}
