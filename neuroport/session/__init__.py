"""A program being executed, driven by a protocol or by hand."""
