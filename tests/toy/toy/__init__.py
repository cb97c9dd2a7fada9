"""A toy homework: sums and points."""
