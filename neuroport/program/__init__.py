"""The machine: the only thing that passes and executors have in common."""
