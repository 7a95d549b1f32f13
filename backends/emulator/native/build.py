"""Machine code of translated modules: made by LLVM for the processor at hand, kept as bytes, and called."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import llvmlite
import llvmlite.binding as llvm


def target() -> llvm.TargetMachine:
    """The processor at hand."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    kind = llvm.Target.from_triple(llvm.get_process_triple())
    return kind.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features(), opt=3, jit=True)


def features() -> str:
    """What the processor at hand can do."""
    found: str = llvm.get_host_cpu_features().flatten()
    return found


def described() -> str:
    """What machine code depends on besides the module: the compiler and the processor."""
    return f"llvmlite {llvmlite.__version__} {llvm.get_process_triple()} {llvm.get_host_cpu_name()} {features()}"


def machine_code(ir: str) -> bytes:
    """An object file of a module in the language of LLVM."""
    processor = target()
    module = llvm.parse_assembly(ir)
    module.triple = llvm.get_process_triple()
    module.data_layout = str(processor.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    options.slp_vectorization = True
    builder = llvm.create_pass_builder(processor, options)
    builder.getModulePassManager().run(module, builder)
    code: bytes = processor.emit_object(module)
    return code


@dataclass(frozen=True, slots=True)
class Library:
    """Machine code in memory."""

    engine: Any

    def function(self, name: str, numbers: int, returns: bool) -> Callable[..., int]:
        """An exported function of so many int64 numbers and the address of a table; it lets other threads run."""
        kinds = [ctypes.c_int64] * numbers + [ctypes.c_void_p]
        kind = ctypes.CFUNCTYPE(ctypes.c_int64 if returns else None, *kinds)
        function = kind(self.engine.get_function_address(name))
        vars(function)["library"] = self  # machine code stays in memory as long as what calls it
        return function

    def number(self, name: str) -> ctypes.c_int64:
        """An exported int64 variable."""
        return ctypes.c_int64.from_address(self.engine.get_global_value_address(name))


def loaded(code: bytes) -> Library:
    """An object file, loaded."""
    if os.name == "nt":  # where this function has another name
        system: Any = vars(ctypes)["windll"]
        llvm.add_symbol("sched_yield", ctypes.cast(system.kernel32.SwitchToThread, ctypes.c_void_p).value)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Library(engine)
