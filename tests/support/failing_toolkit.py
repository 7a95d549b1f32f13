"""A HIP toolkit with which the code that GeNN generates fails after so many launches of kernels."""

from __future__ import annotations

import os
from pathlib import Path

COMPILER = """#!/bin/sh
case " $* " in
*" -c "*) exec {compiler} -include {header} "$@" ;;
*) exec {compiler} "$@" ;;
esac
"""
HEADER = """#include <cstdlib>
#include <hip/hip_runtime.h>
inline hipError_t failing() {
    static long launched = 0;
    const bool fails = ++launched > std::atol(std::getenv("FAIL_AFTER"));
    return fails ? (hipError_t)std::atoi(std::getenv("FAIL_WITH")) : hipSuccess;
}
#define hipPeekAtLastError failing
"""


def failing_toolkit(folder: Path) -> Path:
    """The toolkit, in a folder of its own: environment variables say after how many launches, and with what error."""
    toolkit = Path(os.environ.get("HIP_PATH", "/opt/rocm"))
    (folder / "bin").mkdir(parents=True)
    for name in ("include", "lib"):
        (folder / name).symlink_to(toolkit / name)
    (folder / "failing.h").write_text(HEADER)
    compiler = folder / "bin" / "hipcc"
    compiler.write_text(COMPILER.format(compiler=toolkit / "bin" / "hipcc", header=folder / "failing.h"))
    compiler.chmod(0o755)
    return folder
