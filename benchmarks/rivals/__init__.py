"""The learning rules of the field on one bench: what they are, how they run, and what is told of them."""
