"""One thread at a time writes and compiles modules: others wait, and find what was built.

Some releases of Python 3.11 and 3.12 cannot parse in two threads at once either (python/cpython#106905).
"""

from __future__ import annotations

import threading

ALONE = threading.RLock()
"""Held while a module is written or compiled."""
