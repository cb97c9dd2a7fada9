"""Which submissions share more than the given code explains: sorted, side by side, and judged by a person."""
