"""A network to a program in real numbers."""
