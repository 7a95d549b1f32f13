"""Files as they lie on the disk: what stands at a path, and HDF5 files whose contents are looked at before use."""
