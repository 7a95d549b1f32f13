"""A program with an axis of copies, and programs beside each other."""
