"""Mistakes made on purpose, to see that the checks find them."""
