"""Independent re-computations that tests compare the product with. Nothing here imports neuroport."""
