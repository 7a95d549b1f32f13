"""Networks as graphs of the Neuromorphic Intermediate Representation (NIR), the file format of other tools."""
