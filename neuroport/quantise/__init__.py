"""A program in real numbers to one in a chip's integers."""
