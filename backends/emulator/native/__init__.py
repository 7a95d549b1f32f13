"""Generated modules as machine code, by LLVM."""
