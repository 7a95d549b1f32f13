"""What neuroport's speed is measured beside: programs written by hand, and other simulators."""
