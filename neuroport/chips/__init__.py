"""What arithmetic, limits and imperfections a chip has."""
