"""A report of runs: one HTML file that needs nothing else, on a screen in light and dark, and on paper."""
