"""Numbers that have the same bits on every machine."""
