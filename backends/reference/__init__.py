"""The reference backend: a NumPy interpreter of the program, written to be read against `neuroport.program.ir`.

- arithmetic: what every function, rounding and overflow means
- text: a body of statements as NumPy text, one expression per line
- streams: the random draws of a body
- machine: the time step
"""

from neuroport.backends.reference.backend import Reference

__all__ = ["Reference"]
