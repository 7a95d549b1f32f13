"""Network files: reading and writing them."""
