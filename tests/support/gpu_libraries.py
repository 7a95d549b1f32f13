"""Libraries that answer as the runtime library of a GPU does, where there is no GPU to ask."""

from __future__ import annotations

import subprocess
from pathlib import Path

ANSWERS = """
#include <stddef.h>
#include <string.h>
int PREFIXGetDeviceCount(int *count) { *count = COUNT; return CODE; }
const char *PREFIXGetErrorString(int code) { return code == 35 ? "driver version is insufficient" : "unknown"; }
int PREFIXMemGetInfo(size_t *free, size_t *total) { *free = FREE; *total = 2 * (size_t)FREE; return CODE; }
int PREFIXDeviceSynchronize(void) { return CODE; }
int PREFIXDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 8 + device : 0;
    return CODE;
}
int PREFIXDeviceComputeCapability(int *major, int *minor, int device) { *major = 9; *minor = device; return CODE; }
int PREFIXDeviceGetName(char *name, int length, int device) { strncpy(name, "Card", length); return CODE; }
"""


def answering(file: Path, device: str, count: int = 1, code: int = 0, free: int = 0) -> Path:
    """A library for a device (cuda, hip): so many GPUs, what every call gives back, the bytes that are free."""
    values = (f"-DCOUNT={count}", f"-DCODE={code}", f"-DFREE={free}")
    text = ANSWERS.replace("PREFIX", device).encode()
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(file), *values], input=text, check=True)
    return file
