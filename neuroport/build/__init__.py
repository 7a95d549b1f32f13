"""Networks that are written in Python: calls become the tree that a network file is, and the reader of files reads it.

So there is one meaning and one check; only the places in messages are calls and not lines.
"""
